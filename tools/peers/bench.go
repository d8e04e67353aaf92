package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// The credentials of the simulated authorization, which open nothing else.
const (
	clientID     = "peers-client"
	clientSecret = "peers-secret-7c1d0e"
)

// stopWithin is how long an interrupted Terraform may take to end.
const stopWithin = 30 * time.Second

// bench runs Terraform with the programs of all ways.
type bench struct {
	settings
	work      string // removed by the caller
	cliConfig string
}

// newBench builds this provider and the one that does nothing, and makes the
// programs of ways known to Terraform.
func newBench(ctx context.Context, s settings, ways []way) (*bench, error) {
	if s.sessions <= 0 || s.rounds <= 0 {
		return nil, errors.New("-sessions and -rounds must be greater than 0")
	}
	work, err := os.MkdirTemp("", "senhasegura-peers-")
	if err != nil {
		return nil, err
	}
	b := &bench{settings: s, work: work, cliConfig: filepath.Join(work, "terraform.rc")}
	if err := b.install(ctx, ways); err != nil {
		return nil, errors.Join(err, os.RemoveAll(work))
	}
	return b, nil
}

// install gives each provider a directory with one program, as dev_overrides needs
// it, so that nothing is asked of a registry.
func (b *bench) install(ctx context.Context, ways []way) error {
	overrides := map[string]string{}
	for _, w := range slices.Concat(ways, noops) {
		if w.provider == "" || overrides[w.source] != "" {
			continue
		}
		directory := filepath.Join(b.work, "programs", w.provider)
		if err := os.MkdirAll(directory, 0o700); err != nil {
			return err
		}
		overrides[w.source] = directory
		program := filepath.Join(directory, programPrefix+w.provider)
		if runtime.GOOS == "windows" {
			program += ".exe"
		}
		var err error
		switch w.provider {
		case ours.provider:
			err = goBuild(ctx, b.root, ".", program)
		case noops[0].provider:
			err = goBuild(ctx, filepath.Join(b.root, "tools"), "./peers/noop", program)
		default:
			err = link(w.program, program)
		}
		if err != nil {
			return err
		}
	}
	var config strings.Builder
	config.WriteString("provider_installation {\n  dev_overrides {\n")
	for source, directory := range overrides {
		fmt.Fprintf(&config, "    %q = %q\n", source, directory)
	}
	config.WriteString("  }\n  direct {}\n}\n")
	return os.WriteFile(b.cliConfig, []byte(config.String()), 0o600)
}

// link makes a program that the caller gives known by another name.
func link(program, name string) error {
	path, err := exec.LookPath(program)
	if err != nil {
		return err
	}
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	return os.Symlink(path, name)
}

func goBuild(ctx context.Context, directory, pkg, path string) error {
	command := exec.CommandContext(ctx, "go", "build", "-o", path, pkg)
	command.Dir = directory
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// result is what came of one apply.
type result struct {
	took time.Duration
	// processor is the processor time of Terraform and the processes that it has
	// started, which other work on the machine changes less than took.
	processor time.Duration
	stopped   bool // it reached the limit
	code      int  // Terraform's exit code
	problem   string
	requests  map[simulator.Op]int
	// stateBytes is the length of the state; bearers and secrets are how often it
	// holds a bearer token or the client secret.
	stateBytes, bearers, secrets int
	// Of all sessions, reported are those that Terraform has recorded as done, and
	// live those that have not ended. A false report is of a session that is both; a
	// missed end of one that is neither.
	reported, live, falseReports, missedEnds int
}

// apply runs one `terraform apply` for so many live sessions, in a directory and
// against a simulator of its own.
func (b *bench) apply(ctx context.Context, w way, c circumstance, sessions int) (result, error) {
	sim := simulator.New(simulator.Config{ClientID: clientID, ClientSecret: clientSecret})
	live := sim.AddMany(sessions, simulator.Sample)
	c.arrange(sim, live)
	api, err := serve(ctx, sim)
	if err != nil {
		return result{}, err
	}
	defer api.close()
	directory, err := b.prepare(w, live)
	if err != nil {
		return result{}, err
	}

	var r result
	var output bytes.Buffer
	limited, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	command := exec.CommandContext(limited, b.terraform, "apply", "-auto-approve", "-no-color")
	command.Dir = directory
	command.Env = append(b.environment(api.url), w.environment...)
	command.Stdout, command.Stderr = &output, &output
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = stopWithin
	began := time.Now()
	err = command.Run()
	r.took = time.Since(began)
	r.stopped = limited.Err() != nil
	var exit *exec.ExitError
	if ctx.Err() != nil || (err != nil && !r.stopped && !errors.As(err, &exit)) {
		return result{}, fmt.Errorf("%s: %w", w.name, errors.Join(err, ctx.Err()))
	}
	r.processor = command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	r.code = command.ProcessState.ExitCode()
	r.problem = firstError(output.String())

	state, err := os.ReadFile(filepath.Join(directory, "terraform.tfstate"))
	if err != nil && !errors.Is(err, os.ErrNotExist) { // an apply that was interrupted early wrote none
		return result{}, err
	}
	r.stateBytes = len(state)
	r.secrets = bytes.Count(state, []byte(clientSecret))
	for _, bearer := range api.bearers() {
		r.bearers += bytes.Count(state, []byte(bearer))
	}
	if err := r.compare(state, sim, live); err != nil {
		return result{}, fmt.Errorf("%s: %w", w.name, err)
	}
	return r, os.RemoveAll(directory)
}

// prepare makes the directory of one apply.
func (b *bench) prepare(w way, sessions []simulator.Session) (string, error) {
	directory, err := os.MkdirTemp(b.work, "apply-")
	if err != nil {
		return "", err
	}
	for name, source := range map[string]string{"main.tf": w.configuration, "shared.tf": "shared.tf"} {
		text, err := configurations.ReadFile("configurations/" + source)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(directory, name), text, 0o600); err != nil {
			return "", err
		}
	}
	type row struct {
		SessionID string `json:"session_id"`
		RecordID  string `json:"record_id"`
	}
	rows := make([]row, 0, len(sessions))
	for _, s := range sessions {
		rows = append(rows, row{s.SessionID, strconv.FormatInt(s.RecordID, 10)})
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return "", err
	}
	return directory, os.WriteFile(filepath.Join(directory, "sessions.json"), text, 0o600)
}

// environment leaves out what would change Terraform or point the provider somewhere
// else. The configurations with curl read the SENHASEGURA_ variables.
func (b *bench) environment(url string) []string {
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "TF_") || strings.HasPrefix(entry, "SENHASEGURA_")
	})
	return append(env,
		"TF_CLI_CONFIG_FILE="+b.cliConfig,
		"CHECKPOINT_DISABLE=1",
		"TF_IN_AUTOMATION=1",
		"TF_INPUT=0",
		"TF_VAR_url="+url,
		"TF_VAR_client_id="+clientID,
		"TF_VAR_client_secret="+clientSecret,
		"SENHASEGURA_URL="+url,
		"SENHASEGURA_CLIENT_ID="+clientID,
		"SENHASEGURA_CLIENT_SECRET="+clientSecret,
	)
}

// firstError is the summary of the first error in what Terraform printed.
func firstError(output string) string {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(strings.TrimLeft(line, "│╷ "))
		if summary, found := strings.CutPrefix(line, "Error: "); found {
			return summary
		}
	}
	return ""
}

// compare compares the report with the truth.
func (r *result) compare(state []byte, sim *simulator.Simulator, sessions []simulator.Session) error {
	done, err := reported(state)
	if err != nil {
		return err
	}
	for i, s := range sessions {
		now, _ := sim.Session(s.SessionID)
		live := now.State != simulator.StateEnded
		switch {
		case live && done[i]:
			r.falseReports++
		case !live && !done[i]:
			r.missedEnds++
		}
		if live {
			r.live++
		}
	}
	r.reported = len(done)
	r.requests = map[simulator.Op]int{}
	for _, request := range sim.Journal() {
		r.requests[request.Op]++
	}
	return nil
}
