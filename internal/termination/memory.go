package termination

import (
	"cmp"
	"hash/maphash"
	"maps"
	"slices"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// maxRemembered is how many live sessions, and how many ends, a memory keeps.
const maxRemembered = 50_000

// memory is what lists have shown of single sessions since the first question about
// one. It holds only sessions of which a complete list showed one record: of several
// records a live one counts, and another list may show it.
type memory struct {
	// wanted: a question about a single session was asked.
	wanted bool
	// records are the record IDs of the sessions that the last complete list showed
	// live, by session ID; "" stands for several records. listedAt is when that list
	// began.
	records  map[string]string
	listedAt time.Time
	// ends are the sessions that a list has shown ended and no later list has shown
	// live, by session ID. An end is final, so it stays valid when the list is old.
	ends map[string]end
}

// end is a session that has ended.
type end struct {
	session session.Session
	// readAt is when the list that showed it began.
	readAt time.Time
}

// keep stores what a list has shown. A list that broke off may end before a live
// record, so it shows no end; the sessions that it showed live are live.
func (m *memory) keep(l *listNotes, complete bool) {
	if l.full {
		clear(m.ends)
	}
	for id, record := range l.live {
		delete(m.ends, id)
		if record != m.records[id] {
			delete(m.records, id)
		}
	}
	if !complete {
		return
	}
	m.records, m.listedAt = l.live, l.readAt
	if m.ends == nil {
		m.ends = map[string]end{}
	}
	maps.Copy(m.ends, l.ends)
	forgetOldest(m.ends)
}

// forgetOldest keeps maxRemembered ends: those that were shown last, and of those that
// one list showed the latest ends.
func forgetOldest(ends map[string]end) {
	if len(ends) <= maxRemembered {
		return
	}
	type age struct {
		readAt, endedAt int64
		id              string
	}
	ages := make([]age, 0, len(ends))
	for id, e := range ends {
		ages = append(ages, age{e.readAt.UnixMicro(), e.session.EndedAt.Unix(), id})
	}
	slices.SortFunc(ages, func(a, b age) int {
		return cmp.Or(cmp.Compare(a.readAt, b.readAt), cmp.Compare(a.endedAt, b.endedAt))
	})
	for _, a := range ages[:len(ages)-maxRemembered] {
		delete(ends, a.id)
	}
}

// listNotes is what one list shows of single sessions while it is read.
type listNotes struct {
	readAt time.Time
	shown  idFilter
	// live and ends are as in memory.
	live map[string]string
	ends map[string]end
	// full: more sessions are live than are kept.
	full bool
}

func newListNotes(readAt time.Time) *listNotes {
	return &listNotes{readAt: readAt, shown: newIDFilter(), live: map[string]string{}, ends: map[string]end{}}
}

func (l *listNotes) take(s session.Session) {
	if s.ID == "" {
		return
	}
	record, again := s.RecordID, l.shown.add(s.ID)
	if again {
		delete(l.ends, s.ID)
		record = ""
	}
	_, alive := l.live[s.ID]
	switch {
	case s.Live() && !alive && len(l.live) == maxRemembered:
		l.full = true
	case s.Live() || alive:
		l.live[s.ID] = record
	case !again:
		l.ends[s.ID] = end{s, l.readAt}
		if len(l.ends) == 2*maxRemembered {
			forgetOldest(l.ends)
		}
	}
}

// filterBits is a power of two: with a million IDs, one in 400 new IDs is taken for a
// known one.
const filterBits = 1 << 24

// idFilter reports whether an ID was added before, in constant memory: a Bloom filter.
// It may call a new ID known, but never a known ID new.
type idFilter struct {
	words []uint64
	seed  maphash.Seed
}

func newIDFilter() idFilter {
	return idFilter{words: make([]uint64, filterBits/64), seed: maphash.MakeSeed()}
}

// add reports whether id may have been added before.
func (f *idFilter) add(id string) bool {
	hash, known := maphash.String(f.seed, id), true
	step := hash>>32 | 1
	for range 4 {
		word, bit := &f.words[hash%filterBits/64], uint64(1)<<(hash%64)
		known = known && *word&bit != 0
		*word |= bit
		hash += step
	}
	return known
}
