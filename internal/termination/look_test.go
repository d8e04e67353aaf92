package termination_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// made counts the calls of one kind.
func made(p *fakeAPI, call string) int {
	n := 0
	for _, c := range p.journal() {
		if c == call {
			n++
		}
	}
	return n
}

func reads(p *fakeAPI) int { return made(p, "list") }

// A hundred askers at once need one read for the first and one for the rest.
func TestReadsAreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const askers = 100
		p := &fakeAPI{listTime: time.Minute}
		for n := range askers {
			p.sessions = append(p.sessions, live(n))
		}
		terminator := termination.New(p, termination.Options{})
		var wg sync.WaitGroup
		for n := range askers {
			wg.Go(func() {
				id := fmt.Sprintf("hash-%d", n)
				if s, err := terminator.Find(t.Context(), id); err != nil || s.ID != id {
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

// Questions that are asked during a read are answered by the next one, which shows what
// happened in between.
func TestReadsAreNeverStale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: []session.Session{live(1)}, listTime: time.Minute}
		terminator := termination.New(p, termination.Options{})
		var wg sync.WaitGroup
		for second := range 50 {
			wg.Go(func() {
				if err := pause(t.Context(), time.Duration(second)*7*time.Second); err != nil {
					t.Error(err)
				}
				asked := time.Now()
				s, err := terminator.Find(t.Context(), "hash-1")
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

// querySessions asks for all live sessions.
func querySessions(ctx context.Context, t *testing.T, terminator *termination.Terminator) ([]session.Session, error) {
	t.Helper()
	all, err := session.NewSelector(session.Everyone, session.Match{})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := terminator.Query(ctx, termination.Question{Selector: all, State: termination.StateLive, Now: time.Now()})
	return answer.Sessions, err
}

// A list that breaks off is an error for every question, or is read again; it is never
// a shorter list.
func TestReadOfAListThatBreaksOff(t *testing.T) {
	t.Parallel()
	transient := listError(fmt.Errorf("%w: cut", session.ErrTransient))
	for _, test := range []struct {
		name    string
		lists   []func() error
		retries int
		limit   time.Duration
		reads   int
		took    time.Duration
		err     error
	}{
		{"once, and is read again", []func() error{transient, works}, 1, time.Minute, 2, time.Second, nil},
		{"as long as is allowed", []func() error{transient}, 1, 10 * time.Second, 5, 10 * time.Second, session.ErrTransient},
		{"once, without time", []func() error{transient, works}, 1, 0, 1, 0, session.ErrTransient},
		{"once, without retries", []func() error{transient, works}, 0, time.Minute, 1, 0, session.ErrTransient},
		{"for good", []func() error{listError(session.ErrPermission)}, 1, time.Minute, 1, 0, session.ErrPermission},
		{"where nothing was sent", []func() error{listError(session.ErrRejected)}, 1, time.Minute, 1, 0, session.ErrRejected},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: []session.Session{live(1), live(2), live(3)}, lists: test.lists, breakOff: 2}
				terminator := termination.New(p, termination.Options{Retries: test.retries, Pause: time.Second, ListTimeout: test.limit})
				began := time.Now()
				found, err := querySessions(t.Context(), t, terminator)
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
				if took := time.Since(began); took != test.took {
					t.Errorf("it took %v, want %v", took, test.took)
				}
			})
		})
	}
}

// inTurn makes askers ask, so many at a time, and gives the time that they take.
func inTurn(askers, parallel int, ask func(n int)) time.Duration {
	began := time.Now()
	next := make(chan int)
	var wg sync.WaitGroup
	for range parallel {
		wg.Go(func() {
			for n := range next {
				ask(n)
			}
		})
	}
	for n := range askers {
		next <- n
	}
	close(next)
	wg.Wait()
	return time.Since(began)
}

// Where the server is down, the time that is allowed for it runs once for all of
// a process, and not once for each asker in turn. It runs again after a success.
func TestReadsInAnOutage(t *testing.T) {
	t.Parallel()
	const limit = 10 * time.Minute
	for _, test := range []struct {
		name     string
		listTime time.Duration
		want     time.Duration
	}{
		// The time runs from the first failure on.
		{"down", 8 * time.Second, limit + 8*time.Second},
		{"refusing connections", 0, limit},
		// A read that goes on for longer is given up when the time is over.
		{"silent", 50 * time.Minute, 50*time.Minute + limit},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{listTime: test.listTime, lists: []func() error{listError(session.ErrTransient)}}
				terminator := termination.New(p, termination.Options{Retries: 1, ListTimeout: limit})
				ask := func(int) {
					if _, err := querySessions(t.Context(), t, terminator); !errors.Is(err, session.ErrTransient) {
						t.Errorf("error %v, want the last failure", err)
					}
				}
				if took := inTurn(60, 10, ask); took != test.want {
					t.Errorf("60 askers, 10 at a time, waited %v, want %v", took, test.want)
				}
				before := reads(p)
				if took := inTurn(1, 1, ask); took != 0 || reads(p) != before {
					t.Errorf("another one waited %v, and there were %d reads", took, reads(p)-before)
				}
			})
		})
	}
}

// When an outage has lasted too long, only operations that have sent a request still
// read. When one of these reads works, all operations read again.
func TestReadsAfterAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: []session.Session{live(1)}, lists: []func() error{listError(session.ErrTransient)}}
		p.drops = append(p.drops, acceptOnly)
		terminator := termination.New(p, termination.Options{Retries: 1, ListTimeout: time.Minute})
		first := func() error {
			_, err := terminator.Find(t.Context(), "hash-1")
			return err
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			result, err := terminator.Terminate(t.Context(), termination.Request{SessionID: "hash-1", Confirm: true, PollInterval: interval})
			if err != nil || result.Outcome != termination.Terminated {
				t.Errorf("who follows a session got %+v, %v", result, err)
			}
		})
		if err := first(); !errors.Is(err, session.ErrTransient) {
			t.Errorf("error %v, want the last failure", err)
		}
		p.mu.Lock()
		p.lists = nil
		p.mu.Unlock()
		p.end("hash-1")
		if err := first(); !errors.Is(err, session.ErrTransient) {
			t.Errorf("error %v, want the last failure, at once", err)
		}
		wg.Wait()
		if err := first(); err != nil {
			t.Errorf("error %v after a success", err)
		}
		p.mu.Lock()
		p.lists = []func() error{listError(session.ErrTransient)}
		p.mu.Unlock()
		began := time.Now()
		if err := first(); !errors.Is(err, session.ErrTransient) {
			t.Errorf("error %v, want the last failure", err)
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("the time allowed was %v after a success, want a minute", took)
		}
	})
}

// An interrupt ends the wait for the first read at once, and does not hide why
// the reads before it failed.
func TestFirstReadInterrupted(t *testing.T) {
	t.Parallel()
	for name, listTime := range map[string]time.Duration{"between reads": 0, "during a read": 20 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{listTime: listTime, lists: []func() error{listError(session.ErrTransient)}}
				terminator := termination.New(p, termination.Options{Retries: 1, ListTimeout: time.Hour})
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				began := time.Now()
				if _, err := querySessions(ctx, t, terminator); !errors.Is(err, session.ErrTransient) {
					t.Errorf("error %v, want the last failure", err)
				}
				if took := time.Since(began); took != 30*time.Second {
					t.Errorf("it took %v, want 30 s", took)
				}
			})
		})
	}
}

// Questions that are asked again soon after an answer share the next read. The first
// read of a process begins at once.
func TestReadsGatherAskers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ listTime, pause time.Duration }{
		{0, 0},
		{2 * time.Second, 100 * time.Millisecond},
		{20 * time.Second, time.Second},
		{time.Hour, time.Second},
	} {
		t.Run(test.listTime.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: []session.Session{live(1)}, listTime: test.listTime}
				terminator := termination.New(p, termination.Options{})
				ask := func() {
					if _, err := terminator.Find(t.Context(), "hash-1"); err != nil {
						t.Error(err)
					}
				}
				for n, want := range []time.Duration{test.listTime, test.pause + test.listTime, test.pause + test.listTime} {
					began := time.Now()
					var wg sync.WaitGroup
					wg.Go(ask)
					if n > 0 {
						for late := range 9 {
							wg.Go(func() {
								if err := pause(t.Context(), test.pause*time.Duration(late)/9); err != nil {
									t.Error(err)
								}
								ask()
							})
						}
					}
					wg.Wait()
					if took := time.Since(began); took != want {
						t.Errorf("question %d was answered after %v, want %v", n, took, want)
					}
				}
				if got := reads(p); test.pause > 0 && got != 3 {
					t.Errorf("%d reads, want 3", got)
				}
			})
		})
	}
}

// An asker that leaves neither waits nor stops a read that others wait for; the
// last one that leaves stops it.
func TestReadsCanceled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: []session.Session{live(1)}, listTime: time.Minute}
		terminator := termination.New(p, termination.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		var wg sync.WaitGroup
		wg.Go(func() {
			started := time.Now()
			if _, err := terminator.Find(ctx, "hash-1"); !errors.Is(err, context.Canceled) {
				t.Errorf("the canceled asker got %v", err)
			}
			if waited := time.Since(started); waited != 10*time.Second {
				t.Errorf("the canceled asker waited %v", waited)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if _, err := terminator.Find(t.Context(), "hash-1"); err != nil {
				t.Errorf("the second asker got %v", err)
			}
		})
		wg.Wait()

		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := terminator.Find(ctx, "hash-1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		synctest.Wait()
		started := time.Now()
		if _, err := terminator.Find(t.Context(), "hash-1"); err != nil {
			t.Error(err)
		}
		if waited := time.Since(started); waited != time.Second+time.Minute { // askers are gathered for a second
			t.Errorf("waited %v: a read for which no caller waited any more went on", waited)
		}
		if _, err := terminator.Find(ctx, "hash-1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an asker whose time is over got %v", err)
		}
	})
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	err := &termination.Error{Kind: termination.Unknown, SessionID: "hash-1", RequestErr: session.ErrUnknownOutcome, CheckErr: session.ErrPermission}
	for _, part := range []string{"hash-1", "unknown", session.ErrUnknownOutcome.Error(), session.ErrPermission.Error()} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if slices.Contains(err.Unwrap(), nil) {
		t.Error("a missing cause is unwrapped as nil")
	}
}
