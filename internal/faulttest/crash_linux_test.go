package faulttest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// Terraform starts the provider. Finding its process needs the /proc of Linux, so
// these tests are built there alone.

// killProvider kills the provider that a Terraform has started, and nothing
// else.
func killProvider(t *testing.T, terraform int) {
	t.Helper()
	killed := 0
	for _, pid := range childrenOf(t, terraform) {
		program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		if err != nil || filepath.Base(program) != "terraform-provider-senhasegura" {
			continue
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Errorf("the provider cannot be killed: %v", err)
		}
		killed++
	}
	if killed == 0 {
		t.Error("Terraform has no provider to be killed")
	}
}

func childrenOf(t *testing.T, parent int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Error(err)
	}
	var children []int
	for _, stat := range stats {
		content, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended in the meantime
		}
		// "pid (name) state ppid …", and a name may hold anything.
		_, rest, _ := strings.Cut(string(content[strings.LastIndexByte(string(content), ')'):]), " ")
		fields := strings.Fields(rest)
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
		if err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			children = append(children, pid)
		}
	}
	return children
}

// crashAt kills the provider once, at the nth drop, before or after senhasegura
// acts on it. Send the process id of its Terraform to the channel.
func crashAt(t *testing.T, sim *simulator.Simulator, n int, afterActing bool) (started chan<- int) {
	t.Helper()
	pids := make(chan int, 1)
	var mu sync.Mutex
	hook := func(r simulator.Request) {
		mu.Lock()
		defer mu.Unlock()
		if !isDrop(r) {
			return
		}
		if n--; n == 0 {
			killProvider(t, <-pids)
		}
	}
	if afterActing {
		sim.OnActed(hook)
	} else {
		// senhasegura does not notice that no client waits for the answer, so the drop
		// has to be lost as well.
		sim.Inject(simulator.Fault{Op: simulator.OpDrop, After: n - 1, Times: 1, Kind: simulator.CutBefore})
		sim.OnRequest(hook)
	}
	return pids
}

// brokenCall is in both of the errors in which Terraform words the death of a
// plugin during a call, that it did not respond or that the call ended, by how
// the connection broke.
const brokenCall = "(*GRPCProvider).ApplyResourceChange"

func TestAccCrashedCreate(t *testing.T) {
	t.Parallel()
	for name, afterActing := range map[string]bool{"before senhasegura acts": false, "after senhasegura acted": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t, simulator.Config{})
			alices, others := addSessions(server.Sim, simulator.Behavior{})
			tf := acctest.NewTerraform(t, server, terminateConfig)
			tf.Env["TF_VAR_session"] = alices[0]
			started := crashAt(t, server.Sim, 1, afterActing)
			apply := tf.Start("apply", "-auto-approve")
			started <- apply.Pid()
			mustMention(t, apply.Wait(), brokenCall)

			tf.MustRun("apply", "-auto-approve")
			mustEnded(t, server.Sim, alices[0])
			mustLive(t, server.Sim, append(others, alices[1:]...)...)
			if got := dropsOf(server.Sim, alices[0]); !slices.Equal(got, []int{1}) {
				t.Errorf("drops %v, want the session to be cut once", got)
			}
			if plan := tf.Run("plan", "-detailed-exitcode"); plan.Code != 0 {
				t.Errorf("a plan after that is not empty:\n%s", plan.Output())
			}
		})
	}
}

func TestAccCrashedDrain(t *testing.T) {
	t.Parallel()
	for name, afterActing := range map[string]bool{"before senhasegura acts": false, "after senhasegura acted": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t, simulator.Config{})
			alices, others := addSessions(server.Sim, simulator.Behavior{})
			tf := acctest.NewTerraform(t, server, drainConfig)
			tf.MustRun("apply", "-auto-approve")
			started := crashAt(t, server.Sim, 2, afterActing)
			destroy := tf.Start("destroy", "-auto-approve")
			started <- destroy.Pid()
			mustMention(t, destroy.Wait(), brokenCall)
			if state := tf.MustRun("state", "list").Stdout; !strings.Contains(state, "terraform_data.machine") {
				t.Errorf("the machine was destroyed although the drain had crashed:\n%s", state)
			}

			tf.MustRun("destroy", "-auto-approve")
			mustEnded(t, server.Sim, alices...)
			mustLive(t, server.Sim, others...)
			if got := dropsOf(server.Sim, alices...); !slices.Equal(got, []int{1, 1, 1}) {
				t.Errorf("drops %v, want each session to be cut once", got)
			}
		})
	}
}
