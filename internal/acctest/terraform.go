package acctest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// runLimit bounds one run of a binary: a test that hangs says so before the test
// program does.
const runLimit = 3 * time.Minute

// built is the program that `go build` makes of this module, once for the
// process.
var built = sync.OnceValues(func() (string, error) {
	if processDir == "" {
		return "", errors.New("the TestMain of the package must call acctest.Main")
	}
	_, source, _, ok := runtime.Caller(0)
	if !ok {
		return "", errors.New("the place of the source is not known")
	}
	binary := filepath.Join(processDir, "provider", "terraform-provider-senhasegura")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute) //nolint:forbidigo // belongs to the process and to no test
	defer cancel()
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, ".") //nolint:gosec // a path of our own
	build.Dir = filepath.Dir(filepath.Dir(filepath.Dir(source)))
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
})

// buildProvider builds the provider and returns the path of the program.
func buildProvider(tb testing.TB) string {
	tb.Helper()
	binary, err := built()
	if err != nil {
		tb.Fatal(err)
	}
	return binary
}

// Terraform runs a real binary in one directory, with the provider as a program
// of its own. Change the fields between runs only.
type Terraform struct {
	// Dir holds the configuration and the state.
	Dir string
	// Env are further environment variables. The provider's own come from
	// Server.Env.
	Env map[string]string
	// Trace writes the log of Terraform and the provider at TRACE, for Run.Log.
	Trace bool

	tb       testing.TB
	engine   engine
	settings map[string]string
}

// NewTerraform prepares a directory with a configuration, to which it adds where
// the provider comes from, and skips the test without TF_ACC. senhasegura's address
// and credentials are in the environment, so that config needs no provider block;
// pam may be nil. Nothing needs `init`, which would ask a registry.
func NewTerraform(tb testing.TB, server *Server, config string) *Terraform {
	tb.Helper()
	tf := &Terraform{tb: tb, engine: requireEngine(tb), Dir: tb.TempDir(), Env: map[string]string{}}
	cliConfig := filepath.Join(tb.TempDir(), "terraform.rc")
	writeFile(tb, cliConfig, fmt.Sprintf(
		"disable_checkpoint = true\nprovider_installation {\n  dev_overrides {\n    \"senhasegura/senhasegura\" = %q\n  }\n  direct {}\n}\n",
		filepath.Dir(buildProvider(tb))))
	tf.settings = map[string]string{
		"TF_CLI_CONFIG_FILE": cliConfig,
		"CHECKPOINT_DISABLE": "1",
		"TF_IN_AUTOMATION":   "1",
		"TF_INPUT":           "0",
	}
	if server != nil {
		maps.Copy(tf.settings, server.Env())
	}
	tf.Write("provider.tf", "terraform {\n  required_providers {\n    senhasegura = {\n      source = \"senhasegura/senhasegura\"\n    }\n  }\n}\n")
	tf.Write("main.tf", config)
	return tf
}

// Write puts a file into the directory, in place of one of that name.
func (tf *Terraform) Write(name, content string) {
	tf.tb.Helper()
	writeFile(tf.tb, filepath.Join(tf.Dir, name), content)
}

func writeFile(tb testing.TB, path, content string) {
	tb.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// Read gives the content of a file in the directory.
func (tf *Terraform) Read(name string) string {
	tf.tb.Helper()
	content, err := os.ReadFile(filepath.Join(tf.Dir, name)) //nolint:gosec // a path of the test's own
	if err != nil {
		tf.tb.Fatal(err)
	}
	return string(content)
}

// Run is one finished run.
type Run struct {
	// Code is the exit code, -1 where a signal ended it.
	Code           int
	Stdout, Stderr string
	// Log is the log of the run, with Terraform.Trace.
	Log string
}

// Output gives what a person would have seen.
func (r Run) Output() string { return r.Stdout + r.Stderr }

// Process is a run under way.
type Process struct {
	tb             testing.TB
	cmd            *exec.Cmd
	cancel         context.CancelFunc
	stdout, stderr bytes.Buffer
	logFile        string
}

// Run runs a command such as "apply", "-auto-approve" to its end. An exit code
// other than 0 is the test's to judge.
func (tf *Terraform) Run(args ...string) Run {
	tf.tb.Helper()
	return tf.Start(args...).Wait()
}

// MustRun is Run for a command that must succeed.
func (tf *Terraform) MustRun(args ...string) Run {
	tf.tb.Helper()
	run := tf.Run(args...)
	if run.Code != 0 {
		tf.tb.Fatalf("%s %s: exit code %d\n%s", tf.engine, strings.Join(args, " "), run.Code, run.Output())
	}
	return run
}

// Start begins a command and returns while it runs. The test waits for it with
// Wait; it is killed when the test ends.
func (tf *Terraform) Start(args ...string) *Process {
	tf.tb.Helper()
	ctx, cancel := context.WithTimeout(tf.tb.Context(), runLimit)
	p := &Process{tb: tf.tb, cancel: cancel}
	p.cmd = exec.CommandContext(ctx, tf.engine.path, args...) //nolint:gosec // the tester names the program
	p.cmd.Dir = tf.Dir
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	// A plugin that outlives its Terraform may hold the pipes open.
	p.cmd.WaitDelay = 10 * time.Second
	p.cmd.Env = tf.environment()
	if tf.Trace {
		p.logFile = filepath.Join(tf.tb.TempDir(), "trace.log")
		p.cmd.Env = append(p.cmd.Env, "TF_LOG=TRACE", "TF_LOG_PATH="+p.logFile)
	}
	if err := p.cmd.Start(); err != nil {
		cancel()
		tf.tb.Fatal(err)
	}
	return p
}

// environment is the caller's without what changes Terraform or the provider.
func (tf *Terraform) environment() []string {
	var env []string
	for _, setting := range os.Environ() {
		name, _, _ := strings.Cut(setting, "=")
		if !strings.HasPrefix(name, "TF_") && !strings.HasPrefix(name, "SENHASEGURA_") {
			env = append(env, setting)
		}
	}
	for _, settings := range []map[string]string{tf.settings, tf.Env} {
		for name, value := range settings {
			env = append(env, name+"="+value)
		}
	}
	return slices.Clip(env)
}

// Signal sends a signal to Terraform alone, not to the provider, which os.Interrupt
// reaches through it.
func (p *Process) Signal(signal os.Signal) {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.tb.Fatal(err)
	}
}

// Pid is Terraform's process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Wait waits for the end of the run. Call it once.
func (p *Process) Wait() Run {
	p.tb.Helper()
	defer p.cancel()
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.tb.Fatalf("%s: %v\n%s%s", strings.Join(p.cmd.Args, " "), err, p.stdout.String(), p.stderr.String())
	}
	run := Run{Code: p.cmd.ProcessState.ExitCode(), Stdout: p.stdout.String(), Stderr: p.stderr.String()}
	if p.logFile != "" {
		log, err := os.ReadFile(p.logFile)
		if err != nil {
			p.tb.Fatal(err)
		}
		run.Log = string(log)
	}
	return run
}
