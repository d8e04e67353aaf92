package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// typing is how often the user sends a line.
const typing = 200 * time.Millisecond

// target is the server behind senhasegura: it sends back what it gets.
type target struct {
	listener net.Listener
	serving  sync.WaitGroup
	// ended is closed when the first connection is over.
	ended     chan struct{}
	endedOnce sync.Once
	stop      context.CancelFunc
}

func startTarget(ctx context.Context) (*target, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the server: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	t := &target{listener: listener, ended: make(chan struct{}), stop: stop}
	t.serving.Go(func() { t.accept(ctx) })
	return t, nil
}

func (t *target) addr() string { return t.listener.Addr().String() }

func (t *target) accept(ctx context.Context) {
	for {
		connection, err := t.listener.Accept()
		if err != nil {
			return // closed
		}
		t.serving.Go(func() { t.echo(ctx, connection) })
	}
}

func (t *target) echo(ctx context.Context, connection net.Conn) {
	release := context.AfterFunc(ctx, func() { _ = connection.Close() })
	defer release()
	_, _ = io.Copy(connection, connection) // however it ends, it has ended
	_ = connection.Close()
	t.endedOnce.Do(func() { close(t.ended) })
}

// mustBeCut returns nil once the server's end of the connection is over.
func (t *target) mustBeCut(ctx context.Context, within time.Duration) error {
	if err := wait(ctx, t.ended, within); err != nil {
		return fmt.Errorf("the server's end of the connection is still open: %w", err)
	}
	return nil
}

func (t *target) close() error {
	t.stop()
	err := t.listener.Close()
	t.serving.Wait()
	return err
}

// user is a person with a connection open, who types a line now and then and
// reads the answer.
type user struct {
	connection net.Conn
	stop       context.CancelFunc
	stopped    sync.WaitGroup
	// cut is closed when the connection is over; cause is set by then.
	cut   chan struct{}
	cause error

	mu    sync.Mutex
	count int
	more  chan struct{} // closed and replaced with each line
}

func connect(ctx context.Context, address string) (*user, error) {
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("opening the user's connection: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	u := &user{connection: connection, stop: stop, cut: make(chan struct{}), more: make(chan struct{})}
	u.stopped.Go(func() { u.chat(ctx) })
	return u, nil
}

func (u *user) local() string { return u.connection.LocalAddr().String() }

func (u *user) chat(ctx context.Context) {
	release := context.AfterFunc(ctx, func() { _ = u.connection.Close() })
	defer release()
	defer close(u.cut)
	// Also where release is faster than the function above.
	defer func() { _ = u.connection.Close() }()

	answers := bufio.NewReader(u.connection)
	pause := time.NewTicker(typing)
	defer pause.Stop()
	for {
		line := fmt.Sprintf("line %d\n", u.lines()+1)
		if _, u.cause = io.WriteString(u.connection, line); u.cause != nil {
			return
		}
		var answer string
		if answer, u.cause = answers.ReadString('\n'); u.cause != nil {
			return
		}
		if answer != line {
			u.cause = fmt.Errorf("sent %q, got %q back", line, answer)
			return
		}
		u.counted()
		select {
		case <-ctx.Done():
			u.cause = ctx.Err()
			return
		case <-pause.C:
		}
	}
}

func (u *user) counted() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.count++
	close(u.more)
	u.more = make(chan struct{})
}

func (u *user) lines() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.count
}

// echoes waits until n more lines have made the round trip.
func (u *user) echoes(ctx context.Context, n int) error {
	for range n {
		u.mu.Lock()
		more := u.more
		u.mu.Unlock()
		select {
		case <-more:
		case <-u.cut:
			return fmt.Errorf("the connection broke before anything ended its session: %w", u.cause)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// mustBeCut returns nil once the user's end was cut by the other side.
func (u *user) mustBeCut(ctx context.Context, within time.Duration) error {
	if err := wait(ctx, u.cut, within); err != nil {
		return fmt.Errorf("the user's connection is still open: %w", err)
	}
	var broken net.Error // a reset, or a write into what the other side closed
	byOther := errors.Is(u.cause, io.EOF) || errors.As(u.cause, &broken) && !broken.Timeout()
	if !byOther || errors.Is(u.cause, net.ErrClosed) {
		return fmt.Errorf("the user's connection was not cut, it failed: %w", u.cause)
	}
	return nil
}

func (u *user) close() {
	u.stop()
	u.stopped.Wait()
}

// wait returns nil when done is closed in time.
func wait(ctx context.Context, done <-chan struct{}, within time.Duration) error {
	limit := time.NewTimer(within)
	defer limit.Stop()
	select {
	case <-done:
		return nil
	case <-limit.C:
		return fmt.Errorf("no end within %s", within)
	case <-ctx.Done():
		return ctx.Err()
	}
}
