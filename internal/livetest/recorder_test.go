package livetest

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// appliance is a real server to check, and how to reach it. Its names are those
// of the provider's environment variables.
type appliance struct {
	url, clientID, clientSecret, tenant string
	transport                           *http.Transport
}

// recorder stands between the provider and an appliance and notes the routes,
// codes and shapes of what passes, and none of its values.
type recorder struct {
	server *httptest.Server
	base   *url.URL
	// watchers are still reading what has passed.
	watchers sync.WaitGroup

	mu     sync.Mutex
	counts map[string]int
	shapes map[string]map[string]bool
}

func record(t *testing.T, a appliance) *recorder {
	t.Helper()
	target, err := url.Parse(a.url)
	if err != nil {
		t.Fatal("SENHASEGURA_URL is not a URL") // the error would quote it
	}
	r := &recorder{base: target, counts: map[string]int{}, shapes: map[string]map[string]bool{}}
	proxy := &httputil.ReverseProxy{
		Transport: a.transport,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host, p.Out.Host = target.Scheme, target.Host, target.Host
			// Left to the transport, compression is undone before observe reads.
			p.Out.Header.Del("Accept-Encoding")
		},
		ModifyResponse: r.observe,
		ErrorLog:       log.New(io.Discard, "", 0), // it would name the host
	}
	r.server = httptest.NewServer(proxy)
	t.Cleanup(r.server.Close)
	return r
}

// url is where the provider finds senhasegura: the same path at another host.
func (r *recorder) url() string { return r.server.URL + strings.TrimSuffix(r.base.Path, "/") }

// observe reads an answer while it passes.
func (r *recorder) observe(resp *http.Response) error {
	method, route := resp.Request.Method, r.route(resp.Request.URL)
	heading := fmt.Sprintf("%s %s: HTTP %d", method, route, resp.StatusCode)
	if kind := resp.Header.Get("Content-Type"); kind != "" {
		mediaType, _, _ := strings.Cut(kind, ";")
		heading += ", " + mediaType
	}
	r.mu.Lock()
	r.counts[heading]++
	r.mu.Unlock()

	passing, watched := io.Pipe()
	resp.Body = &tee{body: resp.Body, copy: watched}
	r.watchers.Go(func() {
		shape := shapeOf(passing)
		_, _ = io.Copy(io.Discard, passing) // what is left of it does not matter
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.shapes[heading] == nil {
			r.shapes[heading] = map[string]bool{}
		}
		maps.Copy(r.shapes[heading], shape)
	})
	return nil
}

// tee passes a body on and copies it. A watcher that fails does not disturb it.
type tee struct {
	body io.ReadCloser
	copy *io.PipeWriter
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.body.Read(p)
	_, _ = t.copy.Write(p[:n])
	if err != nil {
		_ = t.copy.CloseWithError(err) // never fails
	}
	return n, err
}

func (t *tee) Close() error {
	_ = t.copy.Close() // never fails
	return t.body.Close()
}

// identifier is the last element of a route that names a session.
var identifier = regexp.MustCompile(`(/remotesessions|/drop)/.+$`)

// route is a path without the base path and without identifiers.
func (r *recorder) route(u *url.URL) string {
	path := strings.TrimPrefix(u.EscapedPath(), strings.TrimSuffix(r.base.EscapedPath(), "/"))
	return identifier.ReplaceAllString(path, "$1/{id}")
}

// report is what a person can paste: no value but numbers that are codes. It ends
// the recording.
func (r *recorder) report() string {
	r.server.Close()
	r.watchers.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, heading := range slices.Sorted(maps.Keys(r.counts)) {
		fmt.Fprintf(&b, "%s (%d times)\n", heading, r.counts[heading])
		for _, line := range slices.Sorted(maps.Keys(r.shapes[heading])) {
			b.WriteString("    " + line + "\n")
		}
	}
	return b.String()
}

// asked counts the requests whose heading begins so.
func (r *recorder) asked(beginning string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for heading, count := range r.counts {
		if strings.HasPrefix(heading, beginning) {
			n += count
		}
	}
	return n
}

// shapeOf gives one line for each place in a JSON text and kind of value there.
// It reads as the text arrives: a list can be larger than memory.
func shapeOf(body io.Reader) map[string]bool {
	shape := map[string]bool{}
	decoder := json.NewDecoder(body)
	decoder.UseNumber()
	err := shapeValue(decoder, "", shape)
	switch {
	case errors.Is(err, io.EOF) && decoder.InputOffset() == 0:
		shape["(empty)"] = true
	case err != nil:
		shape["(not JSON, or not to its end)"] = true
	}
	return shape
}

func shapeValue(decoder *json.Decoder, at string, shape map[string]bool) error {
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		return shapeMembers(decoder, at, shape)
	case json.Delim('['):
		empty := true
		for decoder.More() {
			empty = false
			if err := shapeValue(decoder, at+"[]", shape); err != nil {
				return err
			}
		}
		if empty {
			shape[at+"[]: none"] = true
		}
		_, err = decoder.Token()
		return err
	}
	shape[cmp.Or(at, "(all)")+": "+kindOf(at, token)] = true
	return nil
}

func shapeMembers(decoder *json.Decoder, at string, shape map[string]bool) error {
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		if !memberName.MatchString(name) {
			name = "(a key of another form)"
		}
		if at != "" {
			name = at + "." + name
		}
		if err := shapeValue(decoder, name, shape); err != nil {
			return err
		}
	}
	_, err := decoder.Token()
	return err
}

var (
	// memberName is the form of a key of the API; anything else may be data.
	memberName = regexp.MustCompile(`^[A-Za-z][A-Za-z_]{0,30}$`)
	// codes are the members whose numbers say what happened, and nothing of users.
	codes = regexp.MustCompile(`(^|[.\]])(code|status|error_code|cod_erro|expires_in)$`)
	// forms of texts may be reported without the text itself.
	forms = []struct {
		name string
		form *regexp.Regexp
	}{
		{"empty text", regexp.MustCompile(`^$`)},
		{"text: zero timestamp", regexp.MustCompile(`^0000-00-00`)},
		{"text: 2006-01-02 15:04:05", regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$`)},
		{"text: 2006-01-02T15:04:05 and more", regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d`)},
		{"text: 15:04:05", regexp.MustCompile(`^\d+:\d\d:\d\d$`)},
		{"text: UUID", regexp.MustCompile(`^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$`)},
		{"text: digits", regexp.MustCompile(`^\d+$`)},
		{"text: 40 hex digits", regexp.MustCompile(`^[0-9A-Fa-f]{40}$`)},
		{"text: hex digits", regexp.MustCompile(`^[0-9A-Fa-f]{16,}$`)},
	}
)

func kindOf(at string, value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(value)
	case json.Number:
		if codes.MatchString(at) {
			return value.String()
		}
		return "number"
	case string:
		for _, form := range forms {
			if form.form.MatchString(value) {
				return form.name
			}
		}
		return "text"
	}
	return "unknown"
}

// applianceOfEnvironment reaches senhasegura as the provider would.
func applianceOfEnvironment(t *testing.T) appliance {
	t.Helper()
	a := appliance{
		url:          os.Getenv("SENHASEGURA_URL"),
		clientID:     os.Getenv("SENHASEGURA_CLIENT_ID"),
		clientSecret: os.Getenv("SENHASEGURA_CLIENT_SECRET"),
		tenant:       os.Getenv("SENHASEGURA_TENANT"),
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: os.Getenv("SENHASEGURA_INSECURE") == "true"}
	authority := []byte(os.Getenv("SENHASEGURA_CA_CERT_PEM"))
	if file := os.Getenv("SENHASEGURA_CA_CERT_FILE"); file != "" {
		var err error
		if authority, err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	if len(authority) > 0 {
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM(authority)
	}
	if pem := os.Getenv("SENHASEGURA_CLIENT_CERT_PEM"); pem != "" {
		pair, err := tls.X509KeyPair([]byte(pem), []byte(os.Getenv("SENHASEGURA_CLIENT_KEY_PEM")))
		if err != nil {
			t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	proxy := http.ProxyFromEnvironment
	if text := os.Getenv("SENHASEGURA_PROXY_URL"); text != "" {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal("SENHASEGURA_PROXY_URL is not a URL") // the error would quote it
		}
		proxy = http.ProxyURL(u)
	}
	a.transport = &http.Transport{TLSClientConfig: config, Proxy: proxy}
	return a
}
