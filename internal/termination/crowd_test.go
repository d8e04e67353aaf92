package termination_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// A lasting 429 does not multiply requests: two for a session at most.
func TestLasting429(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{drops: []func(string) error{failWith(session.ErrTransient)}}
		for n := range 300 {
			p.sessions = append(p.sessions, visitor(n))
		}
		_, err := plan{server: p, retries: 4, allowed: time.Hour}.run(t)
		if got := p.count("drop"); got > 20 {
			t.Errorf("%v: %d requests", err, got)
		}
	})
}

// One 429 among many does not end the round for the others for ever.
func TestOneOfManyTurnedAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{}
		p.drops = append(p.drops, func(id string) error {
			if id == "hash-7" {
				return session.ErrTransient
			}
			p.end(id)
			return nil
		})
		for n := range 100 {
			p.sessions = append(p.sessions, visitor(n))
		}
		report, err := plan{server: p, retries: 4, allowed: time.Hour}.run(t)
		if got := len(report.Terminated()); got != 99 {
			t.Errorf("%v: %d terminated, want 99; %d requests", err, got, p.count("drop"))
		}
	})
}

// A caller that gives up delays no other caller, and no goroutine stays.
func TestAskersThatLeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: lives(1, 2, 3), listTime: time.Minute}
		terminator := termination.New(p, termination.Options{Retries: 2, ListTimeout: 10 * time.Minute})
		var all sync.WaitGroup
		var bad atomic.Int32
		for n := range 60 {
			all.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				if n%2 == 0 {
					time.AfterFunc(time.Duration(n)*3*time.Second, cancel)
				}
				defer cancel()
				_, err := terminator.Query(ctx, termination.Question{Selector: selector(t), State: termination.StateLive, Now: time.Now()})
				if n%2 == 1 && err != nil {
					bad.Add(1)
				}
			})
		}
		all.Wait()
		if bad.Load() > 0 {
			t.Errorf("%d failed because others left", bad.Load())
		}
	})
}

// An accepted request that does nothing: the budget holds and the end is not claimed.
func TestAcceptedDoesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: lives(1, 2), drops: []func(string) error{acceptOnly}}
		report, err := plan{server: p, retries: 3, allowed: time.Hour}.run(t)
		if got := p.count("drop hash-1"); got != 4 || err == nil {
			t.Errorf("%v: %d requests, report %q", err, got, outcomes(report))
		}
	})
}

// An interrupt at any call must never let `continue` go on, nor claim an end.
func TestInterruptAtEveryCall(t *testing.T) {
	t.Parallel()
	for at := 1; at <= 14; at++ {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				timed, stop := context.WithTimeout(ctx, time.Hour)
				defer stop()
				p := &fakeAPI{sessions: lives(1, 2, 3), dropTime: time.Millisecond, listTime: time.Millisecond}
				calls := 0
				count := func() {
					calls++
					if calls == at {
						cancel()
					}
				}
				p.lists = append(p.lists, func() error { count(); return nil })
				p.gets = append(p.gets, func(string) error { count(); return nil })
				p.drops = append(p.drops, func(id string) error {
					p.mu.Lock()
					count()
					p.mu.Unlock()
					if id != "hash-2" {
						p.end(id)
					} else {
						p.hide(id)
					}
					return nil
				})
				report, err := termination.New(p, termination.Options{Retries: 2}).Drain(timed, termination.DrainRequest{Selector: selector(t), PollInterval: interval, Quiet: 5 * time.Second, Grace: 3 * time.Second})
				checkAgainstTruth(t, p, report, err)
				if err == nil {
					t.Errorf("success, report %q", outcomes(report))
					return
				}
				var failure *termination.DrainError
				if ctx.Err() != nil && errors.As(err, &failure) && failure.Ran() {
					t.Errorf("interrupted at call %d, and `continue` may go on: %v, calls %s", at, err, strings.Join(p.journal(), ", "))
				}
			})
		})
	}
}
