package termination_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

const (
	deadline = time.Minute
	interval = 2 * time.Second
)

// refuse, lose and acceptOnly are responses to a termination request.
func refuse(string) error     { return session.ErrRefused }
func lose(string) error       { return session.ErrUnknownOutcome }
func acceptOnly(string) error { return nil }

// record gives a live session in another record.
func record(n int, id string) session.Session {
	s := live(n)
	s.RecordID = id
	return s
}

func failWith(err error) func(string) error { return func(string) error { return err } }

func listError(err error) func() error { return func() error { return err } }

func works() error { return nil }

func TestTerminate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		rows    []session.Session
		script  func(*fakeAPI)
		request termination.Request

		outcome      termination.Outcome
		accepted     bool
		kind         termination.Kind
		notConfirmed error
		causes       []error
		calls        []string
	}{
		{
			name:    "accepted and ended at once",
			rows:    []session.Session{live(1)},
			request: termination.Request{Confirm: true},
			outcome: termination.Terminated, accepted: true,
			calls: []string{"drop hash-1", "list"},
		},
		{
			name:    "the record id saves the list",
			rows:    []session.Session{live(1)},
			request: termination.Request{Confirm: true, RecordID: "1"},
			outcome: termination.Terminated, accepted: true,
			calls: []string{"drop hash-1", "get 1"},
		},
		{
			name:    "without confirmation nothing is looked at and no end is claimed",
			rows:    []session.Session{live(1)},
			outcome: termination.Accepted, accepted: true,
			calls: []string{"drop hash-1"},
		},
		{
			name: "ends later: live in the list, then checked by record ID, with further requests in the meantime",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, func(id string) error {
					time.AfterFunc(2*interval+time.Second, func() { p.end(id) })
					return nil
				})
			},
			request: termination.Request{Confirm: true},
			outcome: termination.Terminated, accepted: true,
			calls: []string{"drop hash-1", "list", "drop hash-1", "get 1", "get 1", "drop hash-1", "get 1"},
		},
		{
			name:    "accepted but the authorization may not list",
			rows:    []session.Session{live(1)},
			script:  func(p *fakeAPI) { p.lists = append(p.lists, listError(session.ErrPermission)) },
			request: termination.Request{Confirm: true},
			outcome: termination.Accepted, accepted: true, notConfirmed: session.ErrPermission,
			calls: []string{"drop hash-1", "list"},
		},
		{
			name:    "accepted but the release has no list",
			rows:    []session.Session{live(1)},
			script:  func(p *fakeAPI) { p.lists = append(p.lists, listError(session.ErrWrongRoute)) },
			request: termination.Request{Confirm: true},
			outcome: termination.Accepted, accepted: true, notConfirmed: session.ErrWrongRoute,
			calls: []string{"drop hash-1", "list"},
		},
		{
			name:    "accepted but hidden: a missing row is not an end",
			request: termination.Request{Confirm: true},
			outcome: termination.Accepted, accepted: true, notConfirmed: session.ErrNotFound,
			calls: []string{"drop hash-1", "list"},
		},
		{
			name: "may not read one session, but may list",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.gets = append(p.gets, failWith(session.ErrPermission))
			},
			request: termination.Request{Confirm: true, RecordID: "1"},
			outcome: termination.Terminated, accepted: true,
			calls: []string{"drop hash-1", "get 1", "list"},
		},
		{
			name:    "the record id belongs to another session",
			rows:    []session.Session{live(1), live(2)},
			request: termination.Request{Confirm: true, RecordID: "2"},
			outcome: termination.Terminated, accepted: true, kind: termination.Mismatch,
			calls: []string{"drop hash-1", "get 2", "list"},
		},
		{
			name:    "the record id belongs to another session, and no list may be read",
			rows:    []session.Session{live(1), live(2)},
			script:  func(p *fakeAPI) { p.lists = append(p.lists, listError(session.ErrPermission)) },
			request: termination.Request{Confirm: true, RecordID: "2"},
			outcome: termination.Accepted, accepted: true, notConfirmed: session.ErrPermission, kind: termination.Mismatch,
			calls: []string{"drop hash-1", "get 2", "list"},
		},
		{
			name:    "no session has the record id",
			rows:    []session.Session{live(1)},
			request: termination.Request{Confirm: true, RecordID: "7"},
			outcome: termination.Terminated, accepted: true, kind: termination.Mismatch,
			calls: []string{"drop hash-1", "get 7", "list"},
		},
		{
			name: "accepted and live at the deadline",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, acceptOnly)
			},
			request: termination.Request{Confirm: true, PollInterval: 25 * time.Second},
			outcome: termination.Accepted, accepted: true, kind: termination.StillLive,
			causes: []error{context.DeadlineExceeded},
			calls:  []string{"drop hash-1", "list", "drop hash-1", "get 1", "get 1"},
		},
		{
			name: "accepted and every check fails for transient reasons",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.lists = append(p.lists, listError(session.ErrTransient))
			},
			request: termination.Request{Confirm: true, PollInterval: 25 * time.Second},
			outcome: termination.Accepted, accepted: true, kind: termination.Unknown,
			causes: []error{session.ErrTransient, context.DeadlineExceeded},
			calls:  []string{"drop hash-1", "list", "list", "list"},
		},
		{
			name: "accepted, checks fail at first and then work",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.lists = append(p.lists, listError(session.ErrTransient), works)
			},
			request: termination.Request{Confirm: true},
			outcome: termination.Terminated, accepted: true,
			calls: []string{"drop hash-1", "list", "list"},
		},
		{
			name: "accepted, then the credentials are rejected: no end is claimed",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.lists = append(p.lists, listError(session.ErrUnauthenticated))
			},
			request: termination.Request{Confirm: true},
			outcome: termination.Accepted, accepted: true, kind: termination.Unknown,
			causes: []error{session.ErrUnauthenticated},
			calls:  []string{"drop hash-1", "list"},
		},
		{
			name:    "an end that cannot be read is no end",
			rows:    []session.Session{{ID: "hash-1", RecordID: "1", UnreadableEnd: "em breve"}},
			script:  func(p *fakeAPI) { p.drops = append(p.drops, acceptOnly) },
			request: termination.Request{Confirm: true, PollInterval: 50 * time.Second},
			outcome: termination.Accepted, accepted: true, kind: termination.StillLive,
			causes: []error{context.DeadlineExceeded},
			calls:  []string{"drop hash-1", "list", "drop hash-1", "get 1"},
		},
		{
			name:    "of two records of one session the live one counts, and neither can tell alone",
			rows:    []session.Session{ended(1), record(1, "2")},
			script:  func(p *fakeAPI) { p.drops = append(p.drops, acceptOnly) },
			request: termination.Request{Confirm: true, PollInterval: 50 * time.Second},
			outcome: termination.Accepted, accepted: true, kind: termination.StillLive,
			causes: []error{context.DeadlineExceeded},
			calls:  []string{"drop hash-1", "list", "drop hash-1", "list"},
		},
		{
			name: "of two records of one session the one that was live ends",
			rows: []session.Session{ended(1), record(1, "2")},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, acceptOnly, func(id string) error { p.end(id); return nil })
			},
			request: termination.Request{Confirm: true},
			outcome: termination.Terminated, accepted: true,
			// The list then shows two ends, of which the first may be the older record's.
			calls: []string{"drop hash-1", "list", "drop hash-1", "list", "get 2"},
		},
		{
			name:    "a record that is listed twice is one",
			rows:    []session.Session{live(1), live(1)},
			script:  func(p *fakeAPI) { p.drops = append(p.drops, acceptOnly) },
			request: termination.Request{Confirm: true, PollInterval: 50 * time.Second},
			outcome: termination.Accepted, accepted: true, kind: termination.StillLive,
			causes: []error{context.DeadlineExceeded},
			calls:  []string{"drop hash-1", "list", "drop hash-1", "get 1"},
		},
		{
			name: "the given record is one of several, and cannot be read alone",
			rows: []session.Session{ended(1), endedRecord(1, "7")},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, refuse)
				p.gets = append(p.gets, failWith(session.ErrPermission))
			},
			request: termination.Request{Confirm: true, RecordID: "7"},
			outcome: termination.AlreadyEnded,
			calls:   []string{"drop hash-1", "get 7", "list"},
		},
		{
			name:    "of several records of one session the caller says which counts",
			rows:    []session.Session{ended(1), record(1, "2")},
			script:  func(p *fakeAPI) { p.drops = append(p.drops, acceptOnly) },
			request: termination.Request{Confirm: true, RecordID: "1"},
			outcome: termination.Terminated, accepted: true,
			calls: []string{"drop hash-1", "get 1"},
		},
		{
			name: "accepted and nothing done, and again after a check",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, acceptOnly, func(id string) error { p.end(id); return nil })
			},
			request: termination.Request{Confirm: true},
			outcome: termination.Terminated, accepted: true,
			calls: []string{"drop hash-1", "list", "drop hash-1", "get 1"},
		},
		{
			name: "accepted, and another drop is refused while the first is at work",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, func(id string) error {
					time.AfterFunc(8*time.Second, func() { p.end(id) })
					return nil
				}, refuse)
			},
			request: termination.Request{Confirm: true},
			outcome: termination.Terminated, accepted: true,
			calls: []string{"drop hash-1", "list", "drop hash-1", "get 1", "get 1", "drop hash-1", "get 1", "get 1"},
		},
		{
			name: "accepted, and then further requests are turned away: one more, and it still waits for the end",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, func(id string) error {
					time.AfterFunc(20*time.Second, func() { p.end(id) })
					return nil
				}, failWith(session.ErrTransient))
			},
			request: termination.Request{Confirm: true},
			outcome: termination.Terminated, accepted: true,
			calls: []string{"drop hash-1", "list", "drop hash-1", "get 1", "get 1", "drop hash-1", "get 1", "get 1", "get 1", "get 1", "get 1"},
		},
		{
			name: "accepted, and then every request is turned away and the session stays live",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, acceptOnly, failWith(session.ErrTransient))
			},
			request: termination.Request{Confirm: true, PollInterval: 25 * time.Second},
			outcome: termination.Accepted, accepted: true, kind: termination.StillLive,
			causes: []error{session.ErrTransient, context.DeadlineExceeded},
			calls:  []string{"drop hash-1", "list", "drop hash-1", "get 1", "get 1"},
		},
		{
			name: "accepted, and then the permission to drop is taken away: no further drop",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, func(id string) error {
					time.AfterFunc(9*time.Second, func() { p.end(id) })
					return nil
				}, failWith(session.ErrPermission))
			},
			request: termination.Request{Confirm: true},
			outcome: termination.Terminated, accepted: true,
			calls: []string{"drop hash-1", "list", "drop hash-1", "get 1", "get 1", "get 1", "get 1"},
		},
		{
			name: "accepted and live, and then the checks fail",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, acceptOnly)
				p.gets = append(p.gets, failWith(nil), failWith(session.ErrUnauthenticated))
			},
			request: termination.Request{Confirm: true},
			outcome: termination.Accepted, accepted: true, kind: termination.StillLive,
			causes: []error{session.ErrUnauthenticated},
			calls:  []string{"drop hash-1", "list", "drop hash-1", "get 1", "get 1"},
		},
		{
			name: "accepted and live, requested again, and nothing read since",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, acceptOnly)
				p.gets = append(p.gets, failWith(session.ErrUnauthenticated))
			},
			request: termination.Request{Confirm: true},
			outcome: termination.Accepted, accepted: true, kind: termination.Unknown,
			causes: []error{session.ErrUnauthenticated},
			calls:  []string{"drop hash-1", "list", "drop hash-1", "get 1"},
		},
		{
			name: "a check by record id that fails again and again gives way to the list",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, acceptOnly, func(id string) error { p.end(id); return nil })
				p.gets = append(p.gets, failWith(session.ErrTransient))
			},
			request: termination.Request{Confirm: true, RecordID: "1"},
			outcome: termination.Terminated, accepted: true,
			calls: []string{"drop hash-1", "get 1", "get 1", "list", "drop hash-1", "list"},
		},
		{
			name: "a check by record id that fails now and then does not",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, acceptOnly)
				p.gets = []func(string) error{failWith(session.ErrTransient), failWith(nil), failWith(session.ErrTransient), failWith(nil)}
			},
			request: termination.Request{Confirm: true, RecordID: "1", PollInterval: 14 * time.Second},
			outcome: termination.Accepted, accepted: true, kind: termination.StillLive,
			causes: []error{context.DeadlineExceeded},
			calls:  []string{"drop hash-1", "get 1", "get 1", "drop hash-1", "get 1", "get 1"},
		},
		{
			name: "a check by record id that is not allowed is not made again",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, acceptOnly, func(id string) error { p.end(id); return nil })
				p.gets = append(p.gets, failWith(session.ErrPermission))
			},
			request: termination.Request{Confirm: true, RecordID: "1"},
			outcome: termination.Terminated, accepted: true,
			calls: []string{"drop hash-1", "get 1", "list", "drop hash-1", "list"},
		},

		{
			name:    "refused because it had ended",
			rows:    []session.Session{ended(1)},
			script:  func(p *fakeAPI) { p.drops = append(p.drops, refuse) },
			request: termination.Request{Confirm: true},
			outcome: termination.AlreadyEnded,
			calls:   []string{"drop hash-1", "list"},
		},
		{
			name:    "refused, and looked at even without confirmation",
			rows:    []session.Session{ended(1)},
			script:  func(p *fakeAPI) { p.drops = append(p.drops, refuse) },
			outcome: termination.AlreadyEnded,
			calls:   []string{"drop hash-1", "list"},
		},
		{
			name:    "refused and live: requested again within the retries, then an error",
			rows:    []session.Session{live(1)},
			script:  func(p *fakeAPI) { p.drops = append(p.drops, refuse) },
			request: termination.Request{Confirm: true},
			kind:    termination.Refused,
			causes:  []error{session.ErrRefused},
			calls:   []string{"drop hash-1", "list", "drop hash-1", "get 1", "drop hash-1", "get 1"},
		},
		{
			name: "refused and live, then accepted",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, refuse, func(id string) error { p.end(id); return nil })
			},
			request: termination.Request{Confirm: true},
			outcome: termination.Terminated, accepted: true,
			calls: []string{"drop hash-1", "list", "drop hash-1", "get 1"},
		},
		{
			name:    "refused and unknown",
			rows:    []session.Session{live(2)},
			script:  func(p *fakeAPI) { p.drops = append(p.drops, refuse) },
			request: termination.Request{Confirm: true},
			kind:    termination.NotFound,
			causes:  []error{session.ErrRefused, session.ErrNotFound},
			calls:   []string{"drop hash-1", "list"},
		},
		{
			name:    "refused and unknown, which counts as gone",
			script:  func(p *fakeAPI) { p.drops = append(p.drops, refuse) },
			request: termination.Request{Confirm: true, IgnoreNotFound: true},
			outcome: termination.NotFound,
			calls:   []string{"drop hash-1", "list"},
		},
		{
			name: "refused and cannot check, which never counts as gone",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, refuse)
				p.lists = append(p.lists, listError(session.ErrPermission))
			},
			request: termination.Request{Confirm: true, IgnoreNotFound: true},
			kind:    termination.Unknown,
			causes:  []error{session.ErrRefused, session.ErrPermission},
			calls:   []string{"drop hash-1", "list"},
		},
		{
			name: "refused, and checks fail for transient reasons until the deadline",
			rows: []session.Session{ended(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, refuse)
				p.lists = append(p.lists, listError(session.ErrTransient))
			},
			request: termination.Request{Confirm: true, PollInterval: 25 * time.Second},
			kind:    termination.Unknown,
			causes:  []error{session.ErrRefused, session.ErrTransient, context.DeadlineExceeded},
			calls:   []string{"drop hash-1", "list", "list", "list"},
		},
		{
			name: "refused, and the only route to a check is wrong: never gone",
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, refuse)
				p.lists = append(p.lists, listError(session.ErrWrongRoute))
			},
			request: termination.Request{Confirm: true, IgnoreNotFound: true},
			kind:    termination.Unknown,
			causes:  []error{session.ErrWrongRoute},
			calls:   []string{"drop hash-1", "list"},
		},

		{
			name: "answer lost after the drop worked",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, func(id string) error { p.end(id); return session.ErrUnknownOutcome })
			},
			request: termination.Request{Confirm: true},
			outcome: termination.Terminated,
			calls:   []string{"drop hash-1", "list"},
		},
		{
			name: "response lost before the request worked: requested again",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, lose, func(id string) error { p.end(id); return nil })
			},
			request: termination.Request{Confirm: true},
			outcome: termination.Terminated, accepted: true,
			calls: []string{"drop hash-1", "list", "drop hash-1", "get 1"},
		},
		{
			name: "answer lost, live, then refused because it has ended in the meantime: it was this run",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, lose, func(id string) error { p.end(id); return session.ErrRefused })
			},
			request: termination.Request{Confirm: true},
			outcome: termination.Terminated,
			calls:   []string{"drop hash-1", "list", "drop hash-1", "get 1"},
		},
		{
			name:    "every answer lost and live",
			rows:    []session.Session{live(1)},
			script:  func(p *fakeAPI) { p.drops = append(p.drops, lose) },
			request: termination.Request{Confirm: true},
			kind:    termination.StillLive,
			causes:  []error{session.ErrUnknownOutcome},
			calls:   []string{"drop hash-1", "list", "drop hash-1", "get 1", "drop hash-1", "get 1"},
		},
		{
			name: "answer lost and cannot check: one repeat, then unknown",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, lose)
				p.lists = append(p.lists, listError(session.ErrWrongRoute))
			},
			request: termination.Request{Confirm: true},
			kind:    termination.Unknown,
			causes:  []error{session.ErrUnknownOutcome, session.ErrWrongRoute},
			calls:   []string{"drop hash-1", "list", "drop hash-1", "list"},
		},
		{
			name: "answer lost and cannot check, the repeat is refused: still unknown",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, lose, refuse)
				p.lists = append(p.lists, listError(session.ErrPermission))
			},
			request: termination.Request{Confirm: true, IgnoreNotFound: true},
			kind:    termination.Unknown,
			calls:   []string{"drop hash-1", "list", "drop hash-1", "list"},
		},
		{
			name: "answer lost and cannot check, the repeat is accepted",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, lose, acceptOnly)
				p.lists = append(p.lists, listError(session.ErrPermission))
			},
			request: termination.Request{Confirm: true},
			outcome: termination.Accepted, accepted: true, notConfirmed: session.ErrPermission,
			calls: []string{"drop hash-1", "list", "drop hash-1", "list"},
		},
		{
			name: "answer lost, live, then senhasegura can't be reached: not called unchanged",
			rows: []session.Session{live(1)},
			script: func(p *fakeAPI) {
				p.drops = append(p.drops, lose, failWith(session.ErrTransient))
			},
			request: termination.Request{Confirm: true},
			kind:    termination.StillLive,
			causes:  []error{session.ErrTransient},
			calls:   []string{"drop hash-1", "list", "drop hash-1"},
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
				request.SessionID = "hash-1"
				if request.PollInterval == 0 {
					request.PollInterval = interval
				}
				ctx, cancel := context.WithTimeout(t.Context(), deadline)
				defer cancel()

				result, err := termination.New(p, termination.Options{Retries: 2, Pause: 20 * time.Second, ListTimeout: time.Hour}).Terminate(ctx, request)

				checkFailure(t, err, test.kind, test.causes)
				if result.Outcome != test.outcome {
					t.Errorf("outcome %q, want %q", result.Outcome, test.outcome)
				}
				if result.Accepted != test.accepted {
					t.Errorf("accepted %t, want %t", result.Accepted, test.accepted)
				}
				if !errors.Is(result.NotConfirmed, test.notConfirmed) {
					t.Errorf("not confirmed because of %v, want %v", result.NotConfirmed, test.notConfirmed)
				}
				if seen := !result.ConfirmedAt.IsZero(); seen != test.outcome.Ended() {
					t.Errorf("confirmed at %v with outcome %q", result.ConfirmedAt, result.Outcome)
				}
				if test.outcome.Ended() && (result.Session == nil || result.Session.Live()) {
					t.Errorf("outcome %q rests on the sight of %+v", result.Outcome, result.Session)
				}
				if got := p.journal(); !slices.Equal(got, test.calls) {
					t.Errorf("calls %q, want %q", got, test.calls)
				}
			})
		})
	}
}

// checkFailure checks that err is an *Error of the kind with the causes, or nil
// where kind is empty.
func checkFailure(t *testing.T, err error, kind termination.Kind, causes []error) {
	t.Helper()
	if kind == "" {
		if err != nil {
			t.Errorf("error %v, want none", err)
		}
		return
	}
	var failure *termination.Error
	if !errors.As(err, &failure) {
		t.Fatalf("error %v, want an *Error of kind %q", err, kind)
	}
	if failure.Kind != kind {
		t.Errorf("kind %q, want %q (%v)", failure.Kind, kind, err)
	}
	for _, cause := range causes {
		if !errors.Is(err, cause) {
			t.Errorf("error %v does not show its cause %v", err, cause)
		}
	}
}

// Failures that senhasegura certainly did not act on end the run at once: one request,
// no check.
func TestTerminateFailsAtOnce(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{
		session.ErrUnauthenticated, session.ErrInactive, session.ErrPermission, session.ErrReferer, session.ErrLockdown,
		session.ErrWrongRoute, session.ErrIdentifier, session.ErrRejected, session.ErrTransient,
	} {
		t.Run(cause.Error(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: []session.Session{live(1)}, drops: []func(string) error{failWith(cause)}}
				result, err := termination.New(p, termination.Options{Retries: 2}).Terminate(t.Context(),
					termination.Request{SessionID: "hash-1", Confirm: true, IgnoreNotFound: true, PollInterval: interval})
				checkFailure(t, err, termination.NotAttempted, []error{cause})
				if result.Accepted || result.Outcome != "" {
					t.Errorf("result %+v of a drop that was not carried out", result)
				}
				if got, want := p.journal(), []string{"drop hash-1"}; !slices.Equal(got, want) {
					t.Errorf("calls %q, want %q", got, want)
				}
			})
		})
	}
}

// An interrupt ends every wait at once, and the error says what is true then.
func TestTerminateInterrupted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		script   func(p *fakeAPI, interrupt func())
		after    time.Duration
		kind     termination.Kind
		accepted bool
	}{
		{"before the drop", func(*fakeAPI, func()) {}, 0, termination.NotAttempted, false},
		{"while confirming", func(p *fakeAPI, _ func()) { p.drops = append(p.drops, acceptOnly) }, 5 * time.Second, termination.StillLive, true},
		{"while the list is read", func(p *fakeAPI, _ func()) { p.drops = append(p.drops, acceptOnly); p.listTime = time.Hour }, 5 * time.Second, termination.Unknown, true},
		{"before a repeated drop", func(p *fakeAPI, _ func()) { p.drops = append(p.drops, refuse) }, time.Second, termination.Refused, false},
		{"while looking after a lost answer", func(p *fakeAPI, _ func()) { p.drops = append(p.drops, lose); p.listTime = time.Hour }, time.Second, termination.Unknown, false},
		{"before a further drop is sent", func(p *fakeAPI, interrupt func()) {
			p.drops = append(p.drops, acceptOnly, func(string) error {
				interrupt()
				return context.Canceled
			})
		}, interval, termination.StillLive, true},
		{"while the drop is on its way", func(p *fakeAPI, interrupt func()) {
			p.drops = append(p.drops, func(string) error {
				interrupt()
				return fmt.Errorf("%w: %w", session.ErrUnknownOutcome, context.Canceled)
			})
		}, 0, termination.Unknown, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: []session.Session{live(1)}}
				ctx, cancel := context.WithCancel(t.Context())
				test.script(p, cancel)
				if test.after == 0 && test.kind == termination.NotAttempted {
					cancel()
				}
				started := time.Now()
				time.AfterFunc(test.after, cancel)
				result, err := termination.New(p, termination.Options{Retries: 2}).Terminate(ctx,
					termination.Request{SessionID: "hash-1", Confirm: true, PollInterval: interval})
				checkFailure(t, err, test.kind, []error{context.Canceled})
				if waited := time.Since(started); waited > test.after {
					t.Errorf("returned after %v, interrupted after %v", waited, test.after)
				}
				if result.Accepted != test.accepted {
					t.Errorf("accepted %t, want %t", result.Accepted, test.accepted)
				}
				synctest.Wait()
			})
		})
	}
}

// An interrupt during a check does not hide why the checks before it failed.
func TestInterruptKeepsTheLastFailure(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, p *fakeAPI, use func(context.Context, *termination.Terminator) error) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			// Looks fail at 3, 8 and so on; the interrupt comes during the second.
			p.listTime = 3 * time.Second
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			err := use(ctx, termination.New(p, termination.Options{}))
			for _, cause := range []error{session.ErrTransient, context.DeadlineExceeded} {
				if !errors.Is(err, cause) {
					t.Errorf("the error %v does not show %v", err, cause)
				}
			}
		})
	}
	t.Run("terminate", func(t *testing.T) {
		t.Parallel()
		p := &fakeAPI{drops: []func(string) error{acceptOnly}, lists: []func() error{listError(session.ErrTransient)}}
		run(t, p, func(ctx context.Context, terminator *termination.Terminator) error {
			_, err := terminator.Terminate(ctx, termination.Request{SessionID: "hash-1", Confirm: true, PollInterval: 3 * time.Second})
			return err
		})
	})
	t.Run("drain", func(t *testing.T) {
		t.Parallel()
		p := &fakeAPI{sessions: withoutRecordIDs(visitor(1)), drops: []func(string) error{acceptOnly}, lists: []func() error{works, listError(session.ErrTransient)}}
		wanted := selector(t)
		run(t, p, func(ctx context.Context, terminator *termination.Terminator) error {
			report, err := terminator.Drain(ctx, termination.DrainRequest{Selector: wanted, PollInterval: 3 * time.Second})
			if notEnded := report.NotEnded(); len(notEnded) != 1 || !errors.Is(notEnded[0].Err, session.ErrTransient) {
				t.Errorf("not ended %+v, want one with the failure of its check", notEnded)
			}
			return err
		})
	})
}

// A record id that the caller keeps is used for refreshes, so that it must be the
// only one of the session.
func TestTerminateGivesOnlyRecordIDs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rows []session.Session
		want string
	}{
		"one record":            {[]session.Session{ended(1)}, "1"},
		"one record, twice":     {[]session.Session{ended(1), ended(1)}, "1"},
		"two records":           {[]session.Session{ended(1), endedRecord(1, "7")}, ""},
		"two, one of them live": {[]session.Session{ended(1), record(1, "7")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &fakeAPI{sessions: test.rows, drops: []func(string) error{refuse}}
			result, err := termination.New(p, termination.Options{}).Terminate(t.Context(), termination.Request{SessionID: "hash-1", Confirm: true, PollInterval: interval})
			if result.Session == nil || result.Session.RecordID != test.want {
				t.Errorf("%+v, %v; want the record id %q", result.Session, err, test.want)
			}
		})
	}
}

// One budget limits the requests for a session, whatever the responses are.
func TestTerminateBudget(t *testing.T) {
	t.Parallel()
	unreadable := func(p *fakeAPI) { p.lists = append(p.lists, listError(session.ErrPermission)) }
	for _, test := range []struct {
		name   string
		drops  []func(string) error
		script func(*fakeAPI)
		// want are the requests with a budget of 1, 2, 3, 4 and 5.
		want [5]int
	}{
		{"accepted, and nothing done", []func(string) error{acceptOnly}, nil, [...]int{1, 2, 3, 4, 5}},
		{"refused", []func(string) error{refuse}, nil, [...]int{1, 2, 3, 4, 5}},
		{"lost", []func(string) error{lose}, nil, [...]int{1, 2, 3, 4, 5}},
		{"refused, then accepted, and nothing done", []func(string) error{refuse, acceptOnly}, nil, [...]int{1, 2, 3, 4, 5}},
		{"lost, and cannot be read", []func(string) error{lose}, unreadable, [...]int{1, 2, 2, 2, 2}},
		{"refused, and cannot be read", []func(string) error{refuse}, unreadable, [...]int{1, 1, 1, 1, 1}},
		{"turned away", []func(string) error{failWith(session.ErrTransient)}, nil, [...]int{1, 1, 1, 1, 1}},
		{"accepted, then turned away", []func(string) error{acceptOnly, failWith(session.ErrTransient)}, nil, [...]int{1, 2, 3, 3, 3}},
		{"accepted, then forbidden", []func(string) error{acceptOnly, failWith(session.ErrPermission)}, nil, [...]int{1, 2, 2, 2, 2}},
	} {
		for retries, want := range test.want {
			t.Run(fmt.Sprintf("%s, %d retries", test.name, retries), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					p := &fakeAPI{sessions: []session.Session{live(1)}, drops: slices.Clone(test.drops)}
					if test.script != nil {
						test.script(p)
					}
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					_, err := termination.New(p, termination.Options{Retries: retries}).Terminate(ctx,
						termination.Request{SessionID: "hash-1", Confirm: true, PollInterval: interval})
					var failure *termination.Error
					if !errors.As(err, &failure) {
						t.Fatalf("error %v", err)
					}
					if failure.Requests != want || made(p, "drop hash-1") != want {
						t.Errorf("%d requests, and the error counts %d; want %d", made(p, "drop hash-1"), failure.Requests, want)
					}
				})
			})
		}
	}
}

// A request that was accepted and did nothing is repeated after 1, 2, 4 and 8 checks.
// The checks are further and further apart, and closer again after each request.
func TestTerminatePace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: []session.Session{live(1)}}
		began := time.Now()
		var when []string
		note := func(what string) func(string) error {
			return func(string) error {
				when = append(when, fmt.Sprintf("%s at %v", what, time.Since(began).Round(time.Second)))
				return nil
			}
		}
		p.drops = append(p.drops, note("drop"))
		p.gets = append(p.gets, note("get"))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		_, err := termination.New(p, termination.Options{Retries: 4}).Terminate(ctx,
			termination.Request{SessionID: "hash-1", RecordID: "1", Confirm: true, PollInterval: interval})
		checkFailure(t, err, termination.StillLive, []error{context.DeadlineExceeded})
		want := []string{
			"drop at 0s", "get at 0s",
			"drop at 2s", "get at 2s", "get at 4s",
			"drop at 7s", "get at 7s", "get at 9s", "get at 12s", "get at 17s",
			"drop at 23s", "get at 23s", "get at 25s", "get at 28s", "get at 33s", "get at 40s", "get at 50s", "get at 1m5s", "get at 1m28s",
			"drop at 1m58s", "get at 1m58s", "get at 2m0s", "get at 2m3s", "get at 2m7s", "get at 2m14s", "get at 2m24s", "get at 2m39s", "get at 3m2s",
			"get at 3m32s", "get at 4m2s", "get at 4m32s",
		}
		if !slices.Equal(when, want) {
			t.Errorf("got %q\nwant %q", when, want)
		}
	})
}

// Two lists that poll are as far apart as the last one took, at least.
func TestTerminatePausesBetweenLists(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: []session.Session{{ID: "hash-1"}}, listTime: 3 * time.Minute, drops: []func(string) error{acceptOnly}}
		began := time.Now()
		var ends []time.Duration
		p.lists = append(p.lists, func() error {
			ends = append(ends, time.Since(began))
			return nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
		defer cancel()
		_, err := termination.New(p, termination.Options{}).Terminate(ctx,
			termination.Request{SessionID: "hash-1", Confirm: true, PollInterval: interval})
		checkFailure(t, err, termination.StillLive, []error{context.DeadlineExceeded})
		const apart = 3*time.Minute + time.Second // a second more, in which askers are gathered
		want := []time.Duration{3 * time.Minute, 6*time.Minute + apart, 9*time.Minute + 2*apart}
		if !slices.Equal(ends, want) {
			t.Errorf("lists end after %v, want %v", ends, want)
		}
	})
}

// An end that a list has shown before the request answers a refusal without a call.
// A request that may have worked was about another record, perhaps, so it is
// checked; the end is never this run's.
func TestTerminateRemembersEnds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		drop    func(string) error
		confirm bool
		outcome termination.Outcome
		calls   []string
	}{
		"refused":                  {refuse, true, termination.AlreadyEnded, nil},
		"lost":                     {lose, true, termination.AlreadyEnded, []string{"list"}},
		"accepted":                 {acceptOnly, true, termination.AlreadyEnded, []string{"list"}},
		"accepted, not to confirm": {acceptOnly, false, termination.Accepted, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: []session.Session{live(1), ended(2)}}
				terminator := termination.New(p, termination.Options{})
				if _, err := terminator.Find(t.Context(), "hash-1"); err != nil {
					t.Fatal(err)
				}
				p.drops = []func(string) error{test.drop}
				result, err := terminator.Terminate(t.Context(), termination.Request{SessionID: "hash-2", Confirm: test.confirm, PollInterval: interval})
				if err != nil || result.Outcome != test.outcome || test.confirm && (result.Session == nil || result.Session.Live()) {
					t.Errorf("%+v, %v", result, err)
				}
				if got, want := p.journal(), append([]string{"list", "drop hash-2"}, test.calls...); !slices.Equal(got, want) {
					t.Errorf("calls %q, want %q", got, want)
				}
			})
		})
	}
}

// What a list showed is forgotten when a later one shows the session live.
func TestTerminateForgetsEndsOfLiveSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: []session.Session{live(1), ended(2)}}
		terminator := termination.New(p, termination.Options{})
		look := func() {
			if _, err := terminator.Find(t.Context(), "hash-1"); err != nil {
				t.Fatal(err)
			}
		}
		look()
		p.sessions = append(p.sessions, record(2, "7"))
		look()
		p.drops = []func(string) error{refuse}
		_, err := terminator.Terminate(t.Context(), termination.Request{SessionID: "hash-2", Confirm: true, PollInterval: interval})
		checkFailure(t, err, termination.Refused, nil)
		if got, want := p.journal(), []string{"list", "list", "drop hash-2", "list"}; !slices.Equal(got, want) {
			t.Errorf("calls %q, want %q", got, want)
		}
	})
}

// What was remembered from before the request and was forgotten since says nothing
// about whose end a later check shows.
func TestTerminateAfterAForgottenEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: []session.Session{live(1), ended(2)}}
		terminator := termination.New(p, termination.Options{Retries: 1})
		look := func() {
			if _, err := terminator.Find(t.Context(), "hash-1"); err != nil {
				t.Fatal(err)
			}
		}
		look()
		p.drops = []func(string) error{
			func(string) error { p.add(record(2, "7")); look(); return nil },
			func(id string) error { p.end(id); return nil },
		}
		result, err := terminator.Terminate(t.Context(), termination.Request{SessionID: "hash-2", Confirm: true, PollInterval: interval})
		if err != nil || result.Outcome != termination.Terminated {
			t.Errorf("%+v, %v, want it terminated", result, err)
		}
	})
}

// Where the list cannot be read, terminations that are refused do not wait for it
// each in turn. One that was accepted waits for as long as it may.
func TestTerminateInAnOutage(t *testing.T) {
	t.Parallel()
	const limit, allowed = 10 * time.Minute, time.Hour
	for name, test := range map[string]struct {
		drop func(string) error
		want time.Duration
	}{
		"refused":  {refuse, limit + 8*time.Second},
		"lost":     {lose, limit + 8*time.Second},
		"accepted": {acceptOnly, 2 * allowed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{listTime: 8 * time.Second, lists: []func() error{listError(session.ErrTransient)}, drops: []func(string) error{test.drop}}
				terminator := termination.New(p, termination.Options{Retries: 1, ListTimeout: limit})
				took := inTurn(20, 10, func(n int) {
					ctx, cancel := context.WithTimeout(t.Context(), allowed)
					defer cancel()
					_, err := terminator.Terminate(ctx, termination.Request{SessionID: fmt.Sprint("hash-", n), Confirm: true, PollInterval: interval})
					checkFailure(t, err, termination.Unknown, []error{session.ErrTransient})
				})
				if took != test.want {
					t.Errorf("20 terminations, 10 at a time, took %v, want %v", took, test.want)
				}
			})
		})
	}
}

// A list that began before a request and was complete after it does not show who ended
// the session. If no request can have ended it, that does not matter.
func TestTerminateAndTheListUnderWay(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		drop    func(string) error
		outcome termination.Outcome
		calls   []string
	}{
		"accepted": {acceptOnly, termination.Terminated, []string{"list", "drop hash-2", "get 2", "get 2"}},
		"refused":  {refuse, termination.AlreadyEnded, []string{"list", "drop hash-2", "get 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: []session.Session{live(1), ended(2)}, listTime: time.Minute, drops: []func(string) error{test.drop}}
				p.gets = []func(string) error{failWith(session.ErrTransient), failWith(nil)}
				terminator := termination.New(p, termination.Options{})
				var others sync.WaitGroup
				others.Go(func() {
					if _, err := terminator.Find(t.Context(), "hash-1"); err != nil {
						t.Error(err)
					}
				})
				if err := pause(t.Context(), 10*time.Second); err != nil {
					t.Fatal(err)
				}
				result, err := terminator.Terminate(t.Context(),
					termination.Request{SessionID: "hash-2", RecordID: "2", Confirm: true, PollInterval: time.Minute})
				if err != nil || result.Outcome != test.outcome {
					t.Errorf("%+v, %v, want %s", result, err, test.outcome)
				}
				if got := p.journal(); !slices.Equal(got, test.calls) {
					t.Errorf("calls %q, want %q", got, test.calls)
				}
				others.Wait()
			})
		})
	}
}

// A list that was read for another question may show the end before any check.
func TestTerminateAsksNoMoreThanTheListShowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: []session.Session{live(1), live(2)}}
		terminator := termination.New(p, termination.Options{})
		terminate := func(id string) {
			result, err := terminator.Terminate(t.Context(), termination.Request{SessionID: id, Confirm: true, PollInterval: interval})
			if err != nil || result.Outcome != termination.Terminated || result.Session == nil || result.Session.Live() {
				t.Errorf("%s: %+v, %v", id, result, err)
			}
		}
		p.drops = append(p.drops, func(id string) error {
			p.end(id)
			if id == "hash-2" {
				p.add(live(3))
				if err := pause(t.Context(), time.Millisecond); err != nil {
					t.Error(err)
				}
				terminate("hash-3")
			}
			return nil
		})
		terminate("hash-1")
		terminate("hash-2")
		want := []string{"drop hash-1", "list", "drop hash-2", "drop hash-3", "list"}
		if got := p.journal(); !slices.Equal(got, want) {
			t.Errorf("calls %q, want %q", got, want)
		}
	})
}
