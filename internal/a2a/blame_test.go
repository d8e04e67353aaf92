package a2a

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// unsentFaults are those whose advice says that nothing was sent.
var unsentFaults = []error{ErrUntrustedCertificate, ErrNoTLS, ErrTLS, ErrProxyCredentials, ErrProxy, ErrUnknownHost, ErrUnreachable}

func wantNoUnsentFault(t *testing.T, err error) {
	t.Helper()
	for _, fault := range unsentFaults {
		if errors.Is(err, fault) {
			t.Errorf("%v is blamed on %q, which says that nothing was sent", err, fault)
		}
	}
}

// TestSlowTokenEndpointIsNotUnreachable: the request, with the secret, is there;
// only its answer is not.
func TestSlowTokenEndpointIsNotUnreachable(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"", "headers"} {
		p := &pam{answerToken: func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			if part != "" {
				w.WriteHeader(http.StatusOK)
				_ = http.NewResponseController(w).Flush()
			}
			<-r.Context().Done()
		}}
		c := overNetwork(t, p, func(cfg *Config) { cfg.RequestTimeout = 200 * time.Millisecond })
		err := c.Drop(t.Context(), testID)
		wantClass(t, err, session.ErrTransient)
		wantNoUnsentFault(t, err)
		p.wantRequests(t, "POST "+tokenPath)
	}
}

// TestServerThatAnswers407: this comes through TLS, or without a proxy at all,
// so senhasegura's side has the request and the proxy's password is not at fault.
func TestServerThatAnswers407(t *testing.T) {
	t.Parallel()
	p := &pam{handler: answering(http.StatusProxyAuthRequired, "")}
	c := overNetwork(t, p, nil)
	for _, o := range operations {
		wantNoUnsentFault(t, o.run(t.Context(), c))
	}
}

// TestAlertAfterTheRequest: an alert on a connection that has carried the request.
func TestAlertAfterTheRequest(t *testing.T) {
	t.Parallel()
	alert := &net.OpError{Op: "remote error", Err: errors.New("tls: internal error")}
	c := onConnection(t, roundTripperFunc(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPost {
			return (&memory{handler: &pam{}}).RoundTrip(r)
		}
		_, _ = (&memory{handler: answering(204, "")}).RoundTrip(r) // senhasegura has it
		return nil, alert
	}), nil)
	err := c.Drop(t.Context(), testID)
	wantClass(t, err, session.ErrUnknownOutcome)
	wantNoUnsentFault(t, err)
}

// TestGetThatWasSentBeforeTheRedial: net/http repeats a GET on a new connection,
// which is refused; the first one was read by the server.
func TestGetThatWasSentBeforeTheRedial(t *testing.T) {
	t.Parallel()
	var dials, got atomic.Int32
	cfg := testConfig("http://localhost:1")
	cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
		if dials.Add(1) > 1 {
			return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		}
		near, far := net.Pipe()
		go func() {
			defer func() { _ = far.Close() }()
			reader := bufio.NewReader(far)
			for n := 0; ; n++ {
				request, err := http.ReadRequest(reader)
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, request.Body)
				switch n {
				case 0:
					_, _ = io.WriteString(far, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 45\r\n\r\n"+
						`{"access_token":"abcdefgh","expires_in":3600}`)
				case 1:
					got.Add(1)
					return
				}
			}
		}()
		return near, nil
	}
	_, err := mustNew(t, cfg).Session(t.Context(), testRecord)
	wantClass(t, err, session.ErrTransient)
	if got.Load() != 1 {
		t.Fatal("the server has not read the GET")
	}
	wantNoUnsentFault(t, err)
}

// TestPortThatAcceptsAndIsSilent: no TLS handshake comes about, so nothing was
// sent, and the advice is that of a port that does not answer.
func TestPortThatAcceptsAndIsSilent(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"silent", "closed"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig("https://pam.example.com")
				cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
					near, far := net.Pipe()
					go func() {
						if end == "silent" {
							_, _ = io.Copy(io.Discard, far)
							return
						}
						_, _ = far.Read(make([]byte, 1024))
						_ = far.Close()
					}()
					return near, nil
				}
				err := mustNew(t, cfg).Drop(t.Context(), testID)
				wantClass(t, err, session.ErrTransient)
				wantBlame(t, err, ErrUnreachable)
			})
		})
	}
}

// TestProxyThatIsSilent: the proxy takes the connection and no tunnel comes
// about. It is the proxy that does not answer, not the server.
func TestProxyThatIsSilent(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"silent", "closed", "not a proxy"} {
		for _, scheme := range []string{"http", "socks5"} {
			t.Run(end+" "+scheme, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					cfg := testConfig("https://pam.example.com")
					cfg.ProxyURL = scheme + "://proxy.example.com:3128"
					cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
						near, far := net.Pipe()
						go func() {
							switch end {
							case "silent":
								_, _ = io.Copy(io.Discard, far)
								return
							case "not a proxy":
								_, _ = far.Read(make([]byte, 1024))
								_, _ = io.WriteString(far, "SSH-2.0-OpenSSH_9.9\r\n")
								_, _ = io.Copy(io.Discard, far)
							default:
								_, _ = far.Read(make([]byte, 1024))
							}
							_ = far.Close()
						}()
						return near, nil
					}
					err := mustNew(t, cfg).Drop(t.Context(), testID)
					wantBlame(t, err, ErrProxy)
				})
			})
		}
	}
}

// TestForbiddenPageIsNoMissingPermission: a page of a web server says nothing of
// PAM Core.
func TestForbiddenPageIsNoMissingPermission(t *testing.T) {
	t.Parallel()
	for _, o := range operations {
		p := &pam{handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<html><head><title>403 Forbidden</title></head></html>")
		}}
		err := o.run(t.Context(), inMemory(t, p, nil))
		if !errors.Is(err, ErrGatewayPage) {
			t.Errorf("%s: %v: not blamed on the page of a gateway", o.name, err)
		}
	}
}

// TestSwitchingProtocols: an answer that is none must not outlast the time limit
// or the caller's context.
func TestSwitchingProtocols(t *testing.T) {
	t.Parallel()
	for _, o := range operations {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			stop := make(chan struct{})
			server := &lineServer{answer: func(conn net.Conn, _ int) bool {
				_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
				<-stop
				return false
			}}
			cfg := testConfig(server.start(t))
			t.Cleanup(func() { close(stop) })
			cfg.RequestTimeout, cfg.ListTimeout = 200*time.Millisecond, 200*time.Millisecond
			c := mustNew(t, cfg)
			ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- o.run(ctx, c) }()
			select {
			case err := <-done:
				t.Log(err)
			case <-time.After(3 * time.Second):
				t.Error("the call outlasts its time limit and its context")
			}
		})
	}
}

// TestLocationThatIsNoURL: the path and query of a redirect may hold secrets, and
// a redirect is an answer.
func TestLocationThatIsNoURL(t *testing.T) {
	t.Parallel()
	for _, o := range operations {
		p := &pam{handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://sso.example.com/login%zz?ticket=t0p-s3cr3t")
			w.WriteHeader(http.StatusFound)
		}}
		err := o.run(t.Context(), overNetwork(t, p, nil))
		if strings.Contains(err.Error(), "t0p-s3cr3t") {
			t.Errorf("%s: %v shows the query of the redirect", o.name, err)
		}
		wantClass(t, err, session.ErrRejected)
	}
}

// TestCauseAgreesWithClass: what an answer means and whose fault it is are told by
// the same words. A missing permission is no server fault, whatever its numbers,
// and rejected credentials are no matter of the rate.
func TestCauseAgreesWithClass(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		body  string
		class error
	}{
		{"permission", `{"code":500,"response":{"status":500,"error":true,"error_code":1,"message":"You are not authorized to access this resource"},` +
			`"exception":{"code":500,"message":"You are not authorized to access this resource"}}`, session.ErrPermission},
		{"referer", `{"code":500,"response":{"status":500,"error":true,"error_code":1105,"message":"The http referer is not allowed"},"exception":{"code":500}}`, session.ErrReferer},
	} {
		for _, o := range operations {
			err := o.run(t.Context(), inMemory(t, &pam{handler: answering(500, tc.body)}, nil))
			t.Log(tc.name, o.name)
			wantClass(t, err, tc.class)
			wantBlame(t, err, nil)
		}
	}
	p := &pam{handler: answering(204, ""), answerToken: answering(429, `{"message":"Client authentication failed"}`)}
	err := inMemory(t, p, nil).Drop(t.Context(), testID)
	wantClass(t, err, session.ErrUnauthenticated)
	wantBlame(t, err, nil)
}

// TestGatewayPageIsShownByItsTitle, as the contract has it (section 5).
func TestGatewayPageIsShownByItsTitle(t *testing.T) {
	t.Parallel()
	const page = "<html>\r\n<head><title>400 No required SSL certificate was sent</title></head>\r\n<body>\r\n" +
		"<center><h1>400 Bad Request</h1></center>\r\n<center>No required SSL certificate was sent</center>\r\n</body>\r\n</html>\r\n"
	html := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, page)
	}
	p := &pam{answerToken: html, handler: answering(204, "")}
	err := inMemory(t, p, nil).Drop(t.Context(), testID)
	wantBlame(t, err, ErrGatewayPage)
	if !strings.Contains(err.Error(), "No required SSL certificate was sent") {
		t.Errorf("%v does not show the title of the page", err)
	}
	for _, o := range operations {
		p := &pam{handler: html}
		err := o.run(t.Context(), inMemory(t, p, nil))
		if !errors.Is(err, ErrGatewayPage) || !strings.Contains(err.Error(), "No required SSL certificate was sent") {
			t.Errorf("%s: %v: not blamed on the page of a gateway", o.name, err)
		}
	}
}
