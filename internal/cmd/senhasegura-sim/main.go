// Command senhasegura-sim serves a simulated A2A session API on loopback, for
// demonstrations and for tests of modules that use the provider. It stops on its
// own after -lifetime.
//
// Below /_sim/, which is no path of the API, it can be inspected and changed:
//
//	GET  /_sim/sessions  every session with its state and its number of termination requests
//	POST /_sim/sessions  adds sessions, in the form of the -sessions file
//	GET  /_sim/journal   every request to the API
//	POST /_sim/reset     starts again with the sessions of the -sessions file
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
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
	var trueDate bool
	flags := flag.NewFlagSet("senhasegura-sim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:0", "loopback `address` to serve on; port 0 selects a free one")
	flags.StringVar(&o.sessions, "sessions", "", "JSON `file` with an array of sessions to start with")
	flags.DurationVar(&o.lifetime, "lifetime", 10*time.Minute, "how long to run")
	flags.StringVar(&o.readyFile, "ready-file", "", "`file` to write url, client_id, tcp_addr, and pid to, as JSON, once the simulator serves")
	flags.StringVar(&o.config.BasePath, "base-path", "", "`prefix` of every route, such as /pam")
	flags.StringVar(&o.config.ClientID, "client-id", simulator.DefaultClientID, "client ID to accept")
	flags.StringVar(&o.config.ClientSecret, "client-secret", simulator.DefaultClientSecret, "client secret to accept")
	flags.StringVar(&o.config.Tenant, "tenant", "", "tenant that a token request must name")
	flags.StringVar(&release, "release", string(simulator.ReleaseNewest), "API `release` to emulate: "+releases())
	flags.StringVar(&permission, "permission", string(simulator.ReadWrite), "permission of the authorization: read-write, read-only, drop-only, or none")
	flags.DurationVar(&o.config.EndDelay, "end-delay", 0, "how long after an accepted termination request a session ends")
	flags.StringVar(&liveEnd, "live-end", string(simulator.LiveEndNull), "end value reported for live sessions: null, empty, missing, zero, mixed, or a date far in the future such as 9999-12-31")
	flags.StringVar(&zone, "time-zone", "UTC", "IANA `name` of the time zone of the server's timestamps")
	flags.DurationVar(&o.config.ClockSkew, "clock-skew", 0, "how far the server's clock is ahead of this machine's; negative if it is behind")
	flags.BoolVar(&trueDate, "true-date", false, "leave the Date header correct despite -clock-skew, as a gateway with its own clock does")
	flags.StringVar(&userForm, "user-form", string(simulator.UserAsAdded), `user names in API responses: as-added, plain (alice), down-level (CORP\alice), or upn (alice@corp.example.com)`)
	flags.StringVar(&deviceForm, "device-form", string(simulator.DeviceAsAdded), "device names in API responses: as-added, short (db-01), qualified (db-01.corp.example.com), or address (made up)")
	flags.StringVar(&o.config.Domain, "domain", simulator.DefaultDomain, "domain that -user-form and -device-form add to names without one")
	flags.StringVar(&o.tcp.Target, "tcp-target", "", "forward TCP connections to this `host:port`; each connection is a session, and terminating the session closes it")
	flags.StringVar(&o.tcp.User, "tcp-user", "jane.roe", "user of forwarded connections")
	flags.StringVar(&o.tcp.Credential, "tcp-credential", "root", "credential of forwarded connections")
	flags.StringVar(&o.tcp.Device, "tcp-device", "", "device of forwarded connections (default: the target)")
	flags.StringVar(&o.tcp.Protocol, "tcp-protocol", "ssh", "protocol of forwarded connections")
	flags.Lookup("lifetime").DefValue = "10m" // package flag would add its zeros
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
	if trueDate {
		o.config.Date = time.Now
	}
	var errZone, errLifetime error
	o.config.Location, errZone = time.LoadLocation(zone)
	if o.lifetime <= 0 {
		errLifetime = fmt.Errorf("-lifetime must be greater than 0, but is %s", o.lifetime)
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
		return fmt.Errorf("-addr must be a loopback address such as 127.0.0.1:0, but is %s", addr)
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
	return serve(ctx, listener, &control{sim: sim, config: o.config, file: o.sessions}, func() error {
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

// control answers below /_sim/ and leaves every other path, as received, to the
// API.
type control struct {
	sim    *simulator.Simulator
	config simulator.Config // of sim
	file   string           // with the sessions of the start; may be empty

	resetting sync.Mutex // held by one reset at a time
	// foreign refuses what the page of another site sends from a browser.
	foreign http.CrossOriginProtection
}

func (c *control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	if !strings.HasPrefix(path, controlPrefix) {
		c.sim.ServeHTTP(w, r)
		return
	}
	if err := c.foreign.Check(r); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	switch r.Method + " " + path {
	case "GET /_sim/sessions":
		sendJSON(w, func(out io.Writer) error { return simulator.WriteJSON(out, c.sim.Sessions()) })
	case "GET /_sim/journal":
		sendJSON(w, func(out io.Writer) error { return json.NewEncoder(out).Encode(c.sim.Journal()) })
	case "POST /_sim/sessions":
		added, err := c.sim.AddJSON(http.MaxBytesReader(w, r.Body, maxSeed))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		sendJSON(w, func(out io.Writer) error { return simulator.WriteJSON(out, added) })
	case "POST /_sim/reset":
		if err := c.reset(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		sendJSON(w, func(out io.Writer) error { return simulator.WriteJSON(out, c.sim.Sessions()) })
	default:
		http.Error(w, "the simulator has GET /_sim/sessions, POST /_sim/sessions, GET /_sim/journal, and POST /_sim/reset", http.StatusNotFound)
	}
}

const maxSeed = 64 << 20

// reset reads the file again, so that it can be edited in the meantime. A faulty
// file changes nothing, because it is tried on another simulator first.
func (c *control) reset() error {
	c.resetting.Lock()
	defer c.resetting.Unlock()
	if err := seed(simulator.New(c.config), c.file); err != nil {
		return err
	}
	c.sim.Reset()
	return seed(c.sim, c.file)
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
