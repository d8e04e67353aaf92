package simulator

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Request is the record of one request. It holds no secret: of the headers only
// names, besides the user agent, and neither query nor body.
type Request struct {
	// Seq counts from 1 in order of arrival and goes on after ResetJournal.
	Seq int `json:"seq"`
	// Time is the arrival, Done the end; Done is zero while it is served.
	Time time.Time `json:"time"`
	Done time.Time `json:"done,omitzero"`
	Op   Op        `json:"op"`
	// Method and Path are as received; Path keeps its escapes.
	Method string `json:"method"`
	Path   string `json:"path"`
	// Object is the decoded record ID of a get or session id of a drop.
	Object string `json:"object,omitempty"`
	// Acted reports that the operation itself was reached: routed,
	// authenticated and permitted. A drop may still have been refused.
	Acted bool `json:"acted"`
	// Status is what was answered, 0 where nothing was.
	Status int `json:"status"`
	// Fault is the kind that struck, or empty.
	Fault Kind `json:"fault,omitempty"`

	UserAgent string `json:"user_agent"`
	// Referer reports whether the header was present.
	Referer bool `json:"referer"`
	// Headers are the names, canonical and sorted.
	Headers []string `json:"headers"`
}

type journal struct {
	mu      sync.Mutex
	seq     int
	entries []*Request
}

func (j *journal) begin(now time.Time, t target, r *http.Request) *Request {
	entry := &Request{
		Time:      now,
		Op:        t.op,
		Method:    r.Method,
		Path:      r.URL.EscapedPath(),
		Object:    t.object,
		UserAgent: r.UserAgent(),
		Referer:   r.Referer() != "",
		Headers:   slices.Sorted(maps.Keys(r.Header)),
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seq++
	entry.Seq = j.seq
	j.entries = append(j.entries, entry)
	return entry
}

func (j *journal) update(entry *Request, change func(*Request)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(entry)
}

func (j *journal) copyOf(entry *Request) Request {
	j.mu.Lock()
	defer j.mu.Unlock()
	return *entry
}

func (j *journal) finish(entry *Request, now time.Time) Request {
	j.update(entry, func(r *Request) { r.Done = now })
	return j.copyOf(entry)
}

// Journal returns a copy of every request since the start or the last
// ResetJournal, in order of arrival.
func (s *Simulator) Journal() []Request {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	requests := make([]Request, 0, len(s.journal.entries))
	for _, entry := range s.journal.entries {
		requests = append(requests, *entry)
	}
	return requests
}

// Count returns how many requests of the journal are of op.
func (s *Simulator) Count(op Op) int {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	count := 0
	for _, entry := range s.journal.entries {
		if entry.Op == op {
			count++
		}
	}
	return count
}

// ResetJournal forgets the requests so far.
func (s *Simulator) ResetJournal() {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	s.journal.entries = nil
}

type hookList struct {
	mu    sync.RWMutex
	funcs []func(Request)
}

func (h *hookList) add(f func(Request)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.funcs = append(h.funcs, f)
}

func (h *hookList) run(r Request) {
	h.mu.RLock()
	funcs := slices.Clone(h.funcs)
	h.mu.RUnlock()
	for _, f := range funcs {
		f(r)
	}
}

type hooks struct{ arrived, acted, answered hookList }

// OnRequest adds a hook that runs when a request has arrived, before faults and
// before it is acted on. The request waits for the hook.
func (s *Simulator) OnRequest(f func(Request)) { s.hooks.arrived.add(f) }

// OnActed adds a hook that runs after a request was acted on and before any of
// the answer is sent. It does not run for a request that a fault kept from
// being acted on; see Request.Acted for one that was turned away.
func (s *Simulator) OnActed(f func(Request)) { s.hooks.acted.add(f) }

// OnAnswer adds a hook that runs when a request is finished, cut lines included.
func (s *Simulator) OnAnswer(f func(Request)) { s.hooks.answered.add(f) }
