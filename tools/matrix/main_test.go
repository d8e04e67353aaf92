package main

import (
	"slices"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	t.Parallel()
	r := read(strings.NewReader(`{"Action":"run","Test":"TestAccA"}
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
	if r.passed != 1 || !slices.Equal(r.failed, []string{"TestAccD"}) || r.skips() != "2: OpenTofu 1.12.6 has no actions" {
		t.Errorf("passed %d, failed %q, skipped %q", r.passed, r.failed, r.skips())
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
