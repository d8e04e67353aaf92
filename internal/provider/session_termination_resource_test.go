package provider_test

import (
	"maps"
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
	terminationType = "senhasegura_session_termination"

	aliceID     = "c819cbc5f2fad2065f1d132a22d0e2dfacccb228"
	aliceRecord = "6"
)

// The requests about the one session of most tests.
const (
	dropAlice = "drop " + aliceID
	getAlice  = "get " + aliceRecord
)

// started is a fixed past, so that what is recorded of it can be compared.
var started = time.Date(2024, 5, 6, 16, 11, 17, 0, time.UTC)

func alice(behavior simulator.Behavior) simulator.Session {
	return simulator.Session{
		RecordID: 6, SessionID: aliceID,
		User: "alice", Credential: "root", Device: "10.66.33.17:22",
		Protocol: "ssh", Proxy: "Web Proxy", OriginIP: "172.16.20.125",
		Start: started, Behavior: behavior,
	}
}

func endedAlice() simulator.Session {
	s := alice(simulator.Behavior{})
	s.End = started.Add(13 * time.Second)
	return s
}

// with adds arguments to a termination of alice's session that polls fast, and
// that does not wait for long where a fault makes it wait for ever. nil removes
// one.
func with(arguments map[string]any) map[string]any {
	config := map[string]any{"session_id": aliceID, "poll_interval": "1ms", "timeouts": map[string]any{"create": "20s"}}
	maps.Copy(config, arguments)
	return config
}

// terminate is a driver and its server with alice's session.
func terminate(t *testing.T, config simulator.Config, session simulator.Session, arguments map[string]any) (*acctest.Server, *acctest.Resource) {
	t.Helper()
	server := acctest.Start(t, config)
	server.Sim.Add(session)
	return server, acctest.NewDriver(t, server, arguments).Resource(terminationType)
}

// recorded gives the state of a termination that was done, without the requests
// that it took.
func recorded(t *testing.T, server *acctest.Server, r *acctest.Resource, config map[string]any) *acctest.State {
	t.Helper()
	applied := r.Apply(nil, config)
	if len(applied.Diagnostics.Errors()) > 0 || applied.State == nil {
		t.Fatalf("the termination was not recorded:\n%s", applied.Diagnostics)
	}
	server.Forget()
	return applied.State
}

// message is what a test expects of one diagnostic.
type message struct {
	summary string
	path    string
	// says are parts of the detail, those of a list as byTitle gives them.
	says []string
}

// ofAlice ends the summaries of warnings about alice's session.
const ofAlice = ": session " + aliceID

func expectMessages(t *testing.T, what string, got acctest.Diagnostics, want ...message) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d %s, want %d:\n%s", len(got), what, len(want), got)
		return
	}
	for i, d := range got {
		d.Summary, d.Detail = address.ReplaceAllString(d.Summary, "https://pam.example.com"), address.ReplaceAllString(d.Detail, "https://pam.example.com")
		if d.Summary != want[i].summary || d.Path != want[i].path {
			t.Errorf("%s on %q: %q\nwant it on %q: %q", what, d.Path, d.Summary, want[i].path, want[i].summary)
		}
		said := d.Detail + "\n" + byTitle(d.Detail)
		for _, part := range want[i].says {
			if !strings.Contains(said, part) {
				t.Errorf("%s %q does not say %q:\n%s", what, d.Summary, part, d.Detail)
			}
		}
	}
}

// creation is one way in which a creation ends.
type creation struct {
	server simulator.Config
	// session is alice's live one unless it is set.
	session   *simulator.Session
	absent    bool // no session at all
	faults    []simulator.Fault
	provider  map[string]any
	arguments map[string]any

	requests []string
	// outcome is empty where nothing may be recorded.
	outcome  string
	warnings []message
	errors   []message
	// live is what is true of the session afterwards.
	live bool
}

func (c creation) run(t *testing.T) {
	t.Helper()
	server := acctest.Start(t, c.server)
	if !c.absent {
		session := alice(simulator.Behavior{})
		if c.session != nil {
			session = *c.session
		}
		server.Sim.Add(session)
	}
	for _, fault := range c.faults {
		server.Sim.Inject(fault)
	}
	r := acctest.NewDriver(t, server, c.provider).Resource(terminationType)

	applied := r.Apply(nil, with(c.arguments))

	server.ExpectRequests(t, c.requests...)
	expectMessages(t, "warning", applied.Diagnostics.Warnings(), c.warnings...)
	expectMessages(t, "error", applied.Diagnostics.Errors(), c.errors...)
	if truth, ok := server.Sim.Session(aliceID); ok && (truth.State == simulator.StateLive) != c.live {
		t.Errorf("the session is %s, want live %t", truth.State, c.live)
	}
	if c.outcome == "" {
		if applied.State != nil {
			t.Errorf("recorded: %v", applied.State.Values)
		}
		return
	}
	c.check(t, r, applied.State)
}

// check compares the recorded session with the real one.
func (c creation) check(t *testing.T, r *acctest.Resource, state *acctest.State) {
	t.Helper()
	if state == nil {
		t.Fatal("nothing was recorded")
	}
	if got := state.At("outcome"); got != c.outcome {
		t.Errorf("outcome %v, want %s", got, c.outcome)
	}
	if state.At("id") != aliceID || state.Identity["session_id"] != aliceID {
		t.Errorf("id %v, identity %v, want %s", state.At("id"), state.Identity, aliceID)
	}
	if want := len(c.errors) > 0; state.Tainted != want {
		t.Errorf("tainted %t, want %t", state.Tainted, want)
	}
	seen := c.outcome == "terminated" || c.outcome == "already_ended"
	if got := state.At("terminated_at") != nil; got != seen {
		t.Errorf("terminated_at %v, want one only where an end was seen", state.At("terminated_at"))
	}
	if got := state.At("session", "ended_at") != nil; got != seen {
		t.Errorf("session.ended_at %v, want one only where an end was seen", state.At("session", "ended_at"))
	}
	if state.Tainted {
		return
	}
	if plan := r.Plan(state, with(c.arguments)); plan.Change != acctest.NoOp {
		t.Errorf("the next plan is to %s: %v", plan.Change, plan.Values)
	}
}

// lost is a request that was carried out, and whose answer was lost.
func lost(fault simulator.Fault) creation {
	fault.Op, fault.Times = simulator.OpDrop, 1
	return creation{
		faults:   []simulator.Fault{fault},
		requests: []string{"token", dropAlice, "list"},
		outcome:  "terminated",
	}
}

// vain is a request that was not carried out, although its response does not say so.
func vain(fault simulator.Fault) creation {
	c := lost(fault)
	c.requests = append(c.requests, dropAlice, getAlice)
	return c
}

// failing is a request that senhasegura did not carry out for a reason that another would
// meet again: one request, one error, nothing recorded.
func failing(kind simulator.Kind, problem string, says ...string) creation {
	return creation{
		faults:   []simulator.Fault{{Kind: kind, Op: simulator.OpDrop}},
		requests: []string{"token", dropAlice},
		errors:   notTerminated(problem, says...),
		live:     true,
	}
}

func redirected() creation {
	c := failing(simulator.Redirect, "senhasegura rejected the request", "redirected", "not followed")
	c.faults[0].Location = "https://elsewhere.example.com/"
	return c
}

func notTerminated(problem string, says ...string) []message {
	return []message{{
		summary: "Session not terminated: " + problem,
		says:    append(says, "The session was not changed.", notCreated),
	}}
}

const (
	notCreated     = "The resource was not created. The next apply tries again."
	createdTainted = "The resource is tainted. The next apply tries again."
	lastSeenLive   = "Last seen live: alice on 10.66.33.17:22"
)

// TestTerminationCreate has one row for every way in which a creation ends.
func TestTerminationCreate(t *testing.T) {
	t.Parallel()

	const refusedSummary = "Session still live: senhasegura refused to terminate it"
	of := func(s simulator.Session) *simulator.Session { return &s }
	notConfirmed := []message{{"Termination requested, but not confirmed" + ofAlice, "session_id", []string{"the provider can't read whether the session ended", "`outcome` is `accepted`"}}}
	unknown := []message{{"Can't tell whether the session ended", "session_id", []string{"the provider can't read the session", "PAM Core", notCreated}}}

	tests := map[string]creation{
		"accepted, end read": {
			requests: []string{"token", dropAlice, "list"},
			outcome:  "terminated",
		},
		"record id given, which saves the list": {
			arguments: map[string]any{"record_id": aliceRecord},
			requests:  []string{"token", dropAlice, getAlice},
			outcome:   "terminated",
		},
		"confirm false, which claims no end": {
			arguments: map[string]any{"confirm": false},
			requests:  []string{"token", dropAlice},
			outcome:   "accepted",
		},
		"authorization may drop only": {
			server:   simulator.Config{Permission: simulator.DropOnly},
			requests: []string{"token", dropAlice, "list"},
			outcome:  "accepted", warnings: notConfirmed,
		},
		"release can drop only": {
			server: simulator.Config{Release: simulator.ReleaseDropOnly},
			requests: []string{
				"token", "other DELETE /api/pam/session/drop/" + aliceID, dropAlice,
				"other GET /api/session/remotesessions", "other GET /api/pam/session/remotesessions", "other GET /iso/session/remotesessions",
			},
			outcome: "accepted", warnings: notConfirmed,
		},
		"session hidden from the authorization": {
			session:  of(alice(simulator.Behavior{Hidden: true})),
			requests: []string{"token", dropAlice, "list"},
			outcome:  "accepted", warnings: notConfirmed,
		},
		"token refused once": {
			faults:   []simulator.Fault{{Kind: simulator.TokenDenied401, Op: simulator.OpDrop, Times: 1}},
			requests: []string{"token", dropAlice, "token", dropAlice, "list"},
			outcome:  "terminated",
		},
		"too many requests once": {
			faults:   []simulator.Fault{{Kind: simulator.TooMany429, Op: simulator.OpDrop, Times: 1}},
			requests: []string{"token", dropAlice, dropAlice, "list"},
			outcome:  "terminated",
		},
		"204 is an acceptance": {
			faults:   []simulator.Fault{{Kind: simulator.NoContent204, Op: simulator.OpDrop}},
			requests: []string{"token", dropAlice, "list"},
			outcome:  "terminated",
		},

		"refused, end read": {
			session:  of(endedAlice()),
			requests: []string{"token", dropAlice, "list"},
			outcome:  "already_ended",
		},
		"refused once, seen live, requested again": {
			session:  of(alice(simulator.Behavior{RefuseFirst: 1})),
			requests: []string{"token", dropAlice, "list", dropAlice, getAlice},
			outcome:  "terminated",
		},
		"refused, seen live until the retries are used up": {
			session:  of(alice(simulator.Behavior{Refuse: true})),
			requests: []string{"token", dropAlice, "list", dropAlice, getAlice},
			errors: []message{{refusedSummary, "session_id", []string{
				lastSeenLive, "HTTP 500", notCreated,
			}}},
			live: true,
		},
		"refused, seen live, no retries": {
			session:  of(alice(simulator.Behavior{Refuse: true})),
			provider: map[string]any{"max_retries": 0},
			requests: []string{"token", dropAlice, "list"},
			errors:   []message{{refusedSummary, "session_id", []string{lastSeenLive, "An error occurred while droping session, 1 attempt"}}},
			live:     true,
		},
		"200 with error true is a refusal": {
			faults:   []simulator.Fault{{Kind: simulator.ErrorTrue200, Op: simulator.OpDrop}},
			requests: []string{"token", dropAlice, "list", dropAlice, getAlice},
			errors:   []message{{refusedSummary, "session_id", []string{"HTTP 200", "The operation could not be completed"}}},
			live:     true,
		},
		"400 with error false is a refusal": {
			faults:   []simulator.Fault{{Kind: simulator.FlagFalse400, Op: simulator.OpDrop}},
			provider: map[string]any{"max_retries": 0},
			requests: []string{"token", dropAlice, "list"},
			errors:   []message{{refusedSummary, "session_id", []string{"HTTP 400"}}},
			live:     true,
		},
		"refused, unknown": {
			absent:   true,
			requests: []string{"token", dropAlice, "list"},
			errors:   []message{{"Session not found", "session_id", []string{"senhasegura refused the request and doesn't list the session.", "ignore_not_found = true", "the session ID, a 40-character hash", notCreated}}},
		},
		"refused, unknown, digits": {
			arguments: map[string]any{"session_id": aliceRecord},
			requests:  []string{"token", "drop " + aliceRecord, "list"},
			errors:    []message{{"Session not found", "session_id", []string{`"6" looks like a record ID`, "`record_id`"}}},
			live:      true,
		},
		"refused, unknown, which is ignored": {
			absent:    true,
			arguments: map[string]any{"ignore_not_found": true},
			requests:  []string{"token", dropAlice, "list"},
			outcome:   "not_found",
		},
		"refused, can't be read": {
			server:   simulator.Config{Permission: simulator.DropOnly},
			session:  of(alice(simulator.Behavior{Refuse: true})),
			requests: []string{"token", dropAlice, "list"},
			errors:   unknown, live: true,
		},
		"ignore_not_found does not excuse a check that failed": {
			server:    simulator.Config{Permission: simulator.DropOnly},
			absent:    true,
			arguments: map[string]any{"ignore_not_found": true},
			requests:  []string{"token", dropAlice, "list"},
			errors:    unknown,
		},

		"answer lost, cut after acting":            lost(simulator.Fault{Kind: simulator.CutAfter}),
		"answer lost, reset after acting":          lost(simulator.Fault{Kind: simulator.ResetAfter}),
		"answer lost, cut in its middle":           lost(simulator.Fault{Kind: simulator.CutMiddle}),
		"answer lost, truncated body":              lost(simulator.Fault{Kind: simulator.Truncated200}),
		"answer lost, page of a proxy, acted":      lost(simulator.Fault{Kind: simulator.HTML200, Acting: simulator.ActFirst}),
		"answer lost, bad gateway, acted":          lost(simulator.Fault{Kind: simulator.HTML502, Acting: simulator.ActFirst}),
		"answer lost, gateway timeout, acted":      lost(simulator.Fault{Kind: simulator.GatewayTimeout504, Acting: simulator.ActFirst}),
		"answer lost, request timeout, acted":      lost(simulator.Fault{Kind: simulator.Timeout408, Acting: simulator.ActFirst}),
		"answer lost, unavailable, acted":          lost(simulator.Fault{Kind: simulator.Unavailable503, Acting: simulator.ActFirst}),
		"answer lost, unexpected error, acted":     lost(simulator.Fault{Kind: simulator.Unexpected500, Acting: simulator.ActFirst}),
		"answer lost, cut before acting":           vain(simulator.Fault{Kind: simulator.CutBefore}),
		"answer lost, reset before acting":         vain(simulator.Fault{Kind: simulator.ResetBefore}),
		"answer lost, page of a proxy, not acted":  vain(simulator.Fault{Kind: simulator.HTML200}),
		"answer lost, bad gateway, not acted":      vain(simulator.Fault{Kind: simulator.HTML502}),
		"answer lost, gateway timeout, not acted":  vain(simulator.Fault{Kind: simulator.GatewayTimeout504}),
		"answer lost, request timeout, not acted":  vain(simulator.Fault{Kind: simulator.Timeout408}),
		"answer lost, unavailable, not acted":      vain(simulator.Fault{Kind: simulator.Unavailable503}),
		"answer lost, unexpected error, not acted": vain(simulator.Fault{Kind: simulator.Unexpected500}),
		"answer lost, no answer in time": {
			provider: map[string]any{"request_timeout": "1s"},
			faults:   []simulator.Fault{{Kind: simulator.Slow, Op: simulator.OpDrop, Times: 1}},
			requests: []string{"token", dropAlice, "list"},
			outcome:  "terminated",
		},
		"answer lost, session live until the retries are used up": {
			faults:   []simulator.Fault{{Kind: simulator.CutBefore, Op: simulator.OpDrop}},
			requests: []string{"token", dropAlice, "list", dropAlice, getAlice},
			errors:   []message{{"Session still live", "session_id", []string{"senhasegura may have received the request", lastSeenLive, notCreated}}},
			live:     true,
		},
		"answer lost, can't be read, repeat accepted": {
			server:   simulator.Config{Permission: simulator.DropOnly},
			faults:   []simulator.Fault{{Kind: simulator.CutBefore, Op: simulator.OpDrop, Times: 1}},
			requests: []string{"token", dropAlice, "list", dropAlice, "list"},
			outcome:  "accepted", warnings: notConfirmed,
		},
		"answer lost, can't be read, repeat refused": {
			server:   simulator.Config{Permission: simulator.DropOnly},
			faults:   []simulator.Fault{{Kind: simulator.CutAfter, Op: simulator.OpDrop, Times: 1}},
			requests: []string{"token", dropAlice, "list", dropAlice, "list"},
			errors:   unknown,
		},
		"answer lost, can't be read, repeat lost too": {
			server:   simulator.Config{Permission: simulator.DropOnly},
			faults:   []simulator.Fault{{Kind: simulator.CutAfter, Op: simulator.OpDrop}},
			requests: []string{"token", dropAlice, "list", dropAlice, "list"},
			errors:   unknown,
		},

		"permission missing": {
			server:   simulator.Config{Permission: simulator.ReadOnly},
			requests: []string{"token", dropAlice},
			errors:   notTerminated("the authorization is missing a permission", "PAM Core", "*Read and write*"),
			live:     true,
		},
		"permission missing, 403":                  failing(simulator.Forbidden403, "the authorization is missing a permission", "HTTP 403"),
		"lockdown":                                 failing(simulator.Lockdown503, "senhasegura is under emergency lockdown", "until 09/08/2027 22:54:00"),
		"referer not allowed":                      failing(simulator.Referer500, "the authorization requires a Referer header", "`headers`"),
		"authorization inactive":                   failing(simulator.InactiveAuthorization401, "the authorization is disabled or has expired"),
		"redirected, which a drop does not follow": redirected(),
		"wrong route": {
			server:   simulator.Config{Routes: simulator.Routes{Drop: []string{}}},
			requests: []string{"token", "other DELETE /api/pam/session/drop/" + aliceID, "other DELETE /iso/session/drop/" + aliceID},
			errors: notTerminated("no route to terminate sessions was found at https://pam.example.com", "`url`",
				"DELETE https://pam.example.com/api/pam/session/drop/"+aliceID+": HTTP 404", "DELETE https://pam.example.com/iso/session/drop/"+aliceID+": HTTP 404"),
			live: true,
		},
		"gateway without a route": {
			faults:   []simulator.Fault{{Kind: simulator.GatewayNoRoute404, Op: simulator.OpDrop}},
			requests: []string{"token", dropAlice, "other DELETE /iso/session/drop/" + aliceID},
			errors:   notTerminated("no route to terminate sessions was found at https://pam.example.com", "no Route matched"),
			live:     true,
		},
		"client rejected": {
			provider: map[string]any{"client_secret": "not the secret"},
			requests: []string{"token"},
			errors:   notTerminated("senhasegura rejected the client credentials", "`client_id`", "SENHASEGURA_CLIENT_SECRET"),
			live:     true,
		},
		"token refused twice": {
			faults:   []simulator.Fault{{Kind: simulator.TokenDenied401, Op: simulator.OpDrop}},
			requests: []string{"token", dropAlice, "token", dropAlice},
			errors:   notTerminated("senhasegura rejected the client credentials"),
			live:     true,
		},

		"record id of no session": {
			arguments: map[string]any{"record_id": "7"},
			requests:  []string{"token", dropAlice, "get 7", "list"},
			outcome:   "terminated",
			errors:    []message{{"record_id doesn't belong to session_id", "record_id", []string{"Ended at 20", ": alice on 10.66.33.17:22"}}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.run(t)
		})
	}
}

// TestTerminationWaits: the session ends some time after the request.
func TestTerminationWaits(t *testing.T) {
	t.Parallel()
	server, r := terminate(t, simulator.Config{}, alice(simulator.Behavior{EndDelay: time.Hour}), nil)
	checks := 0
	// The journal of one driver is written by one request at a time here, so the
	// third check sees the end that the second one leaves behind.
	server.Sim.OnAnswer(func(request simulator.Request) {
		if request.Op == simulator.OpGet {
			if checks++; checks == 2 {
				server.Sim.End(aliceID)
			}
		}
	})

	applied := r.Apply(nil, with(nil))

	expectMessages(t, "message", applied.Diagnostics)
	server.ExpectRequests(t, "token", dropAlice, "list", dropAlice, getAlice, getAlice, getAlice)
	if got := applied.State.At("outcome"); got != "terminated" {
		t.Errorf("outcome %v, want terminated", got)
	}
}

// TestTerminationUnconfirmed: the request was accepted and no end was read in time.
func TestTerminationUnconfirmed(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		interval string
		fault    simulator.Fault
		summary  string
		says     []string
	}{
		"seen live until the deadline": {
			interval: "1ms",
			summary:  "Session still live",
			says:     []string{"`timeouts.create` ran out", "senhasegura accepted the request, but the session didn't end.", lastSeenLive, createdTainted},
		},
		"every check failed until the deadline": {
			interval: "10m", // so that it is the wait that the deadline ends
			fault:    simulator.Fault{Kind: simulator.HTML502, Op: simulator.OpList},
			summary:  "Can't tell whether the session ended",
			says:     []string{"`timeouts.create` ran out", "senhasegura accepted the request, and the provider can't read the session.", "HTTP 502", createdTainted},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, r := terminate(t, simulator.Config{}, alice(simulator.Behavior{Zombie: true}), map[string]any{"max_retries": 0})
			if test.fault.Kind != "" {
				server.Sim.Inject(test.fault)
			}
			config := with(map[string]any{"timeouts": map[string]any{"create": "1s"}, "poll_interval": test.interval})

			applied := r.Apply(nil, config)

			expectMessages(t, "message", applied.Diagnostics, message{test.summary, "session_id", test.says})
			if n := server.Sim.Count(simulator.OpDrop); n != 1 {
				t.Errorf("%d drops, want 1", n)
			}
			if applied.State == nil || !applied.State.Tainted {
				t.Fatalf("state %v, want a tainted one", applied.State)
			}
			if got := applied.State.At("outcome"); got != "accepted" {
				t.Errorf("outcome %v, want accepted", got)
			}

			server.Sim.ClearFaults()
			server.Sim.SetBehavior(aliceID, simulator.Behavior{})
			server.Forget()
			again := r.Apply(applied.State, config)

			expectMessages(t, "message", again.Diagnostics)
			if again.Change != acctest.Replace || again.State.At("outcome") != "terminated" || again.State.Tainted {
				t.Errorf("the next apply is to %s and leaves %v", again.Change, again.State.Values)
			}
			if n := server.Sim.Count(simulator.OpDrop); n != 1 {
				t.Errorf("%d drops in the next apply, want 1", n)
			}
		})
	}
}

// TestTerminationInterrupted: Ctrl-C ends a wait at once, and says what is true.
func TestTerminationInterrupted(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t, simulator.Config{})
	server.Sim.Add(alice(simulator.Behavior{Zombie: true}))
	d := acctest.NewDriver(t, server, nil)
	checks := 0
	server.Sim.OnAnswer(func(request simulator.Request) {
		if request.Op == simulator.OpGet {
			if checks++; checks == 2 {
				d.Stop()
			}
		}
	})

	applied := d.Resource(terminationType).Apply(nil, with(map[string]any{"poll_interval": "5ms"}))

	expectMessages(t, "message", applied.Diagnostics, message{
		"Session still live", "session_id", []string{"The run was interrupted", lastSeenLive, createdTainted},
	})
	if applied.State == nil || !applied.State.Tainted {
		t.Errorf("state %v, want a tainted one", applied.State)
	}
}

// TestTerminationRecordOfAnother: the session ends, and the wrong record id does
// not stay unnoticed.
func TestTerminationRecordOfAnother(t *testing.T) {
	t.Parallel()
	server, r := terminate(t, simulator.Config{}, alice(simulator.Behavior{}), nil)
	server.Sim.Add(simulator.Session{RecordID: 7, User: "bob"})

	applied := r.Apply(nil, with(map[string]any{"record_id": "7"}))

	server.ExpectRequests(t, "token", dropAlice, "get 7", "list")
	expectMessages(t, "message", applied.Diagnostics, message{
		"record_id doesn't belong to session_id", "record_id", []string{"Ended at 20", ": alice on 10.66.33.17:22", "The resource is tainted.", "Correct `record_id`, or remove it"},
	})
	if applied.State == nil || !applied.State.Tainted {
		t.Errorf("state %v, want a tainted one", applied.State)
	}
}

// TestTerminationSessionDetails: what is recorded of the session, in senhasegura's time zone.
func TestTerminationSessionDetails(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		t.Fatal(err)
	}
	_, r := terminate(t, simulator.Config{Location: zone}, endedAlice(), map[string]any{"time_zone": "America/Sao_Paulo"})

	applied := r.Apply(nil, with(nil))

	expectMessages(t, "message", applied.Diagnostics)
	want := map[string]any{
		"user": "alice", "credential": "root", "device": "10.66.33.17:22", "protocol": "ssh", "proxy": "Web Proxy",
		"origin_ip": "172.16.20.125", "started_at": "2024-05-06T13:11:17-03:00", "ended_at": "2024-05-06T13:11:30-03:00",
	}
	if diff := cmp.Diff(want, applied.State.At("session")); diff != "" {
		t.Errorf("session (-want +got):\n%s", diff)
	}
	if got := applied.State.At("record_id"); got != aliceRecord {
		t.Errorf("record_id %v, want %s", got, aliceRecord)
	}
}

// TestTerminationRejectedClientOnce: many resources, one token request.
func TestTerminationRejectedClientOnce(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]simulator.Config{
		"rejected with a message":     {},
		"rejected with a description": {InvalidClientDescription: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, r := terminate(t, status, alice(simulator.Behavior{}), map[string]any{"client_secret": "not the secret", "max_retries": 4})
			var group sync.WaitGroup
			results := make([]acctest.Result, 8)
			for i := range results {
				group.Go(func() { results[i] = r.Apply(nil, with(nil)) })
			}
			group.Wait()
			results = append(results, r.Apply(nil, with(nil)))

			const summary = "senhasegura rejected the client credentials"
			whole := 0
			for _, applied := range results {
				if strings.Contains(applied.Diagnostics.String(), "Client authentication failed") {
					whole++
					expectMessages(t, "message", applied.Diagnostics, notTerminated(summary, "Client authentication failed", "`client_secret`", "SENHASEGURA_CLIENT_SECRET")...)
					continue
				}
				expectMessages(t, "message", applied.Diagnostics, message{
					summary: "Session not terminated: " + summary, says: []string{"senhasegura already rejected these credentials in this run", "Fix the first credentials error of this run."},
				})
			}
			if whole != 1 {
				t.Errorf("%d errors show the whole cause, want 1", whole)
			}
			server.ExpectRequests(t, "token")
		})
	}
}

// accepted are the arguments of a termination whose end was not read, and whose
// record id is known: a refresh can tell more of it.
var accepted = map[string]any{"confirm": false, "record_id": aliceRecord}

// TestTerminationRead has one row for every way in which a refresh ends.
func TestTerminationRead(t *testing.T) {
	t.Parallel()

	notRead := func(problem string, says ...string) message {
		return message{summary: "Can't read session: " + problem, says: append(says, "The state of session "+aliceID+" was not changed.")}
	}
	const down = "senhasegura or a gateway in front of it keeps failing"
	otherGets := []string{getAlice, "other GET /api/pam/session/remotesessions/6", "other GET /iso/session/remotesessions/6"}
	fault := func(f simulator.Fault) func(*simulator.Simulator) {
		return func(sim *simulator.Simulator) { sim.Inject(f) }
	}

	tests := map[string]struct {
		server simulator.Config
		// arguments are accepted unless they are set.
		arguments map[string]any
		// arrange happens between the creation and the refresh.
		arrange  func(*simulator.Simulator)
		requests []string
		// removed, or ended: else the record stays as it was.
		removed, ended bool
		errors         []message
		warnings       []message
	}{
		"ended": {
			requests: []string{getAlice},
			ended:    true,
		},
		"the end is known": {
			arguments: map[string]any{},
			arrange:   fault(simulator.Fault{Kind: simulator.HTML502}),
		},
		"the end is known, and no session has its record id any more": {
			arguments: map[string]any{"record_id": aliceRecord},
			arrange:   func(sim *simulator.Simulator) { sim.Purge(aliceID) },
		},
		"no record id": {
			arguments: map[string]any{"confirm": false},
		},
		"purged, 1002": {
			arrange:  func(sim *simulator.Simulator) { sim.Purge(aliceID) },
			requests: []string{getAlice},
		},
		"purged, 404": {
			server:   simulator.Config{PlainNotFound: true},
			arrange:  func(sim *simulator.Simulator) { sim.Purge(aliceID) },
			requests: []string{getAlice},
		},
		"permission to read was taken away": {
			arrange:  func(sim *simulator.Simulator) { sim.SetPermission(simulator.DropOnly) },
			requests: []string{getAlice},
		},
		"live": {
			arrange: func(sim *simulator.Simulator) {
				sim.Purge(aliceID)
				sim.Add(alice(simulator.Behavior{}))
			},
			requests: []string{getAlice},
			removed:  true,
			warnings: []message{{"Session is live; it will be terminated on the next apply" + ofAlice, "session_id", []string{lastSeenLive, "removed the record from the state", "terminate the session again"}}},
		},
		"wrong route": {
			arrange:  fault(simulator.Fault{Kind: simulator.WrongRoute404}),
			requests: otherGets,
			errors:   []message{notRead("no route to read a session was found at https://pam.example.com", "GET https://pam.example.com/api/session/remotesessions/6: HTTP 404, code 4")},
		},
		"gateway without a route": {
			arrange: func(sim *simulator.Simulator) {
				sim.Inject(simulator.Fault{Kind: simulator.GatewayNoRoute404, Op: simulator.OpGet})
			},
			// The token was accepted before, so it is in doubt, once.
			requests: slices.Concat([]string{getAlice, "token"}, otherGets),
			errors:   []message{notRead("no route to read a session was found at https://pam.example.com", "no Route matched with those values")},
		},
		"page of a proxy": {
			arrange:  fault(simulator.Fault{Kind: simulator.HTML200, Op: simulator.OpGet}),
			requests: []string{getAlice, getAlice},
			warnings: []message{notRead(down, `a web page titled "Sign in"`)},
		},
		"bad gateway": {
			arrange:  fault(simulator.Fault{Kind: simulator.HTML502, Op: simulator.OpGet}),
			requests: []string{getAlice, getAlice},
			warnings: []message{notRead(down, "HTTP 502")},
		},
		"no answer in time": {
			arguments: map[string]any{"confirm": false, "record_id": aliceRecord, "timeouts": map[string]any{"read": "100ms"}},
			arrange:   fault(simulator.Fault{Kind: simulator.Slow, Op: simulator.OpGet}),
			requests:  []string{getAlice},
			warnings:  []message{notRead("timed out")},
		},
		"200 with error true": {
			arrange:  fault(simulator.Fault{Kind: simulator.ErrorTrue200, Op: simulator.OpGet}),
			requests: []string{getAlice},
			errors:   []message{notRead("senhasegura rejected the request", "The operation could not be completed")},
		},
		"lockdown": {
			arrange:  fault(simulator.Fault{Kind: simulator.Lockdown503, Op: simulator.OpGet}),
			requests: []string{getAlice},
			errors:   []message{notRead("senhasegura is under emergency lockdown", "until 09/08/2027")},
		},
		"record of another session": {
			arrange: func(sim *simulator.Simulator) {
				sim.Purge(aliceID)
				sim.Add(simulator.Session{RecordID: 6, User: "bob"})
			},
			requests: []string{getAlice},
			warnings: []message{{"record_id doesn't belong to session_id" + ofAlice, "record_id", []string{"Record 6 is of another session", "The state was not changed."}}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, r := terminate(t, test.server, alice(simulator.Behavior{}), nil)
			if test.arguments == nil {
				test.arguments = accepted
			}
			config := with(test.arguments)
			state := recorded(t, server, r, config)
			if test.arrange != nil {
				test.arrange(server.Sim)
			}

			read := r.Read(state)

			server.ExpectRequests(t, test.requests...)
			expectMessages(t, "warning", read.Diagnostics.Warnings(), test.warnings...)
			expectMessages(t, "error", read.Diagnostics.Errors(), test.errors...)
			if test.removed {
				if read.State != nil {
					t.Errorf("kept: %v", read.State.Values)
				}
				return
			}
			if read.State == nil {
				t.Fatal("removed from the state")
			}
			if plan := r.Plan(read.State, config); plan.Change != acctest.NoOp {
				t.Errorf("the next plan is to %s", plan.Change)
			}
			if test.ended {
				creation{outcome: "terminated", arguments: config}.check(t, r, read.State)
				return
			}
			if diff := cmp.Diff(state.Values, read.State.Values); diff != "" {
				t.Errorf("the record changed (-before +after):\n%s", diff)
			}
		})
	}
}

// TestTerminationsAreReadOnce: once an end is in the state, no plan asks for it
// again, also while senhasegura is down.
func TestTerminationsAreReadOnce(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t, simulator.Config{})
	r := acctest.NewDriver(t, server, nil).Resource(terminationType)
	configs := make([]map[string]any, 0, 20)
	for n := range cap(configs) {
		s := server.Sim.Add(simulator.Session{User: "alice", Device: "10.0.0.1:22"})
		config := with(map[string]any{"session_id": s.SessionID})
		if n%2 == 0 { // half of them are ended by a refresh
			config["confirm"], config["record_id"] = false, strconv.FormatInt(s.RecordID, 10)
		}
		configs = append(configs, config)
	}
	states := make([]*acctest.State, 0, len(configs))
	for _, config := range configs {
		states = append(states, r.Read(recorded(t, server, r, config)).State)
	}
	server.Forget()

	nextPlan := func(r *acctest.Resource) {
		t.Helper()
		for n, config := range configs {
			read := r.Read(states[n])
			expectMessages(t, "message", read.Diagnostics)
			if diff := cmp.Diff(states[n].Values, read.State.Values); diff != "" {
				t.Errorf("the record changed (-before +after):\n%s", diff)
			}
			plan := r.Plan(read.State, config)
			expectMessages(t, "message", plan.Diagnostics)
			if plan.Change != acctest.NoOp || plan.Values["outcome"] != "terminated" {
				t.Errorf("the plan is to %s, with outcome %v", plan.Change, plan.Values["outcome"])
			}
		}
	}
	nextPlan(acctest.NewDriver(t, server, nil).Resource(terminationType))
	server.Sim.Inject(simulator.Fault{Kind: simulator.CutBefore})
	nextPlan(acctest.NewDriver(t, server, nil).Resource(terminationType))
	nextPlan(acctest.NewDriver(t, server, map[string]any{"url": "https://pam.invalid"}).Resource(terminationType))
	server.ExpectRequests(t)
}

// TestTerminationsReadWhileServerIsDown: a plan does not wait for senhasegura once for each
// record that is not settled, and does not fail.
func TestTerminationsReadWhileServerIsDown(t *testing.T) {
	t.Parallel()
	server, r := terminate(t, simulator.Config{}, alice(simulator.Behavior{}), nil)
	state := recorded(t, server, r, with(accepted))
	server.Sim.Inject(simulator.Fault{Kind: simulator.HTML502, Op: simulator.OpGet})

	for range 20 {
		read := r.Read(state)
		expectMessages(t, "message", read.Diagnostics, message{
			"Can't read session: senhasegura or a gateway in front of it keeps failing", "",
			[]string{"HTTP 502", "The state of session " + aliceID + " was not changed."},
		})
		if got := len(read.Diagnostics.Errors()); got != 0 || read.State == nil {
			t.Errorf("%d errors, state %v", got, read.State)
		}
	}
	server.ExpectRequests(t, getAlice, getAlice)

	server.Sim.ClearFaults()
	read := acctest.NewDriver(t, server, nil).Resource(terminationType).Read(state)
	expectMessages(t, "message", read.Diagnostics)
	if got := read.State.At("outcome"); got != "terminated" {
		t.Errorf("outcome %v in the next run, want terminated", got)
	}
}

// TestTerminationAttributes says of every attribute what a change of it does. A
// new attribute must be added here.
func TestTerminationAttributes(t *testing.T) {
	t.Parallel()

	const computed acctest.Change = "computed"
	tests := map[string]struct {
		change acctest.Change
		// from and to are values of the attribute; nil leaves it out.
		from, to any
	}{
		"session_id":       {acctest.Replace, aliceID, "another"},
		"triggers":         {acctest.Replace, map[string]string{"ticket": "1"}, map[string]string{"ticket": "2"}},
		"record_id":        {acctest.Update, aliceRecord, "7"},
		"confirm":          {acctest.Update, true, false},
		"ignore_not_found": {acctest.Update, false, true},
		"poll_interval":    {acctest.Update, "1ms", "2ms"},
		"timeouts":         {acctest.Update, map[string]any{"create": "1m"}, map[string]any{"create": "2m", "read": "3m"}},
		"id":               {change: computed},
		"outcome":          {change: computed},
		"terminated_at":    {change: computed},
		"session":          {change: computed},
	}
	_, schema := terminate(t, simulator.Config{}, alice(simulator.Behavior{}), nil)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(tests)), schema.Attributes()); diff != "" {
		t.Fatalf("attributes of this table and of the schema (-table +schema):\n%s", diff)
	}
	for name, test := range tests {
		if test.change == computed {
			continue
		}
		ways := map[string][2]any{"changed": {test.from, test.to}}
		if name != "session_id" {
			ways["added"], ways["left out"] = [2]any{nil, test.to}, [2]any{test.to, nil}
		}
		for way, values := range ways {
			if name == "record_id" && way == "left out" {
				continue // the state's value stays, which TestTerminationRecordIDLeftOut shows
			}
			t.Run(name+" "+way, func(t *testing.T) {
				t.Parallel()
				server, r := terminate(t, simulator.Config{}, alice(simulator.Behavior{}), nil)
				before := with(map[string]any{"record_id": aliceRecord})
				before[name] = values[0]
				after := maps.Clone(before)
				after[name] = values[1]
				if name == "record_id" && way == "added" {
					before["confirm"], after["confirm"] = false, false // or the check would have found it
				}
				state := recorded(t, server, r, before)

				plan := r.Plan(state, after)

				expectMessages(t, "message", plan.Diagnostics)
				if plan.Change != test.change {
					t.Fatalf("the plan is to %s, want %s", plan.Change, test.change)
				}
				if plan.Change == acctest.Replace {
					if !slices.Equal(plan.Replaces, []string{name}) {
						t.Errorf("replaced for %v, want %s alone", plan.Replaces, name)
					}
					server.ExpectRequests(t)
					return
				}
				applied := r.Apply(state, after)
				expectMessages(t, "message", applied.Diagnostics)
				server.ExpectRequests(t)
				for _, kept := range []string{"id", "outcome", "terminated_at", "session"} {
					if diff := cmp.Diff(state.At(kept), applied.State.At(kept)); diff != "" {
						t.Errorf("%s changed (-before +after):\n%s", kept, diff)
					}
				}
				if again := r.Plan(applied.State, after); again.Change != acctest.NoOp {
					t.Errorf("the plan after that is to %s", again.Change)
				}
			})
		}
	}
}

// TestTerminationRecordIDLeftOut: the record id that was found or given before
// stays, since the configuration no longer says otherwise.
func TestTerminationRecordIDLeftOut(t *testing.T) {
	t.Parallel()
	server, r := terminate(t, simulator.Config{}, alice(simulator.Behavior{}), nil)
	state := recorded(t, server, r, with(map[string]any{"record_id": aliceRecord}))
	if plan := r.Plan(state, with(nil)); plan.Change != acctest.NoOp {
		t.Errorf("the plan is to %s", plan.Change)
	}
	server.ExpectRequests(t)
}

// TestTerminationReplace: a changed trigger drops again, after a destruction that
// asks nothing. The end is known from the list that confirmed it.
func TestTerminationReplace(t *testing.T) {
	t.Parallel()
	server, r := terminate(t, simulator.Config{}, alice(simulator.Behavior{}), nil)
	state := recorded(t, server, r, with(map[string]any{"triggers": map[string]string{"ticket": "1"}}))

	applied := r.Apply(state, with(map[string]any{"triggers": map[string]string{"ticket": "2"}}))

	expectMessages(t, "message", applied.Diagnostics)
	server.ExpectRequests(t, dropAlice)
	if applied.Change != acctest.Replace || applied.State.At("outcome") != "already_ended" {
		t.Errorf("%s left %v", applied.Change, applied.State.Values)
	}
}

func TestTerminationDestroyAsksNothing(t *testing.T) {
	t.Parallel()
	for name, behavior := range map[string]simulator.Behavior{"ended": {}, "live": {Zombie: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, r := terminate(t, simulator.Config{}, alice(behavior), nil)
			state := recorded(t, server, r, with(map[string]any{"confirm": false, "record_id": aliceRecord}))

			destroyed := r.Destroy(state)

			expectMessages(t, "message", destroyed.Diagnostics)
			server.ExpectRequests(t)
			if destroyed.State != nil {
				t.Errorf("kept: %v", destroyed.State.Values)
			}
		})
	}
}

// TestTerminationImport: only an end that was seen is imported.
func TestTerminationImport(t *testing.T) {
	t.Parallel()

	const advice = "Import by the session ID of an ended session."
	tests := map[string]struct {
		server   simulator.Config
		id       string
		session  simulator.Session
		requests []string
		errors   []message
	}{
		"ended": {
			id: aliceID, session: endedAlice(),
			requests: []string{"token", "list"},
		},
		"live": {
			id: aliceID, session: alice(simulator.Behavior{}),
			requests: []string{"token", "list"},
			errors: []message{{"Can't import a live session", "session_id", []string{
				lastSeenLive, "Nothing was imported.", "To terminate this session, remove the import block and apply the resource.",
			}}},
		},
		"unknown": {
			id: "unknown", session: alice(simulator.Behavior{}),
			requests: []string{"token", "list"},
			errors:   []message{{"Can't read session: the session wasn't found, or is outside the authorization's scope", "session_id", []string{"Nothing was imported"}}},
		},
		"row number": {
			id: aliceRecord, session: endedAlice(),
			requests: []string{"token", "list"},
			errors: []message{{"Can't read session: the session wasn't found, or is outside the authorization's scope", "session_id", []string{
				"Nothing was imported", `"6" looks like a record ID`, "a 40-character hash",
			}}},
		},
		"may not read": {
			server: simulator.Config{Permission: simulator.DropOnly},
			id:     aliceID, session: endedAlice(),
			requests: []string{"token", "list"},
			errors:   []message{{"Can't read session: the authorization is missing a permission", "", []string{"Credentials and Devices"}}},
		},
		"path":         {id: "../../x", session: endedAlice(), errors: []message{{"Invalid `session_id`", "session_id", []string{advice}}}},
		"escaped path": {id: "%2e%2e", session: endedAlice(), errors: []message{{"Invalid `session_id`", "session_id", []string{advice}}}},
		"newline":      {id: aliceID + "\n", session: endedAlice(), errors: []message{{"Invalid `session_id`", "session_id", []string{advice}}}},
	}
	for name, test := range tests {
		for _, by := range []string{"id", "identity"} {
			t.Run(name+" by "+by, func(t *testing.T) {
				t.Parallel()
				server, r := terminate(t, test.server, test.session, nil)

				var imported acctest.Result
				if by == "id" {
					imported = r.Import(test.id)
				} else {
					imported = r.ImportIdentity(map[string]any{"session_id": test.id})
				}

				server.ExpectRequests(t, test.requests...)
				expectMessages(t, "message", imported.Diagnostics, test.errors...)
				if len(test.errors) > 0 {
					if imported.State != nil {
						t.Errorf("imported: %v", imported.State.Values)
					}
					return
				}
				if imported.State == nil {
					t.Fatal("nothing was imported")
				}
				if got := imported.State.At("outcome"); got != "already_ended" {
					t.Errorf("outcome %v, want already_ended", got)
				}
				if imported.State.Identity["session_id"] != test.id {
					t.Errorf("identity %v, want %s", imported.State.Identity, test.id)
				}
				if plan := r.Plan(imported.State, map[string]any{"session_id": test.id}); plan.Change != acctest.NoOp {
					t.Errorf("the next plan is to %s: %v", plan.Change, plan.Values)
				}
				server.ExpectRequests(t)
			})
		}
	}
}

// TestTerminationHostileIDs: an id is refused or escaped; it never becomes
// another path.
func TestTerminationHostileIDs(t *testing.T) {
	t.Parallel()

	for name, id := range map[string]string{
		"empty": "", "path": "../../x", "path inside": "a/../b", "escaped dots": "%2e%2e", "twice escaped dots": "%252e%252e",
		"newline": "a\nb", "header": "a\r\nHost: elsewhere", "blank behind": aliceID + " ", "slash in front": "/a", "backslashes": `..\x`,
	} {
		t.Run("refused, "+name, func(t *testing.T) {
			t.Parallel()
			server, r := terminate(t, simulator.Config{}, alice(simulator.Behavior{}), nil)
			for what, said := range map[string]acctest.Diagnostics{
				"validate": r.Validate(with(map[string]any{"session_id": id})),
				"plan":     r.Plan(nil, with(map[string]any{"session_id": id})).Diagnostics,
				"apply":    r.Apply(nil, with(map[string]any{"session_id": id})).Diagnostics,
			} {
				expectMessages(t, what, said, message{"Invalid `session_id`", "session_id", []string{"must be a session ID, the 40-character hash"}})
			}
			server.ExpectRequests(t)
		})
	}

	for name, test := range map[string]struct{ id, path string }{
		"slash":            {"a/b", "a%2Fb"},
		"query":            {"a?b=c", "a%3Fb=c"},
		"fragment":         {"a#b", "a%23b"},
		"percent":          {"100%", "100%25"},
		"escaped slash":    {"a%2Fb", "a%252Fb"},
		"another alphabet": {"sessão", "sess%C3%A3o"},
	} {
		t.Run("escaped, "+name, func(t *testing.T) {
			t.Parallel()
			session := alice(simulator.Behavior{})
			session.SessionID = test.id
			server, r := terminate(t, simulator.Config{}, session, nil)

			applied := r.Apply(nil, with(map[string]any{"session_id": test.id}))

			expectMessages(t, "message", applied.Diagnostics)
			for _, request := range server.Sim.Journal() {
				if request.Op == simulator.OpDrop && request.Path != "/api/pam/session/drop/"+test.path {
					t.Errorf("requested at %s, want the id as %s", request.Path, test.path)
				}
			}
			server.ExpectRequests(t, "token", "drop "+test.id, "list")
		})
	}
}

// TestTerminationArguments: a wrong argument gets an error of its own before
// anything is asked.
func TestTerminationArguments(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arguments map[string]any
		path      string
		says      string
	}{
		"record id with letters":   {map[string]any{"record_id": "six"}, "record_id", "1 to 20 digits"},
		"record id empty":          {map[string]any{"record_id": ""}, "record_id", "1 to 20 digits"},
		"poll interval of nothing": {map[string]any{"poll_interval": "0s"}, "poll_interval", "must be greater than zero"},
		"poll interval backward":   {map[string]any{"poll_interval": "-1s"}, "poll_interval", "must be greater than zero"},
		"create timeout zero":      {map[string]any{"timeouts": map[string]any{"create": "0s"}}, "timeouts.create", "must be greater than zero"},
		"create timeout, no unit":  {map[string]any{"timeouts": map[string]any{"create": "10"}}, "timeouts.create", "with a unit"},
		"read timeout backward":    {map[string]any{"timeouts": map[string]any{"read": "-1m"}}, "timeouts.read", "must be greater than zero"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, r := terminate(t, simulator.Config{}, alice(simulator.Behavior{}), nil)
			applied := r.Apply(nil, with(test.arguments))
			expectMessages(t, "message", applied.Diagnostics, message{"Invalid `" + test.path + "`", test.path, []string{test.says}})
			server.ExpectRequests(t)
		})
	}
}

// TestTerminationPlansOffline: validation and plans ask nothing, even where senhasegura
// is not to be reached.
func TestTerminationPlansOffline(t *testing.T) {
	t.Parallel()
	server, r := terminate(t, simulator.Config{}, alice(simulator.Behavior{}), nil)
	state := recorded(t, server, r, with(nil))

	expectMessages(t, "message", r.Validate(with(nil)))
	expectMessages(t, "message", r.Validate(map[string]any{"session_id": acctest.Unknown}))
	for name, plan := range map[string]acctest.Plan{
		"creation":             r.Plan(nil, with(nil)),
		"creation, unknown":    r.Plan(nil, map[string]any{"session_id": acctest.Unknown, "record_id": acctest.Unknown, "poll_interval": acctest.Unknown}),
		"nothing":              r.Plan(state, with(nil)),
		"update":               r.Plan(state, with(map[string]any{"confirm": false})),
		"replacement":          r.Plan(state, with(map[string]any{"session_id": "another"})),
		"replacement, unknown": r.Plan(state, with(map[string]any{"session_id": acctest.Unknown})),
	} {
		expectMessages(t, name, plan.Diagnostics)
	}
	server.ExpectRequests(t)

	nowhere := acctest.NewDriver(t, server, map[string]any{"url": "https://pam.invalid"}).Resource(terminationType)
	expectMessages(t, "message", nowhere.Plan(nil, with(nil)).Diagnostics)
}

// TestTerminationProviderUnknown: unknown arguments of the provider are no error
// until senhasegura must be asked.
func TestTerminationProviderUnknown(t *testing.T) {
	t.Parallel()
	server, known := terminate(t, simulator.Config{}, alice(simulator.Behavior{}), nil)
	state := recorded(t, server, known, with(accepted))
	ended := recorded(t, server, known, with(nil))

	for name, test := range map[string]struct {
		arguments map[string]any
		named     string
	}{
		"url":            {map[string]any{"url": acctest.Unknown}, "`url`"},
		"secret":         {map[string]any{"client_secret": acctest.Unknown}, "`client_secret`"},
		"client":         {map[string]any{"client_id": acctest.Unknown, "client_secret": acctest.Unknown}, "`client_id`, `client_secret`"},
		"oauth1":         {map[string]any{"client_id": nil, "client_secret": nil, "oauth1": acctest.Unknown}, "`oauth1`"},
		"one header":     {map[string]any{"headers": map[string]any{"Referer": acctest.Unknown}}, "`headers[\"Referer\"]`"},
		"retries":        {map[string]any{"max_retries": acctest.Unknown}, "`max_retries`"},
		"time zone":      {map[string]any{"time_zone": acctest.Unknown}, "`time_zone`"},
		"route of drops": {map[string]any{"paths": map[string]any{"drop": acctest.Unknown}}, "`paths.drop`"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := acctest.NewDriver(t, server, test.arguments)
			expectMessages(t, "message", d.Configured)
			r := d.Resource(terminationType)

			expectMessages(t, "validation", r.Validate(with(nil)))
			expectMessages(t, "plan", r.Plan(nil, with(nil)).Diagnostics)

			notKnown := message{"Provider configuration is not known yet", "", []string{"not known: " + test.named + ".", "senhasegura was not called"}}
			applied := r.Apply(nil, with(nil))
			expectMessages(t, "apply", applied.Diagnostics, notKnown)
			if applied.State != nil {
				t.Errorf("recorded: %v", applied.State.Values)
			}
			expectMessages(t, "import", r.Import(aliceID).Diagnostics, notKnown)

			read := r.Read(state)
			expectMessages(t, "refresh", read.Diagnostics, message{"Session not refreshed, because the provider configuration is not known yet" + ofAlice, "", []string{test.named, "The state was not changed."}})
			if diff := cmp.Diff(state.Values, read.State.Values); diff != "" {
				t.Errorf("the record changed (-before +after):\n%s", diff)
			}
			expectMessages(t, "refresh of an end", r.Read(ended).Diagnostics)
			expectMessages(t, "destroy", r.Destroy(state).Diagnostics)
		})
	}
	t.Cleanup(func() { server.ExpectRequests(t) })
}
