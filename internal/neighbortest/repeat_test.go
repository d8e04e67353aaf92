//go:build unix

package neighbortest

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// A front that gets no answer sends a termination request again on its own. senhasegura
// refuses the second one, as the session has ended by then: the provider checks it.
func TestFrontThatRepeats(t *testing.T) {
	t.Parallel()
	for program, start := range map[string]func(*scene) *neighbor{
		"nginx": func(s *scene) *neighbor {
			return nginx{
				upstream: s.backend.address + "; server " + s.backend.address, location: "proxy_next_upstream error timeout;\nproxy_read_timeout 200ms;",
			}.start(s.t)
		},
		"HAProxy": func(s *scene) *neighbor {
			return haproxy{
				upstream: s.backend.address, backend: "retry-on all-retryable-errors\nretries 1\noption redispatch\ntimeout server 200ms",
			}.start(s.t)
		},
	} {
		for name, use := range map[string]func(*scene, string) account{
			"termination": func(s *scene, id string) account { return s.terminate(id) },
			"drain":       func(s *scene, _ string) account { return s.drain(nil) },
		} {
			t.Run(program+", "+name, func(t *testing.T) {
				t.Parallel()
				s := newScene(t, simulator.Config{})
				s.at(start(s), "")
				s.disturbed = true
				session := s.people(1, simulator.Behavior{})[0]
				var once atomic.Bool
				s.sim.OnActed(func(r simulator.Request) {
					if r.Op == simulator.OpDrop && once.CompareAndSwap(false, true) {
						<-time.After(500 * time.Millisecond)
					}
				})
				a := use(s, session.SessionID)
				s.check(a, meant)
				if a.failed || len(a.ended) != 1 || s.drops() != 2 {
					t.Errorf("%d requests, failed %t, ended %q:\n%s", s.drops(), a.failed, a.ended, a.said)
				}
				if name == "drain" && !says(a.said, session.SessionID) {
					t.Errorf("it says nothing of the session that it ended:\n%s", a.said)
				}
			})
		}
	}
}
