package termination

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// scripted is a list. A read takes time before the rows and for each row, and ends with
// the next of errs, at the end with the last one, after the rows unless cut.
type scripted struct {
	rows          []session.Session
	took, rowTook time.Duration
	errs          []error
	cut           bool

	mu    sync.Mutex
	reads int
}

func (l *scripted) Sessions(ctx context.Context) iter.Seq2[session.Session, error] {
	return func(yield func(session.Session, error) bool) {
		l.mu.Lock()
		var err error
		if len(l.errs) > 0 {
			err = l.errs[min(l.reads, len(l.errs)-1)]
		}
		l.reads++
		l.mu.Unlock()
		if waitErr := wait(ctx, l.took); waitErr != nil {
			yield(session.Session{}, waitErr)
			return
		}
		for _, s := range l.rows {
			if l.rowTook > 0 {
				if waitErr := wait(ctx, l.rowTook); waitErr != nil {
					yield(session.Session{}, waitErr)
					return
				}
			}
			if err != nil && l.cut || !yield(s, nil) {
				break
			}
		}
		if err != nil {
			yield(session.Session{}, err)
		}
	}
}

func wantReads(t *testing.T, l *scripted, want int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reads != want {
		t.Errorf("%d reads of the list, want %d", l.reads, want)
	}
}

// counter counts the rows that it is given.
type counter struct{ rows int }

func (c *counter) restart()             { c.rows = 0 }
func (c *counter) take(session.Session) { c.rows++ }

// A caller that has given up gets no further rows of a list that goes on for others.
func TestReadLeavesCollectorsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		list := &scripted{rows: []session.Session{row("a", "1", 0), row("b", "2", 0), row("c", "3", 0), row("d", "4", 0)}, rowTook: time.Second}
		reads := newSharedReads(list, Options{})
		leaves, stays := &counter{}, &counter{}
		var askers sync.WaitGroup
		askers.Go(func() {
			if err := reads.ask(t.Context(), &asker{collector: &counter{}, all: true}); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait() // the two below share the read after this one
		askers.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 6500*time.Millisecond)
			defer cancel()
			if err := reads.ask(ctx, &asker{collector: leaves, all: true}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want the deadline", err)
			}
		})
		askers.Go(func() {
			if err := reads.ask(t.Context(), &asker{collector: stays, all: true}); err != nil {
				t.Error(err)
			}
		})
		askers.Wait()
		if leaves.rows != 2 || stays.rows != 4 {
			t.Errorf("who left was given %d rows, who stayed %d, want the 2 before and all 4", leaves.rows, stays.rows)
		}
	})
}
