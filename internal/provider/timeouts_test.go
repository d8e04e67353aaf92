package provider_test

import (
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// What reads for longer than it may ends, and says which argument bounds it.
func TestDataSourceTimeouts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		typeName  string
		arguments map[string]any
		op        simulator.Op
		summary   string
	}{
		"list":              {"senhasegura_sessions", map[string]any{}, simulator.OpList, "Can't list sessions: timed out"},
		"visibility":        {"senhasegura_visibility", map[string]any{}, simulator.OpList, "Can't list sessions: timed out"},
		"session by id":     {"senhasegura_session", map[string]any{"session_id": aliceID}, simulator.OpList, "Can't read session: timed out"},
		"session by record": {"senhasegura_session", map[string]any{"record_id": aliceRecord}, simulator.OpGet, "Can't read session: timed out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t, simulator.Config{})
			server.Sim.Add(alice(simulator.Behavior{}))
			server.Sim.Inject(simulator.Fault{Kind: simulator.Slow, Op: test.op})
			test.arguments["timeouts"] = map[string]any{"read": "200ms"}

			_, said := acctest.NewDriver(t, server, nil).ReadDataSource(test.typeName, test.arguments)

			expectMessages(t, "message", said, message{test.summary, "", []string{"`timeouts`"}})
		})
	}
}
