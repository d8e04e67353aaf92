// Command matrix runs the acceptance tests with several programs of Terraform and
// OpenTofu, one after the other, and prints a table in Markdown:
//
//	go run ./matrix -root .. PATH...
//
// With -guide it also puts the table into that page, in place of the one that is there,
// if no test failed. It fails if a test fails.
package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// suites are the packages with acceptance tests.
var suites = []string{"./internal/provider", "./internal/docstest", "./internal/faulttest"}

// head is the head of the table.
const head = "| Program | Passed | Skipped, with the reason |\n|---|---|---|\n"

func main() {
	root := flag.String("root", ".", "the source tree")
	guide := flag.String("guide", "", "a page whose table is replaced")
	flag.Parse()
	if err := run(context.Background(), *root, *guide, flag.Args(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root, guide string, engines []string, out io.Writer) error {
	if len(engines) == 0 {
		return errors.New("no program is given: set ENGINES to the paths of Terraform and OpenTofu programs")
	}
	var table strings.Builder
	both := io.MultiWriter(out, &table)
	fmt.Fprint(both, head)
	failed := 0
	for _, path := range engines {
		name, err := versionOf(ctx, path)
		if err != nil {
			return err
		}
		tests, err := test(ctx, root, path, strings.HasPrefix(name, "OpenTofu"))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		failed += len(tests.failed)
		passed := strconv.Itoa(tests.passed)
		if len(tests.failed) > 0 {
			passed += ", failed: " + strings.Join(tests.failed, ", ")
		}
		fmt.Fprintf(both, "| %s | %s | %s |\n", name, passed, tests.skips())
	}
	if failed > 0 {
		return fmt.Errorf("%d tests failed", failed)
	}
	if guide == "" {
		return nil
	}
	page, err := os.ReadFile(guide)
	if err != nil {
		return err
	}
	text, err := withTable(string(page), table.String())
	if err != nil {
		return fmt.Errorf("%s: %w", guide, err)
	}
	return os.WriteFile(guide, []byte(text), 0o600) // its mode stays as it is
}

// withTable replaces the table of a page that has the same head.
func withTable(page, table string) (string, error) {
	before, rest, found := strings.Cut(page, head)
	if !found {
		return "", errors.New("has no table of programs")
	}
	for strings.HasPrefix(rest, "|") {
		_, rest, _ = strings.Cut(rest, "\n")
	}
	return before + table + rest, nil
}

// versionOf is what the program says of itself, as in "Terraform v1.11.4".
func versionOf(ctx context.Context, path string) (string, error) {
	command := exec.CommandContext(ctx, path, "version")
	command.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE="+os.DevNull)
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	name, _, _ := strings.Cut(string(output), "\n")
	return name, nil
}

// results are those of one run.
type results struct {
	passed int
	// failed are tests, and packages that failed without one, such as those that did not
	// build.
	failed []string
	// skipped are tests, and parts those of tests that passed otherwise, by reason.
	skipped, parts map[string]int
}

func (r results) skips() string {
	texts := make([]string, 0, len(r.skipped)+len(r.parts))
	for _, reason := range slices.Sorted(maps.Keys(r.skipped)) {
		texts = append(texts, fmt.Sprintf("%d: %s", r.skipped[reason], reason))
	}
	for _, reason := range slices.Sorted(maps.Keys(r.parts)) {
		texts = append(texts, fmt.Sprintf("%d in tests that passed otherwise: %s", r.parts[reason], reason))
	}
	return cmp.Or(strings.Join(texts, "; "), "0")
}

// event is a line of go test -json.
type event struct {
	Action, Package, Test, Output string
}

// test runs the acceptance tests. Their failures are no error.
func test(ctx context.Context, root, path string, openTofu bool) (results, error) {
	arguments := append([]string{"test", "-json", "-count=1", "-timeout=20m", "-run=^TestAcc"}, suites...)
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir = root
	command.Env = append(os.Environ(), "TF_ACC=1", "TF_ACC_TERRAFORM_PATH="+path, "TF_CLI_CONFIG_FILE="+os.DevNull, "CHECKPOINT_DISABLE=1")
	if openTofu {
		command.Env = append(command.Env, "TF_ACC_PROVIDER_HOST=registry.opentofu.org")
	}
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		return results{}, err
	}
	if err := command.Start(); err != nil {
		return results{}, err
	}
	r, err := read(output)
	if err := errors.Join(err, command.Wait()); err != nil && len(r.failed) == 0 {
		return results{}, err // it did not come to its tests
	}
	if r.passed+len(r.failed) == 0 {
		return results{}, errors.New("no test ran")
	}
	return r, nil
}

var reasonLine = regexp.MustCompile(`^\s+\w+\.go:\d+: (.+)\n`)

// read counts top-level tests, and what they skip. The reason of what is skipped is what
// it said last.
func read(events io.Reader) (results, error) {
	r := results{skipped: map[string]int{}, parts: map[string]int{}}
	said, failedIn := map[string]string{}, map[string]bool{}
	lines := bufio.NewScanner(events)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue
		}
		test, part := e.Package+" "+e.Test, strings.Contains(e.Test, "/")
		switch e.Action {
		case "output":
			if match := reasonLine.FindStringSubmatch(e.Output); match != nil {
				said[test] = match[1]
			}
		case "pass":
			if e.Test != "" && !part {
				r.passed++
			}
		case "fail":
			switch {
			case e.Test == "" && !failedIn[e.Package]:
				r.failed = append(r.failed, "package "+e.Package)
			case e.Test != "" && !part:
				r.failed = append(r.failed, e.Test)
				failedIn[e.Package] = true
			}
		case "skip":
			switch {
			case part:
				r.parts[said[test]]++
			case e.Test != "":
				r.skipped[said[test]]++
			}
		}
	}
	return r, lines.Err()
}
