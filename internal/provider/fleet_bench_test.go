package provider_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// listDelay is how long the simulator takes for a list: long compared with everything else
// that Terraform does, and short enough to wait for.
const listDelay = 2 * time.Second

// BenchmarkFleet counts the reads of the list for many resources of one real
// Terraform, at its parallelism of 10, where the list is what takes long. The counts
// are the result; package termination holds them by tests in virtual time.
func BenchmarkFleet(b *testing.B) {
	if _, err := exec.LookPath("terraform"); err != nil && os.Getenv("TF_ACC_TERRAFORM_PATH") == "" {
		b.Skip("there is no Terraform: put it on PATH, or name it in TF_ACC_TERRAFORM_PATH")
	}
	b.Setenv("TF_ACC", "1")
	b.Run("60 drains, 20 with sessions", func(b *testing.B) {
		for b.Loop() {
			server := slowLists(b)
			for n := range 20 {
				server.Sim.Add(simulator.Session{User: "alice", Device: fmt.Sprintf("machine-%d:22", n)})
			}
			tf := acctest.NewTerraform(b, server, `
resource "senhasegura_session_drain" "each" {
  count = 60
  match = { devices = ["machine-${count.index}"] }
}
`)
			tf.MustRun("apply", "-auto-approve")
			server.Forget()
			tf.MustRun("plan", "-destroy", "-out=destroy.tfplan")
			b.ReportMetric(float64(server.Sim.Count(simulator.OpList)), "lists/plan")
			server.Forget()
			tf.MustRun("apply", "destroy.tfplan")
			b.ReportMetric(float64(server.Sim.Count(simulator.OpList)), "lists/destroy")
			expectNoneLive(b, server.Sim)
		}
	})
	for name, live := range map[string]bool{"500 terminations of ended sessions": false, "500 terminations of live sessions": true} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				server := slowLists(b)
				var ids []string
				for range terminated {
					s := simulator.Session{User: "alice", Device: "machine:22", Start: time.Now().Add(-time.Hour)}
					if !live {
						s.End = s.Start.Add(time.Minute)
					}
					ids = append(ids, server.Sim.Add(s).SessionID)
				}
				tf := acctest.NewTerraform(b, server, `
locals {
  ids = jsondecode(file("ids.json"))
}

resource "senhasegura_session_termination" "each" {
  count      = length(local.ids)
  session_id = local.ids[count.index]
}
`)
				tf.Write("ids.json", jsonOf(b, ids))
				tf.MustRun("apply", "-auto-approve")
				b.ReportMetric(float64(server.Sim.Count(simulator.OpList)), "lists/apply")
				server.Forget()
				tf.MustRun("plan", "-detailed-exitcode")
				b.ReportMetric(float64(len(server.Sim.Journal())), "calls/second-plan")
				expectNoneLive(b, server.Sim)
			}
		})
	}
	b.Run("30 data sources", func(b *testing.B) {
		for b.Loop() {
			server := slowLists(b)
			server.Sim.Add(simulator.Session{User: "alice", Device: "machine:22"})
			tf := acctest.NewTerraform(b, server, `
data "senhasegura_sessions" "each" {
  count = 30
  match = { users = ["user-${count.index}"] }
}
`)
			tf.MustRun("plan")
			b.ReportMetric(float64(server.Sim.Count(simulator.OpList)), "lists/plan")
		}
	})
}

func slowLists(b *testing.B) *acctest.Server {
	b.Helper()
	server := acctest.Start(b, simulator.Config{})
	server.Sim.Inject(simulator.Fault{Kind: simulator.Slow, Op: simulator.OpList, Delay: listDelay})
	return server
}
