package termination_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// plan is a drain to run, and the server that it runs against.
type plan struct {
	server *fakeAPI
	// selector is of users jane.roe, but not from 192.0.2.1, where it is nil.
	selector *session.Selector
	request  termination.DrainRequest
	// allowed is a minute where it is zero.
	allowed time.Duration
	retries int
}

func (p plan) run(t *testing.T) (termination.Report, error) {
	t.Helper()
	request := p.request
	request.Selector = p.selector
	if request.Selector == nil {
		request.Selector = selector(t)
	}
	if request.PollInterval == 0 {
		request.PollInterval = interval
	}
	ctx, cancel := context.WithTimeout(t.Context(), max(p.allowed, deadline))
	defer cancel()
	report, err := termination.New(p.server, termination.Options{Retries: p.retries, Concurrency: 4, Zone: time.UTC}).Drain(ctx, request)
	checkAgainstTruth(t, p.server, report, err)
	return report, err
}

func (p *fakeAPI) count(kind string) int {
	n := 0
	for _, call := range p.journal() {
		if call == kind || strings.HasPrefix(call, kind+" ") {
			n++
		}
	}
	return n
}

// another makes a further record of a session.
func another(s session.Session) session.Session {
	s.RecordID = "1" + s.RecordID
	return s
}

func checkReport(t *testing.T, report termination.Report, want string) {
	t.Helper()
	if got := outcomes(report); got != want {
		t.Errorf("report %q, want %q", got, want)
	}
}

// A session that was read as ended and that a later list shows live is open again.
func TestDrainOpensASessionAgain(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]session.Session{
		"after one check of it":      visitor(1),
		"after a list showed an end": withoutRecordIDs(visitor(1))[0],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				// Another session stays open for a while, so that there are lists to come.
				p := &fakeAPI{sessions: []session.Session{first, withoutRecordIDs(visitor(2))[0]}}
				second := func(id string) error { p.end(id); return nil }
				p.drops = append(p.drops, func(id string) error {
					if id == "hash-2" {
						return nil
					}
					p.end("hash-1")
					time.AfterFunc(time.Second, func() { p.add(another(visitor(1))) })
					return nil
				}, func(string) error { return nil }, second)
				report, err := plan{server: p, retries: 4}.run(t)
				if err != nil {
					t.Error(err)
				}
				checkReport(t, report, "hash-1 terminated, hash-2 terminated")
				if got := p.count("drop hash-1"); got != 2 {
					t.Errorf("%d requests for the session that was open again, want 2: %q", got, p.journal())
				}
			})
		})
	}
}

// An excluded session is never terminated, whatever another of its records says.
func TestDrainLeavesASessionWithAnExcludedRecord(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string][]session.Session{
		"first":  {from(another(visitor(1)), "192.0.2.1"), visitor(1)},
		"second": {visitor(1), from(another(visitor(1)), "192.0.2.1")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: rows}
				report, err := plan{server: p, request: termination.DrainRequest{LeaveExcluded: true}}.run(t)
				if err != nil || p.count("drop") > 0 {
					t.Errorf("%v, calls %q; want no drop", err, p.journal())
				}
				checkReport(t, report, "hash-1 excluded")
			})
		})
	}
	t.Run("later", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := &fakeAPI{sessions: withoutRecordIDs(visitor(1))}
			time.AfterFunc(time.Second, func() { p.add(from(another(visitor(1)), "192.0.2.1")) })
			report, err := plan{server: p, request: termination.DrainRequest{LeaveExcluded: true, Grace: 5 * time.Second}}.run(t)
			if err != nil || p.count("drop") > 0 {
				t.Errorf("%v, calls %q; want no drop", err, p.journal())
			}
			checkReport(t, report, "hash-1 excluded")
		})
	})
}

// The list has the last word where single sessions cannot be read.
func TestDrainWhereSingleSessionsCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		get  func(record string) error
		// gets is how many requests are made before the list replaces them.
		gets int
	}{
		{"for transient reasons", failWith(session.ErrTransient), 4},
		{"for good", failWith(session.ErrRejected), 2},
		{"without the permission", failWith(session.ErrPermission), 2},
		{"one of them, for transient reasons", func(record string) error {
			if record == "1" {
				return session.ErrTransient
			}
			return nil
		}, 4},
		{"one of them has another record by now", func(record string) error {
			if record == "1" {
				return session.ErrNotFound
			}
			return nil
		}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: lives(1, 2), gets: []func(string) error{test.get}}
				p.drops = append(p.drops, func(id string) error {
					time.AfterFunc(3*time.Second, func() { p.end(id) })
					return nil
				})
				report, err := plan{server: p, allowed: time.Hour, retries: 2}.run(t)
				if err != nil {
					t.Error(err)
				}
				checkReport(t, report, "hash-1 terminated, hash-2 terminated")
				if got := p.count("get"); got != test.gets {
					t.Errorf("%d checks of single sessions, want %d: %q", got, test.gets, p.journal())
				}
			})
		})
	}
}

// What a run could not settle stays in its report, and is not settled by looking
// away in the next one.
func TestDrainNeedsAnEnd(t *testing.T) {
	t.Parallel()
	vanishing := func() *fakeAPI {
		p := &fakeAPI{sessions: append(lives(1), unrelated()...)}
		p.drops = append(p.drops, func(id string) error { p.hide(id); return nil })
		return p
	}
	doubtful := func() *fakeAPI {
		// It has no origin, so whether it is excluded can't be decided.
		p := &fakeAPI{sessions: append(lives(1), live(2))}
		p.drops = append(p.drops, func(id string) error { p.end(id); p.hide("hash-2"); return nil })
		return p
	}
	for _, test := range []struct {
		name     string
		server   func() *fakeAPI
		id, want string
	}{
		{"the record vanished", vanishing, "hash-1", "hash-1 unknown"},
		{"too little was shown, and the record vanished", doubtful, "hash-2", "hash-1 terminated, hash-2 unknown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := test.server()
				report, err := plan{server: p}.run(t)
				checkDrainFailure(t, err, termination.Unknown, nil)
				checkReport(t, report, test.want)
				left := report.Unsettled()
				if len(left) != 1 || left[0].ID != test.id {
					t.Fatalf("unsettled: %v, want %s", left, test.id)
				}

				again := func(change termination.DrainRequest, selector *session.Selector) (termination.Report, error) {
					change.Unsettled = left
					return plan{server: p, request: change, selector: selector}.run(t)
				}
				report, err = again(termination.DrainRequest{}, nil)
				checkDrainFailure(t, err, termination.Unknown, nil)
				checkReport(t, report, test.id+" unknown")
				if got := report.Unsettled(); len(got) != 1 || got[0].ID != test.id {
					t.Errorf("unsettled after the second run: %v", got)
				}

				spared, err := session.NewSelector(session.Match{Users: []string{"jane.roe"}}, session.Match{SessionIDs: []string{test.id}})
				if err != nil {
					t.Fatal(err)
				}
				report, err = again(termination.DrainRequest{}, spared)
				if err != nil {
					t.Errorf("with the user's word: %v", err)
				}
				checkReport(t, report, test.id+" excluded")

				p.add(ended(1), ended(2))
				report, err = again(termination.DrainRequest{}, nil)
				if err != nil {
					t.Errorf("with an end: %v", err)
				}
				checkReport(t, report, test.id+" already_ended")
			})
		})
	}
}

// A session of an earlier run is treated like any other once a list shows it, and
// is no matter once the list shows that it does not match.
func TestDrainOfUnsettledSessions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		rows   []session.Session
		gets   []func(string) error
		want   string
		kind   termination.Kind
		script func(*fakeAPI)
	}{
		{name: "live", rows: lives(1), want: "hash-1 terminated"},
		{name: "ended", rows: []session.Session{ended(1)}, want: "hash-1 already_ended"},
		{name: "of somebody else", rows: []session.Session{other(visitor(1))}, want: ""},
		{name: "not listed, and the record is", rows: []session.Session{ended(1)}, script: func(p *fakeAPI) { p.unlisted = "hash-1" }, want: "hash-1 already_ended"},
		{name: "not listed, and the record is live", rows: lives(1), script: func(p *fakeAPI) { p.unlisted = "hash-1" }, want: "hash-1 terminated"},
		{
			name: "not listed, and its record cannot be read", rows: lives(1),
			script: func(p *fakeAPI) { p.unlisted = "hash-1"; p.gets = append(p.gets, failWith(session.ErrTransient)) },
			want:   "hash-1 unknown", kind: termination.Unknown,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: append(test.rows, unrelated()...)}
				if test.script != nil {
					test.script(p)
				}
				report, err := plan{server: p, request: termination.DrainRequest{Unsettled: []session.Session{visitor(1)}}}.run(t)
				checkDrainFailure(t, err, test.kind, nil)
				checkReport(t, report, test.want)
			})
		})
	}
}

// A session that may match, that the list hides and whose record shows it live, is no
// reason to read for ever.
func TestDrainOfAnUndecidedSessionThatVanishes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: append(lives(1), live(2))}
		p.drops = append(p.drops, func(id string) error { p.end(id); p.unlisted = "hash-2"; return nil })
		report, err := plan{server: p}.run(t)
		checkDrainFailure(t, err, termination.Unknown, nil)
		checkReport(t, report, "hash-1 terminated, hash-2 unknown")
		if got := len(p.journal()); got > 8 {
			t.Errorf("%d requests: %q", got, p.journal())
		}
	})
}

// What can be trusted without further memory is not remembered.
func TestUnsettled(t *testing.T) {
	t.Parallel()
	report := termination.Report{}
	for i, outcome := range []termination.Outcome{
		termination.Terminated, termination.AlreadyEnded, termination.Excluded, termination.Matched, termination.NotAttempted,
		termination.StillLive, termination.Refused, termination.Unknown,
	} {
		s := visitor(i)
		report.Sessions = append(report.Sessions, termination.SessionResult{Session: &s, Outcome: outcome})
	}
	nobody := session.Session{RecordID: "9"}
	report.Sessions = append(report.Sessions, termination.SessionResult{Session: &nobody, Outcome: termination.Unknown})
	ids := make([]string, 0, 3)
	for _, s := range report.Unsettled() {
		ids = append(ids, s.ID)
	}
	if want := []string{"hash-5", "hash-6", "hash-7"}; !slices.Equal(ids, want) {
		t.Errorf("unsettled %q, want %q", ids, want)
	}
}

func TestDrainQuietPeriod(t *testing.T) {
	t.Parallel()
	const quiet = 20 * time.Second
	for _, test := range []struct {
		name   string
		rows   []session.Session
		script func(*fakeAPI)
		want   string
		took   time.Duration
	}{
		{name: "no session at all", took: quiet},
		{name: "somebody at first", rows: lives(1), want: "hash-1 terminated", took: quiet},
		{name: "somebody else", rows: []session.Session{other(visitor(1))}, script: func(p *fakeAPI) {
			time.AfterFunc(10*time.Second, func() { p.add(other(visitor(2))) })
		}, took: quiet},
		{name: "records of old are not new", rows: []session.Session{ended(1), ended(2)}, took: quiet},
		{
			// Lists at 0, 2, 5, 9.5 and 16.25.
			name: "a new one has ended before a list shows it", script: func(p *fakeAPI) {
				time.AfterFunc(10*time.Second, func() { p.add(visitor(1)); p.end("hash-1") })
			}, took: 16250*time.Millisecond + quiet,
		},
		{
			name: "one that was too young matches once it is old", script: func(p *fakeAPI) {
				young := visitor(1)
				young.User = "somebody.else"
				p.add(young)
				time.AfterFunc(10*time.Second, func() { p.hide("hash-1"); p.add(visitor(1)) })
			}, want: "hash-1 terminated", took: 16250*time.Millisecond + interval + quiet,
		},
		{
			// A read begins after a twentieth of the last one, in which others may join.
			name: "the list that ends it begins after it", script: func(p *fakeAPI) { p.listTime = 3 * time.Second },
			took: 3*time.Second + quiet + 150*time.Millisecond + 3*time.Second,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: append(test.rows, unrelated()...)}
				if test.script != nil {
					test.script(p)
				}
				started := time.Now()
				report, err := plan{server: p, allowed: time.Hour, request: termination.DrainRequest{Quiet: quiet}}.run(t)
				if err != nil {
					t.Error(err)
				}
				checkReport(t, report, test.want)
				if took := time.Since(started); took != test.took {
					t.Errorf("took %v, want %v", took, test.took)
				}
			})
		})
	}
}

// A session that stops matching was live until then, so the quiet period begins then.
func TestDrainQuietPeriodAfterASessionStopsMatching(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const quiet = 20 * time.Second
		began := time.Now()
		aging := visitor(1)
		aging.StartedAt = began.Add(10*time.Second - time.Hour)
		young, err := session.NewSelector(session.Match{Users: []string{"jane.roe"}}, session.Match{OlderThan: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		p := &fakeAPI{sessions: []session.Session{aging}, drops: []func(string) error{acceptOnly}}
		report, err := plan{server: p, selector: young, request: termination.DrainRequest{LeaveExcluded: true, Quiet: quiet}}.run(t)
		if err != nil {
			t.Error(err)
		}
		checkReport(t, report, "hash-1 excluded")
		if took := time.Since(began); took < 10*time.Second+quiet {
			t.Errorf("took %s, and the session matched for 10 s of it", took)
		}
	})
}

// The quiet period may pass while the drain does something else, and it ends all the
// same with a list that begins after it.
func TestDrainQuietPeriodThatPassesUnwaited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: unrelated()}
		slow := func(e termination.Event) {
			if e.Stage == termination.InQuiet {
				time.Sleep(2 * time.Second)
			}
		}
		if _, err := (plan{server: p, request: termination.DrainRequest{Quiet: time.Second, Progress: slow}}).run(t); err != nil {
			t.Error(err)
		}
		if got := p.count("list"); got != 2 {
			t.Errorf("%d lists, want 2", got)
		}
	})
}

// One budget bounds the requests for a session, however they are answered.
func TestDrainRequestsWithinABudget(t *testing.T) {
	t.Parallel()
	const retries = 4
	for _, test := range []struct {
		name   string
		answer func(string) error
		drops  int
		want   string
		// waits: an accepted request is waited for as long as there is time.
		waits bool
	}{
		{"accepted, and does nothing", acceptOnly, 1 + retries, "hash-1 still_live", true},
		{"refused", refuse, 1 + retries, "hash-1 refused", false},
		{"answers lost", lose, 1 + retries, "hash-1 still_live", false},
		{"turned away: the client has repeated it already", failWith(session.ErrTransient), 2, "hash-1 not_attempted", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: lives(1), drops: []func(string) error{test.answer}}
				began := time.Now()
				report, err := plan{server: p, allowed: time.Hour, retries: retries}.run(t)
				checkDrainFailure(t, err, termination.StillLive, nil)
				checkReport(t, report, test.want)
				if got := p.count("drop"); got != test.drops {
					t.Errorf("%d requests, want %d: %q", got, test.drops, p.journal())
				}
				if waited := time.Since(began) == time.Hour; waited != test.waits {
					t.Errorf("it took %s; waits %t, want %t", time.Since(began), waited, test.waits)
				}
			})
		})
	}
}

// An accepted request that does nothing is repeated after 1, 2, 4 and 8 checks.
func TestDrainRepeatsWhatDidNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: lives(1)}
		p.drops = append(slices.Repeat([]func(string) error{acceptOnly}, 3), func(id string) error { p.end(id); return nil })
		report, err := plan{server: p, allowed: time.Hour, retries: 4}.run(t)
		if err != nil {
			t.Error(err)
		}
		checkReport(t, report, "hash-1 terminated")
		want := slices.Concat([]string{"list", "drop hash-1", "get 1", "drop hash-1"}, slices.Repeat([]string{"get 1"}, 2),
			[]string{"drop hash-1"}, slices.Repeat([]string{"get 1"}, 4), []string{"drop hash-1", "get 1", "list"})
		if got := p.journal(); !slices.Equal(got, want) {
			t.Errorf("calls %q, want %q", got, want)
		}
	})
}

// The drain goes on if one session is turned away while others get a response, and
// gives up if all are turned away.
func TestDrainTurnedAway(t *testing.T) {
	t.Parallel()
	t.Run("one of many", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := &fakeAPI{sessions: lives(1, 2, 3, 4, 5, 6)}
			p.drops = append(p.drops, func(id string) error {
				if id == "hash-1" {
					return session.ErrTransient
				}
				p.end(id)
				return nil
			})
			report, err := plan{server: p, allowed: time.Hour, retries: 4}.run(t)
			checkDrainFailure(t, err, termination.StillLive, nil)
			checkReport(t, report, "hash-1 not_attempted, hash-2 terminated, hash-3 terminated, hash-4 terminated, hash-5 terminated, hash-6 terminated")
		})
	})
	t.Run("now and then", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			// Each of three sessions is turned away once, in rounds that are not in a row.
			p := &fakeAPI{sessions: lives(1)}
			away := map[string]bool{}
			p.drops = append(p.drops, func(id string) error {
				if !away[id] {
					away[id] = true
					return session.ErrTransient
				}
				p.end(id)
				if n := len(away); n < 3 {
					p.add(visitor(n + 1))
				}
				return nil
			})
			report, err := plan{server: p, allowed: time.Hour, retries: 4}.run(t)
			if err != nil {
				t.Error(err)
			}
			checkReport(t, report, "hash-1 terminated, hash-2 terminated, hash-3 terminated")
		})
	})
	t.Run("all", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := &fakeAPI{drops: []func(string) error{failWith(session.ErrTransient)}}
			for n := range 1000 {
				p.sessions = append(p.sessions, visitor(n))
			}
			report, err := plan{server: p, allowed: time.Hour, retries: 4}.run(t)
			checkDrainFailure(t, err, termination.StillLive, session.ErrTransient)
			if got := p.count("drop"); got > 16 {
				t.Errorf("%d requests to a server that turns every one away", got)
			}
			if got := len(report.NotEnded()); got != 1000 {
				t.Errorf("%d sessions reported, want all 1000", got)
			}
		})
	})
}

// senhasegura is unavailable for half an hour: no request is sent during that time, and
// then the drain continues.
func TestDrainWaitsOutAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		back := time.Now().Add(30 * time.Minute)
		outage := func() error {
			if time.Now().Before(back) {
				return session.ErrTransient
			}
			return nil
		}
		p := &fakeAPI{sessions: lives(1, 2, 3)}
		p.lists = append(p.lists, works, outage)
		p.gets = append(p.gets, func(string) error { return outage() })
		p.drops = append(p.drops, func(id string) error {
			if err := outage(); err != nil {
				return err
			}
			p.end(id)
			return nil
		})
		report, err := plan{server: p, allowed: time.Hour, retries: 4}.run(t)
		if err != nil {
			t.Error(err)
		}
		checkReport(t, report, "hash-1 terminated, hash-2 terminated, hash-3 terminated")
		if got := p.count("drop"); got > 6 {
			t.Errorf("%d requests: %q", got, p.journal())
		}
	})
}

// `exclude` is asked again before each request, because time passes.
func TestDrainAsksAgainWhetherASessionIsExcluded(t *testing.T) {
	t.Parallel()
	started := func(n int, ago time.Duration) session.Session {
		s := visitor(n)
		s.StartedAt = time.Now().Add(-ago)
		return s
	}
	old := func(t *testing.T) *session.Selector {
		t.Helper()
		s, err := session.NewSelector(session.Match{Users: []string{"jane.roe"}}, session.Match{OlderThan: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	t.Run("after the grace period", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := &fakeAPI{sessions: []session.Session{started(1, 58*time.Minute), started(2, 0)}}
			report, err := plan{server: p, allowed: time.Hour, selector: old(t), request: termination.DrainRequest{LeaveExcluded: true, Grace: 5 * time.Minute}}.run(t)
			if err != nil {
				t.Error(err)
			}
			checkReport(t, report, "hash-1 excluded, hash-2 terminated")
			if got := p.count("drop hash-1"); got != 0 {
				t.Errorf("%d requests for an excluded session", got)
			}
		})
	})
	t.Run("while the requests take their time", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			// Four requests at a time, of three minutes each.
			p := &fakeAPI{dropTime: 3 * time.Minute, sessions: []session.Session{
				started(1, 0), started(2, 0), started(3, 0), started(4, 0), started(5, 58*time.Minute), started(6, 0),
			}}
			report, err := plan{server: p, allowed: time.Hour, selector: old(t), request: termination.DrainRequest{LeaveExcluded: true}}.run(t)
			if err != nil {
				t.Error(err)
			}
			checkReport(t, report, "hash-1 terminated, hash-2 terminated, hash-3 terminated, hash-4 terminated, hash-5 excluded, hash-6 terminated")
			if got := p.count("drop hash-5"); got != 0 {
				t.Errorf("%d requests for an excluded session", got)
			}
		})
	})
	t.Run("before a repeated request", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := &fakeAPI{sessions: []session.Session{started(1, time.Hour-time.Second)}, drops: []func(string) error{refuse}}
			report, err := plan{server: p, selector: old(t), retries: 4, request: termination.DrainRequest{LeaveExcluded: true}}.run(t)
			if err != nil {
				t.Error(err)
			}
			checkReport(t, report, "hash-1 excluded")
			if got := p.count("drop"); got != 1 {
				t.Errorf("%d requests, want the one before it was excluded", got)
			}
		})
	})
}

// The limit bounds the matching sessions that are live at the same time: users who
// reconnect one after the other stay within it, and several at once do not.
func TestDrainLimitAndReconnects(t *testing.T) {
	t.Parallel()
	reconnecting := func(times int) *fakeAPI {
		p := &fakeAPI{sessions: lives(1, 2)}
		next := 2
		p.drops = append(p.drops, func(id string) error {
			p.end(id)
			if id == "hash-1" {
				for range times {
					next++
					p.add(visitor(next))
				}
			}
			return nil
		})
		return p
	}
	t.Run("as many as at first", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			report, err := plan{server: reconnecting(2), request: termination.DrainRequest{Limit: new(2)}}.run(t)
			if err != nil {
				t.Error(err)
			}
			checkReport(t, report, "hash-1 terminated, hash-2 terminated, hash-3 terminated, hash-4 terminated")
		})
	})
	t.Run("more than at first", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := reconnecting(3)
			report, err := plan{server: p, request: termination.DrainRequest{Limit: new(2)}}.run(t)
			checkDrainFailure(t, err, termination.TooMany, nil)
			checkReport(t, report, "hash-1 terminated, hash-2 terminated, hash-3 not_attempted, hash-4 not_attempted, hash-5 not_attempted")
			if got := p.count("drop"); got != 2 {
				t.Errorf("%d requests, want none after the limit was passed", got)
			}
		})
	})
	t.Run("while the end of the others is awaited", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := &fakeAPI{sessions: withoutRecordIDs(lives(1, 2)...), drops: []func(string) error{acceptOnly}}
			time.AfterFunc(time.Second, func() { p.add(visitor(3)) })
			_, err := plan{server: p, request: termination.DrainRequest{Limit: new(2)}}.run(t)
			checkDrainFailure(t, err, termination.TooMany, nil)
			if got := p.count("drop hash-3"); got != 0 {
				t.Error("a third session was requested")
			}
		})
	})
}

// Only a drain that ran may be gone past.
func TestDrainErrorRan(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		err  termination.DrainError
		want bool
	}{
		{"sessions are live", termination.DrainError{Kind: termination.StillLive}, true},
		{"sessions are unknown", termination.DrainError{Kind: termination.Unknown, Cause: session.ErrPermission}, true},
		{"the time is up", termination.DrainError{Kind: termination.StillLive, Context: context.DeadlineExceeded}, true},
		{"interrupted", termination.DrainError{Kind: termination.StillLive, Context: context.Canceled}, false},
		{"a guard", termination.DrainError{Kind: termination.TooMany}, false},
		{"no first list", termination.DrainError{Kind: termination.NotAttempted, Cause: session.ErrPermission}, false},
		{"no first list in time", termination.DrainError{Kind: termination.NotAttempted, Context: context.DeadlineExceeded}, false},
	} {
		if got := test.err.Ran(); got != test.want {
			t.Errorf("%s: %t, want %t", test.name, got, test.want)
		}
	}
}

// A report distinguishes accepted requests, and lost ones, from those that ended a
// session.
func TestReportGivesWhatWasRequested(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: lives(1, 2, 3, 4)}
		p.drops = append(p.drops, func(id string) error {
			switch id {
			case "hash-1":
				p.end(id)
			case "hash-2":
				return session.ErrUnknownOutcome
			case "hash-3":
				return session.ErrRefused
			}
			return nil
		})
		report, err := plan{server: p}.run(t)
		checkDrainFailure(t, err, termination.StillLive, context.DeadlineExceeded)
		checkReport(t, report, "hash-1 terminated, hash-2 still_live, hash-3 refused, hash-4 still_live")
		var got []string
		for _, d := range report.Requested() {
			got = append(got, d.Session.ID+" "+strconv.FormatBool(d.Accepted)+" "+strconv.FormatBool(d.Lost))
		}
		if want := []string{"hash-2 false true", "hash-4 true false"}; !slices.Equal(got, want) {
			t.Errorf("requested %q, want %q", got, want)
		}
	})
}

// A preview says what would be terminated and asks for nothing else.
func TestPreview(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: append(lives(1, 2), other(visitor(3)), from(live(4), "192.0.2.1"), live(5), ended(6))}
		terminator := termination.New(p, termination.Options{})
		request := termination.DrainRequest{Selector: selector(t), Unsettled: []session.Session{visitor(7)}}
		report, readAt, err := terminator.Preview(t.Context(), request)
		if err != nil || readAt.IsZero() {
			t.Errorf("read at %s, %v", readAt, err)
		}
		checkReport(t, report, "hash-1 matched, hash-2 matched, hash-4 excluded, hash-5 unknown")
		request.Limit = new(1)
		report, _, err = terminator.Preview(t.Context(), request)
		checkDrainFailure(t, err, termination.TooMany, nil)
		checkReport(t, report, "hash-1 matched, hash-2 matched, hash-4 excluded, hash-5 unknown")
		if calls := p.journal(); !slices.Equal(calls, []string{"list"}) {
			t.Errorf("calls %q, want one list for all previews", calls)
		}

		p.lists = append(p.lists, listError(session.ErrPermission))
		_, _, err = termination.New(p, termination.Options{}).Preview(t.Context(), request)
		checkDrainFailure(t, err, termination.NotAttempted, session.ErrPermission)
		if errors.Is(err, context.Canceled) {
			t.Error("it was not interrupted")
		}
	})
}
