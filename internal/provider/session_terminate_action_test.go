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

const terminateType = "senhasegura_session_terminate"

// An action ends as a destruction of a drain does, in the same words. It keeps
// no state, and tells whom it dropped as progress and not as a warning.
func TestTerminateActionEndsAsADrain(t *testing.T) {
	t.Parallel()
	inAction := strings.NewReplacer(staysInState, "An action keeps no state.", "`timeouts.delete`", "`timeouts.invoke`")
	for _, test := range drainCases() {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			pam := inhabited(t, test.pam, test.sessions...)
			if test.script != nil {
				test.script(pam)
			}
			invocation := acctest.NewDriver(t, pam, test.provider).InvokeAction(terminateType, asInvoked(test.arguments))

			test.expectRequests(t, pam)
			var errors []message
			for _, want := range test.errors {
				want.says = append(slices.Clone(want.says), staysInState)
				for i := range want.says {
					want.says[i] = inAction.Replace(want.says[i])
				}
				errors = append(errors, want)
			}
			expectMessages(t, "diagnostic", invocation.Diagnostics, errors...)
			expectLive(t, pam, test.live...)
			progress := strings.Join(invocation.Progress, "\n")
			for _, n := range test.dropped {
				if !strings.Contains(progress, lineOf(n)+": terminated") {
					t.Errorf("the progress does not name %s:\n%s", visitorID(n), progress)
				}
			}
			if len(invocation.Diagnostics) > 0 && strings.Contains(progress, "No live session matched") {
				t.Errorf("the progress claims that nobody matched:\n%s", progress)
			}
		})
	}
}

// A dry run fails nobody: where a guard would stop the action it warns.
func TestTerminateActionDryRunPastAGuard(t *testing.T) {
	t.Parallel()
	pam := inhabited(t, simulator.Config{}, visitors(1, 2)...)
	invocation := acctest.NewDriver(t, pam, nil).InvokeAction(terminateType, guard(map[string]any{"dry_run": true, "max_sessions": 1}))
	expectMessages(t, "error", invocation.Diagnostics.Errors())
	expectMessages(t, "warning", invocation.Diagnostics.Warnings(), message{
		"Too many sessions match: 2, and `max_sessions` is 1", "max_sessions", []string{lineOf(1), lineOf(2), "Nobody was dropped."},
	})
	expectLive(t, pam, visitorID(1), visitorID(2))
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
		pam       simulator.Config
		sessions  []simulator.Session
		script    func(*acctest.PAM)
		arguments map[string]any
		want      []string
	}{
		{
			name:     "nobody",
			sessions: []simulator.Session{visitorGone(9)},
			want:     []string{"Matched 0 sessions.", "No live session matched."},
		},
		{
			name:     "one",
			sessions: append(visitors(1), visitorElsewhere(2)),
			want:     []string{"Matched 1 session.", "Dropping 1 session.", lineOf(1) + ": terminated", "1 session: 1 terminated."},
		},
		{
			name:     "two, in the order of the list",
			sessions: visitors(1, 2),
			want:     []string{"Matched 2 sessions.", "Dropping 2 sessions.", lineOf(1) + ": terminated", lineOf(2) + ": terminated", "2 sessions: 2 terminated."},
		},
		{
			name:      "a grace period in which everybody leaves",
			sessions:  visitors(1),
			arguments: map[string]any{"grace_period": "9m"},
			script: func(pam *acctest.PAM) {
				whenActed(pam, simulator.OpGet, 1, func() { pam.Sim.End(visitorID(1)) })
			},
			want: []string{
				"Matched 1 session.", "Waiting up to 9m0s for 1 session to end by themselves.",
				lineOf(1) + ": already_ended", "1 session: 1 already_ended.",
			},
		},
		{
			name:      "a newcomer in the quiet period",
			sessions:  visitors(1),
			arguments: map[string]any{"quiet_period": "50ms"},
			script: func(pam *acctest.PAM) {
				whenActed(pam, simulator.OpList, 2, func() { pam.Sim.Add(visitor(2, simulator.Behavior{})) })
			},
			want: []string{
				"Matched 1 session.", "Dropping 1 session.", lineOf(1) + ": terminated", "Watching for newcomers for 50ms.",
				"Matched 1 session more that came meanwhile.", "Dropping 1 session.", lineOf(2) + ": terminated", "Watching for newcomers for 50ms.",
				"2 sessions: 2 terminated.",
			},
		},
		{
			name:     "a survivor",
			sessions: []simulator.Session{visitor(1, simulator.Behavior{Refuse: true}), visitor(2, simulator.Behavior{})},
			want: []string{
				"Matched 2 sessions.", "Dropping 2 sessions.", lineOf(2) + ": terminated", "Dropping 1 session.",
				lineOf(1) + ": refused, PAM refused without saying why; DELETE /api/pam/session/drop/hash-1: HTTP 500, API code 1, An error occurred while droping session (https://pam.example.com, 1 attempt)",
				"2 sessions: 1 refused, 1 terminated.",
			},
		},
		{
			name:     "nothing is known",
			pam:      simulator.Config{Permission: simulator.DropOnly},
			sessions: visitors(1),
			want:     nil,
		},
		{
			name:      "too many",
			sessions:  visitors(1, 2),
			arguments: map[string]any{"max_sessions": 1},
			want:      []string{"Matched 2 sessions.", "2 sessions: 2 not_attempted."},
		},
		{
			name:      "dry run",
			sessions:  visitors(1, 2),
			arguments: map[string]any{"dry_run": true, "grace_period": "4m", "quiet_period": "4m"},
			want: []string{
				"Matched 2 sessions.", lineOf(1) + ": matched", lineOf(2) + ": matched",
				"Dry run: 2 sessions would be dropped now. Nobody was dropped.",
			},
		},
		{
			name:      "dry run with nobody",
			sessions:  []simulator.Session{visitorGone(9)},
			arguments: map[string]any{"dry_run": true},
			want:      []string{"Matched 0 sessions.", "Dry run: 0 sessions would be dropped now. Nobody was dropped."},
		},
		{
			name:      "dry run with too many: it would drop nobody",
			sessions:  visitors(1, 2),
			arguments: map[string]any{"dry_run": true, "max_sessions": 1},
			want:      []string{"Matched 2 sessions.", lineOf(1) + ": matched", lineOf(2) + ": matched"},
		},
		{
			name:      "dry run without permission to look",
			pam:       simulator.Config{Permission: simulator.DropOnly},
			sessions:  visitors(1),
			arguments: map[string]any{"dry_run": true},
			want:      nil,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			pam := inhabited(t, test.pam, test.sessions...)
			if test.script != nil {
				test.script(pam)
			}
			invocation := acctest.NewDriver(t, pam, nil).InvokeAction(terminateType, guard(test.arguments))
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
	pam := acctest.Start(t, simulator.Config{})
	for n := range 120 {
		pam.Sim.Add(visitor(n+1, simulator.Behavior{Refuse: n == 6}))
	}
	invocation := acctest.NewDriver(t, pam, nil).InvokeAction(terminateType, guard(nil))
	var want []string
	want = append(want, "Matched 120 sessions.", "Dropping 120 sessions.")
	for n := 12; n < 120; n += 12 {
		want = append(want, fmt.Sprintf("%d of 120 sessions ended.", n))
	}
	want = append(want, "Dropping 1 session.", lineOf(7)+": refused", "120 sessions: 119 terminated, 1 refused.")
	if !slices.EqualFunc(invocation.Progress, want, strings.HasPrefix) {
		t.Errorf("progress:\n%s\nwant:\n%s", strings.Join(invocation.Progress, "\n"), strings.Join(want, "\n"))
	}
	expectMessages(t, "diagnostic", invocation.Diagnostics, message{"1 session not ended", "", []string{lineOf(7) + ": refused", "119 sessions dropped and seen ended:"}})
}

// A dry run shows twenty, and everybody whom a drain would fail on.
func TestTerminateActionDryRunOfMany(t *testing.T) {
	t.Parallel()
	pam := acctest.Start(t, simulator.Config{})
	for n := range 25 {
		pam.Sim.Add(visitor(n+1, simulator.Behavior{}))
	}
	pam.Sim.Add(simulator.Session{RecordID: 26, SessionID: visitorID(26), User: "nobody-knows", Device: guarded + ":22"})
	invocation := acctest.NewDriver(t, pam, nil).InvokeAction(terminateType, guard(map[string]any{
		"dry_run": true, "exclude": map[string]any{"origin_ips": []string{"192.0.2.1"}},
	}))
	want := []string{"Matched 25 sessions."}
	for n := range 20 {
		want = append(want, lineOf(n+1)+": matched")
	}
	want = append(want, "And 5 more.", `session "hash-26" (nobody-knows on`, "Dry run: 25 sessions would be dropped now. Nobody was dropped.")
	if !slices.EqualFunc(invocation.Progress, want, strings.HasPrefix) {
		t.Errorf("progress:\n%s\nwant:\n%s", strings.Join(invocation.Progress, "\n"), strings.Join(want, "\n"))
	}
	pam.ExpectRequests(t, "token", "list")
	expectMessages(t, "diagnostic", invocation.Diagnostics)
}

// Every message arrives while the action runs, not at its end.
func TestTerminateActionProgressIsLive(t *testing.T) {
	t.Parallel()
	pam := inhabited(t, simulator.Config{}, visitors(1)...)
	dropsAt := map[string]int{}
	acctest.NewDriver(t, pam, nil).InvokeAction(terminateType, guard(nil), func(text string) {
		dropsAt[text] = pam.Sim.Count(simulator.OpDrop)
	})
	want := map[string]int{"Matched 1 session.": 0, "Dropping 1 session.": 0, lineOf(1) + ": terminated": 1, "1 session: 1 terminated.": 1}
	if !maps.Equal(dropsAt, want) {
		t.Errorf("drops at each message: %v, want %v", dropsAt, want)
	}
}

func TestTerminateActionInterrupted(t *testing.T) {
	t.Parallel()
	pam := inhabited(t, simulator.Config{}, visitor(1, simulator.Behavior{Zombie: true}))
	driver := acctest.NewDriver(t, pam, nil)
	whenActed(pam, simulator.OpGet, 3, driver.Stop)
	invocation := driver.InvokeAction(terminateType, guard(nil))
	expectMessages(t, "diagnostic", invocation.Diagnostics, message{"1 session not ended", "", []string{
		"The run was interrupted.", lineOf(1) + ": still_live", "An action keeps no state.",
	}})
}

func TestTerminateActionWithUnknownProvider(t *testing.T) {
	t.Parallel()
	pam := inhabited(t, simulator.Config{}, visitors(1)...)
	driver := acctest.NewDriver(t, pam, map[string]any{"url": acctest.Unknown})
	expectMessages(t, "diagnostic", driver.PlanAction(terminateType, guard(nil)))
	invocation := driver.InvokeAction(terminateType, guard(nil))
	expectMessages(t, "diagnostic", invocation.Diagnostics, message{"The provider's arguments are not known yet", "", []string{"`url`"}})
	if len(invocation.Progress) > 0 {
		t.Errorf("progress without PAM: %q", invocation.Progress)
	}
	pam.ExpectRequests(t)
}

// A plan of an action asks PAM nothing, also where it could.
func TestTerminateActionPlan(t *testing.T) {
	t.Parallel()
	pam := inhabited(t, simulator.Config{}, visitors(1)...)
	driver := acctest.NewDriver(t, pam, nil)
	expectMessages(t, "diagnostic", driver.PlanAction(terminateType, guard(map[string]any{"max_sessions": 0})))
	expectMessages(t, "diagnostic", driver.PlanAction(terminateType, guard(map[string]any{"match": map[string]any{"users": acctest.Unknown}})))
	pam.ExpectRequests(t)
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
// asked and nobody is dropped.
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
			pam := inhabited(t, simulator.Config{}, visitors(1)...)
			invocation := acctest.NewDriver(t, pam, nil).InvokeAction(terminateType, guard(map[string]any{"match": test.match}))
			errs := invocation.Diagnostics.Errors()
			if len(errs) != 1 || errs[0].Path != test.on {
				t.Errorf("want one error on %q, got:\n%s", test.on, invocation.Diagnostics)
			}
			pam.ExpectRequests(t)
			expectLive(t, pam, visitorID(1))
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
