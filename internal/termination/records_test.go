package termination_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// The list that ends the grace shows that a session goes on in an excluded record.
// Nothing may be terminated, whatever the end of its other record.
func TestExcludedThroughAnotherRecordAfterGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const grace = 10 * time.Second
		p := &fakeAPI{sessions: []session.Session{ended(9), visitor(1), visitor(3)}}
		time.AfterFunc(grace-time.Millisecond, func() { p.end("hash-1"); p.add(another(protected(1))) })
		report, err := plan{server: p, allowed: time.Hour, request: termination.DrainRequest{Grace: grace}}.run(t)
		checkDrainFailure(t, err, termination.Excluded, nil)
		checkReport(t, report, "hash-1 excluded, hash-3 not_attempted")
		if n := p.count("drop"); n != 0 {
			t.Errorf("%d requests: %q", n, p.journal())
		}
	})
}

func TestUnsettledIsExcludedInAnotherRecord(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string][]session.Session{
		"its record has ended": {ended(1), another(protected(1)), visitor(3)},
		"its record is purged": {ended(9), another(protected(1)), visitor(3)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: rows}
				report, err := plan{server: p, allowed: time.Hour, request: termination.DrainRequest{Unsettled: []session.Session{visitor(1)}}}.run(t)
				checkDrainFailure(t, err, termination.Excluded, nil)
				checkReport(t, report, "hash-1 excluded, hash-3 not_attempted")
				if n := p.count("drop"); n != 0 {
					t.Errorf("%d requests: %q", n, p.journal())
				}
			})
		})
	}
}

// A list shows the end of another record alone, and the record that was live can't
// be read: that end is not the session's.
func TestEndOfAnotherRecordAfterAFailedCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: []session.Session{live(1)}}
		p.drops = append(p.drops, func(string) error { return nil })
		down := func(string) error { return session.ErrTransient }
		p.gets = append(p.gets, func(string) error {
			p.sessions = []session.Session{another(ended(1))} // hidden, and live
			return session.ErrTransient
		}, down)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		result, err := termination.New(p, termination.Options{Retries: 2}).Terminate(ctx, termination.Request{SessionID: "hash-1", Confirm: true, PollInterval: time.Second})
		if err == nil {
			t.Errorf("%s, with the record %v: the record that was live was never read as ended: %q", result.Outcome, result.Session, p.journal())
		}
	})
}

// A remembered session that the list does not show, and that exclude matches, is live in its
// own record.
func TestUnsettledExcludedHidden(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: []session.Session{ended(9), protected(2)}, unlisted: "hash-2"}
		_, err := plan{server: p, allowed: time.Hour, request: termination.DrainRequest{Unsettled: []session.Session{protected(2)}}}.run(t)
		checkDrainFailure(t, err, termination.Excluded, nil)
	})
}

// An excluded record that a list shows no more has not ended; another record of the
// session, which is not excluded, does not make it a target.
func TestExcludedRecordHidden(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: []session.Session{visitor(1), protected(2)}}
		p.drops = append(p.drops, func(id string) error {
			p.end(id)
			if id == "hash-1" {
				p.hide("hash-2")
				p.add(another(visitor(2)))
			}
			return nil
		})
		_, err := plan{server: p, allowed: time.Hour, request: termination.DrainRequest{LeaveExcluded: true}}.run(t)
		if n := p.count("drop hash-2"); n != 0 {
			t.Errorf("the excluded session was terminated: %q, %v", p.journal(), err)
		}
	})
}
