package provider

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// sourceTree is the top of the repository, seen from the tests of this package.
const sourceTree = "../.."

func readPage(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(sourceTree, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

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

// documented is one registered type with what its documentation consists of.
type documented struct {
	page, template, example string
	block                   *tfprotov6.SchemaBlock
}

// documentedTypes gives every registered type, and the provider itself, by the
// name of its page.
func documentedTypes(t *testing.T) map[string]documented {
	t.Helper()
	server, err := providerserver.NewProtocol6WithError(New("test")())()
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]documented{}
	add := func(directory, example, typeName string, block *tfprotov6.SchemaBlock) {
		name := directory + "/" + strings.TrimPrefix(typeName, "senhasegura_")
		found["docs/"+name+".md"] = documented{
			page:     "docs/" + name + ".md",
			template: "templates/" + name + ".md.tmpl",
			example:  "examples/" + directory + "/" + typeName + "/" + example,
			block:    block,
		}
	}
	for name, schema := range schemas.ResourceSchemas {
		add("resources", "resource.tf", name, schema.Block)
	}
	for name, schema := range schemas.DataSourceSchemas {
		add("data-sources", "data-source.tf", name, schema.Block)
	}
	for name, schema := range schemas.ActionSchemas {
		add("actions", "action.tf", name, schema.Schema.Block)
	}
	found["docs/index.md"] = documented{
		page: "docs/index.md", template: "templates/index.md.tmpl", example: "examples/provider/provider.tf",
		block: schemas.Provider.Block,
	}
	return found
}

func TestDocsEveryTypeHasItsPages(t *testing.T) {
	t.Parallel()
	types := documentedTypes(t)
	for _, of := range types {
		for _, name := range []string{of.page, of.template, of.example} {
			if _, err := os.Stat(filepath.Join(sourceTree, name)); err != nil {
				t.Error(err)
			}
		}
		example, _, found := strings.Cut(readPage(t, of.page), "\n## Schema")
		if !found || !strings.Contains(example, strings.TrimSpace(readPage(t, of.example))) {
			t.Errorf("%s does not show %s above its schema", of.page, of.example)
		}
	}
	for _, page := range pagesBelow(t, "docs", ".md") {
		if _, registered := types[page]; !registered && !strings.HasPrefix(page, "docs/guides/") {
			t.Errorf("%s is the page of nothing that is registered", page)
		}
	}
}

// TestDocsPagesHaveTheirSections: every page has these sections, in this order. What
// a person reads first is above the schema.
func TestDocsPagesHaveTheirSections(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		"docs/resources/session_termination.md": {"Example Usage", "Schema", "Lifecycle", "Failure", "State", "Permissions", "Import"},
		"docs/resources/session_drain.md": {
			"Example Usage", "Schema", "Destroy order", "Edge cases", "Matching", "Grace and quiet periods", "Excluded sessions", "Unseen values", "Previews", "Approved plans",
			"Failure", "State", "Permissions", "Import",
		},
		"docs/actions/session_terminate.md":  {"Example Usage", "Schema", "Events", "Progress output", "Steps", "Failure", "Permissions"},
		"docs/data-sources/session.md":       {"Example Usage", "Schema", "Live sessions", "Failure", "State", "Permissions"},
		"docs/data-sources/sessions.md":      {"Example Usage", "Schema", "Matching", "Failure", "State", "Permissions"},
		"docs/data-sources/visibility.md":    {"Example Usage", "Schema", "Counting", "Failure", "State", "Permissions"},
		"docs/guides/authorize-terraform.md": {"1. Create the application", "2. Add an authorization", "3. Copy the credentials", "Optional authorization settings", "See what Terraform called"},
		troubleshooting:                      {"How to read a message", "What an API response means", "Causes", "Messages about the configuration"},
	}
	for name := range documentedTypes(t) {
		if tests[name] == nil && name != "docs/index.md" {
			t.Errorf("no test knows the sections of %s", name)
		}
	}
	section := regexp.MustCompile(`(?m)^## (.+)$`)
	for page, want := range tests {
		var got []string
		for _, match := range section.FindAllStringSubmatch(fencePattern.ReplaceAllString(readPage(t, page), ""), -1) {
			got = append(got, match[1])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("sections of %s (-want +got):\n%s", page, diff)
		}
	}
}

// mostBeforeSchema is how many words a page may have above its schema.
const mostBeforeSchema = 700

// TestDocsSchemaComesEarly: who knows what a type does finds its arguments without
// a long way down.
func TestDocsSchemaComesEarly(t *testing.T) {
	t.Parallel()
	for page := range documentedTypes(t) {
		if page == "docs/index.md" {
			continue // it shows each way to authenticate
		}
		before, _, _ := strings.Cut(readPage(t, page), "\n## Schema\n")
		if words := len(strings.Fields(before)); words > mostBeforeSchema {
			t.Errorf("%s has %d words above its schema, %d are allowed", page, words, mostBeforeSchema)
		}
	}
}

// retired are words that the pages do without, with what they say instead. Where one
// of allowed stands, the word is no fault.
var retired = []struct {
	pattern, instead string
	allowed          []string
}{
	{`\bPAM\b`, "senhasegura", []string{"PAM Core", "PAM resource permission", "privileged access management (PAM)"}},
	{`(?i)\bdrop(s|ped|ping)?\b`, "terminate", []string{"session/drop", "`drop`", "(drop)", "drop-only", "Drop Session"}},
	{`(?i)\b(whom|nobody|everybody|somebody|whoever)\b`, "the sessions or users that are meant", nil},
	{`(?i)\b(surviv(e|es|ed|ing)|survivors?)\b`, "still live", nil},
	{`(?i)\bnewcomers?\b`, "new matching session", nil},
	{`(?i)\banew\b`, "again", nil},
	{`(?i)\bmeanwhile\b`, "in the meantime", nil},
	{`(?i)\balike\b`, "in the same way", nil},
	{`(?i)\bbeside\b`, "compared with", nil},
	{`(?i)\bby (itself|themselves)\b`, "automatically, on their own", nil},
	{`(?i)\ball the same\b`, "anyway", nil},
	{`(?i)\bso long after\b`, "that long after", nil},
	{`(?i)\bunique hash(es)?\b`, "session ID", nil},
	{`(?i)\brow numbers?\b`, "record ID", nil},
	{`(?i)\bseen ended\b`, "terminated, ended", nil},
	{`(?i)\b(unconfirmed|unverified|not_dropped)\b`, "not confirmed, or the name of an outcome", nil},
	{`(?i)\blast look\b`, "last check", nil},
	{`(?i)\bevidence\b`, "API response", nil},
	{`(?i)\bpassing failures?\b`, "transient failure", nil},
	{`(?i)\bGo duration\b|\b\d+m0s\b`, "a duration such as `5m`", nil},
	{`(?i)\bthe appliance\b`, "senhasegura", nil},
}

// retiredWords gives every retired word of a text with its line.
func retiredWords(text string) []string {
	var found []string
	for line := range strings.Lines(text) {
		for _, word := range retired {
			judged := line
			for _, allowed := range word.allowed {
				judged = strings.ReplaceAll(judged, allowed, "")
			}
			if match := regexp.MustCompile(word.pattern).FindString(judged); match != "" {
				found = append(found, fmt.Sprintf("%q, say %q: %s", match, word.instead, strings.TrimSpace(line)))
			}
		}
	}
	return found
}

func TestDocsWords(t *testing.T) {
	t.Parallel()
	for _, page := range append(pagesBelow(t, "docs", ".md"), "README.md") {
		for _, fault := range retiredWords(readPage(t, page)) {
			t.Errorf("%s: %s", page, fault)
		}
	}
}

// TestDocsWordsAreFound proves that the search sees what it looks for, and lets pass
// what is allowed.
func TestDocsWordsAreFound(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"PAM shows the session.":                           1,
		"A PAM product with **PAM Core**":                  1,
		"privileged access management (PAM), **PAM Core**": 0,
		"They are dropped.":                                1,
		"`DELETE /iso/session/drop/…` or *Drop Session*":   0,
		"Nobody survives.":                                 2,
		"Besides, a backdrop.":                             0,
		"It waits 15m0s.":                                  1,
	} {
		if got := retiredWords(text); len(got) != want {
			t.Errorf("%q has %q, want %d", text, got, want)
		}
	}
}

// attributeFacts are what a page says of an attribute: its role, and whether it
// is sensitive.
type attributeFacts struct {
	Role      string
	Sensitive bool
}

// factsOf gives every attribute of a schema by its path, such as `match.users`.
func factsOf(block *tfprotov6.SchemaBlock) map[string]attributeFacts {
	facts := map[string]attributeFacts{}
	var walk func(prefix string, attributes []*tfprotov6.SchemaAttribute)
	walk = func(prefix string, attributes []*tfprotov6.SchemaAttribute) {
		for _, attribute := range attributes {
			role := "Read-Only"
			switch {
			case attribute.Required:
				role = "Required"
			case attribute.Optional:
				role = "Optional"
			}
			facts[prefix+attribute.Name] = attributeFacts{Role: role, Sensitive: attribute.Sensitive}
			if attribute.NestedType != nil {
				walk(prefix+attribute.Name+".", attribute.NestedType.Attributes)
			}
		}
	}
	walk("", block.Attributes)
	return facts
}

var (
	roleLine      = regexp.MustCompile(`^(?:### )?(Required|Optional|Read-Only):?$`)
	nestedLine    = regexp.MustCompile("^### Nested Schema for `([^`]+)`$")
	attributeLine = regexp.MustCompile("^- `([^`]+)` \\(([^)]*)\\)")
)

// factsOn reads the schema section of a page.
func factsOn(page string) map[string]attributeFacts {
	facts := map[string]attributeFacts{}
	_, section, _ := strings.Cut(page, "\n## Schema\n")
	section, _, _ = strings.Cut(section, "\n## ")
	prefix, role := "", ""
	for line := range strings.Lines(section) {
		line = strings.TrimSpace(line)
		if match := nestedLine.FindStringSubmatch(line); match != nil {
			prefix, role = match[1]+".", ""
		} else if match := roleLine.FindStringSubmatch(line); match != nil {
			role = match[1]
		} else if match := attributeLine.FindStringSubmatch(line); match != nil {
			facts[prefix+match[1]] = attributeFacts{
				Role:      role,
				Sensitive: slices.Contains(strings.Split(match[2], ", "), "Sensitive"),
			}
		}
	}
	return facts
}

func TestDocsAttributes(t *testing.T) {
	t.Parallel()
	for name, of := range documentedTypes(t) {
		if diff := cmp.Diff(factsOf(of.block), factsOn(readPage(t, name))); diff != "" {
			t.Errorf("%s does not agree with the schema (-schema +page):\n%s", name, diff)
		}
	}
}

// TestDocsAttributesAreRead proves that the reader of pages sees a difference.
func TestDocsAttributesAreRead(t *testing.T) {
	t.Parallel()
	page := "# x\n\n- `no` (String)\n\n## Schema\n\n### Required\n\n- `a` (String) Text.\n\n### Optional\n\n- `b` (Attributes, Sensitive) Text. (see below)\n\n" +
		"<a id=\"nestedatt--b\"></a>\n### Nested Schema for `b`\n\nRead-Only:\n\n- `c` (Map of String)\n\n## Import\n\n- `d` (String)\n"
	want := map[string]attributeFacts{"a": {"Required", false}, "b": {"Optional", true}, "b.c": {"Read-Only", false}}
	if diff := cmp.Diff(want, factsOn(page)); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
}

const troubleshooting = "docs/guides/troubleshooting.md"

// TestDocsTroubleshootingHasEveryCause compares the guide with the table that
// words the diagnostics, in both directions.
func TestDocsTroubleshootingHasEveryCause(t *testing.T) {
	t.Parallel()
	_, section, _ := strings.Cut(readPage(t, troubleshooting), "\n## Causes\n")
	section, _, _ = strings.Cut(section, "\n## ")
	advice := map[string]string{}
	for part := range strings.SplitSeq(section, "\n### ") {
		heading, rest, found := strings.Cut(part, "\n")
		if !found || !strings.Contains(rest, "- **Cause:** ") {
			continue
		}
		if !strings.Contains(rest, "\n- **Where to look:** ") {
			t.Errorf("%q does not say where to look", heading)
		}
		_, text, _ := strings.Cut(rest, "\n- **What to do:** ")
		text, _, _ = strings.Cut(text, "\n")
		advice[heading] = text
	}

	want := map[string]string{}
	for _, c := range append(slices.Clone(causes), explain(fs.ErrInvalid)) {
		c = c.at(nil)
		want[capitalize(c.problem)] = c.advice
	}
	if diff := cmp.Diff(want, advice); diff != "" {
		t.Errorf("the guide does not agree with the causes (-diagnostics +guide):\n%s", diff)
	}
}

// TestDocsTroubleshootingHasEverySummary looks in the source for the summaries of
// messages, because some of them need a situation that no test brings about. Each is on
// the page of what it is about, or in the guide.
func TestDocsTroubleshootingHasEverySummary(t *testing.T) {
	t.Parallel()
	summaries := summariesIn(t)
	if len(summaries) < 40 {
		t.Fatalf("only %d summaries found: the source is not read rightly", len(summaries))
	}
	pages := ""
	for _, page := range pagesBelow(t, "docs", ".md") {
		pages += readPage(t, page)
	}
	verb := regexp.MustCompile(`%#?[a-z]`)
	for _, summary := range summaries {
		for _, part := range verb.Split(summary, -1) {
			if part = strings.Trim(part, " :,"); !strings.Contains(pages, part) {
				t.Errorf("no page has the message %q", part)
			}
		}
	}
}

// summariesIn gives the texts of which the summaries of messages consist, as far as
// they are literal: values of fields and variables of that name, arguments of functions
// that take one first, and results of functions that make one.
func summariesIn(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*_messages.go")
	if err != nil {
		t.Fatal(err)
	}
	var summaries []string
	constants := map[string]ast.Expr{}
	var collect func(value ast.Expr)
	collect = func(value ast.Expr) {
		ast.Inspect(value, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.BasicLit:
				if node.Kind != token.STRING {
					break
				}
				text, err := strconv.Unquote(node.Value)
				if err != nil {
					t.Fatal(err)
				}
				summaries = append(summaries, text)
			case *ast.Ident:
				if constants[node.Name] != nil {
					collect(constants[node.Name])
				}
			}
			return true
		})
	}
	parsed := make([]*ast.File, 0, len(files))
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
		ast.Inspect(file, func(node ast.Node) bool {
			if spec, ok := node.(*ast.ValueSpec); ok && len(spec.Values) == len(spec.Names) {
				for i, name := range spec.Names {
					constants[name.Name] = spec.Values[i]
				}
			}
			return true
		})
	}
	for _, file := range parsed {
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.KeyValueExpr:
				if isSummary(node.Key) {
					collect(node.Value)
				}
			case *ast.AssignStmt:
				if isSummary(node.Lhs[0]) {
					collect(node.Rhs[0])
				}
			case *ast.CallExpr:
				if called, ok := node.Fun.(*ast.Ident); ok && called.Name == "unread" {
					collect(node.Args[0])
				}
			case *ast.FuncDecl:
				if strings.HasSuffix(node.Name.Name, "Summary") {
					ast.Inspect(node.Body, func(node ast.Node) bool {
						if result, ok := node.(*ast.ReturnStmt); ok {
							collect(result.Results[0])
						}
						return true
					})
				}
			}
			return true
		})
	}
	return summaries
}

// isSummary reports whether an expression names a summary: a field or a variable.
func isSummary(target ast.Expr) bool {
	switch target := target.(type) {
	case *ast.SelectorExpr:
		return target.Sel.Name == "summary"
	case *ast.Ident:
		return target.Name == "summary"
	}
	return false
}

// TestDocsAnswersLeadToCauses: each row of the guide's table of answers leads to
// a section of the guide. That the section is there, TestDocsLinks shows.
func TestDocsAnswersLeadToCauses(t *testing.T) {
	t.Parallel()
	_, section, _ := strings.Cut(readPage(t, troubleshooting), "\n## What an API response means\n")
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
	// The documents of the API tell fifteen answers apart, and the refusal of a
	// token request has a row of its own.
	if rows != 16 {
		t.Errorf("%d rows, want 16", rows)
	}
}

var (
	fencePattern  = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)\n```$")
	inlinePattern = regexp.MustCompile("`([^`\n]+)`")
	targetPattern = regexp.MustCompile(`(?m)^([a-z-]+):.*## `)
	quotedPattern = regexp.MustCompile(`'[^']*'`)
)

// commandsOn gives every line of a page's shell snippets and every inline piece
// of code.
func commandsOn(page string) []string {
	var commands []string
	for _, fence := range fencePattern.FindAllStringSubmatch(page, -1) {
		if fence[1] == "shell" {
			commands = append(commands, strings.Split(strings.TrimSpace(fence[2]), "\n")...)
		}
	}
	for _, inline := range inlinePattern.FindAllStringSubmatch(fencePattern.ReplaceAllString(page, ""), -1) {
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
	for _, match := range targetPattern.FindAllStringSubmatch(readPage(t, "GNUmakefile"), -1) {
		targets[match[1]] = true
	}
	judged := 0
	for _, page := range writtenPages(t) {
		for _, command := range commandsOn(readPage(t, page)) {
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
	"testacc-live": "it needs a real senhasegura; TestLiveAppliance runs the same checks against the simulator",
}

// TestDocsCommandsAreRun: CI runs every make target that a page names.
func TestDocsCommandsAreRun(t *testing.T) {
	t.Parallel()
	run := readPage(t, ".ci/run")
	for _, workflow := range pagesBelow(t, ".github/workflows", ".yml") {
		run += readPage(t, workflow)
	}
	runs := func(target string) bool {
		return regexp.MustCompile(`(make|make --no-print-directory|no_drift) ` + regexp.QuoteMeta(target) + `( |$|\n)`).MatchString(run)
	}
	for _, page := range writtenPages(t) {
		for _, command := range commandsOn(readPage(t, page)) {
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
	for _, name := range variable.FindAllString(readPage(t, "internal/provider/config.go"), -1) {
		read[name] = true
	}
	delete(read, "SENHASEGURA_OAUTH1") // the beginning of several names
	for _, page := range append(pagesBelow(t, "docs", ".md"), "README.md") {
		for _, name := range variable.FindAllString(readPage(t, page), -1) {
			if !read[name] {
				t.Errorf("%s names %s, which the provider does not read", page, name)
			}
		}
	}
	index := readPage(t, "docs/index.md")
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
			files[strings.TrimSpace(readPage(t, name))] = true
		}
	}
	snippets := 0
	for _, page := range pagesBelow(t, "docs", ".md") {
		for _, fence := range fencePattern.FindAllStringSubmatch(readPage(t, page), -1) {
			if fence[1] == "shell" && strings.HasPrefix(page, "docs/guides/") {
				continue
			}
			snippets++
			if !files[strings.TrimSpace(fence[2])] {
				t.Errorf("%s: this is no file under examples/:\n%s", page, fence[2])
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
		content := readPage(t, name)
		if strings.Contains(content, "required_providers") && !strings.Contains(content, `version = "~> 0.0"`) {
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
	guide := readPage(t, "docs/guides/test-your-modules-offline.md")

	known := map[string]bool{"h": true}
	for _, match := range regexp.MustCompile(`flags\.\w+\([^,]+, "([a-z-]+)"`).FindAllStringSubmatch(readPage(t, "internal/cmd/senhasegura-sim/main.go"), -1) {
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
	for _, heading := range headingPattern.FindAllStringSubmatch(fencePattern.ReplaceAllString(page, ""), -1) {
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
		text := readPage(t, page)
		for _, match := range linkPattern.FindAllStringSubmatch(fencePattern.ReplaceAllString(text, ""), -1) {
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
				linked = readPage(t, name)
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
