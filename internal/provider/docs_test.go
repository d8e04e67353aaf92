package provider

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
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
)

// sourceTree is the top of the repository, seen from the tests of this package.
const sourceTree = "../.."

// fencePattern finds the fenced blocks of a page.
var fencePattern = regexp.MustCompile("(?ms)^```[a-z]*\n.*?\n```$")

func readPage(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(sourceTree, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// registryPages gives the names of the pages of the registry.
func registryPages(t *testing.T) []string {
	t.Helper()
	pages, err := fs.Glob(os.DirFS(sourceTree), "docs/*/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	return append(pages, "docs/index.md")
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
	for _, page := range registryPages(t) {
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
	for _, page := range registryPages(t) {
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
