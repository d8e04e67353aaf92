package acctest

import (
	"context"
	"io"
	"maps"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-log/tflogtest"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/provider"
)

// version is the provider's in every test.
const version = "0.0.0-test"

// Driver is a configured provider in process, with what Terraform core does
// around it: proposed states, replacement, tainting, refusal of plans and
// results that break the protocol's rules. Such a breach fails the test; what
// the provider itself says comes back as Diagnostics. It is safe for concurrent
// use, as far as a test may be failed concurrently.
type Driver struct {
	t          *testing.T
	server     tfprotov6.ProviderServer
	schemas    *tfprotov6.GetProviderSchemaResponse
	identities map[string]*tfprotov6.ResourceIdentitySchema

	// Configured is what validating and configuring the provider said.
	Configured Diagnostics
	// Log gets what the provider logs about resources and actions at every level, one
	// JSON object a line; nil for nothing.
	Log io.Writer
}

// NewDriver configures a provider for pam. config holds further arguments by
// name, in the values that encoding them allows (string, bool, int, float64,
// slices, maps, Unknown, nil); they take the place of those of Server.Config, and
// nil removes one. A pam of nil brings no arguments. The test fails if the
// provider refuses the configuration; TryDriver is for that.
func NewDriver(t *testing.T, server *Server, config map[string]any) *Driver {
	t.Helper()
	d := TryDriver(t, server, config)
	if errs := d.Configured.Errors(); len(errs) > 0 {
		t.Fatalf("the provider refuses its configuration:\n%s", errs)
	}
	return d
}

// TryDriver is NewDriver for a configuration that may be refused. It is
// configured only if it is valid, as Terraform does it.
func TryDriver(t *testing.T, server *Server, config map[string]any) *Driver {
	t.Helper()
	wire, err := providerserver.NewProtocol6WithError(provider.New(version)())()
	if err != nil {
		t.Fatal(err)
	}
	d := &Driver{t: t, server: wire}
	if d.schemas, err = wire.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{}); err != nil {
		t.Fatal(err)
	}
	d.noErrors(d.schemas.Diagnostics)
	identities, err := wire.GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		t.Fatal(err)
	}
	d.noErrors(identities.Diagnostics)
	d.identities = identities.IdentitySchemas

	arguments := map[string]any{}
	if server != nil {
		arguments = server.Config()
	}
	maps.Copy(arguments, config)
	d.configure(arguments)
	return d
}

// context is that of one call.
func (d *Driver) context() context.Context {
	if d.Log == nil {
		return d.t.Context()
	}
	return tflogtest.RootLogger(d.t.Context(), d.Log)
}

func (d *Driver) configure(arguments map[string]any) {
	d.t.Helper()
	ctx, config := d.t.Context(), d.dynamic(d.schemas.Provider.ValueType(), arguments)
	validated, err := d.server.ValidateProviderConfig(ctx, &tfprotov6.ValidateProviderConfigRequest{Config: config})
	if err != nil {
		d.t.Fatal(err)
	}
	d.Configured = diagnosticsOf("ValidateProviderConfig", validated.Diagnostics)
	if len(d.Configured.Errors()) > 0 {
		return
	}
	configured, err := d.server.ConfigureProvider(ctx, &tfprotov6.ConfigureProviderRequest{
		TerraformVersion: "1.16.0",
		Config:           config,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	d.Configured = append(d.Configured, diagnosticsOf("ConfigureProvider", configured.Diagnostics)...)
}

// Stop asks the provider to end what it is doing, as Terraform does on Ctrl-C.
func (d *Driver) Stop() {
	d.t.Helper()
	// The test's own context may have ended by the time this is called.
	resp, err := d.server.StopProvider(context.WithoutCancel(d.t.Context()), &tfprotov6.StopProviderRequest{})
	if err != nil {
		d.t.Fatal(err)
	}
	if resp.Error != "" {
		d.t.Fatal(resp.Error)
	}
}

// ReadDataSource reads a data source as a plan or an apply does, after
// validation. The values are nil if there were errors.
func (d *Driver) ReadDataSource(typeName string, config map[string]any) (map[string]any, Diagnostics) {
	d.t.Helper()
	schema, ok := d.schemas.DataSourceSchemas[typeName]
	if !ok {
		d.t.Fatalf("the provider has no data source %q", typeName)
	}
	ctx, dynamic := d.t.Context(), d.dynamic(schema.ValueType(), config)
	validated, err := d.server.ValidateDataResourceConfig(ctx, &tfprotov6.ValidateDataResourceConfigRequest{TypeName: typeName, Config: dynamic})
	if err != nil {
		d.t.Fatal(err)
	}
	all := diagnosticsOf("ValidateDataResourceConfig", validated.Diagnostics)
	if len(all.Errors()) > 0 {
		return nil, all
	}
	read, err := d.server.ReadDataSource(ctx, &tfprotov6.ReadDataSourceRequest{TypeName: typeName, Config: dynamic})
	if err != nil {
		d.t.Fatal(err)
	}
	all = append(all, diagnosticsOf("ReadDataSource", read.Diagnostics)...)
	if len(all.Errors()) > 0 {
		return nil, all
	}
	value := d.value(schema.ValueType(), read.State)
	if !value.IsFullyKnown() {
		d.t.Errorf("%s left values unknown: %v", typeName, decode(value))
	}
	return decodeMembers(value), all
}

func (d *Driver) noErrors(raw []*tfprotov6.Diagnostic) {
	d.t.Helper()
	if errs := diagnosticsOf("", raw).Errors(); len(errs) > 0 {
		d.t.Fatal(errs.String())
	}
}

// dynamic encodes values for the wire.
func (d *Driver) dynamic(kind tftypes.Type, values map[string]any) *tfprotov6.DynamicValue {
	d.t.Helper()
	if values == nil {
		values = map[string]any{}
	}
	value, err := encode(kind, values)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.wire(value)
}

func (d *Driver) wire(value tftypes.Value) *tfprotov6.DynamicValue {
	d.t.Helper()
	dynamic, err := tfprotov6.NewDynamicValue(value.Type(), value)
	if err != nil {
		d.t.Fatal(err)
	}
	return &dynamic
}

// value reads what came over the wire; nothing is null.
func (d *Driver) value(kind tftypes.Type, dynamic *tfprotov6.DynamicValue) tftypes.Value {
	d.t.Helper()
	if dynamic == nil {
		return tftypes.NewValue(kind, nil)
	}
	value, err := dynamic.Unmarshal(kind)
	if err != nil {
		d.t.Fatal(err)
	}
	return value
}
