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

// Lister reads the list of all sessions. If the list is not complete, the last pair of
// the sequence has an error.
type Lister interface {
	Sessions(ctx context.Context) iter.Seq2[session.Session, error]
}

const (
	// Before a read begins, it waits for further questions: for this part of the time
	// that the last read took, but not longer than longestGathering.
	gatheringPart    = 20
	longestGathering = time.Second
)

// sharedReads answers questions about sessions from as few reads of the list as
// possible. The list has no filter and may take minutes, so questions that wait at the
// same time share one read. A question is usually whether a request has worked, so it
// is never answered from a read that began before it was asked. Previews are the
// exception: see snapshot.
//
// It is safe for concurrent use.
type sharedReads struct {
	lister  Lister
	options Options

	mu sync.Mutex
	// current is the read under way, next the read that will begin after it.
	current, next *read
	// working: a goroutine reads, or will.
	working bool
	// took is how long the last read took, 0 before the first.
	took time.Duration
	// first is what the first complete read showed, nil before it.
	first  *snapshot
	outage outage
	memory memory
	// clock notes the latest time of each complete list.
	clock *clock
}

// newSharedReads makes one over lister. Of the options it uses Retries, Pause,
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

// one reads the list for one session ID; ask is one of the methods that ask. The error
// matches session.ErrNotFound if the list does not show the session. Of several records
// a live one counts. single is whether the list shows one record only.
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

// records is the collector for one ID. A record that the list shows twice counts once.
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

// record gives the record ID of a session, if the last complete list showed exactly one
// record of it and that was live, and when that list began; otherwise "".
func (l *sharedReads) record(id string) (record string, listedAt time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.memory.records[id], l.memory.listedAt
}

// ended gives a session that is kept as ended.
func (l *sharedReads) ended(id string) (end, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.memory.ends[id]
	return e, ok
}

// lastTook is how long the last read of the list took. Callers that poll the list wait
// for at least that long between two reads.
func (l *sharedReads) lastTook() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.took
}

// collector takes the rows for one question. Its methods are called one at a time, from
// the goroutine that reads, and not after the question was answered or given up. What
// it has taken counts only if the read had no error.
type collector interface {
	// restart discards everything: a list is read from its beginning.
	restart()
	take(s session.Session)
}

// asker is one question: about the rows of one ID, or about all rows.
type asker struct {
	collector
	id  string
	all bool
	// joins: a read that has already begun is new enough.
	joins bool
	// gone: the caller has returned, so the collector must not be used any more.
	gone bool
}

// read is one read of the list for a group of askers.
type read struct {
	byID  map[string][]*asker
	ofAll []*asker
	// waiting counts the askers that still wait; when none is left, the read is
	// canceled.
	waiting int
	// ctx is of the read and not of a call, because several callers share the read.
	ctx    context.Context
	cancel context.CancelFunc
	// serving is held while collectors are used, so that a caller that gives up can be
	// sure that its own is not in use.
	serving sync.Mutex

	// The goroutine that reads sets the following fields. It closes done last.
	began time.Time
	rows  int
	err   error
	done  chan struct{}
	// notes, snapshot and latest keep what the read shows apart from the questions; the
	// first two are nil if nothing needs them.
	notes    *listNotes
	snapshot *snapshot
	latest   *latest
}

// ask waits until one read has given a complete list to the collector of a, and returns
// the error of that read.
func (l *sharedReads) ask(ctx context.Context, a *asker) error { return l.askUntil(ctx, a, nil) }

// askFirst is ask for a question that begins an operation, before any request was sent.
// After a transient failure it reads again, unless Options.Retries is 0, until no read
// of the process has worked for Options.ListTimeout. From then on it returns the last
// failure at once.
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

// askInTime is ask, but gives up when no read has worked for Options.ListTimeout.
func (l *sharedReads) askInTime(ctx context.Context, a *asker) error {
	left, over := l.outageLeft()
	if left <= 0 {
		return l.lastFailure()
	}
	return l.askUntil(ctx, a, over)
}

// askUntil is ask, but gives up with the last failure when over is closed.
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

// join adds a to the read that has not begun yet. The read takes the values of the
// context of its first asker, but not its cancellation, because other askers wait for
// it too.
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

// leave removes an asker that waits, and cancels a read for which no asker waits any
// more.
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

// work reads until no asker waits.
func (l *sharedReads) work() {
	for r := l.begin(); r != nil; r = l.begin() {
		l.finish(r, r.run(l.lister))
	}
}

// begin gives the next read, nil if no asker waits. From the second read on it waits a
// little first. Otherwise, of the askers that are answered together and ask again
// together, the first would get a read of its own, and the number of reads would
// double.
func (l *sharedReads) begin() *read {
	l.mu.Lock()
	gathering, pause := l.next, min(l.took/gatheringPart, longestGathering)
	l.mu.Unlock()
	if gathering != nil && pause > 0 {
		_ = wait(gathering.ctx, pause) // it ends early if no asker waits any more
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

// finish stores the result of a read and answers its askers.
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

// brokenOffError is the failure of a read after it has shown sessions.
type brokenOffError struct{ error }

func (e *brokenOffError) Unwrap() error { return e.error }

// see takes each row of a read, whichever question it belongs to. What must be noted of
// all rows is noted here.
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

// outage is the time during which no read of the list has worked.
type outage struct {
	// limit is how long it may last before first questions are given up.
	limit time.Duration
	// until is the end of that time, zero while reads work; over is closed at that end.
	until time.Time
	over  chan struct{}
	timer *time.Timer
	// failure is the last one, at failedAt. It is kept after the outage, because a
	// question may be given up when the outage has just ended.
	failure  error
	failedAt time.Time
}

// note takes the result of a read. Only a transient failure shows that a server is
// down.
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

// outageLeft gives how long first questions are still asked, and a channel that is
// closed at the end of that time.
func (l *sharedReads) outageLeft() (left time.Duration, over <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.outage.until.IsZero() && l.outage.limit > 0 && l.current == nil && time.Since(l.outage.failedAt) > l.outage.limit {
		// There was no read for so long that the failure says nothing about the server
		// now.
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

// lastFailure is the last transient failure of a read.
func (l *sharedReads) lastFailure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.outage.failure
}
