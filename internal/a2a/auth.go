package a2a

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
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

// authenticate adds what shows PAM who asks.
func (c *Client) authenticate(next http.RoundTripper) http.RoundTripper {
	if c.oauth1 != nil {
		return &signer{credentials: c.oauth1, next: next, refused: func(ca *call) *Error {
			return c.failed(ca, session.ErrUnauthenticated)
		}}
	}
	return &bearer{tokens: c.tokens, next: next}
}

// bearer is OAuth 2.0: it adds the token, and once in a call replaces one that
// PAM refuses and repeats the request. That is safe for a drop too, as a request
// with a refused token is not carried out.
type bearer struct {
	tokens *tokenSource
	next   http.RoundTripper
}

func (b *bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	ca, ctx := callOf(req), req.Context()
	token, err := b.tokens.token(ctx)
	if err != nil {
		return nil, err
	}
	ca.header = token.header
	resp, err := b.next.RoundTrip(req)
	if err != nil || ca.renewed || !ca.answer.renewable() {
		return resp, err
	}
	_ = resp.Body.Close() // read to its end already
	ca.renewed = true
	b.tokens.discard(token)
	token, err = b.tokens.token(ctx)
	if err != nil {
		return nil, err
	}
	ca.header = token.header
	return b.next.RoundTrip(req)
}

// bearerToken is a token as requests carry it.
type bearerToken struct {
	*oauth2.Token
	// header is everything that a request with the token carries.
	header http.Header
}

// bearerToken adds the configured headers to token.
func (c *Client) bearerToken(token *oauth2.Token) *bearerToken {
	// Some releases write the type in lower case; the header wants it like this.
	authorization := http.Header{"Authorization": {"Bearer " + token.AccessToken}}
	return &bearerToken{Token: token, header: merged(authorization, c.header)}
}

// tokenSource keeps one token for all calls. Waiters share one request, which
// outlives each of them, as the others want its answer. Credentials that were
// refused are never sent again: PAM may lock them. Safe for concurrent use.
type tokenSource struct {
	// fetch asks for a token; its errors are *Error.
	fetch   func(context.Context) (*bearerToken, error)
	flights singleflight.Group

	mu      sync.Mutex
	current *bearerToken
	renewAt time.Time
	refused error
}

// token returns a token that is good for a while. Its error is an *Error, or
// that of ctx.
func (s *tokenSource) token(ctx context.Context) (*bearerToken, error) {
	if token, err := s.known(); token != nil || err != nil {
		return token, err
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
		if result.Err != nil {
			return nil, result.Err
		}
		token, _ := result.Val.(*bearerToken)
		return token, nil
	}
}

func (s *tokenSource) known() (*bearerToken, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused != nil {
		return nil, s.refused
	}
	if s.current == nil || !s.renewAt.IsZero() && !time.Now().Before(s.renewAt) {
		return nil, nil //nolint:nilnil // neither a token nor a reason to have none
	}
	return s.current, nil
}

func (s *tokenSource) renew(ctx context.Context) (*bearerToken, error) {
	// The flight before this one may have brought what its caller waits for.
	if token, err := s.known(); token != nil || err != nil {
		return token, err
	}
	began := time.Now()
	token, err := s.fetch(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		if errors.Is(err, session.ErrUnauthenticated) || errors.Is(err, session.ErrInactive) {
			s.refused = err
		}
		return nil, err
	}
	s.current, s.renewAt = token, time.Time{}
	if !token.Expiry.IsZero() {
		life := token.Expiry.Sub(began)
		s.renewAt = token.Expiry.Add(-min(renewalMargin, life/10))
	}
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

// fetchToken asks every route for a token. The credentials are always in the
// body, never detected: a rejected credential must be sent once (contract,
// section 2).
func (c *Client) fetchToken(ctx context.Context) (*bearerToken, error) {
	var token *oauth2.Token
	failure := c.tokenRoutes.try(func(path string) *Error {
		ca := &call{op: OpToken, method: http.MethodPost, url: locate(c.base, path)}
		grant := clientcredentials.Config{
			ClientID:     c.clientID,
			ClientSecret: c.clientSecret,
			TokenURL:     ca.url.String(),
			AuthStyle:    oauth2.AuthStyleInParams,
		}
		if c.tenant != "" {
			grant.EndpointParams = url.Values{"tenant": {c.tenant}}
		}
		var err error
		token, err = grant.Token(context.WithValue(ctx, oauth2.HTTPClient, &http.Client{
			Transport: &tokenExchange{client: c, call: ca},
		}))
		if err == nil {
			c.redact.add(token.AccessToken)
			return nil
		}
		var failure *Error
		if !errors.As(err, &failure) {
			// The answer passed our look and not the library's. Its error would
			// show the body.
			failure = c.newError(ca)
			failure.class = session.ErrRejected
			failure.Message = "the answer to the token request cannot be used"
		}
		return failure
	})
	if failure != nil {
		// The calls that wait for it must not repeat what was repeated here.
		failure.final = true
		return nil, failure
	}
	return c.bearerToken(token), nil
}

// tokenExchange lets the OAuth library's one request take the way of all
// others: retries, limits, time limit, log. The library sees success only.
type tokenExchange struct {
	client *Client
	call   *call
}

func (t *tokenExchange) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if failure := t.client.send(ctx, t.call, req); failure != nil {
		return nil, failure
	}
	return &http.Response{
		StatusCode: t.call.answer.status,
		// The library would read any other type as a form.
		Header:  http.Header{"Content-Type": {"application/json"}},
		Body:    io.NopCloser(bytes.NewReader(bytes.TrimPrefix(t.call.answer.body, utf8BOM))),
		Request: req,
	}, nil
}

// signer is OAuth 1.0a: every request, retries and redirects included, has its
// own nonce and signature. There is no token to renew. A signature that PAM
// called invalid is not sent again.
type signer struct {
	credentials *OAuth1
	next        http.RoundTripper
	// refused makes the error of a call whose signature is invalid.
	refused func(*call) *Error

	mu     sync.Mutex
	failed *Error
}

func (s *signer) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	failed := s.failed
	s.mu.Unlock()
	if failed != nil {
		return nil, failed
	}
	config := oauth1.NewConfig(s.credentials.ConsumerKey, s.credentials.ConsumerSecret)
	token := oauth1.NewToken(s.credentials.TokenKey, s.credentials.TokenSecret)
	// The library takes the transport below it from a context.
	ctx := context.WithValue(req.Context(), oauth1.HTTPClient, &http.Client{Transport: s.next})
	resp, err := config.Client(ctx, token).Transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if ca := callOf(req); ca.answer.tokenRefused() && ca.answer.env != nil && ca.answer.env.says(signatureTexts) {
		s.mu.Lock()
		s.failed = s.refused(ca)
		s.mu.Unlock()
	}
	return resp, nil
}
