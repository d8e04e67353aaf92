package provider

import (
	"context"
	"time"

	actionschema "github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	datasourceschema "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	resourceschema "github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// The descriptions of `match` and `exclude` that data source, resource and action
// share.
const (
	matchDescription   = "Selects sessions. A session matches if it satisfies every argument that is set. A set is satisfied by any one of its values."
	excludeDescription = "Sessions to leave open even if they match, such as break-glass accounts or the runner's own session. Takes the same arguments as `match`. A session is excluded if its ID is in `session_ids`, or if it satisfies every other argument that is set."
)

// matchSets are the arguments of a match that are sets, with their descriptions and
// fields.
var matchSets = []struct {
	field, words string
	of           func(*session.Match) *[]string
}{
	{
		session.FieldSessionIDs,
		"Session IDs. Case-sensitive.",
		func(m *session.Match) *[]string { return &m.SessionIDs },
	},
	{
		session.FieldUsers,
		"senhasegura user names. Case-insensitive. `alice`, `CORP\\alice` and `alice@corp.example.com` may be the same user: the provider can't decide whether one matches another. Write the user as senhasegura shows it.",
		func(m *session.Match) *[]string { return &m.Users },
	},
	{
		session.FieldCredentials,
		"Credentials used on the device. Case-insensitive. Different forms of a name are treated as in `users`.",
		func(m *session.Match) *[]string { return &m.Credentials },
	},
	{
		session.FieldDevices,
		"Devices. A host name or an IP address matches any port; `host:port` matches only that port. Write an IPv6 address with a port in brackets. " +
			"Names are case-insensitive; addresses are compared by value. `db-01` and `db-01.example.com` may be the same device: the provider can't decide whether one matches the other. Write the name as senhasegura shows it.",
		func(m *session.Match) *[]string { return &m.Devices },
	},
	{
		session.FieldProtocols,
		"Protocols, such as `ssh` or `rdp`. Case-insensitive.",
		func(m *session.Match) *[]string { return &m.Protocols },
	},
	{
		session.FieldProxies,
		"senhasegura proxies, such as `Web Proxy`. Case-insensitive.",
		func(m *session.Match) *[]string { return &m.Proxies },
	},
	{
		session.FieldOriginIPs,
		"IP addresses from which users are connected, or prefixes such as `10.0.0.0/8`.",
		func(m *session.Match) *[]string { return &m.OriginIPs },
	},
}

const olderThanDescription = "Matches sessions that started at least this long ago, as a duration such as `8h`. Requires the provider's `time_zone`."

// The framework has three packages of schemas, which share no type: the match stands once
// for each.

// dataSourceMatch is the optional `match` or `exclude` of a data source.
func dataSourceMatch(description string) datasourceschema.SingleNestedAttribute {
	attributes := map[string]datasourceschema.Attribute{
		session.FieldOlderThan: datasourceschema.StringAttribute{
			MarkdownDescription: olderThanDescription,
			Optional:            true,
			Validators:          []validator.String{positiveDuration},
		},
	}
	for _, set := range matchSets {
		attributes[set.field] = datasourceschema.SetAttribute{
			MarkdownDescription: set.words,
			Optional:            true,
			ElementType:         types.StringType,
			Validators:          []validator.Set{matchSetRule{set.field}},
		}
	}
	return datasourceschema.SingleNestedAttribute{MarkdownDescription: description, Optional: true, Attributes: attributes}
}

// resourceMatch is the `match` or `exclude` of a resource. A required one must
// set something. Plan modifiers are the caller's.
func resourceMatch(description string, required bool) resourceschema.SingleNestedAttribute {
	attributes := map[string]resourceschema.Attribute{
		session.FieldOlderThan: resourceschema.StringAttribute{
			MarkdownDescription: olderThanDescription,
			Optional:            true,
			Validators:          []validator.String{positiveDuration},
		},
	}
	for _, set := range matchSets {
		attributes[set.field] = resourceschema.SetAttribute{
			MarkdownDescription: set.words,
			Optional:            true,
			ElementType:         types.StringType,
			Validators:          []validator.Set{matchSetRule{set.field}},
		}
	}
	return resourceschema.SingleNestedAttribute{
		MarkdownDescription: description,
		Required:            required,
		Optional:            !required,
		Attributes:          attributes,
		Validators:          matchValidators(required),
	}
}

// actionMatch is the `match` or `exclude` of an action. A required one must set
// something.
func actionMatch(description string, required bool) actionschema.SingleNestedAttribute {
	attributes := map[string]actionschema.Attribute{
		session.FieldOlderThan: actionschema.StringAttribute{
			MarkdownDescription: olderThanDescription,
			Optional:            true,
			Validators:          []validator.String{positiveDuration},
		},
	}
	for _, set := range matchSets {
		attributes[set.field] = actionschema.SetAttribute{
			MarkdownDescription: set.words,
			Optional:            true,
			ElementType:         types.StringType,
			Validators:          []validator.Set{matchSetRule{set.field}},
		}
	}
	return actionschema.SingleNestedAttribute{
		MarkdownDescription: description,
		Required:            required,
		Optional:            !required,
		Attributes:          attributes,
		Validators:          matchValidators(required),
	}
}

func matchValidators(required bool) []validator.Object {
	if !required {
		return nil
	}
	return []validator.Object{matchRule{}}
}

// selectorFrom validates and compiles a `match` and an `exclude`, which may be null,
// with every fault on the value at fault. The selector is nil if something is wrong,
// and also, without diagnostics, if something is not known yet. A match that sets
// nothing matches every session if orEveryone, otherwise it is a fault.
func selectorFrom(ctx context.Context, match, exclude types.Object, orEveryone bool) (*session.Selector, diag.Diagnostics) {
	wanted, matchKnown, diags := matchFrom(ctx, path.Root("match"), match)
	protected, excludeKnown, faults := matchFrom(ctx, path.Root("exclude"), exclude)
	diags.Append(faults...)
	if diags.HasError() || !matchKnown || !excludeKnown {
		return nil, diags
	}
	if wanted.IsZero() {
		if !orEveryone {
			return nil, append(diags, emptyMatch(path.Root("match")))
		}
		wanted = session.Everyone
	}
	selector, err := session.NewSelector(wanted, protected)
	if err != nil {
		// matchFrom has reported everything that NewSelector refuses, on its own path.
		return nil, append(diags, invalidSelector(err))
	}
	return selector, diags
}

// matchFrom converts and validates the object at the given path. It validates again
// what the validators of the schema did, because values may have been unknown then.
// known is false if a value is unknown; the match is then not complete and must not be
// used.
func matchFrom(ctx context.Context, at path.Path, object types.Object) (match session.Match, known bool, diags diag.Diagnostics) {
	if object.IsNull() {
		return session.Match{}, true, nil
	}
	if object.IsUnknown() {
		return session.Match{}, false, nil
	}
	known = true
	attributes := object.Attributes()
	for _, argument := range matchSets {
		set, ok := attributes[argument.field].(types.Set)
		if !ok || set.IsNull() {
			continue
		}
		if !whollyKnown(set) {
			known = false
			continue
		}
		faults := setFaults(argument.field, at.AtName(argument.field), set)
		diags.Append(faults...)
		if !faults.HasError() {
			diags.Append(set.ElementsAs(ctx, argument.of(&match), false)...)
		}
	}
	age, ok := attributes[session.FieldOlderThan].(types.String)
	switch {
	case !ok || age.IsNull():
	case age.IsUnknown():
		known = false
	default:
		diags.Append(setAge(&match, at.AtName(session.FieldOlderThan), age)...)
	}
	return match, known, diags
}

func setAge(match *session.Match, at path.Path, age types.String) diag.Diagnostics {
	var diags diag.Diagnostics
	match.OlderThan, diags = durationOf(at, age, time.Nanosecond)
	return diags
}

func whollyKnown(set types.Set) bool {
	if set.IsUnknown() {
		return false
	}
	for _, element := range set.Elements() {
		if element.IsUnknown() {
			return false
		}
	}
	return true
}

// setsNothing reports whether every argument of the object is null. An unknown one may
// be set later.
func setsNothing(object types.Object) bool {
	for _, value := range object.Attributes() {
		if !value.IsNull() {
			return false
		}
	}
	return true
}

// matchRule refuses a match that sets nothing.
type matchRule struct{}

func (matchRule) Description(context.Context) string { return "at least one argument must be set" }

func (r matchRule) MarkdownDescription(ctx context.Context) string { return r.Description(ctx) }

func (matchRule) ValidateObject(_ context.Context, req validator.ObjectRequest, resp *validator.ObjectResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() || !setsNothing(req.ConfigValue) {
		return
	}
	resp.Diagnostics.Append(emptyMatch(req.Path))
}

// matchSetRule checks one set of a match, as far as it is known.
type matchSetRule struct {
	field string
}

func (matchSetRule) Description(context.Context) string {
	return "set must have at least one value, and no empty value"
}

func (r matchSetRule) MarkdownDescription(ctx context.Context) string { return r.Description(ctx) }

func (r matchSetRule) ValidateSet(_ context.Context, req validator.SetRequest, resp *validator.SetResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	resp.Diagnostics.Append(setFaults(r.field, req.Path, req.ConfigValue)...)
}

// setFaults puts each fault of a set on the element at fault, or on the set.
func setFaults(field string, at path.Path, set types.Set) diag.Diagnostics {
	var diags diag.Diagnostics
	if err := session.ValidateSetSize(field, len(set.Elements())); err != nil {
		diags.Append(matchFault(at, at, err))
	}
	for _, element := range set.Elements() {
		diags.Append(elementFaults(field, at, element)...)
	}
	return diags
}

func elementFaults(field string, at path.Path, element attr.Value) diag.Diagnostics {
	text, ok := element.(basetypes.StringValue)
	switch {
	case !ok || text.IsUnknown():
		return nil
	case text.IsNull():
		return diag.Diagnostics{nullElement(at, at.AtSetValue(element))}
	}
	if err := session.ValidateMatchValue(field, text.ValueString()); err != nil {
		return diag.Diagnostics{matchFault(at, at.AtSetValue(element), err)}
	}
	return nil
}
