package simulator

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"time"
)

// listStream writes one list: captured rows, then history. Both are encoded while
// they are written, so that a client has work from the first row on.
type listStream struct {
	shape   shape
	head    []byte
	rows    []listed
	history iter.Seq[Session]
	tail    []byte
}

// listed is what a list shows of a session: the end is that of the moment of the
// list, and nothing else on the wire ever changes.
type listed struct {
	session *Session
	end     time.Time
}

// size returns the length in bytes, or -1 where history makes it unknown.
func (l *listStream) size() int64 {
	if l.history != nil {
		return -1
	}
	size := int64(len(l.head) + len(l.tail) + max(len(l.rows)-1, 0))
	l.eachRow(func(encoded []byte) bool {
		size += int64(len(encoded))
		return true
	})
	return size
}

const listBuffer = 64 << 10

// writeTo writes the list, or its first limit rows without what would follow
// when limit is not negative and there are that many.
func (l *listStream) writeTo(w io.Writer, limit int) error {
	out := bufio.NewWriterSize(w, listBuffer)
	written := 0
	broken := l.eachRow(func(encoded []byte) bool {
		if written == limit {
			return false
		}
		separator := l.head
		if written > 0 {
			separator = []byte{','}
		}
		written++
		_, err := out.Write(separator)
		if err == nil {
			_, err = out.Write(encoded)
		}
		return err == nil // bufio remembers an error until Flush
	})
	if written == 0 {
		_, _ = out.Write(l.head) // as above
	}
	if !broken && written != limit {
		_, _ = out.Write(l.tail) // as above
	}
	return out.Flush()
}

// eachRow passes every encoded row until yield returns false, and reports
// whether it did. A row is valid until the next one.
func (l *listStream) eachRow(yield func([]byte) bool) (broken bool) {
	var encoded []byte
	for _, r := range l.rows {
		encoded = l.shape.appendRow(encoded[:0], r)
		if !yield(encoded) {
			return true
		}
	}
	if l.history == nil {
		return false
	}
	var v Session // one for all rows
	for v = range l.history {
		encoded = l.shape.appendRow(encoded[:0], listed{session: &v, end: v.End})
		if !yield(encoded) {
			return true
		}
	}
	return false
}

// Rows appends sessions to every later list. They are made while the list is
// sent and held nowhere, so that a list can be larger than memory; get one and
// drop do not know them. The sequence is ranged over by concurrent requests.
// Nil removes it.
func (s *Simulator) Rows(rows iter.Seq[Session]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.history = rows
}

// AddMany adds n sessions made by template, which gets 0 to n-1, and returns
// them completed.
func (s *Simulator) AddMany(n int, template func(i int) Session) []Session {
	added := make([]Session, 0, n)
	for i := range n {
		added = append(added, s.Add(template(i)))
	}
	return added
}

// historyRecords is where the record IDs of History begin, far above those that
// Add assigns.
const historyRecords = 1_000_000_000

// historyVariety keeps the making of rows from dominating a benchmark.
const historyVariety = 1000

// Sample returns a live session that differs with i in user, credential, device
// and origin, for tests that need many. Start is left to Add.
func Sample(i int) Session {
	protocols := [...]struct{ protocol, proxy, port string }{
		{"ssh", "Web Proxy", "22"}, {"rdp", "RDP Proxy", "3389"}, {"ssh", "Terminal Proxy", "22"},
	}
	p := protocols[i%len(protocols)]
	return Session{
		User:       fmt.Sprintf("user%04d", i%5000),
		Credential: fmt.Sprintf("cred%03d", i%400),
		Device:     addressOf(10, i) + ":" + p.port,
		Protocol:   p.protocol,
		Proxy:      p.proxy,
		OriginIP:   addressOf(172, i%60000),
	}
}

func addressOf(first byte, i int) string {
	return netip.AddrFrom4([4]byte{first, byte(i >> 16), byte(i >> 8), byte(i)}).String() //nolint:gosec // the low bytes are what is wanted
}

// History yields n ended sessions, each lasting some minutes after start, made
// one at a time. It can be ranged over again, also concurrently. Users, devices
// and the like repeat after historyVariety rows; identifiers do not.
func History(n int, start time.Time) iter.Seq[Session] {
	samples := make([]Session, 0, historyVariety)
	for i := range min(n, historyVariety) {
		samples = append(samples, Sample(i))
	}
	return func(yield func(Session) bool) {
		for i := range n {
			v := samples[i%historyVariety]
			v.RecordID = historyRecords + int64(i)
			v.SessionID = hashOf(v.RecordID)
			v.Start = start.Add(time.Duration(i) * time.Second)
			v.End = v.Start.Add(time.Duration(i%3600) * time.Second)
			v.State = StateEnded
			if !yield(v) {
				return
			}
		}
	}
}
