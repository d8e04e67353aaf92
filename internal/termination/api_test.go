package termination_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// fakeAPI is a senhasegura in memory. A test scripts its responses call by call. It
// records every call, so that tests can assert which calls were made and which were
// not.
type fakeAPI struct {
	mu       sync.Mutex
	sessions []session.Session
	calls    []string

	// drops, gets and lists are the next responses, one for each call. The last one
	// repeats; without any the call succeeds.
	drops []func(id string) error
	gets  []func(record string) error
	lists []func() error
	// listTime is how long a read of the list takes.
	listTime time.Duration
	// dropTime is how long a termination request takes; an interrupt loses its
	// response.
	dropTime time.Duration
	// unlisted is a session that the list leaves out, and its record does not.
	unlisted string
	// breakOff is how many rows a list yields before its error.
	breakOff int
}

// live gives a live session, ended one that ended an hour after it began.
func live(n int) session.Session {
	return session.Session{
		ID:        fmt.Sprintf("hash-%d", n),
		RecordID:  fmt.Sprint(n),
		User:      "jane.roe",
		Device:    "10.20.0.9:22",
		StartedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

func ended(n int) session.Session {
	s := live(n)
	s.EndedAt = s.StartedAt.Add(time.Hour)
	return s
}

func (p *fakeAPI) next(call string) {
	p.calls = append(p.calls, call)
}

// take removes the next answer from script, but never its last.
func take[F any](script *[]F) (F, bool) {
	var none F
	if len(*script) == 0 {
		return none, false
	}
	f := (*script)[0]
	if len(*script) > 1 {
		*script = (*script)[1:]
	}
	return f, true
}

func (p *fakeAPI) Drop(ctx context.Context, id string) error {
	p.mu.Lock()
	p.next("drop " + id)
	f, ok := take(&p.drops)
	p.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if p.dropTime > 0 {
		if err := pause(ctx, p.dropTime); err != nil {
			return fmt.Errorf("%w: %w", session.ErrUnknownOutcome, err)
		}
	}
	if !ok {
		p.end(id)
		return nil
	}
	return f(id)
}

func (p *fakeAPI) Session(ctx context.Context, record string) (session.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next("get " + record)
	if ctx.Err() != nil {
		return session.Session{}, ctx.Err()
	}
	if f, ok := take(&p.gets); ok {
		if err := f(record); err != nil {
			return session.Session{}, err
		}
	}
	for _, s := range p.sessions {
		if s.RecordID == record {
			return s, nil
		}
	}
	return session.Session{}, session.ErrNotFound
}

func (p *fakeAPI) Sessions(ctx context.Context) iter.Seq2[session.Session, error] {
	return func(yield func(session.Session, error) bool) {
		p.mu.Lock()
		p.next("list")
		f, ok := take(&p.lists)
		rows := slices.DeleteFunc(slices.Clone(p.sessions), func(s session.Session) bool { return p.unlisted != "" && s.ID == p.unlisted })
		p.mu.Unlock()
		if err := pause(ctx, p.listTime); err != nil {
			yield(session.Session{}, err)
			return
		}
		var err error
		if ok {
			err = f()
		}
		if err != nil {
			rows = rows[:min(p.breakOff, len(rows))]
		}
		for _, s := range rows {
			if !yield(s, nil) {
				return
			}
		}
		if err != nil {
			yield(session.Session{}, err)
		}
	}
}

// end marks a session as ended now.
func (p *fakeAPI) end(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.sessions {
		if p.sessions[i].ID == id && p.sessions[i].Live() {
			p.sessions[i].EndedAt = time.Now().UTC()
		}
	}
}

func (p *fakeAPI) journal() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.calls)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
