package termination

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// DrainRequest says which sessions to terminate, and how.
type DrainRequest struct {
	// Selector says which live sessions match. It is applied again to every read, and
	// before every request.
	Selector *session.Selector
	// OnUnseen is what to do about values of Selector that no session in the first list
	// has; empty means UnseenContinue.
	OnUnseen OnUnseen
	// Unsettled are sessions that an earlier run could not settle. The drain needs an
	// end of each, or a list that shows that it does not match; a list that leaves the
	// session out is not enough. A session that Selector excludes is left open.
	Unsettled []session.Session
	// Previewed are the sessions that the plan of this drain showed as those that it
	// terminates. The drain needs an end of each, as of Unsettled, because the
	// authorization that drains may see less than the one that planned.
	Previewed []session.Session
	// OnlyPreviewed is whether the drain terminates only Previewed. If another matching
	// session is live after the grace period, the drain fails before it terminates
	// anything; if one appears later, it fails at its end.
	OnlyPreviewed bool
	// Grace is how long to wait for sessions to end on their own before they are
	// terminated.
	Grace time.Duration
	// Quiet is how long no matching session may have been live before the drain
	// succeeds, whether or not one was live at first.
	Quiet time.Duration
	// PollInterval is the first pause between two checks, and before a repeated request.
	PollInterval time.Duration
	// Limit is how many matching sessions may be live at the same time, nil for any
	// number. If there are more, at first or later, no further request is sent.
	Limit *int
	// LeaveExcluded is whether the drain succeeds although excluded sessions are live.
	// If false, it waits for them too during the grace period, fails before it
	// terminates anything if one is live after that, and fails at its end if one that
	// appeared later is live. A session that only may match never blocks.
	LeaveExcluded bool
	// DryRun is whether to read the list once and terminate nothing.
	DryRun bool
	// Progress receives each step, on the goroutine that called Drain; nil for no
	// progress.
	Progress func(Event)
}

// Event is one step of a drain, or of the termination of one session.
type Event struct {
	Stage Stage
	// Count is the number of sessions that the stage is about.
	Count int
	// Session is the session of a Settled event. In a termination of one session every
	// event has it.
	Session *SessionResult
	// Wait is how long the stage waits at most.
	Wait time.Duration
	// Reason is why a request is repeated, nil if senhasegura accepted it and the
	// session is still live.
	Reason error
}

// Stage is a kind of step.
type Stage string

// The stages, in their order. A termination of one session has Terminating, Repeating
// and Settled.
const (
	Listed      Stage = "listed"
	InGrace     Stage = "grace"
	Terminating Stage = "terminating"
	Repeating   Stage = "repeating"
	Settled     Stage = "settled"
	NewSessions Stage = "new_sessions"
	InQuiet     Stage = "quiet"
)

// SessionResult is the result for one session.
type SessionResult struct {
	// Session is its record as last read. It is shared and must not be changed.
	Session *session.Session
	Outcome Outcome
	// Accepted: senhasegura accepted a request of this run. Lost: a request may have
	// reached it, and there was no response.
	Accepted, Lost bool
	// Denied: senhasegura refused a request of this run without a reason, as it also does
	// for a session that has ended.
	Denied bool
	// NeedsEnd: it is one of Unsettled or Previewed.
	NeedsEnd bool
	// Previewed: it is one of Previewed.
	Previewed bool
	// Unapproved: it matches and is live, and is not terminated because of
	// OnlyPreviewed. The drain fails.
	Unapproved bool
	// Err is the last failure of a request or a check of this session, nil if there was
	// none.
	Err error
	// Undecided is why the drain can't decide whether the session matches or is
	// excluded, nil if that is certain. Such a session is not terminated.
	Undecided []session.UnknownCriterion
	// Blocks: the session is excluded and live, and the drain fails.
	Blocks bool
}

// Live reports whether the session is known to be live.
func (d SessionResult) Live() bool {
	return d.Outcome == Refused || d.Outcome == StillLive || d.Outcome == NotAttempted
}

// EndedSincePreview reports whether the plan showed the session and it ended without
// this run.
func (d SessionResult) EndedSincePreview() bool { return d.Previewed && d.Outcome == AlreadyEnded }

// EndedAfterRefusal reports whether the session ended although this run knows only of a
// refused request: it ended on its own, or a gateway sent the request twice.
func (d SessionResult) EndedAfterRefusal() bool { return d.Denied && d.Outcome == AlreadyEnded }

// notEnded reports whether the session matches or may match, and is not known to have
// ended.
func (d SessionResult) notEnded() bool {
	return !d.Outcome.Ended() && d.Outcome != Matched && d.Outcome != Excluded
}

// Report is the result of a drain, also of one that failed.
type Report struct {
	// Sessions are all sessions that matched or may have matched, excluded ones
	// included, in the order in which they were first read.
	Sessions []SessionResult
	// Coverage is what the first list, or that of the preview, shows of the values of
	// Selector; nil if it could not be read.
	Coverage *Coverage
}

// NotEnded gives the sessions that match or may match and are not known to have ended.
func (r Report) NotEnded() []SessionResult { return r.those(SessionResult.notEnded) }

// Terminated gives the sessions that this run terminated.
func (r Report) Terminated() []SessionResult {
	return r.those(func(d SessionResult) bool { return d.Outcome == Terminated })
}

// Excluded gives the sessions that are left open because they are excluded. A session
// that is known only from an earlier run, and that senhasegura does not show, is not
// among them.
func (r Report) Excluded() []SessionResult {
	return r.those(func(d SessionResult) bool { return d.Outcome == Excluded && d.Err == nil })
}

// Blocking gives the excluded sessions because of which the drain fails.
func (r Report) Blocking() []SessionResult {
	return r.those(func(d SessionResult) bool { return d.Blocks })
}

// EndedAfterRefusal gives the sessions of which that is true.
func (r Report) EndedAfterRefusal() []SessionResult { return r.those(SessionResult.EndedAfterRefusal) }

// Matched gives the sessions that a drain would terminate.
func (r Report) Matched() []SessionResult {
	return r.those(func(d SessionResult) bool { return d.Outcome == Matched })
}

// Unapproved gives the sessions because of which the drain fails, as the plan did not
// show them.
func (r Report) Unapproved() []SessionResult {
	return r.those(func(d SessionResult) bool { return d.Unapproved })
}

// Requested gives the sessions without a known end for which senhasegura accepted a
// request, or may have received one.
func (r Report) Requested() []SessionResult {
	return r.those(func(d SessionResult) bool { return !d.Outcome.Ended() && (d.Accepted || d.Lost) })
}

// Unsettled gives the sessions that the next run needs an end of, see DrainRequest. A
// live session for which no request was sent is not among them: the next list shows it,
// too.
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

// DrainError is why a drain failed. It is always used as a pointer.
type DrainError struct {
	// Kind is TooMany or NotCovered; NotAttempted if the first list could not be read,
	// or if Cause is a *ZoneError;
	// Excluded if only excluded sessions block the drain; NotApproved if a session
	// blocks it that the plan did not show; StillLive if a session of the report is
	// live; otherwise Unknown: one of the report may be live, or new ones may have
	// started since the last list.
	Kind Kind
	// Coverage belongs to NotCovered.
	Coverage *Coverage
	// Count and Limit belong to TooMany.
	Count, Limit int
	// Barred: a session that OnlyPreviewed kept from being terminated is not known to
	// have ended.
	Barred bool
	// Cause is the last failure that concerns the whole drain, nil if there was none.
	Cause error
	// Context is why waiting stopped: context.Canceled, context.DeadlineExceeded,
	// or nil.
	Context error
}

// Ran reports whether the drain ran until it could do no more or its time was up. Only
// then may a caller continue in spite of the error: not after a guard, a first list
// that could not be read, or an interrupt. To continue while excluded sessions are
// live, set LeaveExcluded, so that the others are terminated.
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

// Drain terminates every live session that matches and is not excluded. It lists, waits
// for the grace period, sends requests, and checks until the sessions have ended. It
// also terminates new sessions, until a complete list shows none and the quiet period
// has passed. The deadline of the context bounds all waits.
//
// A session of which senhasegura shows too little to decide is not terminated and is
// reported as Unknown. The error is a *DrainError; the Report is also set then. Drain
// is safe for concurrent use.
func (t *Terminator) Drain(ctx context.Context, request DrainRequest) (Report, error) {
	d := t.newDrain(request)
	err := d.run(ctx)
	return d.report(), err
}

// Preview gives what a drain of the request would terminate, and when that was true, by
// the clock of this machine. It sends no request if the process has read the list
// before, and ignores the Unsettled and Previewed of the request. The error is a
// *DrainError; the Report is also set then.
func (t *Terminator) Preview(ctx context.Context, request DrainRequest) (Report, time.Time, error) {
	request.DryRun, request.OnlyPreviewed, request.Unsettled, request.Previewed = true, false, nil, nil
	d := t.newDrain(request)
	readAt, err := d.preview(ctx)
	return d.report(), readAt, err
}
