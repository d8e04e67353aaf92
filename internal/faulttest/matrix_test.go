package faulttest

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// use is one way to come upon a fault of one operation.
type use struct {
	name string
	op   simulator.Op
	// after lets so many requests of the operation pass first.
	after int
	// times is how often the fault strikes, 0 for always.
	times int
	// dial is the first connection that the network refuses, where each request
	// has its own.
	dial int
	// lag is how long a session lives on after its drop.
	lag time.Duration
	run runner
}

type runner func(context.Context, *testing.T, *world) account

// uses are in the order of the cells of each verdict.
var uses = []use{
	{name: "token, terminate, once", op: simulator.OpToken, times: 1, dial: 0, run: terminateA},
	{name: "token, terminate, always", op: simulator.OpToken, dial: 0, run: terminateA},
	{name: "token, drain, once", op: simulator.OpToken, times: 1, dial: 0, run: drainAB},
	{name: "token, drain, always", op: simulator.OpToken, dial: 0, run: drainAB},

	{name: "list, terminate, once", op: simulator.OpList, times: 1, dial: 2, run: terminateA},
	{name: "list, terminate, always", op: simulator.OpList, dial: 2, run: terminateA},
	{name: "list, drain, once before the drops", op: simulator.OpList, times: 1, dial: 1, run: drainAB},
	{name: "list, drain, always", op: simulator.OpList, dial: 1, run: drainAB},
	{name: "list, drain, once after the drops", op: simulator.OpList, after: 1, times: 1, dial: 6, run: drainAB},
	{name: "list, drain, always after the drops", op: simulator.OpList, after: 1, dial: 6, run: drainAB},

	{name: "get, terminate, once", op: simulator.OpGet, times: 1, dial: 2, run: terminateAByRecord},
	{name: "get, terminate, always", op: simulator.OpGet, dial: 2, run: terminateAByRecord},
	{name: "get, drain, once", op: simulator.OpGet, times: 1, dial: 4, lag: 3 * time.Second, run: drainAB},
	{name: "get, drain, always", op: simulator.OpGet, dial: 4, lag: 3 * time.Second, run: drainAB},

	{name: "drop, terminate, once", op: simulator.OpDrop, times: 1, dial: 1, run: terminateA},
	{name: "drop, terminate, always", op: simulator.OpDrop, dial: 1, run: terminateA},
	{name: "drop, drain, once", op: simulator.OpDrop, times: 1, dial: 2, run: drainAB},
	{name: "drop, drain, always", op: simulator.OpDrop, dial: 2, run: drainAB},
}

func terminateA(ctx context.Context, _ *testing.T, w *world) account {
	return w.terminate(ctx, termination.Request{SessionID: w.id("A"), Confirm: true, PollInterval: poll})
}

func terminateAByRecord(ctx context.Context, _ *testing.T, w *world) account {
	record := strconv.FormatInt(w.added["A"].RecordID, 10)
	return w.terminate(ctx, termination.Request{SessionID: w.id("A"), RecordID: record, Confirm: true, PollInterval: poll})
}

func drainAB(ctx context.Context, t *testing.T, w *world) account {
	t.Helper()
	return w.drain(ctx, termination.DrainRequest{
		Selector:      mustSelect(t, session.Match{Users: []string{"alice"}}, session.Match{Credentials: []string{"breakglass"}}),
		LeaveExcluded: true,
		PollInterval:  poll,
	})
}

// populate fills senhasegura: A and B are alice's, and the others are to be left
// alone.
func (w *world) populate(b simulator.Behavior) {
	start := w.now().Add(-time.Hour)
	w.add("A", simulator.Session{User: "alice", Credential: "root", Device: "10.0.0.1:22", Start: start, Behavior: b})
	w.add("gone", simulator.Session{User: "alice", Credential: "root", Device: "10.0.0.1:22", Start: start, End: start.Add(time.Minute)})
	w.add("bob", simulator.Session{User: "bob", Credential: "root", Device: "10.0.0.1:22", Start: start, Behavior: b})
	w.add("protected", simulator.Session{User: "alice", Credential: "breakglass", Device: "10.0.0.1:22", Start: start, Behavior: b})
	w.add("B", simulator.Session{User: "alice", Credential: "root", Device: "10.0.0.2:22", Start: start, Behavior: b})
}

// named are the sessions that a use may drop: what it was told of, and sessions
// that started later with the same user and credential.
func (u use) named(w *world) func(simulator.Session) bool {
	if strings.Contains(u.name, "terminate") {
		return func(s simulator.Session) bool { return s.SessionID == w.id("A") }
	}
	return func(s simulator.Session) bool { return s.User == "alice" && s.Credential == "root" }
}

func (u use) inject(w *world, f simulator.Fault) {
	if f.Kind == refused {
		w.server.SetKeepAlivesEnabled(false)
		w.network.refuseFrom(u.dial, u.times)
		return
	}
	f.Op, f.After, f.Times = u.op, u.after, u.times
	w.sim.Inject(f)
}

func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	var cells atomic.Int64
	t.Cleanup(func() { publish("fault matrix, cells", cells.Load()) })
	for _, r := range matrix {
		counts := map[simulator.Op]int{}
		for _, u := range uses {
			expected := r.verdictOf(u.op).cells
			nth := counts[u.op]
			counts[u.op]++
			t.Run(r.name+"/"+u.name, func(t *testing.T) {
				t.Parallel()
				if nth >= len(expected) {
					t.Fatal("nothing is expected of this cell")
				}
				inWorld(t, settings{retries: retries, concurrency: 1}, func(w *world) {
					t := w.t
					w.populate(simulator.Behavior{EndDelay: u.lag})
					u.inject(w, r.fault)
					w.checkCell(t, u, expected[nth])
				})
				cells.Add(1)
			})
		}
		for op, n := range counts {
			if len(r.verdictOf(op).cells) != n {
				t.Errorf("%s: %d cells of %s are expected, and %d can be run", r.name, len(r.verdictOf(op).cells), op, n)
			}
		}
	}
}

// checkCell runs a use and compares what it says, what is true and what was
// asked with what is expected, and with the promise.
func (w *world) checkCell(t *testing.T, u use, want cell) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	began := time.Now()
	a := u.run(ctx, t, w)
	if took := time.Since(began); took > patience {
		t.Errorf("it took %s, longer than the %s allowed", took, patience)
	}
	got := cell{says: a.says, ended: w.endedNames(), asks: w.requests()}
	if got.says != want.says || got.ended != want.ended || !want.asked(got.asks) {
		got.asks = folded(got.asks)
		t.Errorf("got\n\t%s\nwant\n\t%s", got, want)
	}
	w.checkPromise(t, a, u.named(w))
}

// endedNames names the sessions that were live at first and have ended.
func (w *world) endedNames() string {
	var names []string
	for _, s := range w.sim.Sessions() {
		if name := w.nameOf(s.SessionID); s.State == simulator.StateEnded && name != "gone" {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// asked reports whether the requests are those that are expected.
func (c cell) asked(requests string) bool {
	var pattern strings.Builder
	for word := range strings.FieldsSeq(c.asks) {
		word, opens := strings.CutPrefix(word, "(")
		word, times, counted := strings.Cut(word, "×")
		word, repeated := strings.CutSuffix(word, "+")
		word, closes := strings.CutSuffix(word, ")")
		if opens {
			pattern.WriteString("(?:")
		}
		pattern.WriteString("(?:" + regexp.QuoteMeta(word) + " )")
		if closes {
			pattern.WriteString(")")
		}
		switch {
		case counted:
			pattern.WriteString("{" + times + "}")
		case repeated:
			pattern.WriteString("{2,}")
		}
	}
	line := requests
	if line != "" {
		line += " "
	}
	return regexp.MustCompile("^" + pattern.String() + "$").MatchString(line)
}

// folded writes requests as a cell does: "×60" behind one, or behind a group of up to
// four in parentheses, that is made sixty times in a row.
func folded(requests string) string {
	words := strings.Fields(requests)
	var line []string
	for len(words) > 0 {
		size, times := 1, 1
		for n := 1; n <= 4 && times == 1; n++ {
			if times = repeats(words, n); times > 1 {
				size = n
			}
		}
		run := strings.Join(words[:size], " ")
		if size > 1 {
			run = "(" + run + ")"
		}
		if times > 1 {
			run += "×" + strconv.Itoa(times)
		}
		line = append(line, run)
		words = words[size*times:]
	}
	return strings.Join(line, " ")
}

// repeats counts how often the first size words stand in a row.
func repeats(words []string, size int) int {
	times := 1
	for (times+1)*size <= len(words) && slices.Equal(words[:size], words[times*size:(times+1)*size]) {
		times++
	}
	return times
}

func TestFolded(t *testing.T) {
	t.Parallel()
	for requests, want := range map[string]string{
		"":                                     "",
		"token":                                "token",
		"token list drop:A":                    "token list drop:A",
		"token token list":                     "token×2 list",
		"get:A get:B get:A get:B get:A get:B":  "(get:A get:B)×3",
		"token get:A get:A get:B get:A list":   "token get:A×2 get:B get:A list",
		strings.Repeat("get:A ", 60) + "list":  "get:A×60 list",
		strings.Repeat("list get:A get:B ", 9): "(list get:A get:B)×9",
	} {
		got := folded(requests)
		if got != want {
			t.Errorf("folded %q, want %q", got, want)
		}
		// What it writes can stand in a cell.
		if !(cell{asks: got}).asked(strings.TrimSpace(requests)) {
			t.Errorf("%q does not stand for its requests", got)
		}
	}
}

// A credential that senhasegura rejects may be locked if it is sent again, so it is
// sent once in the life of a process, by the first caller alone.
func TestRejectedCredentialIsSentOnce(t *testing.T) {
	t.Parallel()
	for _, kind := range []simulator.Kind{simulator.InvalidClient401, simulator.InactiveAuthorization401} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			inWorld(t, settings{retries: retries, concurrency: 10}, func(w *world) {
				t := w.t
				w.populate(simulator.Behavior{})
				w.sim.Inject(simulator.Fault{Op: simulator.OpToken, Kind: kind})
				var askers sync.WaitGroup
				for range 20 {
					askers.Go(func() { _ = w.client.Drop(t.Context(), w.id("A")) }) // it is the request that counts
				}
				askers.Wait()
				for _, u := range uses[:4] {
					if a := u.run(t.Context(), t, w); !a.failed {
						t.Errorf("%s succeeds: %s", u.name, a.says)
					}
				}
				if got := w.requests(); got != "token" {
					t.Errorf("it asks %s, want one token", got)
				}
			})
		})
	}
}

func TestCellAsked(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		asks, requests string
		want           bool
	}{
		{"", "", true},
		{"", "token", false},
		{"token", "", false},
		{"token×2 drop:A", "token token drop:A", true},
		{"token×2 drop:A", "token drop:A", false},
		{"token×2 drop:A", "token token token drop:A", false},
		{"token list+", "token list list list", true},
		{"token list+", "token list", false},
		{"token list+", "token list list drop:A", false},
		{"token (get:A get:B)+", "token get:A get:B get:A get:B", true},
		{"token (get:A get:B)+", "token get:A get:B", false},
		{"token (get:A get:B)+", "token get:A get:B get:A", false},
		{"list?", "list?", true},
		{"list?", "lis", false},
	} {
		if got := (cell{asks: test.asks}).asked(test.requests); got != test.want {
			t.Errorf("%q matches %q: %t, want %t", test.asks, test.requests, got, test.want)
		}
	}
}

// Every kind of fault that the simulator knows has a row, so that a new one is
// classified on purpose.
func TestFaultMatrixIsComplete(t *testing.T) {
	t.Parallel()
	known := map[simulator.Kind]bool{refused: true}
	for _, kind := range faultKinds(t) {
		known[kind] = true
	}
	names := map[string]bool{}
	classified := map[simulator.Kind]bool{}
	for _, r := range matrix {
		if names[r.name] {
			t.Errorf("two rows are called %q", r.name)
		}
		names[r.name], classified[r.fault.Kind] = true, true
	}
	for kind := range known {
		if !classified[kind] {
			t.Errorf("no row has a fault of kind %q", kind)
		}
	}
	for kind := range classified {
		if !known[kind] {
			t.Errorf("there is no fault of kind %q", kind)
		}
	}
}
