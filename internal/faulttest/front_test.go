package faulttest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// TestFrontThatForwardsOnePrefix: nginx and Apache answer a DELETE to a path that
// they do not forward with 405, and a GET with 404. The drop takes the other route.
func TestFrontThatForwardsOnePrefix(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t, simulator.Config{Release: simulator.Release332})
	var asked []string
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path)
		if !strings.HasPrefix(r.URL.Path, "/api/pam/") {
			server.Sim.ServeHTTP(w, r)
			return
		}
		status := http.StatusNotFound
		if r.Method == http.MethodDelete {
			status = http.StatusMethodNotAllowed
		}
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<html><head><title>"+http.StatusText(status)+"</title></head></html>")
	}))
	t.Cleanup(front.Close)
	live := server.Sim.Add(simulator.Session{User: "alice", Device: "10.0.0.2:22"})
	driver := acctest.NewDriver(t, server, map[string]any{"url": front.URL, "max_retries": 1})
	said := driver.Resource(terminationType).Apply(nil, map[string]any{
		"session_id": live.SessionID, "poll_interval": "1ms",
	}).Diagnostics
	if len(said.Errors()) > 0 {
		t.Errorf("%s\n%s", strings.Join(asked, "\n"), said)
	}
	if s, _ := server.Sim.Session(live.SessionID); s.State == simulator.StateLive {
		t.Error("the session is live")
	}
}
