package termination_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// selector means the sessions of jane.roe other than those from 192.0.2.1.
func selector(t *testing.T) *session.Selector {
	t.Helper()
	s, err := session.NewSelector(session.Match{Users: []string{"jane.roe"}}, session.Match{OriginIPs: []string{"192.0.2.1"}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// visitor is a live session that started during the drain.
func visitor(n int) session.Session { return from(live(n), "192.0.2.7") }

func from(s session.Session, origin string) session.Session {
	s.OriginIP = origin
	return s
}

func other(s session.Session) session.Session {
	s.User = "somebody.else"
	return s
}

// unrelated is a session that no test means, so that the list is not empty: an
// empty one fails a drain.
func unrelated() []session.Session { return []session.Session{other(ended(99))} }

func lives(numbers ...int) []session.Session {
	rows := make([]session.Session, 0, len(numbers))
	for _, n := range numbers {
		rows = append(rows, visitor(n))
	}
	return rows
}

// withoutRecordIDs takes the record ids away, so that only the list can show the rows.
func withoutRecordIDs(rows ...session.Session) []session.Session {
	for i := range rows {
		rows[i].RecordID = ""
	}
	return rows
}

// refusing refuses every request, after which the list has these rows.
func refusing(rows ...session.Session) func(*fakeAPI) {
	return func(p *fakeAPI) {
		p.drops = append(p.drops, func(string) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.sessions = rows
			return session.ErrRefused
		})
	}
}

func (p *fakeAPI) add(rows ...session.Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions = append(p.sessions, rows...)
}

func (p *fakeAPI) hide(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions = slices.DeleteFunc(p.sessions, func(s session.Session) bool { return s.ID == id })
}

// outcomes writes a report as "hash-1 terminated, hash-2 refused".
func outcomes(r termination.Report) string {
	parts := make([]string, 0, len(r.Sessions))
	for _, d := range r.Sessions {
		parts = append(parts, d.Session.ID+" "+string(d.Outcome))
	}
	return strings.Join(parts, ", ")
}

func TestDrain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		rows    []session.Session
		script  func(*fakeAPI)
		request termination.DrainRequest

		want  string
		kind  termination.Kind
		cause error
		// calls are sorted, because requests are concurrent.
		calls []string
		took  time.Duration
	}{
		{
			name:  "no session",
			rows:  []session.Session{other(visitor(1)), ended(2)},
			calls: []string{"list"},
		},
		{
			name:    "no session at first: the quiet period applies anyway",
			rows:    unrelated(),
			request: termination.DrainRequest{Quiet: 7 * time.Second},
			// Lists at 0, 2, 5 and 7.
			calls: []string{"list", "list", "list", "list"},
			took:  7 * time.Second,
		},
		{
			name:    "all end at once: one list before and one after",
			rows:    append(lives(1, 2), other(visitor(3)), from(live(4), "192.0.2.1"), ended(5)),
			want:    "hash-1 terminated, hash-2 terminated, hash-4 excluded",
			request: termination.DrainRequest{LeaveExcluded: true},
			calls:   []string{"drop hash-1", "drop hash-2", "get 1", "get 2", "list", "list"},
		},
		{
			name:   "a list that takes its time closes at once",
			rows:   lives(1),
			script: func(p *fakeAPI) { p.listTime = 3 * time.Second },
			want:   "hash-1 terminated",
			calls:  []string{"drop hash-1", "get 1", "list", "list"},
			took:   6*time.Second + 150*time.Millisecond, // askers are gathered for a twentieth
		},
		{
			name: "ends later: followed one by one, and closed with a list",
			rows: lives(1),
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, func(id string) error {
					time.AfterFunc(time.Second, func() { p.end(id) })
					return nil
				})
			},
			want:  "hash-1 terminated",
			calls: []string{"drop hash-1", "drop hash-1", "get 1", "get 1", "list", "list"},
			took:  2 * time.Second,
		},
		{
			name:    "dry run",
			rows:    lives(1, 2),
			request: termination.DrainRequest{DryRun: true},
			want:    "hash-1 matched, hash-2 matched",
			calls:   []string{"list"},
		},
		{
			name:    "more than allowed: none is terminated",
			rows:    lives(1, 2),
			request: termination.DrainRequest{Limit: new(1)},
			want:    "hash-1 not_attempted, hash-2 not_attempted",
			kind:    termination.TooMany,
			calls:   []string{"list"},
		},
		{
			name:    "as many as allowed",
			rows:    lives(1, 2),
			request: termination.DrainRequest{Limit: new(2)},
			want:    "hash-1 terminated, hash-2 terminated",
			calls:   []string{"drop hash-1", "drop hash-2", "get 1", "get 2", "list", "list"},
		},
		{
			name:    "none allowed and none there",
			rows:    unrelated(),
			request: termination.DrainRequest{Limit: new(0)},
			calls:   []string{"list"},
		},
		{
			name: "more than allowed start during the grace period: none is terminated",
			rows: lives(1),
			script: func(p *fakeAPI) {
				time.AfterFunc(5*time.Second, func() { p.add(lives(2, 3)...) })
			},
			request: termination.DrainRequest{Limit: new(2), Grace: 6 * time.Second},
			want:    "hash-1 not_attempted, hash-2 not_attempted, hash-3 not_attempted",
			kind:    termination.TooMany,
			calls:   []string{"get 1", "get 1", "list", "list"},
			took:    6 * time.Second,
		},
		{
			name: "all end during the grace period: none is terminated",
			rows: lives(1, 2),
			script: func(p *fakeAPI) {
				time.AfterFunc(3*time.Second, func() { p.end("hash-1"); p.end("hash-2") })
			},
			request: termination.DrainRequest{Grace: time.Minute},
			want:    "hash-1 already_ended, hash-2 already_ended",
			calls:   []string{"get 1", "get 1", "get 2", "get 2", "list", "list"},
			took:    5 * time.Second,
		},
		{
			name: "some end during the grace period, the others are terminated",
			rows: lives(1, 2),
			script: func(p *fakeAPI) {
				time.AfterFunc(3*time.Second, func() { p.end("hash-1") })
			},
			request: termination.DrainRequest{Grace: 6 * time.Second},
			want:    "hash-1 already_ended, hash-2 terminated",
			calls:   []string{"drop hash-2", "get 1", "get 1", "get 2", "get 2", "get 2", "list", "list", "list"},
			took:    6 * time.Second,
		},
		{
			name: "the new session of a user who reconnects is terminated too",
			rows: lives(1),
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, func(id string) error { p.end(id); p.add(visitor(2)); return nil },
					func(id string) error { p.end(id); return nil })
			},
			want:  "hash-1 terminated, hash-2 terminated",
			calls: []string{"drop hash-1", "drop hash-2", "get 1", "get 2", "list", "list", "list"},
			took:  2 * time.Second,
		},
		{
			name: "a new session in the quiet period is terminated, and the period starts again",
			rows: lives(1),
			script: func(p *fakeAPI) {
				time.AfterFunc(4*time.Second, func() { p.add(visitor(2)) })
			},
			request: termination.DrainRequest{Quiet: 7 * time.Second},
			want:    "hash-1 terminated, hash-2 terminated",
			// Lists at 0 (two), 2, 5 (the new one), 7 (its end), 9, 12 and 14.
			calls: append([]string{"drop hash-1", "drop hash-2", "get 1", "get 2"}, slices.Repeat([]string{"list"}, 8)...),
			took:  14 * time.Second,
		},
		{
			name: "a user who reconnects forever survives",
			rows: lives(1),
			script: func(p *fakeAPI) {
				n := 1
				p.drops = append(p.drops, func(id string) error {
					p.end(id)
					n++
					p.add(visitor(n))
					return nil
				})
			},
			request: termination.DrainRequest{PollInterval: 40 * time.Second},
			want:    "hash-1 terminated, hash-2 terminated, hash-3 not_attempted",
			kind:    termination.StillLive,
			cause:   context.DeadlineExceeded,
			calls:   []string{"drop hash-1", "drop hash-2", "get 1", "get 2", "list", "list", "list"},
			took:    time.Minute,
		},
		{
			name: "one is refused: the others are terminated, and it is reported",
			rows: lives(1, 2),
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, func(id string) error {
					if id == "hash-1" {
						return session.ErrRefused
					}
					p.end(id)
					return nil
				})
			},
			request: termination.DrainRequest{Quiet: time.Hour},
			want:    "hash-1 refused, hash-2 terminated",
			kind:    termination.StillLive,
			calls:   []string{"drop hash-1", "drop hash-1", "drop hash-1", "drop hash-2", "get 1", "get 1", "get 1", "get 2", "list", "list"},
			took:    4 * time.Second,
		},
		{
			name: "refused because it has ended in the meantime",
			rows: lives(1),
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, func(id string) error { p.end(id); return session.ErrRefused })
			},
			want:  "hash-1 already_ended",
			calls: []string{"drop hash-1", "get 1", "list", "list"},
		},
		{
			name: "accepted and lives on",
			rows: lives(1),
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, acceptOnly)
			},
			request: termination.DrainRequest{PollInterval: 40 * time.Second},
			want:    "hash-1 still_live",
			kind:    termination.StillLive,
			cause:   context.DeadlineExceeded,
			calls:   []string{"drop hash-1", "drop hash-1", "get 1", "get 1", "list"},
			took:    time.Minute,
		},
		{
			name: "answer lost, and it had worked",
			rows: lives(1),
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, func(id string) error { p.end(id); return session.ErrUnknownOutcome })
			},
			want:  "hash-1 terminated",
			calls: []string{"drop hash-1", "get 1", "list", "list"},
		},
		{
			name: "answer lost, and it had not worked",
			rows: lives(1),
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, lose, func(id string) error { p.end(id); return nil })
			},
			want:  "hash-1 terminated",
			calls: []string{"drop hash-1", "drop hash-1", "get 1", "get 1", "list", "list"},
			took:  2 * time.Second,
		},
		{
			name:   "may not drop: one is asked, no second round",
			rows:   lives(1),
			script: func(p *fakeAPI) { p.drops = append(p.drops, failWith(session.ErrPermission)) },
			want:   "hash-1 not_attempted",
			kind:   termination.StillLive,
			cause:  session.ErrPermission,
			calls:  []string{"drop hash-1", "list", "list"},
		},
		{
			name:   "may not list: nothing is known and none is terminated",
			rows:   lives(1),
			script: func(p *fakeAPI) { p.lists = append(p.lists, listError(session.ErrPermission)) },
			kind:   termination.NotAttempted,
			cause:  session.ErrPermission,
			calls:  []string{"list"},
		},
		{
			name: "the closing list is refused: nothing is claimed",
			rows: withoutRecordIDs(visitor(1)),
			script: func(p *fakeAPI) {
				p.lists = append(p.lists, works, listError(session.ErrPermission))
			},
			want:  "hash-1 unknown",
			kind:  termination.Unknown,
			cause: session.ErrPermission,
			calls: []string{"drop hash-1", "list", "list"},
		},
		{
			name: "ended by checks one by one, but the closing list is refused: new sessions are not known",
			rows: lives(1),
			script: func(p *fakeAPI) {
				p.lists = append(p.lists, works, listError(session.ErrPermission))
			},
			want:  "hash-1 terminated",
			kind:  termination.Unknown,
			cause: session.ErrPermission,
			calls: []string{"drop hash-1", "get 1", "list", "list"},
		},
		{
			name: "checks fail for transient reasons, then work",
			rows: withoutRecordIDs(visitor(1)),
			script: func(p *fakeAPI) {
				p.lists = append(p.lists, works, listError(session.ErrTransient), works)
			},
			want:  "hash-1 terminated",
			calls: []string{"drop hash-1", "list", "list", "list"},
			took:  2 * time.Second,
		},
		{
			name: "a vanished row is no end",
			rows: lives(1),
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, func(id string) error { p.hide(id); return nil })
			},
			want:  "hash-1 unknown",
			kind:  termination.Unknown,
			calls: []string{"drop hash-1", "get 1", "list", "list"},
		},
		{
			name: "a row that only the list hides is asked for by its record id",
			rows: lives(1),
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, func(id string) error {
					p.hide(id)
					p.gets = append(p.gets, func(string) error {
						p.sessions = append(p.sessions, ended(1))
						return nil
					})
					return nil
				})
			},
			want:  "hash-1 terminated",
			calls: []string{"drop hash-1", "get 1", "list", "list"},
		},
		{
			name:  "too little is known of one: it is not terminated, and reported",
			rows:  append(lives(1), live(2)), // no origin, so whether it is excluded can't be decided
			want:  "hash-1 terminated, hash-2 unknown",
			kind:  termination.Unknown,
			calls: []string{"drop hash-1", "get 1", "get 2", "list", "list"},
		},
		{
			name:  "a row without a session ID can't be terminated, and is reported",
			rows:  []session.Session{{RecordID: "9", User: "jane.roe", OriginIP: "192.0.2.7"}},
			want:  " not_attempted",
			kind:  termination.StillLive,
			calls: []string{"list"},
		},
		{
			name:  "two rows of one session are terminated once, and the live one counts",
			rows:  append(lives(1), visitor(1)),
			want:  "hash-1 terminated",
			calls: []string{"drop hash-1", "get 1", "list", "list"},
		},
		{
			name:  "two rows of one session that tell too little name it once",
			rows:  []session.Session{live(1), live(1)},
			want:  "hash-1 unknown",
			kind:  termination.Unknown,
			calls: []string{"list"},
		},
		{
			name:  "of two rows of one session the one that tells enough decides",
			rows:  append([]session.Session{live(1)}, lives(1)...),
			want:  "hash-1 terminated",
			calls: []string{"drop hash-1", "get 1", "list", "list"},
		},
		{
			name:    "in a dry run too, the row that tells enough decides",
			rows:    append([]session.Session{live(1)}, lives(1)...),
			request: termination.DrainRequest{DryRun: true},
			want:    "hash-1 matched",
			calls:   []string{"list"},
		},
		{
			name:   "a row that shows the session live weighs more than one before it",
			rows:   withoutRecordIDs(visitor(1)),
			script: refusing(withoutRecordIDs(ended(1), visitor(1))...),
			want:   "hash-1 refused",
			kind:   termination.StillLive,
			calls:  []string{"drop hash-1", "drop hash-1", "drop hash-1", "list", "list", "list", "list"},
			took:   4 * time.Second,
		},
		{
			name:   "a row that shows the session live weighs more than one after it",
			rows:   withoutRecordIDs(visitor(1)),
			script: refusing(withoutRecordIDs(visitor(1), ended(1))...),
			want:   "hash-1 refused",
			kind:   termination.StillLive,
			calls:  []string{"drop hash-1", "drop hash-1", "drop hash-1", "list", "list", "list", "list"},
			took:   4 * time.Second,
		},
		{
			name: "a session that ended before a broken list is read again is not terminated",
			rows: lives(1, 2),
			script: func(p *fakeAPI) {
				p.breakOff = 1
				p.lists = append(p.lists, func() error {
					p.end("hash-1")
					return session.ErrTransient
				}, works)
			},
			want:  "hash-2 terminated",
			calls: []string{"drop hash-2", "get 2", "list", "list", "list"},
			took:  500 * time.Millisecond,
		},
		{
			name: "an ID that can't be sent concerns no other session",
			rows: lives(1, 2),
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, func(id string) error {
					if id == "hash-1" {
						return session.ErrIdentifier
					}
					p.end(id)
					return nil
				})
			},
			want:  "hash-1 not_attempted, hash-2 terminated",
			kind:  termination.StillLive,
			calls: []string{"drop hash-1", "drop hash-2", "get 2", "list", "list"},
		},
		{
			name: "senhasegura is unavailable for a while",
			rows: lives(1),
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, failWith(session.ErrTransient), func(id string) error { p.end(id); return nil })
			},
			want:  "hash-1 terminated",
			calls: []string{"drop hash-1", "drop hash-1", "get 1", "get 1", "list", "list"},
			took:  2 * time.Second,
		},
		{
			name: "may not read single sessions",
			rows: lives(1),
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, func(id string) error {
					time.AfterFunc(time.Second, func() { p.end(id) })
					return nil
				})
				p.gets = append(p.gets, failWith(session.ErrPermission))
			},
			want:  "hash-1 terminated",
			calls: []string{"drop hash-1", "drop hash-1", "get 1", "list", "list", "list"},
			took:  2 * time.Second,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: slices.Clone(test.rows)}
				if test.script != nil {
					test.script(p)
				}
				request := test.request
				request.Selector = selector(t)
				if request.PollInterval == 0 {
					request.PollInterval = interval
				}
				ctx, cancel := context.WithTimeout(t.Context(), deadline)
				defer cancel()
				started := time.Now()

				report, err := termination.New(p, termination.Options{Retries: 2, Concurrency: 4, ListTimeout: 10 * time.Second}).Drain(ctx, request)

				if took := time.Since(started); took != test.took {
					t.Errorf("took %v, want %v", took, test.took)
				}
				checkDrainFailure(t, err, test.kind, test.cause)
				if got := outcomes(report); got != test.want {
					t.Errorf("report %q, want %q", got, test.want)
				}
				checkAgainstTruth(t, p, report, err)
				calls := p.journal()
				slices.Sort(calls)
				if !slices.Equal(calls, test.calls) {
					t.Errorf("calls %q, want %q", calls, test.calls)
				}
			})
		})
	}
}

func checkDrainFailure(t *testing.T, err error, kind termination.Kind, cause error) {
	t.Helper()
	if kind == "" {
		if err != nil {
			t.Errorf("error %v, want none", err)
		}
		return
	}
	var failure *termination.DrainError
	if !errors.As(err, &failure) {
		t.Fatalf("error %v, want a *DrainError", err)
	}
	if failure.Kind != kind {
		t.Errorf("kind %q, want %q (%v)", failure.Kind, kind, err)
	}
	if cause != nil && !errors.Is(err, cause) {
		t.Errorf("error %v does not show its cause %v", err, cause)
	}
}

// checkAgainstTruth compares the report with what senhasegura knows: no session is
// falsely reported as ended, and each live matching session is in the report or covered
// by an error.
func checkAgainstTruth(t *testing.T, p *fakeAPI, report termination.Report, err error) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	liveNow := map[string]bool{}
	for _, s := range p.sessions {
		liveNow[s.ID] = liveNow[s.ID] || s.Live()
	}
	for _, d := range report.Sessions {
		if d.Outcome.Ended() && liveNow[d.Session.ID] {
			t.Errorf("%s is reported %s and is live", d.Session.ID, d.Outcome)
		}
	}
	for _, s := range p.sessions {
		meant := s.User == "jane.roe" // excluded ones are named, too
		named := slices.ContainsFunc(report.Sessions, func(d termination.SessionResult) bool { return d.Session.ID == s.ID })
		if s.Live() && meant && !named && err == nil {
			t.Errorf("%s is live, and neither named nor covered by an error", s.ID)
		}
	}
	for _, call := range p.calls {
		for _, s := range p.sessions {
			if call == "drop "+s.ID && (s.User != "jane.roe" || s.OriginIP == "192.0.2.1" || s.OriginIP == "") && s.StartedAt != ended(1).StartedAt {
				t.Errorf("%s was terminated and does not match", s.ID)
			}
		}
	}
}

// A senhasegura that refuses every request does not get one for each session.
func TestDrainStopsWhereAllWouldFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{drops: []func(string) error{failWith(session.ErrLockdown)}}
		for n := range 1000 {
			p.sessions = append(p.sessions, visitor(n))
		}
		report, err := termination.New(p, termination.Options{Concurrency: 4}).Drain(t.Context(), termination.DrainRequest{Selector: selector(t), PollInterval: interval})
		checkDrainFailure(t, err, termination.StillLive, session.ErrLockdown)
		if drops := len(p.journal()) - reads(p); drops > 8 {
			t.Errorf("%d requests were sent in a lockdown", drops)
		}
		if got := len(report.NotEnded()); got != 1000 {
			t.Errorf("%d sessions reported, want all 1000", got)
		}
	})
}

// An interrupt ends every stage at once, and the report says what is true.
func TestDrainInterrupted(t *testing.T) {
	t.Parallel()
	const moment = 6500 * time.Millisecond // it falls on no check
	for _, test := range []struct {
		name    string
		script  func(*fakeAPI)
		request termination.DrainRequest
		kind    termination.Kind
		want    string
	}{
		{"first list", func(p *fakeAPI) { p.listTime = time.Hour }, termination.DrainRequest{}, termination.NotAttempted, ""},
		{"grace", func(*fakeAPI) {}, termination.DrainRequest{Grace: time.Hour}, termination.StillLive, "hash-1 not_attempted"},
		{"drop", func(p *fakeAPI) { p.dropTime = time.Hour }, termination.DrainRequest{}, termination.Unknown, "hash-1 unknown"},
		{"confirmation", func(p *fakeAPI) { p.drops = append(p.drops, acceptOnly) }, termination.DrainRequest{}, termination.StillLive, "hash-1 still_live"},
		{"quiet time", func(*fakeAPI) {}, termination.DrainRequest{Quiet: time.Hour}, termination.Unknown, "hash-1 terminated"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: lives(1)}
				test.script(p)
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(moment, cancel)
				request := test.request
				request.Selector, request.PollInterval = selector(t), interval
				started := time.Now()
				report, err := termination.New(p, termination.Options{Retries: 2}).Drain(ctx, request)
				if took := time.Since(started); took != moment {
					t.Errorf("returned after %v, interrupted after %v", took, moment)
				}
				checkDrainFailure(t, err, test.kind, context.Canceled)
				if got := outcomes(report); got != test.want {
					t.Errorf("report %q, want %q", got, test.want)
				}
				synctest.Wait()
			})
		})
	}
}

// Progress is reported in order, each session once.
func TestDrainProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: lives(1, 2)}
		time.AfterFunc(3*time.Second, func() { p.end("hash-1") })
		var told []string
		_, err := termination.New(p, termination.Options{}).Drain(t.Context(), termination.DrainRequest{
			Selector: selector(t), PollInterval: interval, Grace: 4 * time.Second, Quiet: time.Second,
			Progress: func(e termination.Event) {
				text := string(e.Stage)
				if e.Session != nil {
					text += " " + e.Session.Session.ID + " " + string(e.Session.Outcome)
				}
				told = append(told, text)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"listed", "grace", "settled hash-1 already_ended", "terminating", "settled hash-2 terminated", "quiet"}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

// A repeated request is told with the reason: the failure of the one before, or none
// where senhasegura accepted it and the session is still live.
func TestDrainProgressOfRepeatedRequests(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		drop func(string) error
		want error
	}{
		"accepted": {acceptOnly, nil},
		"refused":  {refuse, session.ErrRefused},
		"lost":     {lose, session.ErrUnknownOutcome},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: lives(1, 2), drops: []func(string) error{test.drop}}
				var requests []termination.Event
				_, _ = plan{server: p, retries: 1, request: termination.DrainRequest{Progress: func(e termination.Event) {
					if e.Stage == termination.Terminating || e.Stage == termination.Repeating {
						requests = append(requests, e)
					}
				}}}.run(t)
				if len(requests) != 2 || requests[0].Stage != termination.Terminating || requests[0].Count != 2 {
					t.Fatalf("told %+v, want a request for two and its repetition", requests)
				}
				again := requests[1]
				if again.Stage != termination.Repeating || again.Count != 2 || !errors.Is(again.Reason, test.want) {
					t.Errorf("told %+v, want the repetition for two because of %v", again, test.want)
				}
			})
		})
	}
}

// Where some requests were accepted and others refused, each reason has its own count.
func TestDrainProgressOfMixedRepetitions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: lives(1, 2, 3), drops: []func(string) error{func(id string) error {
			if id == "hash-3" {
				return session.ErrRefused
			}
			return nil
		}}}
		counts := map[bool]int{}
		_, _ = plan{server: p, retries: 1, request: termination.DrainRequest{Progress: func(e termination.Event) {
			if e.Stage == termination.Repeating {
				counts[errors.Is(e.Reason, session.ErrRefused)] += e.Count
			}
		}}}.run(t)
		if want := map[bool]int{false: 2, true: 1}; !maps.Equal(counts, want) {
			t.Errorf("repetitions by whether they were refused: %v, want %v", counts, want)
		}
	})
}
