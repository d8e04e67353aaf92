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

// walkRow is a row of the table, without the parts that differ: a row in another form is
// a fault, because it would lead nowhere unnoticed.
var walkRow = regexp.MustCompile("^\\| [^|]+ \\| `([^`|]+)` \\| ((?:`[^`|]+`(?:, )?)+) \\|$")

// walksOn reads the table below the heading "Find a behavior", and gives the rows that
// can't be read.
func walksOn(page string) (walks []walk, unread []string) {
	_, section, _ := strings.Cut(page, "\n### Find a behavior\n")
	section, _, _ = strings.Cut(section, "\n### ")
	for line := range strings.Lines(section) {
		line = strings.TrimSpace(line)
		row := walkRow.FindStringSubmatch(line)
		switch {
		case row != nil:
			w := walk{file: row[1]}
			for _, name := range quotedName.FindAllStringSubmatch(row[2], -1) {
				w.names = append(w.names, name[1])
			}
			walks = append(walks, w)
		case strings.HasPrefix(line, "|") && line != "| Question | File | Function |" && line != "|---|---|---|":
			unread = append(unread, line)
		}
	}
	return walks, unread
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
	walks, unread := walksOn(string(page))
	for _, row := range unread {
		t.Errorf("this row names no file or no function: %s", row)
	}
	if len(walks) < 10 {
		t.Fatalf("%d questions, want at least 10", len(walks))
	}
	for _, w := range walks {
		names := declared(t, filepath.Join("..", "..", filepath.FromSlash(w.file)))
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
	const page = "\n### Find a behavior\n\n| Question | File | Function |\n|---|---|---|\n| What? | `a/b.go` | `one`, `two` |\n| Where? | c.go | `three` |\n| Why? | `d.go` | |\n\n### Next\n| No? | `c.go` | `d` |\n"
	walks, unread := walksOn(page)
	if len(walks) != 1 || walks[0].file != "a/b.go" || strings.Join(walks[0].names, " ") != "one two" {
		t.Errorf("%+v", walks)
	}
	if len(unread) != 2 {
		t.Errorf("%d rows can't be read, want 2: %q", len(unread), unread)
	}
}
