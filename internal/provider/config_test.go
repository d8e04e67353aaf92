package provider_test

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// oauth1Keys are whole OAuth 1.0a credentials.
func oauth1Keys() map[string]any {
	return map[string]any{"consumer_key": "ck", "consumer_secret": "cs", "token_key": "tk", "token_secret": "ts"}
}

// fault is an error that a provider argument must get.
type fault struct {
	path string
	// says are parts of summary and detail, the environment variable among them.
	says []string
}

func expectFaults(t *testing.T, got acctest.Diagnostics, want ...fault) {
	t.Helper()
	errs := got.Errors()
	slices.SortFunc(errs, func(a, b acctest.Diagnostic) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(want, func(a, b fault) int { return strings.Compare(a.path, b.path) })
	if len(errs) != len(want) {
		t.Fatalf("%d errors, want %d:\n%s", len(errs), len(want), errs)
	}
	for i, d := range errs {
		if d.Path != want[i].path {
			t.Errorf("an error on %q, want it on %q:\n%s", d.Path, want[i].path, d)
		}
		for _, part := range want[i].says {
			if !strings.Contains(d.Summary+"\n"+d.Detail, part) {
				t.Errorf("the error on %s does not say %q:\n%s", d.Path, part, d)
			}
		}
	}
}

// TestProviderMissing: every argument that is missing gets an error of its own,
// all at once, which names the environment variable too.
func TestProviderMissing(t *testing.T) {
	t.Parallel()

	missing := func(path, variable string) fault {
		return fault{path, []string{"Missing provider argument `" + path + "`", variable}}
	}
	url := missing("url", "SENHASEGURA_URL")
	id, secret := missing("client_id", "SENHASEGURA_CLIENT_ID"), missing("client_secret", "SENHASEGURA_CLIENT_SECRET")
	const address = "https://pam.example.com"

	tests := map[string]struct {
		config map[string]any
		want   []fault
	}{
		"everything":    {nil, []fault{url, id, secret}},
		"url":           {map[string]any{"client_id": "i", "client_secret": "s"}, []fault{url}},
		"client id":     {map[string]any{"url": address, "client_secret": "s"}, []fault{id}},
		"client secret": {map[string]any{"url": address, "client_id": "i"}, []fault{secret}},
		"all of oauth1": {map[string]any{"url": address, "oauth1": map[string]any{}}, []fault{
			missing("oauth1.consumer_key", "SENHASEGURA_OAUTH1_CONSUMER_KEY"), missing("oauth1.consumer_secret", "SENHASEGURA_OAUTH1_CONSUMER_SECRET"),
			missing("oauth1.token_key", "SENHASEGURA_OAUTH1_TOKEN_KEY"), missing("oauth1.token_secret", "SENHASEGURA_OAUTH1_TOKEN_SECRET"),
		}},
		"url, and a part of oauth1": {map[string]any{"oauth1": map[string]any{"consumer_key": "ck", "consumer_secret": "cs", "token_key": "tk"}}, []fault{
			url, missing("oauth1.token_secret", "SENHASEGURA_OAUTH1_TOKEN_SECRET"),
		}},
		"key of the client certificate": {
			map[string]any{"url": address, "client_id": "i", "client_secret": "s", "client_cert_pem": "c"},
			[]fault{missing("client_key_pem", "SENHASEGURA_CLIENT_KEY_PEM")},
		},
		"certificate of the client key": {
			map[string]any{"url": address, "client_id": "i", "client_secret": "s", "client_key_pem": "k"},
			[]fault{missing("client_cert_pem", "SENHASEGURA_CLIENT_CERT_PEM")},
		},
		"secret, where the url is not known yet": {map[string]any{"url": acctest.Unknown, "client_id": "i"}, []fault{secret}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expectFaults(t, acctest.TryDriver(t, nil, test.config).Configured, test.want...)
		})
	}
}

// certificate is one that no system trusts.
func certificate(t *testing.T) string {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	t.Cleanup(server.Close)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

// TestProviderInvalid: every wrong value gets an error on its own argument that
// says what to write.
func TestProviderInvalid(t *testing.T) {
	t.Parallel()

	notThere := filepath.Join(t.TempDir(), "missing.pem")
	notPEM := filepath.Join(t.TempDir(), "broken.pem")
	if err := os.WriteFile(notPEM, []byte("not PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	trusted := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(trusted, []byte(certificate(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		config map[string]any
		want   []fault
	}{
		"url of plain http":         {map[string]any{"url": "http://pam.example.com"}, []fault{{"url", []string{"https"}}}},
		"url without a scheme":      {map[string]any{"url": "pam.example.com"}, []fault{{"url", []string{`write "https://pam.example.com" instead of "pam.example.com"`, "can also set it with the `SENHASEGURA_URL`"}}}},
		"url with credentials":      {map[string]any{"url": "https://me:hunter2@pam.example.com"}, []fault{{"url", nil}}},
		"url with a query":          {map[string]any{"url": "https://pam.example.com?a=b"}, []fault{{"url", nil}}},
		"url empty":                 {map[string]any{"url": ""}, []fault{{"url", nil}}},
		"client id empty":           {map[string]any{"client_id": ""}, []fault{{"client_id", nil}}},
		"client secret empty":       {map[string]any{"client_secret": ""}, []fault{{"client_secret", nil}}},
		"tenant empty":              {map[string]any{"tenant": ""}, []fault{{"tenant", nil}}},
		"ca certificate not PEM":    {map[string]any{"ca_cert_pem": "not PEM"}, []fault{{"ca_cert_pem", []string{"PEM"}}}},
		"ca file missing":           {map[string]any{"ca_cert_file": notThere}, []fault{{"ca_cert_file", []string{"missing.pem", "SENHASEGURA_CA_CERT_FILE"}}}},
		"ca file not PEM":           {map[string]any{"ca_cert_file": notPEM}, []fault{{"ca_cert_file", []string{"PEM", "SENHASEGURA_CA_CERT_FILE"}}}},
		"client certificate":        {map[string]any{"client_cert_pem": "c", "client_key_pem": "k"}, []fault{{"client_cert_pem", []string{"SENHASEGURA_CLIENT_CERT_PEM"}}}},
		"proxy url":                 {map[string]any{"proxy_url": "ftp://proxy.example.com"}, []fault{{"proxy_url", nil}}},
		"header Authorization":      {map[string]any{"headers": map[string]string{"authorization": "x"}}, []fault{{`headers["authorization"]`, []string{"uthorization"}}}},
		"header with a line break":  {map[string]any{"headers": map[string]string{"Referer": "a\nb"}}, []fault{{`headers["Referer"]`, nil}}},
		"header without a value":    {map[string]any{"headers": map[string]any{"Referer": nil}}, []fault{{`headers["Referer"]`, []string{"no value"}}}},
		"header with a wrong name":  {map[string]any{"headers": map[string]string{"a b": "x"}}, []fault{{`headers["a b"]`, nil}}},
		"request timeout":           {map[string]any{"request_timeout": "30"}, []fault{{"request_timeout", []string{"unit"}}}},
		"request timeout zero":      {map[string]any{"request_timeout": "0s"}, []fault{{"request_timeout", []string{"must be greater than zero"}}}},
		"list timeout backward":     {map[string]any{"list_timeout": "-1m"}, []fault{{"list_timeout", []string{"must be greater than zero"}}}},
		"retries below 0":           {map[string]any{"max_retries": -1}, []fault{{"max_retries", []string{"between 0 and 10"}}}},
		"retries above 10":          {map[string]any{"max_retries": 11}, []fault{{"max_retries", []string{"between 0 and 10"}}}},
		"no concurrent request":     {map[string]any{"max_concurrent_requests": 0}, []fault{{"max_concurrent_requests", []string{"between 1 and"}}}},
		"no request per second":     {map[string]any{"requests_per_second": 0.0}, []fault{{"requests_per_second", []string{"at least"}}}},
		"time zone of the runner":   {map[string]any{"time_zone": "Local"}, []fault{{"time_zone", []string{"IANA"}}}},
		"time zone unknown to IANA": {map[string]any{"time_zone": "Brasilia"}, []fault{{"time_zone", []string{"America/Sao_Paulo"}}}},
		"path that climbs":          {map[string]any{"paths": map[string]any{"drop": "../drop"}}, []fault{{"paths.drop", nil}}},
		"path with a host":          {map[string]any{"paths": map[string]any{"token": "https://elsewhere.example.com/token"}}, []fault{{"paths.token", nil}}},
		"path empty":                {map[string]any{"paths": map[string]any{"list": ""}}, []fault{{"paths.list", nil}}},

		"client id with oauth1": {map[string]any{"client_secret": nil, "oauth1": oauth1Keys()}, []fault{
			{"client_id", []string{"oauth1"}}, {"oauth1", []string{"client_id"}},
		}},
		"both ca certificates": {map[string]any{"ca_cert_pem": certificate(t), "ca_cert_file": trusted}, []fault{
			{"ca_cert_pem", []string{"ca_cert_file"}}, {"ca_cert_file", []string{"ca_cert_pem"}},
		}},

		"several, listed at once": {
			map[string]any{"url": "pam", "request_timeout": "x", "max_retries": 99, "time_zone": "x", "headers": map[string]string{"Host": "x"}},
			[]fault{{"url", nil}, {"request_timeout", nil}, {"max_retries", nil}, {"time_zone", nil}, {`headers["Host"]`, nil}},
		},
		"what is missing is listed with a file that is": {
			map[string]any{"ca_cert_file": notThere, "client_id": nil, "client_secret": nil},
			[]fault{{"ca_cert_file", []string{"missing.pem"}}, {"client_id", []string{"Missing"}}, {"client_secret", []string{"Missing"}}},
		},
		"what is missing is listed with a line break": {
			map[string]any{"url": nil, "client_secret": "hunter2\n"},
			[]fault{{"client_secret", []string{"white space"}}, {"url", []string{"Missing"}}},
		},
		"what is missing is listed with what is wrong": {
			map[string]any{"url": "pam", "client_id": nil, "client_secret": nil},
			[]fault{{"url", []string{"SENHASEGURA_URL"}}, {"client_id", []string{"Missing", "SENHASEGURA_CLIENT_ID"}}, {"client_secret", []string{"Missing", "SENHASEGURA_CLIENT_SECRET"}}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t, simulator.Config{})
			configured := acctest.TryDriver(t, server, test.config).Configured
			expectFaults(t, configured, test.want...)
			if strings.Contains(configured.String(), "hunter2") {
				t.Errorf("a password is shown:\n%s", configured)
			}
			server.ExpectRequests(t)
		})
	}
}

// TestProviderValid: the borders of what is accepted.
func TestProviderValid(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]map[string]any{
		"nothing optional":  nil,
		"smallest numbers":  {"max_retries": 0, "max_concurrent_requests": 1, "requests_per_second": 0.5, "request_timeout": "1ms", "list_timeout": "1ms"},
		"largest numbers":   {"max_retries": 10, "max_concurrent_requests": 1000},
		"routes":            {"paths": map[string]any{"token": "iso/oauth2/token", "list": "/api/session/remotesessions/"}},
		"no routes":         {"paths": map[string]any{}},
		"headers":           {"headers": map[string]string{"Referer": "https://runner.example.com", "User-Agent": "mine"}},
		"proxy":             {"proxy_url": "http://user:password@proxy.example.com:3128"},
		"time zone":         {"time_zone": "America/Sao_Paulo"},
		"authority":         {"ca_cert_pem": certificate(t)},
		"https, base path":  {"url": "https://pam.example.com/base/path"},
		"oauth1, no client": {"client_id": nil, "client_secret": nil, "oauth1": oauth1Keys()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t, simulator.Config{})
			expectMessages(t, "message", acctest.TryDriver(t, server, config).Configured)
			server.ExpectRequests(t)
		})
	}
}

// TestProviderInsecureWarns: a connection that verifies nothing works, with a
// warning on every run; without it the same senhasegura is not trusted.
func TestProviderInsecureWarns(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		config   map[string]any
		warnings []message
		errors   []message
	}{
		"insecure": {
			config:   map[string]any{"ca_cert_pem": nil, "insecure": true},
			warnings: []message{{"The TLS certificate of senhasegura is not verified", "insecure", []string{"SENHASEGURA_INSECURE", "`ca_cert_pem`"}}},
		},
		"authority": {},
		"neither": {
			config: map[string]any{"ca_cert_pem": nil},
			errors: notTerminated("the TLS certificate of https://pam.example.com is not trusted", "Nothing of this request was sent to senhasegura", "`ca_cert_file`", "SENHASEGURA_CA_CERT_FILE", "certificate signed by unknown authority"),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := acctest.StartTLS(t, simulator.Config{})
			server.Sim.Add(alice(simulator.Behavior{}))
			d := acctest.NewDriver(t, server, test.config)
			expectMessages(t, "warning", d.Configured, test.warnings...)
			applied := d.Resource(terminationType).Apply(nil, with(nil))
			expectMessages(t, "message", applied.Diagnostics, test.errors...)
		})
	}
}

// TestProviderConnections: each way to authenticate works as a whole.
func TestProviderConnections(t *testing.T) {
	t.Parallel()
	keys := &simulator.OAuth1{ConsumerKey: "ck-value", ConsumerSecret: "cs-value", TokenKey: "tk-value", TokenSecret: "ts-value", RejectReplay: true}
	for name, test := range map[string]struct {
		server   simulator.Config
		config   map[string]any
		requests []string
	}{
		"oauth1":    {simulator.Config{OAuth1: keys}, nil, []string{dropAlice, "list"}},
		"tenant":    {simulator.Config{Tenant: "acme"}, nil, []string{"token", dropAlice, "list"}},
		"base path": {simulator.Config{BasePath: "/pam"}, nil, []string{"token", dropAlice, "list"}},
		"referer": {
			simulator.Config{Referers: []string{"https://runner.example.com"}},
			map[string]any{"headers": map[string]string{"Referer": "https://runner.example.com"}},
			[]string{"token", dropAlice, "list"},
		},
		"pinned routes": {
			simulator.Config{Release: simulator.Release332},
			map[string]any{"paths": map[string]any{"drop": "iso/session/drop"}},
			[]string{"token", dropAlice, "list"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, r := terminate(t, test.server, alice(simulator.Behavior{}), test.config)
			applied := r.Apply(nil, with(nil))
			expectMessages(t, "message", applied.Diagnostics)
			server.ExpectRequests(t, test.requests...)
			if got := applied.State.At("outcome"); got != "terminated" {
				t.Errorf("outcome %v, want terminated", got)
			}
		})
	}
}

// TestProviderReleases: one configuration works with every release that can list.
func TestProviderReleases(t *testing.T) {
	t.Parallel()
	for _, release := range simulator.Releases() {
		if release == simulator.ReleaseDropOnly {
			continue // TestTerminationCreate has its row
		}
		for _, look := range []simulator.LiveEnd{simulator.LiveEndNull, simulator.LiveEndEmpty, simulator.LiveEndMissing, simulator.LiveEndZero} {
			t.Run(string(release)+", live end "+string(look), func(t *testing.T) {
				t.Parallel()
				_, r := terminate(t, simulator.Config{Release: release, LiveEnd: look}, alice(simulator.Behavior{RefuseFirst: 1}), nil)
				applied := r.Apply(nil, with(nil))
				expectMessages(t, "message", applied.Diagnostics)
				if got := applied.State.At("outcome"); got != "terminated" {
					t.Errorf("outcome %v, want terminated", got)
				}
			})
		}
	}
}

// setEnv sets variables for one test, which must not be parallel.
func setEnv(t *testing.T, env map[string]string) {
	t.Helper()
	for name, value := range env {
		t.Setenv(name, value)
	}
}

// TestProviderEnvironment: every variable works where the argument is left out.
func TestProviderEnvironment(t *testing.T) {
	for name, config := range map[string]simulator.Config{
		"client":        {},
		"tenant":        {Tenant: "acme"},
		"oauth1":        {OAuth1: &simulator.OAuth1{ConsumerKey: "ck-value", ConsumerSecret: "cs-value", TokenKey: "tk-value", TokenSecret: "ts-value"}},
		"own authority": {},
	} {
		t.Run(name, func(t *testing.T) {
			start := acctest.Start
			if name == "own authority" {
				start = acctest.StartTLS
			}
			server := start(t, config)
			server.Sim.Add(alice(simulator.Behavior{}))
			setEnv(t, server.Env())

			d := acctest.NewDriver(t, nil, nil)
			expectMessages(t, "message", d.Configured)
			expectMessages(t, "message", d.Resource(terminationType).Apply(nil, with(nil)).Diagnostics)
		})
	}

	t.Run("authority in a file", func(t *testing.T) {
		server := acctest.StartTLS(t, simulator.Config{})
		server.Sim.Add(alice(simulator.Behavior{}))
		file := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(file, []byte(server.CACertPEM), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("SENHASEGURA_CA_CERT_FILE", file)
		d := acctest.NewDriver(t, server, map[string]any{"ca_cert_pem": nil})
		expectMessages(t, "message", d.Resource(terminationType).Apply(nil, with(nil)).Diagnostics)
	})

	t.Run("insecure", func(t *testing.T) {
		server := acctest.StartTLS(t, simulator.Config{})
		server.Sim.Add(alice(simulator.Behavior{}))
		t.Setenv("SENHASEGURA_INSECURE", "true")
		d := acctest.NewDriver(t, server, map[string]any{"ca_cert_pem": nil})
		expectMessages(t, "warning", d.Configured, message{"The TLS certificate of senhasegura is not verified", "insecure", nil})
		expectMessages(t, "message", d.Resource(terminationType).Apply(nil, with(nil)).Diagnostics)
	})

	t.Run("time zone", func(t *testing.T) {
		t.Setenv("SENHASEGURA_TIME_ZONE", "America/Sao_Paulo")
		_, r := terminate(t, simulator.Config{}, endedAlice(), nil)
		applied := r.Apply(nil, with(nil))
		if got := applied.State.At("session", "started_at"); got != "2024-05-06T16:11:17-03:00" {
			t.Errorf("started_at %v, want it in the zone of the environment", got)
		}
	})

	t.Run("retries", func(t *testing.T) {
		t.Setenv("SENHASEGURA_MAX_RETRIES", "0")
		server, r := terminate(t, simulator.Config{}, alice(simulator.Behavior{Refuse: true}), map[string]any{"max_retries": nil})
		r.Apply(nil, with(nil))
		server.ExpectRequests(t, "token", dropAlice, "list")
	})

	t.Run("proxy", func(t *testing.T) {
		// A proxy that does not exist shows that it is used.
		t.Setenv("SENHASEGURA_PROXY_URL", "http://127.0.0.1:1")
		server := acctest.StartTLS(t, simulator.Config{})
		server.Sim.Add(alice(simulator.Behavior{}))
		applied := acctest.NewDriver(t, server, map[string]any{"max_retries": 0}).Resource(terminationType).Apply(nil, with(nil))
		expectMessages(t, "message", applied.Diagnostics,
			notTerminated("the proxy refused the connection or failed", "no response", "127.0.0.1:1")...)
		server.ExpectRequests(t)
	})
}

// TestProviderConfigurationWins over the environment.
func TestProviderConfigurationWins(t *testing.T) {
	setEnv(t, map[string]string{
		"SENHASEGURA_URL": "https://pam.invalid", "SENHASEGURA_CLIENT_ID": "wrong", "SENHASEGURA_CLIENT_SECRET": "wrong",
		"SENHASEGURA_TENANT": "wrong", "SENHASEGURA_MAX_RETRIES": "9", "SENHASEGURA_TIME_ZONE": "Asia/Tokyo",
		"SENHASEGURA_INSECURE": "true", "SENHASEGURA_CA_CERT_PEM": "wrong", "SENHASEGURA_PROXY_URL": "http://127.0.0.1:1",
	})
	server := acctest.StartTLS(t, simulator.Config{Tenant: "acme"})
	server.Sim.Add(endedAlice())
	proxy := map[string]any{"insecure": false, "time_zone": "UTC"}

	t.Run("but an argument left out is taken from it", func(t *testing.T) {
		applied := acctest.NewDriver(t, server, proxy).Resource(terminationType).Apply(nil, with(nil))
		expectMessages(t, "message", applied.Diagnostics,
			notTerminated("the proxy refused the connection or failed", "Nothing of this request was sent", "127.0.0.1:1")...)
	})
	t.Setenv("SENHASEGURA_PROXY_URL", "")
	d := acctest.NewDriver(t, server, proxy)
	expectMessages(t, "message", d.Configured)
	applied := d.Resource(terminationType).Apply(nil, with(nil))
	expectMessages(t, "message", applied.Diagnostics)
	if got := applied.State.At("session", "started_at"); got != "2024-05-06T16:11:17Z" {
		t.Errorf("started_at %v, want it in the configured zone", got)
	}

	t.Run("oauth1 over the client of the environment", func(t *testing.T) {
		keys := &simulator.OAuth1{ConsumerKey: "ck-value", ConsumerSecret: "cs-value", TokenKey: "tk-value", TokenSecret: "ts-value"}
		_, r := terminate(t, simulator.Config{OAuth1: keys}, alice(simulator.Behavior{}), map[string]any{"ca_cert_pem": certificate(t)})
		expectMessages(t, "message", r.Apply(nil, with(nil)).Diagnostics)
	})
	t.Run("client over the oauth1 of the environment", func(t *testing.T) {
		t.Setenv("SENHASEGURA_OAUTH1_CONSUMER_KEY", "wrong")
		_, r := terminate(t, simulator.Config{}, alice(simulator.Behavior{}), map[string]any{"ca_cert_pem": certificate(t), "tenant": "acme"})
		expectMessages(t, "message", r.Apply(nil, with(nil)).Diagnostics)
	})
	t.Run("one half of the client from each", func(t *testing.T) {
		t.Setenv("SENHASEGURA_CLIENT_SECRET", simulator.DefaultClientSecret)
		_, r := terminate(t, simulator.Config{}, alice(simulator.Behavior{}), map[string]any{"ca_cert_pem": certificate(t), "client_secret": nil})
		expectMessages(t, "message", r.Apply(nil, with(nil)).Diagnostics)
	})
}

// TestProviderEnvironmentInvalid: a wrong variable gets the error of its argument.
func TestProviderEnvironmentInvalid(t *testing.T) {
	for name, test := range map[string]struct {
		env  map[string]string
		want []fault
	}{
		"url":       {map[string]string{"SENHASEGURA_URL": "http://pam.example.com"}, []fault{{"url", []string{"The value is from the `SENHASEGURA_URL` environment variable", "https"}}}},
		"insecure":  {map[string]string{"SENHASEGURA_INSECURE": "perhaps"}, []fault{{"insecure", []string{"SENHASEGURA_INSECURE", "perhaps"}}}},
		"retries":   {map[string]string{"SENHASEGURA_MAX_RETRIES": "11"}, []fault{{"max_retries", []string{"SENHASEGURA_MAX_RETRIES", "0 to 10"}}}},
		"time zone": {map[string]string{"SENHASEGURA_TIME_ZONE": "Local"}, []fault{{"time_zone", []string{"SENHASEGURA_TIME_ZONE", "IANA"}}}},
		"proxy":     {map[string]string{"SENHASEGURA_PROXY_URL": "ftp://me:hunter2@proxy"}, []fault{{"proxy_url", []string{"SENHASEGURA_PROXY_URL"}}}},
		"authority": {map[string]string{"SENHASEGURA_CA_CERT_PEM": "not PEM"}, []fault{{"ca_cert_pem", []string{"SENHASEGURA_CA_CERT_PEM"}}}},
		"two authorities": {
			map[string]string{"SENHASEGURA_CA_CERT_PEM": "a", "SENHASEGURA_CA_CERT_FILE": "b"},
			[]fault{{"ca_cert_pem", []string{"SENHASEGURA_CA_CERT_PEM", "SENHASEGURA_CA_CERT_FILE"}}},
		},
		"half a client certificate": {map[string]string{"SENHASEGURA_CLIENT_CERT_PEM": "c"}, []fault{{"client_key_pem", []string{"SENHASEGURA_CLIENT_KEY_PEM"}}}},
		"several, listed at once": {
			map[string]string{"SENHASEGURA_INSECURE": "x", "SENHASEGURA_MAX_RETRIES": "x", "SENHASEGURA_TIME_ZONE": "x", "SENHASEGURA_CLIENT_SECRET": ""},
			[]fault{{"insecure", nil}, {"max_retries", nil}, {"time_zone", nil}, {"client_secret", []string{"SENHASEGURA_CLIENT_SECRET"}}},
		},
		"credentials of both kinds": {
			map[string]string{"SENHASEGURA_OAUTH1_TOKEN_KEY": "k"},
			[]fault{{"client_id", []string{"SENHASEGURA_OAUTH1_", "SENHASEGURA_CLIENT_ID"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			setEnv(t, map[string]string{
				"SENHASEGURA_URL": "https://pam.example.com", "SENHASEGURA_CLIENT_ID": "i", "SENHASEGURA_CLIENT_SECRET": "s",
			})
			setEnv(t, test.env)
			configured := acctest.TryDriver(t, nil, nil).Configured
			expectFaults(t, configured, test.want...)
			if strings.Contains(configured.String(), "hunter2") {
				t.Errorf("a password is shown:\n%s", configured)
			}
		})
	}
}

// TestProviderUserAgent names the provider, Terraform, and what the user adds.
func TestProviderUserAgent(t *testing.T) {
	t.Setenv("TF_APPEND_USER_AGENT", "pipeline/7")
	server, r := terminate(t, simulator.Config{}, alice(simulator.Behavior{}), nil)
	expectMessages(t, "message", r.Apply(nil, with(nil)).Diagnostics)
	const want = "terraform-provider-senhasegura/0.0.0-test Terraform/1.16.0 pipeline/7"
	for _, request := range server.Sim.Journal() {
		if request.UserAgent != want {
			t.Errorf("the user agent of the %s is %q, want %q", request.Op, request.UserAgent, want)
		}
	}
}
