package archtest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pinned is a reference to an action by a full commit, with the release it
// stands for in a comment. A tag can be moved to other code, a commit cannot.
var pinned = regexp.MustCompile(`^\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)

// unpinned returns the lines of a workflow that use an action otherwise.
func unpinned(workflow string) []string {
	var found []string
	for number, line := range strings.Split(workflow, "\n") {
		_, action, uses := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "- "), "uses: ")
		if uses && !pinned.MatchString(action) {
			found = append(found, fmt.Sprintf("line %d: %s", number+1, action))
		}
	}
	return found
}

// workflows gives the text of each workflow by its path. GitHub takes both endings.
func workflows(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, ending := range []string{"*.yml", "*.yaml"} {
		paths, err := filepath.Glob(filepath.Join("..", "..", ".github", "workflows", ending))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			texts[path] = readSource(t, path)
		}
	}
	if len(texts) == 0 {
		t.Fatal("no workflow found")
	}
	return texts
}

func readSource(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestWorkflowsPinActions(t *testing.T) {
	t.Parallel()

	for path, content := range workflows(t) {
		for _, line := range unpinned(content) {
			t.Errorf("%s, %s: not pinned by commit with its release beside it", filepath.Base(path), line)
		}
		// Without this line a workflow gets whatever the repository's default is.
		if !strings.Contains(content, "\npermissions: {}\n") {
			t.Errorf("%s: does not begin from no permission at all", filepath.Base(path))
		}
	}
}

var (
	targetDefined = regexp.MustCompile(`(?m)^([a-z-]+):`)
	targetRun     = regexp.MustCompile(`run: make ([a-z-]+)`)
)

// TestWorkflowsRunTargets: actionlint does not know the targets of make.
func TestWorkflowsRunTargets(t *testing.T) {
	t.Parallel()

	defined := map[string]bool{}
	for _, target := range targetDefined.FindAllStringSubmatch(readSource(t, "../../GNUmakefile"), -1) {
		defined[target[1]] = true
	}
	runs := 0
	for path, content := range workflows(t) {
		for _, run := range targetRun.FindAllStringSubmatch(content, -1) {
			runs++
			if !defined[run[1]] {
				t.Errorf("%s runs make %s, and there is no such target", filepath.Base(path), run[1])
			}
		}
	}
	if runs < 10 {
		t.Errorf("only %d runs of make found: the workflows are not read rightly", runs)
	}
}

// TestModulesAreKept: each module is tidied, compared by CI, and updated. A module that
// one of the three lists leaves out goes stale without a word.
func TestModulesAreKept(t *testing.T) {
	t.Parallel()

	tidied := strings.Fields(regexp.MustCompile(`(?m)^MODULES := (.*)$`).FindString(readSource(t, "../../GNUmakefile")))
	compared := readSource(t, "../../.ci/run")
	updated := readSource(t, "../../.github/dependabot.yml")
	files, err := filepath.Glob("../../tools/*/go.mod")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d modules below tools, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		if !slices.Contains(tidied, "tools/"+name) {
			t.Errorf("MODULES of GNUmakefile lacks tools/%s", name)
		}
		if !regexp.MustCompile(`tools/\{[a-z,]*\b` + name + `\b[a-z,]*\}`).MatchString(compared) {
			t.Errorf(".ci/run does not compare go.mod of tools/%s", name)
		}
		if !regexp.MustCompile(`directories: \[.*/tools/` + name + `[,\]]`).MatchString(updated) {
			t.Errorf("dependabot.yml lacks /tools/%s", name)
		}
	}
}

func TestUnpinned(t *testing.T) {
	t.Parallel()

	commit := strings.Repeat("0a", 20)
	tests := map[string]struct {
		line string
		want bool
	}{
		"commit and release":     {"      - uses: owner/action@" + commit + " # v1.2.3", false},
		"below a name":           {"        uses: owner/action/path@" + commit + " # v1.2.3", false},
		"no action":              {"      - run: make test", false},
		"tag":                    {"      - uses: owner/action@v1.2.3", true},
		"branch":                 {"      - uses: owner/action@main # v1.2.3", true},
		"short commit":           {"      - uses: owner/action@" + commit[:12] + " # v1.2.3", true},
		"commit without release": {"      - uses: owner/action@" + commit, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := len(unpinned("jobs:\n"+test.line+"\n")) > 0; got != test.want {
				t.Errorf("unpinned: %t, want %t: %s", got, test.want, test.line)
			}
		})
	}
}
