package provider_test

import (
	"maps"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// TestOlderThanNeedsATimeZone: the timestamps of senhasegura carry no zone, so that
// an age without a stated one is a guess. It is an error on its argument, in the plan
// already, and nothing is asked or terminated.
func TestOlderThanNeedsATimeZone(t *testing.T) {
	t.Parallel()
	aged := map[string]any{"older_than": "2h"}
	young := map[string]any{"devices": []string{guarded}}
	for object, arguments := range map[string]map[string]any{
		"match":   {"match": aged},
		"exclude": {"match": young, "exclude": aged},
	} {
		fault := message{"`older_than` needs the provider's `time_zone`", object + ".older_than", []string{"SENHASEGURA_TIME_ZONE", "No sessions were terminated"}}
		t.Run(object, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, simulator.Config{}, visitors(1)...)
			driver := acctest.NewDriver(t, server, nil)

			drain := driver.Resource(drainType)
			expectMessages(t, "drain", drain.Apply(nil, guard(arguments)).Diagnostics, fault)
			expectMessages(t, "action", driver.InvokeAction(terminateType, guard(arguments)).Diagnostics, fault)
			_, said := driver.ReadDataSource("senhasegura_sessions", arguments)
			expectMessages(t, "data source", said, fault)
			server.ExpectRequests(t)

			// A drain that was created while there was a zone does not run without it,
			// whatever on_failure says.
			zoned := acctest.NewDriver(t, server, map[string]any{"time_zone": "America/Sao_Paulo"}).Resource(drainType)
			state := kept(t, zoned, unseen(withArgument(arguments, "on_failure", "continue")))
			destroyed := drain.Destroy(state)
			if destroyed.State == nil {
				t.Error("the drain is gone from the state")
			}
			expectMessages(t, "destroy", destroyed.Diagnostics.Errors(), fault)
			server.ExpectRequests(t)
			expectLive(t, server, visitorID(1))
		})
	}
}

func withArgument(arguments map[string]any, name string, value any) map[string]any {
	all := map[string]any{name: value}
	maps.Copy(all, arguments)
	return all
}
