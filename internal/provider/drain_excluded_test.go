package provider_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

func TestDrainOnExcluded(t *testing.T) {
	t.Parallel()
	const (
		listed = "1 session excluded and still live:\n  - "
		left   = "1 session left open, because `exclude` matches:\n  - "
	)
	ending := func(n int, op simulator.Op) func(*acctest.PAM) {
		return func(pam *acctest.PAM) { whenActed(pam, op, 1, func() { pam.Sim.End(visitorID(n)) }) }
	}
	for _, test := range []struct {
		name      string
		sessions  []simulator.Session
		script    func(*acctest.PAM)
		arguments map[string]any
		drops     []string
		errors    []message
		warnings  []message
		live      []string
	}{
		{
			name:     "halt: fails before anything is terminated",
			sessions: visitors(1, 2),
			errors: []message{{"1 excluded session still live", "", []string{
				listed + lineOf(1) + ": excluded", lineOf(2) + ": not_attempted", "Nobody was dropped.", "set `on_excluded` to `continue`, apply that change on its own (`-target`)",
			}}},
			live: []string{visitorID(1), visitorID(2)},
		},
		{
			name:      "halt: still live after the grace period",
			sessions:  visitors(1, 2),
			arguments: map[string]any{"grace_period": "20ms"},
			errors:    []message{{"1 excluded session still live", "", []string{listed + lineOf(1) + ": excluded", "Nobody was dropped."}}},
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
			script: func(pam *acctest.PAM) {
				whenActed(pam, simulator.OpDrop, 1, func() { pam.Sim.Add(visitor(1, simulator.Behavior{})) })
			},
			drops: []string{"drop hash-2"},
			errors: []message{{"1 excluded session still live", "", []string{
				listed + lineOf(1) + ": excluded", "1 session dropped and seen ended:\n  - " + lineOf(2) + ": terminated",
			}}},
			live: []string{visitorID(1)},
		},
		{
			name:      "halt, with a session that is refused",
			sessions:  []simulator.Session{visitor(2, simulator.Behavior{Refuse: true})},
			arguments: map[string]any{"exclude": map[string]any{"session_ids": []string{visitorID(1)}}},
			script: func(pam *acctest.PAM) {
				whenActed(pam, simulator.OpDrop, 1, func() { pam.Sim.Add(visitor(1, simulator.Behavior{})) })
			},
			drops:  []string{"drop hash-2", "drop hash-2"},
			errors: []message{{"1 session not ended", "", []string{listed + lineOf(1) + ": excluded", lineOf(2) + ": refused"}}},
			live:   []string{visitorID(2), visitorID(1)},
		},
		{
			name:      "continue: the others are terminated",
			sessions:  visitors(1, 2),
			arguments: map[string]any{"on_excluded": "continue", "grace_period": "20ms", "max_sessions": 1},
			drops:     []string{"drop hash-2"},
			warnings: []message{{"1 session dropped, 1 excluded session", "", []string{
				lineOf(2) + ": terminated", left + lineOf(1) + ": excluded", "Terraform goes on, because `on_excluded` is `continue`.",
			}}},
			live: []string{visitorID(1)},
		},
		{
			name:      "continue: the grace period does not wait",
			sessions:  visitors(1),
			arguments: map[string]any{"on_excluded": "continue", "grace_period": "9m"},
			warnings:  []message{{"1 excluded session", "", []string{left + lineOf(1) + ": excluded"}}},
			live:      []string{visitorID(1)},
		},
		{
			name:      "halt, and on_failure is continue",
			sessions:  visitors(1, 2),
			arguments: map[string]any{"on_failure": "continue"},
			drops:     []string{"drop hash-2"},
			warnings: []message{{"1 session dropped, 1 excluded session", "", []string{
				lineOf(2) + ": terminated", left + lineOf(1) + ": excluded", "Terraform goes on, because `on_failure` is `continue`.",
			}}},
			live: []string{visitorID(1)},
		},
		{
			name:      "halt: one that may not match blocks nothing",
			sessions:  visitors(1),
			arguments: map[string]any{"match": map[string]any{"users": []string{`CORP\user-1`}}, "exclude": map[string]any{"devices": []string{guarded}}, "on_unseen": "ignore"},
			warnings:  []message{{"1 excluded session", "", []string{left + lineOf(1) + ": excluded, and it may not match, because senhasegura shows"}}},
			live:      []string{visitorID(1)},
		},
		{
			name:      "without exclude",
			sessions:  visitors(2),
			arguments: map[string]any{"exclude": nil, "on_excluded": "continue"},
			drops:     []string{"drop hash-2"},
			warnings:  []message{{"1 session dropped", "", []string{lineOf(2) + ": terminated"}}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			pam := inhabited(t, simulator.Config{}, test.sessions...)
			if test.script != nil {
				test.script(pam)
			}
			r := acctest.NewDriver(t, pam, nil).Resource(drainType)
			config := unseen(map[string]any{"exclude": map[string]any{"users": []string{"USER-1"}}})
			maps.Copy(config, test.arguments)
			state := kept(t, r, config)
			destroyed := r.Destroy(state)
			drainCase{drops: test.drops}.expectRequests(t, pam)
			expectMessages(t, "error", destroyed.Diagnostics.Errors(), test.errors...)
			for i := range test.warnings {
				test.warnings[i].summary = byDrain(state, test.warnings[i].summary)
			}
			expectMessages(t, "warning", destroyed.Diagnostics.Warnings(), test.warnings...)
			expectLive(t, pam, test.live...)
			if (destroyed.State != nil) != (test.errors != nil) {
				t.Errorf("state kept: %t, with these messages:\n%s", destroyed.State != nil, destroyed.Diagnostics)
			}
		})
	}
}

// The outcome of an excluded session is in the state of a drain at creation.
func TestDrainCreateOnExcluded(t *testing.T) {
	t.Parallel()
	pam := inhabited(t, simulator.Config{}, visitors(1, 2)...)
	r := acctest.NewDriver(t, pam, nil).Resource(drainType)
	config := unseen(map[string]any{"drain_on": []string{"create"}, "exclude": map[string]any{"users": []string{"user-1"}}})
	halted := r.Apply(nil, config)
	expectMessages(t, "diagnostic", halted.Diagnostics, message{"1 excluded session still live", "", []string{lineOf(1) + ": excluded", "set `on_excluded` to `continue`."}})
	expectOutcomes(t, halted.State, "excluded", "not_attempted")
	expectLive(t, pam, visitorID(1), visitorID(2))

	config["on_excluded"] = "continue"
	expectOutcomes(t, kept(t, r, config), "excluded", "terminated")
	expectLive(t, pam, visitorID(1))
}

// An action only tells of excluded sessions.
func TestTerminateActionTellsOfExcluded(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		dryRun bool
		last   string
		live   []string
	}{
		"dry run":  {true, "Dry run: 1 session would be dropped now, and 1 excluded session left open. Nobody was dropped.", []string{visitorID(1), visitorID(2)}},
		"for real": {false, "1 excluded", []string{visitorID(1)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pam := inhabited(t, simulator.Config{}, visitors(1, 2)...)
			invocation := acctest.NewDriver(t, pam, nil).InvokeAction(terminateType, guard(map[string]any{
				"exclude": map[string]any{"users": []string{"user-1"}}, "dry_run": test.dryRun, "grace_period": "1ms", "max_sessions": 1,
			}))
			expectMessages(t, "diagnostic", invocation.Diagnostics)
			progress := strings.Join(invocation.Progress, "\n")
			if got := strings.Count(progress, lineOf(1)+": excluded"); got != 1 {
				t.Errorf("the excluded session is told %d times:\n%s", got, progress)
			}
			if last := invocation.Progress[len(invocation.Progress)-1]; !strings.Contains(last, test.last) {
				t.Errorf("the last line is %q, want %q", last, test.last)
			}
			expectLive(t, pam, test.live...)
		})
	}
}

// An interrupt while the drain waits for an excluded session does not hide it.
func TestDrainInterruptedWhileAnExcludedSessionIsLive(t *testing.T) {
	t.Parallel()
	pam := inhabited(t, simulator.Config{}, visitors(1)...)
	driver := acctest.NewDriver(t, pam, nil)
	r := driver.Resource(drainType)
	state := kept(t, r, unseen(map[string]any{
		"exclude": map[string]any{"users": []string{"user-1"}}, "grace_period": "10m",
	}))
	whenActed(pam, simulator.OpGet, 1, driver.Stop)
	destroyed := r.Destroy(state)
	expectMessages(t, "diagnostic", destroyed.Diagnostics, message{"1 excluded session still live", "", []string{
		lineOf(1) + ": excluded", "The run was interrupted.", "Whether others came since the last list is not known.", staysInState,
	}})
	if destroyed.State == nil {
		t.Error("the drain is gone from the state")
	}
	expectLive(t, pam, visitorID(1))
}
