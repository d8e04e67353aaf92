package provider_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// protecting is a machine and a drain of it with these arguments, `match` among
// them.
func protecting(arguments ...string) string {
	return fmt.Sprintf(`
resource "terraform_data" "machine" {}

resource "senhasegura_session_drain" "machine" {
  triggers      = { machine = terraform_data.machine.id }
  poll_interval = "10ms"
  %s
}
`, strings.Join(arguments, "\n  "))
}

// countDiagnostics counts the warnings and errors of a run, except the one that the tests
// themselves cause.
func countDiagnostics(run acctest.Run, severity string) int {
	output := strings.ReplaceAll(run.Output(), "Warning: Provider development overrides", "")
	return len(regexp.MustCompile(`(?m)^[│ ]*`+severity+`: `).FindAllString(output, -1))
}

// expectation is the expected result of a run.
type expectation struct {
	code             int
	warnings, errors int
	says             []string
	// requests are those of the run, in their order. A run that plans and applies has
	// two processes.
	requests []string
}

func (want expectation) check(t *testing.T, server *acctest.Server, run acctest.Run) {
	t.Helper()
	if run.Code != want.code {
		t.Errorf("exit code %d, want %d", run.Code, want.code)
	}
	if warnings, errors := countDiagnostics(run, "Warning"), countDiagnostics(run, "Error"); warnings != want.warnings || errors != want.errors {
		t.Errorf("%d warnings and %d errors, want %d and %d:\n%s", warnings, errors, want.warnings, want.errors, run.Output())
	}
	expectOutput(t, run, want.says...)
	server.ExpectRequests(t, want.requests...)
}

// A drain with a wrong match would find no session, and let Terraform destroy a machine
// in use. These are the messages of the plan of the destroy and of the destroy, each
// for a session that is live on the machine.
func TestAccDrainOfUnseenValues(t *testing.T) {
	t.Parallel()
	on := func(device string) simulator.Session {
		s := visitor(1, simulator.Behavior{})
		s.Device = device
		return s
	}
	by := func(user string) simulator.Session {
		s := on("db-01.example.com:22")
		s.User = user
		return s
	}
	since := func(n int, ago time.Duration) simulator.Session {
		s := visitor(n, simulator.Behavior{})
		s.Start = time.Now().Add(-ago)
		return s
	}
	const (
		halt     = `on_unseen = "halt"`
		saoPaulo = "America/Sao_Paulo"
	)
	var (
		planReads    = []string{"token", "list"}
		destroyReads = []string{"token", "list", "token", "list"}
		inSaoPaulo   = simulator.Config{Location: time.FixedZone("", -3*60*60)}
	)
	// blocked: the destroy fails for a session, which the plan has announced.
	blocked := func(planned int, says ...string) (plan, destroy expectation) {
		return expectation{0, planned, 0, says, planReads}, expectation{1, planned, 1, says, destroyReads}
	}
	// stopped: the plan fails, and so nothing is begun.
	stopped := func(requests []string, says ...string) (plan, destroy expectation) {
		plan = expectation{1, 0, 1, says, requests}
		return plan, plan
	}
	// warned: the user was told once, and chose to go on.
	warned := func(says ...string) (plan, destroy expectation) {
		return expectation{0, 1, 0, says, planReads}, expectation{0, 1, 0, says, destroyReads}
	}
	silent := func() (plan, destroy expectation) {
		return expectation{0, 0, 0, nil, planReads}, expectation{0, 0, 0, nil, destroyReads}
	}
	type outcome struct{ plan, destroy expectation }
	of := func(plan, destroy expectation) outcome { return outcome{plan, destroy} }

	for name, test := range map[string]struct {
		arguments []string
		sessions  []simulator.Session
		outcome
		// live are the sessions that are live afterwards.
		live []string

		server simulator.Config
		// zone is the provider's time_zone when the drain is created, and zoneLater from
		// then on.
		zone, zoneLater string
	}{
		"a short device name, shown in full": {
			arguments: []string{`match = { devices = ["db-01"] }`}, sessions: []simulator.Session{on("db-01.example.com:22")},
			outcome: of(blocked(2, `similar: "db-01.example.com"`, `"db-01.example.com:22" in `+"`match.devices`")), live: []string{"hash-1"},
		},
		"a full device name, shown short": {
			arguments: []string{`match = { devices = ["db-01.example.com"] }`}, sessions: []simulator.Session{on("db-01:22")},
			outcome: of(blocked(2, `similar: "db-01"`, `"db-01:22" in `+"`match.devices`")), live: []string{"hash-1"},
		},
		"a user without the domain": {
			arguments: []string{`match = { users = ["alice"] }`}, sessions: []simulator.Session{by(`CORP\alice`)},
			outcome: of(blocked(2, `similar: "CORP\\alice"`, `"CORP\\alice" in `+"`match.users`")), live: []string{"hash-1"},
		},
		"a user with the domain": {
			arguments: []string{`match = { users = ["CORP\\alice"] }`}, sessions: []simulator.Session{by("alice")},
			outcome: of(blocked(2, `similar: "alice"`, `"alice" in `+"`match.users`")), live: []string{"hash-1"},
		},
		"an address, shown by name": {
			arguments: []string{`match = { devices = ["10.0.0.9"] }`}, sessions: []simulator.Session{on("db-01:22")},
			outcome: of(warned("`match.devices` \"10.0.0.9\"; senhasegura lists all devices by name")), live: []string{"hash-1"},
		},
		"an address, shown by name, halt": {
			arguments: []string{`match = { devices = ["10.0.0.9"] }`, halt}, sessions: []simulator.Session{on("db-01:22")},
			outcome: of(stopped(planReads, "`match.devices` \"10.0.0.9\"; senhasegura lists all devices by name")), live: []string{"hash-1"},
		},
		"a name, shown by address": {
			arguments: []string{`match = { devices = ["db-01"] }`}, sessions: []simulator.Session{on("10.0.0.9:22")},
			outcome: of(warned("`match.devices` \"db-01\"; senhasegura lists all devices by address")), live: []string{"hash-1"},
		},
		"a name, shown by address, halt": {
			arguments: []string{`match = { devices = ["db-01"] }`, halt}, sessions: []simulator.Session{on("10.0.0.9:22")},
			outcome: of(stopped(planReads, "`match.devices` \"db-01\"; senhasegura lists all devices by address")), live: []string{"hash-1"},
		},
		"a name, shown by address, ignore": {
			arguments: []string{`match = { devices = ["db-01"] }`, `on_unseen = "ignore"`}, sessions: []simulator.Session{on("10.0.0.9:22")},
			outcome: of(silent()), live: []string{"hash-1"},
		},
		"a mistyped protocol": {
			arguments: []string{`match = { devices = ["db-01"], protocols = ["shs"] }`}, sessions: []simulator.Session{on("db-01:22")},
			outcome: of(warned("`match.protocols` \"shs\"")), live: []string{"hash-1"},
		},
		"a mistyped protocol, halt": {
			arguments: []string{`match = { devices = ["db-01"], protocols = ["shs"] }`, halt}, sessions: []simulator.Session{on("db-01:22")},
			outcome: of(stopped(planReads, "`match.protocols` \"shs\"")), live: []string{"hash-1"},
		},
		"a row number for a session ID": {
			arguments: []string{`match = { session_ids = ["1"] }`}, sessions: visitors(1),
			outcome: of(warned("`match.session_ids` \"1\"; this is the record ID of session \"hash-1\"")), live: []string{"hash-1"},
		},
		"an authorization that sees nothing": {
			arguments: []string{`match = { devices = ["db-01"] }`},
			outcome:   of(stopped(planReads, "sees no session at all", `on_unseen = "ignore"`)),
		},
		"an authorization that sees nothing, ignore": {
			arguments: []string{`match = { devices = ["db-01"] }`, `on_unseen = "ignore"`}, outcome: of(silent()),
		},
		"an age without a time zone": {
			arguments: []string{`match = { older_than = "2h" }`}, sessions: []simulator.Session{since(1, time.Minute)}, server: inSaoPaulo,
			zone: saoPaulo, outcome: of(stopped(nil, "`older_than`", "`time_zone`", "SENHASEGURA_TIME_ZONE")), live: []string{"hash-1"},
		},
		"an age with the server's time zone": {
			arguments: []string{`match = { older_than = "2h" }`}, sessions: []simulator.Session{since(1, time.Minute), since(2, 3*time.Hour)}, server: inSaoPaulo,
			zone: saoPaulo, zoneLater: saoPaulo, live: []string{"hash-1"},
			outcome: outcome{
				expectation{0, 1, 0, []string{"session hash-2"}, planReads},
				expectation{0, 2, 0, []string{"session hash-2"}, []string{"token", "list", "token", "list", "drop hash-2", "get 2", "list"}},
			},
		},
		"an excluded user on the machine": {
			arguments: []string{`match = { devices = ["db-01"] }`, `exclude = { users = ["breakglass"] }`},
			sessions:  []simulator.Session{on("db-01:22"), {SessionID: "breakglass", User: "breakglass", Device: "db-01:22", Start: started}},
			outcome:   of(blocked(1, "session breakglass", "`on_excluded`")), live: []string{"hash-1", "breakglass"},
		},
		"an excluded user on the machine, continue": {
			arguments: []string{`match = { devices = ["db-01"] }`, `exclude = { users = ["breakglass"] }`, `on_excluded = "continue"`},
			sessions:  []simulator.Session{on("db-01:22"), {SessionID: "breakglass", User: "breakglass", Device: "db-01:22", Start: started}},
			outcome: outcome{
				expectation{0, 1, 0, []string{"session breakglass"}, planReads},
				expectation{0, 2, 0, []string{"session breakglass", "`on_excluded` is `continue`"}, []string{"token", "list", "token", "list", "drop hash-1", "get 1", "list"}},
			},
			live: []string{"breakglass"},
		},
		"on_excluded without exclude": {
			arguments: []string{`match = { devices = ["` + guarded + `"] }`, `on_excluded = "continue"`}, sessions: []simulator.Session{visitorGone(1)},
			outcome: of(silent()),
		},
		"a device with a history": {
			arguments: []string{`match = { devices = ["` + guarded + `"] }`, halt}, sessions: []simulator.Session{visitorGone(1)},
			outcome: of(silent()),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, test.server, test.sessions...)
			s := &site{t: t, server: server, Terraform: acctest.NewTerraform(t, server, protecting(test.arguments...))}
			s.Env["SENHASEGURA_TIME_ZONE"] = test.zone
			s.apply()
			if drops := dropsOf(server); len(drops) > 0 {
				t.Errorf("creating the drain requests the end of %q", drops)
			}
			s.Env["SENHASEGURA_TIME_ZONE"] = test.zoneLater

			test.plan.check(t, server, s.Run("plan", "-destroy", "-no-color"))
			test.destroy.check(t, server, s.Run("destroy", "-auto-approve", "-no-color"))

			expectLive(t, server, test.live...)
			if test.destroy.code == 0 {
				s.expectState()
			} else {
				s.expectState(drainAddress, machineAddress)
			}
		})
	}
}

// A typing error is made when a drain is written, or changed: the plan of either
// tells it. Two applies, of one list each.
func TestAccDrainPlanWarnsOfAMisspelling(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, onNamed(visitorGone(1)))
	arguments := func(device, user string) string {
		return protecting(fmt.Sprintf("match = { devices = [%q] }\n  exclude = { users = [%q] }", device, user))
	}
	tf := acctest.NewTerraform(t, server, arguments(misspelled, "emergency"))
	says := func(value, similar string) expectation {
		return expectation{0, 1, 0, []string{fmt.Sprintf("%q; similar: %q", value, similar)}, []string{"token", "list"}}
	}
	says(misspelled, named).check(t, server, tf.Run("plan", "-no-color"))
	tf.Write("main.tf", arguments(named, "emergency"))
	expectation{requests: []string{"token", "list"}}.check(t, server, tf.Run("plan", "-no-color"))
	tf.MustRun("apply", "-auto-approve")
	server.Forget()
	tf.Write("main.tf", arguments(named, "usr-1"))
	says("usr-1", "user-1").check(t, server, tf.Run("plan", "-no-color"))
}

// Sixty machines that no user has used: no warning when their drains are created, one
// in the plan of the destroy, and none in the destroy, because the plan has given it.
func TestAccDrainsOfUnusedMachines(t *testing.T) {
	t.Parallel()
	const machines = 60
	server := inhabited(t, simulator.Config{}, onNamed(visitorGone(1)))
	s := &site{t: t, server: server, Terraform: acctest.NewTerraform(t, server, fmt.Sprintf(`
resource "senhasegura_session_drain" "fleet" {
  count = %d
  match = { devices = ["web-${count.index}.example.com"] }
}
`, machines))}
	expectOnlyLists := func() {
		t.Helper()
		for _, request := range server.Requests() {
			if request != "token" && request != "list" {
				t.Errorf("the request %q", request)
			}
		}
		s.expectState()
	}
	expectation{requests: []string{"token", "list"}}.check(t, server, s.Run("plan", "-no-color"))
	s.apply()
	server.Forget()
	one := expectation{0, 1, 0, []string{"`match.devices` \"web-", fmt.Sprintf("(and %d more similar warnings elsewhere)", machines-1)}, []string{"token", "list"}}
	one.check(t, server, s.Run("plan", "-destroy", "-no-color", "-out=destroy.tfplan"))
	if destroyed := s.MustRun("apply", "-no-color", "destroy.tfplan"); countDiagnostics(destroyed, "Warning") > 0 {
		t.Errorf("the destroy repeats what its plan has told:\n%s", destroyed.Output())
	}
	expectOnlyLists()

	// One command that plans and destroys.
	s.apply()
	destroyed := s.apply("-destroy")
	if countDiagnostics(destroyed, "Warning") != 1 {
		t.Errorf("not one warning:\n%s", destroyed.Output())
	}
	expectOutput(t, destroyed, one.says...)
	expectOnlyLists()
}

// Bad input is an error on its own argument, whose line Terraform shows, and no
// request is made.
func TestAccDrainBadInput(t *testing.T) {
	t.Parallel()
	const match = `match = { devices = ["db-01"] }`
	for name, test := range map[string]struct {
		config, line string
		says         []string
	}{
		"on_unseen":   {protecting(match, `on_unseen = "stop"`), `on_unseen = "stop"`, []string{`"continue"`, `"halt"`, `"ignore"`}},
		"on_excluded": {protecting(match, `exclude = { users = ["a"] }`, `on_excluded = "ignore"`), `on_excluded = "ignore"`, []string{`"halt"`, `"continue"`}},
		// Which line is shown for an argument inside an object depends on Terraform's version.
		"older_than": {protecting(`match = { older_than = "2h" }`), "", []string{"`older_than`", "`time_zone`", "SENHASEGURA_TIME_ZONE"}},
		"time_zone": {"provider \"senhasegura\" {\n  time_zone = \"America/Sao_Paolo\"\n}\n" + protecting(match), `time_zone = "America/Sao_Paolo"`, []string{
			`America/Sao_Paulo`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, simulator.Config{}, visitors(1)...)
			tf := acctest.NewTerraform(t, server, test.config)
			if test.line != "" {
				before, _, _ := strings.Cut(test.config, test.line)
				test.says = append(test.says, fmt.Sprintf("on main.tf line %d", strings.Count(before, "\n")+1), test.line)
			}
			expectation{1, 0, 1, test.says, nil}.check(t, server, tf.Run("plan", "-no-color"))
		})
	}
}

// What create_before_destroy leaves of a drain keeps its arguments, whatever is applied,
// so that a guard of it fails every plan. Without it in the state the rest goes on.
func TestAccDrainDeposedThatHalts(t *testing.T) {
	t.Parallel()
	config := func(onUnseen string) string {
		return machine + drainOf(`
  on_unseen = "`+onUnseen+`"
  lifecycle {
    create_before_destroy = true
  }`)
	}
	s := buildSite(t, config("halt"))
	s.server.Sim.Purge(visitorID(90))
	elsewhere := visitor(91, simulator.Behavior{})
	elsewhere.Device = "web-01.example.com:22"
	s.server.Sim.Add(elsewhere)

	const unseen = "Error: 1 value of `match` or `exclude` that no session has"
	expectOutput(t, s.applyFails("-replace="+drainAddress, "-var=generation=2"), unseen)
	s.Write("main.tf", config("continue"))
	expectOutput(t, s.applyFails("-target="+drainAddress, "-var=generation=2"), unseen)
	s.MustRun("state", "rm", drainAddress)
	s.apply("-var=generation=2")
	s.expectState(drainAddress, machineAddress)
	if machines := s.machines(); machines != 1 {
		t.Errorf("%d machines in the state, want the new one", machines)
	}
	s.expectTerminated()
}
