package termination

import (
	"context"
	"errors"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// attempt is what a run has tried on one session, and what that allows to say
// about it. A single termination and a drain share it, so that the same answers
// mean the same in both.
type attempt struct {
	drops int
	// accepted: PAM accepted a drop of this run.
	accepted bool
	// lost: a drop of this run may have worked although its answer was lost.
	lost bool
	// err is the failure of the last drop, nil if it was accepted or there was none.
	err error
}

// drop sends one drop and takes note of the answer.
func (a *attempt) drop(ctx context.Context, pam PAM, sessionID string) {
	a.drops++
	a.err = pam.Drop(ctx, sessionID)
	switch {
	case a.err == nil:
		a.accepted = true
	case errors.Is(a.err, session.ErrUnknownOutcome):
		a.lost = true
	}
}

// refused reports whether the last drop was refused without a reason.
func (a *attempt) refused() bool { return errors.Is(a.err, session.ErrRefused) }

// notCarriedOut reports whether PAM certainly did not act on the last drop, for
// a reason that another drop would meet again.
func (a *attempt) notCarriedOut() bool {
	return a.err != nil && !a.refused() && !errors.Is(a.err, session.ErrUnknownOutcome)
}

// ended is the outcome of a session that is seen ended: if any drop of this run
// may have worked, it was this run that ended it.
func (a *attempt) ended() Outcome {
	if a.accepted || a.lost {
		return Terminated
	}
	return AlreadyEnded
}

// whenLive is the failure of a session that is seen live. A lost answer may
// belong to a drop that PAM is still carrying out, so it is not called a refusal.
func (a *attempt) whenLive() Kind {
	switch {
	case a.accepted || a.lost:
		return Unconfirmed
	case a.refused():
		return Refused
	default:
		return Failed
	}
}

// whenUnseen is the failure of a session that cannot be looked at.
func (a *attempt) whenUnseen() Kind {
	switch {
	case a.accepted:
		return Unconfirmed
	case a.lost || a.refused():
		return Unverified
	default:
		return Failed
	}
}
