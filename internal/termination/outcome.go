package termination

import (
	"errors"
	"fmt"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// Outcome is the result for one session. The values are those that users see.
type Outcome string

const (
	// Terminated: by this run; its end time was read after the request.
	Terminated Outcome = "terminated"
	// AlreadyEnded: ended, and not by this run.
	AlreadyEnded Outcome = "already_ended"
	// Accepted: senhasegura accepted the request; the end was not confirmed, because
	// no confirmation was asked for or none is possible.
	Accepted Outcome = "accepted"
	// NotFound: senhasegura does not list it.
	NotFound Outcome = "not_found"
	// Refused: senhasegura refused the request, and the session is still live.
	Refused Outcome = "refused"
	// StillLive: the request was accepted or sent, and the session was live at the
	// last check.
	StillLive Outcome = "still_live"
	// Unknown: the session may have ended; it can't be read, or too little is shown
	// to decide.
	Unknown Outcome = "unknown"
	// NotAttempted: no request was carried out; the session is unchanged.
	NotAttempted Outcome = "not_attempted"
	// Matched: a preview or dry run; it would be terminated.
	Matched Outcome = "matched"
	// Excluded: matches both `match` and `exclude`, and is left open.
	Excluded Outcome = "excluded"
)

// Ended reports whether the outcome rests on an end time that was read.
func (o Outcome) Ended() bool { return o == Terminated || o == AlreadyEnded }

// Kind is the way in which an operation failed: the outcome of its session, or
// one of those that are no outcome.
type Kind = Outcome

const (
	// Mismatch: the record id given with the session id belongs to another session.
	Mismatch Kind = "mismatch"
	// TooMany: more sessions match than allowed; none was terminated.
	TooMany Kind = "too_many"
	// NotCovered: the list tells that values of match or exclude are unseen, or holds
	// no session at all; none was terminated.
	NotCovered Kind = "not_covered"
	// NotApproved: a session matches that the plan did not show, and only those that
	// it showed may be terminated.
	NotApproved Kind = "not_approved"
)

// Result is what a termination came to. On an error it holds what is known all
// the same.
type Result struct {
	Outcome Outcome
	// Accepted: PAM accepted a drop in this run. True together with an error
	// means that the operation took place and must be remembered.
	Accepted bool
	// Session is the last sight of the session, nil if it was never seen.
	Session *session.Session
	// ConfirmedAt is when this process saw the end, by its own clock in UTC;
	// zero if it saw none.
	ConfirmedAt time.Time
	// NotConfirmed is why an accepted drop could not be confirmed, nil otherwise.
	NotConfirmed error
}

// Error is the failure to end one session. It is always used as a pointer.
type Error struct {
	Kind      Kind
	SessionID string
	// Requests counts the drops that were handed to the API client.
	Requests int
	// Last is the last sight of the session, nil if it was never seen.
	Last *session.Session
	// RequestErr is the last failure of a drop, nil if the last one was accepted.
	RequestErr error
	// CheckErr is the last failure of a look, nil if the last one worked.
	CheckErr error
	// Context is why waiting stopped: context.Canceled, context.DeadlineExceeded,
	// or nil.
	Context error
}

// Error says in one line what failed and how.
func (e *Error) Error() string {
	text := fmt.Sprintf("session %s: %s", e.SessionID, e.Kind)
	if cause := errors.Join(e.RequestErr, e.CheckErr, e.Context); cause != nil {
		text += ": " + cause.Error()
	}
	return text
}

// Unwrap gives the failures of the drop, the look and the context.
func (e *Error) Unwrap() []error {
	var causes []error
	for _, err := range []error{e.RequestErr, e.CheckErr, e.Context} {
		if err != nil {
			causes = append(causes, err)
		}
	}
	return causes
}
