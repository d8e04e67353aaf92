package session

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// The names of the criteria of a Match, as users write them. MatchError.Field
// is one of them.
const (
	FieldSessionIDs  = "session_ids"
	FieldUsers       = "users"
	FieldCredentials = "credentials"
	FieldDevices     = "devices"
	FieldProtocols   = "protocols"
	FieldProxies     = "proxies"
	FieldOriginIPs   = "origin_ips"
	FieldOlderThan   = "older_than"
)

// Match selects sessions. A session satisfies a set with any one of its values, and
// must satisfy every criterion; a nil set and a zero OlderThan are not set. An empty
// set that is not nil is a fault: an empty variable must neither match every session
// nor none.
//
// SessionIDs are compared exactly, everything else without case, by Unicode
// simple folding. Host names are compared without a trailing dot, and IP
// addresses by value. A device is a host, which matches any port, or host:port;
// an IPv6 address with a port is written in brackets. OriginIPs are addresses
// or CIDR prefixes. OlderThan is the least time since the start; a start more than
// 15 minutes in the future leaves it Undecided, and so may one in an hour that the
// zone repeats.
//
// A name in another form neither matches nor doesn't, but is Undecided: "db-01"
// against "db-01.example.com", and "alice", "CORP\alice" and
// "alice@corp.example.com" against one another, as users and as credentials.
// Two names in one form that differ are a plain No. Addresses have no other
// form.
type Match struct {
	SessionIDs  []string
	Users       []string
	Credentials []string
	Devices     []string
	Protocols   []string
	Proxies     []string
	OriginIPs   []string
	OlderThan   time.Duration

	everyone bool
}

// Everyone is the one Match that may set nothing: it matches every session.
var Everyone = Match{everyone: true}

// set is one criterion of a Match that is a set of strings.
type set struct {
	field  string
	values []string
	// shown reads what the values are compared with.
	shown func(s Session) string
}

func (m Match) sets() [7]set {
	return [...]set{
		{FieldSessionIDs, m.SessionIDs, func(s Session) string { return s.ID }},
		{FieldUsers, m.Users, func(s Session) string { return s.User }},
		{FieldCredentials, m.Credentials, func(s Session) string { return s.Credential }},
		{FieldDevices, m.Devices, func(s Session) string { return s.Device }},
		{FieldProtocols, m.Protocols, func(s Session) string { return s.Protocol }},
		{FieldProxies, m.Proxies, func(s Session) string { return s.Proxy }},
		{FieldOriginIPs, m.OriginIPs, func(s Session) string { return s.OriginIP }},
	}
}

// IsZero reports whether no criterion of m is set.
func (m Match) IsZero() bool {
	for _, s := range m.sets() {
		if s.values != nil {
			return false
		}
	}
	return m.OlderThan == 0
}

// MatchError is one fault of a Match.
type MatchError struct {
	// Field is the criterion at fault, one of the Field constants.
	Field string
	// Value is the value at fault; empty where the fault is the empty value or
	// the whole set.
	Value string
	// Reason says what is wrong and what to write instead.
	Reason string
}

func (e *MatchError) Error() string {
	if e.Value == "" {
		return e.Field + ": " + e.Reason
	}
	return fmt.Sprintf("%s: %q: %s", e.Field, e.Value, e.Reason)
}

// Validate returns every fault of m, each a *MatchError, joined, or nil.
func (m Match) Validate() error {
	var faults []error
	for _, s := range m.sets() {
		if s.values == nil {
			continue
		}
		faults = append(faults, ValidateSetSize(s.field, len(s.values)))
		for _, value := range s.values {
			faults = append(faults, ValidateMatchValue(s.field, value))
		}
	}
	if m.OlderThan != 0 {
		faults = append(faults, validateOlderThan(m.OlderThan))
	}
	return errors.Join(faults...)
}

// ValidateSetSize returns a *MatchError where the set of field is given but has
// no elements, else nil.
func ValidateSetSize(field string, size int) error {
	if size > 0 {
		return nil
	}
	return &MatchError{Field: field, Reason: "the set must have at least one value: to match any value, omit the argument or set it to null"}
}

// validateOlderThan returns a *MatchError where the age is not positive.
func validateOlderThan(age time.Duration) error {
	if age > 0 {
		return nil
	}
	return &MatchError{Field: FieldOlderThan, Value: age.String(), Reason: `the age must be greater than zero, such as "8h"`}
}

// ValidateMatchValue returns a *MatchError where value cannot be an element of
// the set field, one of the Field constants, else nil.
func ValidateMatchValue(field, value string) error {
	reason := blankReason(value)
	if reason == "" {
		switch field {
		case FieldSessionIDs:
			reason = idReason(value)
		case FieldDevices:
			reason = deviceReason(value)
		case FieldOriginIPs:
			reason = originReason(value)
		}
	}
	if reason == "" {
		return nil
	}
	return &MatchError{Field: field, Value: value, Reason: reason}
}

func blankReason(value string) string {
	switch {
	case strings.TrimSpace(value) == "":
		return "the value must not be empty: to match any value, omit the argument or set it to null"
	case strings.TrimSpace(value) != value:
		return "the value must not start or end with white space"
	case strings.ContainsFunc(value, unicode.IsControl):
		return "the value must not contain control characters"
	}
	return ""
}

func idReason(value string) string {
	err := ValidateID(value)
	if err == nil {
		return ""
	}
	return strings.TrimPrefix(err.Error(), fmt.Sprintf("%v: %q: ", ErrIdentifier, value))
}

func originReason(value string) string {
	_, err := parseOriginPattern(value)
	if err == nil {
		return ""
	}
	return err.Error()
}

// Verdict is the answer to whether a session matches. It has three values
// because senhasegura may leave out, or write in an unreadable form, what a criterion
// asks about.
type Verdict int

const (
	// No: the session does not match.
	No Verdict = iota
	// Undecided: what senhasegura showed neither proves nor disproves a match. Such
	// a session must not be terminated, and must be reported.
	Undecided
	// Yes: the session matches.
	Yes
)

func (v Verdict) String() string {
	switch v {
	case No:
		return "no"
	case Undecided:
		return "undecided"
	case Yes:
		return "yes"
	}
	return fmt.Sprintf("Verdict(%d)", int(v))
}

// valueSet is one set of a Match, prepared for many comparisons.
type valueSet interface {
	// judge compares what senhasegura shows of a session with the set.
	judge(shown string) Verdict
}

// newValueSet takes values that ValidateMatchValue accepts.
func newValueSet(field string, values []string) valueSet {
	switch field {
	case FieldSessionIDs:
		return newExactSet(values)
	case FieldUsers, FieldCredentials:
		return newAccountSet(values)
	case FieldDevices:
		return newDeviceSet(values)
	case FieldOriginIPs:
		return newOriginSet(values)
	}
	return newFoldedSet(values)
}

// criterion judges one aspect of a session: what shown reads, or the age.
type criterion struct {
	field  string
	shown  func(s Session) string
	values valueSet
	// age is OlderThan where values is nil.
	age time.Duration
}

func (c *criterion) judge(s *Session, now time.Time) Verdict {
	if c.values == nil {
		return judgeAge(s.StartedAt, c.age, now)
	}
	return c.values.judge(c.shown(*s))
}

// Matcher is a compiled Match. It is immutable and safe for concurrent use.
type Matcher struct {
	criteria []criterion
}

// Compile validates m and prepares it for many comparisons. Its errors are
// those of Validate. Later changes of m's slices do not reach the Matcher.
func (m Match) Compile() (*Matcher, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	matcher := &Matcher{}
	for _, s := range m.sets() {
		if s.values == nil {
			continue
		}
		matcher.criteria = append(matcher.criteria, criterion{field: s.field, shown: s.shown, values: newValueSet(s.field, s.values)})
	}
	if m.OlderThan != 0 {
		matcher.criteria = append(matcher.criteria, criterion{field: FieldOlderThan, age: m.OlderThan})
	}
	return matcher, nil
}

// Match judges s at the moment now. A single No decides, whatever else is not
// known; then a single Undecided does. A Matcher without criteria says Yes to
// every session.
func (m *Matcher) Match(s Session, now time.Time) Verdict {
	verdict := Yes
	for i := range m.criteria {
		verdict = min(verdict, m.criteria[i].judge(&s, now))
		if verdict == No {
			return No
		}
	}
	return verdict
}

// Selector chooses the sessions that one Match means and another does not
// protect. It is immutable and safe for concurrent use.
type Selector struct {
	match *Matcher
	// exclude are alternatives, each with criteria.
	exclude []*Matcher
	// criteria are what both were compiled from.
	criteria struct{ match, exclude Match }
}

// NewSelector compiles both. A match that sets nothing is refused, unless it is
// Everyone: a caller must not terminate all sessions by omission. A zero exclude
// excludes none. SessionIDs of exclude exclude these sessions, whatever its other
// criteria are: to add the id of a session must not take from what they exclude. The
// error joins the faults of both, each a *MatchError
// behind the name of its object.
func NewSelector(match, exclude Match) (*Selector, error) {
	wanted, matchErr := match.Compile()
	if matchErr == nil && match.IsZero() && !match.everyone {
		matchErr = errors.New("must set at least one criterion, or it would match every session")
	}
	if matchErr != nil {
		matchErr = fmt.Errorf("match: %w", matchErr)
	}
	excludeErr := exclude.Validate()
	if excludeErr != nil {
		excludeErr = fmt.Errorf("exclude: %w", excludeErr)
	}
	if err := errors.Join(matchErr, excludeErr); err != nil {
		return nil, err
	}
	s := &Selector{match: wanted}
	s.criteria.match, s.criteria.exclude = match, exclude
	byID, others := Match{SessionIDs: exclude.SessionIDs}, exclude
	others.SessionIDs = nil
	for _, alternative := range []Match{byID, others} {
		// What is valid as a whole is valid in parts.
		if excluding, err := alternative.Compile(); err == nil && len(excluding.criteria) > 0 {
			s.exclude = append(s.exclude, excluding)
		}
	}
	return s, nil
}

// Criteria gives the match and the exclude that s was made of. They share their
// slices with the arguments of NewSelector.
func (s *Selector) Criteria() (match, exclude Match) { return s.criteria.match, s.criteria.exclude }

func (s *Selector) excluded(session Session, now time.Time) Verdict {
	verdict := No
	for _, alternative := range s.exclude {
		verdict = max(verdict, alternative.Match(session, now))
	}
	return verdict
}

// Protects reports whether exclude matches a session for certain, whatever match
// says of it.
func (s *Selector) Protects(session Session, now time.Time) bool {
	return s.excluded(session, now) == Yes
}

// Select judges a session at the moment now, as Judgement.Verdict says.
func (s *Selector) Select(session Session, now time.Time) Verdict {
	return s.Judge(session, now).Verdict()
}

// exactSet compares as it is written, because senhasegura guarantees no format for an
// identifier (contract, section 1).
type exactSet map[string]struct{}

func newExactSet(values []string) exactSet {
	exact := make(exactSet, len(values))
	for _, value := range values {
		exact[value] = struct{}{}
	}
	return exact
}

func (e exactSet) judge(value string) Verdict {
	if value == "" {
		return Undecided
	}
	if _, found := e[value]; found {
		return Yes
	}
	return No
}

// foldedSet compares without case and without white space at either end.
type foldedSet map[string]struct{}

func newFoldedSet(values []string) foldedSet {
	folded := make(foldedSet, len(values))
	for _, value := range values {
		folded[string(appendFold(nil, value))] = struct{}{}
	}
	return folded
}

// judge is Undecided about an empty value: senhasegura did not say who, or where.
func (f foldedSet) judge(value string) Verdict {
	value = strings.TrimSpace(value)
	if value == "" {
		return Undecided
	}
	var buffer [foldBuffer]byte
	if _, found := f[string(appendFold(buffer[:0], value))]; found {
		return Yes
	}
	return No
}
