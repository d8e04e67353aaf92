package main

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"
)

// The demo is a proof only if it can fail: these are the ways in which a
// connection is not cut, or not by the other side.

func TestUserSeesTheCut(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		// end is done to the connection once lines come back over it.
		end    func(cancel context.CancelFunc, t *target, u *user)
		within time.Duration
		want   bool
	}{
		"closed by the other side": {func(_ context.CancelFunc, t *target, _ *user) { t.stop() }, 30 * time.Second, true},
		"left open":                {func(context.CancelFunc, *target, *user) {}, 100 * time.Millisecond, false},
		"closed by the user":       {func(_ context.CancelFunc, _ *target, u *user) { u.close() }, 30 * time.Second, false},
		"closed under the user":    {func(_ context.CancelFunc, _ *target, u *user) { _ = u.connection.Close() }, 30 * time.Second, false},
		"the demo is interrupted":  {func(cancel context.CancelFunc, _ *target, _ *user) { cancel() }, 30 * time.Second, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			server, u := connected(ctx, t)
			if err := u.echoes(ctx, 2); err != nil {
				t.Fatal(err)
			}
			test.end(cancel, server, u)
			err := u.mustBeCut(ctx, test.within)
			if got := err == nil; got != test.want {
				t.Errorf("counted as cut: %t, want %t (%v)", got, test.want, err)
			}
		})
	}
}

func TestServerSeesTheCut(t *testing.T) {
	t.Parallel()

	server, u := connected(t.Context(), t)
	if err := u.echoes(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := server.mustBeCut(t.Context(), 100*time.Millisecond); err == nil {
		t.Error("an open connection counts as cut")
	}
	u.close()
	if err := server.mustBeCut(t.Context(), 30*time.Second); err != nil {
		t.Error(err)
	}
}

func TestEchoesOfADeadLine(t *testing.T) {
	t.Parallel()

	server, u := connected(t.Context(), t)
	if err := u.echoes(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	server.stop()
	if err := u.echoes(t.Context(), 1000); err == nil {
		t.Error("a dead line echoes")
	}
}

// TestWrongEcho uses a server that answers something else.
func TestWrongEcho(t *testing.T) {
	t.Parallel()

	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = connection.Write([]byte("something else\n")) // the user reports what comes of it
	}()
	u, err := connect(t.Context(), listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.close)
	if err := u.echoes(t.Context(), 1); err == nil {
		t.Error("an answer that is no echo counts as one")
	}
	if err := u.mustBeCut(t.Context(), 30*time.Second); err == nil {
		t.Error("a wrong answer counts as a cut")
	}
}

func connected(ctx context.Context, t *testing.T) (*target, *user) {
	t.Helper()
	server, err := startTarget(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.close(); err != nil {
			t.Error(err)
		}
	})
	u, err := connect(ctx, server.addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.close)
	return server, u
}
