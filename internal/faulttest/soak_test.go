package faulttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

const (
	// faultShare is the share of all requests that a random fault strikes.
	faultShare = 0.2
	// soakRetries and soakConcurrency are the defaults of the provider.
	soakRetries     = 4
	soakConcurrency = 10
	// soakLimit is the default of `timeouts` of a drain.
	soakLimit = time.Hour
	// maxRuns is after how many runs every session that can end must have ended.
	maxRuns = 20
)

// soakSize is how many sessions there are, and soakSeeds what chance begins
// with. `make soak` sets both; a seed that it printed can be given again.
func soakSize(t *testing.T) int {
	t.Helper()
	return int(acctest.Setting(t, "SOAK_SESSIONS", 300))
}

func soakSeeds(t *testing.T) []uint64 {
	t.Helper()
	switch {
	case os.Getenv("SOAK_SEED") != "":
		return []uint64{acctest.Setting(t, "SOAK_SEED", 0)}
	case os.Getenv("SOAK_SESSIONS") != "":
		return []uint64{rand.Uint64N(1 << 32)}
	}
	return []uint64{1, 2, 3}
}

// crowd is what a soak fills senhasegura with: of ten sessions one is another
// user's, one is protected and one has ended; of the others some take their time,
// refuse at first, come back or are listed twice, and a few never end.
func (w *world) crowd(size int) {
	start := w.now().Add(-time.Hour)
	immortal, forgetful := 0, 0
	for i := range size {
		s := simulator.Sample(i)
		s.Start, s.User, s.Credential = start, "alice", "root"
		switch i % 10 {
		case 0:
			s.User = "bob"
		case 1:
			s.Credential = "breakglass"
		case 2:
			s.End = start.Add(time.Minute)
		case 3:
			s.Behavior.EndDelay = time.Duration(1+i%7) * time.Second
		case 4:
			s.Behavior.RefuseFirst = 1
		case 5:
			s.Behavior.Duplicate = true
		case 6:
			s.Behavior.Reconnects, s.Behavior.ReconnectAfter = 1, time.Duration(i%5)*time.Second
		case 7:
			switch {
			case immortal < 3:
				immortal++
				s.Behavior.Zombie = true
			case immortal < 6:
				immortal++
				s.Behavior.Refuse = true
			case forgetful < 3:
				forgetful++
				s.Behavior.IgnoreFirst = 1
			}
		}
		w.add(fmt.Sprintf("session %d", i), s)
	}
}

func meant(s simulator.Session) bool { return s.User == "alice" && s.Credential == "root" }

func immortal(s simulator.Session) bool { return s.Behavior.Zombie || s.Behavior.Refuse }

// mortals gives the sessions that are meant, can end and live.
func (w *world) mortals() []string {
	var left []string
	for _, s := range w.sim.Sessions() {
		if meant(s) && !immortal(s) && s.State != simulator.StateEnded {
			left = append(left, s.SessionID)
		}
	}
	return left
}

// tally is what a soak came to.
type tally struct {
	runs, requests, faults, drops, lists int
}

// take adds the requests of a run and forgets them.
func (y *tally) take(w *world) {
	y.runs++
	for _, r := range w.sim.Journal() {
		y.requests++
		if r.Fault != "" {
			y.faults++
		}
		if isDrop(r) {
			y.drops++
		}
		if r.Op == simulator.OpList {
			y.lists++
		}
	}
	w.forget()
}

func (y *tally) check(t *testing.T, w *world, name string, seed uint64) {
	t.Helper()
	share := float64(y.faults) / float64(max(y.requests, 1))
	if share < faultShare/2 {
		t.Errorf("only %.0f %% of the requests were struck: nothing is proved", share*100)
	}
	sessions := w.sim.Sessions()
	count := func(is func(simulator.Session) bool) int {
		return len(slices.DeleteFunc(slices.Clone(sessions), func(s simulator.Session) bool { return !is(s) }))
	}
	t.Logf("%s, seed %d: %d sessions (%d meant, %d of them immortal), %d runs, %d requests (%.1f %% struck), %d drops, %d lists",
		name, seed, len(sessions), count(meant), count(immortal), y.runs, y.requests, share*100, y.drops, y.lists)
	publish(name+", sessions", int64(len(sessions)))
	publish(name+", requests", int64(y.requests))
	publish(name+", requests struck", int64(y.faults))
	publish(name+", runs", int64(y.runs))
	for _, promise := range promises {
		publish(name+", "+promise, int64(w.broken[promise]))
	}
}

// soak runs test for each seed in a bubble of its own.
func soak(t *testing.T, test func(*world, uint64)) {
	t.Helper()
	size := soakSize(t)
	for _, seed := range soakSeeds(t) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			inWorld(t, settings{retries: soakRetries, concurrency: soakConcurrency}, func(w *world) {
				w.crowd(size)
				test(w, seed)
			})
		})
	}
}

// refusesTokenInWords: a termination request may be repeated after it, and the journal
// does not show why, so that a soak could not tell such a repetition from one too many.
func (r row) refusesTokenInWords() bool {
	return r.fault.Kind == simulator.Status && r.drop.class == "not authenticated"
}

// passing are the faults of the matrix that a retry or a check gets past and that take
// no time, for each operation of which that is true.
func passing() []simulator.Fault {
	past := []string{"transient failure", "transient failure, replayed", "not authenticated", "done", "lost answer"}
	var faults []simulator.Fault
	for _, r := range matrix {
		f := r.fault
		if f.Kind == refused || r.refusesTokenInWords() || f.Kind == simulator.Slow || f.Kind == simulator.SlowBefore || f.Header != nil {
			continue
		}
		for _, f.Op = range []simulator.Op{simulator.OpToken, simulator.OpList, simulator.OpGet, simulator.OpDrop} {
			class := r.verdictOf(f.Op).class
			rejected := f.Op == simulator.OpToken && class == "not authenticated" // the client, for good
			if slices.Contains(past, class) && !rejected {
				faults = append(faults, f)
			}
		}
	}
	return faults
}

func soakDrain(t *testing.T) termination.DrainRequest {
	t.Helper()
	return termination.DrainRequest{
		Selector:      mustSelect(t, session.Match{Users: []string{"alice"}}, session.Match{Credentials: []string{"breakglass"}}),
		LeaveExcluded: true,
		PollInterval:  poll,
	}
}

// The drain is run again until every session that can end has ended. After every
// run, truth and report agree session by session; at last every session that is
// still live is reported.
func TestSoakDrain(t *testing.T) {
	t.Parallel()
	soak(t, func(w *world, seed uint64) {
		t := w.t
		w.sim.Random(seed, faultShare, passing()...)
		var total tally
		for run := 1; len(w.mortals()) > 0; run++ {
			if run > maxRuns {
				t.Fatalf("%d sessions are live after %d runs", len(w.mortals()), maxRuns)
			}
			w.connect()
			ctx, cancel := context.WithTimeout(t.Context(), soakLimit)
			a := w.drain(ctx, soakDrain(t))
			cancel()
			w.checkPromise(t, a, meant)
			if !a.failed {
				t.Error("the drain succeeds although some sessions cannot end")
			}
			total.take(w)
		}
		w.sim.ClearFaults()
		ctx, cancel := context.WithTimeout(t.Context(), soakLimit)
		defer cancel()
		a := w.drain(ctx, soakDrain(t))
		w.checkPromise(t, a, meant)
		if want := len(slices.DeleteFunc(w.sim.Sessions(), func(s simulator.Session) bool { return !immortal(s) })); len(a.named) != want {
			t.Errorf("%d sessions are named in the end, want the %d that cannot end", len(a.named), want)
		}
		total.check(t, w, "soak, drain", seed)
	})
}

// Single terminations, many at a time, are tried again until they succeed.
func TestSoakTerminate(t *testing.T) {
	t.Parallel()
	soak(t, func(w *world, seed uint64) {
		t := w.t
		w.sim.Random(seed, faultShare, passing()...)
		var total tally
		left := w.mortals()
		for run := 1; len(left) > 0; run++ {
			if run > maxRuns {
				t.Fatalf("%d sessions are not terminated after %d runs", len(left), maxRuns)
			}
			w.connect()
			left = w.terminateAll(t, left)
			total.take(w)
		}
		total.check(t, w, "soak, terminate", seed)
	})
}

// terminateAll terminates sessions as Terraform does, ten at a time, and gives
// those whose end was not read.
func (w *world) terminateAll(t *testing.T, ids []string) []string {
	t.Helper()
	var (
		mu       sync.Mutex
		accounts []account
		workers  sync.WaitGroup
		next     atomic.Int64
	)
	for range soakConcurrency {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(ids)); i = next.Add(1) - 1 {
				ctx, cancel := context.WithTimeout(t.Context(), soakLimit)
				a := w.terminate(ctx, termination.Request{SessionID: ids[i], Confirm: true, PollInterval: poll})
				cancel()
				mu.Lock()
				accounts = append(accounts, a)
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	w.manyAsk = true
	defer func() { w.manyAsk = false }()
	var all account
	for _, a := range accounts {
		all.ended, all.named, all.requested = append(all.ended, a.ended...), append(all.named, a.named...), append(all.requested, a.requested...)
	}
	// Only these may be terminated, and each of them is accounted for.
	asked := make(map[string]bool, len(ids))
	for _, id := range ids {
		asked[id] = true
	}
	w.checkPromise(t, all, func(s simulator.Session) bool { return asked[s.SessionID] })
	if len(all.ended)+len(all.named) != len(ids) {
		t.Errorf("%d of %d sessions are accounted for", len(all.ended)+len(all.named), len(ids))
	}
	return all.named
}

// A drain that is interrupted again and again, at any moment, says what is true each
// time, and comes to an end.
func TestSoakInterrupted(t *testing.T) {
	t.Parallel()
	soak(t, func(w *world, seed uint64) {
		t := w.t
		w.sim.Random(seed, faultShare, passing()...)
		moments := rand.New(rand.NewPCG(seed, 0))
		var total tally
		for run := 1; len(w.mortals()) > 0 || run <= maxRuns; run++ {
			if run > 10*maxRuns {
				t.Fatalf("%d sessions are live after %d runs", len(w.mortals()), run-1)
			}
			w.connect()
			ctx, interrupt := context.WithCancel(t.Context())
			// Most of the requests are sent within the first seconds.
			timer := time.AfterFunc(time.Duration(moments.Int64N(int64(5*time.Second))), interrupt)
			a := w.drain(ctx, soakDrain(t))
			timer.Stop()
			interrupt()
			w.checkPromise(t, a, meant)
			if !a.failed {
				t.Error("the drain succeeds although some sessions cannot end")
			}
			total.take(w)
		}
		total.check(t, w, "soak, interrupted drain", seed)
	})
}

// Under faults of every kind, refusals and wrong answers included, no session
// has to end, and every report must be true.
func TestSoakHostile(t *testing.T) {
	t.Parallel()
	var faults []simulator.Fault
	for _, r := range matrix {
		if r.fault.Kind != refused && !r.refusesTokenInWords() {
			faults = append(faults, r.fault)
		}
	}
	soak(t, func(w *world, seed uint64) {
		t := w.t
		w.sim.Random(seed, faultShare, faults...)
		var total tally
		for range maxRuns {
			w.connect()
			ctx, cancel := context.WithTimeout(t.Context(), soakLimit)
			w.checkPromise(t, w.drain(ctx, soakDrain(t)), meant)
			cancel()
			total.take(w)
			some := w.mortals()
			w.terminateAll(t, some[:min(len(some), 5)])
			total.take(w)
		}
		total.check(t, w, "soak, hostile", seed)
	})
}

// drainNone reads all sessions and terminates none.
func drainNone(t *testing.T, w *world) account {
	t.Helper()
	return w.drain(t.Context(), termination.DrainRequest{Selector: mustSelect(t, session.Match{Users: []string{"nobody"}}, session.Match{}), PollInterval: poll})
}

// The promise is checked by a function that can fail: each lie is found out.
func TestCheckPromiseFindsLies(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]struct {
		account account
		drop    string
		times   int
		want    string
	}{
		"a false end":            {account: account{ended: []string{"A"}, named: []string{"B"}}, want: falseEnd},
		"live and unreported":    {account: account{named: []string{"B"}}, want: unreported},
		"of another user":        {account: account{named: []string{"A", "B"}}, drop: "bob", want: notNamed},
		"a protected one":        {account: account{named: []string{"A", "B"}}, drop: "protected", want: notNamed},
		"one that has ended":     {account: account{named: []string{"A", "B"}}, drop: "gone", want: afterTheirEnds},
		"the same too often":     {account: account{named: []string{"A", "B"}}, drop: "A", times: 2 + retries, want: tooOften},
		"a drop that is untold":  {account: account{named: []string{"A", "B"}}, drop: "A", want: untold},
		"a drop that is told of": {account: account{named: []string{"A", "B"}, requested: []string{"A"}}, drop: "A"},
		"the truth, no lie":      {account: account{named: []string{"A", "B"}}},
		"a drop that is named":   {account: account{ended: []string{"A"}, named: []string{"B"}}, drop: "A"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, settings{retries: retries, concurrency: 1}, func(w *world) {
				t := w.t
				w.populate(simulator.Behavior{})
				if a := drainNone(t, w); a.failed {
					t.Fatalf("the read failed: %s", a.says)
				}
				if lie.drop != "" {
					for range max(lie.times, 1) {
						_ = w.client.Drop(t.Context(), w.id(lie.drop)) // refused where it has ended
					}
				}
				for _, ids := range [][]string{lie.account.ended, lie.account.named, lie.account.requested} {
					for i, name := range ids {
						ids[i] = w.id(name)
					}
				}
				found := ""
				for _, b := range w.breaches(lie.account, meant) {
					found += b.promise + " " // each of these lies breaks one promise
				}
				if want := strings.TrimSpace(lie.want); !strings.HasPrefix(strings.TrimSpace(found), want) || want == "" && found != "" {
					t.Errorf("found %q, want %q", found, want)
				}
			})
		})
	}
}
