package termination

import (
	"slices"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// merge gives the record that counts, of two that one read shows of the same session
// ID: a live one, otherwise the first. known is nil if row is the first.
//
// Between reads the later one counts, live or ended: a session that was read as ended
// and that a later list shows live is open again.
func merge(known, row *session.Session) *session.Session {
	if known == nil || !known.Live() && row.Live() {
		return row
	}
	return known
}

// roster is what a run knows of its sessions: which match or may match, excluded ones
// included, as each was last read, and how old that knowledge is. The drain decides
// what follows from it.
type roster struct {
	selector *session.Selector
	// members are the sessions that match or may match, excluded ones included, in the
	// order in which they were first seen.
	members []*member
	byID    map[string]*member
	// withoutID are the members whose records have no session ID.
	withoutID map[session.Session]*member

	// listedAt is when the last complete list began. closed: since then, no request was
	// sent, there was no pause, and no single session was read. Only then is the roster
	// complete, because a read of single sessions shows no new ones.
	listedAt time.Time
	closed   bool
	// changedAt is when a session was last settled or a new matching record was first
	// read, otherwise when the first list was complete.
	changedAt time.Time
	// matching has the records of the last list that match or may match, ended ones
	// included, so that new ones are found in the next list. It is nil without a quiet
	// period, which is the only use.
	matching map[string]struct{}
}

// member is one session that matches or may match.
type member struct {
	dropLog
	// session is its record as last read. A record is replaced, never changed, so that
	// reports can share it.
	session *session.Session
	// verdict is whether the session must be terminated. It is No for an excluded
	// session, and match is then whether that session matches.
	verdict, match session.Verdict
	excluded       bool
	// settled is its final outcome, "" while it is open.
	settled Outcome
	// needsEnd: an earlier run could not settle it, or the plan showed it, so this run
	// needs its end. previewed: the plan showed it.
	needsEnd, previewed bool
	// barredByPlan: the plan did not show it, and only sessions that it showed are
	// terminated.
	barredByPlan bool
	// read: a check since its last request showed it. checkErr is why the last check
	// failed, nil if it worked or was interrupted.
	read     bool
	checkErr error
	// unreadable: senhasegura has no record with its record ID, so only a list can show
	// it.
	unreadable bool

	// row is what the list that is being read shows of it, nil for nothing. barred is
	// the match of its live rows that are excluded, No if there are none.
	row    *session.Session
	barred session.Verdict
}

// notMatching is the settlement of a session that does not match after all. Reports
// leave it out.
const notMatching Outcome = "not_matching"

func newRoster(selector *session.Selector, watchRecords bool) *roster {
	r := &roster{selector: selector, byID: map[string]*member{}, withoutID: map[session.Session]*member{}}
	if watchRecords {
		r.matching = map[string]struct{}{}
	}
	return r
}

// withoutIDKey is the key by which records without a session ID are told apart: the
// record ID, or all that does not change when the session ends.
func withoutIDKey(s session.Session) session.Session {
	if s.RecordID != "" {
		return session.Session{RecordID: s.RecordID}
	}
	s.EndedAt, s.UnreadableEnd = time.Time{}, ""
	return s
}

func (r *roster) find(s session.Session) *member {
	if s.ID != "" {
		return r.byID[s.ID]
	}
	return r.withoutID[withoutIDKey(s)]
}

func (r *roster) add(m *member) {
	r.members = append(r.members, m)
	if m.session.ID != "" {
		r.byID[m.session.ID] = m
	} else {
		r.withoutID[withoutIDKey(*m.session)] = m
	}
}

// judge decides again whether a session matches, because ages grow and records change.
func (r *roster) judge(m *member, now time.Time) {
	judged := r.selector.Judge(*m.session, now)
	m.verdict, m.match = judged.Verdict(), max(judged.Match, m.barred)
	m.excluded = m.barred != session.No || judged.Exclude == session.Yes
	if m.excluded {
		m.verdict = session.No
	}
}

func (r *roster) those(are func(*member) bool) []*member {
	var some []*member
	for _, m := range r.members {
		if are(m) {
			some = append(some, m)
		}
	}
	return some
}

func (r *roster) any(is func(*member) bool) bool { return slices.ContainsFunc(r.members, is) }

func (r *roster) count(are func(*member) bool) int { return count(r.members, are) }

func count(members []*member, are func(*member) bool) int {
	n := 0
	for _, m := range members {
		if are(m) {
			n++
		}
	}
	return n
}

func (m *member) pending() bool { return m.settled == "" }

// target: it must be terminated.
func (m *member) target() bool { return m.terminable() && !m.barredByPlan }

// unapproved: it is live, and would be a target if the plan had shown it.
func (m *member) unapproved() bool { return m.terminable() && m.barredByPlan && m.read }

func (m *member) terminable() bool {
	return m.pending() && m.verdict == session.Yes && m.session.ID != ""
}

// readable: its record can be read on its own.
func (m *member) readable() bool { return m.session.RecordID != "" && !m.unreadable }

// countsToLimit: it matches for certain, and is not known to have ended.
func (m *member) countsToLimit() bool {
	return m.verdict == session.Yes && m.notEnded() && m.session.Live()
}

// isOtherRecord reports whether the row in a list is of another record than the one
// that was live. Such a row shows nothing about that record if it has ended or does not
// match.
func (m *member) isOtherRecord(verdict session.Verdict) bool {
	return m.session.Live() && m.session.RecordID != "" && m.row.RecordID != m.session.RecordID &&
		(!m.row.Live() || verdict == session.No)
}

// hidden reports whether a list leaves out the record because of which a session is
// excluded: the one that was live, if the list shows another record that is not
// excluded, or that of a session that an earlier run could not settle.
func (m *member) hidden() bool {
	if m.settled != Excluded {
		return false
	}
	if m.row == nil {
		return m.needsEnd && !m.read
	}
	return m.session.Live() && m.barred == session.No && m.session.RecordID != "" && m.row.RecordID != m.session.RecordID
}

// mayMatch: it matches or may match, and is not excluded.
func (m *member) mayMatch() bool { return m.settled != notMatching && m.settled != Excluded }

// notEnded: it matches or may match, and is not known to have ended.
func (m *member) notEnded() bool { return m.mayMatch() && !m.settled.Ended() }

// outcome is the outcome if the run ended now.
func (m *member) outcome() Outcome {
	switch {
	case m.settled != "":
		return m.settled
	case m.needsEnd && !m.read:
		return Unknown
	case m.session.ID == "":
		return NotAttempted
	case m.verdict != session.Yes:
		return Unknown
	case m.checkErr != nil || !m.read && m.sent > 0:
		return m.whenUnread()
	default:
		return m.whenLive()
	}
}

// reading is the collector for a roster. Until the list is complete it changes only the
// rows of its members.
type reading struct {
	*roster
	asked time.Time
	// found are the sessions that are not in the roster yet.
	found *roster
	// protected are the IDs of sessions with a live row that is excluded and does not
	// match. Another row of the session may match.
	protected map[string]bool
	// records become the matching of the roster; news is whether one of them is new.
	records map[string]struct{}
	news    bool
}

func (r *roster) newReading(asked time.Time) *reading {
	return &reading{roster: r, asked: asked, found: newRoster(r.selector, false)}
}

func (r *reading) restart() {
	for _, m := range r.members {
		m.row, m.barred = nil, session.No
	}
	r.found, r.protected, r.records, r.news = newRoster(r.selector, false), nil, nil, false
}

// take notes what the list shows of a member, and live sessions that match or may
// match. Of several records of a session a live one counts; of several live ones an
// excluded one, otherwise the one that shows enough to decide.
func (r *reading) take(s session.Session) {
	m := r.find(s)
	switch {
	case m != nil:
		r.record(s, !m.excluded || r.selector.Select(s, r.asked) != session.No)
		if s.Live() {
			r.bar(m, s)
		} else if m.row != nil {
			return // a live record counts, and of ended ones the first
		}
		row := s
		m.row = r.choose(m.row, &row)
	case s.Live():
		r.takeNew(s)
	default:
		r.record(s, r.matching != nil && r.selector.Select(s, s.EndedAt) != session.No)
	}
}

// takeNew takes a live record of a session that is not in the roster.
func (r *reading) takeNew(s session.Session) {
	judged := r.selector.Judge(s, r.asked)
	r.record(s, judged.Verdict() != session.No)
	if judged.Match == session.No {
		if s.ID != "" && r.selector.Protects(s, r.asked) {
			if r.protected == nil {
				r.protected = map[string]bool{}
			}
			r.protected[s.ID] = true
		}
		return
	}
	row := s
	m := r.found.find(s)
	if m == nil {
		m = &member{session: &row, read: true}
		r.found.add(m)
	}
	m.session = r.choose(m.session, &row)
	r.bar(m, s)
}

// bar notes a live row that exclude certainly matches. The session must not be
// terminated, whatever another row shows. If that row does not match, another one of
// the session does.
func (r *reading) bar(m *member, s session.Session) {
	switch judged := r.selector.Judge(s, r.asked); {
	case judged.Exclude == session.Yes:
		m.barred = max(m.barred, judged.Match)
	case judged.Match == session.No && r.selector.Protects(s, r.asked):
		m.barred = session.Yes
	}
}

// choose merges two records of one session. Of two live ones it takes the one that
// shows enough to decide.
func (r *reading) choose(known, row *session.Session) *session.Session {
	bothLive := known != nil && known.Live() && row.Live()
	if bothLive && r.selector.Select(*row, r.asked) > r.selector.Select(*known, r.asked) {
		return row
	}
	return merge(known, row)
}

// record notes a record that matches or may match, also an ended one: the session may
// have started and ended between two lists.
func (r *reading) record(s session.Session, matches bool) {
	if r.matching == nil || !matches {
		return
	}
	name := "session " + s.ID
	if s.RecordID != "" {
		name = "record " + s.RecordID
	}
	if r.records == nil {
		r.records = make(map[string]struct{}, len(r.matching))
	}
	if _, known := r.matching[name]; !known {
		r.news = true
	}
	r.records[name] = struct{}{}
}

// complete adds what a complete list shows. known are the members that the roster had
// before, whose rows the drain must read, and found the new ones.
func (r *roster) complete(list *reading) (known, found []*member) {
	now := time.Now()
	known = r.members
	for _, m := range list.found.members {
		if list.protected[m.session.ID] {
			m.barred = session.Yes
		}
		r.judge(m, list.asked)
		m.lastLive = liveCheck{m.session.RecordID, list.asked}
		if m.excluded {
			m.settled = Excluded
		}
		r.add(m)
	}
	if r.listedAt.IsZero() || count(list.found.members, (*member).pending) > 0 || list.news {
		r.changedAt = now
	}
	if r.matching != nil {
		r.matching = list.records
		if r.matching == nil {
			r.matching = map[string]struct{}{}
		}
	}
	r.listedAt, r.closed = list.asked, true
	return known, list.found.members
}
