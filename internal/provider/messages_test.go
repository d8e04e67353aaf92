package provider

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// makesMessage are the functions that make a diagnostic of a summary and a detail.
var makesMessage = []string{
	"AddError", "AddWarning", "AddAttributeError", "AddAttributeWarning",
	"NewErrorDiagnostic", "NewWarningDiagnostic", "NewAttributeErrorDiagnostic", "NewAttributeWarningDiagnostic",
}

// wordsMessages reports whether a file may hold the words of messages.
func wordsMessages(file string) bool {
	return file == "message.go" || file == "causes.go" || strings.HasSuffix(file, "_messages.go")
}

// TestMessagesAreWordedInOnePlace: what users read is found in the files of messages, so
// that its words stay the same in all of them.
func TestMessagesAreWordedInOnePlace(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range messagesIn(parsed) {
			if found++; !wordsMessages(file) {
				t.Errorf("%s: a message belongs into a file of messages", set.Position(at))
			}
		}
	}
	if found < 35 {
		t.Errorf("only %d messages found: the source is not read rightly", found)
	}
}

// messagesIn gives the places at which a file makes messages.
func messagesIn(file *ast.File) []token.Pos {
	var places []token.Pos
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.CompositeLit:
			if name, ok := node.Type.(*ast.Ident); ok && name.Name == "message" {
				places = append(places, node.Pos())
			}
		case *ast.CallExpr:
			if called, ok := node.Fun.(*ast.SelectorExpr); ok && slices.Contains(makesMessage, called.Sel.Name) {
				places = append(places, node.Pos())
			}
		}
		return true
	})
	return places
}

// The search finds each way to make a message.
func TestMessagesAreFound(t *testing.T) {
	t.Parallel()
	const source = `package p
func f() {
	resp.Diagnostics.AddError("", "")
	diags.AddAttributeWarning(at, "", "")
	_ = diag.NewAttributeErrorDiagnostic(at, "", "")
	_ = message{summary: ""}.asError()
	_ = &message{}
	_ = other{}
	diags.Append(emptyMatch(at))
}`
	parsed, err := parser.ParseFile(token.NewFileSet(), "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(messagesIn(parsed)); got != 5 {
		t.Errorf("%d messages found, want 5", got)
	}
}
