package a2a

import (
	"bytes"
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// judge turns the outcome of one attempt into its error, nil for success. ctx is
// the caller's.
func (c *Client) judge(ctx context.Context, ca *call, resp *http.Response, err error) *Error {
	if err != nil {
		return c.judgeConnection(ctx, ca, err)
	}
	a := ca.answer
	if a.broken != nil && ctx.Err() != nil {
		return c.interrupted(ctx, ca)
	}
	if ca.streams(a.status) || ca.receive != nil && isSuccess(a.status) && a.env != nil && a.env.clean() {
		defer func() { _ = resp.Body.Close() }()
		return ca.receive(resp.Body)
	}
	class := classify(ca.op, a)
	if class == nil {
		return nil
	}
	return c.failed(ca, class)
}

// judgeConnection is for attempts without an answer.
func (c *Client) judgeConnection(ctx context.Context, ca *call, err error) *Error {
	var failure *Error
	switch {
	case errors.As(err, &failure):
		// A layer has judged already: there is no token.
		return failure
	case ctx.Err() != nil:
		return c.interrupted(ctx, ca)
	}
	failure = c.newError(ca)
	failure.cause = c.redact.cause(err)
	failure.Message = failure.cause.Error()
	switch {
	case ca.op == OpDrop && ca.pending.Load():
		failure.class = session.ErrUnknownOutcome
	case isPermanent(err):
		failure.class = session.ErrRejected
	default:
		failure.class = session.ErrTransient
	}
	return failure
}

// interrupted is the end of a call by the caller's context. Only a drop that may
// have been sent has a meaning beyond that.
func (c *Client) interrupted(ctx context.Context, ca *call) *Error {
	e := c.newError(ca)
	e.cause = ctx.Err()
	e.Message = e.cause.Error()
	if ca.op == OpDrop && ca.pending.Load() {
		e.class = session.ErrUnknownOutcome
	}
	return e
}

// newError holds what is known of ca whatever happened.
func (c *Client) newError(ca *call) *Error {
	return &Error{Op: ca.op, Method: ca.method, Path: ca.url.EscapedPath(), Attempts: ca.attempts}
}

// failed is the error of class for the answer that ca has.
func (c *Client) failed(ca *call, class error) *Error {
	e := c.newError(ca)
	a := ca.answer
	e.class = class
	e.Status = a.status
	e.Message = c.redact.text(a.text())
	e.RetryAfter = parseRetryAfter(a.header.Get("Retry-After"), time.Now())
	e.Gateway = a.gatewayHasNoRoute()
	if a.broken != nil {
		e.cause = c.redact.cause(a.broken)
	}
	if a.env != nil {
		e.Code = a.env.number()
	}
	return e
}

// The OAuth errors that mean the client itself is not accepted.
var clientErrors = []string{"invalid_client", "unauthorized_client", "access_denied"}

// classify gives the meaning of an answer (contract, section 5): nil for
// success, else exactly one sentinel. It is not asked about lists and sessions
// that arrive with a status of the 200 series, unless an envelope failed. What
// it calls session.ErrTransient is repeated by the retrier.
func classify(op string, a *answer) error {
	status := a.effective()
	switch {
	case a.succeeded(op):
		return nil
	case a.tokenRefused():
		if a.env != nil && a.env.says(inactiveTexts) {
			return session.ErrInactive
		}
		return session.ErrUnauthenticated
	case op == OpToken && a.env != nil && slices.Contains(clientErrors, a.env.oauthError):
		return session.ErrUnauthenticated
	case status >= 300 && status <= 399, status == http.StatusProxyAuthRequired:
		return session.ErrRejected
	case a.hasNoRoute():
		return session.ErrWrongRoute
	case a.failsWith(http.StatusServiceUnavailable, codeLockdown):
		return session.ErrLockdown
	case a.failsWith(http.StatusInternalServerError, codeReferer):
		return session.ErrReferer
	case status == http.StatusForbidden, a.env != nil && a.env.says(permissionTexts):
		return session.ErrPermission
	case a.status == http.StatusTooManyRequests:
		return session.ErrTransient
	case op == OpDrop:
		return classifyDrop(a)
	}
	return classifyRead(op, a)
}

// classifyDrop is for failures of a drop that no general row covers. Refused
// means that PAM itself answered; everything else may have been acted on.
func classifyDrop(a *answer) error {
	switch {
	case a.status == http.StatusNotFound:
		return session.ErrRefused
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
	case a.env == nil && a.broken == nil && status == http.StatusNotFound:
		// The API writes JSON; this page is a web server's, which knows no such
		// URL. It must not pass for "no such session".
		return session.ErrWrongRoute
	case a.env == nil, status == http.StatusRequestTimeout, status >= 500:
		return session.ErrTransient
	case op == OpToken && isSuccess(status) && a.env.clean():
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

// succeeded reports whether the answer shows that the operation was done. An
// empty answer is one to a drop only (contract, section 3).
func (a *answer) succeeded(op string) bool {
	switch {
	case !isSuccess(a.status) || a.broken != nil:
		return false
	case op == OpDrop && len(bytes.TrimSpace(a.body)) == 0:
		return true
	case a.env == nil:
		return false
	case op == OpDrop:
		return a.env.given() && a.env.clean()
	}
	return op == OpToken && a.env.clean() && a.env.accessToken
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

// tokenRefused reports whether the token, or the signature, is not accepted.
func (a *answer) tokenRefused() bool {
	status := a.effective()
	return status == http.StatusUnauthorized ||
		status == http.StatusForbidden && a.env != nil && a.env.says(signatureTexts)
}

// renewable reports whether a new token may help.
func (a *answer) renewable() bool {
	return a.tokenRefused() && (a.env == nil || !a.env.says(inactiveTexts))
}

// hasNoRoute reports whether the answer is one of the two that mean "wrong
// route".
func (a *answer) hasNoRoute() bool {
	return a.gatewayHasNoRoute() ||
		a.env != nil && a.effective() == http.StatusNotFound && a.env.errorCode == codeWrongRoute
}

func (a *answer) gatewayHasNoRoute() bool {
	return a.env != nil && a.effective() == http.StatusNotFound && a.env.says(noRouteTexts)
}

// text is what to show of the answer, before redaction.
func (a *answer) text() string {
	if a.status >= 300 && a.status <= 399 {
		return "redirected to " + a.redirectedTo() + "; the redirect was not followed"
	}
	if a.env != nil {
		if text := a.env.text(); text != "" {
			return text
		}
		return "the answer has no message"
	}
	switch {
	case a.broken != nil:
		return "the answer cannot be used: " + a.broken.Error()
	case len(a.body) == 0:
		return "the answer is empty"
	}
	mediaType, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil {
		return "the answer is not a JSON object"
	}
	return "the answer is not a JSON object, but " + mediaType
}

// redirectedTo is the scheme and host of the Location header: its path and query
// are none of our business, and may hold secrets.
func (a *answer) redirectedTo() string {
	target, err := url.Parse(a.header.Get("Location"))
	switch {
	case err != nil || a.header.Get("Location") == "":
		return "an unusable location"
	case target.Host == "":
		return "another path of " + a.host
	case target.Scheme == "":
		return target.Host
	}
	return target.Scheme + "://" + target.Host
}
