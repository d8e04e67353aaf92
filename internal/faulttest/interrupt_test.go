package faulttest

import (
	"context"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// interruptible is a moment at which a person presses Ctrl-C.
type interruptible struct {
	name     string
	behavior simulator.Behavior
	fault    simulator.Fault
	run      runner
	want     cell
}

func drainWith(change func(*termination.DrainRequest)) runner {
	return func(ctx context.Context, t *testing.T, w *world) account {
		t.Helper()
		request := termination.DrainRequest{
			Selector:      mustSelect(t, session.Match{Users: []string{"alice"}}, session.Match{Credentials: []string{"breakglass"}}),
			LeaveExcluded: true,
			PollInterval:  poll,
		}
		change(&request)
		return w.drain(ctx, request)
	}
}

func stall(op simulator.Op, k simulator.Kind, after int) simulator.Fault {
	return simulator.Fault{Op: op, Kind: k, After: after}
}

var interruptibles = []interruptible{
	{
		name: "terminate, waiting for a token", fault: stall(simulator.OpToken, simulator.Slow, 0), run: terminateA,
		want: cell{"not_attempted: interrupted", "", "token"},
	},
	{
		name: "terminate, waiting for the response to a drop that was acted on", fault: stall(simulator.OpDrop, simulator.Slow, 0), run: terminateA,
		want: cell{"unknown: interrupted", "A", "token drop:A"},
	},
	{
		name: "terminate, waiting for the response to a drop that was not", fault: stall(simulator.OpDrop, simulator.SlowBefore, 0), run: terminateA,
		want: cell{"unknown: interrupted", "", "token drop:A"},
	},
	{
		name: "terminate, waiting to repeat a drop that was turned away", run: terminateA,
		fault: simulator.Fault{Op: simulator.OpDrop, Kind: simulator.TooMany429, Header: retryAfter(simulator.TooMany429, "60").Header},
		want:  cell{"not_attempted: interrupted", "", "token drop:A"},
	},
	{
		name: "terminate, waiting to repeat a drop that was refused", behavior: simulator.Behavior{Refuse: true}, run: terminateA,
		want: cell{"refused: interrupted", "", "token drop:A list drop:A get:A"},
	},
	{
		name: "terminate, waiting for the list", fault: stall(simulator.OpList, simulator.Slow, 0), run: terminateA,
		want: cell{"unknown: interrupted", "A", "token drop:A list"},
	},
	{
		name: "terminate, waiting for one session", fault: stall(simulator.OpGet, simulator.Slow, 0), run: terminateAByRecord,
		want: cell{"unknown: interrupted", "A", "token drop:A get:A"},
	},
	{
		name: "terminate, waiting for the end", behavior: simulator.Behavior{Zombie: true}, run: terminateA,
		want: cell{"still_live: interrupted", "", "token drop:A list drop:A get:A"},
	},
	{
		name: "drain, waiting for the first list", fault: stall(simulator.OpList, simulator.Slow, 0), run: drainAB,
		want: cell{"not_attempted: interrupted", "", "token list"},
	},
	{
		name: "drain, waiting for the list to be readable again", fault: stall(simulator.OpList, simulator.HTML502, 1), run: drainAB,
		want: cell{"unknown: interrupted; A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list+"},
	},
	{
		name: "drain, in the grace period", run: drainWith(func(r *termination.DrainRequest) { r.Grace = time.Minute }),
		want: cell{"still_live: interrupted; A not_attempted; B not_attempted", "", "token list get:A get:B"},
	},
	{
		name: "drain, waiting for the response to a drop that was acted on", fault: stall(simulator.OpDrop, simulator.Slow, 0), run: drainAB,
		want: cell{"still_live: interrupted; A unknown; B not_attempted", "A", "token list drop:A"},
	},
	{
		name: "drain, waiting for the response to a drop that was not", fault: stall(simulator.OpDrop, simulator.SlowBefore, 0), run: drainAB,
		want: cell{"still_live: interrupted; A unknown; B not_attempted", "", "token list drop:A"},
	},
	{
		name: "drain, waiting for the list after the drops", fault: stall(simulator.OpList, simulator.Slow, 1), run: drainAB,
		want: cell{"unknown: interrupted; A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
	},
	{
		name: "drain, waiting for one session after the drops", fault: stall(simulator.OpGet, simulator.Slow, 0), run: drainAB,
		want: cell{"unknown: interrupted; A unknown; B unknown", "A B", "token list drop:A drop:B get:A"},
	},
	{
		name: "drain, waiting for the ends", behavior: simulator.Behavior{Zombie: true}, run: drainAB,
		want: cell{"still_live: interrupted; A still_live; B still_live", "", "token list drop:A drop:B get:A get:B drop:A drop:B get:A get:B"},
	},
	{
		name: "drain, in the quiet period", run: drainWith(func(r *termination.DrainRequest) { r.Quiet = time.Minute }),
		want: cell{"unknown: interrupted; A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list+"},
	},
}

// An interrupt ends every wait at once, says what is true, and nothing goes on
// behind it.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	// pause falls on no poll and before the end of an attempt; bearable is what a
	// person at a keyboard is ready to wait.
	const (
		pause    = 3*time.Second + 500*time.Millisecond
		bearable = 2 * time.Second
	)
	for _, moment := range interruptibles {
		t.Run(moment.name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, settings{retries: retries, concurrency: 1}, func(w *world) {
				t := w.t
				w.populate(moment.behavior)
				if moment.fault.Kind != "" {
					w.sim.Inject(moment.fault)
				}
				ctx, interrupt := context.WithCancel(t.Context())
				defer interrupt()
				var at time.Time
				time.AfterFunc(pause, func() {
					at = time.Now()
					interrupt()
				})
				a := moment.run(ctx, t, w)
				if at.IsZero() {
					t.Fatalf("it was over before the interrupt: %s", a.says)
				}
				if took := time.Since(at); took > bearable {
					t.Errorf("it went on for %s", took)
				}
				asked := w.requests()
				if a.says != moment.want.says {
					t.Errorf("it says\n\t%s\nwant\n\t%s", a.says, moment.want.says)
				}
				if got := w.endedNames(); got != moment.want.ended {
					t.Errorf("%q ended in truth, want %q", got, moment.want.ended)
				}
				if !moment.want.asked(asked) {
					t.Errorf("it asks\n\t%s\nwant\n\t%s", asked, moment.want.asks)
				}
				w.checkPromise(t, a, use{name: moment.name}.named(w))

				time.Sleep(time.Hour)
				if moment.fault.Op != simulator.OpToken && w.requests() != asked {
					// The token is for others too, who may be waiting for it.
					t.Errorf("it went on behind: %s", w.requests())
				}
			})
			publish("interrupts, cells", 1)
		})
	}
}
