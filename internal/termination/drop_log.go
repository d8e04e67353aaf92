package termination

import (
	"context"
	"errors"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// dropLog is what a run has asked of PAM for one session, and what that allows
// to say about the session. A single termination and a drain share it, so that
// the same answers mean the same in both, and so that one budget bounds the
// requests for a session: 1 + retries in a run.
type dropLog struct {
	sent int
	// accepted: PAM accepted a drop of this run.
	accepted bool
	// lost: a drop of this run may have worked although its answer was lost.
	lost bool
	// denied: PAM refused a drop of this run without a reason.
	denied bool
	// requestErr is the failure of the last drop, nil if it was accepted or there was none.
	requestErr error
	// turnedAway: PAM turned a drop away unread. The client has repeated it already,
	// so one further drop is the last: further.
	turnedAway, further bool
	// live counts the checks since the last drop that showed the session live.
	live int
	// lastLive is the last check that showed it live, before a drop or after one.
	lastLive liveCheck
}

// liveCheck is a check that showed a session live: by which record, "" if that is not
// known, and when it was asked for.
type liveCheck struct {
	recordID string
	askedAt  time.Time
}

// send sends one drop and takes note of the answer.
func (l *dropLog) send(ctx context.Context, server API, sessionID string) {
	l.sent++
	l.live = 0
	l.further = l.turnedAway
	l.requestErr = server.Drop(ctx, sessionID)
	switch {
	case l.requestErr == nil:
		l.accepted = true
	case errors.Is(l.requestErr, session.ErrUnknownOutcome):
		l.lost = true
	case l.refused():
		l.denied = true
	case errors.Is(l.requestErr, session.ErrTransient):
		l.turnedAway = true
	}
}

// showedLive notes a check that began after the last drop and showed the session
// live.
func (l *dropLog) showedLive() { l.live++ }

// tellClock tells a clock of an end that a check has shown which was complete at
// readAt. An end that this run did not bring about, or of another record than the
// one that was live, may be old, and tells nothing.
func (l *dropLog) tellClock(c *clock, ended session.Session, readAt time.Time) {
	if l.accepted && ended.RecordID != "" && ended.RecordID == l.lastLive.recordID {
		c.end(ended.EndedAt, l.lastLive.askedAt, readAt)
	}
}

// due reports whether a drop may be sent now. The first needs no check. A further
// one follows a check that showed the session live: one check as a rule, and where
// PAM has accepted a drop, which may take its time, twice as many each time.
func (l *dropLog) due(retries int) bool {
	needed := 0
	switch {
	case l.spent(retries):
		return false
	case l.accepted:
		needed = 1 << (l.sent - 1)
	case l.sent > 0:
		needed = 1
	}
	return l.live >= needed
}

// spent reports whether no drop will follow in this run: the budget is used up, or
// PAM rejected the last one for a reason that lies in this session.
func (l *dropLog) spent(retries int) bool {
	return l.sent > retries || l.further || l.rejected()
}

// rejected reports whether the last drop failed for a reason that lies in this
// session, and not in PAM or the authorization.
func (l *dropLog) rejected() bool {
	return errors.Is(l.requestErr, session.ErrIdentifier) || errors.Is(l.requestErr, session.ErrRejected)
}

// refused reports whether the last drop was refused without a reason.
func (l *dropLog) refused() bool { return errors.Is(l.requestErr, session.ErrRefused) }

// notCarriedOut reports whether PAM certainly did not act on the last drop, for
// a reason that another drop would meet again.
func (l *dropLog) notCarriedOut() bool {
	return l.requestErr != nil && !l.refused() && !errors.Is(l.requestErr, session.ErrUnknownOutcome)
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
	case l.denied:
		return Refused
	default:
		return NotAttempted
	}
}

// whenUnread is the outcome of a session that can't be read. PAM refuses to drop
// a session that has ended, too.
func (l *dropLog) whenUnread() Outcome {
	if l.accepted || l.lost || l.denied {
		return Unknown
	}
	return NotAttempted
}
