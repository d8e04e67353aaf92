// Package provider is the Terraform side of the termination of privileged
// sessions: schemas, state, and diagnostics. It decodes configuration and writes
// messages; package termination decides.
package provider

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/float64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/objectvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/a2a"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

var (
	_ provider.Provider            = (*senhasegura)(nil)
	_ provider.ProviderWithActions = (*senhasegura)(nil)

	_ provider.ProviderWithValidateConfig = (*senhasegura)(nil)
)

type senhasegura struct {
	version string
}

// New gives a constructor of the provider. Each provider it makes is independent:
// it has its own API client, token and shared reads. version is that of the
// release, for the user agent.
func New(version string) func() provider.Provider {
	return func() provider.Provider { return &senhasegura{version: version} }
}

type providerModel struct {
	URL                   types.String  `tfsdk:"url"`
	ClientID              types.String  `tfsdk:"client_id"`
	ClientSecret          types.String  `tfsdk:"client_secret"`
	OAuth1                types.Object  `tfsdk:"oauth1"`
	Tenant                types.String  `tfsdk:"tenant"`
	CACertPEM             types.String  `tfsdk:"ca_cert_pem"`
	CACertFile            types.String  `tfsdk:"ca_cert_file"`
	ClientCertPEM         types.String  `tfsdk:"client_cert_pem"`
	ClientKeyPEM          types.String  `tfsdk:"client_key_pem"`
	Insecure              types.Bool    `tfsdk:"insecure"`
	ProxyURL              types.String  `tfsdk:"proxy_url"`
	Headers               types.Map     `tfsdk:"headers"`
	RequestTimeout        types.String  `tfsdk:"request_timeout"`
	ListTimeout           types.String  `tfsdk:"list_timeout"`
	MaxRetries            types.Int64   `tfsdk:"max_retries"`
	MaxConcurrentRequests types.Int64   `tfsdk:"max_concurrent_requests"`
	RequestsPerSecond     types.Float64 `tfsdk:"requests_per_second"`
	TimeZone              types.String  `tfsdk:"time_zone"`
	Paths                 types.Object  `tfsdk:"paths"`
}

func (p *senhasegura) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "senhasegura"
	resp.Version = p.version
}

func (p *senhasegura) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Terminates live privileged sessions of senhasegura (Segura) through its A2A API.",
		Attributes: map[string]schema.Attribute{
			"url": schema.StringAttribute{
				MarkdownDescription: "Base URL of senhasegura, such as `https://pam.example.com`. May include a path. " +
					"Must start with `https://`, or for a loopback host with `http://`. Required. Can also be set with the `SENHASEGURA_URL` environment variable.",
				Optional:   true,
				Validators: []validator.String{textRule{wants: "a URL that starts with `https://`", check: a2a.ValidateURL}.or("SENHASEGURA_URL")},
			},
			"client_id": schema.StringAttribute{
				MarkdownDescription: "Client ID of the A2A authorization (OAuth 2.0). Required unless `oauth1` is set. Conflicts with `oauth1`. Can also be set with the `SENHASEGURA_CLIENT_ID` environment variable.",
				Optional:            true,
				Validators: []validator.String{
					credential.or("SENHASEGURA_CLIENT_ID"),
					stringvalidator.ConflictsWith(path.MatchRoot("oauth1")),
				},
			},
			"client_secret": schema.StringAttribute{
				MarkdownDescription: "Client secret of the A2A authorization (OAuth 2.0). Required unless `oauth1` is set. Conflicts with `oauth1`. Can also be set with the `SENHASEGURA_CLIENT_SECRET` environment variable.",
				Optional:            true,
				Sensitive:           true,
				Validators: []validator.String{
					credential.or("SENHASEGURA_CLIENT_SECRET"),
					stringvalidator.ConflictsWith(path.MatchRoot("oauth1")),
				},
			},
			"oauth1": schema.SingleNestedAttribute{
				MarkdownDescription: "OAuth 1.0a credentials, for older installations. All four are required. Conflicts with `client_id` and `client_secret`.",
				Optional:            true,
				Sensitive:           true,
				Validators: []validator.Object{
					objectvalidator.ConflictsWith(path.MatchRoot("client_id"), path.MatchRoot("client_secret")),
				},
				Attributes: map[string]schema.Attribute{
					"consumer_key":    oauth1Attribute("Consumer key of the application", "CONSUMER_KEY"),
					"consumer_secret": oauth1Attribute("Consumer secret of the application", "CONSUMER_SECRET"),
					"token_key":       oauth1Attribute("Token key of the authorization", "TOKEN_KEY"),
					"token_secret":    oauth1Attribute("Token secret of the authorization", "TOKEN_SECRET"),
				},
			},
			"tenant": schema.StringAttribute{
				MarkdownDescription: "Subdomain of the tenant, sent with the token request. Required if `url` has the IP address of a multi-tenant installation. Can also be set with the `SENHASEGURA_TENANT` environment variable.",
				Optional:            true,
				Validators:          []validator.String{notEmpty.or("SENHASEGURA_TENANT")},
			},
			"ca_cert_pem": schema.StringAttribute{
				MarkdownDescription: "PEM certificates to trust in addition to those of the system. Conflicts with `ca_cert_file`. Can also be set with the `SENHASEGURA_CA_CERT_PEM` environment variable.",
				Optional:            true,
				Validators: []validator.String{
					notEmpty.or("SENHASEGURA_CA_CERT_PEM"), textRule{wants: "PEM certificates", check: validateCertificates}.or("SENHASEGURA_CA_CERT_PEM"),
					stringvalidator.ConflictsWith(path.MatchRoot("ca_cert_file")),
				},
			},
			"ca_cert_file": schema.StringAttribute{
				MarkdownDescription: "File with PEM certificates to trust in addition to those of the system, such as the self-signed certificate of a new installation. Conflicts with `ca_cert_pem`. Can also be set with the `SENHASEGURA_CA_CERT_FILE` environment variable.",
				Optional:            true,
				Validators: []validator.String{
					textRule{wants: "a file with PEM certificates", check: validateCertificateFile}.or("SENHASEGURA_CA_CERT_FILE"),
					stringvalidator.ConflictsWith(path.MatchRoot("ca_cert_pem")),
				},
			},
			"client_cert_pem": schema.StringAttribute{
				MarkdownDescription: "PEM client certificate, with its chain. Required if the authorization requires one. Requires `client_key_pem`. Can also be set with the `SENHASEGURA_CLIENT_CERT_PEM` environment variable.",
				Optional:            true,
				Validators:          []validator.String{notEmpty.or("SENHASEGURA_CLIENT_CERT_PEM")},
			},
			"client_key_pem": schema.StringAttribute{
				MarkdownDescription: "PEM private key of the client certificate, unencrypted. Requires `client_cert_pem`. Can also be set with the `SENHASEGURA_CLIENT_KEY_PEM` environment variable.",
				Optional:            true,
				Sensitive:           true,
				Validators:          []validator.String{notEmpty.or("SENHASEGURA_CLIENT_KEY_PEM")},
			},
			"insecure": schema.BoolAttribute{
				MarkdownDescription: "Whether to skip TLS certificate verification. Not recommended: set `ca_cert_file` instead. Every run prints a warning. Defaults to `false`. Can also be set with the `SENHASEGURA_INSECURE` environment variable.",
				Optional:            true,
			},
			"proxy_url": schema.StringAttribute{
				MarkdownDescription: "URL of the proxy for all requests. Credentials in it are never shown. Defaults to the proxy that `HTTPS_PROXY` and `NO_PROXY` select. Can also be set with the `SENHASEGURA_PROXY_URL` environment variable.",
				Optional:            true,
				Sensitive:           true,
				Validators:          []validator.String{notEmpty.or("SENHASEGURA_PROXY_URL"), textRule{wants: "a proxy URL", check: a2a.ValidateProxyURL}.or("SENHASEGURA_PROXY_URL")},
			},
			"headers": schema.MapAttribute{
				MarkdownDescription: "Additional request headers, such as `Referer`. Must not contain headers that the provider sets, such as `Authorization`.",
				Optional:            true,
				Sensitive:           true,
				ElementType:         types.StringType,
				Validators:          []validator.Map{headersRule{}},
			},
			"request_timeout": schema.StringAttribute{
				MarkdownDescription: "Timeout for one attempt of a request, except to list sessions, as a duration such as `30s`. Defaults to `30s`.",
				Optional:            true,
				Validators:          []validator.String{positiveDuration},
			},
			"list_timeout": schema.StringAttribute{
				MarkdownDescription: "Timeout for one attempt to list sessions, which can take minutes, as a duration. Defaults to `10m`.",
				Optional:            true,
				Validators:          []validator.String{positiveDuration},
			},
			"max_retries": schema.Int64Attribute{
				MarkdownDescription: "Maximum number of retries for transient failures, from 0 to 10. Defaults to `4`. Can also be set with the `SENHASEGURA_MAX_RETRIES` environment variable.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.Between(0, a2a.MaxRetriesLimit)},
			},
			"max_concurrent_requests": schema.Int64Attribute{
				MarkdownDescription: "Maximum number of concurrent API requests of the provider process. Defaults to `10`.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.Between(1, maxConcurrentLimit)},
			},
			"requests_per_second": schema.Float64Attribute{
				MarkdownDescription: "Maximum number of API requests per second of the provider process. No limit by default.",
				Optional:            true,
				Validators:          []validator.Float64{float64validator.AtLeast(minRequestsPerSecond)},
			},
			"time_zone": schema.StringAttribute{
				MarkdownDescription: "IANA time zone of the senhasegura server, such as `America/Sao_Paulo`. API timestamps carry no zone. Required for `older_than`. If not set, times are shown as if the server's clock ran in UTC. If the provider sees a difference of 15 minutes or more, it warns. Can also be set with the `SENHASEGURA_TIME_ZONE` environment variable.",
				Optional:            true,
				Validators:          []validator.String{textRule{wants: "an IANA time zone", check: validateTimeZone}.or("SENHASEGURA_TIME_ZONE")},
			},
			"paths": schema.SingleNestedAttribute{
				MarkdownDescription: "Overrides API routes, relative to `url`. By default, the provider detects them. Set a route only if detection fails.",
				Optional:            true,
				Attributes: map[string]schema.Attribute{
					"token": pathAttribute("Route of the token request, such as `iso/oauth2/token`."),
					"list":  pathAttribute("Route of the list of sessions, such as `api/session/remotesessions`."),
					"drop":  pathAttribute("Route of the termination request (drop), without the session ID, such as `api/pam/session/drop`."),
				},
			},
		},
	}
}

func oauth1Attribute(name, variable string) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: name + ". Can also be set with the `SENHASEGURA_OAUTH1_" + variable + "` environment variable.",
		Optional:            true,
		Sensitive:           true,
		Validators:          []validator.String{credential.or("SENHASEGURA_OAUTH1_" + variable)},
	}
}

func pathAttribute(description string) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: description,
		Optional:            true,
		Validators:          []validator.String{notEmpty, textRule{wants: "a path", check: a2a.ValidatePath}},
	}
}

// ValidateConfig completes the list of faults. What is missing may still come
// from the environment of a later run, so it is reported only together with
// something that must be corrected anyway.
func (p *senhasegura) ValidateConfig(ctx context.Context, req provider.ValidateConfigRequest, resp *provider.ValidateConfigResponse) {
	var model providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	written := resolve(ctx, model, func(string) string { return "" })
	if !written.wrong() {
		return // what only the environment sets is checked when it is used
	}
	whole := resolve(ctx, model, os.Getenv)
	resp.Diagnostics.Append(whole.missing...)
	for _, fault := range whole.diags.Errors() {
		// The argument's validators have reported it.
		if !written.diags.Contains(fault) {
			resp.Diagnostics.Append(fault)
		}
	}
}

// Configure makes the API client. It makes no network call, so that validation
// and plans work offline.
func (p *senhasegura) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var model providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	settings := resolve(ctx, model, os.Getenv)
	resp.Diagnostics.Append(settings.diags...)
	resp.Diagnostics.Append(settings.missing...)
	if resp.Diagnostics.HasError() {
		return
	}
	data := &providerData{unknown: settings.unknown, zone: settings.client.Location, nonce: rand.Text()}
	if len(settings.unknown) == 0 {
		settings.client.UserAgent = p.userAgent(req.TerraformVersion)
		settings.client.Logger = slog.New(&logHandler{})
		settings.client.Dated = func(date, sent, received time.Time) { data.terminator.Dated(date, sent, received) }
		client, err := a2a.New(settings.client)
		if err != nil {
			resp.Diagnostics.Append(settings.clientErrors(err)...)
			return
		}
		data.routes = client.Routes
		data.terminator = termination.New(client, termination.Options{
			Retries:     settings.client.MaxRetries,
			ListTimeout: settings.client.ListTimeout,
			Concurrency: settings.client.MaxConcurrentRequests,
			Zone:        settings.client.Location,
		})
	}
	resp.ResourceData = data
	resp.DataSourceData = data
	resp.ActionData = data
}

func (p *senhasegura) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		newSessionTerminationResource,
		newSessionDrainResource,
	}
}

func (p *senhasegura) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{
		newSessionDataSource,
		newSessionsDataSource,
		newVisibilityDataSource,
	}
}

func (p *senhasegura) Actions(context.Context) []func() action.Action {
	return []func() action.Action{
		newSessionTerminateAction,
	}
}
