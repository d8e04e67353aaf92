package simulator_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// echo is a device that sends every line back. Its closed channel tells when a
// connection to it has ended.
func echo(t *testing.T) (addr string, closed <-chan struct{}) {
	t.Helper()
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{}, 10)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
				done <- struct{}{}
			}()
		}
	}()
	return listener.Addr().String(), done
}

// dial connects and sends a line, so that the session is there when it returns.
func dial(t *testing.T, addr string) (net.Conn, *bufio.Reader) {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	say(t, conn, reader)
	return conn, reader
}

func say(t *testing.T, conn net.Conn, reader *bufio.Reader) {
	t.Helper()
	if _, err := io.WriteString(conn, "hello\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := reader.ReadString('\n'); err != nil || line != "hello\n" {
		t.Fatalf("echo: %q, %v", line, err)
	}
}

func wantCut(t *testing.T, reader *bufio.Reader, device <-chan struct{}) {
	t.Helper()
	if line, err := reader.ReadString('\n'); err == nil {
		t.Fatalf("the line is not cut: %q", line)
	} else if timeout, ok := err.(net.Error); ok && timeout.Timeout() { //nolint:errorlint // as the connection returns it
		t.Fatal("the line is not cut")
	}
	<-device
}

func TestProxyDropCutsBothEnds(t *testing.T) {
	t.Parallel()
	for name, delay := range map[string]time.Duration{"at once": 0, "after a delay": time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := login(t, simulator.Config{EndDelay: delay})
			target, device := echo(t)
			proxy, err := k.sim.Proxy(t.Context(), simulator.ProxyConfig{Target: target, User: "jane.roe", Credential: "root"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(proxy.Close)
			conn, reader := dial(t, proxy.Addr())
			stays, staysReader := dial(t, proxy.Addr())

			rows := k.list(t).rows(t, "remote_sessions")
			if len(rows) != 2 {
				t.Fatalf("%d rows, want 2", len(rows))
			}
			for key, want := range map[string]any{
				"user": "jane.roe", "credential": "root", "device": target, "protocol": "ssh", "origin_ip": "127.0.0.1", "end": nil,
			} {
				if rows[0][key] != want {
					t.Errorf("%s is %v, want %v", key, rows[0][key], want)
				}
			}
			first := k.sim.Sessions()[0]
			say(t, conn, reader)
			wantStatus(t, k.drop(t, first.SessionID), http.StatusOK)
			wantCut(t, reader, device)
			wantState(t, k.sim, first.SessionID, simulator.StateEnded)
			say(t, stays, staysReader)
			if err := stays.Close(); err != nil {
				t.Fatal(err)
			}
			<-device
		})
	}
}

// TestProxyReset: a reset closes connections, and the end of one of them does not
// end a new session with the same identifiers.
func TestProxyReset(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Config{})
	target, device := echo(t)
	proxy, err := sim.Proxy(t.Context(), simulator.ProxyConfig{Target: target})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	_, reader := dial(t, proxy.Addr())
	before := sim.Sessions()[0]
	sim.Reset()
	after := sim.Add(simulator.Session{})
	if after.SessionID != before.SessionID {
		t.Fatalf("the new session is %q, want %q again", after.SessionID, before.SessionID)
	}
	wantCut(t, reader, device)
	proxy.Close() // waits until the connection is done
	wantState(t, sim, after.SessionID, simulator.StateLive)
}

func TestProxyZombieLivesOn(t *testing.T) {
	t.Parallel()
	k := login(t, simulator.Config{})
	target, _ := echo(t)
	proxy, err := k.sim.Proxy(t.Context(), simulator.ProxyConfig{Target: target, Behavior: simulator.Behavior{Zombie: true}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	conn, reader := dial(t, proxy.Addr())
	v := k.sim.Sessions()[0]
	wantStatus(t, k.drop(t, v.SessionID), http.StatusOK)
	say(t, conn, reader)
	wantState(t, k.sim, v.SessionID, simulator.StateLive)
}

func TestProxyEnds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		end  func(conn net.Conn, p *simulator.Proxy, cancel context.CancelFunc)
	}{
		{"client closes", func(conn net.Conn, _ *simulator.Proxy, _ context.CancelFunc) { _ = conn.Close() }},
		{"proxy closes", func(_ net.Conn, p *simulator.Proxy, _ context.CancelFunc) { p.Close() }},
		{"context ends", func(_ net.Conn, _ *simulator.Proxy, cancel context.CancelFunc) { cancel() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sim := simulator.New(simulator.Config{})
			target, device := echo(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			proxy, err := sim.Proxy(ctx, simulator.ProxyConfig{Target: target})
			if err != nil {
				t.Fatal(err)
			}
			conn, _ := dial(t, proxy.Addr())
			v := sim.Sessions()[0]
			wantState(t, sim, v.SessionID, simulator.StateLive)
			tt.end(conn, proxy, cancel)
			<-device
			proxy.Close() // waits for what is under way
			wantState(t, sim, v.SessionID, simulator.StateEnded)
		})
	}
}

func TestProxyDeviceCloses(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_ = conn.Close()
		}
	}()
	sim := simulator.New(simulator.Config{})
	proxy, err := sim.Proxy(t.Context(), simulator.ProxyConfig{Target: listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", proxy.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Fatal("the line is not cut")
	}
	proxy.Close()
	sessions := sim.Sessions()
	if len(sessions) != 1 || sessions[0].State != simulator.StateEnded {
		t.Errorf("sessions: %+v", sessions)
	}
}

func TestProxyTargets(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Config{})
	if _, err := sim.Proxy(t.Context(), simulator.ProxyConfig{Target: "no-port"}); err == nil {
		t.Error("a target without port was accepted")
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	proxy, err := sim.Proxy(t.Context(), simulator.ProxyConfig{Target: listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", proxy.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("a connection to a dead target was kept")
	}
	if n := len(sim.Sessions()); n != 0 {
		t.Errorf("%d sessions, want none", n)
	}
}
