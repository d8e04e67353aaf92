package termination

import (
	"context"
	"errors"
	"iter"
	"math"
	"sync"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// Lister reads the list of all sessions; the API client is one. The sequence
// yields an error last if it did not reach the end of the list.
type Lister interface {
	Sessions(ctx context.Context) iter.Seq2[session.Session, error]
}

const (
	// Before a read begins, askers are gathered for this part of the time that the
	// last one took, but not for longer than longestGathering.
	gatheringPart    = 20
	longestGathering = time.Second
)

// sharedReads answers questions about sessions from as few reads of the list as truth
// allows. The list has no filter and may take minutes, so askers that wait at
// the same time share one read; and because a question is usually whether a
// request has worked, none is answered from a read that began before it was
// asked. Previews are the exception: see snapshot.
//
// A look is safe for concurrent use.
type sharedReads struct {
	lister  Lister
	options Options

	mu sync.Mutex
	// current is the read under way, next the one that gathers askers.
	current, next *read
	// working: a goroutine reads, or is about to.
	working bool
	// took is how long the last read took, zero before the first.
	took time.Duration
	// first is what the first complete read showed, nil before it.
	first  *snapshot
	outage outage
	memory memory
	// clock is told the latest time of each complete list.
	clock *clock
}

// newSharedReads makes a look over lister. Of the options it uses Retries, Pause,
// ListTimeout and Zone.
func newSharedReads(lister Lister, options Options) *sharedReads {
	if options.Pause == 0 {
		options.Pause = 500 * time.Millisecond
	}
	return &sharedReads{
		lister: lister, options: options, clock: newClock(options.Zone),
		outage: outage{limit: options.ListTimeout, over: make(chan struct{})},
	}
}

// one asks about one session id, in one of the ways to ask. The error matches
// session.ErrNotFound if the list does not show it. Of several records a live one
// counts; single tells whether there is one only.
func (l *sharedReads) one(ctx context.Context, id string, ask func(context.Context, *asker) error) (seen session.Session, single bool, err error) {
	l.mu.Lock()
	l.memory.wanted = true
	l.mu.Unlock()
	shown := &records{}
	switch err := ask(ctx, &asker{id: id, collector: shown}); {
	case err != nil:
		return session.Session{}, false, err
	case shown.merged == nil:
		return session.Session{}, false, session.ErrNotFound
	}
	return *shown.merged, !shown.several, nil
}

// records takes what a list shows of one id. A record that it shows twice is one.
type records struct {
	merged  *session.Session
	several bool
}

func (r *records) restart() { *r = records{} }

func (r *records) take(s session.Session) {
	if r.merged != nil && (s.RecordID == "" || s.RecordID != r.merged.RecordID) {
		r.several = true
	}
	r.merged = merge(r.merged, &s)
}

// record gives the record id of a session of which the last complete list showed
// one record, a live one, and when that list began; "" if it is not known.
func (l *sharedReads) record(id string) (record string, listedAt time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.memory.records[id], l.memory.listedAt
}

// ended gives a session that is remembered as ended.
func (l *sharedReads) ended(id string) (end, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.memory.ends[id]
	return e, ok
}

// lastTook is how long the last read of the list took. A pause between two lists
// that poll is at least as long.
func (l *sharedReads) lastTook() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.took
}

// collector takes the rows that one question is about. A look calls its methods
// one at a time, from the goroutine that reads, and not after the question was
// answered or given up; what it has taken counts only if the answer is no error.
type collector interface {
	// restart forgets everything: a list is read from its beginning.
	restart()
	take(s session.Session)
}

// asker is one question: about the rows of one id, or about all.
type asker struct {
	collector
	id  string
	all bool
	// joins: a read that has begun already will do.
	joins bool
	// gone: the asker has returned, so its collector must be left alone.
	gone bool
}

// read is one pass over the list for a group of askers.
type read struct {
	byID  map[string][]*asker
	ofAll []*asker
	// waiting counts the askers that still wait; the last to leave cancels.
	waiting int
	// ctx belongs to the read and not to a call: several callers share it.
	ctx    context.Context
	cancel context.CancelFunc
	// serving is held while collectors are used, so that an asker that leaves can
	// be sure that its own is not.
	serving sync.Mutex

	// What follows is set by the goroutine that reads. done is closed last.
	began time.Time
	rows  int
	err   error
	done  chan struct{}
	// listNotes, shot and latest note what the read shows besides what was asked; the
	// first two are nil where nobody has a use for them.
	notes    *listNotes
	snapshot *snapshot
	latest   *latest
}

// ask waits until a complete list has gone to a's collector, or fails as the one
// read did that was made for it.
func (l *sharedReads) ask(ctx context.Context, a *asker) error { return l.askUntil(ctx, a, nil) }

// askFirst is ask for a question that begins a run, when nothing was done yet that
// must be followed. A read that fails for a passing reason is followed by others,
// unless Options.Retries is 0, until no read of the process has worked for
// Options.ListTimeout; from then on the error is the last failure, and comes at
// once.
func (l *sharedReads) askFirst(ctx context.Context, a *asker) error {
	var failure error
	for pauses := (pace{first: l.options.Pause}); ; {
		err := l.askInTime(ctx, a)
		switch {
		case errors.Is(err, session.ErrTransient):
			failure = err
		case ctx.Err() != nil && failure != nil:
			return failure // it says more than the context, which the caller has
		default:
			return err
		}
		left, _ := l.outageLeft()
		if left <= 0 || l.options.Retries == 0 || wait(ctx, min(pauses.next(), left)) != nil {
			return failure
		}
	}
}

// askInTime is ask, given up when no read has worked for Options.ListTimeout.
func (l *sharedReads) askInTime(ctx context.Context, a *asker) error {
	left, over := l.outageLeft()
	if left <= 0 {
		return l.lastFailure()
	}
	return l.askUntil(ctx, a, over)
}

// askUntil is ask, given up with the last failure when over is closed.
func (l *sharedReads) askUntil(ctx context.Context, a *asker, over <-chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := l.join(ctx, a)
	select {
	case <-r.done:
		return r.err
	case <-over:
		l.leave(r, a)
		return l.lastFailure()
	case <-ctx.Done():
		l.leave(r, a)
		return ctx.Err()
	}
}

// join adds a to the read that has not begun yet. That read must outlive the
// asker whose context it takes its values from, as others wait for it too: only
// the last one that leaves cancels it.
func (l *sharedReads) join(ctx context.Context, a *asker) *read {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.joins && l.current != nil && l.current.waiting > 0 {
		l.current.waiting++
		return l.current
	}
	if l.next == nil {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		l.next = &read{
			byID:   map[string][]*asker{},
			done:   make(chan struct{}),
			ctx:    ctx,
			cancel: cancel,
		}
	}
	r := l.next
	if a.all {
		r.ofAll = append(r.ofAll, a)
	} else {
		r.byID[a.id] = append(r.byID[a.id], a)
	}
	r.waiting++
	if !l.working {
		l.working = true
		go l.work()
	}
	return r
}

// leave takes a waiting asker out and stops a read for which nobody waits.
func (l *sharedReads) leave(r *read, a *asker) {
	r.serving.Lock()
	a.gone = true
	r.serving.Unlock()

	l.mu.Lock()
	defer l.mu.Unlock()
	r.waiting--
	if r.waiting > 0 {
		return
	}
	r.cancel()
	if l.next == r {
		l.next = nil
	}
}

// work reads for as long as somebody asks.
func (l *sharedReads) work() {
	for r := l.begin(); r != nil; r = l.begin() {
		l.finish(r, r.run(l.lister))
	}
}

// begin gives the next read, nil if nobody asks for one. From the second read on
// it waits a little first: without that, of the askers that are answered together
// and ask again together the first would get a read of its own, and the number of
// reads would double.
func (l *sharedReads) begin() *read {
	l.mu.Lock()
	gathering, pause := l.next, min(l.took/gatheringPart, longestGathering)
	l.mu.Unlock()
	if gathering != nil && pause > 0 {
		_ = wait(gathering.ctx, pause) // it ends early when nobody waits any more
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.next
	l.current, l.next, l.working = r, nil, r != nil
	if r == nil {
		return nil
	}
	r.began, r.latest = time.Now(), l.clock.latest()
	if l.memory.wanted {
		r.notes = newListNotes(r.began)
	}
	if l.first == nil {
		r.snapshot = newSnapshot(maxSnapshot, r.began)
	}
	return r
}

// finish takes over what a read came to, and answers those who wait for it.
func (l *sharedReads) finish(r *read, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.ctx.Err() == nil {
		l.took = time.Since(r.began)
	}
	l.outage.note(err)
	if r.notes != nil {
		l.memory.keep(r.notes, err == nil)
	}
	if r.snapshot != nil {
		r.snapshot.finish()
		if err == nil {
			l.first = r.snapshot
		}
	}
	if err == nil {
		l.clock.list(r.latest, time.Now())
	}
	l.current = nil
	r.err = err
	r.cancel()
	close(r.done)
}

// run reads the list once.
func (r *read) run(lister Lister) error {
	r.restart()
	for s, err := range lister.Sessions(r.ctx) {
		switch {
		case err != nil && r.rows > 0:
			return &brokenOffError{err}
		case err != nil:
			return err
		}
		r.see(s)
	}
	return nil
}

// brokenOffError is the failure of a read that showed sessions before it.
type brokenOffError struct{ error }

func (e *brokenOffError) Unwrap() error { return e.error }

// see is where each row of a read comes by, whoever asked for it: what is to be
// noted of all rows is noted here.
func (r *read) see(s session.Session) {
	r.rows++
	r.latest.take(s)
	if r.notes != nil {
		r.notes.take(s)
	}
	if r.snapshot != nil {
		r.snapshot.take(s)
	}
	r.serve(s)
}

func (r *read) restart() {
	r.latest.restart()
	r.serving.Lock()
	defer r.serving.Unlock()
	eachPresent(r.ofAll, collector.restart)
	for _, group := range r.byID {
		eachPresent(group, collector.restart)
	}
}

func (r *read) serve(s session.Session) {
	r.serving.Lock()
	defer r.serving.Unlock()
	give := func(c collector) { c.take(s) }
	eachPresent(r.byID[s.ID], give)
	eachPresent(r.ofAll, give)
}

func eachPresent(askers []*asker, do func(collector)) {
	for _, a := range askers {
		if !a.gone {
			do(a.collector)
		}
	}
}

// outage is the time for which no read of the list has worked.
type outage struct {
	// limit is how long it may last before first questions are given up.
	limit time.Duration
	// until is the end of that time, zero while reads work; over is closed then.
	until time.Time
	over  chan struct{}
	timer *time.Timer
	// failure is the last one, of failedAt. It stays, so that who gives up always has
	// one.
	failure  error
	failedAt time.Time
}

// note takes in what a read came to. Other failures than passing ones say
// nothing about how long a server stays down.
func (o *outage) note(err error) {
	switch {
	case err == nil:
		if o.timer != nil && !o.timer.Stop() {
			o.over = make(chan struct{})
		}
		o.timer, o.until = nil, time.Time{}
	case errors.Is(err, session.ErrTransient):
		o.failure, o.failedAt = err, time.Now()
		if o.until.IsZero() {
			over := o.over
			o.until = time.Now().Add(o.limit)
			o.timer = time.AfterFunc(o.limit, func() { close(over) })
		}
	}
}

// outageLeft tells for how long first questions are still asked, and gives a channel
// that is closed at the end of that time.
func (l *sharedReads) outageLeft() (left time.Duration, over <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.outage.until.IsZero() && l.outage.limit > 0 && l.current == nil && time.Since(l.outage.failedAt) > l.outage.limit {
		// Nobody has asked for so long that the failure tells nothing any more.
		l.outage.until, l.outage.over = time.Time{}, make(chan struct{})
	}
	if l.outage.until.IsZero() {
		return math.MaxInt64, l.outage.over
	}
	return time.Until(l.outage.until), l.outage.over
}

// down reports whether first questions have been given up.
func (l *sharedReads) down() bool {
	left, _ := l.outageLeft()
	return left <= 0
}

// lastFailure is the last passing failure of a read.
func (l *sharedReads) lastFailure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.outage.failure
}
