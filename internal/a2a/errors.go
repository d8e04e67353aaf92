package a2a

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The operations that Error.Op names.
const (
	OpToken = "token"
	OpList  = "list"
	OpGet   = "get"
	OpDrop  = "drop"
)

// The errors below say whose fault a failure is, where that is certain. An [*Error]
// matches at most one of them with errors.Is, next to its sentinel of package
// session. With those of the connection senhasegura did not get the request.
var (
	// ErrUntrustedCertificate: no trusted authority has signed the certificate of
	// the server, or it is of another name, or it has expired.
	ErrUntrustedCertificate = errors.New("the server's certificate is not trusted")
	// ErrClientCertificate: the server wants another client certificate, or one.
	ErrClientCertificate = errors.New("the server does not accept the client certificate")
	// ErrNoTLS: the port does not speak TLS.
	ErrNoTLS = errors.New("the port does not speak TLS")
	// ErrTLS: the two sides do not agree on TLS for another reason.
	ErrTLS = errors.New("the TLS connection failed")
	// ErrProxyCredentials: the proxy does not accept its user name and password.
	// They are not sent again in the life of the Client.
	ErrProxyCredentials = errors.New("the proxy does not accept its credentials")
	// ErrProxy: the proxy cannot be reached, or does not reach the server.
	ErrProxy = errors.New("the proxy refused or failed")
	// ErrUnknownHost: the name of the server does not resolve.
	ErrUnknownHost = errors.New("the host name does not resolve")
	// ErrUnreachable: no connection to the server came about.
	ErrUnreachable = errors.New("no connection to the server")

	// ErrRenegotiation: the server asks for a new TLS handshake on the connection,
	// as some do to get a client certificate. What became of a request is unknown.
	ErrRenegotiation = errors.New("the server asks to renegotiate TLS")
	// ErrGatewayPage: a web page refused the client when it asked for a token, as
	// that of a gateway that wants a client certificate or another address.
	ErrGatewayPage = errors.New("a web page refused the client")
	// ErrSignature: "Invalid signature", for which the vendor blames the URL of the
	// client application, and with OAuth 1.0a the keys.
	ErrSignature = errors.New("invalid signature")
	// ErrTooManyRequests: the server limits the rate of requests.
	ErrTooManyRequests = errors.New("too many requests")
	// ErrCache: a cache answered a read, so the answer may be older than the question.
	ErrCache = errors.New("a cache answered in place of senhasegura")
	// ErrServerFault: "Unexpected error", a fault of senhasegura itself.
	ErrServerFault = errors.New("senhasegura met an unexpected error")
)

// Error is a failed call, always used as a pointer: what was asked, what came
// back, and what that means.
//
// errors.Is finds exactly one sentinel of package session, and next to it the
// cause where there is one: a context error if the caller's context ended the
// call, or the error of the connection. A call that the caller's context ended
// has no sentinel, except a drop that may have been sent: that is also
// session.ErrUnknownOutcome. An attempt that took longer than RequestTimeout or
// ListTimeout is not a context error.
//
// Text from senhasegura and from the network has been cleaned of secrets and control
// characters, and bounded in length.
type Error struct {
	// Op is the operation: OpToken, OpList, OpGet or OpDrop. A call that needs a
	// token and gets none fails with an Error of OpToken.
	Op string
	// Method and Path are those of the last request, Path escaped and with the
	// base path. Both are empty if nothing was built.
	Method string
	Path   string
	// Host is the scheme, host and port of the configured URL, and URL that with its
	// base path. Both are "" if nothing was built.
	Host, URL string
	// Status is the HTTP status of the last answer, 0 without one.
	Status int
	// Code is exception.code of the answer, else its error_code, 0 without
	// either (contract, section 3).
	Code int
	// Message is the text of the answer, or a description of what was wrong with
	// it, for people to read; it may be in English or Portuguese.
	Message string
	// RetryAfter is how long the last answer asked to wait, 0 if it did not.
	RetryAfter time.Duration
	// Gateway is true where a gateway in front of senhasegura answered that it has no
	// route: the authorization is missing or rejected there, or the path prefix
	// is wrong.
	Gateway bool
	// Attempts counts the requests that the call made, on all routes and with each
	// token. Redirects that were followed do not count.
	Attempts int
	// Tried holds the answer of every route, in order, where all of them were
	// wrong.
	Tried []RouteAnswer

	class error
	// fault is one of the errors above, nil where it is not known whose it is.
	fault error
	// wrapped is the error of the connection or of the context, nil without one.
	wrapped error
	// final is true where neither a retry nor another route can follow, because
	// the caller has been given a part of the answer.
	final bool
}

// RouteAnswer is the answer that ruled out one route.
type RouteAnswer struct {
	Path    string
	Status  int
	Code    int
	Message string
	Gateway bool
}

// AskedToWait is RetryAfter, up to the longest time that a server can impose.
func (e *Error) AskedToWait() time.Duration { return min(e.RetryAfter, maxRetryAfter) }

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Method != "" {
		fmt.Fprintf(&b, ": %s %s", e.Method, e.Path)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, ": HTTP %d", e.Status)
	}
	if e.Code != 0 {
		fmt.Fprintf(&b, ", code %d", e.Code)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.class != nil {
		fmt.Fprintf(&b, " (%v)", e.class)
	}
	if len(e.Tried) > 1 {
		b.WriteString("; tried")
		for _, answer := range e.Tried {
			fmt.Fprintf(&b, " %s (HTTP %d)", answer.Path, answer.Status)
		}
	}
	return b.String()
}

// Is reports whether target is the sentinel of package session that this error
// means, or the error of this package that says whose fault it is.
func (e *Error) Is(target error) bool {
	return target != nil && (target == e.class || target == e.fault)
}

// Unwrap returns the error of the connection or of the context, nil without one.
func (e *Error) Unwrap() error { return e.wrapped }

// redactedError shows a cleaned text of an error and still lets errors.Is and
// errors.As find what the error wraps. It has no Unwrap, so that printing the
// chain cannot reach the text that was not cleaned.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }

// Is hides context errors: a timeout of the network matches
// context.DeadlineExceeded too, and only the end of the caller's own context may.
func (e *redactedError) Is(target error) bool {
	return target != context.Canceled && target != context.DeadlineExceeded && errors.Is(e.err, target)
}

func (e *redactedError) As(target any) bool { return errors.As(e.err, target) }
