package main

import (
	"os"
	"strings"
	"testing"
)

const changelog = `# Changelog

## [0.2.0] (unreleased)

### Added

- Two.

## [0.1.4] - 2026-02-31

### Fixed

- A day that is in no calendar.

## [0.1.3] - 2026-02-03

### Fixed

- One half.

## [0.1.3] - 2026-02-03

### Fixed

- The other half.

## [0.1.2] - 2026-02-02

### Fixed

## [0.1.1] - 2026-02-01

## [0.1.0] - 2026-01-02

### Added

- One, see [0.2.0].

[0.2.0]: https://example.com/0.2.0
[0.1.0]: https://example.com/0.1.0
`

func TestNotesOf(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]struct{ notes, fault string }{
		"v0.1.0":     {notes: "### Added\n\n- One, see [0.2.0].\n"},
		"v0.1.1":     {fault: "is empty"},
		"v0.1.2":     {fault: "is empty"},
		"v0.1.3":     {fault: "2 sections"},
		"v0.1.4":     {fault: "has no date"},
		"v0.2.0":     {fault: "has no date"},
		"v0.3.0":     {fault: "no section"},
		"v0.1":       {fault: "no section"},
		"":           {fault: "no section"},
		"v0.1.0-rc1": {fault: "no section"},
	} {
		t.Run(tag, func(t *testing.T) {
			t.Parallel()
			notes, err := notesOf(changelog, tag)
			if want.fault == "" && err != nil || want.fault != "" && (err == nil || !strings.Contains(err.Error(), want.fault)) {
				t.Errorf("error %v, want one that contains %q", err, want.fault)
			}
			if notes != want.notes {
				t.Errorf("notes %q, want %q", notes, want.notes)
			}
		})
	}
}

// TestNotesOfChangelog: the newest section of the changelog is one that a release finds,
// as soon as it has its date.
func TestNotesOfChangelog(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	newest := heading.FindStringSubmatch(string(content))
	if newest == nil {
		t.Fatal("there is no section")
	}
	released := strings.Replace(string(content), newest[0], "## ["+newest[1]+"] - 2026-01-02", 1)
	if notes, err := notesOf(released, "v"+newest[1]); err != nil || !strings.HasPrefix(notes, "### ") {
		t.Errorf("notes %q, %v", notes, err)
	}
}
