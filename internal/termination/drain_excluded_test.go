package termination_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// protected is a live session that matches and is excluded.
func protected(n int) session.Session { return from(live(n), "192.0.2.1") }

// maybe is a session of which it can't be decided whether it matches.
func maybe(s session.Session) session.Session {
	s.User = ""
	return s
}

func TestDrainExcluded(t *testing.T) {
	t.Parallel()
	const grace = 10 * time.Second
	for _, test := range []struct {
		name    string
		rows    []session.Session
		script  func(*fakeAPI)
		request termination.DrainRequest

		want string
		kind termination.Kind
		// blocking are the sessions that the drain fails for.
		blocking []string
		drops    int
		took     time.Duration
	}{
		{
			name: "live: nothing is terminated",
			rows: []session.Session{visitor(1), protected(2)},
			want: "hash-1 not_attempted, hash-2 excluded", kind: termination.Excluded, blocking: []string{"hash-2"},
		},
		{
			name: "live after the grace: nothing is terminated", request: termination.DrainRequest{Grace: grace},
			rows: []session.Session{visitor(1), protected(2)},
			want: "hash-1 not_attempted, hash-2 excluded", kind: termination.Excluded, blocking: []string{"hash-2"}, took: grace,
		},
		{
			name: "ended within the grace: the others are terminated", request: termination.DrainRequest{Grace: grace},
			rows:   []session.Session{visitor(1), protected(2)},
			script: func(p *fakeAPI) { time.AfterFunc(4*time.Second, func() { p.end("hash-2") }) },
			want:   "hash-1 terminated, hash-2 already_ended", drops: 1, took: grace,
		},
		{
			name: "alone, and ended within the grace", request: termination.DrainRequest{Grace: time.Hour},
			rows:   []session.Session{protected(2)},
			script: func(p *fakeAPI) { time.AfterFunc(interval/2, func() { p.end("hash-2") }) },
			want:   "hash-2 already_ended", took: interval,
		},
		{
			name: "it appears later: the drain fails at its end",
			rows: []session.Session{visitor(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, func(id string) error { p.end(id); p.add(protected(2)); return nil })
			},
			want: "hash-1 terminated, hash-2 excluded", kind: termination.Excluded, blocking: []string{"hash-2"}, drops: 1,
		},
		{
			name: "it comes and goes in the quiet period, which does not begin again", request: termination.DrainRequest{Quiet: 20 * time.Second},
			script: func(p *fakeAPI) {
				time.AfterFunc(7*time.Second, func() { p.add(protected(2)) })
				time.AfterFunc(15*time.Second, func() { p.end("hash-2") })
			},
			want: "hash-2 already_ended", took: 20 * time.Second,
		},
		{
			name: "to be left: the others are terminated", request: termination.DrainRequest{LeaveExcluded: true},
			rows: []session.Session{visitor(1), protected(2)},
			want: "hash-1 terminated, hash-2 excluded", drops: 1,
		},
		{
			name: "to be left: the grace does not wait for it", request: termination.DrainRequest{LeaveExcluded: true, Grace: time.Hour},
			rows: []session.Session{protected(2)},
			want: "hash-2 excluded",
		},
		{
			name:    "it counts neither for the limit nor for the quiet period",
			request: termination.DrainRequest{LeaveExcluded: true, Limit: new(1), Quiet: 20 * time.Second},
			rows:    []session.Session{visitor(1), protected(2)},
			script:  func(p *fakeAPI) { time.AfterFunc(10*time.Second, func() { p.add(protected(3)) }) },
			want:    "hash-1 terminated, hash-2 excluded, hash-3 excluded", drops: 1, took: 20 * time.Second,
		},
		{
			name: "it may not match: named, and blocks nothing",
			rows: []session.Session{visitor(1), maybe(protected(2))},
			want: "hash-1 terminated, hash-2 excluded", drops: 1,
		},
		{
			name: "another record of it matches, so that it does",
			rows: []session.Session{visitor(1), maybe(another(protected(1)))},
			want: "hash-1 excluded", kind: termination.Excluded, blocking: []string{"hash-1"},
		},
		{
			name: "whether it is excluded is unknown: it blocks even so", request: termination.DrainRequest{LeaveExcluded: true},
			rows: []session.Session{live(2)},
			want: "hash-2 unknown", kind: termination.Unknown,
		},
		{
			name: "known from an earlier run only", request: termination.DrainRequest{Unsettled: []session.Session{protected(2)}},
			want: "hash-2 excluded",
		},
		{
			name: "known from an earlier run, and live", request: termination.DrainRequest{Unsettled: []session.Session{protected(2)}},
			rows: []session.Session{protected(2)},
			want: "hash-2 excluded", kind: termination.Excluded, blocking: []string{"hash-2"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				// A list without a single session would be no answer.
				p := &fakeAPI{sessions: append([]session.Session{ended(9)}, test.rows...)}
				if test.script != nil {
					test.script(p)
				}
				began := time.Now()
				report, err := plan{server: p, allowed: 2 * time.Hour, request: test.request}.run(t)
				if took := time.Since(began); took != test.took {
					t.Errorf("took %s, want %s", took, test.took)
				}
				checkDrainFailure(t, err, test.kind, nil)
				checkReport(t, report, test.want)
				var blocking []string
				for _, d := range report.Blocking() {
					blocking = append(blocking, d.Session.ID)
				}
				if !slices.Equal(blocking, test.blocking) {
					t.Errorf("blocking %q, want %q", blocking, test.blocking)
				}
				if got := p.count("drop"); got != test.drops {
					t.Errorf("%d requests, want %d: %q", got, test.drops, p.journal())
				}
			})
		})
	}
}

// A preview says which way the drain would go, and a report why it can't be decided
// whether an excluded session matches.
func TestPreviewOfExcluded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: []session.Session{protected(1), maybe(protected(2))}}
		terminator := termination.New(p, termination.Options{})
		for _, leave := range []bool{false, true} {
			report, _, err := terminator.Preview(t.Context(), termination.DrainRequest{Selector: selector(t), LeaveExcluded: leave})
			checkDrainFailure(t, err, "", nil)
			checkReport(t, report, "hash-1 excluded, hash-2 excluded")
			if got := report.Sessions[0].Blocks; got == leave {
				t.Errorf("leave them %t: the first blocks: %t", leave, got)
			}
			if report.Sessions[1].Blocks {
				t.Errorf("leave them %t: one that may not match blocks", leave)
			}
			if unknown := report.Sessions[1].Undecided; len(unknown) != 1 || unknown[0].Criterion != "match.users" {
				t.Errorf("unknown criteria %q, want match.users", unknown)
			}
		}
	})
}

// Each excluded session is reported once, also one that appears later.
func TestDrainReportsExcluded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: []session.Session{visitor(1), protected(2)}}
		p.drops = append(p.drops, func(id string) error { p.end(id); p.add(protected(3)); return nil })
		var told []string
		progress := func(e termination.Event) {
			if e.Stage == termination.Settled {
				told = append(told, e.Session.Session.ID+" "+string(e.Session.Outcome))
			}
		}
		_, err := plan{server: p, request: termination.DrainRequest{LeaveExcluded: true, Progress: progress}}.run(t)
		checkDrainFailure(t, err, "", nil)
		slices.Sort(told)
		if want := []string{"hash-1 terminated", "hash-2 excluded", "hash-3 excluded"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}
