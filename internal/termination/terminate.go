package termination

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// maxFailedGets is how many reads of a session by its record ID may fail in a row
// before the list replaces them.
const maxFailedGets = 2

// Request says which session to terminate, and how.
type Request struct {
	// SessionID is the 40-character hash that a termination request takes.
	SessionID string
	// RecordID is the number of the record, "" if it is not known. With it, a check is
	// one small request; without it, the list is read. If the session has several
	// records, the caller states that this one counts.
	RecordID string
	// Confirm is whether to wait until senhasegura reports an end.
	Confirm bool
	// IgnoreNotFound is whether a session that senhasegura does not show counts as
	// ended.
	IgnoreNotFound bool
	// PollInterval is the first pause between two checks, and before a repeated
	// request. It grows with each check, and starts again with each request.
	PollInterval time.Duration
	// Progress receives each request and the result, on the goroutine that called
	// Terminate; nil for no progress. Every event has a Session.
	Progress func(Event)
}

// Terminate terminates one session. It returns when an end was read, or when no more
// can be done or known. The deadline of the context bounds the wait.
//
// It sends one request, and repeats it after checks that show the session live. After a
// lost response it repeats it once even if no check is possible. It sends 1 +
// Options.Retries requests at most. The error is an *Error; the Result is also set
// then. The session in it has no record ID if the list shows several records of it.
// Terminate is safe for concurrent use.
func (t *Terminator) Terminate(ctx context.Context, request Request) (Result, error) {
	run := &termination{Terminator: t, Request: request}
	err := run.end(ctx)
	run.tellResult(err)
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
	// endedBefore: a list showed an end before the first request.
	endedBefore bool
	// firstSentAt is when the first request was sent that may have worked, zero if
	// none.
	firstSentAt time.Time
	// blind: a request was repeated although no check worked after the one before.
	blind bool
	// closed: a further request would fail as the last one did.
	closed bool

	// record is the record ID by which the session can be read on its own, "" if only
	// the list can show it. noGet: no record ID is of use in this run.
	record string
	noGet  bool
	// failedGets counts the reads by record ID in a row that failed for transient
	// reasons.
	failedGets int
	pauses     pace
	// liveRecord is the record ID of the session in the last list that showed it live,
	// "" if there was none or it has none.
	liveRecord string
	// otherRecord: the given record ID belongs to another session.
	otherRecord bool
}

func (r *termination) end(ctx context.Context) error {
	listed, listedAt := r.reads.record(r.SessionID)
	r.record, r.lastLive = cmp.Or(r.RecordID, listed), liveCheck{listed, listedAt}
	_, r.endedBefore = r.reads.ended(r.SessionID)
	for again := true; again; {
		r.request(ctx)
		switch {
		case r.accepted && !r.Confirm:
			return nil
		case r.accepted || !r.notCarriedOut():
		case r.result.Session == nil:
			return r.fail(ctx, r.whenUnread(), nil)
		default:
			return r.fail(ctx, r.whenLive(), nil)
		}
		var err error
		if again, err = r.follow(ctx); err != nil {
			return err
		}
	}
	return nil
}

// request sends one termination request.
func (r *termination) request(ctx context.Context) {
	r.tellRequest()
	sentAt := time.Now()
	r.send(ctx, r.api, r.SessionID)
	r.pauses = pace{first: r.PollInterval}
	r.closed = r.notCarriedOut() && !errors.Is(r.requestErr, session.ErrTransient)
	if r.firstSentAt.IsZero() && (r.accepted || r.lost) {
		r.firstSentAt = sentAt
	}
	if r.accepted {
		r.result.Accepted, r.result.Outcome = true, Accepted
	}
}

// follow checks the session until its end is read, another request is due, or no more
// can be known. After an accepted request it waits until the context ends.
func (r *termination) follow(ctx context.Context) (again bool, err error) {
	for {
		seen, err := r.check(ctx)
		if err != nil {
			return r.followBlindly(ctx, err)
		}
		if !seen.Live() {
			r.seeEnd()
			return false, nil
		}
		r.endedBefore = false
		r.showedLive()
		spent := r.closed || r.spent(r.options.Retries)
		again, pause := !spent && r.due(r.options.Retries), r.pause()
		if again {
			pause = max(pause, r.askedToWait())
		}
		if spent && !r.accepted || wait(ctx, pause) != nil {
			return false, r.fail(ctx, r.whenLive(), nil)
		}
		if again {
			return true, nil
		}
	}
}

// seeEnd records an end that a check has shown.
func (r *termination) seeEnd() {
	r.result.ConfirmedAt = time.Now().UTC()
	r.result.Outcome = r.whenEnded()
	if r.endedBefore {
		r.result.Outcome = AlreadyEnded
		return
	}
	r.tellClock(r.clock, *r.result.Session, time.Now())
}

// followBlindly decides how to continue after a failed check.
func (r *termination) followBlindly(ctx context.Context, checkErr error) (again bool, err error) {
	switch {
	case r.accepted && noCheckPossible(checkErr):
		r.result.NotConfirmed = checkErr
		return false, nil
	case r.live > 0 || r.notCarriedOut() && r.result.Session != nil:
		return false, r.fail(ctx, r.whenLive(), checkErr) // as the last successful check showed it
	case r.refused() && errors.Is(checkErr, session.ErrNotFound):
		if !r.IgnoreNotFound {
			return false, r.fail(ctx, NotFound, checkErr)
		}
		r.result.Outcome = NotFound
		return false, nil
	case r.accepted || r.refused() || r.blind || r.spent(r.options.Retries) || ctx.Err() != nil:
		return false, r.fail(ctx, Unknown, checkErr)
	}
	// The response was lost and the session can't be read. A repeated request does no
	// harm, and may get a response.
	r.blind = true
	return true, nil
}

// noCheckPossible: the authorization must not list sessions, the release has no list,
// or the session is outside the scope of the authorization.
func noCheckPossible(err error) bool {
	return errors.Is(err, session.ErrPermission) || errors.Is(err, session.ErrWrongRoute) || errors.Is(err, session.ErrNotFound)
}

// check reads the session until a response says something that waiting does not change.
// After a transient failure it waits and reads again, until the context ends or, if no
// request was accepted, until first questions are given up. It then returns the last
// transient failure, because the caller has the error of the context.
func (r *termination) check(ctx context.Context) (session.Session, error) {
	var transient error
	for {
		asked := time.Now()
		seen, err := r.checkOnce(ctx)
		switch {
		case err == nil:
			r.result.Session = &seen
			if seen.Live() {
				r.lastLive = liveCheck{seen.RecordID, asked}
			}
			return seen, nil
		case ctx.Err() != nil && transient != nil:
			return session.Session{}, transient
		case !errors.Is(err, session.ErrTransient):
			return session.Session{}, err
		}
		transient = err
		if !r.accepted && r.reads.down() || wait(ctx, r.pause()) != nil {
			return session.Session{}, transient
		}
	}
}

// pause gives the time until the next check. Two lists are at least as far apart as the
// last one took.
func (r *termination) pause() time.Duration {
	pause := r.pauses.next()
	if r.record == "" {
		pause = max(pause, r.reads.lastTook())
	}
	return pause
}

// checkOnce sends no request if the end is known already. Otherwise it prefers the
// small request, and reads the list if that does not show this session.
func (r *termination) checkOnce(ctx context.Context) (session.Session, error) {
	if e, known := r.reads.ended(r.SessionID); known && r.isOfLiveRecord(e) && (r.endedBefore && r.firstSentAt.IsZero() || e.readAt.After(r.firstSentAt)) {
		return e.session, nil
	}
	if r.record != "" {
		seen, err := r.get(ctx)
		if r.record != "" {
			return seen, err
		}
	}
	ask := r.reads.askFirst
	if r.accepted {
		ask = r.reads.ask
	}
	seen, single, err := r.reads.one(ctx, r.SessionID, ask)
	switch {
	case err == nil && seen.Live():
		r.liveRecord = seen.RecordID
	case err == nil && r.liveRecord != "" && seen.RecordID != r.liveRecord:
		return r.getLive(ctx)
	}
	switch {
	case !single:
		seen.RecordID = "" // the session has others
	case !r.noGet:
		r.record = seen.RecordID
	}
	return seen, err
}

// isOfLiveRecord is false for the end of another record than the one that was live.
func (r *termination) isOfLiveRecord(e end) bool {
	return r.liveRecord == "" || e.session.RecordID == r.liveRecord
}

// getLive reads the record that was live, after a list that shows only the end of
// another one.
func (r *termination) getLive(ctx context.Context) (session.Session, error) {
	seen, err := r.api.Session(ctx, r.liveRecord)
	if err == nil && seen.ID != r.SessionID {
		err = session.ErrNotFound
	}
	return seen, err
}

// get reads the session by its record ID. It stops using the record ID if the response
// is about another session, or after repeated failures.
func (r *termination) get(ctx context.Context) (session.Session, error) {
	seen, err := r.api.Session(ctx, r.record)
	switch {
	case err == nil && seen.ID == r.SessionID:
		r.failedGets = 0
		return seen, nil
	case err == nil:
		r.otherRecord = r.otherRecord || seen.ID != "" && r.record == r.RecordID
	case errors.Is(err, session.ErrTransient):
		if r.failedGets++; r.failedGets < maxFailedGets {
			return session.Session{}, err
		}
	case !noCheckPossible(err) && !errors.Is(err, session.ErrIdentifier):
		return session.Session{}, err
	}
	r.record, r.noGet = "", true
	return session.Session{}, err
}

// checkRecordID fails if the given record ID is wrong: the caller stores it for further
// checks.
func (r *termination) checkRecordID() error {
	seen := r.result.Session
	known := seen != nil && seen.RecordID != ""
	if !r.otherRecord && (r.RecordID == "" || !known || seen.RecordID == r.RecordID) {
		return nil
	}
	return &Error{Kind: Mismatch, SessionID: r.SessionID, Requests: r.sent, Last: seen}
}

func (r *termination) fail(ctx context.Context, kind Kind, checkErr error) *Error {
	return &Error{
		Kind:       kind,
		SessionID:  r.SessionID,
		Requests:   r.sent,
		Last:       r.result.Session,
		RequestErr: r.requestErr,
		CheckErr:   checkErr,
		Context:    ctx.Err(),
	}
}

// tellRequest reports the request that is sent next.
func (r *termination) tellRequest() {
	stage := Terminating
	if r.sent > 0 {
		stage = Repeating
	}
	r.tell(Event{Stage: stage, Reason: r.requestErr}, SessionResult{})
}

// tellResult reports the result for the session; err is why the run failed.
func (r *termination) tellResult(err error) {
	settled := SessionResult{Outcome: r.result.Outcome}
	if failure := (*Error)(nil); errors.As(err, &failure) {
		settled.Outcome, settled.Err = failure.Kind, failure.RequestErr
		if failure.CheckErr != nil && (failure.RequestErr == nil || failure.Kind == Unknown) {
			settled.Err = failure.CheckErr
		}
	}
	r.tell(Event{Stage: Settled}, settled)
}

// tell adds what is known of the session to an event, and reports it.
func (r *termination) tell(e Event, about SessionResult) {
	if r.Progress == nil {
		return
	}
	about.Session, about.Accepted, about.Lost = r.result.Session, r.accepted, r.lost
	if about.Session == nil {
		about.Session = &session.Session{ID: r.SessionID}
	}
	e.Count, e.Session = 1, &about
	r.Progress(e)
}
