//go:build unix

package neighbortest

import (
	"syscall"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

const (
	proxyUser     = "runner"
	proxyPassword = "open-sesame"
	wrongPassword = "close-sesame"
)

// tunneled gives a scene in which senhasegura speaks TLS behind nginx, and the provider
// calls it through Squid.
func tunneled(t *testing.T, c squid, user string) (s *scene, proxy *neighbor) {
	t.Helper()
	proxy = c.start(t)
	s = newScene(t, simulator.Config{})
	ca := newAuthority(t, "private")
	target := nginx{host: c.host, upstream: s.backend.address, tls: &certificates{own: ca.issue("front")}}.start(t)
	return s.at(target, ca.pem).through(proxy, user), proxy
}

func TestTunnel(t *testing.T) {
	t.Parallel()
	const refused = "the proxy refused the connection or failed"
	const credentials = "the proxy rejected its user name and password"
	known := squid{user: proxyUser, password: proxyPassword}
	for name, c := range map[string]struct {
		squid squid
		user  string
		// fails are the words of the error, nil where it works.
		fails []string
	}{
		"without a password":         {squid: squid{}},
		"with a password":            {squid: known, user: proxyUser + ":" + proxyPassword},
		"without its password":       {squid: known, fails: []string{credentials, "proxy_url"}},
		"with a wrong password":      {squid: known, user: proxyUser + ":" + wrongPassword, fails: []string{credentials, "proxy_url"}},
		"that is refused":            {squid: squid{refuses: true}, fails: []string{refused, "HTTP 403", "proxy_url"}},
		"over IPv6":                  {squid: squid{host: "::1"}},
		"over IPv6, with a password": {squid: squid{host: "::1", user: proxyUser, password: proxyPassword}, user: proxyUser + ":" + proxyPassword},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.squid.host != "" {
				needIPv6(t)
			}
			s, _ := tunneled(t, c.squid, c.user)
			if c.fails != nil {
				s.fails(c.fails...)
				if reached := len(s.sim.Journal()); reached > 0 {
					t.Errorf("%d requests reached senhasegura", reached)
				}
				return
			}
			s.works()
		})
	}
}

// Behind the proxy there is no server: the proxy says so.
func TestTunnelToNowhere(t *testing.T) {
	t.Parallel()
	s, _ := tunneled(t, squid{}, "")
	s.config["url"] = "https://" + loopback + ":" + freePort(t, loopback)
	s.with("max_retries", 0).fails("the proxy refused the connection or failed", "HTTP 503")
}

// A proxy that is silent ends in the time of an attempt.
func TestTunnelThatIsSilent(t *testing.T) {
	t.Parallel()
	s, proxy := tunneled(t, squid{}, "")
	proxy.signal(syscall.SIGSTOP)
	t.Cleanup(func() { proxy.signal(syscall.SIGCONT) })
	s.with("max_retries", 0).with("request_timeout", "300ms").with("list_timeout", "300ms")
	began := time.Now()
	s.fails("the proxy refused the connection or failed", "proxy_url")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

// A proxy that ends in the middle of a drain is named, and the next run finishes.
func TestTunnelThatEnds(t *testing.T) {
	t.Parallel()
	s, proxy := tunneled(t, squid{}, "")
	s.disturbed = true
	s.people(30, simulator.Behavior{})
	s.atDrop(10, proxy.stop)
	s.with("max_retries", 1)
	a := s.drain(map[string]any{"timeouts": map[string]any{"create": "3s"}})
	s.check(a, meant)
	if !a.failed || !says(a.said, "the proxy refused the connection or failed") {
		t.Errorf("it says:\n%s", a.said)
	}
	if err := proxy.run(); err != nil {
		t.Fatal(err)
	}
	a = s.drain(nil)
	s.check(a, meant)
	if a.failed || len(s.live()) > 0 {
		t.Errorf("the drain fails:\n%s", a.said)
	}
}

// A proxy that reads its configuration again closes its listener for a moment.
func TestTunnelThatReloads(t *testing.T) {
	t.Parallel()
	s, proxy := tunneled(t, squid{}, "")
	s.disturbed = true
	s.people(60, simulator.Behavior{})
	s.atDrop(20, proxy.reload)
	a := s.drain(nil)
	s.check(a, meant)
	if a.failed || len(s.live()) > 0 {
		t.Errorf("the drain fails:\n%s", a.said)
	}
}
