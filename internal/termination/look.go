package termination

import (
	"context"
	"errors"
	"iter"
	"maps"
	"sync"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// Lister reads the list of all sessions; the API client is one. The sequence
// yields an error last if it did not reach the end of the list.
type Lister interface {
	Sessions(ctx context.Context) iter.Seq2[session.Session, error]
}

// maxRecords bounds the record ids that a Look remembers. Only live sessions
// are remembered, of which an installation has thousands at most.
const maxRecords = 50_000

// Look answers questions about sessions from as few reads of the list as truth
// allows. The list has no filter and may take minutes, so askers that wait at
// the same time share one read; and because a question is usually whether a
// drop has worked, none is answered from a read that began before it was asked.
//
// A Look is safe for concurrent use.
type Look struct {
	pam      Lister
	restarts int
	pause    time.Duration

	mu sync.Mutex
	// current is the read under way, next the one that gathers askers meanwhile.
	current, next *read
	// records maps the ids of live sessions to their record ids, from the lists
	// that were read for single sessions. A pair never changes, so it may be used
	// at any later time; whether the session still lives must be asked anew. Only
	// the reading goroutine writes it, so that one reads it without the lock.
	records map[string]string
	// ends are sessions of records that a whole list has since shown ended.
	ends map[string]session.Session
}

// NewLook makes a Look over pam. A list that breaks off is read again from its
// beginning up to restarts times, with a growing pause in between.
func NewLook(pam Lister, restarts int, pause time.Duration) *Look {
	return &Look{pam: pam, restarts: restarts, pause: pause, records: map[string]string{}, ends: map[string]session.Session{}}
}

// All gives the sessions for which want is true, in the order of the list, from
// a read that begins after the call. Memory follows what is wanted, not the
// list. want is called from another goroutine, possibly more than once a
// session when a list is read again, and never after All has returned.
//
// The error matches one of session's sentinels or the context's error; an
// incomplete list is an error, never a shorter list.
func (l *Look) All(ctx context.Context, want func(session.Session) bool) ([]session.Session, error) {
	wanted := &pick{want: want}
	if err := l.ask(ctx, &asker{collector: wanted, all: true}); err != nil {
		return nil, err
	}
	return wanted.found, nil
}

// One gives the session with the given id, from a read that begins after the
// call, or an error that matches session.ErrNotFound if the list does not show
// it. Where the list has several rows for the id, a live one wins.
func (l *Look) One(ctx context.Context, id string) (session.Session, error) {
	rows := &pick{want: func(session.Session) bool { return true }}
	if err := l.ask(ctx, &asker{id: id, collector: rows}); err != nil {
		return session.Session{}, err
	}
	if len(rows.found) == 0 {
		return session.Session{}, session.ErrNotFound
	}
	for _, s := range rows.found {
		if s.Live() {
			return s, nil
		}
	}
	return rows.found[0], nil
}

// RecordID gives the record id of a session that an earlier list, read for One,
// showed live.
func (l *Look) RecordID(id string) (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	record, ok := l.records[id]
	return record, ok
}

// Ended gives a session that an earlier list, read for One, showed ended after
// another one had shown it live. Unlike everything else an end is final, so it may
// be told at any later time.
func (l *Look) Ended(id string) (session.Session, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.ends[id]
	return s, ok
}

// collector takes the rows that one question is about. A Look calls its methods
// one at a time, from the goroutine that reads, and not after the question was
// answered or given up; what it has taken counts only if the answer is no error.
type collector interface {
	// restart forgets everything: the list is read from its beginning.
	restart()
	take(s session.Session)
}

// pick collects the rows that are wanted, in their order.
type pick struct {
	want  func(session.Session) bool
	found []session.Session
}

func (p *pick) restart() { p.found = nil }

func (p *pick) take(s session.Session) {
	if p.want(s) {
		p.found = append(p.found, s)
	}
}

// asker is one question: about the rows of one id, or about all.
type asker struct {
	collector
	id  string
	all bool
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
	done   chan struct{}
	err    error
	// serving is held while collectors are used, so that an asker that leaves can
	// be sure that its own is not.
	serving sync.Mutex
}

// ask waits until a whole list has gone to a's collector.
func (l *Look) ask(ctx context.Context, a *asker) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	r := l.join(ctx, a)
	if l.current == nil {
		l.start()
	}
	l.mu.Unlock()

	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		l.leave(r, a)
		return ctx.Err()
	}
}

// join adds a to the read that has not begun yet. That read must outlive the
// asker whose context it takes its values from, as others wait for it too: only
// the last one that leaves cancels it.
func (l *Look) join(ctx context.Context, a *asker) *read {
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
	return r
}

// leave takes a waiting asker out and stops a read for which nobody waits.
func (l *Look) leave(r *read, a *asker) {
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

// start begins the read for which askers wait.
func (l *Look) start() {
	r := l.next
	l.current, l.next = r, nil
	go func() {
		learned, err := l.run(r)
		r.cancel()
		l.mu.Lock()
		defer l.mu.Unlock()
		l.remember(learned, err == nil)
		l.current = nil
		if l.next != nil {
			l.start()
		}
		r.err = err
		close(r.done)
	}()
}

// lesson is what a read for single sessions shows of others.
type lesson struct {
	rows    int
	records map[string]string
	// ends and live are of sessions whose records were known before.
	ends map[string]session.Session
	live map[string]bool
}

// learn takes in a row.
func (l *Look) learn(from *lesson, s session.Session) {
	if s.ID == "" {
		return
	}
	_, known := l.records[s.ID]
	switch {
	case s.Live():
		if known {
			from.live[s.ID] = true
		}
		if s.RecordID != "" && len(from.records) < maxRecords {
			from.records[s.ID] = s.RecordID
		}
	case known:
		from.ends[s.ID] = s
	}
}

// run reads the list, from the beginning again when it broke off for a passing
// reason. The client has its own retries for a list that never began.
func (l *Look) run(r *read) (lesson, error) {
	for attempt := 0; ; attempt++ {
		learned, err := l.pass(r)
		brokeOff := learned.rows > 0 && errors.Is(err, session.ErrTransient)
		if !brokeOff || attempt >= l.restarts {
			return learned, err
		}
		if err := wait(r.ctx, l.pause<<attempt); err != nil {
			return learned, err
		}
	}
}

func (l *Look) pass(r *read) (lesson, error) {
	r.restart()
	learned := lesson{records: map[string]string{}, ends: map[string]session.Session{}, live: map[string]bool{}}
	for s, err := range l.pam.Sessions(r.ctx) {
		if err != nil {
			return learned, err
		}
		learned.rows++
		if len(r.byID) > 0 {
			l.learn(&learned, s)
		}
		r.serve(s)
	}
	return learned, nil
}

func (r *read) restart() {
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

// remember keeps what a read has shown. Of several rows for an id a live one
// counts, so that only a whole list can tell of an end.
func (l *Look) remember(learned lesson, whole bool) {
	if len(l.records)+len(learned.records) > maxRecords {
		l.records, l.ends = map[string]string{}, map[string]session.Session{}
	}
	maps.Copy(l.records, learned.records)
	if !whole {
		return
	}
	for id, s := range learned.ends {
		if !learned.live[id] {
			l.ends[id] = s
		}
	}
}
