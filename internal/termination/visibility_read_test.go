package termination_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// What is told of the read is about the one that worked: not about those before it,
// nor about the time for which the question waited.
func TestVisibilityReadsOneList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{
			sessions: []session.Session{live(1), ended(2)}, listTime: 20 * time.Minute, breakOff: 1,
			lists: []func() error{func() error { return session.ErrTransient }, func() error { return nil }},
		}
		asked := time.Now()
		terminator := termination.New(p, termination.Options{Retries: 1, ListTimeout: time.Hour})
		v, err := terminator.Visibility(t.Context())
		if err != nil || v.Live != 1 || v.Ended != 1 {
			t.Fatalf("got %+v, %v, want one live and one ended session", v, err)
		}
		if v.Took != 20*time.Minute || !v.ReadAt.Add(v.Took).Equal(time.Now()) || v.ReadAt.Sub(asked) < 20*time.Minute {
			t.Errorf("read at %v for %v, asked at %v, answered at %v", v.ReadAt, v.Took, asked, time.Now())
		}
		if got := len(p.calls); got != 2 {
			t.Errorf("%d calls, want 2 lists: %q", got, p.calls)
		}
	})
}

func TestVisibilityOfAListThatFails(t *testing.T) {
	t.Parallel()
	p := &fakeAPI{sessions: []session.Session{live(1)}, breakOff: 1, lists: []func() error{func() error { return session.ErrPermission }}}
	v, err := termination.New(p, termination.Options{ListTimeout: time.Hour}).Visibility(t.Context())
	if !errors.Is(err, session.ErrPermission) || v.Live != 0 {
		t.Errorf("got %+v, %v, want the failure and no number", v, err)
	}
}
