package a2a

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

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

// spellings are the forms in which a secret may come back: as it is, escaped for
// a URL, for JSON, JavaScript and Go, for HTML, as base64, and twice.
var spellings = map[string]func(string) string{
	"plain":             func(s string) string { return s },
	"query":             url.QueryEscape,
	"path":              url.PathEscape,
	"lower-case query":  func(s string) string { return lowerEscapes(url.QueryEscape(s)) },
	"every byte":        func(s string) string { return each([]byte(s), "%%%02X") },
	"every byte, lower": func(s string) string { return each([]byte(s), "%%%02x") },
	"JSON":              jsonText,
	"JSON, HTML kept": func(s string) string {
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(s)
		return unquote(strings.TrimSpace(b.String()))
	},
	"JSON of PHP":        func(s string) string { return strings.ReplaceAll(jsonText(s), "/", `\/`) },
	"JSON, every one":    func(s string) string { return each(utf16.Encode([]rune(s)), `\u%04x`) },
	"JSON, upper case":   func(s string) string { return each(utf16.Encode([]rune(s)), `\u%04X`) },
	"Go":                 func(s string) string { return unquote(strconv.Quote(s)) },
	"Go, ASCII":          func(s string) string { return unquote(strconv.QuoteToASCII(s)) },
	"Go, wide":           func(s string) string { return each([]rune(s), `\U%08x`) },
	"bytes":              func(s string) string { return each([]byte(s), `\x%02x`) },
	"JavaScript":         template.JSEscapeString,
	"HTML":               html.EscapeString,
	"HTML of templates":  template.HTMLEscapeString,
	"HTML, decimal":      func(s string) string { return each([]rune(s), "&#%d;") },
	"HTML, hexadecimal":  func(s string) string { return each([]rune(s), "&#x%x;") },
	"HTML, upper case":   func(s string) string { return each([]rune(s), "&#X%04X;") },
	"HTML of JSON":       func(s string) string { return html.EscapeString(jsonText(s)) },
	"JSON of HTML":       func(s string) string { return jsonText(html.EscapeString(s)) },
	"JSON of JSON":       func(s string) string { return jsonText(jsonText(s)) },
	"URL of URL":         func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
	"URL of JSON":        func(s string) string { return url.PathEscape(jsonText(s)) },
	"HTML of URL":        func(s string) string { return html.EscapeString(url.QueryEscape(s)) },
	"base64":             func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64 of URLs":     func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"base64 with a user": func(s string) string { return base64.StdEncoding.EncodeToString([]byte("u:" + s)) },
	"base64, third":      func(s string) string { return base64.StdEncoding.EncodeToString([]byte("a" + s + "b")) },
	"base64 in a URL":    func(s string) string { return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(s))) },
	"control characters": func(s string) string { return spread(s, "\x00\x1b") },
	"hidden characters":  func(s string) string { return spread(s, "\u200b\u202e") },
	"escaped nothing":    func(s string) string { return spread(s, "%00") },
}

func each[T byte | uint16 | rune](units []T, format string) string {
	var b strings.Builder
	for _, unit := range units {
		fmt.Fprintf(&b, format, unit)
	}
	return b.String()
}

func jsonText(s string) string {
	text, _ := json.Marshal(s)
	return unquote(string(text))
}

func unquote(s string) string { return s[1 : len(s)-1] }

var percentEscape = regexp.MustCompile("%[0-9A-F]{2}")

func lowerEscapes(s string) string { return percentEscape.ReplaceAllStringFunc(s, strings.ToLower) }

// spread puts filler between all characters.
func spread(s, filler string) string { return strings.Join(strings.Split(s, ""), filler) }

// wantRedacted embeds secret in a text, in every spelling.
func wantRedacted(t *testing.T, r *redactor, secret, before, after string) {
	t.Helper()
	for name, spell := range spellings {
		spelled := spell(secret)
		got := r.text(before + spelled + after)
		// The text around may hold the same by chance, if that is short.
		for _, shown := range []string{clean(secret), clean(spelled)} {
			if len(shown) >= minSecretBytes && strings.Contains(got, shown) {
				t.Errorf("%s: secret %q, in %q, is shown: %q", name, secret, before+spelled+after, got)
			}
		}
	}
}

// TestNoSpellingOfASecretIsShown for secrets of all sorts of characters.
func TestNoSpellingOfASecretIsShown(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{
		"s3cr3t-client-secret", "abcd", "a/b+c&d", `"quoted"`, `back\slash\\es`, "per%cent%41", "%2Fx%2F", "a&amp;b", "&#38;&#38;",
		"with space", "  two  spaces\t", "tab\there", "line\nbreak\r\n", "nul\x00bell\x07", "\x1b[31mred\x7f", "delete\u0085next",
		"é€😀ß", "hid\u202eden\u200bzero", "<script>'x'</script>", "日本語の秘密", "no\u00a0break", "++++", "%%%%", `\\\\`, "&&&&", "====",
		"ab\xff\xfecd", "\xc3\x28invalid", "u003d", "amp;amp;", `\u0041bcd`, "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.e30.-_-_",
	} {
		r := newRedactor(&Config{ClientSecret: secret})
		for _, around := range [][2]string{
			{"", ""},
			{"client_secret=", "&grant_type=x"},
			{`{"secret":"`, `"}`},
			{"%", "%"},
			{`\`, `\`},
			{"&", ";"},
			{"%4", "1"},
			{`\u00`, "00"},
			{"x", "x"},
			{"\xc3", "\xa9"},
			{" ", "\n"},
			{"é", "é"},
		} {
			wantRedacted(t, r, secret, around[0], around[1])
		}
	}
}

// TestOverlappingSecrets: of none may a part be left that makes it known.
func TestOverlappingSecrets(t *testing.T) {
	t.Parallel()
	r := newRedactor(&Config{ClientSecret: "abcdefgh", OAuth1: &OAuth1{
		ConsumerKey: "efghijkl", ConsumerSecret: "cdef", TokenKey: "abcdefgh-and-more", TokenSecret: "\x00\x00\x00\x00",
	}})
	for in, want := range map[string]string{
		"abcdefghijkl.":         "(redacted).",
		"xabcdefx":              "xab(redacted)x",
		"abcdefgh-and-more.":    "(redacted).",
		"abcdefgh-and-less":     "(redacted)-and-less",
		"nothing of it":         "nothing of it",
		"abcdefgh and efghijkl": "(redacted) and (redacted)",
	} {
		if got := r.text(in); got != want {
			t.Errorf("text(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestCutSecrets: a long text is searched in part, and must not end with half a
// secret, even if all before it was removed.
func TestCutSecrets(t *testing.T) {
	t.Parallel()
	r := newRedactor(&Config{ClientSecret: testSecret})
	for before := maxSearchedBytes - len(testSecret) - 3; before < maxSearchedBytes+3; before++ {
		long := numbers(before)
		r.add(long)
		for _, spelled := range []string{testSecret, "s3cr%33%74%2Dclient-secret", "s3cr3&#000000116;-client-secret"} {
			if got := r.text(long + " " + spelled + " and more"); strings.Contains(got, testSecret[:minSecretBytes]) {
				t.Errorf("after %d bytes: %q", before, got)
			}
		}
	}
	for _, length := range []int{maxSearchedBytes - 1, maxSearchedBytes, maxSearchedBytes + 1, 3 * maxSearchedBytes} {
		long := numbers(length/2) + "é€" + numbers(length/2)
		r.add(long)
		for _, patterns := range r.known() {
			for _, p := range patterns {
				if len(p.characters) > 2*maxSearchedBytes {
					t.Errorf("a secret of %d bytes has a pattern of %d characters", len(long), len(p.characters))
				}
			}
		}
		for _, text := range []string{long, base64.StdEncoding.EncodeToString([]byte(long))} {
			if got := r.text("x " + text + " x"); got != "x "+redacted && got != "x "+redacted+" x" {
				t.Errorf("of %d bytes is left: %q", len(text), got)
			}
		}
	}
}

// numbers is a text of n bytes that does not repeat itself.
func numbers(n int) string {
	var b strings.Builder
	for i := 1000; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%d.", i)
	}
	return b.String()[:n]
}

// TestAccessTokens: the newest are removed, and however many came before them,
// knowing them costs no more.
func TestAccessTokens(t *testing.T) {
	t.Parallel()
	r := newRedactor(&Config{ClientSecret: testSecret})
	token := func(i int) string { return fmt.Sprintf("access-token-%d/%s", i, numbers(100)) }
	const last = 5000
	for i := range last + 1 {
		r.add(token(i))
	}
	patterns := 0
	for _, known := range r.known() {
		patterns += len(known)
	}
	if most := len(patternsOf(testSecret)) * (1 + maxTokens); patterns > most {
		t.Errorf("%d patterns are known, want at most %d", patterns, most)
	}
	for i := last - maxTokens + 1; i <= last; i++ {
		if got := r.text("token " + token(i)); got != "token (redacted)" {
			t.Errorf("token %d is shown: %q", i, got)
		}
	}
	// An old one opens nothing, and where a header is quoted it is removed too.
	if got := r.text("Authorization: Bearer " + token(0)); got != "Authorization: Bearer (redacted)" {
		t.Errorf("an old token is shown: %q", got)
	}
	wantRedacted(t, r, testSecret, "", "")
	r.add("") // an answer without a token makes nothing a secret
	if got := r.text("plain"); got != "plain" {
		t.Errorf("text %q", got)
	}
}

// TestProxyOfTheEnvironment: its credentials are as secret as those of the
// configuration.
func TestProxyOfTheEnvironment(t *testing.T) {
	for _, proxy := range []string{"http://user:pr0xy%20pass@proxy:3128", "user:pr0xy%20pass@proxy"} {
		t.Setenv("HTTPS_PROXY", proxy)
		r := newRedactor(&Config{ClientSecret: testSecret})
		for _, secret := range []string{"pr0xy pass", "user:pr0xy pass"} {
			wantRedacted(t, r, secret, "proxy says ", "")
		}
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
// to fail, and searches for it in errors and logs.
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
			"drop: DELETE /d/x: HTTP 500, code 1: droping (the termination request was refused without a reason)",
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
