package archtest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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

func TestWorkflowsPinActions(t *testing.T) {
	t.Parallel()

	workflows, err := filepath.Glob(filepath.Join("..", "..", ".github", "workflows", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(workflows) == 0 {
		t.Fatal("no workflow found")
	}
	for _, path := range workflows {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range unpinned(string(content)) {
			t.Errorf("%s, %s: not pinned by commit with its release beside it", filepath.Base(path), line)
		}
		// Without this line a workflow gets whatever the repository's default is.
		if !strings.Contains(string(content), "\npermissions: {}\n") {
			t.Errorf("%s: does not begin from no permission at all", filepath.Base(path))
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
