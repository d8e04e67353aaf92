package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

const example = "registry.terraform.io/example/example"

// server answers the two schema questions and nothing else: another call is a
// nil dereference, which fails the test.
type server struct {
	tfprotov6.ProviderServer

	schemas    *tfprotov6.GetProviderSchemaResponse
	identities *tfprotov6.GetResourceIdentitySchemasResponse
	err        error
}

func (s server) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	if s.schemas == nil {
		return &tfprotov6.GetProviderSchemaResponse{}, s.err
	}
	return s.schemas, s.err
}

func (s server) GetResourceIdentitySchemas(context.Context, *tfprotov6.GetResourceIdentitySchemasRequest) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	if s.identities == nil {
		return &tfprotov6.GetResourceIdentitySchemasResponse{}, nil
	}
	return s.identities, nil
}

// TestMarshal states the form by example. The expected text follows what
// Terraform prints for schemas of each kind.
func TestMarshal(t *testing.T) {
	t.Parallel()

	object := &tfprotov6.SchemaObject{
		Nesting: tfprotov6.SchemaObjectNestingModeSet,
		Attributes: []*tfprotov6.SchemaAttribute{
			{Name: "port", Type: tftypes.Number, Optional: true, Deprecated: true},
		},
	}
	resource := &tfprotov6.Schema{Version: 2, Block: &tfprotov6.SchemaBlock{
		Description:     "A **thing**.",
		DescriptionKind: tfprotov6.StringKindMarkdown,
		Attributes: []*tfprotov6.SchemaAttribute{
			{Name: "tags", Type: tftypes.Map{ElementType: tftypes.String}, Required: true, Sensitive: true},
			{Name: "ports", NestedType: object, Computed: true},
			{Name: "shape", Type: tftypes.Object{AttributeTypes: map[string]tftypes.Type{"round": tftypes.Bool}}, Optional: true, WriteOnly: true},
		},
	}}
	got, err := marshal(t.Context(), server{
		schemas: &tfprotov6.GetProviderSchemaResponse{
			Provider:          &tfprotov6.Schema{Block: &tfprotov6.SchemaBlock{}},
			ResourceSchemas:   map[string]*tfprotov6.Schema{"example_thing": resource},
			DataSourceSchemas: map[string]*tfprotov6.Schema{"example_source": {Block: &tfprotov6.SchemaBlock{Deprecated: true}}},
			ActionSchemas:     map[string]*tfprotov6.ActionSchema{"example_act": {Schema: &tfprotov6.Schema{Block: &tfprotov6.SchemaBlock{}}}},
		},
		identities: &tfprotov6.GetResourceIdentitySchemasResponse{
			IdentitySchemas: map[string]*tfprotov6.ResourceIdentitySchema{"example_thing": {
				Version: 1,
				IdentityAttributes: []*tfprotov6.ResourceIdentitySchemaAttribute{
					{Name: "name", Type: tftypes.String, RequiredForImport: true, Description: "Its name."},
				},
			}},
		},
	}, example)
	if err != nil {
		t.Fatal(err)
	}

	want := `{
  "format_version": "1.0",
  "provider_schemas": {"registry.terraform.io/example/example": {
    "provider": {"version": 0, "block": {"description_kind": "plain"}},
    "resource_schemas": {"example_thing": {"version": 2, "block": {
      "description": "A **thing**.", "description_kind": "markdown",
      "attributes": {
        "tags": {"type": ["map", "string"], "description_kind": "plain", "required": true, "sensitive": true},
        "ports": {"description_kind": "plain", "computed": true, "nested_type": {"nesting_mode": "set", "attributes": {
          "port": {"type": "number", "description_kind": "plain", "optional": true, "deprecated": true}}}},
        "shape": {"type": ["object", {"round": "bool"}], "description_kind": "plain", "optional": true, "write_only": true}
      }
    }}},
    "data_source_schemas": {"example_source": {"version": 0, "block": {"description_kind": "plain", "deprecated": true}}},
    "action_schemas": {"example_act": {"block": {"description_kind": "plain"}}},
    "resource_identity_schemas": {"example_thing": {"version": 1, "attributes": {
      "name": {"type": "string", "description": "Its name.", "required_for_import": true}}}}
  }}
}`
	if diff := cmp.Diff(decode(t, []byte(want)), decode(t, got)); diff != "" {
		t.Errorf("the printed schemas differ (-want +got):\n%s", diff)
	}
	if !strings.HasSuffix(string(got), "}\n") {
		t.Error("the text does not end with one newline")
	}
}

func TestMarshalFails(t *testing.T) {
	t.Parallel()

	broken := errors.New("no answer")
	withAttribute := func(a *tfprotov6.SchemaAttribute) *tfprotov6.GetProviderSchemaResponse {
		return &tfprotov6.GetProviderSchemaResponse{ResourceSchemas: map[string]*tfprotov6.Schema{
			"example_thing": {Block: &tfprotov6.SchemaBlock{Attributes: []*tfprotov6.SchemaAttribute{a}}},
		}}
	}
	tests := map[string]struct {
		server server
		want   string
	}{
		"the provider does not answer": {server{err: broken}, "no answer"},
		"an error diagnostic": {server{schemas: &tfprotov6.GetProviderSchemaResponse{Diagnostics: []*tfprotov6.Diagnostic{
			{Severity: tfprotov6.DiagnosticSeverityError, Summary: "Bad schema", Detail: "two of a kind"},
		}}}, "Bad schema: two of a kind"},
		"an error diagnostic about identities": {server{identities: &tfprotov6.GetResourceIdentitySchemasResponse{Diagnostics: []*tfprotov6.Diagnostic{
			{Severity: tfprotov6.DiagnosticSeverityError, Summary: "Bad identity", Detail: "no attribute"},
		}}}, "Bad identity: no attribute"},
		"an attribute without a type":     {server{schemas: withAttribute(&tfprotov6.SchemaAttribute{Name: "size"})}, "example_thing: size"},
		"an attribute of no nesting mode": {server{schemas: withAttribute(&tfprotov6.SchemaAttribute{Name: "size", NestedType: &tfprotov6.SchemaObject{}})}, "nesting mode INVALID"},
		"a nested block": {server{schemas: &tfprotov6.GetProviderSchemaResponse{Provider: &tfprotov6.Schema{Block: &tfprotov6.SchemaBlock{
			BlockTypes: []*tfprotov6.SchemaNestedBlock{{TypeName: "rule"}},
		}}}}, "nested blocks"},
		"a negative version":               {server{schemas: &tfprotov6.GetProviderSchemaResponse{Provider: &tfprotov6.Schema{Version: -1, Block: &tfprotov6.SchemaBlock{}}}}, "-1"},
		"a kind that would not be printed": {server{schemas: &tfprotov6.GetProviderSchemaResponse{Functions: map[string]*tfprotov6.Function{"f": {}}}}, "functions"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := marshal(t.Context(), test.server, example)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one that contains %q", err, test.want)
			}
			if got != nil {
				t.Errorf("printed %s along with the error", got)
			}
		})
	}
}

func decode(t *testing.T, document []byte) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(document, &value); err != nil {
		t.Fatalf("not JSON: %v", err)
	}
	return value
}
