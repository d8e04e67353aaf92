package acctest

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

func TestParseVersion(t *testing.T) {
	t.Parallel()
	const warning = "There are some problems with the CLI configuration:\n\nWarning: it is missing\n\n"
	for name, test := range map[string]struct {
		out  string
		want engine
	}{
		"Terraform":               {"Terraform v1.11.4\non linux_amd64\n", engine{"t", "Terraform", "1.11.4", 1, 11}},
		"release candidate":       {"Terraform v1.16.0-rc2\non linux_amd64\n", engine{"t", "Terraform", "1.16.0-rc2", 1, 16}},
		"OpenTofu":                {"OpenTofu v1.12.6\non linux_amd64\n", engine{"t", "OpenTofu", "1.12.6", 1, 12}},
		"warning in front":        {warning + "OpenTofu v1.12.6\n", engine{"t", "OpenTofu", "1.12.6", 1, 12}},
		"another program":         {"make v4.3\n", engine{}},
		"a version in a sentence": {"This is no Terraform v1.2.3\n", engine{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseVersion("t", test.out)
			if got != test.want || (err == nil) != (test.want != engine{}) {
				t.Errorf("parseVersion = %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

func TestLacks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		engine engine
		want   string
	}{
		"older Terraform":      {engine{product: "Terraform", version: "1.13.5", major: 1, minor: 13}, "Terraform 1.13.5 has no actions, which came with Terraform 1.14"},
		"first Terraform":      {engine{product: "Terraform", version: "1.14.0", major: 1, minor: 14}, ""},
		"Terraform 2":          {engine{product: "Terraform", version: "2.0.0", major: 2}, ""},
		"OpenTofu, any number": {engine{product: "OpenTofu", version: "1.20.0", major: 1, minor: 20}, "OpenTofu 1.20.0 has no actions"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.engine.lacks("actions", 14); got != test.want {
				t.Errorf("lacks = %q, want %q", got, test.want)
			}
		})
	}
}

func TestProviderBlock(t *testing.T) {
	t.Parallel()
	server := &Server{URL: "http://127.0.0.1:80", config: simulator.Config{ClientID: "id", ClientSecret: "a\"b${c}"}}
	const want = `provider "senhasegura" {
  client_id = "id"
  client_secret = "a\"b$${c}"
  url = "http://127.0.0.1:80"
  max_retries = 0
  paths = { list = "x" }
}
`
	if diff := cmp.Diff(want, server.ProviderBlock("max_retries = 0", `paths = { list = "x" }`)); diff != "" {
		t.Errorf("block (-want +got):\n%s", diff)
	}
}

// kind has a member of every kind of type.
var kind = tftypes.Object{AttributeTypes: map[string]tftypes.Type{
	"text":   tftypes.String,
	"truth":  tftypes.Bool,
	"number": tftypes.Number,
	"list":   tftypes.List{ElementType: tftypes.String},
	"set":    tftypes.Set{ElementType: tftypes.String},
	"map":    tftypes.Map{ElementType: tftypes.String},
	"object": tftypes.Object{AttributeTypes: map[string]tftypes.Type{"text": tftypes.String}},
}}

func TestEncode(t *testing.T) {
	t.Parallel()
	nothing := map[string]any{"text": nil, "truth": nil, "number": nil, "list": nil, "set": nil, "map": nil, "object": nil}
	for name, test := range map[string]struct{ given, want map[string]any }{
		"nothing": {nil, nothing},
		"everything": {
			map[string]any{
				"text": "a", "truth": true, "number": 3, "list": []string{"x", "y"}, "set": []any{"x"},
				"map": map[string]string{"k": "v"}, "object": map[string]any{"text": "b"},
			},
			map[string]any{
				"text": "a", "truth": true, "number": int64(3), "list": []any{"x", "y"}, "set": []any{"x"},
				"map": map[string]any{"k": "v"}, "object": map[string]any{"text": "b"},
			},
		},
		"empty": {
			map[string]any{"text": "", "truth": false, "number": 0.5, "list": []string{}, "set": []string{}, "map": map[string]string{}, "object": map[string]any{}},
			map[string]any{
				"text": "", "truth": false, "number": 0.5, "list": []any{}, "set": []any{},
				"map": map[string]any{}, "object": map[string]any{"text": nil},
			},
		},
		"unknown": {
			map[string]any{"text": Unknown, "truth": Unknown, "number": Unknown, "list": []any{Unknown}, "set": Unknown, "map": Unknown, "object": map[string]any{"text": Unknown}},
			map[string]any{"text": Unknown, "truth": Unknown, "number": Unknown, "list": []any{Unknown}, "set": Unknown, "map": Unknown, "object": map[string]any{"text": Unknown}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := test.given
			if given == nil {
				given = map[string]any{}
			}
			value, err := encode(kind, given)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, decode(value), cmp.AllowUnexported(unknown{})); diff != "" {
				t.Errorf("decoded (-want +got):\n%s", diff)
			}
		})
	}
	for name, given := range map[string]map[string]any{
		"no such attribute":     {"other": "a"},
		"text for a number":     {"number": "3"},
		"text for a list":       {"list": "x"},
		"list for an object":    {"object": []string{"x"}},
		"number in a map":       {"map": map[string]any{"k": 3}},
		"no such inner element": {"object": map[string]any{"other": "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if value, err := encode(kind, given); err == nil {
				t.Errorf("encoded to %v", value)
			}
		})
	}
}

// TestConforms: the rule by which a Driver finds results that break their plan.
func TestConforms(t *testing.T) {
	t.Parallel()
	type members = map[string]any
	for name, test := range map[string]struct {
		planned, applied members
		want             string // where it breaks; empty: it does not
	}{
		"as planned":             {members{"text": "a"}, members{"text": "a"}, ""},
		"unknown became known":   {members{"text": Unknown}, members{"text": "a"}, ""},
		"unknown became null":    {members{"text": Unknown}, members{}, ""},
		"another value":          {members{"text": "a", "truth": Unknown}, members{"text": "b", "truth": true}, ".text"},
		"value became null":      {members{"text": "a", "truth": Unknown}, members{"truth": true}, ".text"},
		"null became a value":    {members{"truth": Unknown}, members{"text": "a", "truth": true}, ".text"},
		"inner value":            {members{"object": members{"text": Unknown}}, members{"object": members{"text": "a"}}, ""},
		"inner value, no object": {members{"object": members{"text": Unknown}}, members{}, ".object"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			planned, err := encode(kind, test.planned)
			if err != nil {
				t.Fatal(err)
			}
			applied, err := encode(kind, test.applied)
			if err != nil {
				t.Fatal(err)
			}
			at, ok := conforms("", planned, applied)
			if ok != (test.want == "") || !ok && at != test.want {
				t.Errorf("conforms = %q, %t, want a break at %q", at, ok, test.want)
			}
		})
	}
}

func TestPathText(t *testing.T) {
	t.Parallel()
	for want, path := range map[string]*tftypes.AttributePath{
		"":                   nil,
		"session_id":         tftypes.NewAttributePath().WithAttributeName("session_id"),
		"timeouts.create":    tftypes.NewAttributePath().WithAttributeName("timeouts").WithAttributeName("create"),
		`headers["Referer"]`: tftypes.NewAttributePath().WithAttributeName("headers").WithElementKeyString("Referer"),
		"sessions[2].user":   tftypes.NewAttributePath().WithAttributeName("sessions").WithElementKeyInt(2).WithAttributeName("user"),
		"match.users[bob]": tftypes.NewAttributePath().WithAttributeName("match").WithAttributeName("users").
			WithElementKeyValue(tftypes.NewValue(tftypes.String, "bob")),
	} {
		if got := pathText(path); got != want {
			t.Errorf("pathText = %q, want %q", got, want)
		}
	}
}

// TestRequests: every operation has its word, and what reaches none is shown.
func TestRequests(t *testing.T) {
	t.Parallel()
	server := Start(t, simulator.Config{Release: simulator.ReleaseDropOnly, BasePath: "/pam"})
	session := server.Sim.Add(simulator.Session{SessionID: "hash"})
	d := NewDriver(t, server, nil)
	applied := d.Resource("senhasegura_session_termination").Apply(nil, map[string]any{"session_id": session.SessionID, "confirm": false})
	if len(applied.Diagnostics) > 0 {
		t.Error(applied.Diagnostics)
	}
	server.ExpectRequests(t, "token", "other DELETE /pam/api/pam/session/drop/hash", "drop hash")
	server.ExpectRequests(t)
}

// TestSpy hears what several servers say at the same time.
func TestSpy(t *testing.T) {
	t.Parallel()
	spy := &Spy{}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			server, err := Factories(spy)["senhasegura"]()
			if err != nil {
				t.Error(err)
				return
			}
			schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
			if err != nil {
				t.Error(err)
				return
			}
			config, err := encode(schemas.Provider.ValueType(), map[string]any{"url": "ftp://pam", "insecure": true})
			if err != nil {
				t.Error(err)
				return
			}
			dynamic, err := tfprotov6.NewDynamicValue(config.Type(), config)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := server.ValidateProviderConfig(t.Context(), &tfprotov6.ValidateProviderConfigRequest{Config: &dynamic}); err != nil {
				t.Error(err)
			}
			if _, err := server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: &dynamic}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	validated := 0
	for _, d := range spy.Errors() {
		if d.RPC == "ValidateProviderConfig" && d.Path == "url" {
			validated++
		}
	}
	if validated != 4 {
		t.Errorf("%d errors of validation heard, want 4:\n%s", validated, spy.Text())
	}
	if n := len(spy.Warnings()); n != 4 {
		t.Errorf("%d warnings heard, want 4", n)
	}
	if !strings.Contains(spy.Text(), "not verified") {
		t.Errorf("the text lacks the warning:\n%s", spy.Text())
	}
	spy.Forget()
	if text := spy.Text(); text != "" {
		t.Errorf("something is left: %q", text)
	}
}
