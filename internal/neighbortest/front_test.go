//go:build unix

package neighbortest

import (
	"crypto/tls"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// front is a web server in front of senhasegura, in a configuration that both programs
// have.
type front struct {
	host     string
	upstream string
	tls      *certificates
	// brief is how long senhasegura may take to answer, in milliseconds; 0 for seconds.
	brief string
	// idle is how long a connection is kept, and once whether it serves one request.
	idle string
	once bool
	gzip bool
}

// fronts start a front with each program.
var fronts = map[string]func(*testing.T, front) *neighbor{
	"nginx": func(t *testing.T, f front) *neighbor {
		t.Helper()
		c := nginx{host: f.host, upstream: f.upstream, tls: f.tls}
		if f.brief != "" {
			c.location += "proxy_read_timeout " + f.brief + ";\n"
		}
		if f.idle != "" {
			c.server += "keepalive_timeout " + f.idle + ";\n"
		}
		if f.once {
			c.server += "keepalive_requests 1;\n"
		}
		if f.gzip {
			c.server += "gzip on;\ngzip_proxied any;\ngzip_types application/json;\n"
		}
		return c.start(t)
	},
	"HAProxy": func(t *testing.T, f front) *neighbor {
		t.Helper()
		c := haproxy{host: f.host, upstream: f.upstream, tls: f.tls}
		if f.brief != "" {
			c.backend += "timeout server " + f.brief + "\n"
		}
		if f.idle != "" {
			c.frontend += "timeout http-keep-alive " + f.idle + "\n"
		}
		if f.once {
			c.frontend += "option httpclose\n"
		}
		if f.gzip {
			c.frontend += "filter compression\ncompression algo gzip\ncompression type application/json\n"
		}
		return c.start(t)
	},
}

// behind runs test with senhasegura behind each of the fronts.
func behind(t *testing.T, change func(*front), test func(*scene, *neighbor)) {
	t.Helper()
	for program, start := range fronts {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			ca := newAuthority(t, "private")
			s := newScene(t, simulator.Config{})
			f := front{upstream: s.backend.address, tls: &certificates{own: ca.issue("front")}}
			if change != nil {
				change(&f)
			}
			n := start(t, f)
			test(s.at(n, ca.pem), n)
		})
	}
}

func TestPrivateAuthority(t *testing.T) {
	t.Parallel()
	behind(t, nil, func(s *scene, _ *neighbor) { s.works() })
}

func TestAuthorityThatIsNotTrusted(t *testing.T) {
	t.Parallel()
	behind(t, nil, func(s *scene, n *neighbor) {
		delete(s.config, "ca_cert_pem")
		s.fails("the TLS certificate of https://"+n.address+" is not trusted", "ca_cert_file")
		s.with("ca_cert_pem", newAuthority(s.t, "another").pem).fails("the TLS certificate of https://" + n.address + " is not trusted")
	})
}

// The base path belongs to the front or to senhasegura itself; without it a page of the
// front answers.
func TestBasePath(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]simulator.Config{"of the front": {}, "of senhasegura": {BasePath: "/pam"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, config)
			ca := newAuthority(t, "private")
			c := nginx{upstream: s.backend.address, tls: &certificates{own: ca.issue("front")}, base: "/pam/"}
			if config.BasePath != "" {
				c.upstream, c.base = s.backend.address, "/pam/"
				c.location = "rewrite ^(.*)$ /pam$1 break;"
				c.base = "/"
			}
			n := c.start(t)
			s.at(n, ca.pem)
			if config.BasePath == "" {
				s.fails("no ", " was found at https://"+n.address, "base path")
				s.sim.Reset()
				s.config["url"] = "https://" + n.address + "/pam"
			}
			s.works()
		})
	}
}

func TestClientCertificate(t *testing.T) {
	t.Parallel()
	clients := newAuthority(t, "clients")
	good, other := clients.issue("runner"), newAuthority(t, "others").issue("runner")
	demand := func(f *front) { f.tls.clients = clients.pem }
	// nginx refuses the request with a page, HAProxy the connection with an alert.
	refusal := map[string]string{"nginx": "a web server in front of senhasegura refused the client", "HAProxy": "does not accept the client certificate"}
	t.Run("shown", func(t *testing.T) {
		t.Parallel()
		behind(t, demand, func(s *scene, _ *neighbor) {
			s.with("client_cert_pem", good.certificate).with("client_key_pem", good.key).works()
		})
	})
	for name, shown := range map[string]*keyPair{"missing": nil, "of another authority": &other} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			behind(t, demand, func(s *scene, n *neighbor) {
				if shown != nil {
					s.with("client_cert_pem", shown.certificate).with("client_key_pem", shown.key)
				}
				program := "nginx"
				if strings.HasSuffix(n.path, "haproxy") {
					program = "HAProxy"
				}
				s.fails(refusal[program], "client_cert_pem")
				if reached := len(s.sim.Journal()); reached > 0 {
					s.t.Errorf("%d requests reached senhasegura", reached)
				}
			})
		})
	}
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	needIPv6(t)
	behind(t, func(f *front) { f.host = "::1" }, func(s *scene, n *neighbor) {
		if !strings.HasPrefix(n.address, "[::1]:") {
			s.t.Fatalf("it listens at %s", n.address)
		}
		s.works()
	})
}

func TestGzip(t *testing.T) {
	t.Parallel()
	behind(t, func(f *front) { f.gzip = true }, func(s *scene, n *neighbor) {
		s.works()
		if encoding := s.encoding(n); encoding != "gzip" {
			s.t.Errorf("the list has the encoding %q", encoding)
		}
	})
}

// encoding is that of a list which the front passes on to a client that takes gzip, as
// the provider does.
func (s *scene) encoding(n *neighbor) string {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "https://"+n.address+"/api/session/remotesessions", http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header = http.Header{"Accept-Encoding": {"gzip"}, "Authorization": {"Bearer " + s.token()}}
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // its certificate is not at issue
	}}
	response, err := client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = response.Body.Close() // only its header is read
	return response.Header.Get("Content-Encoding")
}

// A list that breaks off is an error, and never a shorter list; where it arrives the
// next time, nothing is lost.
func TestListBreaksOff(t *testing.T) {
	t.Parallel()
	for name, gzip := range map[string]bool{"plain": false, "compressed": true} {
		for kind, fault := range map[string]simulator.Fault{
			"after half of it": {Kind: simulator.CutMiddle}, "after a row": {Kind: simulator.CutRows, Rows: 1},
			"with a reset": {Kind: simulator.ResetAfter},
		} {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				behind(t, func(f *front) { f.gzip = gzip }, func(s *scene, _ *neighbor) {
					// More than the buffers of the fronts hold.
					s.sim.Rows(simulator.History(2000, time.Now().Add(-24*time.Hour)))
					fault := fault // the fronts run at the same time
					fault.Op = simulator.OpList
					s.sim.Inject(fault)
					s.disturbed = true
					s.with("max_retries", 0)
					sessions := s.people(4, simulator.Behavior{})
					if listed, said := s.list(); listed != nil || len(said.Errors()) != 1 {
						s.t.Errorf("%d sessions are listed:\n%s", len(listed), said)
					}
					a := s.drain(nil)
					s.check(a, meant)
					if !a.blind || s.drops() > 0 || len(s.live()) != len(sessions) || !says(a.said, "senhasegura or a gateway in front of it keeps failing") {
						s.t.Errorf("%d requests were sent without a list:\n%s", s.drops(), a.said)
					}
					s.sim.ClearFaults()
					fault.Times = 1
					s.sim.Inject(fault)
					s.with("max_retries", 1)
					a = s.drain(nil)
					s.check(a, meant)
					if a.failed || len(s.live()) > 0 {
						s.t.Errorf("the drain fails:\n%s", a.said)
					}
				})
			})
		}
	}
}

// What a gateway gave up goes on behind it: the termination is carried out after the
// gateway has answered 504. The session is checked, and never called ended before.
func TestGatewayTimeoutWhileTheTerminationGoesOn(t *testing.T) {
	t.Parallel()
	for name, acts := range map[string]bool{"carried out late": true, "carried out and not answered": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			behind(t, func(f *front) { f.brief = "100ms" }, func(s *scene, _ *neighbor) {
				s.disturbed = true
				sessions := s.people(3, simulator.Behavior{})
				late := func(r simulator.Request) {
					if r.Op == simulator.OpDrop && r.Object == sessions[0].SessionID {
						<-time.After(400 * time.Millisecond)
					}
				}
				if acts {
					s.sim.OnRequest(late)
				} else {
					s.sim.OnActed(late)
				}
				a := s.drain(nil)
				s.check(a, meant)
				if a.failed || len(s.live()) > 0 {
					s.t.Errorf("the drain fails:\n%s", a.said)
				}
			})
		})
	}
}

// A gateway that always gives up is named, and the session is not called ended.
func TestGatewayTimeoutOfEveryTermination(t *testing.T) {
	t.Parallel()
	behind(t, func(f *front) { f.brief = "100ms" }, func(s *scene, _ *neighbor) {
		s.disturbed = true
		sessions := s.people(1, simulator.Behavior{})
		// A client that gives up keeps it from acting.
		s.sim.Inject(simulator.Fault{Kind: simulator.SlowBefore, Op: simulator.OpDrop, Delay: time.Minute})
		for what, a := range map[string]account{"termination": s.terminate(sessions[0].SessionID), "drain": s.drain(map[string]any{"timeouts": map[string]any{"create": "4s"}})} {
			s.check(a, meant)
			if !a.failed || len(s.live()) != 1 || !says(a.said, "HTTP 504") || !says(a.said, betweenAdvice) || says(a.said, nodeAdvice) {
				s.t.Errorf("the %s says:\n%s", what, a.said)
			}
		}
	})
}

// Connections that the front closes after a second, or after each request, lose no
// termination request. It is a tenth of a second away, and a request leaves every 1.1
// seconds: on a connection that was kept, it meets the end of that connection.
func TestKeepAlive(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*front){
		"of a second":    func(f *front) { f.idle = "1s" },
		"of one request": func(f *front) { f.once = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			behind(t, change, func(s *scene, n *neighbor) {
				sessions := s.people(2, simulator.Behavior{})
				s.config["url"] = "https://" + newRelay(s.t, n.address, weather{latency: 100 * time.Millisecond}, 1).address
				s.with("max_concurrent_requests", 1).with("requests_per_second", 1/1.1)
				a := s.drain(nil)
				s.check(a, meant)
				if a.failed || len(s.live()) > 0 || s.drops() != len(sessions) {
					s.t.Errorf("%d requests for %d sessions:\n%s", s.drops(), len(sessions), a.said)
				}
				// After a request that was lost, the session is checked before it is terminated.
				checked := map[string]bool{}
				for _, r := range s.sim.Journal() {
					switch v, _ := s.sim.Session(r.Object); {
					case r.Op == simulator.OpGet:
						checked[r.Object] = true
					case r.Op == simulator.OpDrop && checked[strconv.FormatInt(v.RecordID, 10)]:
						s.t.Errorf("the first request for %s was lost", r.Object)
					}
				}
			})
		})
	}
}

// A front that reads its configuration again during a drain loses no request.
func TestReloadInADrain(t *testing.T) {
	t.Parallel()
	behind(t, nil, func(s *scene, n *neighbor) {
		s.disturbed = true
		s.people(60, simulator.Behavior{})
		s.atDrop(20, n.reload)
		a := s.drain(nil)
		s.check(a, meant)
		if a.failed || len(s.live()) > 0 || n.generation != 1 {
			s.t.Errorf("the drain fails, generation %d:\n%s", n.generation, a.said)
		}
	})
}

// A senhasegura, or a front, that restarts in the middle of a drain breaks every
// connection. The next run finishes what this one could not.
func TestRestartInADrain(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]func(*scene, *neighbor){
		"of the backend": func(s *scene, _ *neighbor) { s.backend.restart() },
		"of the front":   func(_ *scene, n *neighbor) { n.restart() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			behind(t, nil, func(s *scene, n *neighbor) {
				s.disturbed = true
				s.people(60, simulator.Behavior{})
				s.atDrop(20, func() { restart(s, n) })
				for range 3 {
					a := s.drain(nil)
					s.check(a, meant)
					if !a.failed {
						break
					}
				}
				if live := s.live(); len(live) > 0 {
					s.t.Errorf("%d sessions are live", len(live))
				}
			})
		})
	}
}

// Without a backend the front answers with a page of its own.
func TestBackendThatIsDown(t *testing.T) {
	t.Parallel()
	behind(t, nil, func(s *scene, _ *neighbor) {
		s.backend.stop()
		s.with("max_retries", 0).fails("senhasegura or a gateway in front of it keeps failing")
	})
}
