package termination

import (
	"cmp"
	"hash/maphash"
	"maps"
	"slices"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// maxRemembered bounds the live sessions that a look remembers, and the ends.
const maxRemembered = 50_000

// memory is what lists have shown of single sessions, since somebody asked for
// one. What it knows is of sessions of which a complete list showed one record,
// because of several a live one counts, and another list may show that.
type memory struct {
	// wanted: somebody has asked for a single session.
	wanted bool
	// records are the record ids of the sessions that the last complete list showed
	// live, by session id; "" stands for several records.
	// listedAt is when that list began.
	records  map[string]string
	listedAt time.Time
	// ends are the sessions that a list has shown ended and none has shown live
	// since, by session id. Unlike everything else an end is final.
	ends map[string]end
}

// end is a session that has ended.
type end struct {
	session session.Session
	// readAt is when the list began that showed it.
	readAt time.Time
}

// keep takes over what a list has shown. One that broke off may not have come to
// a live record, so it tells of no end; but what it showed live is live.
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

// forgetOldest keeps the ends that were shown last, and of those that one list
// showed the latest.
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

// listNotes is what one list shows, while it is read.
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

// filterBits is a power of two: with a million ids, one in 400 is taken for one
// that was there before.
const filterBits = 1 << 24

// idFilter tells whether an id was added before, in memory that does not grow: a
// Bloom filter. It never says that an id is new that is not.
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
