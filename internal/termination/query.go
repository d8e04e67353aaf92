package termination

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// State says whether live or ended sessions are asked for.
type State string

// The states. The values are those that users write.
const (
	StateLive  State = "live"
	StateEnded State = "ended"
	StateAll   State = "all"
)

// Find gives the session with a session ID, from a list that begins after the call. The
// error matches session.ErrNotFound if the list does not show it. Of several records of
// the session a live one counts.
func (t *Terminator) Find(ctx context.Context, sessionID string) (session.Session, error) {
	seen, _, err := t.reads.one(ctx, sessionID, t.reads.askFirst)
	return seen, err
}

// FindRecord gives the session with a record ID, with one small request. The error
// matches session.ErrNotFound if senhasegura shows none.
func (t *Terminator) FindRecord(ctx context.Context, recordID string) (session.Session, error) {
	return t.api.Session(ctx, recordID)
}

// Answer is the result of a query. Each session is in it once, oldest first; those
// without a known start come last.
type Answer struct {
	// Sessions match.
	Sessions []session.Session
	// Unknown may match: senhasegura shows too little of them to decide.
	Unknown []session.Session
	// Coverage is what the same list shows of the values of Selector.
	Coverage Coverage
}

// WithoutID gives the sessions that match and whose session ID senhasegura does not
// show, so that no termination request can name them. Several of them may be records of
// one session.
func (a Answer) WithoutID() []session.Session {
	return slices.DeleteFunc(slices.Clone(a.Sessions), func(s session.Session) bool { return s.ID != "" })
}

// Question says which sessions a query reads.
type Question struct {
	// Selector chooses the sessions.
	Selector *session.Selector
	// State is that of the sessions, and Now the moment at which Selector judges them.
	State State
	Now   time.Time
}

// Query gives the sessions that match a question, from a list that begins after the
// call. Memory use depends on the number of these sessions and of live ones, not on the
// length of the list. The error matches one of the sentinels of package session or the
// error of the context, or it is a *ZoneError; an incomplete list is an error, never a shorter answer.
func (t *Terminator) Query(ctx context.Context, of Question) (Answer, error) {
	if err := t.judges(of.Selector); err != nil {
		return Answer{}, err
	}
	q := &query{selector: of.Selector, state: of.State, now: of.Now}
	ask := func(a *asker) error { return t.reads.askFirst(ctx, a) }
	coverage, err := askCovered(ask, q, of.Selector)
	if err != nil {
		return Answer{}, err
	}
	answer := q.answer()
	answer.Coverage = *coverage
	return answer, nil
}

// query is the collector of a Question. Its moment is fixed, so that sessions do not
// become older while a slow list is read.
type query struct {
	selector *session.Selector
	state    State
	now      time.Time

	// found are the sessions that match or may match, in the order of the list, byID
	// those with a session ID, and withoutID the records without one.
	found     []*judged
	byID      map[string]*judged
	withoutID map[session.Session]struct{}
	// live are the IDs of all live sessions. An ended record of one of them does not
	// count.
	live map[string]struct{}
}

// judged is the record of a session that counts, and whether it matches.
type judged struct {
	record  *session.Session
	verdict session.Verdict
}

func (q *query) restart() {
	q.found, q.byID = nil, map[string]*judged{}
	q.withoutID, q.live = map[session.Session]struct{}{}, map[string]struct{}{}
}

func (q *query) take(row session.Session) {
	if row.Live() && row.ID != "" && q.state != StateLive {
		q.live[row.ID] = struct{}{}
	}
	if q.state == StateLive && !row.Live() || q.state == StateEnded && row.Live() {
		return
	}
	verdict := q.selector.Select(row, q.now)
	if verdict == session.No {
		return
	}
	record := row // a copy, so that rows that are not kept take no memory
	if row.ID == "" {
		if _, again := q.withoutID[row]; !again {
			q.withoutID[row] = struct{}{}
			q.found = append(q.found, &judged{&record, verdict})
		}
		return
	}
	known := q.byID[row.ID]
	switch {
	case known == nil:
		known = &judged{}
		q.byID[row.ID], q.found = known, append(q.found, known)
	case known.record.Live() == row.Live() && known.verdict < verdict, merge(known.record, &record) == &record:
	default:
		return
	}
	*known = judged{&record, verdict}
}

func (q *query) answer() Answer {
	var a Answer
	for _, j := range q.found {
		_, refuted := q.live[j.record.ID]
		switch {
		case refuted && !j.record.Live():
		case j.verdict == session.Yes:
			a.Sessions = append(a.Sessions, *j.record)
		default:
			a.Unknown = append(a.Unknown, *j.record)
		}
	}
	slices.SortStableFunc(a.Sessions, compareSessions)
	slices.SortStableFunc(a.Unknown, compareSessions)
	return a
}

// compareSessions orders by start, then by record ID; unknown values come last.
func compareSessions(a, b session.Session) int {
	switch {
	case a.StartedAt.IsZero() && !b.StartedAt.IsZero():
		return 1
	case b.StartedAt.IsZero() && !a.StartedAt.IsZero():
		return -1
	}
	return cmp.Or(
		a.StartedAt.Compare(b.StartedAt),
		compareRecordIDs(a.RecordID, b.RecordID),
		cmp.Compare(a.ID, b.ID),
	)
}

// compareRecordIDs compares digits as numbers of any length. An empty ID comes last.
func compareRecordIDs(a, b string) int {
	if a == "" || b == "" {
		return cmp.Compare(len(b), len(a))
	}
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}
