package termination

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

const (
	// fewOpen is up to how many open sessions are checked one by one at least, instead
	// of by reading the list again.
	fewOpen = 10
	// badRounds is how many rounds in a row may fail before something is given up: the
	// checks of single sessions, which the list replaces, or requests that are turned
	// away.
	badRounds = 2
)

// drain is one run of Drain: what it does about the sessions of its roster.
type drain struct {
	*Terminator
	DrainRequest

	roster *roster
	// coverage is what the first list tells of the question, nil before it.
	coverage *Coverage
	// pace gives the pauses between checks; it begins again with every round of
	// requests.
	pace pace
	// badGets and turnedAway count the rounds in a row in which checks of single
	// sessions failed, and in which PAM turned every request away.
	badGets, turnedAway int
	// listed is when the last list was complete.
	listed time.Time
	// checkErr is why the last check failed, nil if it worked or was cut short.
	checkErr error
	// quietTold is the change after which the quiet time was last announced.
	quietTold time.Time
}

func (t *Terminator) newDrain(request DrainRequest) *drain {
	d := &drain{
		Terminator:   t,
		DrainRequest: request,
		roster:       newRoster(request.Selector, request.Quiet > 0),
		pace:         pace{first: request.Poll},
	}
	for _, s := range request.Previewed {
		d.require(s).previewed = true
	}
	for _, s := range request.Unsettled {
		m := d.require(s)
		m.barredByPlan = d.OnlyPreviewed && !m.previewed
	}
	return d
}

// require makes a session a member of which the run needs an end.
func (d *drain) require(s session.Session) *member {
	m := d.roster.find(s)
	if m == nil {
		m = &member{session: &s, needsEnd: true, checkErr: session.ErrNotFound}
		d.roster.add(m)
		d.place(m)
	}
	return m
}

func (d *drain) run(ctx context.Context) error {
	if err := d.list(ctx); err != nil {
		return d.notBegun(ctx, err)
	}
	d.tell(Event{Stage: Listed, Count: d.roster.count((*member).target)})
	d.tellExcluded(d.roster.members)
	if err := d.checkCoverage(); err != nil {
		return err
	}
	if err := d.checkLimit(); err != nil || d.DryRun {
		return err
	}
	if err := d.waitOutGrace(ctx); err != nil {
		return d.fail(ctx, err)
	}
	if d.roster.any((*member).unapproved) {
		return &DrainError{Kind: NotApproved}
	}
	if err := d.checkExcluded(); err != nil {
		return err
	}
	if err := d.terminateAll(ctx); err != nil {
		return err
	}
	if d.roster.any((*member).notEnded) {
		return d.fail(ctx, nil)
	}
	return d.checkExcluded()
}

// preview is run that answers from the shared snapshot. Preview has cleared the
// sessions that a run needs an end of: a snapshot shows live sessions only.
func (d *drain) preview(ctx context.Context) (time.Time, error) {
	shot, err := d.reads.snapshot(ctx)
	if err != nil {
		return time.Time{}, d.notBegun(ctx, err)
	}
	readAt := shot.readAt
	if shot.full { // it holds no session
		readAt = time.Now()
	}
	list := d.roster.newReading(readAt)
	for _, s := range shot.live {
		list.take(s)
	}
	if shot.full {
		if err := d.reads.askInTime(ctx, &asker{collector: list, all: true}); err != nil {
			return time.Time{}, d.notBegun(ctx, err)
		}
	}
	d.roster.complete(list)
	coverage := shot.seenValues.coverage(d.Selector.Criteria())
	d.coverage = &coverage
	if err := d.checkCoverage(); err != nil {
		return readAt, err
	}
	return readAt, d.checkLimit()
}

// notBegun is the failure of a run whose first list could not be read.
func (d *drain) notBegun(ctx context.Context, cause error) *DrainError {
	failure := d.fail(ctx, cause)
	failure.Kind = NotAttempted
	return failure
}

func (d *drain) tell(e Event) {
	if d.Progress != nil {
		d.Progress(e)
	}
}

// checkLimit fails where more matching sessions are live than allowed.
func (d *drain) checkLimit() error {
	if n := d.roster.count((*member).countsToLimit); d.Limit != nil && n > *d.Limit {
		return &DrainError{Kind: TooMany, Count: n, Limit: *d.Limit}
	}
	return nil
}

// blocks: it matches, is excluded, and was live when it was last read.
func (d *drain) blocks(m *member) bool {
	return m.settled == Excluded && m.match == session.Yes && (!m.needsEnd || m.read) && !d.LeaveExcluded
}

// awaited: its end would let the drain succeed.
func (d *drain) awaited(m *member) bool { return m.pending() || d.blocks(m) }

// checkExcluded fails where an excluded session is live and the drain is not to leave
// it.
func (d *drain) checkExcluded() error {
	if d.roster.any(d.blocks) {
		return &DrainError{Kind: Excluded}
	}
	return nil
}

// waitOutGrace lets the sessions end on their own, and then lists those that have
// come, so that they are counted and terminated with the others.
func (d *drain) waitOutGrace(ctx context.Context) error {
	if d.Grace <= 0 || !d.roster.any(d.awaited) {
		return nil
	}
	until := time.Now().Add(d.Grace)
	d.tell(Event{Stage: InGrace, Count: d.roster.count(d.awaited), Wait: d.Grace})
	for d.roster.any(d.awaited) {
		if err := wait(ctx, d.pauseBefore(until)); err != nil {
			return err
		}
		if !time.Now().Before(until) {
			break
		}
		err := d.check(ctx)
		if err == nil && !d.roster.any(d.awaited) && !d.roster.closed {
			err = d.list(ctx)
		}
		if err != nil && !errors.Is(err, session.ErrTransient) {
			return err
		}
	}
	for !d.roster.closed || d.roster.any(d.awaited) && d.roster.listedAt.Before(until) {
		err := d.list(ctx)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, session.ErrTransient):
			return err
		}
		if err := wait(ctx, d.pause()); err != nil {
			return err
		}
	}
	return nil
}

// terminateAll requests and checks in turn. Only a complete list has the last
// word, because only it shows new sessions.
func (d *drain) terminateAll(ctx context.Context) error {
	for !d.finished() {
		if err := d.checkLimit(); err != nil {
			return err
		}
		if d.checkErr == nil { // nothing is requested while nothing can be read
			if err := d.request(ctx); err != nil {
				return d.giveUp(ctx, err)
			}
		}
		if err := d.follow(ctx); err != nil && !errors.Is(err, session.ErrTransient) {
			return d.fail(ctx, err)
		}
		if rest := d.rest(); rest > 0 {
			if err := wait(ctx, rest); err != nil {
				return d.fail(ctx, err)
			}
			d.roster.closed = false
		}
	}
	return nil
}

// giveUp ends a run whose requests meet a failure that every other would meet. It
// lists once more, so that the report is true of those that were requested.
func (d *drain) giveUp(ctx context.Context, cause error) *DrainError {
	if ctx.Err() == nil {
		_ = d.list(ctx) // the cause says more
	}
	return d.fail(ctx, cause)
}

// follow reads what became of the sessions, and closes with a list.
func (d *drain) follow(ctx context.Context) error {
	switch {
	case d.roster.any((*member).target):
		return d.check(ctx)
	case !d.roster.closed || !time.Now().Before(d.quietEnd()):
		return d.list(ctx)
	}
	return nil
}

// quietEnd is when the quiet time is over, if nothing changes until then.
func (d *drain) quietEnd() time.Time { return d.roster.changedAt.Add(d.Quiet) }

// finished: with a survivor the drain has failed, and the quiet time cannot mend
// that. The list that ends the quiet time begins after it.
func (d *drain) finished() bool {
	if !d.roster.closed || d.roster.any((*member).target) {
		return false
	}
	return d.Quiet <= 0 || d.roster.any((*member).notEnded) || !d.roster.listedAt.Before(d.quietEnd())
}

// rest is the time until the next requests and checks. A closing list is not
// delayed, and a first request not for longer than a poll.
func (d *drain) rest() time.Duration {
	switch {
	case d.checkErr == nil && d.roster.any(func(m *member) bool { return m.target() && m.sent == 0 }):
		return d.Poll
	case d.checkErr != nil || d.roster.any((*member).target):
		return d.pause()
	case !d.roster.closed || d.finished():
		return 0
	}
	if d.quietTold != d.roster.changedAt {
		d.quietTold = d.roster.changedAt
		d.tell(Event{Stage: InQuiet, Wait: d.Quiet})
	}
	return d.pauseBefore(d.quietEnd())
}

// pause is the time between two checks: between two lists, at least as long as the
// last one took.
func (d *drain) pause() time.Duration {
	pause := d.pace.next()
	if !d.oneByOne(d.roster.those(d.awaited)) {
		pause = max(pause, d.reads.lastTook())
	}
	return pause
}

// pauseBefore is the pause in a period at whose end a list is read anyway: until
// that end, where a list that is read before would not be complete by then.
func (d *drain) pauseBefore(end time.Time) time.Duration {
	pause, left := d.pause(), time.Until(end)
	if !d.oneByOne(d.roster.those(d.awaited)) && pause+d.reads.lastTook() > left {
		return left
	}
	return min(pause, left)
}

// request sends the requests that are due. The error is one that every other request
// would meet, or that two rounds in a row have met.
func (d *drain) request(ctx context.Context) error {
	due := d.roster.those(func(m *member) bool { return m.target() && m.due(d.options.Retries) })
	if len(due) == 0 {
		return nil
	}
	// Whoever was turned away before comes last.
	slices.SortStableFunc(due, func(a, b *member) int { return cmp.Compare(a.sent, b.sent) })
	d.pace, d.roster.closed = pace{first: d.Poll}, false
	d.tellRequests(due)
	err := d.requestAll(ctx, due)
	turnedAway := errors.Is(err, session.ErrTransient)
	for _, m := range due {
		switch {
		case m.verdict != session.Yes:
			d.place(m)
		case m.rejected() && !m.accepted:
			d.settle(m, m.whenLive())
		}
		answered := !m.read && !errors.Is(m.requestErr, session.ErrTransient)
		turnedAway = turnedAway && !answered
	}
	if !turnedAway {
		d.turnedAway = 0
	} else {
		d.turnedAway++
	}
	if errors.Is(err, session.ErrTransient) && d.turnedAway < badRounds {
		return nil
	}
	return err
}

// requestAll asks for the end of sessions, several at a time. A failure that is not
// about one of them ends the round, so that a PAM that is down or closed is not asked
// once for each.
func (d *drain) requestAll(ctx context.Context, due []*member) error {
	round, ctxRound := errgroup.WithContext(ctx)
	round.SetLimit(d.options.Concurrency)
	for _, m := range due {
		round.Go(func() error {
			if ctxRound.Err() != nil {
				return context.Cause(ctxRound)
			}
			// Not the round's context: a drop that is on its way is worth its answer.
			return d.requestOne(ctx, m)
		})
	}
	return round.Wait()
}

// requestOne asks again whether the session matches, because an earlier request may
// have taken its time.
func (d *drain) requestOne(ctx context.Context, m *member) error {
	d.roster.judge(m, time.Now())
	if m.verdict != session.Yes {
		return nil
	}
	m.read = false
	m.send(ctx, d.api, m.session.ID)
	if m.notCarriedOut() && !m.rejected() {
		return m.requestErr
	}
	return nil
}

// check reads what became of the pending members, in the cheaper way. Whatever
// single sessions do not tell, the list decides.
func (d *drain) check(ctx context.Context) error {
	awaited := d.roster.those(d.awaited)
	if d.oneByOne(awaited) {
		d.roster.closed = false
		if d.get(ctx, awaited) {
			d.checkErr = nil
			return nil
		}
		if err := wait(ctx, time.Until(d.listed.Add(d.reads.lastTook()))); err != nil {
			return err
		}
	}
	return d.list(ctx)
}

// oneByOne reports whether members can be checked one by one, and are few: a list is
// worth as many small requests as it takes seconds.
func (d *drain) oneByOne(members []*member) bool {
	few := max(fewOpen, int(d.reads.lastTook()/time.Second))
	return len(members) > 0 && len(members) <= few && d.badGets < badRounds &&
		!slices.ContainsFunc(members, func(m *member) bool { return !m.readable() })
}

// check is what one check shows of a member, when it was asked for, and when it was
// complete.
type check struct {
	record          *session.Session
	err             error
	askedAt, readAt time.Time
}

// get checks members one by one, several at a time, and all of them whatever
// becomes of one. It reports whether each was read.
func (d *drain) get(ctx context.Context, members []*member) bool {
	checks := make([]check, len(members))
	var gets errgroup.Group
	gets.SetLimit(d.options.Concurrency)
	for i, m := range members {
		gets.Go(func() error {
			asked := time.Now()
			record, err := d.getOne(ctx, m)
			checks[i] = check{&record, err, asked, time.Now()}
			return nil
		})
	}
	_ = gets.Wait() // the failures are in their places
	whole, bad := true, 0
	for i, m := range members {
		err := checks[i].err
		if err == nil {
			d.see(m, checks[i])
			d.roster.closed = d.roster.closed && checks[i].record.Live()
			continue
		}
		whole = false
		if ctx.Err() != nil {
			continue // cut short, it shows nothing new
		}
		m.checkErr = err
		switch {
		case errors.Is(err, session.ErrNotFound), errors.Is(err, session.ErrIdentifier):
			m.unreadable = true
		case errors.Is(err, session.ErrTransient):
			bad = max(bad, 1)
		default:
			bad = badRounds
		}
	}
	d.badGets += bad
	if bad == 0 {
		d.badGets = 0
	}
	return whole
}

// getOne asks for the record of a member. PAM may have given its record id to
// another session.
func (d *drain) getOne(ctx context.Context, m *member) (session.Session, error) {
	switch {
	case m.readable():
	case errors.Is(m.checkErr, session.ErrNotFound):
		return session.Session{}, m.checkErr
	default:
		return session.Session{}, session.ErrNotFound
	}
	s, err := d.api.Session(ctx, m.session.RecordID)
	if err == nil && s.ID != m.session.ID {
		return session.Session{}, session.ErrNotFound
	}
	return s, err
}

// list reads the list for the members and for new sessions.
func (d *drain) list(ctx context.Context) error {
	first := d.roster.listedAt.IsZero()
	list := d.roster.newReading(time.Now())
	if err := d.ask(ctx, list, first); err != nil {
		if ctx.Err() == nil { // cut short, it shows nothing new
			d.checkErr = err
			for _, m := range d.roster.those((*member).pending) {
				m.checkErr = err
			}
		}
		return err
	}
	d.checkErr, d.listed = nil, time.Now()
	known, found := d.roster.complete(list)
	for _, m := range found {
		m.barredByPlan = d.OnlyPreviewed
	}
	if n := count(found, (*member).target); n > 0 && !first {
		d.tell(Event{Stage: NewSessions, Count: n})
	}
	if !first {
		d.tellExcluded(found)
	}
	var missing []*member
	for _, m := range known {
		switch {
		case m.hidden():
			missing = append(missing, m)
		case m.row != nil && (m.barred != session.No || !m.isOtherRecord(d.Selector.Select(*m.row, list.asked))):
			d.see(m, check{record: m.row, askedAt: list.asked, readAt: d.listed})
		case m.mayMatch() && !m.settled.Ended() && m.settled != Unknown:
			missing = append(missing, m)
		}
	}
	return d.settleMissing(ctx, missing)
}

// ask lets a reading take a complete list. The first one tells of the question, too.
func (d *drain) ask(ctx context.Context, list *reading, first bool) (err error) {
	if !first {
		return d.reads.ask(ctx, &asker{collector: list, all: true})
	}
	ask := func(a *asker) error { return d.reads.askFirst(ctx, a) }
	d.coverage, err = askCovered(ask, list, d.Selector)
	return err
}

// settleMissing decides about members that a complete list does not show. A missing record
// is no end; the record itself may still tell.
func (d *drain) settleMissing(ctx context.Context, missing []*member) error {
	if d.badGets >= badRounds {
		for _, m := range missing {
			m.checkErr = session.ErrNotFound
		}
	} else if len(missing) > 0 {
		d.get(ctx, missing)
	}
	for _, m := range missing {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case m.checkErr == nil:
		case d.badGets < badRounds && errors.Is(m.checkErr, session.ErrTransient):
			m.settled = "" // it is asked for again
		case m.settled == Excluded && m.row == nil:
			// It is as it was: excluded, and not listed.
		default:
			d.settle(m, Unknown)
		}
	}
	return nil
}

// see takes over what a check has just shown of a member. The clock is told of an end
// once.
func (d *drain) see(m *member, seen check) {
	m.session, m.read, m.checkErr = seen.record, true, nil
	if !seen.record.Live() {
		if !m.settled.Ended() {
			m.tellClock(d.clock, *seen.record, seen.readAt)
		}
		d.settle(m, m.ended())
		return
	}
	m.showedLive()
	m.lastLive = liveCheck{seen.record.RecordID, seen.askedAt}
	d.place(m)
}

// place decides what a live session is to the drain now. One that was settled is
// open again, unless no further request for it will follow.
func (d *drain) place(m *member) {
	d.roster.judge(m, time.Now())
	outcome := Outcome("")
	switch {
	case m.excluded:
		outcome = Excluded
	case m.verdict == session.No && m.sent == 0:
		outcome = notMatching
	case m.verdict == session.No, m.sent > 0 && !m.accepted && m.spent(d.options.Retries):
		outcome = m.whenLive()
	}
	d.settle(m, outcome)
}

// settle settles a member, or opens it again where the outcome is empty.
func (d *drain) settle(m *member, outcome Outcome) {
	if outcome == m.settled || outcome.Ended() && m.settled.Ended() {
		return
	}
	if outcome != "" && m.settled != Excluded { // the quiet period does not depend on it
		d.roster.changedAt = time.Now()
	}
	m.settled = outcome
	if outcome != "" && outcome != notMatching {
		d.tellSettled(m)
	}
}

// tellRequests tells first requests, and repeated ones with the reason of one of them.
func (d *drain) tellRequests(due []*member) {
	again := slices.DeleteFunc(slices.Clone(due), func(m *member) bool { return m.sent == 0 })
	if first := len(due) - len(again); first > 0 {
		d.tell(Event{Stage: Terminating, Count: first})
	}
	accepted := count(again, func(m *member) bool { return m.requestErr == nil })
	if accepted > 0 {
		d.tell(Event{Stage: Repeating, Count: accepted})
	}
	if i := slices.IndexFunc(again, func(m *member) bool { return m.requestErr != nil }); i >= 0 {
		d.tell(Event{Stage: Repeating, Count: len(again) - accepted, Reason: again[i].requestErr})
	}
}

func (d *drain) tellExcluded(members []*member) {
	for _, m := range members {
		if m.settled == Excluded {
			d.tellSettled(m)
		}
	}
}

func (d *drain) tellSettled(m *member) {
	if d.Progress == nil || d.DryRun {
		return // describing each session costs more than the rest
	}
	drained := d.result(m)
	d.tell(Event{Stage: Settled, Session: &drained})
}

// result is what can be said of a member now.
func (d *drain) result(m *member) SessionResult {
	drained := SessionResult{
		Session: m.session, Outcome: m.outcome(), Accepted: m.accepted, Lost: m.lost, NeedsEnd: m.needsEnd,
		Previewed: m.previewed, Unapproved: m.unapproved(), Blocks: d.blocks(m),
	}
	switch {
	case drained.Outcome == Excluded && m.match == session.Undecided:
		drained.Undecided = d.Selector.UnknownCriteria(*m.session, time.Now())
	case drained.Outcome == Excluded && m.needsEnd && !m.read:
		drained.Err = m.checkErr
	case drained.Outcome.Ended(), drained.Outcome == Excluded:
	case m.checkErr != nil && (m.requestErr == nil || drained.Outcome == Unknown):
		drained.Err = m.checkErr
	case m.requestErr != nil:
		drained.Err = m.requestErr
	case m.session.ID == "":
		drained.Err = session.ErrIdentifier
	case m.pending() && m.verdict == session.Undecided:
		drained.Undecided = d.Selector.UnknownCriteria(*m.session, time.Now())
	}
	if d.DryRun && m.target() {
		drained.Outcome = Matched
	}
	return drained
}

func (d *drain) report() Report {
	r := Report{Sessions: make([]SessionResult, 0, len(d.roster.members)), Coverage: d.coverage}
	for _, m := range d.roster.members {
		if m.settled != notMatching {
			r.Sessions = append(r.Sessions, d.result(m))
		}
	}
	return r
}

// fail says how the drain as a whole failed: with survivors, or with every session
// ended and others perhaps unseen.
func (d *drain) fail(ctx context.Context, cause error) *DrainError {
	kind := Unknown
	switch report := d.report(); {
	case len(report.Unapproved()) > 0:
		kind = NotApproved
	case slices.ContainsFunc(report.Sessions, SessionResult.Live):
		kind = StillLive
	}
	if ctx.Err() != nil && errors.Is(cause, ctx.Err()) {
		cause = d.checkErr // it says more than the context, which has its own field
	}
	barred := d.roster.any(func(m *member) bool { return m.barredByPlan && m.verdict == session.Yes && m.notEnded() })
	return &DrainError{Kind: kind, Cause: cause, Context: ctx.Err(), Barred: barred}
}
