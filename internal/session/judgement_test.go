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
	if got := selector.Unknown(Session{User: "alice"}, moment); !slices.Equal(got, want) {
		t.Errorf("Unknown = %q, want %q", got, want)
	}
}
