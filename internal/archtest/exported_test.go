package archtest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

// askedFor are the methods that only libraries call, through interfaces of theirs.
var askedFor = []string{
	"Actions", "Less", "ModifyPlan", "UnmarshalText", "ValidateMap", "ValidateSet", "ValidateString", "WithAttrs", "WithGroup",
}

// mentions counts how often each name stands in sources, and gives the exported
// functions, methods, types, constants and variables that code declares.
type mentions struct {
	counts   map[string]int
	declared map[string]bool
}

func (m *mentions) read(t *testing.T, name string, source []byte) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(node ast.Node) bool {
		if name, ok := node.(*ast.Ident); ok {
			m.counts[name.Name]++
		}
		return true
	})
	if strings.HasSuffix(name, "_test.go") {
		return
	}
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			m.declare(d.Name)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					m.declare(s.Name)
				case *ast.ValueSpec:
					for _, name := range s.Names {
						m.declare(name)
					}
				}
			}
		}
	}
}

func (m *mentions) declare(name *ast.Ident) {
	if name.IsExported() {
		m.declared[name.Name] = true
	}
}

// unmentioned gives the exported names that stand nowhere but where they are declared.
func (m *mentions) unmentioned() []string {
	var names []string
	for name := range m.declared {
		if m.counts[name] == 1 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// TestExportedIsUsed: deadcode takes every exported method for used whose type is put
// into an interface, as those of all packages below the provider are.
func TestExportedIsUsed(t *testing.T) {
	t.Parallel()
	m := mentions{map[string]int{}, map[string]bool{}}
	tree := os.DirFS("../..")
	for _, top := range []string{"main.go", "internal", "tools"} {
		err := fs.WalkDir(tree, top, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") {
				return err
			}
			source, err := fs.ReadFile(tree, name)
			if err == nil {
				m.read(t, name, source)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	unmentioned := m.unmentioned()
	for _, name := range unmentioned {
		if !slices.Contains(askedFor, name) {
			t.Errorf("nothing uses the exported %s", name)
		}
	}
	for _, name := range askedFor {
		if !slices.Contains(unmentioned, name) {
			t.Errorf("%s needs no exception", name)
		}
	}
}

func TestUnmentioned(t *testing.T) {
	t.Parallel()
	m := mentions{map[string]int{}, map[string]bool{}}
	m.read(t, "a.go", []byte("package a\n\ntype T struct{}\n\nfunc (T) Used() {}\n\nfunc (T) Unused() {}\n\nconst Limit = 1\n"))
	m.read(t, "a_test.go", []byte("package a\n\nfunc TestUsed() { T{}.Used() }\n"))
	if got := m.unmentioned(); !slices.Equal(got, []string{"Limit", "Unused"}) {
		t.Errorf("%q, want Limit and Unused", got)
	}
}
