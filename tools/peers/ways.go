package main

import (
	"embed"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// configurations are complete but for shared.tf, which each of them uses.
//
//go:embed configurations/*.tf
var configurations embed.FS

// way is a way to terminate sessions with Terraform.
type way struct {
	name          string
	configuration string // file of configurations
	provider      string // type of the provider; empty for a built-in one
	source        string
	program       string // path, which the caller gives
	environment   []string
}

const programPrefix = "terraform-provider-"

var (
	ours = way{name: "`senhasegura_session_termination`", configuration: "senhasegura.tf", provider: "senhasegura", source: "senhasegura/senhasegura"}

	// noops are compared in the same process settings as this provider, and in those
	// that a program of the plugin framework has.
	noops = []way{
		{name: "those of this provider", configuration: "noop.tf", provider: "noop", source: "senhasegura/noop"},
		{name: "defaults", configuration: "noop.tf", provider: "noop", source: "senhasegura/noop", environment: []string{"NOOP_DEFAULTS=1"}},
	}

	// curls need no program but curl.
	curls = []way{
		{name: "`terraform_data` with `curl`", configuration: "curl.tf"},
		{name: "`terraform_data` with `curl`, and a check", configuration: "curl-check.tf"},
	}
	peers = []way{
		{name: "`restful_operation`", configuration: "restful.tf", provider: "restful", source: "magodo/restful"},
		{name: "`restful_operation` with `poll`", configuration: "restful-check.tf", provider: "restful", source: "magodo/restful"},
		{name: "`restapi_object`", configuration: "restapi.tf", provider: "restapi", source: "Mastercard/restapi"},
		{name: "`restapi_object` with a postcondition", configuration: "restapi-check.tf", provider: "restapi", source: "Mastercard/restapi"},
		{name: "`terracurl_request`", configuration: "terracurl.tf", provider: "terracurl", source: "devops-rob/terracurl"},
		{name: "`terracurl_request`, and a check", configuration: "terracurl-check.tf", provider: "terracurl", source: "devops-rob/terracurl"},
	}
)

// waysOf gives this provider and the ways that the programs make possible. A
// program that none of them uses is an error.
func waysOf(programs []string, curl bool) ([]way, error) {
	ways := []way{ours}
	if curl {
		ways = append(ways, curls...)
	}
	given := map[string]bool{}
	for _, program := range programs {
		name, _ := nameAndVersion(program)
		if given[name] {
			return nil, fmt.Errorf("%s: there is another program of this provider before it", program)
		}
		for _, w := range peers {
			if w.provider == name {
				given[name] = true
				w.program = program
				ways = append(ways, w)
			}
		}
		if !given[name] {
			return nil, fmt.Errorf("%s is not known: the file name must be one of %s, with or without a version such as _v1.2.3",
				program, strings.Join(knownPrograms(), ", "))
		}
	}
	return ways, nil
}

// knownPrograms are the file names of peers, each once.
func knownPrograms() []string {
	names := make([]string, 0, len(peers))
	for _, w := range peers {
		names = append(names, programPrefix+w.provider)
	}
	return slices.Compact(names)
}

// nameAndVersion reads a file name such as terraform-provider-restful_v0.25.2.
// The version is empty where the name has none.
func nameAndVersion(program string) (name, version string) {
	name = strings.TrimSuffix(filepath.Base(program), ".exe")
	name, prefixed := strings.CutPrefix(name, programPrefix)
	if !prefixed {
		return "", ""
	}
	name, version, _ = strings.Cut(name, "_")
	return name, version
}

// circumstance is how the API behaves during an apply.
type circumstance struct {
	name    string
	arrange func(*simulator.Simulator, []simulator.Session)
}

var works = circumstance{"works", func(*simulator.Simulator, []simulator.Session) {}}

// circumstances are those in which a response alone says too little.
var circumstances = []circumstance{
	{"responds with status 200 and an error in the body", func(sim *simulator.Simulator, _ []simulator.Session) {
		sim.Inject(simulator.Fault{Kind: simulator.ErrorTrue200, Op: simulator.OpDrop})
	}},
	{"accepts and does nothing", func(sim *simulator.Simulator, sessions []simulator.Session) {
		for _, s := range sessions {
			sim.SetBehavior(s.SessionID, simulator.Behavior{Zombie: true})
		}
	}},
	{"terminates, and the first response is lost", func(sim *simulator.Simulator, sessions []simulator.Session) {
		for _, s := range sessions {
			sim.Inject(simulator.Fault{Kind: simulator.CutAfter, Op: simulator.OpDrop, Object: s.SessionID, Times: 1})
		}
	}},
}
