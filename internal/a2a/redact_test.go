package a2a

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

func TestRedactedText(t *testing.T) {
	t.Parallel()
	r := newRedactor(&Config{
		ClientSecret: "s3cr3t/+&", ProxyURL: "http://user:pr0xy%20pass@proxy", Headers: map[string]string{"X-Key": "h3ader"},
		OAuth1: &OAuth1{ConsumerKey: "c0nsumer", ConsumerSecret: "c0nsumer-long", TokenKey: "t0ken", TokenSecret: "abc"},
	})
	for in, want := range map[string]string{
		"plain":                        "plain",
		"s3cr3t/+& raw":                "(redacted) raw",
		url.QueryEscape("s3cr3t/+&"):   "(redacted)",
		url.PathEscape("s3cr3t/+&"):    "(redacted)",
		"pr0xy pass":                   "(redacted)",
		"pr0xy%20pass":                 "(redacted)",
		"h3ader c0nsumer t0ken":        "(redacted) (redacted) (redacted)",
		"c0nsumer-long":                "(redacted)",
		"abc is too short":             "abc is too short",
		"Authorization: Bearer eyJ0eX": "Authorization: Bearer eyJ0eX",
		"got Bearer eyJ0eXAiOiJK.x.y":  "got Bearer (redacted)",
		"basic dXNlcjpwYXNz":           "basic (redacted)",
		"two\nlines\tand\x00\x1b[31m":  "two lines and[31m",
		"broken \xff":                  "broken \uFFFD",
		"hidden\u202etext":             "hiddentext",
		base64.StdEncoding.EncodeToString([]byte("user:pr0xy pass")): "(redacted)",
	} {
		if got := r.text(in); got != want {
			t.Errorf("text(%q) = %q, want %q", in, got, want)
		}
	}
	if got := r.text(strings.Repeat("é", maxTextBytes)); len(got) > maxTextBytes+len("…") || !strings.HasSuffix(got, "é…") {
		t.Errorf("long text becomes %d bytes ending in %q", len(got), got[len(got)-6:])
	}
}

// TestCauseIsFoundAndNotShown: errors.Is and errors.As reach the cause, its text
// does not get out, and it never passes for the end of the caller's context.
func TestCauseIsFoundAndNotShown(t *testing.T) {
	t.Parallel()
	r := newRedactor(&Config{ClientSecret: testSecret})
	inner := &proxyError{status: 407}
	cause := r.cause(&url.Error{Op: "Get", URL: "https://x/?" + testSecret, Err: fmt.Errorf("%s: %w: %w", testSecret, inner, context.DeadlineExceeded)})
	var found *proxyError
	if !errors.Is(cause, inner) || !errors.As(cause, &found) {
		t.Error("the cause is lost")
	}
	if errors.Is(cause, context.DeadlineExceeded) || errors.Is(cause, context.Canceled) {
		t.Error("the cause passes for a context's end")
	}
	for _, text := range []string{cause.Error(), fmt.Sprintf("%v %+v", cause, cause)} {
		if strings.Contains(text, testSecret) || strings.Contains(text, "https://x") {
			t.Errorf("cause shows %q", text)
		}
	}
}

// TestNothingSecretGetsOut lets a server echo all that it was sent, in every way
// to fail, and looks for it in errors and logs.
func TestNothingSecretGetsOut(t *testing.T) {
	t.Parallel()
	const header = "v3ry-private-header"
	for _, status := range []int{200, 301, 400, 401, 403, 404, 429, 500, 502} {
		for _, shape := range []string{`{"error":true,"message":%q}`, `{"code":200,"remote_sessions":[{"id":%q},0]}`, "<html>%s</html>", `{"%s`} {
			var mu sync.Mutex
			var log bytes.Buffer
			echo := func(w http.ResponseWriter, r *http.Request) {
				_ = r.ParseForm()
				w.Header().Set("Location", "https://elsewhere/"+testSecret)
				w.WriteHeader(status)
				text := fmt.Sprintf("%v %v %v", r.Header, r.PostForm, base64.StdEncoding.EncodeToString([]byte(testSecret)))
				_, _ = fmt.Fprintf(w, shape, text)
			}
			p := &pam{handler: echo}
			for _, breakToken := range []bool{false, true} {
				if breakToken {
					p.answerToken = echo
				}
				c := inMemory(t, p, func(cfg *Config) {
					cfg.Headers = map[string]string{"X-Private": header}
					cfg.Logger = slog.New(slog.NewJSONHandler(&lockedWriter{mu: &mu, b: &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
				})
				for _, o := range operations {
					err := o.run(t.Context(), c)
					if err == nil {
						continue
					}
					e := asError(t, err)
					text := fmt.Sprintf("%v %+v %#v %v %+v", err, err, e.Message, e.Tried, errors.Unwrap(err))
					wantNoSecrets(t, text, header)
				}
			}
			wantNoSecrets(t, log.String(), header)
		}
	}
}

func wantNoSecrets(t *testing.T, text string, more ...string) {
	t.Helper()
	for _, secret := range append(more, testSecret, testToken, "access-token-", base64.StdEncoding.EncodeToString([]byte(testSecret))) {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in %q", secret, text)
		}
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

// TestLog: one record for each exchange, with these members and no others.
func TestLog(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var log bytes.Buffer
	p := &pam{handler: inOrder(
		answering(503, `{"message":"busy"}`),
		answering(400, readBody(t, "get-1002-not-found-http400.json")),
		cut,
	)}
	type contextKey struct{}
	var seen []any
	handler := &contextHandler{
		Handler: slog.NewJSONHandler(&lockedWriter{mu: &mu, b: &log}, &slog.HandlerOptions{Level: slog.LevelDebug}),
		note:    func(ctx context.Context) { seen = append(seen, ctx.Value(contextKey{})) },
	}
	c := inMemory(t, p, func(cfg *Config) {
		cfg.Logger = slog.New(handler)
		cfg.MaxRetries = 1
	})
	ctx := context.WithValue(t.Context(), contextKey{}, "caller")
	_, err := c.Session(ctx, "6")
	wantClass(t, err, session.ErrNotFound)
	wantClass(t, c.Drop(ctx, testID), session.ErrUnknownOutcome)
	want := []map[string]any{
		{"op": "token", "method": "POST", "path": tokenPath, "attempt": 1.0, "status": 200.0, "api_code": 0.0},
		{"op": "get", "method": "GET", "path": getPath, "attempt": 1.0, "status": 503.0, "api_code": 0.0},
		{"op": "get", "method": "GET", "path": getPath, "attempt": 2.0, "status": 400.0, "api_code": 1002.0},
		{"op": "drop", "method": "DELETE", "path": dropPath, "attempt": 1.0, "error": errCut.Error()},
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d records, want %d:\n%s", len(lines), len(want), log.String())
	}
	for i, line := range lines {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		if record["msg"] != "A2A request" || record["level"] != "DEBUG" {
			t.Errorf("record %d: %v", i, record)
		}
		if _, ok := record["duration_ms"].(float64); !ok {
			t.Errorf("record %d has no duration", i)
		}
		for _, standard := range []string{"time", "level", "msg", "duration_ms"} {
			delete(record, standard)
		}
		if fmt.Sprint(record) != fmt.Sprint(want[i]) {
			t.Errorf("record %d: %v, want %v", i, record, want[i])
		}
	}
	if len(seen) != len(want) || slices.ContainsFunc(seen, func(v any) bool { return v != "caller" }) {
		t.Errorf("contexts %v are not the caller's", seen)
	}
}

// contextHandler notes the context of each record.
type contextHandler struct {
	slog.Handler
	note func(context.Context)
}

func (h *contextHandler) Handle(ctx context.Context, r slog.Record) error {
	h.note(ctx)
	return h.Handler.Handle(ctx, r)
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err  *Error
		want string
	}{
		{
			&Error{Op: OpDrop, Method: "DELETE", Path: "/d/x", Status: 500, Code: 1, Message: "droping", class: session.ErrRefused},
			"drop: DELETE /d/x: HTTP 500, code 1: droping (the drop was refused without a reason)",
		},
		{&Error{Op: OpGet, Message: "six"}, "get: six"},
		{
			&Error{
				Op: OpDrop, Method: "DELETE", Path: "/b", Status: 404, class: session.ErrWrongRoute,
				Tried: []RouteAnswer{{Path: "/a", Status: 404}, {Path: "/b", Status: 404}},
			},
			"drop: DELETE /b: HTTP 404 (no such endpoint); tried /a (HTTP 404) /b (HTTP 404)",
		},
	} {
		if got := tc.err.Error(); got != tc.want {
			t.Errorf("error %q, want %q", got, tc.want)
		}
	}
}
