// Package archtest keeps the house in order: which package may import which,
// what a package is called, and that each says what it is for. The rules are
// data; its tests apply them to the tree as `go list` sees it, and to broken
// trees, so that each rule is known to be able to fail.
package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// modulePath is what every import path of ours begins with.
const modulePath = "github.com/senhasegura/terraform-provider-senhasegura"

// terraformSDK is the common beginning of the Terraform plugin libraries.
const terraformSDK = "github.com/hashicorp/terraform-plugin-"

// Package is what the rules need to know of one package: the fields of
// `go list -json` by the same names.
type Package struct {
	ImportPath   string
	Name         string
	Doc          string
	GoFiles      []string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// room says what one package may import. Packages of ours are named by their
// path below the module.
type room struct {
	// imports are the packages of ours that its code may import.
	imports []string
	// testImports are those that its tests may import besides.
	testImports []string
	// terraform: it may import the Terraform plugin libraries.
	terraform bool
	// standardOnly: its code imports nothing outside the standard library and
	// imports.
	standardOnly bool
	// testsOnly: only tests and tools import it.
	testsOnly bool
	// banned are packages of the standard library that would break its promise.
	banned []string
}

// rooms lists every package. A package that is not here has no place yet: give
// it one on purpose.
var rooms = map[string]room{
	"": {
		imports:     []string{"internal/provider"},
		testImports: []string{"internal/acctest", "internal/simulator"},
		terraform:   true,
	},
	"internal/session": {
		// The core does no I/O.
		banned: []string{"net", "net/http", "os", "os/exec", "io/fs"},
	},
	"internal/a2a": {
		imports:     []string{"internal/session"},
		testImports: []string{"internal/contract", "internal/simulator"},
	},
	// The documented responses, which the tests of both sides read. It has no type
	// to share.
	"internal/contract": {
		standardOnly: true,
		testsOnly:    true,
	},
	"internal/termination": {
		imports:     []string{"internal/session"},
		testImports: []string{"internal/a2a", "internal/simulator"},
		// The use cases know neither HTTP nor the machine.
		banned: []string{"net", "net/http", "os", "os/exec"},
	},
	"internal/provider": {
		imports:     []string{"internal/termination", "internal/a2a", "internal/session"},
		testImports: []string{"internal/acctest", "internal/simulator"},
		terraform:   true,
	},
	"internal/simulator": {
		// A type shared with the client would hide a wrong JSON tag, in tests too.
		testImports:  []string{"internal/contract"},
		standardOnly: true,
	},
	"internal/cmd/senhasegura-sim": {
		imports:      []string{"internal/simulator"},
		standardOnly: true,
	},
	"internal/acctest": {
		imports:   []string{"internal/provider", "internal/simulator"},
		terraform: true,
		testsOnly: true,
	},
	// The reliability tests use every layer from outside.
	"internal/faulttest": {
		testImports: []string{"internal/a2a", "internal/acctest", "internal/session", "internal/simulator", "internal/termination"},
		testsOnly:   true,
	},
	// The checks of a real server are those of a user: through the provider.
	"internal/livetest": {
		testImports: []string{"internal/acctest", "internal/simulator"},
		testsOnly:   true,
	},
	// The tests put real programs between the provider and a simulated server.
	"internal/neighbortest": {
		testImports: []string{"internal/acctest", "internal/simulator"},
		testsOnly:   true,
	},
	// The tests follow the pages with the program and a simulated server.
	"internal/docstest": {
		testImports: []string{"internal/acctest", "internal/simulator"},
		testsOnly:   true,
	},
	"internal/archtest": {
		testsOnly: true,
	},
}

// Rooms gives the import path of each package that has a place.
func Rooms() []string {
	paths := make([]string, 0, len(rooms))
	for path := range rooms {
		paths = append(paths, strings.TrimSuffix(modulePath+"/"+path, "/"))
	}
	return paths
}

// vagueNames say nothing of what a package is for.
var vagueNames = []string{"util", "utils", "helper", "helpers", "common", "base", "misc", "shared"}

// Violations returns one sentence for each broken rule, sorted; none means that
// the packages are as the architecture wants them. It is a pure function.
func Violations(packages []Package) []string {
	var found []string
	for _, p := range packages {
		found = append(found, nameViolations(p)...)
		found = append(found, docViolations(p)...)

		path := below(p.ImportPath)
		r, ok := rooms[path]
		if !ok {
			found = append(found, display(path)+": not one of the rooms of the architecture")
			continue
		}
		found = append(found, codeViolations(path, r, p.Imports)...)
		found = append(found, testViolations(path, r, p.TestImports)...)
		found = append(found, testViolations(path, r, p.XTestImports)...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func nameViolations(p Package) []string {
	path := below(p.ImportPath)
	names := append(strings.Split(path, "/"), strings.TrimSuffix(p.Name, "_test"))
	for _, name := range names {
		if slices.Contains(vagueNames, name) {
			return []string{fmt.Sprintf("%s: the name %q does not say what the package is for", display(path), name)}
		}
	}
	return nil
}

// docViolations leaves out packages of tests alone, whose comment go list does
// not report.
func docViolations(p Package) []string {
	if len(p.GoFiles) > 0 && strings.TrimSpace(p.Doc) == "" {
		return []string{display(below(p.ImportPath)) + ": no package comment"}
	}
	return nil
}

func codeViolations(path string, r room, imports []string) []string {
	var found []string
	for _, imported := range imports {
		switch {
		case ours(imported):
			target := below(imported)
			if !slices.Contains(r.imports, target) {
				found = append(found, fmt.Sprintf("%s → %s: no such arrow", display(path), display(target)))
			}
			if rooms[target].testsOnly {
				found = append(found, fmt.Sprintf("%s → %s: only tests may import it", display(path), display(target)))
			}
		case strings.HasPrefix(imported, terraformSDK) && !r.terraform:
			found = append(found, fmt.Sprintf("%s → %s: only the provider speaks Terraform", display(path), imported))
		case r.standardOnly && !standard(imported):
			found = append(found, fmt.Sprintf("%s → %s: only the standard library is allowed here", display(path), imported))
		case slices.Contains(r.banned, imported):
			found = append(found, fmt.Sprintf("%s → %s: this package must do without", display(path), imported))
		}
	}
	return found
}

func testViolations(path string, r room, imports []string) []string {
	var found []string
	for _, imported := range imports {
		switch {
		case ours(imported):
			target := below(imported)
			if target != path && !slices.Contains(r.imports, target) && !slices.Contains(r.testImports, target) {
				found = append(found, fmt.Sprintf("tests of %s → %s: no such arrow", display(path), display(target)))
			}
		case strings.HasPrefix(imported, terraformSDK) && !r.terraform:
			found = append(found, fmt.Sprintf("tests of %s → %s: only the provider speaks Terraform", display(path), imported))
		}
	}
	return found
}

func ours(importPath string) bool {
	return importPath == modulePath || strings.HasPrefix(importPath, modulePath+"/")
}

// below returns the path inside the module: "" for the module's own package.
func below(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, modulePath), "/")
}

// display gives the module's own package a name that can be read.
func display(path string) string {
	if path == "" {
		return "main"
	}
	return path
}

// standard goes by the rule of the go command: a path whose first element has
// no dot is reserved for the standard library.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}
