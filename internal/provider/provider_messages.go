package provider

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// rejectedBefore shortens a message about rejected credentials if another error of this
// run has the cause and the advice. The results for the sessions stay.
func (m message) rejectedBefore() message {
	m.state = sentences(m.state, "senhasegura already rejected these credentials in this run, so the provider didn't send them again.")
	m.advice, m.responses = "Fix the first credentials error of this run.", nil
	return m
}

// notConfigured is the message about an operation that needs arguments that are not known yet.
func notConfigured(unknown []string) diag.Diagnostic {
	return message{
		summary: "Provider configuration is not known yet",
		state:   sentences("senhasegura was not called.", dependsOn(unknown)),
		advice:  "Use values known at plan time, such as variables or environment variables, or apply the dependencies first with `-target`.",
	}.asError()
}

func dependsOn(unknown []string) string {
	if len(unknown) == 0 {
		return "The provider was not configured."
	}
	return "These provider arguments depend on values that are not known: " + strings.Join(unknown, ", ") + "."
}

// wrongData is the message about data of another provider.
func wrongData(data any) diag.Diagnostic {
	return message{
		summary: "Unexpected provider data",
		state:   fmt.Sprintf("The provider received %T instead of its own data.", data),
		advice:  "This is a bug in the provider: report it to its developers.",
	}.asError()
}

// missingArgument is the message about an argument that neither the configuration nor the environment
// sets. what completes "Set … to".
func missingArgument(at path.Path, variable, what string) diag.Diagnostic {
	return message{
		summary: "Missing provider argument " + quoted(at),
		state:   fmt.Sprintf("Set %s or the `%s` environment variable to %s.", quoted(at), variable, what),
	}.asError(at)
}

// variableHint says that an argument can be, or is, set with an environment variable; ""
// without one.
func variableHint(variable string, set bool) string {
	switch {
	case set:
		return "The value is from the `" + variable + "` environment variable."
	case variable != "":
		return "You can also set it with the `" + variable + "` environment variable."
	}
	return ""
}

func conflictingCredentials() diag.Diagnostic {
	return message{
		summary: "Conflicting credentials in the environment",
		state:   "The environment sets credentials for both OAuth 2.0 (`SENHASEGURA_CLIENT_ID`, `SENHASEGURA_CLIENT_SECRET`) and OAuth 1.0a (`SENHASEGURA_OAUTH1_…`).",
		advice:  "Unset the variables of one of them, or set `client_id` and `client_secret`, or `oauth1`, in the provider configuration.",
	}.asError(path.Root("client_id"))
}

func conflictingCertificates() diag.Diagnostic {
	return message{
		summary: "Conflicting certificates in the environment",
		state:   "The environment sets both `SENHASEGURA_CA_CERT_PEM` and `SENHASEGURA_CA_CERT_FILE`. Unset one of them.",
	}.asError(path.Root("ca_cert_pem"))
}

// invalidConfiguration is the message about a fault that belongs to no argument.
func invalidConfiguration(fault error) diag.Diagnostic {
	return message{summary: "Invalid provider configuration", state: capitalize(fault.Error()) + "."}.asError()
}

// notVerified warns of a provider that trusts every certificate.
func notVerified() diag.Diagnostic {
	return message{
		summary: "The TLS certificate of senhasegura is not verified",
		state:   "`insecure` (`SENHASEGURA_INSECURE`) is true. Anyone who can intercept the connection can read the provider's credentials and report live sessions as ended.",
		advice:  "To trust a self-signed certificate or a private authority, set `ca_cert_file` or `ca_cert_pem` to it instead.",
	}.asWarning(path.Root("insecure"))
}
