package termination

import (
	"context"
	"errors"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// dropLog is what a run has asked of PAM for one session, and what that allows
// to say about the session. A single termination and a drain share it, so that
// the same answers mean the same in both.
type dropLog struct {
	drops int
	// accepted: PAM accepted a drop of this run.
	accepted bool
	// lost: a drop of this run may have worked although its answer was lost.
	lost bool
	// err is the failure of the last drop, nil if it was accepted or there was none.
	err error
}

// drop sends one drop and takes note of the answer.
func (l *dropLog) drop(ctx context.Context, pam PAM, sessionID string) {
	l.drops++
	l.err = pam.Drop(ctx, sessionID)
	switch {
	case l.err == nil:
		l.accepted = true
	case errors.Is(l.err, session.ErrUnknownOutcome):
		l.lost = true
	}
}

// refused reports whether the last drop was refused without a reason.
func (l *dropLog) refused() bool { return errors.Is(l.err, session.ErrRefused) }

// notCarriedOut reports whether PAM certainly did not act on the last drop, for
// a reason that another drop would meet again.
func (l *dropLog) notCarriedOut() bool {
	return l.err != nil && !l.refused() && !errors.Is(l.err, session.ErrUnknownOutcome)
}

// ended is the outcome of a session whose end was read: if any drop of this run
// may have worked, it was this run that ended it.
func (l *dropLog) ended() Outcome {
	if l.accepted || l.lost {
		return Terminated
	}
	return AlreadyEnded
}

// whenLive is the outcome of a session that was live at the last check. A lost
// answer may belong to a drop that PAM is still carrying out, so it is not called
// a refusal.
func (l *dropLog) whenLive() Outcome {
	switch {
	case l.accepted || l.lost:
		return StillLive
	case l.refused():
		return Refused
	default:
		return NotAttempted
	}
}

// whenUnread is the outcome of a session that can't be read. PAM refuses to drop
// a session that has ended, too.
func (l *dropLog) whenUnread() Outcome {
	if l.accepted || l.lost || l.refused() {
		return Unknown
	}
	return NotAttempted
}
