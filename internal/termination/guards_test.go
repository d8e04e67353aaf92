package termination_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// Without a time zone an age is a guess: nothing is called, and every session is left.
func TestAgeNeedsAZone(t *testing.T) {
	t.Parallel()
	jane, aged := session.Match{Users: []string{"jane.roe"}}, session.Match{OlderThan: time.Hour}
	for argument, of := range map[string]struct{ match, exclude session.Match }{"match": {match: aged}, "exclude": {jane, aged}} {
		old, err := session.NewSelector(of.match, of.exclude)
		if err != nil {
			t.Fatal(err)
		}
		p := &fakeAPI{sessions: []session.Session{visitor(1)}}
		terminator := termination.New(p, termination.Options{})
		request := termination.DrainRequest{Selector: old, PollInterval: interval}
		_, err = terminator.Drain(t.Context(), request)
		checkZoneError(t, "drain", err, argument)
		var failure *termination.DrainError
		if errors.As(err, &failure) && failure.Ran() {
			t.Errorf("%s: a caller may continue after %v", argument, err)
		}
		_, _, err = terminator.Preview(t.Context(), request)
		checkZoneError(t, "preview", err, argument)
		_, err = terminator.Query(t.Context(), termination.Question{Selector: old, State: termination.StateLive, Now: time.Now()})
		checkZoneError(t, "query", err, argument)
		if calls := p.journal(); len(calls) > 0 {
			t.Errorf("%s: calls %q, want none", argument, calls)
		}
	}
}

func checkZoneError(t *testing.T, operation string, err error, argument string) {
	t.Helper()
	var zone *termination.ZoneError
	if !errors.As(err, &zone) || zone.Argument != argument {
		t.Errorf("%s: %v, want a *ZoneError of %s", operation, err, argument)
	}
}

// One failure long ago, after which nothing was read, says nothing about a server now.
func TestOneFailureLongAgoIsNoOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: []session.Session{ended(9)}, lists: []func() error{listError(session.ErrTransient), works}}
		terminator := termination.New(p, termination.Options{Retries: 4, ListTimeout: 10 * time.Minute})
		request := termination.DrainRequest{Selector: selector(t), PollInterval: interval}
		if _, _, err := terminator.Preview(t.Context(), request); err == nil {
			t.Fatal("the preview worked")
		}
		// Another resource takes its time.
		if err := pause(t.Context(), 11*time.Minute); err != nil {
			t.Fatal(err)
		}
		if _, err := terminator.Drain(t.Context(), request); err != nil {
			t.Errorf("%v, with %d reads; want a read: the server works", err, reads(p))
		}
	})
}

// The end of another record is not the end of the one that was seen live and is
// shown no more.
func TestEndOfAnotherRecord(t *testing.T) {
	t.Parallel()
	twin := func() session.Session { s := another(visitor(1)); s.EndedAt = s.StartedAt.Add(time.Hour); return s }
	hideLive := func(p *fakeAPI) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.sessions = []session.Session{twin()}
	}
	t.Run("drain", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := &fakeAPI{sessions: []session.Session{visitor(1), twin()}}
			p.drops = append(p.drops, func(string) error { hideLive(p); return nil })
			report, err := plan{server: p}.run(t)
			if err == nil {
				t.Errorf("report %q: no end of record 1 was read; calls %q", outcomes(report), p.journal())
			}
		})
	})
	t.Run("drain, nothing requested", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := &fakeAPI{sessions: []session.Session{visitor(1), twin()}, gets: []func(string) error{failWith(session.ErrPermission)}}
			time.AfterFunc(time.Second, func() { hideLive(p) })
			report, err := plan{server: p, request: termination.DrainRequest{Grace: 5 * time.Second}}.run(t)
			if err == nil {
				t.Errorf("report %q: no end of record 1 was read; calls %q", outcomes(report), p.journal())
			}
		})
	})
	t.Run("termination", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := &fakeAPI{sessions: []session.Session{visitor(1), twin()}, drops: []func(string) error{acceptOnly}}
			time.AfterFunc(time.Second, func() { hideLive(p) })
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			result, err := termination.New(p, termination.Options{}).Terminate(ctx, termination.Request{SessionID: "hash-1", Confirm: true, PollInterval: 3 * time.Second})
			if err == nil && result.Outcome.Ended() {
				t.Errorf("%q: no end of record 1 was read; calls %q", result.Outcome, p.journal())
			}
		})
	})
}

// A matching live record that is shown no more is not settled by another live record
// that does not match.
func TestOtherRecordDoesNotMatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: []session.Session{visitor(1), other(another(visitor(1)))}}
		time.AfterFunc(time.Second, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.sessions = p.sessions[1:]
		})
		report, err := plan{server: p, request: termination.DrainRequest{Grace: 5 * time.Second}}.run(t)
		if err == nil {
			t.Errorf("report %q: the matching record vanished without an end; calls %q", outcomes(report), p.journal())
		}
	})
}

// manySessions is a list of many live sessions of other users, which measures memory.
type manySessions struct{ used uint64 }

func (c *manySessions) Sessions(context.Context) iter.Seq2[session.Session, error] {
	return func(yield func(session.Session, error) bool) {
		before := heap()
		for n := range 400_000 {
			s := session.Session{ID: fmt.Sprint("id-", n), RecordID: fmt.Sprint(n), User: "stranger"}
			if !yield(s, nil) {
				return
			}
		}
		if after := heap(); after > before {
			c.used = max(c.used, after-before)
		}
	}
}

func (c *manySessions) Drop(context.Context, string) error { return errors.New("no") }
func (c *manySessions) Session(context.Context, string) (session.Session, error) {
	return session.Session{}, errors.New("no")
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// A preview's memory follows its matches, of which there are none.
func TestPreviewOfManySessions(t *testing.T) {
	c := &manySessions{}
	terminator := termination.New(c, termination.Options{})
	if _, _, err := terminator.Preview(t.Context(), termination.DrainRequest{Selector: selector(t)}); err != nil {
		t.Fatal(err)
	}
	if c.used > 32<<20 {
		t.Errorf("%d MB are in use for a preview of no session", c.used>>20)
	}
}
