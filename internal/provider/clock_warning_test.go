package provider_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// Zones of servers. The names that the tests give as `time_zone` have no daylight
// saving time, so that they are right on every day: America/Sao_Paulo is west.
var (
	west = time.FixedZone("", -3*60*60)
	east = time.FixedZone("", 3*60*60)
)

func startingNow(s simulator.Session) simulator.Session {
	s.Start = time.Now()
	return s
}

// clockWarnings leaves out what is not about clocks.
func clockWarnings(all acctest.Diagnostics) acctest.Diagnostics {
	var some acctest.Diagnostics
	for _, d := range all {
		if strings.Contains(d.Summary, "clock") {
			some = append(some, d)
		}
	}
	return some
}

// clockCase is a server and what the provider believes of its clock.
type clockCase struct {
	name   string
	server simulator.Config
	// zone is `time_zone`, "" where it is not set.
	zone string
	// ends is the warning of what ends a session, reads that of what reads the list
	// alone; "" for none.
	ends, reads string
	says        []string
}

func clockCases() []clockCase {
	const (
		notSet  = "`time_zone` is not set, and senhasegura's clock runs at "
		wrong   = "`time_zone` may be wrong: senhasegura's clock runs at "
		machine = "The clock of this machine is "
	)
	summer, winter := time.FixedZone("", -2*60*60), time.FixedZone("", -4*60*60)
	return []clockCase{
		{name: "not set, behind", server: simulator.Config{Location: west}, ends: notSet + "UTC-03:00", says: []string{"3 hours too early", "`America/Sao_Paulo`", "SENHASEGURA_TIME_ZONE"}},
		{name: "not set, ahead", server: simulator.Config{Location: east}, ends: notSet + "UTC+03:00", reads: notSet + "UTC+02:45 or more"},
		{name: "not set, right"},
		{name: "wrong, behind", server: simulator.Config{Location: west}, zone: "Asia/Tokyo", ends: wrong + "UTC-03:00", says: []string{"`Asia/Tokyo`", "12 hours too early"}},
		{name: "wrong, ahead", zone: "America/Sao_Paulo", ends: wrong + "UTC+00:00", reads: wrong + "UTC-00:15 or more"},
		{name: "right", server: simulator.Config{Location: west}, zone: "America/Sao_Paulo"},
		{name: "daylight saving time is over for the provider", server: simulator.Config{Location: summer}, zone: "America/Sao_Paulo", ends: wrong + "UTC-02:00", reads: wrong + "UTC-02:15 or more"},
		{name: "daylight saving time is over for the server", server: simulator.Config{Location: winter}, zone: "America/Sao_Paulo", ends: wrong + "UTC-04:00", says: []string{"1 hour too early"}},
		{name: "the machine is behind", server: simulator.Config{ClockSkew: 2 * time.Hour}, ends: machine + "2 hours behind senhasegura's", reads: machine + "2 hours behind senhasegura's"},
		{name: "the machine is ahead", server: simulator.Config{Location: west, ClockSkew: -20 * time.Minute}, zone: "America/Sao_Paulo", ends: machine + "20 minutes ahead of senhasegura's", reads: machine + "20 minutes ahead of senhasegura's"},
		{name: "the server is ahead of its gateway", server: simulator.Config{ClockSkew: time.Hour, Date: time.Now}, zone: "UTC", ends: wrong + "UTC+01:00", reads: wrong + "UTC+00:45 or more"},
		{name: "the server is some minutes ahead", server: simulator.Config{ClockSkew: 6 * time.Minute}},
		{
			name: "the machine and the zone", server: simulator.Config{Location: west, ClockSkew: 2 * time.Hour},
			ends: notSet + "UTC-03:00", reads: machine + "2 hours behind senhasegura's", says: []string{"Session times are shown 3 hours too early."},
		},
	}
}

// clockUse is an operation that may see something of senhasegura's clock.
type clockUse struct {
	name string
	// ends: it ends the session of visitor 1.
	ends bool
	run  func(*acctest.Driver) acctest.Diagnostics
	// requests are all requests that it makes: the warning costs none.
	requests []string
}

func clockUses(t *testing.T) []clockUse {
	t.Helper()
	read := func(typeName string, config map[string]any) func(*acctest.Driver) acctest.Diagnostics {
		return func(d *acctest.Driver) acctest.Diagnostics {
			_, said := d.ReadDataSource(typeName, config)
			return said
		}
	}
	// The first request does nothing, so that a termination, too, reads the session
	// as live before its end.
	drains := []string{"token", "list", "drop hash-1", "get 1", "drop hash-1", "get 1", "list"}
	terminates := []string{"token", "drop hash-1", "list", "drop hash-1", "get 1"}
	return []clockUse{
		{"drain at destroy", true, func(d *acctest.Driver) acctest.Diagnostics {
			r := d.Resource(drainType)
			return r.Destroy(kept(t, r, unseen(nil))).Diagnostics
		}, drains},
		{"drain at creation", true, func(d *acctest.Driver) acctest.Diagnostics {
			return d.Resource(drainType).Apply(nil, unseen(map[string]any{"drain_on": []string{"create"}})).Diagnostics
		}, drains},
		{"action", true, func(d *acctest.Driver) acctest.Diagnostics {
			return d.InvokeAction(terminateType, guard(nil)).Diagnostics
		}, drains},
		{"termination", true, func(d *acctest.Driver) acctest.Diagnostics {
			return d.Resource(terminationType).Apply(nil, with(map[string]any{"session_id": "hash-1"})).Diagnostics
		}, terminates},
		{"preview", false, func(d *acctest.Driver) acctest.Diagnostics {
			return d.Resource(drainType).Plan(nil, guard(map[string]any{"drain_on": []string{"create"}})).Diagnostics
		}, []string{"token", "list"}},
		{"sessions", false, read("senhasegura_sessions", nil), []string{"token", "list"}},
		{"session", false, read("senhasegura_session", map[string]any{"session_id": "hash-1"}), []string{"token", "list"}},
		{"visibility", false, read("senhasegura_visibility", nil), []string{"token", "list"}},
	}
}

func TestClockWarning(t *testing.T) {
	t.Parallel()
	for _, c := range clockCases() {
		for _, use := range clockUses(t) {
			t.Run(c.name+"/"+use.name, func(t *testing.T) {
				t.Parallel()
				server := inhabited(t, c.server, startingNow(visitor(1, simulator.Behavior{IgnoreFirst: 1})))
				var arguments map[string]any
				if c.zone != "" {
					arguments = map[string]any{"time_zone": c.zone}
				}
				said := use.run(acctest.NewDriver(t, server, arguments))
				if errors := said.Errors(); len(errors) > 0 {
					t.Fatal(errors)
				}
				want, says := c.reads, []string(nil)
				if use.ends {
					want, says = c.ends, c.says
				}
				var warnings []message
				if want != "" {
					warnings = append(warnings, message{want, "", says})
				}
				expectMessages(t, "warning about clocks", clockWarnings(said), warnings...)
				server.ExpectRequests(t, use.requests...)
			})
		}
	}
}

// However many drains see the same at the same time, one warning tells it. A drain
// that fails tells it, too.
func TestClockWarningOfManyDrains(t *testing.T) {
	t.Parallel()
	for name, behavior := range map[string]simulator.Behavior{"all succeed": {}, "all fail": {Refuse: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, simulator.Config{Location: west}, visitor(1, simulator.Behavior{}), visitor(2, behavior))
			r := acctest.NewDriver(t, server, nil).Resource(drainType)
			var states []*acctest.State
			for range 10 {
				states = append(states, kept(t, r, unseen(nil)))
			}
			var mu sync.Mutex
			var said acctest.Diagnostics
			var drains sync.WaitGroup
			for _, state := range states {
				drains.Go(func() {
					destroyed := r.Destroy(state).Diagnostics
					mu.Lock()
					defer mu.Unlock()
					said = append(said, destroyed...)
				})
			}
			drains.Wait()
			if failed := len(said.Errors()); failed > 0 != behavior.Refuse {
				t.Errorf("%d drains failed:\n%s", failed, said.Errors())
			}
			expectMessages(t, "warning about clocks", clockWarnings(said), message{"`time_zone` is not set, and senhasegura's clock runs at UTC-03:00", "", nil})
		})
	}
}

// The end of a session that this run did not request is ignored, however recent it is.
func TestClockWarningNeedsAnEndOfThisRun(t *testing.T) {
	t.Parallel()
	gone := visitorGone(1)
	gone.Start, gone.End = time.Now().Add(-4*time.Hour), time.Now().Add(-3*time.Hour)
	for name, faults := range map[string][]simulator.Fault{
		"refused":  nil,
		"accepted": {{Op: simulator.OpDrop, Kind: simulator.NoContent204}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, simulator.Config{}, gone)
			for _, fault := range faults {
				server.Sim.Inject(fault)
			}
			said := acctest.NewDriver(t, server, nil).Resource(terminationType).Apply(nil, with(map[string]any{"session_id": "hash-1"})).Diagnostics
			expectMessages(t, "message", said)
			server.ExpectRequests(t, "token", "drop hash-1", "list")
		})
	}
}

// One small request shows the clock of this machine.
func TestClockWarningOfASmallRequest(t *testing.T) {
	t.Parallel()
	server, r := terminate(t, simulator.Config{ClockSkew: -3 * time.Hour}, alice(simulator.Behavior{}), nil)
	state := recorded(t, server, r, with(accepted))
	for name, read := range map[string]func(*acctest.Driver) acctest.Diagnostics{
		"refresh": func(d *acctest.Driver) acctest.Diagnostics {
			return d.Resource(terminationType).Read(state).Diagnostics
		},
		"session by record": func(d *acctest.Driver) acctest.Diagnostics {
			_, said := d.ReadDataSource("senhasegura_session", map[string]any{"record_id": aliceRecord})
			return said
		},
	} {
		server.Forget()
		said := read(acctest.NewDriver(t, server, nil))
		expectMessages(t, name, said, message{"The clock of this machine is 3 hours ahead of senhasegura's", "", nil})
		server.ExpectRequests(t, "token", getAlice)
	}
}
