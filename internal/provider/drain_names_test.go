package provider_test

import (
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// A session whose device or user is written in another form than in `match` blocks
// the destroy, and the message has the form to write. It is not terminated on a
// guess.
func TestDrainNamesInOtherForms(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		match        map[string]any
		device, user string
		// write is what the advice says, and of how the summary names the match; "" where
		// the session does not match.
		write, of string
	}{
		"short name, long shown": {map[string]any{"devices": []string{"db-01"}}, "db-01.example.com:22", "alice", `"db-01.example.com:22" in ` + "`match.devices`", "devices db-01"},
		"long name, short shown": {map[string]any{"devices": []string{"db-01.example.com"}}, "db-01:22", "alice", `"db-01:22" in ` + "`match.devices`", "devices db-01.example.com"},
		"user without domain":    {map[string]any{"users": []string{"alice"}}, "db-01:22", `CORP\alice`, `"CORP\\alice" in ` + "`match.users`", "users alice"},
		"user with domain":       {map[string]any{"users": []string{`CORP\alice`}}, "db-01:22", "alice", `"alice" in ` + "`match.users`", `users CORP\alice`},
		"address, name shown":    {map[string]any{"devices": []string{guarded}}, "db-01:22", "alice", "", ""},
		"name, address shown":    {map[string]any{"devices": []string{"db-01"}}, guarded + ":22", "alice", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other := visitor(1, simulator.Behavior{})
			other.Device, other.User = test.device, test.user
			server := inhabited(t, simulator.Config{}, other)
			r := acctest.NewDriver(t, server, nil).Resource(drainType)
			state := kept(t, r, unseen(map[string]any{"match": test.match}))
			destroyed := r.Destroy(state)
			expectLive(t, server, visitorID(1))
			for _, request := range server.Requests() {
				if strings.HasPrefix(request, "drop ") {
					t.Errorf("request %q for a session that may not match", request)
				}
			}
			if test.write == "" {
				expectMessages(t, "error", destroyed.Diagnostics.Errors())
				return
			}
			expectMessages(t, "error", destroyed.Diagnostics.Errors(), message{"Can't tell whether 1 session matches: drain of " + test.of, "", []string{
				"Can't tell whether the session matches; not terminated: " + test.user + " on " + test.device, "session " + visitorID(1) + ": senhasegura shows ", "Write names as senhasegura shows them: " + test.write + ".", "`exclude.session_ids`", staysInState,
			}})
			if destroyed.State == nil {
				t.Error("the drain is gone from the state")
			}
		})
	}
}
