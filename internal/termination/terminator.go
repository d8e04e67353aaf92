package termination

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// API is the part of the API client that the use cases need. Its errors match the
// sentinels of package session.
type API interface {
	Lister
	// Drop sends one termination request for a session ID. Nil means that senhasegura
	// accepted it, not that the session has ended.
	Drop(ctx context.Context, sessionID string) error
	// Session reads the session with a record ID.
	Session(ctx context.Context, recordID string) (session.Session, error)
}

// Options are the limits of a Terminator.
type Options struct {
	// Retries is how often a termination request is repeated after a check that showed
	// the session live, and how often a preview reads a list again that broke off.
	Retries int
	// Pause is the first pause before a list that failed is read again. It grows each
	// time. 0 means 500 ms.
	Pause time.Duration
	// ListTimeout is the time allowed for one read of the list. It also limits how long
	// a process repeats the reads that its operations begin with, all of them together,
	// counted from the first failure.
	ListTimeout time.Duration
	// Zone is the time zone in which timestamps were read, nil if it was not stated.
	// They were read as UTC then, and a Selector with an age is refused.
	Zone *time.Location
	// Concurrency is how many termination requests a drain sends at the same time; 0
	// means 10.
	Concurrency int
}

// Terminator terminates and queries sessions. It is safe for concurrent use. One serves
// a whole process, so that its callers share reads of the list.
type Terminator struct {
	api     API
	reads   *sharedReads
	options Options
	// clock is that of reads, which notes the times in lists.
	clock *clock
	// refreshErr is the last failure of a refresh, nil after a refresh that worked.
	refreshErr atomic.Pointer[error]
}

// New makes a Terminator that calls api.
func New(server API, options Options) *Terminator {
	if options.Concurrency == 0 {
		options.Concurrency = 10
	}
	reads := newSharedReads(server, options)
	return &Terminator{api: server, reads: reads, options: options, clock: reads.clock}
}

// ZoneError says that sessions can't be judged: an argument asks for an age, and without
// Options.Zone an age is a guess. Nothing was called. It is always used as a pointer.
type ZoneError struct {
	// Argument is "match" or "exclude".
	Argument string
}

func (e *ZoneError) Error() string { return e.Argument + " has an age, and the time zone is not known" }

// judges fails if the sessions of a selector can't be judged.
func (t *Terminator) judges(selector *session.Selector) error {
	match, exclude := selector.Criteria()
	switch {
	case t.options.Zone != nil:
	case match.OlderThan != 0:
		return &ZoneError{"match"}
	case exclude.OlderThan != 0:
		return &ZoneError{"exclude"}
	}
	return nil
}

// Dated notes the Date header of a response that comes from no cache. sent and received
// are when its request was sent and its header was received, by the clock of this
// machine. It is safe for concurrent use.
func (t *Terminator) Dated(date, sent, received time.Time) { t.clock.date(date, sent, received) }

// ClockWarning gives what contradicts Options.Zone, or the clock of this machine, by 15
// minutes or more. The Boolean is true at most once for each Terminator, because one
// warning for each run is enough.
func (t *Terminator) ClockWarning() (ClockFinding, bool) { return t.clock.announce() }
