package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // so that time_zone works on a host without zone files

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/a2a"
)

const (
	maxConcurrentLimit   = 1000
	minRequestsPerSecond = 0.01
)

// settings is the provider's configuration with the environment and the defaults
// applied, or what is wrong with it.
type settings struct {
	client a2a.Config
	getenv func(string) string
	// unknown names the arguments whose values are not known yet.
	unknown []string
	// fromEnvironment has the variables whose values are used.
	fromEnvironment []string
	// diags are the faults of what is there, missing those of what is not.
	diags, missing diag.Diagnostics
}

// resolve takes each argument from the configuration, otherwise from its
// environment variable, otherwise its default. It reports all faults, each on its
// own argument.
func resolve(ctx context.Context, model providerModel, getenv func(string) string) *settings {
	s := &settings{getenv: getenv}
	s.client.URL = s.text(path.Root("url"), model.URL, "SENHASEGURA_URL")
	if s.client.URL == "" {
		s.lacks(path.Root("url"), "SENHASEGURA_URL", "the base URL of senhasegura, such as `https://pam.example.com`")
	}
	s.credentials(model)
	s.client.Tenant = s.text(path.Root("tenant"), model.Tenant, "SENHASEGURA_TENANT")
	s.tls(model)
	s.client.ProxyURL = s.text(path.Root("proxy_url"), model.ProxyURL, "SENHASEGURA_PROXY_URL")
	s.headers(ctx, model.Headers)
	s.client.RequestTimeout = s.duration(path.Root("request_timeout"), model.RequestTimeout, a2a.DefaultRequestTimeout)
	s.client.ListTimeout = s.duration(path.Root("list_timeout"), model.ListTimeout, a2a.DefaultListTimeout)
	s.limits(model)
	s.timeZone(model.TimeZone)
	s.paths(model.Paths)
	return s
}

// known reports whether value is set, and notes an unknown one.
func (s *settings) known(at path.Path, value attr.Value) bool {
	if value.IsUnknown() {
		s.unknown = append(s.unknown, quoted(at))
		return false
	}
	return !value.IsNull()
}

// text gives the argument's value or that of its environment variable. An empty
// variable counts as not set, as it does for every tool of the vendor.
func (s *settings) text(at path.Path, value types.String, variable string) string {
	if s.known(at, value) {
		return value.ValueString()
	}
	if value.IsUnknown() {
		return ""
	}
	return s.env(variable)
}

// env gives the value of a variable that is used if it is set.
func (s *settings) env(variable string) string {
	value := s.getenv(variable)
	if value != "" {
		s.fromEnvironment = append(s.fromEnvironment, variable)
	}
	return value
}

func (s *settings) lacks(at path.Path, variable, what string) {
	if slices.Contains(s.unknown, quoted(at)) {
		return
	}
	s.missing.Append(missingArgument(at, variable, what))
}

// invalid reports a value that is at fault. err completes a sentence that begins
// with the argument; variable is "" for none.
func (s *settings) invalid(at path.Path, variable string, err error) {
	s.diags.Append(invalidArgument(at, err, variableHint(variable, slices.Contains(s.fromEnvironment, variable))))
}

// oauth1Arguments are the parts of `oauth1` in the order of the documentation.
var oauth1Arguments = []struct{ name, variable, what string }{
	{"consumer_key", "SENHASEGURA_OAUTH1_CONSUMER_KEY", "the consumer key of the application"},
	{"consumer_secret", "SENHASEGURA_OAUTH1_CONSUMER_SECRET", "the consumer secret of the application"},
	{"token_key", "SENHASEGURA_OAUTH1_TOKEN_KEY", "the token key of the authorization"},
	{"token_secret", "SENHASEGURA_OAUTH1_TOKEN_SECRET", "the token secret of the authorization"},
}

// credentials chooses between OAuth 2.0 and OAuth 1.0a. What the configuration
// sets takes precedence over what only the environment sets.
func (s *settings) credentials(model providerModel) {
	oauth2Configured := !model.ClientID.IsNull() || !model.ClientSecret.IsNull()
	oauth1Configured := !model.OAuth1.IsNull()
	oauth2Offered := s.getenv("SENHASEGURA_CLIENT_ID") != "" || s.getenv("SENHASEGURA_CLIENT_SECRET") != ""
	oauth1Offered := false
	for _, argument := range oauth1Arguments {
		oauth1Offered = oauth1Offered || s.getenv(argument.variable) != ""
	}

	switch {
	case oauth1Configured:
		s.oauth1(model.OAuth1)
	case oauth2Configured:
		s.oauth2(model)
	case oauth1Offered && oauth2Offered:
		s.diags.Append(conflictingCredentials())
	case oauth1Offered:
		s.oauth1(model.OAuth1)
	default:
		s.oauth2(model)
	}
}

func (s *settings) oauth2(model providerModel) {
	id, secret := path.Root("client_id"), path.Root("client_secret")
	s.client.ClientID = s.text(id, model.ClientID, "SENHASEGURA_CLIENT_ID")
	s.client.ClientSecret = s.text(secret, model.ClientSecret, "SENHASEGURA_CLIENT_SECRET")
	if s.client.ClientID == "" {
		s.lacks(id, "SENHASEGURA_CLIENT_ID", "the client ID of the A2A authorization (A2A > Applications > Authorizations > View). For an older installation without OAuth 2.0, set `oauth1` instead")
	}
	if s.client.ClientSecret == "" {
		s.lacks(secret, "SENHASEGURA_CLIENT_SECRET", "the client secret of the A2A authorization (A2A > Applications > Authorizations > View)")
	}
}

func (s *settings) oauth1(object types.Object) {
	root := path.Root("oauth1")
	if object.IsUnknown() {
		s.known(root, object)
		return
	}
	values := make([]string, len(oauth1Arguments))
	for i, argument := range oauth1Arguments {
		at := root.AtName(argument.name)
		values[i] = s.text(at, member(object, argument.name), argument.variable)
		if values[i] == "" {
			s.lacks(at, argument.variable, argument.what)
		}
	}
	s.client.OAuth1 = &a2a.OAuth1{ConsumerKey: values[0], ConsumerSecret: values[1], TokenKey: values[2], TokenSecret: values[3]}
}

// member gives a string attribute of an object, null where the object is null.
func member(object types.Object, name string) types.String {
	if value, ok := object.Attributes()[name].(basetypes.StringValue); ok {
		return value
	}
	return types.StringNull()
}

func (s *settings) tls(model providerModel) {
	pemAt, fileAt := path.Root("ca_cert_pem"), path.Root("ca_cert_file")
	pem, file := s.known(pemAt, model.CACertPEM), s.known(fileAt, model.CACertFile)
	switch {
	case pem:
		s.client.CACertPEM = []byte(model.CACertPEM.ValueString())
	case file:
		s.caFile(fileAt, model.CACertFile.ValueString())
	case model.CACertPEM.IsUnknown() || model.CACertFile.IsUnknown():
	default:
		pem, file := s.env("SENHASEGURA_CA_CERT_PEM"), s.env("SENHASEGURA_CA_CERT_FILE")
		switch {
		case pem != "" && file != "":
			s.diags.Append(conflictingCertificates())
		case pem != "":
			s.client.CACertPEM = []byte(pem)
		case file != "":
			s.caFile(fileAt, file)
		}
	}
	s.clientCertificate(model)
	s.insecure(model.Insecure)
}

func (s *settings) caFile(at path.Path, name string) {
	pem, err := readCertificates(name)
	if err != nil {
		s.invalid(at, "SENHASEGURA_CA_CERT_FILE", err)
	}
	s.client.CACertPEM = pem
}

func readCertificates(name string) ([]byte, error) {
	if name == "" {
		return nil, errors.New("must not be empty")
	}
	pem, err := os.ReadFile(name) //nolint:gosec // the file that the user names
	if err != nil {
		return nil, fmt.Errorf("must be a file with PEM certificates: %w", err)
	}
	if err := a2a.ValidateCACertPEM(pem); err != nil {
		return nil, fmt.Errorf("is %q, which %w", name, err)
	}
	return pem, nil
}

func validateCertificateFile(name string) error {
	_, err := readCertificates(name)
	return err
}

func (s *settings) clientCertificate(model providerModel) {
	certAt, keyAt := path.Root("client_cert_pem"), path.Root("client_key_pem")
	cert := s.text(certAt, model.ClientCertPEM, "SENHASEGURA_CLIENT_CERT_PEM")
	key := s.text(keyAt, model.ClientKeyPEM, "SENHASEGURA_CLIENT_KEY_PEM")
	switch {
	case cert != "" && key == "":
		s.lacks(keyAt, "SENHASEGURA_CLIENT_KEY_PEM", "the private key of `client_cert_pem`")
	case cert == "" && key != "":
		s.lacks(certAt, "SENHASEGURA_CLIENT_CERT_PEM", "the certificate of `client_key_pem`")
	}
	s.client.ClientCertPEM, s.client.ClientKeyPEM = []byte(cert), []byte(key)
}

func (s *settings) insecure(value types.Bool) {
	at := path.Root("insecure")
	if s.known(at, value) {
		s.client.Insecure = value.ValueBool()
	} else if text := s.env("SENHASEGURA_INSECURE"); text != "" && value.IsNull() {
		insecure, err := strconv.ParseBool(text)
		if err != nil {
			s.invalid(at, "SENHASEGURA_INSECURE", fmt.Errorf("must be true or false, but is %q", text))
		}
		s.client.Insecure = insecure
	}
	if s.client.Insecure {
		s.diags.Append(notVerified())
	}
}

func (s *settings) headers(ctx context.Context, value types.Map) {
	at := path.Root("headers")
	if !s.known(at, value) {
		return
	}
	values := map[string]types.String{}
	s.diags.Append(value.ElementsAs(ctx, &values, false)...)
	headers := make(map[string]string, len(values))
	for name, value := range values {
		if s.known(at.AtMapKey(name), value) {
			headers[name] = value.ValueString()
		}
	}
	s.client.Headers = headers
}

func (s *settings) duration(at path.Path, value types.String, otherwise time.Duration) time.Duration {
	if !s.known(at, value) {
		return otherwise
	}
	d, err := time.ParseDuration(value.ValueString())
	if err != nil {
		// Reported by the argument's validator, which every configuration passes first.
		return otherwise
	}
	return d
}

func (s *settings) limits(model providerModel) {
	s.client.MaxRetries = defaultMaxRetries
	at := path.Root("max_retries")
	if s.known(at, model.MaxRetries) {
		s.client.MaxRetries = int(model.MaxRetries.ValueInt64())
	} else if text := s.env("SENHASEGURA_MAX_RETRIES"); text != "" && model.MaxRetries.IsNull() {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > a2a.MaxRetriesLimit {
			s.invalid(at, "SENHASEGURA_MAX_RETRIES", fmt.Errorf("must be a number from 0 to %d, but is %q", a2a.MaxRetriesLimit, text))
		}
		s.client.MaxRetries = n
	}
	s.client.MaxConcurrentRequests = a2a.DefaultMaxConcurrentRequests
	if s.known(path.Root("max_concurrent_requests"), model.MaxConcurrentRequests) {
		s.client.MaxConcurrentRequests = int(model.MaxConcurrentRequests.ValueInt64())
	}
	if s.known(path.Root("requests_per_second"), model.RequestsPerSecond) {
		s.client.RequestsPerSecond = model.RequestsPerSecond.ValueFloat64()
	}
}

func validateCertificates(pem string) error { return a2a.ValidateCACertPEM([]byte(pem)) }

func (s *settings) timeZone(value types.String) {
	at := path.Root("time_zone")
	name := s.text(at, value, "SENHASEGURA_TIME_ZONE")
	if name == "" {
		return
	}
	location, err := loadTimeZone(name)
	if err != nil {
		s.invalid(at, "SENHASEGURA_TIME_ZONE", err)
	}
	s.client.Location = location
}

func validateTimeZone(name string) error {
	_, err := loadTimeZone(name)
	return err
}

// loadTimeZone refuses "Local": the runner's zone is not that of the server, and
// would differ from run to run.
func loadTimeZone(name string) (*time.Location, error) {
	location, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, fmt.Errorf("must be an IANA time zone such as \"America/Sao_Paulo\" or \"UTC\", but is %q", name)
	}
	return location, nil
}

func (s *settings) paths(object types.Object) {
	root := path.Root("paths")
	if !s.known(root, object) {
		return
	}
	route := func(name string) string {
		value := member(object, name)
		if !s.known(root.AtName(name), value) {
			return ""
		}
		return value.ValueString()
	}
	s.client.Paths = a2a.Paths{Token: route("token"), List: route("list"), Drop: route("drop")}
}

// argumentOf maps the fields of the client's configuration to the argument and
// the environment variable that set them.
var argumentOf = map[string]struct {
	at       path.Path
	variable string
}{
	"URL":                   {path.Root("url"), "SENHASEGURA_URL"},
	"ClientID":              {path.Root("client_id"), "SENHASEGURA_CLIENT_ID"},
	"ClientSecret":          {path.Root("client_secret"), "SENHASEGURA_CLIENT_SECRET"},
	"OAuth1":                {path.Root("oauth1"), ""},
	"OAuth1.ConsumerKey":    {path.Root("oauth1").AtName("consumer_key"), "SENHASEGURA_OAUTH1_CONSUMER_KEY"},
	"OAuth1.ConsumerSecret": {path.Root("oauth1").AtName("consumer_secret"), "SENHASEGURA_OAUTH1_CONSUMER_SECRET"},
	"OAuth1.TokenKey":       {path.Root("oauth1").AtName("token_key"), "SENHASEGURA_OAUTH1_TOKEN_KEY"},
	"OAuth1.TokenSecret":    {path.Root("oauth1").AtName("token_secret"), "SENHASEGURA_OAUTH1_TOKEN_SECRET"},
	"Tenant":                {path.Root("tenant"), "SENHASEGURA_TENANT"},
	"CACertPEM":             {path.Root("ca_cert_pem"), "SENHASEGURA_CA_CERT_PEM"},
	"ClientCertPEM":         {path.Root("client_cert_pem"), "SENHASEGURA_CLIENT_CERT_PEM"},
	"ClientKeyPEM":          {path.Root("client_key_pem"), "SENHASEGURA_CLIENT_KEY_PEM"},
	"ProxyURL":              {path.Root("proxy_url"), "SENHASEGURA_PROXY_URL"},
	"Headers":               {path.Root("headers"), ""},
	"RequestTimeout":        {path.Root("request_timeout"), ""},
	"ListTimeout":           {path.Root("list_timeout"), ""},
	"MaxRetries":            {path.Root("max_retries"), "SENHASEGURA_MAX_RETRIES"},
	"MaxConcurrentRequests": {path.Root("max_concurrent_requests"), ""},
	"RequestsPerSecond":     {path.Root("requests_per_second"), ""},
	"Location":              {path.Root("time_zone"), "SENHASEGURA_TIME_ZONE"},
	"Paths":                 {path.Root("paths"), ""},
	"Paths.Token":           {path.Root("paths").AtName("token"), ""},
	"Paths.List":            {path.Root("paths").AtName("list"), ""},
	"Paths.Drop":            {path.Root("paths").AtName("drop"), ""},
}

// wrong reports whether a value that is set is at fault. Placeholders replace
// values that are missing or not known yet.
func (s *settings) wrong() bool {
	if s.diags.HasError() {
		return true
	}
	client := s.client
	client.URL = cmp.Or(client.URL, "https://placeholder.invalid")
	if keys := client.OAuth1; keys == nil {
		client.ClientID, client.ClientSecret = cmp.Or(client.ClientID, "-"), cmp.Or(client.ClientSecret, "-")
	} else {
		client.OAuth1 = &a2a.OAuth1{
			ConsumerKey: cmp.Or(keys.ConsumerKey, "-"), ConsumerSecret: cmp.Or(keys.ConsumerSecret, "-"),
			TokenKey: cmp.Or(keys.TokenKey, "-"), TokenSecret: cmp.Or(keys.TokenSecret, "-"),
		}
	}
	if len(client.ClientCertPEM) == 0 || len(client.ClientKeyPEM) == 0 {
		client.ClientCertPEM, client.ClientKeyPEM = nil, nil
	}
	_, err := a2a.New(client)
	return err != nil
}

func faultsOf(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// clientErrors reports each fault that the API client finds in its configuration
// on the argument that it came from.
func (s *settings) clientErrors(err error) diag.Diagnostics {
	before := len(s.diags)
	for _, fault := range faultsOf(err) {
		var field *a2a.ConfigError
		if errors.As(fault, &field) {
			if argument, ok := argumentOf[field.Field]; ok {
				s.invalid(argument.at, argument.variable, field.Err)
				continue
			}
		}
		s.diags.Append(invalidConfiguration(fault))
	}
	return s.diags[before:]
}

// userAgent names the provider and Terraform, and appends TF_APPEND_USER_AGENT.
func (p *senhasegura) userAgent(terraform string) string {
	agent := fmt.Sprintf("terraform-provider-senhasegura/%s Terraform/%s", p.version, terraform)
	if more := strings.TrimSpace(os.Getenv("TF_APPEND_USER_AGENT")); more != "" {
		agent += " " + more
	}
	return agent
}
