package termination

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

var allFields = []string{
	session.FieldSessionIDs, session.FieldUsers, session.FieldCredentials, session.FieldDevices,
	session.FieldProtocols, session.FieldProxies, session.FieldOriginIPs,
}

// read gives what a list of the rows shows.
func (c *census) read(rows ...session.Session) *seenValues {
	c.restart()
	for _, row := range rows {
		c.take(&row)
	}
	return c.complete()
}

// limited makes a census that keeps few values.
func limited(limit int, forLater ...string) *census {
	c := newCensus(forLater...)
	for _, a := range c.arguments() {
		a.known.limit = limit
	}
	return c
}

func devices(shown ...string) []session.Session {
	rows := make([]session.Session, len(shown))
	for i := range shown {
		rows[i].Device = shown[i]
	}
	return rows
}

func users(shown ...string) []session.Session {
	rows := make([]session.Session, len(shown))
	for i := range shown {
		rows[i].User = shown[i]
	}
	return rows
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	known := []session.Session{
		{
			ID: "aa", User: "alice", Credential: `CORP\root`, Device: "db-01.example.com:22", Protocol: "ssh",
			Proxy: "Web Proxy", OriginIP: "10.0.0.9",
		},
		{
			ID: "bb", User: "breakglass", Credential: "app", Device: "web-prod:443", Protocol: "rdp", Proxy: "RDP Proxy",
			OriginIP: "192.0.2.7", EndedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		},
	}
	for name, test := range map[string]struct {
		match, exclude session.Match
		rows           []session.Session
		want           []Unseen
	}{
		"every value seen": {
			match: session.Match{
				SessionIDs: []string{"aa"}, Users: []string{"ALICE"}, Credentials: []string{`corp\root`}, Devices: []string{"db-01.example.com", "WEB-PROD:443"},
				Protocols: []string{"SSH"}, Proxies: []string{"web proxy"}, OriginIPs: []string{"10.0.0.0/8"}, OlderThan: time.Hour,
			},
			rows: known,
		},
		"seen of an ended session": {match: session.Match{Users: []string{"breakglass"}}, rows: known},
		"address in another notation": {
			match: session.Match{Devices: []string{"2001:db8::1"}, OriginIPs: []string{"::ffff:10.0.0.9"}},
			rows:  append(devices("[2001:DB8:0::1]:22"), known...),
		},
		"seen among others, no similar one": {match: session.Match{Devices: []string{"web-prod", "mail-07"}}, rows: known},
		"no value of the argument seen": {
			match: session.Match{Devices: []string{"mail-07", "mail-08"}, Users: []string{"alice"}}, rows: known,
			want: []Unseen{{Argument: "match.devices", Value: "mail-07"}, {Argument: "match.devices", Value: "mail-08"}},
		},
		"other form": {
			match: session.Match{Devices: []string{"web-prod", "db-01"}}, rows: known,
			want: []Unseen{{Argument: "match.devices", Value: "db-01", Similar: []string{"db-01.example.com"}}},
		},
		"other port": {
			match: session.Match{Devices: []string{"web-prod:22"}}, rows: known,
			want: []Unseen{{Argument: "match.devices", Value: "web-prod:22", Similar: []string{"web-prod:443"}}},
		},
		"typing error": {
			match: session.Match{Users: []string{"alicee", "alice"}, Proxies: []string{"Web Prxy"}}, rows: known,
			want: []Unseen{
				{Argument: "match.users", Value: "alicee", Similar: []string{"alice"}},
				{Argument: "match.proxies", Value: "Web Prxy", Similar: []string{"Web Proxy"}},
			},
		},
		"three similar ones": {
			match: session.Match{Users: []string{"root"}}, rows: users(`D\root`, `C\root`, `B\root`, `A\root`),
			want: []Unseen{{Argument: "match.users", Value: "root", Similar: []string{`A\root`, `B\root`, `C\root`}}},
		},
		"senhasegura lists by address": {
			match: session.Match{Devices: []string{"db-01", "10.0.0.7"}}, rows: devices("10.0.0.9:22", "[2001:db8::1]:22", ""),
			want: []Unseen{
				{Argument: "match.devices", Value: "db-01", Listed: ByAddress},
				{Argument: "match.devices", Value: "10.0.0.7"},
			},
		},
		"senhasegura lists by name": {
			match: session.Match{Devices: []string{"10.0.0.9:22"}}, rows: devices("db-01:22", " "),
			want: []Unseen{{Argument: "match.devices", Value: "10.0.0.9:22", Listed: ByName}},
		},
		"senhasegura lists by both": {
			match: session.Match{Devices: []string{"mail-07"}}, rows: devices("10.0.0.9:22", "db-01:22"),
			want: []Unseen{{Argument: "match.devices", Value: "mail-07"}},
		},
		"senhasegura lists no device": {
			match: session.Match{Devices: []string{"mail-07"}}, rows: devices("", ""),
			want: []Unseen{{Argument: "match.devices", Value: "mail-07"}},
		},
		"session ids only warn": {
			match: session.Match{SessionIDs: []string{"cc", "dd"}}, rows: known,
			want: []Unseen{
				{Argument: "match.session_ids", Value: "cc", OnlyWarns: true},
				{Argument: "match.session_ids", Value: "dd", OnlyWarns: true},
			},
		},
		"session id in another case": {
			match: session.Match{SessionIDs: []string{"AA"}}, rows: known,
			want: []Unseen{{Argument: "match.session_ids", Value: "AA", OnlyWarns: true}},
		},
		"a row number for a session id": {
			match: session.Match{SessionIDs: []string{"7", "8", "9"}},
			rows:  []session.Session{{ID: "aa", RecordID: "7", EndedAt: time.Unix(1, 0)}, {ID: "bb", RecordID: "8", EndedAt: time.Unix(1, 0)}},
			want: []Unseen{
				{Argument: "match.session_ids", Value: "7", Similar: []string{"aa"}, OnlyWarns: true},
				{Argument: "match.session_ids", Value: "8", Similar: []string{"bb"}, OnlyWarns: true},
				{Argument: "match.session_ids", Value: "9", OnlyWarns: true},
			},
		},
		"a session id that is a row number too": {
			match: session.Match{SessionIDs: []string{"7"}}, rows: []session.Session{{ID: "aa", RecordID: "7"}, {ID: "7", RecordID: "8"}},
		},
		"one session id seen": {match: session.Match{SessionIDs: []string{"aa", "cc"}}, rows: known},
		"origins": {
			match: session.Match{OriginIPs: []string{"10.1.0.0/16"}}, rows: known,
			want: []Unseen{{Argument: "match.origin_ips", Value: "10.1.0.0/16"}},
		},
		"age has no values": {match: session.Match{OlderThan: time.Hour}, rows: known},
		"exclude, never connected": {
			match:   session.Match{Users: []string{"alice"}},
			exclude: session.Match{Users: []string{"emergency"}, SessionIDs: []string{"zz"}, OriginIPs: []string{"203.0.113.1"}, Devices: []string{"10.9.9.9"}},
			rows:    known,
		},
		"exclude with a similar one": {
			match: session.Match{Users: []string{"alice"}}, exclude: session.Match{Users: []string{"breakglas", "emergency"}}, rows: known,
			want: []Unseen{{Argument: "exclude.users", Value: "breakglas", Similar: []string{"breakglass"}}},
		},
		"match before exclude": {
			match: session.Match{Users: []string{"bob"}, Credentials: []string{"root"}}, exclude: session.Match{Users: []string{`CORP\alice`}}, rows: known,
			want: []Unseen{
				{Argument: "match.users", Value: "bob"},
				{Argument: "match.credentials", Value: "root", Similar: []string{`CORP\root`}},
				{Argument: "exclude.users", Value: `CORP\alice`, Similar: []string{"alice"}},
			},
		},
		"the same value in both": {
			match: session.Match{Users: []string{"alicee"}}, exclude: session.Match{Users: []string{"alicee"}}, rows: known,
			want: []Unseen{
				{Argument: "match.users", Value: "alicee", Similar: []string{"alice"}},
				{Argument: "exclude.users", Value: "alicee", Similar: []string{"alice"}},
			},
		},
		"nothing shown": {
			match: session.Match{Users: []string{"alice"}, OriginIPs: []string{"10.0.0.9"}}, rows: []session.Session{{ID: "aa", OriginIP: "laptop"}},
			want: []Unseen{{Argument: "match.users", Value: "alice"}, {Argument: "match.origin_ips", Value: "10.0.0.9"}},
		},
		"no session at all": {match: session.Match{Users: []string{"alice"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := newCensus()
			before.ask(test.match, test.exclude)
			got := before.read(test.rows...).coverage(test.match, test.exclude)
			if diff := cmp.Diff(test.want, got.Unseen); diff != "" {
				t.Errorf("asked before the read (-want +got):\n%s", diff)
			}
			got = newCensus(allFields...).read(test.rows...).coverage(test.match, test.exclude)
			want := slices.DeleteFunc(slices.Clone(test.want), func(u Unseen) bool { return u.OnlyWarns })
			if diff := cmp.Diff(want, got.Unseen, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("asked after the read (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCoverageCounts(t *testing.T) {
	t.Parallel()
	rows := users("a", "b", "c")
	rows[1].EndedAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	rows[2].UnreadableEnd = "yesterday"
	c := newCensus()
	c.ask(session.Match{Users: []string{"a", "bob"}, SessionIDs: []string{"x"}})
	c.read(append(rows, rows...)...)
	got := c.read(rows...).coverage(session.Match{}, session.Match{}) // a list that is read again
	if want := (Coverage{Live: 2, Ended: 1}); !cmp.Equal(got, want) {
		t.Errorf("coverage = %+v, want %+v", got, want)
	}
	if got.SeesNothing() {
		t.Error("SeesNothing, with three sessions")
	}
}

// What a list showed before it broke off counts for nothing.
func TestCoverageOfAListThatIsReadAgain(t *testing.T) {
	t.Parallel()
	match := session.Match{Users: []string{"alice", "bob"}, SessionIDs: []string{"aa"}}
	c := newCensus(session.FieldDevices)
	c.ask(match)
	c.read(session.Session{ID: "aa", User: "alice", Device: "10.0.0.9"}, session.Session{User: "bob", Device: "db"})
	devices := session.Match{Devices: []string{"10.0.0.9"}}
	got := c.read(session.Session{User: "alicia", Device: "db"}, session.Session{User: "alicee", Device: "db"})
	want := []Unseen{
		{Argument: "match.session_ids", Value: "aa", OnlyWarns: true},
		{Argument: "match.users", Value: "alice", Similar: []string{"alicee"}},
		{Argument: "match.users", Value: "bob"},
	}
	if diff := cmp.Diff(want, got.coverage(match, session.Match{}).Unseen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want = []Unseen{{Argument: "match.devices", Value: "10.0.0.9", Listed: ByName}}
	if diff := cmp.Diff(want, got.coverage(devices, session.Match{}).Unseen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Nothing is concluded about what a census was not made for.
func TestCoverageOfWhatWasNotAsked(t *testing.T) {
	t.Parallel()
	c := newCensus(session.FieldDevices, session.FieldSessionIDs)
	c.ask(session.Match{Users: []string{"alice"}, Devices: []string{"db-01"}})
	got := c.read(session.Session{ID: "aa", User: "alice", Device: "db-01"})
	match := session.Match{
		SessionIDs: []string{"zz"}, Users: []string{"alicee"}, Credentials: []string{"root"}, OriginIPs: []string{"10.0.0.9"},
		Devices: []string{"mail-07"},
	}
	want := []Unseen{{Argument: "match.devices", Value: "mail-07"}}
	if diff := cmp.Diff(want, got.coverage(match, match).Unseen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Of session ids that were not asked about before the read, only a record ID of a
// live session in place of its id is a mistake for certain.
func TestCoverageOfRowNumbersAskedLater(t *testing.T) {
	t.Parallel()
	rows := []session.Session{{ID: "aa", RecordID: "7"}, {ID: "bb", RecordID: "8"}, {ID: "8", RecordID: "9"}, {ID: "cc", RecordID: "10", EndedAt: time.Unix(1, 0)}}
	match := session.Match{SessionIDs: []string{"7", "8", "10", "11"}}
	mistake := func(argument string) Unseen {
		return Unseen{Argument: argument, Value: "7", Similar: []string{"aa"}, OnlyWarns: true}
	}
	for limit, want := range map[int][]Unseen{
		maxKnown: {mistake("match.session_ids"), mistake("exclude.session_ids")},
		2:        {mistake("match.session_ids"), mistake("exclude.session_ids")},
		0:        nil,
	} {
		got := limited(limit, allFields...).read(rows...).coverage(match, match).Unseen
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("limit %d (-want +got):\n%s", limit, diff)
		}
	}
}

func TestCoverageOfWhatNoMatchMaySay(t *testing.T) {
	t.Parallel()
	match := session.Match{Users: []string{" "}, Devices: []string{"web*"}, OriginIPs: []string{"laptop"}}
	for _, c := range []*census{newCensus(), newCensus(allFields...)} {
		c.ask(match)
		got := c.read(session.Session{User: "alice", Device: "web", OriginIP: "10.0.0.9"}).coverage(match, match)
		if len(got.Unseen) > 0 {
			t.Errorf("unseen: %+v", got.Unseen)
		}
	}
}

func TestCoverageFails(t *testing.T) {
	t.Parallel()
	unseen := Unseen{Argument: "match.devices", Value: "db"}
	purged := Unseen{Argument: "match.session_ids", Value: "aa", OnlyWarns: true}
	for name, test := range map[string]struct {
		coverage                Coverage
		nothing, atHalt, always bool
	}{
		"all is seen":        {coverage: Coverage{Ended: 1}},
		"a value is unseen":  {coverage: Coverage{Live: 1, Unseen: []Unseen{purged, unseen}}, atHalt: true},
		"only a session id":  {coverage: Coverage{Live: 1, Unseen: []Unseen{purged}}},
		"no session at all":  {coverage: Coverage{}, nothing: true, atHalt: true, always: true},
		"one ended, no live": {coverage: Coverage{Ended: 1, Unseen: []Unseen{unseen}}, atHalt: true},
	} {
		if got := test.coverage.SeesNothing(); got != test.nothing {
			t.Errorf("%s: SeesNothing() = %v", name, got)
		}
		for on, want := range map[OnUnseen]bool{UnseenHalt: test.atHalt, UnseenContinue: test.always, "": test.always, UnseenIgnore: false} {
			if got := test.coverage.Fails(on); got != want {
				t.Errorf("%s: Fails(%q) = %v, want %v", name, on, got, want)
			}
		}
	}
}

func TestCoverageLikelyMistakes(t *testing.T) {
	t.Parallel()
	mistyped := Unseen{Argument: "match.users", Value: "alicee", Similar: []string{"alice"}}
	c := Coverage{Live: 1, Unseen: []Unseen{{Argument: "match.devices", Value: "new-machine"}, mistyped}}
	if diff := cmp.Diff([]Unseen{mistyped}, c.LikelyMistakes()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(c.Unseen) != 2 || c.Unseen[1].Value != "alicee" {
		t.Errorf("LikelyMistakes changed the coverage: %+v", c)
	}
}

// Above the bound a value that was asked about is still judged by every row, and
// one that was not is not called unseen.
func TestCoverageAboveTheBound(t *testing.T) {
	t.Parallel()
	rows := users("u1", "u2", "u3", "u4", "alice", "alice", "u5", "jane.roe", "10.0.0.9")
	for i := range rows {
		rows[i].Device = rows[i].User
	}
	match := session.Match{Users: []string{"ALICE", "jane.roo", "u"}, Devices: []string{"alice", "db-01"}}
	asked := limited(3, session.FieldDevices)
	asked.ask(match)
	got := asked.read(rows...)
	if asked.users.one("alice") || !asked.users.one("u") {
		t.Error("rows that were not kept are still compared with a value that was seen")
	}
	if diff := cmp.Diff([]Unseen(nil), got.coverage(match, session.Match{}).Unseen); diff != "" {
		t.Errorf("a value is seen, and the similar one was not kept (-want +got):\n%s", diff)
	}
	unseen := session.Match{Users: []string{"jane.roo", "u"}}
	want := []Unseen{{Argument: "match.users", Value: "jane.roo"}, {Argument: "match.users", Value: "u"}}
	if diff := cmp.Diff(want, got.coverage(unseen, session.Match{}).Unseen); diff != "" {
		t.Errorf("no value is seen (-want +got):\n%s", diff)
	}
	later := session.Match{Devices: []string{"mail-07"}}
	if got := got.coverage(later, session.Match{}).Unseen; len(got) > 0 {
		t.Errorf("a device that was not asked about before is called unseen: %+v", got)
	}
	// The only device by address follows after the bound.
	later = session.Match{Devices: []string{"db-01"}}
	want = []Unseen{{Argument: "match.devices", Value: "db-01"}}
	if diff := cmp.Diff(want, got.coverage(later, session.Match{}).Unseen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCoverageOfLongTexts(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", longestText+1)
	match := session.Match{Users: []string{long}}
	c := newCensus(session.FieldUsers)
	c.ask(match)
	got := c.read(users(strings.ToUpper(long), "alice")...)
	if unseen := got.coverage(match, session.Match{}).Unseen; len(unseen) > 0 {
		t.Errorf("a long value that was carried is unseen: %+v", unseen)
	}
	if kept := len(c.users.known.texts); kept != 1 {
		t.Errorf("%d texts are kept, want the short one", kept)
	}
}

// TestCoverageIsThatOfEveryRow compares a census with what a match of one value says
// to every row.
func TestCoverageIsThatOfEveryRow(t *testing.T) {
	t.Parallel()
	texts := map[string][]string{
		session.FieldSessionIDs: {"aa", "AA", "bb", "cc", ""},
		session.FieldUsers:      {"alice", "ALICE", " alice ", `CORP\alice`, "alice@corp", "alicia", "bob", "", "u1", "u2", "u3"},
		session.FieldDevices: {
			"db-01", "DB-01:22", "db-01.example.com:22", "db-01:3389", "10.0.0.9", "10.0.0.9:22", "::ffff:10.0.0.9", "[2001:db8::1]:22",
			"2001:db8::1:22", "db-01 (10.0.0.9)", "", "mail", "mail-7:25",
		},
		session.FieldProxies:   {"Web Proxy", "web proxy", "RDP Proxy", "Web Prxy"},
		session.FieldOriginIPs: {"10.0.0.9", "10.0.0.0/8", "10.0.0.8", "2001:db8::1", "2001:db8::/32", "laptop", "", "::ffff:10.0.0.9"},
	}
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 7))
		pick := func(field string) string { return texts[field][rng.IntN(len(texts[field]))] }
		rows := make([]session.Session, rng.IntN(12))
		for i := range rows {
			rows[i] = session.Session{
				ID: pick(session.FieldSessionIDs), User: pick(session.FieldUsers), Device: pick(session.FieldDevices),
				Proxy: pick(session.FieldProxies), OriginIP: pick(session.FieldOriginIPs),
			}
		}
		some := func(field string) []string {
			var values []string
			for range rng.IntN(4) {
				if value := pick(field); session.ValidateMatchValue(field, value) == nil {
					values = append(values, value)
				}
			}
			return values
		}
		draw := func() session.Match {
			return session.Match{
				SessionIDs: some(session.FieldSessionIDs), Users: some(session.FieldUsers), Devices: some(session.FieldDevices),
				Proxies: some(session.FieldProxies), OriginIPs: some(session.FieldOriginIPs),
			}
		}
		match, exclude, other := draw(), draw(), draw()
		limit := rng.IntN(4)

		whole := newCensus()
		whole.ask(match, exclude)
		whole.ask(other, match)
		bounded := limited(limit, session.FieldUsers, session.FieldDevices)
		bounded.ask(match, exclude)
		later := limited(limit, allFields...)

		want := unseenByRow(rows, match)
		if got := allUnseen(whole.read(rows...), match); !slices.Equal(got, want) {
			t.Errorf("seed %d: unseen %q, want %q", seed, got, want)
		}
		if got := allUnseen(bounded.read(rows...), match); !slices.Equal(got, want) {
			t.Errorf("seed %d: unseen %q of a census of %d values, want %q", seed, got, limit, want)
		}
		sightings := later.read(rows...)
		for _, value := range allUnseen(sightings, match) {
			if !slices.Contains(want, value) {
				t.Errorf("seed %d: %s is called unseen by a census of %d values, and is seen", seed, value, limit)
			}
		}
		for _, a := range append(bounded.arguments(), later.arguments()...) {
			if len(a.known.texts) > limit {
				t.Errorf("seed %d: %d values of %s are kept, more than %d", seed, len(a.known.texts), a.field, limit)
			}
		}
	}
}

// allUnseen gives what is unseen of a match, reported or not.
func allUnseen(s *seenValues, match session.Match) []string {
	var unseen []string
	for _, a := range s.arguments {
		for _, u := range a.unseen("", match.Values(a.field)) {
			unseen = append(unseen, u.Argument+"="+u.Value)
		}
	}
	return unseen
}

// unseenByRow gives the same by asking a matcher of each value about each row.
func unseenByRow(rows []session.Session, match session.Match) []string {
	var unseen []string
	one := map[string]func(string) session.Match{
		session.FieldSessionIDs: func(v string) session.Match { return session.Match{SessionIDs: []string{v}} },
		session.FieldUsers:      func(v string) session.Match { return session.Match{Users: []string{v}} },
		session.FieldDevices:    func(v string) session.Match { return session.Match{Devices: []string{v}} },
		session.FieldProxies:    func(v string) session.Match { return session.Match{Proxies: []string{v}} },
		session.FieldOriginIPs:  func(v string) session.Match { return session.Match{OriginIPs: []string{v}} },
	}
	for _, field := range allFields {
		for _, value := range match.Values(field) {
			matcher, err := one[field](value).Compile()
			if err != nil {
				continue
			}
			carried := func(row session.Session) bool { return matcher.Match(row, time.Time{}) == session.Yes }
			if !slices.ContainsFunc(rows, carried) {
				unseen = append(unseen, field+"="+value)
			}
		}
	}
	return unseen
}

// A list may hold a million users of any length.
func TestCensusMemoryIsBounded(t *testing.T) {
	match := session.Match{Users: []string{"nobody"}, Devices: []string{"nothing"}}
	c := newCensus(allFields...)
	c.ask(match)
	c.restart()
	before := heap()
	long := strings.Repeat("x", 2_000)
	for i := range 4 * maxKnown {
		text := fmt.Sprint(i, long[:i%2*len(long)])
		c.take(&session.Session{ID: text, User: text, Credential: text, Device: text, Protocol: text, Proxy: text, OriginIP: text})
	}
	const most = 6 * maxKnown * 150 // six arguments, short texts and their places in a map
	if used := heap() - before; used > most {
		t.Errorf("a census of endless texts takes %d kB, more than %d kB", used>>10, most>>10)
	}
	runtime.KeepAlive(c)
	want := []Unseen{{Argument: "match.users", Value: "nobody"}, {Argument: "match.devices", Value: "nothing"}}
	if diff := cmp.Diff(want, c.complete().coverage(match, session.Match{}).Unseen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// The text of a row is part of a page, which must not stay in memory.
func TestCensusKeepsNoTextOfARow(t *testing.T) {
	t.Parallel()
	page := strings.Clone("alice and the rest of a page")
	c := newCensus(session.FieldUsers)
	c.restart()
	c.take(&session.Session{User: page[:5]})
	kept := 0
	for text := range c.users.known.all() {
		kept++
		if text != "alice" || unsafe.StringData(text) == unsafe.StringData(page) {
			t.Errorf("kept %q, a part of the page: %v", text, unsafe.StringData(text) == unsafe.StringData(page))
		}
	}
	if kept != 1 {
		t.Errorf("%d texts are kept, want 1", kept)
	}
}

func TestCensusDoesNotAllocateForKnownValues(t *testing.T) {
	row := session.Session{
		ID: "aa", User: "alice", Credential: `CORP\root`, Device: "db-01.example.com:22", Protocol: "ssh", Proxy: "Web Proxy", OriginIP: "10.0.0.9",
	}
	match := session.Match{SessionIDs: []string{"bb"}, Users: []string{"bob"}, Devices: []string{"web"}}
	for name, c := range map[string]*census{
		"kept": newCensus(allFields...), "asked": newCensus(), "above the bound": limited(0, allFields...),
	} {
		c.ask(match)
		c.restart()
		c.take(&row)
		if got := testing.AllocsPerRun(100, func() { c.take(&row) }); got != 0 {
			t.Errorf("%s: %v allocations a row", name, got)
		}
	}
}

// Once every value is seen there is nothing left to find out.
func TestCensusForgetsWhatItNeedsNoMore(t *testing.T) {
	t.Parallel()
	c := newCensus()
	c.ask(session.Match{Devices: []string{"db-01"}})
	c.restart()
	for _, row := range devices("web-1", "web-2", "db-01:22", "web-3") {
		c.take(&row)
	}
	if !c.devices.idle || len(c.devices.known.texts) > 0 {
		t.Errorf("idle = %v, %d devices are kept", c.devices.idle, len(c.devices.known.texts))
	}
}

// FuzzCoverage: whether a value is unseen is what a match of it says to every row,
// whatever the texts are, in whatever order, and however few are kept.
func FuzzCoverage(f *testing.F) {
	f.Add("alice", "ALICE", `CORP\alice`, "bob", uint8(2))
	f.Add("db-01", "db-01.example.com:22", "DB-01:22", "", uint8(0))
	f.Add("10.0.0.0/8", "10.0.0.9", "::ffff:10.0.0.9", "laptop", uint8(1))
	f.Add("\u212A", "k", "\xff", " k ", uint8(3))
	f.Fuzz(func(t *testing.T, value, a, b, c string, limit uint8) {
		rows := make([]session.Session, 0, 6)
		for _, text := range []string{a, b, c, c, b, a} {
			rows = append(rows, session.Session{ID: text, User: text, Device: text, Proxy: text, OriginIP: text})
		}
		match := session.Match{
			SessionIDs: []string{value}, Users: []string{value, a}, Devices: []string{value}, Proxies: []string{value}, OriginIPs: []string{value},
		}
		want := unseenByRow(rows, match)
		asked := limited(int(limit % 4))
		asked.ask(match)
		if got := allUnseen(asked.read(rows...), match); !slices.Equal(got, want) {
			t.Errorf("unseen %q, want %q", got, want)
		}
		later := newCensus(allFields...)
		want = slices.DeleteFunc(want, func(v string) bool { return strings.HasPrefix(v, session.FieldSessionIDs) })
		if got := allUnseen(later.read(rows...), match); len(a)+len(b)+len(c) <= longestText && !slices.Equal(got, want) {
			t.Errorf("asked after the read: unseen %q, want %q", got, want)
		}
	})
}
