package provider

import (
	"cmp"
	"context"
	"math"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/a2a"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

var (
	_ datasource.DataSource              = (*visibilityDataSource)(nil)
	_ datasource.DataSourceWithConfigure = (*visibilityDataSource)(nil)
)

// visibilityDataSource shows what the authorization sees.
type visibilityDataSource struct {
	configured
}

func newVisibilityDataSource() datasource.DataSource { return &visibilityDataSource{} }

type visibilityModel struct {
	Timeouts         timeouts.Value `tfsdk:"timeouts"`
	LiveSessions     int64          `tfsdk:"live_sessions"`
	EndedSessions    int64          `tfsdk:"ended_sessions"`
	Users            int64          `tfsdk:"users"`
	Credentials      int64          `tfsdk:"credentials"`
	Devices          []string       `tfsdk:"devices"`
	Protocols        []string       `tfsdk:"protocols"`
	Proxies          []string       `tfsdk:"proxies"`
	Truncated        bool           `tfsdk:"truncated"`
	DevicesByAddress int64          `tfsdk:"devices_by_address"`
	DevicesByName    int64          `tfsdk:"devices_by_name"`
	OldestStart      types.String   `tfsdk:"oldest_start"`
	NewestStart      types.String   `tfsdk:"newest_start"`
	ReadAt           types.String   `tfsdk:"read_at"`
	ListRoute        types.String   `tfsdk:"list_route"`
	TokenRoute       types.String   `tfsdk:"token_route"`
	ListSeconds      float64        `tfsdk:"list_seconds"`
}

func (d *visibilityDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_visibility"
}

func (d *visibilityDataSource) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	number := func(description string) schema.Int64Attribute {
		return schema.Int64Attribute{MarkdownDescription: description, Computed: true}
	}
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{MarkdownDescription: description, Computed: true}
	}
	list := func(description string) schema.ListAttribute {
		return schema.ListAttribute{MarkdownDescription: description, Computed: true, ElementType: types.StringType}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Shows what the authorization sees: how many live and ended sessions, on which devices, and through which routes of the API. " +
			"Reads the list of sessions once. If the list is empty, it warns that the authorization sees no sessions.",
		Attributes: map[string]schema.Attribute{
			"timeouts": readTimeouts(ctx),

			// Computed
			"live_sessions":  number("Number of live sessions."),
			"ended_sessions": number("Number of ended sessions."),
			"users":          number("Number of distinct users, at most 100,000."),
			"credentials":    number("Number of distinct credentials, at most 100,000."),
			"devices":        list("Distinct devices exactly as senhasegura shows them, usually with the port, sorted. At most 1,000."),
			"protocols":      list("Distinct protocols, sorted. At most 1,000."),
			"proxies":        list("Distinct proxies of senhasegura, sorted. At most 1,000."),
			"truncated": schema.BoolAttribute{
				MarkdownDescription: "Whether the sessions have more distinct values than the other attributes show or count, or values longer than 256 bytes, which are left out.",
				Computed:            true,
			},
			"devices_by_address": number("Number of distinct devices that senhasegura shows by IP address, also beyond the 1,000 in `devices`."),
			"devices_by_name":    number("Number of distinct devices that senhasegura shows by name, also beyond the 1,000 in `devices`."),
			"oldest_start":       text("Earliest start of a session, in RFC 3339. Null if no start can be read."),
			"newest_start":       text("Latest start of a session, in RFC 3339. Null if no start can be read."),
			"read_at":            text("When the read of the list began, by the clock of the machine that runs Terraform, in RFC 3339 and in the provider's `time_zone`."),
			"list_route":         text("Route of the list that answered, relative to the provider's `url`."),
			"token_route":        text("Route of the token request that answered, relative to the provider's `url`. Null with `oauth1`."),
			"list_seconds": schema.Float64Attribute{
				MarkdownDescription: "How long the read of the list took, in seconds.",
				Computed:            true,
			},
		},
	}
}

func (d *visibilityDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.setData(req.ProviderData, &resp.Diagnostics)
}

func (d *visibilityDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	defer d.data.warnOfClock(&resp.Diagnostics)
	var given timeouts.Value
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("timeouts"), &given)...)
	timeout, diags := given.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !d.data.ready(&resp.Diagnostics) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	seen, err := d.data.terminator.Visibility(ctx)
	if err != nil {
		resp.Diagnostics.Append(d.data.once(err, listFailed(err)).asError())
		return
	}
	if seen.SeesNothing() {
		resp.Diagnostics.Append(emptyList())
	}
	model := newVisibilityModel(seen, d.data.routes(), cmp.Or(d.data.zone, time.UTC))
	model.Timeouts = given
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
}

// newVisibilityModel puts what a list showed into the model. The time of this machine
// is shown in location, like the times of the list, so that they can be compared.
func newVisibilityModel(v termination.Visibility, routes a2a.Routes, location *time.Location) visibilityModel {
	return visibilityModel{
		LiveSessions:     int64(v.Live),
		EndedSessions:    int64(v.Ended),
		Users:            int64(v.Users),
		Credentials:      int64(v.Credentials),
		Devices:          orEmpty(v.Devices),
		Protocols:        orEmpty(v.Protocols),
		Proxies:          orEmpty(v.Proxies),
		Truncated:        v.Truncated,
		DevicesByAddress: int64(v.DevicesByAddress),
		DevicesByName:    int64(v.DevicesByName),
		OldestStart:      timeOrNull(v.OldestStart),
		NewestStart:      timeOrNull(v.NewestStart),
		ReadAt:           timeOrNull(v.ReadAt.In(location)),
		ListRoute:        textOrNull(routes.List),
		TokenRoute:       textOrNull(routes.Token),
		ListSeconds:      math.Round(v.Took.Seconds()*1000) / 1000,
	}
}

// orEmpty: the framework makes null of nil, and nothing seen is an empty list.
func orEmpty(values []string) []string {
	if values == nil {
		return []string{}
	}
	return values
}
