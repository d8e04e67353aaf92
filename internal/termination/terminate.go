package termination

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// maxFailedGets is how often in a row a session is asked for by its record id in
// vain, before the list takes the place of that.
const maxFailedGets = 2

// Request names one session to end, and how.
type Request struct {
	// SessionID is the hash that a drop takes.
	SessionID string
	// RecordID is the row number, "" if not known. With it, a check is one small
	// request; without it, the list is read. Of several records of the session it is
	// the caller's word that this one counts.
	RecordID string
	// Confirm waits until PAM shows an end.
	Confirm bool
	// IgnoreNotFound counts a session that PAM does not show as gone.
	IgnoreNotFound bool
	// PollInterval is the first pause between two checks, and before a repeated drop.
	// It grows with each check, and begins again with each drop.
	PollInterval time.Duration
	// Progress is told of each request and of the result, from the goroutine that called
	// Terminate; nil for no progress. Every event has a Session.
	Progress func(Event)
}

// Terminate ends one session. It returns when an end was read, or when no more can
// be done or known; the context's deadline bounds the wait.
//
// It sends one drop, and further ones after checks that show the session live; or
// one, blindly, if the answer was lost and no check is possible. They are 1 +
// Options.Retries at most. The error is an *Error; the Result beside it holds what
// is known. The session in it has no record id where the list shows several records
// of it.
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
	// endedBefore: an end is remembered from before the first drop.
	endedBefore bool
	// firstSentAt is when the first drop was sent that may have worked, zero if none.
	firstSentAt time.Time
	// blind: a drop was repeated although nothing was read after the one before.
	blind bool
	// closed: another drop would meet what the last one met.
	closed bool

	// record is the record id by which the session alone can be read, "" if only the
	// list can tell. noGet: no record id is of use in this run.
	record string
	noGet  bool
	// failedGets counts those in a row that failed for passing reasons.
	failedGets int
	pauses     pace
	// liveRecord is the record id that a list showed live, "" if none was or it has
	// none.
	liveRecord string
	// otherRecord: the given record id belongs to another session.
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

// request sends a drop.
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

// follow checks the session until its end is read, another drop is due, or no more
// can be known. Who waits for the end that an accepted drop brings waits for as
// long as there is time.
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
		if spent && !r.accepted || wait(ctx, r.pause()) != nil {
			return false, r.fail(ctx, r.whenLive(), nil)
		}
		if !spent && r.due(r.options.Retries) {
			return true, nil
		}
	}
}

// seeEnd records an end that a check has just shown.
func (r *termination) seeEnd() {
	r.result.ConfirmedAt = time.Now().UTC()
	r.result.Outcome = r.ended()
	if r.endedBefore {
		r.result.Outcome = AlreadyEnded
		return
	}
	r.tellClock(r.clock, *r.result.Session, time.Now())
}

// followBlindly decides what a failed check leaves to do.
func (r *termination) followBlindly(ctx context.Context, checkErr error) (again bool, err error) {
	switch {
	case r.accepted && noCheckPossible(checkErr):
		r.result.NotConfirmed = checkErr
		return false, nil
	case r.live > 0 || r.notCarriedOut() && r.result.Session != nil:
		return false, r.fail(ctx, r.whenLive(), checkErr) // as the last check showed it
	case r.refused() && errors.Is(checkErr, session.ErrNotFound):
		if !r.IgnoreNotFound {
			return false, r.fail(ctx, NotFound, checkErr)
		}
		r.result.Outcome = NotFound
		return false, nil
	case r.accepted || r.refused() || r.blind || r.spent(r.options.Retries) || ctx.Err() != nil:
		return false, r.fail(ctx, Unknown, checkErr)
	}
	// The answer was lost and nothing can be read: dropping once more does no harm,
	// and its answer may be one that can be trusted.
	r.blind = true
	return true, nil
}

// noCheckPossible: the authorization may not list, the release has no list, or
// the session is hidden from this authorization.
func noCheckPossible(err error) bool {
	return errors.Is(err, session.ErrPermission) || errors.Is(err, session.ErrWrongRoute) || errors.Is(err, session.ErrNotFound)
}

// check reads the session until an answer of PAM says something that waiting will
// not change. Passing failures are waited out while the context lasts, and where no
// drop was accepted, while the process bears an outage. The last of them is the
// error then, because it says more than the context does.
func (r *termination) check(ctx context.Context) (session.Session, error) {
	var passing error
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
		case ctx.Err() != nil && passing != nil:
			return session.Session{}, passing
		case !errors.Is(err, session.ErrTransient):
			return session.Session{}, err
		}
		passing = err
		if !r.accepted && r.reads.down() || wait(ctx, r.pause()) != nil {
			return session.Session{}, passing
		}
	}
}

// pause gives the time until the next check. Lists that poll are as far apart as
// the last one took, at least.
func (r *termination) pause() time.Duration {
	pause := r.pauses.next()
	if r.record == "" {
		pause = max(pause, r.reads.lastTook())
	}
	return pause
}

// checkOnce makes no request if the end is known already, and else prefers the
// small one. What that does not answer about this very session, the list decides.
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
		seen.RecordID = "" // nobody is to take it for the session's only one
	case !r.noGet:
		r.record = seen.RecordID
	}
	return seen, err
}

// isOfLiveRecord is false for the end of another record than the one that was live.
func (r *termination) isOfLiveRecord(e end) bool {
	return r.liveRecord == "" || e.session.RecordID == r.liveRecord
}

// getLive reads the record that was live, where a list shows the end of another one
// alone.
func (r *termination) getLive(ctx context.Context) (session.Session, error) {
	seen, err := r.api.Session(ctx, r.liveRecord)
	if err == nil && seen.ID != r.SessionID {
		err = session.ErrNotFound
	}
	return seen, err
}

// get asks for the session by its record id, which it forgets if the answer is not
// about this session, or if there is none again and again.
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

// checkRecordID: the caller will use the record id for further checks, so a wrong
// one must not stay.
func (r *termination) checkRecordID() error {
	seen := r.result.Session
	known := seen != nil && seen.RecordID != ""
	if !r.otherRecord && (r.RecordID == "" || !known || seen.RecordID == r.RecordID) {
		return nil
	}
	return &Error{Kind: Mismatch, SessionID: r.SessionID, Requests: r.sent, Last: seen}
}

func (r *termination) fail(ctx context.Context, kind Kind, lookErr error) *Error {
	return &Error{
		Kind:       kind,
		SessionID:  r.SessionID,
		Requests:   r.sent,
		Last:       r.result.Session,
		RequestErr: r.requestErr,
		CheckErr:   lookErr,
		Context:    ctx.Err(),
	}
}

// tellRequest tells of the request that is about to be sent.
func (r *termination) tellRequest() {
	stage := Terminating
	if r.sent > 0 {
		stage = Repeating
	}
	r.tell(Event{Stage: stage, Reason: r.requestErr}, SessionResult{})
}

// tellResult tells what became of the session; err is why the run failed.
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

// tell completes an event with what is known of the session.
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
