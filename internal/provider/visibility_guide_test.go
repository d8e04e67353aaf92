package provider_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

const visibilityGuide = "../../docs/guides/make-sure-a-drain-sees-your-machines.md"

// visibilityRecipes are the examples that the guide shows.
var visibilityRecipes = []string{"data-sources/senhasegura_visibility", "sessions-check-names", "drain-unseen-halt", "visibility-check-clock"}

// TestVisibilityGuideShowsItsRecipes: what the guide shows is what TestAccVisibilityGuide
// applies.
func TestVisibilityGuideShowsItsRecipes(t *testing.T) {
	t.Parallel()
	page := exampleFile(t, visibilityGuide)
	for _, recipe := range visibilityRecipes {
		files, err := filepath.Glob(filepath.Join(examplesDir, filepath.FromSlash(recipe), "*.tf"))
		if err != nil || len(files) != 1 {
			t.Fatalf("examples/%s: %d files, %v", recipe, len(files), err)
		}
		if content := strings.TrimSpace(exampleFile(t, files[0])); !strings.Contains(page, "```terraform\n"+content+"\n```") {
			t.Errorf("the guide does not show %s", files[0])
		}
	}
	if shown := strings.Count(page, "```terraform\n"); shown != len(visibilityRecipes) {
		t.Errorf("the guide shows %d configurations, and %d are applied", shown, len(visibilityRecipes))
	}
}

// TestAccVisibilityGuide applies the recipes of the guide: each tells a set-up that is
// right from one that is wrong.
func TestAccVisibilityGuide(t *testing.T) {
	t.Parallel()
	session := func(device string) simulator.Session {
		return exampleSession("alice-db", "alice", "root", device)
	}
	outOfScope := session("db-01.example.com:22")
	outOfScope.Behavior.Hidden = true
	elsewhere := exampleSession("carol-web", "carol", "root", "web-07.example.com:22")
	inSaoPaulo := time.FixedZone("", -3*60*60)
	const failedCheck = "Check block assertion failed"

	// run is one command: what it prints, what it must not print, and whether it fails.
	type run struct {
		command     string
		fails       bool
		says, spare []string
	}
	apply := func(says ...string) run { return run{"apply -auto-approve", false, says, []string{"Warning: "}} }
	warns := func(says ...string) run { return run{"apply -auto-approve", false, append(says, "Warning: "), nil} }
	for name, test := range map[string]struct {
		recipe   string
		sessions []simulator.Session
		zone     *time.Location
		runs     []run
		drops    []string
	}{
		"the device is visible": {
			recipe: "data-sources/senhasegura_visibility", sessions: []simulator.Session{session("db-01.example.com:22"), elsewhere},
			runs: []run{apply(`"db-01.example.com:22", "web-07.example.com:22",`), {"state show data.senhasegura_visibility.this", false, []string{"devices_by_name = 2", "read_at ="}, nil}},
		},
		"the device is out of scope": {
			recipe: "data-sources/senhasegura_visibility", sessions: []simulator.Session{outOfScope, elsewhere},
			runs: []run{warns(failedCheck, "The authorization sees no session on db-01.example.com.", `"devices" = tolist([ "web-07.example.com:22", ])`)},
		},
		"the scope is empty": {
			recipe: "data-sources/senhasegura_visibility", sessions: []simulator.Session{outOfScope},
			runs: []run{warns("This authorization sees no session at all", failedCheck)},
		},
		"the name is known": {
			recipe: "sessions-check-names", sessions: []simulator.Session{session("db-01.example.com:22")}, runs: []run{apply()},
		},
		"the name is shown short": {
			recipe: "sessions-check-names", sessions: []simulator.Session{session("db-01:22")},
			runs: []run{warns(failedCheck, `No session has match.devices "db-01.example.com". Similar: db-01`)},
		},
		"the name is mistyped": {
			recipe: "sessions-check-names", sessions: []simulator.Session{session("db-01.exampl.com:22")},
			runs: []run{warns(failedCheck, `No session has match.devices "db-01.example.com". Similar: db-01.exampl.com`)},
		},
		"halt, and the name is known": {
			recipe: "drain-unseen-halt", sessions: []simulator.Session{session("db-01.example.com:22")},
			runs: []run{
				apply(),
				{"plan -destroy", false, []string{"alice on db-01.example.com:22", "2 to destroy"}, nil},
				{"destroy -auto-approve", false, []string{"2 destroyed"}, nil},
			},
			drops: []string{"alice-db"},
		},
		"halt, and the device is shown by address": {
			recipe: "drain-unseen-halt", sessions: []simulator.Session{session("10.0.0.9:22")},
			runs: []run{
				apply(),
				{"plan -destroy", true, []string{"senhasegura lists all devices by address"}, nil},
				{"destroy -auto-approve", true, []string{"senhasegura lists all devices by address"}, []string{"destroyed"}},
				{"state list", false, []string{drainAddress, machineAddress}, nil},
			},
		},
		"halt, and the device is out of scope": {
			recipe: "drain-unseen-halt", sessions: []simulator.Session{outOfScope, elsewhere},
			runs: []run{
				apply(),
				{"destroy -auto-approve", true, []string{"`match.devices` \"db-01.example.com\""}, []string{"destroyed"}},
				{"state list", false, []string{drainAddress, machineAddress}, nil},
			},
		},
		"the time zone is right": {
			recipe: "visibility-check-clock", sessions: []simulator.Session{session("db-01.example.com:22")}, zone: inSaoPaulo, runs: []run{apply("-03:00")},
		},
		"the time zone is wrong": {
			recipe: "visibility-check-clock", sessions: []simulator.Session{session("db-01.example.com:22")}, zone: time.UTC, runs: []run{warns(failedCheck, "correct time_zone")},
		},
		"the time zone can't be checked": {
			recipe: "visibility-check-clock", zone: inSaoPaulo, runs: []run{warns(failedCheck)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t, simulator.Config{Location: test.zone})
			connect(test.sessions...)(server)
			tf := example(t, server, test.recipe, func(string) bool { return true })
			for _, r := range test.runs {
				arguments := strings.Fields(r.command)
				if arguments[0] != "state" {
					arguments = append(arguments, "-no-color")
				}
				done := tf.Run(arguments...)
				if (done.Code != 0) != r.fails {
					t.Errorf("terraform %s: exit code %d\n%s", r.command, done.Code, done.Output())
				}
				printed := strings.ReplaceAll(flattened(done.Output()), "Warning: Provider development overrides", "")
				for _, part := range r.says {
					if !strings.Contains(printed, part) {
						t.Errorf("terraform %s does not print %q:\n%s", r.command, part, printed)
					}
				}
				for _, part := range r.spare {
					if strings.Contains(printed, part) {
						t.Errorf("terraform %s prints %q:\n%s", r.command, part, printed)
					}
				}
			}
			if drops := dropsOf(server); !slices.Equal(drops, test.drops) {
				t.Errorf("drops: %q, want %q", drops, test.drops)
			}
		})
	}
}
