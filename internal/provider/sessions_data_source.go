package provider

import (
	"cmp"
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

var (
	_ datasource.DataSource              = (*sessionsDataSource)(nil)
	_ datasource.DataSourceWithConfigure = (*sessionsDataSource)(nil)
)

// sessionsDataSource lists matching sessions.
type sessionsDataSource struct {
	configured
}

func newSessionsDataSource() datasource.DataSource { return &sessionsDataSource{} }

type sessionsModel struct {
	Match      types.Object   `tfsdk:"match"`
	Exclude    types.Object   `tfsdk:"exclude"`
	State      types.String   `tfsdk:"state"`
	Timeouts   timeouts.Value `tfsdk:"timeouts"`
	Sessions   types.List     `tfsdk:"sessions"`
	SessionIDs types.List     `tfsdk:"session_ids"`
	Unknown    types.List     `tfsdk:"unknown_sessions"`
	Unseen     types.List     `tfsdk:"unseen"`
}

func (d *sessionsDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_sessions"
}

func (d *sessionsDataSource) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists live and ended sessions. Returns empty lists if none match. " +
			"senhasegura lists only sessions of the authorization's Credentials and Devices, and doesn't say what it leaves out.",
		Attributes: map[string]schema.Attribute{
			// Optional
			"match":   dataSourceMatch(matchDescription + " If not set, or if it sets no argument, every session matches."),
			"exclude": dataSourceMatch(excludeDescription),
			"state": schema.StringAttribute{
				MarkdownDescription: "Which sessions to list: `live`, `ended`, or `all`. A session is live until senhasegura reports a readable end time. Defaults to `live`.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.OneOf(string(termination.StateLive), string(termination.StateEnded), string(termination.StateAll))},
			},

			"timeouts": readTimeouts(ctx),

			// Computed
			"sessions": schema.ListNestedAttribute{
				MarkdownDescription: "Matching sessions, oldest first, then by `record_id`; those without a known start come last. " +
					"A session that may match, and for which that can't be decided, is in `unknown_sessions` instead.",
				Computed:     true,
				NestedObject: schema.NestedAttributeObject{Attributes: sessionDataAttributes()},
			},
			"session_ids": schema.ListAttribute{
				MarkdownDescription: "IDs of `sessions`, in the same order, each once. A session without a session ID is left out.",
				Computed:            true,
				ElementType:         types.StringType,
			},
			"unknown_sessions": schema.ListNestedAttribute{
				MarkdownDescription: "Sessions that may match, in the order of `sessions`: senhasegura writes a name in another form, such as `db-01` for `db-01.example.com`, or doesn't show what an argument compares. " +
					"A warning says why for each. That no session matches is certain only if both lists are empty.",
				Computed:     true,
				NestedObject: schema.NestedAttributeObject{Attributes: sessionDataAttributes()},
			},
			"unseen": unseenAttribute(),
		},
	}
}

func (d *sessionsDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.setData(req.ProviderData, &resp.Diagnostics)
}

func (d *sessionsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	defer d.data.warnOfClock(&resp.Diagnostics)
	var model sessionsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	selector, diags := selectorFrom(ctx, model.Match, model.Exclude, true)
	resp.Diagnostics.Append(diags...)
	timeout, diags := model.Timeouts.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !d.data.ready(&resp.Diagnostics) {
		return
	}
	if selector == nil {
		resp.Diagnostics.Append(unknownArguments())
		return
	}
	state := termination.State(cmp.Or(model.State.ValueString(), string(defaultState)))
	now := time.Now()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := d.data.terminator.Query(ctx, termination.Question{Selector: selector, State: state, Now: now})
	if err != nil {
		resp.Diagnostics.Append(d.data.once(err, listFailed(err)).asError(argumentAtFault(err)...))
		return
	}
	if answer.Coverage.SeesNothing() {
		resp.Diagnostics.Append(emptyList())
	}
	if len(answer.Unknown) > 0 {
		unknown := func(s session.Session) []session.UnknownCriterion { return selector.UnknownCriteria(s, now) }
		resp.Diagnostics.Append(undecidedSessions(answer.Unknown, unknown, model.object()))
	}
	if nameless := answer.WithoutID(); len(nameless) > 0 {
		resp.Diagnostics.Append(sessionsWithoutID(nameless, model.object()))
	}
	resp.Diagnostics.Append(model.show(ctx, answer)...)
	model.Unseen, diags = unseenList(ctx, answer.Coverage.Unseen)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
}

// show fills the computed attributes.
func (m *sessionsModel) show(ctx context.Context, answer termination.Answer) diag.Diagnostics {
	var diags diag.Diagnostics
	list := func(of attr.Type, elements any) types.List {
		value, faults := types.ListValueFrom(ctx, of, elements)
		diags.Append(faults...)
		return value
	}
	ids := make([]string, 0, len(answer.Sessions))
	for _, s := range answer.Sessions {
		if s.ID != "" {
			ids = append(ids, s.ID)
		}
	}
	m.Sessions = list(sessionType(), newSessionModels(answer.Sessions))
	m.SessionIDs = list(types.StringType, ids)
	m.Unknown = list(sessionType(), newSessionModels(answer.Unknown))
	return diags
}

// object identifies the sessions in the summary of a message.
func (m *sessionsModel) object() string {
	if words := (drainArguments{Match: m.Match, Exclude: m.Exclude}).words(); words != "" {
		return ": sessions of " + words
	}
	return ""
}
