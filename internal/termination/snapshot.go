package termination

import (
	"context"
	"errors"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// maxSnapshot is how many live sessions are kept for previews.
const maxSnapshot = 50_000

// snapshot is what one list showed of live sessions. It does not change once the list
// is complete, so that previews can share it.
type snapshot struct {
	// live are the records of live sessions, in the order of the list. A session may
	// have several; equal records are kept once.
	live []session.Session
	// readAt is when the list began.
	readAt time.Time

	// seenValues is what the list shows of values, nil until it is complete.
	seenValues *seenValues

	census *concurrentCensus
	limit  int
	// full: more records are live than the limit, and no record is kept.
	full bool
	seen map[session.Session]struct{}
}

// newSnapshot makes an empty snapshot. The previews that it will answer are not known
// yet, so its census keeps the values of every argument.
func newSnapshot(limit int, readAt time.Time) *snapshot {
	c := newCensus(
		session.FieldSessionIDs, session.FieldUsers, session.FieldCredentials, session.FieldDevices,
		session.FieldProtocols, session.FieldProxies, session.FieldOriginIPs,
	)
	c.restart()
	return &snapshot{limit: limit, readAt: readAt, census: newConcurrentCensus(c)}
}

// finish ends a read. The snapshot counts only if the read was complete.
func (s *snapshot) finish() {
	s.seenValues, s.census, s.seen = s.census.finish().complete(), nil, nil
}

func (s *snapshot) take(row session.Session) {
	s.census.take(row)
	if s.full || !row.Live() {
		return
	}
	if _, again := s.seen[row]; again {
		return
	}
	if len(s.live) == s.limit {
		s.live, s.seen, s.full = nil, nil, true
		return
	}
	if s.seen == nil {
		s.seen = map[session.Session]struct{}{}
	}
	s.live, s.seen[row] = append(s.live, row), struct{}{}
}

// snapshot gives what the first complete list of the process showed of live sessions.
// Previews are answered from it, because they terminate nothing: a plan with any number
// of them costs one list. Before there is one, they share the read that is under way.
// If more sessions are live than a snapshot keeps, each preview reads for itself.
//
// The client repeats a read that does not begin. A read that breaks off is repeated
// here, within Options.Retries. If reads have failed for Options.ListTimeout, the error
// is the last failure, at once.
func (l *sharedReads) snapshot(ctx context.Context) (*snapshot, error) {
	pauses := pace{first: l.options.Pause}
	for repeats := 0; ; repeats++ {
		shot, err := l.firstSnapshot(ctx)
		var broken *brokenOffError
		switch {
		case err == nil:
			return shot, nil
		case !errors.As(err, &broken) || !errors.Is(err, session.ErrTransient) || repeats >= l.options.Retries:
			return nil, err
		}
		if wait(ctx, pauses.next()) != nil {
			return nil, err
		}
	}
}

// firstSnapshot gives the snapshot of the first complete list, and waits for it if
// there is none yet.
func (l *sharedReads) firstSnapshot(ctx context.Context) (*snapshot, error) {
	l.mu.Lock()
	first := l.first
	l.mu.Unlock()
	if first != nil {
		return first, nil
	}
	if err := l.askInTime(ctx, &asker{collector: waiter{}, all: true, joins: true}); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first, nil
}

// waiter waits for a read and has no question.
type waiter struct{}

func (waiter) restart()             {}
func (waiter) take(session.Session) {}
