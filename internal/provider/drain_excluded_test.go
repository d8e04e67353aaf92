package provider_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// exceptUser1 is how a summary ends that is about a drain of the guarded machine which
// leaves the sessions of user-1 open.
const exceptUser1 = ofDrain + ", except users user-1"

func TestDrainOnExcluded(t *testing.T) {
	t.Parallel()
	const (
		blocked     = "1 excluded session still live" + exceptUser1
		withRefused = "1 session still live: drain of devices " + guarded + ", except session_ids hash-1"
	)
	ending := func(n int, op simulator.Op) func(*acctest.Server) {
		return func(server *acctest.Server) { whenActed(server, op, 1, func() { server.Sim.End(visitorID(n)) }) }
	}
	for _, test := range []struct {
		name      string
		sessions  []simulator.Session
		script    func(*acctest.Server)
		arguments map[string]any
		drops     []string
		errors    []message
		warnings  []message
		live      []string
	}{
		{
			name:     "halt: fails before anything is terminated",
			sessions: visitors(1, 2),
			errors: []message{{blocked, "", []string{
				"Excluded, still live: " + lineOf(1), "Not terminated: " + lineOf(2), noneTerminated, "set `on_excluded` to `continue`, apply that change on its own (`-target`)",
			}}},
			live: []string{visitorID(1), visitorID(2)},
		},
		{
			name:      "halt: still live after the grace period",
			sessions:  visitors(1, 2),
			arguments: map[string]any{"grace_period": "20ms"},
			errors:    []message{{blocked, "", []string{"Excluded, still live: " + lineOf(1), noneTerminated}}},
			live:      []string{visitorID(1), visitorID(2)},
		},
		{
			name:      "halt: ended within the grace period",
			sessions:  visitors(1),
			script:    ending(1, simulator.OpGet),
			arguments: map[string]any{"grace_period": "9m"},
		},
		{
			name:     "halt: one that appears later",
			sessions: visitors(2),
			script: func(server *acctest.Server) {
				whenActed(server, simulator.OpDrop, 1, func() { server.Sim.Add(visitor(1, simulator.Behavior{})) })
			},
			drops: []string{"drop hash-2"},
			errors: []message{{blocked, "", []string{
				"Excluded, still live: " + lineOf(1), "Terminated: " + lineOf(2),
			}}},
			live: []string{visitorID(1)},
		},
		{
			name:      "halt, with a session that is refused",
			sessions:  []simulator.Session{visitor(2, simulator.Behavior{Refuse: true})},
			arguments: map[string]any{"exclude": map[string]any{"session_ids": []string{visitorID(1)}}},
			script: func(server *acctest.Server) {
				whenActed(server, simulator.OpDrop, 1, func() { server.Sim.Add(visitor(1, simulator.Behavior{})) })
			},
			drops:  []string{"drop hash-2", "drop hash-2"},
			errors: []message{{withRefused, "", []string{"Excluded, still live: " + lineOf(1), "Still live: " + lineOf(2) + ": refused"}}},
			live:   []string{visitorID(2), visitorID(1)},
		},
		{
			name:      "continue: the others are terminated",
			sessions:  visitors(1, 2),
			arguments: map[string]any{"on_excluded": "continue", "grace_period": "20ms", "max_sessions": 1},
			drops:     []string{"drop hash-2"},
			warnings: []message{{"Terminated 1 session, 1 excluded session left open" + exceptUser1, "", []string{
				"Terminated: " + lineOf(2), "Excluded, left open: " + lineOf(1), "`on_excluded` is `continue`, so Terraform destroys the resources that this drain protects anyway.",
			}}},
			live: []string{visitorID(1)},
		},
		{
			name:      "continue: the grace period does not wait",
			sessions:  visitors(1),
			arguments: map[string]any{"on_excluded": "continue", "grace_period": "9m"},
			warnings:  []message{{"1 excluded session left open" + exceptUser1, "", []string{"Excluded, left open: " + lineOf(1)}}},
			live:      []string{visitorID(1)},
		},
		{
			name:      "halt, and on_failure is continue",
			sessions:  visitors(1, 2),
			arguments: map[string]any{"on_failure": "continue"},
			drops:     []string{"drop hash-2"},
			warnings: []message{{"Terminated 1 session, 1 excluded session left open" + exceptUser1, "", []string{
				"Terminated: " + lineOf(2), "Excluded, left open: " + lineOf(1), goesOn,
			}}},
			live: []string{visitorID(1)},
		},
		{
			name:      "halt: one that may not match blocks nothing",
			sessions:  visitors(1),
			arguments: map[string]any{"match": map[string]any{"users": []string{`CORP\user-1`}}, "exclude": map[string]any{"devices": []string{guarded}}, "on_unseen": "ignore"},
			warnings:  []message{{`1 excluded session left open: drain of users CORP\user-1, except devices ` + guarded, "", []string{"Excluded, left open: " + lineOf(1) + `: senhasegura shows "user-1", and`}}},
			live:      []string{visitorID(1)},
		},
		{
			name:      "without exclude",
			sessions:  visitors(2),
			arguments: map[string]any{"exclude": nil, "on_excluded": "continue"},
			drops:     []string{"drop hash-2"},
			warnings:  []message{{"Terminated 1 session" + ofDrain, "", []string{"Terminated: " + lineOf(2)}}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, simulator.Config{}, test.sessions...)
			if test.script != nil {
				test.script(server)
			}
			r := acctest.NewDriver(t, server, nil).Resource(drainType)
			config := unseen(map[string]any{"exclude": map[string]any{"users": []string{"user-1"}}})
			maps.Copy(config, test.arguments)
			state := kept(t, r, config)
			destroyed := r.Destroy(state)
			drainCase{drops: test.drops}.expectRequests(t, server)
			expectMessages(t, "error", destroyed.Diagnostics.Errors(), test.errors...)
			expectMessages(t, "warning", destroyed.Diagnostics.Warnings(), test.warnings...)
			expectLive(t, server, test.live...)
			if (destroyed.State != nil) != (test.errors != nil) {
				t.Errorf("state kept: %t, with these messages:\n%s", destroyed.State != nil, destroyed.Diagnostics)
			}
		})
	}
}

// The outcome of an excluded session is in the state of a drain at creation.
func TestDrainCreateOnExcluded(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitors(1, 2)...)
	r := acctest.NewDriver(t, server, nil).Resource(drainType)
	config := unseen(map[string]any{"drain_on": []string{"create"}, "exclude": map[string]any{"users": []string{"user-1"}}})
	halted := r.Apply(nil, config)
	expectMessages(t, "diagnostic", halted.Diagnostics, message{"1 excluded session still live" + exceptUser1, "", []string{"Excluded, still live: " + lineOf(1), "set `on_excluded` to `continue`."}})
	expectOutcomes(t, halted.State, "excluded", "not_attempted")
	expectLive(t, server, visitorID(1), visitorID(2))

	config["on_excluded"] = "continue"
	expectOutcomes(t, kept(t, r, config), "excluded", "terminated")
	expectLive(t, server, visitorID(1))
}

// An action only reports excluded sessions.
func TestTerminateActionReportsExcluded(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		dryRun bool
		last   string
		live   []string
	}{
		"dry run":  {true, "Dry run: 1 session would be terminated, 1 excluded session left open. No sessions were terminated.", []string{visitorID(1), visitorID(2)}},
		"for real": {false, "1 excluded", []string{visitorID(1)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, simulator.Config{}, visitors(1, 2)...)
			invocation := acctest.NewDriver(t, server, nil).InvokeAction(terminateType, guard(map[string]any{
				"exclude": map[string]any{"users": []string{"user-1"}}, "dry_run": test.dryRun, "grace_period": "1ms", "max_sessions": 1,
			}))
			expectMessages(t, "diagnostic", invocation.Diagnostics)
			progress := strings.Join(invocation.Progress, "\n")
			if got := strings.Count(progress, "excluded: "+lineOf(1)); got != 1 {
				t.Errorf("the excluded session is told %d times:\n%s", got, progress)
			}
			if last := invocation.Progress[len(invocation.Progress)-1]; !strings.Contains(last, test.last) {
				t.Errorf("the last line is %q, want %q", last, test.last)
			}
			expectLive(t, server, test.live...)
		})
	}
}

// An interrupt while the drain waits for an excluded session does not hide it.
func TestDrainInterruptedWhileAnExcludedSessionIsLive(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitors(1)...)
	driver := acctest.NewDriver(t, server, nil)
	r := driver.Resource(drainType)
	state := kept(t, r, unseen(map[string]any{
		"exclude": map[string]any{"users": []string{"user-1"}}, "grace_period": "10m",
	}))
	whenActed(server, simulator.OpGet, 1, driver.Stop)
	destroyed := r.Destroy(state)
	expectMessages(t, "diagnostic", destroyed.Diagnostics, message{"1 excluded session still live" + exceptUser1, "", []string{
		"Excluded, still live: " + lineOf(1), "The run was interrupted.", "New sessions may have started since the last check.", staysInState,
	}})
	if destroyed.State == nil {
		t.Error("the drain is gone from the state")
	}
	expectLive(t, server, visitorID(1))
}
