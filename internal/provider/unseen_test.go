package provider_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// misspelled differs from named by one letter.
const (
	named      = "db-production.example.com"
	misspelled = "db-prodution.example.com"
)

// onNamed puts a session on the device that is named so.
func onNamed(s simulator.Session) simulator.Session {
	s.Device = named
	return s
}

// ofDevices is a match of devices, and more of its arguments.
func ofDevices(device string, more ...map[string]any) map[string]any {
	match := map[string]any{"devices": []string{device}}
	for _, arguments := range more {
		maps.Copy(match, arguments)
	}
	return match
}

const (
	noSessionAtAll = "This authorization sees no session at all"
	noSuchValue    = "Values of `match` that no session has"
)

// What a drain at destroy and an action say of values that no session has.
func TestUnseenValuesOfARun(t *testing.T) {
	t.Parallel()
	likely := []string{"`match.devices` \"" + misspelled + "\"; similar: \"" + named + "\"", "Write each value as senhasegura shows it."}
	for _, test := range []struct {
		name     string
		sessions []simulator.Session
		match    map[string]any
		exclude  map[string]any
		onUnseen string

		// warning and failure are the beginnings of the expected summaries, "" for
		// none.
		warning, failure string
		path             string
		says             []string
		// terminates: a session is live that the match means.
		terminates bool
	}{
		{name: "misspelled", sessions: []simulator.Session{onNamed(visitor(1, simulator.Behavior{}))}, match: ofDevices(misspelled), warning: "1 value may be misspelled", says: likely},
		{name: "misspelled, ignore", sessions: []simulator.Session{onNamed(visitor(1, simulator.Behavior{}))}, match: ofDevices(misspelled), onUnseen: "ignore"},
		{
			name: "misspelled, halt", sessions: []simulator.Session{onNamed(visitor(1, simulator.Behavior{}))}, match: ofDevices(misspelled), onUnseen: "halt",
			failure: "1 value of `match` or `exclude` that no session has", path: "match.devices", says: likely,
		},
		{
			name: "one of two misspelled, halt: the other is not terminated", sessions: []simulator.Session{onNamed(visitor(1, simulator.Behavior{}))}, onUnseen: "halt",
			match:   map[string]any{"devices": []string{named, misspelled}},
			failure: "1 value of `match` or `exclude` that no session has", path: "match.devices", says: append(likely, "Not terminated: user-1 on "+named, "No sessions were terminated."),
		},
		{
			name: "a protocol", sessions: []simulator.Session{onNamed(visitor(1, simulator.Behavior{}))}, match: ofDevices(named, map[string]any{"protocols": []string{"shs"}}),
			warning: noSuchValue, says: []string{"`match.protocols` \"shs\""},
		},
		{
			name: "an excluded user", sessions: []simulator.Session{onNamed(visitorGone(1))}, match: ofDevices(named), exclude: map[string]any{"users": []string{"usr-1"}},
			warning: "1 value may be misspelled", says: []string{"`exclude.users` \"usr-1\"; similar: \"user-1\""},
		},
		{name: "an excluded user who never connected", sessions: []simulator.Session{onNamed(visitorGone(1))}, match: ofDevices(named), exclude: map[string]any{"users": []string{"emergency"}}},
		{
			name: "an unknown device", sessions: []simulator.Session{visitorElsewhere(1)}, match: ofDevices("web-07"),
			warning: noSuchValue, says: []string{"`match.devices` \"web-07\"; senhasegura lists all devices by address", "`on_unseen = \"ignore\"`"},
		},
		{
			name: "an unknown session", sessions: []simulator.Session{visitorElsewhere(1)}, match: map[string]any{"session_ids": []string{"hash-7"}}, onUnseen: "continue",
			warning: noSuchValue, says: []string{"`match.session_ids` \"hash-7\"", "may have purged"},
		},
		{
			name: "a row number, halt", sessions: visitors(1), match: map[string]any{"session_ids": []string{"1"}}, onUnseen: "halt",
			warning: "1 value may be misspelled", says: []string{"`match.session_ids` \"1\"; this is the record ID of session \"hash-1\""},
		},
		{name: "a device with a history", sessions: []simulator.Session{onNamed(visitorGone(1))}, match: ofDevices(named), onUnseen: "halt"},
		{name: "a device in use", sessions: []simulator.Session{onNamed(visitor(1, simulator.Behavior{}))}, match: ofDevices(named), onUnseen: "halt", terminates: true},
		{name: "nothing listed", match: ofDevices(named), failure: noSessionAtAll, says: []string{"senhasegura lists no session, live or ended.", "No sessions were terminated.", "`on_unseen = \"ignore\"`"}},
		{name: "nothing listed, halt", match: ofDevices(named), onUnseen: "halt", failure: noSessionAtAll},
		{name: "nothing listed, ignore", match: ofDevices(named), onUnseen: "ignore"},
	} {
		arguments := map[string]any{"match": test.match}
		if test.onUnseen != "" {
			arguments["on_unseen"] = test.onUnseen
		}
		if test.exclude != nil {
			arguments["exclude"] = test.exclude
		}
		check := func(t *testing.T, server *acctest.Server, got acctest.Diagnostics) {
			t.Helper()
			if drops := server.Sim.Count(simulator.OpDrop); (drops > 0) != test.terminates {
				t.Errorf("%d drops; want some: %t", drops, test.terminates)
			}
			var told acctest.Diagnostics
			for _, d := range got {
				if !strings.HasPrefix(d.Summary, "Terminated 1 session") {
					d.Summary, _, _ = strings.Cut(d.Summary, ": ")
					told = append(told, d)
				}
			}
			var errors, warnings []message
			if test.failure != "" {
				errors = append(errors, message{test.failure, test.path, test.says})
			}
			if test.warning != "" {
				warnings = append(warnings, message{test.warning, "", test.says})
			}
			expectMessages(t, "error", told.Errors(), errors...)
			expectMessages(t, "warning", told.Warnings(), warnings...)
		}
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			t.Run("destroy", func(t *testing.T) {
				t.Parallel()
				server := inhabited(t, simulator.Config{}, test.sessions...)
				r := acctest.NewDriver(t, server, nil).Resource(drainType)
				config := unseen(arguments)
				config["on_failure"] = "continue" // which never goes past a guard
				destroyed := r.Destroy(kept(t, r, config))
				check(t, server, destroyed.Diagnostics)
				if (destroyed.State != nil) != (test.failure != "") {
					t.Errorf("state kept: %t", destroyed.State != nil)
				}
			})
			t.Run("action", func(t *testing.T) {
				t.Parallel()
				server := inhabited(t, simulator.Config{}, test.sessions...)
				check(t, server, acctest.NewDriver(t, server, nil).InvokeAction(terminateType, guard(arguments)).Diagnostics)
			})
		})
	}
}

// A dry run says what would stop the action, and fails of nothing.
func TestUnseenValuesOfADryRun(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sessions []simulator.Session
		want     message
	}{
		"misspelled":     {[]simulator.Session{onNamed(visitor(1, simulator.Behavior{}))}, message{"1 value of `match` or `exclude` that no session has: action on devices " + misspelled, "match.devices", []string{misspelled, named}}},
		"nothing listed": {nil, message{noSessionAtAll + ": action on devices " + misspelled, "", nil}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, simulator.Config{}, test.sessions...)
			invocation := acctest.NewDriver(t, server, nil).InvokeAction(terminateType, guard(map[string]any{"match": ofDevices(misspelled), "on_unseen": "halt", "dry_run": true}))
			expectMessages(t, "error", invocation.Diagnostics.Errors())
			expectMessages(t, "warning", invocation.Diagnostics.Warnings(), test.want)
		})
	}
}

// The plan of a destroy warns of unseen values, and fails if the destroy would.
func TestUnseenValuesOfADestroyPlan(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		sessions []simulator.Session
		device   string
		onUnseen string
		warning  string
		failure  string
	}{
		{name: "misspelled", sessions: []simulator.Session{onNamed(visitor(1, simulator.Behavior{}))}, device: misspelled, onUnseen: "continue", warning: "1 value may be misspelled"},
		{name: "misspelled, ignore", sessions: []simulator.Session{onNamed(visitor(1, simulator.Behavior{}))}, device: misspelled, onUnseen: "ignore"},
		{name: "misspelled, halt", sessions: []simulator.Session{onNamed(visitor(1, simulator.Behavior{}))}, device: misspelled, onUnseen: "halt", failure: "1 value of `match` or `exclude` that no session has"},
		// One summary for all drains of a plan: Terraform shows one warning for them.
		{name: "unknown", sessions: []simulator.Session{onNamed(visitor(1, simulator.Behavior{}))}, device: "web-07", onUnseen: "continue", warning: noSuchValue},
		{name: "a history", sessions: []simulator.Session{onNamed(visitorGone(1))}, device: named, onUnseen: "halt"},
		{name: "nothing listed", device: named, onUnseen: "continue", failure: noSessionAtAll},
		{name: "nothing listed, ignore", device: named, onUnseen: "ignore"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, simulator.Config{}, test.sessions...)
			config := guard(map[string]any{"match": ofDevices(test.device), "on_unseen": test.onUnseen})
			state := kept(t, acctest.NewDriver(t, server, nil).Resource(drainType), config)
			server.Forget()
			destroyed := acctest.NewDriver(t, server, nil).Resource(drainType).Destroy(state)
			planned := during("PlanResourceChange", destroyed.Diagnostics)
			if test.failure != "" {
				server.ExpectRequests(t, "token", "list")
			} else {
				// The destroy does not repeat what its plan has shown.
				expectMessages(t, "message of the destroy", during("ApplyResourceChange", destroyed.Diagnostics))
			}
			var told []string
			for _, d := range planned {
				told = append(told, d.Summary)
			}
			want := test.failure + test.warning
			if want != "" && test.warning != noSuchValue {
				want += ": drain of devices " + test.device
			}
			if got := strings.Join(told, "\n"); got != want {
				t.Errorf("the plan says %q, want %q", got, want)
			}
			if failed := len(planned.Errors()) > 0; failed != (test.failure != "") {
				t.Errorf("the plan failed: %t", failed)
			}
		})
	}
}

// A mistake is made where values are written: the plan that brings them warns of
// those with a similar value, and of no others.
func TestUnseenValuesOfACreatingPlan(t *testing.T) {
	t.Parallel()
	const likely = "1 value may be misspelled: drain of devices " + misspelled
	for _, test := range []struct {
		name      string
		server    simulator.Config
		sessions  []simulator.Session
		arguments map[string]any
		warning   string
	}{
		{name: "misspelled", sessions: []simulator.Session{onNamed(visitor(1, simulator.Behavior{}))}, arguments: map[string]any{"match": ofDevices(misspelled)}, warning: likely},
		{name: "misspelled, ignore", sessions: []simulator.Session{onNamed(visitor(1, simulator.Behavior{}))}, arguments: map[string]any{"match": ofDevices(misspelled), "on_unseen": "ignore"}, warning: likely},
		{name: "misspelled, halt", sessions: []simulator.Session{onNamed(visitor(1, simulator.Behavior{}))}, arguments: map[string]any{"match": ofDevices(misspelled), "on_unseen": "halt"}, warning: likely},
		{
			name: "misspelled, ignore, and a drain at creation", sessions: []simulator.Session{onNamed(visitorGone(1))},
			arguments: map[string]any{"match": ofDevices(misspelled), "on_unseen": "ignore", "drain_on": []string{"create"}}, warning: likely,
		},
		{name: "misspelled, no preview", sessions: []simulator.Session{onNamed(visitor(1, simulator.Behavior{}))}, arguments: map[string]any{"match": ofDevices(misspelled), "preview": false}},
		{name: "a new machine", sessions: []simulator.Session{onNamed(visitor(1, simulator.Behavior{}))}, arguments: map[string]any{"match": ofDevices("web-07")}},
		{name: "a new machine, halt", sessions: []simulator.Session{onNamed(visitor(1, simulator.Behavior{}))}, arguments: map[string]any{"match": ofDevices("web-07"), "on_unseen": "halt"}},
		{name: "a record ID", sessions: visitors(1), arguments: map[string]any{"match": map[string]any{"session_ids": []string{"1"}}}, warning: "1 value may be misspelled: drain of session_ids 1"},
		{name: "nothing listed", arguments: map[string]any{"match": ofDevices(named)}},
		{
			name: "no list", server: simulator.Config{Permission: simulator.DropOnly}, arguments: map[string]any{"match": ofDevices(named)},
			warning: "Can't check `match` and `exclude`: the authorization is missing a permission",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, test.server, test.sessions...)
			plan := acctest.NewDriver(t, server, nil).Resource(drainType).Plan(nil, guard(test.arguments))
			expectSummaries(t, plan.Diagnostics, test.warning)
		})
	}
}

// expectSummaries compares the only warning; "" is none.
func expectSummaries(t *testing.T, got acctest.Diagnostics, want string) {
	t.Helper()
	expectMessages(t, "error", got.Errors())
	var told []string
	for _, d := range got {
		told = append(told, d.Summary)
	}
	if strings.Join(told, "\n") != want {
		t.Errorf("the plan says %q, want %q", told, want)
	}
}

func TestUnseenValuesOfAChangedExclude(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, onNamed(visitorGone(1)))
	r := acctest.NewDriver(t, server, nil).Resource(drainType)
	protecting := func(user string) map[string]any {
		return guard(map[string]any{"match": ofDevices(named), "exclude": map[string]any{"users": []string{user}}, "on_unseen": "ignore"})
	}
	state := kept(t, r, protecting("emergency"))
	expectSummaries(t, r.Plan(state, protecting("usr-1")).Diagnostics, "1 value may be misspelled: drain of devices "+named+", except users usr-1")
	expectSummaries(t, r.Plan(state, protecting("emergency")).Diagnostics, "")
	server.ExpectRequests(t, "token", "list") // one list for every plan of a process
}

// What the plan of a replacement has told does not silence the new drain, of whose
// forced replacement no plan tells anything.
func TestUnseenValuesAfterAReplacement(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, onNamed(visitor(1, simulator.Behavior{})))
	r := acctest.NewDriver(t, server, nil).Resource(drainType)
	onMachine := func(id string) map[string]any {
		return guard(map[string]any{"match": ofDevices(misspelled), "triggers": map[string]string{"machine": id}})
	}
	replaced := r.Apply(kept(t, r, onMachine("1")), onMachine("2"))
	expectMessages(t, "message of the replacement", during("ApplyResourceChange", replaced.Diagnostics))
	replaced.State.Tainted = true
	again := acctest.NewDriver(t, server, nil).Resource(drainType).Apply(replaced.State, onMachine("2"))
	expectSummaries(t, during("ApplyResourceChange", again.Diagnostics), "1 value may be misspelled: drain of devices "+misspelled)
}
