package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestNothingSecretOnStandardError: at debug level Terraform shows what a provider
// writes to standard error. A server sends the client secret back where no answer
// is due, and net/http writes such bytes to the standard logger.
func TestNothingSecretOnStandardError(t *testing.T) {
	const secret = "s3cr3t-of-this-client"
	server, closed := hostileServer(t, secret)
	command := exec.CommandContext(t.Context(), buildProvider(t))
	command.Env = append(os.Environ(), "TF_LOG=DEBUG")
	var stderr bytes.Buffer
	ask, stop := startProvider(t, command, &stderr)

	configuration := fmt.Sprintf(`{"url":%q,"client_id":"client","client_secret":%q}`, server, secret)
	if diagnostics := ask("ConfigureProvider", message(2, message(2, []byte(configuration)))); len(diagnostics) > 0 {
		t.Fatalf("the configuration is refused: %q", diagnostics)
	}
	request := append(message(1, []byte("senhasegura_sessions")), message(2, message(2, []byte(`{"match":{"users":["ann"]}}`)))...)
	if state := ask("ReadDataSource", request); !bytes.Contains(state, []byte("session-of-ann")) {
		t.Fatalf("the session is not read: %q", state)
	}
	// The provider closes the connection after it has looked at what came unasked.
	select {
	case <-closed:
	case <-time.After(time.Minute):
		t.Fatal("the connection stays open")
	}
	stop()

	if !strings.Contains(stderr.String(), "A2A request") {
		t.Errorf("this is no debug log:\n%s", stderr.String())
	}
	for line := range strings.Lines(stderr.String()) {
		if strings.Contains(line, secret) {
			t.Errorf("the secret is in the log: %s", line)
		}
	}
}

// message is one field of a protobuf message that holds bytes or a message.
func message(field uint64, content []byte) []byte {
	m := binary.AppendUvarint(nil, field<<3|2)
	m = binary.AppendUvarint(m, uint64(len(content)))
	return append(m, content...)
}

// hostileServer answers every request on a connection, and behind the list sends
// an answer to nothing, with the secret. closed is closed when the client has
// closed that connection.
func hostileServer(t *testing.T, secret string) (address string, closed <-chan struct{}) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	done := make(chan struct{})
	serve := func(connection net.Conn) {
		defer func() { _ = connection.Close() }()
		for reader := bufio.NewReader(connection); ; {
			request, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, request.Body)
			body, unasked := `{"token_type":"Bearer","expires_in":3600,"access_token":"a-token"}`, ""
			if request.Method == http.MethodGet {
				body = `{"code":200,"remote_sessions":[{"id":"1","session_id":"session-of-ann","user":"ann","end":null}]}`
				unasked = "HTTP/1.1 200 OK\r\nX-Echo: client_secret=" + secret + "\r\n\r\n"
			}
			_, _ = fmt.Fprintf(connection, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s%s", len(body), body, unasked)
			if unasked != "" {
				_, _ = io.Copy(io.Discard, reader)
				close(done)
				return
			}
		}
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(connection)
		}
	}()
	return "http://" + listener.Addr().String(), done
}
