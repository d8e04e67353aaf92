package termination

import (
	"context"
	"errors"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// Record is what is kept of a termination.
type Record struct {
	SessionID string
	// RecordID is "" where it is not known.
	RecordID string
	Outcome  Outcome
	// EndedAt is the end of the session, zero where it is not known.
	EndedAt time.Time
}

// Open reports whether a refresh can tell anything new. An end is final, and
// without a record id only the list could tell.
func (r Record) Open() bool {
	return r.RecordID != "" && (r.EndedAt.IsZero() || r.Outcome == Accepted)
}

// Finding is what a refresh shows of the session of a record.
type Finding int

const (
	// FoundNothing: the record stays as it is. An ended session is purged some day, and
	// an authorization may be narrowed; neither undoes what was done.
	FoundNothing Finding = iota
	// FoundEnded: the session has ended.
	FoundEnded
	// FoundLive: the session is live, so that it has to be terminated again.
	FoundLive
	// FoundOther: the record id belongs to another session.
	FoundOther
	// NotRead: the session could not be read for a passing reason. The record stays as
	// it is, because a plan must not fail while senhasegura is down.
	NotRead
)

// Refreshed is the result of a refresh.
type Refreshed struct {
	Finding Finding
	// Outcome is that of the record from now on.
	Outcome Outcome
	// Session is what was read, nil where nothing was.
	Session *session.Session
	// ConfirmedAt is when this process read the end, by its own clock in UTC; zero if
	// it read none.
	ConfirmedAt time.Time
	// Err is why nothing was read, nil except with NotRead.
	Err error
}

// Refresh reads the session of a record that is open, with one small request. No
// answer ends the record of what was done but that the session is live.
//
// The error is a failure that waiting does not mend, such as a wrong route. After a
// passing one further refreshes of the process give the same, without a request,
// until one that is under way works.
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
	passing := errors.Is(err, session.ErrTransient) || ctx.Err() != nil
	switch {
	case err != nil && passing:
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

// refreshed is what reading the session makes of a record.
func (r Record) refreshed(seen session.Session) Refreshed {
	result := Refreshed{Outcome: r.Outcome}
	switch {
	case seen.ID == "":
		// Whose record it is cannot be told.
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
