package provider

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

var (
	_ resource.Resource                   = (*sessionDrainResource)(nil)
	_ resource.ResourceWithConfigure      = (*sessionDrainResource)(nil)
	_ resource.ResourceWithValidateConfig = (*sessionDrainResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*sessionDrainResource)(nil)
)

// sessionDrainResource keeps the configuration of a drain. The drain finds the matching
// sessions when it runs.
type sessionDrainResource struct {
	configured
}

func newSessionDrainResource() resource.Resource { return &sessionDrainResource{} }

type sessionDrainModel struct {
	drainArguments
	DrainOn       types.Set      `tfsdk:"drain_on"`
	Triggers      types.Map      `tfsdk:"triggers"`
	OnFailure     types.String   `tfsdk:"on_failure"`
	OnExcluded    types.String   `tfsdk:"on_excluded"`
	Preview       types.Bool     `tfsdk:"preview"`
	OnlyPreviewed types.Bool     `tfsdk:"only_previewed"`
	Timeouts      timeouts.Value `tfsdk:"timeouts"`
	ID            types.String   `tfsdk:"id"`
	Sessions      types.List     `tfsdk:"sessions"`
}

// sessionResultModel is one element of `sessions`: the result of the drain on create
// for a session.
type sessionResultModel struct {
	sessionFacts
	Outcome types.String `tfsdk:"outcome"`
}

func (r *sessionDrainResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_session_drain"
}

func (r *sessionDrainResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	match := resourceMatch(matchDescription+" Evaluated each time the drain runs. Changing `match` replaces the drain: the old `match` is drained first.", true)
	match.PlanModifiers = []planmodifier.Object{objectplanmodifier.RequiresReplace()}

	drained := map[string]schema.Attribute{
		"outcome": schema.StringAttribute{
			MarkdownDescription: "Result for the session. One of: `terminated` (terminated by the drain; end confirmed), `already_ended` (ended before the request, or after senhasegura refused it), `excluded` (left open, because `exclude` matches it too). " +
				"After a failure also `refused`, `still_live`, `unknown` (may have ended; can't be read, or too little is shown to decide), or `not_attempted`.",
			Computed: true,
		},
	}
	for _, name := range sessionResultNames {
		drained[name] = schema.StringAttribute{MarkdownDescription: sessionAttributes[name], Computed: true}
	}

	resp.Schema = schema.Schema{
		MarkdownDescription: "Terminates all matching sessions before Terraform destroys the resources that the drain references. If a matching session is still live, the destroy fails and those resources stay.",
		Attributes: map[string]schema.Attribute{
			// Required
			"match": match,

			// Optional
			"exclude": resourceMatch(excludeDescription, false),
			"drain_on": schema.SetAttribute{
				MarkdownDescription: "When to drain: `destroy`, `create`, or both. Defaults to `[\"destroy\"]`.",
				Optional:            true,
				Computed:            true,
				ElementType:         types.StringType,
				Default:             setdefault.StaticValue(types.SetValueMust(types.StringType, []attr.Value{types.StringValue(onDestroy)})),
				Validators: []validator.Set{
					setvalidator.SizeAtLeast(1),
					setvalidator.ValueStringsAre(stringvalidator.OneOf(onCreate, onDestroy)),
				},
			},
			"triggers": schema.MapAttribute{
				MarkdownDescription: "Arbitrary map of values that, when changed, replaces the drain and so runs it again. Set it to the ID of the protected machine: the drain is then destroyed before the machine, and runs before the machine is replaced.",
				Optional:            true,
				ElementType:         types.StringType,
				PlanModifiers:       []planmodifier.Map{mapplanmodifier.RequiresReplace()},
			},
			"grace_period": drainDuration(gracePeriodDescription, defaultPeriod, duration),
			"quiet_period": drainDuration(quietPeriodDescription, defaultPeriod, duration),
			"max_sessions": schema.Int64Attribute{
				MarkdownDescription: maxSessionsDescription,
				Optional:            true,
				Validators:          []validator.Int64{int64validator.AtLeast(0)},
			},
			"on_failure": schema.StringAttribute{
				MarkdownDescription: "What to do if a matching session is still live, or can't be read, when the drain has run or its time is up: `halt` fails, so referenced resources are not destroyed; `continue` warns, and Terraform destroys them, also while excluded sessions are live. " +
					"More sessions than `max_sessions`, unseen values with `on_unseen = \"halt\"`, a list without a single session, a first list that can't be read, and an interrupt always fail. Defaults to `halt`.",
				Optional:   true,
				Computed:   true,
				Default:    stringdefault.StaticString(halt),
				Validators: []validator.String{stringvalidator.OneOf(halt, continueOn)},
			},
			"on_excluded": schema.StringAttribute{
				MarkdownDescription: "What to do if an excluded session is live: `halt` waits for it during `grace_period`, and then fails before anything is terminated, so referenced resources are not destroyed; an excluded session that appears later fails the drain at its end. " +
					"`continue` warns, and Terraform destroys the resources while the session is live. With `on_failure = \"continue\"` an excluded session only warns too. Defaults to `halt`.",
				Optional:   true,
				Computed:   true,
				Default:    stringdefault.StaticString(halt),
				Validators: []validator.String{stringvalidator.OneOf(halt, continueOn)},
			},
			"on_unseen": schema.StringAttribute{
				MarkdownDescription: onUnseenDescription,
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(string(defaultOnUnseen)),
				Validators:          []validator.String{onUnseenRule()},
			},
			"preview": schema.BoolAttribute{
				MarkdownDescription: "Whether to list, as a warning of a plan that will drain, the sessions that match at that time, and to warn of values that may be misspelled when a plan creates the drain or changes `match` or `exclude`. " +
					"With `false`, a plan makes no call. Defaults to `true`.",
				Optional: true,
				Computed: true,
				Default:  booldefault.StaticBool(true),
			},
			"only_previewed": schema.BoolAttribute{
				MarkdownDescription: "Whether a destroy terminates only the sessions that its plan showed. If another matching session is live after `grace_period`, the destroy fails before any session is terminated; a session that appears later isn't terminated and fails the destroy. " +
					"The plan fails if it can't list the sessions. Requires `preview`. Conflicts with `create` in `drain_on`. Defaults to `false`.",
				Optional: true,
				Computed: true,
				Default:  booldefault.StaticBool(false),
			},
			"poll_interval": drainDuration(pollDescription, defaultPollInterval, positiveDuration),
			"timeouts": timeoutsAttribute(ctx, timeouts.Opts{
				Create:            true,
				Delete:            true,
				CreateDescription: "How long to wait for a drain on create, including `grace_period` and `quiet_period`. Defaults to `1h` plus both periods.",
				DeleteDescription: "How long to wait for a drain on destroy, including `grace_period` and `quiet_period`. Defaults to `1h` plus both periods.",
			}),

			// Computed
			"id": schema.StringAttribute{
				MarkdownDescription: "Random identifier of the drain.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"sessions": schema.ListNestedAttribute{
				MarkdownDescription: "Sessions that the drain on create handled. Empty unless `drain_on` includes `create`.",
				Computed:            true,
				NestedObject:        schema.NestedAttributeObject{Attributes: drained},
				PlanModifiers:       []planmodifier.List{listplanmodifier.UseStateForUnknown()},
			},
		},
	}
}

func (r *sessionDrainResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.setData(req.ProviderData, &resp.Diagnostics)
}

// ValidateConfig refuses periods that leave no time for the drain itself. If drain_on
// is not set, its default applies.
func (r *sessionDrainResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var model sessionDrainModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(model.validateOnlyPreviewed()...)
	if model.Timeouts.IsUnknown() {
		return
	}
	for _, moment := range []string{onCreate, onDestroy} {
		applies := model.drainsOn(moment) || model.DrainOn.IsNull() && moment == onDestroy
		if applies {
			resp.Diagnostics.Append(model.validatePeriods(model.Timeouts.Attributes(), moment)...)
		}
	}
}

// ModifyPlan changes nothing. It shows which sessions a drain would terminate, and
// fails if they are already too many.
func (r *sessionDrainResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	defer r.data.warnOfClock(&resp.Diagnostics)
	var prior, planned *sessionDrainModel
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	}
	if !req.Plan.Raw.IsNull() {
		resp.Diagnostics.Append(req.Plan.Get(ctx, &planned)...)
	}
	if resp.Diagnostics.HasError() || planned != nil && !r.data.agesKnown(planned.Match, planned.Exclude, &resp.Diagnostics) {
		return
	}
	resp.Diagnostics.Append(r.discardInherited(ctx, prior, resp.Private)...)
	switch {
	case prior != nil && (planned == nil || prior.replacedBy(planned)):
		resp.Diagnostics.Append(r.previewDestroy(ctx, prior, planned, resp.Private)...)
	case prior == nil && planned != nil && planned.drainsOn(onCreate):
		_, diags := r.preview(ctx, planned, onCreate)
		resp.Diagnostics.Append(diags...)
	case planned != nil && (prior == nil || !prior.Exclude.Equal(planned.Exclude)):
		resp.Diagnostics.Append(r.checkValues(ctx, planned)...)
	}
}

// Create saves the configuration, and drains if drain_on includes create. It saves the
// configuration even if the drain fails: without it, nothing would be protected.
func (r *sessionDrainResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	defer r.data.warnOfClock(&resp.Diagnostics)
	var model sessionDrainModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &model)...)
	request, diags := model.request(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	model.ID = types.StringValue(rand.Text())
	report := termination.Report{}
	if model.drainsOn(onCreate) && r.data.ready(&resp.Diagnostics) {
		var outcome diag.Diagnostics
		report, outcome = r.drain(ctx, &model, request, onCreate, nil)
		resp.Diagnostics.Append(outcome...)
	}
	resp.Diagnostics.Append(model.record(ctx, report)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
}

// Read is a NO-OP: the state holds the configuration, not a list of sessions.
func (r *sessionDrainResource) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {
}

// Update is a pure copy: it changes how a later drain runs, and drains nothing.
func (r *sessionDrainResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var model sessionDrainModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
}

// Delete drains. An error keeps the resource in the state, so that Terraform does not
// destroy the resources that the drain references. The sessions that the run could not
// settle are stored in private state.
func (r *sessionDrainResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	defer r.data.warnOfClock(&resp.Diagnostics)
	// Whether or not this destroy works, the next one needs a plan of its own.
	preview := previewFrom(ctx, req.Private)
	resp.Diagnostics.Append(discardPreview(ctx, resp.Private)...)
	var model sessionDrainModel
	resp.Diagnostics.Append(req.State.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() || !model.drainsOn(onDestroy) {
		return
	}
	request, diags := model.request(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.data.ready(&resp.Diagnostics) {
		return
	}
	request.Unsettled, diags = model.unsettled(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	report, outcome := r.drain(ctx, &model, request, onDestroy, preview)
	resp.Diagnostics.Append(outcome...)
	resp.Diagnostics.Append(keepUnsettled(ctx, resp.Private, report.Unsettled())...)
}

// request converts the arguments. If Terraform continues anyway, an excluded session is
// no reason to leave the others live.
func (m *sessionDrainModel) request(ctx context.Context) (termination.DrainRequest, diag.Diagnostics) {
	request, diags := m.drainArguments.request(ctx)
	request.LeaveExcluded = m.OnExcluded.ValueString() == continueOn || m.OnFailure.ValueString() == continueOn
	return request, diags
}

// sessionResultNames are the attributes of sessionResultModel except the outcome.
var sessionResultNames = append([]string{"session_id", "record_id"}, detailNames...)

func sessionResultType() types.ObjectType {
	members := map[string]attr.Type{"outcome": types.StringType}
	for _, name := range sessionResultNames {
		members[name] = types.StringType
	}
	return types.ObjectType{AttrTypes: members}
}

func drainDuration(description string, otherwise time.Duration, rule textRule) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: description,
		Optional:            true,
		Computed:            true,
		Default:             stringdefault.StaticString(shortDuration(otherwise)),
		Validators:          []validator.String{rule},
	}
}

// discardInherited removes a preview of an earlier plan. It keeps the one that the
// first half of the plan of a replacement has just made for the second half.
func (r *sessionDrainResource) discardInherited(ctx context.Context, prior *sessionDrainModel, private privateState) diag.Diagnostics {
	if preview := previewFrom(ctx, private); prior == nil && preview != nil && preview.MadeBy == r.data.madeBy() {
		return nil
	}
	return discardPreview(ctx, private)
}

// previewDestroy shows what the destroy of prior terminates; planned replaces it, nil
// if nothing does.
func (r *sessionDrainResource) previewDestroy(ctx context.Context, prior, planned *sessionDrainModel, private privateState) diag.Diagnostics {
	// The new configuration may ask for a plan without a call. The applied one says
	// whether the destroy needs a preview.
	if planned != nil {
		prior.Preview = planned.Preview
	}
	if prior.OnlyPreviewed.ValueBool() {
		prior.Preview = types.BoolValue(true)
	}
	preview, diags := r.preview(ctx, prior, onDestroy)
	if preview == nil {
		return diags // an inherited one has been discarded
	}
	return append(diags, preview.keep(ctx, private)...)
}

// replacedBy reports whether Terraform will replace the resource. Terraform calls
// ModifyPlan again for the creation that follows, but not for the destroy. A provider
// can't detect a replacement for another reason, such as -replace, and Terraform would
// not show its warnings then.
func (m *sessionDrainModel) replacedBy(planned *sessionDrainModel) bool {
	return !m.Match.Equal(planned.Match) || !m.Triggers.Equal(planned.Triggers)
}

// previews reports whether a plan may read the list for a drain.
func (r *sessionDrainResource) previews(ctx context.Context, model *sessionDrainModel) bool {
	return model.Preview.ValueBool() && r.data.available() && model.fullyKnown(ctx) &&
		!model.OnExcluded.IsUnknown() && !model.OnFailure.IsUnknown()
}

// checkValues warns of values that may be misspelled, whatever on_unseen is: a mistake
// is made when a value is written. It does not warn of other unseen values, because the
// machine may be new.
func (r *sessionDrainResource) checkValues(ctx context.Context, model *sessionDrainModel) diag.Diagnostics {
	if !r.previews(ctx, model) {
		return nil
	}
	request, diags := model.request(ctx)
	if diags.HasError() {
		return diags
	}
	ctx, cancel, faults := model.within(ctx, onCreate)
	defer cancel()
	diags.Append(faults...)
	coverage, err := r.data.terminator.Coverage(ctx, request.Selector)
	if err != nil {
		return append(diags, valuesNotChecked(err))
	}
	diags.Append(unseenValues(coverage.LikelyMistakes(), r.name(model), true)...)
	return diags
}

// preview shows what a drain would terminate now. If the list can't be read, the plan
// fails only if the drain terminates only what it shows.
func (r *sessionDrainResource) preview(ctx context.Context, model *sessionDrainModel, moment string) (*drainPreview, diag.Diagnostics) {
	var diags diag.Diagnostics
	needed := moment == onDestroy && model.OnlyPreviewed.ValueBool()
	switch {
	case !model.drainsOn(moment), !r.data.agesKnown(model.Match, model.Exclude, &diags):
		return nil, diags
	case needed && !r.data.ready(&diags), !r.previews(ctx, model):
		return nil, diags
	}
	request, diags := model.request(ctx)
	if diags.HasError() {
		return nil, diags
	}
	ctx, cancel, faults := model.within(ctx, moment)
	defer cancel()
	diags.Append(faults...)
	report, readAt, err := r.data.terminator.Preview(ctx, request)
	shown := drainRun{Report: report, name: r.name(model), moment: moment}
	diags.Append(shown.previewed(readAt, err, model.OnFailure.ValueString() == continueOn, needed)...)
	told := unseenOfRun(report, err, model.onUnseen())
	if moment == onCreate && model.onUnseen() == termination.UnseenIgnore && report.Coverage != nil {
		told = report.Coverage.LikelyMistakes()
	}
	diags.Append(unseenValues(told, shown.name, true)...)
	if err != nil {
		return nil, diags
	}
	return newDrainPreview(r.data.madeBy(), report, told), diags
}

// drain runs the drain and reports what it terminated, because a destroy has no other
// output. It warns of unseen values that its plan has not shown. preview is that of its
// plan, nil without one.
func (r *sessionDrainResource) drain(ctx context.Context, model *sessionDrainModel, request termination.DrainRequest, moment string, preview *drainPreview) (termination.Report, diag.Diagnostics) {
	ctx, cancel, diags := model.within(ctx, moment)
	defer cancel()
	if diags.HasError() {
		return termination.Report{}, diags
	}
	if preview.approved(r.data.madeBy()) {
		request.Previewed = preview.sessions()
	}
	request.OnlyPreviewed = model.OnlyPreviewed.ValueBool()
	name := r.name(model)
	teller := progressReporter{send: logProgress(ctx, name)}
	request.Progress = teller.report
	report, err := r.data.terminator.Drain(ctx, request)
	diags.Append(unseenValues(preview.untold(unseenOfRun(report, err, model.onUnseen())), name, false)...)
	run := drainRun{Report: report, name: name, moment: moment, planned: request.Previewed != nil}
	if err == nil {
		if len(report.Terminated())+len(report.EndedAfterRefusal())+len(report.Excluded()) > 0 {
			diags.Append(run.succeeded(model.whyExcludedLeft(moment)))
		}
		return report, diags
	}
	var failure *termination.DrainError
	if errors.As(err, &failure) && failure.Ran() && model.OnFailure.ValueString() == continueOn {
		failed := run.failed(err, continues("on_failure", moment))
		return report, append(diags, failed.asWarning(argumentAtFault(err)...))
	}
	failed := run.failed(err, consequenceOf[moment])
	if failure != nil && failure.Kind == termination.NotApproved {
		failed = failed.withoutApproval(run.planned, preview != nil)
	}
	return report, append(diags, r.data.once(err, failed).asError(argumentAtFault(err)...))
}

// within limits ctx by the timeout of the moment.
func (m *sessionDrainModel) within(ctx context.Context, moment string) (context.Context, context.CancelFunc, diag.Diagnostics) {
	allowed := m.Timeouts.Delete
	if moment == onCreate {
		allowed = m.Timeouts.Create
	}
	timeout, diags := allowed(ctx, m.allowed())
	ctx, cancel := context.WithTimeout(ctx, timeout)
	return ctx, cancel, diags
}

// name identifies a drain in messages.
func (r *sessionDrainResource) name(model *sessionDrainModel) string {
	id := model.ID.ValueString()
	return r.data.distinctName("drain of "+model.words(), id)
}

func (m *sessionDrainModel) drainsOn(moment string) bool {
	return slices.ContainsFunc(m.DrainOn.Elements(), func(element attr.Value) bool {
		return element.Equal(types.StringValue(moment))
	})
}

// record fills `sessions` from the report of a drain on create.
func (m *sessionDrainModel) record(ctx context.Context, report termination.Report) diag.Diagnostics {
	rows := make([]sessionResultModel, 0, len(report.Sessions))
	for _, d := range report.Sessions {
		rows = append(rows, sessionResultModel{newSessionFacts(*d.Session), types.StringValue(string(d.Outcome))})
	}
	list, diags := types.ListValueFrom(ctx, sessionResultType(), rows)
	m.Sessions = list
	return diags
}

// unsettled gives the sessions that the last run could not settle: an earlier destroy,
// stored in private state, otherwise the drain on create.
func (m *sessionDrainModel) unsettled(ctx context.Context, private privateState) ([]session.Session, diag.Diagnostics) {
	sessions, known, diags := unsettledFrom(ctx, private)
	if known || diags.HasError() {
		return sessions, diags
	}
	var rows []sessionResultModel
	diags.Append(m.Sessions.ElementsAs(ctx, &rows, false)...)
	report := termination.Report{}
	for _, row := range rows {
		s := row.session()
		report.Sessions = append(report.Sessions, termination.SessionResult{Session: &s, Outcome: termination.Outcome(row.Outcome.ValueString())})
	}
	return report.Unsettled(), diags
}
