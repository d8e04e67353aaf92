package simulator_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// Paths of the newest release.
const (
	tokenPath = "/iso/oauth2/token"
	listPath  = "/api/session/remotesessions"
	dropPath  = "/api/pam/session/drop/"
)

// caller is a plain HTTP client of one simulator, with a token of it. It opens a
// connection for every request: on a used one net/http repeats what was cut.
type caller struct {
	sim   *simulator.Simulator
	http  *http.Client
	url   string
	token string
}

// serve starts a simulator on a real socket.
func serve(t *testing.T, c simulator.Config) *caller {
	t.Helper()
	sim := simulator.New(c)
	server := httptest.NewServer(sim)
	t.Cleanup(func() {
		sim.Close()
		server.Close()
	})
	transport := &http.Transport{DisableKeepAlives: true}
	return &caller{
		sim: sim,
		http: &http.Client{
			Transport:     transport,
			Timeout:       time.Minute,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		url: server.URL,
	}
}

// login serves and fetches a token.
func login(t *testing.T, c simulator.Config) *caller {
	t.Helper()
	k := serve(t, c)
	got := k.post(t, tokenPath, credentials())
	if got.status != http.StatusOK {
		t.Fatalf("token: %d %s", got.status, got.body)
	}
	k.token = got.text(t, "access_token")
	k.sim.ResetJournal()
	return k
}

func credentials() url.Values {
	return url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {simulator.DefaultClientID},
		"client_secret": {simulator.DefaultClientSecret},
	}
}

// reply is a whole answer, or what there was of one.
type reply struct {
	status int
	header http.Header
	body   []byte
	err    error
}

func (k *caller) request(t *testing.T, method, path string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, k.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if k.token != "" {
		r.Header.Set("Authorization", "Bearer "+k.token)
	}
	return r
}

func (k *caller) send(r *http.Request) reply {
	response, err := k.http.Do(r)
	if err != nil {
		return reply{err: err}
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return reply{status: response.StatusCode, header: response.Header, body: body, err: err}
}

func (k *caller) do(t *testing.T, method, path string) reply {
	t.Helper()
	return k.send(k.request(t, method, path, nil))
}

func (k *caller) list(t *testing.T) reply {
	t.Helper()
	return k.do(t, http.MethodGet, listPath)
}

// getFirst asks for the row that is added first.
func (k *caller) getFirst(t *testing.T) reply {
	t.Helper()
	return k.do(t, http.MethodGet, listPath+"/1")
}

func (k *caller) drop(t *testing.T, sessionID string) reply {
	t.Helper()
	return k.do(t, http.MethodDelete, dropPath+url.PathEscape(sessionID))
}

func (k *caller) post(t *testing.T, path string, form url.Values) reply {
	t.Helper()
	r := k.request(t, http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return k.send(r)
}

// value decodes the body with numbers as they were written.
func (r reply) value(t *testing.T) any {
	t.Helper()
	if r.err != nil {
		t.Fatal(r.err)
	}
	return decode(t, r.body)
}

func decode(t *testing.T, body []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if decoder.More() {
		t.Fatalf("something follows the value in %s", body)
	}
	return v
}

func (r reply) object(t *testing.T) map[string]any {
	t.Helper()
	object, ok := r.value(t).(map[string]any)
	if !ok {
		t.Fatalf("not an object: %s", r.body)
	}
	return object
}

func (r reply) text(t *testing.T, key string) string {
	t.Helper()
	text, ok := r.object(t)[key].(string)
	if !ok {
		t.Fatalf("no text at %q in %s", key, r.body)
	}
	return text
}

// rows returns the sessions of a flat list or of get one.
func (r reply) rows(t *testing.T, key string) []map[string]any {
	t.Helper()
	if r.status != http.StatusOK {
		t.Fatalf("status %d: %s", r.status, r.body)
	}
	values, ok := r.object(t)[key].([]any)
	if !ok {
		t.Fatalf("no array at %q in %s", key, r.body)
	}
	rows := make([]map[string]any, 0, len(values))
	for _, value := range values {
		row, ok := value.(map[string]any)
		if !ok {
			t.Fatalf("a row is no object in %s", r.body)
		}
		rows = append(rows, row)
	}
	return rows
}

func wantStatus(t *testing.T, got reply, status int) {
	t.Helper()
	if got.err != nil {
		t.Fatalf("want status %d, got error %v", status, got.err)
	}
	if got.status != status {
		t.Fatalf("want status %d, got %d: %s", status, got.status, got.body)
	}
}

func wantState(t *testing.T, sim *simulator.Simulator, sessionID string, want simulator.State) {
	t.Helper()
	v, ok := sim.Session(sessionID)
	if !ok {
		t.Fatalf("no session %q", sessionID)
	}
	if v.State != want {
		t.Errorf("session %q is %s, want %s", sessionID, v.State, want)
	}
}

// clock is a time that a test moves.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{now: time.Date(2024, 5, 6, 16, 11, 17, 0, time.UTC)} }

func (c *clock) read() time.Time         { return c.now }
func (c *clock) advance(d time.Duration) { c.now = c.now.Add(d) }

// last returns the newest request of the journal.
func last(t *testing.T, sim *simulator.Simulator) simulator.Request {
	t.Helper()
	journal := sim.Journal()
	if len(journal) == 0 {
		t.Fatal("the journal is empty")
	}
	return journal[len(journal)-1]
}

// numberText returns a decoded number as it was written.
func numberText(v any) string {
	if number, ok := v.(json.Number); ok {
		return number.String()
	}
	return "no number"
}
