package termination_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// west is how a server in São Paulo differs from a provider in UTC.
const west = -3 * time.Hour

var saoPaulo = termination.ClockFinding{Deviation: west, Offset: west, Example: "America/Sao_Paulo"}

// endShifted marks a session as ended now, by a clock that is ahead.
func (p *fakeAPI) endShifted(id string, ahead time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.sessions {
		if p.sessions[i].ID == id && p.sessions[i].Live() {
			p.sessions[i].EndedAt = time.Now().UTC().Add(ahead).Truncate(time.Second)
		}
	}
}

// endsWest is the response to a request that works at once, on a server in the west;
// endsWestAfter is one that takes a while.
func (p *fakeAPI) endsWest(id string) error { p.endShifted(id, west); return nil }

func (p *fakeAPI) endsWestAfter(d time.Duration) func(string) error {
	return func(id string) error {
		time.AfterFunc(d, func() { p.endShifted(id, west) })
		return nil
	}
}

// longEnded is a session that ended at such a time before now.
func longEnded(n int, ago time.Duration) session.Session {
	s := visitor(n)
	s.StartedAt, s.EndedAt = time.Now().UTC().Add(-ago-time.Hour), time.Now().UTC().Add(-ago)
	return s
}

// startsAhead is a live session with a start in the future.
func startsAhead(ahead time.Duration) session.Session {
	s := visitor(1)
	s.StartedAt = time.Now().UTC().Add(ahead)
	return s
}

// What runs see of senhasegura's clock, which is the same question to each.
func TestClockOfARun(t *testing.T) {
	t.Parallel()
	atLeast := func(d time.Duration) termination.ClockFinding {
		return termination.ClockFinding{Deviation: d, AtLeast: true, Offset: d}
	}
	drain := func(change func(*termination.DrainRequest)) func(*testing.T, *termination.Terminator) {
		return func(t *testing.T, on *termination.Terminator) {
			t.Helper()
			request := termination.DrainRequest{Selector: selector(t), PollInterval: interval, OnUnseen: termination.UnseenIgnore}
			if change != nil {
				change(&request)
			}
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			_, err := on.Drain(ctx, request)
			var failure *termination.DrainError
			if err != nil && !errors.As(err, &failure) {
				t.Error(err)
			}
		}
	}
	terminate := func(record string) func(*testing.T, *termination.Terminator) {
		return func(t *testing.T, on *termination.Terminator) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			result, err := on.Terminate(ctx, termination.Request{SessionID: "hash-1", RecordID: record, Confirm: true, PollInterval: interval})
			if err != nil || result.Outcome != termination.Terminated && result.Outcome != termination.AlreadyEnded {
				t.Errorf("%s, %v", result.Outcome, err)
			}
		}
	}
	find := func(t *testing.T, on *termination.Terminator) {
		t.Helper()
		if _, err := on.Find(t.Context(), "hash-1"); err != nil {
			t.Error(err)
		}
	}
	type runs = []func(*testing.T, *termination.Terminator)
	for name, test := range map[string]struct {
		rows   func() []session.Session
		script func(*fakeAPI)
		runs   runs
		want   termination.ClockFinding
	}{
		"drain":                {script: func(p *fakeAPI) { p.drops = []func(string) error{p.endsWest} }, runs: runs{drain(nil)}, want: saoPaulo},
		"drain, a right clock": {runs: runs{drain(nil)}},
		"drain, ends read from a list": {
			rows:   func() []session.Session { return visitors(12) },
			script: func(p *fakeAPI) { p.drops = []func(string) error{p.endsWest} }, runs: runs{drain(nil)}, want: saoPaulo,
		},
		"drain, slow": {script: func(p *fakeAPI) { p.drops = []func(string) error{p.endsWestAfter(30 * time.Second)} }, runs: runs{drain(nil)}, want: saoPaulo},
		"drain, ended before the request": {
			script: func(p *fakeAPI) {
				p.drops = []func(string) error{func(id string) error { p.endShifted(id, west); return session.ErrRefused }}
			},
			runs: runs{drain(nil)},
		},
		"drain, the answer was lost": {
			script: func(p *fakeAPI) {
				p.drops = []func(string) error{func(id string) error { p.endShifted(id, west); return session.ErrUnknownOutcome }}
			},
			runs: runs{drain(nil)},
		},
		"drain, a session that was never read as live": {
			rows: func() []session.Session { return []session.Session{longEnded(1, 3*time.Hour)} },
			runs: runs{drain(func(r *termination.DrainRequest) { r.Unsettled = []session.Session{visitor(1)} })},
		},
		"drain, ended in the grace period": {
			script: func(p *fakeAPI) { time.AfterFunc(3*time.Second, func() { p.endShifted("hash-1", west) }) },
			runs:   runs{drain(func(r *termination.DrainRequest) { r.Grace = 20 * time.Second })},
		},
		"drain, records without an id": {
			rows:   func() []session.Session { return withoutRecordIDs(visitor(1)) },
			script: func(p *fakeAPI) { p.drops = []func(string) error{p.endsWest} }, runs: runs{drain(nil)},
		},

		"termination that reads it live first": {
			script: func(p *fakeAPI) { p.drops = []func(string) error{p.endsWestAfter(3 * time.Second), acceptOnly} }, runs: runs{terminate("")}, want: saoPaulo,
		},
		"termination by record that reads it live first": {
			script: func(p *fakeAPI) { p.drops = []func(string) error{p.endsWestAfter(3 * time.Second), acceptOnly} }, runs: runs{terminate("1")}, want: saoPaulo,
		},
		"termination of a session that was listed before": {
			script: func(p *fakeAPI) { p.drops = []func(string) error{p.endsWest} }, runs: runs{find, terminate("")}, want: saoPaulo,
		},
		// It may have ended before the request: senhasegura may accept one for a
		// session that ended hours ago.
		"termination that reads the end at once": {script: func(p *fakeAPI) { p.drops = []func(string) error{p.endsWest} }, runs: runs{terminate("")}},
		"termination of a session that had ended": {
			rows:   func() []session.Session { return []session.Session{longEnded(1, 3*time.Hour)} },
			script: func(p *fakeAPI) { p.drops = []func(string) error{acceptOnly} }, runs: runs{terminate("1")},
		},
		"termination, another record had ended": {
			rows: func() []session.Session {
				old := longEnded(1, 3*time.Hour)
				old.RecordID = "7"
				return []session.Session{visitor(1), old}
			},
			script: func(p *fakeAPI) { p.drops = []func(string) error{acceptOnly} }, runs: runs{find, terminate("7")},
		},

		"a start in the future": {
			rows: func() []session.Session { return []session.Session{startsAhead(3*time.Hour + time.Minute)} },
			runs: runs{find}, want: atLeast(3 * time.Hour),
		},
		"a start in the future, seen by a preview": {
			rows: func() []session.Session { return []session.Session{startsAhead(3*time.Hour + time.Minute)} },
			runs: runs{func(t *testing.T, on *termination.Terminator) {
				t.Helper()
				if _, _, err := on.Preview(t.Context(), termination.DrainRequest{Selector: selector(t)}); err != nil {
					t.Error(err)
				}
			}},
			want: atLeast(3 * time.Hour),
		},
		"a start 15 minutes in the future, less a second": {
			rows: func() []session.Session { return []session.Session{startsAhead(15*time.Minute - time.Second)} }, runs: runs{find},
		},
		"a list that breaks off after a start in the future": {
			rows: func() []session.Session { return []session.Session{startsAhead(3 * time.Hour)} },
			script: func(p *fakeAPI) {
				p.breakOff, p.lists = 1, []func() error{listError(session.ErrRejected)}
			},
			runs: runs{func(t *testing.T, on *termination.Terminator) {
				t.Helper()
				if _, err := on.Find(t.Context(), "hash-1"); !errors.Is(err, session.ErrRejected) {
					t.Errorf("Find: %v", err)
				}
			}},
		},

		"this machine is behind": {
			runs: runs{func(_ *testing.T, on *termination.Terminator) {
				now := time.Now()
				on.Dated(now.Add(2*time.Hour), now, now)
			}},
			want: termination.ClockFinding{Runner: 2 * time.Hour},
		},
		"this machine is behind, and so are its times": {
			script: func(p *fakeAPI) {
				p.drops = []func(string) error{func(id string) error { p.endShifted(id, 2*time.Hour); return nil }}
			},
			runs: runs{func(_ *testing.T, on *termination.Terminator) {
				now := time.Now()
				on.Dated(now.Add(2*time.Hour), now, now)
			}, drain(nil)},
			want: termination.ClockFinding{Runner: 2 * time.Hour},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: []session.Session{visitor(1)}}
				if test.rows != nil {
					p.sessions = test.rows()
				}
				if test.script != nil {
					test.script(p)
				}
				on := termination.New(p, termination.Options{Retries: 4, Concurrency: 4, ListTimeout: time.Minute})
				for _, run := range test.runs {
					run(t, on)
				}
				got, found := on.ClockWarning()
				if got != test.want || found != (test.want != termination.ClockFinding{}) {
					t.Errorf("ClockWarning() = %+v, %v, want %+v", got, found, test.want)
				}
				if again, found := on.ClockWarning(); found {
					t.Errorf("it warns again: %+v", again)
				}
			})
		})
	}
}

func visitors(n int) []session.Session {
	var all []session.Session
	for i := range n {
		all = append(all, visitor(i+1))
	}
	return all
}

// Many runs at the same time share one clock, and one of them warns.
func TestClockWarnsOnceInManyRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: visitors(20)}
		p.drops = []func(string) error{p.endsWest}
		on := termination.New(p, termination.Options{Retries: 4, Concurrency: 4, ListTimeout: time.Minute})
		var warnings atomic.Int32
		done := make(chan error)
		for range 8 {
			go func() {
				_, err := on.Drain(t.Context(), termination.DrainRequest{Selector: selector(t), PollInterval: interval, OnUnseen: termination.UnseenIgnore})
				now := time.Now()
				on.Dated(now, now, now)
				if found, warn := on.ClockWarning(); warn {
					warnings.Add(1)
					if found != saoPaulo {
						err = errors.Join(err, errors.New("it finds another offset: "+found.OffsetName()))
					}
				}
				done <- err
			}()
		}
		var failures []error
		for range 8 {
			failures = append(failures, <-done)
		}
		if err := errors.Join(failures...); err != nil || warnings.Load() != 1 {
			t.Errorf("%d warnings, want 1: %v", warnings.Load(), err)
		}
		if len(p.sessions) != 20 || slices.ContainsFunc(p.sessions, session.Session.Live) {
			t.Error("sessions are live")
		}
	})
}
