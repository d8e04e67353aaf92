package termination

import (
	"context"
	"errors"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// answering is an API whose termination requests get these responses in turn, and then
// the last one again.
type answering struct {
	API
	answers []error
}

func (a *answering) Drop(context.Context, string) error {
	answer := a.answers[0]
	if len(a.answers) > 1 {
		a.answers = a.answers[1:]
	}
	return answer
}

// Before each request the session was checked so many times and found live.
func TestChecksBeforeRepeatedDrops(t *testing.T) {
	t.Parallel()
	const retries = 4
	for _, test := range []struct {
		name    string
		answers []error
		checks  []int
	}{
		{"accepted, and does nothing", []error{nil}, []int{0, 1, 2, 4, 8}},
		{"refused", []error{session.ErrRefused}, []int{0, 1, 1, 1, 1}},
		{"answers lost", []error{session.ErrUnknownOutcome}, []int{0, 1, 1, 1, 1}},
		{"accepted, and then refused while it is at work", []error{nil, session.ErrRefused}, []int{0, 1, 2, 4, 8}},
		{"refused, and then accepted", []error{session.ErrRefused, nil}, []int{0, 1, 2, 4, 8}},
		{"turned away: the client has repeated it already", []error{session.ErrTransient}, []int{0, 1}},
		{"turned away, and then accepted", []error{session.ErrTransient, nil}, []int{0, 1}},
		{"rejected", []error{session.ErrRejected}, []int{0}},
		{"an id that cannot be sent", []error{session.ErrIdentifier}, []int{0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var l dropLog
			p := &answering{answers: test.answers}
			for i, checks := range test.checks {
				for n := range checks {
					if l.due(retries) {
						t.Fatalf("drop %d is due after %d checks, want %d", i+1, n, checks)
					}
					l.showedLive()
				}
				if !l.due(retries) || l.spent(retries) {
					t.Fatalf("drop %d is not due after %d checks", i+1, checks)
				}
				l.send(t.Context(), p, "hash-1")
			}
			for range 1000 {
				l.showedLive()
			}
			if l.due(retries) || !l.spent(retries) {
				t.Errorf("a drop is due after %d, and the budget of %d is used up", l.sent, 1+retries)
			}
		})
	}
}

// Where no request could have done anything, none is said to have.
func TestOutcomesOfADropLog(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name                    string
		answers                 []error
		ended, live, unreadable Outcome
	}{
		{"none sent", nil, AlreadyEnded, NotAttempted, NotAttempted},
		{"accepted", []error{nil}, Terminated, StillLive, Unknown},
		{"lost", []error{session.ErrUnknownOutcome}, Terminated, StillLive, Unknown},
		{"refused", []error{session.ErrRefused}, AlreadyEnded, Refused, Unknown},
		{"turned away", []error{session.ErrTransient}, AlreadyEnded, NotAttempted, NotAttempted},
		{"lost, then refused", []error{session.ErrUnknownOutcome, session.ErrRefused}, Terminated, StillLive, Unknown},
		{"refused, then turned away", []error{session.ErrRefused, session.ErrTransient}, AlreadyEnded, Refused, Unknown},
		{"accepted, then turned away", []error{nil, session.ErrTransient}, Terminated, StillLive, Unknown},
		{"interrupted before it was sent", []error{context.Canceled}, AlreadyEnded, NotAttempted, NotAttempted},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var l dropLog
			for _, answer := range test.answers {
				l.send(t.Context(), &answering{answers: []error{answer}}, "hash-1")
			}
			if l.whenEnded() != test.ended || l.whenLive() != test.live || l.whenUnread() != test.unreadable {
				t.Errorf("ended %q, live %q, unread %q; want %q, %q and %q", l.whenEnded(), l.whenLive(), l.whenUnread(), test.ended, test.live, test.unreadable)
			}
			if len(test.answers) > 0 && !errors.Is(l.requestErr, test.answers[len(test.answers)-1]) {
				t.Errorf("the last failure is %v", l.requestErr)
			}
		})
	}
}
