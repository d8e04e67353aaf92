package termination

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// fewOpen is up to how many open sessions are followed one by one, by record id,
// instead of by reading the whole list again.
const fewOpen = 10

// DrainRequest names the sessions to end, and how.
type DrainRequest struct {
	// Selector says which live sessions are meant. It is asked anew at every look.
	Selector *session.Selector
	// Grace is how long the sessions may go on before they are dropped.
	Grace time.Duration
	// Quiet is how long no session that is meant may appear after the last end.
	Quiet time.Duration
	// Poll is the time between two looks, and before a repeated drop.
	Poll time.Duration
	// Limit is how many live sessions may be dropped at once, nil for any number.
	Limit *int
	// DryRun looks and drops nothing.
	DryRun bool
	// Progress is told what happens, from the goroutine that called Drain; nil for nobody.
	Progress func(Event)
}

// Event is one step of a drain.
type Event struct {
	Stage Stage
	// Count is the number of sessions the stage concerns.
	Count int
	// Session is the one that a Settled event is about.
	Session *Drained
	// Wait is the longest time that the stage waits.
	Wait time.Duration
}

// Stage names the steps of a drain.
type Stage string

// The stages, in their order.
const (
	Listed   Stage = "listed"
	InGrace  Stage = "grace"
	Dropping Stage = "dropping"
	Settled  Stage = "settled"
	Newcomer Stage = "newcomers"
	InQuiet  Stage = "quiet"
)

// Drained is what a drain did to one session.
type Drained struct {
	// Session is how it was last seen. It is shared, and nobody changes it.
	Session *session.Session
	// Outcome is Terminated or AlreadyEnded if the session was seen ended,
	// Matched in a dry run, and otherwise says why it was not.
	Outcome Outcome
	// Err is the last failure of a drop or a look of this session, nil without.
	Err error
	// Undecided names the criteria that PAM showed too little to judge by; the
	// session was not dropped.
	Undecided []string
}

// live reports whether the session is known to be live.
func (d Drained) live() bool {
	return d.Outcome == Refused || d.Outcome == StillLive || d.Outcome == NotAttempted
}

// Report is what a drain came to, also if it failed.
type Report struct {
	// Sessions holds every session that was meant or may have been, in the order
	// in which they were first seen.
	Sessions []Drained
	// Matched is how many live sessions the first look showed to be meant.
	Matched int
}

// Survivors gives the sessions that were not seen ended.
func (r Report) Survivors() []Drained {
	return r.with(func(o Outcome) bool { return !o.Ended() && o != Matched })
}

// Dropped gives the sessions that this run ended.
func (r Report) Dropped() []Drained {
	return r.with(func(o Outcome) bool { return o == Terminated })
}

// Previewed gives the sessions that a dry run would drop.
func (r Report) Previewed() []Drained {
	return r.with(func(o Outcome) bool { return o == Matched })
}

// with gives the sessions of some outcomes.
func (r Report) with(is func(Outcome) bool) []Drained {
	return slices.DeleteFunc(slices.Clone(r.Sessions), func(d Drained) bool { return !is(d.Outcome) })
}

// DrainError is the failure of a drain. It is always used as a pointer.
type DrainError struct {
	// Kind is TooMany; NotAttempted if nothing is known and nothing was dropped;
	// StillLive if a session of the report is live; else Unknown: one of the report
	// may be, or others may have come unseen.
	Kind Kind
	// Count and Limit belong to TooMany.
	Count, Limit int
	// Cause is the last failure that concerns the whole drain, nil without.
	Cause error
	// Context is why waiting stopped: context.Canceled, context.DeadlineExceeded,
	// or nil.
	Context error
}

func (e *DrainError) Error() string {
	text := "drain: " + string(e.Kind)
	if cause := errors.Join(e.Cause, e.Context); cause != nil {
		text += ": " + cause.Error()
	}
	return text
}

// Unwrap gives the cause and the context's error.
func (e *DrainError) Unwrap() []error {
	return (&Error{Drop: e.Cause, Context: e.Context}).Unwrap()
}

// Drain ends every live session that is meant and is not protected: it looks,
// waits out the grace, drops, looks until they have ended, and drops newcomers
// too, until a whole list shows nobody left and the quiet time has passed. The
// context's deadline bounds all waits.
//
// A session for which PAM shows too little to decide is never dropped and is
// reported as Unknown. The error is a *DrainError; the Report beside it holds
// all that is known.
func (t *Terminator) Drain(ctx context.Context, request DrainRequest) (Report, error) {
	d := &drain{Terminator: t, DrainRequest: request, byID: map[string]*member{}}
	err := d.run(ctx)
	return d.report(), err
}

// drain is one run of Drain.
type drain struct {
	*Terminator
	DrainRequest

	// members are the sessions to end, in the order in which they were seen.
	members []*member
	byID    map[string]*member
	// undecided are the live sessions that the last list could not decide.
	undecided []Drained
	matched   int

	// whole: the last look was a list, asked for at listedAt, and not a look at
	// single sessions, which shows no newcomers.
	whole    bool
	listedAt time.Time
	// lastEnd is when an end was last seen; zero if none was.
	lastEnd time.Time
	// quietTold is the end after which the quiet time was last announced.
	quietTold time.Time
	// fresh: sessions were dropped for the first time since the last list.
	fresh bool
	// noGet: this authorization or release cannot look at single sessions.
	noGet bool
	// stuck is the failure of a drop that every other drop would meet.
	stuck error
	// passing is the last failure of a look, nil if the last one worked.
	passing error
}

// member is one session to end.
type member struct {
	dropLog
	// session is how it was last seen. Sessions are never changed, only replaced,
	// so that reports can share them.
	session *session.Session
	// settled is what became of it, "" while that is open.
	settled Outcome
	// due: it may be dropped, because no drop was sent since it was seen live.
	due     bool
	repeats int
	// read: a look since its last drop showed it. lookErr is why the last look
	// failed, nil if it worked or was cut short.
	read    bool
	lookErr error
	// row is what the list that is being read shows of it, nil for nothing.
	row *session.Session
}

func (m *member) open() bool { return m.settled == "" }

// onItsOwn reports whether the last drop failed for a reason that lies in this
// session and not in PAM or the authorization.
func (m *member) onItsOwn() bool {
	return errors.Is(m.err, session.ErrIdentifier) || errors.Is(m.err, session.ErrRejected)
}

func (d *drain) run(ctx context.Context) error {
	if err := d.lookAtAll(ctx); err != nil {
		failure := d.fail(ctx, err)
		failure.Kind = NotAttempted
		return failure
	}
	d.matched = d.live()
	d.tell(Event{Stage: Listed, Count: d.matched})
	if err := d.checkLimit(d.matched); err != nil || d.DryRun {
		return err
	}
	if err := d.waitOutGrace(ctx); err != nil {
		return d.fail(ctx, err)
	}
	if err := d.endAll(ctx); err != nil {
		return err
	}
	if d.survivors() {
		return d.fail(ctx, nil)
	}
	return nil
}

func (d *drain) tell(e Event) {
	if d.Progress != nil {
		d.Progress(e)
	}
}

// survivors reports whether anybody who is or may be meant was not seen ended.
func (d *drain) survivors() bool { return d.live() > 0 || len(d.undecided) > 0 }

// live counts the members that were not seen ended.
func (d *drain) live() int {
	n := 0
	for _, m := range d.members {
		if !m.settled.Ended() {
			n++
		}
	}
	return n
}

func (d *drain) anyOpen() bool { return slices.ContainsFunc(d.members, (*member).open) }

func (d *drain) openMembers() []*member {
	var open []*member
	for _, m := range d.members {
		if m.open() {
			open = append(open, m)
		}
	}
	return open
}

// checkLimit fails where n sessions are more than may be dropped at once.
func (d *drain) checkLimit(n int) error {
	if d.Limit != nil && n > *d.Limit {
		return &DrainError{Kind: TooMany, Count: n, Limit: *d.Limit}
	}
	return nil
}

// waitOutGrace lets the sessions end by themselves, and then looks for those
// that came meanwhile, so that they are counted and dropped with the rest.
func (d *drain) waitOutGrace(ctx context.Context) error {
	if d.Grace <= 0 || !d.anyOpen() {
		return nil
	}
	until := time.Now().Add(d.Grace)
	d.tell(Event{Stage: InGrace, Count: d.live(), Wait: d.Grace})
	for d.anyOpen() && time.Now().Before(until) {
		if err := wait(ctx, min(d.Poll, time.Until(until))); err != nil {
			return err
		}
		if err := d.look(ctx); err != nil && !errors.Is(err, session.ErrTransient) {
			return err
		}
	}
	for !d.whole || d.listedAt.Before(until) && d.anyOpen() {
		err := d.lookAtAll(ctx)
		if err == nil {
			break
		}
		if !errors.Is(err, session.ErrTransient) || wait(ctx, d.Poll) != nil {
			return err
		}
	}
	return nil
}

// endAll drops and looks in turn. Only a whole list has the last word, because
// only it shows newcomers.
func (d *drain) endAll(ctx context.Context) error {
	for !d.finished() {
		due := d.due()
		if err := d.checkLimit(len(due)); err != nil {
			return err
		}
		d.dropAll(ctx, due)
		err := d.look(ctx)
		if d.stuck != nil {
			return d.fail(ctx, d.stuck)
		}
		if err != nil && !errors.Is(err, session.ErrTransient) {
			return d.fail(ctx, err)
		}
		if pause := d.pause(err); pause > 0 && wait(ctx, pause) != nil {
			return d.fail(ctx, err)
		}
	}
	return nil
}

// finished: with a survivor the drain has failed, and the quiet time cannot mend
// that.
func (d *drain) finished() bool {
	if d.anyOpen() || !d.whole {
		return false
	}
	return d.live() > 0 || !d.listedAt.Before(d.quietUntil())
}

// quietUntil is when the quiet time is over. If no end was seen there was nobody
// who could come back; and without a quiet time, the list that showed the last
// end has shown the newcomers too.
func (d *drain) quietUntil() time.Time {
	if d.lastEnd.IsZero() || d.Quiet <= 0 {
		return time.Time{}
	}
	return d.lastEnd.Add(d.Quiet)
}

// pause is the time until the next look.
func (d *drain) pause(lookErr error) time.Duration {
	switch {
	case lookErr != nil || d.anyOpen():
		return d.Poll
	case !d.whole || d.finished():
		return 0
	default:
		left := time.Until(d.quietUntil())
		if d.quietTold != d.lastEnd {
			d.quietTold = d.lastEnd
			d.tell(Event{Stage: InQuiet, Wait: left})
		}
		return min(d.Poll, left)
	}
}

// due gives the members to drop now.
func (d *drain) due() []*member {
	var due []*member
	for _, m := range d.members {
		if m.open() && m.due {
			due = append(due, m)
		}
	}
	return due
}

// dropAll drops members, several at a time. A failure that is not about one
// session ends the round, so that a PAM that is down or closed is not asked once
// for each.
func (d *drain) dropAll(ctx context.Context, due []*member) {
	if len(due) == 0 {
		return
	}
	d.fresh = d.fresh || slices.ContainsFunc(due, func(m *member) bool { return m.drops == 0 })
	d.tell(Event{Stage: Dropping, Count: len(due)})
	round, ctxRound := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(d.options.Concurrency, len(due)) {
		round.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(due)); i = next.Add(1) - 1 {
				if ctxRound.Err() != nil {
					return context.Cause(ctxRound)
				}
				// Not the round's context: a drop that is on its way is worth its answer.
				due[i].due, due[i].read = false, false
				due[i].drop(ctx, d.pam, due[i].session.ID)
				if due[i].notCarriedOut() && !due[i].onItsOwn() {
					return due[i].err
				}
			}
			return nil
		})
	}
	if err := round.Wait(); err != nil && !errors.Is(err, session.ErrTransient) {
		d.stuck = err
	}
	for _, m := range due {
		if m.onItsOwn() {
			d.settle(m, NotAttempted)
		}
	}
}

// look chooses the cheaper way to see what became of the open members. The first
// look after new drops is the list, which may settle all of them and shows
// newcomers; the few that are left then are followed one by one.
func (d *drain) look(ctx context.Context) error {
	open := d.openMembers()
	nameless := func(m *member) bool { return m.session.RecordID == "" }
	if d.fresh || d.noGet || len(open) == 0 || len(open) > fewOpen || slices.ContainsFunc(open, nameless) {
		return d.lookAtAll(ctx)
	}
	d.whole = false
	for _, m := range open {
		err := d.lookAt(ctx, m)
		if noLookPossible(err) || errors.Is(err, session.ErrIdentifier) {
			d.noGet = d.noGet || !errors.Is(err, session.ErrNotFound)
			return d.lookAtAll(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lookAt asks for one member by its record id.
func (d *drain) lookAt(ctx context.Context, m *member) error {
	seen, err := d.pam.Session(ctx, m.session.RecordID)
	if err == nil && seen.ID != m.session.ID {
		err = session.ErrNotFound
	}
	switch {
	case err == nil:
		d.see(m, &seen)
	case ctx.Err() == nil:
		m.lookErr = err
	}
	return err
}

// lookAtAll reads the list for the members and for newcomers.
func (d *drain) lookAtAll(ctx context.Context) error {
	seen := &sweep{drain: d, asked: time.Now()}
	if err := d.Terminator.look.ask(ctx, &asker{collector: seen, all: true}); err != nil {
		d.lookFailed(ctx, err)
		return err
	}
	d.passing = nil
	d.whole, d.fresh, d.listedAt = true, false, seen.asked
	known := d.members
	d.admit(seen)
	if n := len(d.members) - len(known); n > 0 && d.matched > 0 {
		d.tell(Event{Stage: Newcomer, Count: n})
	}
	for _, m := range known {
		if m.row != nil {
			d.see(m, m.row)
		} else if m.open() {
			d.seekMissing(ctx, m)
		}
	}
	return nil
}

// admit takes over whom a whole list has shown beside the members. A list may
// show a session twice.
func (d *drain) admit(seen *sweep) {
	for _, m := range seen.newcomers {
		if d.byID[m.session.ID] == nil {
			d.byID[m.session.ID] = m
			d.members = append(d.members, m)
		}
	}
	d.undecided = nil
	told := map[string]bool{}
	for _, u := range seen.undecided {
		id := u.Session.ID
		if id == "" || !told[id] && d.byID[id] == nil {
			told[id] = true
			d.undecided = append(d.undecided, u)
		}
	}
}

// sweep takes the rows of one list for a drain, while they arrive. Until the list
// is whole it changes nothing of the drain but the rows of its members.
type sweep struct {
	*drain
	asked     time.Time
	newcomers []*member
	undecided []Drained
}

func (w *sweep) restart() {
	for _, m := range w.members {
		m.row = nil
	}
	w.newcomers, w.undecided = nil, nil
}

// take notes what the list shows of a member, and live sessions that are or may
// be meant. Of several rows for an id a live one counts.
func (w *sweep) take(s session.Session) {
	if m := w.byID[s.ID]; m != nil {
		if m.row == nil || !m.row.Live() {
			row := s
			m.row = merge(m.row, &row)
		}
		return
	}
	if !s.Live() {
		return
	}
	verdict := w.Selector.Select(s, w.asked)
	if verdict == session.No {
		return
	}
	row := s
	switch {
	case verdict == session.Undecided:
		w.undecided = append(w.undecided, Drained{Session: &row, Outcome: Unknown, Undecided: w.Selector.Unknown(s, w.asked)})
	case s.ID == "":
		w.undecided = append(w.undecided, Drained{Session: &row, Outcome: NotAttempted, Err: session.ErrIdentifier})
	default:
		w.newcomers = append(w.newcomers, &member{session: &row, due: true})
	}
}

// lookFailed notes why nothing was seen. A look that was cut short shows nothing
// new.
func (d *drain) lookFailed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	d.passing = err
	for _, m := range d.openMembers() {
		m.lookErr = err
	}
}

// see takes over a sight of a member and decides what it means.
func (d *drain) see(m *member, s *session.Session) {
	m.session, m.read, m.lookErr = s, true, nil
	switch {
	case !s.Live() && !m.settled.Ended():
		d.lastEnd = time.Now()
		d.settle(m, m.ended())
	case s.Live() && m.open() && m.err != nil && !m.due:
		m.repeats++
		m.due = m.repeats <= d.options.Retries
		if !m.due {
			d.settle(m, m.whenLive())
		}
	}
}

// seekMissing decides about a member that the list no longer shows. A missing
// row is no end; the record itself may still tell.
func (d *drain) seekMissing(ctx context.Context, m *member) {
	err := session.ErrNotFound
	if m.session.RecordID != "" {
		err = d.lookAt(ctx, m)
	}
	switch {
	case err == nil, errors.Is(err, session.ErrTransient), ctx.Err() != nil:
	default:
		m.lookErr = err
		d.settle(m, Unknown)
	}
}

func (d *drain) settle(m *member, outcome Outcome) {
	m.settled = outcome
	if d.Progress == nil {
		return // describing each session costs more than the rest
	}
	drained := m.drained()
	d.tell(Event{Stage: Settled, Session: &drained})
}

// drained is what can be said of a member now.
func (m *member) drained() Drained {
	outcome := m.settled
	switch {
	case outcome != "":
	case m.lookErr != nil || !m.read && m.drops > 0:
		outcome = m.whenUnread()
	default:
		outcome = m.whenLive()
	}
	err := m.err
	if outcome.Ended() {
		err = nil
	} else if err == nil {
		err = m.lookErr
	}
	return Drained{Session: m.session, Outcome: outcome, Err: err}
}

func (d *drain) report() Report {
	r := Report{Matched: d.matched, Sessions: make([]Drained, 0, len(d.members)+len(d.undecided))}
	for _, m := range d.members {
		drained := m.drained()
		if d.DryRun {
			drained.Outcome = Matched
		}
		r.Sessions = append(r.Sessions, drained)
	}
	r.Sessions = append(r.Sessions, d.undecided...)
	return r
}

// fail says how the drain as a whole failed: with survivors, or with everybody
// seen ended and nobody knowing who came since.
func (d *drain) fail(ctx context.Context, cause error) *DrainError {
	kind := Unknown
	if slices.ContainsFunc(d.report().Sessions, Drained.live) {
		kind = StillLive
	}
	if ctx.Err() != nil && errors.Is(cause, ctx.Err()) {
		cause = d.passing // it says more than the context, which has its own field
	}
	return &DrainError{Kind: kind, Cause: cause, Context: ctx.Err()}
}
