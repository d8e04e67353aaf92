package termination

import (
	"maps"
	"slices"
	"strings"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// maxKnown is how many distinct values of one argument a read keeps. Beyond it, a
// Coverage may lack similar values, and a value that was not asked about before the
// read is not called unseen.
const maxKnown = 10_000

// Coverage is what one complete read of the list shows of the values of a match and an
// exclude. Use it to find values that are likely wrong.
type Coverage struct {
	// Live and Ended are the numbers of sessions in the list.
	Live, Ended int
	// Unseen are the values that no session has, live or ended, and that are worth a
	// message: those with a similar value, and those of an argument of match of which
	// the list has no value. They are in the order of match, and then of exclude. If
	// the list holds no session at all, there are none: see SeesNothing.
	Unseen []Unseen
}

// Unseen is a value of match or exclude that no session has: misspelled, outside the
// scope of the authorization, or never used.
type Unseen struct {
	// Argument is the argument that has the value, such as "match.devices".
	Argument string
	Value    string
	// Similar are the values in the list that may be meant, the most similar first, at
	// most three; see session.Similar. For the record ID of a session it is the session
	// ID.
	Similar []string
	// Listed is set if senhasegura lists every device in the other way than Value names
	// one.
	Listed DeviceKind
	// OnlyWarns: the unseen value is no reason to fail, because a session ID may have
	// been purged.
	OnlyWarns bool
}

// DeviceKind is the way in which a device is named.
type DeviceKind string

// The ways to name a device.
const (
	ByAddress DeviceKind = "address"
	ByName    DeviceKind = "name"
)

func kindOf(device string) DeviceKind {
	if session.IsAddress(device) {
		return ByAddress
	}
	return ByName
}

// OnUnseen is what a drain does about unseen values. Its values are those of the
// argument `on_unseen`.
type OnUnseen string

// What to do about unseen values.
const (
	UnseenContinue OnUnseen = "continue"
	UnseenHalt     OnUnseen = "halt"
	UnseenIgnore   OnUnseen = "ignore"
)

// SeesNothing reports whether the list holds no session at all, live or ended. It then
// shows nothing of match, only that the authorization sees no session.
func (c Coverage) SeesNothing() bool { return c.Live+c.Ended == 0 }

// Fails reports whether a drain must fail before it terminates anything. If false,
// Unseen is a warning, unless on is UnseenIgnore.
func (c Coverage) Fails(on OnUnseen) bool {
	switch on {
	case UnseenIgnore:
		return false
	case UnseenHalt:
		return c.SeesNothing() || slices.ContainsFunc(c.Unseen, func(u Unseen) bool { return !u.OnlyWarns })
	default:
		return c.SeesNothing()
	}
}

// LikelyMistakes gives the unseen values with a similar one. A plan that creates a
// drain, or changes its match or exclude, warns only of these, whatever its OnUnseen
// is: the machine may be new.
func (c Coverage) LikelyMistakes() []Unseen {
	return withSimilar(c.Unseen)
}

func withSimilar(unseen []Unseen) []Unseen {
	return slices.DeleteFunc(slices.Clone(unseen), func(u Unseen) bool { return len(u.Similar) == 0 })
}

// census is the collector that finds unseen values. One census answers all questions of
// a read:
//
//	c := newCensus()
//	c.ask(match, exclude) // for each of them, before the read begins
//	// The read calls c.restart, and c.take for every row.
//	s := c.complete()                       // only when the read has worked
//	coverage := s.coverage(match, exclude) // for each of them
//
// The values that are asked about and maxKnown limit its memory. It is not safe for
// concurrent use.
type census struct {
	live, ended int

	sessionIDs, users, credentials, devices, protocols, proxies, origins *argument
}

// newCensus makes a census for what is asked before the read. For the arguments
// forLater, session.Field constants, it also answers what is asked after the read, for
// previews that share a snapshot. Each of them costs a lookup in a map for every row.
// There are too many session IDs to keep: of those asked about after the read, it only
// finds a record ID of a live session given in place of its session ID.
func newCensus(forLater ...string) *census {
	of := func(field string) *argument {
		return &argument{field: field, forLater: slices.Contains(forLater, field), known: distinct{limit: maxKnown}}
	}
	return &census{
		sessionIDs:  of(session.FieldSessionIDs),
		users:       of(session.FieldUsers),
		credentials: of(session.FieldCredentials),
		devices:     of(session.FieldDevices),
		protocols:   of(session.FieldProtocols),
		proxies:     of(session.FieldProxies),
		origins:     of(session.FieldOriginIPs),
	}
}

// arguments are in the order of a session.Match.
func (c *census) arguments() []*argument {
	return []*argument{c.sessionIDs, c.users, c.credentials, c.devices, c.protocols, c.proxies, c.origins}
}

// ask adds the values of a match or an exclude, except those that
// session.Match.Validate refuses, which are never called unseen.
func (c *census) ask(matches ...session.Match) {
	for _, a := range c.arguments() {
		for _, m := range matches {
			a.ask(m.Values(a.field))
		}
	}
}

func (c *census) restart() {
	c.live, c.ended = 0, 0
	for _, a := range c.arguments() {
		a.restart()
	}
}

func (c *census) take(s *session.Session) {
	if s.Live() {
		c.live++
	} else {
		c.ended++
	}
	c.sessionIDs.noteID(s)
	c.users.note(s.User)
	c.credentials.note(s.Credential)
	c.devices.note(s.Device)
	c.protocols.note(s.Protocol)
	c.proxies.note(s.Proxy)
	c.origins.note(s.OriginIP)
}

// complete gives the result. Call it only after a read that worked, because a list that
// broke off shows no absence. The census must not be used afterwards.
func (c *census) complete() *seenValues {
	return &seenValues{live: c.live, ended: c.ended, arguments: c.arguments()}
}

// seenValues is what one complete read has shown of values. It is immutable and safe
// for concurrent use.
type seenValues struct {
	live, ended int
	arguments   []*argument
}

// coverage gives the result for a match and an exclude.
func (s *seenValues) coverage(match, exclude session.Match) Coverage {
	c := Coverage{Live: s.live, Ended: s.ended}
	if c.SeesNothing() {
		return c
	}
	for _, a := range s.arguments {
		values := match.Values(a.field)
		unseen := a.unseen("match.", values)
		if len(unseen) < len(values) {
			unseen = withSimilar(unseen)
		}
		c.Unseen = append(c.Unseen, unseen...)
	}
	for _, a := range s.arguments {
		// Users who are excluded and never connected are normal.
		c.Unseen = append(c.Unseen, withSimilar(a.unseen("exclude.", exclude.Values(a.field)))...)
	}
	return c
}

// carrier reports whether a session that shows a text has a value.
type carrier func(shown string) bool

// argument is what a census knows of one argument of a match.
type argument struct {
	field string
	// forLater: values are kept for questions that are asked after the read.
	forLater bool
	// asked are the values asked about, and open those of them that no session has had
	// yet. one reports whether a text has any of open, or of a few more.
	asked, open map[string]carrier
	one         carrier
	// idle: there is nothing left to find out.
	idle bool
	// known are the texts that were shown.
	known distinct
	// rows are the session IDs by record ID, because users may confuse them.
	rows map[string]string
	// byAddress and byName are which kinds of devices the list shows, kept or not.
	byAddress, byName bool
}

func (a *argument) ask(values []string) {
	for _, value := range values {
		carries, err := session.Carries(a.field, value)
		if err != nil {
			continue
		}
		if a.asked == nil {
			a.asked = map[string]carrier{}
		}
		a.asked[value] = carries
	}
}

func (a *argument) restart() {
	a.known.forget()
	a.rows = nil
	a.open, a.idle = maps.Clone(a.asked), len(a.asked) == 0 && !a.forLater
	a.byAddress, a.byName = false, false
	a.compile()
}

func (a *argument) compile() {
	a.one, _ = session.Carries(a.field, slices.Collect(maps.Keys(a.open))...) // each was accepted
}

// noteID takes the session ID and the record ID of a session. For later, all session
// IDs are kept that could be record IDs; senhasegura is not known to show any.
func (a *argument) noteID(s *session.Session) {
	if len(a.open) > 0 {
		delete(a.open, s.ID)
	}
	if a.forLater && onlyDigits(s.ID) && !a.known.has(s.ID) {
		a.known.add(s.ID)
	}
	if !a.forLater || !s.Live() {
		if _, asked := a.asked[s.RecordID]; !asked {
			return
		}
	}
	if len(a.rows) < a.known.limit && s.RecordID != "" && len(s.ID) <= longestText {
		if a.rows == nil {
			a.rows = map[string]string{}
		}
		a.rows[strings.Clone(s.RecordID)] = strings.Clone(s.ID)
	}
}

// onlyDigits is called for every row; most IDs have a letter near their beginning.
func onlyDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// note takes the text of a row. Nearly every text is known already, and costs one
// lookup in a map.
func (a *argument) note(shown string) {
	if a.idle || a.known.has(shown) {
		return
	}
	a.takeNew(shown)
}

// takeNew takes a text that is not known: for the first time, or again because it was
// not kept.
func (a *argument) takeNew(shown string) {
	if strings.TrimSpace(shown) == "" {
		return // senhasegura omits unknown values
	}
	if a.one(shown) {
		maps.DeleteFunc(a.open, func(_ string, carries carrier) bool { return carries(shown) })
		if len(a.open) == 0 && !a.forLater {
			a.idle = true
			a.known.forget()
			return
		}
		if a.known.partial {
			a.compile() // or every such row that was not kept would ask all of open again
		}
	}
	if a.field == session.FieldDevices && (!a.byAddress || !a.byName) {
		byAddress := kindOf(shown) == ByAddress
		a.byAddress, a.byName = a.byAddress || byAddress, a.byName || !byAddress
	}
	a.known.add(shown)
}

// unseen gives the values that certainly no session has.
func (a *argument) unseen(object string, values []string) []Unseen {
	var unseen []Unseen
	for _, value := range values {
		if !a.isUnseen(value) {
			continue
		}
		u := Unseen{
			Argument:  object + a.field,
			Value:     value,
			Similar:   a.similar(value),
			OnlyWarns: a.field == session.FieldSessionIDs,
		}
		if by := a.listed(); by != kindOf(value) {
			u.Listed = by
		}
		unseen = append(unseen, u)
	}
	return unseen
}

func (a *argument) similar(value string) []string {
	if id := a.rows[value]; id != "" {
		return []string{id}
	}
	return session.Similar(a.field, value, a.known.all())
}

// listed is the kind of all devices in the list, empty if they are of both kinds.
func (a *argument) listed() DeviceKind {
	switch {
	case a.byAddress == a.byName:
		return ""
	case a.byAddress:
		return ByAddress
	}
	return ByName
}

// isUnseen is false if the read does not show it.
func (a *argument) isUnseen(value string) bool {
	if _, asked := a.asked[value]; asked {
		_, open := a.open[value]
		return open
	}
	if !a.forLater || a.known.partial {
		return false
	}
	if _, isRow := a.rows[value]; a.field == session.FieldSessionIDs && !isRow {
		return false
	}
	carries, err := session.Carries(a.field, value)
	if err != nil {
		return false
	}
	for shown := range a.known.all() {
		if carries(shown) {
			return false
		}
	}
	return true
}
