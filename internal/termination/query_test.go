package termination_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// of gives a record of a user's session.
func of(user string, s session.Session) session.Session {
	s.User = user
	return s
}

// A session is shown once, by the record that counts, and no record of another
// session or state hides it.
func TestQuery(t *testing.T) {
	t.Parallel()
	const jane, john, nobody = "jane.roe", "john.doe", ""
	for _, test := range []struct {
		name string
		rows []session.Session
		// want are "record id" and, in parentheses, those that may match, by state.
		live, ended, all string
	}{
		{"one of each", []session.Session{live(1), ended(2), of(john, live(3)), of(nobody, live(4))}, "1 (4)", "2", "1 2 (4)"},
		{"the same record again and again", []session.Session{live(1), live(1), ended(2), ended(2)}, "1", "2", "1 2"},
		{"two live records", []session.Session{record(1, "7"), record(1, "8")}, "7", "", "7"},
		{"two records with an end", []session.Session{ended(2), of(jane, endedRecord(2, "7"))}, "", "2", "2"},
		{"ended, and live in another record", []session.Session{ended(1), record(1, "7")}, "7", "", "7"},
		{"live, and ended in another record", []session.Session{record(1, "7"), ended(1)}, "7", "", "7"},
		{"ended, and live as another's", []session.Session{ended(1), of(john, record(1, "7"))}, "", "", ""},
		{"live as another's, and live", []session.Session{of(john, live(1)), record(1, "7")}, "7", "", "7"},
		{"live as unknown user's, and live", []session.Session{of(nobody, live(1)), record(1, "7")}, "7", "", "7"},
		{"live, and live as unknown user's", []session.Session{record(1, "7"), of(nobody, live(1))}, "7", "", "7"},
		{"ended, and live as unknown user's", []session.Session{ended(1), of(nobody, record(1, "7"))}, " (7)", "", " (7)"},
		{"ended as unknown user's, and ended", []session.Session{of(nobody, ended(1)), endedRecord(1, "8")}, "", "8", "8"},
		{"without a session id", []session.Session{withoutID(live(1)), withoutID(live(1)), withoutID(live(2)), withoutID(ended(2))}, "1 2", "2", "1 2 2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for state, want := range map[termination.State]string{
				termination.StateLive: test.live, termination.StateEnded: test.ended, termination.StateAll: test.all,
			} {
				p := &fakeAPI{sessions: test.rows}
				answer, err := termination.New(p, termination.Options{}).Query(t.Context(), termination.Question{Selector: janes(t), State: state, Now: time.Now()})
				if err != nil {
					t.Fatal(err)
				}
				got := ""
				for i, s := range answer.Sessions {
					if i > 0 {
						got += " "
					}
					got += s.RecordID
				}
				for _, s := range answer.Unknown {
					got += fmt.Sprintf(" (%s)", s.RecordID)
				}
				if got != want {
					t.Errorf("%s: %q, want %q", state, got, want)
				}
			}
		})
	}
}

func withoutID(s session.Session) session.Session {
	s.ID = ""
	return s
}

// janes selects the sessions of one user.
func janes(t *testing.T) *session.Selector {
	t.Helper()
	s, err := session.NewSelector(session.Match{Users: []string{"jane.roe"}}, session.Match{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// endedRecord gives an ended session in another record.
func endedRecord(n int, id string) session.Session {
	s := ended(n)
	s.RecordID = id
	return s
}

// Ages are judged at the moment of the question, however long the list takes.
func TestQueryKeepsItsMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		old, young := live(1), live(2)
		old.StartedAt, young.StartedAt = time.Now().Add(-time.Hour), time.Now().Add(-50*time.Minute)
		p := &fakeAPI{sessions: []session.Session{old, young}, listTime: 20 * time.Minute}
		older, err := session.NewSelector(session.Match{OlderThan: time.Hour}, session.Match{})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := termination.New(p, termination.Options{Zone: time.UTC}).Query(t.Context(), termination.Question{Selector: older, State: termination.StateLive, Now: time.Now()})
		if err != nil || len(answer.Sessions) != 1 || answer.Sessions[0].ID != "hash-1" {
			t.Errorf("got %+v, %v, want hash-1 alone", answer, err)
		}
	})
}

func TestQueryWithoutID(t *testing.T) {
	t.Parallel()
	p := &fakeAPI{sessions: []session.Session{withoutID(live(1)), live(2)}}
	answer, err := termination.New(p, termination.Options{}).Query(t.Context(), termination.Question{Selector: janes(t), State: termination.StateLive, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if got := answer.WithoutID(); len(got) != 1 || got[0].RecordID != "1" || len(answer.Sessions) != 2 {
		t.Errorf("without an id: %+v of %+v", got, answer.Sessions)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	p := &fakeAPI{sessions: []session.Session{ended(1), record(1, "7"), ended(2)}}
	terminator := termination.New(p, termination.Options{})
	for id, want := range map[string]string{"hash-1": "7", "hash-2": "2"} {
		if got, err := terminator.Find(t.Context(), id); err != nil || got.RecordID != want {
			t.Errorf("%s: got record %q, %v, want %q", id, got.RecordID, err, want)
		}
	}
	if got, err := terminator.FindRecord(t.Context(), "1"); err != nil || got.ID != "hash-1" || got.Live() {
		t.Errorf("record 1: got %+v, %v", got, err)
	}
	if got := p.journal(); !slices.Equal(got, []string{"list", "list", "get 1"}) {
		t.Errorf("calls %q", got)
	}
}

// Sessions that started at the same time are in the order of their record IDs, which are
// numbers of any length; those without one come last.
func TestQueryOrdersByRecordID(t *testing.T) {
	t.Parallel()
	var rows []session.Session
	start := live(1).StartedAt
	for n, id := range []string{"", "100", "9", "010", "99"} {
		s := live(n + 1)
		s.RecordID, s.StartedAt = id, start
		rows = append(rows, s)
	}
	answer, err := termination.New(&fakeAPI{sessions: rows}, termination.Options{}).Query(t.Context(),
		termination.Question{Selector: janes(t), State: termination.StateLive, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range answer.Sessions {
		got = append(got, s.RecordID)
	}
	if want := []string{"9", "010", "99", "100", ""}; !slices.Equal(got, want) {
		t.Errorf("order %q, want %q", got, want)
	}
}
