package simulator

import (
	"cmp"
	"container/heap"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// State is what is true of a session.
type State string

// The states, in the order a session goes through them.
const (
	StateLive State = "live"
	// StateEnding follows an accepted drop that has not worked yet; the session
	// is still live.
	StateEnding State = "ending"
	StateEnded  State = "ended"
)

// Session is one row of senhasegura's session report.
type Session struct {
	RecordID   int64  // record ID, `id`; assigned by Add when 0
	SessionID  string // hash, `session_id`; 40 hex digits assigned by Add when empty
	User       string
	Credential string
	Device     string // with port: "10.0.0.9:22"
	Protocol   string
	Proxy      string
	OriginIP   string

	// Start is now when zero. End is zero for a live session; Add takes an end in
	// the future as the moment at which the session ends on its own.
	Start time.Time
	End   time.Time

	PreventPurge bool
	Request      string // null on the wire when empty
	ITSM         string // null on the wire when empty

	Behavior Behavior

	// State and Drops are set by the simulator: Add ignores them. Drops counts
	// the drops of this session that were acted on, refused ones included.
	State State
	Drops int
}

// Behavior is how one session takes what happens to it. The zero value ends as
// Config says.
type Behavior struct {
	// EndDelay replaces Config.EndDelay when it is not 0; a negative one means
	// at once.
	EndDelay time.Duration
	// Zombie accepts every drop and stays live, as a session does whose proxy node
	// crashed.
	Zombie bool
	// IgnoreFirst accepts so many drops without ending.
	IgnoreFirst int
	// Refuse answers every drop with the documented failure and stays live.
	Refuse bool
	// RefuseFirst refuses so many drops.
	RefuseFirst int
	// RefuseWhileEnding refuses a repeated drop while the session is ending,
	// where it is otherwise accepted without effect. No document says which.
	RefuseWhileEnding bool
	// Reconnects is how often a new session with the same user, credential and
	// device follows the end, ReconnectAfter later.
	Reconnects     int
	ReconnectAfter time.Duration
	// Hidden leaves the session out of list and get, as a narrow authorization
	// does. A drop works.
	Hidden bool
	// Duplicate lists the row twice.
	Duplicate bool
	// SharedID lets Add take a SessionID, or a RecordID, that another record has:
	// no document says that they are unique. A drop is for every live record of the
	// session id, and fails where one of them refuses; get one returns every row of
	// the number.
	SharedID bool
}

// row is one session with its state. Everything in it is guarded by
// Simulator.mu, but for what a list shows of the session: besides the end that
// never changes, so that lists are encoded without the lock.
type row struct {
	session Session
	gone    bool // purged
	refused int
	ignored int
	line    line // set for proxied connections
}

func (r *row) listed() listed { return listed{session: &r.session, end: r.session.End} }

// line is a connection that a session stands for.
type line interface {
	// cut closes both ends. It is called with Simulator.mu held and does not
	// call back.
	cut()
}

// Add inserts a session and returns it completed. It panics when an identifier
// is taken, as TryAdd reports.
func (s *Simulator) Add(v Session) Session {
	added, err := s.TryAdd(v)
	if err != nil {
		panic("simulator: " + err.Error())
	}
	return added
}

// TryAdd inserts a session and returns it completed, or says which identifier
// is taken or unusable.
func (s *Simulator) TryAdd(v Session) (Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.settle()
	r, err := s.insert(v, now)
	if err != nil {
		return Session{}, err
	}
	return r.session, nil
}

func (s *Simulator) insert(v Session, now time.Time) (*row, error) {
	if v.RecordID < 0 {
		return nil, errors.New("id must not be negative")
	}
	if len(s.byRecord[v.RecordID]) > 0 && !v.Behavior.SharedID {
		return nil, fmt.Errorf("id %d is already in use; to allow this, set shared_id in the behavior", v.RecordID)
	}
	if v.RecordID == 0 {
		v.RecordID = s.nextRecord()
	}
	v.SessionID = cmp.Or(v.SessionID, hashOf(v.RecordID))
	if len(s.byHash[v.SessionID]) > 0 && !v.Behavior.SharedID {
		return nil, fmt.Errorf("session_id %q is already in use; to allow this, set shared_id in the behavior", v.SessionID)
	}
	if v.Start.IsZero() {
		v.Start = now
	}
	v.State, v.Drops = StateLive, 0
	r := &row{session: v}
	switch end := v.End; {
	case end.After(now):
		r.session.End = time.Time{}
		s.schedule(end, func(at time.Time) { s.finish(r, at) })
	case !end.IsZero():
		r.session.State = StateEnded
	}
	s.lastRecord = max(s.lastRecord, v.RecordID)
	s.rows = append(s.rows, r)
	s.byHash[v.SessionID] = append(s.byHash[v.SessionID], r)
	s.byRecord[v.RecordID] = append(s.byRecord[v.RecordID], r)
	return r, nil
}

func (s *Simulator) nextRecord() int64 {
	for {
		s.lastRecord++
		if len(s.byRecord[s.lastRecord]) == 0 {
			return s.lastRecord
		}
	}
}

// hashOf makes an identifier in the usual form, 40 hex digits, the same in every
// run.
func hashOf(recordID int64) string {
	sum := sha256.Sum256(strconv.AppendInt([]byte("session "), recordID, 10))
	return hex.EncodeToString(sum[:20])
}

// Session returns what is true of a session now, hidden ones included, and
// whether there is one with this id. Of several it is the first that is not
// ended, or else the first.
func (s *Simulator) Session(sessionID string) (Session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	rows := s.byHash[sessionID]
	if len(rows) == 0 {
		return Session{}, false
	}
	first := max(0, slices.IndexFunc(rows, func(r *row) bool { return r.session.State != StateEnded }))
	return rows[first].session, true
}

// Sessions returns what is true of every session now, in order of insertion.
// Rows of History are not among them.
func (s *Simulator) Sessions() []Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	sessions := make([]Session, 0, len(s.rows)-s.purged)
	for _, r := range s.rows {
		if !r.gone {
			sessions = append(sessions, r.session)
		}
	}
	return sessions
}

// SetBehavior replaces the behavior of a session, of every record of it, and
// starts its counts again. It reports whether there is such a session.
func (s *Simulator) SetBehavior(sessionID string, b Behavior) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	for _, r := range s.byHash[sessionID] {
		r.session.Behavior = b
		r.refused, r.ignored = 0, 0
	}
	return len(s.byHash[sessionID]) > 0
}

// End ends a session now, every record of it, as if its user had left. An ended
// or unknown one stays as it is.
func (s *Simulator) End(sessionID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.settle()
	for _, r := range s.byHash[sessionID] {
		s.finish(r, now)
	}
}

// Purge removes the rows of a session, as a retention job does. A proxied
// connection stays open.
func (s *Simulator) Purge(sessionID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	for _, r := range s.byHash[sessionID] {
		r.gone = true
		s.purged++
		number := r.session.RecordID
		s.byRecord[number] = slices.DeleteFunc(s.byRecord[number], func(other *row) bool { return other == r })
	}
	delete(s.byHash, sessionID)
	if s.purged > len(s.rows)/2 {
		s.compact()
	}
}

// Reset removes every session, Rows, fault and journal entry, closes proxied
// connections, and gives the authorization the permission of Config again. Tokens
// stay valid and hooks stay; record IDs begin at 1 again.
func (s *Simulator) Reset() {
	s.ClearFaults()
	s.ResetJournal()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rows {
		r.gone = true // for those who still hold it
		if r.line != nil {
			r.line.cut()
		}
	}
	s.permission = s.config.Permission
	s.rows, s.purged, s.lastRecord = nil, 0, 0
	s.byHash, s.byRecord = map[string][]*row{}, map[int64][]*row{}
	s.events, s.history = eventQueue{}, nil
}

func (s *Simulator) compact() {
	kept := make([]*row, 0, len(s.rows)-s.purged)
	for _, r := range s.rows {
		if !r.gone {
			kept = append(kept, r)
		}
	}
	s.rows, s.purged = kept, 0
}

// finish makes the end of a session true. It does nothing for one that has
// ended or was purged.
func (s *Simulator) finish(r *row, at time.Time) {
	if r.gone || r.session.State == StateEnded {
		return
	}
	// A clock set back must not make an end before the start.
	if at.Before(r.session.Start) {
		at = r.session.Start
	}
	r.session.State, r.session.End = StateEnded, at
	if r.line != nil {
		r.line.cut()
		return
	}
	s.reconnect(r.session, at)
}

func (s *Simulator) reconnect(left Session, at time.Time) {
	if left.Behavior.Reconnects == 0 {
		return
	}
	next := left
	next.RecordID, next.SessionID, next.End = 0, "", time.Time{}
	next.Behavior.Reconnects--
	connect := func(at time.Time) {
		next.Start = at
		if _, err := s.insert(next, at); err != nil {
			panic("simulator: " + err.Error()) // a new number has a new hash unless a test took it on purpose
		}
	}
	if left.Behavior.ReconnectAfter <= 0 {
		connect(at)
		return
	}
	s.schedule(at.Add(left.Behavior.ReconnectAfter), connect)
}

// drop acts on a drop and returns the true answer. An ended, an unknown and a
// refusing session are answered in the same way (contract, section 5).
func (s *Simulator) drop(sessionID string) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.settle()
	found, refused := false, false
	for _, r := range s.byHash[sessionID] {
		if r.session.State == StateEnded {
			continue
		}
		found = true
		refused = !s.dropRow(r, now) || refused
	}
	if !found || refused {
		return dropFailed()
	}
	return s.shape.dropped()
}

// dropRow acts on a drop of a row that has not ended and reports whether it is
// accepted.
func (s *Simulator) dropRow(r *row, now time.Time) bool {
	r.session.Drops++
	switch {
	case r.refuses():
		r.refused++
		return false
	case r.session.State == StateEnding:
	case r.ignores():
		r.ignored++
	default:
		s.startEnd(r, now)
	}
	return true
}

func (r *row) refuses() bool {
	b := r.session.Behavior
	return b.Refuse || r.refused < b.RefuseFirst || (b.RefuseWhileEnding && r.session.State == StateEnding)
}

func (r *row) ignores() bool {
	b := r.session.Behavior
	return b.Zombie || r.ignored < b.IgnoreFirst
}

func (s *Simulator) startEnd(r *row, now time.Time) {
	delay := cmp.Or(r.session.Behavior.EndDelay, s.config.EndDelay)
	if delay <= 0 {
		s.finish(r, now)
		return
	}
	r.session.State = StateEnding
	s.schedule(now.Add(delay), func(at time.Time) { s.finish(r, at) })
	if r.line != nil {
		// A connection must be closed on time even without a read.
		time.AfterFunc(delay, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.settle()
		})
	}
}

// get answers get one.
func (s *Simulator) get(recordID string) answer {
	number, err := strconv.ParseUint(recordID, 10, 63) // 63 bits fit into an int64
	if errors.Is(err, strconv.ErrSyntax) {
		return unexpectedIdentifier()
	}
	if err != nil {
		return s.shape.unknownRecord() // digits, but more than any record ID has
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	var rows []byte
	for _, r := range s.byRecord[int64(number)] {
		if r.session.Behavior.Hidden {
			continue
		}
		if len(rows) > 0 {
			rows = append(rows, ',')
		}
		rows = s.shape.appendRow(rows, r.listed())
	}
	if len(rows) == 0 {
		return s.shape.unknownRecord()
	}
	return s.shape.found(rows)
}

// list captures the list of this moment.
func (s *Simulator) list() answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	rows := make([]listed, 0, len(s.rows))
	for _, r := range s.rows {
		if r.gone || r.session.Behavior.Hidden {
			continue
		}
		rows = append(rows, r.listed())
		if r.session.Behavior.Duplicate {
			rows = append(rows, r.listed())
		}
	}
	head, tail := s.shape.listFrame()
	return answer{
		status:      http.StatusOK,
		contentType: contentJSON,
		stream:      &listStream{shape: s.shape, head: head, rows: rows, history: s.history, tail: tail},
	}
}

// event is something due at a moment.
type event struct {
	at    time.Time
	order int // of scheduling, for events of one moment
	fire  func(at time.Time)
}

type eventQueue struct {
	items     []event
	scheduled int
}

func (q *eventQueue) Len() int { return len(q.items) }
func (q *eventQueue) Less(i, j int) bool {
	a, b := q.items[i], q.items[j]
	if c := a.at.Compare(b.at); c != 0 {
		return c < 0
	}
	return a.order < b.order
}
func (q *eventQueue) Swap(i, j int) { q.items[i], q.items[j] = q.items[j], q.items[i] }

// Push and Pop serve container/heap.
func (q *eventQueue) Push(item any) {
	if e, ok := item.(event); ok {
		q.items = append(q.items, e)
	}
}

// Pop removes the last item.
func (q *eventQueue) Pop() any {
	last := q.items[len(q.items)-1]
	q.items = q.items[:len(q.items)-1]
	return last
}

func (s *Simulator) schedule(at time.Time, fire func(at time.Time)) {
	s.events.scheduled++
	heap.Push(&s.events, event{at: at, order: s.events.scheduled, fire: fire})
}

// settle carries out what has become due and returns the present time. Every
// read of the sessions begins with it; Simulator.mu is held.
func (s *Simulator) settle() time.Time {
	now := s.config.Now()
	for s.events.Len() > 0 && !s.events.items[0].at.After(now) {
		if due, ok := heap.Pop(&s.events).(event); ok {
			due.fire(due.at)
		}
	}
	return now
}
