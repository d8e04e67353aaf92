package termination

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// A plan with any number of previews costs one list, of which all of them say the
// same time.
func TestPreviewsShareTheFirstRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		list := &scripted{rows: []session.Session{row("a", "1", 0), row("b", "2", time.Hour)}, took: 2 * time.Minute}
		reads, start := newSharedReads(list, Options{}), time.Now()
		var plan sync.WaitGroup
		for n := range 60 {
			plan.Go(func() {
				if err := wait(t.Context(), time.Duration(n)*5*time.Second); err != nil {
					t.Error(err)
				}
				shot, err := reads.snapshot(t.Context())
				if err != nil || len(shot.live) != 1 || shot.live[0].ID != "a" || !shot.readAt.Equal(start) {
					t.Errorf("preview %d got %+v, %v", n, shot, err)
				}
			})
		}
		plan.Wait()
		wantReads(t, list, 1)
	})
}

// Whatever the first complete read was made for, previews are answered from it.
func TestPreviewsUseAnyFirstRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		list := &scripted{rows: []session.Session{row("a", "1", 0)}, errs: []error{session.ErrPermission, nil}}
		reads := newSharedReads(list, Options{})
		for _, want := range []error{session.ErrPermission, nil} {
			if _, _, err := reads.one(t.Context(), "a", reads.ask); !errors.Is(err, want) {
				t.Errorf("error %v, want %v", err, want)
			}
		}
		list.rows = nil
		shot, err := reads.snapshot(t.Context())
		if err != nil || len(shot.live) != 1 {
			t.Errorf("the preview got %+v, %v", shot, err)
		}
		wantReads(t, list, 2)
	})
}

// A canceled read answers no preview.
func TestPreviewDoesNotJoinACanceledRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		list := &scripted{took: time.Minute}
		reads := newSharedReads(list, Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := reads.snapshot(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who has no more time got %v", err)
		}
		if _, err := reads.snapshot(t.Context()); err != nil {
			t.Errorf("who came after that got %v", err)
		}
		wantReads(t, list, 2)
	})
}

// A preview does not bear an outage: it makes 1 + Retries reads at most, and
// repeats none that did not begin, because the client has done so.
func TestPreviewAttempts(t *testing.T) {
	t.Parallel()
	cut := fmt.Errorf("%w: cut", session.ErrTransient)
	for _, test := range []struct {
		name  string
		errs  []error
		cut   bool
		reads int
		err   error
	}{
		{"down", []error{cut}, true, 1, session.ErrTransient},
		{"breaks off", []error{cut}, false, 3, session.ErrTransient},
		{"breaks off once", []error{cut, nil}, false, 2, nil},
		{"forbidden", []error{session.ErrPermission}, true, 1, session.ErrPermission},
		{"closed in its middle", []error{session.ErrLockdown}, false, 1, session.ErrLockdown},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				list := &scripted{rows: []session.Session{row("a", "1", 0)}, errs: test.errs, cut: test.cut}
				reads, start := newSharedReads(list, Options{Retries: 2, ListTimeout: time.Minute}), time.Now()
				shot, err := reads.snapshot(t.Context())
				if !errors.Is(err, test.err) || (shot != nil) != (test.err == nil) {
					t.Errorf("got %+v and the error %v, want %v", shot, err, test.err)
				}
				wantReads(t, list, test.reads)
				if waited := time.Since(start); waited > 2*time.Second {
					t.Errorf("it took %v", waited)
				}
				if !errors.Is(test.err, session.ErrTransient) {
					return
				}
				if err := wait(t.Context(), 2*time.Minute); err != nil {
					t.Error(err)
				}
				// No caller has asked for longer than an outage may last, so the failure tells
				// nothing any more.
				if _, err := reads.snapshot(t.Context()); !errors.Is(err, session.ErrTransient) {
					t.Errorf("a later preview fails with %v", err)
				}
				wantReads(t, list, 2*test.reads)
			})
		})
	}
}

// Where more sessions are live than are kept, a preview reads for itself, and sees
// all of them.
func TestPreviewOfTooMany(t *testing.T) {
	t.Parallel()
	list := &scripted{}
	for n := range maxSnapshot {
		list.rows = append(list.rows, row(fmt.Sprint("id-", n), "", 0))
	}
	list.rows = append(list.rows, list.rows[:10]...)
	shot, err := newSharedReads(list, Options{}).snapshot(t.Context())
	if err != nil || len(shot.live) != maxSnapshot {
		t.Fatalf("the snapshot has %d sessions, %v, want %d, each once", len(shot.live), err, maxSnapshot)
	}
	wantReads(t, list, 1)

	list.rows = append(list.rows[:maxSnapshot], row("one more", "", 0))
	reads := newSharedReads(list, Options{})
	for range 2 {
		shot, err = reads.snapshot(t.Context())
		if err != nil || !shot.full || len(shot.live) != 0 {
			t.Fatalf("the snapshot has %d sessions, %v, and is full: %t", len(shot.live), err, shot.full)
		}
	}
	wantReads(t, list, 2)
}

// repeating is a list of one row, 100,000 times, that measures the memory in use
// when it has come to its end.
type repeating struct {
	row  session.Session
	used uint64
}

func (l *repeating) Sessions(context.Context) iter.Seq2[session.Session, error] {
	return func(yield func(session.Session, error) bool) {
		before := memoryInUse()
		for range 100_000 {
			if !yield(l.row, nil) {
				return
			}
		}
		if after := memoryInUse(); after > before {
			l.used = max(l.used, after-before)
		}
	}
}

func memoryInUse() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// Memory follows the answer, whatever the list repeats. It is not parallel, so that
// no other test uses memory.
func TestRepeatedRowsUseNoMemory(t *testing.T) {
	everyone, err := session.NewSelector(session.Everyone, session.Match{})
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]session.Session{
		"live": row("a", "1", 0), "ended": row("a", "1", time.Hour), "without an id": row("", "1", 0),
	} {
		list := &repeating{row: s}
		reads := newSharedReads(list, Options{})
		if seen, _, err := reads.one(t.Context(), s.ID, reads.ask); err != nil || seen != s {
			t.Errorf("%s: got %+v, %v", name, seen, err)
		}
		q := &query{selector: everyone, state: StateAll}
		if err := reads.ask(t.Context(), &asker{collector: q, all: true}); err != nil || len(q.answer().Sessions) != 1 {
			t.Errorf("%s: got %+v, %v", name, q.answer(), err)
		}
		const most = 8 << 20 // a row that is kept takes 300 bytes
		if list.used > most {
			t.Errorf("%s: %d bytes are in use after all rows, want %d at most", name, list.used, most)
		}
	}
}
