package acctest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"
)

// engine is the program that runs configurations: Terraform or OpenTofu, whose
// version numbers mean different things.
type engine struct {
	path         string
	product      string
	version      string
	major, minor int
}

const productOpenTofu = "OpenTofu"

func (e engine) openTofu() bool { return e.product == productOpenTofu }

func (e engine) String() string { return e.product + " " + e.version }

// versionLine is the first line of the `version` command, which warnings about
// the CLI configuration may precede.
var versionLine = regexp.MustCompile(`(?m)^(Terraform|OpenTofu) v((\d+)\.(\d+)\S*)`)

// engineUnderTest gives the binary that plugin-testing would use too.
func engineUnderTest() (engine, error) {
	// The environment is read in every test, although the answer is known: the
	// cache of `go test` would else hand the result of one engine to another.
	if _, err := enginePath(); err != nil {
		return engine{}, err
	}
	return askEngine()
}

var askEngine = sync.OnceValues(func() (engine, error) {
	path, err := enginePath()
	if err != nil {
		return engine{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) //nolint:forbidigo // belongs to the process and to no test
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "version").CombinedOutput() //nolint:gosec // the tester names the program
	if err != nil {
		return engine{}, fmt.Errorf("%s version: %w\n%s", path, err, out)
	}
	return parseVersion(path, string(out))
})

func enginePath() (string, error) {
	if path := os.Getenv("TF_ACC_TERRAFORM_PATH"); path != "" {
		return path, nil
	}
	path, err := exec.LookPath("terraform")
	if err != nil {
		return "", fmt.Errorf("no Terraform: put it on PATH, or name it in TF_ACC_TERRAFORM_PATH: %w", err)
	}
	return path, nil
}

func parseVersion(path, out string) (engine, error) {
	found := versionLine.FindStringSubmatch(out)
	if found == nil {
		return engine{}, fmt.Errorf("%s is neither Terraform nor OpenTofu; its version command says:\n%s", path, out)
	}
	major, errMajor := strconv.Atoi(found[3])
	minor, errMinor := strconv.Atoi(found[4])
	if errMajor != nil || errMinor != nil {
		return engine{}, fmt.Errorf("%s: unreadable version %q", path, found[2])
	}
	return engine{path: path, product: found[1], version: found[2], major: major, minor: minor}, nil
}

// lacks gives the reason to skip a test that needs a feature of Terraform since
// version 1.minor, in words that a reader of the log understands. It is empty
// where the engine has the feature.
func (e engine) lacks(feature string, minor int) string {
	switch {
	case e.openTofu():
		return fmt.Sprintf("%s has no %s", e, feature)
	case e.major == 1 && e.minor < minor:
		return fmt.Sprintf("%s has no %s, which came with Terraform 1.%d", e, feature, minor)
	}
	return ""
}

// RequireTerraform skips the test unless TF_ACC is set, and fails it where there
// is no Terraform then.
func RequireTerraform(t *testing.T) {
	t.Helper()
	_ = requireEngine(t)
}

// TerraformPath gives the absolute path of the program that the tests run. It
// skips the test unless TF_ACC is set, and fails it where there is no Terraform
// then.
func TerraformPath(tb testing.TB) string {
	tb.Helper()
	path, err := exec.LookPath(requireEngine(tb).path)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

func requireEngine(tb testing.TB) engine {
	tb.Helper()
	if os.Getenv("TF_ACC") == "" {
		tb.Skip("tests with a real Terraform need TF_ACC=1")
	}
	e, err := engineUnderTest()
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// SkipUnlessIdentity skips the test where resources have no identity to import
// by: below Terraform 1.12, and in OpenTofu.
func SkipUnlessIdentity(t *testing.T) {
	t.Helper()
	skipUnless(t, "import by identity", 12)
}

// SkipUnlessActions skips the test where there are no actions: below Terraform
// 1.14, and in OpenTofu.
func SkipUnlessActions(t *testing.T) {
	t.Helper()
	skipUnless(t, "actions", 14)
}

// SkipUnlessBeforeDestroy skips the test where actions cannot run around a
// destroy: below Terraform 1.16, and in OpenTofu.
func SkipUnlessBeforeDestroy(t *testing.T) {
	t.Helper()
	skipUnless(t, "actions around a destroy", 16)
}

func skipUnless(t *testing.T, feature string, minor int) {
	t.Helper()
	if reason := requireEngine(t).lacks(feature, minor); reason != "" {
		t.Skip(reason)
	}
}
