package faulttest

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// These tests are about processes, so they run a real Terraform and the provider
// as a program of its own.

// signalAt gives a channel that is closed when the nth request of a kind is acted
// on.
func signalAt(sim *simulator.Simulator, n int, is func(simulator.Request) bool) <-chan struct{} {
	reached := make(chan struct{})
	var mu sync.Mutex
	sim.OnActed(func(r simulator.Request) {
		mu.Lock()
		defer mu.Unlock()
		if is(r) {
			if n--; n == 0 {
				close(reached)
			}
		}
	})
	return reached
}

func isDrop(r simulator.Request) bool  { return r.Op == simulator.OpDrop }
func isCheck(r simulator.Request) bool { return r.Op == simulator.OpList || r.Op == simulator.OpGet }

// momentLimit is far beyond what a run takes to come to any moment.
const momentLimit = 2 * time.Minute

// await waits for a moment of a run that has begun.
func await(t *testing.T, p *acctest.Process, moment <-chan struct{}) {
	t.Helper()
	select {
	case <-moment:
	case <-time.After(momentLimit):
		p.Signal(os.Kill)
		t.Fatalf("the moment never came:\n%s", p.Wait().Output())
	}
}

// decoration is what Terraform puts around its words: colors and frames.
var decoration = regexp.MustCompile("\x1b\\[[0-9;]*m|[│╷╵]")

// mustMention fails unless a run failed and its output mentions all of these.
func mustMention(t *testing.T, run acctest.Run, texts ...string) {
	t.Helper()
	if run.Code == 0 {
		t.Error("exit code 0, want a failure")
	}
	plain := strings.Join(strings.Fields(decoration.ReplaceAllString(run.Output(), "")), " ")
	for _, text := range texts {
		if !strings.Contains(plain, text) {
			t.Errorf("the output does not say %q:\n%s", text, run.Output())
		}
	}
}

func dropsOf(sim *simulator.Simulator, ids ...string) []int {
	var drops []int
	for _, id := range ids {
		s, _ := sim.Session(id)
		drops = append(drops, s.Drops)
	}
	return drops
}

func mustLive(t *testing.T, sim *simulator.Simulator, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if s, ok := sim.Session(id); !ok || s.State != simulator.StateLive || s.Drops > 0 {
			t.Errorf("session %s of another user is %s and has %d termination requests", id, s.State, s.Drops)
		}
	}
}

func mustEnded(t *testing.T, sim *simulator.Simulator, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if s, ok := sim.Session(id); !ok || s.State != simulator.StateEnded {
			t.Errorf("session %s is %s", id, s.State)
		}
	}
}

const terminateConfig = `
variable "session" { type = string }
resource "senhasegura_session_termination" "it" {
  session_id    = var.session
  poll_interval = "100ms"
}
`

const drainConfig = `
provider "senhasegura" {
  max_concurrent_requests = 1
}
resource "terraform_data" "machine" {}
resource "senhasegura_session_drain" "it" {
  match         = { users = ["alice"] }
  exclude       = { credentials = ["breakglass"] }
  on_excluded   = "continue"
  poll_interval = "100ms"
  preview       = false
  depends_on    = [terraform_data.machine]
}
`

// addSessions puts three sessions of alice into senhasegura, and two that must stay.
func addSessions(sim *simulator.Simulator, b simulator.Behavior) (alices, others []string) {
	for i := range 3 {
		s := sim.Add(simulator.Session{User: "alice", Credential: "root", Device: "10.0.0." + strconv.Itoa(i+1) + ":22", Behavior: b})
		alices = append(alices, s.SessionID)
	}
	for _, s := range []simulator.Session{
		{User: "bob", Credential: "root", Device: "10.0.0.1:22"},
		{User: "alice", Credential: "breakglass", Device: "10.0.0.1:22"},
	} {
		others = append(others, sim.Add(s).SessionID)
	}
	return alices, others
}

func TestAccInterruptedCreate(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t, simulator.Config{})
	alices, others := addSessions(server.Sim, simulator.Behavior{Zombie: true})
	tf := acctest.NewTerraform(t, server, terminateConfig)
	tf.Env["TF_VAR_session"] = alices[0]

	// The third check waits until the interrupt cuts it short: by then, the second one has
	// been read.
	confirming, done := make(chan struct{}), make(chan struct{})
	var checks atomic.Int32
	server.Sim.OnRequest(func(r simulator.Request) {
		if isCheck(r) && checks.Add(1) == 3 {
			close(confirming)
			<-done
		}
	})
	apply := tf.Start("apply", "-auto-approve")
	await(t, apply, confirming)
	apply.Signal(os.Interrupt)
	run := apply.Wait()
	close(done)
	mustMention(t, run, "Session still live", "The run was interrupted.", "Last seen live: - alice on ",
		"The resource is tainted. The next apply tries again.")

	// What it said is true: the session is live, and the next apply terminates it.
	if s, _ := server.Sim.Session(alices[0]); s.State != simulator.StateLive {
		t.Errorf("the session is %s", s.State)
	}
	server.Sim.SetBehavior(alices[0], simulator.Behavior{})
	tf.MustRun("apply", "-auto-approve")
	mustEnded(t, server.Sim, alices[0])
	// Twice in the first run, because the first drop did nothing, and once in the second.
	if got := dropsOf(server.Sim, alices[0]); got[0] != 3 {
		t.Errorf("%d termination requests, want 3", got[0])
	}
	mustLive(t, server.Sim, append(others, alices[1:]...)...)
}

func TestAccInterruptedDrain(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t, simulator.Config{})
	alices, others := addSessions(server.Sim, simulator.Behavior{})
	server.Sim.SetBehavior(alices[1], simulator.Behavior{Zombie: true})
	tf := acctest.NewTerraform(t, server, drainConfig)
	tf.Env["SENHASEGURA_MAX_RETRIES"] = "0" // so that each run asks for an end once
	tf.MustRun("apply", "-auto-approve")

	// A list, each of the three, and the one that lives on.
	confirming := signalAt(server.Sim, 5, isCheck)
	destroy := tf.Start("destroy", "-auto-approve")
	await(t, destroy, confirming)
	destroy.Signal(os.Interrupt)
	mustMention(t, destroy.Wait(), "1 of 3 sessions still live: drain of users alice", "The run was interrupted.",
		"Still live: - alice on ", "session "+alices[1]+": senhasegura accepted the request Excluded, left open: - alice on ",
		"Terminated: - alice on ", "session "+alices[0]+" - alice on ", "Terraform did not destroy the resources that this drain protects.")

	state := tf.MustRun("state", "list").Stdout
	if !strings.Contains(state, "senhasegura_session_drain.it") || !strings.Contains(state, "terraform_data.machine") {
		t.Errorf("the drain and its machine are to be there still:\n%s", state)
	}
	server.Sim.SetBehavior(alices[1], simulator.Behavior{})
	tf.MustRun("destroy", "-auto-approve")
	mustEnded(t, server.Sim, alices...)
	if got := dropsOf(server.Sim, alices...); !slices.Equal(got, []int{1, 2, 1}) {
		t.Errorf("drops %v, want only the sessions that were still live", got)
	}
	mustLive(t, server.Sim, others...)
}
