package termination_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// A session that an earlier run could not settle stays remembered, whatever keeps
// this run from looking for it.
func TestUnsettledAfterARunThatReadsNothing(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]func(*fakeAPI, context.CancelFunc){
		"the first list cannot be read": func(p *fakeAPI, _ context.CancelFunc) {
			p.lists = append(p.lists, listError(session.ErrPermission))
		},
		"interrupted before the first list": func(_ *fakeAPI, cancel context.CancelFunc) { cancel() },
		"interrupted while its record is read": func(p *fakeAPI, cancel context.CancelFunc) {
			p.gets = append(p.gets, func(string) error { cancel(); return session.ErrTransient })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				p := &fakeAPI{}
				script(p, cancel)
				report, err := termination.New(p, termination.Options{}).Drain(ctx, termination.DrainRequest{
					Selector: selector(t), PollInterval: interval, Unsettled: []session.Session{visitor(1)},
				})
				if err == nil {
					t.Fatal("no error")
				}
				if left := report.Unsettled(); len(left) != 1 {
					t.Errorf("unsettled after the run: %v, want hash-1 still (report %q)", left, outcomes(report))
				}
			})
		})
	}
}

// The same for one that this run shows live, and whose request is turned away: an
// earlier run's accepted request may still take effect or its row vanish.
func TestUnsettledAfterARefusedPermission(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: lives(1), drops: []func(string) error{failWith(session.ErrPermission)}}
		report, err := plan{server: p, request: termination.DrainRequest{Unsettled: []session.Session{visitor(1)}}}.run(t)
		if err == nil {
			t.Fatal("no error")
		}
		p.hide("hash-1")
		_, err = plan{server: p, request: termination.DrainRequest{Unsettled: report.Unsettled()}}.run(t)
		if err == nil {
			t.Error("the session of which no run ever read an end is settled")
		}
	})
}

// Of several records a live one counts: a request that senhasegura accepted is no
// refusal, so an older end says nothing.
func TestUnsettledEndAndANewLiveRecord(t *testing.T) {
	t.Parallel()
	for name, drop := range map[string]func(string) error{"accepted": acceptOnly, "lost": lose} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: []session.Session{live(1), ended(2)}}
				terminator := termination.New(p, termination.Options{Retries: 1})
				if _, err := terminator.Find(t.Context(), "hash-1"); err != nil {
					t.Fatal(err)
				}
				p.add(another(live(2)))
				p.drops = []func(string) error{drop}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				result, err := terminator.Terminate(ctx, termination.Request{SessionID: "hash-2", Confirm: true, PollInterval: interval})
				if err == nil {
					t.Errorf("reported %q, and a record of it is live; calls %q", result.Outcome, p.journal())
				}
			})
		})
	}
}

// Sessions that match for sure and cannot be terminated are live matches, too.
func TestLimitCountsSessionsWithoutID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rows := lives(1, 2, 3)
		rows[1].ID, rows[2].ID = "", ""
		p := &fakeAPI{sessions: rows}
		_, err := plan{server: p, request: termination.DrainRequest{Limit: new(2)}}.run(t)
		var failure *termination.DrainError
		if !errors.As(err, &failure) || failure.Kind != termination.TooMany || failure.Ran() || p.count("drop") > 0 {
			t.Errorf("%v, calls %q; 3 sessions match and are live, 2 may: want too many, and no request", err, p.journal())
		}
	})
}

// A session whose budget is spent is live and matches.
func TestLimitCountsRefusedSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: withoutRecordIDs(lives(1, 2)...)}
		p.drops = append(p.drops, func(id string) error {
			if id == "hash-1" {
				return session.ErrRejected
			}
			if id == "hash-2" {
				p.end(id)
				p.add(withoutRecordIDs(lives(3, 4)...)...)
				return nil
			}
			p.end(id)
			return nil
		})
		report, err := plan{server: p, request: termination.DrainRequest{Limit: new(2)}}.run(t)
		if p.count("drop hash-3")+p.count("drop hash-4") > 0 {
			t.Errorf("%v: 3 live sessions match (report %q), 2 may; calls %q", err, outcomes(report), p.journal())
		}
	})
}

// A new record of a known session restarts the quiet period, even if it has ended
// again: a user was connected.
func TestQuietPeriodAndANewRecordOfAKnownSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: lives(1)}
		start := time.Now()
		time.AfterFunc(50*time.Second, func() {
			again := another(visitor(1))
			again.StartedAt = time.Now().UTC()
			p.add(again)
			time.AfterFunc(5*time.Second, func() { p.end("hash-1") })
		})
		_, err := plan{server: p, allowed: time.Hour, request: termination.DrainRequest{Quiet: time.Minute}}.run(t)
		if took := time.Since(start); err != nil || took < 110*time.Second {
			t.Errorf("%v after %v: somebody was connected 55 s after the beginning, and a minute was to pass; calls %q", err, took, p.journal())
		}
	})
}

// An accepted request is reported, also of a session that is excluded later.
func TestAcceptedThenExcludedIsReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := visitor(1)
		s.StartedAt = time.Now().Add(-time.Hour + 10*time.Second)
		p := &fakeAPI{sessions: []session.Session{s}, drops: []func(string) error{acceptOnly}}
		aged, err := session.NewSelector(session.Match{SessionIDs: []string{"hash-1"}}, session.Match{OlderThan: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		report, err := plan{server: p, selector: aged}.run(t)
		if p.count("drop") == 0 {
			t.Fatal("nothing was requested")
		}
		if len(report.Requested()) == 0 {
			t.Errorf("%v: report %q tells no request; calls %q", err, outcomes(report), p.journal())
		}
	})
}

// Terminating a session ends all its records, so an excluded record protects the
// session.
func TestExcludedRecordThatDoesNotMatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: []session.Session{visitor(1), from(another(other(visitor(1))), "192.0.2.1")}}
		report, err := plan{server: p}.run(t)
		if p.count("drop") > 0 {
			t.Errorf("%v: %q; a live record of it is protected: calls %q", err, outcomes(report), p.journal())
		}
	})
}
