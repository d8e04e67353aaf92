package provider_test

import (
	"flag"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

var updateDiagnostics = flag.Bool("update", false, "rewrite testdata/diagnostics from what the provider says now")

const goldenDir = "testdata/diagnostics"

// today is senhasegura's clock in these tests, so that its times can be compared.
var today = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

// scene is a situation that makes the provider say one thing.
type scene struct {
	server   simulator.Config
	sessions []simulator.Session
	faults   []simulator.Fault
	provider map[string]any
	// happen brings the message about.
	happen func(*testing.T, *acctest.Server, *acctest.Driver) acctest.Diagnostics
	// unanswered: there was no API response.
	unanswered bool
	// clocks: the message is about clocks, so that senhasegura's goes.
	clocks bool
}

func (s scene) play(t *testing.T) acctest.Diagnostics {
	t.Helper()
	if !s.clocks {
		s.server.Now, s.server.Date = func() time.Time { return today }, time.Now
	}
	server := acctest.Start(t, s.server)
	for _, session := range s.sessions {
		server.Sim.Add(session)
	}
	for _, fault := range s.faults {
		server.Sim.Inject(fault)
	}
	return s.happen(t, server, acctest.NewDriver(t, server, s.provider))
}

// sceneOfCreation is the creation of a termination of alice's session.
func sceneOfCreation(arguments map[string]any) func(*testing.T, *acctest.Server, *acctest.Driver) acctest.Diagnostics {
	return func(_ *testing.T, _ *acctest.Server, d *acctest.Driver) acctest.Diagnostics {
		return d.Resource(terminationType).Apply(nil, with(arguments)).Diagnostics
	}
}

// sceneOfRefresh is the refresh of a termination after something has happened.
func sceneOfRefresh(meanwhile func(*simulator.Simulator)) func(*testing.T, *acctest.Server, *acctest.Driver) acctest.Diagnostics {
	return func(t *testing.T, server *acctest.Server, d *acctest.Driver) acctest.Diagnostics {
		t.Helper()
		r := d.Resource(terminationType)
		state := recorded(t, server, r, with(accepted))
		meanwhile(server.Sim)
		return r.Read(state).Diagnostics
	}
}

func sceneOfImport(_ *testing.T, _ *acctest.Server, d *acctest.Driver) acctest.Diagnostics {
	return d.Resource(terminationType).Import(aliceID).Diagnostics
}

// sceneOfInterruption is a creation that Ctrl-C ends while it waits.
func sceneOfInterruption(_ *testing.T, server *acctest.Server, d *acctest.Driver) acctest.Diagnostics {
	server.Sim.OnAnswer(func(request simulator.Request) {
		if request.Op == simulator.OpList {
			d.Stop()
		}
	})
	return d.Resource(terminationType).Apply(nil, with(map[string]any{"poll_interval": "10m"})).Diagnostics
}

// sceneOfDrain is the destruction of a drain of all sessions on alice's device.
func sceneOfDrain(arguments map[string]any) func(*testing.T, *acctest.Server, *acctest.Driver) acctest.Diagnostics {
	return func(t *testing.T, server *acctest.Server, d *acctest.Driver) acctest.Diagnostics {
		t.Helper()
		config := map[string]any{"match": map[string]any{"devices": []string{"10.66.33.17"}}, "poll_interval": "1ms", "preview": false}
		maps.Copy(config, arguments)
		r := d.Resource("senhasegura_session_drain")
		return r.Destroy(recorded(t, server, r, config)).Diagnostics
	}
}

// sceneOfApproval is the destruction of a drain that is held to its plan. between gets
// the provider that planned it, and gives the plan and the provider that carries it out.
func sceneOfApproval(between func(*testing.T, *acctest.Server, *acctest.Driver, acctest.Plan) (acctest.Plan, *acctest.Driver)) func(*testing.T, *acctest.Server, *acctest.Driver) acctest.Diagnostics {
	return func(t *testing.T, server *acctest.Server, d *acctest.Driver) acctest.Diagnostics {
		t.Helper()
		r := d.Resource("senhasegura_session_drain")
		state := recorded(t, server, r, map[string]any{"match": map[string]any{"devices": []string{"10.66.33.17"}}, "poll_interval": "1ms", "only_previewed": true})
		plan, applying := between(t, server, d, r.PlanDestroy(state))
		return applying.Resource("senhasegura_session_drain").DestroyPlanned(state, plan).Diagnostics
	}
}

// sceneOfDrainPlan is the plan of a drain that drains at creation.
func sceneOfDrainPlan(_ *testing.T, _ *acctest.Server, d *acctest.Driver) acctest.Diagnostics {
	return d.Resource("senhasegura_session_drain").Plan(nil, map[string]any{
		"match": map[string]any{"devices": []string{"10.66.33.17"}}, "drain_on": []string{"create"},
	}).Diagnostics
}

func sceneOfSession(config map[string]any) func(*testing.T, *acctest.Server, *acctest.Driver) acctest.Diagnostics {
	return func(_ *testing.T, _ *acctest.Server, d *acctest.Driver) acctest.Diagnostics {
		_, said := d.ReadDataSource("senhasegura_session", config)
		return said
	}
}

func sceneOfSessions(config map[string]any) func(*testing.T, *acctest.Server, *acctest.Driver) acctest.Diagnostics {
	return func(_ *testing.T, _ *acctest.Server, d *acctest.Driver) acctest.Diagnostics {
		_, said := d.ReadDataSource("senhasegura_sessions", config)
		return said
	}
}

// sceneOfAction is the action on all sessions on alice's device.
func sceneOfAction(_ *testing.T, _ *acctest.Server, d *acctest.Driver) acctest.Diagnostics {
	return d.InvokeAction("senhasegura_session_terminate", map[string]any{
		"match": map[string]any{"devices": []string{"10.66.33.17"}}, "poll_interval": "1ms",
	}).Diagnostics
}

// listing is the answer to a list, with these rows in JSON.
func listing(rows string) simulator.Fault {
	return simulator.Fault{
		Kind: simulator.Status, Op: simulator.OpList, Status: http.StatusOK,
		Body: `{"code":200,"response":{"status":200,"message":"","error":false,"error_code":0},"remote_sessions":[` + rows + `]}`,
	}
}

func bob() simulator.Session {
	s := alice(simulator.Behavior{})
	s.RecordID, s.SessionID, s.User, s.Device = 7, "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c", "bob", "10.66.33.17:3389"
	s.Credential, s.Protocol, s.Proxy = "Administrator", "rdp", "RDP Proxy"
	return s
}

func scenes() map[string]scene {
	live := []simulator.Session{alice(simulator.Behavior{})}
	refusing := []simulator.Session{alice(simulator.Behavior{Refuse: true})}
	slow := []simulator.Session{alice(simulator.Behavior{IgnoreFirst: 1})}
	dropFault := func(kind simulator.Kind) scene {
		return scene{sessions: live, faults: []simulator.Fault{{Kind: kind, Op: simulator.OpDrop, Location: "https://elsewhere.example.com/login"}}, happen: sceneOfCreation(nil)}
	}
	dropOnly := simulator.Config{Permission: simulator.DropOnly}

	return map[string]scene{
		// A termination that fails.
		"termination_refused":         {sessions: refusing, happen: sceneOfCreation(nil)},
		"termination_unverified":      {server: dropOnly, sessions: refusing, happen: sceneOfCreation(nil)},
		"termination_unverified_lost": {server: dropOnly, sessions: live, faults: []simulator.Fault{{Kind: simulator.HTML502, Op: simulator.OpDrop}}, happen: sceneOfCreation(nil)},
		"termination_unconfirmed_live": {
			sessions: []simulator.Session{alice(simulator.Behavior{Zombie: true})}, unanswered: true,
			happen: sceneOfCreation(map[string]any{"timeouts": map[string]any{"create": "1s"}, "poll_interval": "10m"}),
		},
		"termination_unconfirmed_never_seen": {
			provider: map[string]any{"max_retries": 0}, sessions: live, faults: []simulator.Fault{{Kind: simulator.HTML502, Op: simulator.OpList}},
			happen: sceneOfCreation(map[string]any{"timeouts": map[string]any{"create": "1s"}, "poll_interval": "10m"}),
		},
		"termination_unconfirmed_interrupted": {sessions: []simulator.Session{alice(simulator.Behavior{Zombie: true})}, unanswered: true, happen: sceneOfInterruption},
		"termination_unconfirmed_lost":        {sessions: live, faults: []simulator.Fault{{Kind: simulator.HTML502, Op: simulator.OpDrop}}, happen: sceneOfCreation(nil)},
		"termination_unknown":                 {happen: sceneOfCreation(nil)},
		"termination_other_record":            {sessions: live, unanswered: true, happen: sceneOfCreation(map[string]any{"record_id": "9"})},

		// One for each cause.
		"not_terminated_credentials": {sessions: live, provider: map[string]any{"client_secret": "not the secret"}, happen: sceneOfCreation(nil)},
		"not_terminated_inactive":    dropFault(simulator.InactiveAuthorization401),
		"not_terminated_permission":  dropFault(simulator.Unauthorized500),
		"not_terminated_referer":     dropFault(simulator.Referer500),
		"not_terminated_lockdown":    dropFault(simulator.Lockdown503),
		"not_terminated_redirected":  dropFault(simulator.Redirect),
		"not_terminated_too_many":    dropFault(simulator.TooMany429),
		"not_terminated_gateway":     dropFault(simulator.GatewayNoRoute404),
		"not_terminated_wrong_route": {sessions: live, server: simulator.Config{Routes: simulator.Routes{Drop: []string{}}}, happen: sceneOfCreation(nil)},
		"not_terminated_wrong_base_path": {sessions: live, happen: func(t *testing.T, server *acctest.Server, _ *acctest.Driver) acctest.Diagnostics {
			t.Helper()
			return sceneOfCreation(nil)(t, server, acctest.NewDriver(t, server, map[string]any{"url": server.URL + "/pam/"}))
		}},
		"not_terminated_wrong_url":    {sessions: live, server: simulator.Config{Routes: simulator.Routes{Token: []string{}}}, happen: sceneOfCreation(nil)},
		"not_terminated_unreachable":  {sessions: live, provider: map[string]any{"url": "http://127.0.0.1:1", "max_retries": 0}, happen: sceneOfCreation(nil)},
		"not_terminated_broken_token": {sessions: live, faults: []simulator.Fault{{Kind: simulator.HTML200, Op: simulator.OpToken}}, happen: sceneOfCreation(nil)},

		// A termination that ends without an end that was seen.
		"not_confirmed_permission": {server: dropOnly, sessions: live, happen: sceneOfCreation(nil)},
		"not_confirmed_no_list":    {server: simulator.Config{Release: simulator.ReleaseDropOnly}, sessions: live, happen: sceneOfCreation(nil)},
		"not_confirmed_hidden":     {sessions: []simulator.Session{alice(simulator.Behavior{Hidden: true})}, happen: sceneOfCreation(nil)},

		// A refresh.
		"refresh_live": {sessions: live, unanswered: true, happen: sceneOfRefresh(func(sim *simulator.Simulator) {
			sim.Purge(aliceID)
			sim.Add(alice(simulator.Behavior{}))
		})},
		"refresh_other_record": {sessions: live, unanswered: true, happen: sceneOfRefresh(func(sim *simulator.Simulator) {
			sim.Purge(aliceID)
			sim.Add(simulator.Session{RecordID: 6, User: "bob"})
		})},
		"refresh_wrong_route": {sessions: live, happen: sceneOfRefresh(func(sim *simulator.Simulator) {
			sim.Inject(simulator.Fault{Kind: simulator.WrongRoute404})
		})},
		"refresh_failed": {sessions: live, happen: sceneOfRefresh(func(sim *simulator.Simulator) {
			sim.Inject(simulator.Fault{Kind: simulator.Unexpected500, Op: simulator.OpGet})
		})},
		"refresh_unknown_provider": {sessions: live, unanswered: true, happen: func(t *testing.T, server *acctest.Server, d *acctest.Driver) acctest.Diagnostics {
			t.Helper()
			state := recorded(t, server, d.Resource(terminationType), with(accepted))
			return acctest.NewDriver(t, server, map[string]any{"url": acctest.Unknown}).Resource(terminationType).Read(state).Diagnostics
		}},

		// An import.
		"import_live":       {sessions: live, unanswered: true, happen: sceneOfImport},
		"import_unknown":    {happen: sceneOfImport},
		"import_permission": {server: dropOnly, sessions: live, happen: sceneOfImport},

		// Before senhasegura can be asked.
		"provider_unknown": {sessions: live, provider: map[string]any{"url": acctest.Unknown, "client_secret": acctest.Unknown}, unanswered: true, happen: sceneOfCreation(nil)},

		// Clocks.
		"clock_not_set": {
			clocks: true, server: simulator.Config{Location: west}, sessions: slow, unanswered: true, happen: sceneOfCreation(nil),
		},
		"clock_wrong_zone": {
			clocks: true, server: simulator.Config{Location: west}, sessions: slow, unanswered: true, happen: sceneOfCreation(nil),
			provider: map[string]any{"time_zone": "Asia/Tokyo"},
		},
		"clock_no_such_zone": {
			clocks: true, server: simulator.Config{ClockSkew: 20 * time.Minute, Date: time.Now}, sessions: slow, unanswered: true, happen: sceneOfCreation(nil),
			provider: map[string]any{"time_zone": "UTC"},
		},
		"clock_future": {
			clocks: true, server: simulator.Config{Location: east}, sessions: []simulator.Session{startingNow(alice(simulator.Behavior{}))}, unanswered: true, happen: sceneOfSessions(nil),
		},
		"clock_future_wrong_zone": {
			clocks: true, server: simulator.Config{Location: east}, sessions: []simulator.Session{startingNow(alice(simulator.Behavior{}))}, unanswered: true, happen: sceneOfSessions(nil),
			provider: map[string]any{"time_zone": "America/Sao_Paulo"},
		},
		"clock_machine": {
			clocks: true, server: simulator.Config{ClockSkew: 2 * time.Hour}, sessions: live, unanswered: true, happen: sceneOfSessions(nil),
		},
		"clock_machine_and_zone": {
			clocks: true, server: simulator.Config{Location: west, ClockSkew: -2 * time.Hour}, sessions: slow, unanswered: true, happen: sceneOfCreation(nil),
		},

		// The data sources.
		"session_unknown":        {sessions: live, happen: sceneOfSession(map[string]any{"session_id": "unknown"})},
		"session_unknown_record": {sessions: live, happen: sceneOfSession(map[string]any{"record_id": "99"})},
		"session_unknown_digits": {sessions: live, happen: sceneOfSession(map[string]any{"session_id": aliceRecord})},
		"session_permission":     {server: dropOnly, sessions: live, happen: sceneOfSession(map[string]any{"session_id": aliceID})},
		"sessions_permission":    {server: dropOnly, sessions: live, happen: sceneOfSessions(nil)},
		"sessions_broken_off": {
			sessions: []simulator.Session{alice(simulator.Behavior{}), bob()},
			faults:   []simulator.Fault{{Kind: simulator.CutRows, Op: simulator.OpList, Rows: 1}}, provider: map[string]any{"max_retries": 0}, happen: sceneOfSessions(nil),
		},

		"session_wrong_identifier": {
			faults: []simulator.Fault{{
				Kind: simulator.Status, Op: simulator.OpGet, Status: http.StatusBadRequest,
				Body: `{"code":400,"response":{"status":400,"error":true,"error_code":1},"exception":{"code":1003,"message":"1003: Unexpected identifier type"}}`,
			}},
			happen: sceneOfSession(map[string]any{"record_id": "99"}),
		},
		"session_answer_of_another": {
			faults: []simulator.Fault{{
				Kind: simulator.Status, Op: simulator.OpGet, Status: http.StatusOK,
				Body: `{"code":200,"response":{"status":200,"error":false},"remote_session":[{"id":"7","session_id":"x"}]}`,
			}},
			happen: sceneOfSession(map[string]any{"record_id": "99"}),
		},
		"sessions_nameless": {
			faults:     []simulator.Fault{listing(`{"id":"8","user":"carol","device":"10.0.0.8:22","start":"2024-05-06 16:11:17"}`)},
			unanswered: true, happen: sceneOfSessions(nil),
		},
		"sessions_undecided": {
			faults:     []simulator.Fault{listing(`{"id":"8","session_id":"hash","device":"10.0.0.8:22","start":"2024-05-06 16:11:17"}`)},
			unanswered: true, happen: sceneOfSessions(map[string]any{"match": map[string]any{"users": []string{"carol"}}}),
		},

		// A drain, and the action.
		"drain_terminated": {sessions: []simulator.Session{alice(simulator.Behavior{}), bob()}, unanswered: true, happen: sceneOfDrain(nil)},
		"drain_still_live": {
			sessions: []simulator.Session{alice(simulator.Behavior{Refuse: true}), bob()}, happen: sceneOfDrain(nil),
		},
		"drain_excluded": {
			sessions: []simulator.Session{alice(simulator.Behavior{}), bob()}, unanswered: true,
			happen: sceneOfDrain(map[string]any{"exclude": map[string]any{"users": []string{"bob"}}}),
		},
		"drain_excluded_left": {
			sessions: []simulator.Session{alice(simulator.Behavior{}), bob()}, unanswered: true,
			happen: sceneOfDrain(map[string]any{"exclude": map[string]any{"users": []string{"bob"}}, "on_excluded": "continue"}),
		},
		"drain_not_approved": {sessions: live, unanswered: true, happen: sceneOfApproval(func(t *testing.T, server *acctest.Server, _ *acctest.Driver, plan acctest.Plan) (acctest.Plan, *acctest.Driver) {
			t.Helper()
			server.Sim.Add(bob())
			return plan, acctest.NewDriver(t, server, nil)
		})},
		"drain_not_approved_deposed": {sessions: live, unanswered: true, happen: sceneOfApproval(func(_ *testing.T, _ *acctest.Server, d *acctest.Driver, plan acctest.Plan) (acctest.Plan, *acctest.Driver) {
			return plan, d
		})},
		"drain_not_approved_unplanned": {sessions: live, unanswered: true, happen: sceneOfApproval(func(_ *testing.T, _ *acctest.Server, d *acctest.Driver, _ acctest.Plan) (acctest.Plan, *acctest.Driver) {
			return acctest.Plan{}, d
		})},
		"drain_preview_needed": {server: dropOnly, sessions: live, happen: sceneOfDrain(map[string]any{"preview": true, "only_previewed": true})},
		"drain_other_form": {
			sessions: live, unanswered: true,
			happen: sceneOfDrain(map[string]any{"match": map[string]any{"users": []string{`CORP\alice`}}, "on_unseen": "ignore"}),
		},
		"drain_too_many": {
			sessions: []simulator.Session{alice(simulator.Behavior{}), bob()}, unanswered: true, happen: sceneOfDrain(map[string]any{"max_sessions": 1}),
		},
		"drain_failed": {server: dropOnly, sessions: live, happen: sceneOfDrain(nil)},
		"drain_continued": {
			sessions: refusing, happen: sceneOfDrain(map[string]any{"on_failure": "continue"}),
		},
		"drain_unverified": {
			sessions: live,
			faults:   []simulator.Fault{{Kind: simulator.Unauthorized500, Op: simulator.OpList, After: 2}},
			happen:   sceneOfDrain(map[string]any{"quiet_period": "100ms"}),
		},
		"action_still_live":    {sessions: refusing, happen: sceneOfAction},
		"action_failed":        {server: dropOnly, sessions: live, happen: sceneOfAction},
		"drain_preview":        {sessions: live, unanswered: true, happen: sceneOfDrainPlan},
		"drain_preview_failed": {server: dropOnly, sessions: live, happen: sceneOfDrainPlan},
	}
}

// TestDiagnostics compares what users read with golden files. `-update` rewrites
// them.
func TestDiagnostics(t *testing.T) {
	t.Parallel()
	all := scenes()
	for name, scene := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said := scene.play(t)
			if len(said) != 1 {
				t.Fatalf("%d messages, want 1:\n%s", len(said), said)
			}
			text := stable(said[0].String()) + "\n"
			expectParts(t, text, !scene.unanswered)
			compareGolden(t, filepath.Join(goldenDir, name+".golden"), text)
		})
	}
	files, err := filepath.Glob(filepath.Join(goldenDir, "*.golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if _, ok := all[strings.TrimSuffix(filepath.Base(file), ".golden")]; !ok {
			t.Errorf("%s belongs to no scene", file)
		}
	}
}

// address is that of a simulator.
var address = regexp.MustCompile(`\bhttps?://127\.0\.0\.1:\d+`)

// unstable are the parts of a message that differ from run to run.
var unstable = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\b(read|write) tcp 127\.0\.0\.1:\d+->127\.0\.0\.1:\d+: `), ""},
	{address, "https://pam.example.com"},
	{regexp.MustCompile(`127\.0\.0\.1:\d{2,}`), "127.0.0.1:PORT"},
	{regexp.MustCompile(`Matching at \S+Z:`), "Matching at TIME:"},
}

func stable(text string) string {
	for _, u := range unstable {
		text = u.pattern.ReplaceAllString(text, u.instead)
	}
	return text
}

// expectParts checks the form that all messages share: the API's answer comes last, no
// line that Terraform leaves as it is is longer than its words make it, and nothing is
// said twice.
func expectParts(t *testing.T, text string, response bool) {
	t.Helper()
	_, detail, _ := strings.Cut(text, "\n\n")
	paragraphs := strings.Split(strings.TrimSpace(detail), "\n\n")
	last := paragraphs[len(paragraphs)-1]
	if found := strings.HasPrefix(last, "API response"); found != response {
		t.Errorf("the last paragraph is the response of the API: %t, want %t", found, response)
	}
	if n := strings.Count("\n"+detail, "\nAPI response"); n > 1 {
		t.Errorf("%d answers of the API stand apart, want them together", n)
	}
	for line := range strings.Lines(detail) {
		if indented := strings.HasPrefix(line, " "); indented && len(line) > 120 && strings.Count(strings.TrimSpace(line), " ") > 1 {
			t.Errorf("%d characters in a line: %s", len(line), line)
		}
	}
	for i, sentence := range strings.Split(strings.ReplaceAll(detail, "\n\n", " "), ". ") {
		if i > 0 && len(sentence) > 20 && strings.Count(detail, sentence) > 1 {
			t.Errorf("said twice: %s", sentence)
		}
	}
}

func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	if *updateDiagnostics {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; if the new text is right, run the test with -update.\ngot:\n%s\nwant:\n%s", file, got, want)
	}
}
