package acctest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// processDir holds what is made once for a test program. Main sets it before any
// test runs.
var processDir string

// Main runs the tests of a package and returns the exit code for os.Exit:
//
//	func TestMain(m *testing.M) { os.Exit(acctest.Main(m)) }
//
// The tests see none of the SENHASEGURA_ variables of the caller, so that no test
// can reach a real senhasegura by accident; SENHASEGURA_LIVE keeps them. Terraform
// reads a CLI configuration of the tests' own, because TF_CLI_CONFIG_FILE may hold
// a development override, or name a file that is missing, which OpenTofu refuses.
func Main(m *testing.M) int {
	dir, err := os.MkdirTemp("", "senhasegura-test-")
	if err != nil {
		return refuse(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a leftover in the temporary directory fails no test
	processDir = dir
	if err := isolate(dir); err != nil {
		return refuse(err)
	}
	return m.Run()
}

func refuse(err error) int {
	fmt.Fprintln(os.Stderr, "The tests cannot be set up:", err)
	return 1
}

func isolate(dir string) error {
	if os.Getenv("SENHASEGURA_LIVE") == "" {
		for _, setting := range os.Environ() {
			name, _, _ := strings.Cut(setting, "=")
			if strings.HasPrefix(name, "SENHASEGURA_") {
				if err := os.Unsetenv(name); err != nil {
					return err
				}
			}
		}
	}
	cliConfig := filepath.Join(dir, "terraform.rc")
	if err := os.WriteFile(cliConfig, []byte("disable_checkpoint = true\n"), 0o600); err != nil {
		return err
	}
	if err := os.Setenv("TF_CLI_CONFIG_FILE", cliConfig); err != nil {
		return err
	}
	if err := os.Setenv("CHECKPOINT_DISABLE", "1"); err != nil {
		return err
	}
	if os.Getenv("TF_ACC") == "" || os.Getenv("TF_ACC_PROVIDER_HOST") != "" {
		return nil
	}
	// plugin-testing takes Terraform's registry for granted. Without an engine
	// every test that needs one says so.
	if e, err := engineUnderTest(); err == nil && e.openTofu() {
		return os.Setenv("TF_ACC_PROVIDER_HOST", "registry.opentofu.org")
	}
	return nil
}
