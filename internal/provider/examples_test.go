package provider_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"maps"
	"math/big"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

const examplesDir = "../../examples"

// exampleHash is the session that the snippets name.
const exampleHash = "c819cbc5f2fad2065f1d132a22d0e2dfacccb228"

// step is one run of Terraform on an example.
type step struct {
	// before changes the simulator first.
	before func(*acctest.Server)
	// destroy is a destroy; else it is an apply, after which a plan must be empty.
	destroy bool
	vars    map[string]string
	// drops are the requests that were made, sorted: these and no others.
	drops []string
	// prints are parts of what Terraform prints, line breaks aside.
	prints []string
	// rereads: what the second plan does is read data again, as every plan does
	// after a check that failed. It has no change of a resource anyway.
	rereads bool
}

// story is an example with the sessions that there are and what it does to them.
type story struct {
	sessions []simulator.Session
	// ended are the ids of sessions that have ended before the example runs.
	ended []string
	needs func(*testing.T)
	steps []step
}

// exampleSession is a session whose ID names the user and the device.
func exampleSession(id, user, credential, device string) simulator.Session {
	return simulator.Session{
		SessionID: id, User: user, Credential: credential, Device: device, Protocol: "ssh", Proxy: "Web Proxy", OriginIP: "10.20.0.7",
	}
}

// exampleSessions are the live sessions of every story.
func exampleSessions() []simulator.Session {
	return []simulator.Session{
		exampleSession("alice-db", "alice", "root", "db-01.example.com:22"),
		exampleSession("bob-db", "bob", "postgres", "db-01.example.com:5432"),
		exampleSession("breakglass-db", "breakglass", "root", "db-01.example.com:22"),
		exampleSession("alice-web", "alice", "deploy", "web-01.example.com:22"),
		exampleSession("carol-web", "carol", "root", "web-01.example.com:22"),
		exampleSession("carol-app", "carol", "deploy", "app-01.example.com:22"),
	}
}

func connect(sessions ...simulator.Session) func(*acctest.Server) {
	return func(server *acctest.Server) {
		for _, s := range sessions {
			server.Sim.Add(s)
		}
	}
}

// stories has every directory of examples/ with a configuration that can be
// applied, by its path.
func stories() map[string]story {
	longAgo := exampleSession("dave-db", "dave", "root", "db-01.example.com:22")
	longAgo.Start = time.Now().Add(-9 * time.Hour)
	snippet := exampleSession(exampleHash, "alice", "root", "db-01.example.com:22")
	snippet.RecordID = 1042

	return map[string]story{
		"demo": {steps: []step{
			{vars: map[string]string{"session_id": "bob-db"}, drops: []string{"bob-db"}, prints: []string{`outcome = "terminated"`}},
			{destroy: true, vars: map[string]string{"session_id": "bob-db"}},
		}},
		"sessions-who-is-connected": {steps: []step{
			{vars: map[string]string{"device": "web-01.example.com"}, prints: []string{"alice as deploy over ssh from 10.20.0.7", "carol as root over ssh"}},
			{destroy: true, vars: map[string]string{"device": "web-01.example.com"}},
		}},
		"sessions-check-long-sessions": {sessions: []simulator.Session{longAgo}, steps: []step{
			{prints: []string{"Live for longer than 8h: dave on db-01.example.com:22 since"}, rereads: true},
			{destroy: true},
		}},
		"sessions-of-user": {steps: []step{
			{vars: map[string]string{"user": "ALICE"}, prints: []string{`"alice-db", "alice-web",`}},
			{destroy: true, vars: map[string]string{"user": "ALICE"}},
		}},
		"drain-device": {steps: []step{
			{},
			{destroy: true, drops: []string{"alice-db", "bob-db", "breakglass-db"}, prints: []string{"Terminated 3 sessions: drain of "}},
		}},
		"drain-credential": {steps: []step{
			{},
			{destroy: true, drops: []string{"alice-web"}, prints: []string{"Terminated 1 session: drain of "}},
		}},
		"drain-replaced-machine": {steps: []step{
			{vars: map[string]string{"image": "one"}},
			{
				vars: map[string]string{"image": "two"}, drops: []string{"alice-db", "bob-db", "breakglass-db"},
				prints: []string{"3 sessions match: drain of devices db-01.example.com", "Terminated 3 sessions: drain of devices db-01.example.com"},
			},
			{destroy: true, vars: map[string]string{"image": "two"}},
		}},
		"drain-maintenance": {steps: []step{
			{vars: maintenance("monday"), drops: []string{"alice-db", "bob-db"}, prints: []string{`"alice on db-01.example.com:22: terminated"`}},
			{
				before: connect(exampleSession("alice-again", "alice", "root", "db-01.example.com:22")),
				vars:   maintenance("tuesday"), drops: []string{"alice-again"},
			},
			{destroy: true, vars: maintenance("tuesday")},
		}},
		"drain-before-destroy-action": {needs: acctest.SkipUnlessBeforeDestroy, steps: []step{
			{},
			{destroy: true, drops: []string{"alice-db", "bob-db", "breakglass-db"}, prints: []string{"3 sessions: 3 terminated."}},
		}},
		"incident-response": {steps: []step{
			{vars: incident("one"), drops: []string{"alice-db", "alice-web", "bob-db"}, prints: []string{`"bob-db" = "terminated"`, `"alice-web" = "terminated"`}},
			{
				before: connect(exampleSession("alice-again", "alice", "root", "db-01.example.com:22")),
				vars:   incident("two"), drops: []string{"alice-again", "bob-db"}, prints: []string{`"bob-db" = "already_ended"`},
			},
			{destroy: true, vars: incident("two")},
		}},
		"machine-teardown": {steps: []step{
			{vars: map[string]string{"grace_period": "0s"}},
			{destroy: true, vars: map[string]string{"grace_period": "0s"}, drops: []string{"alice-db", "bob-db"}, prints: []string{"Terminated 2 sessions, 1 excluded session left open: drain of "}},
		}},
		"offboarding": {steps: []step{
			{vars: map[string]string{"user": "alice", "credential": "alice-key"}, drops: []string{"alice-db", "alice-web"}},
			{
				before: connect(exampleSession("carol-key", "carol", "alice-key", "db-01.example.com:22")),
				vars:   map[string]string{"user": "alice"}, drops: []string{"carol-key"},
			},
			{destroy: true, vars: map[string]string{"user": "alice"}},
		}},
		"resources/senhasegura_session_termination": {sessions: []simulator.Session{snippet}, steps: []step{
			{vars: suspects("one"), drops: []string{"bob-db", exampleHash}, prints: []string{`"outcome" = "terminated"`}},
			{vars: suspects("two"), drops: []string{"bob-db"}},
			{destroy: true, vars: suspects("two")},
		}},
		"data-sources/senhasegura_session": {sessions: []simulator.Session{snippet}, steps: []step{
			{prints: []string{"is_live = true"}},
		}},
		"data-sources/senhasegura_sessions": {
			sessions: []simulator.Session{exampleSession("erin", "erin", "root", "db.example.com:22"), exampleSession("runner", "terraform", "root", "db.example.com:22")},
			steps:    []step{{prints: []string{`who_is_on_db = [ "erin from 10.20.0.7", ]`}}},
		},
		"data-sources/senhasegura_visibility": {sessions: []simulator.Session{snippet}, steps: []step{
			{prints: []string{`"db-01.example.com:22", "db-01.example.com:5432",`, `"ended_sessions" = 0`}},
		}},
	}
}

func maintenance(window string) map[string]string {
	return map[string]string{"window": window, "devices": `["db-01.example.com"]`, "grace_period": "0s", "quiet_period": "0s"}
}

func incident(name string) map[string]string {
	return map[string]string{"incident": name, "session_ids": `["bob-db"]`, "user": "alice", "quiet_period": "0s"}
}

func suspects(incident string) map[string]string {
	return map[string]string{"incident": incident, "session_ids": `["bob-db"]`}
}

var requirements = regexp.MustCompile(`(?s)^terraform \{.*?\n\}\n`)

// example prepares a Terraform with the configuration files of an example whose
// names pass keep.
func example(t *testing.T, server *acctest.Server, name string, keep func(file string) bool) *acctest.Terraform {
	t.Helper()
	tf := acctest.NewTerraform(t, server, "")
	files, err := filepath.Glob(filepath.Join(examplesDir, filepath.FromSlash(name), "*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	copied, required := 0, false
	for _, file := range files {
		if !keep(filepath.Base(file)) {
			continue
		}
		content := exampleFile(t, file)
		if strings.Contains(content, "required_providers") {
			if required { // each is complete on its page, and one configuration has it once
				content = requirements.ReplaceAllString(content, "")
			}
			required = true
			tf.Write("provider.tf", "")
		}
		tf.Write(filepath.Base(file), content)
		copied++
	}
	if copied == 0 {
		t.Fatalf("no configuration in examples/%s", name)
	}
	return tf
}

func exampleFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// flatten makes text comparable whatever the width of the terminal was.
func flatten(text string) string { return strings.Join(strings.Fields(text), " ") }

// dropsOf gives the requests in the journal, sorted, and empties it.
func dropsOf(server *acctest.Server) []string {
	var drops []string
	for _, request := range server.Requests() {
		if id, ok := strings.CutPrefix(request, "drop "); ok {
			drops = append(drops, id)
		}
	}
	server.Forget()
	slices.Sort(drops)
	return drops
}

func (s step) run(t *testing.T, tf *acctest.Terraform, server *acctest.Server) {
	t.Helper()
	var arguments []string
	for _, name := range slices.Sorted(maps.Keys(s.vars)) {
		arguments = append(arguments, "-var", name+"="+s.vars[name])
	}
	command := []string{"apply", "-auto-approve", "-no-color"}
	if s.destroy {
		command = append(command, "-destroy")
	}
	printed := flatten(tf.MustRun(append(command, arguments...)...).Output())
	for _, part := range s.prints {
		if !strings.Contains(printed, flatten(part)) {
			t.Errorf("%q was not printed:\n%s", part, printed)
		}
	}
	if drops := dropsOf(server); !slices.Equal(drops, s.drops) {
		t.Errorf("drops: %q, want %q", drops, s.drops)
	}
	for _, id := range s.drops {
		if truth, _ := server.Sim.Session(id); truth.State != simulator.StateEnded {
			t.Errorf("session %s is %s after its drop", id, truth.State)
		}
	}
	if s.destroy {
		return
	}
	again := tf.Run(append([]string{"plan", "-detailed-exitcode", "-no-color"}, arguments...)...)
	onlyReads := s.rereads && strings.Contains(again.Output(), "Plan: 0 to add, 0 to change, 0 to destroy.")
	if again.Code != 0 && !onlyReads {
		t.Errorf("the second plan is not empty: exit code %d\n%s", again.Code, again.Output())
	}
	if drops := dropsOf(server); len(drops) > 0 {
		t.Errorf("the second plan drops %q", drops)
	}
}

func TestAccExamples(t *testing.T) {
	t.Parallel()
	for name, s := range stories() {
		t.Run(strings.ReplaceAll(name, "/", " "), func(t *testing.T) {
			t.Parallel()
			if s.needs != nil {
				s.needs(t)
			}
			server := acctest.Start(t, simulator.Config{})
			connect(append(exampleSessions(), s.sessions...)...)(server)
			for _, id := range s.ended {
				server.Sim.End(id)
			}
			tf := example(t, server, name, func(file string) bool { return !strings.HasPrefix(file, "import-") })
			for _, step := range s.steps {
				if step.before != nil {
					step.before(server)
				}
				step.run(t, tf, server)
			}
		})
	}
}

// testedApart are the examples that other tests run.
var testedApart = append([]string{"offline-module", "provider", "actions/senhasegura_session_terminate", "resources/senhasegura_session_drain"}, visibilityRecipes...)

// TestExamplesAllRun: no example is left out of the stories.
func TestExamplesAllRun(t *testing.T) {
	t.Parallel()
	known := append(slices.Collect(maps.Keys(stories())), testedApart...)
	files, err := filepath.Glob(filepath.Join(examplesDir, "*", "*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	deeper, err := filepath.Glob(filepath.Join(examplesDir, "*", "*", "*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, file := range append(files, deeper...) {
		name, err := filepath.Rel(examplesDir, filepath.Dir(file))
		if err != nil {
			t.Fatal(err)
		}
		name = filepath.ToSlash(name)
		found[name] = true
		if !slices.Contains(known, name) {
			t.Errorf("no test runs examples/%s", name)
		}
	}
	for _, name := range known {
		if !found[name] {
			t.Errorf("examples/%s has a test and no configuration", name)
		}
	}
}

// TestAccExampleProvider authenticates in each way that the page of the provider
// shows, at a server with a self-signed certificate.
func TestAccExampleProvider(t *testing.T) {
	t.Parallel()
	client, clientKey := clientCertificate(t)
	keys := simulator.OAuth1{ConsumerKey: "ck-value", ConsumerSecret: "cs-value", TokenKey: "tk-value", TokenSecret: "ts-value"}
	oauth2 := simulator.Config{ClientID: "your-client-id", ClientSecret: "your-client-secret"}
	tests := map[string]struct {
		config simulator.Config
		// certificate: the server requires one of the client.
		certificate bool
		environment bool
		variables   map[string]string
	}{
		"provider.tf": {config: oauth2, environment: true},
		"oauth2.tf":   {config: oauth2, variables: map[string]string{"senhasegura_client_secret": "your-client-secret"}},
		"oauth1.tf": {config: simulator.Config{OAuth1: &keys}, variables: map[string]string{
			"senhasegura_oauth1": `{consumer_key="ck-value",consumer_secret="cs-value",token_key="tk-value",token_secret="ts-value"}`,
		}},
		"client-certificate.tf": {
			config: oauth2, certificate: true, environment: true, variables: map[string]string{"senhasegura_client_key_pem": clientKey},
		},
	}
	directory := filepath.Join(examplesDir, "provider")
	files, err := filepath.Glob(filepath.Join(directory, "*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		test, known := tests[name]
		if !known {
			t.Errorf("no test runs %s", file)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(simulator.New(test.config))
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			if test.certificate {
				server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
			}
			server.StartTLS()
			t.Cleanup(server.Close)

			tf := acctest.NewTerraform(t, nil, "data \"senhasegura_visibility\" \"this\" {}\n")
			tf.Write("provider.tf", strings.ReplaceAll(exampleFile(t, file), "https://pam.example.com", server.URL))
			tf.Write("senhasegura.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
			tf.Write("client.pem", client)
			for name, value := range test.variables {
				tf.Env["TF_VAR_"+name] = value
			}
			if test.environment {
				script := strings.NewReplacer("https://pam.example.com", server.URL, "$PWD", tf.Dir).
					Replace(exampleFile(t, filepath.Join(directory, "environment.sh")))
				for line := range strings.Lines(script) {
					name, value, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "export ")), "=")
					tf.Env[name] = value
				}
			}
			// The simulator has no session, which the data source says once it has read
			// the list.
			if printed := flatten(tf.MustRun("plan", "-no-color").Output()); !strings.Contains(printed, "sees no session") {
				t.Errorf("the list was not read:\n%s", printed)
			}
		})
	}
}

// clientCertificate gives a certificate with its key, in PEM form.
func clientCertificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
}

// TestAccExampleImport imports a session that has ended in each way that the
// page shows.
func TestAccExampleImport(t *testing.T) {
	t.Parallel()
	const directory = "resources/senhasegura_session_termination"
	tests := map[string]struct {
		needs func(*testing.T)
		keep  []string
		run   []string
	}{
		"by id on the command line":    {keep: []string{"resource.tf"}},
		"by id in a configuration":     {keep: []string{"resource.tf", "import-by-string-id.tf"}, run: []string{"apply", "-auto-approve"}},
		"by identity in configuration": {acctest.SkipUnlessIdentity, []string{"resource.tf", "import-by-identity.tf"}, []string{"apply", "-auto-approve"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.needs != nil {
				test.needs(t)
			}
			server := acctest.Start(t, simulator.Config{})
			server.Sim.Add(exampleSession(exampleHash, "alice", "root", "db-01.example.com:22"))
			server.Sim.End(exampleHash)
			tf := example(t, server, directory, func(file string) bool { return slices.Contains(test.keep, file) })
			if test.run == nil {
				words := strings.Fields(exampleFile(t, filepath.Join(examplesDir, directory, "import.sh")))
				if len(words) == 0 || words[0] != "terraform" {
					t.Fatalf("import.sh is no command of Terraform: %q", words)
				}
				test.run = words[1:]
			}
			tf.MustRun(test.run...)
			if state := tf.MustRun("state", "show", "-no-color", "senhasegura_session_termination.suspect").Stdout; !strings.Contains(flatten(state), `outcome = "already_ended"`) {
				t.Errorf("imported:\n%s", state)
			}
			if drops := dropsOf(server); len(drops) > 0 {
				t.Errorf("the import drops %q", drops)
			}
		})
	}
}

const drainDir = "resources/senhasegura_session_drain"

// TestAccExampleDrain runs each example of the page of the drain alone.
func TestAccExampleDrain(t *testing.T) {
	t.Parallel()
	onDB := []string{"alice-db", "bob-db", "breakglass-db"}
	again := exampleSession("alice-again", "alice", "root", "db-01.example.com:22")
	refused := func(t *testing.T, tf *acctest.Terraform, server *acctest.Server, message string, command ...string) {
		t.Helper()
		failed := tf.Run(append([]string{"apply", "-no-color"}, command...)...)
		if failed.Code != 1 || !strings.Contains(flatten(failed.Output()), message) {
			t.Errorf("exit code %d, want 1 and %q:\n%s", failed.Code, message, failed.Output())
		}
		if drops := dropsOf(server); len(drops) > 0 {
			t.Errorf("drops: %q, want none", drops)
		}
	}
	tests := map[string]func(*testing.T, *acctest.Terraform, *acctest.Server){
		"resource.tf": func(t *testing.T, tf *acctest.Terraform, server *acctest.Server) {
			t.Helper()
			step{}.run(t, tf, server)
			step{destroy: true, drops: onDB, prints: []string{"Terminated 3 sessions: drain of devices db-01.example.com"}}.run(t, tf, server)
		},
		"grace-period.tf": func(t *testing.T, tf *acctest.Terraform, server *acctest.Server) {
			t.Helper()
			tf.Write("grace-period.tf", strings.Replace(tf.Read("grace-period.tf"), `"5m"`, `"0s"`, 1))
			step{}.run(t, tf, server)
			refused(t, tf, server, "1 excluded session still live: drain of devices db-01.example.com, except users breakglass", "-destroy", "-auto-approve")
			server.Sim.End("breakglass-db")
			step{destroy: true, drops: []string{"alice-db", "bob-db"}}.run(t, tf, server)
		},
		"user.tf": func(t *testing.T, tf *acctest.Terraform, server *acctest.Server) {
			t.Helper()
			step{drops: []string{"alice-db", "alice-web"}, prints: []string{`"alice-web" = "terminated"`}}.run(t, tf, server)
			connect(again)(server)
			step{destroy: true}.run(t, tf, server)
		},
		"replaced-machine.tf": func(t *testing.T, tf *acctest.Terraform, server *acctest.Server) {
			t.Helper()
			step{vars: map[string]string{"image": "one"}}.run(t, tf, server)
			step{vars: map[string]string{"image": "two"}, drops: onDB}.run(t, tf, server)
			step{destroy: true, vars: map[string]string{"image": "two"}}.run(t, tf, server)
		},
		"approved-plan.tf": func(t *testing.T, tf *acctest.Terraform, server *acctest.Server) {
			t.Helper()
			step{}.run(t, tf, server)
			tf.MustRun("plan", "-destroy", "-out=plan")
			connect(again)(server)
			refused(t, tf, server, "1 session not in the approved plan: drain of devices db-01.example.com", "plan")
			tf.MustRun("plan", "-destroy", "-out=plan")
			tf.MustRun("apply", "plan")
			if drops := dropsOf(server); !slices.Equal(drops, append([]string{"alice-again"}, onDB...)) {
				t.Errorf("drops: %q, want all that the plan showed", drops)
			}
		},
	}
	files, err := filepath.Glob(filepath.Join(examplesDir, drainDir, "*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(tests) {
		t.Errorf("%d examples, and tests of %d", len(files), len(tests))
	}
	for _, path := range files {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := tests[name]
			if run == nil {
				t.Fatalf("no test runs %s", path)
			}
			server := acctest.Start(t, simulator.Config{})
			connect(exampleSessions()...)(server)
			run(t, example(t, server, drainDir, func(file string) bool { return file == name }), server)
		})
	}
}

// readAt is when the list was read that a preview shows.
var readAt = regexp.MustCompile(`Matching at \S+Z:`)

// TestAccExampleDrainOutput compares the output that the pages show with that of
// a run in which one session refuses to end.
func TestAccExampleDrainOutput(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t, simulator.Config{})
	start := time.Date(2026, 5, 6, 16, 11, 17, 0, time.UTC)
	alice := exampleSession(exampleHash, "alice", "root", "db-01.example.com:22")
	alice.Start = start
	bob := exampleSession("0b5f6bd6c8a3e1d4f7a9921c5e88d0437bd62e11", "bob", "postgres", "db-01.example.com:5432")
	bob.Start, bob.Protocol, bob.Proxy, bob.OriginIP = start.Add(88*time.Minute+45*time.Second), "postgresql", "Database Proxy", "10.20.0.9"
	bob.Behavior.Refuse = true
	connect(alice, bob)(server)

	tf := example(t, server, "drain-device", func(string) bool { return true })
	tf.Env["SENHASEGURA_MAX_RETRIES"] = "0"
	tf.MustRun("apply", "-auto-approve")
	shows := func(run acctest.Run, file, first, last string) {
		t.Helper()
		file = filepath.Join(examplesDir, "drain-device", file)
		printed := address.ReplaceAllString(run.Output(), "https://pam.example.com")
		printed = readAt.ReplaceAllString(printed, "Matching at 2026-05-06T17:58:00Z:")
		_, printed, begun := strings.Cut(printed, first)
		printed, _, ended := strings.Cut(printed, last)
		if !begun || !ended {
			t.Fatalf("no part from %q to %q:\n%s", first, last, run.Output())
		}
		printed = first + printed + last + "\n"
		if *updateDiagnostics {
			if err := os.WriteFile(file, []byte(printed), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if flatten(printed) != flatten(exampleFile(t, file)) {
			t.Errorf("%s is not what Terraform prints; go test -run %s -update rewrites it:\n%s", file, t.Name(), printed)
		}
	}
	plan := tf.MustRun("plan", "-destroy", "-no-color")
	shows(plan, "plan.txt", "Warning: 2 sessions match", "then destroy.")
	server.Forget()
	failed := tf.Run("apply", "-destroy", "-auto-approve", "-no-color")
	shows(failed, "destroy-failed.txt", "Error: 1 of 2 sessions", "1 attempt")
	if failed.Code != 1 {
		t.Errorf("exit code %d, want 1", failed.Code)
	}
	if drops := dropsOf(server); !slices.Equal(drops, []string{bob.SessionID, alice.SessionID}) {
		t.Errorf("drops: %q", drops)
	}
	if left := strings.Fields(tf.MustRun("state", "list").Stdout); !slices.Contains(left, "terraform_data.machine") {
		t.Errorf("the machine is gone; left: %q", left)
	}

	server.Sim.SetBehavior(bob.SessionID, simulator.Behavior{})
	tf.MustRun("apply", "-destroy", "-auto-approve")
	if drops := dropsOf(server); !slices.Equal(drops, []string{bob.SessionID}) {
		t.Errorf("drops of the second run: %q, want only what was left", drops)
	}
	if left := tf.MustRun("state", "list").Stdout; left != "" {
		t.Errorf("left after the second run: %q", left)
	}
}

// actionSessions are those of the output that the page of the action shows.
func actionSessions() []simulator.Session {
	start := time.Date(2026, 5, 6, 16, 11, 17, 0, time.UTC)
	db := exampleSession(exampleHash, "alice", "root", "db-01.example.com:22")
	web := exampleSession("0b5f6bd6c8a3e1d4f7a9921c5e88d0437bd62e11", "alice", "deploy", "web-01.example.com:22")
	web.OriginIP = "10.20.0.9"
	jump := exampleSession("alice-jump", "alice", "root", "jump-01.example.com:22")
	db.Start, web.Start, jump.Start = start, start.Add(88*time.Minute+45*time.Second), start
	return []simulator.Session{db, web, jump, exampleSession("bob-db", "bob", "root", "db-01.example.com:22")}
}

const actionDir = "actions/senhasegura_session_terminate"

// TestExampleActionProgress compares the progress that the page shows with what
// the action says, without a Terraform that has actions.
func TestExampleActionProgress(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		file   string
		dryRun bool
		drops  []string
	}{
		"for real": {"progress.txt", false, []string{"0b5f6bd6c8a3e1d4f7a9921c5e88d0437bd62e11", exampleHash}},
		"dry run":  {"dry-run.txt", true, nil},
	}
	progress := regexp.MustCompile(`(?m)^Action action\.\S+ \(triggered by CLI\): (.*)$`)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t, simulator.Config{})
			connect(actionSessions()...)(server)
			invoked := acctest.NewDriver(t, server, nil).InvokeAction("senhasegura_session_terminate", map[string]any{
				"match":   map[string]any{"users": []any{"alice"}},
				"exclude": map[string]any{"devices": []any{"jump-01.example.com"}},
				"dry_run": test.dryRun,
			})
			if len(invoked.Diagnostics) > 0 {
				t.Error(invoked.Diagnostics)
			}
			var shown []string
			for _, match := range progress.FindAllStringSubmatch(exampleFile(t, filepath.Join(examplesDir, actionDir, test.file)), -1) {
				shown = append(shown, match[1])
			}
			// Sessions end concurrently, so their order is not told.
			slices.Sort(shown)
			slices.Sort(invoked.Progress)
			if !slices.Equal(shown, invoked.Progress) {
				t.Errorf("%s shows\n%s\nthe action says\n%s", test.file, strings.Join(shown, "\n"), strings.Join(invoked.Progress, "\n"))
			}
			if drops := dropsOf(server); !slices.Equal(drops, test.drops) {
				t.Errorf("drops: %q, want %q", drops, test.drops)
			}
		})
	}
}

// TestAccExampleAction runs the commands of invoke.sh, in their order.
func TestAccExampleAction(t *testing.T) {
	t.Parallel()
	acctest.SkipUnlessActions(t)
	server := acctest.Start(t, simulator.Config{})
	connect(actionSessions()...)(server)
	tf := example(t, server, actionDir, func(file string) bool { return file == "action.tf" })
	drops := map[string][]string{"dry-run.txt": nil, "progress.txt": {"0b5f6bd6c8a3e1d4f7a9921c5e88d0437bd62e11", exampleHash}}
	commands := strings.Split(strings.TrimSpace(exampleFile(t, filepath.Join(examplesDir, actionDir, "invoke.sh"))), "\n")
	for i, file := range []string{"dry-run.txt", "progress.txt"} {
		words := strings.Fields(commands[i])[1:]
		printed := strings.Split(tf.MustRun(append(words, "-auto-approve", "-no-color")...).Output(), "\n")
		for line := range strings.SplitSeq(strings.TrimSpace(exampleFile(t, filepath.Join(examplesDir, actionDir, file))), "\n") {
			if !slices.Contains(printed, line) {
				t.Errorf("%s: Terraform does not print %q:\n%s", file, line, strings.Join(printed, "\n"))
			}
		}
		if got := dropsOf(server); !slices.Equal(got, drops[file]) {
			t.Errorf("%s: drops: %q, want %q", commands[i], got, drops[file])
		}
	}
}

// TestAccExampleActionTrigger: the trigger of the page runs when its resource
// changes, and only then.
func TestAccExampleActionTrigger(t *testing.T) {
	t.Parallel()
	acctest.SkipUnlessActions(t)
	server := acctest.Start(t, simulator.Config{})
	connect(exampleSessions()...)(server)
	tf := example(t, server, actionDir, func(file string) bool { return file == "trigger.tf" })
	for _, s := range []step{
		{vars: map[string]string{"revoked_users": `["bob"]`}, drops: []string{"bob-db"}},
		{vars: map[string]string{"revoked_users": `["bob", "carol"]`}, drops: []string{"carol-app", "carol-web"}},
	} {
		s.run(t, tf, server)
	}
}

// TestAccExampleOfflineModule runs `terraform test` as the guide tells.
func TestAccExampleOfflineModule(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t, simulator.Config{})
	directory := filepath.Join(examplesDir, "offline-module")
	if _, err := server.Sim.AddJSON(strings.NewReader(exampleFile(t, filepath.Join(directory, "tests", "sessions.json")))); err != nil {
		t.Fatal(err)
	}
	tf := example(t, server, "offline-module", func(string) bool { return true })
	if err := os.Mkdir(filepath.Join(tf.Dir, "tests"), 0o700); err != nil {
		t.Fatal(err)
	}
	tf.Write("tests/drain.tftest.hcl", exampleFile(t, filepath.Join(directory, "tests", "drain.tftest.hcl")))

	if run := tf.MustRun("test", "-no-color"); !strings.Contains(run.Output(), "2 passed, 0 failed") {
		t.Errorf("terraform test:\n%s", run.Output())
	}
	if drops := dropsOf(server); len(drops) != 2 {
		t.Errorf("drops: %q, want those of Alice and Bob", drops)
	}
	for _, s := range server.Sim.Sessions() {
		if live := s.State == simulator.StateLive; live != (s.User == "breakglass") {
			t.Errorf("the session of %s is %s", s.User, s.State)
		}
	}

	// Sessions that have ended already make the tests fail, so they can.
	if run := tf.Run("test", "-no-color"); run.Code == 0 {
		t.Errorf("terraform test passes where no user is connected:\n%s", run.Output())
	}
}
