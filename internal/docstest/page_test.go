// Package docstest follows the pages: what they tell a person to do is done, and
// what they show is compared with what comes of it.
package docstest

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
)

var update = flag.Bool("update", false, "rewrite what the pages show of real output")

func TestMain(m *testing.M) { os.Exit(acctest.Main(m)) }

// sourceTree is the top of the repository, seen from the tests of this package.
const sourceTree = "../.."

func readFile(tb testing.TB, name string) string {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join(sourceTree, filepath.FromSlash(name)))
	if err != nil {
		tb.Fatal(err)
	}
	return string(content)
}

// block is a fenced block of a page.
type block struct {
	language, content string
	// before is the prose between the block and the one before it.
	before string
}

var fence = regexp.MustCompile("(?m)^```([a-z]*)\n((?:.*\n)*?)```$")

func blocksOf(page string) []block {
	var blocks []block
	end := 0
	for _, at := range fence.FindAllStringSubmatchIndex(page, -1) {
		blocks = append(blocks, block{language: page[at[2]:at[3]], content: page[at[4]:at[5]], before: page[end:at[0]]})
		end = at[1]
	}
	return blocks
}

// section gives the part of a page from a heading of the second level to the
// next one.
func section(tb testing.TB, page, heading string) string {
	tb.Helper()
	_, text, found := strings.Cut(page, "\n## "+heading+"\n")
	if !found {
		tb.Fatalf("no section %q", heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// flatten makes text comparable whatever the width of the terminal was.
func flatten(text string) string { return strings.Join(strings.Fields(text), " ") }

func TestBlocksOf(t *testing.T) {
	t.Parallel()
	got := blocksOf("One.\n\n```shell\na\n\nb\n```\n\nTwo:\n\n```text\n```\n")
	want := []block{{"shell", "a\n\nb\n", "One.\n\n"}, {"text", "", "\n\nTwo:\n\n"}}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("read %+v, want %+v", got, want)
	}
}

const drainFailure = "examples/drain-device/destroy-failed.txt"

// TestReadmeShowsRealOutput: what the README shows of a failed destroy is what a
// test of the example has seen.
func TestReadmeShowsRealOutput(t *testing.T) {
	t.Parallel()
	output := readFile(t, drainFailure)
	readme := readFile(t, "README.md")
	shown := regexp.MustCompile("(?s)(<!-- Begin of " + regexp.QuoteMeta(drainFailure) + ";[^\n]*-->\n```text\n)(.*?)(```\n<!-- End of )")
	match := shown.FindStringSubmatch(readme)
	if match == nil {
		t.Fatalf("README.md has no place for %s", drainFailure)
	}
	if *update {
		renewed := strings.Replace(readme, match[0], match[1]+output+match[3], 1)
		if err := os.WriteFile(filepath.Join(sourceTree, "README.md"), []byte(renewed), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if match[2] != output {
		t.Errorf("README.md shows\n%s\n%s is\n%s\ngo test ./internal/docstest -run %s -update renews it", match[2], drainFailure, output, t.Name())
	}
}
