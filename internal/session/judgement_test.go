package session

import (
	"slices"
	"testing"
	"time"
)

func mustSelect(tb testing.TB, match, exclude Match) *Selector {
	tb.Helper()
	selector, err := NewSelector(match, exclude)
	if err != nil {
		tb.Fatalf("NewSelector: %v", err)
	}
	return selector
}

// unknownOf gives the criteria that leave it open whether a session matches.
func unknownOf(selector *Selector, s Session) []string {
	var names []string
	for _, unknown := range selector.UnknownCriteria(s, moment) {
		names = append(names, unknown.Criterion)
	}
	return names
}

func TestJudge(t *testing.T) {
	t.Parallel()
	// The verdict of match is set by the user, that of exclude by the origin.
	users := map[Verdict]string{Yes: "alice", Undecided: "", No: "bob"}
	origins := map[Verdict]string{Yes: "10.0.0.9", Undecided: "", No: "10.0.0.8"}
	selector := mustSelect(t, Match{Users: []string{"alice"}}, Match{OriginIPs: []string{"10.0.0.9"}})
	for _, test := range []struct {
		match, exclude Verdict
		want           Judgement
		verdict        Verdict
	}{
		{Yes, No, Judgement{Yes, No}, Yes},
		{Yes, Yes, Judgement{Yes, Yes}, No},
		{Undecided, Yes, Judgement{Undecided, Yes}, No},
		{Yes, Undecided, Judgement{Yes, Undecided}, Undecided},
		{Undecided, No, Judgement{Undecided, No}, Undecided},
		{Undecided, Undecided, Judgement{Undecided, Undecided}, Undecided},
		{No, No, Judgement{No, No}, No},
		{No, Undecided, Judgement{No, No}, No},
		{No, Yes, Judgement{No, No}, No},
	} {
		subject := Session{User: users[test.match], OriginIP: origins[test.exclude]}
		got := selector.Judge(subject, moment)
		if got != test.want {
			t.Errorf("match %v, exclude %v: Judge = %v, want %v", test.match, test.exclude, got, test.want)
		}
		if got.Verdict() != test.verdict || selector.Select(subject, moment) != test.verdict {
			t.Errorf("match %v, exclude %v: Verdict() = %v, Select = %v, want %v",
				test.match, test.exclude, got.Verdict(), selector.Select(subject, moment), test.verdict)
		}
	}
}

func TestJudgeWithoutExclude(t *testing.T) {
	t.Parallel()
	selector := mustSelect(t, Match{Users: []string{"alice"}}, Match{})
	for user, want := range map[string]Judgement{"alice": {Yes, No}, "": {Undecided, No}, "bob": {No, No}} {
		if got := selector.Judge(Session{User: user}, moment); got != want {
			t.Errorf("user %q: Judge = %v, want %v", user, got, want)
		}
	}
}

// An exclude that one criterion answers with no leaves nothing open, whatever
// its other criteria cannot tell.
func TestUnknownNamesOnlyWhatIsOpen(t *testing.T) {
	t.Parallel()
	selector := mustSelect(t,
		Match{Users: []string{"alice"}, OlderThan: time.Hour},
		Match{Users: []string{"root"}, OriginIPs: []string{"10.0.0.9"}})
	want := []string{"match.older_than"}
	if got := unknownOf(selector, Session{User: "alice"}); !slices.Equal(got, want) {
		t.Errorf("unknown: %q, want %q", got, want)
	}
}

func TestUnknownCriteria(t *testing.T) {
	t.Parallel()
	selector := mustSelect(t,
		Match{
			Users:     []string{"alice", `CORP\bob`, "bob@corp.example.com", "carol"},
			Devices:   []string{"db-01.example.com:22", "db-01.other.com", "db-02", "10.0.0.9:22"},
			OlderThan: time.Hour,
		},
		Match{Credentials: []string{`CORP\root`}, OriginIPs: []string{"192.0.2.1"}})
	certain := Session{User: "alice", Device: "db-02:22", Credential: "app", OriginIP: "10.1.1.1", StartedAt: moment.Add(-2 * time.Hour)}
	for name, test := range map[string]struct {
		change func(*Session)
		want   []UnknownCriterion
	}{
		"certain":   {func(*Session) {}, nil},
		"not meant": {func(s *Session) { s.User, s.Device = "dave", "db-01:22" }, nil},
		"host in another form": {
			func(s *Session) { s.Device = "DB-02.example.com:22" },
			[]UnknownCriterion{{Criterion: "match.devices", Value: "db-02", Shown: "DB-02.example.com:22"}},
		},
		"host in the form of two values": {
			func(s *Session) { s.Device = "db-01:22" },
			[]UnknownCriterion{
				{Criterion: "match.devices", Value: "db-01.example.com:22", Shown: "db-01:22"},
				{Criterion: "match.devices", Value: "db-01.other.com", Shown: "db-01:22"},
			},
		},
		"host in the form of a value with this port": {
			func(s *Session) { s.Device = "db-01:3389" },
			[]UnknownCriterion{{Criterion: "match.devices", Value: "db-01.other.com", Shown: "db-01:3389"}},
		},
		"account in another form": {
			func(s *Session) { s.User = ` EVIL\Alice ` },
			[]UnknownCriterion{{Criterion: "match.users", Value: "alice", Shown: `EVIL\Alice`}},
		},
		"account in the form of one of two values": {
			func(s *Session) { s.User = `OTHER\bob` },
			[]UnknownCriterion{{Criterion: "match.users", Value: "bob@corp.example.com", Shown: `OTHER\bob`}},
		},
		"port not shown": {
			func(s *Session) { s.Device = "10.0.0.9" },
			[]UnknownCriterion{{Criterion: "match.devices", Shown: "10.0.0.9"}},
		},
		"name among other words": {
			func(s *Session) { s.Device = "db-02 (10.0.0.8)" },
			[]UnknownCriterion{{Criterion: "match.devices", Shown: "db-02 (10.0.0.8)"}},
		},
		"user not shown, start not shown": {
			func(s *Session) { s.User, s.StartedAt = "", time.Time{} },
			[]UnknownCriterion{{Criterion: "match.users"}, {Criterion: "match.older_than"}},
		},
		"start too far in the future": {
			func(s *Session) { s.StartedAt = moment.Add(3 * time.Hour) },
			[]UnknownCriterion{{Criterion: "match.older_than"}},
		},
		"exclude in another form": {
			func(s *Session) { s.Credential, s.OriginIP = "root", "192.0.2.1" },
			[]UnknownCriterion{{Criterion: "exclude.credentials", Value: `CORP\root`, Shown: "root"}},
		},
		"both in another form": {
			func(s *Session) { s.User, s.Credential, s.OriginIP = `CORP\carol`, "root", "192.0.2.1" },
			[]UnknownCriterion{
				{Criterion: "match.users", Value: "carol", Shown: `CORP\carol`},
				{Criterion: "exclude.credentials", Value: `CORP\root`, Shown: "root"},
			},
		},
		"match in another form, excluded for certain": {
			func(s *Session) { s.User, s.Credential, s.OriginIP = `CORP\carol`, `CORP\root`, "192.0.2.1" },
			[]UnknownCriterion{{Criterion: "match.users", Value: "carol", Shown: `CORP\carol`}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			subject := certain
			test.change(&subject)
			if got := selector.UnknownCriteria(subject, moment); !slices.Equal(got, test.want) {
				t.Errorf("UnknownCriteria = %q, want %q", got, test.want)
			}
		})
	}
}

func TestUnknownCriteriaNamesAtMostThreeValues(t *testing.T) {
	t.Parallel()
	selector := mustSelect(t, Match{Users: []string{`D\al`, `B\al`, `C\al`, `A\al`}}, Match{})
	want := []UnknownCriterion{
		{Criterion: "match.users", Value: `D\al`, Shown: "al"},
		{Criterion: "match.users", Value: `B\al`, Shown: "al"},
		{Criterion: "match.users", Value: `C\al`, Shown: "al"},
	}
	if got := selector.UnknownCriteria(Session{User: "al"}, moment); !slices.Equal(got, want) {
		t.Errorf("UnknownCriteria = %q, want %q", got, want)
	}
}

// An id names one session. With other arguments of an exclude, it excludes that session
// as well, and takes nothing from what the others exclude.
func TestExcludedByIDBesideOthers(t *testing.T) {
	t.Parallel()
	selector, err := NewSelector(
		Match{Devices: []string{"db-01"}},
		Match{SessionIDs: []string{"by-id"}, Users: []string{"breakglass"}, Protocols: []string{"ssh"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		session Session
		want    Verdict
	}{
		"its id":                             {Session{ID: "by-id", User: "alice", Device: "db-01", Protocol: "rdp"}, Yes},
		"its id, and nothing else is shown":  {Session{ID: "by-id", Device: "db-01"}, Yes},
		"every other argument":               {Session{ID: "x", User: "breakglass", Device: "db-01", Protocol: "ssh"}, Yes},
		"one of the other arguments":         {Session{ID: "x", User: "breakglass", Device: "db-01", Protocol: "rdp"}, No},
		"neither":                            {Session{ID: "x", User: "alice", Device: "db-01", Protocol: "rdp"}, No},
		"another id, and no user is shown":   {Session{ID: "x", Device: "db-01", Protocol: "ssh"}, Undecided},
		"no id, and the others do not match": {Session{User: "alice", Device: "db-01", Protocol: "rdp"}, Undecided},
		"no id, and the others match":        {Session{User: "breakglass", Device: "db-01", Protocol: "ssh"}, Yes},
	} {
		if got := selector.Judge(test.session, time.Now()).Exclude; got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
	unknown := selector.UnknownCriteria(Session{User: "alice", Device: "db-01", Protocol: "rdp"}, time.Now())
	if len(unknown) != 1 || unknown[0].Criterion != "exclude.session_ids" {
		t.Errorf("unknown criteria %v, want exclude.session_ids", unknown)
	}
}
