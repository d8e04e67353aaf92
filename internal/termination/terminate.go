package termination

import (
	"context"
	"errors"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// Request names one session to end, and how.
type Request struct {
	// SessionID is the hash that a drop takes.
	SessionID string
	// RecordID is the row number, "" if not known. With it, looking is one small
	// request; without it, the list is read.
	RecordID string
	// Confirm waits until PAM shows an end.
	Confirm bool
	// IgnoreNotFound counts a session that PAM does not show as gone.
	IgnoreNotFound bool
	// PollInterval is the time between two looks, and before a repeated drop.
	PollInterval time.Duration
}

// Terminate ends one session. It returns when the session was seen ended, or
// when no more can be done or known; the context's deadline bounds the wait.
//
// It sends one drop. A second one is sent only after a look showed the session
// live, within the retries; or once, blindly, if the answer was lost and no look
// is possible. The error is an *Error; the Result beside it holds what is known.
func (t *Terminator) Terminate(ctx context.Context, request Request) (Result, error) {
	run := &termination{Terminator: t, Request: request}
	err := run.end(ctx)
	if err == nil {
		err = run.checkRecordID()
	}
	return run.result, err
}

// termination is one run of Terminate.
type termination struct {
	*Terminator
	Request
	dropLog

	result Result
	// stranger is the session that the given record id turned out to belong to.
	stranger *session.Session
}

func (r *termination) end(ctx context.Context) error {
	blind := false
	for repeats := 0; ; repeats++ {
		r.drop(ctx, r.pam, r.SessionID)
		switch {
		case r.err == nil:
			return r.confirm(ctx)
		case r.notCarriedOut():
			return r.fail(ctx, r.whenUnread(), nil)
		}

		seen, lookErr := r.lookUntilKnown(ctx)
		switch {
		case lookErr == nil && !seen.Live():
			r.seeEnd()
			return nil
		case lookErr == nil:
			if repeats >= r.options.Retries || wait(ctx, r.PollInterval) != nil {
				return r.fail(ctx, r.whenLive(), nil)
			}
		case errors.Is(lookErr, session.ErrNotFound) && r.refused():
			if !r.IgnoreNotFound {
				return r.fail(ctx, NotFound, lookErr)
			}
			r.result.Outcome = NotFound
			return nil
		case r.refused() || blind || ctx.Err() != nil:
			return r.fail(ctx, Unknown, lookErr)
		default:
			// The answer was lost and nothing can be seen: dropping once more
			// does no harm, and its answer may be one that can be trusted.
			blind = true
		}
	}
}

// seeEnd records an end that a look has just shown.
func (r *termination) seeEnd() {
	r.result.SeenEndedAt = time.Now().UTC()
	r.result.Outcome = r.ended()
}

// confirm waits until the session of an accepted drop is seen ended.
func (r *termination) confirm(ctx context.Context) error {
	r.result.Accepted = true
	r.result.Outcome = Accepted
	if !r.Confirm {
		return nil
	}
	for {
		seen, err := r.lookUntilKnown(ctx)
		switch {
		case err == nil && !seen.Live():
			r.seeEnd()
			return nil
		case err == nil:
			if wait(ctx, r.PollInterval) != nil {
				return r.fail(ctx, StillLive, nil)
			}
		case noLookPossible(err):
			r.result.NoLook = err
			return nil
		default:
			return r.fail(ctx, Unknown, err)
		}
	}
}

// noLookPossible: the authorization may not list, the release has no list, or
// the session is hidden from this authorization.
func noLookPossible(err error) bool {
	return errors.Is(err, session.ErrPermission) || errors.Is(err, session.ErrWrongRoute) || errors.Is(err, session.ErrNotFound)
}

// lookUntilKnown looks until an answer of PAM says something that waiting will
// not change. Passing failures are waited out for as long as the context lasts;
// the last one is the error then, because it says more than the context does.
func (r *termination) lookUntilKnown(ctx context.Context) (session.Session, error) {
	var passing error
	for {
		seen, err := r.lookOnce(ctx)
		switch {
		case err == nil:
			r.result.Session = &seen
			return seen, nil
		case ctx.Err() != nil && passing != nil:
			return session.Session{}, passing
		case !errors.Is(err, session.ErrTransient):
			return session.Session{}, err
		}
		passing = err
		if !r.accepted && r.look.down() || wait(ctx, r.PollInterval) != nil {
			return session.Session{}, passing
		}
	}
}

// lookOnce makes no request if a list has shown the end already, and else prefers
// the small one. Whatever that does not answer about this very session, the list
// decides.
func (r *termination) lookOnce(ctx context.Context) (session.Session, error) {
	if seen, ended := r.look.ended(r.SessionID); ended {
		return seen.session, nil
	}
	if record := r.knownRecordID(); record != "" {
		seen, err := r.pam.Session(ctx, record)
		switch {
		case err == nil && seen.ID == r.SessionID:
			return seen, nil
		case err == nil:
			if seen.ID != "" && record == r.RecordID {
				r.stranger = &seen
			}
		case noLookPossible(err), errors.Is(err, session.ErrIdentifier):
		default:
			return session.Session{}, err
		}
	}
	ask := r.look.askFirst
	if r.accepted {
		ask = r.look.ask // who waits for an end does so for as long as there is time
	}
	seen, _, err := r.look.one(ctx, r.SessionID, ask)
	return seen, err
}

func (r *termination) knownRecordID() string {
	if r.result.Session != nil && r.result.Session.RecordID != "" {
		return r.result.Session.RecordID
	}
	if r.RecordID != "" {
		return r.RecordID
	}
	return r.look.record(r.SessionID)
}

// checkRecordID: the caller will use the record id to look again, so a wrong one
// must not stay.
func (r *termination) checkRecordID() error {
	seen := r.result.Session
	known := seen != nil && seen.RecordID != ""
	if r.stranger == nil && (r.RecordID == "" || !known || seen.RecordID == r.RecordID) {
		return nil
	}
	return &Error{Kind: Mismatch, SessionID: r.SessionID, Drops: r.drops, Last: seen}
}

func (r *termination) fail(ctx context.Context, kind Kind, lookErr error) *Error {
	return &Error{
		Kind:      kind,
		SessionID: r.SessionID,
		Drops:     r.drops,
		Last:      r.result.Session,
		Drop:      r.err,
		Look:      lookErr,
		Context:   ctx.Err(),
	}
}
