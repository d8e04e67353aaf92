package provider

import (
	"context"
	"errors"
	"strings"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/a2a"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// cause is what one class of failures means to the user.
type cause struct {
	sentinel error
	// problem completes the sentence "The call failed: …". {address} stands for the
	// scheme and host of the provider's url, and {url} for all of it; {route} is
	// what the call was for.
	problem string
	advice  string
}

// causes are in order of certainty: whose fault it is, then what the answer means.
// The first that matches explains an error. The troubleshooting guide has one row
// for each; a test compares them.
var causes = []cause{
	{
		a2a.ErrProxyCredentials,
		"the proxy rejected its user name and password",
		"Correct them in the provider's `proxy_url` (`SENHASEGURA_PROXY_URL`) or in `HTTPS_PROXY`. " +
			"Nothing of this request was sent to senhasegura, and the provider doesn't send these proxy credentials again in this run.",
	},
	{
		a2a.ErrProxy,
		"the proxy refused the connection or failed",
		"Nothing of this request was sent to senhasegura. Check `proxy_url` (`SENHASEGURA_PROXY_URL`), `HTTPS_PROXY`, and `NO_PROXY`, and that the proxy allows connections to {address}. For an `https` proxy with a private certificate, set `ca_cert_file`.",
	},
	{
		a2a.ErrUntrustedCertificate,
		"the TLS certificate of {address} is not trusted",
		"Nothing of this request was sent to senhasegura. If the certificate is self-signed, as in a new installation, or from a private authority, set `ca_cert_file` (`SENHASEGURA_CA_CERT_FILE`) to it. " +
			"If it is for another name or has expired, correct `url` or renew the certificate.",
	},
	{
		a2a.ErrClientCertificate,
		"the server at {address} does not accept the client certificate",
		"senhasegura did not get the request. Set `client_cert_pem` and `client_key_pem` to a certificate that the server accepts.",
	},
	{
		a2a.ErrNoTLS,
		"the server at {address} does not speak TLS",
		"Nothing of this request was sent to senhasegura. Check the host and port of `url` (`SENHASEGURA_URL`).",
	},
	{
		a2a.ErrTLS,
		"no TLS connection to {address} can be made",
		"Nothing of this request was sent to senhasegura. The provider uses TLS 1.2 and 1.3: check what the server or the gateway in front of it offers. If it requires a client certificate, set `client_cert_pem` and `client_key_pem`.",
	},
	{
		a2a.ErrUnknownHost,
		"the host name of {address} can't be resolved",
		"Nothing of this request was sent to senhasegura. Check the host of `url` (`SENHASEGURA_URL`) and the DNS of this machine. If only a proxy can resolve it, set `proxy_url`.",
	},
	{
		a2a.ErrUnreachable,
		"can't connect to {address}",
		"Nothing of this request was sent to senhasegura. Check the host and port of `url` (`SENHASEGURA_URL`), the firewall, and whether a proxy is needed (`proxy_url`).",
	},
	{
		a2a.ErrRenegotiation,
		"the server at {address} asks to renegotiate TLS, which the provider does not do",
		"Configure the server to ask for a client certificate in the first handshake, for the whole host.",
	},
	{
		a2a.ErrGatewayPage,
		"a web server in front of senhasegura refused the client",
		"Check that the authorized IPs of the authorization include this machine, and set `client_cert_pem` and `client_key_pem` if the server requires a client certificate. " +
			"Check `client_id` and `client_secret` as well. The provider doesn't send rejected credentials again in this run.",
	},
	{
		a2a.ErrSignature,
		"senhasegura does not accept the signature",
		"Check that `url` (`SENHASEGURA_URL`) is the URL of the client application in senhasegura. For OAuth 1.0a, check the four keys of `oauth1` as well.",
	},
	{
		a2a.ErrTooManyRequests,
		"senhasegura or a gateway in front of it limits the rate of requests",
		"Wait as long as the API response says, then run again. To stay below the limit, set or lower `requests_per_second`, and lower `max_concurrent_requests`.",
	},
	{
		a2a.ErrCache,
		"a cache in front of senhasegura answered in its place",
		"Switch caching off for the API in the gateway that `url` (`SENHASEGURA_URL`) leads to, then run again. The provider decides nothing by a cached response.",
	},
	{
		a2a.ErrServerFault,
		"senhasegura met an unexpected error",
		"Run again. If the error lasts, contact the vendor's support with the log of the call (Settings › Services › API › Logs).",
	},
	{
		session.ErrUnauthenticated,
		"senhasegura rejected the client credentials",
		"Compare `client_id` and `client_secret` (`SENHASEGURA_CLIENT_ID`, `SENHASEGURA_CLIENT_SECRET`), or `oauth1` for an older installation, " +
			"with the authorization's View in A2A › Applications › Authorizations. " +
			"A multi-tenant instance called by IP address also needs `tenant` (`SENHASEGURA_TENANT`). " +
			"The provider doesn't retry rejected credentials, to avoid a lockout.",
	},
	{
		session.ErrInactive,
		"the authorization is disabled or has expired",
		"Enable or renew the authorization in A2A › Applications › Authorizations, then run again.",
	},
	{
		session.ErrPermission,
		"the authorization is missing a permission",
		"In A2A › Applications › Authorizations, give the authorization the resource PAM Core: *Read and write* to terminate sessions, " +
			"*Read-only* to list them. To list sessions, it also needs access to their Credentials and Devices.",
	},
	{
		session.ErrReferer,
		"the authorization requires a Referer header",
		"Add an allowed `Referer` to the provider's `headers`, or remove the referer from the authorization in A2A › Applications › Authorizations.",
	},
	{
		session.ErrLockdown,
		"senhasegura is under emergency lockdown",
		"Run again when the lockdown has ended.",
	},
	{
		session.ErrWrongRoute,
		"no {route} was found at {url}",
		"Check the provider's `url` (`SENHASEGURA_URL`) with its base path, and `paths` if it is set. Releases earlier than 3.32 can't list sessions. " +
			"A gateway returns the same response when the authorization is missing or rejected.",
	},
	{
		session.ErrIdentifier,
		"the identifier is of the wrong kind",
		"Set `session_id` to the session ID, a 40-character hash, and `record_id` to the record ID, a number.",
	},
	{
		session.ErrNotFound,
		"the session wasn't found, or is outside the authorization's scope",
		"Check the identifier. senhasegura may have purged the session, or the authorization may need access to its Credential and Device.",
	},
	{
		session.ErrUnknownOutcome,
		"senhasegura didn't respond to the termination request",
		"Check the network and the proxies between this machine and senhasegura, then run again. The provider detects sessions that have ended in the meantime.",
	},
	{
		session.ErrTransient,
		"senhasegura or a gateway in front of it keeps failing",
		"Check senhasegura and the gateways in front of it, then run again. " +
			"`max_retries`, `request_timeout`, and `list_timeout` limit the attempts.",
	},
	{
		session.ErrRefused,
		"senhasegura refused the request without giving a reason",
		"Check the session in PAM Core › Audit › Sessions › Remote sessions, then run Terraform again. If the proxy node crashed, senhasegura marks the session as ended within a few minutes.",
	},
	{
		session.ErrRejected,
		"senhasegura rejected the request",
		"See the API response, and the API log in Settings › Services › API › Logs.",
	},
	{
		context.Canceled,
		"the run was interrupted",
		"Run again.",
	},
	{
		context.DeadlineExceeded,
		"timed out",
		"Run again, or allow more time in `timeouts`.",
	},
}

// explain gives the cause of err; every error has one.
func explain(err error) cause {
	for _, c := range causes {
		if errors.Is(err, c.sentinel) {
			return c.at(err)
		}
	}
	return cause{err, "the request failed", "See the API response, and the API log in Settings › Services › API › Logs."}
}

// at puts the address that err is about into the texts.
func (c cause) at(err error) cause {
	const configured = "the provider's `url`"
	address, url, route := configured, configured, "senhasegura API"
	if failed := (*a2a.Error)(nil); errors.As(err, &failed) && failed.Host != "" {
		address, url = failed.Host, strings.TrimSuffix(failed.URL, "/")
		switch failed.Op {
		case a2a.OpList:
			route = "list of sessions"
		case a2a.OpGet:
			route = "route to read a session"
		case a2a.OpDrop:
			route = "route to terminate sessions"
		}
	}
	fill := strings.NewReplacer("{address}", address, "{url}", url, "{route}", route)
	c.problem, c.advice = fill.Replace(c.problem), fill.Replace(c.advice)
	return c
}
