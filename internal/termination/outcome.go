package termination

import (
	"errors"
	"fmt"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// Outcome is what became of one session. The values are those that users see.
type Outcome string

const (
	// Terminated: dropped by this run and seen ended after that.
	Terminated Outcome = "terminated"
	// AlreadyEnded: seen ended, and not by this run.
	AlreadyEnded Outcome = "already_ended"
	// Accepted: PAM accepted the drop; no end was seen.
	Accepted Outcome = "accepted"
	// NotFound: PAM refused the drop and shows no such session.
	NotFound Outcome = "not_found"
	// Planned: a dry run would drop it.
	Planned Outcome = "planned"

	// NotDropped: no drop was carried out; the session is as it was.
	NotDropped Outcome = Outcome(Failed)

	// OutcomeRefused, OutcomeUnverified and OutcomeUnconfirmed are those of a
	// session in a drain that failed; see [Kind].
	OutcomeRefused     = Outcome(Refused)
	OutcomeUnverified  = Outcome(Unverified)
	OutcomeUnconfirmed = Outcome(Unconfirmed)
)

// Ended reports whether the outcome rests on an end that was seen.
func (o Outcome) Ended() bool { return o == Terminated || o == AlreadyEnded }

// Result is what a termination came to. On an error it holds what is known all
// the same.
type Result struct {
	Outcome Outcome
	// Accepted: PAM accepted a drop in this run. True together with an error
	// means that the operation took place and must be remembered.
	Accepted bool
	// Session is the last sight of the session, nil if it was never seen.
	Session *session.Session
	// SeenEndedAt is when this process saw the end, by its own clock in UTC;
	// zero if it saw none.
	SeenEndedAt time.Time
	// NoLook is why an accepted drop could not be confirmed, nil otherwise.
	NoLook error
}

// Kind is the way in which a termination failed.
type Kind string

// The kinds of failure; see the package comment.
const (
	Refused     Kind = "refused"
	Unverified  Kind = "unverified"
	Unconfirmed Kind = "unconfirmed"
	Unknown     Kind = "unknown"
	Failed      Kind = "not_dropped"
	Mismatch    Kind = "mismatch"
	TooMany     Kind = "too_many"
)

// Error is the failure to end one session. It is always used as a pointer.
type Error struct {
	Kind      Kind
	SessionID string
	// Drops counts the drops that were handed to the API client.
	Drops int
	// Last is the last sight of the session, nil if it was never seen.
	Last *session.Session
	// Drop is the last failure of a drop, nil if the last one was accepted.
	Drop error
	// Look is the last failure of a look, nil if the last one worked.
	Look error
	// Context is why waiting stopped: context.Canceled, context.DeadlineExceeded,
	// or nil.
	Context error
}

// Error says in one line what failed and how.
func (e *Error) Error() string {
	text := fmt.Sprintf("session %s: %s", e.SessionID, e.Kind)
	if cause := errors.Join(e.Drop, e.Look, e.Context); cause != nil {
		text += ": " + cause.Error()
	}
	return text
}

// Unwrap gives the failures of the drop, the look and the context.
func (e *Error) Unwrap() []error {
	var causes []error
	for _, err := range []error{e.Drop, e.Look, e.Context} {
		if err != nil {
			causes = append(causes, err)
		}
	}
	return causes
}
