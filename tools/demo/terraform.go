package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// demoVersion is what the provider calls itself in the demo. Terraform does not
// install a version 0.0.0.
const demoVersion = "0.0.1"

// programs are what build made.
type programs struct {
	// mirror is a directory that Terraform installs the provider from.
	mirror    string
	simulator string
}

// build makes the simulator, and the provider unless a mirror has it.
func build(ctx context.Context, out io.Writer, root, mirror, work string) (programs, error) {
	built := programs{
		mirror:    cmp.Or(mirror, filepath.Join(work, "mirror")),
		simulator: filepath.Join(work, executable("senhasegura-sim")),
	}
	if err := goBuild(ctx, out, root, "./internal/cmd/senhasegura-sim", built.simulator); err != nil {
		return programs{}, err
	}
	if mirror != "" {
		return built, nil
	}
	provider := filepath.Join(work, executable("terraform-provider-senhasegura_v"+demoVersion))
	if err := goBuild(ctx, out, root, ".", provider); err != nil {
		return programs{}, err
	}
	// Terraform and OpenTofu read "senhasegura/senhasegura" as an address on
	// their own registry.
	for _, registry := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		directory := filepath.Join(built.mirror, registry, "senhasegura", "senhasegura", demoVersion, runtime.GOOS+"_"+runtime.GOARCH)
		if err := os.MkdirAll(directory, 0o700); err != nil {
			return programs{}, err
		}
		if err := os.Link(provider, filepath.Join(directory, filepath.Base(provider))); err != nil {
			return programs{}, err
		}
	}
	return built, nil
}

func executable(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}

func goBuild(ctx context.Context, out io.Writer, root, pkg, path string) error {
	command := exec.CommandContext(ctx, "go", "build", "-o", path, pkg)
	command.Dir = root
	command.Stdout, command.Stderr = out, out
	if err := command.Run(); err != nil {
		return fmt.Errorf("building %s: %w", pkg, err)
	}
	return nil
}

// terraform runs Terraform in a directory of its own with the demo's
// configuration.
type terraform struct {
	program     string
	directory   string
	environment []string
	out         io.Writer
}

func newTerraform(out io.Writer, program, mirror, work, configuration, pamURL, sessionID string) (*terraform, error) {
	directory := filepath.Join(work, "configuration")
	if err := os.CopyFS(directory, os.DirFS(configuration)); err != nil {
		return nil, fmt.Errorf("copying the configuration: %w", err)
	}
	cliConfig := filepath.Join(work, "terraform.rc")
	content := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %s\n  }\n}\n", strconv.Quote(mirror))
	if err := os.WriteFile(cliConfig, []byte(content), 0o600); err != nil {
		return nil, err
	}
	return &terraform{
		program:   program,
		directory: directory,
		out:       &indented{out: out},
		environment: append(cleanEnvironment(),
			"TF_CLI_CONFIG_FILE="+cliConfig,
			"CHECKPOINT_DISABLE=1",
			"TF_IN_AUTOMATION=1",
			"TF_INPUT=0",
			"TF_CLI_ARGS=-no-color",
			"TF_VAR_session_id="+sessionID,
			"SENHASEGURA_URL="+pamURL,
			"SENHASEGURA_CLIENT_ID="+clientID,
			"SENHASEGURA_CLIENT_SECRET="+clientSecret,
		),
	}, nil
}

// cleanEnvironment leaves out what would change Terraform or point the provider
// somewhere else.
func cleanEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "TF_") || strings.HasPrefix(entry, "SENHASEGURA_")
	})
}

// initialize installs the provider. What Terraform says is shown only if that
// fails: most of it is about the local mirror.
func (t *terraform) initialize(ctx context.Context) error {
	var said bytes.Buffer
	if err := t.runInto(ctx, &said, "init"); err != nil {
		_, _ = said.WriteTo(t.out) // the error matters more than a broken terminal
		return err
	}
	return nil
}

func (t *terraform) run(ctx context.Context, arguments ...string) error {
	return t.runInto(ctx, t.out, arguments...)
}

func (t *terraform) runInto(ctx context.Context, out io.Writer, arguments ...string) error {
	fmt.Fprintf(t.out, "$ terraform %s\n", strings.Join(arguments, " "))
	command := exec.CommandContext(ctx, t.program, arguments...)
	command.Dir = t.directory
	command.Env = t.environment
	command.Stdout, command.Stderr = out, out
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = stopWithin
	if err := command.Run(); err != nil {
		return fmt.Errorf("terraform %s: %w", arguments[0], err)
	}
	return nil
}

// indented sets Terraform's words off from the demo's.
type indented struct {
	out     io.Writer
	midLine bool
}

func (w *indented) Write(text []byte) (int, error) {
	for line := range bytes.Lines(text) {
		if !w.midLine {
			if _, err := io.WriteString(w.out, "   │ "); err != nil {
				return 0, err
			}
		}
		if _, err := w.out.Write(line); err != nil {
			return 0, err
		}
		w.midLine = !bytes.HasSuffix(line, []byte("\n"))
	}
	return len(text), nil
}
