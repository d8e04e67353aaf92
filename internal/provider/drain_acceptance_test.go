package provider_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// machine stands for what a drain guards. It is up from its creation to its
// destruction, which a file shows.
const machine = `
variable "generation" {
  default = 1
}

resource "terraform_data" "machine" {
  input            = "` + guarded + `"
  triggers_replace = var.generation

  provisioner "local-exec" {
    command = "touch machine-${self.id}.up"
  }
  provisioner "local-exec" {
    when    = destroy
    command = "rm machine-${self.id}.up"
  }
}
`

// drainOf gives a drain of the machine with further arguments.
func drainOf(arguments string) string {
	return `
resource "senhasegura_session_drain" "machine" {
  match         = { devices = [terraform_data.machine.output] }
  poll_interval = "10ms"
  timeouts      = { delete = "20s" }
` + arguments + `
}
`
}

// site is a machine and a drain under a real Terraform, with what the requests
// meant to the machine.
type site struct {
	*acctest.Terraform
	t      *testing.T
	server *acctest.Server

	mu sync.Mutex
	// upAtDrop says for each request how many machines were up.
	upAtDrop map[string][]int
}

// buildSite applies a configuration while no session is live, and checks that the
// second plan is empty. The machine has been used before.
func buildSite(t *testing.T, config string) *site {
	t.Helper()
	server := inhabited(t, simulator.Config{}, visitorGone(90))
	s := &site{Terraform: acctest.NewTerraform(t, server, config), t: t, server: server, upAtDrop: map[string][]int{}}
	server.Sim.OnActed(func(r simulator.Request) {
		if r.Op != simulator.OpDrop {
			return
		}
		up := s.up()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.upAtDrop[r.Object] = append(s.upAtDrop[r.Object], up)
	})
	s.apply()
	s.expectNoChanges()
	return s
}

// up is how many machines are up.
func (s *site) up() int {
	files, err := filepath.Glob(filepath.Join(s.Dir, "machine-*.up"))
	if err != nil {
		s.t.Error(err) // not Fatal: a hook of the simulator calls it
	}
	return len(files)
}

func (s *site) apply(options ...string) acctest.Run {
	s.t.Helper()
	return s.MustRun(append([]string{"apply", "-auto-approve", "-no-color"}, options...)...)
}

// applyFails is apply where the command must not succeed.
func (s *site) applyFails(options ...string) acctest.Run {
	s.t.Helper()
	run := s.Run(append([]string{"apply", "-auto-approve", "-no-color"}, options...)...)
	if run.Code != 1 {
		s.t.Fatalf("exit code %d, want 1\n%s", run.Code, run.Output())
	}
	return run
}

func (s *site) expectNoChanges() {
	s.t.Helper()
	if run := s.Run("plan", "-detailed-exitcode", "-no-color"); run.Code != 0 {
		s.t.Errorf("the second plan is not empty:\n%s", run.Output())
	}
}

// expectState compares the resources in the state, by address.
func (s *site) expectState(want ...string) {
	s.t.Helper()
	if got := strings.Fields(s.MustRun("state", "list").Stdout); !slices.Equal(got, want) {
		s.t.Errorf("in the state: %q, want %q", got, want)
	}
}

// machines is how many machines the state holds, those that
// wait for their destruction included.
func (s *site) machines() int {
	s.t.Helper()
	var state struct {
		Resources []struct {
			Type      string            `json:"type"`
			Instances []json.RawMessage `json:"instances"`
		} `json:"resources"`
	}
	if err := json.Unmarshal([]byte(s.Read("terraform.tfstate")), &state); err != nil {
		s.t.Fatal(err)
	}
	n := 0
	for _, r := range state.Resources {
		if r.Type == "terraform_data" {
			n += len(r.Instances)
		}
	}
	return n
}

func (s *site) expectUp(want int) {
	s.t.Helper()
	if got := s.up(); got != want {
		s.t.Errorf("%d machines are up, want %d", got, want)
	}
}

// expectTerminatedBefore checks that each of the sessions got one termination request,
// while that many machines were up.
func (s *site) expectTerminatedBefore(up int, sessions ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range sessions {
		if got := s.upAtDrop[id]; !slices.Equal(got, []int{up}) {
			s.t.Errorf("%s was terminated while so many machines were up: %v, want once, and %d", id, got, up)
		}
	}
	if len(s.upAtDrop) != len(sessions) {
		s.t.Errorf("terminated were %v, want %q", s.upAtDrop, sessions)
	}
}

// expectOutput checks what a person sees. Terraform breaks lines, so white space
// and the bars at the left count as one blank. Entries of lists are as byTitle gives them.
func expectOutput(t *testing.T, run acctest.Run, parts ...string) {
	t.Helper()
	output := flattened(run.Output() + "\n" + byTitle(run.Output()))
	for _, part := range parts {
		if !strings.Contains(output, flattened(part)) {
			t.Errorf("the output does not say %q:\n%s", part, run.Output())
		}
	}
}

// expectOrder checks that lines which match come in this order.
func expectOrder(t *testing.T, run acctest.Run, lines ...string) {
	t.Helper()
	if !regexp.MustCompile(`(?s)` + strings.Join(lines, `.*`)).MatchString(run.Stdout) {
		t.Errorf("the output does not have %q, in this order:\n%s", lines, run.Stdout)
	}
}

var blanks = regexp.MustCompile(`[\s│╷╵]+`)

func flattened(text string) string { return blanks.ReplaceAllString(text, " ") }

const (
	machineAddress = "terraform_data.machine"
	drainAddress   = "senhasegura_session_drain.machine"
)

// The promise: with a session that does not end, the machine is not destroyed,
// and it is with the second run after the session gives in.
func TestAccDrainBlocksDestroy(t *testing.T) {
	t.Parallel()
	s := buildSite(t, machine+drainOf(""))
	s.server.Sim.Add(visitor(1, simulator.Behavior{Refuse: true}))
	s.server.Sim.Add(visitor(2, simulator.Behavior{}))

	failed := s.applyFails("-destroy")

	expectOutput(t, failed,
		"Warning: 2 sessions match"+ofDrain, "Matching at 20", "Matching: "+lineOf(1), "Matching: "+lineOf(2),
		"Error: 1 of 2 sessions still live"+ofDrain, "Still live: "+lineOf(1)+": refused", "Terminated: "+lineOf(2),
		staysInState, checkInSenhasegura)
	s.expectState(drainAddress, machineAddress)
	s.expectUp(1)
	expectLive(t, s.server, visitorID(1))

	s.server.Sim.SetBehavior(visitorID(1), simulator.Behavior{})
	s.mu.Lock()
	s.upAtDrop = map[string][]int{}
	s.mu.Unlock()
	expectOutput(t, s.apply("-destroy"), "Warning: Terminated 1 session"+ofDrain, "Terminated: "+lineOf(1))
	s.expectTerminatedBefore(1, visitorID(1))
	s.expectState()
	s.expectUp(0)
	expectLive(t, s.server)
}

// A session that a failed destroy could not settle is remembered by a later command,
// which is another process with the same state. The user's word releases it.
func TestAccDrainKeepsUnsettledSessions(t *testing.T) {
	t.Parallel()
	s := buildSite(t, machine+drainOf(""))
	s.server.Sim.Add(visitor(1, simulator.Behavior{}))
	whenActed(s.server, simulator.OpDrop, 1, func() { s.server.Sim.Purge(visitorID(1)) })

	for range 2 {
		expectOutput(t, s.applyFails("-destroy"), "Error: Can't tell whether 1 session ended"+ofDrain, "Can't tell whether the session ended: "+lineOf(1), "`exclude.session_ids`", staysInState)
		s.expectState(drainAddress, machineAddress)
		s.expectUp(1)
	}
	if got := dropsOf(s.server); len(got) != 1 {
		t.Errorf("%d requests, want 1", len(got))
	}
	s.Write("main.tf", machine+drainOf(`exclude = { session_ids = ["`+visitorID(1)+`"] }`))
	s.apply("-target=" + drainAddress)
	s.apply("-destroy")
	s.expectState()
	s.expectUp(0)
}

func TestAccDrainPlan(t *testing.T) {
	t.Parallel()
	s := buildSite(t, machine+drainOf("max_sessions = 1"))
	s.server.Sim.Add(visitor(1, simulator.Behavior{}))
	expectOutput(t, s.MustRun("plan", "-destroy", "-no-color"), "Warning: 1 session matches"+ofDrain, "Matching: "+lineOf(1), "Destroying this drain terminates the sessions that match at that time.")

	s.server.Sim.Add(visitor(2, simulator.Behavior{}))
	planned := s.Run("plan", "-destroy", "-no-color")
	if planned.Code != 1 {
		t.Errorf("a plan that matches too many has exit code %d", planned.Code)
	}
	expectOutput(t, planned, "Error: "+tooMany+ofDrain, "Matching: "+lineOf(1), "Matching: "+lineOf(2))
	s.expectTerminatedBefore(1)
}

// Taking the drain out of the configuration drains, and fails like a destroy.
func TestAccDrainRemovedFromConfiguration(t *testing.T) {
	t.Parallel()
	s := buildSite(t, machine+drainOf(""))
	s.server.Sim.Add(visitor(1, simulator.Behavior{RefuseFirst: 5}))
	s.Write("main.tf", machine)
	expectOutput(t, s.applyFails(), "Error: 1 session still live"+ofDrain, "Still live: "+lineOf(1)+": refused")
	s.expectState(drainAddress, machineAddress)

	s.server.Sim.SetBehavior(visitorID(1), simulator.Behavior{})
	expectOutput(t, s.apply(), "Warning: Terminated 1 session"+ofDrain, "Terminated: "+lineOf(1))
	s.expectState(machineAddress)
	s.expectUp(1)
	expectLive(t, s.server)
}

// Taking both out keeps the order.
func TestAccDrainRemovedWithMachine(t *testing.T) {
	t.Parallel()
	s := buildSite(t, machine+drainOf(""))
	s.server.Sim.Add(visitor(1, simulator.Behavior{}))
	s.Write("main.tf", `variable "generation" {}`)
	run := s.apply("-var=generation=1")
	s.expectTerminatedBefore(1, visitorID(1))
	// Terraform runs no provisioner of a block that is gone.
	expectOrder(t, run, drainAddress+`: Destruction complete`, machineAddress+`: Destroying`)
	s.expectState()
}

// A machine that is replaced under the same address is drained first.
func TestAccDrainReplacedMachine(t *testing.T) {
	t.Parallel()
	for name, drain := range map[string]string{
		"the match refers to it": drainOf(""),
		"triggers": `
resource "senhasegura_session_drain" "machine" {
  match         = { devices = ["` + guarded + `"] }
  triggers      = { machine = terraform_data.machine.id }
  poll_interval = "10ms"
}
`,
		"replace_triggered_by": `
resource "senhasegura_session_drain" "machine" {
  match         = { devices = ["` + guarded + `"] }
  poll_interval = "10ms"

  lifecycle {
    replace_triggered_by = [terraform_data.machine]
  }
}
`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := buildSite(t, machine+drain)
			s.server.Sim.Add(visitor(1, simulator.Behavior{}))
			expectOutput(t, s.apply("-var=generation=2"), "Warning: Terminated 1 session"+ofDrain, "Terminated: "+lineOf(1))
			s.expectTerminatedBefore(1, visitorID(1))
			s.expectState(drainAddress, machineAddress)
			s.expectUp(1)
			if plan := s.Run("plan", "-detailed-exitcode", "-var=generation=2"); plan.Code != 0 {
				t.Errorf("the second plan is not empty:\n%s", plan.Output())
			}
		})
	}
}

func TestAccDrainBlocksReplacement(t *testing.T) {
	t.Parallel()
	s := buildSite(t, machine+drainOf("triggers = { machine = terraform_data.machine.id }"))
	s.server.Sim.Add(visitor(1, simulator.Behavior{Refuse: true}))
	before := s.MustRun("state", "show", "-no-color", machineAddress).Stdout
	expectOutput(t, s.applyFails("-var=generation=2"), "Error: 1 session still live"+ofDrain, staysInState)
	s.expectState(drainAddress, machineAddress)
	s.expectUp(1)
	if after := s.MustRun("state", "show", "-no-color", machineAddress).Stdout; after != before {
		t.Errorf("the machine was touched:\n%s\nbefore:\n%s", after, before)
	}
}

// With create_before_destroy the new machine comes first, and the old one goes
// only when it is drained.
func TestAccDrainCreateBeforeDestroy(t *testing.T) {
	t.Parallel()
	s := buildSite(t, machine+drainOf(`
  triggers = { machine = terraform_data.machine.id }

  lifecycle {
    create_before_destroy = true
  }
`))
	s.server.Sim.Add(visitor(1, simulator.Behavior{Refuse: true}))
	expectOutput(t, s.applyFails("-var=generation=2"), "Error: 1 session still live"+ofDrain)
	if machines := s.machines(); machines != 2 {
		t.Errorf("%d machines in the state, want the new one and the old one", machines)
	}

	s.server.Sim.SetBehavior(visitorID(1), simulator.Behavior{})
	s.mu.Lock()
	s.upAtDrop = map[string][]int{}
	s.mu.Unlock()
	run := s.apply("-var=generation=2")
	s.expectTerminatedBefore(2, visitorID(1))
	// Terraform runs no provisioner of an object that was replaced like this.
	expectOrder(t, run, drainAddress+`( \(deposed object \w+\))?: Destruction complete`, machineAddress+`( \(deposed object \w+\))?: Destroying`)
	if machines := s.machines(); machines != 1 {
		t.Errorf("%d machines in the state, want the new one", machines)
	}
}

func TestAccDrainTargets(t *testing.T) {
	t.Parallel()
	t.Run("the machine takes its drain along", func(t *testing.T) {
		t.Parallel()
		s := buildSite(t, machine+drainOf(""))
		s.server.Sim.Add(visitor(1, simulator.Behavior{}))
		s.apply("-destroy", "-target="+machineAddress)
		s.expectTerminatedBefore(1, visitorID(1))
		s.expectState()
		s.expectUp(0)
	})
	t.Run("the drain alone", func(t *testing.T) {
		t.Parallel()
		s := buildSite(t, machine+drainOf(""))
		s.server.Sim.Add(visitor(1, simulator.Behavior{}))
		s.apply("-destroy", "-target="+drainAddress)
		s.expectTerminatedBefore(1, visitorID(1))
		s.expectState(machineAddress)
		s.expectUp(1)
	})
}

// A tainted drain is replaced, so it drains.
func TestAccDrainTainted(t *testing.T) {
	t.Parallel()
	s := buildSite(t, machine+drainOf(""))
	s.server.Sim.Add(visitor(1, simulator.Behavior{}))
	s.MustRun("taint", drainAddress)
	expectOutput(t, s.apply(), "Warning: Terminated 1 session"+ofDrain)
	s.expectTerminatedBefore(1, visitorID(1))
	s.expectState(drainAddress, machineAddress)
	s.expectUp(1)
	s.expectNoChanges()
}

func TestAccDrainOnFailureContinue(t *testing.T) {
	t.Parallel()
	s := buildSite(t, machine+drainOf(`on_failure = "continue"`))
	s.server.Sim.Add(visitor(1, simulator.Behavior{Refuse: true}))
	expectOutput(t, s.apply("-destroy"), "Warning: 1 session still live"+ofDrain, "Still live: "+lineOf(1)+": refused", goesOn)
	s.expectState()
	s.expectUp(0)
	expectLive(t, s.server, visitorID(1))
}

// A drain at creation comes before what refers to it, and one that failed is
// repeated by the next apply.
func TestAccDrainOnCreate(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitor(1, simulator.Behavior{Refuse: true}))
	s := &site{Terraform: acctest.NewTerraform(t, server, `
resource "senhasegura_session_drain" "machine" {
  match         = { devices = ["`+guarded+`"] }
  drain_on      = ["create"]
  poll_interval = "10ms"
}

resource "terraform_data" "maintenance" {
  input = senhasegura_session_drain.machine.id
}

output "outcomes" {
  value = [for s in senhasegura_session_drain.machine.sessions : "${s.user} ${s.outcome}"]
}
`), t: t, server: server}
	expectOutput(t, s.applyFails(), "Warning: 1 session matches"+ofDrain, "Error: 1 session still live"+ofDrain, tainted)
	s.expectState(drainAddress)

	server.Sim.SetBehavior(visitorID(1), simulator.Behavior{})
	expectOutput(t, s.apply(), "Warning: Terminated 1 session"+ofDrain, `"user-1 terminated"`)
	s.expectState(drainAddress, "terraform_data.maintenance")
	s.expectNoChanges()
	expectLive(t, server)
}

// Changes that need no drain send no request, and the next drain uses them.
func TestAccDrainUpdatedInPlace(t *testing.T) {
	t.Parallel()
	s := buildSite(t, machine+drainOf(""))
	s.server.Sim.Add(visitor(1, simulator.Behavior{}))
	s.server.Sim.Add(visitor(2, simulator.Behavior{}))
	s.server.Forget()
	s.Write("main.tf", machine+drainOf(`
  exclude      = { users = ["user-1"] }
  on_excluded  = "continue"
  max_sessions = 1
  quiet_period = "20ms"
`))
	expectOutput(t, s.apply(), "0 added, 1 changed, 0 destroyed")
	// A changed exclude is checked against the list, and nothing else is asked.
	for _, request := range s.server.Requests() {
		if request != "token" && request != "list" {
			t.Errorf("an update made the request %q", request)
		}
	}
	s.expectNoChanges()
	s.apply("-destroy")
	s.expectTerminatedBefore(1, visitorID(2))
	expectLive(t, s.server, visitorID(1))
}

// Where previews are off, no plan makes a call.
func TestAccDrainWithoutPreview(t *testing.T) {
	t.Parallel()
	s := buildSite(t, machine+drainOf("preview = false"))
	s.server.Sim.Add(visitor(1, simulator.Behavior{}))
	s.server.Forget()
	s.MustRun("plan", "-destroy")
	s.server.ExpectRequests(t)
}

// Terraform merges warnings of one summary, so every drain needs its own. Otherwise
// sessions that were terminated, or are still live, would go unreported.
func TestAccDrainWarningsAreNotMerged(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		behavior simulator.Behavior
		title    string
	}{
		"terminated": {simulator.Behavior{}, "Terminated: "},
		"still live": {simulator.Behavior{Refuse: true}, "Still live: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t, simulator.Config{})
			s := &site{t: t, server: server, Terraform: acctest.NewTerraform(t, server, `
resource "senhasegura_session_drain" "each" {
  for_each      = toset(["user-1", "user-2", "user-3"])
  match         = { users = [each.key] }
  on_failure    = "continue"
  poll_interval = "10ms"
}
`)}
			s.apply()
			for n := range 3 {
				server.Sim.Add(visitor(n+1, test.behavior))
			}
			run := s.apply("-destroy")
			for n := range 3 {
				expectOutput(t, run, "Matching: "+lineOf(n+1), test.title+lineOf(n+1))
			}
		})
	}
}

const terminateAction = `
action "senhasegura_session_terminate" "machine" {
  config {
    match         = { devices = ["` + guarded + `"] }
    poll_interval = "10ms"
  }
}
`

func TestAccTerminateActionInvoked(t *testing.T) {
	t.Parallel()
	acctest.SkipUnlessActions(t)
	server := inhabited(t, simulator.Config{}, append(visitors(1, 2), visitorElsewhere(3))...)
	tf := acctest.NewTerraform(t, server, terminateAction)
	run := tf.MustRun("apply", "-auto-approve", "-no-color", "-invoke=action.senhasegura_session_terminate.machine")
	expectOutput(t, run, "2 sessions matched.", "terminated: "+lineOf(1), "terminated: "+lineOf(2), "2 sessions: 2 terminated.")
	expectLive(t, server, visitorID(3))

	server.Sim.Add(visitor(4, simulator.Behavior{Refuse: true}))
	failed := tf.Run("apply", "-auto-approve", "-no-color", "-invoke=action.senhasegura_session_terminate.machine")
	if failed.Code != 1 {
		t.Errorf("exit code %d, want 1", failed.Code)
	}
	// Terraform 1.14 prints the summary in a line of its own, above an error that has none of it.
	expectOutput(t, failed, "Error: ", "1 session still live"+onMachine, "Still live: "+lineOf(4)+": refused")
}

func TestAccTerminateActionTriggered(t *testing.T) {
	t.Parallel()
	acctest.SkipUnlessActions(t)
	server := inhabited(t, simulator.Config{}, visitors(1)...)
	tf := acctest.NewTerraform(t, server, terminateAction+`
resource "terraform_data" "incident" {
  lifecycle {
    action_trigger {
      events  = [after_create]
      actions = [action.senhasegura_session_terminate.machine]
    }
  }
}
`)
	expectOutput(t, tf.MustRun("apply", "-auto-approve", "-no-color"), "terminated: "+lineOf(1))
	expectLive(t, server)
	server.Forget()
	if plan := tf.Run("plan", "-detailed-exitcode"); plan.Code != 0 {
		t.Errorf("the second plan is not empty:\n%s", plan.Output())
	}
	server.ExpectRequests(t)
}

// actingBeforeDestroy is a machine that the action clears before its destruction.
var actingBeforeDestroy = terminateAction + `
resource "terraform_data" "machine" {
  lifecycle {
    action_trigger {
      events  = [before_destroy]
      actions = [action.senhasegura_session_terminate.machine]
    }
  }
}
`

func TestAccTerminateActionBeforeDestroy(t *testing.T) {
	t.Parallel()
	acctest.SkipUnlessBeforeDestroy(t)
	s := buildSite(t, actingBeforeDestroy)
	s.server.Sim.Add(visitor(1, simulator.Behavior{}))
	run := s.apply("-destroy")
	expectOrder(t, run, regexp.QuoteMeta("terminated: "+lineOf(1)), machineAddress+": Destruction complete")
	s.expectState()
	expectLive(t, s.server)
}

// The reason for the drain as a resource: Terraform makes a warning of an action
// that fails in a full destroy, and goes on.
func TestAccTerminateActionDoesNotBlockDestroy(t *testing.T) {
	t.Parallel()
	acctest.SkipUnlessBeforeDestroy(t)
	s := buildSite(t, actingBeforeDestroy)
	s.server.Sim.Add(visitor(1, simulator.Behavior{Refuse: true}))
	expectOutput(t, s.apply("-destroy"), "Warning: 1 session still live"+onMachine, "Still live: "+lineOf(1)+": refused")
	s.expectState()
	expectLive(t, s.server, visitorID(1))
}

// Terraform shows one of several warnings with one summary, so that of two drains
// whose long matches have the same beginning the summaries must differ too.
func TestAccDrainPreviewsOfLongMatches(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitorGone(90))
	config := ""
	for n := 1; n <= 2; n++ {
		device := fmt.Sprintf("db-%02d.example.com", n)
		s := visitor(n, simulator.Behavior{})
		s.Device = device + ":22"
		server.Sim.Add(s)
		config += fmt.Sprintf(`
resource "senhasegura_session_drain" "n%d" {
  drain_on = ["create"]
  match = {
    devices = ["app-01.production.example.com", "app-02.production.example.com", "app-03.production.example.com", %q]
  }
}
`, n, device)
	}
	tf := acctest.NewTerraform(t, server, config)
	expectOutput(t, tf.MustRun("plan", "-no-color"), "session "+visitorID(1), "session "+visitorID(2))
}
