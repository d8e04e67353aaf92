//go:build unix

package neighbortest

import (
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// cached gives a front that keeps responses, also those to requests with credentials.
func cached(s *scene, location string) *neighbor {
	s.t.Helper()
	return nginx{
		upstream: s.backend.address,
		http:     "proxy_cache_path cache keys_zone=kept:1m;",
		location: "proxy_cache kept;\nproxy_cache_valid 200 1m;\n" + location,
	}.start(s.t)
}

// A cache that asks again when it is asked to is no obstacle.
func TestCacheThatObeys(t *testing.T) {
	t.Parallel()
	s := newScene(t, simulator.Config{})
	s.at(cached(s, "proxy_cache_bypass $http_cache_control;\nadd_header X-Cache-Status $upstream_cache_status;"), "")
	s.list() // fills the cache
	s.works()
}

// A cache that answers anyway is named. Its list, which lacks the sessions that
// started since, decides nothing.
func TestCacheThatAnswers(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*scene) *neighbor{
		"nginx": func(s *scene) *neighbor {
			return cached(s, "add_header X-Cache-Status $upstream_cache_status;")
		},
		"Squid": func(s *scene) *neighbor {
			// Squid keeps what a request with credentials got only where it may.
			behind := nginx{upstream: s.backend.address, location: "add_header Cache-Control 'public, max-age=60';"}.start(s.t)
			return squid{caches: behind.address}.start(s.t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, simulator.Config{})
			s.at(start(s), "").with("max_retries", 0)
			s.people(0, simulator.Behavior{})
			if listed, said := s.list(); len(listed) != len(s.sim.Sessions()) { // fills the cache
				t.Fatalf("%d sessions are listed:\n%s", len(listed), said)
			}
			sessions := s.people(2, simulator.Behavior{})
			const words = "a cache in front of senhasegura answered in its place"
			if listed, said := s.list(); listed != nil || !says(said.Errors(), words) {
				t.Errorf("%d sessions are listed:\n%s", len(listed), said)
			}
			a := s.drain(nil)
			s.check(a, meant)
			if !a.blind || s.drops() > 0 || len(s.live()) != len(sessions) || !says(a.said, words) {
				t.Errorf("%d requests, %d sessions are live:\n%s", s.drops(), len(s.live()), a.said)
			}
		})
	}
}
