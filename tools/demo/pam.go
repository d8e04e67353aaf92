package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// stopWithin bounds how long a process may take to end after it was asked to.
const stopWithin = 5 * time.Second

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// simulator is the running senhasegura-sim.
type simulator struct {
	process *exec.Cmd
	// output is complete when exited is closed.
	output *bytes.Buffer
	exited chan struct{}
	ready  ready
}

// ready is what senhasegura-sim writes once it serves.
type ready struct {
	URL     string `json:"url"`
	TCPAddr string `json:"tcp_addr"`
}

// session is one row as senhasegura shows it.
type session struct {
	SessionID  string `json:"session_id"`
	User       string `json:"user"`
	Credential string `json:"credential"`
	Device     string `json:"device"`
	Protocol   string `json:"protocol"`
	OriginIP   string `json:"origin_ip"`
	End        string `json:"end"`
}

func (s session) String() string {
	return fmt.Sprintf("%s on %s as %s (%s, from %s)", s.User, s.Device, s.Credential, s.Protocol, s.OriginIP)
}

func startSimulator(ctx context.Context, program, work, target string) (*simulator, error) {
	readyFile := filepath.Join(work, "ready.json")
	process := exec.CommandContext(ctx, program,
		"-client-id", clientID, "-client-secret", clientSecret,
		"-tcp-target", target, "-tcp-user", "alice", "-tcp-device", "db-01.example.com:22",
		"-end-delay", "1s", "-lifetime", "10m", "-ready-file", readyFile)
	process.Cancel = func() error { return process.Process.Signal(os.Interrupt) }
	process.WaitDelay = stopWithin
	output := &bytes.Buffer{}
	process.Stdout, process.Stderr = output, output
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("starting the simulator: %w", err)
	}
	s := &simulator{process: process, output: output, exited: make(chan struct{})}
	go func() {
		defer close(s.exited)
		_ = process.Wait() // an exit is seen in ProcessState, or expected
	}()
	if err := s.awaitReady(ctx, readyFile); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// awaitReady polls for the file, which the simulator writes when it serves.
func (s *simulator) awaitReady(ctx context.Context, readyFile string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for {
		select {
		case <-s.exited:
			return fmt.Errorf("the simulator ended early (%v): %s", s.process.ProcessState, s.output)
		case <-ctx.Done():
			return fmt.Errorf("the simulator is not ready: %w", ctx.Err())
		case <-pause.C:
		}
		content, err := os.ReadFile(readyFile)
		if err != nil || json.Unmarshal(content, &s.ready) != nil {
			continue // not written, or not to its end
		}
		if s.ready.URL == "" || s.ready.TCPAddr == "" {
			return fmt.Errorf("the simulator's ready file lacks url or tcp_addr: %s", content)
		}
		return nil
	}
}

// stop ends the process and waits for it. An exit that the interrupt caused is
// no error.
func (s *simulator) stop() error {
	_ = s.process.Process.Signal(os.Interrupt) // fails when it has ended, which is as good
	select {
	case <-s.exited:
		return nil
	case <-time.After(stopWithin):
		return errors.Join(errors.New("the simulator did not stop when asked"), s.process.Process.Kill())
	}
}

func (s *simulator) onlyLiveSession(ctx context.Context) (session, error) {
	sessions, err := s.list(ctx)
	if err != nil {
		return session{}, err
	}
	if len(sessions) != 1 || sessions[0].End != "" {
		return session{}, fmt.Errorf("senhasegura should show 1 live session, it shows %+v", sessions)
	}
	return sessions[0], nil
}

func (s *simulator) session(ctx context.Context, id string) (session, error) {
	sessions, err := s.list(ctx)
	if err != nil {
		return session{}, err
	}
	for _, found := range sessions {
		if found.SessionID == id {
			return found, nil
		}
	}
	return session{}, fmt.Errorf("senhasegura no longer shows session %s", id)
}

// list asks as any client of the API would, so that the answer owes nothing to
// the provider.
func (s *simulator) list(ctx context.Context) ([]session, error) {
	var token struct {
		AccessToken string `json:"access_token"`
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {clientSecret}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.ready.URL+"/iso/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := exchange(request, &token); err != nil {
		return nil, fmt.Errorf("asking senhasegura for a token: %w", err)
	}

	var answer struct {
		Sessions []session `json:"remote_sessions"`
	}
	request, err = http.NewRequestWithContext(ctx, http.MethodGet, s.ready.URL+"/api/session/remotesessions", http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token.AccessToken)
	if err := exchange(request, &answer); err != nil {
		return nil, fmt.Errorf("asking senhasegura for its sessions: %w", err)
	}
	return answer.Sessions, nil
}

// mustBeAskedBy returns an error unless the termination request came from the product that
// the User-Agent header begins with.
func (s *simulator) mustBeAskedBy(ctx context.Context, product string) error {
	var journal []journalEntry
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.ready.URL+"/_sim/journal", http.NoBody)
	if err != nil {
		return err
	}
	if err := exchange(r, &journal); err != nil {
		return fmt.Errorf("reading the simulator's journal: %w", err)
	}
	return droppedBy(journal, product)
}

// journalEntry is a request in the simulator's journal.
type journalEntry struct {
	Op        string `json:"op"`
	UserAgent string `json:"user_agent"`
}

func droppedBy(journal []journalEntry, product string) error {
	drops := 0
	for _, r := range journal {
		if r.Op != "drop" {
			continue
		}
		drops++
		if !strings.HasPrefix(r.UserAgent, product+" ") {
			return fmt.Errorf("the session was dropped by %q, not by %s", r.UserAgent, product)
		}
	}
	if drops == 0 {
		return errors.New("the simulator's journal has no drop")
	}
	return nil
}

func exchange(request *http.Request, answer any) error {
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", request.Method, request.URL.Path, response.Status)
	}
	return json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(answer)
}
