package acctest

import (
	"encoding/pem"
	"fmt"
	"log/slog"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// Server is a simulated senhasegura on loopback. It is safe for concurrent use.
type Server struct {
	Sim *simulator.Simulator
	// URL is the provider's `url`, with the base path if there is one.
	URL string
	// CACertPEM is the certificate to trust; empty without TLS.
	CACertPEM string

	config simulator.Config
}

// Start serves a simulator over plain HTTP until the test ends.
func Start(tb testing.TB, config simulator.Config) *Server {
	tb.Helper()
	return start(tb, config, false)
}

// StartTLS serves a simulator over HTTPS, with a certificate that no system
// trusts, as a new installation does.
func StartTLS(tb testing.TB, config simulator.Config) *Server {
	tb.Helper()
	return start(tb, config, true)
}

func start(tb testing.TB, config simulator.Config, secure bool) *Server {
	tb.Helper()
	if config.ClientID == "" {
		config.ClientID, config.ClientSecret = simulator.DefaultClientID, simulator.DefaultClientSecret
	}
	sim := simulator.New(config)
	listener := httptest.NewUnstartedServer(sim)
	// Tests break connections on purpose; what the server thinks of that is noise.
	listener.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server := &Server{Sim: sim, config: config}
	if secure {
		listener.StartTLS()
		server.CACertPEM = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: listener.Certificate().Raw}))
	} else {
		listener.Start()
	}
	server.URL = listener.URL + config.BasePath
	tb.Cleanup(func() {
		sim.Close()
		listener.CloseClientConnections()
		listener.Close()
	})
	return server
}

// Config gives the arguments of a provider block for this server. max_retries is 1,
// since retries wait in real time. The caller may change the map.
func (s *Server) Config() map[string]any {
	config := map[string]any{"url": s.URL, "max_retries": 1}
	if s.CACertPEM != "" {
		config["ca_cert_pem"] = s.CACertPEM
	}
	if keys := s.config.OAuth1; keys != nil {
		config["oauth1"] = map[string]any{
			"consumer_key": keys.ConsumerKey, "consumer_secret": keys.ConsumerSecret,
			"token_key": keys.TokenKey, "token_secret": keys.TokenSecret,
		}
		return config
	}
	config["client_id"], config["client_secret"] = s.config.ClientID, s.config.ClientSecret
	if s.config.Tenant != "" {
		config["tenant"] = s.config.Tenant
	}
	return config
}

// ProviderBlock gives a provider block in HCL for this server. Each extra is an
// argument such as `max_retries = 0`; it takes the place of one that Config
// gives.
func (s *Server) ProviderBlock(extra ...string) string {
	config := s.Config()
	for _, argument := range extra {
		name, _, _ := strings.Cut(argument, "=")
		delete(config, strings.TrimSpace(name))
	}
	var b strings.Builder
	b.WriteString("provider \"senhasegura\" {\n")
	for _, name := range slices.Sorted(maps.Keys(config)) {
		fmt.Fprintf(&b, "  %s = %s\n", name, hcl(config[name]))
	}
	for _, argument := range extra {
		fmt.Fprintf(&b, "  %s\n", argument)
	}
	b.WriteString("}\n")
	return b.String()
}

// hcl writes what Config may hold.
func hcl(value any) string {
	switch value := value.(type) {
	case string:
		quoted := fmt.Sprintf("%q", value)
		return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(quoted)
	case map[string]any:
		members := make([]string, 0, len(value))
		for _, name := range slices.Sorted(maps.Keys(value)) {
			members = append(members, name+" = "+hcl(value[name]))
		}
		return "{ " + strings.Join(members, ", ") + " }"
	default:
		return fmt.Sprint(value)
	}
}

// Env gives the provider's environment variables for this server, so that a
// configuration needs no provider block.
func (s *Server) Env() map[string]string {
	env := map[string]string{"SENHASEGURA_URL": s.URL, "SENHASEGURA_MAX_RETRIES": "1"}
	if s.CACertPEM != "" {
		env["SENHASEGURA_CA_CERT_PEM"] = s.CACertPEM
	}
	if keys := s.config.OAuth1; keys != nil {
		env["SENHASEGURA_OAUTH1_CONSUMER_KEY"] = keys.ConsumerKey
		env["SENHASEGURA_OAUTH1_CONSUMER_SECRET"] = keys.ConsumerSecret
		env["SENHASEGURA_OAUTH1_TOKEN_KEY"] = keys.TokenKey
		env["SENHASEGURA_OAUTH1_TOKEN_SECRET"] = keys.TokenSecret
		return env
	}
	env["SENHASEGURA_CLIENT_ID"], env["SENHASEGURA_CLIENT_SECRET"] = s.config.ClientID, s.config.ClientSecret
	if s.config.Tenant != "" {
		env["SENHASEGURA_TENANT"] = s.config.Tenant
	}
	return env
}

// Requests gives every request since the start or the last Forget, in order of
// arrival: "token", "list", "get <record id>", "drop <session id>", and
// "other <method> <path>" for what reached no operation of the release.
func (s *Server) Requests() []string {
	journal := s.Sim.Journal()
	requests := make([]string, 0, len(journal))
	for _, r := range journal {
		switch r.Op {
		case simulator.OpToken, simulator.OpList:
			requests = append(requests, string(r.Op))
		case simulator.OpGet, simulator.OpDrop:
			requests = append(requests, string(r.Op)+" "+r.Object)
		default:
			requests = append(requests, string(r.Op)+" "+r.Method+" "+r.Path)
		}
	}
	return requests
}

// Forget empties the journal.
func (s *Server) Forget() { s.Sim.ResetJournal() }

// ExpectRequests fails the test unless exactly these requests were made, in this
// order, since the start or the last ExpectRequests, and empties the journal.
// Without any it asserts that nothing was asked.
func (s *Server) ExpectRequests(t *testing.T, want ...string) {
	t.Helper()
	got := s.Requests()
	s.Forget()
	if !slices.Equal(got, want) {
		t.Errorf("requests:\n got %q\nwant %q", got, want)
	}
}

// ExpectRequestsInAnyOrder is ExpectRequests for operations that run
// concurrently.
func (s *Server) ExpectRequestsInAnyOrder(t *testing.T, want ...string) {
	t.Helper()
	got := s.Requests()
	s.Forget()
	slices.Sort(got)
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
		t.Errorf("requests, sorted:\n got %q\nwant %q", got, want)
	}
}
