package termination

import (
	"maps"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// maxRecords bounds the record ids that a Look remembers. Only live sessions
// are remembered, of which an installation has thousands at most.
const maxRecords = 50_000

// memory is what the lists that were read for single sessions have shown of
// others.
type memory struct {
	// records maps the ids of live sessions to their record ids. A pair never
	// changes, so it may be used at any later time; whether the session still lives
	// must be asked again. Only the reading goroutine writes it, so that one reads it
	// without the lock.
	records map[string]string
	// ends are sessions of records that a whole list has since shown ended.
	ends map[string]session.Session
}

// lesson is what a read for single sessions shows of others.
type lesson struct {
	records map[string]string
	// ends and live are of sessions whose records were known before.
	ends map[string]session.Session
	live map[string]bool
}

func newLesson() *lesson {
	return &lesson{records: map[string]string{}, ends: map[string]session.Session{}, live: map[string]bool{}}
}

// learn takes in a row.
func (m *memory) learn(from *lesson, s session.Session) {
	if s.ID == "" {
		return
	}
	_, known := m.records[s.ID]
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

// keep keeps what a read has shown. Of several rows for an id a live one
// counts, so that only a whole list can tell of an end.
func (m *memory) keep(learned *lesson, whole bool) {
	if m.records == nil || len(m.records)+len(learned.records) > maxRecords {
		m.records, m.ends = map[string]string{}, map[string]session.Session{}
	}
	maps.Copy(m.records, learned.records)
	if !whole {
		return
	}
	for id, s := range learned.ends {
		if !learned.live[id] {
			m.ends[id] = s
		}
	}
}
