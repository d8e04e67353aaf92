package termination_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// A drain that is held to its plan terminates what the plan showed and nothing else.
func TestDrainOnlyPreviewed(t *testing.T) {
	t.Parallel()
	const grace = 10 * time.Second
	shown := func(numbers ...int) termination.DrainRequest {
		request := termination.DrainRequest{OnlyPreviewed: true}
		for _, n := range numbers {
			request.Previewed = append(request.Previewed, visitor(n))
		}
		return request
	}
	graceful := func(request termination.DrainRequest) termination.DrainRequest {
		request.Grace = grace
		return request
	}
	for _, test := range []struct {
		name    string
		rows    []session.Session
		script  func(*fakeAPI)
		request termination.DrainRequest

		want string
		kind termination.Kind
		// unapproved are the sessions that the drain fails for because the plan did not
		// show them, and endedSince those that it showed and that ended before.
		unapproved, endedSince []string
		drops                  []string
	}{
		{
			name: "the same sessions", request: shown(1, 2),
			rows: []session.Session{visitor(1), visitor(2)},
			want: "hash-1 terminated, hash-2 terminated", drops: []string{"drop hash-1", "drop hash-2"},
		},
		{
			name: "one more: nothing is terminated", request: shown(1),
			rows: []session.Session{visitor(1), visitor(2)},
			want: "hash-1 not_attempted, hash-2 not_attempted", kind: termination.NotApproved, unapproved: []string{"hash-2"},
		},
		{
			name: "one fewer", request: shown(1, 2),
			rows: []session.Session{visitor(1), ended(2)},
			want: "hash-1 terminated, hash-2 already_ended", endedSince: []string{"hash-2"}, drops: []string{"drop hash-1"},
		},
		{
			name: "nothing was shown, and none is live", request: shown(),
			want: "",
		},
		{
			name: "nothing was shown, and one is live", request: shown(),
			rows: []session.Session{visitor(1)},
			want: "hash-1 not_attempted", kind: termination.NotApproved, unapproved: []string{"hash-1"},
		},
		{
			name: "one more, which ends within the grace", request: graceful(shown(1)),
			rows:   []session.Session{visitor(1), visitor(2)},
			script: func(p *fakeAPI) { time.AfterFunc(grace/2, func() { p.end("hash-2") }) },
			want:   "hash-1 terminated, hash-2 already_ended", drops: []string{"drop hash-1"},
		},
		{
			name: "one that appears within the grace: nothing is terminated", request: graceful(shown(1)),
			rows:   []session.Session{visitor(1)},
			script: func(p *fakeAPI) { time.AfterFunc(grace/2, func() { p.add(visitor(2)) }) },
			want:   "hash-1 not_attempted, hash-2 not_attempted", kind: termination.NotApproved, unapproved: []string{"hash-2"},
		},
		{
			name: "one that appears later: the drain fails at its end", request: shown(1),
			rows: []session.Session{visitor(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, func(id string) error { p.end(id); p.add(visitor(2)); return nil })
			},
			want: "hash-1 terminated, hash-2 not_attempted", kind: termination.NotApproved, unapproved: []string{"hash-2"}, drops: []string{"drop hash-1"},
		},
		{
			name: "one that the list does not show any more: its record decides", request: shown(1),
			rows:   []session.Session{visitor(1)},
			script: func(p *fakeAPI) { p.unlisted = "hash-1" },
			want:   "hash-1 terminated", drops: []string{"drop hash-1"},
		},
		{
			name: "one that cannot be read any more: its end is not known", request: shown(1, 2),
			rows: []session.Session{visitor(2)},
			want: "hash-1 unknown, hash-2 terminated", kind: termination.Unknown, drops: []string{"drop hash-2"},
		},
		{
			name:    "one that an earlier run could not settle needs the plan as well",
			request: termination.DrainRequest{OnlyPreviewed: true, Unsettled: []session.Session{visitor(1), visitor(2)}, Previewed: []session.Session{visitor(2)}},
			rows:    []session.Session{visitor(1), visitor(2)},
			want:    "hash-2 not_attempted, hash-1 not_attempted", kind: termination.NotApproved, unapproved: []string{"hash-1"},
		},
		{
			name:    "one that an earlier run could not settle, and of which nothing can be read, is not known to be live",
			request: termination.DrainRequest{OnlyPreviewed: true, Unsettled: []session.Session{visitor(1)}, Previewed: []session.Session{visitor(2)}},
			rows:    []session.Session{visitor(2)},
			script: func(p *fakeAPI) {
				p.gets = append(p.gets, func(record string) error {
					if record == "1" {
						return session.ErrTransient
					}
					return nil
				})
			},
			want: "hash-2 terminated, hash-1 unknown", kind: termination.Unknown, drops: []string{"drop hash-2"},
		},
		{
			name: "one that matches no more is left alone", request: shown(1),
			rows: []session.Session{other(visitor(1))},
			want: "",
		},
		{
			name:    "the limit comes first",
			request: func() termination.DrainRequest { r := shown(1); r.Limit = new(1); return r }(),
			rows:    []session.Session{visitor(1), visitor(2)},
			want:    "hash-1 not_attempted, hash-2 not_attempted", kind: termination.TooMany, unapproved: []string{"hash-2"},
		},
		{
			name:    "without the restriction everything is terminated",
			request: termination.DrainRequest{Previewed: []session.Session{visitor(1), visitor(3)}},
			rows:    []session.Session{visitor(1), visitor(2), ended(3)},
			want:    "hash-1 terminated, hash-3 already_ended, hash-2 terminated", endedSince: []string{"hash-3"},
			drops: []string{"drop hash-1", "drop hash-2"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				// A list without a single session would be no answer.
				p := &fakeAPI{sessions: append(slices.Clone(test.rows), ended(9))}
				if test.script != nil {
					test.script(p)
				}
				report, err := plan{server: p, allowed: time.Minute, request: test.request}.run(t)
				checkDrainFailure(t, err, test.kind, nil)
				checkReport(t, report, test.want)
				for _, d := range report.Sessions {
					if want := slices.ContainsFunc(test.request.Previewed, func(s session.Session) bool { return s.ID == d.Session.ID }); d.Previewed != want {
						t.Errorf("%s: shown by the plan: %t, want %t", d.Session.ID, d.Previewed, want)
					}
				}
				if got := idsOf(report.Unapproved()); !slices.Equal(got, test.unapproved) {
					t.Errorf("unapproved %q, want %q", got, test.unapproved)
				}
				if got := idsOf(slices.DeleteFunc(slices.Clone(report.Sessions), func(d termination.SessionResult) bool { return !d.EndedSincePreview() })); !slices.Equal(got, test.endedSince) {
					t.Errorf("ended since the preview %q, want %q", got, test.endedSince)
				}
				if got := p.calledWith("drop"); !slices.Equal(got, test.drops) {
					t.Errorf("requests %q, want %q", got, test.drops)
				}
			})
		})
	}
}

// A caller that continues past live sessions does not continue past one that the plan
// did not show, even if its outcome is unknown.
func TestNotApprovedIsNoRun(t *testing.T) {
	t.Parallel()
	if (&termination.DrainError{Kind: termination.NotApproved}).Ran() {
		t.Error("a caller could go on past a session that the plan did not show")
	}
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: []session.Session{visitor(1), visitor(2), ended(9)}}
		time.AfterFunc(5*time.Second, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.sessions = slices.DeleteFunc(p.sessions, func(s session.Session) bool { return s.ID == "hash-2" })
		})
		request := termination.DrainRequest{OnlyPreviewed: true, Previewed: []session.Session{visitor(1)}, Grace: 10 * time.Second}
		report, err := plan{server: p, allowed: time.Minute, request: request}.run(t)
		checkReport(t, report, "hash-1 terminated, hash-2 unknown")
		var failure *termination.DrainError
		if !errors.As(err, &failure) || failure.Ran() {
			t.Errorf("the error %v lets a caller go on past a session that the plan did not show", err)
		}
	})
}

func idsOf(drained []termination.SessionResult) []string {
	var ids []string
	for _, d := range drained {
		ids = append(ids, d.Session.ID)
	}
	return ids
}

// calledWith gives the calls that begin with a word, sorted, because requests go out
// at the same time.
func (p *fakeAPI) calledWith(word string) []string {
	calls := slices.DeleteFunc(p.journal(), func(call string) bool { return call[:len(word)] != word })
	if len(calls) == 0 {
		return nil
	}
	slices.Sort(calls)
	return calls
}
