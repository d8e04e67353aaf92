//go:build unix

package docstest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

const (
	repository = "https://github.com/senhasegura/terraform-provider-senhasegura.git"
	server     = "pam.example.com:443"

	aliceID = "c819cbc5f2fad2065f1d132a22d0e2dfacccb228"
	bobID   = "0b5f6bd6c8a3e1d4f7a9921c5e88d0437bd62e11"
	carolID = "5d0c3f1b9e8a7264c1d2e3f405162738495a6b7c"
)

// TestAccReadmeQuickStart does what the quick start of the README says, from the
// clone to the destroy, on a machine with nothing set up.
func TestAccReadmeQuickStart(t *testing.T) {
	t.Parallel()
	readme := readFile(t, "README.md")
	blocks := blocksOf(section(t, readme, "Quick start"))
	credential := regexp.MustCompile(`(?m)^export SENHASEGURA_CLIENT_(?:ID|SECRET)=(.+)$`).FindAllStringSubmatch(readme, -1)
	if len(credential) != 2 {
		t.Fatalf("%d credentials in the README, want an ID and a secret", len(credential))
	}
	pam := acctest.StartTLS(t, simulator.Config{ClientID: credential[0][1], ClientSecret: credential[1][1]})
	connect(pam)
	p := newPerson(t, pam)

	// The terminations that the destroy must make come after its block begins, and
	// none before.
	for _, b := range blocks {
		destroys := b.content == "terraform destroy\n"
		if destroys {
			if dropped := drops(pam); len(dropped) > 0 {
				t.Errorf("terminated before the destroy: %q", dropped)
			}
		}
		p.follow(b)
		if destroys {
			expectDrained(t, pam)
		}
	}
	p.expectOutput("Destroy complete! Resources: 2 destroyed.")

	// "To update the provider": another build has another checksum.
	const clone = "../terraform-provider-senhasegura"
	p.run("GOFLAGS=-ldflags=-X=main.version=0.0.2 make -C " + clone + " install")
	p.run("if terraform plan; then echo 'Another build is used without a word.'; exit 1; fi")
	p.run("terraform init -upgrade && terraform plan")

	// The first configuration of the README, with a stand-in for the instance.
	p.run("mkdir ../first && cd ../first")
	p.save("provider.tf", blockWith(t, blocks, "required_providers"))
	p.save("main.tf", strings.ReplaceAll(blockWith(t, blocksOf(readme), "aws_instance"), "aws_instance", "terraform_data"))
	connect(pam)
	p.run("terraform init && terraform apply && terraform destroy")
	expectDrained(t, pam)

	p.run("make -C " + clone + " uninstall")
	err := filepath.WalkDir(filepath.Join(p.home, ".terraform.d", "plugins"), func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			t.Errorf("left by make uninstall: %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p.expectNothingElse()
}

// TestAccOfflineGuide does what the guide says, on a machine with nothing set up,
// with another port than the guide's, which may be in use.
func TestAccOfflineGuide(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skipf("the guide uses curl: %v", err)
	}
	const shownPort = "127.0.0.1:8080"
	port := freePort(t)
	script := readFile(t, "examples/offline-module/run.sh")
	guide := readFile(t, "docs/guides/test-your-modules-offline.md")
	p := newPerson(t, nil)

	tests := 0
	for _, b := range blocksOf(guide) {
		if b.language != "shell" || b.content == script {
			continue
		}
		commands := strings.ReplaceAll(b.content, shownPort, port)
		if strings.Contains(b.before, "the environment variables of `run.sh`") {
			p.run(strings.Join(regexp.MustCompile(`(?m)^export .*`).FindAllString(strings.ReplaceAll(script, shownPort, port), -1), "\n"))
		}
		if strings.HasPrefix(commands, "senhasegura-sim ") {
			p.runInAnotherTerminal(commands, "http://"+port+"/_sim/sessions")
			continue
		}
		p.run(commands)
		if strings.Contains(commands, "/_sim/reset") {
			p.expectOutput("2 passed, 0 failed")
			p.run(commands) // each run needs a reset, and only that
		}
		if strings.HasSuffix(commands, "cd examples/offline-module\n") {
			p.run("sed 's/" + shownPort + "/" + port + "/' run.sh >other.sh && mv other.sh run.sh")
		}
		if strings.Contains(commands, "terraform test") || commands == "sh run.sh\n" {
			p.expectOutput("2 passed, 0 failed")
			tests++
		}
		if strings.Contains(commands, "@tests/failures.json") {
			p.expectOutput(`"carol"`)
		}
	}
	if tests != 2 {
		t.Errorf("the guide runs its test %d times, want once by run.sh and once without", tests)
	}
	p.expectNothingElse()
}

// connect adds the sessions that the README shows, and one that no drain of it
// matches.
func connect(pam *acctest.Server) {
	for _, s := range []simulator.Session{
		{SessionID: aliceID, User: "alice", Credential: "root", Device: "db-01.example.com:22"},
		{SessionID: bobID, User: "bob", Credential: "postgres", Device: "db-01.example.com:5432"},
		{SessionID: carolID, User: "carol", Credential: "root", Device: "web-01.example.com:22"},
	} {
		pam.Sim.Add(s)
	}
}

// drops gives the sessions for which a termination request was made, sorted.
func drops(pam *acctest.Server) []string {
	var ids []string
	for _, request := range pam.Requests() {
		if id, ok := strings.CutPrefix(request, "drop "); ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// expectDrained: the sessions on the device that the README drains were
// terminated, and no other. It starts again without any.
func expectDrained(t *testing.T, pam *acctest.Server) {
	t.Helper()
	if got, want := drops(pam), []string{bobID, aliceID}; !slices.Equal(got, want) {
		t.Errorf("terminated: %q, want %q", got, want)
	}
	for _, s := range pam.Sim.Sessions() {
		if live := s.State == simulator.StateLive; live != (s.SessionID == carolID) {
			t.Errorf("the session of %s on %s is %s", s.User, s.Device, s.State)
		}
	}
	pam.Sim.Reset()
}

func blockWith(tb testing.TB, blocks []block, text string) string {
	tb.Helper()
	for _, b := range blocks {
		if strings.Contains(b.content, text) {
			return b.content
		}
	}
	tb.Fatalf("no block with %s", text)
	return ""
}

func freePort(tb testing.TB) string {
	tb.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// person types into a shell, with an empty home directory, and answers every
// question of Terraform with yes. Nothing but the server is reached from here.
type person struct {
	tb   testing.TB
	home string

	in     io.Writer
	out    *bufio.Reader
	output string // of the last commands

	mu      sync.Mutex
	refused []string // hosts, besides the server, that something tried to reach
}

// newPerson starts the shell. The person's server is pam, if there is one.
func newPerson(tb testing.TB, pam *acctest.Server) *person {
	tb.Helper()
	program := acctest.TerraformPath(tb)
	work := tb.TempDir()
	p := &person{tb: tb, home: filepath.Join(work, "home")}
	bin := filepath.Join(work, "bin")
	for _, directory := range []string{p.home, bin, filepath.Join(work, "src")} {
		if err := os.Mkdir(directory, 0o700); err != nil {
			tb.Fatal(err)
		}
	}
	wrapper := fmt.Sprintf("#!/bin/sh\nexec '%s' \"$@\" <<'end'\nyes\nend\n", program)
	if err := os.WriteFile(filepath.Join(bin, "terraform"), []byte(wrapper), 0o700); err != nil {
		tb.Fatal(err)
	}

	environment := []string{
		"HOME=" + p.home,
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"),
		"TMPDIR=" + tb.TempDir(),
		"CHECKPOINT_DISABLE=1",
		"HTTPS_PROXY=" + p.startProxy(pam),
		// A clone comes from this source tree, committed or not.
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url." + snapshot(tb) + ".insteadOf", "GIT_CONFIG_VALUE_0=" + repository,
	}
	// Modules and the build cache are the tester's, so that nothing is fetched.
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOTOOLCHAIN"} {
		environment = append(environment, name+"="+strings.TrimSpace(output(tb, "go", "env", name)))
	}
	if pam != nil {
		environment = append(environment, "SENHASEGURA_CA_CERT_PEM="+pam.CACertPEM)
	}
	p.startShell(filepath.Join(work, "src"), environment)
	return p
}

func (p *person) startShell(directory string, environment []string) {
	p.tb.Helper()
	shell := exec.CommandContext(p.tb.Context(), "bash", "-e")
	shell.Dir, shell.Env = directory, environment
	// Whatever the shell has started ends with it.
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := shell.StdinPipe()
	if err != nil {
		p.tb.Fatal(err)
	}
	out, err := shell.StdoutPipe()
	if err != nil {
		p.tb.Fatal(err)
	}
	shell.Stderr = shell.Stdout
	if err := shell.Start(); err != nil {
		p.tb.Fatal(err)
	}
	p.in, p.out = in, bufio.NewReader(out)
	p.tb.Cleanup(func() {
		_ = syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) // it may have ended
		_ = shell.Wait()                                      // it was killed
	})
}

var colors = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// endOfOutput follows the output of each piece of commands.
const endOfOutput = "--- the commands have ended ---"

// run types commands and waits for their end. The first that fails ends the test.
func (p *person) run(commands string) {
	p.tb.Helper()
	_, err := fmt.Fprintf(p.in, "{\n%s\n} </dev/null\necho\necho '%s'\n", commands, endOfOutput)
	if err != nil {
		p.tb.Fatal(err)
	}
	var all strings.Builder
	for {
		line, err := p.out.ReadString('\n')
		if line == endOfOutput+"\n" {
			break
		}
		all.WriteString(line)
		if err != nil {
			p.tb.Fatalf("failed:\n%s\noutput:\n%s", commands, all.String())
		}
	}
	p.output = colors.ReplaceAllString(all.String(), "")
}

// runInAnotherTerminal runs a command that goes on, in place of an earlier one,
// until an address answers.
func (p *person) runInAnotherTerminal(command, address string) {
	p.tb.Helper()
	p.run(`if [ -n "${other:-}" ]; then kill "$other"; wait "$other" || true; fi`)
	p.run(strings.TrimSpace(command) + " &\nother=$!")
	p.run(`until curl -fs -o /dev/null ` + address + `; do kill -0 "$other"; sleep 0.05; done`)
}

var saveAs = regexp.MustCompile("(?i)save this(?: configuration)? as `([^`]+)`")

// follow does what a block of a page is for: to run it, to save it in a file, or
// to compare it with what was printed last.
func (p *person) follow(b block) {
	p.tb.Helper()
	switch b.language {
	case "shell":
		p.run(b.content)
	case "text":
		p.expectOutput(b.content)
	case "terraform":
		name := saveAs.FindStringSubmatch(b.before)
		if name == nil {
			p.tb.Fatalf("the page does not say where to save this:\n%s", b.content)
		}
		p.save(name[1], b.content)
	case "powershell": // for others
	default:
		p.tb.Fatalf("what is this for?\n%s", b.content)
	}
}

// save writes a file into the current directory of the shell, in the canonical
// format.
func (p *person) save(name, content string) {
	p.tb.Helper()
	p.run("pwd")
	if err := os.WriteFile(filepath.Join(strings.TrimSpace(p.output), name), []byte(content), 0o600); err != nil {
		p.tb.Fatal(err)
	}
	p.run("terraform fmt -check -diff " + name)
}

func (p *person) expectOutput(want string) {
	p.tb.Helper()
	if !strings.Contains(flatten(p.output), flatten(want)) {
		p.tb.Errorf("not printed:\n%s\noutput:\n%s", want, p.output)
	}
}

// expectNothingElse: there were no requests but to the server, not even to a
// registry.
func (p *person) expectNothingElse() {
	p.tb.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.refused) > 0 {
		p.tb.Errorf("something tried to reach %q", p.refused)
	}
}

// startProxy serves as the way out: it leads the server's name to pam and
// refuses every other.
func (p *person) startProxy(pam *acctest.Server) string {
	p.tb.Helper()
	target := ""
	if pam != nil {
		address, err := url.Parse(pam.URL)
		if err != nil {
			p.tb.Fatal(err)
		}
		target = address.Host
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != server || target == "" {
			p.mu.Lock()
			p.refused = append(p.refused, r.Host)
			p.mu.Unlock()
			http.Error(w, "there is no other host", http.StatusForbidden)
			return
		}
		var dialer net.Dialer
		inner, err := dialer.DialContext(r.Context(), "tcp", target)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer func() { _ = inner.Close() }() // it was read to its end
		outer, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return // the client has gone
		}
		defer func() { _ = outer.Close() }() // it was read to its end
		_, _ = io.WriteString(outer, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() {
			_, _ = io.Copy(inner, outer)
			_ = inner.Close() // ends the copy below
		}()
		_, _ = io.Copy(outer, inner)
	}))
	p.tb.Cleanup(proxy.Close)
	return proxy.URL
}

// snapshot makes a repository to clone from, with the source tree as it is.
func snapshot(tb testing.TB) string {
	tb.Helper()
	// go test runs this test again only if a file changes that it has opened.
	for _, name := range []string{"GNUmakefile", "examples/offline-module/run.sh", "tools/versions.env"} {
		readFile(tb, name)
	}
	root, err := filepath.Abs(sourceTree)
	if err != nil {
		tb.Fatal(err)
	}
	repository := filepath.Join(tb.TempDir(), "repository.git")
	output(tb, "git", "init", "-q", "--bare", repository)
	git := []string{"--git-dir=" + repository, "--work-tree=" + root, "-c", "core.bare=false", "-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"}
	output(tb, "git", append(git, "add", "--all", ".")...)
	output(tb, "git", append(git, "commit", "-q", "-m", "The source tree")...)
	return repository
}

// output runs a program of the tester's at the top of the source tree.
func output(tb testing.TB, program string, arguments ...string) string {
	tb.Helper()
	command := exec.CommandContext(tb.Context(), program, arguments...)
	command.Dir = sourceTree
	out, err := command.CombinedOutput()
	if err != nil {
		tb.Fatalf("%s %s: %v\n%s", program, strings.Join(arguments, " "), err, out)
	}
	return string(out)
}
