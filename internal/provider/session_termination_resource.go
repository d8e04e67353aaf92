package provider

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

var (
	_ resource.Resource                = (*sessionTerminationResource)(nil)
	_ resource.ResourceWithConfigure   = (*sessionTerminationResource)(nil)
	_ resource.ResourceWithIdentity    = (*sessionTerminationResource)(nil)
	_ resource.ResourceWithImportState = (*sessionTerminationResource)(nil)
)

// sessionTerminationResource is the record of one session's termination.
type sessionTerminationResource struct {
	configured
}

func newSessionTerminationResource() resource.Resource { return &sessionTerminationResource{} }

type sessionTerminationModel struct {
	SessionID      types.String      `tfsdk:"session_id"`
	RecordID       types.String      `tfsdk:"record_id"`
	Triggers       types.Map         `tfsdk:"triggers"`
	Confirm        types.Bool        `tfsdk:"confirm"`
	IgnoreNotFound types.Bool        `tfsdk:"ignore_not_found"`
	PollInterval   types.String      `tfsdk:"poll_interval"`
	Timeouts       timeouts.Value    `tfsdk:"timeouts"`
	ID             types.String      `tfsdk:"id"`
	Outcome        types.String      `tfsdk:"outcome"`
	TerminatedAt   timetypes.RFC3339 `tfsdk:"terminated_at"`
	Session        types.Object      `tfsdk:"session"`
}

type sessionTerminationIdentity struct {
	SessionID types.String `tfsdk:"session_id"`
}

func (r *sessionTerminationResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_session_termination"
}

func (r *sessionTerminationResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	details := make(map[string]schema.Attribute, len(detailNames))
	for _, name := range detailNames {
		details[name] = schema.StringAttribute{MarkdownDescription: sessionAttributes[name], Computed: true}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Terminates one live session on create and keeps a record of the outcome.",
		Attributes: map[string]schema.Attribute{
			// Required
			"session_id": schema.StringAttribute{
				MarkdownDescription: "ID of the session to terminate: the 40-character hash, not the record ID. Changing this terminates the new session.",
				Required:            true,
				Validators:          []validator.String{sessionID},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},

			// Optional
			"record_id": schema.StringAttribute{
				MarkdownDescription: "Numeric record ID of the session. Looked up automatically; set it to avoid reading the session list.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{recordID},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"triggers": schema.MapAttribute{
				MarkdownDescription: "Arbitrary map of values that, when changed, terminates the session again.",
				Optional:            true,
				ElementType:         types.StringType,
				PlanModifiers:       []planmodifier.Map{mapplanmodifier.RequiresReplace()},
			},
			"confirm": schema.BoolAttribute{
				MarkdownDescription: "Whether to wait until senhasegura reports that the session ended. If `false`, `outcome` is `accepted`. Defaults to `true`.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(defaultConfirm),
			},
			"ignore_not_found": schema.BoolAttribute{
				MarkdownDescription: "Whether to treat a session that isn't found as ended instead of failing. Defaults to `false`.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(defaultIgnoreNotFound),
			},
			"poll_interval": schema.StringAttribute{
				MarkdownDescription: "Interval between the first status checks and before each retry, as a duration such as `2s`. It grows to 30 seconds. Defaults to `2s`.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(shortDuration(defaultPollInterval)),
				Validators:          []validator.String{positiveDuration},
			},
			"timeouts": timeoutsAttribute(ctx, timeouts.Opts{
				Create:            true,
				Read:              true,
				CreateDescription: "How long to wait for the session to end after the termination request, including retries, as a duration such as `30m`. Defaults to `1h`.",
				ReadDescription:   "Timeout for reading the session on refresh, as a duration such as `5m`. Defaults to `10m`.",
			}),

			// Computed
			"id": schema.StringAttribute{
				MarkdownDescription: "Same as `session_id`.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"outcome": schema.StringAttribute{
				MarkdownDescription: "Result for the session. One of: `terminated` (terminated by this resource; its end time was read after the request), `already_ended` (ended before the request, or after senhasegura refused it), " +
					"`accepted` (senhasegura accepted the request; the end was not confirmed), or `not_found` (senhasegura does not list it, with `ignore_not_found`).",
				Computed:      true,
				PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"terminated_at": schema.StringAttribute{
				MarkdownDescription: "Time at which the provider confirmed the end, in RFC 3339 format (clock of the machine that runs Terraform). Null if not confirmed. See also `session.ended_at`.",
				Computed:            true,
				CustomType:          timetypes.RFC3339Type{},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"session": schema.SingleNestedAttribute{
				MarkdownDescription: "Details of the session as last read. Null if it was never read.",
				Computed:            true,
				Attributes:          details,
				PlanModifiers:       []planmodifier.Object{objectplanmodifier.UseStateForUnknown()},
			},
		},
	}
}

func (r *sessionTerminationResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{
		Attributes: map[string]identityschema.Attribute{
			"session_id": identityschema.StringAttribute{
				Description:       "Session ID (hash).",
				RequiredForImport: true,
			},
		},
	}
}

func (r *sessionTerminationResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.setData(req.ProviderData, &resp.Diagnostics)
}

// Create terminates the session. If senhasegura accepted the request, the operation is
// saved even if the rest fails: Terraform then taints the resource.
func (r *sessionTerminationResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	defer r.data.warnOfClock(&resp.Diagnostics)
	var model sessionTerminationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &model)...)
	timeout, diags := model.Timeouts.Create(ctx, defaultTerminationTimeout)
	resp.Diagnostics.Append(diags...)
	interval, diags := durationOf(path.Root("poll_interval"), model.PollInterval, time.Nanosecond)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.data.ready(&resp.Diagnostics) {
		return
	}

	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	result, err := r.data.terminator.Terminate(ctx, termination.Request{
		SessionID:      model.SessionID.ValueString(),
		RecordID:       model.RecordID.ValueString(),
		Confirm:        model.Confirm.ValueBool(),
		IgnoreNotFound: model.IgnoreNotFound.ValueBool(),
		PollInterval:   interval,
		Progress:       reportTermination(logProgress(ctx, "termination of session "+model.SessionID.ValueString())),
	})

	recorded := err == nil || result.Accepted
	if recorded {
		resp.Diagnostics.Append(model.record(ctx, result)...)
		resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
		resp.Diagnostics.Append(resp.Identity.Set(ctx, sessionTerminationIdentity{model.SessionID})...)
	}
	var failure *termination.Error
	if errors.As(err, &failure) {
		failed, fault := terminationFailed(failure, recorded)
		resp.Diagnostics.Append(r.data.once(err, failed).asError(fault...))
	} else if err != nil {
		resp.Diagnostics.Append(unexpectedFailure(err))
	}
	if result.NotConfirmed != nil {
		resp.Diagnostics.Append(notConfirmed(model.SessionID.ValueString(), result.NotConfirmed))
	}
}

// Read refreshes a record that is open, with one small request.
func (r *sessionTerminationResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	defer r.data.warnOfClock(&resp.Diagnostics)
	var model sessionTerminationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &model)...)
	timeout, diags := model.Timeouts.Read(ctx, defaultRefreshTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.Identity.Set(ctx, sessionTerminationIdentity{model.SessionID})...)
	record := model.asRecord()
	if !record.Open() {
		return
	}
	if !r.data.available() {
		resp.Diagnostics.Append(notRefreshed(record.SessionID, r.data.unknownArguments()))
		return
	}

	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	refreshed, err := r.data.terminator.Refresh(ctx, record)
	if err != nil {
		resp.Diagnostics.Append(r.data.once(err, refreshFailed(record, err)).asError())
		return
	}
	switch refreshed.Finding {
	case termination.FoundNothing:
	case termination.NotRead:
		resp.Diagnostics.Append(refreshFailed(record, refreshed.Err).asWarning())
	case termination.FoundOther:
		resp.Diagnostics.Append(recordOfAnother(record.SessionID, record.RecordID))
	case termination.FoundLive:
		resp.Diagnostics.Append(liveAgain(*refreshed.Session))
		resp.State.RemoveResource(ctx)
	case termination.FoundEnded:
		resp.Diagnostics.Append(model.refresh(ctx, refreshed)...)
		resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	}
}

// Update is a pure copy: every attribute that would mean a call replaces.
func (r *sessionTerminationResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var model sessionTerminationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, sessionTerminationIdentity{model.SessionID})...)
}

// Delete is a NO-OP: an ended session cannot be resumed, so there is nothing to
// undo, and a tainted termination is deleted before it is created again.
func (r *sessionTerminationResource) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {
}

// ImportState imports a session that has ended. It reads the session first, so that the
// record states no end that was not read.
func (r *sessionTerminationResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	defer r.data.warnOfClock(&resp.Diagnostics)
	id := req.ID
	if id == "" {
		var identity sessionTerminationIdentity
		resp.Diagnostics.Append(req.Identity.Get(ctx, &identity)...)
		id = identity.SessionID.ValueString()
	}
	if err := session.ValidateID(id); err != nil {
		resp.Diagnostics.Append(invalidImport(err))
	}
	if resp.Diagnostics.HasError() || !r.data.ready(&resp.Diagnostics) {
		return
	}

	ctx, cancel := context.WithTimeout(ctx, defaultReadTimeout)
	defer cancel()
	imported, err := r.data.terminator.Import(ctx, id)
	var live *termination.Error
	switch {
	case errors.As(err, &live) && live.Kind == termination.StillLive:
		resp.Diagnostics.Append(importRefused(*live.Last))
		return
	case err != nil:
		failed, fault := importFailed(id, err)
		resp.Diagnostics.Append(r.data.once(err, failed).asError(fault...))
		return
	}

	model := sessionTerminationModel{
		SessionID:      types.StringValue(id),
		Triggers:       types.MapNull(types.StringType),
		Confirm:        types.BoolValue(defaultConfirm),
		IgnoreNotFound: types.BoolValue(defaultIgnoreNotFound),
		PollInterval:   types.StringValue(shortDuration(defaultPollInterval)),
	}
	resp.Diagnostics.Append(resp.State.GetAttribute(ctx, path.Root("timeouts"), &model.Timeouts)...)
	resp.Diagnostics.Append(model.record(ctx, imported)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, sessionTerminationIdentity{model.SessionID})...)
}

// record fills the computed attributes from the result of a termination.
func (m *sessionTerminationModel) record(ctx context.Context, result termination.Result) diag.Diagnostics {
	m.ID = m.SessionID
	m.Outcome = types.StringValue(string(result.Outcome))
	m.TerminatedAt = timetypes.NewRFC3339Null()
	if !result.ConfirmedAt.IsZero() {
		m.TerminatedAt = timetypes.NewRFC3339TimeValue(result.ConfirmedAt.Truncate(time.Second))
	}
	m.Session = types.ObjectNull(detailTypes())
	if m.RecordID.IsUnknown() {
		m.RecordID = types.StringNull()
	}
	if result.Session == nil {
		return nil
	}
	return m.see(ctx, *result.Session)
}

// asRecord gives the record that the engine refreshes.
func (m *sessionTerminationModel) asRecord() termination.Record {
	record := termination.Record{
		SessionID: m.SessionID.ValueString(),
		RecordID:  m.RecordID.ValueString(),
		Outcome:   termination.Outcome(m.Outcome.ValueString()),
	}
	if ended, ok := m.Session.Attributes()["ended_at"].(types.String); ok {
		// An unreadable time is not known, which the zero time states.
		record.EndedAt, _ = time.Parse(time.RFC3339, ended.ValueString())
	}
	return record
}

// refresh stores the end that a refresh has read. The time at which the end was first
// confirmed stays.
func (m *sessionTerminationModel) refresh(ctx context.Context, refreshed termination.Refreshed) diag.Diagnostics {
	m.Outcome = types.StringValue(string(refreshed.Outcome))
	if m.TerminatedAt.IsNull() {
		m.TerminatedAt = timetypes.NewRFC3339TimeValue(refreshed.ConfirmedAt.Truncate(time.Second))
	}
	return m.see(ctx, *refreshed.Session)
}

// see stores the session as it was read.
func (m *sessionTerminationModel) see(ctx context.Context, s session.Session) diag.Diagnostics {
	if m.RecordID.IsNull() {
		m.RecordID = textOrNull(s.RecordID)
	}
	object, diags := types.ObjectValueFrom(ctx, detailTypes(), newDetailsModel(s))
	m.Session = object
	return diags
}
