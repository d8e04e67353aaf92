//go:build unix

package neighbortest

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// The advice for what is between this machine and senhasegura, and that for a session
// that senhasegura does not end.
const (
	betweenAdvice = "Check the network and the proxies between this machine and senhasegura"
	nodeAdvice    = "If the proxy node crashed"
)

// limit is how a front limits the rate of termination requests.
type limit struct {
	status int
	// after is the value of Retry-After, "" for none.
	after string
	// passing: the limit lets requests through again soon. Otherwise it lets a few
	// through and no more.
	passing bool
}

// limited start a front that limits the rate, with each program.
var limited = map[string]func(*testing.T, *scene, limit) *neighbor{
	"nginx": func(t *testing.T, s *scene, l limit) *neighbor {
		t.Helper()
		rate := "rate=1r/m"
		if l.passing {
			rate = "rate=10r/s"
		}
		header := ""
		if l.after != "" {
			header = "error_page 429 503 @limited;"
		}
		return nginx{
			upstream: s.backend.address,
			http: "map $request_method $limited { default ''; DELETE all; }\n" +
				"limit_req_zone $limited zone=drops:1m " + rate + ";",
			server:   fmt.Sprintf("location @limited { add_header Retry-After %s always; return %d '<html><head><title>Slow down</title></head></html>'; }", orNone(l.after), l.status),
			location: fmt.Sprintf("limit_req zone=drops burst=2 nodelay;\nlimit_req_status %d;\n%s", l.status, header),
		}.start(t)
	},
	"HAProxy": func(t *testing.T, s *scene, l limit) *neighbor {
		t.Helper()
		period := "1m"
		if l.passing {
			period = "500ms"
		}
		header := ""
		if l.after != "" {
			header = " hdr Retry-After " + l.after
		}
		return haproxy{
			upstream: s.backend.address,
			frontend: "stick-table type integer size 10 expire 2m store http_req_rate(" + period + ")\n" +
				"http-request track-sc0 int(1) if METH_DELETE\n" +
				fmt.Sprintf("http-request return status %d content-type text/html string '<html><head><title>Slow down</title></head></html>'%s if METH_DELETE { sc_http_req_rate(0) gt 3 }", l.status, header),
		}.start(t)
	},
}

func orNone(value string) string {
	if value == "" {
		return "''"
	}
	return value
}

// A front that limits the rate is named, the sessions that it kept from being
// terminated are named, and the others are terminated.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	for program, start := range limited {
		for name, l := range map[string]limit{
			"429":                         {status: 429},
			"429 with Retry-After":        {status: 429, after: "1"},
			"429 with a long Retry-After": {status: 429, after: "3600"},
			"503 page":                    {status: 503},
			"503 page with Retry-After":   {status: 503, after: "1"},
		} {
			t.Run(program+", "+name, func(t *testing.T) {
				t.Parallel()
				s := newScene(t, simulator.Config{})
				s.at(start(t, s, l), "").with("max_retries", 1)
				sessions := s.people(8, simulator.Behavior{})
				a := s.drain(nil)
				s.check(a, meant)
				words := "senhasegura or a gateway in front of it limits the rate of requests"
				if l.status == 503 {
					words = "senhasegura didn't respond to the termination request"
					if !says(a.said, betweenAdvice) || says(a.said, nodeAdvice) {
						t.Errorf("the advice is for another part:\n%s", a.said)
					}
				}
				if live := s.live(); !a.failed || len(live) != len(a.named) || len(a.named) == 0 || len(a.named) == len(sessions) || !says(a.said, words) {
					t.Errorf("%d sessions are live, %d are named:\n%s", len(live), len(a.named), a.said)
				}
				if !says(a.said, fmt.Sprintf("HTTP %d, a web page titled", l.status)) {
					t.Errorf("it does not show the response:\n%s", a.said)
				}
			})
		}
	}
}

// A limit that lets requests through again costs time, and nothing else.
func TestRateLimitThatPasses(t *testing.T) {
	t.Parallel()
	for program, start := range limited {
		for name, l := range map[string]limit{
			"429":                  {status: 429, passing: true},
			"429 with Retry-After": {status: 429, after: "1", passing: true},
			"503 page":             {status: 503, passing: true},
		} {
			t.Run(program+", "+name, func(t *testing.T) {
				t.Parallel()
				s := newScene(t, simulator.Config{})
				s.at(start(t, s, l), "").with("max_retries", 4).with("requests_per_second", 8)
				sessions := s.people(8, simulator.Behavior{})
				a := s.drain(nil)
				s.check(a, meant)
				if a.failed || len(s.live()) > 0 || s.drops() != len(sessions) {
					t.Errorf("%d requests for %d sessions:\n%s", s.drops(), len(sessions), a.said)
				}
			})
		}
	}
}

// A front that can't take a termination request now says when it can. The session is
// checked at once, because the front may be wrong, and the request is not repeated
// before.
func TestRetryAfterOfATermination(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(*scene, string) account{
		"termination": func(s *scene, id string) account { return s.terminate(id) },
		"drain":       func(s *scene, _ string) account { return s.drain(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, simulator.Config{})
			s.config["url"] = "http://" + s.backend.address
			s.sim.Inject(simulator.Fault{
				Kind: simulator.Unavailable503, Op: simulator.OpDrop, Times: 1, Acting: simulator.ActNever, Header: http.Header{"Retry-After": {"1"}},
			})
			a := use(s, s.people(1, simulator.Behavior{})[0].SessionID)
			s.check(a, meant)
			var (
				drops []time.Time
				check time.Time
			)
			for _, r := range s.sim.Journal() {
				switch {
				case r.Op == simulator.OpDrop:
					drops = append(drops, r.Time)
				case len(drops) == 1 && check.IsZero():
					check = r.Time
				}
			}
			if a.failed || len(drops) != 2 {
				t.Fatalf("%d requests:\n%s", len(drops), a.said)
			}
			if waited := drops[1].Sub(drops[0]); waited < time.Second || waited > 5*time.Second {
				t.Errorf("the request is repeated after %s, want a second", waited)
			}
			if waited := check.Sub(drops[0]); waited > 500*time.Millisecond {
				t.Errorf("the session is checked after %s", waited)
			}
		})
	}
}
