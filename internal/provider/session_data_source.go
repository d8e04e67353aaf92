package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

var (
	_ datasource.DataSource              = (*sessionDataSource)(nil)
	_ datasource.DataSourceWithConfigure = (*sessionDataSource)(nil)
)

// sessionDataSource reads one session, by either of its identifiers.
type sessionDataSource struct {
	configured
}

func newSessionDataSource() datasource.DataSource { return &sessionDataSource{} }

// oneSessionModel is a session and the arguments of its data source.
type oneSessionModel struct {
	sessionModel
	Timeouts timeouts.Value `tfsdk:"timeouts"`
}

func (d *sessionDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_session"
}

func (d *sessionDataSource) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := sessionDataAttributes()
	attributes["session_id"] = schema.StringAttribute{
		MarkdownDescription: sessionAttributes["session_id"] + " Exactly one of `session_id` and `record_id` must be set. Reading by `session_id` reads the list of sessions.",
		Optional:            true,
		Computed:            true,
		Validators: []validator.String{
			sessionID,
			stringvalidator.ExactlyOneOf(path.MatchRoot("session_id"), path.MatchRoot("record_id")),
		},
	}
	attributes["record_id"] = schema.StringAttribute{
		MarkdownDescription: sessionAttributes["record_id"] + " Exactly one of `session_id` and `record_id` must be set. Reading by `record_id` takes one small request.",
		Optional:            true,
		Computed:            true,
		Validators:          []validator.String{recordID},
	}
	attributes["timeouts"] = readTimeouts(ctx)
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads one session, live or ended. Fails if the session isn't found.",
		Attributes:          attributes,
	}
}

func (d *sessionDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.setData(req.ProviderData, &resp.Diagnostics)
}

func (d *sessionDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	defer d.data.warnOfClock(&resp.Diagnostics)
	var model oneSessionModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	timeout, diags := model.Timeouts.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !d.data.ready(&resp.Diagnostics) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	seen, failure := d.find(ctx, model.sessionFacts)
	if failure != nil {
		resp.Diagnostics.Append(failure)
		return
	}
	found := oneSessionModel{newSessionModel(seen), model.Timeouts}
	// Terraform holds a data source to the arguments as they are written.
	if !model.SessionID.IsNull() {
		found.SessionID = model.SessionID
	} else {
		found.RecordID = model.RecordID
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &found)...)
}

// find reads the session in the way that the given identifier allows.
func (d *sessionDataSource) find(ctx context.Context, given sessionFacts) (session.Session, diag.Diagnostic) {
	at, id, ask := path.Root("session_id"), given.SessionID.ValueString(), d.data.terminator.Find
	if given.SessionID.IsNull() {
		at, id, ask = path.Root("record_id"), given.RecordID.ValueString(), d.data.terminator.FindRecord
	}
	seen, err := ask(ctx, id)
	if err != nil {
		failed, fault := sessionNotRead(at, id, err)
		return seen, d.data.once(err, failed).asError(fault...)
	}
	return seen, nil
}
