package a2a

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// judge turns what an attempt found into its error, nil for success.
func (c *Client) judge(ctx context.Context, req request, found *answer) *Error {
	switch {
	case found.err != nil && ctx.Err() != nil:
		return c.interrupted(ctx, req, found.sent)
	case found.status == 0:
		return c.unanswered(req, found)
	case (req.op == OpList || req.op == OpGet) && cachedBy(found.header) != "":
		return c.fromCache(req, found)
	case found.stream != nil, req.receive != nil && found.showsResult(req.op):
		return req.receive(req, found)
	}
	class := classify(req.op, found)
	if class == nil {
		return nil
	}
	return c.failed(req, found, class)
}

// unanswered is the error of an attempt without an answer.
func (c *Client) unanswered(req request, found *answer) *Error {
	failure := c.newError(req)
	failure.wrapped = c.redact.cause(found.err)
	failure.Message = failure.wrapped.Error()
	permanent, fault := faultOf(found.err)
	switch {
	case found.sent:
		// Only these can come after the request. A client certificate that is not
		// accepted ends a new connection after the fact in TLS 1.3, and no request is
		// served on it.
		if fault == ErrRenegotiation || fault == ErrClientCertificate && !found.reused { //nolint:errorlint // sentinels of ours
			failure.fault = fault
		}
	case fault != nil:
		failure.fault = fault
	case c.throughProxy(req):
		failure.fault = ErrProxy
	default:
		failure.fault = ErrUnreachable
	}
	switch {
	case req.op == OpDrop && found.sent:
		failure.class = session.ErrUnknownOutcome
	case permanent, errors.Is(found.err, errLocation):
		failure.class = session.ErrRejected
	default:
		failure.class = session.ErrTransient
	}
	return failure
}

// throughProxy reports whether a proxy stands between here and the server.
func (c *Client) throughProxy(req request) bool {
	transport, ok := c.connection.(*http.Transport)
	if !ok {
		return false
	}
	proxy, err := transport.Proxy(&http.Request{URL: req.url})
	return err == nil && proxy != nil
}

// interrupted is the end of a call by the caller's context. Only a drop that may
// have been sent has a meaning beyond that.
func (c *Client) interrupted(ctx context.Context, req request, sent bool) *Error {
	e := c.newError(req)
	e.wrapped = ctx.Err()
	e.Message = e.wrapped.Error()
	if req.op == OpDrop && sent {
		e.class = session.ErrUnknownOutcome
	}
	return e
}

// unauthorized is the failure of a call that got no token: that of the token
// request, or the end of the wait for it.
func (c *Client) unauthorized(ctx context.Context, req request, last *Error, err error) *Error {
	var failure *Error
	if errors.As(err, &failure) {
		return failure
	}
	failure = c.interruptedAfter(ctx, req, last)
	failure.Message += ", while waiting for a token"
	return failure
}

// interruptedAfter is the end of a call that waits for a token, its turn or its
// next attempt, after one that failed without being carried out, or none.
func (c *Client) interruptedAfter(ctx context.Context, req request, last *Error) *Error {
	e := c.interrupted(ctx, req, false)
	e.Attempts = 0
	if last != nil {
		e.Attempts, e.Status, e.Code = last.Attempts, last.Status, last.Code
		e.Message += ", after: " + last.Message
	}
	return e
}

// newError holds what is known of a request whatever happened.
func (c *Client) newError(req request) *Error {
	return &Error{
		Op: req.op, Method: req.method, Host: c.base.Scheme + "://" + c.base.Host, URL: locate(c.base, "", "").String(), Path: req.url.EscapedPath(), Attempts: req.number,
	}
}

// failed is the error of class for an answer.
func (c *Client) failed(req request, found *answer, class error) *Error {
	e := c.newError(req)
	e.class = class
	e.fault = found.fault(class)
	e.Status = found.status
	e.Message = c.redact.text(found.text(c.base.Host))
	e.RetryAfter = parseRetryAfter(found.header.Get("Retry-After"), time.Now())
	e.Gateway = found.gatewayHasNoRoute()
	if found.err != nil {
		e.wrapped = c.redact.cause(found.err)
	}
	if found.env != nil {
		e.Code = found.env.number()
	}
	return e
}

// fromCache is the error of a read that a cache answered. It is repeated, as what the
// cache keeps may expire.
func (c *Client) fromCache(req request, found *answer) *Error {
	if found.stream != nil {
		_ = found.stream.Close() // nothing of it is read
	}
	e := c.failed(req, found, session.ErrTransient)
	e.fault = ErrCache
	e.Message = c.redact.text("the response comes from a cache (" + cachedBy(found.header) + ")")
	return e
}

// The headers in which caches say what they did, where no standard asks for them.
var cacheHeaders = []string{"X-Cache", "X-Cache-Status", "X-Proxy-Cache", "Cf-Cache-Status"}

// cachedBy gives the header by which an answer says that a cache kept it (RFC 9111,
// section 5.1; RFC 9211), "" where none does. Some gateways write an age of 0 to each
// answer that they pass on.
func cachedBy(header http.Header) string {
	age := strings.TrimSpace(header.Get("Age"))
	if seconds, err := strconv.ParseUint(age, 10, 63); err == nil && seconds > 0 {
		return "Age: " + age
	}
	for _, value := range header.Values("Cache-Status") {
		for parameter := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ';' || r == ',' }) {
			if strings.EqualFold(strings.TrimSpace(parameter), "hit") {
				return "Cache-Status: " + value
			}
		}
	}
	for _, name := range cacheHeaders {
		for _, value := range header.Values(name) {
			for part := range strings.SplitSeq(value, ",") {
				// As in "HIT from proxy.example.com".
				word, _, _ := strings.Cut(strings.TrimSpace(part), " ")
				switch strings.ToLower(word) {
				case "hit", "tcp_hit", "tcp_mem_hit", "stale", "updating":
					return name + ": " + value
				}
			}
		}
	}
	return ""
}

// The OAuth errors that mean the client itself is not accepted.
var clientErrors = []string{"invalid_client", "unauthorized_client", "access_denied"}

// classify gives the meaning of an answer (contract, section 5): nil for
// success, else exactly one sentinel. It is not asked about lists and sessions
// that arrive with a status of the 200 series, unless an envelope failed. What
// it calls session.ErrTransient is repeated.
func classify(op string, a *answer) error {
	status := a.effective()
	switch {
	case op == OpDrop && a.succeeded():
		return nil
	case a.says(inactiveTexts) && status == http.StatusUnauthorized:
		return session.ErrInactive
	case a.tokenRefused():
		return session.ErrUnauthenticated
	case status >= 300 && status <= 399, status == http.StatusProxyAuthRequired:
		return session.ErrRejected
	case a.hasNoRoute():
		return session.ErrWrongRoute
	case op == OpToken && a.rejectsClient():
		return session.ErrUnauthenticated
	case a.failsWith(http.StatusServiceUnavailable, codeLockdown):
		return session.ErrLockdown
	case a.failsWith(http.StatusInternalServerError, codeReferer):
		return session.ErrReferer
	case status == http.StatusForbidden, a.says(permissionTexts):
		return session.ErrPermission
	case a.status == http.StatusTooManyRequests:
		return session.ErrTransient
	case op == OpDrop:
		return classifyDrop(a)
	}
	return classifyRead(op, a)
}

// classifyDrop is for failures of a drop that no general row covers. Refused
// means that senhasegura itself answered; everything else may have been acted on.
func classifyDrop(a *answer) error {
	switch {
	case a.env == nil, a.status == http.StatusRequestTimeout:
		return session.ErrUnknownOutcome
	case a.status >= 400 && a.status <= 499:
		return session.ErrRefused
	case !a.env.given(), a.env.unexpected():
		return session.ErrUnknownOutcome
	case isSuccess(a.status), a.status == http.StatusInternalServerError:
		return session.ErrRefused
	}
	return session.ErrUnknownOutcome
}

// classifyRead is the same for the token, the list and "get one", which can all
// be repeated without harm.
func classifyRead(op string, a *answer) error {
	status := a.effective()
	switch {
	case a.env == nil, status == http.StatusRequestTimeout, status >= 500:
		return session.ErrTransient
	case op == OpToken && isSuccess(status) && a.env.clean() && !a.env.accessToken:
		return session.ErrTransient // an answer without a token
	case op == OpGet && status == http.StatusNotFound:
		return session.ErrNotFound
	case op == OpGet && status == http.StatusBadRequest && a.env.has(codeNotFound):
		return session.ErrNotFound
	case op == OpGet && status == http.StatusBadRequest && a.env.has(codeWrongIdentifier):
		return session.ErrIdentifier
	}
	return session.ErrRejected
}

// showsResult reports whether the answer to a token request or to "get one" has
// what was asked for.
func (a *answer) showsResult(op string) bool {
	if op == OpToken {
		return a.token != nil
	}
	return isSuccess(a.status) && a.env != nil && a.env.clean()
}

// succeeded reports whether the answer shows that a drop was accepted. An empty
// one does (contract, section 3).
func (a *answer) succeeded() bool {
	switch {
	case !isSuccess(a.status) || a.err != nil:
		return false
	case len(bytes.TrimSpace(a.body)) == 0:
		return true
	}
	return a.env != nil && a.env.given() && a.env.clean()
}

func (a *answer) effective() int {
	if a.env == nil {
		return a.status
	}
	return a.env.effective(a.status)
}

// failsWith reports whether the answer has code, together with the status that
// belongs to it, or with a failure flag under a status of the 200 series.
func (a *answer) failsWith(status, code int) bool {
	if a.env == nil || !a.env.has(code) {
		return false
	}
	effective := a.effective()
	return effective == status || isSuccess(effective)
}

// says reports whether the answer reports a failure in one of the known texts.
func (a *answer) says(known []string) bool {
	return a.env != nil && (a.env.failed || !isSuccess(a.effective())) && a.env.says(known)
}

// tokenRefused reports whether the token, or the signature, is not accepted.
func (a *answer) tokenRefused() bool {
	return a.effective() == http.StatusUnauthorized || a.says(signatureTexts)
}

// rejectsClient reports whether the answer to a token request refuses the client:
// by its status, whatever it says, or by its words, whatever the status.
func (a *answer) rejectsClient() bool {
	status := a.effective()
	passing := status == http.StatusRequestTimeout || status == http.StatusTooManyRequests
	return status >= 400 && status <= 499 && !passing ||
		a.says(clientTexts) || a.env != nil && slices.Contains(clientErrors, a.env.oauthError)
}

// hasNoRoute reports whether the answer means "wrong route": in the words of the
// API or of a gateway, or as the page of a web server, which may also say that it
// does not know the method. The API writes JSON, so that page must not pass for
// "no such session".
func (a *answer) hasNoRoute() bool {
	status := a.effective()
	if a.env == nil {
		return a.err == nil && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed)
	}
	// The code 1 says nothing: nearly every failure has it.
	return status == http.StatusNotFound &&
		(a.env.says(noRouteTexts) || a.env.errorCode == codeWrongRoute || a.env.number() <= 1 && a.env.says(wrongRouteTexts))
}

func (a *answer) gatewayHasNoRoute() bool {
	return a.env != nil && a.effective() == http.StatusNotFound && a.env.says(noRouteTexts)
}

// fault says whose fault an answer of class is, nil where it does not say.
func (a *answer) fault(class error) error {
	switch {
	case a.status == http.StatusTooManyRequests && class == session.ErrTransient: //nolint:errorlint // a sentinel
		return ErrTooManyRequests
	case class == session.ErrUnauthenticated && a.says(signatureTexts): //nolint:errorlint // a sentinel
		return ErrSignature
	case a.isPageOfGateway():
		return ErrGatewayPage
	case (class == session.ErrTransient || class == session.ErrUnknownOutcome) && a.env != nil && !isSuccess(a.effective()) && a.env.unexpected(): //nolint:errorlint // sentinels
		return ErrServerFault
	}
	return nil
}

// isPageOfGateway reports whether a web server in front of the API refused the
// client, and not for the route, the time or the rate.
func (a *answer) isPageOfGateway() bool {
	passing := []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusRequestTimeout, http.StatusTooManyRequests}
	return a.env == nil && a.status >= 400 && a.status <= 499 && len(bytes.TrimSpace(a.body)) > 0 && !slices.Contains(passing, a.status)
}

// text is what to show of the answer of host, before redaction.
func (a *answer) text(host string) string {
	if a.status >= 300 && a.status <= 399 {
		return "redirected to " + a.redirectedTo(host) + "; the redirect was not followed"
	}
	if a.env != nil {
		if text := a.env.text(); text != "" {
			return text
		}
		if isSuccess(a.status) && a.env.accessToken {
			return "the token is in an answer of another type than application/json"
		}
		return "the response has no message"
	}
	switch {
	case a.err != nil:
		return "the response cannot be used: " + a.err.Error()
	case len(a.body) == 0:
		return "the response is empty"
	}
	if title := pageTitle(a.body); title != "" {
		return fmt.Sprintf("a web page titled %q", title)
	}
	mediaType, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil {
		return "the response is not a JSON object"
	}
	return "the response is not a JSON object, but " + mediaType
}

// redirectedTo is the scheme and host of the Location header: its path and query
// are none of our business, and may hold secrets.
func (a *answer) redirectedTo(host string) string {
	target, err := url.Parse(a.header.Get("Location"))
	switch {
	case err != nil || a.header.Get("Location") == "":
		return "an unusable location"
	case target.Host == "":
		return "another path of " + host
	case target.Scheme == "":
		return target.Host
	}
	return target.Scheme + "://" + target.Host
}
