package provider_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

const (
	terminateType = "senhasegura_session_terminate"

	// onMachine is how the summary of a message ends that is about an action on the
	// guarded machine.
	onMachine = ": action on devices " + guarded
)

// An action ends as a destroy of a drain does, in the same words. It protects no
// resources, and tells what it terminated as progress and not as a warning.
func TestTerminateActionEndsAsADrain(t *testing.T) {
	t.Parallel()
	inAction := strings.NewReplacer("Drain of ", "Action on ", "drain of ", "action on ", "`timeouts.delete`", "`timeouts.invoke`")
	for _, test := range drainCases() {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, test.server, test.sessions...)
			if test.script != nil {
				test.script(server)
			}
			invocation := acctest.NewDriver(t, server, test.provider).InvokeAction(terminateType, asInvoked(test.arguments))

			test.expectRequests(t, server)
			var errors []message
			for _, want := range test.errors {
				want.summary, want.says = inAction.Replace(want.summary), slices.Clone(want.says)
				for i := range want.says {
					want.says[i] = inAction.Replace(want.says[i])
				}
				errors = append(errors, want)
			}
			expectMessages(t, "diagnostic", invocation.Diagnostics, errors...)
			if said := invocation.Diagnostics.String(); strings.Contains(said, "Terraform did not destroy") || strings.Contains(said, "tainted") {
				t.Errorf("an action protects no resources and is not tainted:\n%s", said)
			}
			expectLive(t, server, test.live...)
			progress := strings.Join(invocation.Progress, "\n")
			for _, n := range test.terminated {
				if !strings.Contains(progress, "terminated: "+lineOf(n)) {
					t.Errorf("the progress does not name %s:\n%s", visitorID(n), progress)
				}
			}
			if len(invocation.Diagnostics) > 0 && strings.Contains(progress, "No matching sessions.") {
				t.Errorf("the progress claims that no session matched:\n%s", progress)
			}
		})
	}
}

// A dry run does not fail: where a guard would stop the action it warns.
func TestTerminateActionDryRunPastAGuard(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitors(1, 2)...)
	invocation := acctest.NewDriver(t, server, nil).InvokeAction(terminateType, guard(map[string]any{"dry_run": true, "max_sessions": 1}))
	expectMessages(t, "error", invocation.Diagnostics.Errors())
	expectMessages(t, "warning", invocation.Diagnostics.Warnings(), message{
		tooMany + onMachine, "max_sessions", []string{"Matching: " + lineOf(1), "Matching: " + lineOf(2), noneTerminated},
	})
	expectLive(t, server, visitorID(1), visitorID(2))
}

// asInvoked gives the arguments of a drain as those of an action.
func asInvoked(arguments map[string]any) map[string]any {
	config := guard(arguments)
	if timeouts, ok := config["timeouts"].(map[string]any); ok && timeouts["delete"] != nil {
		config["timeouts"] = map[string]any{"invoke": timeouts["delete"]}
	}
	return config
}

func TestTerminateActionProgress(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		server    simulator.Config
		sessions  []simulator.Session
		script    func(*acctest.Server)
		arguments map[string]any
		want      []string
	}{
		{
			name:     "none",
			sessions: []simulator.Session{visitorGone(9)},
			want:     []string{"0 sessions matched.", "No matching sessions."},
		},
		{
			name:     "one",
			sessions: append(visitors(1), visitorElsewhere(2)),
			want:     []string{"1 session matched.", "Terminating 1 session.", "terminated: " + lineOf(1), "1 session: 1 terminated."},
		},
		{
			name:     "two, in the order of the list",
			sessions: visitors(1, 2),
			want:     []string{"2 sessions matched.", "Terminating 2 sessions.", "terminated: " + lineOf(1), "terminated: " + lineOf(2), "2 sessions: 2 terminated."},
		},
		{
			name:      "a grace period in which all end",
			sessions:  visitors(1),
			arguments: map[string]any{"grace_period": "9m"},
			script: func(server *acctest.Server) {
				whenActed(server, simulator.OpGet, 1, func() { server.Sim.End(visitorID(1)) })
			},
			want: []string{
				"1 session matched.", "Waiting up to 9m for 1 session to end on their own.",
				"already_ended: " + lineOf(1), "1 session: 1 already_ended.",
			},
		},
		{
			name:      "a new session in the quiet period",
			sessions:  visitors(1),
			arguments: map[string]any{"quiet_period": "50ms"},
			script: func(server *acctest.Server) {
				whenActed(server, simulator.OpList, 2, func() { server.Sim.Add(visitor(2, simulator.Behavior{})) })
			},
			want: []string{
				"1 session matched.", "Terminating 1 session.", "terminated: " + lineOf(1), "Waiting 50ms for new sessions.",
				"1 new matching session.", "Terminating 1 session.", "terminated: " + lineOf(2), "Waiting 50ms for new sessions.",
				"2 sessions: 2 terminated.",
			},
		},
		{
			name:     "one is refused",
			sessions: []simulator.Session{visitor(1, simulator.Behavior{Refuse: true}), visitor(2, simulator.Behavior{})},
			want: []string{
				"2 sessions matched.", "Terminating 2 sessions.", "terminated: " + lineOf(2),
				"Repeating the request for 1 session: senhasegura refused the request without giving a reason.",
				"refused: " + lineOf(1),
				"2 sessions: 1 refused, 1 terminated.",
			},
		},
		{
			name:     "nothing is known",
			server:   simulator.Config{Permission: simulator.DropOnly},
			sessions: visitors(1),
			want:     nil,
		},
		{
			name:      "too many",
			sessions:  visitors(1, 2),
			arguments: map[string]any{"max_sessions": 1},
			want:      []string{"2 sessions matched.", "2 sessions: 2 not_attempted."},
		},
		{
			name:      "dry run",
			sessions:  visitors(1, 2),
			arguments: map[string]any{"dry_run": true, "grace_period": "4m", "quiet_period": "4m"},
			want: []string{
				"2 sessions matched.", "matched: " + lineOf(1), "matched: " + lineOf(2),
				"Dry run: 2 sessions would be terminated. No sessions were terminated.",
			},
		},
		{
			name:      "dry run without a match",
			sessions:  []simulator.Session{visitorGone(9)},
			arguments: map[string]any{"dry_run": true},
			want:      []string{"0 sessions matched.", "Dry run: 0 sessions would be terminated. No sessions were terminated."},
		},
		{
			name:      "dry run with too many: it would terminate none",
			sessions:  visitors(1, 2),
			arguments: map[string]any{"dry_run": true, "max_sessions": 1},
			want:      []string{"2 sessions matched.", "matched: " + lineOf(1), "matched: " + lineOf(2)},
		},
		{
			name:      "dry run without permission to read",
			server:    simulator.Config{Permission: simulator.DropOnly},
			sessions:  visitors(1),
			arguments: map[string]any{"dry_run": true},
			want:      nil,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, test.server, test.sessions...)
			if test.script != nil {
				test.script(server)
			}
			invocation := acctest.NewDriver(t, server, nil).InvokeAction(terminateType, guard(test.arguments))
			for i, line := range invocation.Progress {
				invocation.Progress[i] = address.ReplaceAllString(line, "https://pam.example.com")
			}
			if !slices.Equal(invocation.Progress, test.want) {
				t.Errorf("progress:\n%s\nwant:\n%s", strings.Join(invocation.Progress, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

// Where there are many, ends are told about ten times; what is not an end always.
func TestTerminateActionProgressIsThinned(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t, simulator.Config{})
	for n := range 120 {
		server.Sim.Add(visitor(n+1, simulator.Behavior{Refuse: n == 6}))
	}
	invocation := acctest.NewDriver(t, server, nil).InvokeAction(terminateType, guard(nil))
	var want []string
	want = append(want, "120 sessions matched.", "Terminating 120 sessions.")
	for n := 12; n < 120; n += 12 {
		want = append(want, fmt.Sprintf("%d of 120 sessions ended.", n))
	}
	want = append(want, "Repeating the request for 1 session: ", "refused: "+lineOf(7), "120 sessions: 119 terminated, 1 refused.")
	if !slices.EqualFunc(invocation.Progress, want, strings.HasPrefix) {
		t.Errorf("progress:\n%s\nwant:\n%s", strings.Join(invocation.Progress, "\n"), strings.Join(want, "\n"))
	}
	expectMessages(t, "diagnostic", invocation.Diagnostics, message{"1 of 120 sessions still live" + onMachine, "", []string{"Still live: " + lineOf(7) + ": refused", "Terminated: " + lineOf(120)}})
}

// A dry run shows twenty, and every session that a drain would fail for.
func TestTerminateActionDryRunOfMany(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t, simulator.Config{})
	for n := range 25 {
		server.Sim.Add(visitor(n+1, simulator.Behavior{}))
	}
	server.Sim.Add(simulator.Session{RecordID: 26, SessionID: visitorID(26), User: "nobody-knows", Device: guarded + ":22"})
	invocation := acctest.NewDriver(t, server, nil).InvokeAction(terminateType, guard(map[string]any{
		"dry_run": true, "exclude": map[string]any{"origin_ips": []string{"192.0.2.1"}},
	}))
	want := []string{"25 sessions matched."}
	for n := range 20 {
		want = append(want, "matched: "+lineOf(n+1))
	}
	want = append(want, "And 5 more.", "unknown: nobody-knows on "+guarded+":22 since ", "Dry run: 25 sessions would be terminated. No sessions were terminated.")
	if !slices.EqualFunc(invocation.Progress, want, strings.HasPrefix) {
		t.Errorf("progress:\n%s\nwant:\n%s", strings.Join(invocation.Progress, "\n"), strings.Join(want, "\n"))
	}
	server.ExpectRequests(t, "token", "list")
	expectMessages(t, "diagnostic", invocation.Diagnostics)
}

// Every message arrives while the action runs, not at its end.
func TestTerminateActionProgressIsLive(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitors(1)...)
	dropsAt := map[string]int{}
	acctest.NewDriver(t, server, nil).InvokeAction(terminateType, guard(nil), func(text string) {
		dropsAt[text] = server.Sim.Count(simulator.OpDrop)
	})
	want := map[string]int{"1 session matched.": 0, "Terminating 1 session.": 0, "terminated: " + lineOf(1): 1, "1 session: 1 terminated.": 1}
	if !maps.Equal(dropsAt, want) {
		t.Errorf("drops at each message: %v, want %v", dropsAt, want)
	}
}

func TestTerminateActionInterrupted(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitor(1, simulator.Behavior{Zombie: true}))
	driver := acctest.NewDriver(t, server, nil)
	whenActed(server, simulator.OpGet, 3, driver.Stop)
	invocation := driver.InvokeAction(terminateType, guard(nil))
	expectMessages(t, "diagnostic", invocation.Diagnostics, message{"1 session still live" + onMachine, "", []string{
		"The run was interrupted.", "Still live: " + lineOf(1),
	}})
}

func TestTerminateActionWithUnknownProvider(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitors(1)...)
	driver := acctest.NewDriver(t, server, map[string]any{"url": acctest.Unknown})
	expectMessages(t, "diagnostic", driver.PlanAction(terminateType, guard(nil)))
	invocation := driver.InvokeAction(terminateType, guard(nil))
	expectMessages(t, "diagnostic", invocation.Diagnostics, message{"Provider configuration is not known yet", "", []string{"`url`"}})
	if len(invocation.Progress) > 0 {
		t.Errorf("progress without PAM: %q", invocation.Progress)
	}
	server.ExpectRequests(t)
}

// A plan of an action asks senhasegura nothing, also where it could.
func TestTerminateActionPlan(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitors(1)...)
	driver := acctest.NewDriver(t, server, nil)
	expectMessages(t, "diagnostic", driver.PlanAction(terminateType, guard(map[string]any{"max_sessions": 0})))
	expectMessages(t, "diagnostic", driver.PlanAction(terminateType, guard(map[string]any{"match": map[string]any{"users": acctest.Unknown}})))
	server.ExpectRequests(t)
}

func TestTerminateActionValidation(t *testing.T) {
	t.Parallel()
	driver := acctest.NewDriver(t, acctest.Start(t, simulator.Config{}), nil)
	tests := append(refusedArguments(),
		refusedArgument{"no time", map[string]any{"timeouts": map[string]any{"invoke": "0s"}}, "timeouts.invoke", "must be greater than zero"},
		refusedArgument{"a time in words", map[string]any{"timeouts": map[string]any{"invoke": "long"}}, "timeouts.invoke", "must be a duration with a unit"},
	)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.expect(t, driver.PlanAction(terminateType, asInvoked(test.arguments)))
		})
	}
}

// What validation could not see yet is refused when the action runs: nothing is
// asked and no session is terminated.
func TestTerminateActionChecksAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		match map[string]any
		on    string
	}{
		"a match that sets nothing": {map[string]any{}, "match"},
		"a set that came out empty": {map[string]any{"devices": []string{guarded}, "users": []string{}}, "match.users"},
		"an empty value":            {map[string]any{"users": []string{""}}, "match.users[]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, simulator.Config{}, visitors(1)...)
			invocation := acctest.NewDriver(t, server, nil).InvokeAction(terminateType, guard(map[string]any{"match": test.match}))
			errs := invocation.Diagnostics.Errors()
			if len(errs) != 1 || errs[0].Path != test.on {
				t.Errorf("want one error on %q, got:\n%s", test.on, invocation.Diagnostics)
			}
			server.ExpectRequests(t)
			expectLive(t, server, visitorID(1))
		})
	}
}

// The attributes that a drain and an action share are the same ones.
func TestTerminateActionArguments(t *testing.T) {
	t.Parallel()
	driver := acctest.NewDriver(t, acctest.Start(t, simulator.Config{}), nil)
	every := map[string]any{
		"match": map[string]any{
			"session_ids": []string{"x"}, "users": []string{"x"}, "credentials": []string{"x"}, "devices": []string{"x"},
			"protocols": []string{"x"}, "proxies": []string{"x"}, "origin_ips": []string{"192.0.2.1"}, "older_than": "1h",
		},
		"grace_period": "1s", "quiet_period": "1s", "max_sessions": 1, "poll_interval": "1s",
	}
	every["exclude"] = every["match"]
	expectMessages(t, "diagnostic", driver.Resource(drainType).Validate(every))
	inAction := maps.Clone(every)
	maps.Copy(inAction, map[string]any{"dry_run": false, "timeouts": map[string]any{"invoke": "1m"}})
	expectMessages(t, "diagnostic", driver.PlanAction(terminateType, inAction))
}
