package faulttest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

const (
	faultsFile    = "internal/simulator/faults.go"
	sentinelsFile = "internal/session/errors.go"
)

// place is a file that has something of each fault, or of each sentinel, and the
// pattern of it for a name.
type place struct{ file, what, pattern string }

// What a new fault, and a new meaning of one, must have, besides its declaration.
var (
	placesOfKinds = []place{
		{faultsFile, "a course in courseOf", `(?m)^\t\t%s:\s+\{`},
		{"internal/faulttest/rows_test.go", "a row", `simulator\.%s\b`},
	}
	placesOfSentinels = []place{
		{"internal/a2a/classify.go", "an answer that means it", `session\.%s\b`},
		{"internal/faulttest/account_test.go", "a name in sentinelNames", `session\.%s:`},
		{"internal/provider/causes.go", "a cause", `session\.%s\b`},
	}
	// elsewhere are the places of which other tests name what is missing.
	elsewhere = []string{
		"internal/faulttest/verdicts_test.go", "internal/faulttest/provider_test.go", "RELIABILITY.md",
		sentinelsFile, "templates/guides/troubleshooting.md.tmpl", "internal/contract/bodies",
	}
)

func readSource(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// declared gives the names of package variables and constants that a file declares,
// with the values that are literal texts.
func declared(t *testing.T, name string, belongs func(name string, spec *ast.ValueSpec) bool) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, filepath.FromSlash(name)), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, declaration := range file.Decls {
		group, ok := declaration.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range group.Specs {
			values, ok := spec.(*ast.ValueSpec)
			if !ok || !belongs(values.Names[0].Name, values) {
				continue
			}
			found[values.Names[0].Name] = ""
			if literal, ok := values.Values[0].(*ast.BasicLit); ok {
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				found[values.Names[0].Name] = text
			}
		}
	}
	if len(found) < 2 {
		t.Fatalf("%s is not read rightly: %v", name, found)
	}
	return found
}

// faultKinds gives the kinds of fault that the simulator knows, by their names in Go.
func faultKinds(t *testing.T) map[string]simulator.Kind {
	t.Helper()
	kinds := map[string]simulator.Kind{}
	for name, value := range declared(t, faultsFile, func(_ string, spec *ast.ValueSpec) bool {
		kind, ok := spec.Type.(*ast.Ident)
		return ok && kind.Name == "Kind"
	}) {
		kinds[name] = simulator.Kind(value)
	}
	return kinds
}

// lacking gives a sentence for each place that has nothing of a name.
func lacking(names []string, places []place, read func(file string) string) []string {
	var faults []string
	for _, p := range places {
		text := read(p.file)
		for _, name := range names {
			if !regexp.MustCompile(fmt.Sprintf(p.pattern, name)).MatchString(text) {
				faults = append(faults, fmt.Sprintf("%s lacks %s for %s", p.file, p.what, name))
			}
		}
	}
	return faults
}

// TestFaultHasItsPlaces names what a new fault, or a new sentinel, still lacks.
func TestFaultHasItsPlaces(t *testing.T) {
	t.Parallel()
	// A comment about a fault is no place of it.
	comment := regexp.MustCompile(`//.*`)
	read := func(file string) string { return comment.ReplaceAllString(readSource(t, file), "") }
	var kinds, sentinels []string
	for name := range faultKinds(t) {
		kinds = append(kinds, name)
	}
	for name := range declared(t, sentinelsFile, func(name string, _ *ast.ValueSpec) bool { return strings.HasPrefix(name, "Err") }) {
		sentinels = append(sentinels, name)
	}
	for _, fault := range append(lacking(kinds, placesOfKinds, read), lacking(sentinels, placesOfSentinels, read)...) {
		t.Errorf("%s; CONTRIBUTING.md, \"Add a fault\", lists the places", fault)
	}

	// The check can fail.
	want := []string{faultsFile + " lacks a course in courseOf for Hail", "internal/faulttest/rows_test.go lacks a row for Hail"}
	if got := lacking([]string{"Hail"}, placesOfKinds, read); !slices.Equal(got, want) {
		t.Errorf("of a fault that does not exist it says %q, want %q", got, want)
	}
}

// TestContributingTellsOfFaults: the page has every place, and each is there.
func TestContributingTellsOfFaults(t *testing.T) {
	t.Parallel()
	_, section, found := strings.Cut(readSource(t, "CONTRIBUTING.md"), "\n### Add a fault\n")
	if !found {
		t.Fatal("CONTRIBUTING.md does not say how to add a fault")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	section, _, _ = strings.Cut(section, "\n### ")
	files := slices.Clone(elsewhere)
	for _, p := range append(slices.Clone(placesOfKinds), placesOfSentinels...) {
		files = append(files, p.file)
	}
	for _, file := range files {
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(file))); err != nil {
			t.Error(err)
		}
		if !strings.Contains(section, "`"+file+"`") {
			t.Errorf("the section \"Add a fault\" does not name %s", file)
		}
	}
}
