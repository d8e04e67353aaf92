package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/a2a"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// cause is what one class of failures means to the user.
type cause struct {
	sentinel error
	// problem completes the sentence "The call failed: …". {address} stands for the
	// scheme and host of the provider's url.
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
		"senhasegura limits the rate of requests",
		"Wait as long as the evidence says, then run again. To stay below the limit, set or lower `requests_per_second`, and lower `max_concurrent_requests`.",
	},
	{
		a2a.ErrServerFault,
		"senhasegura met an unexpected error",
		"Run again. If the error lasts, contact the vendor's support with the log of the call (Settings › Services › API › Logs).",
	},
	{
		session.ErrUnauthenticated,
		"PAM does not accept the credentials of the provider",
		"Check the provider's `client_id` and `client_secret` (environment `SENHASEGURA_CLIENT_ID`, `SENHASEGURA_CLIENT_SECRET`), " +
			"or its `oauth1` for an older installation, against the authorization's View in A2A › Applications › Authorizations. " +
			"A multi-tenant instance called by IP address also needs `tenant` (`SENHASEGURA_TENANT`). " +
			"A rejected credential is sent once and not again in this run, so that it does not lock itself out.",
	},
	{
		session.ErrInactive,
		"the authorization is disabled or has expired",
		"Enable or renew the authorization in A2A › Applications › Authorizations, then run again.",
	},
	{
		session.ErrPermission,
		"the authorization lacks a permission",
		"In A2A › Applications › Authorizations give the authorization the resource PAM Core: *Read and write* to drop sessions, " +
			"*Read-only* to see them. To see sessions it also needs access to the Credentials and Devices concerned.",
	},
	{
		session.ErrReferer,
		"the authorization demands a Referer that was not sent",
		"Add an allowed value as `Referer` to the provider's `headers`, or remove the referer from the authorization in A2A › Applications › Authorizations.",
	},
	{
		session.ErrLockdown,
		"PAM is under emergency lockdown",
		"Wait until the lockdown ends, or have it lifted, then run again.",
	},
	{
		session.ErrWrongRoute,
		"no senhasegura API was found at {address}",
		"Check the provider's `url` (`SENHASEGURA_URL`) with its base path, and `paths` if it is set. " +
			"A gateway returns the same response when the authorization is missing or rejected. Releases earlier than 3.32 can't list sessions.",
	},
	{
		session.ErrIdentifier,
		"an identifier of the wrong kind was used",
		"`session_id` takes the unique hash of a session, `record_id` its row number in digits.",
	},
	{
		session.ErrNotFound,
		"PAM shows no such session to this authorization",
		"Check the identifier. The session may have been purged, or be hidden from this authorization, which needs access to its Credential and Device.",
	},
	{
		session.ErrUnknownOutcome,
		"the answer was lost",
		"Check the network and any proxy between here and PAM, then run again: a session that has ended in the meantime is recognized.",
	},
	{
		session.ErrTransient,
		"senhasegura or a gateway in front of it keeps failing",
		"Check the state of senhasegura and of the gateways in front of it, then run again. " +
			"`max_retries`, `request_timeout`, and `list_timeout` of the provider bound the attempts.",
	},
	{
		session.ErrRefused,
		"PAM refused without saying why",
		"Look the session up in PAM. One whose node crashed stays live until a server job marks its end, minutes later: run again then.",
	},
	{
		session.ErrRejected,
		"PAM rejected the request",
		"See the evidence, and the calls PAM logged in Settings › Services › API › Logs.",
	},
	{
		context.Canceled,
		"the run was interrupted",
		"Run again.",
	},
	{
		context.DeadlineExceeded,
		"the time allowed ran out",
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
	return cause{err, "the request failed", "See the evidence, and the calls PAM logged in Settings › Services › API › Logs."}
}

// at puts the address that err is about into the texts.
func (c cause) at(err error) cause {
	address := "the provider's `url`"
	if failed := (*a2a.Error)(nil); errors.As(err, &failed) && failed.Host != "" {
		address = failed.Host
	}
	c.problem = strings.ReplaceAll(c.problem, "{address}", address)
	c.advice = strings.ReplaceAll(c.advice, "{address}", address)
	return c
}

// evidence lists what PAM answered, or what went wrong on the way, for each of
// the failures in errs.
func evidence(errs ...error) []string {
	var lines []string
	for _, err := range errs {
		if err == nil {
			continue
		}
		var answer *a2a.Error
		switch {
		case errors.As(err, &answer):
			lines = append(lines, answers(answer)...)
		case errors.Is(err, session.ErrNotFound):
			lines = append(lines, "the list of sessions was read to its end and does not show the session")
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		default:
			lines = append(lines, err.Error())
		}
	}
	return lines
}

// answers shows what PAM answered, one line for each route that was tried.
func answers(e *a2a.Error) []string {
	lines := make([]string, 0, max(1, len(e.Tried)))
	for _, tried := range e.Tried {
		lines = append(lines, answerLine(e.Method, tried.Path, tried.Status, tried.Code, tried.Message))
	}
	if len(lines) == 0 {
		lines = append(lines, answerLine(e.Method, e.Path, e.Status, e.Code, e.Message))
	}
	lines[len(lines)-1] += circumstances(e)
	return lines
}

// circumstances tells which host was asked, how often, and how long it asked to
// wait.
func circumstances(e *a2a.Error) string {
	var told []string
	if e.Host != "" {
		told = append(told, e.Host)
	}
	switch {
	case e.Attempts == 1:
		told = append(told, "1 attempt")
	case e.Attempts > 1:
		told = append(told, fmt.Sprintf("%d attempts", e.Attempts))
	}
	if e.RetryAfter > 0 {
		told = append(told, "asked to wait "+shortDuration(e.RetryAfter))
	}
	if len(told) == 0 {
		return ""
	}
	return " (" + strings.Join(told, ", ") + ")"
}

func answerLine(method, requestPath string, status, code int, message string) string {
	var b strings.Builder
	if method != "" {
		b.WriteString(method + " " + requestPath + ": ")
	}
	if status != 0 {
		fmt.Fprintf(&b, "HTTP %d, ", status)
	} else {
		b.WriteString("no answer, ")
	}
	if code != 0 {
		fmt.Fprintf(&b, "API code %d, ", code)
	}
	if message == "" {
		message = "no message"
	}
	b.WriteString(message)
	return b.String()
}

// shortDuration is d without the units that are zero at its end.
func shortDuration(d time.Duration) string {
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
