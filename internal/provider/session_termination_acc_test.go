package provider_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

const terminationAddress = terminationType + ".test"

// accServer is a simulated server with alice's live session.
func accServer(t *testing.T, behavior simulator.Behavior) *acctest.Server {
	t.Helper()
	acctest.RequireTerraform(t)
	server := acctest.Start(t, simulator.Config{})
	server.Sim.Add(alice(behavior))
	return server
}

// terminationBlock is a termination of alice's session in HCL.
func terminationBlock(server *acctest.Server, arguments string) string {
	return server.ProviderBlock() + fmt.Sprintf("resource %q \"test\" {\n  session_id = %q\n  poll_interval = \"10ms\"\n  %s\n}\n", terminationType, aliceID, arguments)
}

func expectAction(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{
		PreApply:             []plancheck.PlanCheck{plancheck.ExpectResourceAction(terminationAddress, action)},
		PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
	}
}

func expectOutcome(outcome string) []statecheck.StateCheck {
	return []statecheck.StateCheck{
		statecheck.ExpectKnownValue(terminationAddress, tfjsonpath.New("outcome"), knownvalue.StringExact(outcome)),
	}
}

// expectDrops counts the requests since the last step, and gives a clean journal to
// the next one.
func expectDrops(t *testing.T, server *acctest.Server, want int) func() {
	t.Helper()
	return func() {
		t.Helper()
		if got := server.Sim.Count(simulator.OpDrop); got != want {
			t.Errorf("%d drops in the step before, want %d: %q", got, want, server.Requests())
		}
		server.Forget()
	}
}

func TestAccTermination(t *testing.T) {
	t.Parallel()
	server := accServer(t, simulator.Behavior{})
	t.Cleanup(expectDrops(t, server, 0)) // of the destruction
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(nil),
		Steps: []resource.TestStep{
			{
				Config:            terminationBlock(server, ""),
				ConfigPlanChecks:  expectAction(plancheck.ResourceActionCreate),
				ConfigStateChecks: expectOutcome("terminated"),
			},
			{
				PreConfig:        expectDrops(t, server, 1),
				Config:           terminationBlock(server, ""),
				ConfigPlanChecks: expectAction(plancheck.ResourceActionNoop),
			},
			{
				PreConfig:        expectDrops(t, server, 0),
				Config:           terminationBlock(server, "confirm = false\n  timeouts = { read = \"1m\" }"),
				ConfigPlanChecks: expectAction(plancheck.ResourceActionUpdate),
			},
			{
				// A purged session has ended: its record stays.
				PreConfig: func() {
					expectDrops(t, server, 0)()
					server.Sim.Purge(aliceID)
				},
				Config:            terminationBlock(server, "confirm = false\n  timeouts = { read = \"1m\" }"),
				ConfigPlanChecks:  expectAction(plancheck.ResourceActionNoop),
				ConfigStateChecks: expectOutcome("terminated"),
			},
			{
				PreConfig: expectDrops(t, server, 0),
				Config:    terminationBlock(server, "confirm = false\n  timeouts = { read = \"1m\" }"),
				Destroy:   true,
			},
		},
	})
}

func TestAccTerminationAccepted(t *testing.T) {
	t.Parallel()
	server := accServer(t, simulator.Behavior{Zombie: true})
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(nil),
		Steps: []resource.TestStep{{
			Config:            terminationBlock(server, "confirm = false"),
			ConfigPlanChecks:  expectAction(plancheck.ResourceActionCreate),
			ConfigStateChecks: expectOutcome("accepted"),
		}},
	})
	server.ExpectRequests(t, "token", dropAlice)
}

func TestAccTerminationAgain(t *testing.T) {
	t.Parallel()
	server := accServer(t, simulator.Behavior{})
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(nil),
		Steps: []resource.TestStep{
			{
				Config:            terminationBlock(server, "triggers = { ticket = \"1\" }"),
				ConfigStateChecks: expectOutcome("terminated"),
			},
			{
				PreConfig:         expectDrops(t, server, 1),
				Config:            terminationBlock(server, "triggers = { ticket = \"2\" }"),
				ConfigPlanChecks:  expectAction(plancheck.ResourceActionReplace),
				ConfigStateChecks: expectOutcome("already_ended"),
			},
			{
				PreConfig:         expectDrops(t, server, 1),
				Taint:             []string{terminationAddress},
				Config:            terminationBlock(server, "triggers = { ticket = \"2\" }"),
				ConfigPlanChecks:  expectAction(plancheck.ResourceActionReplace),
				ConfigStateChecks: expectOutcome("already_ended"),
			},
			{
				// An end is final, so it is not read again.
				PreConfig: func() {
					expectDrops(t, server, 1)()
					server.Sim.Inject(simulator.Fault{Kind: simulator.CutBefore})
				},
				Config:            terminationBlock(server, "triggers = { ticket = \"2\" }"),
				ConfigPlanChecks:  expectAction(plancheck.ResourceActionNoop),
				ConfigStateChecks: expectOutcome("already_ended"),
			},
		},
	})
	server.ExpectRequests(t)
}

// TestAccTerminationAcceptedAgain: a session that a refresh shows live leaves the
// state, and is terminated again.
func TestAccTerminationAcceptedAgain(t *testing.T) {
	t.Parallel()
	server := accServer(t, simulator.Behavior{Zombie: true})
	config := terminationBlock(server, "confirm = false\n  record_id = \""+aliceRecord+"\"")
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(nil),
		Steps: []resource.TestStep{
			{
				Config:             config,
				ConfigStateChecks:  expectOutcome("accepted"),
				ExpectNonEmptyPlan: true,
			},
			{
				PreConfig: func() {
					expectDrops(t, server, 1)()
					server.Sim.SetBehavior(aliceID, simulator.Behavior{})
				},
				Config:           config,
				ConfigPlanChecks: expectAction(plancheck.ResourceActionCreate),
			},
		},
	})
	expectDrops(t, server, 1)()
}

// TestAccTerminationUnconfirmed: a request whose result was not confirmed is saved, and
// the next apply completes it.
func TestAccTerminationUnconfirmed(t *testing.T) {
	t.Parallel()

	const stillLive = "Session is live; it will be terminated on the next apply"
	tests := map[string]struct {
		meanwhile func(*simulator.Simulator)
		action    plancheck.ResourceActionType
		outcome   string
		warned    bool
	}{
		"still live": {
			// The refresh sees it, so that it leaves the state before it is replaced.
			meanwhile: func(sim *simulator.Simulator) { sim.SetBehavior(aliceID, simulator.Behavior{}) },
			action:    plancheck.ResourceActionCreate,
			outcome:   "terminated",
			warned:    true,
		},
		"ended in the meantime": {
			meanwhile: func(sim *simulator.Simulator) { sim.End(aliceID) },
			action:    plancheck.ResourceActionReplace,
			outcome:   "already_ended",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := accServer(t, simulator.Behavior{Zombie: true})
			config := terminationBlock(server, "timeouts = { create = \"2s\" }")
			spy := &acctest.Spy{}
			resource.Test(t, resource.TestCase{
				ProtoV6ProviderFactories: acctest.Factories(spy),
				Steps: []resource.TestStep{
					{
						Config:      config,
						ExpectError: regexp.MustCompile(`Session still live`),
					},
					{
						PreConfig: func() {
							expectDrops(t, server, 2)() // an accepted one that did nothing is repeated
							test.meanwhile(server.Sim)
						},
						Config:            config,
						ConfigPlanChecks:  expectAction(test.action),
						ConfigStateChecks: expectOutcome(test.outcome),
					},
				},
			})
			expectDrops(t, server, 1)()
			warned := slices.ContainsFunc(spy.Warnings(), func(d acctest.Diagnostic) bool { return strings.HasPrefix(d.Summary, stillLive) })
			if warned != test.warned {
				t.Errorf("warned of a live session: %t\n%s", warned, spy.Warnings())
			}
		})
	}
}

func TestAccTerminationImport(t *testing.T) {
	t.Parallel()
	acctest.RequireTerraform(t)
	server := acctest.Start(t, simulator.Config{})
	server.Sim.Add(endedAlice())
	importBlock := server.ProviderBlock() + fmt.Sprintf(`
import {
  to = %s
  id = %q
}

resource %q "test" {
  session_id = %q
}
`, terminationAddress, aliceID, terminationType, aliceID)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(nil),
		Steps: []resource.TestStep{{
			Config:            importBlock,
			ConfigPlanChecks:  expectAction(plancheck.ResourceActionNoop),
			ConfigStateChecks: expectOutcome("already_ended"),
		}},
	})
	if n := server.Sim.Count(simulator.OpDrop); n != 0 {
		t.Errorf("%d drops, want none", n)
	}
}

func TestAccTerminationImportLive(t *testing.T) {
	t.Parallel()
	server := accServer(t, simulator.Behavior{})
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(nil),
		Steps: []resource.TestStep{{
			Config:        terminationBlock(server, ""),
			ResourceName:  terminationAddress,
			ImportState:   true,
			ImportStateId: aliceID,
			ExpectError:   regexp.MustCompile(`Can't import a live session`),
		}},
	})
	if n := server.Sim.Count(simulator.OpDrop); n != 0 {
		t.Errorf("%d drops, want none", n)
	}
}

func TestAccTerminationImportByIdentity(t *testing.T) {
	t.Parallel()
	acctest.SkipUnlessIdentity(t)
	server := acctest.Start(t, simulator.Config{})
	server.Sim.Add(endedAlice())
	// The step fails unless the plan after the import is empty.
	config := server.ProviderBlock() + fmt.Sprintf("resource %q \"test\" {\n  session_id = %q\n}\n", terminationType, aliceID)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(nil),
		Steps: []resource.TestStep{
			{
				Config:            config,
				ConfigStateChecks: expectOutcome("already_ended"),
			},
			{
				PreConfig:       expectDrops(t, server, 1),
				ResourceName:    terminationAddress,
				ImportState:     true,
				ImportStateKind: resource.ImportBlockWithResourceIdentity,
			},
		},
	})
	expectDrops(t, server, 0)()
}

// TestAccTerminationReplaceOption: -replace forces another run.
func TestAccTerminationReplaceOption(t *testing.T) {
	t.Parallel()
	server := accServer(t, simulator.Behavior{})
	tf := acctest.NewTerraform(t, server, fmt.Sprintf("resource %q \"test\" {\n  session_id = %q\n}\n", terminationType, aliceID))
	tf.MustRun("apply", "-auto-approve", "-no-color")
	expectDrops(t, server, 1)()

	run := tf.Run("plan", "-detailed-exitcode", "-no-color")
	if run.Code != 0 {
		t.Errorf("a plan after the apply has exit code %d:\n%s", run.Code, run.Output())
	}
	expectDrops(t, server, 0)()

	tf.MustRun("apply", "-auto-approve", "-no-color", "-replace="+terminationAddress)
	expectDrops(t, server, 1)()

	tf.MustRun("destroy", "-auto-approve", "-no-color", "-refresh=false")
	server.ExpectRequests(t)
}

// TestAccTerminationOffline: validate, and the plan of a termination, ask nothing.
func TestAccTerminationOffline(t *testing.T) {
	t.Parallel()
	server := accServer(t, simulator.Behavior{})
	tf := acctest.NewTerraform(t, server, fmt.Sprintf("resource %q \"test\" {\n  session_id = %q\n}\n", terminationType, aliceID))
	tf.MustRun("validate", "-no-color")
	tf.MustRun("plan", "-no-color")
	server.ExpectRequests(t)
}
