package provider_test

import (
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// A destroy that cannot read its first list forgets nothing.
func TestUnsettledAfterAnOutage(t *testing.T) {
	t.Parallel()
	drains := func(t *testing.T, server *acctest.Server) *acctest.Resource {
		t.Helper()
		return acctest.NewDriver(t, server, nil).Resource(drainType)
	}
	for name, arguments := range map[string]map[string]any{
		"of a destroy":  {},
		"of a creation": {"drain_on": []string{"create", "destroy"}, "on_failure": "continue"},
	} {
		for cause, interrupted := range map[string]bool{"no list": false, "interrupted": true} {
			t.Run(name+", "+cause, func(t *testing.T) {
				t.Parallel()
				server := vanishing(t)
				created := drains(t, server).Apply(nil, unseen(arguments))
				state := created.State
				if name == "of a creation" {
					config := unseen(arguments)
					config["on_failure"] = "halt"
					state = drains(t, server).Apply(state, config).State
				} else {
					failed := drains(t, server).Destroy(state)
					expectMessages(t, "error", failed.Diagnostics.Errors(), missing)
					state = failed.State
				}

				driver := acctest.NewDriver(t, server, nil)
				if interrupted {
					whenActed(server, simulator.OpList, 1, driver.Stop)
				} else {
					server.Sim.SetPermission(simulator.DropOnly)
				}
				failed := driver.Resource(drainType).Destroy(state)
				if failed.State == nil || len(failed.Diagnostics.Errors()) != 1 {
					t.Fatalf("the second destroy did not fail:\n%s", failed.Diagnostics)
				}
				server.Sim.SetPermission(simulator.ReadWrite)

				third := drains(t, server).Destroy(failed.State)
				if third.State == nil {
					t.Errorf("the drain is gone, and no run read the end of hash-1:\n%s", third.Diagnostics)
				}
			})
		}
	}
}

// The same with Terraform itself: the machine must stay up.
func TestAccDrainUnsettledAfterAnOutage(t *testing.T) {
	s := buildSite(t, machine+drainOf(`  preview = false`))
	s.server.Sim.Add(visitor(1, simulator.Behavior{}))
	whenActed(s.server, simulator.OpDrop, 1, func() { s.server.Sim.Purge(visitorID(1)) })
	destroy := func() acctest.Run { return s.Run("destroy", "-auto-approve", "-no-color") }
	if run := destroy(); run.Code != 1 {
		t.Fatalf("the first destroy passed:\n%s", run.Output())
	}
	s.server.Sim.SetPermission(simulator.DropOnly)
	if run := destroy(); run.Code != 1 {
		t.Fatalf("the second destroy passed:\n%s", run.Output())
	}
	s.server.Sim.SetPermission(simulator.ReadWrite)
	run := destroy()
	if run.Code != 1 || s.up() != 1 {
		t.Errorf("the third destroy passed, and the machine is gone (%d up), though no run read the end of the session:\n%s", s.up(), run.Output())
	}
}

// Long periods leave time for the drain.
func TestLongPeriods(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitorGone(1))
	driver := acctest.NewDriver(t, server, nil)
	r := driver.Resource(drainType)
	state := kept(t, r, unseen(map[string]any{"grace_period": "2562047h"}))
	if got := r.Destroy(state); got.State != nil {
		t.Errorf("no session is live, and the drain fails:\n%s", got.Diagnostics)
	}
}

// The end of a termination that was not found is final too, once it was read.
func TestNotFoundWhoseEndWasRead(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{})
	resource := acctest.NewDriver(t, server, nil).Resource("senhasegura_session_termination")
	applied := resource.Apply(nil, map[string]any{"session_id": visitorID(1), "record_id": "1", "ignore_not_found": true, "poll_interval": "1ms"})
	if applied.State == nil || len(applied.Diagnostics.Errors()) > 0 {
		t.Fatalf("not created:\n%s", applied.Diagnostics)
	}
	server.Sim.Add(visitorGone(1))
	first := resource.Read(applied.State)
	server.Forget()
	resource.Read(first.State)
	server.ExpectRequests(t)
}
