//go:build unix

package neighbortest

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

func TestMain(m *testing.M) {
	// The tests wait most of the time, for pauses and for programs, so there may be more
	// of them than processors. An argument of go test takes the place of this number.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	os.Exit(acctest.Main(m))
}

const (
	terminationType = "senhasegura_session_termination"
	drainType       = "senhasegura_session_drain"
	sessionsData    = "senhasegura_sessions"

	// retries is what a scene sets for `max_retries`: their pauses are real.
	retries = 2
	// poll is short for the same reason.
	poll = "50ms"
)

// backend serves a simulator on an address that stays the same.
type backend struct {
	t       *testing.T
	handler http.Handler
	address string

	mu     sync.Mutex
	server *http.Server
}

func serve(t *testing.T, handler http.Handler) *backend {
	t.Helper()
	b := &backend{t: t, handler: handler, address: net.JoinHostPort(loopback, "0")}
	b.start()
	t.Cleanup(b.stop)
	return b
}

// start listens again where it listened before.
func (b *backend) start() {
	var (
		listener net.Listener
		err      error
		deadline = time.Now().Add(startLimit)
	)
	for {
		listener, err = new(net.ListenConfig).Listen(b.t.Context(), "tcp", b.address)
		if err == nil || b.t.Context().Err() != nil {
			break
		}
		if time.Now().After(deadline) {
			break
		}
		<-time.After(5 * time.Millisecond)
	}
	if err != nil {
		b.t.Errorf("the backend does not start: %v", err)
		return
	}
	server := &http.Server{Handler: b.handler, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), ReadHeaderTimeout: time.Minute}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.server, b.address = server, listener.Addr().String()
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			b.t.Errorf("the backend ended: %v", err)
		}
	}()
}

// stop closes the listener and every connection.
func (b *backend) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.server != nil {
		_ = b.server.Close() // its connections are broken on purpose
		b.server = nil
	}
}

func (b *backend) restart() {
	b.stop()
	b.start()
}

// scene is a simulated senhasegura with its sessions, and a provider that calls it
// through neighbors.
type scene struct {
	t       *testing.T
	sim     *simulator.Simulator
	backend *backend
	// config are the arguments of the provider. A test changes them as it needs.
	config map[string]any
	// began is when the last use began; earlier what each session had been sent before.
	began   time.Time
	earlier map[string]int
	// broken counts the breaches of each promise.
	broken map[string]int
	// disturbed: connections break on the way, so that an answer that was written in
	// whole need not have arrived.
	disturbed bool
}

func newScene(t *testing.T, config simulator.Config) *scene {
	t.Helper()
	sim := simulator.New(config)
	s := &scene{
		t: t, sim: sim, backend: serve(t, sim), earlier: map[string]int{}, broken: map[string]int{},
		config: map[string]any{
			"client_id": simulator.DefaultClientID, "client_secret": simulator.DefaultClientSecret, "max_retries": retries,
			"request_timeout": "5s", "list_timeout": "5s",
		},
	}
	t.Cleanup(sim.Close) // before the backend ends
	return s
}

// at has the provider call a neighbor. ca is the authority that it trusts, "" for plain
// HTTP.
func (s *scene) at(n *neighbor, ca string) *scene {
	scheme := "http"
	if ca != "" {
		scheme, s.config["ca_cert_pem"] = "https", ca
	}
	s.config["url"] = scheme + "://" + n.address
	return s
}

// through has the provider use a proxy. user is its user information, "" for none.
func (s *scene) through(n *neighbor, user string) *scene {
	if user != "" {
		user += "@"
	}
	s.config["proxy_url"] = "http://" + user + n.address
	return s
}

func (s *scene) with(name string, value any) *scene {
	s.config = maps.Clone(s.config)
	s.config[name] = value
	return s
}

// people fills senhasegura: sessions of alice that are to be terminated, one of hers
// that is excluded, one that has ended, and one of bob.
func (s *scene) people(meant int, behavior simulator.Behavior) []simulator.Session {
	start := time.Now().Add(-time.Hour)
	add := func(i int, user, credential string) simulator.Session {
		v := simulator.Sample(i)
		v.User, v.Credential, v.Start = user, credential, start
		return v
	}
	var added []simulator.Session
	for i := range meant {
		v := add(i, "alice", "root")
		v.Behavior = behavior
		added = append(added, s.sim.Add(v))
	}
	s.sim.Add(add(meant, "bob", "root"))
	s.sim.Add(add(meant+1, "alice", "breakglass"))
	gone := add(meant+2, "alice", "root")
	gone.End = start.Add(time.Minute)
	s.sim.Add(gone)
	return added
}

func meant(s simulator.Session) bool { return s.User == "alice" && s.Credential == "root" }

// begin is called before a use of the provider. Each has a provider of its own, as a
// run of Terraform has.
func (s *scene) begin() *acctest.Driver {
	s.t.Helper()
	for _, v := range s.sim.Sessions() {
		s.earlier[v.SessionID] = v.Drops
	}
	s.sim.ResetJournal()
	s.began = time.Now()
	return acctest.NewDriver(s.t, nil, s.config)
}

// list reads all sessions.
func (s *scene) list() (sessions []any, said acctest.Diagnostics) {
	s.t.Helper()
	values, said := s.begin().ReadDataSource(sessionsData, map[string]any{"state": "all"})
	if values == nil {
		return nil, said
	}
	sessions, ok := values["sessions"].([]any)
	if !ok {
		s.t.Fatalf("the data source has no sessions: %v", values)
	}
	return sessions, said
}

// terminate ends one session.
func (s *scene) terminate(id string) account {
	s.t.Helper()
	result := s.begin().Resource(terminationType).Apply(nil, map[string]any{
		"session_id": id, "poll_interval": poll, "timeouts": map[string]any{"create": "20s"},
	})
	a := account{said: result.Diagnostics, failed: len(result.Diagnostics.Errors()) > 0}
	outcome, _ := result.State.At("outcome").(string)
	if !a.failed && (outcome == "terminated" || outcome == "already_ended") {
		a.ended = []string{id}
		return a
	}
	a.named = []string{id}
	if says(a.said, "accepted the request") || says(a.said, "may have received") {
		a.requested = a.named
	}
	return a
}

// drain ends the sessions that are meant. arguments come on top of its own.
func (s *scene) drain(arguments map[string]any) account {
	s.t.Helper()
	config := map[string]any{
		"match": map[string]any{"users": []any{"alice"}}, "exclude": map[string]any{"credentials": []any{"breakglass"}},
		"on_excluded": "continue", "drain_on": []any{"create"}, "preview": false, "poll_interval": poll,
		"timeouts": map[string]any{"create": "30s"},
	}
	maps.Copy(config, arguments)
	result := s.begin().Resource(drainType).Apply(nil, config)
	a := account{said: result.Diagnostics, failed: len(result.Diagnostics.Errors()) > 0, excluded: []string{}}
	if result.State == nil {
		s.t.Fatalf("a drain without a state:\n%s", result.Diagnostics)
	}
	rows, _ := result.State.At("sessions").([]any)
	for _, row := range rows {
		values, _ := row.(map[string]any)
		id, _ := values["session_id"].(string)
		switch outcome := fmt.Sprint(values["outcome"]); outcome {
		case "terminated", "already_ended":
			a.ended = append(a.ended, id)
		case "excluded":
			a.excluded = append(a.excluded, id)
		default:
			a.named = append(a.named, id)
			if outcome == "still_live" || outcome == "unknown" {
				a.requested = append(a.requested, id)
			}
		}
	}
	if a.failed {
		summary := a.said.Errors()[0].Summary
		a.blind = strings.HasPrefix(summary, "Drain of ") || strings.HasPrefix(summary, "Can't confirm that no session remains")
	}
	return a
}

// live gives the sessions that are meant and live.
func (s *scene) live() []string {
	var live []string
	for _, v := range s.sim.Sessions() {
		if meant(v) && v.State != simulator.StateEnded {
			live = append(live, v.SessionID)
		}
	}
	return live
}

// drops counts the termination requests that reached senhasegura in the last use.
func (s *scene) drops() int { return s.sim.Count(simulator.OpDrop) }

// atDrop runs do once, when the nth termination request is acted on and before it is
// answered.
func (s *scene) atDrop(n int, do func()) {
	var mu sync.Mutex
	s.sim.OnActed(func(r simulator.Request) {
		if r.Op != simulator.OpDrop {
			return
		}
		mu.Lock()
		n--
		now := n == 0
		mu.Unlock()
		if now {
			do()
		}
	})
}

// works lists, terminates, and drains, and checks that all of it succeeds and that
// nothing was asked twice.
func (s *scene) works() {
	s.t.Helper()
	s.sim.Reset()
	sessions := s.people(6, simulator.Behavior{})
	listed, said := s.list()
	if len(said) > 0 || len(listed) != len(s.sim.Sessions()) {
		s.t.Errorf("%d of %d sessions are listed:\n%s", len(listed), len(s.sim.Sessions()), said)
	}
	one := s.terminate(sessions[0].SessionID)
	s.check(one, func(v simulator.Session) bool { return v.SessionID == sessions[0].SessionID })
	if one.failed || len(one.ended) != 1 || s.drops() != 1 {
		s.t.Errorf("the termination fails, with %d requests:\n%s", s.drops(), one.said)
	}
	all := s.drain(nil)
	s.check(all, meant)
	if all.failed || len(s.live()) > 0 || s.drops() != len(sessions)-1 {
		s.t.Errorf("the drain fails, with %d requests:\n%s", s.drops(), all.said)
	}
}

// fails lists, terminates, and drains, and checks that all of it fails with these words
// in each error, and that no session is terminated.
func (s *scene) fails(words ...string) {
	s.t.Helper()
	s.sim.Reset()
	sessions := s.people(2, simulator.Behavior{})
	expect := func(what string, said acctest.Diagnostics) {
		s.t.Helper()
		for _, word := range words {
			if !says(said.Errors(), word) {
				s.t.Errorf("%s does not say %q:\n%s", what, word, said)
			}
		}
		for _, secret := range []string{simulator.DefaultClientSecret, proxyPassword, wrongPassword} {
			if strings.Contains(said.String(), secret) {
				s.t.Errorf("%s shows a secret:\n%s", what, said)
			}
		}
	}
	_, said := s.list()
	expect("the list", said)
	one := s.terminate(sessions[0].SessionID)
	s.check(one, func(v simulator.Session) bool { return v.SessionID == sessions[0].SessionID })
	expect("the termination", one.said)
	all := s.drain(nil)
	s.check(all, meant)
	expect("the drain", all.said)
	if live := s.live(); len(live) != len(sessions) {
		s.t.Errorf("%d sessions are live, want %d", len(live), len(sessions))
	}
}
