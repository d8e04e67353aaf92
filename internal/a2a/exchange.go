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
	// sent is true where err leaves open whether the server has the request, reused
	// where the connection had served another one before.
	sent, reused bool
}

// exchange is one attempt: one request within its own time limit, and the whole
// answer to it, so that a body that breaks off is a failure of the attempt. Only a
// list of the 200 series is left on its way.
func (c *Client) exchange(ctx context.Context, req request, token *bearerToken) *answer {
	limit := c.requestTimeout
	if req.op == OpList {
		limit = c.listTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, &timeoutError{limit: limit})
	var line lineTrace
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: line.got})
	var found *answer
	if req.op == OpToken {
		found = c.requestToken(traced, req.url.String())
	} else {
		httpRequest := &http.Request{Method: req.method, URL: req.url, Header: token.header}
		found = c.roundTrip(httpRequest.WithContext(traced), req.op)
	}
	if found.stream != nil {
		found.stream = &limitedStream{ReadCloser: found.stream, ctx: ctx, cancel: cancel}
		return found
	}
	defer cancel()
	found.err = explain(ctx, found.err)
	found.sent = found.err != nil && line.sent.Load()
	found.reused = line.reused.Load()
	return found
}

// lineTrace notes what net/http tells of the connection of an attempt, also from
// other goroutines.
type lineTrace struct{ sent, reused atomic.Bool }

func (l *lineTrace) got(info httptrace.GotConnInfo) {
	l.sent.Store(true)
	l.reused.Store(info.Reused)
}

// errLocation takes the place of an error of net/http that quotes the header, which
// may hold a secret.
var errLocation = errors.New("redirected to an unusable location")

// roundTrip sends one request. Only a GET follows redirects.
func (c *Client) roundTrip(req *http.Request, op string) *answer {
	client := c.sender(req.Context())
	send := client.Do
	if req.Method != http.MethodGet {
		send = client.Transport.RoundTrip
	}
	resp, err := send(req)
	switch {
	case err != nil && strings.Contains(err.Error(), "failed to parse Location header"):
		return &answer{err: errLocation}
	case err != nil:
		return &answer{err: err}
	case resp.StatusCode == http.StatusSwitchingProtocols:
		// What follows is no body, and no time limit would end it.
		_ = resp.Body.Close()
		return &answer{err: errors.New("the server switched to another protocol")}
	case op == OpList && isSuccess(resp.StatusCode):
		return &answer{status: resp.StatusCode, header: resp.Header, stream: resp.Body}
	}
	return wholeAnswer(resp)
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

// timeoutError is the end of an attempt by its own time limit, which must not look
// like the end of the caller's context.
type timeoutError struct{ limit time.Duration }

func (e *timeoutError) Error() string { return fmt.Sprintf("no complete response within %s", e.limit) }

// Timeout makes it a timeout to those who ask for net.Error's method.
func (e *timeoutError) Timeout() bool { return true }

// explain gives the timeoutError that ended ctx in place of err, if one did.
func explain(ctx context.Context, err error) error {
	var timeout *timeoutError
	if err != nil && errors.As(context.Cause(ctx), &timeout) {
		return timeout
	}
	return err
}

// limitedStream is the body of a list: the attempt lasts until it is closed.
type limitedStream struct {
	io.ReadCloser
	ctx    context.Context //nolint:containedctx // that of the request which the body answers
	cancel context.CancelFunc
}

func (s *limitedStream) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = explain(s.ctx, err)
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
	// A list that a cache kept shows no session that started since.
	header.Set("Cache-Control", "no-cache")
	header.Set("Pragma", "no-cache")
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
