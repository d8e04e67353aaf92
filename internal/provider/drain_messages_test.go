package provider_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// The credentials are rejected while a drain runs, and another operation gets the whole
// error about them. The drain still names its sessions and what its failure leaves
// behind.
func TestDrainNamesItsSessionsAfterAnotherRejection(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitors(1, 2)...)
	d := acctest.NewDriver(t, server, nil)
	state := kept(t, d.Resource(drainType), unseen(nil))
	var once sync.Once
	server.Sim.OnAnswer(func(r simulator.Request) {
		if r.Op != simulator.OpDrop {
			return
		}
		once.Do(func() {
			for _, op := range []simulator.Op{simulator.OpToken, simulator.OpList, simulator.OpGet, simulator.OpDrop} {
				server.Sim.Inject(simulator.Fault{Kind: simulator.TokenDenied401, Op: op})
			}
			_, said := d.ReadDataSource("senhasegura_sessions", nil)
			if len(said.Errors()) != 1 {
				t.Errorf("the data source says:\n%s", said)
			}
		})
	})
	errors := d.Resource(drainType).Destroy(state).Diagnostics.Errors()
	if len(errors) != 1 {
		t.Fatalf("%d errors, want 1:\n%s", len(errors), errors)
	}
	for _, part := range []string{lineOf(1), lineOf(2), staysInState, "Fix the first credentials error of this run."} {
		if !strings.Contains(errors[0].Detail+"\n"+byTitle(errors[0].Detail), part) {
			t.Errorf("the error does not say %q:\n%s", part, errors[0])
		}
	}
}

func TestDrainMessages(t *testing.T) {
	t.Parallel()
	nameless := visitor(1, simulator.Behavior{})
	otherForm := visitor(1, simulator.Behavior{})
	otherForm.User = "alice"
	undescribed := visitor(1, simulator.Behavior{})
	undescribed.User = ""
	both := []string{"create", "destroy"}
	for name, test := range map[string]struct {
		sessions  []simulator.Session
		script    func(*acctest.Server)
		arguments map[string]any
		// applied is whether the messages are those of the creation, not of the destroy.
		applied bool
		summary string
		says    []string
		not     []string
	}{
		"what is no API response is not shown as one": {
			sessions: []simulator.Session{nameless},
			script:   injecting(listing(`{"id":"1","session":"","username":"eve","device":"` + guarded + `:22","start":"2024-05-06 16:11:17","end":null}`)),
			summary:  "1 session still live" + ofDrain,
			says:     []string{"record 1, no session ID"},
			not:      []string{"API response", "{session_id}"},
		},
		"one response for all that are not found": {
			sessions: visitors(1, 2, 3),
			script: func(server *acctest.Server) {
				whenActed(server, simulator.OpDrop, 3, func() {
					server.Sim.Purge(visitorID(1))
					server.Sim.Purge(visitorID(2))
				})
			},
			summary: "Can't tell whether 2 of 3 sessions ended" + ofDrain,
			says:    []string{"API response: GET ", "/session/remotesessions/{record_id}: HTTP 400"},
			not:     []string{"API responses"},
		},
		"one response for all that are refused in the same way": {
			sessions: visitors(1, 2),
			script:   injecting(simulator.Fault{Kind: simulator.Unauthorized500, Op: simulator.OpDrop}),
			summary:  "2 sessions still live" + ofDrain,
			says:     []string{"API response: DELETE ", "/{session_id}: HTTP 500"},
			not:      []string{"API responses", "/hash-"},
		},
		"a session that may match, and one that may have ended": {
			sessions: []simulator.Session{otherForm, visitor(2, simulator.Behavior{})},
			script: func(server *acctest.Server) {
				whenActed(server, simulator.OpDrop, 1, func() { server.Sim.Purge(visitorID(2)) })
			},
			arguments: map[string]any{"match": map[string]any{"users": []string{`CORP\alice`, "user-2"}}},
			summary:   `Can't tell whether 2 sessions match or ended: drain of users CORP\alice, user-2`,
		},
		"a session that senhasegura doesn't describe": {
			sessions:  []simulator.Session{undescribed, visitor(2, simulator.Behavior{})},
			arguments: map[string]any{"match": map[string]any{"users": []string{"user-1", "user-2"}}},
			summary:   "Can't tell whether 1 of 2 sessions match: drain of users user-1, user-2",
			says:      []string{"add their IDs to `exclude.session_ids`", "apply that change on its own (`-target`)", "`senhasegura_session_termination`"},
			not:       []string{"match.session_ids"},
		},
		"an excluded session that may match: nothing blocks on it": {
			sessions:  []simulator.Session{otherForm, visitor(2, simulator.Behavior{})},
			arguments: map[string]any{"match": map[string]any{"users": []string{`CORP\alice`, "user-2"}}, "exclude": map[string]any{"session_ids": []string{visitorID(1)}}},
			summary:   `Terminated 1 session, 1 excluded session left open: drain of users CORP\alice, user-2, except session_ids ` + visitorID(1),
			says:      []string{"Only excluded sessions that match for certain block the drain"},
			not:       []string{"To block the destroy"},
		},
		"an excluded session that creation leaves open": {
			sessions:  visitors(1, 2),
			arguments: map[string]any{"drain_on": []string{"create"}, "on_excluded": "continue", "exclude": map[string]any{"users": []string{"user-1"}}},
			applied:   true,
			summary:   "Terminated 1 session, 1 excluded session left open" + exceptUser1,
			not:       []string{"destroy"},
		},
		"too many at creation": {
			sessions:  visitors(1, 2),
			arguments: map[string]any{"drain_on": both, "max_sessions": 1},
			applied:   true,
			summary:   tooMany + ofDrain,
			says:      []string{tainted, "run `terraform untaint` on the drain"},
		},
		"an excluded session blocks the creation": {
			sessions:  visitors(1, 2),
			arguments: map[string]any{"drain_on": both, "exclude": map[string]any{"users": []string{"user-1"}}},
			applied:   true,
			summary:   "1 excluded session still live" + exceptUser1,
			says:      []string{tainted, "run `terraform untaint` on the drain"},
		},
		"an unseen value at creation": {
			sessions:  append(visitors(1), visitorGone(9)),
			arguments: map[string]any{"drain_on": both, "on_unseen": "halt", "match": map[string]any{"users": []string{"nobody"}}},
			applied:   true,
			summary:   "1 value of `match` or `exclude` that no session has: drain of users nobody",
			says:      []string{tainted, "run `terraform untaint` on the drain"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, simulator.Config{}, test.sessions...)
			if test.script != nil {
				test.script(server)
			}
			r := acctest.NewDriver(t, server, nil).Resource(drainType)
			done := r.Apply(nil, unseen(test.arguments))
			if !test.applied {
				done = r.Destroy(done.State)
			}
			for _, d := range done.Diagnostics {
				if d.Summary != test.summary {
					continue
				}
				for _, part := range test.says {
					if !strings.Contains(d.Detail, part) {
						t.Errorf("the message does not say %q:\n%s", part, d)
					}
				}
				for _, part := range test.not {
					if strings.Contains(d.Detail, part) {
						t.Errorf("the message says %q:\n%s", part, d)
					}
				}
				return
			}
			t.Errorf("no message %q:\n%s", test.summary, done.Diagnostics)
		})
	}
}

// A user who reads a preview before a destroy can follow its advice, and what it says is
// true of a drain that terminates only what the plan showed.
func TestDrainPreviewIsTrue(t *testing.T) {
	t.Parallel()
	const applyFirst = "apply that change on its own (`-target`)"
	for name, test := range map[string]struct {
		sessions  []simulator.Session
		arguments map[string]any
		says      []string
		not       []string
	}{
		"advice": {
			sessions: visitors(1),
			says:     []string{"the sessions that match at that time", "grace_period", applyFirst},
		},
		"only what the plan shows": {
			sessions:  visitors(1),
			arguments: map[string]any{"only_previewed": true},
			says:      []string{"destroying this drain terminates only sessions that are listed here"},
			not:       []string{"match at that time"},
		},
		"nothing to terminate": {
			sessions:  visitors(1),
			arguments: map[string]any{"exclude": map[string]any{"users": []string{"user-1"}}},
			says:      []string{"The destroy fails while one is live"},
			not:       []string{"To give users time to finish"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, simulator.Config{}, test.sessions...)
			r := acctest.NewDriver(t, server, nil).Resource(drainType)
			plan := r.PlanDestroy(kept(t, r, guard(test.arguments)))
			if len(plan.Diagnostics) != 1 {
				t.Fatalf("%d messages, want 1:\n%s", len(plan.Diagnostics), plan.Diagnostics)
			}
			detail := plan.Diagnostics[0].Detail
			for _, part := range test.says {
				if !strings.Contains(detail, part) {
					t.Errorf("the preview does not say %q:\n%s", part, detail)
				}
			}
			for _, part := range test.not {
				if strings.Contains(detail, part) {
					t.Errorf("the preview says %q:\n%s", part, detail)
				}
			}
		})
	}
}
