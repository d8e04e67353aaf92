// Command notes prints the section of one release in CHANGELOG.md, without its
// heading: the notes of the release on GitHub.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"
)

func main() {
	changelog := flag.String("changelog", "CHANGELOG.md", "file to read")
	tag := flag.String("tag", "", "tag of the release, such as v0.1.0")
	flag.Parse()
	text, err := os.ReadFile(*changelog)
	if err == nil {
		var notes string
		if notes, err = notesOf(string(text), *tag); err == nil {
			fmt.Print(notes)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var (
	heading = regexp.MustCompile(`(?m)^## \[([^\]]+)\](.*)$`)
	change  = regexp.MustCompile(`(?m)^- \S`)
	// reference is a definition of a link, which stands at the end of the file.
	reference = regexp.MustCompile(`(?m)^\[[^\]]+\]: \S+$`)
)

// notesOf returns the text between the heading of the release and the next one. A
// release without a section or with two, a section without a change, and a heading
// without a date are errors: nothing is released before its changes are written down.
func notesOf(changelog, tag string) (string, error) {
	version := strings.TrimPrefix(tag, "v")
	headings := heading.FindAllStringSubmatchIndex(changelog, -1)
	for i, at := range headings {
		if changelog[at[2]:at[3]] != version {
			continue
		}
		if _, err := time.Parse(" - "+time.DateOnly, strings.TrimRight(changelog[at[4]:at[5]], " \r")); err != nil {
			return "", fmt.Errorf("the section of %s has no date: its heading must be %q", version, "## ["+version+"] - YYYY-MM-DD")
		}
		if n := strings.Count(changelog, "\n## ["+version+"]"); n > 1 {
			return "", fmt.Errorf("the changelog has %d sections %q", n, "## ["+version+"]")
		}
		end := len(changelog)
		if i+1 < len(headings) {
			end = headings[i+1][0]
		}
		notes := strings.TrimSpace(reference.ReplaceAllString(changelog[at[1]:end], ""))
		if !change.MatchString(notes) {
			return "", fmt.Errorf("the section of %s is empty: it lists no change", version)
		}
		return notes + "\n", nil
	}
	return "", fmt.Errorf("the changelog has no section %q", "## ["+version+"]")
}
