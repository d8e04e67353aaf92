//go:build unix

package neighbortest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// maxRuns is after how many runs every session that can end must have ended.
const maxRuns = 20

// soakSize is how many sessions there are, and soakSeed what chance begins with. `make
// neighbors` sets both; a seed that was printed can be given again.
func soakSize(t *testing.T) int {
	t.Helper()
	return int(acctest.Setting(t, "SOAK_SESSIONS", 150))
}

func soakSeed(t *testing.T) uint64 {
	t.Helper()
	if os.Getenv("SOAK_SEED") == "" && os.Getenv("SOAK_SESSIONS") != "" {
		return rand.Uint64N(1 << 32)
	}
	return acctest.Setting(t, "SOAK_SEED", 1)
}

// crowd is what a soak fills senhasegura with: of ten sessions one is another user's,
// one is excluded and one has ended; of the others some take their time, refuse at
// first, come back, or are listed twice, and three never end.
func (s *scene) crowd(size int) {
	start, immortal := time.Now().Add(-time.Hour), 0
	s.sim.AddMany(size, func(i int) simulator.Session {
		v := simulator.Sample(i)
		v.Start, v.User, v.Credential = start, "alice", "root"
		switch i % 10 {
		case 0:
			v.User = "bob"
		case 1:
			v.Credential = "breakglass"
		case 2:
			v.End = start.Add(time.Minute)
		case 3:
			v.Behavior.EndDelay = time.Duration(1+i%7) * 20 * time.Millisecond
		case 4:
			v.Behavior.RefuseFirst = 1
		case 5:
			v.Behavior.Duplicate = true
		case 6:
			v.Behavior.Reconnects = 1
		case 7:
			if immortal < 3 {
				immortal++
				v.Behavior.Refuse = true
			}
		}
		return v
	})
}

func immortal(v simulator.Session) bool { return v.Behavior.Refuse }

// mortals counts the sessions that are meant, can end, and live.
func (s *scene) mortals() int {
	return len(slices.DeleteFunc(s.sim.Sessions(), func(v simulator.Session) bool {
		return !meant(v) || immortal(v) || v.State == simulator.StateEnded
	}))
}

// disturbance is what happens to a part between the provider and senhasegura.
type disturbance struct {
	name string
	do   func()
}

// disturber carries disturbances out one after the other, each after a number of requests
// that chance chooses, and all of them in an order of chance before one comes again.
type disturber struct {
	mu     sync.Mutex
	chance *rand.Rand
	next   int
	due    chan struct{}
	counts map[string]int
}

// disturb begins to disturb, until the test ends or stop is called.
func disturb(s *scene, seed uint64, every int, all ...disturbance) (d *disturber, stop func()) {
	d = &disturber{chance: rand.New(rand.NewPCG(seed, 2)), due: make(chan struct{}, 1), counts: map[string]int{}}
	d.next = d.after(every)
	done, finish := make(chan struct{}), make(chan struct{})
	s.sim.OnActed(func(simulator.Request) {
		d.mu.Lock()
		d.next--
		now := d.next == 0
		if now {
			d.next = d.after(every)
		}
		d.mu.Unlock()
		if now {
			select { // where the one before the last has not ended yet, the request waits
			case d.due <- struct{}{}:
			case <-finish:
			}
		}
	})
	order := rand.New(rand.NewPCG(seed, 3))
	go func() {
		defer close(done)
		for {
			for _, i := range order.Perm(len(all)) {
				select {
				case <-finish:
					return
				case <-d.due:
					all[i].do()
					d.counts[all[i].name]++
				}
			}
		}
	}()
	stop = sync.OnceFunc(func() {
		close(finish)
		<-done
	})
	s.t.Cleanup(stop)
	return d, stop
}

func (d *disturber) after(every int) int { return every/2 + d.chance.IntN(every) }

// chain is the way of a soak: the provider, Squid, HAProxy, nginx, senhasegura, with TLS
// from the provider to HAProxy and from there to nginx.
type chain struct {
	*scene
	squid, haproxy, nginx *neighbor
}

func newChain(t *testing.T, config simulator.Config) *chain {
	t.Helper()
	for _, program := range []string{"squid", "haproxy", "nginx"} {
		find(t, program)
	}
	s := newScene(t, config)
	outer, inner := newAuthority(t, "outer"), newAuthority(t, "inner")
	c := &chain{scene: s}
	c.nginx = nginx{upstream: s.backend.address, tls: &certificates{own: inner.issue("nginx")}, server: "gzip on;\ngzip_proxied any;\ngzip_types application/json;", location: "proxy_pass_header Date;"}.start(t)
	c.haproxy = haproxy{upstream: c.nginx.address, trusts: inner.pem, tls: &certificates{own: outer.issue("haproxy")}}.start(t)
	c.squid = squid{user: proxyUser, password: proxyPassword}.start(t)
	s.at(c.haproxy, outer.pem).through(c.squid, proxyUser+":"+proxyPassword)
	s.disturbed = true
	return c
}

// tally is what a soak came to.
type tally struct{ runs, failed, requests, drops, lists int }

func (y *tally) take(s *scene, a account) {
	y.runs++
	if a.failed {
		y.failed++
	}
	y.requests += len(s.sim.Journal())
	y.drops += s.sim.Count(simulator.OpDrop)
	y.lists += s.sim.Count(simulator.OpList)
}

// soak drains until every session that can end has ended, and once more in calm. After
// every run, truth and report agree, session by session; at last the report names the
// sessions that cannot end, and no other.
func (s *scene) soak(seed uint64, stop func()) account {
	t := s.t
	began := time.Now()
	var total tally
	for run := 1; s.mortals() > 0; run++ {
		if run > maxRuns {
			t.Fatalf("%d sessions are live after %d runs", s.mortals(), maxRuns)
		}
		a := s.drain(map[string]any{"timeouts": map[string]any{"create": "60s"}})
		s.check(a, meant)
		if !a.failed {
			t.Error("the drain succeeds although some sessions cannot end")
		}
		total.take(s, a)
	}
	stop()
	a := s.drain(map[string]any{"timeouts": map[string]any{"create": "60s"}})
	s.check(a, meant)
	total.take(s, a)
	if want := len(slices.DeleteFunc(s.sim.Sessions(), func(v simulator.Session) bool { return !immortal(v) })); len(a.named) != want {
		t.Errorf("%d sessions are named in the end, want the %d that cannot end:\n%s", len(a.named), want, a.said)
	}
	t.Logf("seed %d: %d sessions, %d runs, %d requests, %d of them terminations and %d lists, in %s",
		seed, len(s.sim.Sessions()), total.runs, total.requests, total.drops, total.lists, time.Since(began).Round(100*time.Millisecond))
	for _, promise := range promises {
		if promise == afterTheirEnds {
			continue // see scene.disturbed
		}
		t.Logf("seed %d: %s: %d", seed, promise, s.broken[promise])
	}
	return a
}

// All three programs in a row, which are reloaded and restarted while the drain runs,
// as senhasegura is.
func TestSoakChain(t *testing.T) {
	t.Parallel()
	c, seed := newChain(t, simulator.Config{}), soakSeed(t)
	t.Logf("seed %d", seed)
	size := soakSize(t)
	c.crowd(size)
	d, stop := disturb(c.scene, seed, max(10, size/60),
		disturbance{"reloads of nginx", c.nginx.reload}, disturbance{"reloads of HAProxy", c.haproxy.reload}, disturbance{"reloads of Squid", c.squid.reload},
		disturbance{"restarts of nginx", c.nginx.restart}, disturbance{"restarts of HAProxy", c.haproxy.restart}, disturbance{"restarts of Squid", c.squid.restart},
		disturbance{"restarts of senhasegura", c.backend.restart},
	)
	c.soak(seed, stop)
	t.Logf("seed %d: %s", seed, fmt.Sprint(d.counts))
	if len(d.counts) < 7 {
		t.Error("not every disturbance came up: nothing is proved")
	}
}

// The network itself: latency, loss, connections that break, and a partition in the
// middle, while senhasegura's clock runs away from that of the machine.
func TestSoakNetwork(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	c, seed := newChain(t, simulator.Config{Now: clock}), soakSeed(t)
	t.Logf("seed %d", seed)
	size := soakSize(t)
	c.crowd(size)
	r := newRelay(t, c.squid.address, weather{
		latency: 2 * time.Millisecond, jitter: 3 * time.Millisecond, loss: 0.02, repeat: 200 * time.Millisecond, cut: 0.005,
	}, seed)
	c.config["proxy_url"] = "http://" + proxyUser + ":" + proxyPassword + "@" + r.address
	c.with("request_timeout", "1s")
	d, stop := disturb(c.scene, seed, size/8,
		disturbance{"partitions that pass unnoticed", func() { r.part(); <-time.After(300 * time.Millisecond); r.heal() }},
		disturbance{"partitions longer than a request", func() { r.part(); <-time.After(1500 * time.Millisecond); r.heal() }},
		disturbance{"clocks moved by an hour", func() { ahead.Add(int64(time.Hour)) }},
	)
	if a := c.soak(seed, stop); !says(a.said, "The clock of this machine is") {
		t.Errorf("the clock goes unreported:\n%s", a.said)
	}
	segments, lost, cuts := r.counts()
	t.Logf("seed %d: %s; %d segments, %d of them lost, %d with a broken connection", seed, fmt.Sprint(d.counts), segments, lost, cuts)
	if len(d.counts) < 3 || lost == 0 {
		t.Error("not every disturbance came up: nothing is proved")
	}
}

// The clock of the machine moves in the middle of a drain. What counts is how far it is
// from senhasegura's, so that is the one that moves here. Nothing is decided by it, and a
// token that it makes expire is replaced.
func TestClockThatMoves(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]time.Duration{"back": 3 * time.Hour, "forward": -3 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ahead atomic.Int64
			s := newScene(t, simulator.Config{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
			s.disturbed = true // the times of the requests are in no order
			s.at(haproxy{upstream: s.backend.address}.start(t), "")
			s.people(40, simulator.Behavior{})
			s.atDrop(10, func() { ahead.Store(int64(step)) })
			a := s.drain(nil)
			s.check(a, meant)
			if a.failed || len(s.live()) > 0 {
				t.Errorf("the drain fails:\n%s", a.said)
			}
			if !says(a.said, "The clock of this machine is") {
				t.Errorf("the clock goes unreported:\n%s", a.said)
			}
		})
	}
}
