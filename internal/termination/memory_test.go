package termination

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// row is a record of a session; ended is how long after the beginning its end is,
// 0 for a live one.
func row(id, record string, ended time.Duration) session.Session {
	s := session.Session{ID: id, RecordID: record}
	if ended > 0 {
		s.EndedAt = began.Add(ended)
	}
	return s
}

// shows gives what a list shows, so many minutes after the beginning.
func shows(minutes int, rows ...session.Session) *listNotes {
	l := newListNotes(began.Add(time.Duration(minutes) * time.Minute))
	for _, s := range rows {
		l.take(s)
	}
	return l
}

func TestMemory(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	type list struct {
		rows     []session.Session
		complete bool
	}
	whole := func(rows ...session.Session) list { return list{rows, true} }
	broken := func(rows ...session.Session) list { return list{rows, false} }
	for _, test := range []struct {
		name    string
		lists   []list
		ends    []string
		records map[string]string
	}{
		{"ended and live", []list{whole(row("a", "1", hour), row("b", "2", 0))}, []string{"a"}, map[string]string{"b": "2"}},
		{"rows without an id", []list{whole(row("", "1", hour), row("", "2", 0))}, nil, nil},
		{"a list that broke off", []list{broken(row("a", "1", hour), row("b", "2", 0))}, nil, nil},
		{"ended twice", []list{whole(row("a", "1", hour), row("a", "2", hour))}, nil, nil},
		{"ended three times", []list{whole(row("a", "1", hour), row("a", "2", hour), row("a", "3", hour))}, nil, nil},
		{"live twice", []list{whole(row("a", "1", 0), row("a", "2", 0))}, nil, nil},
		{"live, then ended", []list{whole(row("a", "1", 0), row("a", "2", hour))}, nil, nil},
		{"ended, then live", []list{whole(row("a", "1", hour), row("a", "2", 0))}, nil, nil},
		{"live without a record id", []list{whole(row("a", "", 0))}, nil, nil},

		{"ends later", []list{whole(row("a", "1", 0)), whole(row("a", "1", hour))}, []string{"a"}, nil},
		{"is purged: an end stays", []list{whole(row("a", "1", hour)), whole()}, []string{"a"}, nil},
		{"is hidden: a record id does not stay", []list{whole(row("a", "1", 0)), whole()}, nil, nil},
		{"is live again", []list{whole(row("a", "1", hour)), whole(row("a", "1", 0))}, nil, map[string]string{"a": "1"}},
		{"is live again in a list that breaks off", []list{whole(row("a", "1", hour)), broken(row("a", "1", 0))}, nil, nil},
		{"is live again in another record", []list{whole(row("a", "1", hour)), whole(row("a", "1", hour), row("a", "2", 0))}, nil, nil},
		{"is live in another record too", []list{whole(row("a", "1", 0)), broken(row("a", "1", 0), row("a", "2", 0))}, nil, nil},
		{"is live in a record that no list has shown with it", []list{whole(row("a", "1", 0)), broken(row("a", "2", 0))}, nil, nil},
		{"stays live in a list that breaks off", []list{whole(row("a", "1", 0)), broken(row("a", "1", 0))}, nil, map[string]string{"a": "1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := memory{}
			for minutes, one := range test.lists {
				m.keep(shows(minutes, one.rows...), one.complete)
			}
			if got := slices.Sorted(maps.Keys(m.ends)); !slices.Equal(got, test.ends) {
				t.Errorf("ends of %q, want %q", got, test.ends)
			}
			for id, e := range m.ends {
				if e.session.Live() || e.session.ID != id {
					t.Errorf("%s is remembered as ended by %+v", id, e.session)
				}
			}
			maps.DeleteFunc(m.records, func(_, record string) bool { return record == "" })
			if !maps.Equal(m.records, test.records) {
				t.Errorf("records %v, want %v", m.records, test.records)
			}
		})
	}
}

// Of more ends than are kept, those of older lists go first, and of one list those
// that are longer ago, in whatever order it shows them.
func TestMemoryForgetsTheOldest(t *testing.T) {
	t.Parallel()
	const surplus = maxRemembered + 10
	rows := make([]session.Session, 0, maxRemembered+surplus)
	for n := range cap(rows) {
		rows = append(rows, row(fmt.Sprint("id-", n), "", time.Duration(n+1)*time.Second))
	}
	backwards := slices.Clone(rows)
	slices.Reverse(backwards)
	for name, order := range map[string][]session.Session{"oldest first": rows, "newest first": backwards} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := memory{}
			m.keep(shows(0, row("earlier", "", 1000*time.Hour)), true)
			m.keep(shows(1, order...), true)
			if len(m.ends) != maxRemembered {
				t.Fatalf("%d ends are kept, want %d", len(m.ends), maxRemembered)
			}
			// The filter for second records may forget a few of the newest, at random, and
			// older ones take their places.
			older := 0
			for id, e := range m.ends {
				if id == "earlier" {
					t.Fatal("an end of an older list is kept")
				}
				if e.session.EndedAt.Before(rows[surplus].EndedAt) {
					older++
				}
			}
			if older > maxRemembered/1000 {
				t.Errorf("%d of the ends that are kept are not among the newest", older)
			}
			m.keep(shows(2, row("later", "", time.Nanosecond)), true)
			if _, kept := m.ends["later"]; !kept || len(m.ends) != maxRemembered {
				t.Errorf("%d ends are kept, with the last one %t", len(m.ends), kept)
			}
		})
	}
}

// A second record is noticed however far behind the first one it stands.
func TestMemoryFindsFarDuplicates(t *testing.T) {
	t.Parallel()
	l := shows(0, row("ended", "1", time.Second), row("live", "2", time.Second))
	for n := range 2 * maxRemembered {
		l.take(row(fmt.Sprint("id-", n), "", time.Hour))
	}
	l.take(row("ended", "3", 2*time.Hour))
	l.take(row("live", "4", 0))
	m := memory{}
	m.keep(l, true)
	for _, id := range []string{"ended", "live"} {
		if _, kept := m.ends[id]; kept || m.records[id] != "" {
			t.Errorf("%s is remembered: ended %t, record %q", id, kept, m.records[id])
		}
	}
}

// Where more sessions are live than are kept, any of those with a remembered end
// may be live.
func TestMemoryOfTooManyLive(t *testing.T) {
	t.Parallel()
	m := memory{}
	m.keep(shows(0, row("a", "1", time.Hour)), true)
	l := newListNotes(began.Add(time.Minute))
	for n := range maxRemembered {
		l.take(row(fmt.Sprint("id-", n), "1", 0))
	}
	l.take(row("id-0", "2", 0))
	if l.full {
		t.Fatal("a second record of a live session counts as another one")
	}
	l.take(row("a", "1", 0))
	l.take(row("a", "2", time.Hour))
	m.keep(l, true)
	if len(m.ends) != 0 || len(m.records) != maxRemembered {
		t.Errorf("%d ends and %d live sessions are remembered, want 0 and %d", len(m.ends), len(m.records), maxRemembered)
	}
}

// The ends of a long list take memory for a bounded number of sessions, also while the
// list is read.
func TestMemoryOfALongListIsBounded(t *testing.T) {
	t.Parallel()
	l, most := newListNotes(began), 0
	for n := range 5 * maxRemembered {
		l.take(row(fmt.Sprint(n), "1", time.Duration(n+1)))
		most = max(most, len(l.ends))
	}
	if most > 2*maxRemembered {
		t.Errorf("%d ends are kept at a time, want at most %d", most, 2*maxRemembered)
	}
}
