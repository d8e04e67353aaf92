package archtest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// walk is a row of the table in CONTRIBUTING.md that leads from a question to its code.
type walk struct {
	file  string
	names []string
}

var quotedName = regexp.MustCompile("`([^`]+)`")

// walksOn reads the table below the heading "Find a behavior".
func walksOn(page string) []walk {
	_, section, _ := strings.Cut(page, "\n### Find a behavior\n")
	section, _, _ = strings.Cut(section, "\n### ")
	var walks []walk
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 || !strings.Contains(cells[1], "`") {
			continue
		}
		w := walk{file: strings.Trim(strings.TrimSpace(cells[1]), "`")}
		for _, name := range quotedName.FindAllStringSubmatch(cells[2], -1) {
			w.names = append(w.names, name[1])
		}
		walks = append(walks, w)
	}
	return walks
}

// declared gives the functions, methods, constants and variables of a file.
func declared(t *testing.T, name string) map[string]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			names[d.Name.Name] = true
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if value, ok := spec.(*ast.ValueSpec); ok {
					for _, name := range value.Names {
						names[name.Name] = true
					}
				}
			}
		}
	}
	return names
}

func TestContributingLeadsToCode(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	walks := walksOn(string(page))
	if len(walks) < 10 {
		t.Fatalf("%d questions, want at least 10", len(walks))
	}
	for _, w := range walks {
		names := declared(t, filepath.Join("..", "..", filepath.FromSlash(w.file)))
		if len(w.names) == 0 {
			t.Errorf("%s: no function is named", w.file)
		}
		for _, name := range w.names {
			if !names[name] {
				t.Errorf("%s has no %s", w.file, name)
			}
		}
	}
}

// TestWalksAreRead proves that every cell of a row is used.
func TestWalksAreRead(t *testing.T) {
	t.Parallel()
	const page = "\n### Find a behavior\n\n| Question | File | Function |\n|---|---|---|\n| What? | `a/b.go` | `one`, `two` |\n\n### Next\n| No? | `c.go` | `d` |\n"
	walks := walksOn(page)
	if len(walks) != 1 || walks[0].file != "a/b.go" || strings.Join(walks[0].names, " ") != "one two" {
		t.Errorf("%+v", walks)
	}
}
