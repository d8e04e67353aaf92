package provider

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

var (
	_ datasource.DataSource              = (*sessionsDataSource)(nil)
	_ datasource.DataSourceWithConfigure = (*sessionsDataSource)(nil)
)

// The values of `state`.
const (
	stateLive  = "live"
	stateEnded = "ended"
	stateAll   = "all"
)

// sessionsDataSource shows the sessions that a match means.
type sessionsDataSource struct {
	configured
}

func newSessionsDataSource() datasource.DataSource { return &sessionsDataSource{} }

type sessionsModel struct {
	Match      types.Object `tfsdk:"match"`
	Exclude    types.Object `tfsdk:"exclude"`
	State      types.String `tfsdk:"state"`
	Sessions   types.List   `tfsdk:"sessions"`
	SessionIDs types.List   `tfsdk:"session_ids"`
}

func (d *sessionsDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_sessions"
}

func (d *sessionsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Shows who is, or was, connected. It is no error if nobody is: the lists are then empty. " +
			"PAM shows an authorization only sessions of its own Credentials and Devices, and does not say what it leaves out.",
		Attributes: map[string]schema.Attribute{
			// Optional
			"match":   dataSourceMatch(matchDescription + " Without it, or with nothing set in it, every session is meant."),
			"exclude": dataSourceMatch(excludeDescription),
			"state": schema.StringAttribute{
				MarkdownDescription: "`live` (the default), `ended` or `all`. A session is live until PAM shows a readable time of its end.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.OneOf(stateLive, stateEnded, stateAll)},
			},

			// Computed
			"sessions": schema.ListNestedAttribute{
				MarkdownDescription: "The sessions, oldest first, then by `record_id`; those without a known start come last. " +
					"One of which PAM does not show enough to decide whether it is meant is left out, with a warning that names it.",
				Computed:     true,
				NestedObject: schema.NestedAttributeObject{Attributes: sessionDataAttributes()},
			},
			"session_ids": schema.ListAttribute{
				MarkdownDescription: "The unique hashes of `sessions`, in the same order, each once. A session whose hash PAM does not show is not among them.",
				Computed:            true,
				ElementType:         types.StringType,
			},
		},
	}
}

func (d *sessionsDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.take(req.ProviderData, &resp.Diagnostics)
}

func (d *sessionsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model sessionsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	selector, diags := selectorFrom(ctx, model.Match, model.Exclude, true)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !d.data.ready(&resp.Diagnostics) {
		return
	}
	if selector == nil {
		resp.Diagnostics.AddError("`match` or `exclude` is not known",
			"A data source is read with values that are not known. This is a fault of Terraform or of the provider: report it to its developers.")
		return
	}
	query := sessionsQuery{selector: selector, state: model.State.ValueString(), now: time.Now()}
	if query.state == "" {
		query.state = stateLive
	}
	rows, err := d.data.terminator.Look().All(ctx, query.mayBelong)
	if err != nil {
		resp.Diagnostics.Append(d.data.once(err, listFailed(err)))
		return
	}
	certain, undecided := query.choose(rows)
	if len(undecided) > 0 {
		resp.Diagnostics.Append(undecidedSessions(undecided, query.unknown, matchWords(model.Match)))
	}
	if nameless := withoutID(certain); len(nameless) > 0 {
		resp.Diagnostics.Append(namelessSessions(nameless, matchWords(model.Match)))
	}
	resp.Diagnostics.Append(model.show(ctx, certain)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
}

// show fills the computed attributes with sessions in their order.
func (m *sessionsModel) show(ctx context.Context, sessions []session.Session) diag.Diagnostics {
	models := make([]sessionModel, 0, len(sessions))
	ids := make([]string, 0, len(sessions))
	listed := make(map[string]bool, len(sessions))
	for _, s := range sessions {
		models = append(models, newSessionModel(s))
		if s.ID != "" && !listed[s.ID] {
			listed[s.ID] = true
			ids = append(ids, s.ID)
		}
	}
	var diags, faults diag.Diagnostics
	m.Sessions, diags = types.ListValueFrom(ctx, sessionType(), models)
	m.SessionIDs, faults = types.ListValueFrom(ctx, types.StringType, ids)
	diags.Append(faults...)
	return diags
}

// sessionsQuery is what the data source asks of a list. The moment is fixed, so
// that a slow list does not let sessions grow old while it is read.
type sessionsQuery struct {
	selector *session.Selector
	state    string
	now      time.Time
}

// mayBelong picks rows while the list streams in. Where ended sessions are
// asked for, every live row is kept, because it refutes an ended row of the same
// session.
func (q sessionsQuery) mayBelong(s session.Session) bool {
	if s.Live() && q.state != stateLive {
		return true
	}
	if !s.Live() && q.state == stateLive {
		return false
	}
	return q.selector.Select(s, q.now) != session.No
}

func (q sessionsQuery) unknown(s session.Session) []string { return q.selector.Unknown(s, q.now) }

// choose divides rows into those that certainly belong and those of which PAM
// does not show enough. Both are sorted. A row that the list repeats is shown
// once, and a session that one row shows live is not shown as ended by another.
func (q sessionsQuery) choose(rows []session.Session) (certain, undecided []session.Session) {
	live := map[string]bool{}
	for _, row := range rows {
		if row.ID != "" && row.Live() {
			live[row.ID] = true
		}
	}
	shown := make(map[session.Session]bool, len(rows))
	for _, row := range rows {
		contradicted := !row.Live() && live[row.ID]
		unwanted := q.state == stateEnded && row.Live()
		if contradicted || unwanted || shown[row] {
			continue
		}
		shown[row] = true
		switch q.selector.Select(row, q.now) {
		case session.Yes:
			certain = append(certain, row)
		case session.Undecided:
			undecided = append(undecided, row)
		case session.No:
		}
	}
	slices.SortStableFunc(certain, compareSessions)
	slices.SortStableFunc(undecided, compareSessions)
	return certain, undecided
}

// compareSessions puts the oldest first, then the lower record id; what is not
// known comes last.
func compareSessions(a, b session.Session) int {
	switch {
	case a.StartedAt.IsZero() && !b.StartedAt.IsZero():
		return 1
	case b.StartedAt.IsZero() && !a.StartedAt.IsZero():
		return -1
	}
	return cmp.Or(
		a.StartedAt.Compare(b.StartedAt),
		compareRecordIDs(a.RecordID, b.RecordID),
		cmp.Compare(a.ID, b.ID),
	)
}

// compareRecordIDs compares digits as numbers of any length. An empty id comes
// last.
func compareRecordIDs(a, b string) int {
	if a == "" || b == "" {
		return cmp.Compare(len(b), len(a))
	}
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

func withoutID(sessions []session.Session) []session.Session {
	var nameless []session.Session
	for _, s := range sessions {
		if s.ID == "" {
			nameless = append(nameless, s)
		}
	}
	return nameless
}
