package termination_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// question is the request of a drain of a match.
func question(t *testing.T, match session.Match, on termination.OnUnseen) termination.DrainRequest {
	t.Helper()
	selector, err := session.NewSelector(match, session.Match{})
	if err != nil {
		t.Fatal(err)
	}
	return termination.DrainRequest{Selector: selector, OnUnseen: on, PollInterval: time.Second}
}

func unseenValues(c *termination.Coverage) string {
	if c == nil {
		return "no coverage"
	}
	var texts []string
	for _, u := range c.Unseen {
		texts = append(texts, u.Argument+" "+u.Value+" ("+strings.Join(u.Similar, ", ")+")")
	}
	return strings.Join(texts, "; ")
}

func TestDrainOfUnseenValues(t *testing.T) {
	t.Parallel()
	seen, misspelled := session.Match{Users: []string{"jane.roe"}}, session.Match{Users: []string{"jane.roe", "jane.rooe"}}
	purged := session.Match{SessionIDs: []string{"hash-9"}}
	for _, test := range []struct {
		name  string
		rows  []session.Session
		match session.Match
		on    termination.OnUnseen
		limit *int

		// unseen is what the report shows; kind is that of the guard that stopped the
		// drain.
		unseen string
		kind   termination.Kind
	}{
		{name: "seen", rows: lives(1), match: seen, on: termination.UnseenHalt},
		{name: "only an ended session carries it", rows: []session.Session{ended(1)}, match: seen, on: termination.UnseenHalt},
		{name: "misspelled", rows: lives(1), match: misspelled, unseen: "match.users jane.rooe (jane.roe)"},
		{
			name: "misspelled, halt", rows: lives(1), match: misspelled, on: termination.UnseenHalt,
			unseen: "match.users jane.rooe (jane.roe)", kind: termination.NotCovered,
		},
		{
			name: "before the limit", rows: lives(1), match: misspelled, on: termination.UnseenHalt, limit: new(0),
			unseen: "match.users jane.rooe (jane.roe)", kind: termination.NotCovered,
		},
		{name: "the limit", rows: lives(1), match: misspelled, limit: new(0), unseen: "match.users jane.rooe (jane.roe)", kind: termination.TooMany},
		{name: "purged", rows: lives(1), match: purged, on: termination.UnseenHalt, unseen: "match.session_ids hash-9 ()"},
		{name: "nothing listed", match: seen, kind: termination.NotCovered},
		{name: "nothing listed, ignored", match: seen, on: termination.UnseenIgnore},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: test.rows}
				request := question(t, test.match, test.on)
				request.Limit = test.limit
				report, err := termination.New(p, termination.Options{}).Drain(t.Context(), request)
				checkDrainFailure(t, err, test.kind, nil)
				if got := unseenValues(report.Coverage); got != test.unseen {
					t.Errorf("unseen: %s, want %s", got, test.unseen)
				}
				var failure *termination.DrainError
				if errors.As(err, &failure) {
					if failure.Ran() {
						t.Error("a guard is no run that may be passed")
					}
					if got := p.journal(); len(got) != 1 {
						t.Errorf("calls %q, want the list alone", got)
					}
				}
			})
		})
	}
}

// A list that broke off shows nothing of unseen values.
func TestDrainCoverageNeedsACompleteList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: lives(1), breakOff: 1, lists: []func() error{func() error { return session.ErrPermission }}}
		report, err := termination.New(p, termination.Options{}).Drain(t.Context(), question(t, session.Match{Users: []string{"jane.rooe"}}, termination.UnseenHalt))
		checkDrainFailure(t, err, termination.NotAttempted, session.ErrPermission)
		if report.Coverage != nil {
			t.Errorf("coverage %v", report.Coverage)
		}
	})
}

// Previews also answer for values that were not asked about before the list was read.
func TestPreviewOfUnseenValues(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: append(lives(1), unrelated()...)}
		terminator := termination.New(p, termination.Options{})
		for _, test := range []struct {
			match  session.Match
			unseen string
			kind   termination.Kind
		}{
			{match: session.Match{Users: []string{"jane.roe"}}},
			{match: session.Match{Users: []string{"somebody.else"}}},
			{match: session.Match{Users: []string{"jane.rooe"}}, unseen: "match.users jane.rooe (jane.roe)", kind: termination.NotCovered},
			{match: session.Match{Protocols: []string{"ssh"}}, unseen: "match.protocols ssh ()", kind: termination.NotCovered},
		} {
			request := question(t, test.match, termination.UnseenHalt)
			report, _, err := terminator.Preview(t.Context(), request)
			checkDrainFailure(t, err, test.kind, nil)
			if got := unseenValues(report.Coverage); got != test.unseen {
				t.Errorf("unseen: %s, want %s", got, test.unseen)
			}
			coverage, err := terminator.Coverage(t.Context(), request.Selector)
			if got := unseenValues(&coverage); got != test.unseen || err != nil {
				t.Errorf("unseen: %s, want %s; error %v", got, test.unseen, err)
			}
		}
		if got := p.count("list"); got != 1 {
			t.Errorf("%d lists, want 1", got)
		}
	})
}
