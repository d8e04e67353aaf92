//go:build unix

package neighbortest

import (
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// weather is what a relay does to what passes through it.
type weather struct {
	// latency is how long a segment is on its way, and jitter how much longer at most.
	latency, jitter time.Duration
	// loss is the share of segments that are lost and sent again, repeat how long that
	// takes. Nothing passes the lost segment, as in TCP.
	loss   float64
	repeat time.Duration
	// cut is the share of segments with which a connection breaks.
	cut float64
}

// relay passes connections on, in the weather of a network that is far away. The
// programs of a test are on one machine, and most machines let no test shape the
// traffic of loopback. Its methods are safe for concurrent use.
type relay struct {
	t       *testing.T
	address string
	weather weather
	target  string

	mu     sync.Mutex
	chance *rand.Rand
	// parted is closed when a partition ends, nil without one.
	parted   chan struct{}
	lines    map[net.Conn]bool
	segments int
	lost     int
	cuts     int
	ended    bool
}

// segment is what was read at once, and when it arrives.
type segment struct {
	bytes []byte
	due   time.Time
	cut   bool
}

func newRelay(t *testing.T, target string, w weather, seed uint64) *relay {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, address: listener.Addr().String(), weather: w, target: target, chance: rand.New(rand.NewPCG(seed, 1)), lines: map[net.Conn]bool{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { r.pass(near) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close() // it has accepted what it could
		r.heal()
		r.end()
		running.Wait()
	})
	return r
}

// part begins a partition: nothing arrives any more, and nothing is told.
func (r *relay) part() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.parted == nil {
		r.parted = make(chan struct{})
	}
}

// heal ends it: what was on its way arrives.
func (r *relay) heal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.parted != nil {
		close(r.parted)
		r.parted = nil
	}
}

// end breaks every connection.
func (r *relay) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	for line := range r.lines {
		_ = line.Close() // it may be closed already
	}
}

func (r *relay) keep(line net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		_ = line.Close() // as in end
		return
	}
	r.lines[line] = true
}

func (r *relay) drop(line net.Conn) {
	_ = line.Close() // as in end
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.lines, line)
}

func (r *relay) pass(near net.Conn) {
	r.keep(near)
	defer r.drop(near)
	r.arrive(segment{due: time.Now().Add(r.weather.latency)})
	far, err := new(net.Dialer).DialContext(r.t.Context(), "tcp", r.target)
	if err != nil {
		reset(near)
		return
	}
	r.keep(far)
	defer r.drop(far)
	var both sync.WaitGroup
	both.Go(func() { r.copy(near, far) })
	both.Go(func() { r.copy(far, near) })
	both.Wait()
}

// copy passes one direction on. Reading goes on while segments are on their way.
func (r *relay) copy(to, from net.Conn) {
	way := make(chan segment, 64)
	go func() {
		defer close(way)
		for {
			buffer := make([]byte, 16<<10)
			n, err := from.Read(buffer)
			if n > 0 {
				way <- r.send(buffer[:n])
			}
			if err != nil {
				return
			}
		}
	}()
	broken := false
	for s := range way {
		if broken {
			continue // until the reader ends
		}
		r.arrive(s)
		if s.cut {
			broken = true
			reset(to)
			reset(from)
			continue
		}
		if _, err := to.Write(s.bytes); err != nil {
			broken = true
			_ = from.Close() // it ends the reader
		}
	}
	if tcp, ok := to.(*net.TCPConn); ok && !broken {
		_ = tcp.CloseWrite() // the other side may have closed
	}
}

// send decides what becomes of a segment.
func (r *relay) send(bytes []byte) segment {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.segments++
	delay := r.weather.latency
	if r.weather.jitter > 0 {
		delay += time.Duration(r.chance.Int64N(int64(r.weather.jitter)))
	}
	if r.chance.Float64() < r.weather.loss {
		r.lost++
		delay += r.weather.repeat
	}
	s := segment{bytes: bytes, due: time.Now().Add(delay), cut: r.chance.Float64() < r.weather.cut}
	if s.cut {
		r.cuts++
	}
	return s
}

// counts tells how many segments there were, and what became of them.
func (r *relay) counts() (segments, lost, cuts int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.segments, r.lost, r.cuts
}

// arrive waits until a segment arrives.
func (r *relay) arrive(s segment) {
	if wait := time.Until(s.due); wait > 0 {
		<-time.After(wait)
	}
	for {
		r.mu.Lock()
		parted := r.parted
		r.mu.Unlock()
		if parted == nil {
			return
		}
		<-parted
	}
}

// reset breaks a connection without a good-bye.
func reset(line net.Conn) {
	if tcp, ok := line.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // else it is closed in order
	}
	_ = line.Close() // it may be closed already
}
