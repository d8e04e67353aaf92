package faulttest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/a2a"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

func TestMain(m *testing.M) {
	code := acctest.Main(m)
	figures.print(os.Stdout)
	os.Exit(code)
}

const (
	// retries is small enough to read the requests of a cell, and not 1, which
	// would hide a count that is off by one.
	retries = 2
	poll    = 2 * time.Second
	// attemptLimit bounds one attempt of any request.
	attemptLimit = 15 * time.Second
	// patience is the deadline of one use of the provider. It falls on no poll.
	patience = 2*time.Minute - time.Second
)

// network is a network in memory, with the one host that it reaches.
type network struct {
	arriving chan net.Conn
	closed   chan struct{}
	once     sync.Once

	mu    sync.Mutex
	dials int
	// The connections from the number first on, and before end, are refused.
	first, end int
}

func newNetwork() *network {
	return &network{arriving: make(chan net.Conn), closed: make(chan struct{})}
}

// dial is a2a.Config.Dial.
func (n *network) dial(ctx context.Context, kind, _ string) (net.Conn, error) {
	n.mu.Lock()
	refuse := n.first <= n.dials && n.dials < n.end
	n.dials++
	n.mu.Unlock()
	if refuse {
		return nil, &net.OpError{Op: "dial", Net: kind, Err: syscall.ECONNREFUSED}
	}
	near, far := net.Pipe()
	select {
	case n.arriving <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// refuseFrom refuses so many connections, 0 for all, from the number dial on.
func (n *network) refuseFrom(dial, times int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.first, n.end = dial, dial+times
	if times == 0 {
		n.end = math.MaxInt
	}
}

// Accept, Close and Addr make it the listener of a server.
func (n *network) Accept() (net.Conn, error) {
	select {
	case conn := <-n.arriving:
		return conn, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

func (n *network) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// world is a server in memory, and all that the provider has to deal with it.
type world struct {
	t *testing.T
	// now is senhasegura's clock.
	now     func() time.Time
	sim     *simulator.Simulator
	server  *http.Server
	network *network
	// dropsBefore are the drops of each session before the journal began.
	dropsBefore map[string]int
	// manyAsk: several uses read and drop, so that what one of them saw is not what
	// another knows; or several records of a session contradict each other.
	manyAsk bool
	// broken counts the breaches of each promise.
	broken map[string]int

	settings   settings
	client     *a2a.Client
	terminator *termination.Terminator

	// names are what the tables call sessions, by session id and by record id;
	// added are the sessions by name, as they were at first.
	names       map[string]string
	added       map[string]simulator.Session
	newSessions int
}

// settings are what a test may want otherwise.
type settings struct {
	server      simulator.Config
	retries     int
	concurrency int
	// zone is that of the provider, nil for UTC.
	zone *time.Location
}

// inWorld runs test in a bubble with a world of its own.
func inWorld(t *testing.T, s settings, test func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(newWorld(t, s)) })
}

func newWorld(t *testing.T, s settings) *world {
	t.Helper()
	if s.server.Now == nil {
		s.server.Now = ticking()
	}
	w := &world{t: t, now: s.server.Now, sim: simulator.New(s.server), network: newNetwork(), names: map[string]string{}, added: map[string]simulator.Session{}, broken: map[string]int{}}
	w.server = &http.Server{Handler: w.sim, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Hour}
	served := make(chan error, 1)
	go func() { served <- w.server.Serve(w.network) }()
	t.Cleanup(func() {
		time.Sleep(time.Minute) // a token request outlives those who wait for it
		w.checkClock("")
		w.client.CloseIdleConnections()
		w.sim.Close()
		_ = w.server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Errorf("the server ended with %v", err)
		}
	})

	w.settings = s
	w.connect()
	return w
}

// connect makes the client again, as a new process of the provider does.
func (w *world) connect() {
	w.t.Helper()
	if w.client != nil {
		w.client.CloseIdleConnections()
	}
	// Its own terminator: a token that an earlier client asks for may still be on its way.
	var terminator *termination.Terminator
	config := a2a.Config{
		URL:            "http://127.0.0.1" + w.settings.server.BasePath,
		ClientID:       simulator.DefaultClientID,
		ClientSecret:   simulator.DefaultClientSecret,
		RequestTimeout: attemptLimit,
		ListTimeout:    attemptLimit,
		MaxRetries:     w.settings.retries,
		Dial:           w.network.dial,
		Location:       w.settings.zone,
		Dated:          func(date, sent, received time.Time) { terminator.Dated(date, sent, received) },
	}
	client, err := a2a.New(config)
	if err != nil {
		w.t.Fatal(err)
	}
	terminator = termination.New(client, termination.Options{
		Retries: w.settings.retries, Pause: 500 * time.Millisecond, ListTimeout: attemptLimit, Concurrency: w.settings.concurrency,
		Zone: w.settings.zone,
	})
	w.client, w.terminator = client, terminator
}

// checkClock checks what the process would warn of about clocks, "" for nothing. A
// warning that a test has checked is not there again at its end.
func (w *world) checkClock(want string) {
	w.t.Helper()
	found, warns := w.terminator.ClockWarning()
	var got []string
	if found.Deviation != 0 {
		got = append(got, found.OffsetName())
	}
	if found.AtLeast {
		got = append(got, "at least")
	}
	if found.Runner != 0 {
		got = append(got, "machine "+found.Runner.Round(time.Minute).String())
	}
	if text := strings.Join(got, ", "); text != want || warns != (want != "") {
		w.t.Errorf("it warns of %q about clocks, want %q", text, want)
	}
}

// forget begins the journal again.
func (w *world) forget() {
	w.dropsBefore = map[string]int{}
	for _, s := range w.sim.Sessions() {
		w.dropsBefore[s.SessionID] = s.Drops
	}
	w.sim.ResetJournal()
}

// ticking is the clock of the bubble, a nanosecond later each time it is read:
// what follows something else is then seen to follow it.
func ticking() func() time.Time {
	var reads atomic.Int64
	return func() time.Time { return time.Now().Add(time.Duration(reads.Add(1))) }
}

// add puts a session into senhasegura under a name.
func (w *world) add(name string, s simulator.Session) { w.name(w.sim.Add(s), name) }

func (w *world) name(s simulator.Session, name string) {
	w.names[s.SessionID], w.added[name] = name, s
	w.names[strconv.FormatInt(s.RecordID, 10)] = name
}

// truth is what senhasegura knows of a session. Of one that was purged it is what was
// known at first: that it lives.
func (w *world) truth(id string) (simulator.Session, bool) {
	if s, ok := w.sim.Session(id); ok {
		return s, true
	}
	s, ok := w.added[w.names[id]]
	return s, ok
}

// id gives the session id of the session that was added under a name.
func (w *world) id(name string) string {
	w.t.Helper()
	s, ok := w.added[name]
	if !ok {
		w.t.Fatalf("no session is called %q", name)
	}
	return s.SessionID
}

// requests writes the journal as one line: an operation and the name of its session.
// A question mark stands behind
// an operation that was asked for at a route that this server does not have.
func (w *world) requests() string {
	var words []string
	for _, r := range w.sim.Journal() {
		word := string(r.Op)
		switch {
		case r.Op == simulator.OpOther:
			word = wrongRoute(r)
		case r.Object != "":
			word += ":" + w.nameOf(r.Object)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func wrongRoute(r simulator.Request) string {
	switch {
	case strings.Contains(r.Path, "/token"):
		return "token?"
	case r.Method == http.MethodDelete:
		return "drop?"
	case strings.HasSuffix(r.Path, "/remotesessions"):
		return "list?"
	case strings.Contains(r.Path, "/remotesessions/"):
		return "get?"
	}
	return r.Method + r.Path
}

// nameOf gives the name of a session, by session id or record id. Those that
// came on their own are called new1, new2 and so on.
func (w *world) nameOf(object string) string {
	if name, ok := w.names[object]; ok {
		return name
	}
	for _, s := range w.sim.Sessions() {
		if _, ok := w.names[s.SessionID]; !ok {
			w.newSessions++
			w.name(s, fmt.Sprintf("new%d", w.newSessions))
		}
	}
	if name, ok := w.names[object]; ok {
		return name
	}
	return "stranger"
}

// mustSelect compiles a match.
func mustSelect(t *testing.T, match, exclude session.Match) *session.Selector {
	t.Helper()
	selector, err := session.NewSelector(match, exclude)
	if err != nil {
		t.Fatal(err)
	}
	return selector
}
