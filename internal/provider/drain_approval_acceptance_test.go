package provider_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// approved is a drain that terminates what its plan showed and nothing else.
func approved(arguments string) string { return drainOf("only_previewed = true\n" + arguments) }

const notApproved = "not in the approved plan" + ofDrain

// planned saves a plan, and gives what it says.
func (s *site) planned(options ...string) acctest.Run {
	s.t.Helper()
	return s.MustRun(append([]string{"plan", "-out=saved.tfplan", "-no-color"}, options...)...)
}

// expectTerminated compares the sessions for which a request was sent, in any order, and
// forgets them.
func (s *site) expectTerminated(numbers ...int) {
	s.t.Helper()
	var want []string
	for _, n := range numbers {
		want = append(want, visitorID(n))
	}
	if got := dropsOf(s.server); !slices.Equal(got, want) {
		s.t.Errorf("requests for %q, want %q", got, want)
	}
}

// Sessions start and end between the plan of a destroy and its apply.
func TestAccDrainApprovedPlan(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		drain string
		// meanwhile runs between plan and apply, while sessions 1 and 2 are live.
		meanwhile  func(*simulator.Simulator)
		fails      bool
		output     []string
		terminated []int
	}{
		"the same sessions": {
			drain: approved(""), terminated: []int{1, 2},
			output: []string{"Warning: Terminated 2 sessions" + ofDrain},
		},
		"one more": {
			drain:     approved(""),
			meanwhile: func(sim *simulator.Simulator) { sim.Add(visitor(3, simulator.Behavior{})) },
			fails:     true,
			output: []string{
				"Error: 1 session " + notApproved, "Not shown by the plan: " + lineOf(3),
				"Not terminated: " + lineOf(1), "Not terminated: " + lineOf(2), noneTerminated, "Plan the destroy again",
			},
		},
		"one more, and on_failure = continue": {
			drain:     approved(`on_failure = "continue"`),
			meanwhile: func(sim *simulator.Simulator) { sim.Add(visitor(3, simulator.Behavior{})) },
			fails:     true,
			output:    []string{"Error: 1 session " + notApproved, "Not shown by the plan: " + lineOf(3)},
		},
		"one fewer": {
			drain:      approved(""),
			meanwhile:  func(sim *simulator.Simulator) { sim.End(visitorID(2)) },
			output:     []string{"Warning: Terminated 1 session" + ofDrain, "Shown by the plan, ended before the drain: " + lineOf(2)},
			terminated: []int{1},
		},
		"the same user in a new session": {
			drain: approved(""),
			meanwhile: func(sim *simulator.Simulator) {
				sim.End(visitorID(1))
				again := visitor(3, simulator.Behavior{})
				again.User = visitor(1, simulator.Behavior{}).User
				sim.Add(again)
			},
			fails:  true,
			output: []string{"Error: 1 session " + notApproved, "Not shown by the plan: user-1 on " + guarded + ":22", "session " + visitorID(3)},
		},
		"a session that this authorization sees no more": {
			drain:      approved(""),
			meanwhile:  func(sim *simulator.Simulator) { sim.Purge(visitorID(2)) },
			fails:      true,
			output:     []string{"Error: Can't tell whether 1 of 2 sessions ended" + ofDrain, "Can't tell whether the session ended: " + lineOf(2), "Terminated: " + lineOf(1)},
			terminated: []int{1},
		},
		"any session, and the result tells": {
			drain: drainOf(""),
			meanwhile: func(sim *simulator.Simulator) {
				sim.End(visitorID(2))
				sim.Add(visitor(3, simulator.Behavior{}))
			},
			output: []string{
				"Warning: Terminated 2 sessions" + ofDrain, "Terminated: " + lineOf(1), "Terminated, not shown by the plan: " + lineOf(3),
				"Shown by the plan, ended before the drain: " + lineOf(2),
			},
			terminated: []int{1, 3},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := buildSite(t, machine+test.drain)
			for _, n := range []int{1, 2} {
				s.server.Sim.Add(visitor(n, simulator.Behavior{}))
			}
			expectOutput(t, s.planned("-destroy"), "Warning: 2 sessions match"+ofDrain, "Matching: "+lineOf(1), "Matching: "+lineOf(2))
			if test.meanwhile != nil {
				test.meanwhile(s.server.Sim)
			}
			s.expectTerminated()

			run := s.Run("apply", "-no-color", "saved.tfplan")
			if (run.Code != 0) != test.fails {
				t.Fatalf("exit code %d\n%s", run.Code, run.Output())
			}
			expectOutput(t, run, test.output...)
			s.expectTerminated(test.terminated...)
			if !test.fails {
				s.expectState()
				s.expectUp(0)
				return
			}
			s.expectState(drainAddress, machineAddress)
			s.expectUp(1)
		})
	}
}

// A destroy that failed needs a new plan, which shows what is live then.
func TestAccDrainApprovedAgain(t *testing.T) {
	t.Parallel()
	s := buildSite(t, machine+approved(""))
	s.server.Sim.Add(visitor(1, simulator.Behavior{}))
	s.planned("-destroy")
	s.server.Sim.Add(visitor(2, simulator.Behavior{}))
	if run := s.Run("apply", "-no-color", "saved.tfplan"); run.Code != 1 {
		t.Fatalf("exit code %d\n%s", run.Code, run.Output())
	}
	s.expectTerminated()

	expectOutput(t, s.planned("-destroy"), "Warning: 2 sessions match"+ofDrain)
	s.MustRun("apply", "saved.tfplan")
	s.expectTerminated(1, 2)
	s.expectState()
	s.expectUp(0)
}

// Plan and apply of one command are two processes too.
func TestAccDrainApprovedAtOnce(t *testing.T) {
	t.Parallel()
	s := buildSite(t, machine+approved(""))
	s.server.Sim.Add(visitor(1, simulator.Behavior{}))
	expectOutput(t, s.apply("-destroy"), "Warning: Terminated 1 session"+ofDrain)
	s.expectTerminated(1)
	s.expectState()
}

// Without its preview nothing can be approved, so the plan fails.
func TestAccDrainApprovalNeedsAPreview(t *testing.T) {
	t.Parallel()
	s := buildSite(t, machine+approved(""))
	s.server.Sim.Add(visitor(1, simulator.Behavior{}))
	s.server.Sim.Inject(simulator.Fault{Op: simulator.OpList, Kind: simulator.Forbidden403})
	run := s.Run("plan", "-destroy", "-no-color", "-out=saved.tfplan")
	if run.Code != 1 {
		t.Errorf("exit code %d, want 1", run.Code)
	}
	expectOutput(t, run, "Error: Can't preview sessions: the authorization is missing a permission", "The plan fails, because `only_previewed` is `true`.")
	s.expectTerminated()
}

// A replacement is approved like a destroy.
func TestAccDrainApprovedReplacement(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		drain   string
		options []string
	}{
		"the match refers to the machine": {approved(""), []string{"-var=generation=2"}},
		"triggers":                        {approved("triggers = { generation = var.generation }"), []string{"-var=generation=2"}},
	} {
		for _, more := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/one more: %t", name, more), func(t *testing.T) {
				t.Parallel()
				s := buildSite(t, machine+test.drain)
				s.server.Sim.Add(visitor(1, simulator.Behavior{}))
				expectOutput(t, s.planned(test.options...), "Warning: 1 session matches"+ofDrain, "Matching: "+lineOf(1))
				if more {
					s.server.Sim.Add(visitor(2, simulator.Behavior{}))
				}
				run := s.Run("apply", "-no-color", "saved.tfplan")
				s.expectUp(1)
				if more {
					if run.Code != 1 {
						t.Errorf("exit code %d, want 1\n%s", run.Code, run.Output())
					}
					expectOutput(t, run, "Error: 1 session "+notApproved, "Not shown by the plan: "+lineOf(2), "Not terminated: "+lineOf(1))
					s.expectTerminated()
					return
				}
				if run.Code != 0 {
					t.Fatalf("exit code %d\n%s", run.Code, run.Output())
				}
				s.expectTerminated(1)
				if again := s.Run(append([]string{"plan", "-detailed-exitcode", "-no-color"}, variables(test.options)...)...); again.Code != 0 {
					t.Errorf("the second plan is not empty:\n%s", again.Output())
				}
			})
		}
	}
}

// variables gives the options that set variables.
func variables(options []string) []string {
	return slices.DeleteFunc(slices.Clone(options), func(option string) bool { return !strings.HasPrefix(option, "-var=") })
}

// Terraform drops the preview of a tainted drain, and plans the destroy of a deposed
// one again during apply. No caller has approved either, so nothing is terminated.
func TestAccDrainNotApproved(t *testing.T) {
	t.Parallel()
	t.Run("tainted", func(t *testing.T) {
		t.Parallel()
		s := buildSite(t, machine+approved(""))
		s.server.Sim.Add(visitor(1, simulator.Behavior{}))
		s.MustRun("taint", drainAddress)
		expectOutput(t, s.applyFails(), "Error: 1 session "+notApproved, "No preview reached this destroy", "terraform untaint", "Not shown by the plan: "+lineOf(1))
		s.expectTerminated()
		s.expectState(drainAddress, machineAddress)

		s.MustRun("untaint", drainAddress)
		s.apply("-destroy")
		s.expectTerminated(1)
	})
	// Terraform shows no preview of these replacements, so it can't be approved.
	for name, option := range map[string]string{"-replace": "-replace=" + drainAddress, "replace_triggered_by": "-var=generation=2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := buildSite(t, machine+`
resource "senhasegura_session_drain" "machine" {
  match          = { devices = ["`+guarded+`"] }
  only_previewed = true

  lifecycle {
    replace_triggered_by = [terraform_data.machine]
  }
}
`)
			s.server.Sim.Add(visitor(1, simulator.Behavior{}))
			s.planned(option)
			run := s.Run("apply", "-no-color", "saved.tfplan")
			if run.Code != 1 {
				t.Errorf("exit code %d, want 1\n%s", run.Code, run.Output())
			}
			expectOutput(t, run, "Error: 1 session "+notApproved, "No preview reached this destroy", "To replace it, change `triggers`.")
			s.expectTerminated()
			s.expectState(drainAddress, machineAddress)
			s.expectUp(1)
		})
	}
	t.Run("deposed", func(t *testing.T) {
		t.Parallel()
		s := buildSite(t, machine+approved("triggers = { generation = var.generation }\nlifecycle {\n create_before_destroy = true\n}"))
		s.server.Sim.Add(visitor(1, simulator.Behavior{}))
		s.planned("-var=generation=2")
		run := s.Run("apply", "-no-color", "saved.tfplan")
		if run.Code != 1 {
			t.Errorf("exit code %d, want 1\n%s", run.Code, run.Output())
		}
		expectOutput(t, run, "Error: 1 session "+notApproved, "planned this destroy during apply", "Not shown by the plan: "+lineOf(1))
		s.expectTerminated()
		if machines := s.machines(); machines != 2 {
			t.Errorf("%d machines in the state, want the new one and the old one", machines)
		}

		// Where no session is live, nothing has to be approved.
		s.server.Sim.End(visitorID(1))
		s.apply("-var=generation=2")
		s.expectTerminated()
		if machines := s.machines(); machines != 1 {
			t.Errorf("%d machines in the state, want the new one", machines)
		}
	})
}

// A crowd is named one by one, because only what was shown can be approved.
func TestAccDrainApprovedManySessions(t *testing.T) {
	t.Parallel()
	const crowd = 2000
	s := buildSite(t, machine+approved(""))
	for n := range crowd {
		s.server.Sim.Add(visitor(100+n, simulator.Behavior{}))
	}
	plan := s.planned("-destroy")
	if got := strings.Count(byTitle(plan.Output()), "Matching: user-"); got != crowd {
		t.Errorf("the plan names %d sessions, want %d", got, crowd)
	}
	s.MustRun("apply", "saved.tfplan")
	if got := len(dropsOf(s.server)); got != crowd {
		t.Errorf("%d requests, want %d", got, crowd)
	}
	s.expectState()
}
