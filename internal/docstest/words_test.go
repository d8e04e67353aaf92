package docstest

import (
	"fmt"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

// Where a word is retired.
const (
	pages = 1 << iota
	comments
	everywhere = pages | comments
)

// retired are words that the project does without, with what it says instead. Where one
// of allowed stands, the word is no fault.
var retired = []struct {
	where            int
	pattern, instead string
	allowed          []string
}{
	{everywhere, `\bPAM\b`, "senhasegura", []string{"PAM Core", "PAM resource permission", "privileged access management (PAM)"}},
	{pages, `(?i)\bdrops?\b`, "terminate", []string{"session/drop", "`drop`", "(drop)", "drop-only", "Drop Session"}},
	{everywhere, `(?i)\bdropp(ed|ing)\b`, "terminated", nil},
	{everywhere, `(?i)\b(whom|nobody|everybody|somebody|anybody|whoever)\b`, "the sessions, users, or callers that are meant", nil},
	{everywhere, `(?i)\bsurviv(e|es|ed|ing|ors?)\b`, "still live", []string{"*survives*", "Survived |", "No survivor changes", "| Survivors |"}}, // of mutation tests
	{everywhere, `(?i)\bnewcomers?\b`, "new matching session", nil},
	{everywhere, `(?i)\banew\b`, "again", nil},
	{everywhere, `(?i)\bmeanwhile\b`, "in the meantime", nil},
	{everywhere, `(?i)\balike\b`, "in the same way", nil},
	{everywhere, `(?i)\bbeside\b`, "compared with, in addition to", nil},
	{everywhere, `(?i)\bby (itself|themselves)\b`, "automatically, on their own", nil},
	{everywhere, `(?i)\ball the same\b`, "anyway", nil},
	{everywhere, `(?i)\bso long after\b`, "that long after", nil},
	{everywhere, `(?i)\bunique hash(es)?\b`, "session ID", nil},
	{everywhere, `(?i)\brow numbers?\b`, "record ID", nil},
	{everywhere, `(?i)\bseen ended\b`, "ended, confirmed", nil},
	{pages, `(?i)\b(unconfirmed|unverified|not_dropped)\b`, "not confirmed, or the name of an outcome", nil},
	{everywhere, `(?i)\b(a|the|last) look\b`, "check", nil},
	{comments, `(?i)\blooks? (at|up)\b`, "check, read", nil},
	{everywhere, `(?i)\bevidence\b`, "API response, observation", nil},
	{everywhere, `(?i)\bpassing (failures?|reasons?)\b`, "transient", nil},
	{everywhere, `(?i)\bGo duration\b|\b\d+m0s\b`, "a duration such as `5m`", nil},
	{everywhere, `(?i)\bthe appliance\b`, "senhasegura", nil},
}

// retiredWords gives every retired word of a text with its line.
func retiredWords(text string, where int) []string {
	var found []string
	for line := range strings.Lines(text) {
		for _, word := range retired {
			if word.where&where == 0 {
				continue
			}
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
	for _, page := range writtenPages(t) {
		for _, fault := range retiredWords(readFile(t, page), pages) {
			t.Errorf("%s: %s", page, fault)
		}
	}
}

func TestCommentsWords(t *testing.T) {
	t.Parallel()
	files := append(pagesBelow(t, "internal", ".go"), pagesBelow(t, "tools", ".go")...)
	for _, name := range append(files, "main.go") {
		file, err := parser.ParseFile(token.NewFileSet(), name, readFile(t, name), parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, group := range file.Comments {
			// The first word is often the name of what the comment describes.
			_, text, _ := strings.Cut(strings.TrimSpace(group.Text()), " ")
			for _, fault := range retiredWords(text, comments) {
				t.Errorf("%s: %s", name, fault)
			}
		}
	}
}

// TestWordsAreFound proves that the search sees what it looks for, and lets pass
// what is allowed.
func TestWordsAreFound(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"PAM shows the session.":                           1,
		"A PAM product with **PAM Core**":                  1,
		"privileged access management (PAM), **PAM Core**": 0,
		"They are dropped.":                                1,
		"It drops a session.":                              1,
		"`DELETE /iso/session/drop/…` or *Drop Session*":   0,
		"Nobody survives.":                                 2,
		"Besides, a backdrop.":                             0,
		"It waits 15m0s.":                                  1,
		"It looks a value up at the last look.":            1,
	} {
		if got := retiredWords(text, pages); len(got) != want {
			t.Errorf("%q has %q, want %d", text, got, want)
		}
	}
	for comment, want := range map[string]int{
		"It drops the connection and looks a value up.": 0,
		"It looks at all sessions.\nIt begins anew.":    2,
	} {
		if got := retiredWords(comment, comments); len(got) != want {
			t.Errorf("%q has %q, want %d", comment, got, want)
		}
	}
}
