package docstest

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// pagesBelow gives the names, from the top of the repository, of all files
// below a directory with the given ending.
func pagesBelow(t *testing.T, directory, ending string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(sourceTree), directory, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(name, ending) {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Fatalf("no %s below %s", ending, directory)
	}
	return names
}

// writtenPages are all pages that people read.
func writtenPages(t *testing.T) []string {
	t.Helper()
	return append(pagesBelow(t, "docs", ".md"), "README.md", "CONTRIBUTING.md", "DESIGN.md", "CHANGELOG.md", "SECURITY.md", "RELIABILITY.md", "BENCHMARKS.md")
}

// TestDocsAnswersLeadToCauses: each row of the guide's table of answers leads to
// a section of the guide. That the section is there, TestDocsLinks shows.
func TestDocsAnswersLeadToCauses(t *testing.T) {
	t.Parallel()
	_, section, _ := strings.Cut(readFile(t, "docs/guides/troubleshooting.md"), "\n## What an API response means\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := 0
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| API response |") {
			continue
		}
		rows++
		if !strings.Contains(line, "](#") && !strings.Contains(line, "#failure)") {
			t.Errorf("no link to what the response means for the user: %s", line)
		}
	}
	// The documents of the API tell fifteen answers apart; the refusal of a token
	// request and the answer of a cache have rows of their own.
	if rows != 17 {
		t.Errorf("%d rows, want 17", rows)
	}
}

var (
	inlinePattern = regexp.MustCompile("`([^`\n]+)`")
	targetPattern = regexp.MustCompile(`(?m)^([a-z-]+):.*## `)
	quotedPattern = regexp.MustCompile(`'[^']*'`)
)

// commandsOn gives every line of a page's shell snippets and every inline piece
// of code.
func commandsOn(page string) []string {
	var commands []string
	for _, block := range blocksOf(page) {
		if block.language == "shell" {
			commands = append(commands, strings.Split(strings.TrimSpace(block.content), "\n")...)
		}
	}
	for _, inline := range inlinePattern.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		commands = append(commands, inline[1])
	}
	return commands
}

// commandFault says why a command of this repository cannot work. Commands of
// other programs are not judged.
func commandFault(command string, targets map[string]bool) string {
	words := strings.Fields(quotedPattern.ReplaceAllString(command, ""))
	switch {
	case len(words) == 0:
		return ""
	case words[0] == "make":
		for _, word := range words[1:] {
			if !strings.Contains(word, "=") && !targets[word] {
				return fmt.Sprintf("there is no target %q", word)
			}
		}
	case words[0] == ".ci/run":
		info, err := os.Stat(filepath.Join(sourceTree, words[0]))
		if err != nil {
			return err.Error()
		}
		if info.Mode().Perm()&0o100 == 0 && filepath.Separator == '/' {
			return "it cannot be executed"
		}
	case len(words) == 3 && words[0] == "go" && words[1] == "install":
		directory, found := strings.CutPrefix(strings.TrimSuffix(words[2], "@latest"), "github.com/senhasegura/terraform-provider-senhasegura/")
		if !found {
			return "it installs something of others"
		}
		if _, err := os.Stat(filepath.Join(sourceTree, filepath.FromSlash(directory), "main.go")); err != nil {
			return err.Error()
		}
	}
	return ""
}

func TestDocsCommands(t *testing.T) {
	t.Parallel()
	targets := map[string]bool{}
	for _, match := range targetPattern.FindAllStringSubmatch(readFile(t, "GNUmakefile"), -1) {
		targets[match[1]] = true
	}
	judged := 0
	for _, page := range writtenPages(t) {
		for _, command := range commandsOn(readFile(t, page)) {
			if strings.HasPrefix(command, "make ") || strings.HasPrefix(command, ".ci/") {
				judged++
			}
			if fault := commandFault(command, targets); fault != "" {
				t.Errorf("%s: %q: %s", page, command, fault)
			}
		}
	}
	if judged < 10 {
		t.Errorf("only %d commands found: the pages are not read rightly", judged)
	}
	for _, broken := range []string{"make nothing", "make docs nothing", "go install example.com/x@latest", "go install github.com/senhasegura/terraform-provider-senhasegura/none@latest"} {
		if commandFault(broken, targets) == "" {
			t.Errorf("%q passes", broken)
		}
	}
}

// notRunByCI are the targets on pages that CI cannot run, with the reason.
var notRunByCI = map[string]string{
	"testacc-matrix": "each job of the workflow has one program, and runs testacc with it",
	"bench-peers":    "it needs programs of other providers; TestAccWays runs its configurations in a small form",
	"testacc-live":   "it needs a real senhasegura; TestLiveAppliance runs the same checks against the simulator",
}

// TestDocsCommandsAreRun: CI runs every make target that a page names.
func TestDocsCommandsAreRun(t *testing.T) {
	t.Parallel()
	run := readFile(t, ".ci/run")
	for _, workflow := range pagesBelow(t, ".github/workflows", ".yml") {
		run += readFile(t, workflow)
	}
	// What a comment tells of is not run.
	run = regexp.MustCompile(`(?m)^\s*#.*$`).ReplaceAllString(run, "")
	runs := func(target string) bool {
		return regexp.MustCompile(`(make|make --no-print-directory|no_drift) ` + regexp.QuoteMeta(target) + `( |$|\n)`).MatchString(run)
	}
	for _, page := range writtenPages(t) {
		for _, command := range commandsOn(readFile(t, page)) {
			words := strings.Fields(command)
			if len(words) < 2 || words[0] != "make" {
				continue
			}
			for _, target := range words[1:] {
				if strings.ContainsAny(target, "='") || notRunByCI[target] != "" {
					continue
				}
				if !runs(target) {
					t.Errorf("%s: neither .ci/run nor a workflow runs `make %s`", page, target)
				}
			}
		}
	}
	if runs("nothing") {
		t.Error("any target counts as run")
	}
}

// TestDocsEnvironment: every variable that a page names is one that the provider
// reads, and every one that it reads is on its page.
func TestDocsEnvironment(t *testing.T) {
	t.Parallel()
	variable := regexp.MustCompile(`SENHASEGURA_[A-Z0-9_]*[A-Z0-9]`)
	read := map[string]bool{}
	for _, name := range variable.FindAllString(readFile(t, "internal/provider/config.go"), -1) {
		read[name] = true
	}
	delete(read, "SENHASEGURA_OAUTH1") // the beginning of several names
	for _, page := range append(pagesBelow(t, "docs", ".md"), "README.md") {
		for _, name := range variable.FindAllString(readFile(t, page), -1) {
			if !read[name] {
				t.Errorf("%s names %s, which the provider does not read", page, name)
			}
		}
	}
	index := readFile(t, "docs/index.md")
	for _, name := range slices.Sorted(maps.Keys(read)) {
		if !strings.Contains(index, "`"+name+"`") {
			t.Errorf("docs/index.md does not have %s", name)
		}
	}
}

// TestDocsSnippetsAreExamples: what the pages of the registry show of Terraform,
// of output and of sessions is a file under examples/, which other tests run. The
// two shell snippets of guides that are no files are commands of others.
func TestDocsSnippetsAreExamples(t *testing.T) {
	t.Parallel()
	files := map[string]bool{}
	for _, ending := range []string{".tf", ".hcl", ".sh", ".txt", ".json"} {
		for _, name := range pagesBelow(t, "examples", ending) {
			files[strings.TrimSpace(readFile(t, name))] = true
		}
	}
	snippets := 0
	for _, page := range pagesBelow(t, "docs", ".md") {
		for _, block := range blocksOf(readFile(t, page)) {
			if block.language == "shell" && strings.HasPrefix(page, "docs/guides/") {
				continue
			}
			snippets++
			if !files[strings.TrimSpace(block.content)] {
				t.Errorf("%s: this is no file under examples/:\n%s", page, block.content)
			}
		}
	}
	if snippets < 20 {
		t.Errorf("only %d snippets found: the pages are not read rightly", snippets)
	}
}

var (
	drainBlock   = regexp.MustCompile(`(?s)resource "senhasegura_session_drain" .*?\n\}`)
	onCreateOnly = regexp.MustCompile(`drain_on += \["create"\]`)
)

// TestDocsExamplesAreCareful: a configuration pins the version of the provider, and a drain
// that protects something limits how many sessions it may terminate.
func TestDocsExamplesAreCareful(t *testing.T) {
	t.Parallel()
	drains := 0
	for _, name := range pagesBelow(t, "examples", ".tf") {
		content := readFile(t, name)
		// A file that is shown with another one, or an import, is no configuration of its own.
		part := strings.Contains(content, "import {") || strings.HasSuffix(name, "/trigger.tf")
		if !part && !strings.Contains(content, `version = "~> 0.0"`) {
			t.Errorf("%s does not pin the version of the provider", name)
		}
		for _, block := range drainBlock.FindAllString(content, -1) {
			drains++
			if !strings.Contains(block, "max_sessions") && !onCreateOnly.MatchString(block) {
				t.Errorf("%s protects something without max_sessions:\n%s", name, block)
			}
		}
	}
	if drains < 10 {
		t.Errorf("only %d drains found: the examples are not read rightly", drains)
	}
}

// TestDocsSimulator holds the guide to the simulator: its flags, its credentials
// and the behaviors that it takes.
func TestDocsSimulator(t *testing.T) {
	t.Parallel()
	guide := readFile(t, "docs/guides/test-your-modules-offline.md")

	known := map[string]bool{"h": true}
	for _, match := range regexp.MustCompile(`flags\.\w+\([^,]+, "([a-z-]+)"`).FindAllStringSubmatch(readFile(t, "internal/cmd/senhasegura-sim/main.go"), -1) {
		known[match[1]] = true
	}
	named := regexp.MustCompile("(?m)(?:`|senhasegura-sim.* )-([a-z][a-z-]*)").FindAllStringSubmatch(guide, -1)
	for _, flag := range named {
		if !known[flag[1]] {
			t.Errorf("the simulator has no flag -%s", flag[1])
		}
	}
	if len(named) < 6 {
		t.Errorf("only %d flags found: the guide is not read rightly", len(named))
	}
	for _, credential := range []string{simulator.DefaultClientID, simulator.DefaultClientSecret} {
		if !strings.Contains(guide, "="+credential+"\n") {
			t.Errorf("the guide does not set %s", credential)
		}
	}

	behaviors := regexp.MustCompile("`([a-z_]+): ([^`]+)`").FindAllStringSubmatch(guide, -1)
	if len(behaviors) < 5 {
		t.Errorf("only %d behaviors found: the guide is not read rightly", len(behaviors))
	}
	for _, behavior := range behaviors {
		seed := fmt.Sprintf(`[{"behavior": {%q: %s}}]`, behavior[1], behavior[2])
		if _, err := simulator.New(simulator.Config{}).AddJSON(strings.NewReader(seed)); err != nil {
			t.Errorf("the simulator does not take %s: %v", behavior[0], err)
		}
	}
}

var (
	linkPattern    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headingPattern = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)
	anchorPattern  = regexp.MustCompile(`<a id="([^"]+)">`)
)

// anchorsOf gives what a link into a page can name.
func anchorsOf(page string) map[string]bool {
	anchors := map[string]bool{}
	for _, heading := range headingPattern.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		anchors[slug(heading[1])] = true
	}
	for _, anchor := range anchorPattern.FindAllStringSubmatch(page, -1) {
		anchors[anchor[1]] = true
	}
	return anchors
}

// slug makes the anchor of a heading as GitHub and the registry do.
func slug(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(heading)) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		}
	}
	return b.String()
}

func TestDocsLinks(t *testing.T) {
	t.Parallel()
	links := 0
	for _, page := range writtenPages(t) {
		text := readFile(t, page)
		for _, match := range linkPattern.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			links++
			linked := text
			if target != "" {
				name := filepath.ToSlash(filepath.Join(filepath.Dir(page), target))
				if info, err := os.Stat(filepath.Join(sourceTree, name)); err != nil || info.IsDir() {
					if err != nil {
						t.Errorf("%s: %s leads nowhere", page, match[1])
					}
					continue
				}
				linked = readFile(t, name)
			}
			if anchor != "" && !anchorsOf(linked)[anchor] {
				t.Errorf("%s: %s leads to no heading", page, match[1])
			}
		}
	}
	if links < 50 {
		t.Errorf("only %d links found: the pages are not read rightly", links)
	}
}
