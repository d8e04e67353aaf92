package faulttest

import (
	"strconv"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// vendorError is one error of the vendor's own page about the API, and what
// follows for each operation.
type vendorError struct {
	name  string
	fault simulator.Fault
	// What is asked, in the words of a cell, with one retry allowed. Nothing else
	// is asked.
	token, list, get, drop string
	// advice are parts of the message, by operation; "" is for all others.
	advice map[simulator.Op][]string
}

// vendorPage has the vendor's solution to each error in its advice.
var vendorPage = []vendorError{
	{
		name:  "wrong resource",
		fault: kind(simulator.WrongRoute404),
		token: "token×2", list: "list list?×2", get: "get:live get?×2", drop: "drop:live drop?",
		advice: map[simulator.Op][]string{"": {"Check the provider's `url` (`SENHASEGURA_URL`) with its base path"}},
	},
	{
		name:  "wrong resource, without its code",
		fault: says(404, "Resource sub not found"),
		token: "token×2", list: "list list?×2", get: "get:live get?×2", drop: "drop:live drop?",
		advice: map[simulator.Op][]string{"": {"Check the provider's `url` (`SENHASEGURA_URL`) with its base path"}},
	},
	{
		name:  "unexpected error",
		fault: kind(simulator.Unexpected500),
		token: "token+", list: "list+", get: "get:live×2", drop: "drop:live get:live drop:live get:live",
		advice: map[simulator.Op][]string{"": {"contact the vendor's support"}},
	},
	{
		name:  "not authorized",
		fault: kind(simulator.Unauthorized500),
		token: "token", list: "list", get: "get:live", drop: "drop:live",
		advice: map[simulator.Op][]string{"": {"PAM Core", "Read and write", "Credentials and Devices"}},
	},
	{
		name:  "droping session",
		fault: kind(simulator.DropFailed500),
		token: "token+", list: "list+", get: "get:live×2", drop: "drop:live get:live drop:live get:live",
		advice: map[simulator.Op][]string{
			"":               {"Check senhasegura and the gateways in front of it, then run again."},
			simulator.OpDrop: {"Check the session in PAM Core › Audit › Sessions › Remote sessions"},
		},
	},
	{
		name:  "client authentication failed",
		fault: kind(simulator.InvalidClient401),
		token: "token", list: "list token list", get: "get:live token get:live", drop: "drop:live token drop:live",
		advice: map[simulator.Op][]string{"": {"`client_id`", "`client_secret`", "SENHASEGURA_CLIENT_SECRET"}},
	},
	{
		name:  "client authentication failed, as 500",
		fault: says(500, "Client authentication failed"),
		token: "token", list: "list+", get: "get:live×2", drop: "drop:live get:live drop:live get:live",
		advice: map[simulator.Op][]string{
			simulator.OpToken: {"`client_id`", "`client_secret`", "SENHASEGURA_CLIENT_SECRET"},
		},
	},
	{
		name:  "invalid signature",
		fault: kind(simulator.InvalidSignature401),
		token: "token", list: "list token list", get: "get:live token get:live", drop: "drop:live token drop:live",
		advice: map[simulator.Op][]string{"": {"Check that `url` (`SENHASEGURA_URL`) is the URL of the client application", "`oauth1`"}},
	},
	{
		name:  "no route matched",
		fault: kind(simulator.GatewayNoRoute404),
		token: "token×2", list: "list token list list?×2", get: "get:live token get:live get?×2", drop: "drop:live token drop:live drop?",
		advice: map[simulator.Op][]string{"": {"`url`", "when the authorization is missing or rejected"}},
	},
	{
		name:  "request timed out",
		fault: kind(simulator.Timeout408),
		token: "token+", list: "list+", get: "get:live×2", drop: "drop:live get:live drop:live get:live",
		advice: map[simulator.Op][]string{"": {"`request_timeout`"}, simulator.OpDrop: {"Check the network", "then run again"}},
	},
}

func (e vendorError) asks(op simulator.Op) string {
	return map[simulator.Op]string{
		simulator.OpToken: e.token, simulator.OpList: e.list, simulator.OpGet: e.get, simulator.OpDrop: e.drop,
	}[op]
}

// TestVendorPage: each error of the vendor's page leads to the requests that its
// solution asks for, and to no others, and the message gives that solution.
func TestVendorPage(t *testing.T) {
	t.Parallel()
	for _, e := range vendorPage {
		for _, op := range []simulator.Op{simulator.OpToken, simulator.OpList, simulator.OpGet, simulator.OpDrop} {
			t.Run(e.name+"/"+string(op), func(t *testing.T) {
				t.Parallel()
				s := newStage(t)
				// The list is read again until no read has worked for list_timeout.
				s.driver = acctest.NewDriver(t, s.server, map[string]any{"max_retries": 1, "list_timeout": "1s"})
				if op != simulator.OpToken {
					// A token that was accepted before, as it is in the middle of a run.
					if _, said := s.driver.ReadDataSource(sessionsData, map[string]any{}); len(said) > 0 {
						t.Fatal(said)
					}
					s.server.Forget()
				}
				f := e.fault
				f.Op = op
				s.server.Sim.Inject(f)
				said := s.meet(t, op)
				if got, want := s.requests(), e.asks(op); !(cell{asks: want}).asked(got) {
					t.Errorf("it asks %q, want %q", got, want)
				}
				advice := e.advice[op]
				if advice == nil {
					advice = e.advice[""]
				}
				if len(said.Errors()) != 1 {
					t.Fatalf("%d errors, want 1:\n%s", len(said.Errors()), said)
				}
				for _, part := range advice {
					if !strings.Contains(said.Errors()[0].Detail, part) {
						t.Errorf("the message lacks %q:\n%s", part, said)
					}
				}
				if live, _ := s.server.Sim.Session(s.live.SessionID); live.State != simulator.StateLive {
					t.Errorf("the session is %s", live.State)
				}
			})
		}
	}
}

// meet carries out what needs the operation.
func (s *stage) meet(t *testing.T, op simulator.Op) acctest.Diagnostics {
	t.Helper()
	switch op {
	case simulator.OpGet:
		_, said := s.driver.ReadDataSource(sessionData, map[string]any{"record_id": strconv.FormatInt(s.live.RecordID, 10)})
		return said
	case simulator.OpDrop:
		return s.driver.Resource(terminationType).Apply(nil, map[string]any{
			"session_id": s.live.SessionID, "record_id": strconv.FormatInt(s.live.RecordID, 10), "poll_interval": "1ms",
		}).Diagnostics
	case simulator.OpToken, simulator.OpList, simulator.OpOther:
	}
	_, said := s.driver.ReadDataSource(sessionsData, map[string]any{})
	return said
}
