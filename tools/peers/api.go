package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// api serves a simulator on loopback, and notes the bearer tokens that it sees.
type api struct {
	url    string
	server *http.Server
	sim    *simulator.Simulator

	mu     sync.Mutex
	tokens map[string]bool
}

func serve(ctx context.Context, sim *simulator.Simulator) (*api, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &api{url: "http://" + listener.Addr().String(), sim: sim, tokens: map[string]bool{}}
	a.server = &http.Server{
		Handler:           http.HandlerFunc(a.note),
		ReadHeaderTimeout: 10 * time.Second,
		// Connections are cut on purpose.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	go func() { _ = a.server.Serve(listener) }() // it ends with close
	return a, nil
}

func (a *api) note(w http.ResponseWriter, r *http.Request) {
	if token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); found {
		a.mu.Lock()
		a.tokens[token] = true
		a.mu.Unlock()
	}
	a.sim.ServeHTTP(w, r)
}

func (a *api) bearers() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	bearers := make([]string, 0, len(a.tokens))
	for token := range a.tokens {
		bearers = append(bearers, token)
	}
	return bearers
}

func (a *api) close() {
	a.sim.Close()
	_ = a.server.Close() // nothing is asked of it any more
}
