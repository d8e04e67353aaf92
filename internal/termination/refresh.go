package termination

import (
	"context"
	"errors"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// Record is what a caller keeps of a termination.
type Record struct {
	SessionID string
	// RecordID is "" if it is not known.
	RecordID string
	Outcome  Outcome
	// EndedAt is the end time of the session, zero if it is not known.
	EndedAt time.Time
}

// Open reports whether a refresh can change the record. An end is final, and without a
// record ID only the list could show the session.
func (r Record) Open() bool {
	return r.RecordID != "" && (r.EndedAt.IsZero() || r.Outcome == Accepted)
}

// Finding is what a refresh shows of the session of a record.
type Finding int

const (
	// FoundNothing: the record stays as it is. senhasegura purges ended sessions, and
	// the scope of an authorization may become smaller; neither changes what was done.
	FoundNothing Finding = iota
	// FoundEnded: the session has ended.
	FoundEnded
	// FoundLive: the session is live, so it must be terminated again.
	FoundLive
	// FoundOther: the record ID belongs to another session.
	FoundOther
	// NotRead: a transient failure kept the session from being read. The record stays
	// as it is, because a plan must not fail while senhasegura is down.
	NotRead
)

// Refreshed is the result of a refresh.
type Refreshed struct {
	Finding Finding
	// Outcome is the new outcome of the record.
	Outcome Outcome
	// Session is the session that was read, nil if none was.
	Session *session.Session
	// ConfirmedAt is when this process read the end, by its own clock in UTC; zero if
	// it read none.
	ConfirmedAt time.Time
	// Err is why nothing was read, nil unless Finding is NotRead.
	Err error
}

// Refresh reads the session of an open record, with one small request. Only a live
// session invalidates the record.
//
// The error is a failure that does not go away by waiting, such as a wrong route. After
// a transient failure, further refreshes of the process return it without a request,
// until one that is under way works. Refresh is safe for concurrent use.
func (t *Terminator) Refresh(ctx context.Context, record Record) (Refreshed, error) {
	kept := Refreshed{Outcome: record.Outcome}
	if !record.Open() {
		return kept, nil
	}
	if failure := t.refreshErr.Load(); failure != nil {
		kept.Finding, kept.Err = NotRead, *failure
		return kept, nil
	}
	seen, err := t.api.Session(ctx, record.RecordID)
	transient := errors.Is(err, session.ErrTransient) || ctx.Err() != nil
	switch {
	case err != nil && transient:
		if !errors.Is(err, context.Canceled) {
			t.refreshErr.Store(&err)
		}
		kept.Finding, kept.Err = NotRead, err
		return kept, nil
	case errors.Is(err, session.ErrNotFound), errors.Is(err, session.ErrPermission):
		return kept, nil
	case err != nil:
		return kept, err
	}
	t.refreshErr.Store(nil)
	return record.refreshed(seen), nil
}

// Import reads a session that ended without this run, for a new record of it, from a list
// that begins after the call. A live session is an *Error of the kind StillLive with the
// session in Last: a record of it would state an end. Other errors are those of Find.
func (t *Terminator) Import(ctx context.Context, sessionID string) (Result, error) {
	seen, err := t.Find(ctx, sessionID)
	switch {
	case err != nil:
		return Result{}, err
	case seen.Live():
		return Result{}, &Error{Kind: StillLive, SessionID: sessionID, Last: &seen}
	}
	return Result{Outcome: AlreadyEnded, Session: &seen, ConfirmedAt: time.Now().UTC()}, nil
}

// refreshed is the new state of a record after its session was read.
func (r Record) refreshed(seen session.Session) Refreshed {
	result := Refreshed{Outcome: r.Outcome}
	switch {
	case seen.ID == "":
		// Without a session ID, the record may be of another session.
	case seen.ID != r.SessionID:
		result.Finding = FoundOther
	case seen.Live():
		result.Finding, result.Session = FoundLive, &seen
	default:
		result.Finding, result.Session, result.ConfirmedAt = FoundEnded, &seen, time.Now().UTC()
		if r.Outcome == Accepted {
			result.Outcome = Terminated
		}
	}
	return result
}
