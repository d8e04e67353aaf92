package docstest

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"testing"
)

// directDependencies gives the modules that a go.mod, as `go mod edit -json` prints
// it, asks for itself.
func directDependencies(tb testing.TB, printed []byte) map[string]bool {
	tb.Helper()
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(printed, &mod); err != nil {
		tb.Fatal(err)
	}
	direct := map[string]bool{}
	for _, required := range mod.Require {
		if !required.Indirect {
			direct[required.Path] = true
		}
	}
	return direct
}

// TestDesignNamesLibraries: a dependency has a reason, and a reason a dependency.
func TestDesignNamesLibraries(t *testing.T) {
	t.Parallel()
	readFile(t, "go.mod") // go test runs this again only if a file changes that it has opened
	command := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json")
	command.Dir = sourceTree
	printed, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	direct := directDependencies(t, printed)
	if len(direct) < 5 {
		t.Fatalf("only %d direct dependencies found: go.mod is not read rightly", len(direct))
	}
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| [^|]+ \\| [^|]+ \\|$")
	named := map[string]bool{}
	for _, match := range row.FindAllStringSubmatch(section(t, readFile(t, "DESIGN.md"), "Libraries"), -1) {
		named[match[1]] = true
	}
	for path := range direct {
		if !named[path] {
			t.Errorf("DESIGN.md does not say what %s is for", path)
		}
	}
	for path := range named {
		if !direct[path] {
			t.Errorf("DESIGN.md has %s, which is no direct dependency", path)
		}
	}
}

func TestDirectDependencies(t *testing.T) {
	t.Parallel()
	got := directDependencies(t, []byte(`{"Require": [{"Path": "a", "Version": "v1.0.0"}, {"Path": "b", "Version": "v1.0.0", "Indirect": true}]}`))
	if len(got) != 1 || !got["a"] {
		t.Errorf("%v, want a alone", got)
	}
}
