package termination

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// DrainRequest names the sessions to terminate, and how.
type DrainRequest struct {
	// Selector says which live sessions match. It is applied again to every read, and
	// before every request.
	Selector *session.Selector
	// OnUnseen is what to do about values of Selector that no session in the first list
	// has; empty means UnseenContinue.
	OnUnseen OnUnseen
	// Unsettled are sessions that an earlier run could not settle. The drain needs an
	// end of each, or a list that shows that it does not match; that a list shows it
	// no more is not enough. One that the Selector excludes is left alone.
	Unsettled []session.Session
	// Previewed are the sessions that the plan of this drain showed as those that it
	// terminates. As of Unsettled, the drain needs an end of each, because whoever
	// runs the drain may see less than whoever planned it.
	Previewed []session.Session
	// OnlyPreviewed is whether the drain terminates nothing else. A matching session
	// that is not in Previewed and is live after the grace makes it fail before it
	// terminates anything; one that appears later, at its end.
	OnlyPreviewed bool
	// Grace is how long the sessions may go on before they are terminated.
	Grace time.Duration
	// Quiet is how long no matching session may have been live for the drain to
	// succeed, whether or not there was one at first.
	Quiet time.Duration
	// Poll is the first pause between two checks, and before a repeated request.
	Poll time.Duration
	// Limit is how many matching sessions may be live at the same time, nil for any
	// number. Where there are more, at first or later, no further request is sent.
	Limit *int
	// LeaveExcluded is whether the drain succeeds in spite of excluded sessions that are
	// live. If false, it waits out the grace for them too, fails before it terminates
	// anything where one is live after that, and fails at its end where one that
	// appeared later is. One whose match is Undecided never blocks.
	LeaveExcluded bool
	// DryRun reads the list once and terminates nothing.
	DryRun bool
	// Progress is told what happens, from the goroutine that called Drain; nil for no
	// progress.
	Progress func(Event)
}

// Event is one step of a drain, or of the termination of one session.
type Event struct {
	Stage Stage
	// Count is the number of sessions the stage concerns.
	Count int
	// Session is the one that a Settled event is about. In a termination of one session
	// every event is about it.
	Session *SessionResult
	// Wait is the longest time that the stage waits.
	Wait time.Duration
	// Reason is why a request is repeated, nil where senhasegura accepted it and the
	// session is still live.
	Reason error
}

// Stage names the steps.
type Stage string

// The stages, in their order. A termination of one session has Dropping, Repeating, and
// Settled.
const (
	Listed      Stage = "listed"
	InGrace     Stage = "grace"
	Terminating Stage = "terminating"
	Repeating   Stage = "repeating"
	Settled     Stage = "settled"
	NewSessions Stage = "new_sessions"
	InQuiet     Stage = "quiet"
)

// SessionResult is the result of a drain for one session.
type SessionResult struct {
	// Session is its record as last read. It is shared, and nobody changes it.
	Session *session.Session
	Outcome Outcome
	// Accepted: senhasegura accepted a request of this run. Lost: a request may have
	// reached it, and no answer came back.
	Accepted, Lost bool
	// NeedsEnd: it is one of Unsettled or Previewed.
	NeedsEnd bool
	// Previewed: it is one of Previewed.
	Previewed bool
	// Unapproved: it matches and is live, and is not terminated because of
	// OnlyPreviewed. So the drain fails.
	Unapproved bool
	// Err is the last failure of a request or a check of this session, nil without.
	Err error
	// Undecided is why it can't be told whether the session matches or is excluded, nil
	// where that is certain. Such a session is not terminated.
	Undecided []session.UnknownCriterion
	// Blocks: the session is excluded and live, and so the drain fails.
	Blocks bool
}

// Live reports whether the session is known to be live.
func (d SessionResult) Live() bool {
	return d.Outcome == Refused || d.Outcome == StillLive || d.Outcome == NotAttempted
}

// notEnded reports whether the session matches or may match, and is not known to
// have ended.
func (d SessionResult) notEnded() bool {
	return !d.Outcome.Ended() && d.Outcome != Matched && d.Outcome != Excluded
}

// Report is what a drain came to, also if it failed.
type Report struct {
	// Sessions holds every session that matched or may have matched, excluded ones
	// included, in the order in which they were first seen.
	Sessions []SessionResult
	// Coverage is what the first list, or that of the preview, tells of Match and
	// Exclude; nil if it could not be read.
	Coverage *Coverage
}

// NotEnded gives the sessions that are not known to have ended.
func (r Report) NotEnded() []SessionResult { return r.those(SessionResult.notEnded) }

// Terminated gives the sessions that this run terminated.
func (r Report) Terminated() []SessionResult {
	return r.those(func(d SessionResult) bool { return d.Outcome == Terminated })
}

// Excluded gives the sessions that are left open because they are excluded. One that
// is known from an earlier run only, and that senhasegura does not show, is not among
// them.
func (r Report) Excluded() []SessionResult {
	return r.those(func(d SessionResult) bool { return d.Outcome == Excluded && d.Err == nil })
}

// Blocking gives the excluded sessions that the drain fails for.
func (r Report) Blocking() []SessionResult {
	return r.those(func(d SessionResult) bool { return d.Blocks })
}

// Matched gives the sessions that a drain would terminate.
func (r Report) Matched() []SessionResult {
	return r.those(func(d SessionResult) bool { return d.Outcome == Matched })
}

// Unapproved gives the sessions that the drain fails for because the plan did not
// show them.
func (r Report) Unapproved() []SessionResult {
	return r.those(func(d SessionResult) bool { return d.Unapproved })
}

// EndedSincePreview gives the sessions that the plan showed and that this run did not
// have to terminate.
func (r Report) EndedSincePreview() []SessionResult {
	return r.those(func(d SessionResult) bool { return d.Previewed && d.Outcome == AlreadyEnded })
}

// Requested gives the sessions without a known end whose requests were accepted, or may have
// been received.
func (r Report) Requested() []SessionResult {
	return r.those(func(d SessionResult) bool { return !d.Outcome.Ended() && (d.Accepted || d.Lost) })
}

// Unsettled gives the sessions that the next run needs an end of, see
// DrainRequest. A session for which nothing was requested and that a list showed
// live needs no such memory: the next list shows it, too.
func (r Report) Unsettled() []session.Session {
	var unsettled []session.Session
	for _, d := range r.Sessions {
		if d.notEnded() && (d.NeedsEnd || d.Outcome != NotAttempted) && d.Session.ID != "" {
			unsettled = append(unsettled, *d.Session)
		}
	}
	return unsettled
}

func (r Report) those(are func(SessionResult) bool) []SessionResult {
	return slices.DeleteFunc(slices.Clone(r.Sessions), func(d SessionResult) bool { return !are(d) })
}

// DrainError is the failure of a drain. It is always used as a pointer.
type DrainError struct {
	// Kind is TooMany or NotCovered; NotAttempted if the first list could not be read;
	// Excluded if nothing but excluded sessions is in the way; NotApproved if a session
	// is in the way that the plan did not show; StillLive if a session of
	// the report is live; else Unknown: one of the report may be, or others may have
	// come unseen.
	Kind Kind
	// Coverage belongs to NotCovered.
	Coverage *Coverage
	// Count and Limit belong to TooMany.
	Count, Limit int
	// Barred: a session that the plan did not show, and that OnlyPreviewed kept from
	// being terminated, is not known to have ended.
	Barred bool
	// Cause is the last failure that concerns the whole drain, nil without.
	Cause error
	// Context is why waiting stopped: context.Canceled, context.DeadlineExceeded,
	// or nil.
	Context error
}

// Ran reports whether the drain ran until it could do no more or its time was up.
// Only then may a caller go on in spite of the error: not past a guard, a first
// list that could not be read, or an interrupt. One that would go on past excluded
// sessions sets LeaveExcluded, so that the others are terminated.
func (e *DrainError) Ran() bool {
	return !e.Guarded() && !e.Barred && e.Kind != NotAttempted && e.Kind != Excluded && e.Kind != NotApproved && !errors.Is(e.Context, context.Canceled)
}

// Guarded reports whether a guard stopped the drain.
func (e *DrainError) Guarded() bool { return e.Kind == TooMany || e.Kind == NotCovered }

func (e *DrainError) Error() string {
	text := "drain: " + string(e.Kind)
	if cause := errors.Join(e.Cause, e.Context); cause != nil {
		text += ": " + cause.Error()
	}
	return text
}

// Unwrap gives the cause and the context's error.
func (e *DrainError) Unwrap() []error {
	return (&Error{RequestErr: e.Cause, Context: e.Context}).Unwrap()
}

// Drain terminates every live session that matches and is not excluded: it lists,
// waits out the grace, requests, checks until they have ended, and terminates new
// ones too, until a complete list shows none and the quiet time has passed. The
// context's deadline bounds all waits.
//
// A session for which PAM shows too little to decide is never terminated and is
// reported as Unknown. The error is a *DrainError; the Report beside it holds all
// that is known.
func (t *Terminator) Drain(ctx context.Context, request DrainRequest) (Report, error) {
	d := t.newDrain(request)
	err := d.run(ctx)
	return d.report(), err
}

// Preview gives what a drain of the request would terminate, and when that was
// true. It makes no request of its own where the process has read the list before.
func (t *Terminator) Preview(ctx context.Context, request DrainRequest) (Report, time.Time, error) {
	request.DryRun, request.OnlyPreviewed, request.Unsettled, request.Previewed = true, false, nil, nil
	d := t.newDrain(request)
	readAt, err := d.preview(ctx)
	return d.report(), readAt, err
}
