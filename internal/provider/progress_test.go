package provider_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-log/tflogtest"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// logged collects what a provider logs.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// progress gives the messages at INFO about operations, in their order, and the operations.
func (l *logged) progress(t *testing.T) (messages, operations []string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	entries, err := tflogtest.MultilineJSONDecode(bytes.NewReader(l.text.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry["@level"] != "info" || entry["operation"] == nil {
			continue
		}
		messages = append(messages, fmt.Sprint(entry["@message"]))
		if operation := fmt.Sprint(entry["operation"]); !slices.Contains(operations, operation) {
			operations = append(operations, operation)
		}
	}
	return messages, operations
}

func expectProgress(t *testing.T, log *logged, operation string, want ...string) {
	t.Helper()
	messages, operations := log.progress(t)
	if !slices.Equal(messages, want) {
		t.Errorf("logged at INFO:\n%s\nwant:\n%s", strings.Join(messages, "\n"), strings.Join(want, "\n"))
	}
	if !slices.Equal(operations, []string{operation}) {
		t.Errorf("logged of %q, want %q", operations, operation)
	}
}

// What an operation does while Terraform shows nothing but "Still destroying..." is in
// the log.
func TestProgressInTheLog(t *testing.T) {
	t.Parallel()
	t.Run("destroy of a drain", func(t *testing.T) {
		t.Parallel()
		server := inhabited(t, simulator.Config{}, visitor(1, simulator.Behavior{Refuse: true}), visitor(2, simulator.Behavior{}))
		log := &logged{}
		driver := acctest.NewDriver(t, server, nil)
		driver.Log = log
		r := driver.Resource(drainType)
		r.Destroy(kept(t, r, unseen(map[string]any{"grace_period": "20ms"})))
		expectProgress(t, log, strings.TrimPrefix(ofDrain, ": "),
			"2 sessions matched.", "Waiting up to 20ms for 2 sessions to end on their own.", "Terminating 2 sessions.",
			"terminated: "+lineOf(2), "Repeating the request for 1 session: senhasegura refused the request without giving a reason.",
			"refused: "+lineOf(1))
	})
	t.Run("create of a drain", func(t *testing.T) {
		t.Parallel()
		server := inhabited(t, simulator.Config{}, visitors(1)...)
		whenActed(server, simulator.OpList, 2, func() { server.Sim.Add(visitor(2, simulator.Behavior{})) })
		log := &logged{}
		driver := acctest.NewDriver(t, server, nil)
		driver.Log = log
		kept(t, driver.Resource(drainType), unseen(map[string]any{"drain_on": []string{"create"}, "quiet_period": "50ms"}))
		expectProgress(t, log, strings.TrimPrefix(ofDrain, ": "),
			"1 session matched.", "Terminating 1 session.", "terminated: "+lineOf(1), "Waiting 50ms for new sessions.",
			"1 new matching session.", "Terminating 1 session.", "terminated: "+lineOf(2), "Waiting 50ms for new sessions.")
	})
	const (
		operation = "termination of session " + aliceID
		aliceLine = "alice on 10.66.33.17:22 as root (ssh, from 172.16.20.125) since 2024-05-06T16:11:17Z, session " + aliceID
	)
	t.Run("termination, refused once", func(t *testing.T) {
		t.Parallel()
		server := inhabited(t, simulator.Config{}, alice(simulator.Behavior{RefuseFirst: 1}))
		log := &logged{}
		driver := acctest.NewDriver(t, server, nil)
		driver.Log = log
		driver.Resource(terminationType).Apply(nil, with(nil))
		expectProgress(t, log, operation, "Terminating session "+aliceID+".",
			"Repeating the request for session "+aliceID+": senhasegura refused the request without giving a reason.", "terminated: "+aliceLine)
	})
	t.Run("termination, accepted and live", func(t *testing.T) {
		t.Parallel()
		server := inhabited(t, simulator.Config{}, alice(simulator.Behavior{Zombie: true}))
		log := &logged{}
		driver := acctest.NewDriver(t, server, nil)
		driver.Log = log
		driver.Resource(terminationType).Apply(nil, with(map[string]any{"timeouts": map[string]any{"create": "500ms"}}))
		expectProgress(t, log, operation, "Terminating session "+aliceID+".",
			"Repeating the request for session "+aliceID+": still live.", "still_live: "+aliceLine+": senhasegura accepted the request")
	})
}

// The log of an operation holds no secret, whatever senhasegura quotes in its responses.
func TestProgressInTheLogHasNoSecrets(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t, simulator.Config{ClientID: "terraform", ClientSecret: canarySecret, Referers: []string{canaryHeader}})
	server.Sim.Add(alice(simulator.Behavior{}))
	log := &logged{}
	driver := acctest.NewDriver(t, server, map[string]any{"headers": map[string]string{"Referer": canaryHeader}, "max_retries": 1})
	driver.Log = log
	drain := driver.Resource(drainType)
	state := kept(t, drain, map[string]any{"match": map[string]any{"users": []string{"alice"}}, "poll_interval": "1ms"})
	secrets := append(server.Sim.IssuedTokens(), canarySecret, canaryHeader)
	server.Sim.Inject(simulator.Fault{
		Kind: simulator.Status, Op: simulator.OpDrop, Status: http.StatusInternalServerError,
		Body: fmt.Sprintf(`{"response":{"status":500,"message":"rejected %s","error":true,"error_code":1}}`, strings.Join(secrets, " ")),
	})
	drain.Destroy(state)
	driver.Resource(terminationType).Apply(nil, with(nil))
	left := traces{"log": log.text.String()}
	left.expectFound(t, "Repeating the request for", "log")
	left.expectFound(t, "A2A request", "log")
	left.expectNone(t, append(server.Sim.IssuedTokens(), canarySecret, canaryHeader)...)
}
