package a2a

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// quietly starts a TLS server that does not log the handshakes which tests fail
// on purpose.
func quietly(t *testing.T, handler http.Handler, change func(*httptest.Server)) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = silent
	if change != nil {
		change(server)
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func certificatePEM(certificate *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
}

// keyPair makes a certificate that signs itself.
func keyPair(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "runner"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

func TestServerCertificate(t *testing.T) {
	t.Parallel()
	p := &pam{handler: answering(204, "")}
	server := quietly(t, p, nil)
	t.Run("unknown", func(t *testing.T) {
		t.Parallel()
		cfg := testConfig(server.URL)
		cfg.MaxRetries = 3
		err := mustNew(t, cfg).Drop(t.Context(), testID)
		wantClass(t, err, session.ErrRejected)
		if e := asError(t, err); e.Attempts != 1 || !strings.Contains(e.Message, "certificate") {
			t.Errorf("%d attempts, message %q", e.Attempts, e.Message)
		}
		var unknown x509.UnknownAuthorityError
		if !errors.As(err, &unknown) {
			t.Errorf("%v does not wrap its cause", err)
		}
	})
	t.Run("configured", func(t *testing.T) {
		t.Parallel()
		cfg := testConfig(server.URL)
		cfg.CACertPEM = certificatePEM(server.Certificate())
		if err := mustNew(t, cfg).Drop(t.Context(), testID); err != nil {
			t.Error(err)
		}
	})
	t.Run("not verified", func(t *testing.T) {
		t.Parallel()
		cfg := testConfig(server.URL)
		cfg.Insecure = true
		if err := mustNew(t, cfg).Drop(t.Context(), testID); err != nil {
			t.Error(err)
		}
	})
}

// TestSystemRootsStay: the configured certificates are added to the system's, if
// it has any.
func TestSystemRootsStay(t *testing.T) {
	t.Parallel()
	system, err := x509.SystemCertPool()
	if err != nil {
		system = x509.NewCertPool() // a system without roots
	}
	certificate, _ := keyPair(t)
	config, err := newTLSConfig(&Config{CACertPEM: certificate})
	if err != nil {
		t.Fatal(err)
	}
	system.AppendCertsFromPEM(certificate)
	if !config.RootCAs.Equal(system) {
		t.Error("the roots are not those of the system and the configured one")
	}
}

func TestOldTLS(t *testing.T) {
	t.Parallel()
	server := quietly(t, &pam{handler: answering(204, "")}, func(server *httptest.Server) {
		server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	})
	cfg := testConfig(server.URL)
	cfg.CACertPEM = certificatePEM(server.Certificate())
	wantClass(t, mustNew(t, cfg).Drop(t.Context(), testID), session.ErrRejected)
}

func TestClientCertificate(t *testing.T) {
	t.Parallel()
	certificate, key := keyPair(t)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certificate)
	p := &pam{handler: answering(204, "")}
	server := quietly(t, p, func(server *httptest.Server) {
		server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS12}
	})
	cfg := testConfig(server.URL)
	cfg.CACertPEM = certificatePEM(server.Certificate())
	err := mustNew(t, cfg).Drop(t.Context(), testID)
	if n := p.count(""); n != 0 {
		t.Fatalf("%d requests without a certificate", n)
	}
	// The alert of TLS 1.3 arrives after the request was written, and races with
	// the end of the connection, which looks like a passing failure.
	if !errors.Is(err, session.ErrRejected) && !errors.Is(err, session.ErrTransient) {
		t.Errorf("error %v", err)
	}
	cfg.ClientCertPEM, cfg.ClientKeyPEM = certificate, key
	if err := mustNew(t, cfg).Drop(t.Context(), testID); err != nil {
		t.Error(err)
	}
}

// TestPlainServerOnTLSPort: a port that does not speak TLS will not learn it.
func TestPlainServerOnTLSPort(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(&pam{handler: answering(204, "")})
	t.Cleanup(server.Close)
	cfg := testConfig(strings.Replace(server.URL, "http:", "https:", 1))
	cfg.MaxRetries = 2
	err := mustNew(t, cfg).Drop(t.Context(), testID)
	wantClass(t, err, session.ErrRejected)
	if e := asError(t, err); e.Attempts != 1 {
		t.Errorf("%d attempts", e.Attempts)
	}
}

// proxy is an HTTP proxy that makes tunnels, if the caller knows the password.
type proxy struct {
	password string
	target   string
	asked    atomic.Int32
	tunnels  atomic.Int32
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked.Add(1)
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("runner:"+p.password))
	if r.Header.Get("Proxy-Authorization") != want {
		http.Error(w, "who are you, "+r.Header.Get("Proxy-Authorization")+"?", http.StatusProxyAuthRequired)
		return
	}
	upstream, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", p.target)
	if err != nil {
		http.Error(w, "no upstream", http.StatusBadGateway)
		return
	}
	defer func() { _ = upstream.Close() }()
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = client.Close() }()
	p.tunnels.Add(1)
	if _, err := io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return
	}
	var wait sync.WaitGroup
	for _, pair := range [][2]net.Conn{{client, upstream}, {upstream, client}} {
		wait.Go(func() {
			_, _ = io.Copy(pair[0], pair[1])
			_ = pair[0].Close()
		})
	}
	wait.Wait()
}

func TestProxy(t *testing.T) {
	t.Parallel()
	const password = "pr0xy p@ss/word"
	p := &pam{handler: answering(204, "")}
	server := quietly(t, p, nil)
	start := func(t *testing.T) (*proxy, *url.URL) {
		t.Helper()
		through := &proxy{password: password, target: server.Listener.Addr().String()}
		listener := httptest.NewServer(through)
		t.Cleanup(listener.Close)
		address, err := url.Parse(listener.URL)
		if err != nil {
			t.Fatal(err)
		}
		return through, address
	}
	// A name that only the proxy knows. The certificate of httptest has it.
	const pamURL = "https://example.com"
	t.Run("tunnel", func(t *testing.T) {
		t.Parallel()
		through, address := start(t)
		address.User = url.UserPassword("runner", password)
		cfg := testConfig(pamURL)
		cfg.CACertPEM = certificatePEM(server.Certificate())
		cfg.ProxyURL = address.String()
		if err := mustNew(t, cfg).Drop(t.Context(), testID); err != nil {
			t.Error(err)
		}
		if through.tunnels.Load() == 0 {
			t.Error("the proxy was passed by")
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		t.Parallel()
		through, address := start(t)
		address.User = url.UserPassword("runner", "wr0ng-p@ss")
		cfg := testConfig(pamURL)
		cfg.ProxyURL, cfg.MaxRetries = address.String(), 3
		err := mustNew(t, cfg).Drop(t.Context(), testID)
		wantClass(t, err, session.ErrRejected)
		if through.asked.Load() != 1 {
			t.Errorf("a wrong password was sent %d times", through.asked.Load())
		}
		for _, secret := range []string{"wr0ng", base64.StdEncoding.EncodeToString([]byte("runner:wr0ng-p@ss"))} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("error %q shows the password", err)
			}
		}
		if !strings.Contains(err.Error(), "HTTP 407") {
			t.Errorf("error %q does not name the proxy's answer", err)
		}
	})
	t.Run("no proxy there", func(t *testing.T) {
		t.Parallel()
		cfg := testConfig(pamURL)
		cfg.ProxyURL = "http://runner:s3cr3t-of-proxy@" + deadAddress(t)
		err := mustNew(t, cfg).Drop(t.Context(), testID)
		wantClass(t, err, session.ErrTransient)
		if strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("error %q shows the password", err)
		}
	})
}

// TestProxyOfEnvironment is not parallel: it changes the environment.
func TestProxyOfEnvironment(t *testing.T) {
	proxyOf := func(t *testing.T) (*url.URL, error) {
		t.Helper()
		proxy, err := newProxy("")
		if err != nil {
			t.Fatal(err)
		}
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://pam.example.com/", http.NoBody)
		return proxy(request)
	}
	t.Setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
	t.Setenv("https_proxy", "")
	t.Setenv("NO_PROXY", "")
	t.Setenv("no_proxy", "")
	if u, err := proxyOf(t); err != nil || u == nil || u.Host != "proxy.example.com:3128" {
		t.Errorf("proxy %v, %v", u, err)
	}
	t.Setenv("NO_PROXY", ".example.com")
	if u, err := proxyOf(t); err != nil || u != nil {
		t.Errorf("NO_PROXY is ignored: %v, %v", u, err)
	}
}

// deadAddress is one that refuses connections.
func deadAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]http.Header{}
	note := func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			seen[r.URL.Path] = r.Header
			mu.Unlock()
			next(w, r)
		}
	}
	p := &pam{handler: note(answering(204, "")), answerToken: note(answering(200, readBody(t, "token-http200.json")))}
	c := overNetwork(t, p, func(cfg *Config) {
		cfg.UserAgent = "provider/1.0"
		cfg.Headers = map[string]string{"referer": "https://ci.example.com/job", "X-Site": "north"}
	})
	if err := c.Drop(t.Context(), testID); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{tokenPath, dropPath} {
		for name, want := range map[string]string{
			"User-Agent": "provider/1.0", "Referer": "https://ci.example.com/job", "X-Site": "north", "Accept": "application/json",
		} {
			if got := seen[path].Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	if got := seen[tokenPath].Get("Authorization"); got != "" {
		t.Errorf("the token request has an authorization: %q", got)
	}
	if got := seen[dropPath].Get("Authorization"); !strings.HasPrefix(got, "Bearer ey") {
		t.Errorf("authorization of the drop is %q", got)
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	p := &pam{handler: func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("compression was not offered")
		}
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		_, _ = io.WriteString(packed, readBody(t, "list-newest.json"))
		_ = packed.Close()
	}}
	all, err := collect(t.Context(), overNetwork(t, p, nil))
	if err != nil || len(all) != 2 {
		t.Errorf("%d sessions, %v", len(all), err)
	}
}

// TestBomb: what is bounded is the text, not the bytes on the line.
func TestBomb(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, _ = writer.Write(bytes.Repeat([]byte(" "), 64<<20))
	_ = writer.Close()
	p := &pam{handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
	}}
	c := overNetwork(t, p, nil)
	for _, o := range operations {
		err := o.run(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), "longer than") {
			t.Errorf("%s: error %v", o.name, err)
		}
	}
}

// TestRedirects: a GET goes on within the configured scheme and host, and
// nothing else goes anywhere.
func TestRedirects(t *testing.T) {
	t.Parallel()
	elsewhere := &pam{handler: answering(200, `{"code":200,"remote_sessions":[]}`)}
	other := httptest.NewServer(elsewhere)
	t.Cleanup(other.Close)
	for _, tc := range []struct {
		name     string
		location string
		follows  bool
		message  string
	}{
		{"same host", "/moved", true, "another path of"},
		{"other host", other.URL + "/secret?token=abc", false, "redirected to " + other.URL + ";"},
		{"other scheme", "https://127.0.0.1/x", false, "redirected to https://127.0.0.1;"},
		{"no location", "", false, "redirected to an unusable location"},
	} {
		for _, o := range operations {
			for _, status := range []int{301, 302, 303, 307, 308} {
				t.Run(tc.name+"/"+o.name+"/"+http.StatusText(status), func(t *testing.T) {
					t.Parallel()
					p := &pam{}
					p.handler = func(w http.ResponseWriter, r *http.Request) {
						if r.URL.Path == "/moved" {
							if r.Header.Get("Authorization") != "Bearer "+testToken {
								t.Error("the token did not follow within the host")
							}
							answering(200, readBody(t, o.success))(w, r)
							return
						}
						if tc.location != "" {
							w.Header().Set("Location", tc.location)
						}
						w.WriteHeader(status)
					}
					err := o.run(t.Context(), overNetwork(t, p, func(cfg *Config) { cfg.MaxRetries = 2 }))
					if tc.follows && o.op != OpDrop {
						if err != nil {
							t.Error(err)
						}
						p.wantRequests(t, "POST "+tokenPath, o.request, "GET /moved")
						return
					}
					wantClass(t, err, session.ErrRejected)
					e := asError(t, err)
					if e.Status != status || !strings.Contains(e.Message, tc.message) || strings.Contains(e.Message, "secret") {
						t.Errorf("status %d, message %q", e.Status, e.Message)
					}
					p.wantRequests(t, "POST "+tokenPath, o.request)
				})
			}
		}
	}
	t.Run("token", func(t *testing.T) {
		t.Parallel()
		p := &pam{answerToken: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere/oauth2/token")
			w.WriteHeader(http.StatusPermanentRedirect)
		}}
		wantClass(t, overNetwork(t, p, nil).Drop(t.Context(), testID), session.ErrRejected)
		p.wantRequests(t, "POST "+tokenPath)
	})
	t.Run("for ever", func(t *testing.T) {
		t.Parallel()
		p := &pam{handler: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }}
		_, err := overNetwork(t, p, nil).Session(t.Context(), testRecord)
		wantClass(t, err, session.ErrRejected)
		if n := p.count("GET "); n != maxRedirects+1 {
			t.Errorf("%d requests, want %d", n, maxRedirects+1)
		}
	})
	t.Cleanup(func() {
		if n := elsewhere.count(""); n != 0 {
			t.Errorf("%d requests went to the other host", n)
		}
	})
}

// lineServer speaks HTTP/1.1 by hand, so that it can cut the line anywhere. It
// counts the drops that it has read.
type lineServer struct {
	drops    atomic.Int32
	requests atomic.Int32
	// answer gets each request after the token's, by its number on its
	// connection from 0, and reports whether the connection stays.
	answer func(conn net.Conn, number int) bool
}

func (s *lineServer) start(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		wait.Wait()
	})
	wait.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wait.Go(func() { s.serve(conn) })
		}
	})
	return "http://" + listener.Addr().String()
}

func (s *lineServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	// No test takes so long; a fault must not hang the package.
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	reader := bufio.NewReader(conn)
	for number := 0; ; number++ {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		if request.Method == http.MethodPost {
			const token = `{"access_token":"abcdefgh","expires_in":3600}`
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 45\r\nConnection: close\r\n\r\n"+token)
			return
		}
		s.requests.Add(1)
		if request.Method == http.MethodDelete {
			s.drops.Add(1)
		}
		if !s.answer(conn, number) {
			return
		}
	}
}

func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

// TestCutLine cuts the line of a real connection at every stage. A drop is read
// by the server once and no more, also on a connection that was used before,
// where net/http repeats what it takes for harmless.
func TestCutLine(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 204 No Content\r\n\r\n"
	for _, tc := range []struct {
		name   string
		answer func(net.Conn, int) bool
	}{
		{"before the answer", func(net.Conn, int) bool { return false }},
		{"with a reset", func(conn net.Conn, _ int) bool { reset(conn); return false }},
		{"in the headers", func(conn net.Conn, _ int) bool {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Le")
			return false
		}},
		{"in the body", func(conn net.Conn, _ int) bool {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"code\":200,\"remote_sessions\":[")
			return false
		}},
		{"no HTTP", func(conn net.Conn, _ int) bool {
			_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.9\r\n")
			return false
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for _, o := range operations {
				server := &lineServer{answer: tc.answer}
				cfg := testConfig(server.start(t))
				want := session.ErrTransient
				if o.op == OpDrop {
					cfg.MaxRetries, want = 3, session.ErrUnknownOutcome
				}
				wantClass(t, o.run(t.Context(), mustNew(t, cfg)), want)
				if got := server.requests.Load(); got != 1 {
					t.Errorf("%s: %d requests, want 1", o.name, got)
				}
			}
		})
		t.Run(tc.name+" of a used connection", func(t *testing.T) {
			t.Parallel()
			server := &lineServer{answer: func(conn net.Conn, number int) bool {
				if number == 0 {
					_, err := io.WriteString(conn, ok)
					return err == nil
				}
				return tc.answer(conn, number)
			}}
			cfg := testConfig(server.start(t))
			cfg.MaxRetries = 3
			c := mustNew(t, cfg)
			if err := c.Drop(t.Context(), testID); err != nil {
				t.Fatal(err)
			}
			wantClass(t, c.Drop(t.Context(), testID), session.ErrUnknownOutcome)
			if got := server.drops.Load(); got != 2 {
				t.Errorf("%d drops reached the server, want 2", got)
			}
		})
	}
}

// TestClosedWhileIdle: a connection that the server has closed in the meantime
// is no failure.
func TestClosedWhileIdle(t *testing.T) {
	t.Parallel()
	server := &lineServer{answer: func(conn net.Conn, _ int) bool {
		_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
		return false
	}}
	c := mustNew(t, testConfig(server.start(t)))
	for range 5 {
		if err := c.Drop(t.Context(), testID); err != nil {
			t.Error(err)
		}
	}
}

func TestRefusedConnection(t *testing.T) {
	t.Parallel()
	for _, o := range operations {
		cfg := testConfig("http://" + deadAddress(t))
		err := o.run(t.Context(), mustNew(t, cfg))
		wantClass(t, err, session.ErrTransient)
		var network *net.OpError
		if !errors.As(err, &network) {
			t.Errorf("%v does not wrap its cause", err)
		}
	}
}

// TestDropSpeaksHTTP1 and everything else what the server offers.
func TestDropSpeaksHTTP1(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	protocols := map[string]string{}
	p := &pam{}
	p.handler = func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		protocols[r.Method] = r.Proto
		mu.Unlock()
		if r.Method == http.MethodGet {
			answering(200, `{"code":200,"remote_sessions":[]}`)(w, r)
		}
	}
	server := quietly(t, p, func(server *httptest.Server) { server.EnableHTTP2 = true })
	cfg := testConfig(server.URL)
	cfg.CACertPEM = certificatePEM(server.Certificate())
	c := mustNew(t, cfg)
	if err := c.Drop(t.Context(), testID); err != nil {
		t.Fatal(err)
	}
	if _, err := collect(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if protocols[http.MethodDelete] != "HTTP/1.1" || protocols[http.MethodGet] != "HTTP/2.0" {
		t.Errorf("protocols %v", protocols)
	}
}

// TestCanceledOnTheLine cancels a drop that a real server has read.
func TestCanceledOnTheLine(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := &pam{handler: func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}}
	err := overNetwork(t, p, func(cfg *Config) { cfg.MaxRetries = 3 }).Drop(ctx, testID)
	wantClass(t, err, session.ErrUnknownOutcome)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v is not that of the context", err)
	}
	if n := p.count("DELETE"); n != 1 {
		t.Errorf("%d drops", n)
	}
}

// TestDial: a connection of the caller's takes the place of TCP.
func TestDial(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(&pam{handler: answering(204, "")})
	t.Cleanup(server.Close)
	cfg := testConfig("http://localhost:1")
	cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != "localhost:1" {
			t.Errorf("asked to dial %q", address)
		}
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}
	if err := mustNew(t, cfg).Drop(t.Context(), testID); err != nil {
		t.Error(err)
	}
}

// TestCanceledInTheBody: the headers of an answer are not the answer.
func TestCanceledInTheBody(t *testing.T) {
	t.Parallel()
	for _, o := range operations {
		ctx, cancel := context.WithCancel(t.Context())
		whole := &memory{handler: &pam{handler: answering(200, `{"code":200,`)}}
		c := onConnection(t, roundTripperFunc(func(r *http.Request) (*http.Response, error) {
			resp, err := whole.RoundTrip(r)
			if err == nil && r.Method != http.MethodPost {
				resp.Body = io.NopCloser(io.MultiReader(resp.Body, canceling{cancel}))
			}
			return resp, err
		}), nil)
		var want error
		if o.op == OpDrop {
			want = session.ErrUnknownOutcome
		}
		err := o.run(ctx, c)
		wantClass(t, err, want)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v is not that of the context", o.name, err)
		}
	}
}

// canceling is the place in a body at which the caller's context ends.
type canceling struct{ cancel context.CancelFunc }

func (c canceling) Read([]byte) (int, error) {
	c.cancel()
	return 0, context.Canceled
}
