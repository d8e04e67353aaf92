package termination

import (
	"context"
	"errors"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// dropLog is what a run has requested for one session, and what follows from the
// responses. A single termination and a drain share it, so that the same responses mean
// the same in both, and so that one budget limits the requests for a session: 1 +
// retries in a run.
type dropLog struct {
	sent int
	// accepted: senhasegura accepted a request of this run.
	accepted bool
	// lost: a request of this run may have worked although its response was lost.
	lost bool
	// denied: senhasegura refused a request of this run without a reason.
	denied bool
	// requestErr is why the last request failed, nil if it was accepted or none was
	// sent.
	requestErr error
	// turnedAway: senhasegura turned a request away without reading it. The client has
	// repeated it already, so one further request is the last: further.
	turnedAway, further bool
	// live counts the checks since the last request that showed the session live.
	live int
	// lastLive is the last check that showed it live, before or after a request.
	lastLive liveCheck
}

// liveCheck is a check that showed a session live: the record that it showed, "" if
// that is not known, and when the check began.
type liveCheck struct {
	recordID string
	askedAt  time.Time
}

// send sends one termination request and notes the response.
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

// showedLive notes a check that began after the last request and showed the session
// live.
func (l *dropLog) showedLive() { l.live++ }

// tellClock gives a clock the end that a check showed, if this run requested it. readAt
// is when that check was complete. An end that this run did not request, or of another
// record than the one that was live, may be old, and so shows nothing about the clock.
func (l *dropLog) tellClock(c *clock, ended session.Session, readAt time.Time) {
	if l.accepted && ended.RecordID != "" && ended.RecordID == l.lastLive.recordID {
		c.end(ended.EndedAt, l.lastLive.askedAt, readAt)
	}
}

// due reports whether a request may be sent now. The first needs no check. A repeated
// one needs a check that showed the session live. After senhasegura has accepted a
// request, which it may carry out later, twice as many checks are needed each time.
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

// spent reports whether this run sends no further request: the budget is used up, or
// senhasegura rejected the last one for a reason that lies in this session.
func (l *dropLog) spent(retries int) bool {
	return l.sent > retries || l.further || l.rejected()
}

// rejected reports whether the last request failed for a reason that lies in this
// session, and not in senhasegura or the authorization.
func (l *dropLog) rejected() bool {
	return errors.Is(l.requestErr, session.ErrIdentifier) || errors.Is(l.requestErr, session.ErrRejected)
}

// refused reports whether the last request was refused without a reason.
func (l *dropLog) refused() bool { return errors.Is(l.requestErr, session.ErrRefused) }

// notCarriedOut reports whether senhasegura certainly did not act on the last request,
// for a reason that also applies to a repetition.
func (l *dropLog) notCarriedOut() bool {
	return l.requestErr != nil && !l.refused() && !errors.Is(l.requestErr, session.ErrUnknownOutcome)
}

// askedToWait is how long the response asked to wait that came in place of the last
// request's, 0 if none did: the next request is not sent before. A request that was turned
// away without being read has waited already.
func (l *dropLog) askedToWait() time.Duration {
	var asks interface{ AskedToWait() time.Duration }
	if errors.Is(l.requestErr, session.ErrUnknownOutcome) && errors.As(l.requestErr, &asks) {
		return asks.AskedToWait()
	}
	return 0
}

// whenEnded is the outcome of a session whose end was read. If any request of this run may
// have worked, this run ended it.
func (l *dropLog) whenEnded() Outcome {
	if l.accepted || l.lost {
		return Terminated
	}
	return AlreadyEnded
}

// whenLive is the outcome of a session that was live at the last check. After a lost
// response it is not Refused: senhasegura may still be carrying out that request.
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

// whenUnread is the outcome of a session that can't be read. A refusal does not show
// that it is live: senhasegura also refuses a request for a session that has ended.
func (l *dropLog) whenUnread() Outcome {
	if l.accepted || l.lost || l.denied {
		return Unknown
	}
	return NotAttempted
}
