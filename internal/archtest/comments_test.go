package archtest_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// retired are words that comments do without, with what they say instead. The pages do
// without them, too.
var retired = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\bPAM\b`), "senhasegura"},
	{regexp.MustCompile(`(?i)\b(dropped|dropping)\b`), "terminated"},
	{regexp.MustCompile(`(?i)\b(whom|nobody|everybody|somebody|anybody|whoever)\b`), "the sessions, users or callers that are meant"},
	{regexp.MustCompile(`(?i)\bsurviv(e|es|ed|ing|ors?)\b`), "still live"},
	{regexp.MustCompile(`(?i)\bnewcomers?\b`), "new session"},
	{regexp.MustCompile(`(?i)\banew\b`), "again"},
	{regexp.MustCompile(`(?i)\bmeanwhile\b`), "in the meantime"},
	{regexp.MustCompile(`(?i)\balike\b`), "in the same way"},
	{regexp.MustCompile(`(?i)\bbeside\b`), "compared with, in addition to"},
	{regexp.MustCompile(`(?i)\bby (itself|themselves)\b`), "automatically, on their own"},
	{regexp.MustCompile(`(?i)\ball the same\b`), "anyway"},
	{regexp.MustCompile(`(?i)\brow numbers?\b`), "record ID"},
	{regexp.MustCompile(`(?i)\bseen ended\b`), "ended, confirmed"},
	{regexp.MustCompile(`(?i)\blooks? (at|up)\b|\b(a|the|last) look\b`), "check, read"},
	{regexp.MustCompile(`(?i)\bevidence\b`), "API response, observation"},
	{regexp.MustCompile(`(?i)\bpassing (failures?|reasons?)\b`), "transient"},
}

// retiredWords gives each line of a comment that has such a word. The first word of a
// comment is often the name of what it describes.
func retiredWords(comment string) []string {
	_, text, _ := strings.Cut(strings.TrimSpace(comment), " ")
	text = strings.ReplaceAll(text, "PAM Core", "")
	var found []string
	for line := range strings.Lines(text) {
		for _, word := range retired {
			if match := word.pattern.FindString(line); match != "" {
				found = append(found, fmt.Sprintf("%q, say %q: %s", match, word.instead, strings.TrimSpace(line)))
			}
		}
	}
	return found
}

func TestCommentsUseTheWordsOfThePages(t *testing.T) {
	t.Parallel()
	for _, directory := range []string{"termination", "provider"} {
		files, err := filepath.Glob(filepath.Join("..", directory, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%d files in %s, %v", len(files), directory, err)
		}
		for _, name := range files {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, group := range file.Comments {
				for _, fault := range retiredWords(group.Text()) {
					t.Errorf("%s: %s", name, fault)
				}
			}
		}
	}
}

func TestRetiredWordsAreFound(t *testing.T) {
	t.Parallel()
	for comment, want := range map[string]int{
		"fine reads the list and looks a value up.":           0,
		"wait asks PAM, and nobody survives.":                 3,
		"meanwhile is the name of what the comment describes": 0,
		"advice names PAM Core.":                              0,
		"check is a look at all sessions.\nIt begins anew.":   2,
	} {
		if got := retiredWords(comment); len(got) != want {
			t.Errorf("%q has %q, want %d", comment, got, want)
		}
	}
}
