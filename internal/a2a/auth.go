package a2a

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dghubble/oauth1"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/sync/singleflight"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// renewalMargin is how long before its end a token is replaced, so that it does
// not end on the way. A short-lived token has a tenth of its life instead.
const renewalMargin = time.Minute

// sender is what sends a request. With OAuth 1.0a it signs each one, redirects
// included, with a nonce of its own.
func (c *Client) sender(ctx context.Context) *http.Client {
	if c.oauth1 == nil {
		return c.http
	}
	config := oauth1.NewConfig(c.oauth1.ConsumerKey, c.oauth1.ConsumerSecret)
	token := oauth1.NewToken(c.oauth1.TokenKey, c.oauth1.TokenSecret)
	// The library takes the transport below it from a context.
	signing := config.Client(context.WithValue(ctx, oauth1.HTTPClient, c.http), token)
	signing.CheckRedirect = c.followRedirect
	return signing
}

// authorize gives what shows senhasegura who asks. Its error had the retries and
// routes of the token request, or is the end of ctx.
func (c *Client) authorize(ctx context.Context, op string) (*bearerToken, error) {
	if refusal := c.refusal.Load(); refusal != nil {
		return nil, refusal
	}
	if op == OpToken || c.oauth1 != nil {
		return &bearerToken{header: c.header}, nil
	}
	return c.tokens.token(ctx)
}

// stillGood gives the token to use after a wait for a turn, in which it may have
// ended or the credentials may have been refused; nil if a new one is needed.
func (c *Client) stillGood(token *bearerToken) *bearerToken {
	switch {
	case c.refusal.Load() != nil:
		return nil
	case token.number == 0:
		return token
	}
	return c.tokens.known()
}

// refusals are the answers to credentials that the same credentials would get
// again.
var refusals = []error{
	session.ErrUnauthenticated, session.ErrInactive, session.ErrPermission, session.ErrReferer, session.ErrLockdown,
}

// noteRefusal keeps the failure of credentials that were not accepted: those of a
// token request or of an OAuth 1.0a signature, or of the proxy. They are never sent
// again, since they may be locked for it (contract, section 2). With a signature
// each call shows its credentials, and may be refused for what it asks alone.
func (c *Client) noteRefusal(op string, failure *Error) {
	if failure == nil {
		c.proven.Store(true)
		return
	}
	refused := op == OpToken && slices.ContainsFunc(refusals, failure.Is) ||
		c.oauth1 != nil && (failure.Is(session.ErrUnauthenticated) || failure.Is(session.ErrInactive)) ||
		failure.Is(ErrProxyCredentials)
	if refused {
		c.refusal.CompareAndSwap(nil, failure)
	}
}

// bearerToken is a token as requests carry it. One without a number stands for
// credentials that need no token.
type bearerToken struct {
	// header is everything that a request with the token carries.
	header http.Header
	// number counts the tokens of a Client from 1.
	number int64
	// renewAt is when to replace it, zero for never.
	renewAt time.Time
	// accepted is true once an answer has shown that the token is good.
	accepted atomic.Bool
}

func (t *bearerToken) accept() { t.accepted.Store(true) }

// doubted reports whether a new token may help. A gateway has the same answer for
// a wrong route and for a token that is not accepted: the token is in doubt if it
// was accepted before, or is older than the call, which began when issued tokens
// had been issued; but not on a route that is known to be missing.
func (t *bearerToken) doubted(failure *Error, issued int64, missing bool) bool {
	switch {
	case t.number == 0:
		return false
	case failure.Gateway:
		return !missing && (t.accepted.Load() || t.number <= issued)
	}
	return failure.Is(session.ErrUnauthenticated)
}

// tokenSource keeps one token for all calls. Waiters share one request, which
// outlives each of them, as the others want its answer. Safe for concurrent use.
type tokenSource struct {
	// fetch asks for a token.
	fetch   func(context.Context) (*oauth2.Token, *Error)
	header  http.Header
	flights singleflight.Group

	mu      sync.Mutex
	current *bearerToken
	count   int64
}

// issued is how many tokens there have been.
func (s *tokenSource) issued() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// token returns a token that is good for a while. Its error is an *Error, or that
// of ctx.
func (s *tokenSource) token(ctx context.Context) (*bearerToken, error) {
	if token := s.known(); token != nil {
		return token, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	flight := s.flights.DoChan("", func() (any, error) {
		// Bounded by the time limits and retries of the request itself.
		return s.renew(context.WithoutCancel(ctx))
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case result := <-flight:
		token, _ := result.Val.(*bearerToken)
		return token, result.Err
	}
}

func (s *tokenSource) known() *bearerToken {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil || !s.current.renewAt.IsZero() && !time.Now().Before(s.current.renewAt) {
		return nil
	}
	return s.current
}

func (s *tokenSource) renew(ctx context.Context) (*bearerToken, error) {
	// The flight before this one may have brought what its caller waits for.
	if token := s.known(); token != nil {
		return token, nil
	}
	began := time.Now()
	fetched, failure := s.fetch(ctx)
	if failure != nil {
		return nil, failure
	}
	header := s.header.Clone()
	// Some releases write the type in lower case; the header wants it like this.
	header.Set("Authorization", "Bearer "+fetched.AccessToken)
	token := &bearerToken{header: header}
	if !fetched.Expiry.IsZero() {
		life := fetched.Expiry.Sub(began)
		token.renewAt = fetched.Expiry.Add(-min(renewalMargin, life/10))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	token.number = s.count
	s.current = token
	return token, nil
}

// discard forgets token, unless another one has taken its place.
func (s *tokenSource) discard(token *bearerToken) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == token {
		s.current = nil
	}
}

// fetchToken is the call for a token.
func (c *Client) fetchToken(ctx context.Context) (*oauth2.Token, *Error) {
	var token *oauth2.Token
	failure := c.send(ctx, &call{
		op: OpToken, method: http.MethodPost, routes: c.tokenRoutes,
		receive: func(_ request, found *answer) *Error {
			token = found.token
			c.redact.add(token.AccessToken)
			return nil
		},
	})
	return token, failure
}

// requestToken is one attempt of that call. The credentials are always in the
// body, never detected: a rejected credential must be sent once (contract, section
// 2).
func (c *Client) requestToken(ctx context.Context, tokenURL string) *answer {
	grant := clientcredentials.Config{
		ClientID:     c.clientID,
		ClientSecret: c.clientSecret,
		TokenURL:     tokenURL,
		AuthStyle:    oauth2.AuthStyleInParams,
	}
	if c.tenant != "" {
		grant.EndpointParams = url.Values{"tenant": {c.tenant}}
	}
	transport := &tokenTransport{next: c.connection, header: c.header}
	client := &http.Client{Transport: transport, CheckRedirect: c.followRedirect}
	token, err := grant.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
	var refused *oauth2.RetrieveError
	switch {
	case err == nil:
		transport.success.token = token
		return transport.success
	case errors.As(err, &refused):
		found := &answer{status: refused.Response.StatusCode, header: refused.Response.Header, body: refused.Body}
		found.env = parseEnvelope(found.body)
		return found
	case transport.success != nil:
		// The library found no token in it. Its error would show less.
		return transport.success
	}
	return &answer{err: err}
}

// tokenTransport adds the configured headers to the one request of a token, and
// takes in the whole answer.
type tokenTransport struct {
	next   http.RoundTripper
	header http.Header
	// success is the answer of the 200 series, nil before and without one.
	success *answer
}

func (t *tokenTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	maps.Copy(req.Header, t.header)
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	found := wholeAnswer(resp)
	switch {
	case !isSuccess(resp.StatusCode):
		// The status alone may reject the credentials. Where the body breaks off, the
		// library would forget it.
		resp.Body = io.NopCloser(bytes.NewReader(found.body))
	case found.err != nil:
		return nil, found.err
	default:
		t.success = found
		resp.Body = io.NopCloser(bytes.NewReader(plainToken(found)))
	}
	return resp, nil
}

// plainToken is the token answer as the library reads it: flags that report no
// failure are left out, and the lifetime is in whole seconds. A lifetime that is
// no time at all is left out as well, so that the token is used until it is
// refused. Whatever is no success of the API stays as it is.
func plainToken(found *answer) []byte {
	body := bytes.TrimPrefix(found.body, utf8BOM)
	var members map[string]json.RawMessage
	if found.env == nil || !found.env.clean() || json.Unmarshal(body, &members) != nil {
		return body
	}
	delete(members, "error")
	if lifetime, ok := members["expires_in"]; ok {
		delete(members, "expires_in")
		seconds, err := strconv.ParseFloat(string(bytes.Trim(lifetime, `" `)), 64)
		if err == nil && seconds >= 1 {
			seconds = min(seconds, math.MaxInt32)
			members["expires_in"] = json.RawMessage(strconv.FormatInt(int64(seconds), 10))
		}
	}
	plain, err := json.Marshal(members)
	if err != nil {
		return body // it was valid JSON a moment ago
	}
	return plain
}
