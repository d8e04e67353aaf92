package provider_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

var recordStates = flag.Bool("record-states", false, "record in testdata/states what this version writes; never for a version that was released")

// statesOf are the directories with the states of released versions. A new version adds
// one, and changes none.
const statesOf = "testdata/states/"

// savedState is the state of one resource at one moment of its life.
type savedState struct {
	config string
	// recorded are the sessions at that moment, and record brings it about, nil for a
	// plain apply.
	recorded []simulator.Session
	record   func(*site)

	// later are the sessions when a later version reads the state.
	later []simulator.Session
	// plan is the exit code of the plan with -detailed-exitcode: 0 if nothing changes.
	plan int
	// terminates are the sessions that the destroy terminates, and fails is what it says
	// where it must fail, "" where it must succeed.
	terminates []int
	fails      string
}

func (s savedState) site(t *testing.T, sessions []simulator.Session) *site {
	t.Helper()
	server := inhabited(t, simulator.Config{}, append(sessions, visitorGone(90))...)
	return &site{Terraform: acctest.NewTerraform(t, server, s.config), t: t, server: server, upAtDrop: map[string][]int{}}
}

// savedStates are the states that must stay readable, by the names of their files.
func savedStates() map[string]savedState {
	termination := func(arguments string) string {
		return "resource \"senhasegura_session_termination\" \"this\" {\n  session_id    = \"" + visitorID(1) + "\"\n  poll_interval = \"10ms\"\n" + arguments + "\n}\n"
	}
	drain := func(arguments string) string {
		return "resource \"senhasegura_session_drain\" \"this\" {\n  match         = { devices = [\"" + guarded + "\"] }\n  poll_interval = \"10ms\"\n" + arguments + "\n}\n"
	}
	fails := func(s *site) { s.applyFails() }
	return map[string]savedState{
		"termination_terminated":    {config: termination(""), recorded: visitors(1)},
		"termination_already_ended": {config: termination(""), recorded: []simulator.Session{visitorGone(1)}},
		"termination_accepted": {
			config: termination("confirm = false\n record_id = \"1\""), recorded: visitors(1),
			later: []simulator.Session{visitorGone(1)},
		},
		"termination_not_found": {config: termination("ignore_not_found = true")},
		"termination_tainted": {
			config:   termination("timeouts = { create = \"300ms\" }"),
			recorded: []simulator.Session{visitor(1, simulator.Behavior{Zombie: true})}, record: fails,
			later: []simulator.Session{visitorGone(1)}, plan: 2,
		},
		"drain":             {config: drain("exclude = { users = [\"breakglass\"] }\n max_sessions = 5\n triggers = { machine = \"1\" }"), later: visitors(1), terminates: []int{1}},
		"drain_of_creation": {config: drain(`drain_on = ["create", "destroy"]`), recorded: visitors(1), later: visitors(2), terminates: []int{2}},
		"drain_tainted": {
			config: drain(`drain_on = ["create", "destroy"]`), recorded: []simulator.Session{visitor(1, simulator.Behavior{Refuse: true})}, record: fails,
			later: visitors(1), plan: 2, terminates: []int{1},
		},
		"drain_deposed": {
			config: drain("triggers = { machine = \"2\" }\n lifecycle {\n create_before_destroy = true\n }"),
			record: func(s *site) {
				config := s.Read("main.tf")
				s.Write("main.tf", strings.Replace(config, `"2"`, `"1"`, 1))
				s.apply()
				s.Write("main.tf", config)
				s.server.Sim.Add(visitor(1, simulator.Behavior{Refuse: true}))
				s.applyFails()
			},
			later: []simulator.Session{visitorGone(1)}, plan: 2,
		},
		"drain_unsettled": {
			config: drain(""),
			record: func(s *site) {
				s.apply()
				s.server.Sim.Add(visitor(1, simulator.Behavior{}))
				whenActed(s.server, simulator.OpDrop, 1, func() { s.server.Sim.Purge(visitorID(1)) })
				s.applyFails("-destroy")
			},
			fails: "Can't tell whether the session ended: " + lineOf(1),
		},
	}
}

// States that an earlier version has written are read, plan nothing that the moment does
// not ask for, and destroy.
func TestAccStatesOfReleases(t *testing.T) {
	t.Parallel()
	if *recordStates {
		record(t)
	}
	for name, state := range savedStates() {
		files, err := filepath.Glob(statesOf + "*/" + name + ".tfstate")
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Errorf("no version has recorded %s: run the test with -record-states before a release", name)
		}
		for _, file := range files {
			t.Run(filepath.Base(filepath.Dir(file))+"/"+name, func(t *testing.T) {
				t.Parallel()
				content, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				s := state.site(t, state.later)
				s.expectKept(string(content))
				s.Write("terraform.tfstate", string(content))
				if run := s.Run("plan", "-detailed-exitcode", "-no-color"); run.Code != state.plan {
					t.Errorf("the plan has exit code %d, want %d\n%s", run.Code, state.plan, run.Output())
				}
				s.expectTerminated()
				run := s.Run("destroy", "-auto-approve", "-no-color")
				if (run.Code != 0) != (state.fails != "") {
					t.Fatalf("the destroy has exit code %d\n%s", run.Code, run.Output())
				}
				s.expectTerminated(state.terminates...)
				if state.fails != "" {
					expectOutput(t, run, state.fails)
					return
				}
				s.expectState()
			})
		}
	}
}

// expectKept checks that this version reads each attribute of a recorded state, with the
// value that it has there. What a schema does not have, the framework drops without a
// word.
func (s *site) expectKept(recorded string) {
	s.t.Helper()
	// OpenTofu's show knows the provider only at the host of its own registry.
	host := cmp.Or(os.Getenv("TF_ACC_PROVIDER_HOST"), "registry.terraform.io")
	s.Write("terraform.tfstate", strings.ReplaceAll(recorded, `provider[\"registry.terraform.io/`, `provider[\"`+host+"/"))
	var state struct {
		Resources []struct {
			Instances []struct {
				Deposed    string         `json:"deposed"`
				Attributes map[string]any `json:"attributes"`
			} `json:"instances"`
		} `json:"resources"`
	}
	var shown struct {
		Values struct {
			Module struct {
				Resources []struct {
					Deposed string         `json:"deposed_key"`
					Values  map[string]any `json:"values"`
				} `json:"resources"`
			} `json:"root_module"`
		} `json:"values"`
	}
	for content, into := range map[string]any{recorded: &state, s.MustRun("show", "-json").Stdout: &shown} {
		if err := json.Unmarshal([]byte(content), into); err != nil {
			s.t.Fatal(err)
		}
	}
	read := map[string]map[string]any{}
	for _, r := range shown.Values.Module.Resources {
		read[r.Deposed] = r.Values
	}
	for _, r := range state.Resources {
		for _, i := range r.Instances {
			for _, fault := range notKept("", i.Attributes, read[i.Deposed]) {
				s.t.Error(fault)
			}
		}
	}
}

// notKept says which attributes of a recorded object are not in the one that was read, or
// have another value there. The object that was read may have more.
func notKept(path string, recorded, read any) []string {
	var faults []string
	switch was := recorded.(type) {
	case map[string]any:
		is, _ := read.(map[string]any)
		for name, value := range was {
			now, found := is[name]
			if !found {
				faults = append(faults, fmt.Sprintf("%s.%s was recorded, and this version does not have it", path, name))
				continue
			}
			faults = append(faults, notKept(path+"."+name, value, now)...)
		}
		return faults
	case []any:
		is, _ := read.([]any)
		if len(is) == len(was) {
			for i := range was {
				faults = append(faults, notKept(fmt.Sprintf("%s[%d]", path, i), was[i], is[i])...)
			}
			return faults
		}
	}
	if !reflect.DeepEqual(recorded, read) {
		faults = append(faults, fmt.Sprintf("%s was recorded as %v, and this version reads %v", path, recorded, read))
	}
	return faults
}

// record writes the states of this version.
func record(t *testing.T) {
	t.Helper()
	directory := filepath.Join(statesOf, releasing)
	if err := os.MkdirAll(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, state := range savedStates() {
		s := state.site(t, state.recorded)
		if state.record == nil {
			s.apply()
		} else {
			state.record(s)
		}
		if err := os.WriteFile(filepath.Join(directory, name+".tfstate"), []byte(s.Read("terraform.tfstate")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// releasing is the version that comes next.
const releasing = "0.1.0"
