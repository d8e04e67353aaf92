// Command noop is a provider with one resource, which does nothing. It has the
// schema of senhasegura_session_termination and leaves a state of the same length,
// so that what a termination costs can be told from what any such resource costs.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	senhasegura "github.com/senhasegura/terraform-provider-senhasegura/internal/provider"
)

// gcPercent is that of this provider's main.
const gcPercent = 400

func main() {
	if os.Getenv("NOOP_DEFAULTS") == "" {
		if err := likeMain(); err != nil {
			fail(err)
		}
	}
	err := providerserver.Serve(context.Background(), func() provider.Provider { return noopProvider{} }, providerserver.ServeOpts{
		Address:         "registry.terraform.io/senhasegura/noop",
		ProtocolVersion: 6,
	})
	if err != nil {
		fail(err)
	}
}

// likeMain makes the settings of this provider's main, so that the two differ in the
// termination alone: Terraform reads what the libraries log by default, and throws it
// away.
func likeMain() error {
	debug.SetGCPercent(gcPercent)
	for _, name := range []string{"TF_LOG_SDK", "TF_LOG_PROVIDER"} {
		if err := os.Setenv(name, "off"); err != nil {
			return err
		}
	}
	return nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

type noopProvider struct{}

func (noopProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "noop"
}

func (noopProvider) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse) {
	// NO-OP: there is nothing to configure.
}

func (noopProvider) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {
	// NO-OP, as above.
}

func (noopProvider) DataSources(context.Context) []func() datasource.DataSource { return nil }

func (noopProvider) Resources(ctx context.Context) []func() resource.Resource {
	for _, construct := range senhasegura.New("dev")().Resources(ctx) {
		var named resource.MetadataResponse
		model, ok := construct().(resource.ResourceWithIdentity)
		if !ok {
			continue
		}
		model.Metadata(ctx, resource.MetadataRequest{}, &named)
		if named.TypeName == "_session_termination" {
			return []func() resource.Resource{func() resource.Resource { return noopTermination{model} }}
		}
	}
	return nil // Terraform then says that there is no such resource
}

// noopTermination has the schemas and the type name of the resource in it.
type noopTermination struct {
	resource.ResourceWithIdentity
}

type terminationModel struct {
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

type identityModel struct {
	SessionID types.String `tfsdk:"session_id"`
}

// details are as long as those of the simulator's sessions.
var details = map[string]string{
	"user": "user0100", "credential": "cred100", "device": "10.0.0.100:3389", "protocol": "ssh", "proxy": "Web Proxy",
	"origin_ip": "172.0.0.100", "started_at": "2027-08-09T22:54:00Z", "ended_at": "2027-08-09T22:54:00Z",
}

// Create is a NO-OP apart from the state, which has no unknown value.
func (noopTermination) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var model terminationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	names, values := map[string]attr.Type{}, map[string]attr.Value{}
	for name, value := range details {
		names[name], values[name] = types.StringType, types.StringValue(value)
	}
	session, diags := types.ObjectValue(names, values)
	resp.Diagnostics.Append(diags...)
	model.Session = session
	model.ID = model.SessionID
	model.RecordID = types.StringValue("100")
	model.Outcome = types.StringValue("terminated")
	model.TerminatedAt = timetypes.NewRFC3339TimeValue(time.Now().UTC().Truncate(time.Second))
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{model.SessionID})...)
}

// Read is a NO-OP: the state stays.
func (noopTermination) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}

// Update is a NO-OP: nothing here changes the configuration.
func (noopTermination) Update(context.Context, resource.UpdateRequest, *resource.UpdateResponse) {}

// Delete is a NO-OP: there is nothing to remove.
func (noopTermination) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}
