package archtest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/archtest"
)

const module = "github.com/senhasegura/terraform-provider-senhasegura"

func TestTree(t *testing.T) {
	t.Parallel()

	packages := list(t)
	// A listing that lost its packages would pass every rule, and so would the rule of a
	// package that is gone.
	for _, room := range archtest.Rooms() {
		if !slices.ContainsFunc(packages, func(p archtest.Package) bool { return p.ImportPath == room }) {
			t.Errorf("go list did not report %s", room)
		}
	}
	for _, violation := range archtest.Violations(packages) {
		t.Error(violation)
	}
}

func list(t *testing.T) []archtest.Package {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Name,Doc,GoFiles,Imports,TestImports,XTestImports", "./...")
	command.Dir = "../.."
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}

	var packages []archtest.Package
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var p archtest.Package
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatalf("reading the answer of go list: %v", err)
		}
		packages = append(packages, p)
	}
}

// TestViolations breaks each rule once, and keeps each once.
func TestViolations(t *testing.T) {
	t.Parallel()

	const framework = "github.com/hashicorp/terraform-plugin-framework/resource"
	tests := map[string]struct {
		path    string
		imports []string
		tests   []string
		change  func(*archtest.Package)
		want    string // empty: no violation
	}{
		"main imports the provider":       {path: "", imports: []string{"/internal/provider"}},
		"main imports the client":         {path: "", imports: []string{"/internal/a2a"}, want: "main → internal/a2a: no such arrow"},
		"provider imports its three":      {path: "/internal/provider", imports: []string{"/internal/a2a", "/internal/session", "/internal/termination", framework}},
		"provider imports the simulator":  {path: "/internal/provider", imports: []string{"/internal/simulator"}, want: "internal/provider → internal/simulator: no such arrow"},
		"termination imports the core":    {path: "/internal/termination", imports: []string{"/internal/session"}},
		"termination imports the client":  {path: "/internal/termination", imports: []string{"/internal/a2a"}, want: "internal/termination → internal/a2a: no such arrow"},
		"termination tests the client":    {path: "/internal/termination", tests: []string{"/internal/a2a", "/internal/termination"}},
		"termination imports HTTP":        {path: "/internal/termination", imports: []string{"net/http"}, want: "internal/termination → net/http: this package must do without"},
		"client imports the core":         {path: "/internal/a2a", imports: []string{"/internal/session", "net/http", "golang.org/x/oauth2"}},
		"client imports the use case":     {path: "/internal/a2a", imports: []string{"/internal/termination"}, want: "internal/a2a → internal/termination: no such arrow"},
		"client imports the framework":    {path: "/internal/a2a", imports: []string{framework}, want: "internal/a2a → " + framework + ": only the provider speaks Terraform"},
		"client's tests the framework":    {path: "/internal/a2a", tests: []string{framework}, want: "tests of internal/a2a → " + framework + ": only the provider speaks Terraform"},
		"client's tests the provider":     {path: "/internal/a2a", tests: []string{"/internal/provider"}, want: "tests of internal/a2a → internal/provider: no such arrow"},
		"core imports the client":         {path: "/internal/session", imports: []string{"/internal/a2a"}, want: "internal/session → internal/a2a: no such arrow"},
		"core does I/O":                   {path: "/internal/session", imports: []string{"os"}, want: "internal/session → os: this package must do without"},
		"simulator imports net/http":      {path: "/internal/simulator", imports: []string{"net/http", "iter"}},
		"simulator imports a library":     {path: "/internal/simulator", imports: []string{"golang.org/x/sync/errgroup"}, want: "internal/simulator → golang.org/x/sync/errgroup: only the standard library is allowed here"},
		"simulator imports the core":      {path: "/internal/simulator", imports: []string{"/internal/session"}, want: "internal/simulator → internal/session: no such arrow"},
		"simulator's tests the core":      {path: "/internal/simulator", tests: []string{"/internal/session"}, want: "tests of internal/simulator → internal/session: no such arrow"},
		"simulator reads the contract":    {path: "/internal/simulator", imports: []string{"/internal/contract"}, want: "internal/simulator → internal/contract: only tests may import it"},
		"simulator's tests read it":       {path: "/internal/simulator", tests: []string{"/internal/contract"}},
		"client's tests read it":          {path: "/internal/a2a", tests: []string{"/internal/contract"}},
		"contract imports the client":     {path: "/internal/contract", imports: []string{"/internal/a2a"}, want: "internal/contract → internal/a2a: no such arrow"},
		"its command imports it":          {path: "/internal/cmd/senhasegura-sim", imports: []string{"/internal/simulator", "flag"}},
		"its command imports a library":   {path: "/internal/cmd/senhasegura-sim", imports: []string{"golang.org/x/sync/errgroup"}, want: "internal/cmd/senhasegura-sim → golang.org/x/sync/errgroup: only the standard library is allowed here"},
		"test support imports its two":    {path: "/internal/acctest", imports: []string{"/internal/provider", "/internal/simulator", framework}},
		"test support imports the client": {path: "/internal/acctest", imports: []string{"/internal/a2a"}, want: "internal/acctest → internal/a2a: no such arrow"},
		"code imports test support":       {path: "/internal/provider", imports: []string{"/internal/acctest"}, want: "internal/provider → internal/acctest: only tests may import it"},
		"tests import test support":       {path: "/internal/provider", tests: []string{"/internal/acctest"}},
		"neighbors import test support":   {path: "/internal/neighbortest", tests: []string{"/internal/acctest", "/internal/simulator"}},
		"neighbors import the client":     {path: "/internal/neighbortest", tests: []string{"/internal/a2a"}, want: "tests of internal/neighbortest → internal/a2a: no such arrow"},
		"a package without a room":        {path: "/internal/reports", want: "internal/reports: not one of the rooms of the architecture"},
		"a vague directory":               {path: "/internal/util/text", want: `internal/util/text: the name "util" does not say what the package is for`},
		"a vague name":                    {path: "/internal/session", change: func(p *archtest.Package) { p.Name = "common" }, want: `internal/session: the name "common" does not say what the package is for`},
		"a vague name of a test package":  {path: "/internal/session", change: func(p *archtest.Package) { p.Name = "helper_test" }, want: `internal/session: the name "helper" does not say what the package is for`},
		"no package comment":              {path: "/internal/session", change: func(p *archtest.Package) { p.Doc = " " }, want: "internal/session: no package comment"},
		"no comment on tests alone":       {path: "/internal/faulttest", change: func(p *archtest.Package) { p.Doc, p.GoFiles = "", nil }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := archtest.Package{
				ImportPath:   module + test.path,
				Name:         "fine",
				Doc:          "Package fine says what it is for.",
				GoFiles:      []string{"fine.go"},
				Imports:      expand(test.imports),
				XTestImports: expand(test.tests),
			}
			if test.change != nil {
				test.change(&p)
			}
			got := archtest.Violations([]archtest.Package{p})
			switch {
			case test.want == "" && len(got) > 0:
				t.Errorf("violations %q, want none", got)
			case test.want != "" && !slices.Contains(got, test.want):
				t.Errorf("violations %q, want %q among them", got, test.want)
			}
			// The two kinds of test package obey the same rules.
			p.TestImports, p.XTestImports = p.XTestImports, nil
			if inside := archtest.Violations([]archtest.Package{p}); !slices.Equal(got, inside) {
				t.Errorf("violations %q in tests of the package's own name, %q in others", inside, got)
			}
		})
	}
}

// expand writes out the paths of ours, which begin with a slash.
func expand(paths []string) []string {
	full := make([]string, 0, len(paths))
	for _, path := range paths {
		if strings.HasPrefix(path, "/") {
			path = module + path
		}
		full = append(full, path)
	}
	return full
}

// TestContractIsData: the client and the simulator must share no type, and the
// contract is what the tests of both read.
func TestContractIsData(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("../contract/*.go")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if spec, ok := node.(*ast.TypeSpec); ok {
				t.Errorf("%s declares the type %s", filepath.Base(name), spec.Name.Name)
			}
			return true
		})
	}
}
