package provider_test

import (
	"strings"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// expectClockWarnings checks how often a person sees a warning about clocks, and that
// its summary is this one.
func expectClockWarnings(t *testing.T, run acctest.Run, summary string, want int) {
	t.Helper()
	// The warning of an action is in the text of another one, which is Terraform's.
	output := flattened(run.Output())
	all := strings.Count(output, "`time_zone` may be wrong") + strings.Count(output, "`time_zone` is not set") + strings.Count(output, "The clock of this machine is")
	if all != want || want > 0 && strings.Count(output, summary) != want {
		t.Errorf("%d warnings about clocks, want %d, %q:\n%s", all, want, summary, run.Output())
	}
}

// A destroy of several drains at the same time is one process, and warns once. The
// plan before it, another process, has seen no end.
func TestAccClockWarningOfDrains(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, zone string
		server     simulator.Config
		warning    string
		// plan: the plan sees it, too.
		plan bool
	}{
		{name: "not set", server: simulator.Config{Location: west}, warning: "`time_zone` is not set, and senhasegura's clock runs at UTC-03:00"},
		{name: "wrong", server: simulator.Config{Location: west}, zone: "Asia/Tokyo", warning: "`time_zone` may be wrong: senhasegura's clock runs at UTC-03:00"},
		{name: "right", server: simulator.Config{Location: west}, zone: "America/Sao_Paulo"},
		{name: "an hour off", server: simulator.Config{Location: time.FixedZone("", -4*60*60)}, zone: "America/Sao_Paulo", warning: "`time_zone` may be wrong: senhasegura's clock runs at UTC-04:00"},
		{name: "the machine", server: simulator.Config{ClockSkew: 2 * time.Hour}, zone: "UTC", warning: "The clock of this machine is 2 hours behind senhasegura's", plan: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, test.server, visitorGone(90))
			tf := acctest.NewTerraform(t, server, `
resource "senhasegura_session_drain" "machine" {
  count         = 3
  match         = { devices = ["`+guarded+`"] }
  preview       = `+map[bool]string{true: "true", false: "false"}[test.plan]+`
  poll_interval = "10ms"
  timeouts      = { delete = "20s" }
}
`)
			if test.zone != "" {
				tf.Env["SENHASEGURA_TIME_ZONE"] = test.zone
			}
			tf.MustRun("apply", "-auto-approve", "-no-color")
			server.Sim.Add(visitor(1, simulator.Behavior{}))
			server.Sim.Add(visitor(2, simulator.Behavior{}))
			want := min(len(test.warning), 1)
			if test.plan {
				expectClockWarnings(t, tf.MustRun("plan", "-destroy", "-no-color", "-out=plan"), test.warning, want)
				expectClockWarnings(t, tf.MustRun("apply", "-no-color", "plan"), test.warning, want)
			} else {
				expectClockWarnings(t, tf.MustRun("apply", "-destroy", "-auto-approve", "-no-color"), test.warning, want)
			}
			expectLive(t, server)
		})
	}
}

// A time in the future is seen in a plan.
func TestAccClockWarningOfADataSource(t *testing.T) {
	t.Parallel()
	const warning = "`time_zone` is not set, and senhasegura's clock runs at UTC+02:45 or more"
	server := inhabited(t, simulator.Config{Location: east}, startingNow(visitor(1, simulator.Behavior{})))
	tf := acctest.NewTerraform(t, server, `
data "senhasegura_sessions" "all" {}

data "senhasegura_visibility" "this" {}
`)
	expectClockWarnings(t, tf.MustRun("plan", "-no-color"), warning, 1)
	tf.Env["SENHASEGURA_TIME_ZONE"] = "Africa/Nairobi"
	expectClockWarnings(t, tf.MustRun("plan", "-no-color"), warning, 0)
}

func TestAccClockWarningOfATermination(t *testing.T) {
	t.Parallel()
	const warning = "`time_zone` may be wrong: senhasegura's clock runs at UTC-03:00"
	server := inhabited(t, simulator.Config{Location: west}, visitor(1, simulator.Behavior{IgnoreFirst: 1}))
	tf := acctest.NewTerraform(t, server, `
resource "senhasegura_session_termination" "this" {
  session_id    = "hash-1"
  poll_interval = "10ms"
}
`)
	tf.Env["SENHASEGURA_TIME_ZONE"] = "Asia/Tokyo"
	expectClockWarnings(t, tf.MustRun("apply", "-auto-approve", "-no-color"), warning, 1)
	expectLive(t, server)
}

func TestAccClockWarningOfAnAction(t *testing.T) {
	t.Parallel()
	acctest.SkipUnlessActions(t)
	const warning = "`time_zone` may be wrong: senhasegura's clock runs at UTC-03:00"
	server := inhabited(t, simulator.Config{Location: west}, visitor(1, simulator.Behavior{}))
	tf := acctest.NewTerraform(t, server, `
action "senhasegura_session_terminate" "this" {
  config {
    match         = { devices = ["`+guarded+`"] }
    poll_interval = "10ms"
  }
}
`)
	tf.Env["SENHASEGURA_TIME_ZONE"] = "Asia/Tokyo"
	expectClockWarnings(t, tf.MustRun("apply", "-auto-approve", "-no-color", "-invoke=action.senhasegura_session_terminate.this"), warning, 1)
	expectLive(t, server)
}
