package termination_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

func reads(p *pam) int {
	n := 0
	for _, call := range p.journal() {
		if call == "list" {
			n++
		}
	}
	return n
}

// A hundred askers at once need one read for the first and one for the rest.
func TestLookIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const askers = 100
		p := &pam{listTime: time.Minute}
		for n := range askers {
			p.sessions = append(p.sessions, live(n))
		}
		look := termination.NewLook(p, 0, 0)
		var wg sync.WaitGroup
		for n := range askers {
			wg.Go(func() {
				id := fmt.Sprintf("hash-%d", n)
				if s, err := look.One(t.Context(), id); err != nil || s.ID != id {
					t.Errorf("%s: got %q, %v", id, s.ID, err)
				}
			})
		}
		wg.Wait()
		if got := reads(p); got > 2 {
			t.Errorf("%d reads of the list, want at most 2", got)
		}
	})
}

// Askers who come while a read is under way are answered by the next one, which
// sees what happened in between.
func TestLookIsNeverStale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pam{sessions: []session.Session{live(1)}, listTime: time.Minute}
		look := termination.NewLook(p, 0, 0)
		var wg sync.WaitGroup
		for second := range 50 {
			wg.Go(func() {
				if err := pause(t.Context(), time.Duration(second)*7*time.Second); err != nil {
					t.Error(err)
				}
				asked := time.Now()
				s, err := look.One(t.Context(), "hash-1")
				if err != nil {
					t.Error(err)
					return
				}
				if endedBefore := s.Live() && asked.After(time.Date(2000, 1, 1, 0, 2, 30, 0, time.UTC)); endedBefore {
					t.Errorf("asked at %v, after the end, and was shown the session live", asked)
				}
			})
		}
		wg.Go(func() {
			if err := pause(t.Context(), 150*time.Second); err != nil {
				t.Error(err)
			}
			p.end("hash-1")
		})
		wg.Wait()
		// 343 seconds of questions, a minute a read, and one to finish.
		if got := reads(p); got > 7 {
			t.Errorf("%d reads of the list, want at most 7", got)
		}
	})
}

func TestLookAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pam{sessions: []session.Session{live(3), ended(1), live(2)}}
		look := termination.NewLook(p, 0, 0)
		found, err := look.All(t.Context(), session.Session.Live)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != 2 || found[0].ID != "hash-3" || found[1].ID != "hash-2" {
			t.Errorf("found %+v, want the two live ones in the order of the list", found)
		}
		if got, ok := look.RecordID("hash-2"); ok {
			t.Errorf("record id %q is remembered from a list that was read for many", got)
		}
		if _, err := look.One(t.Context(), "hash-3"); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]string{"hash-2": "2", "hash-3": "3", "hash-1": ""} {
			if got, ok := look.RecordID(id); got != want || ok != (want != "") {
				t.Errorf("record id of %s: %q, %t, want %q", id, got, ok, want)
			}
		}
	})
}

// A list that breaks off is an error for everybody, or is read again; it is
// never a shorter list.
func TestLookListBreaksOff(t *testing.T) {
	t.Parallel()
	transient := listError(fmt.Errorf("%w: cut", session.ErrTransient))
	for _, test := range []struct {
		name     string
		lists    []func() error
		restarts int
		reads    int
		err      error
	}{
		{"once, and is read again", []func() error{transient, works}, 1, 2, nil},
		{"too often", []func() error{transient}, 2, 3, session.ErrTransient},
		{"without any restart", []func() error{transient, works}, 0, 1, session.ErrTransient},
		{"for good", []func() error{listError(session.ErrPermission)}, 2, 1, session.ErrPermission},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &pam{sessions: []session.Session{live(1), live(2), live(3)}, lists: test.lists, breakOff: 2}
				found, err := termination.NewLook(p, test.restarts, time.Second).All(t.Context(), session.Session.Live)
				if !errors.Is(err, test.err) {
					t.Errorf("error %v, want %v", err, test.err)
				}
				if want := 3; err == nil && len(found) != want {
					t.Errorf("%d sessions, want %d, each once", len(found), want)
				}
				if err != nil && found != nil {
					t.Errorf("%d sessions beside the error", len(found))
				}
				if got := reads(p); got != test.reads {
					t.Errorf("%d reads, want %d", got, test.reads)
				}
			})
		})
	}
}

// An asker that leaves neither waits nor stops a read that others wait for; the
// last one that leaves stops it.
func TestLookCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pam{sessions: []session.Session{live(1)}, listTime: time.Minute}
		look := termination.NewLook(p, 0, 0)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		var wg sync.WaitGroup
		wg.Go(func() {
			started := time.Now()
			if _, err := look.One(ctx, "hash-1"); !errors.Is(err, context.Canceled) {
				t.Errorf("the canceled asker got %v", err)
			}
			if waited := time.Since(started); waited != 10*time.Second {
				t.Errorf("the canceled asker waited %v", waited)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if _, err := look.One(t.Context(), "hash-1"); err != nil {
				t.Errorf("the second asker got %v", err)
			}
		})
		wg.Wait()

		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := look.One(ctx, "hash-1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		synctest.Wait()
		started := time.Now()
		if _, err := look.One(t.Context(), "hash-1"); err != nil {
			t.Error(err)
		}
		if waited := time.Since(started); waited != time.Minute {
			t.Errorf("waited %v: a read for which nobody waited any more went on", waited)
		}
		if _, err := look.One(ctx, "hash-1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an asker whose time is over got %v", err)
		}
	})
}

// An end is final, so one that a list has shown beside what it was read for is
// remembered: but only from a whole list, without a row that shows the session
// live, and of a session that was live before, as all others are too many.
func TestLookRemembersEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pam{sessions: []session.Session{live(1), live(2), live(3), live(4), ended(5)}}
		look := termination.NewLook(p, 0, 0)
		ask := func(want error) {
			t.Helper()
			if _, err := look.One(t.Context(), "hash-1"); !errors.Is(err, want) {
				t.Errorf("error %v, want %v", err, want)
			}
		}
		wantEnds := func(want ...string) {
			t.Helper()
			for n := 1; n <= 5; n++ {
				id := fmt.Sprintf("hash-%d", n)
				s, ok := look.Ended(id)
				if ok != slices.Contains(want, id) || ok && (s.ID != id || s.Live()) {
					t.Errorf("%s: %+v, %t; want ends of %q", id, s, ok, want)
				}
			}
		}
		ask(nil)
		wantEnds()
		alive := nameless(live(3))[0]
		p.sessions = []session.Session{live(1), ended(2), alive, ended(3), live(4), ended(5)}
		ask(nil)
		wantEnds("hash-2")
		p.sessions = []session.Session{ended(4), live(1)}
		p.lists, p.breakOff = []func() error{listError(session.ErrTransient), works}, 1
		ask(session.ErrTransient)
		wantEnds("hash-2")
		ask(nil)
		wantEnds("hash-2", "hash-4")
	})
}

// slowly is a list that takes a second for each row.
type slowly []session.Session

func (rows slowly) Sessions(ctx context.Context) iter.Seq2[session.Session, error] {
	return func(yield func(session.Session, error) bool) {
		for _, s := range rows {
			if err := pause(ctx, time.Second); err != nil {
				yield(session.Session{}, err)
				return
			}
			if !yield(s, nil) {
				return
			}
		}
	}
}

// Whoever has left is not asked about the rest of a list that goes on for others.
func TestLookLeavesThoseAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		look := termination.NewLook(slowly{live(1), live(2), live(3), live(4)}, 0, 0)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := look.One(t.Context(), "hash-1"); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait() // the two below share the read after this one
		asked := 0
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 6500*time.Millisecond)
			defer cancel()
			_, err := look.All(ctx, func(session.Session) bool {
				asked++
				return true
			})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want the deadline", err)
			}
		})
		wg.Go(func() {
			found, err := look.All(t.Context(), session.Session.Live)
			if err != nil || len(found) != 4 {
				t.Errorf("who stayed got %d sessions and %v", len(found), err)
			}
		})
		wg.Wait()
		if asked != 2 {
			t.Errorf("who left was asked about %d rows, want the 2 before", asked)
		}
	})
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	err := &termination.Error{Kind: termination.Unknown, SessionID: "hash-1", Drop: session.ErrUnknownOutcome, Look: session.ErrPermission}
	for _, part := range []string{"hash-1", "unknown", session.ErrUnknownOutcome.Error(), session.ErrPermission.Error()} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if slices.Contains(err.Unwrap(), nil) {
		t.Error("a missing cause is unwrapped as nil")
	}
}
