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
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
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
		wantBlame(t, err, ErrUntrustedCertificate)
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
	// the end of the connection, which looks like a transient failure.
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
		c := mustNew(t, cfg)
		err := c.Drop(t.Context(), testID)
		wantClass(t, err, session.ErrRejected)
		wantBlame(t, err, ErrProxyCredentials)
		for range 10 {
			wantBlame(t, c.Drop(t.Context(), testID), ErrProxyCredentials)
		}
		if n := through.asked.Load(); n != 1 {
			t.Errorf("a wrong password was sent %d times", n)
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
		wantBlame(t, err, ErrProxy)
		if strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("error %q shows the password", err)
		}
	})
}

// TestWrongSOCKSPassword: it is sent once in the life of a Client.
func TestWrongSOCKSPassword(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	var serving sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			// RFC 1928: version 5, user name and password; RFC 1929: denied.
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			_, _ = io.ReadFull(conn, make([]byte, 4))
			_, _ = conn.Write([]byte{5, 2})
			_, _ = io.ReadFull(conn, make([]byte, 2))
			_, _ = conn.Write([]byte{1, 1})
			_ = conn.Close()
		}
	})
	cfg := testConfig("https://pam.example.com")
	cfg.ProxyURL, cfg.MaxRetries = "socks5://runner:wr0ng-p@"+listener.Addr().String(), 3
	c := mustNew(t, cfg)
	for range 3 {
		err := c.Drop(t.Context(), testID)
		wantClass(t, err, session.ErrRejected)
		wantBlame(t, err, ErrProxyCredentials)
		if strings.Contains(err.Error(), "wr0ng") {
			t.Errorf("error %q shows the password", err)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("a wrong password was sent %d times", n)
	}
}

// TestLoopbackTakesNoProxy: plain http through a proxy would show it the secret.
func TestLoopbackTakesNoProxy(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(proxy.Close)
	err := overNetwork(t, &pam{handler: answering(204, "")}, func(cfg *Config) { cfg.ProxyURL = proxy.URL }).Drop(t.Context(), testID)
	if err != nil || asked.Load() != 0 {
		t.Errorf("%d requests reached the proxy, error %v", asked.Load(), err)
	}
}

// wantBlame fails unless err blames want, of all errors of this package, and no
// other; nil blames none.
func wantBlame(t *testing.T, err, want error) {
	t.Helper()
	for _, fault := range []error{
		ErrUntrustedCertificate, ErrClientCertificate, ErrNoTLS, ErrTLS, ErrProxyCredentials, ErrProxy, ErrUnknownHost, ErrUnreachable,
		ErrRenegotiation, ErrGatewayPage, ErrSignature, ErrTooManyRequests, ErrCache, ErrServerFault,
	} {
		if errors.Is(err, fault) != (fault == want) { //nolint:errorlint // sentinels
			t.Errorf("errors.Is(%v, %q) = %v", err, fault, errors.Is(err, fault))
		}
	}
}

// TestFaults: whose fault a failure is, what it means, and how often a read was
// tried.
func TestFaults(t *testing.T) {
	t.Parallel()
	op := func(op string, err error) error { return &net.OpError{Op: op, Net: "tcp", Err: err} }
	for _, tc := range []struct {
		name     string
		err      error
		fault    error
		class    error
		attempts int
	}{
		{"name", op("dial", &net.DNSError{Name: "pam.example.com", IsNotFound: true}), ErrUnknownHost, session.ErrRejected, 1},
		{"name server that fails", op("dial", &net.DNSError{Name: "pam.example.com", IsTemporary: true}), ErrUnknownHost, session.ErrTransient, 3},
		{"refused", op("dial", syscall.ECONNREFUSED), ErrUnreachable, session.ErrTransient, 3},
		{"no route to host", op("dial", syscall.EHOSTUNREACH), ErrUnreachable, session.ErrTransient, 3},
		{"tunnel forbidden", &proxyError{status: 403}, ErrProxy, session.ErrRejected, 1},
		{"tunnel without credentials", &proxyError{status: 407}, ErrProxyCredentials, session.ErrRejected, 1},
		{"tunnel with a fault of the proxy", &proxyError{status: 500}, ErrProxy, session.ErrTransient, 3},
		{"tunnel that fails", &proxyError{status: 502}, ErrProxy, session.ErrTransient, 3},
		{"proxy refused", op("proxyconnect", op("dial", syscall.ECONNREFUSED)), ErrProxy, session.ErrTransient, 3},
		{"name of the proxy", op("proxyconnect", op("dial", &net.DNSError{IsNotFound: true})), ErrProxy, session.ErrRejected, 1},
		{"SOCKS host unreachable", op("socks connect", errors.New("unknown error host unreachable")), ErrProxy, session.ErrTransient, 3},
		{"certificate", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, ErrUntrustedCertificate, session.ErrRejected, 1},
		{"client certificate", op("remote error", errors.New("tls: certificate required")), ErrClientCertificate, session.ErrRejected, 1},
		{"handshake", op("remote error", errors.New("tls: handshake failure")), ErrTLS, session.ErrRejected, 1},
		{"no TLS", tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, ErrNoTLS, session.ErrRejected, 1},
		{"renegotiation", op("local error", errors.New("tls: no renegotiation")), ErrRenegotiation, session.ErrRejected, 1},
		{"bad record", op("local error", errors.New("tls: bad record MAC")), ErrUnreachable, session.ErrTransient, 3},
		{"reset before there is a connection", op("read", syscall.ECONNRESET), ErrUnreachable, session.ErrTransient, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := onConnection(t, &memory{dial: func() error { return tc.err }}, func(cfg *Config) { cfg.MaxRetries = 2 })
				_, err := c.Session(t.Context(), testRecord)
				wantClass(t, err, tc.class)
				wantBlame(t, err, tc.fault)
				if e := asError(t, err); e.Attempts != tc.attempts || e.Host != "https://pam.example.com" {
					t.Errorf("%d attempts, want %d; host %q", e.Attempts, tc.attempts, e.Host)
				}
			})
		})
	}
}

// TestFaultsOfAnswers: the ones that the answer itself tells.
func TestFaultsOfAnswers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		status int
		body   string
		fault  error
	}{
		{"signature", 401, `{"message":"Invalid signature"}`, ErrSignature},
		{"signature under 500", 500, `{"message":"Invalid signature"}`, ErrSignature},
		{"token", 401, `{"error":"access_denied"}`, nil},
		{"too many", 429, "", ErrTooManyRequests},
		{"server fault", 500, `{"code":500,"response":{"status":500,"error":true,"message":"Unexpected error."}}`, ErrServerFault},
		{"bad gateway", 502, htmlPage, nil},
		{"page under 400", 400, htmlPage, ErrGatewayPage},
		{"page under 403", 403, htmlPage, ErrGatewayPage},
		{"page under 404", 404, htmlPage, nil},
		{"permission", 403, `{"code":403,"error":true}`, nil},
		{"permission beside an unexpected error", 500, `{"response":{"status":500,"error":true,"message":"You are not authorized to access this resource"},"exception":{"code":500}}`, nil},
	} {
		for _, o := range operations {
			err := o.run(t.Context(), inMemory(t, &pam{handler: answering(tc.status, tc.body)}, nil))
			wantBlame(t, fmt.Errorf("%s: %w", tc.name, err), tc.fault)
		}
	}
	p := &pam{answerToken: answering(400, htmlPage), handler: answering(204, "")}
	wantBlame(t, inMemory(t, p, nil).Drop(t.Context(), testID), ErrGatewayPage)
}

// TestSilentPort: a connection that does not come about in the time of an attempt
// is no slow answer.
func TestSilentPort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig("https://pam.example.com")
		cfg.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		err := mustNew(t, cfg).Drop(t.Context(), testID)
		wantClass(t, err, session.ErrTransient)
		wantBlame(t, err, ErrUnreachable)
	})
}

// TestIdleConnections are given up before a server with a short keep-alive closes
// them under a request: that drop would be lost.
func TestIdleConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var dials int
		served := make(chan net.Conn)
		server := &http.Server{Handler: &pam{handler: answering(204, "")}, ReadHeaderTimeout: time.Hour}
		listener := &pipes{arriving: served, closed: make(chan struct{})}
		done := make(chan error, 1)
		go func() { done <- server.Serve(listener) }()
		cfg := testConfig("http://localhost")
		cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
			dials++
			near, far := net.Pipe()
			served <- far
			return near, nil
		}
		c := mustNew(t, cfg)
		drop := func() {
			t.Helper()
			if err := c.Drop(t.Context(), testID); err != nil {
				t.Error(err)
			}
		}
		drop()
		<-time.After(400 * time.Millisecond)
		drop()
		if dials != 1 {
			t.Errorf("%d connections for drops in quick succession, want 1", dials)
		}
		<-time.After(900 * time.Millisecond)
		drop()
		if dials != 2 {
			t.Errorf("%d connections, want a new one where a server could be closing the other", dials)
		}
		c.CloseIdleConnections()
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// pipes is a listener of connections in memory.
type pipes struct {
	arriving chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.arriving:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestResumedSessions: a server that closes after each answer costs a TCP
// connection, and no full TLS handshake.
func TestResumedSessions(t *testing.T) {
	t.Parallel()
	var full, resumed atomic.Int32
	p := &pam{}
	p.handler = func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.DidResume {
			resumed.Add(1)
		} else {
			full.Add(1)
		}
		w.WriteHeader(http.StatusNoContent)
	}
	server := quietly(t, p, func(server *httptest.Server) { server.Config.SetKeepAlivesEnabled(false) })
	cfg := testConfig(server.URL)
	cfg.CACertPEM = certificatePEM(server.Certificate())
	c := mustNew(t, cfg)
	for range 5 {
		if err := c.Drop(t.Context(), testID); err != nil {
			t.Fatal(err)
		}
	}
	if resumed.Load() == 0 {
		t.Errorf("%d full handshakes and none resumed", full.Load())
	}
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
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 45\r\nConnection: close\r\n\r\n"+token)
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
		{"before the response", func(net.Conn, int) bool { return false }},
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

// TestHTTP1: everything speaks HTTP/1.1, also to a server that offers more.
func TestHTTP1(t *testing.T) {
	t.Parallel()
	p := &pam{}
	p.handler = func(w http.ResponseWriter, r *http.Request) {
		if r.Proto != "HTTP/1.1" {
			t.Errorf("%s over %s", r.Method, r.Proto)
		}
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

type roundTripperFunc func(*http.Request) (*http.Response, error)

func (f roundTripperFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// canceling is the place in a body at which the caller's context ends.
type canceling struct{ cancel context.CancelFunc }

func (c canceling) Read([]byte) (int, error) {
	c.cancel()
	return 0, context.Canceled
}
