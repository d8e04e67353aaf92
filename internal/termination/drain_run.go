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
	// fewOpen is how many open sessions are always checked one by one instead of by a
	// list. If a list takes longer, more are; see oneByOne.
	fewOpen = 10
	// badRounds is after how many failed rounds in a row the drain gives up: checks of
	// single sessions, which the list replaces, or requests that are turned away.
	badRounds = 2
)

// drain is one run of Drain. It decides what to do about the sessions of its roster.
type drain struct {
	*Terminator
	DrainRequest

	roster *roster
	// coverage is what the first list shows of the values of Selector, nil before it.
	coverage *Coverage
	// pace gives the pauses between checks; each round of requests restarts it.
	pace pace
	// badGets and turnedAway count the rounds in a row in which checks of single
	// sessions failed, and in which senhasegura turned every request away.
	badGets, turnedAway int
	// listed is when the last list was complete.
	listed time.Time
	// checkErr is why the last list failed, nil if it or a later check worked.
	checkErr error
	// quietTold is the changedAt for which the quiet period was last announced.
	quietTold time.Time
}

func (t *Terminator) newDrain(request DrainRequest) *drain {
	d := &drain{
		Terminator:   t,
		DrainRequest: request,
		roster:       newRoster(request.Selector, request.Quiet > 0),
		pace:         pace{first: request.PollInterval},
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

// require adds a session of which the run needs an end.
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
	if err := d.judges(d.Selector); err != nil {
		return d.notBegun(ctx, err)
	}
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
	if err := d.judges(d.Selector); err != nil {
		return time.Time{}, d.notBegun(ctx, err)
	}
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

// notBegun is the failure of a run whose first list could not be read or judged.
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

// checkLimit fails if more matching sessions are live than allowed.
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

// awaited: the drain can succeed only after its end.
func (d *drain) awaited(m *member) bool { return m.pending() || d.blocks(m) }

// checkExcluded fails if an excluded session is live and the drain must not leave it.
func (d *drain) checkExcluded() error {
	if d.roster.any(d.blocks) {
		return &DrainError{Kind: Excluded}
	}
	return nil
}

// waitOutGrace waits for the sessions to end on their own, and then lists, so that new
// sessions are counted and terminated with the others.
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

// terminateAll sends requests and checks, in turns. It ends after a complete list,
// because only a list shows new sessions.
func (d *drain) terminateAll(ctx context.Context) error {
	for !d.finished() {
		if err := d.checkLimit(); err != nil {
			return err
		}
		if d.checkErr == nil { // no request is sent while the list can't be read
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

// giveUp ends a run whose requests fail for a reason that applies to every further one.
// It lists once more, so that the report is current for the sessions that were
// requested.
func (d *drain) giveUp(ctx context.Context, cause error) *DrainError {
	if ctx.Err() == nil {
		_ = d.list(ctx) // the error of the requests matters more
	}
	return d.fail(ctx, cause)
}

// follow checks the sessions, and closes with a list.
func (d *drain) follow(ctx context.Context) error {
	switch {
	case d.roster.any((*member).target):
		return d.check(ctx)
	case !d.roster.closed || !time.Now().Before(d.quietEnd()):
		return d.list(ctx)
	}
	return nil
}

// quietEnd is the end of the quiet period, if nothing changes until then.
func (d *drain) quietEnd() time.Time { return d.roster.changedAt.Add(d.Quiet) }

// finished reports whether the run can do no more. If a session has not ended, the
// drain has failed, and waiting for the quiet period would not change that. Otherwise
// the last list begins after the quiet period.
func (d *drain) finished() bool {
	if !d.roster.closed || d.roster.any((*member).target) {
		return false
	}
	return d.Quiet <= 0 || d.roster.any((*member).notEnded) || !d.roster.listedAt.Before(d.quietEnd())
}

// rest is the time until the next requests and checks. A closing list is not delayed,
// and a first request not longer than a poll interval.
func (d *drain) rest() time.Duration {
	switch {
	case d.checkErr == nil && d.roster.any(func(m *member) bool { return m.target() && m.sent == 0 }):
		return d.PollInterval
	case d.checkErr != nil || d.roster.any((*member).target):
		return max(d.pause(), d.askedToWait())
	case !d.roster.closed || d.finished():
		return 0
	}
	if d.quietTold != d.roster.changedAt {
		d.quietTold = d.roster.changedAt
		d.tell(Event{Stage: InQuiet, Wait: d.Quiet})
	}
	return d.pauseBefore(d.quietEnd())
}

// askedToWait is the longest wait that responses to the last requests asked for, of the
// sessions whose next request is due.
func (d *drain) askedToWait() (longest time.Duration) {
	for _, m := range d.roster.those(func(m *member) bool { return m.target() && m.due(d.options.Retries) }) {
		longest = max(longest, m.askedToWait())
	}
	return longest
}

// pause is the time between two checks. Two lists are at least as far apart as the last
// one took.
func (d *drain) pause() time.Duration {
	pause := d.pace.next()
	if !d.oneByOne(d.roster.those(d.awaited)) {
		pause = max(pause, d.reads.lastTook())
	}
	return pause
}

// pauseBefore is the pause in a period that ends with a list. If a list would not be
// complete before that end, it is the time until then.
func (d *drain) pauseBefore(end time.Time) time.Duration {
	pause, left := d.pause(), time.Until(end)
	if !d.oneByOne(d.roster.those(d.awaited)) && pause+d.reads.lastTook() > left {
		return left
	}
	return min(pause, left)
}

// request sends the requests that are due. The error is one that applies to every
// further request, or that two rounds in a row have met.
func (d *drain) request(ctx context.Context) error {
	due := d.roster.those(func(m *member) bool { return m.target() && m.due(d.options.Retries) })
	if len(due) == 0 {
		return nil
	}
	// Sessions whose request was turned away come last.
	slices.SortStableFunc(due, func(a, b *member) int { return cmp.Compare(a.sent, b.sent) })
	d.pace, d.roster.closed = pace{first: d.PollInterval}, false
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

// requestAll sends several requests at a time. A failure that is not about one session
// ends the round, so that a server that is down or that rejects the provider does not
// get one request for each session.
func (d *drain) requestAll(ctx context.Context, due []*member) error {
	round, ctxRound := errgroup.WithContext(ctx)
	round.SetLimit(d.options.Concurrency)
	for _, m := range due {
		round.Go(func() error {
			if ctxRound.Err() != nil {
				return context.Cause(ctxRound)
			}
			// Not the context of the round: the response to a request that was sent
			// must be read.
			return d.requestOne(ctx, m)
		})
	}
	return round.Wait()
}

// requestOne decides again whether the session matches, because earlier requests may
// have taken long.
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

// check reads what became of the open members, in the cheaper way. If single sessions
// can't be read, it reads the list.
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

// oneByOne reports whether members can be checked one by one, and are few: a list costs
// as much as one small request for each second that it takes.
func (d *drain) oneByOne(members []*member) bool {
	few := max(fewOpen, int(d.reads.lastTook()/time.Second))
	return len(members) > 0 && len(members) <= few && d.badGets < badRounds &&
		!slices.ContainsFunc(members, func(m *member) bool { return !m.readable() })
}

// check is what one check shows of a member, when it began, and when it was complete.
type check struct {
	record          *session.Session
	err             error
	askedAt, readAt time.Time
}

// get checks members one by one, several at a time, and all of them even if one fails.
// It reports whether each was read.
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
	_ = gets.Wait() // the failures are in checks
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
			continue // an interrupted check shows nothing new
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

// getOne reads the record of a member. Its record ID may belong to another session by
// now.
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
		if ctx.Err() == nil { // an interrupted list shows nothing new
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

// ask gives a reading one complete list. The first one also shows the coverage of
// Selector.
func (d *drain) ask(ctx context.Context, list *reading, first bool) (err error) {
	if !first {
		return d.reads.ask(ctx, &asker{collector: list, all: true})
	}
	ask := func(a *asker) error { return d.reads.askFirst(ctx, a) }
	d.coverage, err = askCovered(ask, list, d.Selector)
	return err
}

// settleMissing decides about members that a complete list does not show. A missing
// record is not an end; reading the record itself may show one.
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
			m.settled = "" // it is read again
		case m.settled == Excluded && m.row == nil:
			// It stays excluded, and is not listed.
		default:
			d.settle(m, Unknown)
		}
	}
	return nil
}

// see stores what a check has shown of a member. The clock notes an end once.
func (d *drain) see(m *member, seen check) {
	m.session, m.read, m.checkErr = seen.record, true, nil
	if !seen.record.Live() {
		if !m.settled.Ended() {
			m.tellClock(d.clock, *seen.record, seen.readAt)
		}
		d.settle(m, m.whenEnded())
		return
	}
	m.showedLive()
	m.lastLive = liveCheck{seen.record.RecordID, seen.askedAt}
	d.place(m)
}

// place decides what to do about a live session. A settled one is open again, unless no
// further request for it follows.
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

// settle settles a member, or opens it again if the outcome is empty.
func (d *drain) settle(m *member, outcome Outcome) {
	if outcome == m.settled || outcome.Ended() && m.settled.Ended() {
		return
	}
	if outcome != "" && m.settled != Excluded { // an excluded session does not restart the quiet period
		d.roster.changedAt = time.Now()
	}
	m.settled = outcome
	if outcome != "" && outcome != notMatching {
		d.tellSettled(m)
	}
}

// tellRequests reports first requests, and repeated ones with the reason of one of
// them.
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
		return // to describe each session would cost more than the rest of the run
	}
	drained := d.result(m)
	d.tell(Event{Stage: Settled, Session: &drained})
}

// result is the result for a member if the run ended now.
func (d *drain) result(m *member) SessionResult {
	drained := SessionResult{
		Session: m.session, Outcome: m.outcome(), Accepted: m.accepted, Lost: m.lost, Denied: m.denied, NeedsEnd: m.needsEnd,
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

// fail gives the error of the drain: sessions have not ended, or all have and new ones
// may have started unread.
func (d *drain) fail(ctx context.Context, cause error) *DrainError {
	kind := Unknown
	switch report := d.report(); {
	case len(report.Unapproved()) > 0:
		kind = NotApproved
	case slices.ContainsFunc(report.Sessions, SessionResult.Live):
		kind = StillLive
	}
	if ctx.Err() != nil && errors.Is(cause, ctx.Err()) {
		cause = d.checkErr // the error of the context has its own field
	}
	barred := d.roster.any(func(m *member) bool { return m.barredByPlan && m.verdict == session.Yes && m.notEnded() })
	return &DrainError{Kind: kind, Cause: cause, Context: ctx.Err(), Barred: barred}
}
