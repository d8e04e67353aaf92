package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"go/build"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		want string // in the error
	}{
		{"every interface", []string{"-addr", "0.0.0.0:0"}, "loopback"},
		{"no host", []string{"-addr", ":8080"}, "loopback"},
		{"host name", []string{"-addr", "localhost:0"}, "loopback"},
		{"other machine", []string{"-addr", "192.0.2.1:0"}, "loopback"},
		{"no port", []string{"-addr", "127.0.0.1"}, "missing port"},
		{"release", []string{"-release", "1.0"}, `unknown release "1.0"`},
		{"permission", []string{"-permission", "all"}, "unknown permission"},
		{"live end", []string{"-live-end", "x"}, "live end"},
		{"live end in the past", []string{"-live-end", "2020-01-01 00:00:00"}, "2020-01-01 00:00:00"},
		{"user form", []string{"-user-form", "x"}, "user names"},
		{"device form", []string{"-device-form", "x"}, "device names"},
		{"time zone", []string{"-time-zone", "Nowhere/Town"}, "Nowhere/Town"},
		{"lifetime", []string{"-lifetime", "0s"}, "-lifetime"},
		{"end delay", []string{"-end-delay", "soon"}, "end-delay"},
		{"argument", []string{"extra"}, `"extra"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := parse(tt.args, io.Discard); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{
		"-addr", "[::1]:0", "-release", "3.33", "-base-path", "/pam", "-client-id", "me", "-client-secret", "hush", "-end-delay", "3s",
		"-time-zone", "America/Sao_Paulo", "-clock-skew", "-90m", "-true-date", "-live-end", "2038-01-19 03:14:07",
		"-user-form", "upn", "-device-form", "short", "-domain", "lab.example.net", "-tcp-target", "127.0.0.1:22", "-tcp-user", "joe", "-lifetime", "1m",
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	c := o.config
	if c.Release != simulator.Release333 || c.BasePath != "/pam" || c.ClientID != "me" || c.ClientSecret != "hush" ||
		c.EndDelay != 3*time.Second || c.Location.String() != "America/Sao_Paulo" ||
		c.ClockSkew != -90*time.Minute || c.Date == nil || c.LiveEnd != simulator.LiveEnd2038 ||
		c.UserForm != simulator.UserPrincipal || c.DeviceForm != simulator.DeviceShort || c.Domain != "lab.example.net" {
		t.Errorf("config %+v", c)
	}
	if o.tcp.Target != "127.0.0.1:22" || o.tcp.User != "joe" || o.lifetime != time.Minute {
		t.Errorf("options %+v", o)
	}
	if _, err := parse([]string{"-h"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("help: %v", err)
	}
}

// TestGuide: the guide has every flag, and the simulator takes every sessions file
// of its example.
func TestGuide(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../../docs/guides/test-your-modules-offline.md")
	if err != nil {
		t.Fatal(err)
	}
	var help strings.Builder
	if _, err := parse([]string{"-h"}, &help); !errors.Is(err, flag.ErrHelp) {
		t.Fatal(err)
	}
	flags := regexp.MustCompile(`(?m)^ {2}(-[a-z-]+)`).FindAllStringSubmatch(help.String(), -1)
	if len(flags) < 20 {
		t.Errorf("only %d flags found in %s", len(flags), help.String())
	}
	for _, match := range flags {
		if !bytes.Contains(guide, []byte("`"+match[1]+"`")) {
			t.Errorf("the guide does not have %s", match[1])
		}
	}
	files, err := filepath.Glob("../../../examples/offline-module/tests/*.json")
	if err != nil || len(files) < 2 {
		t.Fatalf("files %q, %v", files, err)
	}
	for _, file := range files {
		sim := simulator.New(simulator.Config{})
		if err := seed(sim, file); err != nil || len(sim.Sessions()) == 0 {
			t.Errorf("%s: %d sessions, %v", file, len(sim.Sessions()), err)
		}
	}
}

// TestZonesWithoutHost: the zone database is in the program. A host with its own
// cannot show that it would work without.
func TestZonesWithoutHost(t *testing.T) {
	t.Parallel()
	program, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(program.Imports, "time/tzdata") {
		t.Error("the program does not import time/tzdata")
	}
}

// buffer can be written and read at once.
type buffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

// started is a running simulator that said where it serves.
type started struct {
	ready
	out  *buffer
	stop context.CancelFunc
	done <-chan error
}

// start runs the command until it has announced itself on standard output.
func start(t *testing.T, args ...string) *started {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	out := &buffer{}
	done := make(chan error, 1)
	file := filepath.Join(t.TempDir(), "ready.json")
	args = append([]string{"-ready-file", file}, args...)
	go func() {
		err := run(ctx, args, io.MultiWriter(out, writer), io.Discard)
		done <- err
		_ = writer.CloseWithError(err)
	}()
	t.Cleanup(stop)
	first := make([]byte, 512)
	n, err := reader.Read(first)
	if err != nil {
		t.Fatalf("it did not start: %v", err)
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	announced := strings.TrimSuffix(strings.Fields(string(first[:n]))[1], ",")
	content, err := os.ReadFile(file) // written before the announcement
	if err != nil {
		t.Fatal(err)
	}
	s := &started{out: out, stop: stop, done: done}
	if err := json.Unmarshal(content, &s.ready); err != nil {
		t.Fatalf("%v in %q", err, content)
	}
	if s.URL != announced {
		t.Errorf("announced %q, ready file says %q", announced, s.URL)
	}
	t.Cleanup(func() {
		if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the ready file stays: %v", err)
		}
	})
	t.Cleanup(func() { s.end(t) })
	return s
}

// end stops it and waits.
func (s *started) end(t *testing.T) {
	t.Helper()
	s.stop()
	if s.done == nil {
		return
	}
	if err := <-s.done; err != nil {
		t.Errorf("it ended with %v", err)
	}
	s.done = nil
}

func (s *started) send(t *testing.T, method, path, contentType, body string, header ...string) (status int, answer []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err = io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer
}

// login returns the Authorization header for a new token.
func (s *started) login(t *testing.T, secret string) string {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {s.ClientID}, "client_secret": {secret}}
	_, body := s.send(t, http.MethodPost, "/api/oauth2/token", "application/x-www-form-urlencoded", form.Encode())
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &token); err != nil || token.AccessToken == "" {
		t.Fatalf("token: %v in %s", err, body)
	}
	return "Bearer " + token.AccessToken
}

type shown struct {
	SessionID string `json:"session_id"`
	State     string `json:"state"`
	Device    string `json:"device"`
}

func (s *started) sessions(t *testing.T) []shown {
	t.Helper()
	status, body := s.send(t, http.MethodGet, "/_sim/sessions", "", "")
	var sessions []shown
	if err := json.Unmarshal(body, &sessions); err != nil || status != http.StatusOK {
		t.Fatalf("sessions: %d, %v in %s", status, err, body)
	}
	return sessions
}

func TestRun(t *testing.T) {
	t.Parallel()
	seeds := filepath.Join(t.TempDir(), "sessions.json")
	if err := os.WriteFile(seeds, []byte(`[{"session_id":"seeded","user":"jane","start":"-9h"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "-client-secret", "canary-secret", "-client-id", "tester", "-sessions", seeds)
	if s.ClientID != "tester" || s.TCPAddr != "" {
		t.Errorf("ready: %+v", s.ready)
	}
	authorization := s.login(t, "canary-secret")
	if status, body := s.send(t, http.MethodDelete, "/api/pam/session/drop/seeded", "", "", "Authorization", authorization); status != http.StatusOK {
		t.Fatalf("drop: %d %s", status, body)
	}
	if got := s.sessions(t); len(got) != 1 || got[0].SessionID != "seeded" || got[0].State != "ended" {
		t.Errorf("sessions %+v", got)
	}
	if status, body := s.send(t, http.MethodPost, "/_sim/sessions", "application/json", `[{"session_id":"added"}]`); status != http.StatusOK {
		t.Errorf("add: %d %s", status, body)
	}
	if got := s.sessions(t); len(got) != 2 || got[1].State != "live" {
		t.Errorf("sessions %+v", got)
	}
	_, journal := s.send(t, http.MethodGet, "/_sim/journal", "", "")
	var requests []simulator.Request
	if err := json.Unmarshal(journal, &requests); err != nil {
		t.Fatal(err)
	}
	if len(requests) != 2 || requests[1].Op != simulator.OpDrop || requests[1].Object != "seeded" {
		t.Errorf("journal %s", journal)
	}
	s.end(t)
	printed := s.out.String()
	for _, want := range []string{"serving " + s.URL + "\n", " token 200\n", ` drop  "seeded" 200` + "\n"} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is not in %s", want, printed)
		}
	}
	for _, secret := range []string{"canary-secret", strings.TrimPrefix(authorization, "Bearer ")} {
		if strings.Contains(printed, secret) || bytes.Contains(journal, []byte(secret)) {
			t.Errorf("%q is in the output or the journal", secret)
		}
	}
}

func TestControlRefuses(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.send(t, http.MethodPost, "/_sim/sessions", "", `[{"session_id":"kept"}]`)
	tests := []struct {
		name, method, path, body string
		header                   []string
		status                   int
	}{
		{"another site", http.MethodPost, "/_sim/reset", "", []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{"another site in an old browser", http.MethodPost, "/_sim/sessions", `[{}]`, []string{"Origin", "https://elsewhere.example"}, http.StatusForbidden},
		{"bad JSON", http.MethodPost, "/_sim/sessions", "{}", nil, http.StatusBadRequest},
		{"method", http.MethodDelete, "/_sim/sessions", "", nil, http.StatusNotFound},
		{"reset by reading", http.MethodGet, "/_sim/reset", "", nil, http.StatusNotFound},
		{"path", http.MethodGet, "/_sim/other", "", nil, http.StatusNotFound},
	}
	for _, tt := range tests {
		if status, body := s.send(t, tt.method, tt.path, "text/plain", tt.body, tt.header...); status != tt.status {
			t.Errorf("%s: %d %s, want %d", tt.name, status, body, tt.status)
		}
	}
	if got := s.sessions(t); len(got) != 1 || got[0].SessionID != "kept" {
		t.Errorf("sessions %+v", got)
	}
}

// TestReset: a second run finds what the first one found, or what the file has
// become since.
func TestReset(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "sessions.json")
	write := func(content string) {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`[{"session_id":"first"}]`)
	s := start(t, "-sessions", file)
	authorization := s.login(t, simulator.DefaultClientSecret)
	drop := func(id string) {
		t.Helper()
		if status, body := s.send(t, http.MethodDelete, "/api/pam/session/drop/"+id, "", "", "Authorization", authorization); status != http.StatusOK {
			t.Errorf("drop: %d %s", status, body)
		}
	}
	reset := func(want int) string {
		t.Helper()
		status, body := s.send(t, http.MethodPost, "/_sim/reset", "", "")
		if status != want {
			t.Errorf("reset: %d %s, want %d", status, body, want)
		}
		return string(body)
	}
	for range 2 {
		drop("first")
		s.send(t, http.MethodPost, "/_sim/sessions", "", `[{"session_id":"added"}]`)
		if body := reset(http.StatusOK); !strings.Contains(body, `"first"`) || strings.Contains(body, `"added"`) {
			t.Errorf("the reset answers %s", body)
		}
		if got := s.sessions(t); len(got) != 1 || got[0].SessionID != "first" || got[0].State != "live" {
			t.Errorf("sessions %+v", got)
		}
		if _, journal := s.send(t, http.MethodGet, "/_sim/journal", "", ""); strings.TrimSpace(string(journal)) != "[]" {
			t.Errorf("journal %s", journal)
		}
	}
	write(`[{"session_id":"second"}]`)
	reset(http.StatusOK)
	drop("second")
	write(`[{"usr":"x"}]`)
	if body := reset(http.StatusInternalServerError); !strings.Contains(body, `"usr"`) {
		t.Errorf("the reset answers %s", body)
	}
	if got := s.sessions(t); len(got) != 1 || got[0].SessionID != "second" || got[0].State != "ended" {
		t.Errorf("a reset that failed left %+v", got)
	}
}

// TestForward drops a real connection through the command.
func TestForward(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	device, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = device.Close() })
	go func() {
		if conn, err := device.Accept(); err == nil {
			_, _ = io.Copy(conn, conn)
			_ = conn.Close()
		}
	}()
	s := start(t, "-tcp-target", device.Addr().String(), "-tcp-device", "10.0.0.9:22")
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", s.TCPAddr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 1)
	if _, err := io.ReadFull(conn, answer); err != nil {
		t.Fatal(err)
	}
	sessions := s.sessions(t)
	if len(sessions) != 1 || sessions[0].Device != "10.0.0.9:22" || sessions[0].State != "live" {
		t.Fatalf("sessions %+v", sessions)
	}
	authorization := s.login(t, simulator.DefaultClientSecret)
	path := "/api/pam/session/drop/" + sessions[0].SessionID
	if status, body := s.send(t, http.MethodDelete, path, "", "", "Authorization", authorization); status != http.StatusOK {
		t.Fatalf("drop: %d %s", status, body)
	}
	if _, err := conn.Read(answer); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the line is not cut: %v", err)
	}
}

func TestRunErrors(t *testing.T) {
	t.Parallel()
	faulty := filepath.Join(t.TempDir(), "faulty.json")
	if err := os.WriteFile(faulty, []byte(`{`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"flag":            {"-nonsense"},
		"no seed file":    {"-sessions", filepath.Join(t.TempDir(), "none.json")},
		"faulty seeds":    {"-sessions", faulty},
		"target":          {"-tcp-target", "no-port"},
		"ready file":      {"-ready-file", filepath.Join(t.TempDir(), "no", "such", "directory")},
		"foreign address": {"-addr", "192.0.2.1:0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestLifetime(t *testing.T) {
	t.Parallel()
	if err := run(t.Context(), []string{"-lifetime", "1ms"}, io.Discard, io.Discard); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		request simulator.Request
		want    string
	}{
		{"drop", simulator.Request{Op: simulator.OpDrop, Object: "abc", Status: 200}, `00:00:00 drop  "abc" 200`},
		{"control characters", simulator.Request{Op: simulator.OpDrop, Object: "a\nb\x1b", Status: 500}, `00:00:00 drop  "a\nb\x1b" 500`},
		{"cut", simulator.Request{Op: simulator.OpList, Fault: simulator.CutBefore}, `00:00:00 list  no answer cut-before`},
		{"other", simulator.Request{Op: simulator.OpOther, Method: "GET", Path: "/x", Status: 404}, `00:00:00 other "GET /x" 404`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			(&lines{w: &out}).request(tt.request)
			if got := out.String(); got != tt.want+"\n" {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
