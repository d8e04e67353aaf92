package main

import (
	"encoding/xml"
	"os"
	"strings"
	"testing"
)

func TestStable(t *testing.T) {
	t.Parallel()

	const slow = "\n1. Start\n" +
		"   user 127.0.0.1:54034 → senhasegura 127.0.0.1:41705 → server 127.0.0.1:33979, from 127.0.0.1\n" +
		"   the server echoes what the user types: 31 lines\n" +
		"   │ \n" +
		"   │ x.demo: Creating...\n" +
		"   │ x.demo: Still creating... [00m10s elapsed]\n" +
		"   │ x.demo: Creation complete after 12s [id=c819]\n" +
		"   │ terminated_at = \"2026-11-24T18:16:16Z\"\n" +
		"   ended at 2026-11-24 18:16:16\n"
	const fast = "\n1. Start\n" +
		"   user 127.0.0.1:1024 → senhasegura 127.0.0.1:1025 → server 127.0.0.1:1026, from 127.0.0.1\n" +
		"   the server echoes what the user types: 3 lines\n" +
		"   │ \n" +
		"   │ x.demo: Creating...\n" +
		"   │ x.demo: Creation complete after 1s [id=c819]\n" +
		"   │ terminated_at = \"2027-01-01T00:00:00Z\"\n" +
		"   ended at 2027-01-01 00:00:00\n"
	const want = "1. Start\n" +
		"   user 127.0.0.1:50001 → senhasegura 127.0.0.1:50002 → server 127.0.0.1:50003, from 127.0.0.1\n" +
		"   the server echoes what the user types: 10 lines\n" +
		"   │\n" +
		"   │ x.demo: Creating...\n" +
		"   │ x.demo: Creation complete after 2s [id=c819]\n" +
		"   │ terminated_at = \"2026-05-06T16:11:17Z\"\n" +
		"   ended at 2026-05-06 16:11:17\n"
	for name, output := range map[string]string{"slow": slow, "fast": fast} {
		if got := stable(output); got != want {
			t.Errorf("%s run:\n%s\nwant\n%s", name, got, want)
		}
	}
	if other := stable(strings.Replace(slow, "id=c819", "id=0b5f", 1)); other == want {
		t.Error("another outcome gives the same text")
	}
}

// TestPicture: the picture in the README shows the text of its transcript, which
// `make picture` takes from a run. It embeds no font, so it is small.
func TestPicture(t *testing.T) {
	t.Parallel()

	text, err := os.ReadFile("../../.github/demo.txt")
	if err != nil {
		t.Fatal(err)
	}
	if again := stable(string(text)); again != string(text) {
		t.Error("demo.txt has something that differs from run to run")
	}
	picture, err := os.ReadFile("../../.github/demo.svg")
	if err != nil {
		t.Fatal(err)
	}
	if len(picture) > 60_000 {
		t.Errorf("demo.svg has %d bytes", len(picture))
	}
	shown, err := textOf(picture)
	if err != nil {
		t.Fatal(err)
	}
	if want := lines(string(text)); strings.Join(shown, "\n") != strings.Join(want, "\n") {
		t.Errorf("demo.svg shows\n%s\n\ndemo.txt has\n%s", strings.Join(shown, "\n"), strings.Join(want, "\n"))
	}
}

// textOf gives the lines of an SVG that are not empty: what its text elements
// hold.
func textOf(picture []byte) ([]string, error) {
	var svg struct {
		Group struct {
			Text []struct {
				Content string `xml:",chardata"`
				Spans   []struct {
					Content string `xml:",chardata"`
				} `xml:"tspan"`
			} `xml:"text"`
		} `xml:"g"`
	}
	if err := xml.Unmarshal(picture, &svg); err != nil {
		return nil, err
	}
	var all strings.Builder
	for _, text := range svg.Group.Text {
		all.WriteString(strings.TrimRight(text.Content, "\n"))
		for _, span := range text.Spans {
			all.WriteString(span.Content)
		}
		all.WriteString("\n")
	}
	return lines(all.String()), nil
}

func lines(text string) []string {
	var kept []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, " \n"); line != "" {
			kept = append(kept, line)
		}
	}
	return kept
}
