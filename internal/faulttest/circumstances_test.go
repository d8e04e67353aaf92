package faulttest

import (
	"context"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// circumstance is a server or a session that behaves in its own way, without a
// fault of any request.
type circumstance struct {
	name     string
	server   simulator.Config
	behavior simulator.Behavior
	// begin prepares what is to happen in the meantime.
	begin func(*world)
	// zone is that of the provider, and clock what each use warns of, by its name, as
	// world.checkClock has it.
	zone  *time.Location
	clock map[string]string

	terminate, byRecord, drain cell
}

// toAll warns in every use.
func toAll(warning string) map[string]string {
	return map[string]string{"terminate": warning, "terminate by record": warning, "drain": warning}
}

// on makes something happen once, when a request of an operation arrives.
func (w *world) on(op simulator.Op, what func()) {
	done := false
	w.sim.OnRequest(func(r simulator.Request) {
		if r.Op == op && !done {
			done = true
			what()
		}
	})
}

// afterDrop makes something happen once, when a drop was acted on.
func (w *world) afterDrop(what func()) {
	done := false
	w.sim.OnActed(func(r simulator.Request) {
		if isDrop(r) && !done {
			done = true
			what()
		}
	})
}

// twins are further records of sessions, which no drop changes.
func (w *world) twins(state simulator.State, names ...string) iter.Seq[simulator.Session] {
	return func(yield func(simulator.Session) bool) {
		for i, name := range names {
			twin := w.added[name]
			twin.RecordID, twin.State = int64(1000+i), state
			if state == simulator.StateEnded {
				twin.End = twin.Start.Add(time.Minute)
			}
			if !yield(twin) {
				return
			}
		}
	}
}

func (w *world) purge(names ...string) {
	for _, name := range names {
		w.sim.Purge(w.id(name))
	}
}

// anotherAsks makes another use ask about a session without a termination request.
func (w *world) anotherAsks() {
	w.t.Helper()
	w.manyAsk = true
	if _, err := w.terminator.Find(w.t.Context(), w.id("bob")); err != nil {
		w.t.Fatal(err)
	}
}

func skewed(by time.Duration) simulator.Config {
	clock := ticking()
	return simulator.Config{Now: func() time.Time { return clock().Add(by) }}
}

var circumstances = []circumstance{
	{
		name:      "nothing special",
		terminate: cell{"terminated", "A", "token drop:A list"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
	},
	{
		name:      "no session is live",
		begin:     func(w *world) { w.sim.End(w.id("A")); w.sim.End(w.id("B")) },
		terminate: cell{"already_ended", "A B", "token drop:A list"},
		byRecord:  cell{"already_ended", "A B", "token drop:A get:A"},
		drain:     cell{"", "A B", "token list"},
	},
	{
		name:      "the drop takes a while",
		behavior:  simulator.Behavior{EndDelay: 5 * time.Second},
		terminate: cell{"terminated", "A", "token drop:A list drop:A get:A×2 drop:A get:A"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A drop:A get:A×2 drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B drop:A drop:B (get:A get:B)×2 drop:A drop:B get:A get:B list"},
	},
	{
		name:      "the drop is accepted and the session lives on",
		behavior:  simulator.Behavior{Zombie: true},
		terminate: cell{"still_live: out of time", "", "token drop:A list drop:A get:A×2 drop:A get:A+"},
		byRecord:  cell{"still_live: out of time", "", "token drop:A get:A drop:A get:A×2 drop:A get:A+"},
		drain:     cell{"still_live: out of time; A still_live; B still_live", "", "token list drop:A drop:B get:A get:B drop:A drop:B (get:A get:B)×2 drop:A drop:B (get:A get:B)+"},
	},
	{
		name:      "the first drop is accepted and does nothing",
		behavior:  simulator.Behavior{IgnoreFirst: 1},
		terminate: cell{"terminated", "A", "token drop:A list drop:A get:A"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B drop:A drop:B get:A get:B list"},
	},
	{
		name:      "every drop is refused",
		behavior:  simulator.Behavior{Refuse: true},
		terminate: cell{"refused: refusal", "", "token drop:A list drop:A get:A drop:A get:A"},
		byRecord:  cell{"refused: refusal", "", "token drop:A get:A drop:A get:A drop:A get:A"},
		drain:     cell{"still_live; A refused; B refused", "", "token list drop:A drop:B get:A get:B drop:A drop:B get:A get:B drop:A drop:B get:A get:B list"},
	},
	{
		name:      "the first drop is refused",
		behavior:  simulator.Behavior{RefuseFirst: 1},
		terminate: cell{"terminated", "A", "token drop:A list drop:A get:A"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B drop:A drop:B get:A get:B list"},
	},
	{
		name:     "a lost drop is at work, and another is refused in the meantime",
		behavior: simulator.Behavior{EndDelay: 3 * time.Second, RefuseWhileEnding: true},
		begin: func(w *world) {
			w.sim.Inject(simulator.Fault{Op: simulator.OpDrop, Times: 1, Kind: simulator.CutAfter})
		},
		terminate: cell{"terminated", "A", "token drop:A list drop:A get:A drop:A get:A"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A drop:A get:A drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B drop:A drop:B get:A get:B drop:A get:A get:B list"},
	},
	{
		name:      "the session ends on its own before the drop",
		begin:     func(w *world) { w.on(simulator.OpDrop, func() { w.sim.End(w.id("A")) }) },
		terminate: cell{"already_ended", "A", "token drop:A list"},
		byRecord:  cell{"already_ended", "A", "token drop:A get:A"},
		drain:     cell{"A already_ended; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
	},
	{
		name: "the session ends on its own after a drop that was cut off",
		begin: func(w *world) {
			w.sim.Inject(simulator.Fault{Op: simulator.OpDrop, Times: 1, Kind: simulator.CutBefore})
			w.on(simulator.OpDrop, func() { w.sim.End(w.id("A")) })
		},
		terminate: cell{"terminated", "A", "token drop:A list"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
	},
	{
		name:     "the session ends on its own after a drop that was ignored",
		behavior: simulator.Behavior{Zombie: true},
		begin: func(w *world) {
			w.on(simulator.OpGet, func() { w.sim.End(w.id("A")); w.sim.End(w.id("B")) })
		},
		terminate: cell{"terminated", "A B", "token drop:A list drop:A get:A"},
		byRecord:  cell{"terminated", "A B", "token drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
	},
	{
		name:      "the user comes back at once",
		behavior:  simulator.Behavior{Reconnects: 1},
		terminate: cell{"terminated", "A", "token drop:A list"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A"},
		drain:     cell{"A terminated; B terminated; new1 terminated; new2 terminated", "A B new1 new2", "token list drop:A drop:B get:A get:B list drop:new1 drop:new2 get:new1 get:new2 list"},
	},
	{
		name:      "the user comes back later",
		behavior:  simulator.Behavior{Reconnects: 1, ReconnectAfter: time.Minute},
		terminate: cell{"terminated", "A", "token drop:A list"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
	},
	{
		name: "somebody comes during the drops",
		begin: func(w *world) {
			w.on(simulator.OpDrop, func() { w.sim.Add(simulator.Session{User: "alice", Credential: "root", Device: "10.0.0.3:22"}) })
		},
		terminate: cell{"terminated", "A", "token drop:A list"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A"},
		drain:     cell{"A terminated; B terminated; new1 terminated", "A B new1", "token list drop:A drop:B get:A get:B list drop:new1 get:new1 list"},
	},
	{
		name:      "the session is hidden from the authorization",
		behavior:  simulator.Behavior{Hidden: true},
		terminate: cell{"accepted, not confirmed: not found", "A", "token drop:A list"},
		byRecord:  cell{"accepted, not confirmed: not found", "A", "token drop:A get:A list"},
		drain:     cell{"", "", "token list"},
	},
	{
		name:      "the row is listed twice",
		behavior:  simulator.Behavior{Duplicate: true},
		terminate: cell{"terminated", "A", "token drop:A list"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
	},
	{
		// Two rows of one session contradict each other: it counts as live.
		name:      "another row says that the session has ended",
		behavior:  simulator.Behavior{Zombie: true},
		begin:     func(w *world) { w.sim.Rows(w.twins(simulator.StateEnded, "A", "B")) },
		terminate: cell{"still_live: out of time", "", "token drop:A list drop:A list×2 drop:A list+"},
		byRecord:  cell{"still_live: out of time", "", "token drop:A get:A drop:A get:A×2 drop:A get:A+"},
		drain:     cell{"still_live: out of time; A still_live; B still_live", "", "token list drop:A drop:B get:A get:B drop:A drop:B (get:A get:B)×2 drop:A drop:B (get:A get:B)+"},
	},
	{
		// What is asked for by its record id is the word of who gave it.
		name:      "another record of the session stays live",
		begin:     func(w *world) { w.manyAsk = true; w.sim.Rows(w.twins(simulator.StateLive, "A", "B")) },
		terminate: cell{"still_live: out of time", "A", "token drop:A list drop:A list×2 drop:A list+"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A"},
		drain:     cell{"still_live: out of time; A still_live; B still_live", "A B", "token list drop:A drop:B get:A get:B list drop:A drop:B get:stranger×2 list×2 drop:A drop:B list+"},
	},
	{
		name:      "another record of the session has ended before",
		begin:     func(w *world) { w.sim.Rows(w.twins(simulator.StateEnded, "A", "B")) },
		terminate: cell{"terminated", "A", "token drop:A list"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
	},
	{
		// A drain reads the list first, whatever is known.
		name:      "another use has seen the end before",
		begin:     func(w *world) { w.sim.End(w.id("A")); w.sim.End(w.id("B")); w.anotherAsks() },
		terminate: cell{"already_ended", "A B", "token list drop:A"},
		byRecord:  cell{"already_ended", "A B", "token list drop:A"},
		drain:     cell{"", "A B", "token list×2"},
	},
	{
		name: "another use has seen the end before, and senhasegura accepts the drop",
		begin: func(w *world) {
			w.sim.End(w.id("A"))
			w.sim.End(w.id("B"))
			w.sim.Inject(simulator.Fault{Op: simulator.OpDrop, Kind: simulator.NoContent204})
			w.anotherAsks()
		},
		terminate: cell{"already_ended", "A B", "token list drop:A list"},
		byRecord:  cell{"already_ended", "A B", "token list drop:A get:A"},
		drain:     cell{"", "A B", "token list×2"},
	},
	{
		name:      "the row is purged after the drop",
		begin:     func(w *world) { w.afterDrop(func() { w.sim.Purge(w.id("A")) }) },
		terminate: cell{"accepted, not confirmed: not found", "", "token drop:A list"},
		byRecord:  cell{"accepted, not confirmed: not found", "", "token drop:A get:A list"},
		drain:     cell{"unknown; A unknown; B terminated", "B", "token list drop:A drop:B get:A get:B list"},
	},
	{
		name:      "the row is purged before the drop",
		begin:     func(w *world) { w.on(simulator.OpDrop, func() { w.sim.Purge(w.id("A")) }) },
		terminate: cell{"not_found: not found, refusal", "", "token drop:A list"},
		byRecord:  cell{"not_found: not found, refusal", "", "token drop:A get:A list"},
		drain:     cell{"unknown; A unknown; B terminated", "B", "token list drop:A drop:B get:A get:B list"},
	},
	{
		name: "a user is shown in another form",
		begin: func(w *world) {
			w.add("other", simulator.Session{User: `CORP\alice`, Credential: "root", Device: "10.0.0.1:22", Start: w.now()})
		},
		terminate: cell{"terminated", "A", "token drop:A list"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A"},
		drain:     cell{"unknown; A terminated; B terminated; other unknown", "A B", "token list drop:A drop:B get:A get:B get:other list"},
	},
	{
		name:      "no session has the user",
		begin:     func(w *world) { w.purge("A", "B", "gone", "protected") },
		terminate: cell{"not_found: not found, refusal", "", "token drop:A list"},
		byRecord:  cell{"not_found: not found, refusal", "", "token drop:A get:A list"},
		drain:     cell{"", "", "token list"},
	},
	{
		// No session at all is no answer to a drain.
		name:      "the list is empty",
		begin:     func(w *world) { w.purge("A", "B", "gone", "protected", "bob") },
		terminate: cell{"not_found: not found, refusal", "", "token drop:A list"},
		byRecord:  cell{"not_found: not found, refusal", "", "token drop:A get:A list"},
		drain:     cell{"not_covered", "", "token list"},
	},
	{
		name:      "the authorization may not list",
		server:    simulator.Config{Permission: simulator.DropOnly},
		terminate: cell{"accepted, not confirmed: permission", "A", "token drop:A list"},
		byRecord:  cell{"accepted, not confirmed: permission", "A", "token drop:A get:A list"},
		drain:     cell{"not_attempted: permission", "", "token list"},
	},
	{
		name:      "the authorization may not drop",
		server:    simulator.Config{Permission: simulator.ReadOnly},
		terminate: cell{"not_attempted: permission", "", "token drop:A"},
		byRecord:  cell{"not_attempted: permission", "", "token drop:A"},
		drain:     cell{"still_live: permission; A not_attempted; B not_attempted", "", "token list drop:A list"},
	},
	{
		name:      "the authorization may do nothing",
		server:    simulator.Config{Permission: simulator.None},
		terminate: cell{"not_attempted: permission", "", "token drop:A"},
		byRecord:  cell{"not_attempted: permission", "", "token drop:A"},
		drain:     cell{"not_attempted: permission", "", "token list"},
	},
	{
		name:      "the permission is taken away after the drop",
		begin:     func(w *world) { w.afterDrop(func() { w.sim.SetPermission(simulator.None) }) },
		terminate: cell{"accepted, not confirmed: permission", "A", "token drop:A list"},
		byRecord:  cell{"accepted, not confirmed: permission", "A", "token drop:A get:A list"},
		drain:     cell{"still_live: permission; A unknown; B not_attempted", "A", "token list drop:A drop:B list"},
	},
	{
		name:      "the tokens are revoked before the drop",
		begin:     func(w *world) { w.on(simulator.OpDrop, w.sim.RevokeTokens) },
		terminate: cell{"terminated", "A", "token drop:A token drop:A list"},
		byRecord:  cell{"terminated", "A", "token drop:A token drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A token drop:A drop:B get:A get:B list"},
	},
	{
		name:      "the tokens are revoked after the drop",
		begin:     func(w *world) { w.afterDrop(w.sim.RevokeTokens) },
		terminate: cell{"terminated", "A", "token drop:A list token list"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A token get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B token drop:B get:A get:B list"},
	},
	{
		name:      "the tokens live for a second",
		server:    simulator.Config{TokenLifetime: time.Second},
		behavior:  simulator.Behavior{EndDelay: 3 * time.Second},
		terminate: cell{"terminated", "A", "token drop:A list token drop:A get:A token get:A"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A token drop:A get:A token get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B token drop:A drop:B get:A get:B token get:A get:B list"},
	},
	{
		name:   "a gateway denies a revoked token",
		server: simulator.Config{GatewayDenies: true},
		begin:  func(w *world) { w.on(simulator.OpDrop, w.sim.RevokeTokens) },
		// A token that was issued for this very drop is not in doubt.
		terminate: cell{"not_attempted: wrong route", "", "token drop:A drop?"},
		byRecord:  cell{"not_attempted: wrong route", "", "token drop:A drop?"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A token drop:A drop:B get:A get:B list"},
	},
	{
		name:      "a gateway denies a token revoked after the drop",
		server:    simulator.Config{GatewayDenies: true},
		begin:     func(w *world) { w.afterDrop(w.sim.RevokeTokens) },
		terminate: cell{"terminated", "A", "token drop:A list token list"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A token get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B token drop:B get:A get:B list"},
	},
	{
		name:      "the server's clock is three hours ahead",
		server:    skewed(3 * time.Hour),
		clock:     toAll("machine 3h0m0s"),
		terminate: cell{"terminated", "A", "token drop:A list"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
	},
	{
		name:      "the server's clock is three hours behind",
		server:    skewed(-3 * time.Hour),
		clock:     toAll("machine -3h0m0s"),
		terminate: cell{"terminated", "A", "token drop:A list"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
	},
	{
		name:      "the server's clock is ahead, and the session lives on",
		server:    skewed(3 * time.Hour),
		clock:     toAll("machine 3h0m0s"),
		behavior:  simulator.Behavior{Zombie: true},
		terminate: cell{"still_live: out of time", "", "token drop:A list drop:A get:A×2 drop:A get:A+"},
		byRecord:  cell{"still_live: out of time", "", "token drop:A get:A drop:A get:A×2 drop:A get:A+"},
		drain:     cell{"still_live: out of time; A still_live; B still_live", "", "token list drop:A drop:B get:A get:B drop:A drop:B (get:A get:B)×2 drop:A drop:B (get:A get:B)+"},
	},
	{
		name:   "the server's clock is in another zone",
		server: simulator.Config{Location: time.FixedZone("", -3*60*60)},
		// A termination that reads the end at once does not know that the session was
		// live before it, so its end may be old.
		clock:     map[string]string{"drain": "UTC-03:00"},
		terminate: cell{"terminated", "A", "token drop:A list"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
	},
	{
		name:      "the server's clock is in another zone, and a session is read as live before its end",
		server:    simulator.Config{Location: time.FixedZone("", -3*60*60)},
		behavior:  simulator.Behavior{IgnoreFirst: 1},
		clock:     toAll("UTC-03:00"),
		terminate: cell{"terminated", "A", "token drop:A list drop:A get:A"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B drop:A drop:B get:A get:B list"},
	},
	{
		name:      "the server's clock is in the zone of the provider",
		server:    simulator.Config{Location: time.FixedZone("", -3*60*60)},
		behavior:  simulator.Behavior{IgnoreFirst: 1},
		zone:      time.FixedZone("west", -3*60*60),
		terminate: cell{"terminated", "A", "token drop:A list drop:A get:A"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B drop:A drop:B get:A get:B list"},
	},
	{
		name:      "the server's clock has daylight saving time, and the provider has none",
		server:    simulator.Config{Location: time.FixedZone("", -2*60*60)},
		behavior:  simulator.Behavior{IgnoreFirst: 1},
		zone:      time.FixedZone("west", -3*60*60),
		clock:     toAll("UTC-02:00"),
		terminate: cell{"terminated", "A", "token drop:A list drop:A get:A"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B drop:A drop:B get:A get:B list"},
	},
	{
		name:      "the server's clock is ahead of its gateway's",
		server:    simulator.Config{ClockSkew: time.Hour, Date: ticking()},
		behavior:  simulator.Behavior{IgnoreFirst: 1},
		clock:     toAll("UTC+01:00"),
		terminate: cell{"terminated", "A", "token drop:A list drop:A get:A"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B drop:A drop:B get:A get:B list"},
	},
	{
		name:      "the server's clock is in another zone and ahead",
		server:    simulator.Config{Location: time.FixedZone("", -3*60*60), ClockSkew: time.Hour},
		behavior:  simulator.Behavior{IgnoreFirst: 1},
		clock:     toAll("UTC-03:00, machine 1h0m0s"),
		terminate: cell{"terminated", "A", "token drop:A list drop:A get:A"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B drop:A drop:B get:A get:B list"},
	},
	{
		name:      "the server's clock is a few minutes ahead of its gateway's",
		server:    simulator.Config{ClockSkew: 6 * time.Minute, Date: ticking()},
		behavior:  simulator.Behavior{IgnoreFirst: 1},
		terminate: cell{"terminated", "A", "token drop:A list drop:A get:A"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B drop:A drop:B get:A get:B list"},
	},
	{
		// The end that the list of a termination shows is in the future, and says only how
		// far at least.
		name:      "the server's clock is in a zone that is ahead",
		server:    simulator.Config{Location: time.FixedZone("", 3*60*60)},
		clock:     map[string]string{"terminate": "UTC+03:00, at least", "drain": "UTC+03:00"},
		terminate: cell{"terminated", "A", "token drop:A list"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
	},
	{
		name:      "unknown rows are a plain 404",
		server:    simulator.Config{PlainNotFound: true},
		behavior:  simulator.Behavior{Hidden: true},
		terminate: cell{"accepted, not confirmed: not found", "A", "token drop:A list"},
		byRecord:  cell{"accepted, not confirmed: not found", "A", "token drop:A get:A list"},
		drain:     cell{"", "", "token list"},
	},
	{
		name:      "row numbers are numbers",
		server:    simulator.Config{NumericIDs: true},
		terminate: cell{"terminated", "A", "token drop:A list"},
		byRecord:  cell{"terminated", "A", "token drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
	},
	{
		name:      "release drop-only",
		server:    simulator.Config{Release: simulator.ReleaseDropOnly},
		terminate: cell{"accepted, not confirmed: wrong route", "A", "token drop? drop:A list?×3"},
		byRecord:  cell{"accepted, not confirmed: wrong route", "A", "token drop? drop:A get?×3 list?×3"},
		drain:     cell{"not_attempted: wrong route", "", "token list?×3"},
	},
	{
		name:      "release 3.32",
		server:    simulator.Config{Release: simulator.Release332},
		terminate: cell{"terminated", "A", "token drop? drop:A list"},
		byRecord:  cell{"terminated", "A", "token drop? drop:A get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list drop? drop:A drop:B get:A get:B list"},
	},
	{
		name:      "release 3.33",
		server:    simulator.Config{Release: simulator.Release333},
		terminate: cell{"terminated", "A", "token drop:A list? list"},
		byRecord:  cell{"terminated", "A", "token drop:A get? get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token list? list drop:A drop:B get:A get:B list"},
	},
	{
		name:      "release 4.0",
		server:    simulator.Config{Release: simulator.Release40},
		terminate: cell{"terminated", "A", "token? token drop:A list? list"},
		byRecord:  cell{"terminated", "A", "token? token drop:A get? get:A"},
		drain:     cell{"A terminated; B terminated", "A B", "token? token list? list drop:A drop:B get:A get:B list"},
	},
}

func TestCircumstances(t *testing.T) {
	t.Parallel()
	for _, c := range circumstances {
		for _, one := range []struct {
			use  use
			want cell
		}{
			{use{name: "terminate", run: terminateA}, c.terminate},
			{use{name: "terminate by record", run: terminateAByRecord}, c.byRecord},
			{use{name: "drain", run: drainAB}, c.drain},
		} {
			t.Run(c.name+"/"+one.use.name, func(t *testing.T) {
				t.Parallel()
				inWorld(t, settings{server: c.server, retries: retries, concurrency: 1, zone: c.zone}, func(w *world) {
					t := w.t
					w.populate(c.behavior)
					if c.begin != nil {
						c.begin(w)
					}
					w.checkCell(t, one.use, one.want)
					w.checkClock(c.clock[one.use.name])
				})
				publish("circumstances, cells", 1)
			})
		}
	}
}

// A drain that is not to leave excluded sessions: one that is live blocks it, at first
// before anything is terminated, and later at its end.
func TestExcludedSessionsBlock(t *testing.T) {
	t.Parallel()
	run := drainWith(func(r *termination.DrainRequest) { r.LeaveExcluded = false })
	for _, c := range []circumstance{
		{
			name:  "live",
			drain: cell{"excluded; A not_attempted; B not_attempted", "", "token list"},
		},
		{
			name:  "ended",
			begin: func(w *world) { w.sim.End(w.id("protected")) },
			drain: cell{"A terminated; B terminated", "A protected B", "token list drop:A drop:B get:A get:B list"},
		},
		{
			name: "appears while the others are terminated",
			begin: func(w *world) {
				w.sim.End(w.id("protected"))
				w.afterDrop(func() {
					w.add("late", simulator.Session{User: "alice", Credential: "breakglass", Device: "10.0.0.1:22", Start: w.now()})
				})
			},
			drain: cell{"excluded; A terminated; B terminated", "A protected B", "token list drop:A drop:B get:A get:B list"},
		},
		{
			name:     "live, and the others refuse",
			behavior: simulator.Behavior{Refuse: true},
			drain:    cell{"excluded; A not_attempted; B not_attempted", "", "token list"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, settings{retries: retries, concurrency: 1}, func(w *world) {
				w.populate(c.behavior)
				if c.begin != nil {
					c.begin(w)
				}
				w.checkCell(w.t, use{name: "drain", run: run}, c.drain)
			})
		})
	}
}

var liveEnds = []simulator.LiveEnd{
	simulator.LiveEndNull, simulator.LiveEndEmpty, simulator.LiveEndMissing, simulator.LiveEndZero, simulator.LiveEndMixed,
}

// The end value of a live session is not documented. In every release each value
// must count as live, and a real end as an end.
func TestEveryReleaseAndLiveEnd(t *testing.T) {
	t.Parallel()
	for _, release := range simulator.Releases() {
		for _, end := range liveEnds {
			for _, livesOn := range []bool{false, true} {
				for _, u := range []use{{name: "terminate", run: terminateA}, {name: "drain", run: drainAB}} {
					t.Run(fmt.Sprintf("%s/%s/lives on %t/%s", release, end, livesOn, u.name), func(t *testing.T) {
						t.Parallel()
						inWorld(t, settings{server: simulator.Config{Release: release, LiveEnd: end}, retries: retries, concurrency: 1},
							func(w *world) {
								t := w.t
								w.populate(simulator.Behavior{Zombie: livesOn})
								ctx, cancel := context.WithTimeout(t.Context(), patience)
								defer cancel()
								a := u.run(ctx, t, w)
								if want := saysOf(release, livesOn, u.name); a.says != want {
									t.Errorf("it says %q, want %q", a.says, want)
								}
								w.checkPromise(t, a, u.named(w))
							})
						publish("releases and end values, cells", 1)
					})
				}
			}
		}
	}
}

// saysOf: a release without a list can neither confirm nor drain.
func saysOf(release simulator.Release, livesOn bool, use string) string {
	switch {
	case release == simulator.ReleaseDropOnly && use == "drain":
		return "not_attempted: wrong route"
	case release == simulator.ReleaseDropOnly:
		return "accepted, not confirmed: wrong route"
	case livesOn && use == "drain":
		return "still_live: out of time; A still_live; B still_live"
	case livesOn:
		return "still_live: out of time"
	case use == "drain":
		return "A terminated; B terminated"
	}
	return "terminated"
}
