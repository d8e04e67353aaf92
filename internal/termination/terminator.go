package termination

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// API is what the use cases need of the API client.
type API interface {
	Lister
	// Drop asks PAM to end the session with the given session id. Nil means
	// accepted, not ended. The error matches one of session's sentinels.
	Drop(ctx context.Context, sessionID string) error
	// Session gives the session with the given record id.
	Session(ctx context.Context, recordID string) (session.Session, error)
}

// Options bound what a Terminator does.
type Options struct {
	// Retries is how often a drop is repeated after a look showed the session
	// still live, and how often a preview reads a list again that broke off.
	Retries int
	// Pause is the first pause before a list that failed is read again; it grows
	// each time. 0 means 500 ms.
	Pause time.Duration
	// ListTimeout is the time allowed to one read of the list. For that long, counted
	// from the first failure, a process repeats the reads that its operations begin
	// with, all of them together.
	ListTimeout time.Duration
	// Zone is the time zone in which PAM's timestamps were read; nil means UTC.
	Zone *time.Location
	// Concurrency is how many drops a drain has on their way; 0 means 10.
	Concurrency int
}

// Terminator ends sessions. It is safe for concurrent use, and one serves a
// whole process, so that all of its users share the looks.
type Terminator struct {
	api     API
	reads   *sharedReads
	options Options
	// clock is that of look: lists tell of it, too.
	clock *clock
	// refreshErr is the last failure of a refresh, nil after one that worked.
	refreshErr atomic.Pointer[error]
}

// New makes a Terminator over pam.
func New(server API, options Options) *Terminator {
	if options.Concurrency == 0 {
		options.Concurrency = 10
	}
	look := newSharedReads(server, options)
	return &Terminator{api: server, reads: look, options: options, clock: look.clock}
}

// Dated takes note of the Date header of an answer of PAM that comes from no cache, and
// of when its request was sent and its header had come by the clock of this machine.
func (t *Terminator) Dated(date, sent, received time.Time) { t.clock.date(date, sent, received) }

// ClockWarning gives what contradicts the zone of the Options, or the clock of this
// machine, by 15 minutes or more. It is true once in the life of t, because one warning
// a run is enough.
func (t *Terminator) ClockWarning() (ClockFinding, bool) { return t.clock.announce() }
