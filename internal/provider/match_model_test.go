package provider

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	actionschema "github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	resourceschema "github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

func matchTypes() map[string]attr.Type {
	members := map[string]attr.Type{session.FieldOlderThan: types.StringType}
	for _, set := range matchSets {
		members[set.field] = types.SetType{ElemType: types.StringType}
	}
	return members
}

// matchObject makes a match; arguments left out are null.
func matchObject(t *testing.T, values map[string]attr.Value) types.Object {
	t.Helper()
	members := map[string]attr.Value{session.FieldOlderThan: types.StringNull()}
	for _, set := range matchSets {
		members[set.field] = types.SetNull(types.StringType)
	}
	maps.Copy(members, values)
	object, diags := types.ObjectValue(matchTypes(), members)
	if diags.HasError() {
		t.Fatal(diags)
	}
	return object
}

func textSet(t *testing.T, values ...string) types.Set {
	t.Helper()
	set, diags := types.SetValueFrom(t.Context(), types.StringType, append([]string{}, values...))
	if diags.HasError() {
		t.Fatal(diags)
	}
	return set
}

func TestMatchFromConvertsEveryArgument(t *testing.T) {
	t.Parallel()
	object := matchObject(t, map[string]attr.Value{
		"session_ids": textSet(t, "hash"), "users": textSet(t, "alice", "bob"), "credentials": textSet(t, "root"), "devices": textSet(t, "db:22"),
		"protocols": textSet(t, "ssh"), "proxies": textSet(t, "Web Proxy"), "origin_ips": textSet(t, "10.0.0.0/8"),
		"older_than": types.StringValue("8h"),
	})
	want := session.Match{
		SessionIDs: []string{"hash"}, Users: []string{"alice", "bob"}, Credentials: []string{"root"}, Devices: []string{"db:22"},
		Protocols: []string{"ssh"}, Proxies: []string{"Web Proxy"}, OriginIPs: []string{"10.0.0.0/8"}, OlderThan: 8 * time.Hour,
	}
	got, known, diags := matchFrom(t.Context(), path.Root("match"), object)
	slices.Sort(got.Users)
	if !known || diags.HasError() || !reflect.DeepEqual(got, want) {
		t.Errorf("matchFrom = %+v, known %v, %v; want %+v", got, known, diags, want)
	}
}

func TestMatchFromNullAndUnknown(t *testing.T) {
	t.Parallel()
	unknownElement, diags := types.SetValue(types.StringType, []attr.Value{types.StringUnknown(), types.StringValue("alice")})
	if diags.HasError() {
		t.Fatal(diags)
	}
	tests := map[string]struct {
		object types.Object
		known  bool
	}{
		"null":            {types.ObjectNull(matchTypes()), true},
		"nothing set":     {matchObject(t, nil), true},
		"unknown":         {types.ObjectUnknown(matchTypes()), false},
		"unknown set":     {matchObject(t, map[string]attr.Value{"users": types.SetUnknown(types.StringType)}), false},
		"unknown element": {matchObject(t, map[string]attr.Value{"users": unknownElement}), false},
		"unknown age":     {matchObject(t, map[string]attr.Value{"older_than": types.StringUnknown()}), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			match, known, diags := matchFrom(t.Context(), path.Root("match"), test.object)
			if known != test.known || diags.HasError() || !match.IsZero() {
				t.Errorf("matchFrom = %+v, known %v, %v; want nothing set, known %v", match, known, diags, test.known)
			}
			null := types.ObjectNull(matchTypes())
			for _, pair := range [][2]types.Object{{test.object, null}, {null, test.object}} {
				selector, diags := selectorFrom(t.Context(), pair[0], pair[1], true)
				if diags.HasError() || (selector != nil) != test.known {
					t.Errorf("selectorFrom = %v, %v; want a selector: %v", selector, diags, test.known)
				}
			}
		})
	}
}

func TestSelectorFromReportsBothObjectsInOrder(t *testing.T) {
	t.Parallel()
	faulty := matchObject(t, map[string]attr.Value{
		"users": textSet(t), "origin_ips": textSet(t, "laptop"), "older_than": types.StringValue("-1h"),
	})
	selector, diags := selectorFrom(t.Context(), faulty, faulty, false)
	if selector != nil {
		t.Error("a faulty match gives a selector")
	}
	got := make([]string, 0, len(diags))
	for _, d := range diags {
		at, ok := d.(diag.DiagnosticWithPath)
		if !ok {
			t.Fatalf("%v has no path", d)
		}
		got = append(got, at.Path().String())
	}
	want := []string{
		"match.users", `match.origin_ips[Value("laptop")]`, "match.older_than",
		"exclude.users", `exclude.origin_ips[Value("laptop")]`, "exclude.older_than",
	}
	if !slices.Equal(got, want) {
		t.Errorf("paths = %q, want %q", got, want)
	}
}

func TestRefuseEmptyMatch(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		object  types.Object
		refused bool
	}{
		"nothing set": {matchObject(t, nil), true},
		"null":        {types.ObjectNull(matchTypes()), true},
		"unknown":     {types.ObjectUnknown(matchTypes()), false},
		"a set":       {matchObject(t, map[string]attr.Value{"users": textSet(t, "alice")}), false},
		"an age":      {matchObject(t, map[string]attr.Value{"older_than": types.StringValue("1h")}), false},
		"unknown set": {matchObject(t, map[string]attr.Value{"users": types.SetUnknown(types.StringType)}), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for orEveryone, want := range map[bool]bool{true: false, false: test.refused} {
				if _, diags := selectorFrom(t.Context(), test.object, types.ObjectNull(matchTypes()), orEveryone); diags.HasError() != want {
					t.Errorf("everyone is meant where nothing is set: %v; refused = %v, want %v", orEveryone, diags.HasError(), want)
				}
			}
			if test.object.IsNull() {
				return // a required attribute reports a missing one itself
			}
			for kind, rules := range map[string][]validator.Object{
				"resource": resourceMatch("", true).Validators,
				"action":   actionMatch("", true).Validators,
			} {
				var resp validator.ObjectResponse
				for _, rule := range rules {
					rule.ValidateObject(t.Context(), validator.ObjectRequest{Path: path.Root("match"), ConfigValue: test.object}, &resp)
				}
				if got := resp.Diagnostics.HasError(); got != test.refused {
					t.Errorf("%s: refused = %v, want %v", kind, got, test.refused)
				}
			}
		})
	}
}

// The three schema packages share no type, so that nothing but a test keeps the
// three forms of a match the same.
func TestMatchSchemasAreEqual(t *testing.T) {
	t.Parallel()
	source := dataSourceMatch("words")
	if !source.Optional || source.MarkdownDescription != "words" {
		t.Errorf("data source: %+v", source)
	}
	for _, required := range []bool{true, false} {
		resource, action := resourceMatch("words", required), actionMatch("words", required)
		if resource.Required != required || resource.Optional == required || action.Required != required || action.Optional == required {
			t.Errorf("required %v is not passed on", required)
		}
		if got := len(resource.Validators) == 1 && len(action.Validators) == 1; got != required {
			t.Errorf("required %v, checked for emptiness %v", required, got)
		}
		for name, kind := range matchTypes() {
			words := source.Attributes[name].GetMarkdownDescription()
			if words == "" || words != resource.Attributes[name].GetMarkdownDescription() || words != action.Attributes[name].GetMarkdownDescription() {
				t.Errorf("%s: descriptions differ", name)
			}
			if !kind.Equal(source.Attributes[name].GetType()) || !kind.Equal(resource.Attributes[name].GetType()) || !kind.Equal(action.Attributes[name].GetType()) {
				t.Errorf("%s: types differ from %s", name, kind)
			}
		}
		if len(source.Attributes) != len(matchTypes()) || len(resource.Attributes) != len(matchTypes()) || len(action.Attributes) != len(matchTypes()) {
			t.Error("the schemas have different numbers of attributes")
		}
		checksOf := func(attribute any) int {
			switch attribute := attribute.(type) {
			case resourceschema.SetAttribute:
				return len(attribute.Validators)
			case actionschema.SetAttribute:
				return len(attribute.Validators)
			case resourceschema.StringAttribute:
				return len(attribute.Validators)
			case actionschema.StringAttribute:
				return len(attribute.Validators)
			}
			return 0
		}
		for name := range matchTypes() {
			if checksOf(resource.Attributes[name]) != 1 || checksOf(action.Attributes[name]) != 1 {
				t.Errorf("%s is not checked", name)
			}
		}
	}
}

func TestMatchRulesDescribeThemselves(t *testing.T) {
	t.Parallel()
	if text := (matchRule{}).MarkdownDescription(t.Context()); !strings.Contains(text, "at least one") {
		t.Errorf("matchRule: %q", text)
	}
	if text := (matchSetRule{"users"}).MarkdownDescription(t.Context()); !strings.Contains(text, "at least one") {
		t.Errorf("matchSetRule: %q", text)
	}
}
