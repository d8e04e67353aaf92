package a2a

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"
)

const (
	dialTimeout = 15 * time.Second
	// idleTimeout is how long an unused connection is kept. A request on a
	// connection that the server is closing is lost, and a lost drop costs a check
	// and a repeat: with servers that keep connections for a second, this loses
	// none. A new connection resumes its TLS session, so it is cheap.
	idleTimeout = 500 * time.Millisecond
)

// connect builds the connections for cfg, which is valid.
//
// They speak HTTP/1.1 only. Over HTTP/2 net/http repeats a DELETE that the server
// may have acted on (after a stream reset with PROTOCOL_ERROR), and all attempts
// of a call stay on one connection even when that has gone silent.
func connect(cfg *Config) (*http.Transport, error) {
	tlsConfig, err := newTLSConfig(cfg)
	if err != nil {
		return nil, err
	}
	proxy, err := newProxy(cfg.ProxyURL)
	if err != nil {
		return nil, err
	}
	dial := cfg.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Protocols:              protocols,
		Proxy:                  proxy,
		OnProxyConnectResponse: checkProxyAnswer,
		DialContext:            dial,
		TLSClientConfig:        tlsConfig,
		TLSHandshakeTimeout:    dialTimeout,
		MaxIdleConnsPerHost:    cfg.MaxConcurrentRequests,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: 1 << 18,
	}, nil
}

func newTLSConfig(cfg *Config) (*tls.Config, error) {
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ClientSessionCache: tls.NewLRUClientSessionCache(0),
		InsecureSkipVerify: cfg.Insecure, //nolint:gosec // the user asks for it, and is warned on every run
	}
	if len(cfg.CACertPEM) > 0 {
		roots, err := x509.SystemCertPool()
		if err != nil {
			// A host without system roots still has the configured ones.
			roots = x509.NewCertPool()
		}
		roots.AppendCertsFromPEM(cfg.CACertPEM)
		config.RootCAs = roots
	}
	if len(cfg.ClientCertPEM) > 0 {
		pair, err := tls.X509KeyPair(cfg.ClientCertPEM, cfg.ClientKeyPEM)
		if err != nil {
			return nil, &ConfigError{Field: "ClientCertPEM", Err: err}
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// newProxy reads the environment now, not once for the process as net/http does.
// Like net/http it ignores what is no URL there. Plain http, which is for a
// loopback host only, takes no proxy: that would see the credentials.
func newProxy(raw string) (func(*http.Request) (*url.URL, error), error) {
	environment := httpproxy.FromEnvironment().ProxyFunc()
	choose := func(req *http.Request) (*url.URL, error) { return environment(req.URL) }
	if raw != "" {
		u, err := url.Parse(raw)
		if err != nil {
			return nil, &ConfigError{Field: "ProxyURL", Err: errors.New("it is not a URL")}
		}
		choose = http.ProxyURL(u)
	}
	return func(req *http.Request) (*url.URL, error) {
		if req.URL.Scheme == "http" {
			return nil, nil //nolint:nilnil // no proxy, which is no error
		}
		return choose(req)
	}, nil
}

// proxyError is a proxy that refused the tunnel: nothing reached senhasegura.
type proxyError struct{ status int }

func (e *proxyError) Error() string {
	return fmt.Sprintf("the proxy answered HTTP %d when asked for a tunnel", e.status)
}

func (e *proxyError) passing() bool {
	return e.status >= 500 || e.status == http.StatusRequestTimeout || e.status == http.StatusTooManyRequests
}

func checkProxyAnswer(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if isSuccess(resp.StatusCode) {
		return nil
	}
	return &proxyError{status: resp.StatusCode}
}

// faultOf says whether a connection fails in the same way however often it is
// tried, and whose fault it is, nil where that is not known.
func faultOf(err error) (permanent bool, fault error) {
	var (
		network *net.OpError
		name    *net.DNSError
		op      string
	)
	if errors.As(err, &network) {
		op = network.Op
	}
	if permanent, fault := proxyFault(op, err); fault != nil {
		return permanent, fault
	}
	if fault := tlsFault(op, err); fault != nil {
		return true, fault
	}
	switch {
	case errors.As(err, &name):
		return name.IsNotFound, ErrUnknownHost
	case op == "dial":
		return false, ErrUnreachable
	}
	return false, nil
}

// proxyFault is that of a proxy. net/http marks what happens on the way to one in
// the operation of the error, and has a wrong password of SOCKS5 in words only.
func proxyFault(op string, err error) (permanent bool, fault error) {
	var (
		refused     *proxyError
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &refused) && refused.status == http.StatusProxyAuthRequired,
		op == "socks connect" && strings.Contains(err.Error(), "authentication"):
		return true, ErrProxyCredentials
	case errors.As(err, &refused):
		return !refused.passing(), ErrProxy
	case op == "socks connect":
		return strings.Contains(err.Error(), "not allowed"), ErrProxy
	case op == "proxyconnect":
		return errors.As(err, &name) && name.IsNotFound || errors.As(err, &certificate), ErrProxy
	}
	return false, nil
}

// tlsFault is that of a handshake, which no repetition mends. crypto/tls marks the
// alerts of both sides in the operation of the error, and names them in words.
func tlsFault(op string, err error) error {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &certificate):
		return ErrUntrustedCertificate
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		return ErrNoTLS
	case op == "remote error" && strings.Contains(err.Error(), "certificate"):
		return ErrClientCertificate
	case op == "remote error":
		return ErrTLS
	case op == "local error" && strings.Contains(err.Error(), "no renegotiation"):
		return ErrRenegotiation
	}
	return nil
}
