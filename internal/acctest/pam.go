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

// PAM is a simulated senhasegura on loopback. It is safe for concurrent use.
type PAM struct {
	Sim *simulator.Simulator
	// URL is the provider's `url`, with the base path if there is one.
	URL string
	// CACertPEM is the certificate to trust; empty without TLS.
	CACertPEM string

	config simulator.Config
}

// Start serves a simulator over plain HTTP until the test ends.
func Start(tb testing.TB, config simulator.Config) *PAM {
	tb.Helper()
	return start(tb, config, false)
}

// StartTLS serves a simulator over HTTPS, with a certificate that no system
// trusts, as a new installation does.
func StartTLS(tb testing.TB, config simulator.Config) *PAM {
	tb.Helper()
	return start(tb, config, true)
}

func start(tb testing.TB, config simulator.Config, secure bool) *PAM {
	tb.Helper()
	if config.ClientID == "" {
		config.ClientID, config.ClientSecret = simulator.DefaultClientID, simulator.DefaultClientSecret
	}
	sim := simulator.New(config)
	server := httptest.NewUnstartedServer(sim)
	// Tests break connections on purpose; what the server thinks of that is noise.
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	pam := &PAM{Sim: sim, config: config}
	if secure {
		server.StartTLS()
		pam.CACertPEM = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	} else {
		server.Start()
	}
	pam.URL = server.URL + config.BasePath
	tb.Cleanup(func() {
		sim.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return pam
}

// Config gives the arguments of a provider block for this server. max_retries is 1,
// since retries wait in real time. The caller may change the map.
func (p *PAM) Config() map[string]any {
	config := map[string]any{"url": p.URL, "max_retries": 1}
	if p.CACertPEM != "" {
		config["ca_cert_pem"] = p.CACertPEM
	}
	if keys := p.config.OAuth1; keys != nil {
		config["oauth1"] = map[string]any{
			"consumer_key": keys.ConsumerKey, "consumer_secret": keys.ConsumerSecret,
			"token_key": keys.TokenKey, "token_secret": keys.TokenSecret,
		}
		return config
	}
	config["client_id"], config["client_secret"] = p.config.ClientID, p.config.ClientSecret
	if p.config.Tenant != "" {
		config["tenant"] = p.config.Tenant
	}
	return config
}

// ProviderBlock gives a provider block in HCL for this server. Each extra is an
// argument such as `max_retries = 0`; it takes the place of one that Config
// gives.
func (p *PAM) ProviderBlock(extra ...string) string {
	config := p.Config()
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
func (p *PAM) Env() map[string]string {
	env := map[string]string{"SENHASEGURA_URL": p.URL, "SENHASEGURA_MAX_RETRIES": "1"}
	if p.CACertPEM != "" {
		env["SENHASEGURA_CA_CERT_PEM"] = p.CACertPEM
	}
	if keys := p.config.OAuth1; keys != nil {
		env["SENHASEGURA_OAUTH1_CONSUMER_KEY"] = keys.ConsumerKey
		env["SENHASEGURA_OAUTH1_CONSUMER_SECRET"] = keys.ConsumerSecret
		env["SENHASEGURA_OAUTH1_TOKEN_KEY"] = keys.TokenKey
		env["SENHASEGURA_OAUTH1_TOKEN_SECRET"] = keys.TokenSecret
		return env
	}
	env["SENHASEGURA_CLIENT_ID"], env["SENHASEGURA_CLIENT_SECRET"] = p.config.ClientID, p.config.ClientSecret
	if p.config.Tenant != "" {
		env["SENHASEGURA_TENANT"] = p.config.Tenant
	}
	return env
}

// Requests gives every request since the start or the last Forget, in order of
// arrival: "token", "list", "get <record id>", "drop <session id>", and
// "other <method> <path>" for what reached no operation of the release.
func (p *PAM) Requests() []string {
	journal := p.Sim.Journal()
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
func (p *PAM) Forget() { p.Sim.ResetJournal() }

// ExpectRequests fails the test unless exactly these requests were made, in this
// order, since the start or the last ExpectRequests, and empties the journal.
// Without any it asserts that nothing was asked.
func (p *PAM) ExpectRequests(t *testing.T, want ...string) {
	t.Helper()
	got := p.Requests()
	p.Forget()
	if !slices.Equal(got, want) {
		t.Errorf("requests:\n got %q\nwant %q", got, want)
	}
}

// ExpectRequestsInAnyOrder is ExpectRequests for operations that run
// concurrently.
func (p *PAM) ExpectRequestsInAnyOrder(t *testing.T, want ...string) {
	t.Helper()
	got := p.Requests()
	p.Forget()
	slices.Sort(got)
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
		t.Errorf("requests, sorted:\n got %q\nwant %q", got, want)
	}
}
