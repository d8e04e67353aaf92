package a2a

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/contract"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

const (
	testID     = "3f1c9a0e5b7d2468ace013579bdf02468ace1357"
	testRecord = "6"
	testSecret = "s3cr3t-client-secret"
	testToken  = "first-access-token"

	tokenPath = "/iso/oauth2/token"
	listPath  = "/api/session/remotesessions"
	getPath   = listPath + "/" + testRecord
	dropPath  = "/api/pam/session/drop/" + testID
)

// silent is a log of failures that tests cause on purpose.
var silent = log.New(io.Discard, "", 0)

var sentinels = []error{
	session.ErrNotFound, session.ErrRefused, session.ErrUnknownOutcome, session.ErrTransient, session.ErrWrongRoute,
	session.ErrUnauthenticated, session.ErrInactive, session.ErrPermission, session.ErrReferer, session.ErrLockdown,
	session.ErrIdentifier, session.ErrRejected,
}

// wantClass fails unless err has the one sentinel want and no other; nil wants an
// error without any.
func wantClass(t *testing.T, err, want error) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %v", want)
	}
	for _, sentinel := range sentinels {
		if errors.Is(err, sentinel) != errors.Is(want, sentinel) {
			t.Errorf("errors.Is(%v, %v) = %v", err, sentinel, errors.Is(err, sentinel))
		}
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("%T is not an *Error", err)
	}
}

func asError(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is %T, not an *Error", err, err)
	}
	return e
}

func readBody(t *testing.T, name string) string {
	t.Helper()
	body, ok := contract.Bodies()[name]
	if !ok {
		t.Fatalf("no documented body is called %s", name)
	}
	return body
}

// exchangeKey is one request as the journal shows it.
func exchangeKey(r *http.Request) string { return r.Method + " " + r.URL.EscapedPath() }

// pam is the other side: a handler with a journal. A handler sees everything but
// the token requests, which are answered with a new token each, unless
// answerToken is set.
type pam struct {
	handler     http.HandlerFunc
	answerToken http.HandlerFunc

	mu      sync.Mutex
	journal []string
	tokens  int
}

func (p *pam) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.journal = append(p.journal, exchangeKey(r))
	p.mu.Unlock()
	if !strings.HasSuffix(r.URL.Path, "/oauth2/token") {
		p.handler(w, r)
		return
	}
	if p.answerToken != nil {
		p.answerToken(w, r)
		return
	}
	p.mu.Lock()
	p.tokens++
	token := testToken
	if p.tokens > 1 {
		token = fmt.Sprintf("access-token-%d", p.tokens)
	}
	p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3600,"access_token":%q}`, token)
}

func (p *pam) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.journal)
}

// count returns how many requests began with prefix.
func (p *pam) count(prefix string) int {
	n := 0
	for _, request := range p.requests() {
		if strings.HasPrefix(request, prefix) {
			n++
		}
	}
	return n
}

func (p *pam) wantRequests(t *testing.T, want ...string) {
	t.Helper()
	if got := p.requests(); !slices.Equal(got, want) {
		t.Errorf("requests:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// errCut makes a handler of memory cut the line before any answer.
var errCut = errors.New("connection reset by peer")

// memory is a connection without a network, for tests that move the clock. A
// handler that panics with errCut cuts the line.
type memory struct {
	handler http.Handler
	// dial is called for each connection, and may fail it.
	dial func() error
}

func (m *memory) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	if m.dial != nil {
		if err := m.dial(); err != nil {
			return nil, err
		}
	}
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	defer func() {
		switch cut := recover(); cut {
		case nil:
		case any(errCut):
			resp, err = nil, errCut
		default:
			panic(cut)
		}
	}()
	recorder := httptest.NewRecorder()
	m.handler.ServeHTTP(recorder, req)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	return recorder.Result(), nil
}

func testConfig(url string) Config {
	return Config{URL: url, ClientID: "client", ClientSecret: testSecret}
}

// inMemory returns a Client that speaks to p without a network.
func inMemory(t *testing.T, p *pam, change func(*Config)) *Client {
	t.Helper()
	return onConnection(t, &memory{handler: p}, change)
}

func onConnection(t *testing.T, connection http.RoundTripper, change func(*Config)) *Client {
	t.Helper()
	cfg := testConfig("https://pam.example.com")
	if change != nil {
		change(&cfg)
	}
	if err := cfg.validate(); err != nil {
		t.Fatal(err)
	}
	cfg.setDefaults()
	c, err := newClient(&cfg, connection)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// overNetwork returns a Client and the server that it speaks to.
func overNetwork(t *testing.T, p *pam, change func(*Config)) *Client {
	t.Helper()
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	cfg := testConfig(server.URL)
	if change != nil {
		change(&cfg)
	}
	return mustNew(t, cfg)
}

func mustNew(t *testing.T, cfg Config) *Client {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// collect reads the list to its end.
func collect(ctx context.Context, c *Client) ([]session.Session, error) {
	var all []session.Session
	for s, err := range c.Sessions(ctx) {
		if err != nil {
			return all, err
		}
		all = append(all, s)
	}
	return all, nil
}

// operation is one method of the Client, for tables that hold for all of them.
type operation struct {
	name    string
	op      string
	request string
	success string
	run     func(context.Context, *Client) error
}

var operations = []operation{
	{
		name: "list", op: OpList, request: "GET " + listPath, success: "list-newest.json",
		run: func(ctx context.Context, c *Client) error {
			_, err := collect(ctx, c)
			return err
		},
	},
	{
		name: "get", op: OpGet, request: "GET " + getPath, success: "get-3.33.json",
		run: func(ctx context.Context, c *Client) error {
			_, err := c.Session(ctx, testRecord)
			return err
		},
	},
	{
		name: "drop", op: OpDrop, request: "DELETE " + dropPath, success: "drop-newest-http200.json",
		run: func(ctx context.Context, c *Client) error { return c.Drop(ctx, testID) },
	},
}

// answering returns a handler that always answers with status and body.
func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func utc(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.DateTime, text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// TestEmptyPortIsNotSent: a URL may end in a colon, and a Host header may not.
func TestEmptyPortIsNotSent(t *testing.T) {
	t.Parallel()
	for _, o := range operations {
		p := &pam{handler: func(w http.ResponseWriter, r *http.Request) {
			if host := cmp.Or(r.Host, r.URL.Host); host != "pam.example.com" {
				t.Errorf("%s is sent to host %q", o.name, host)
			}
			answering(http.StatusOK, readBody(t, o.success))(w, r)
		}}
		c := inMemory(t, p, func(cfg *Config) { cfg.URL = "https://pam.example.com:" })
		if err := o.run(t.Context(), c); err != nil {
			t.Error(err)
		}
		p.wantRequests(t, "POST "+tokenPath, o.request)
	}
}
