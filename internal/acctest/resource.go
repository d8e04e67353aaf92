package acctest

import (
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Resource is one resource type of a Driver.
type Resource struct {
	*Driver
	typeName string
	schema   *tfprotov6.Schema
	kind     tftypes.Type
}

// State is what Terraform keeps of one resource. It is not changed by the
// operations that take it.
type State struct {
	// Values are the attributes as plain Go.
	Values map[string]any
	// Identity is nil for a resource without one.
	Identity map[string]any
	// Tainted: its creation failed after something was saved.
	Tainted bool

	value    tftypes.Value
	private  []byte
	identity *tfprotov6.ResourceIdentityData
}

// At follows attribute names, and gives nil where there is no value.
func (s *State) At(names ...string) any {
	if s == nil {
		return nil
	}
	var value any = s.Values
	for _, name := range names {
		members, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = members[name]
	}
	return value
}

// Change is what a plan is to do.
type Change string

// The changes.
const (
	NoOp    Change = "no-op"
	Create  Change = "create"
	Update  Change = "update"
	Replace Change = "replace"
	Destroy Change = "destroy"
)

// Plan is the plan for one resource.
type Plan struct {
	Change Change
	// Replaces names the attributes that ask for a replacement.
	Replaces []string
	// Values are the planned attributes, Unknown where they are known after
	// apply; nil if there were errors.
	Values      map[string]any
	Diagnostics Diagnostics

	planned  tftypes.Value
	private  []byte
	identity *tfprotov6.ResourceIdentityData
}

// Result is what an operation left behind.
type Result struct {
	// Change is what was planned; empty for a read and an import.
	Change Change
	// State is nil if nothing is recorded.
	State       *State
	Diagnostics Diagnostics
}

// Resource gives the resource type by its full name.
func (d *Driver) Resource(typeName string) *Resource {
	d.t.Helper()
	schema, ok := d.schemas.ResourceSchemas[typeName]
	if !ok {
		d.t.Fatalf("the provider has no resource %q", typeName)
	}
	return &Resource{Driver: d, typeName: typeName, schema: schema, kind: schema.ValueType()}
}

// Attributes gives the names of the attributes, sorted.
func (r *Resource) Attributes() []string {
	names := make([]string, 0, len(r.schema.Block.Attributes))
	for _, attribute := range r.schema.Block.Attributes {
		names = append(names, attribute.Name)
	}
	slices.Sort(names)
	return names
}

// Validate checks a configuration as `terraform validate` does.
func (r *Resource) Validate(config map[string]any) Diagnostics {
	r.t.Helper()
	return r.validate(r.dynamic(r.kind, config))
}

func (r *Resource) validate(config *tfprotov6.DynamicValue) Diagnostics {
	r.t.Helper()
	resp, err := r.server.ValidateResourceConfig(r.context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: r.typeName, Config: config})
	if err != nil {
		r.t.Fatal(err)
	}
	return diagnosticsOf("ValidateResourceConfig", resp.Diagnostics)
}

// Plan validates and plans a change from prior, which is nil where nothing is
// recorded. It does not refresh; Read does. A tainted resource is replaced.
func (r *Resource) Plan(prior *State, config map[string]any) Plan {
	r.t.Helper()
	value, err := encode(r.kind, config)
	if err != nil {
		r.t.Fatal(err)
	}
	validated := r.validate(r.wire(value))
	if len(validated.Errors()) > 0 {
		return Plan{Diagnostics: validated}
	}
	plan := r.plan(prior, value)
	plan.Diagnostics = append(validated, plan.Diagnostics...)
	return plan
}

func (r *Resource) plan(prior *State, config tftypes.Value) Plan {
	r.t.Helper()
	if prior != nil && prior.Tainted {
		plan := r.planOnce(nil, nil, config)
		plan.Change = Replace
		return plan
	}
	var private []byte
	if prior != nil {
		private = prior.private
	}
	plan := r.planOnce(prior, private, config)
	if plan.Change != Replace || len(plan.Diagnostics.Errors()) > 0 {
		return plan
	}
	// Core plans a replacement again, as a creation, from the private state that it
	// has planned.
	again := r.planOnce(nil, plan.private, config)
	again.Change, again.Replaces = Replace, plan.Replaces
	again.Diagnostics = append(plan.Diagnostics, again.Diagnostics...)
	return again
}

func (r *Resource) planOnce(prior *State, private []byte, config tftypes.Value) Plan {
	r.t.Helper()
	priorValue := r.valueOf(prior)
	req := &tfprotov6.PlanResourceChangeRequest{
		TypeName:         r.typeName,
		PriorState:       r.wire(priorValue),
		ProposedNewState: r.wire(r.proposed(priorValue, config)),
		Config:           r.wire(config),
		PriorPrivate:     private,
	}
	if prior != nil {
		req.PriorIdentity = prior.identity
	}
	resp, err := r.server.PlanResourceChange(r.context(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	plan := Plan{Diagnostics: diagnosticsOf("PlanResourceChange", resp.Diagnostics)}
	if len(plan.Diagnostics.Errors()) > 0 {
		return plan
	}
	plan.planned = r.value(r.kind, resp.PlannedState)
	plan.private, plan.identity = resp.PlannedPrivate, resp.PlannedIdentity
	plan.Values = decodeMembers(plan.planned)
	r.checkPlanned(config, priorValue, plan.planned)
	plan.Change, plan.Replaces = r.changeOf(priorValue, plan.planned, resp.RequiresReplace)
	return plan
}

// changeOf: a path that does not change asks for no replacement.
func (r *Resource) changeOf(prior, planned tftypes.Value, requiresReplace []*tftypes.AttributePath) (change Change, replaces []string) {
	if prior.IsNull() {
		return Create, nil
	}
	before, after := membersOfValue(prior), membersOfValue(planned)
	for _, path := range requiresReplace {
		name, ok := path.Steps()[0].(tftypes.AttributeName)
		if ok && !before[string(name)].Equal(after[string(name)]) {
			replaces = append(replaces, pathText(path))
		}
	}
	switch {
	case len(replaces) > 0:
		slices.Sort(replaces)
		return Replace, replaces
	case prior.Equal(planned):
		return NoOp, nil
	}
	return Update, nil
}

// Apply validates, plans and carries out the change from prior to config. If
// planning fails nothing changes.
func (r *Resource) Apply(prior *State, config map[string]any) Result {
	r.t.Helper()
	plan := r.Plan(prior, config)
	result := Result{Change: plan.Change, State: prior, Diagnostics: plan.Diagnostics}
	if len(plan.Diagnostics.Errors()) > 0 || plan.Change == NoOp {
		return result
	}
	value, err := encode(r.kind, config)
	if err != nil {
		r.t.Fatal(err)
	}
	if plan.Change == Replace {
		// Core asks for no plan of this destruction: it takes that of the replacement.
		private := plan.private
		if prior.Tainted {
			private = prior.private
		}
		destroyed := r.destroy(prior, private, prior.identity)
		result.Diagnostics = append(result.Diagnostics, destroyed.Diagnostics...)
		result.State = destroyed.State
		if destroyed.State != nil {
			return result
		}
		prior = nil
	}
	applied := r.apply(prior, value, plan)
	applied.Change = plan.Change
	applied.Diagnostics = append(result.Diagnostics, applied.Diagnostics...)
	return applied
}

// Destroy plans and carries out the destruction. The state stays where the
// provider keeps it or reports an error.
func (r *Resource) Destroy(prior *State) Result {
	r.t.Helper()
	plan := r.PlanDestroy(prior)
	if len(plan.Diagnostics.Errors()) > 0 {
		return Result{Change: Destroy, State: prior, Diagnostics: plan.Diagnostics}
	}
	destroyed := r.DestroyPlanned(prior, plan)
	destroyed.Diagnostics = append(plan.Diagnostics, destroyed.Diagnostics...)
	return destroyed
}

// PlanDestroy plans the destruction.
func (r *Resource) PlanDestroy(prior *State) Plan {
	r.t.Helper()
	nothing := tftypes.NewValue(r.kind, nil)
	resp, err := r.server.PlanResourceChange(r.context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName:         r.typeName,
		PriorState:       r.wire(prior.value),
		ProposedNewState: r.wire(nothing),
		Config:           r.wire(nothing),
		PriorPrivate:     prior.private,
		PriorIdentity:    prior.identity,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return Plan{
		Change: Destroy, Diagnostics: diagnosticsOf("PlanResourceChange", resp.Diagnostics),
		planned: nothing, private: resp.PlannedPrivate, identity: resp.PlannedIdentity,
	}
}

// DestroyPlanned carries out a planned destruction. The plan may come from another
// driver, as that of Terraform comes from another process.
func (r *Resource) DestroyPlanned(prior *State, plan Plan) Result {
	r.t.Helper()
	return r.destroy(prior, plan.private, plan.identity)
}

func (r *Resource) destroy(prior *State, private []byte, identity *tfprotov6.ResourceIdentityData) Result {
	r.t.Helper()
	nothing := tftypes.NewValue(r.kind, nil)
	destroyed := r.apply(prior, nothing, Plan{planned: nothing, private: private, identity: identity})
	destroyed.Change = Destroy
	return destroyed
}

func (r *Resource) apply(prior *State, config tftypes.Value, plan Plan) Result {
	r.t.Helper()
	resp, err := r.server.ApplyResourceChange(r.context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName:        r.typeName,
		PriorState:      r.wire(r.valueOf(prior)),
		PlannedState:    r.wire(plan.planned),
		Config:          r.wire(config),
		PlannedPrivate:  plan.private,
		PlannedIdentity: plan.identity,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	all := diagnosticsOf("ApplyResourceChange", resp.Diagnostics)
	failed := len(all.Errors()) > 0
	value := r.value(r.kind, resp.NewState)
	r.checkApplied(plan.planned, value, failed)
	state := r.state(value, resp.Private, resp.NewIdentity)
	if state != nil {
		state.Tainted = failed && prior == nil || prior != nil && prior.Tainted
		if state.Tainted {
			state.private = nil // Terraform does not keep it
		}
	}
	return Result{State: state, Diagnostics: all}
}

// Read refreshes a state. The result has none if the provider removed it; on
// errors it is the state as it was.
func (r *Resource) Read(prior *State) Result {
	r.t.Helper()
	resp, err := r.server.ReadResource(r.context(), &tfprotov6.ReadResourceRequest{
		TypeName:        r.typeName,
		CurrentState:    r.wire(prior.value),
		Private:         prior.private,
		CurrentIdentity: prior.identity,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	all := diagnosticsOf("ReadResource", resp.Diagnostics)
	if len(all.Errors()) > 0 {
		return Result{State: prior, Diagnostics: all}
	}
	value := r.value(r.kind, resp.NewState)
	if !value.IsFullyKnown() {
		r.t.Errorf("reading %s left values unknown: %v", r.typeName, decode(value))
	}
	state := r.state(value, resp.Private, resp.NewIdentity)
	if state != nil {
		state.Tainted = prior.Tainted
	}
	return Result{State: state, Diagnostics: all}
}

// Import imports by id and, as Terraform does, refreshes what was imported.
func (r *Resource) Import(id string) Result {
	r.t.Helper()
	return r.importBy(&tfprotov6.ImportResourceStateRequest{TypeName: r.typeName, ID: id})
}

// ImportIdentity is Import by identity.
func (r *Resource) ImportIdentity(identity map[string]any) Result {
	r.t.Helper()
	kind := r.identities[r.typeName].ValueType()
	return r.importBy(&tfprotov6.ImportResourceStateRequest{
		TypeName: r.typeName,
		Identity: &tfprotov6.ResourceIdentityData{IdentityData: r.dynamic(kind, identity)},
	})
}

func (r *Resource) importBy(req *tfprotov6.ImportResourceStateRequest) Result {
	r.t.Helper()
	resp, err := r.server.ImportResourceState(r.context(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	all := diagnosticsOf("ImportResourceState", resp.Diagnostics)
	if len(all.Errors()) > 0 {
		return Result{Diagnostics: all}
	}
	if len(resp.ImportedResources) != 1 {
		r.t.Fatalf("%d resources imported, want 1", len(resp.ImportedResources))
	}
	imported := resp.ImportedResources[0]
	state := r.state(r.value(r.kind, imported.State), imported.Private, imported.Identity)
	if state == nil {
		r.t.Fatal("the import succeeded without a state")
	}
	refreshed := r.Read(state)
	refreshed.Diagnostics = append(all, refreshed.Diagnostics...)
	return refreshed
}

func (r *Resource) state(value tftypes.Value, private []byte, identity *tfprotov6.ResourceIdentityData) *State {
	r.t.Helper()
	if value.IsNull() {
		return nil
	}
	state := &State{Values: decodeMembers(value), value: value, private: private, identity: identity}
	if schema, ok := r.identities[r.typeName]; ok && identity != nil {
		state.Identity = decodeMembers(r.value(schema.ValueType(), identity.IdentityData))
	}
	return state
}

func (r *Resource) valueOf(state *State) tftypes.Value {
	if state == nil {
		return tftypes.NewValue(r.kind, nil)
	}
	return state.value
}

// proposed is what core proposes as the new state: the configuration, and prior
// values where it says nothing and the provider decides.
func (r *Resource) proposed(prior, config tftypes.Value) tftypes.Value {
	before, members := membersOfValue(prior), maps.Clone(membersOfValue(config))
	for _, attribute := range r.schema.Block.Attributes {
		if value, known := before[attribute.Name]; known && attribute.Computed && members[attribute.Name].IsNull() {
			members[attribute.Name] = value
		}
	}
	return tftypes.NewValue(r.kind, members)
}

// checkPlanned: a plan may not change what the configuration says, except back
// to a prior value that means the same.
func (r *Resource) checkPlanned(config, prior, planned tftypes.Value) {
	r.t.Helper()
	written, before, after := membersOfValue(config), membersOfValue(prior), membersOfValue(planned)
	for _, attribute := range r.schema.Block.Attributes {
		name := attribute.Name
		if attribute.Computed && written[name].IsNull() || after[name].Equal(written[name]) {
			continue
		}
		if value, known := before[name]; known && after[name].Equal(value) {
			continue
		}
		r.t.Errorf("%s plans %s = %v, where the configuration says %v", r.typeName, name, decode(after[name]), decode(written[name]))
	}
}

// checkApplied: what was known at plan must be so, and nothing stays unknown.
// Core excuses a difference where there is an error.
func (r *Resource) checkApplied(planned, applied tftypes.Value, failed bool) {
	r.t.Helper()
	if !applied.IsFullyKnown() {
		r.t.Errorf("applying %s left values unknown: %v", r.typeName, decode(applied))
	}
	if failed {
		return
	}
	if name, ok := conforms("", planned, applied); !ok {
		r.t.Errorf("applying %s broke its plan at %q:\nplanned %v\napplied %v", r.typeName, name, decode(planned), decode(applied))
	}
}

// conforms names the first place where applied differs from what was known.
func conforms(at string, planned, applied tftypes.Value) (string, bool) {
	switch {
	case !planned.IsKnown():
		return "", true
	case planned.IsNull() || applied.IsNull() || planned.IsFullyKnown():
		return at, planned.Equal(applied)
	case !planned.Type().Is(tftypes.Object{}) && !planned.Type().Is(tftypes.Map{}):
		// Lists and sets with unknown elements: core matches them up loosely.
		return "", true
	}
	after := membersOfValue(applied)
	for name, before := range membersOfValue(planned) {
		if place, ok := conforms(at+"."+name, before, after[name]); !ok {
			return place, false
		}
	}
	return "", true
}
