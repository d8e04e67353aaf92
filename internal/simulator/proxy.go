package simulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// ProxyConfig describes a TCP proxy whose connections are sessions.
type ProxyConfig struct {
	// Target is the host and port that connections are forwarded to.
	Target string
	// The facts of each session. Device is Target when empty, Protocol "ssh",
	// ProxyName "Terminal Proxy".
	User       string
	Credential string
	Device     string
	Protocol   string
	ProxyName  string
	// Behavior of each session; Reconnects has no effect on a connection.
	Behavior Behavior
}

// Proxy forwards TCP connections as senhasegura's session proxies do: each one is a
// live session in the simulator, the end of either side ends the session, and a
// drop that takes effect closes both sides.
type Proxy struct {
	simulator *Simulator
	config    ProxyConfig
	listener  net.Listener
	stop      context.CancelFunc
	running   sync.WaitGroup
}

const (
	dialTimeout = 10 * time.Second
	acceptPause = 10 * time.Millisecond
)

// Proxy starts a proxy on a free port of 127.0.0.1. It runs until Close or the
// end of ctx.
func (s *Simulator) Proxy(ctx context.Context, c ProxyConfig) (*Proxy, error) {
	if _, _, err := net.SplitHostPort(c.Target); err != nil {
		return nil, fmt.Errorf("target of the proxy: %w", err)
	}
	c.Device = cmp.Or(c.Device, c.Target)
	c.Protocol = cmp.Or(c.Protocol, "ssh")
	c.ProxyName = cmp.Or(c.ProxyName, "Terminal Proxy")
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listener of the proxy: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	p := &Proxy{simulator: s, config: c, listener: listener, stop: stop}
	context.AfterFunc(ctx, func() { _ = listener.Close() }) // ends accept; nothing else can be done about an error
	p.running.Go(func() { p.accept(ctx) })
	return p, nil
}

// Addr is the host and port to connect to.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Close stops accepting, closes every connection, which ends its session, and
// waits until all of it is done. It can be called more than once.
func (p *Proxy) Close() {
	p.stop()
	p.running.Wait()
}

func (p *Proxy) accept(ctx context.Context) {
	defer p.stop()
	for {
		conn, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			pause(ctx, acceptPause) // a connection that was gone already, or no free descriptor
			continue
		}
		p.running.Go(func() { p.serve(ctx, conn) })
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// serve forwards one connection until either side or its session ends.
func (p *Proxy) serve(ctx context.Context, client net.Conn) {
	dialer := net.Dialer{Timeout: dialTimeout}
	target, err := dialer.DialContext(ctx, "tcp", p.config.Target)
	if err != nil {
		_ = client.Close() // no session: the device was never reached
		return
	}
	both := &pair{client: client, target: target}
	release := context.AfterFunc(ctx, both.cut)
	defer release()
	session, err := p.simulator.attach(p.session(client), both)
	if err != nil {
		both.cut()
		return
	}
	both.forward()
	p.simulator.detach(session)
}

func (p *Proxy) session(client net.Conn) Session {
	v := Session{
		User: p.config.User, Credential: p.config.Credential, Device: p.config.Device,
		Protocol: p.config.Protocol, Proxy: p.config.ProxyName, Behavior: p.config.Behavior,
	}
	if host, _, err := net.SplitHostPort(client.RemoteAddr().String()); err == nil {
		v.OriginIP = host
	}
	return v
}

// attach adds a live session that stands for a connection.
func (s *Simulator) attach(v Session, l line) (*row, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.insert(v, s.settle())
	if err == nil {
		r.line = l
	}
	return r, err
}

// detach ends the session of a connection that is over. It goes by the row and
// not by an identifier, which another session may have after a Reset.
func (s *Simulator) detach(r *row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish(r, s.settle())
}

// pair is the two ends of one forwarded connection.
type pair struct{ client, target net.Conn }

func (c *pair) cut() {
	_ = c.client.Close() // closed is all that is wanted
	_ = c.target.Close() // as above
}

// forward copies both ways until one direction ends, then closes both: TCP does
// not show whether a side that stopped sending still listens.
func (c *pair) forward() {
	var copying sync.WaitGroup
	for _, way := range [...]struct{ to, from net.Conn }{{c.target, c.client}, {c.client, c.target}} {
		copying.Go(func() {
			defer c.cut()
			_, _ = io.Copy(way.to, way.from) // every error means that the line is over
		})
	}
	copying.Wait()
}
