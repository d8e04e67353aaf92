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

// Kind is how an operation failed: the outcome of its session, or one of the constants
// below, which are no outcomes.
type Kind = Outcome

const (
	// Mismatch: the record id given with the session id belongs to another session.
	Mismatch Kind = "mismatch"
	// TooMany: more sessions match than allowed; none was terminated.
	TooMany Kind = "too_many"
	// NotCovered: the list shows that values of match or exclude are unseen, or it
	// holds no session at all; none was terminated.
	NotCovered Kind = "not_covered"
	// NotApproved: a session matches that the plan did not show, and only those that
	// it showed may be terminated.
	NotApproved Kind = "not_approved"
)

// Result is the result of Terminate. It is also set on an error, as far as it is known.
type Result struct {
	Outcome Outcome
	// Accepted: senhasegura accepted a request of this run. If true together with an
	// error, the request took effect or may do so, and the caller must record it.
	Accepted bool
	// Session is the session as last read, nil if it was never read.
	Session *session.Session
	// ConfirmedAt is when this process read the end, by its own clock in UTC; zero if
	// it read none.
	ConfirmedAt time.Time
	// NotConfirmed is why the end after an accepted request could not be confirmed, nil
	// otherwise.
	NotConfirmed error
}

// Error is why one session was not terminated. It is always used as a pointer.
type Error struct {
	Kind      Kind
	SessionID string
	// Requests is how many termination requests were handed to the API client.
	Requests int
	// Last is the session as last read, nil if it was never read.
	Last *session.Session
	// RequestErr is why the last request failed, nil if it was accepted.
	RequestErr error
	// CheckErr is why the last check failed, nil if it worked.
	CheckErr error
	// Context is why waiting stopped: context.Canceled, context.DeadlineExceeded, or
	// nil.
	Context error
}

// Error gives the session, the kind, and the causes in one line.
func (e *Error) Error() string {
	text := fmt.Sprintf("session %s: %s", e.SessionID, e.Kind)
	if cause := errors.Join(e.RequestErr, e.CheckErr, e.Context); cause != nil {
		text += ": " + cause.Error()
	}
	return text
}

// Unwrap gives RequestErr, CheckErr and Context, without those that are nil.
func (e *Error) Unwrap() []error {
	var causes []error
	for _, err := range []error{e.RequestErr, e.CheckErr, e.Context} {
		if err != nil {
			causes = append(causes, err)
		}
	}
	return causes
}
