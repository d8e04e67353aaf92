package a2a

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/contract"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// seed adds every documented body.
func seed(f *testing.F, add func(body []byte)) {
	f.Helper()
	bodies := contract.Bodies()
	// In order, so that a seed keeps its number.
	for _, name := range slices.Sorted(maps.Keys(bodies)) {
		add([]byte(bodies[name]))
	}
}

// FuzzEnvelope: any answer to any operation has at most one meaning, and success
// needs an answer that says so.
func FuzzEnvelope(f *testing.F) {
	seed(f, func(body []byte) {
		for _, status := range []int{200, 204, 400, 401, 404, 500, 503} {
			f.Add(status, body)
		}
	})
	f.Add(200, []byte(flagged))
	f.Add(502, []byte(htmlPage))
	f.Add(200, []byte{})
	r := newRedactor(&Config{ClientSecret: testSecret})
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		a := &answer{status: status, header: http.Header{}, body: body, env: parseEnvelope(body)}
		for _, op := range []string{OpToken, OpList, OpGet, OpDrop} {
			class := classify(op, a)
			if class == nil {
				if !isSuccess(status) || a.env != nil && (a.env.failed || !isSuccess(a.effective())) {
					t.Errorf("%s: HTTP %d %q is success", op, status, body)
				}
				continue
			}
			if !slices.Contains(sentinels, class) {
				t.Errorf("%s: class %v is no sentinel", op, class)
			}
			if errors.Is(class, session.ErrNotFound) && op != OpGet || errors.Is(class, session.ErrRefused) && op != OpDrop ||
				errors.Is(class, session.ErrUnknownOutcome) && op != OpDrop {
				t.Errorf("%s: class %v belongs to another operation", op, class)
			}
			if op == OpDrop && errors.Is(class, session.ErrTransient) && status != http.StatusTooManyRequests {
				t.Errorf("HTTP %d %q lets a drop be repeated", status, body)
			}
		}
		if text := r.text(a.text("pam.example.com")); !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\x00\x1b") || len(text) > maxTextBytes+4 {
			t.Errorf("text %q", text)
		}
	})
}

// FuzzSessionRow: a session has the values that encoding/json sees, and nothing
// but a readable end ends it.
func FuzzSessionRow(f *testing.F) {
	seed(f, func(body []byte) {
		var envelope struct {
			Sessions []json.RawMessage `json:"remote_sessions"`
			Session  []json.RawMessage `json:"remote_session"`
		}
		if json.Unmarshal(body, &envelope) == nil {
			for _, row := range append(envelope.Sessions, envelope.Session...) {
				f.Add([]byte(row))
			}
		}
	})
	for _, row := range []string{rowA, rowB, `{"id":1,"user":"a\"\\\u00e9","x":[{"y":"]"}],"end":0}`, `{"id":1,"end":"2038-01-19 03:14:07"}`, "{\"id\":\"\xff\"}"} {
		f.Add([]byte(row))
	}
	f.Fuzz(func(t *testing.T, object []byte) {
		all, err := readAll(strings.NewReader(`{"remote_sessions":[` + string(object) + `]}`))
		if err != nil || len(all) != 1 {
			return
		}
		s := all[0]
		if !s.Live() && (s.UnreadableEnd != "" || s.EndedAt.Year() < firstYear || s.EndedAt.After(time.Now().Add(maxAhead))) {
			t.Errorf("%+v has ended", s)
		}
		// Strict: without repeated keys and invalid UTF-8, where there is one truth.
		if !jsontext.Value(object).IsValid() {
			return
		}
		var row map[string]any
		if err := json.Unmarshal(object, &row); err != nil || isEnvelope(row) {
			return
		}
		for key, got := range map[string]string{
			"id": s.RecordID, "session_id": s.ID, "user": s.User, "protocol": s.Protocol, "proxy": s.Proxy, "origin_ip": s.OriginIP,
		} {
			if want, ok := row[key].(string); ok && got != want {
				t.Errorf("%s is %q, want %q", key, got, want)
			}
		}
		// Package time takes one digit for an hour.
		if end, ok := row["end"].(string); ok && !s.Live() && len(end) < len("2006-01-02 5:04:05") {
			t.Errorf("%q ended a session", end)
		}
	})
}

// isEnvelope reports whether a decoded object has the key of a list.
func isEnvelope(object map[string]any) bool {
	_, plural := object["remote_sessions"]
	_, singular := object["remote_session"]
	return plural || singular
}

// FuzzList: what readList accepts is complete JSON, with as many sessions as the
// document has, and however the bytes arrive.
func FuzzList(f *testing.F) {
	seed(f, func(body []byte) { f.Add(body) })
	f.Add([]byte(`{"remote_sessions":[` + rowA + `,` + rowB + `],"error":true}`))
	f.Add([]byte(`{"remote_sessions":[{"remote_sessions":[` + rowA + `]},` + rowB + `]}`))
	f.Add([]byte(`{"remote_sessions":{"id":1}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		whole, err := readAll(bytes.NewReader(body))
		slow, slowErr := readAll(iotest.OneByteReader(bytes.NewReader(body)))
		if (err == nil) != (slowErr == nil) {
			t.Fatalf("at once %v, byte by byte %v", err, slowErr)
		}
		if diff := cmp.Diff(whole, slow); diff != "" {
			t.Errorf("at once, byte by byte:\n%s", diff)
		}
		if err != nil {
			return
		}
		var document map[string]any
		if err := json.Unmarshal(bytes.TrimPrefix(body, utf8BOM), &document); err != nil {
			t.Fatalf("accepted %q: %v", body, err)
		}
		if env := parseEnvelope(body); env == nil || !env.clean() {
			t.Errorf("accepted %q, whose envelope says that the request failed", body)
		}
		// encoding/json keeps the last of equal keys, so it may see fewer.
		if want := countSessions(document); len(whole) < want {
			t.Errorf("%d sessions, the document has %d", len(whole), want)
		}
		// The last kilobyte, so that a long body does not take for ever.
		length := len(bytes.TrimRight(body, " \t\r\n"))
		for cut := max(0, length-1024); cut < length; cut++ {
			if _, err := readAll(bytes.NewReader(body[:cut])); err == nil {
				t.Fatalf("cut after %d bytes and no error", cut)
			}
		}
	})
}

// countSessions counts them by another way: through the decoded document.
func countSessions(envelope map[string]any) int {
	n := 0
	for _, key := range []string{"remote_sessions", "remote_session"} {
		elements, ok := envelope[key].([]any)
		if !ok {
			elements = []any{envelope[key]}
		}
		for _, element := range elements {
			object, ok := element.(map[string]any)
			if !ok {
				continue
			}
			if isEnvelope(object) {
				n += countSessions(object)
			} else {
				n++
			}
		}
	}
	return n
}

// FuzzTime: the short way and package time agree.
func FuzzTime(f *testing.F) {
	for _, text := range []string{
		"2024-05-06 16:11:17", "2024-02-29 23:59:59", "0000-00-00 00:00:00", "", "null", "9999-12-31 23:59:59",
		"2024-05-06T16:11:17Z", "2024-05-06 16:11:17.5", "2024-02-30 10:00:00", "2024-05-06 1a:11:17",
	} {
		f.Add(text)
	}
	zone := time.FixedZone("", 5*60*60+30*60)
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseTime(text, zone)
		if !ok && !got.IsZero() {
			t.Errorf("unreadable %q is %v", text, got)
		}
		if quick, quickOK := parseDateTime(text, zone); quickOK {
			want, err := time.ParseInLocation(time.DateTime, text, zone)
			if err != nil || !quick.Equal(want) {
				t.Errorf("%q is %v, package time says %v, %v", text, quick, want, err)
			}
		}
		if !got.IsZero() && (got.Year() < firstYear || got.Year() > lastYear) {
			t.Errorf("%q is %v", text, got)
		}
	})
}

// FuzzRedaction: no spelling of a secret is shown, whatever is around it.
func FuzzRedaction(f *testing.F) {
	for _, secret := range []string{"s3cr3t/+&", "tab\there", `a\b"c`, "é<&>", "100%25", "two  spaces", "nul\x00\x07l"} {
		f.Add(secret, "before ", " after")
	}
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		// A secret of less than four bytes protects nothing, and one that is a part
		// of what is put in the place of secrets is shown by that.
		if len(clean(secret)) < minSecretBytes || strings.Contains(redacted, clean(secret)) || len(secret)+len(before) > 400 {
			return
		}
		wantRedacted(t, newRedactor(&Config{ClientSecret: secret}), secret, before, after)
	})
}

// FuzzRetryAfter: never negative, never more than a year unless a date says so.
func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{"", "0", "120", "-1", "99999999999999999999", "Sun, 01 Mar 2026 12:00:30 GMT", "Sunday, 01-Mar-26 12:01:00 GMT"} {
		f.Add(value)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value string) {
		wait := parseRetryAfter(value, now)
		if wait < 0 {
			t.Errorf("parseRetryAfter(%q) = %s", value, wait)
		}
		if again := backoff(0, wait); wait < 100*365*24*time.Hour && again < wait {
			t.Errorf("backoff %s is shorter than the %s asked for", again, wait)
		}
	})
}

// FuzzPath: an identifier that is let through is one segment, and the server
// reads what was meant.
func FuzzPath(f *testing.F) {
	for _, id := range []string{testID, "a/b", "a%2Fb", "..", "%2e%2e", "é", "a;b?c#d", "\\", "a b"} {
		f.Add(id)
	}
	base, err := url.Parse("https://pam.example.com/base%2Fpath/")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if err := session.ValidateID(id); err != nil {
			if !errors.Is(err, session.ErrIdentifier) {
				t.Errorf("%q: %v", id, err)
			}
			return
		}
		const prefix = "/base%2Fpath/api/pam/session/drop/"
		u := locate(base, "api/pam/session/drop", url.PathEscape(id))
		sent, ok := strings.CutPrefix(u.RequestURI(), prefix)
		if !ok || strings.Contains(sent, "/") || strings.Contains(sent, "?") {
			t.Fatalf("%q is sent as %q", id, u.RequestURI())
		}
		// The way through a server's parser and back.
		request := httptest.NewRequestWithContext(t.Context(), http.MethodDelete, u.String(), http.NoBody)
		_, last, _ := strings.Cut(request.URL.EscapedPath(), prefix)
		if got, err := url.PathUnescape(last); err != nil || got != id {
			t.Errorf("%q arrives as %q, %v", id, got, err)
		}
	})
}
