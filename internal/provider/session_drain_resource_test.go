package provider_test

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

const (
	drainType = "senhasegura_session_drain"

	// guarded is the machine whose sessions most tests drain.
	guarded = "10.66.33.17"
)

// visitor is the live session number n on the guarded machine, with n as its
// record id and "hash-n" as its session id.
func visitor(n int, behavior simulator.Behavior) simulator.Session {
	return simulator.Session{
		RecordID: int64(n), SessionID: visitorID(n),
		User: fmt.Sprintf("user-%d", n), Credential: "root", Device: guarded + ":22",
		Protocol: "ssh", Proxy: "Web Proxy", OriginIP: "172.16.20.125",
		Start: started, Behavior: behavior,
	}
}

func visitorID(n int) string { return fmt.Sprintf("hash-%d", n) }

func visitors(numbers ...int) []simulator.Session {
	sessions := make([]simulator.Session, 0, len(numbers))
	for _, n := range numbers {
		sessions = append(sessions, visitor(n, simulator.Behavior{}))
	}
	return sessions
}

// visitorElsewhere is a session that no drain of the guarded machine means.
func visitorElsewhere(n int) simulator.Session {
	s := visitor(n, simulator.Behavior{})
	s.Device = "10.66.33.170:22"
	return s
}

// visitorGone is a session that has ended.
func visitorGone(n int) simulator.Session {
	s := visitor(n, simulator.Behavior{})
	s.End = started.Add(1)
	return s
}

// guard adds arguments to a drain of the guarded machine that polls fast.
func guard(arguments map[string]any) map[string]any {
	config := map[string]any{
		"match":         map[string]any{"devices": []string{guarded}},
		"poll_interval": "1ms",
	}
	maps.Copy(config, arguments)
	return config
}

// unseen is guard without previews, for tests that count the requests of a drain.
func unseen(arguments map[string]any) map[string]any {
	config := guard(map[string]any{"preview": false})
	maps.Copy(config, arguments)
	return config
}

func inhabited(t *testing.T, config simulator.Config, sessions ...simulator.Session) *acctest.Server {
	t.Helper()
	server := acctest.Start(t, config)
	for _, s := range sessions {
		server.Sim.Add(s)
	}
	return server
}

// kept gives the state of a drain, which must have come without errors.
func kept(t *testing.T, r *acctest.Resource, config map[string]any) *acctest.State {
	t.Helper()
	applied := r.Apply(nil, config)
	if len(applied.Diagnostics.Errors()) > 0 || applied.State == nil {
		t.Fatalf("the drain was not created:\n%s", applied.Diagnostics)
	}
	return applied.State
}

// expectLive compares the sessions that truly live, by their session ids.
func expectLive(t *testing.T, server *acctest.Server, want ...string) {
	t.Helper()
	var live []string
	for _, s := range server.Sim.Sessions() {
		if s.State != simulator.StateEnded {
			live = append(live, s.SessionID)
		}
	}
	if !slices.Equal(live, want) {
		t.Errorf("live afterwards: %q, want %q", live, want)
	}
}

// whenActed runs f once, when a request of op is the nth that is acted on.
func whenActed(server *acctest.Server, op simulator.Op, nth int, f func()) {
	var mu sync.Mutex
	seen := 0
	server.Sim.OnActed(func(r simulator.Request) {
		if r.Op != op {
			return
		}
		mu.Lock()
		seen++
		now := seen == nth
		mu.Unlock()
		if now {
			f()
		}
	})
}

// drainCase is one result of a drain, of a resource or an action.
type drainCase struct {
	name     string
	server   simulator.Config
	sessions []simulator.Session
	// script prepares faults, and changes during the drain.
	script    func(*acctest.Server)
	provider  map[string]any
	arguments map[string]any

	// requests are compared in any order, as termination requests run side by side.
	// Where nil, only these are compared, because the number of checks depends on time.
	requests []string
	drops    []string
	// of is how a summary names the match, "" for that of the guarded machine.
	of string
	// terminated are the visitors whose sessions were terminated.
	terminated []int
	// afterRefusal are the visitors whose sessions ended although their request was refused.
	afterRefusal []int
	// errors are those of a destroy.
	errors []message
	live   []string
}

// lineOf is how messages name a visitor.
func lineOf(n int) string {
	return fmt.Sprintf("user-%d on %s:22 as root (ssh, from 172.16.20.125) since 2024-05-06T16:11:17Z, session %s", n, guarded, visitorID(n))
}

const (
	noneTerminated = "No sessions were terminated."
	// ofDrain is how the summary of a message ends that is about a drain of the guarded
	// machine.
	ofDrain = ": drain of devices " + guarded
	// drainFailed is how the summary begins where a drain could not run.
	drainFailed = "Drain of devices " + guarded + " failed: "
	// tooMany is how the summary begins where `max_sessions` is 1 and two sessions match.
	tooMany = "2 sessions match, but max_sessions is 1"
	// tainted is what every error of a drain at creation says.
	tainted = "The drain is tainted. The next apply drains again."
	// checkInSenhasegura is the advice for a session that does not end.
	checkInSenhasegura = "Check the session in PAM Core › Audit › Sessions › Remote sessions, then run Terraform again. " +
		"If the proxy node crashed, senhasegura marks the session as ended within a few minutes."
)

// byTitle writes each entry of a list behind the title of the list, on one line, as in
// "Still live: user-1 on …".
func byTitle(text string) string {
	var lines []string
	title := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(strings.TrimPrefix(line, "│ "), "\n")
		entry, isEntry := strings.CutPrefix(line, "  - ")
		switch {
		case isEntry:
			lines = append(lines, title+": "+entry)
		case strings.HasPrefix(line, "    ") && len(lines) > 0:
			lines[len(lines)-1] += " " + strings.TrimSpace(line)
		default:
			title = strings.TrimSuffix(momentOf.ReplaceAllString(line, "Matching:"), ":")
		}
	}
	return strings.Join(lines, "\n")
}

var momentOf = regexp.MustCompile(`^Matching at \S+:$`)

// terminatedMessage is the warning about sessions that were terminated.
func terminatedMessage(numbers ...int) message {
	want := message{summary: "Terminated " + countOf(len(numbers)) + ofDrain, says: []string{"users who still have access can reconnect"}}
	for _, n := range numbers {
		want.says = append(want.says, "Terminated: "+lineOf(n))
	}
	return want
}

func countOf(n int) string {
	if n == 1 {
		return "1 session"
	}
	return fmt.Sprintf("%d sessions", n)
}

func injecting(faults ...simulator.Fault) func(*acctest.Server) {
	return func(server *acctest.Server) {
		for _, fault := range faults {
			server.Sim.Inject(fault)
		}
	}
}

func drainCases() []drainCase {
	return []drainCase{
		{
			name:     "no session is live",
			sessions: []simulator.Session{visitorGone(9)},
			requests: []string{"token", "list"},
		},
		{
			name:     "no matching session is live",
			sessions: []simulator.Session{visitorElsewhere(1), visitorGone(2)},
			requests: []string{"token", "list"},
			live:     []string{visitorID(1)},
		},
		{
			name:      "no session at first: the quiet period holds anyway",
			sessions:  []simulator.Session{visitorGone(9)},
			arguments: map[string]any{"quiet_period": "50ms"},
			script: func(server *acctest.Server) {
				whenActed(server, simulator.OpList, 1, func() { server.Sim.Add(visitor(1, simulator.Behavior{})) })
			},
			drops:      []string{"drop hash-1"},
			terminated: []int{1},
		},
		{
			name:       "all end at once",
			sessions:   append(visitors(1, 2), visitorElsewhere(3), visitorGone(4)),
			requests:   []string{"token", "list", "drop hash-1", "drop hash-2", "get 1", "get 2", "list"},
			terminated: []int{1, 2},
			live:       []string{visitorID(3)},
		},
		{
			name:       "a session that is listed twice is terminated once",
			sessions:   []simulator.Session{visitor(1, simulator.Behavior{Duplicate: true})},
			requests:   []string{"token", "list", "drop hash-1", "get 1", "list"},
			terminated: []int{1},
		},
		{
			name:     "an exclude that sets nothing excludes no session",
			sessions: visitors(1),
			arguments: map[string]any{
				"exclude": map[string]any{},
			},
			requests:   []string{"token", "list", "drop hash-1", "get 1", "list"},
			terminated: []int{1},
		},
		{
			name:     "it ends later: checked until it has",
			sessions: []simulator.Session{visitor(1, simulator.Behavior{Zombie: true})},
			script: func(server *acctest.Server) {
				whenActed(server, simulator.OpGet, 1, func() { server.Sim.End(visitorID(1)) })
			},
			requests:   []string{"token", "list", "drop hash-1", "get 1", "drop hash-1", "get 1", "list"},
			terminated: []int{1},
		},
		{
			name:     "it ended before the request arrived",
			sessions: visitors(1),
			script: func(server *acctest.Server) {
				server.Sim.OnRequest(func(r simulator.Request) {
					if r.Op == simulator.OpDrop {
						server.Sim.End(visitorID(1))
					}
				})
			},
			requests:     []string{"token", "list", "drop hash-1", "get 1", "list"},
			afterRefusal: []int{1},
		},
		{
			name:         "the request worked, and the response is the refusal of its repetition by a gateway",
			sessions:     visitors(1),
			script:       injecting(simulator.Fault{Kind: simulator.DropFailed500, Op: simulator.OpDrop, Acting: simulator.ActFirst}),
			requests:     []string{"token", "list", "drop hash-1", "get 1", "list"},
			afterRefusal: []int{1},
		},
		{
			name:       "the response to a request that worked is lost: checked, not repeated",
			sessions:   visitors(1),
			script:     injecting(simulator.Fault{Kind: simulator.CutAfter, Op: simulator.OpDrop}),
			requests:   []string{"token", "list", "drop hash-1", "get 1", "list"},
			terminated: []int{1},
		},
		{
			name:       "a request that was lost on its way is repeated after a check",
			sessions:   visitors(1),
			script:     injecting(simulator.Fault{Kind: simulator.HTML502, Op: simulator.OpDrop, Times: 1}),
			requests:   []string{"token", "list", "drop hash-1", "get 1", "drop hash-1", "get 1", "list"},
			terminated: []int{1},
		},
		{
			name:     "one is refused: the others are terminated, and it is named",
			sessions: []simulator.Session{visitor(1, simulator.Behavior{Refuse: true}), visitor(2, simulator.Behavior{})},
			requests: []string{"token", "list", "drop hash-1", "drop hash-2", "get 1", "get 2", "drop hash-1", "get 1", "list"},
			errors: []message{{"1 of 2 sessions still live" + ofDrain, "", []string{
				"Still live: " + lineOf(1) + ": refused", "Terminated: " + lineOf(2), checkInSenhasegura,
				"API response: DELETE https://pam.example.com/api/pam/session/drop/{session_id}: HTTP 500, code 1, An error occurred while droping session",
			}}},
			live: []string{visitorID(1)},
		},
		{
			name:      "accepted, and still live when the time is up",
			sessions:  []simulator.Session{visitor(1, simulator.Behavior{Zombie: true})},
			arguments: map[string]any{"timeouts": map[string]any{"delete": "700ms"}},
			drops:     []string{"drop hash-1", "drop hash-1"},
			errors: []message{{"1 session still live" + ofDrain, "", []string{
				"The time allowed by `timeouts.delete` ran out.", "Still live: " + lineOf(1) + ": senhasegura accepted the request", checkInSenhasegura,
			}}},
			live: []string{visitorID(1)},
		},
		{
			name:     "a session that vanishes has not ended",
			sessions: visitors(1),
			script: func(server *acctest.Server) {
				whenActed(server, simulator.OpDrop, 1, func() { server.Sim.Purge(visitorID(1)) })
			},
			requests: []string{"token", "list", "drop hash-1", "get 1", "list"},
			errors: []message{{"Can't tell whether 1 session ended" + ofDrain, "", []string{
				"Can't tell whether the session ended: " + lineOf(1) + ": the session wasn't found, or is outside the authorization's scope",
				"GET https://pam.example.com/api/session/remotesessions/{record_id}: HTTP 400",
			}}},
		},
		{
			name:     "single sessions cannot be read: the list tells",
			sessions: []simulator.Session{visitor(1, simulator.Behavior{Zombie: true})},
			script: func(server *acctest.Server) {
				server.Sim.Inject(simulator.Fault{Kind: simulator.FlagFalse400, Op: simulator.OpGet})
				whenActed(server, simulator.OpDrop, 2, func() { server.Sim.End(visitorID(1)) })
			},
			drops:      []string{"drop hash-1", "drop hash-1"},
			terminated: []int{1},
		},
		{
			name:     "may not list: nothing is known and no session is terminated",
			server:   simulator.Config{Permission: simulator.DropOnly},
			sessions: visitors(1),
			requests: []string{"token", "list"},
			errors: []message{{drainFailed + "the authorization is missing a permission", "", []string{
				noneTerminated, "PAM Core", "Credentials and Devices", "GET https://pam.example.com/api/session/remotesessions: HTTP 500",
			}}},
			live: []string{visitorID(1)},
		},
		{
			name:     "may not terminate: one is tried, and all are named",
			server:   simulator.Config{Permission: simulator.ReadOnly},
			sessions: visitors(1),
			requests: []string{"token", "list", "drop hash-1", "list"},
			errors: []message{{"1 session still live" + ofDrain, "", []string{
				"Not terminated: " + lineOf(1) + ": the authorization is missing a permission", "The authorization is missing a permission.", "*Read and write* to terminate sessions", noneTerminated,
			}}},
			live: []string{visitorID(1)},
		},
		{
			name:     "lockdown",
			sessions: visitors(1),
			script:   injecting(simulator.Fault{Kind: simulator.Lockdown503, Op: simulator.OpDrop}),
			requests: []string{"token", "list", "drop hash-1", "list"},
			errors: []message{{"1 session still live" + ofDrain, "", []string{
				"Not terminated: " + lineOf(1) + ": senhasegura is under emergency lockdown", "Run again when the lockdown has ended.", "Lockdown until",
			}}},
			live: []string{visitorID(1)},
		},
		{
			name:     "the release has no list",
			server:   simulator.Config{Release: simulator.ReleaseDropOnly},
			sessions: visitors(1),
			drops:    []string{},
			errors: []message{{drainFailed + "no list of sessions was found at https://pam.example.com", "", []string{
				noneTerminated, "Releases earlier than 3.32 can't list sessions.", "GET https://pam.example.com/api/session/remotesessions: HTTP 404", "GET https://pam.example.com/iso/session/remotesessions: HTTP 404",
			}}},
			live: []string{visitorID(1)},
		},
		{
			name:     "the credentials are rejected, once",
			sessions: visitors(1),
			provider: map[string]any{"client_secret": "wrong"},
			requests: []string{"token"},
			errors: []message{{drainFailed + "senhasegura rejected the client credentials", "", []string{
				noneTerminated, "SENHASEGURA_CLIENT_SECRET", "HTTP 401",
			}}},
			live: []string{visitorID(1)},
		},
		{
			name:     "a list that breaks off is no shorter list",
			sessions: visitors(1, 2),
			script:   injecting(simulator.Fault{Kind: simulator.CutRows, Op: simulator.OpList, Rows: 1}),
			provider: map[string]any{"max_retries": 0},
			requests: []string{"token", "list"},
			errors: []message{{drainFailed + "senhasegura or a gateway in front of it keeps failing", "", []string{
				noneTerminated,
			}}},
			live: []string{visitorID(1), visitorID(2)},
		},
		{
			name:     "nothing can be read after the request: no end is claimed",
			sessions: []simulator.Session{visitor(1, simulator.Behavior{Zombie: true})},
			script:   injecting(simulator.Fault{Kind: simulator.Unauthorized500, Op: simulator.OpGet}, simulator.Fault{Kind: simulator.Unauthorized500, Op: simulator.OpList, After: 1}),
			requests: []string{"token", "list", "drop hash-1", "get 1", "list"},
			errors: []message{{"Can't tell whether 1 session ended" + ofDrain, "", []string{
				"Can't tell whether the session ended: " + lineOf(1), "The authorization is missing a permission.", "Credentials and Devices",
			}}},
			live: []string{visitorID(1)},
		},
		{
			name:     "ended one by one, but new sessions can't be seen",
			sessions: visitors(1),
			script:   injecting(simulator.Fault{Kind: simulator.Unauthorized500, Op: simulator.OpList, After: 1}),
			requests: []string{"token", "list", "drop hash-1", "get 1", "list"},
			errors: []message{{"Can't confirm that no session remains" + ofDrain, "", []string{
				"The authorization is missing a permission.", "New sessions may have started since the last check.", "Terminated: " + lineOf(1),
			}}},
		},
		{
			name:      "more than allowed: none is terminated",
			sessions:  visitors(1, 2),
			arguments: map[string]any{"max_sessions": 1},
			requests:  []string{"token", "list"},
			errors: []message{{tooMany + ofDrain, "max_sessions", []string{
				"Not terminated: " + lineOf(1), "Not terminated: " + lineOf(2), noneTerminated, "or raise `max_sessions`.",
			}}},
			live: []string{visitorID(1), visitorID(2)},
		},
		{
			name:       "as many as allowed",
			sessions:   visitors(1, 2),
			arguments:  map[string]any{"max_sessions": 2},
			requests:   []string{"token", "list", "drop hash-1", "drop hash-2", "get 1", "get 2", "list"},
			terminated: []int{1, 2},
		},
		{
			name:      "none allowed, and none is live",
			sessions:  []simulator.Session{visitorGone(9)},
			arguments: map[string]any{"max_sessions": 0},
			requests:  []string{"token", "list"},
		},
		{
			name: "too little is known of one: it is not terminated, and not passed over",
			sessions: []simulator.Session{visitor(1, simulator.Behavior{}), {
				RecordID: 2, SessionID: visitorID(2), User: "nobody-knows", Device: guarded + ":22", Start: started,
			}},
			arguments: map[string]any{"exclude": map[string]any{"origin_ips": []string{"192.0.2.0/24"}}},
			requests:  []string{"token", "list", "drop hash-1", "get 1", "get 2", "list"},
			errors: []message{{"Can't tell whether 1 of 2 sessions match" + ofDrain + ", except origin_ips 192.0.2.0/24", "", []string{
				"Can't tell whether the session matches; not terminated: nobody-knows on 10.66.33.17:22 since 2024-05-06T16:11:17Z, session hash-2: senhasegura shows too little to evaluate `exclude.origin_ips`",
				"Terminated: " + lineOf(1), "add their IDs to `exclude.session_ids`",
			}}},
			live: []string{visitorID(2)},
		},
		{
			name:      "all end during the grace period: none is terminated",
			sessions:  visitors(1),
			arguments: map[string]any{"grace_period": "9m"},
			script: func(server *acctest.Server) {
				whenActed(server, simulator.OpGet, 1, func() { server.Sim.End(visitorID(1)) })
			},
			requests: []string{"token", "list", "get 1", "get 1", "list"},
		},
		{
			name:       "one that lasts longer than the grace period is terminated",
			sessions:   visitors(1),
			arguments:  map[string]any{"grace_period": "50ms"},
			drops:      []string{"drop hash-1"},
			terminated: []int{1},
		},
		{
			name:      "more than allowed start during the grace period: none is terminated",
			sessions:  visitors(1),
			arguments: map[string]any{"grace_period": "50ms", "max_sessions": 1},
			script: func(server *acctest.Server) {
				whenActed(server, simulator.OpGet, 1, func() { server.Sim.Add(visitor(2, simulator.Behavior{})) })
			},
			drops: []string{},
			errors: []message{{tooMany + ofDrain, "max_sessions", []string{
				"Not terminated: " + lineOf(1), "Not terminated: " + lineOf(2),
			}}},
			live: []string{visitorID(1), visitorID(2)},
		},
		{
			name:     "one that starts before the closing list is terminated too",
			sessions: visitors(1),
			script: func(server *acctest.Server) {
				whenActed(server, simulator.OpDrop, 1, func() { server.Sim.Add(visitor(2, simulator.Behavior{})) })
			},
			requests:   []string{"token", "list", "drop hash-1", "get 1", "list", "drop hash-2", "get 2", "list"},
			terminated: []int{1, 2},
		},
		{
			name:      "one that starts in the quiet period is terminated too",
			sessions:  visitors(1),
			arguments: map[string]any{"quiet_period": "100ms"},
			script: func(server *acctest.Server) {
				whenActed(server, simulator.OpList, 2, func() { server.Sim.Add(visitor(2, simulator.Behavior{})) })
			},
			drops:      []string{"drop hash-1", "drop hash-2"},
			terminated: []int{1, 2},
		},
		{
			name:     "any value of an argument is enough, and all arguments must hold",
			sessions: visitors(1, 2, 3),
			arguments: map[string]any{
				"match": map[string]any{"users": []string{"user-1", "user-3"}, "protocols": []string{"SSH"}},
			},
			requests:   []string{"token", "list", "drop hash-1", "drop hash-3", "get 1", "get 3", "list"},
			of:         "users user-1, user-3 and protocols SSH",
			terminated: []int{1, 3},
			live:       []string{visitorID(2)},
		},
	}
}

func (c drainCase) expectRequests(t *testing.T, server *acctest.Server) {
	t.Helper()
	if c.requests != nil {
		server.ExpectRequestsInAnyOrder(t, c.requests...)
		return
	}
	var drops []string
	for _, request := range server.Requests() {
		if strings.HasPrefix(request, "drop ") {
			drops = append(drops, request)
		}
	}
	slices.Sort(drops)
	if !slices.Equal(drops, c.drops) {
		t.Errorf("drops %q, want %q", drops, c.drops)
	}
}

// staysInState is what every error of a destruction says.
const staysInState = "Terraform did not destroy the resources that this drain protects."

func TestDrainDestroy(t *testing.T) {
	t.Parallel()
	for _, test := range drainCases() {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, test.server, test.sessions...)
			if test.script != nil {
				test.script(server)
			}
			r := acctest.NewDriver(t, server, test.provider).Resource(drainType)
			state := kept(t, r, unseen(test.arguments))
			server.ExpectRequests(t)

			destroyed := r.Destroy(state)

			test.expectRequests(t, server)
			expectMessages(t, "error", destroyed.Diagnostics.Errors(), test.errors...)
			var warnings []message
			if len(test.terminated) > 0 {
				warning := terminatedMessage(test.terminated...)
				if test.of != "" {
					warning.summary = "Terminated " + countOf(len(test.terminated)) + ": drain of " + test.of
				}
				warnings = append(warnings, warning)
			}
			if len(test.afterRefusal) > 0 {
				warning := message{summary: countOf(len(test.afterRefusal)) + " ended after a refused request" + ofDrain, says: []string{"a gateway sent the request twice"}}
				for _, n := range test.afterRefusal {
					warning.says = append(warning.says, "Ended after a refused request: "+lineOf(n))
				}
				warnings = append(warnings, warning)
			}
			expectMessages(t, "warning", destroyed.Diagnostics.Warnings(), warnings...)
			expectLive(t, server, test.live...)
			if (destroyed.State != nil) != (test.errors != nil) {
				t.Errorf("state kept: %t, with these messages:\n%s", destroyed.State != nil, destroyed.Diagnostics)
			}
			for _, d := range destroyed.Diagnostics.Errors() {
				if !strings.Contains(d.Detail, staysInState) {
					t.Errorf("the error does not say what it leaves behind:\n%s", d.Detail)
				}
			}
		})
	}
}

// goesOn is what a failed drain says where its failure does not stop Terraform.
const goesOn = "`on_failure` is `continue`, so Terraform destroys the resources that this drain protects anyway."

func TestDrainOnFailureContinue(t *testing.T) {
	t.Parallel()
	sessions := []simulator.Session{visitor(1, simulator.Behavior{Refuse: true}), visitor(2, simulator.Behavior{})}
	for _, test := range []struct {
		name      string
		server    simulator.Config
		script    func(*acctest.Server)
		arguments map[string]any
		warning   message
		live      []string
	}{
		{
			name:    "a session is still live",
			warning: message{"1 of 2 sessions still live" + ofDrain, "", []string{"Still live: " + lineOf(1) + ": refused", "Terminated: " + lineOf(2), goesOn}},
			live:    []string{visitorID(1)},
		},
		{
			name:    "none may be terminated",
			server:  simulator.Config{Permission: simulator.ReadOnly},
			warning: message{"2 sessions still live" + ofDrain, "", []string{"Not terminated: " + lineOf(1), "Not terminated: " + lineOf(2), noneTerminated, goesOn}},
			live:    []string{visitorID(1), visitorID(2)},
		},
		{
			name: "a session is unknown",
			script: func(server *acctest.Server) {
				whenActed(server, simulator.OpDrop, 1, func() { server.Sim.Purge(visitorID(1)) })
			},
			warning: message{"Can't tell whether 1 of 2 sessions ended" + ofDrain, "", []string{"Can't tell whether the session ended: " + lineOf(1), goesOn}},
		},
		{
			name:      "the time is up",
			script:    func(server *acctest.Server) { server.Sim.SetBehavior(visitorID(1), simulator.Behavior{Zombie: true}) },
			arguments: map[string]any{"timeouts": map[string]any{"delete": "300ms"}},
			warning:   message{"1 of 2 sessions still live" + ofDrain, "", []string{"Still live: " + lineOf(1), "ran out", goesOn}},
			live:      []string{visitorID(1)},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, test.server, sessions...)
			if test.script != nil {
				test.script(server)
			}
			r := acctest.NewDriver(t, server, nil).Resource(drainType)
			config := unseen(test.arguments)
			config["on_failure"] = "continue"
			state := kept(t, r, config)
			destroyed := r.Destroy(state)
			expectMessages(t, "error", destroyed.Diagnostics.Errors())
			expectMessages(t, "warning", destroyed.Diagnostics.Warnings(), test.warning)
			if destroyed.State != nil {
				t.Error("the drain stays in the state")
			}
			expectLive(t, server, test.live...)
		})
	}
}

// A drain that did not run is never gone past: not after an interrupt, a guard, or a
// first list that could not be read.
func TestDrainOnFailureContinueNeedsARun(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		server    simulator.Config
		interrupt simulator.Op
		arguments map[string]any
		failure   message
	}{
		{
			name:      "more sessions than allowed",
			arguments: map[string]any{"max_sessions": 1},
			failure:   message{tooMany + ofDrain, "max_sessions", []string{lineOf(1), lineOf(2)}},
		},
		{
			name:    "nothing is known",
			server:  simulator.Config{Permission: simulator.DropOnly},
			failure: message{drainFailed + "the authorization is missing a permission", "", []string{noneTerminated}},
		},
		{
			name:      "interrupted in the grace period",
			interrupt: simulator.OpGet,
			arguments: map[string]any{"grace_period": "9m"},
			failure:   message{"2 sessions still live" + ofDrain, "", []string{"The run was interrupted.", "Not terminated: " + lineOf(1), noneTerminated}},
		},
		{
			name:      "interrupted before anything was known",
			interrupt: simulator.OpList,
			failure:   message{drainFailed + "the run was interrupted", "", []string{noneTerminated}},
		},
	} {
		for _, moment := range []string{"create", "destroy"} {
			t.Run(test.name+", "+moment, func(t *testing.T) {
				t.Parallel()
				server := inhabited(t, test.server, visitors(1, 2)...)
				driver := acctest.NewDriver(t, server, nil)
				r := driver.Resource(drainType)
				config := unseen(test.arguments)
				config["on_failure"], config["drain_on"] = "continue", []string{moment}
				if test.interrupt != "" {
					// The answer does not come, so that the interrupt can't be too late for it.
					server.Sim.Inject(simulator.Fault{Kind: simulator.SlowBefore, Op: test.interrupt})
					server.Sim.OnRequest(func(r simulator.Request) {
						if r.Op == test.interrupt {
							driver.Stop()
						}
					})
				}
				failure := test.failure
				failure.says = append(slices.Clone(failure.says), map[string]string{
					"create": tainted, "destroy": staysInState,
				}[moment])
				result := r.Apply(nil, config)
				if moment == "destroy" {
					result = r.Destroy(result.State)
				}
				expectMessages(t, "error", result.Diagnostics.Errors(), failure)
				expectMessages(t, "warning", result.Diagnostics.Warnings())
				if result.State == nil || result.State.Tainted != (moment == "create") {
					t.Errorf("the drain is not kept as it should: %+v", result.State)
				}
				expectLive(t, server, visitorID(1), visitorID(2))
			})
		}
	}
}

// A second destroy terminates only the sessions that remain.
func TestDrainDestroyAgain(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitor(1, simulator.Behavior{Refuse: true}), visitor(2, simulator.Behavior{}))
	r := acctest.NewDriver(t, server, nil).Resource(drainType)
	state := kept(t, r, unseen(nil))
	failed := r.Destroy(state)
	if failed.State == nil || len(failed.Diagnostics.Errors()) != 1 {
		t.Fatalf("the first destruction did not fail:\n%s", failed.Diagnostics)
	}
	server.Forget()
	server.Sim.SetBehavior(visitorID(1), simulator.Behavior{})

	destroyed := r.Destroy(failed.State)

	server.ExpectRequests(t, "list", "drop hash-1", "get 1", "list")
	expectMessages(t, "error", destroyed.Diagnostics.Errors())
	expectMessages(t, "warning", destroyed.Diagnostics.Warnings(), terminatedMessage(1))
	expectLive(t, server)
	if destroyed.State != nil {
		t.Error("the drain stays in the state")
	}
}

// vanishing is a server whose record of visitor 1 vanishes once a request was sent for it.
func vanishing(t *testing.T) *acctest.Server {
	t.Helper()
	server := inhabited(t, simulator.Config{}, append(visitors(1), visitorGone(9))...)
	whenActed(server, simulator.OpDrop, 1, func() { server.Sim.Purge(visitorID(1)) })
	return server
}

// missing is the error about session 1, which is not listed and not known to have ended.
var missing = message{"Can't tell whether 1 session ended" + ofDrain, "", []string{
	"Can't tell whether the session ended: " + lineOf(1) + ": the session wasn't found, or is outside the authorization's scope", "The drain needs their end, however often it runs.",
	"add their session IDs to `exclude.session_ids`, apply that change on its own (`-target`), then destroy.", staysInState,
}}

// A session that vanished fails the drain until senhasegura shows its end, or the user says
// that it no longer matters: a second run must not pass by looking away.
func TestDrainKeepsUnsettledSessions(t *testing.T) {
	t.Parallel()
	// Each command of Terraform has a process of its own.
	drains := func(t *testing.T, server *acctest.Server) *acctest.Resource {
		t.Helper()
		return acctest.NewDriver(t, server, nil).Resource(drainType)
	}
	excused := unseen(map[string]any{"exclude": map[string]any{"session_ids": []string{visitorID(1)}}})
	failed := func(t *testing.T, server *acctest.Server, state *acctest.State) *acctest.State {
		t.Helper()
		destroyed := drains(t, server).Destroy(state)
		expectMessages(t, "error", destroyed.Diagnostics.Errors(), missing)
		if destroyed.State == nil {
			t.Fatal("the drain is gone from the state")
		}
		for _, d := range destroyed.Diagnostics.Errors() {
			if strings.Contains(d.Detail, "un again") || strings.Contains(d.Detail, "run Terraform again") {
				t.Errorf("the error advises a run that could only look away:\n%s", d.Detail)
			}
		}
		return destroyed.State
	}
	passes := func(t *testing.T, server *acctest.Server, state *acctest.State) {
		t.Helper()
		destroyed := drains(t, server).Destroy(state)
		expectMessages(t, "diagnostic", destroyed.Diagnostics)
		if destroyed.State != nil {
			t.Error("the drain stays in the state")
		}
	}
	t.Run("at destroy, until its end is shown", func(t *testing.T) {
		t.Parallel()
		server := vanishing(t)
		state := failed(t, server, kept(t, drains(t, server), unseen(nil)))
		server.Forget()
		state = failed(t, server, state)
		server.ExpectRequests(t, "token", "list", "get 1")
		state = drains(t, server).Read(state).State
		server.Sim.Add(visitorGone(1))
		passes(t, server, state)
	})
	t.Run("at destroy, until it is excluded", func(t *testing.T) {
		t.Parallel()
		server := vanishing(t)
		state := failed(t, server, kept(t, drains(t, server), unseen(nil)))
		passes(t, server, drains(t, server).Apply(state, excused).State)
	})
	t.Run("at creation", func(t *testing.T) {
		t.Parallel()
		server := vanishing(t)
		config := unseen(map[string]any{"drain_on": []string{"create", "destroy"}, "on_failure": "continue"})
		created := drains(t, server).Apply(nil, config)
		expectMessages(t, "diagnostic", created.Diagnostics, message{"Can't tell whether 1 session ended" + ofDrain, "", []string{"the destroy needs their end too.", "`exclude.session_ids`"}})
		expectOutcomes(t, created.State, "unknown")
		// At destroy it continues, but not in silence.
		destroyed := drains(t, server).Destroy(created.State)
		expectMessages(t, "diagnostic", destroyed.Diagnostics, message{"Can't tell whether 1 session ended" + ofDrain, "", []string{"Can't tell whether the session ended: " + lineOf(1), goesOn}})
	})
	t.Run("at a creation that failed", func(t *testing.T) {
		t.Parallel()
		server := vanishing(t)
		created := drains(t, server).Apply(nil, unseen(map[string]any{"drain_on": []string{"create", "destroy"}}))
		expectMessages(t, "error", created.Diagnostics.Errors(), message{"Can't tell whether 1 session ended" + ofDrain, "", []string{"run `terraform untaint` on the drain", tainted}})
		again := drains(t, server).Apply(created.State, unseen(map[string]any{"drain_on": []string{"create", "destroy"}}))
		expectMessages(t, "error", again.Diagnostics.Errors(), missing)
		untainted := again.State
		untainted.Tainted = false
		config := maps.Clone(excused)
		config["drain_on"] = []string{"create", "destroy"}
		passes(t, server, drains(t, server).Apply(untainted, config).State)
	})
	t.Run("what a later destroy has settled is not needed again", func(t *testing.T) {
		t.Parallel()
		server := vanishing(t)
		config := unseen(map[string]any{"drain_on": []string{"create", "destroy"}, "on_failure": "continue"})
		created := drains(t, server).Apply(nil, config)
		config["on_failure"] = "halt"
		state := drains(t, server).Apply(created.State, config).State
		server.Sim.Add(visitorGone(1))
		server.Sim.Add(visitor(2, simulator.Behavior{Refuse: true}))
		destroyed := drains(t, server).Destroy(state)
		expectMessages(t, "error", destroyed.Diagnostics.Errors(), message{"1 of 2 sessions still live" + ofDrain, "", []string{"Still live: " + lineOf(2) + ": refused"}})
		server.Sim.Purge(visitorID(1))
		server.Sim.End(visitorID(2))
		passes(t, server, destroyed.State)
	})
}

// The session of a user who reconnects is terminated like any new one, as long as the
// time lasts, and within `max_sessions`, which bounds the sessions that are live at the
// same time.
func TestDrainReconnectingUser(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitor(1, simulator.Behavior{Reconnects: 2}))
	r := acctest.NewDriver(t, server, nil).Resource(drainType)
	state := kept(t, r, unseen(map[string]any{"max_sessions": 1}))
	destroyed := r.Destroy(state)
	expectMessages(t, "error", destroyed.Diagnostics.Errors())
	expectMessages(t, "warning", destroyed.Diagnostics.Warnings(), message{"Terminated 3 sessions" + ofDrain, "", []string{"users who still have access can reconnect"}})
	expectLive(t, server)
	var drops []string
	for _, s := range server.Sim.Sessions() {
		drops = append(drops, "drop "+s.SessionID)
	}
	server.ExpectRequests(t, "token", "list", drops[0], "get 1", "list", drops[1], "get 2", "list", drops[2], "get 3", "list")
}

// Ctrl-C ends every wait, and the error says what is true.
func TestDrainInterrupted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		// when is the nth request of an operation at which Terraform is stopped.
		when      simulator.Op
		nth       int
		arguments map[string]any
		summary   string
		says      []string
	}{
		{"in the grace period", simulator.OpGet, 2, map[string]any{"grace_period": "9m"}, "1 session still live" + ofDrain, []string{"Not terminated: " + lineOf(1), noneTerminated}},
		{"while it waits for the end", simulator.OpGet, 3, nil, "1 session still live" + ofDrain, []string{"Still live: " + lineOf(1) + ": senhasegura accepted the request"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, simulator.Config{}, visitor(1, simulator.Behavior{Zombie: true}))
			driver := acctest.NewDriver(t, server, nil)
			r := driver.Resource(drainType)
			state := kept(t, r, unseen(test.arguments))
			whenActed(server, test.when, test.nth, driver.Stop)
			destroyed := r.Destroy(state)
			want := message{test.summary, "", append(test.says, "The run was interrupted.", staysInState)}
			expectMessages(t, "error", destroyed.Diagnostics.Errors(), want)
			if destroyed.State == nil {
				t.Error("the drain is gone from the state")
			}
			expectLive(t, server, visitorID(1))
		})
	}
}

func TestDrainInterruptedInQuietPeriod(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitors(1)...)
	driver := acctest.NewDriver(t, server, nil)
	r := driver.Resource(drainType)
	state := kept(t, r, unseen(map[string]any{"quiet_period": "9m"}))
	whenActed(server, simulator.OpList, 4, driver.Stop)
	destroyed := r.Destroy(state)
	expectMessages(t, "error", destroyed.Diagnostics.Errors(), message{"Can't confirm that no session remains" + ofDrain, "", []string{
		"The run was interrupted.", "New sessions may have started since the last check.", "Terminated: " + lineOf(1), staysInState,
	}})
	if destroyed.State == nil {
		t.Error("the drain is gone from the state")
	}
}

// A drain that does not drain at destruction makes no call then.
func TestDrainDestroyWithoutDraining(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitorElsewhere(1))
	r := acctest.NewDriver(t, server, nil).Resource(drainType)
	state := kept(t, r, guard(map[string]any{"drain_on": []string{"create"}}))
	server.Sim.Add(visitor(2, simulator.Behavior{}))
	server.Forget()
	destroyed := r.Destroy(state)
	server.ExpectRequests(t)
	if len(destroyed.Diagnostics) > 0 || destroyed.State != nil {
		t.Errorf("the drain stays in the state, or says something:\n%s", destroyed.Diagnostics)
	}
}

// Where the provider's arguments are unknown, a plan is silent, a creation that
// drains nothing works, and everything that must drain fails and stays.
func TestDrainWithUnknownProvider(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitors(1)...)
	r := acctest.NewDriver(t, server, map[string]any{"url": acctest.Unknown}).Resource(drainType)
	notKnown := message{"Provider configuration is not known yet", "", []string{"senhasegura was not called", "`url`"}}
	atCreation := guard(map[string]any{"drain_on": []string{"create", "destroy"}})

	plan := r.Plan(nil, atCreation)
	expectMessages(t, "diagnostic", plan.Diagnostics)

	created := r.Apply(nil, atCreation)
	expectMessages(t, "error", created.Diagnostics.Errors(), notKnown)
	if created.State == nil || !created.State.Tainted {
		t.Error("a creation that could not drain is not saved as tainted")
	}

	destroyed := r.Destroy(kept(t, r, guard(nil)))
	expectMessages(t, "error", destroyed.Diagnostics.Errors(), notKnown)
	if destroyed.State == nil {
		t.Error("a destruction that could not drain leaves the state")
	}
	server.ExpectRequests(t)
}

func TestDrainDefaults(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitors(1)...)
	r := acctest.NewDriver(t, server, nil).Resource(drainType)
	config := map[string]any{"match": map[string]any{"devices": []string{guarded}}}

	first, second := kept(t, r, config), kept(t, r, config)
	for name, want := range map[string]any{
		"drain_on": []any{"destroy"}, "grace_period": "0s", "quiet_period": "0s", "max_sessions": nil, "on_failure": "halt", "on_excluded": "halt",
		"on_unseen": "continue", "preview": true, "poll_interval": "2s", "timeouts": nil, "exclude": nil, "triggers": nil, "sessions": []any{},
	} {
		if got := first.At(name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	if first.At("id") == "" || first.At("id") == second.At("id") {
		t.Errorf("ids %q and %q: want two that differ", first.At("id"), second.At("id"))
	}

	read := r.Read(first)
	if len(read.Diagnostics) > 0 || !reflect.DeepEqual(read.State.Values, first.Values) {
		t.Errorf("a refresh changed the state to %v, with\n%s", read.State.Values, read.Diagnostics)
	}
	if plan := r.Plan(read.State, config); plan.Change != acctest.NoOp || len(plan.Diagnostics) > 0 {
		t.Errorf("the second plan is %s, with\n%s", plan.Change, plan.Diagnostics)
	}
	server.ExpectRequests(t, "token", "list") // of the plan that creates it
	expectLive(t, server, visitorID(1))
}

func TestDrainCreate(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, append(visitors(1, 2), visitorElsewhere(3))...)
	r := acctest.NewDriver(t, server, nil).Resource(drainType)
	config := unseen(map[string]any{"drain_on": []string{"create"}})

	created := r.Apply(nil, config)

	server.ExpectRequestsInAnyOrder(t, "token", "list", "drop hash-1", "drop hash-2", "get 1", "get 2", "list")
	expectMessages(t, "diagnostic", created.Diagnostics, terminatedMessage(1, 2))
	expectLive(t, server, visitorID(3))
	var want []any
	for n := range 2 {
		truth, _ := server.Sim.Session(visitorID(n + 1))
		want = append(want, map[string]any{
			"session_id": truth.SessionID, "record_id": strconv.FormatInt(truth.RecordID, 10), "user": truth.User,
			"credential": "root", "device": guarded + ":22", "protocol": "ssh", "proxy": "Web Proxy", "origin_ip": "172.16.20.125",
			"started_at": "2024-05-06T16:11:17Z", "ended_at": truth.End.UTC().Format(time.RFC3339), "outcome": "terminated",
		})
	}
	if diff := cmp.Diff(want, created.State.At("sessions")); diff != "" {
		t.Errorf("sessions (-want +got):\n%s", diff)
	}
	if plan := r.Plan(r.Read(created.State).State, config); plan.Change != acctest.NoOp || len(plan.Diagnostics) > 0 {
		t.Errorf("the second plan is %s, with\n%s", plan.Change, plan.Diagnostics)
	}
	server.ExpectRequests(t)
}

// A creation that fails is saved, so that a destroy stays guarded, and repeated.
func TestDrainCreateFails(t *testing.T) {
	t.Parallel()
	for _, drainOn := range [][]string{{"create"}, {"create", "destroy"}} {
		t.Run(strings.Join(drainOn, " and "), func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, simulator.Config{}, visitor(1, simulator.Behavior{Refuse: true}), visitor(2, simulator.Behavior{}))
			r := acctest.NewDriver(t, server, nil).Resource(drainType)
			config := unseen(map[string]any{"drain_on": drainOn})

			created := r.Apply(nil, config)

			expectMessages(t, "error", created.Diagnostics.Errors(), message{"1 of 2 sessions still live" + ofDrain, "", []string{
				"Still live: " + lineOf(1) + ": refused", "Terminated: " + lineOf(2), tainted,
			}})
			if created.State == nil || !created.State.Tainted {
				t.Fatal("the drain is not saved as tainted")
			}
			expectOutcomes(t, created.State, "refused", "terminated")

			if plan := r.Plan(created.State, config); plan.Change != acctest.Replace {
				t.Errorf("the next plan is %s, want a replacement", plan.Change)
			}
			server.Sim.SetBehavior(visitorID(1), simulator.Behavior{})
			server.Forget()
			applied := acctest.NewDriver(t, server, nil).Resource(drainType).Apply(created.State, config)
			if applied.State == nil || applied.State.Tainted {
				t.Fatalf("the drain is not whole after the second apply:\n%s", applied.Diagnostics)
			}
			expectMessages(t, "diagnostic", applied.Diagnostics, terminatedMessage(1))
			for _, request := range server.Requests() {
				if request == "drop hash-2" {
					t.Error("a request was sent for a session that had ended")
				}
			}
			expectLive(t, server)
		})
	}
}

func TestDrainCreateOnFailureContinue(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitor(1, simulator.Behavior{Refuse: true}))
	r := acctest.NewDriver(t, server, nil).Resource(drainType)
	created := r.Apply(nil, unseen(map[string]any{"drain_on": []string{"create"}, "on_failure": "continue"}))
	expectMessages(t, "diagnostic", created.Diagnostics, message{"1 session still live" + ofDrain, "", []string{"Still live: " + lineOf(1) + ": refused", "`on_failure` is `continue`, so Terraform continues."}})
	if created.State == nil || created.State.Tainted {
		t.Fatal("the drain is not saved, or is tainted")
	}
	expectOutcomes(t, created.State, "refused")
}

func expectOutcomes(t *testing.T, state *acctest.State, want ...string) {
	t.Helper()
	sessions, ok := state.At("sessions").([]any)
	if !ok {
		t.Fatalf("sessions are %v", state.At("sessions"))
	}
	var got []string
	for _, s := range sessions {
		members, ok := s.(map[string]any)
		if !ok {
			t.Fatalf("a session is %v", s)
		}
		got = append(got, fmt.Sprint(members["outcome"]))
	}
	if !slices.Equal(got, want) {
		t.Errorf("outcomes %q, want %q", got, want)
	}
}

// previewMessage is the warning of a plan about the sessions that match. Terraform plans
// to create or to destroy the drain.
func previewMessage(moment string, numbers ...int) message {
	want := message{summary: matching(len(numbers)) + ofDrain, says: []string{
		map[string]string{"create": "Creating", "destroy": "Destroying"}[moment] + " this drain terminates the sessions that match at that time.", "Matching at 20",
	}}
	for _, n := range numbers {
		want.says = append(want.says, "Matching: "+lineOf(n))
	}
	return want
}

func matching(n int) string {
	if n == 1 {
		return "1 session matches"
	}
	return countOf(n) + " match"
}

func TestDrainPreviewOfCreation(t *testing.T) {
	t.Parallel()
	refused := message{tooMany + ofDrain, "max_sessions", []string{"Matching: " + lineOf(1), "Matching: " + lineOf(2), noneTerminated}}
	for _, test := range []struct {
		name      string
		server    simulator.Config
		sessions  []simulator.Session
		arguments map[string]any
		requests  []string
		warnings  []message
		errors    []message
	}{
		{
			name:      "no drain at creation",
			sessions:  visitors(1),
			arguments: map[string]any{"drain_on": []string{"destroy"}},
			requests:  []string{"token", "list"},
		},
		{
			name:     "sessions match",
			sessions: append(visitors(1, 2), visitorElsewhere(3)),
			requests: []string{"token", "list"},
			warnings: []message{previewMessage("create", 1, 2)},
		},
		{
			name:     "no session is live",
			sessions: []simulator.Session{visitorElsewhere(3), visitorGone(4)},
			requests: []string{"token", "list"},
		},
		{
			name:      "a grace and a quiet period are not waited for",
			sessions:  visitors(1),
			arguments: map[string]any{"grace_period": "4m", "quiet_period": "4m"},
			requests:  []string{"token", "list"},
			warnings:  []message{previewMessage("create", 1)},
		},
		{
			name:      "one is excluded: the apply will fail",
			sessions:  visitors(1, 2),
			arguments: map[string]any{"exclude": map[string]any{"users": []string{"user-1"}}},
			requests:  []string{"token", "list"},
			warnings: []message{{"1 session matches, 1 excluded" + exceptUser1, "", []string{
				"Matching: " + lineOf(2), "Excluded, not terminated. The apply fails while one is live (`on_excluded`): " + lineOf(1),
			}}},
		},
		{
			name:      "one is excluded, and left",
			sessions:  visitors(1),
			arguments: map[string]any{"exclude": map[string]any{"users": []string{"user-1"}}, "on_excluded": "continue"},
			requests:  []string{"token", "list"},
			warnings: []message{{"0 sessions match, 1 excluded" + exceptUser1, "", []string{
				"Excluded, not terminated. The apply continues: " + lineOf(1),
			}}},
		},
		{
			name:      "one that may not match is excluded",
			sessions:  visitors(1),
			arguments: map[string]any{"match": map[string]any{"users": []string{`CORP\user-1`}}, "exclude": map[string]any{"devices": []string{guarded}}, "on_unseen": "ignore"},
			requests:  []string{"token", "list"},
			warnings: []message{
				{`0 sessions match, 1 excluded: drain of users CORP\user-1, except devices ` + guarded, "", []string{
					"Excluded, not terminated. The apply continues: " + lineOf(1) + `: senhasegura shows "user-1", and ` + "`match.users`" + ` has "CORP\\user-1", which may be another form of the same name`,
				}},
				{`1 value may be misspelled: drain of users CORP\user-1, except devices ` + guarded, "", []string{`similar: "user-1"`}},
			},
		},
		{
			name:      "one can't be decided: it is not counted among those that match",
			sessions:  append(visitors(1), simulator.Session{RecordID: 2, SessionID: visitorID(2), User: "nobody-knows", Device: guarded + ":22", Start: started}),
			arguments: map[string]any{"exclude": map[string]any{"origin_ips": []string{"192.0.2.1"}}},
			requests:  []string{"token", "list"},
			warnings: []message{{"1 session matches, 1 can't be terminated" + ofDrain + ", except origin_ips 192.0.2.1", "", []string{
				"Matching: " + lineOf(1), "Can't be terminated, so the apply fails: nobody-knows on 10.66.33.17:22", "`exclude.origin_ips`", "To leave sessions open that senhasegura doesn't describe",
			}}},
		},
		{
			name:      "no preview",
			sessions:  visitors(1),
			arguments: map[string]any{"preview": false},
		},
		{
			name:      "no preview, and so no limit",
			sessions:  visitors(1, 2),
			arguments: map[string]any{"preview": false, "max_sessions": 1},
		},
		{
			name:     "the sessions can't be listed",
			server:   simulator.Config{Permission: simulator.DropOnly},
			sessions: visitors(1),
			requests: []string{"token", "list"},
			warnings: []message{{"Can't preview sessions: the authorization is missing a permission", "", []string{
				"The plan doesn't show which sessions match" + ofDrain + ".", "`preview = false`", "HTTP 500",
			}}},
		},
		{
			name:      "too many",
			sessions:  visitors(1, 2),
			arguments: map[string]any{"max_sessions": 1},
			requests:  []string{"token", "list"},
			errors:    []message{refused},
		},
		{
			name:      "too many, which `on_failure` does not excuse",
			sessions:  visitors(1, 2),
			arguments: map[string]any{"max_sessions": 1, "on_failure": "continue"},
			requests:  []string{"token", "list"},
			errors:    []message{refused},
		},
		{
			name:      "the match is not known yet",
			sessions:  visitors(1),
			arguments: map[string]any{"match": acctest.Unknown},
		},
		{
			name:      "an argument of the match is not known yet",
			sessions:  visitors(1),
			arguments: map[string]any{"match": map[string]any{"devices": []string{guarded}, "users": acctest.Unknown}},
		},
		{
			name:      "an element of the match is not known yet",
			sessions:  visitors(1),
			arguments: map[string]any{"match": map[string]any{"devices": []any{guarded, acctest.Unknown}}},
		},
		{
			name:      "the age in the match is not known yet",
			sessions:  visitors(1),
			arguments: map[string]any{"match": map[string]any{"devices": []string{guarded}, "older_than": acctest.Unknown}},
		},
		{
			name:      "what to exclude is not known yet",
			sessions:  visitors(1),
			arguments: map[string]any{"exclude": map[string]any{"users": acctest.Unknown}},
		},
		{
			name:      "the limit is not known yet",
			sessions:  visitors(1, 2),
			arguments: map[string]any{"max_sessions": acctest.Unknown},
		},
		{
			name:      "when to drain is not known yet",
			sessions:  visitors(1),
			arguments: map[string]any{"drain_on": acctest.Unknown},
			requests:  []string{"token", "list"},
		},
		{
			name:      "whether to preview is not known yet",
			sessions:  visitors(1),
			arguments: map[string]any{"preview": acctest.Unknown},
		},
		{
			name:      "the timeouts are not known yet",
			sessions:  visitors(1),
			arguments: map[string]any{"timeouts": acctest.Unknown},
			requests:  []string{"token", "list"},
			warnings:  []message{previewMessage("create", 1)},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, test.server, test.sessions...)
			r := acctest.NewDriver(t, server, nil).Resource(drainType)
			config := guard(map[string]any{"drain_on": []string{"create"}})
			maps.Copy(config, test.arguments)
			plan := r.Plan(nil, config)
			server.ExpectRequests(t, test.requests...)
			expectMessages(t, "warning", plan.Diagnostics.Warnings(), test.warnings...)
			expectMessages(t, "error", plan.Diagnostics.Errors(), test.errors...)
		})
	}
}

// during gives the messages of one phase.
func during(rpc string, all acctest.Diagnostics) acctest.Diagnostics {
	return slices.DeleteFunc(slices.Clone(all), func(d acctest.Diagnostic) bool { return d.RPC != rpc })
}

func TestDrainPreviewOfDestruction(t *testing.T) {
	t.Parallel()
	t.Run("a session matches", func(t *testing.T) {
		t.Parallel()
		server := inhabited(t, simulator.Config{}, visitors(1)...)
		r := acctest.NewDriver(t, server, nil).Resource(drainType)
		state := kept(t, r, guard(nil))
		destroyed := r.Destroy(state)
		server.ExpectRequests(t, "token", "list", "list", "drop hash-1", "get 1", "list")
		expectMessages(t, "planned", during("PlanResourceChange", destroyed.Diagnostics), previewMessage("destroy", 1))
		expectMessages(t, "applied", during("ApplyResourceChange", destroyed.Diagnostics), terminatedMessage(1))
	})
	t.Run("too many: nothing is applied", func(t *testing.T) {
		t.Parallel()
		server := inhabited(t, simulator.Config{}, visitors(1, 2)...)
		r := acctest.NewDriver(t, server, nil).Resource(drainType)
		destroyed := r.Destroy(kept(t, r, guard(map[string]any{"max_sessions": 1})))
		server.ExpectRequests(t, "token", "list")
		expectMessages(t, "diagnostic", destroyed.Diagnostics, message{tooMany + ofDrain, "max_sessions", []string{"Matching: " + lineOf(1), "Matching: " + lineOf(2)}})
		if destroyed.State == nil {
			t.Error("the drain is gone from the state")
		}
	})
	t.Run("no preview", func(t *testing.T) {
		t.Parallel()
		server := inhabited(t, simulator.Config{}, visitors(1)...)
		r := acctest.NewDriver(t, server, nil).Resource(drainType)
		destroyed := r.Destroy(kept(t, r, unseen(nil)))
		expectMessages(t, "planned", during("PlanResourceChange", destroyed.Diagnostics))
	})
	t.Run("a destruction that will not drain", func(t *testing.T) {
		t.Parallel()
		server := inhabited(t, simulator.Config{}, visitorGone(9))
		r := acctest.NewDriver(t, server, nil).Resource(drainType)
		state := kept(t, r, guard(map[string]any{"drain_on": []string{"create"}}))
		server.Sim.Add(visitor(1, simulator.Behavior{}))
		server.Forget()
		expectMessages(t, "diagnostic", r.Destroy(state).Diagnostics)
		server.ExpectRequests(t)
	})
	t.Run("the drain that the state knows counts, not the new one", func(t *testing.T) {
		t.Parallel()
		server := inhabited(t, simulator.Config{}, append(visitors(1), visitorElsewhere(2))...)
		r := acctest.NewDriver(t, server, nil).Resource(drainType)
		state := kept(t, r, guard(nil))
		plan := r.Plan(state, guard(map[string]any{"match": map[string]any{"devices": []string{"10.66.33.170"}}}))
		server.ExpectRequests(t, "token", "list")
		expectMessages(t, "warning", plan.Diagnostics, previewMessage("destroy", 1))
	})
	t.Run("a replacement by its triggers", func(t *testing.T) {
		t.Parallel()
		server := inhabited(t, simulator.Config{}, visitors(1)...)
		r := acctest.NewDriver(t, server, nil).Resource(drainType)
		state := kept(t, r, guard(map[string]any{"triggers": map[string]string{"machine": "1"}}))
		plan := r.Plan(state, guard(map[string]any{"triggers": map[string]any{"machine": acctest.Unknown}}))
		server.ExpectRequests(t, "token", "list")
		expectMessages(t, "warning", plan.Diagnostics, previewMessage("destroy", 1))
	})
	t.Run("a replacement whose match is not known yet", func(t *testing.T) {
		t.Parallel()
		server := inhabited(t, simulator.Config{}, visitors(1)...)
		r := acctest.NewDriver(t, server, nil).Resource(drainType)
		state := kept(t, r, guard(nil))
		plan := r.Plan(state, guard(map[string]any{"match": map[string]any{"devices": acctest.Unknown}}))
		expectMessages(t, "warning", plan.Diagnostics, previewMessage("destroy", 1))
	})
	t.Run("a replacement that drains at both ends", func(t *testing.T) {
		t.Parallel()
		server := inhabited(t, simulator.Config{}, visitorElsewhere(2))
		r := acctest.NewDriver(t, server, nil).Resource(drainType)
		both := map[string]any{"drain_on": []string{"create", "destroy"}}
		state := kept(t, r, guard(both))
		server.Sim.Add(visitor(1, simulator.Behavior{}))
		server.Forget()
		config := guard(both)
		config["match"] = map[string]any{"users": []string{"user-1", "user-2"}}
		// Another process plans, and reads one list for both ends.
		plan := acctest.NewDriver(t, server, nil).Resource(drainType).Plan(state, config)
		server.ExpectRequests(t, "token", "list")
		expectMessages(t, "warning", plan.Diagnostics, previewMessage("destroy", 1), message{"2 sessions match: drain of users user-1, user-2", "", []string{"Creating this drain", "Matching: user-1 on", "Matching: user-2 on"}})
	})
	t.Run("a replacement in a configuration that turns previews off", func(t *testing.T) {
		t.Parallel()
		server := inhabited(t, simulator.Config{}, visitors(1)...)
		r := acctest.NewDriver(t, server, nil).Resource(drainType)
		state := kept(t, r, guard(nil))
		server.Forget()
		// Another process plans.
		plan := acctest.NewDriver(t, server, nil).Resource(drainType).Plan(state, unseen(map[string]any{"triggers": map[string]string{"machine": "2"}}))
		if plan.Change != acctest.Replace {
			t.Errorf("the plan is %s, want a replacement", plan.Change)
		}
		server.ExpectRequests(t)
	})
}

// Every attribute is classified: a new one fails this test until it is. What
// could mean a drain replaces; the rest is a copy into the state.
func TestDrainAttributes(t *testing.T) {
	t.Parallel()
	changes := map[string]struct {
		change   acctest.Change
		from, to any
	}{
		"match":          {change: acctest.Replace, from: map[string]any{"devices": []string{guarded}}, to: map[string]any{"devices": []string{guarded}, "users": []string{"nobody"}}},
		"triggers":       {change: acctest.Replace, from: map[string]string{"machine": "1"}, to: map[string]string{"machine": "2"}},
		"exclude":        {change: acctest.Update, from: map[string]any{"users": []string{"admin"}}, to: map[string]any{"users": []string{"root"}}},
		"drain_on":       {change: acctest.Update, from: []string{"destroy"}, to: []string{"create", "destroy"}},
		"grace_period":   {change: acctest.Update, from: "1s", to: "2s"},
		"quiet_period":   {change: acctest.Update, from: "1s", to: "2s"},
		"max_sessions":   {change: acctest.Update, from: 5, to: 6},
		"on_failure":     {change: acctest.Update, from: "halt", to: "continue"},
		"on_unseen":      {change: acctest.Update, from: "continue", to: "halt"},
		"on_excluded":    {change: acctest.Update, from: "halt", to: "continue"},
		"preview":        {change: acctest.Update, from: false, to: true},
		"only_previewed": {change: acctest.Update, from: false, to: true},
		"poll_interval":  {change: acctest.Update, from: "1ms", to: "2ms"},
		"timeouts":       {change: acctest.Update, from: map[string]any{"delete": "1m"}, to: map[string]any{"create": "1m", "delete": "2m"}},
		"id":             {}, // computed
		"sessions":       {}, // computed
	}
	server := acctest.Start(t, simulator.Config{})
	names := acctest.NewDriver(t, server, nil).Resource(drainType).Attributes()
	if want := slices.Sorted(maps.Keys(changes)); !slices.Equal(names, want) {
		t.Fatalf("attributes %q, and %q are classified", names, want)
	}
	for name, test := range changes {
		if test.change == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// A session matches, which an update must not terminate.
			server := inhabited(t, simulator.Config{}, visitors(1)...)
			r := acctest.NewDriver(t, server, nil).Resource(drainType)
			before := kept(t, r, unseen(map[string]any{name: test.from}))

			config := unseen(map[string]any{name: test.to})
			if name == "only_previewed" {
				config["preview"] = true
			}
			applied := r.Apply(before, config)

			if applied.Change != test.change {
				t.Errorf("a change of %s is a %s, want %s", name, applied.Change, test.change)
			}
			expectMessages(t, "error", applied.Diagnostics.Errors())
			if test.change == acctest.Update {
				server.ExpectRequests(t)
				expectLive(t, server, visitorID(1))
			} else {
				server.ExpectRequests(t, "token", "list", "drop hash-1", "get 1", "list")
			}
			if same := applied.State.At("id") == before.At("id"); same != (test.change == acctest.Update) {
				t.Errorf("the id is the same: %t", same)
			}
			if reflect.DeepEqual(applied.State.At(name), before.At(name)) {
				t.Errorf("the state still says %v", before.At(name))
			}
		})
	}
}

// Terraform merges warnings whose summaries are equal: each of two drains of the same
// sessions must have one of its own.
func TestDrainsOfTheSameSessions(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitors(1)...)
	r := acctest.NewDriver(t, server, nil).Resource(drainType)
	config := guard(map[string]any{"drain_on": []string{"create"}})
	first := r.Apply(nil, config)
	expectMessages(t, "diagnostic of the first", during("ApplyResourceChange", first.Diagnostics), terminatedMessage(1))
	server.Sim.Add(visitor(2, simulator.Behavior{}))
	second := r.Apply(nil, config)
	want := terminatedMessage(2)
	want.summary += fmt.Sprintf(" (%v)", second.State.At("id"))
	expectMessages(t, "diagnostic of the second", during("ApplyResourceChange", second.Diagnostics), want)
}

// An argument that is taken out goes back to its default. The plans read one list,
// the apply none.
func TestDrainAttributesRemoved(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitors(1)...)
	r := acctest.NewDriver(t, server, nil).Resource(drainType)
	config := map[string]any{"match": map[string]any{"devices": []string{guarded}}}
	plain := kept(t, r, config)
	full := maps.Clone(config)
	maps.Copy(full, map[string]any{
		"exclude": map[string]any{"users": []string{"admin"}}, "grace_period": "1s", "quiet_period": "1s", "max_sessions": 1,
		"on_failure": "continue", "on_unseen": "halt", "preview": false, "poll_interval": "1s", "timeouts": map[string]any{"delete": "1m"},
	})
	applied := r.Apply(kept(t, r, full), config)
	if applied.Change != acctest.Update || len(applied.Diagnostics) > 0 {
		t.Fatalf("a %s, with\n%s", applied.Change, applied.Diagnostics)
	}
	want := maps.Clone(plain.Values)
	want["id"] = applied.State.At("id")
	if diff := cmp.Diff(want, applied.State.Values); diff != "" {
		t.Errorf("the state (-want +got):\n%s", diff)
	}
	server.ExpectRequests(t, "token", "list")
}

// An update takes effect in the next drain.
func TestDrainUpdatedExclude(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitors(1, 2)...)
	r := acctest.NewDriver(t, server, nil).Resource(drainType)
	updated := r.Apply(kept(t, r, unseen(nil)), unseen(map[string]any{
		"exclude": map[string]any{"users": []string{"user-1"}}, "on_excluded": "continue",
	}))
	destroyed := r.Destroy(updated.State)
	expectMessages(t, "diagnostic", destroyed.Diagnostics, message{"Terminated 1 session, 1 excluded session left open: drain of devices " + guarded + ", except users user-1", "", []string{
		"Terminated: " + lineOf(2), "Excluded, left open: " + lineOf(1),
	}})
	expectLive(t, server, visitorID(1))
}

// refusedArgument is one configuration that is refused on the argument at fault.
type refusedArgument struct {
	name      string
	arguments map[string]any
	on        string
	says      string
}

// allowing adds a timeout to the arguments of a drain, for a destroy and an action.
func allowing(timeout string, arguments map[string]any) map[string]any {
	arguments["timeouts"] = map[string]any{"delete": timeout}
	return arguments
}

// refusedArguments are those that resource and action share.
func refusedArguments() []refusedArgument {
	match := func(argument string, value any) map[string]any {
		return map[string]any{"match": map[string]any{argument: value}}
	}
	exclude := func(argument string, value any) map[string]any {
		return map[string]any{"exclude": map[string]any{argument: value}}
	}
	const (
		none     = "The set must have at least one value"
		negative = "must not be negative"
		notAbove = "must be greater than zero"
		noTime   = "must be shorter than `timeouts."
	)
	return []refusedArgument{
		{"no match", map[string]any{"match": nil}, "match", "match"},
		{"a match that sets nothing", map[string]any{"match": map[string]any{}}, "match", "would match every session"},
		{"session_ids empty", match("session_ids", []string{}), "match.session_ids", none},
		{"users empty", match("users", []string{}), "match.users", none},
		{"credentials empty", match("credentials", []string{}), "match.credentials", none},
		{"devices empty", match("devices", []string{}), "match.devices", none},
		{"protocols empty", match("protocols", []string{}), "match.protocols", none},
		{"proxies empty", match("proxies", []string{}), "match.proxies", none},
		{"origin_ips empty", match("origin_ips", []string{}), "match.origin_ips", none},
		{"an empty user", match("users", []string{""}), "match.users[]", "empty"},
		{"a null user", match("users", []any{"alice", nil}), "match.users[<nil>]", "compact("},
		{"a device with an impossible port", match("devices", []string{"db01:99999"}), "match.devices[db01:99999]", "port"},
		{"an origin that is no prefix", match("origin_ips", []string{"10.0.0.0/99"}), "match.origin_ips[10.0.0.0/99]", "10.0.0.0/99"},
		{"no age", match("older_than", "0s"), "match.older_than", notAbove},
		{"a negative age", match("older_than", "-1h"), "match.older_than", notAbove},
		{"an age in words", match("older_than", "1 day"), "match.older_than", "1 day"},
		{"an empty exclude", exclude("users", []string{}), "exclude.users", none},
		{"an empty excluded user", exclude("users", []string{""}), "exclude.users[]", "empty"},
		{"an excluded origin that is no prefix", exclude("origin_ips", []string{"10.0.0.0/99"}), "exclude.origin_ips[10.0.0.0/99]", "10.0.0.0/99"},
		{"a negative grace", map[string]any{"grace_period": "-1s"}, "grace_period", negative},
		{"a grace in words", map[string]any{"grace_period": "soon"}, "grace_period", "soon"},
		{"a negative quiet", map[string]any{"quiet_period": "-1s"}, "quiet_period", negative},
		{"a quiet in words", map[string]any{"quiet_period": "5"}, "quiet_period", "5"},
		{"no poll interval", map[string]any{"poll_interval": "0s"}, "poll_interval", notAbove},
		{"a negative poll interval", map[string]any{"poll_interval": "-2s"}, "poll_interval", notAbove},
		{"a poll interval in words", map[string]any{"poll_interval": "often"}, "poll_interval", "often"},
		{"a grace as long as the time allowed", allowing("10m", map[string]any{"grace_period": "10m"}), "grace_period", noTime},
		{"a quiet as long as the time allowed", allowing("10m", map[string]any{"quiet_period": "10m"}), "quiet_period", noTime},
		{"both together as long as the time allowed", allowing("10m", map[string]any{"grace_period": "5m", "quiet_period": "5m"}), "grace_period", noTime},
		{"an unknown way to treat unseen values", map[string]any{"on_unseen": "fail"}, "on_unseen", "value must be one of"},
		{"a negative limit", map[string]any{"max_sessions": -1}, "max_sessions", "at least 0"},
	}
}

func TestDrainValidation(t *testing.T) {
	t.Parallel()
	r := acctest.NewDriver(t, acctest.Start(t, simulator.Config{}), nil).Resource(drainType)
	tests := append(refusedArguments(),
		refusedArgument{"never", map[string]any{"drain_on": []string{}}, "drain_on", "at least 1"},
		refusedArgument{"at an unknown moment", map[string]any{"drain_on": []string{"destroy", "update"}}, "drain_on[update]", `"create" "destroy"`},
		refusedArgument{"an unknown consequence", map[string]any{"on_failure": "ignore"}, "on_failure", `"halt" "continue"`},
		refusedArgument{"held to a preview that is not made", map[string]any{"only_previewed": true, "preview": false}, "only_previewed", "requires `preview`"},
		refusedArgument{"held to a preview at creation", map[string]any{"only_previewed": true, "drain_on": []string{"create", "destroy"}}, "only_previewed", "conflicts with `create` in `drain_on`"},
		refusedArgument{"no time to create", map[string]any{"timeouts": map[string]any{"create": "0s"}}, "timeouts.create", "must be greater than zero"},
		refusedArgument{"a grace as long as the time at creation", map[string]any{
			"drain_on": []string{"create"}, "grace_period": "1m", "timeouts": map[string]any{"create": "1m"},
		}, "grace_period", "must be shorter than `timeouts.create` (1m)."},
		refusedArgument{"a time to delete in words", map[string]any{"timeouts": map[string]any{"delete": "long"}}, "timeouts.delete", "must be a duration with a unit"},
	)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.expect(t, r.Validate(guard(test.arguments)))
		})
	}
}

func (a refusedArgument) expect(t *testing.T, got acctest.Diagnostics) {
	t.Helper()
	if len(got) != 1 || got[0].Warning || got[0].Path != a.on || !strings.Contains(got[0].Detail, a.says) {
		t.Errorf("want one error on %q that says %q, got:\n%s", a.on, a.says, got)
	}
}

// All faults are shown at once.
func TestDrainValidationShowsAll(t *testing.T) {
	t.Parallel()
	r := acctest.NewDriver(t, acctest.Start(t, simulator.Config{}), nil).Resource(drainType)
	got := r.Validate(map[string]any{
		"match":         map[string]any{"users": []string{}, "devices": []string{"db01:99999", ""}, "older_than": "0s"},
		"exclude":       map[string]any{"origin_ips": []string{"here"}},
		"poll_interval": "0s",
	})
	var paths []string
	for _, d := range got.Errors() {
		paths = append(paths, d.Path)
	}
	slices.Sort(paths)
	want := []string{"exclude.origin_ips[here]", "match.devices[]", "match.devices[db01:99999]", "match.older_than", "match.users", "poll_interval"}
	if !slices.Equal(paths, want) {
		t.Errorf("errors on %q, want %q", paths, want)
	}
}

// What is not known yet may still turn out right.
func TestDrainValidationOfUnknown(t *testing.T) {
	t.Parallel()
	r := acctest.NewDriver(t, acctest.Start(t, simulator.Config{}), nil).Resource(drainType)
	for name, arguments := range map[string]map[string]any{
		"match":        {"match": acctest.Unknown},
		"a set":        {"match": map[string]any{"users": acctest.Unknown}},
		"an element":   {"match": map[string]any{"users": []any{acctest.Unknown}}},
		"an age":       {"match": map[string]any{"older_than": acctest.Unknown}},
		"exclude":      {"exclude": acctest.Unknown},
		"drain_on":     {"drain_on": acctest.Unknown},
		"max_sessions": {"max_sessions": acctest.Unknown},
		"durations":    {"grace_period": acctest.Unknown, "quiet_period": acctest.Unknown, "poll_interval": acctest.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := r.Validate(guard(arguments)); len(got) > 0 {
				t.Errorf("refused:\n%s", got)
			}
		})
	}
}

// Periods are judged by the time of the moment at which the drain runs, and by
// no other.
func TestDrainPeriodsThatLeaveTime(t *testing.T) {
	t.Parallel()
	r := acctest.NewDriver(t, acctest.Start(t, simulator.Config{}), nil).Resource(drainType)
	for name, arguments := range map[string]map[string]any{
		"the default, which follows": {"grace_period": "48h", "quiet_period": "48h"},
		"a longer time allowed":      {"grace_period": "10m", "timeouts": map[string]any{"delete": "11m"}},
		"a moment that is not used":  {"grace_period": "2m", "timeouts": map[string]any{"create": "1m"}},
		"a time that is not known":   {"grace_period": "10m", "timeouts": map[string]any{"delete": acctest.Unknown}},
		"times that are not known":   {"grace_period": "10m", "timeouts": acctest.Unknown},
		"a period not known":         {"grace_period": acctest.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := r.Validate(guard(arguments)); len(got) != 0 {
				t.Errorf("refused:\n%s", got)
			}
		})
	}
}
