package a2a

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpproxy"
	"golang.org/x/time/rate"
)

const (
	// maxBodyBytes bounds every answer but the list.
	maxBodyBytes = 1 << 20
	maxRedirects = 5
	dialTimeout  = 15 * time.Second
)

// call is one operation on one route: what its layers have to know and what they
// found. Attempts of one call follow one another, so only pending, which
// net/http may set from another goroutine, is atomic.
type call struct {
	op       string
	method   string
	url      *url.URL
	attempts int
	// header is what the next attempt carries beside the request's own headers.
	// Calls share it, so nobody changes it.
	header http.Header
	// pending is true from the moment an attempt has a connection until its
	// answer is complete: the request may be on its way, and nobody knows what
	// became of it.
	pending atomic.Bool
	// answer is that of the last exchange, nil without one.
	answer *answer
	// renewed is true once the call has replaced a refused token.
	renewed bool
	// receive reads the sessions out of an answer of the 200 series, of the list
	// while it arrives; nil for operations that bring none.
	receive func(io.Reader) *Error
}

// streams reports whether an answer of the given status is read by receive as it
// arrives. All others are read whole and bounded.
func (ca *call) streams(status int) bool { return ca.op == OpList && isSuccess(status) }

type callKey struct{}

func withCall(ctx context.Context, ca *call) context.Context {
	return context.WithValue(ctx, callKey{}, ca)
}

// callOf returns the call of a request made by this package: each has one.
func callOf(req *http.Request) *call {
	ca, _ := req.Context().Value(callKey{}).(*call)
	return ca
}

// answer is an HTTP answer. Its body is complete unless broken says why not; a
// list of the 200 series has no body here.
type answer struct {
	status int
	header http.Header
	host   string
	body   []byte
	broken error
	// env is nil where the body is not one JSON object.
	env *envelope
}

type roundTripperFunc func(*http.Request) (*http.Response, error)

func (f roundTripperFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// layers puts the chain together. A request passes, in this order:
//
//  1. the retries (retry.go) and the redirects of http.Client: each of them is a
//     request that every layer below sees;
//  2. authenticate (auth.go): before the limits, because it may need a request
//     of its own, for a token, and must not hold a slot while that waits for one;
//  3. limit: before the clock starts, so that waiting in line is not taken for a
//     slow server;
//  4. record: logs one exchange, without the wait;
//  5. exchange: one attempt with its headers and its time limit, read to the
//     last byte, so that a body that breaks off is a failure of the attempt;
//  6. the connection.
//
// Token requests take the same way without the second step. A drain sends
// thousands of drops, so an attempt copies its request once, in exchange, where
// the layers would else copy it one after the other.
func (c *Client) layers(connection http.RoundTripper) (authenticated, anonymous http.RoundTripper) {
	anonymous = c.limit(c.record(c.exchange(connection)))
	return c.authenticate(anonymous), anonymous
}

// limit holds the number and the rate of requests. A slot is free again when the
// answer is there; for a list that is when its headers are, because a body that
// takes minutes must not keep drops waiting.
func (c *Client) limit(next http.RoundTripper) http.RoundTripper {
	return roundTripperFunc(func(req *http.Request) (*http.Response, error) {
		ctx := req.Context()
		select {
		case c.slots <- struct{}{}:
			defer func() { <-c.slots }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if err := waitForRate(ctx, c.rate); err != nil {
			return nil, err
		}
		return next.RoundTrip(req)
	})
}

func waitForRate(ctx context.Context, limiter *rate.Limiter) error {
	if limiter.Limit() == rate.Inf {
		return ctx.Err()
	}
	turn := limiter.Reserve()
	wait := turn.Delay()
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		turn.Cancel()
		return ctx.Err()
	}
}

// record logs one exchange.
func (c *Client) record(next http.RoundTripper) http.RoundTripper {
	return roundTripperFunc(func(req *http.Request) (*http.Response, error) {
		ca := callOf(req)
		ca.attempts++
		began := time.Now()
		resp, err := next.RoundTrip(req)
		if !c.logger.Enabled(req.Context(), slog.LevelDebug) {
			return resp, err
		}
		attrs := []slog.Attr{
			slog.String("op", ca.op),
			slog.String("method", req.Method),
			slog.String("path", req.URL.EscapedPath()),
			slog.Int("attempt", ca.attempts),
			slog.Int64("duration_ms", time.Since(began).Milliseconds()),
		}
		if err != nil {
			attrs = append(attrs, slog.String("error", c.redact.cause(err).Error()))
		} else {
			attrs = append(attrs, slog.Int("status", resp.StatusCode))
			if ca.answer.env != nil {
				attrs = append(attrs, slog.Int("api_code", ca.answer.env.number()))
			}
		}
		c.logger.LogAttrs(req.Context(), slog.LevelDebug, "A2A request", attrs...)
		return resp, err
	})
}

// exchange is one attempt.
func (c *Client) exchange(next http.RoundTripper) http.RoundTripper {
	return roundTripperFunc(func(req *http.Request) (*http.Response, error) {
		ca := callOf(req)
		ca.answer = nil
		ca.pending.Store(false)
		limit := c.requestTimeout
		if ca.op == OpList {
			limit = c.listTimeout
		}
		ctx, cancel := context.WithTimeout(req.Context(), limit)
		attempt := &attempt{caller: req.Context(), ctx: ctx, cancel: cancel, limit: limit}
		traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			GotConn: func(httptrace.GotConnInfo) { ca.pending.Store(true) },
		})
		sent := req.WithContext(traced)
		sent.Header = merged(req.Header, ca.header)
		resp, err := next.RoundTrip(sent)
		if err != nil {
			defer cancel()
			return nil, attempt.explain(err)
		}
		ca.answer = &answer{status: resp.StatusCode, header: resp.Header, host: req.URL.Host}
		if ca.streams(resp.StatusCode) {
			resp.Body = &attemptBody{body: resp.Body, attempt: attempt}
			return resp, nil
		}
		defer cancel()
		ca.answer.read(resp.Body, attempt)
		if ca.answer.broken == nil {
			ca.answer.env = c.envelopeOf(ca.op, ca.answer.body)
		}
		ca.pending.Store(ca.answer.broken != nil)
		resp.Body = io.NopCloser(bytes.NewReader(ca.answer.body))
		return resp, nil
	})
}

// read takes in the whole body and closes it.
func (a *answer) read(body io.ReadCloser, attempt *attempt) {
	var err error
	a.body, err = io.ReadAll(io.LimitReader(body, maxBodyBytes+1))
	// The answer is here; what closing says about the connection changes nothing.
	_ = body.Close()
	switch {
	case err != nil:
		a.broken = attempt.explain(err)
	case len(a.body) > maxBodyBytes:
		a.body = a.body[:maxBodyBytes]
		a.broken = fmt.Errorf("it is longer than %d bytes", maxBodyBytes)
	}
}

// knownAnswer is a body with its envelope, which is nil where there is none.
type knownAnswer struct {
	body []byte
	env  *envelope
}

// maxKnownBytes is how long an answer may be to be kept for the next one.
const maxKnownBytes = 4 << 10

// envelopeOf reads the envelope of a whole body. PAM answers thousands of drops
// with the same few bytes, so what the last one meant is not worked out anew.
func (c *Client) envelopeOf(op string, body []byte) *envelope {
	if last := c.lastDrop.Load(); op == OpDrop && last != nil && bytes.Equal(last.body, body) {
		return last.env
	}
	env := parseEnvelope(body)
	if op == OpDrop && len(body) <= maxKnownBytes {
		c.lastDrop.Store(&knownAnswer{body: body, env: env})
	}
	return env
}

// attempt knows whether its own time limit or the caller's context ended it.
type attempt struct {
	caller, ctx context.Context //nolint:containedctx // compares two contexts of one request
	cancel      context.CancelFunc
	limit       time.Duration
}

// explain replaces the error of an attempt whose time was up: it must not look
// like the end of the caller's own context.
func (a *attempt) explain(err error) error {
	if a.caller.Err() == nil && errors.Is(a.ctx.Err(), context.DeadlineExceeded) {
		return &timeoutError{limit: a.limit}
	}
	return err
}

type timeoutError struct{ limit time.Duration }

func (e *timeoutError) Error() string { return fmt.Sprintf("no complete answer within %s", e.limit) }

// Timeout makes it a timeout to those who ask for net.Error's method.
func (e *timeoutError) Timeout() bool { return true }

// attemptBody is the body of a list: the attempt lasts until it is closed.
type attemptBody struct {
	body    io.ReadCloser
	attempt *attempt
}

func (b *attemptBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.attempt.explain(err)
	}
	return n, err
}

func (b *attemptBody) Close() error {
	b.attempt.cancel()
	return b.body.Close()
}

// merged gives the headers of both, of which more wins. Where own has none it is
// more itself, as neither this package nor net/http changes it.
func merged(own, more http.Header) http.Header {
	if len(own) == 0 {
		return more
	}
	all := make(http.Header, len(own)+len(more))
	maps.Copy(all, own)
	maps.Copy(all, more)
	return all
}

// newHeader is what every request of cfg carries. Configured headers win, so that
// a site can send its own User-Agent or Referer.
func newHeader(cfg *Config) http.Header {
	header := http.Header{}
	header.Set("Accept", "application/json")
	if cfg.UserAgent != "" {
		header.Set("User-Agent", cfg.UserAgent)
	}
	for name, value := range cfg.Headers {
		header.Set(name, value)
	}
	return header
}

// followRedirect is the policy of http.Client: a GET goes on within the scheme
// and host that were configured, so that the token never travels elsewhere.
// Everything else keeps the redirect as its answer.
func (c *Client) followRedirect(req *http.Request, via []*http.Request) error {
	if via[0].Method != http.MethodGet || len(via) > maxRedirects || origin(req.URL) != origin(c.base) {
		return http.ErrUseLastResponse
	}
	return nil
}

// origin is scheme, host and port, however they are written.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// connections sends a drop over HTTP/1.1 and everything else over what the
// server offers. net/http repeats requests on its own: over HTTP/1.1 a DELETE
// only if not a byte of it was written, over HTTP/2 also after the server reset
// the stream with PROTOCOL_ERROR, when it may have acted already.
type connections struct {
	usual, drop *http.Transport
}

func (c *connections) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodDelete {
		return c.drop.RoundTrip(req)
	}
	return c.usual.RoundTrip(req)
}

func (c *connections) CloseIdleConnections() {
	c.usual.CloseIdleConnections()
	c.drop.CloseIdleConnections()
}

// connect builds the connections for cfg, which is valid.
func connect(cfg *Config) (*connections, error) {
	tlsConfig, err := newTLSConfig(cfg)
	if err != nil {
		return nil, err
	}
	proxy, err := newProxy(cfg.ProxyURL)
	if err != nil {
		return nil, err
	}
	dial := cfg.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	transport := func(http2 bool) *http.Transport {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(true)
		protocols.SetHTTP2(http2)
		return &http.Transport{
			Protocols:              protocols,
			Proxy:                  proxy,
			OnProxyConnectResponse: checkProxyAnswer,
			DialContext:            dial,
			TLSClientConfig:        tlsConfig.Clone(),
			TLSHandshakeTimeout:    dialTimeout,
			MaxIdleConnsPerHost:    cfg.MaxConcurrentRequests,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 1 << 18,
		}
	}
	return &connections{usual: transport(true), drop: transport(false)}, nil
}

func newTLSConfig(cfg *Config) (*tls.Config, error) {
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: cfg.Insecure, //nolint:gosec // the user asks for it, and is warned on every run
	}
	if len(cfg.CACertPEM) > 0 {
		roots, err := x509.SystemCertPool()
		if err != nil {
			// A host without system roots still has the configured ones.
			roots = x509.NewCertPool()
		}
		roots.AppendCertsFromPEM(cfg.CACertPEM)
		config.RootCAs = roots
	}
	if len(cfg.ClientCertPEM) > 0 {
		pair, err := tls.X509KeyPair(cfg.ClientCertPEM, cfg.ClientKeyPEM)
		if err != nil {
			return nil, &ConfigError{Field: "ClientCertPEM", Err: err}
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// newProxy reads the environment now, not once for the process as net/http does.
// Like net/http it ignores what is no URL there.
func newProxy(raw string) (func(*http.Request) (*url.URL, error), error) {
	if raw != "" {
		u, err := url.Parse(raw)
		if err != nil {
			return nil, &ConfigError{Field: "ProxyURL", Err: errors.New("it is not a URL")}
		}
		return http.ProxyURL(u), nil
	}
	environment := httpproxy.FromEnvironment().ProxyFunc()
	return func(req *http.Request) (*url.URL, error) { return environment(req.URL) }, nil
}

// proxyError is a proxy that refused the tunnel: nothing reached PAM.
type proxyError struct{ status int }

func (e *proxyError) Error() string {
	return fmt.Sprintf("the proxy answered HTTP %d when asked for a tunnel", e.status)
}

func checkProxyAnswer(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if isSuccess(resp.StatusCode) {
		return nil
	}
	return &proxyError{status: resp.StatusCode}
}

// isPermanent reports whether a connection fails in the same way however often
// it is tried: a certificate that is not trusted, a server that does not trust
// ours, a port that does not speak TLS, a proxy that refuses.
func isPermanent(err error) bool {
	var (
		certificate *tls.CertificateVerificationError
		proxy       *proxyError
		network     *net.OpError
	)
	switch {
	case errors.As(err, &certificate), errors.Is(err, http.ErrSchemeMismatch):
		return true
	case errors.As(err, &proxy):
		return proxy.status >= 400 && proxy.status < 500 &&
			proxy.status != http.StatusRequestTimeout && proxy.status != http.StatusTooManyRequests
	case errors.As(err, &network):
		// How crypto/tls marks an alert that the other side sent.
		return network.Op == "remote error"
	}
	return false
}
