package main

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWaysOf(t *testing.T) {
	t.Parallel()
	named := func(ways []way) []string {
		var names []string
		for _, w := range ways {
			names = append(names, w.configuration)
		}
		return names
	}
	for name, test := range map[string]struct {
		programs []string
		curl     bool
		want     []string
		err      string
	}{
		"without anything":   {want: []string{"senhasegura.tf"}},
		"with curl":          {curl: true, want: []string{"senhasegura.tf", "curl.tf", "curl-check.tf"}},
		"with two programs":  {programs: []string{"a/terraform-provider-terracurl", "terraform-provider-restful_v0.25.2.exe"}, want: []string{"senhasegura.tf", "terracurl.tf", "terracurl-check.tf", "restful.tf", "restful-check.tf"}},
		"an unknown program": {programs: []string{"terraform-provider-http_v3.6.0"}, err: "terraform-provider-restful, terraform-provider-restapi, terraform-provider-terracurl"},
		"another file":       {programs: []string{"restful"}, err: "restful is not known"},
		"a program twice":    {programs: []string{"terraform-provider-restful_v1.0.0", "terraform-provider-restful"}, err: "another program"},
	} {
		ways, err := waysOf(test.programs, test.curl)
		switch {
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%s: error %v, want %q", name, err, test.err)
		case test.err == "" && (err != nil || !slices.Equal(named(ways), test.want)):
			t.Errorf("%s: %q, %v, want %q", name, named(ways), err, test.want)
		}
	}
}

// TestConfigurations finds a configuration that no way uses, and a way that names
// another source than its configuration.
func TestConfigurations(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(configurations, "configurations/*.tf")
	if err != nil {
		t.Fatal(err)
	}
	unused := map[string]bool{}
	for _, file := range files {
		unused[strings.TrimPrefix(file, "configurations/")] = true
	}
	delete(unused, "shared.tf")
	for _, w := range slices.Concat([]way{ours}, noops, curls, peers) {
		delete(unused, w.configuration)
		text, err := configurations.ReadFile("configurations/" + w.configuration)
		if err != nil {
			t.Error(err)
		} else if w.source != "" && !strings.Contains(string(text), `source = "`+w.source+`"`) {
			t.Errorf("%s does not require %s", w.configuration, w.source)
		}
	}
	if len(unused) > 0 {
		t.Errorf("no way uses %q", slices.Sorted(maps.Keys(unused)))
	}
}

func TestReported(t *testing.T) {
	t.Parallel()
	done, err := reported([]byte(`{
  "resources": [
    {"mode": "data", "name": "token", "instances": [{}]},
    {"mode": "data", "name": "each", "instances": [{"index_key": 7}]},
    {"mode": "managed", "name": "each", "instances": [
      {"index_key": 0}, {"index_key": 1, "status": "tainted"}, {"index_key": 2}, {"index_key": 3}, {"index_key": 4}
    ]}
  ],
  "check_results": [{"objects": [
    {"object_addr": "a.each[0]", "status": "pass"}, {"object_addr": "a.each[2]", "status": "fail"}, {"object_addr": "data.a.after[3]", "status": "unknown"}
  ]}]
}`))
	if got := slices.Sorted(maps.Keys(done)); err != nil || !slices.Equal(got, []int{0, 4}) {
		t.Errorf("got %v, %v, want 0 and 4", got, err)
	}
	if done, err := reported(nil); err != nil || len(done) > 0 {
		t.Errorf("without a state: %v, %v", done, err)
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	itself := func(_ int, value float64) float64 { return value }
	if got := figures("%.1f", " s", []float64{3, 1.04, 2}, itself); got != "2.0 s (1.0 to 3.0)" {
		t.Errorf("got %s", got)
	}
	if got := figures("%.0f", "", []float64{3, 3}, itself); got != "3" {
		t.Errorf("got %s", got)
	}
}

// TestAccWays applies, with three sessions each, what needs no other provider, and
// holds what BENCHMARKS.md says of it.
func TestAccWays(t *testing.T) {
	t.Parallel()
	b := benchOf(t)
	const sessions = 3
	for _, w := range append([]way{ours}, curls...) {
		for _, c := range append([]circumstance{works}, circumstances...) {
			t.Run(w.name+" when the API "+c.name, func(t *testing.T) {
				t.Parallel()
				if w.provider == "" {
					if _, err := exec.LookPath("curl"); err != nil {
						t.Skip("there is no curl on PATH")
					}
				}
				r, err := b.apply(t.Context(), w, c, sessions)
				if err != nil {
					t.Fatal(err)
				}
				liveAfter := c.name == circumstances[0].name || c.name == circumstances[1].name
				lost := c.name == circumstances[2].name
				want := result{reported: sessions}
				switch {
				case w.configuration == "curl.tf" && liveAfter: // the report is false
					want.live, want.falseReports = sessions, sessions
				case w.configuration == "curl.tf" && lost:
					want.code, want.reported, want.missedEnds = 1, 0, sessions
				case liveAfter:
					want.code, want.reported, want.live = 1, 0, sessions
				}
				got := result{code: r.code, reported: r.reported, live: r.live, falseReports: r.falseReports, missedEnds: r.missedEnds, bearers: r.bearers, secrets: r.secrets}
				if difference := cmp.Diff(want, got, cmp.AllowUnexported(result{})); difference != "" {
					t.Errorf("want and got differ (%s):\n%s", r.problem, difference)
				}
			})
		}
	}
}

// TestAccNoop checks that the resource that does nothing can be compared: besideNoop
// refuses a state of another length.
func TestAccNoop(t *testing.T) {
	t.Parallel()
	pairs, err := benchOf(t).besideNoop(t.Context(), noops[0], 1, 20)
	if err != nil {
		t.Fatal(err)
	}
	if p := pairs[0]; p.noop.live != 20 || len(p.noop.requests) > 0 || p.ours.live > 0 {
		t.Errorf("the no-op made the requests %v and left %d sessions live, a termination left %d", p.noop.requests, p.noop.live, p.ours.live)
	}
}

func benchOf(t *testing.T) *bench {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("tests with a real Terraform need TF_ACC=1")
	}
	terraform := os.Getenv("TF_ACC_TERRAFORM_PATH")
	if terraform == "" {
		terraform = "terraform"
	}
	b, err := newBench(t.Context(), settings{root: "../..", terraform: terraform, sessions: 1, rounds: 1, limit: 2 * time.Minute}, []way{ours})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(b.work) }) // a leftover in the temporary directory fails no test
	return b
}
