package faulttest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

const root = "../.."

func reliabilityPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "RELIABILITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// testsOf gives the names of all tests below a directory.
func testsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	tests := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv == nil {
				tests[function.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}

// Every test that the page names exists, and every test of this package that is
// not about the tools is on the page.
func TestReliabilityPageNamesTests(t *testing.T) {
	t.Parallel()
	page, tests := reliabilityPage(t), testsOf(t, filepath.Join(root, "internal"))
	named := regexp.MustCompile("`(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(page, -1)
	if len(named) == 0 {
		t.Fatal("the page names no test")
	}
	for _, name := range named {
		if !tests[name[1]] {
			t.Errorf("RELIABILITY.md names %s, and there is no such test", name[1])
		}
	}
	tools := []string{"TestMain", "TestReliabilityPageNamesTests", "TestReliabilityPageFigures", "TestFolded", "TestContributingTellsOfFaults", "TestFaultHasItsPlaces"}
	for name := range testsOf(t, ".") {
		if strings.HasPrefix(name, "Test") && !slices.Contains(tools, name) && !strings.Contains(page, "`"+name+"`") {
			t.Errorf("RELIABILITY.md does not name %s", name)
		}
	}
}

func TestReliabilityPageFigures(t *testing.T) {
	t.Parallel()
	through := 0
	for _, u := range providerUses {
		for _, r := range matrix {
			if u.meets(r) {
				through++
			}
		}
	}
	answers := 0
	for _, q := range questions {
		for _, one := range q.answers() {
			if one != (answer{}) {
				answers++
			}
		}
	}
	page := reliabilityPage(t)
	for table, cells := range map[string]int{
		"faults × operations":                    len(matrix) * len(uses),
		"circumstances":                          len(circumstances) * 3,
		"releases × end values of live sessions": len(simulator.Releases()) * len(liveEnds) * 2 * 2,
		"faults through the provider":            through,
		"questions":                              answers,
		"interrupts":                             len(interruptibles),
	} {
		if row := fmt.Sprintf("| %s | %d |", table, cells); !strings.Contains(page, row) {
			t.Errorf("RELIABILITY.md lacks %q", row)
		}
	}
}
