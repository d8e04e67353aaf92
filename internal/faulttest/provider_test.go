package faulttest

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

const (
	terminationType = "senhasegura_session_termination"
	drainType       = "senhasegura_session_drain"
	sessionData     = "senhasegura_session"
	sessionsData    = "senhasegura_sessions"
)

// told is what a user of the provider gets to see.
type told struct {
	// summary is that of the one diagnostic, "" without any. Where it names a cause
	// it is the cause alone, as the words before it are settled elsewhere. on is
	// the attribute that it is on.
	summary, on string
	// state is what Terraform then has: the values of a data source, the record of
	// a resource, or nothing.
	state string
	// asks are the requests, as in a cell.
	asks string
}

// String writes it as one line.
func (t told) String() string {
	return "says " + cmp.Or(t.summary, "nothing") + " | on " + cmp.Or(t.on, "nothing") + " | state " + t.state + " | asks " + cmp.Or(t.asks, "nothing")
}

// The states.
const (
	nothing    = "nothing"
	something  = "something"
	accepted   = "accepted"
	terminated = "terminated"
	already    = "already_ended"
)

// problems are the words for each class; {route} stands for one of routes.
var problems = map[string]string{
	"transient failure":           "senhasegura or a gateway in front of it keeps failing",
	"transient failure, replayed": "senhasegura or a gateway in front of it keeps failing",
	"rejected":                    "senhasegura rejected the request",
	"not authenticated":           "senhasegura rejected the client credentials",
	"inactive":                    "the authorization is disabled or has expired",
	"permission":                  "the authorization is missing a permission",
	"referer":                     "the authorization requires a Referer header",
	"lockdown":                    "senhasegura is under emergency lockdown",
	"wrong route":                 "no {route} was found at https://pam.example.com",
	"wrong route, or token":       "no {route} was found at https://pam.example.com",
}

// routes are the words for the route of an operation.
var routes = map[simulator.Op]string{
	simulator.OpToken: "senhasegura API", simulator.OpList: "list of sessions",
	simulator.OpGet: "route to read a session", simulator.OpDrop: "route to terminate sessions",
}

// causes are the words for rows in which it is certain whose fault it is.
var causes = map[string]string{
	"429":                            "senhasegura or a gateway in front of it limits the rate of requests",
	"429, Retry-After in seconds":    "senhasegura or a gateway in front of it limits the rate of requests",
	"429, Retry-After as a date":     "senhasegura or a gateway in front of it limits the rate of requests",
	"429, Retry-After of an hour":    "senhasegura or a gateway in front of it limits the rate of requests",
	"500 unexpected error":           "senhasegura met an unexpected error",
	"500 unexpected error, acted on": "senhasegura met an unexpected error",
	"400 with a page":                "a web server in front of senhasegura refused the client",
	"401 invalid signature":          "senhasegura does not accept the signature",
	"500 invalid signature":          "senhasegura does not accept the signature",
}

// failing gives for every class the error with its words. requests are those of
// one attempt; route those where no route is right, renewed those where the token
// is replaced, and denied those where both are tried.
func failing(state, requests, route, renewed, denied string) map[string]told {
	all := map[string]told{}
	for class, problem := range problems {
		asks := requests
		switch class {
		case "transient failure, replayed":
			asks += " " + requests
		case "wrong route":
			asks = route
		case "wrong route, or token":
			asks = denied
		case "not authenticated":
			asks = renewed
		}
		all[class] = told{problem, "", state, asks}
		if asks == "" {
			delete(all, class) // no fault of the operation is of this class
		}
	}
	return all
}

func with(all, others map[string]told) map[string]told {
	all = maps.Clone(all)
	maps.Copy(all, others)
	return all
}

// providerUse is one way to come upon a fault through the provider, with what is
// expected for each class of answers.
type providerUse struct {
	name string
	op   simulator.Op
	run  func(*testing.T, *stage) (acctest.Diagnostics, string)
	want map[string]told
}

var providerUses = []providerUse{
	{
		"data source sessions, at the token", simulator.OpToken, readSessions,
		failing(nothing, "token", "token×2", "token", ""),
	},
	{
		"data source sessions", simulator.OpList, readSessions,
		failing(nothing, "list", "list list?×2", "list token list", "list token list list?×2"),
	},
	{
		"data source session by session id", simulator.OpList, func(t *testing.T, s *stage) (acctest.Diagnostics, string) {
			t.Helper()
			values, told := s.driver.ReadDataSource(sessionData, map[string]any{"session_id": s.live.SessionID})
			return told, presence(values != nil)
		},
		failing(nothing, "list", "list list?×2", "list token list", "list token list list?×2"),
	},
	{
		"data source session by record id", simulator.OpGet, func(t *testing.T, s *stage) (acctest.Diagnostics, string) {
			t.Helper()
			values, told := s.driver.ReadDataSource(sessionData, map[string]any{"record_id": strconv.FormatInt(s.live.RecordID, 10)})
			return told, presence(values != nil)
		},
		with(failing(nothing, "get:live", "get:live get?×2", "get:live token get:live", "get:live token get:live get?×2"), map[string]told{
			"not found": {"the session wasn't found, or is outside the authorization's scope", "record_id", nothing, "get:live"},
		}),
	},
	{
		"import of a termination", simulator.OpList, func(t *testing.T, s *stage) (acctest.Diagnostics, string) {
			t.Helper()
			imported := s.driver.Resource(terminationType).Import(s.done.SessionID)
			return imported.Diagnostics, presence(imported.State != nil)
		},
		failing(nothing, "list", "list list?×2", "list token list", "list token list list?×2"),
	},
	{
		// Whatever senhasegura answers, the record of what was done is kept: only a
		// session that is seen live undoes it. A plan does not fail while
		// senhasegura is down.
		"refresh of a termination", simulator.OpGet, func(t *testing.T, s *stage) (acctest.Diagnostics, string) {
			t.Helper()
			read := s.driver.Resource(terminationType).Read(s.record)
			state := outcomeOf(read.State)
			if len(read.Diagnostics.Errors()) > 0 {
				state += ", and the plan fails"
			}
			return read.Diagnostics, state
		},
		with(failing(accepted+", and the plan fails", "get:done", "get:done get?×2", "get:done token get:done", "get:done token get:done get?×2"), map[string]told{
			"not found":                   {"", "", accepted, "get:done"},
			"permission":                  {"", "", accepted, "get:done"},
			"transient failure":           {problems["transient failure"], "", accepted, "get:done"},
			"transient failure, replayed": {problems["transient failure"], "", accepted, "get:done×2"},
		}),
	},
	{
		"create of a termination", simulator.OpDrop, func(t *testing.T, s *stage) (acctest.Diagnostics, string) {
			t.Helper()
			created := s.driver.Resource(terminationType).Apply(nil, map[string]any{"session_id": s.live.SessionID})
			return created.Diagnostics, outcomeOf(created.State)
		},
		with(failing(nothing, "drop:live", "drop:live drop?", "drop:live token drop:live", "drop:live token drop:live drop?"), map[string]told{
			"done":                        {"", "", terminated, "drop:live list"},
			"lost answer":                 {"Session still live", "session_id", nothing, "drop:live list"},
			"refusal":                     {"senhasegura refused to terminate it", "session_id", nothing, "drop:live list"},
			"refusal of an ended session": {"", "", already, "drop:live list"},
		}),
	},
	{
		// A drain that failed stays, and so do the resources that it protects.
		"destroy of a drain", simulator.OpDrop, func(t *testing.T, s *stage) (acctest.Diagnostics, string) {
			t.Helper()
			destroyed := s.driver.Resource(drainType).Destroy(s.guard)
			return destroyed.Diagnostics, presence(destroyed.State != nil)
		},
		with(stillLive("list drop:live list", "list drop:live drop? list", "list drop:live token drop:live list", "list drop:live token drop:live drop? list"), map[string]told{
			"done":                        {"Terminated 1 session" + ofDrain, "", nothing, "list drop:live get:live list"},
			"refusal of an ended session": {"1 session ended after a refused request" + ofDrain, "", nothing, "list drop:live get:live list"},
		}),
	},
}

// ofDrain is how the summaries about the drain of a stage end.
const ofDrain = ": drain of users alice"

// stillLive is one error for every class but those of a session that has ended.
func stillLive(requests, route, renewed, denied string) map[string]told {
	all := failing(something, requests, route, renewed, denied)
	// Where another request might fare better, the session is checked first.
	for _, class := range []string{"lost answer", "refusal", "transient failure"} {
		all[class] = told{asks: "list drop:live get:live list", state: something}
	}
	for class, one := range all {
		one.summary = "1 session still live" + ofDrain
		all[class] = one
	}
	return all
}

func readSessions(t *testing.T, s *stage) (said acctest.Diagnostics, state string) {
	t.Helper()
	values, said := s.driver.ReadDataSource(sessionsData, map[string]any{"state": "all"})
	return said, presence(values != nil)
}

func presence(there bool) string {
	if there {
		return something
	}
	return nothing
}

func outcomeOf(state *acctest.State) string {
	if outcome, ok := state.At("outcome").(string); ok {
		return outcome
	}
	return nothing
}

// stage is a provider and a server in which one of alice's sessions is live, the
// request to end another one was accepted, and a drain matches both.
type stage struct {
	server     *acctest.Server
	driver     *acctest.Driver
	live, done simulator.Session
	record     *acctest.State
	guard      *acctest.State
}

// newStage: no retries, because their pauses would be real.
func newStage(t *testing.T) *stage {
	t.Helper()
	server := acctest.Start(t, simulator.Config{})
	s := &stage{server: server, driver: acctest.NewDriver(t, server, map[string]any{"max_retries": 0})}
	s.done = server.Sim.Add(simulator.Session{User: "alice", Device: "10.0.0.1:22"})
	s.live = server.Sim.Add(simulator.Session{User: "alice", Device: "10.0.0.2:22"})
	recorded := s.driver.Resource(terminationType).Apply(nil, map[string]any{
		"session_id": s.done.SessionID, "record_id": strconv.FormatInt(s.done.RecordID, 10), "confirm": false,
	})
	guarded := s.driver.Resource(drainType).Apply(nil, map[string]any{
		"match": map[string]any{"users": []any{"alice"}}, "preview": false,
	})
	if outcomeOf(recorded.State) != accepted || guarded.State == nil {
		t.Fatalf("the stage is not set:\n%s\n%s", recorded.Diagnostics, guarded.Diagnostics)
	}
	s.record, s.guard = recorded.State, guarded.State
	server.Forget()
	return s
}

// requests writes the journal as the cells do.
func (s *stage) requests() string {
	w := world{sim: s.server.Sim, names: map[string]string{}, added: map[string]simulator.Session{}}
	w.name(s.live, "live")
	w.name(s.done, "done")
	return w.requests()
}

// address is that of a simulator.
var address = regexp.MustCompile(`\bhttp://127\.0\.0\.1:\d+`)

// meets leaves out the time limits of TestFaultMatrix, since they would be real,
// and the refused connection, which no request reaches.
func (providerUse) meets(r row) bool {
	return !slices.Contains([]simulator.Kind{refused, simulator.Slow, simulator.SlowBefore}, r.fault.Kind)
}

func TestFaultsThroughProvider(t *testing.T) {
	t.Parallel()
	for _, u := range providerUses {
		met := map[string]bool{}
		for _, r := range matrix {
			class := r.verdictOf(u.op).class
			if !u.meets(r) {
				continue
			}
			met[class] = true
			t.Run(u.name+"/"+r.name, func(t *testing.T) {
				t.Parallel()
				want, ok := u.want[class]
				if !ok {
					t.Fatalf("nothing is expected of the class %q", class)
				}
				if cause := causes[r.name]; cause != "" && want.summary != "" && want.summary == problems[class] {
					want.summary = cause
				}
				want.summary = strings.ReplaceAll(want.summary, "{route}", routes[u.op])
				s := newStage(t)
				if u.op == simulator.OpToken {
					s.driver = acctest.NewDriver(t, s.server, map[string]any{"max_retries": 0})
				}
				f := r.fault
				f.Op = u.op
				s.server.Sim.Inject(f)
				s.check(t, u, want)
				publish("faults through the provider, cells", 1)
			})
		}
		for class := range u.want {
			// A class that no fault causes would never be expected.
			if !met[class] && !strings.HasSuffix(class, "replayed") {
				t.Errorf("%s: no fault is of the class %q", u.name, class)
			}
		}
	}
}

func (s *stage) check(t *testing.T, u providerUse, want told) {
	t.Helper()
	said, state := u.run(t, s)
	got := told{state: state, asks: s.requests()}
	if len(said) > 0 {
		said[0].Summary = address.ReplaceAllString(said[0].Summary, "https://pam.example.com")
		got.summary, got.on = said[0].Summary, said[0].Path
		if _, cause, found := strings.Cut(got.summary, ": "); found && !strings.HasSuffix(got.summary, ofDrain) {
			got.summary = cause
		}
	}
	if len(said) > 1 {
		t.Errorf("%d diagnostics, want one at most:\n%s", len(said), said)
	}
	if (cell{asks: want.asks}).asked(got.asks) {
		got.asks = want.asks
	}
	if got != want {
		got.asks = folded(got.asks)
		t.Errorf("got\n\t%s\nwant\n\t%s", got, want)
	}
	s.checkTruth(t, u, said, state)
}

// checkTruth: what is said or recorded as ended has ended, and what is live and
// was to be ended is in an error by name.
func (s *stage) checkTruth(t *testing.T, u providerUse, said acctest.Diagnostics, state string) {
	t.Helper()
	truth, _ := s.server.Sim.Session(s.live.SessionID)
	ended := truth.State == simulator.StateEnded
	if u.op != simulator.OpDrop {
		if truth.Drops > 0 {
			t.Error("a read terminated a session")
		}
		return
	}
	claimed := state == terminated || state == already || len(said.Errors()) == 0
	if claimed && !ended {
		t.Errorf("the session is called ended and is %s", truth.State)
	}
	if !ended && !strings.Contains(said.Errors().String(), s.live.SessionID) && !strings.Contains(said.Errors().String(), "The session was not changed.") {
		t.Errorf("the session is live and goes unreported:\n%s", said)
	}
}
