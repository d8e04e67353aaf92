package a2a

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
)

const (
	// maxBodyBytes bounds every answer but the list.
	maxBodyBytes = 1 << 20
	maxRedirects = 5
)

// answer is what one attempt found.
type answer struct {
	// status is 0 where no answer came.
	status int
	header http.Header
	// body is complete unless err says why not. A list of the 200 series arrives
	// on stream instead.
	body   []byte
	stream io.ReadCloser
	// env is nil where the body is not one JSON object.
	env *envelope
	// token is what a token request brought.
	token *oauth2.Token
	// err is why there is no answer, or no complete one.
	err error
	// sent is true where err leaves open whether the server has the request.
	sent bool
}

// exchange is one attempt: one request within its own time limit, and the whole
// answer to it, so that a body that breaks off is a failure of the attempt. Only a
// list of the 200 series is left on its way.
func (c *Client) exchange(ctx context.Context, req request, token *bearerToken) *answer {
	limit := c.requestTimeout
	if req.op == OpList {
		limit = c.listTimeout
	}
	timed, cancel := context.WithTimeout(ctx, limit)
	within := timeLimit{caller: ctx, ctx: timed, limit: limit}
	if req.op == OpToken {
		defer cancel()
		return within.explained(c.requestToken(timed, req.url.String()))
	}

	var sent atomic.Bool
	traced := httptrace.WithClientTrace(timed, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { sent.Store(true) },
	})
	httpRequest := &http.Request{Method: req.method, URL: req.url, Header: token.header}
	resp, err := c.sender(ctx).Do(httpRequest.WithContext(traced))
	if err != nil {
		defer cancel()
		return within.explained(&answer{err: err, sent: sent.Load()})
	}
	if req.op == OpList && isSuccess(resp.StatusCode) {
		stream := &limitedStream{ReadCloser: resp.Body, cancel: cancel, limit: within}
		return &answer{status: resp.StatusCode, header: resp.Header, stream: stream}
	}
	defer cancel()
	found := wholeAnswer(resp)
	found.sent = found.err != nil
	return within.explained(found)
}

// wholeAnswer takes in an answer with its body, and closes it.
func wholeAnswer(resp *http.Response) *answer {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBodyBytes+1))
	// The answer is here; what closing says about the connection changes nothing.
	_ = resp.Body.Close()
	if err == nil && len(body) > maxBodyBytes {
		body, err = body[:maxBodyBytes], fmt.Errorf("it is longer than %d bytes", maxBodyBytes)
	}
	found := &answer{status: resp.StatusCode, header: resp.Header, body: body, err: err}
	if err == nil {
		found.env = parseEnvelope(body)
	}
	return found
}

// timeLimit is that of one attempt. It tells its own end from that of the
// caller's context.
type timeLimit struct {
	caller, ctx context.Context //nolint:containedctx // compares two contexts of one request
	limit       time.Duration
}

// explain replaces the error of an attempt whose time was up: it must not look
// like the end of the caller's own context.
func (l timeLimit) explain(err error) error {
	if err != nil && l.caller.Err() == nil && errors.Is(l.ctx.Err(), context.DeadlineExceeded) {
		return &timeoutError{limit: l.limit}
	}
	return err
}

func (l timeLimit) explained(a *answer) *answer {
	a.err = l.explain(a.err)
	return a
}

type timeoutError struct{ limit time.Duration }

func (e *timeoutError) Error() string { return fmt.Sprintf("no complete answer within %s", e.limit) }

// Timeout makes it a timeout to those who ask for net.Error's method.
func (e *timeoutError) Timeout() bool { return true }

// limitedStream is the body of a list: the attempt lasts until it is closed.
type limitedStream struct {
	io.ReadCloser
	cancel context.CancelFunc
	limit  timeLimit
}

func (s *limitedStream) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = s.limit.explain(err)
	}
	return n, err
}

func (s *limitedStream) Close() error {
	s.cancel()
	return s.ReadCloser.Close()
}

// record logs one attempt.
func (c *Client) record(ctx context.Context, req request, found *answer, took time.Duration) {
	if !c.logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("op", req.op),
		slog.String("method", req.method),
		slog.String("path", req.url.EscapedPath()),
		slog.Int("attempt", req.number),
		slog.Int64("duration_ms", took.Milliseconds()),
	}
	if found.status != 0 {
		attrs = append(attrs, slog.Int("status", found.status))
	} else {
		attrs = append(attrs, slog.String("error", c.redact.cause(found.err).Error()))
	}
	if found.env != nil {
		attrs = append(attrs, slog.Int("api_code", found.env.number()))
	}
	c.logger.LogAttrs(ctx, slog.LevelDebug, "A2A request", attrs...)
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
