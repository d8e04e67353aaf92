//go:build unix

package neighbortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// startLimit is far beyond what a program takes to listen, or to reload.
	startLimit = 20 * time.Second
	// stopLimit is how long a program may take to end before it is killed.
	stopLimit = 5 * time.Second
	// startTries is how often a program is started with other ports: a port that was
	// free may be taken by the time the program binds it.
	startTries = 5
)

// packages are Debian's, by program.
var packages = map[string]string{"nginx": "nginx", "haproxy": "haproxy", "squid": "squid"}

// find gives the path of a program, and skips the test where there is none. Debian has
// servers where the PATH of most users does not look.
func find(t *testing.T, name string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name, "/usr/local/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	t.Skipf("%s is not installed. On Debian: apt-get install %s", name, packages[name])
	return ""
}

// record is the output of a program. It is safe for concurrent use.
type record struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes.String()
}

// program is a server that a test runs. Its methods are for one goroutine at a time.
type program struct {
	t    *testing.T
	path string
	args []string
	// as is the user it runs as, nil for that of the test.
	as *syscall.Credential
	// stopped by this signal it ends at once.
	last   syscall.Signal
	output record

	process *os.Process
	ended   chan struct{}
}

// start starts the program, which ends with the test program whatever becomes of that.
func (p *program) start() error {
	command := exec.Command(p.path, p.args...) //nolint:noctx // it ends in stop, which lets it close its own children
	command.Stdout, command.Stderr = &p.output, &p.output
	command.WaitDelay = stopLimit // a child may hold the output
	command.SysProcAttr = &syscall.SysProcAttr{Credential: p.as}
	endWithParent(command.SysProcAttr)
	started, ended := make(chan error), make(chan struct{})
	go func() {
		// The parent in the eyes of the kernel is this thread.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err != nil {
			return
		}
		_ = command.Wait() // it ends by a signal
		close(ended)
	}()
	if err := <-started; err != nil {
		return err
	}
	p.process, p.ended = command.Process, ended
	return nil
}

// signal sends a signal to the program, if it runs.
func (p *program) signal(s syscall.Signal) {
	if err := p.process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("%s: %v", p.path, err)
	}
}

// stop ends the program, and returns when it has ended.
func (p *program) stop() {
	if p.process == nil {
		return
	}
	p.signal(p.last)
	select {
	case <-p.ended:
	case <-time.After(stopLimit):
		p.signal(syscall.SIGKILL)
		<-p.ended
	}
	p.process = nil
}

// await waits until ready succeeds, and fails where the program ends before.
func (p *program) await(ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(p.t.Context(), startLimit)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("it has ended: %s", p.output.String())
		case <-ctx.Done():
			return fmt.Errorf("not ready within %s: %w", startLimit, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// listens is for await.
func listens(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// answers is for await: a plain GET of the address has this body.
func answers(address, want string) func(context.Context) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", http.NoBody)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		if err == nil && string(body) != want {
			err = fmt.Errorf("it answers %q, want %q", body, want)
		}
		return err
	}
}

// given are the ports that tests have been given. HAProxy shares a port with another
// HAProxy without a word, so no two tests may have the same.
var given sync.Map

// freePort gives a port that nothing listens on, and no other test is given.
func freePort(t *testing.T, host string) string {
	t.Helper()
	for {
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		_, port, err := net.SplitHostPort(listener.Addr().String())
		if err := errors.Join(err, listener.Close()); err != nil {
			t.Fatal(err)
		}
		if _, taken := given.LoadOrStore(port, true); !taken {
			return port
		}
	}
}

// needIPv6 skips the test on a machine without ::1.
func needIPv6(t *testing.T) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no IPv6 loopback address: %v", err)
	}
	_ = listener.Close() // nothing was accepted
}

// write writes a file and gives its path.
func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// indented puts lines into a block of a configuration.
func indented(lines string) string {
	if lines = strings.TrimSpace(lines); lines == "" {
		return ""
	}
	return "  " + strings.ReplaceAll(lines, "\n", "\n  ")
}
