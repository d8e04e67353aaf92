// Command senhasegura-sim serves a simulated A2A session API on loopback, for
// demonstrations and for tests of modules that use the provider. It stops by
// itself after -lifetime.
//
// Below /_sim/, which is no path of the API, it shows the truth:
//
//	GET  /_sim/sessions  every session with its state and its drops
//	POST /_sim/sessions  adds sessions, in the form of the -sessions file
//	GET  /_sim/journal   every request to the API
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	_ "time/tzdata" // -time-zone works on hosts without a zone database

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "senhasegura-sim:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	addr      string
	sessions  string
	tcp       simulator.ProxyConfig
	lifetime  time.Duration
	readyFile string
	config    simulator.Config
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	var release, permission, liveEnd, zone, userForm, deviceForm string
	flags := flag.NewFlagSet("senhasegura-sim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:0", "loopback `address` to serve on; port 0 takes a free one")
	flags.StringVar(&release, "release", string(simulator.ReleaseNewest), "shapes and routes of this `release`: "+releases())
	flags.StringVar(&o.config.BasePath, "base-path", "", "`prefix` of every route, such as /pam")
	flags.StringVar(&o.config.ClientID, "client-id", simulator.DefaultClientID, "accepted client id")
	flags.StringVar(&o.config.ClientSecret, "client-secret", simulator.DefaultClientSecret, "accepted client secret")
	flags.StringVar(&o.config.Tenant, "tenant", "", "tenant that a token request must name")
	flags.StringVar(&permission, "permission", string(simulator.ReadWrite), "of the authorization: read-write, read-only, drop-only or none")
	flags.StringVar(&liveEnd, "live-end", string(simulator.LiveEndNull), "end value reported for live sessions: null, empty, missing, zero, mixed, or a date in the far future such as \"9999-12-31 23:59:59\"")
	flags.StringVar(&zone, "time-zone", "UTC", "IANA `name` of the zone that timestamps are written in")
	flags.DurationVar(&o.config.ClockSkew, "clock-skew", 0, "how far the server's clock is ahead of this machine's; negative if it is behind")
	flags.BoolVar(&o.config.TrueDate, "true-date", false, "keep -clock-skew out of the Date header, as a gateway with its own clock does")
	flags.StringVar(&userForm, "user-form", string(simulator.UserAsAdded), `user names in API responses: as-added, plain (alice), down-level (CORP\alice), or upn (alice@corp.example.com)`)
	flags.StringVar(&deviceForm, "device-form", string(simulator.DeviceAsAdded), "device names in API responses: as-added, short (db-01), qualified (db-01.corp.example.com), or address (a made-up one)")
	flags.StringVar(&o.config.Domain, "domain", simulator.DefaultDomain, "domain that -user-form and -device-form add to names without one")
	flags.DurationVar(&o.config.EndDelay, "end-delay", 0, "how long after an accepted drop a session ends")
	flags.StringVar(&o.sessions, "sessions", "", "JSON `file` with an array of sessions to begin with")
	flags.StringVar(&o.tcp.Target, "tcp-target", "", "forward TCP connections to this `host:port`; each is a session, and a drop cuts it")
	flags.StringVar(&o.tcp.User, "tcp-user", "jane.roe", "user of forwarded connections")
	flags.StringVar(&o.tcp.Credential, "tcp-credential", "root", "credential of forwarded connections")
	flags.StringVar(&o.tcp.Device, "tcp-device", "", "device of forwarded connections (default: the target)")
	flags.StringVar(&o.tcp.Protocol, "tcp-protocol", "ssh", "protocol of forwarded connections")
	flags.DurationVar(&o.lifetime, "lifetime", 10*time.Minute, "stop after this time")
	flags.StringVar(&o.readyFile, "ready-file", "", "write url, client_id and tcp_addr as JSON to this `file` once it serves")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	o.config.Release = simulator.Release(release)
	o.config.Permission = simulator.Permission(permission)
	o.config.LiveEnd = simulator.LiveEnd(liveEnd)
	o.config.UserForm = simulator.UserForm(userForm)
	o.config.DeviceForm = simulator.DeviceForm(deviceForm)
	var errZone, errLifetime error
	o.config.Location, errZone = time.LoadLocation(zone)
	if o.lifetime <= 0 {
		errLifetime = fmt.Errorf("-lifetime %s: must be more than 0", o.lifetime)
	}
	return o, errors.Join(o.config.Validate(), errZone, errLifetime, loopback(o.addr))
}

func releases() string {
	all := simulator.Releases()
	names := make([]string, 0, len(all))
	for _, release := range all {
		names = append(names, string(release))
	}
	return strings.Join(names, ", ")
}

// loopback refuses every address that another machine could reach: anyone who
// reaches a simulator can log in to it.
func loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("-addr: %w", err)
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.IsLoopback() {
		return fmt.Errorf("-addr %s: write a loopback address such as 127.0.0.1:0", addr)
	}
	return nil
}

// ready is what -ready-file holds. The client secret is left to the caller, who
// chose it or took the default.
type ready struct {
	URL      string `json:"url"`
	ClientID string `json:"client_id"`
	TCPAddr  string `json:"tcp_addr,omitempty"`
	PID      int    `json:"pid"`
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.lifetime)
	defer cancel()

	sim := simulator.New(o.config)
	defer sim.Close()
	if err := seed(sim, o.sessions); err != nil {
		return err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", o.addr)
	if err != nil {
		return err
	}
	at := ready{URL: "http://" + listener.Addr().String() + o.config.BasePath, ClientID: o.config.ClientID, PID: os.Getpid()}
	if o.tcp.Target != "" {
		proxy, err := sim.Proxy(ctx, o.tcp)
		if err != nil {
			_ = listener.Close() // nothing was served on it
			return err
		}
		defer proxy.Close()
		at.TCPAddr = proxy.Addr()
	}
	if o.readyFile != "" {
		// A script must not find a simulator that has gone.
		defer func() { _ = os.Remove(o.readyFile) }() //nolint:gosec // the file that the caller named
	}
	out := &lines{w: stdout}
	sim.OnAnswer(out.request)
	return serve(ctx, listener, withControl(sim), func() error {
		err := writeReady(o.readyFile, at)
		if err == nil {
			out.ready(at)
		}
		return err
	})
}

func seed(sim *simulator.Simulator, file string) error {
	if file == "" {
		return nil
	}
	f, err := os.Open(file) //nolint:gosec // the file that the caller named
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	_, err = sim.AddJSON(f)
	return err
}

// shutdownGrace is how long requests under way may take once it is time to stop.
const shutdownGrace = time.Second

// serve runs until ctx ends. A listening socket accepts already, so announce can
// come first.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, announce func() error) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	if err := announce(); err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	graceful, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if err := server.Shutdown(graceful); err != nil {
		_ = server.Close() // requests that did not end in time are cut
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// writeReady puts the file in place in one step, so that a script that waits for
// it never reads a part.
func writeReady(file string, at ready) error {
	if file == "" {
		return nil
	}
	content, err := json.Marshal(at)
	if err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(file), ".senhasegura-sim-*")
	if err != nil {
		return err
	}
	_, err = part.Write(append(content, '\n'))
	err = errors.Join(err, part.Close())
	if err == nil {
		err = os.Rename(part.Name(), file) //nolint:gosec // the file that the caller named
	}
	if err != nil {
		_ = os.Remove(part.Name()) //nolint:gosec // made above; the error before it is reported
	}
	return err
}

const controlPrefix = "/_sim/"

// withControl answers below /_sim/ and leaves every other path, as received, to
// the API.
func withControl(sim *simulator.Simulator) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.EscapedPath(), controlPrefix) {
			sim.ServeHTTP(w, r)
			return
		}
		switch r.Method + " " + r.URL.EscapedPath() {
		case "GET /_sim/sessions":
			sendJSON(w, func(out io.Writer) error { return simulator.WriteJSON(out, sim.Sessions()) })
		case "GET /_sim/journal":
			sendJSON(w, func(out io.Writer) error { return json.NewEncoder(out).Encode(sim.Journal()) })
		case "POST /_sim/sessions":
			addSessions(sim, w, r)
		default:
			http.Error(w, "the simulator has GET /_sim/sessions, GET /_sim/journal and POST /_sim/sessions", http.StatusNotFound)
		}
	})
}

const maxSeed = 64 << 20

// addSessions demands a JSON content type, which a page in a browser cannot send
// to another origin without asking first.
func addSessions(sim *simulator.Simulator, w http.ResponseWriter, r *http.Request) {
	if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mediaType != "application/json" {
		http.Error(w, "send an array of sessions as application/json", http.StatusUnsupportedMediaType)
		return
	}
	added, err := sim.AddJSON(http.MaxBytesReader(w, r.Body, maxSeed))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	sendJSON(w, func(out io.Writer) error { return simulator.WriteJSON(out, added) })
}

func sendJSON(w http.ResponseWriter, write func(io.Writer) error) {
	w.Header().Set("Content-Type", "application/json")
	_ = write(w) // it fails only when the caller has gone
}

// lines writes one line for every request, none broken by another.
type lines struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lines) ready(at ready) {
	text := "serving " + at.URL
	if at.TCPAddr != "" {
		text += ", forwarding " + at.TCPAddr
	}
	l.print(text)
}

func (l *lines) request(r simulator.Request) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %-5s", r.Done.Format(time.TimeOnly), r.Op)
	switch {
	case r.Object != "":
		b.WriteString(" " + strconv.Quote(r.Object))
	case r.Op == simulator.OpOther:
		b.WriteString(" " + strconv.Quote(r.Method+" "+r.Path))
	}
	if r.Status == 0 {
		b.WriteString(" no answer")
	} else {
		b.WriteString(" " + strconv.Itoa(r.Status))
	}
	if r.Fault != "" {
		b.WriteString(" " + string(r.Fault))
	}
	l.print(b.String())
}

func (l *lines) print(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = fmt.Fprintln(l.w, text) // there is no other place to report it
}
