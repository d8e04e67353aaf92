package main

import (
	"slices"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	t.Parallel()
	r, err := read(strings.NewReader(`{"Action":"run","Test":"TestAccA"}
{"Action":"pass","Test":"TestAccA/part"}
{"Action":"pass","Test":"TestAccA"}
{"Action":"output","Test":"TestAccB","Output":"    engine.go:7: OpenTofu 1.12.6 has no actions\n"}
{"Action":"skip","Test":"TestAccB"}
{"Action":"output","Test":"TestAccC","Output":"    engine.go:7: OpenTofu 1.12.6 has no actions\n"}
{"Action":"skip","Test":"TestAccC"}
{"Action":"fail","Test":"TestAccD"}
no event
{"Action":"fail"}
`))
	if err != nil || r.passed != 1 || !slices.Equal(r.failed, []string{"TestAccD"}) || r.skips() != "2: OpenTofu 1.12.6 has no actions" {
		t.Errorf("passed %d, failed %q, skipped %q, %v", r.passed, r.failed, r.skips(), err)
	}
}

// What did not run must not look like a test that passed.
func TestReadTellsWhatDidNotRun(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		events string
		failed []string
		skips  string
	}{
		"a part is skipped": {
			events: `{"Action":"output","Package":"a","Test":"TestAccA/action","Output":"        engine.go:7: OpenTofu 1.12.6 has no actions\n"}
{"Action":"skip","Package":"a","Test":"TestAccA/action"}
{"Action":"pass","Package":"a","Test":"TestAccA"}
`,
			skips: "1 in tests that passed otherwise: OpenTofu 1.12.6 has no actions",
		},
		"a package does not build": {
			events: `{"Action":"build-fail","ImportPath":"b"}
{"Action":"fail","Package":"b","FailedBuild":"b"}
{"Action":"pass","Package":"a","Test":"TestAccA"}
`,
			failed: []string{"package b"}, skips: "0",
		},
		"a package ends early": {
			events: `{"Action":"pass","Package":"a","Test":"TestAccA"}
{"Action":"fail","Package":"a"}
`,
			failed: []string{"package a"}, skips: "0",
		},
		"a package does not build, and a test of another fails": {
			events: `{"Action":"fail","Package":"b","FailedBuild":"b"}
{"Action":"pass","Package":"a","Test":"TestAccA"}
{"Action":"fail","Package":"a","Test":"TestAccB/part"}
{"Action":"fail","Package":"a","Test":"TestAccB"}
{"Action":"fail","Package":"a"}
`,
			failed: []string{"package b", "TestAccB"}, skips: "0",
		},
	} {
		r, err := read(strings.NewReader(test.events))
		if err != nil || r.passed != 1 || !slices.Equal(r.failed, test.failed) || r.skips() != test.skips {
			t.Errorf("%s: passed %d, failed %q, skipped %q, %v", name, r.passed, r.failed, r.skips(), err)
		}
	}
	if _, err := read(strings.NewReader(strings.Repeat("x", 17<<20))); err == nil {
		t.Error("a line that is too long ends the reading without a word")
	}
}

func TestRunNeedsAProgram(t *testing.T) {
	t.Parallel()
	if err := run(t.Context(), ".", "", nil, nil); err == nil || !strings.Contains(err.Error(), "ENGINES") {
		t.Errorf("got %v", err)
	}
}

func TestWithTable(t *testing.T) {
	t.Parallel()
	const row = "| Terraform v1.11.4 | 9 | 0 |\n"
	for page, want := range map[string]string{
		"# Title\n\n" + head + "| old | 1 | 0 |\n| older | 1 | 0 |\n\n| another |\n": "# Title\n\n" + head + row + "\n| another |\n",
		head:            head + row,
		"# Title\n":     "",
		"| Program |\n": "",
	} {
		got, err := withTable(page, head+row)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: got %q, %v; want %q", page, got, err, want)
		}
	}
}
