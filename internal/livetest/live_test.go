package livetest

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

func TestMain(m *testing.M) { os.Exit(acctest.Main(m)) }

// What the provider says where an authorization or a release does not let it read.
const (
	missingPermission = "the authorization is missing a permission"
	noList            = "no list of sessions was found"
	rejectedClient    = "senhasegura rejected the client credentials"
)

// findings are what the checks of an appliance came to: sentences without a
// value of the server, and whether something is wrong.
type findings struct {
	lines  []string
	wrong  bool
	traces string
}

func (f *findings) note(format string, values ...any) {
	// Messages name the address of the recorder, which must not be shown.
	f.lines = append(f.lines, anyURL.ReplaceAllString(fmt.Sprintf(format, values...), "https://pam.example.com"))
}

func (f *findings) fail(format string, values ...any) {
	f.wrong = true
	f.note("WRONG: "+format, values...)
}

// String is the report to paste.
func (f *findings) String() string {
	return "Checks\n    " + strings.Join(f.lines, "\n    ") + "\nRequests and shapes\n" + f.traces
}

// inspect checks a real server through the provider. It reads only, but for the
// one session that it is given to end; "" is none.
func inspect(t *testing.T, a appliance, sessionID string) *findings {
	t.Helper()
	r := record(t, a)
	config := map[string]any{"url": r.url(), "client_id": a.clientID, "client_secret": a.clientSecret}
	if a.tenant != "" {
		config["tenant"] = a.tenant
	}
	f := &findings{}
	driver := acctest.NewDriver(t, nil, config)
	f.read(driver)
	if r.asked(http.MethodDelete) > 0 {
		f.fail("reading sent a drop")
	}
	if sessionID != "" {
		f.terminate(driver, sessionID)
	}
	f.traces = r.report()
	return f
}

// anyURL hides the address of senhasegura and its base path.
var anyURL = regexp.MustCompile(`\bhttps?://[^\s,]+`)

// read checks the list against itself and against single sessions.
func (f *findings) read(driver *acctest.Driver) {
	all, said := driver.ReadDataSource("senhasegura_sessions", map[string]any{"state": "all"})
	if all == nil {
		summary := anyURL.ReplaceAllString(said.Errors()[0].Summary, "https://pam.example.com")
		if strings.Contains(summary, missingPermission) || strings.Contains(summary, noList) {
			// An authorization or a release that can only drop is as it should be.
			f.note("The list cannot be read: %s", summary)
		} else {
			f.fail("the list cannot be read: %s", summary)
		}
		return
	}
	rows, _ := all["sessions"].([]any)
	live, unreadable := 0, 0
	examples := map[bool]map[string]any{}
	for _, row := range rows {
		one, _ := row.(map[string]any)
		isLive, _ := one["live"].(bool)
		if isLive {
			live++
		}
		if !isLive && one["ended_at"] == nil {
			unreadable++
		}
		if one["record_id"] != nil && examples[isLive] == nil {
			examples[isLive] = one
		}
	}
	f.note("The list has %d sessions, %d of them live.", len(rows), live)
	if unreadable > 0 {
		f.fail("%d sessions count as ended without a readable end", unreadable)
	}
	for isLive, example := range examples {
		f.readOne(driver, isLive, example)
	}
}

// readOne: get one shows the same session as the list.
func (f *findings) readOne(driver *acctest.Driver, isLive bool, listed map[string]any) {
	state := map[bool]string{true: "live", false: "ended"}[isLive]
	one, said := driver.ReadDataSource("senhasegura_session", map[string]any{"record_id": listed["record_id"]})
	if one == nil {
		f.fail("a listed %s session cannot be read: %s", state, said.Errors()[0].Summary)
		return
	}
	for _, name := range []string{"session_id", "user", "credential", "device", "protocol", "started_at"} {
		if one[name] != listed[name] {
			f.fail("get one and the list show another %s of a %s session", name, state)
		}
	}
	if !isLive && one["ended_at"] != listed["ended_at"] {
		f.fail("get one and the list show another end of an ended session")
	}
	f.note("Get one shows the same %s session as the list.", state)
}

// terminate ends the session, and checks that a plan after that is empty.
func (f *findings) terminate(driver *acctest.Driver, sessionID string) {
	resource, config := driver.Resource("senhasegura_session_termination"), map[string]any{"session_id": sessionID}
	created := resource.Apply(nil, config)
	if errs := created.Diagnostics.Errors(); len(errs) > 0 {
		f.fail("the session was not terminated: %s", errs[0].Summary)
		return
	}
	f.note("The session was terminated; the outcome is %v.", created.State.At("outcome"))
	read := resource.Read(created.State)
	if read.State == nil || len(read.Diagnostics.Errors()) > 0 {
		f.fail("the termination changes on refresh")
		return
	}
	if change := resource.Plan(read.State, config).Change; change != acctest.NoOp {
		f.fail("the plan after it is to %s", change)
	}
}

// TestLiveAppliance runs against a real appliance: `make testacc-live`.
func TestLiveAppliance(t *testing.T) {
	if os.Getenv("SENHASEGURA_LIVE") == "" {
		t.Skip("it asks a real appliance: run `make testacc-live`")
	}
	a := applianceOfEnvironment(t)
	// It is for the way to senhasegura, not for the way to the recorder.
	t.Setenv("SENHASEGURA_PROXY_URL", "")
	found := inspect(t, a, os.Getenv("SENHASEGURA_TEST_SESSION_ID"))
	t.Logf("The report, without names, addresses and identifiers, to paste into an issue:\n\n%s", found)
	if found.wrong {
		t.Error("something is wrong; see the report")
	}
}

// The report is made of every release in the same way, and no value of the
// appliance gets into it.
func TestLiveReport(t *testing.T) {
	t.Parallel()
	for _, release := range simulator.Releases() {
		for _, destructive := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/destructive=%t", release, destructive), func(t *testing.T) {
				t.Parallel()
				server := acctest.Start(t, simulator.Config{Release: release, BasePath: "/canary-path", LiveEnd: simulator.LiveEndMixed})
				live, ended := canaries(server.Sim)
				sessionID := ""
				if destructive {
					sessionID = live.SessionID
				}
				found := inspect(t, appliance{
					url: server.URL, clientID: simulator.DefaultClientID, clientSecret: simulator.DefaultClientSecret,
					transport: &http.Transport{DisableKeepAlives: true},
				}, sessionID)
				text := found.String()
				if found.wrong {
					t.Errorf("something is wrong with the simulator:\n%s", text)
				}
				if dropped := server.Sim.Count(simulator.OpDrop); dropped != map[bool]int{true: 1}[destructive] {
					t.Errorf("%d drops", dropped)
				}
				for _, want := range wanted(release, destructive) {
					if !strings.Contains(text, want) {
						t.Errorf("the report lacks %q:\n%s", want, text)
					}
				}
				secrets := append(server.Sim.IssuedTokens(), simulator.DefaultClientID, simulator.DefaultClientSecret, "canary", "127.0.0.1")
				for _, s := range []simulator.Session{live, ended} {
					secrets = append(secrets, s.SessionID, s.Device, s.OriginIP, s.Start.Format("15:04:05"), "/"+strconv.FormatInt(s.RecordID, 10))
				}
				for _, secret := range secrets {
					if strings.Contains(text, secret) {
						t.Errorf("the report tells %q:\n%s", secret, text)
					}
				}
			})
		}
	}
}

// An appliance that does not let the provider in is no success, and the report
// says why.
func TestLiveReportOfRejectedCredentials(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t, simulator.Config{})
	found := inspect(t, appliance{
		url: server.URL, clientID: simulator.DefaultClientID, clientSecret: "canary-secret",
		transport: &http.Transport{DisableKeepAlives: true},
	}, "")
	text := found.String()
	if !found.wrong {
		t.Error("nothing is called wrong")
	}
	for _, want := range []string{"WRONG: the list cannot be read", rejectedClient, "POST /iso/oauth2/token: HTTP 401"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "canary") || server.Sim.Count(simulator.OpToken) != 1 {
		t.Errorf("the secret is told, or was sent %d times:\n%s", server.Sim.Count(simulator.OpToken), text)
	}
}

// canaries are sessions all of whose values would be noticed.
func canaries(sim *simulator.Simulator) (live, ended simulator.Session) {
	s := simulator.Session{
		RecordID: 918273, User: "canary-user", Credential: "canary-credential", Device: "canary.example.com:2222", OriginIP: "203.0.113.77",
		Protocol: "canary-protocol", Proxy: "Canary canary", Request: "canary-request", ITSM: "canary-itsm",
	}
	live = sim.Add(s)
	s.RecordID, s.Start = 918274, live.Start.Add(-2e9)
	s.End = live.Start.Add(-1e9)
	return live, sim.Add(s)
}

// wanted are parts of the report for each release.
func wanted(release simulator.Release, destructive bool) []string {
	token, list, drop, key := "/api/oauth2/token", "/api/pam/session/remotesessions", "/api/pam/session/drop", "device"
	end := "end: text: 2006-01-02 15:04:05"
	switch release {
	case simulator.ReleaseDropOnly:
		want := []string{"The list cannot be read", "POST /iso/oauth2/token: HTTP 200", "HTTP 404", "error_code: 4"}
		if destructive {
			want = append(want, "the outcome is accepted", "DELETE /iso/session/drop/{id}: HTTP 200")
		}
		return want
	case simulator.Release332:
		token, list, drop, key = "/iso/oauth2/token", "/api/session/remotesessions", "/iso/session/drop", "dispositivo"
	case simulator.ReleaseNewest:
		token, list = "/iso/oauth2/token", "/api/session/remotesessions"
	case simulator.Release333:
		token = "/iso/oauth2/token"
	case simulator.Release40:
	}
	want := []string{
		"The list has 2 sessions, 1 of them live.",
		"Get one shows the same live session as the list.", "Get one shows the same ended session as the list.",
		"POST " + token + ": HTTP 200", "GET " + list + ": HTTP 200", "GET " + list + "/{id}: HTTP 200",
		key + ": text", end, "session_id: text: 40 hex digits", "].id: text: digits",
	}
	if destructive {
		want = append(want, "the outcome is terminated", "DELETE "+drop+"/{id}: HTTP 200")
	}
	return want
}
