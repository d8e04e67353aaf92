package a2a

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestValidateURL(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"https://pam.example.com", "https://pam.example.com:8443/base/", "https://10.0.0.1", "https://[2001:db8::1]:8443",
		"http://localhost:8080", "http://127.0.0.1", "http://[::1]:1", "http://127.9.9.9/x",
	} {
		if err := ValidateURL(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for bad, part := range map[string]string{
		"":                               "empty",
		"pam.example.com":                `write "https://pam.example.com" instead of "pam.example.com"`,
		"10.0.0.1:8443/pam":              `write "https://10.0.0.1:8443/pam"`,
		"u:p4ss@pam.example.com":         "https://",
		"pam.p4ss/?x":                    "https://",
		"ftp://pam.example.com":          "https://",
		"https://":                       "host",
		"https://:443":                   "host",
		"http://pam.example.com":         "loopback",
		"http://10.0.0.1":                "loopback",
		"http://localhost.evil.com":      "loopback",
		"https://u:p4ss@pam.example.com": "password",
		"https://pam.example.com?x=p4ss": "query",
		"https://pam.example.com?":       "query",
		"https://pam.example.com/#p4ss":  "fragment",
		"https://pam.example.com/a/../b": "segment",
		"https://pam.example.com/%2e%2e": "segment",
		"https://pam.example.com:0":      "port",
		"https://pam.example.com:70000":  "port",
		"https://p4ss%zz":                "must be a URL",
		"https://pam.example.com\n":      "must be a URL",
	} {
		wantFault(t, bad, ValidateURL(bad), part)
	}
}

// wantFault fails unless err has part in its text, and nothing secret.
func wantFault(t *testing.T, what string, err error, part string) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("%q is accepted", what)
	case !strings.Contains(err.Error(), part):
		t.Errorf("%q: error %q lacks %q", what, err, part)
	case strings.Contains(err.Error(), "p4ss"):
		t.Errorf("%q: error %q shows a secret", what, err)
	}
}

func TestValidateProxyURL(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"", "http://proxy:3128", "https://u:p@proxy.example.com", "socks5://10.0.0.1:1080", "socks5h://proxy"} {
		if err := ValidateProxyURL(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for bad, part := range map[string]string{
		"proxy:3128":           "socks5h://",
		"ftp://u:p4ss@proxy":   "socks5h://",
		"http://u:p4ss@":       "host",
		"http://u:p4ss%@proxy": "must be a URL",
		"http://u:p4ss@h:0":    "port",
	} {
		wantFault(t, bad, ValidateProxyURL(bad), part)
	}
}

func TestValidateHeaders(t *testing.T) {
	t.Parallel()
	if err := ValidateHeaders(map[string]string{"Referer": "https://x", "x-site": "", "User-Agent": "me"}); err != nil {
		t.Error(err)
	}
	for name, value := range map[string]string{
		"authorization": "p4ss", "Proxy-Authorization": "p4ss", "host": "x", "Content-Length": "1", "Idempotency-Key": "1",
		"x-idempotency-key": "1", "Accept-Encoding": "br", "Transfer-Encoding": "chunked", "": "x", "a b": "x",
		"X-A": "p4ss\r\nX-B: y", "X-C": "p4ss\x00",
	} {
		wantFault(t, name, ValidateHeaders(map[string]string{name: value}), `"`+name+`"`)
	}
	wantFault(t, "twice", ValidateHeaders(map[string]string{"X-A": "1", "x-a": "2"}), `both "X-A" and "x-a", which are the same header`)
}

func TestValidatePEM(t *testing.T) {
	t.Parallel()
	certificate, key := keyPair(t)
	_, otherKey := keyPair(t)
	if err := ValidateCACertPEM(slices.Concat(certificate, []byte("\n# a comment\n"), certificate)); err != nil {
		t.Error(err)
	}
	if err := ValidateCACertPEM(nil); err != nil {
		t.Error(err)
	}
	if err := validateKeyPair(certificate, key); err != nil {
		t.Error(err)
	}
	const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
	wantFault(t, "a path", ValidateCACertPEM([]byte("/etc/p4ss/ca.pem")), "BEGIN CERTIFICATE")
	wantFault(t, "a key", ValidateCACertPEM(key), "PRIVATE KEY")
	wantFault(t, "broken", ValidateCACertPEM([]byte(broken)), "certificate 1")
	wantFault(t, "the second broken", ValidateCACertPEM(append(slices.Clone(certificate), broken...)), "certificate 2")
	wantFault(t, "another key", validateKeyPair(certificate, otherKey), "belongs to the client key")
	wantFault(t, "no key", validateKeyPair(certificate, []byte("p4ss")), "belongs to the client key")
}

func TestValidatePath(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"", "a", "/a/b/", "iso/session/drop", "a%20b", "a%2Fb"} {
		if err := ValidatePath(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for bad, part := range map[string]string{
		"/":              "slashes",
		"https://x/y":    "scheme",
		"a?b":            "query",
		"a#b":            "query",
		"a//b":           "empty segment",
		"a/../b":         "segment",
		"./a":            "segment",
		"a/%2e%2e/b":     "segment",
		"a b":            "percent-encoded",
		"a%":             "hexadecimal",
		"a/{session_id}": "percent-encoded",
	} {
		wantFault(t, bad, ValidatePath(bad), part)
	}
}

func TestValidateCredential(t *testing.T) {
	t.Parallel()
	if err := ValidateCredential("p4ss word"); err != nil {
		t.Error(err)
	}
	wantFault(t, "", ValidateCredential(""), "empty")
	wantFault(t, "p4ss\n", ValidateCredential("p4ss\n"), "white space")
}

// TestNewReportsAllFaults, each on its field.
func TestNewReportsAllFaults(t *testing.T) {
	t.Parallel()
	certificate, key := keyPair(t)
	for _, tc := range []struct {
		name   string
		change func(*Config)
		fields []string
	}{
		{"nothing", func(*Config) {}, nil},
		{"no retries", func(cfg *Config) { cfg.MaxRetries = 0 }, nil},
		{"the most retries", func(cfg *Config) { cfg.MaxRetries = MaxRetriesLimit }, nil},
		{
			"everything", func(cfg *Config) {
				*cfg = Config{
					CACertPEM: []byte("x"), ClientCertPEM: []byte("x"), ClientKeyPEM: []byte("y"), ProxyURL: "x",
					Headers: map[string]string{"Host": ""}, RequestTimeout: -1, ListTimeout: -1, MaxRetries: 11,
					MaxConcurrentRequests: -1, RequestsPerSecond: math.NaN(), Paths: Paths{"?", "?", "?"}, UserAgent: "\n",
				}
			},
			[]string{
				"URL", "ClientID", "ClientSecret", "CACertPEM", "ClientCertPEM", "ProxyURL", "Headers", "RequestTimeout", "ListTimeout",
				"MaxRetries", "MaxConcurrentRequests", "RequestsPerSecond", "Paths.Token", "Paths.List", "Paths.Drop", "UserAgent",
			},
		},
		{"certificate alone", func(cfg *Config) { cfg.ClientCertPEM = certificate }, []string{"ClientKeyPEM"}},
		{"key alone", func(cfg *Config) { cfg.ClientKeyPEM = key }, []string{"ClientCertPEM"}},
		{
			"two kinds of credentials", func(cfg *Config) { cfg.OAuth1 = &OAuth1{} },
			[]string{"OAuth1", "OAuth1.ConsumerKey", "OAuth1.ConsumerSecret", "OAuth1.TokenKey", "OAuth1.TokenSecret"},
		},
		{"negative numbers", func(cfg *Config) { cfg.MaxRetries, cfg.RequestsPerSecond = -1, -1 }, []string{"MaxRetries", "RequestsPerSecond"}},
		{"infinite rate", func(cfg *Config) { cfg.RequestsPerSecond = math.Inf(1) }, []string{"RequestsPerSecond"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig("https://pam.example.com")
			tc.change(&cfg)
			c, err := New(cfg)
			if (c == nil) != (len(tc.fields) > 0) {
				t.Errorf("client %v", c)
			}
			if got := faultyFields(err); !slices.Equal(got, tc.fields) {
				t.Errorf("fields %v, want %v", got, tc.fields)
			}
		})
	}
}

func faultyFields(err error) []string {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return nil
	}
	var fields []string
	for _, fault := range joined.Unwrap() {
		var e *ConfigError
		if errors.As(fault, &e) {
			fields = append(fields, e.Field)
		}
	}
	return fields
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c := mustNew(t, testConfig("https://pam.example.com"))
	if c.requestTimeout != 30*time.Second || c.listTimeout != 10*time.Minute || cap(c.slots) != 10 ||
		c.maxRetries != 0 || c.location != time.UTC {
		t.Errorf("defaults %v, %v, %d, %d, %v", c.requestTimeout, c.listTimeout, cap(c.slots), c.maxRetries, c.location)
	}
}

// TestConfigIsCopied: a change of the caller's maps does not reach the Client.
func TestConfigIsCopied(t *testing.T) {
	t.Parallel()
	cfg := testConfig("https://pam.example.com")
	cfg.ClientID, cfg.ClientSecret = "", ""
	cfg.Headers = map[string]string{"X-A": "1"}
	cfg.OAuth1 = &OAuth1{"a", "b", "c", "d"}
	c := mustNew(t, cfg)
	cfg.Headers["X-A"], cfg.OAuth1.TokenKey = "2", "x"
	if c.header.Get("X-A") != "1" || c.oauth1.TokenKey != "c" {
		t.Errorf("header %v, token key %q", c.header, c.oauth1.TokenKey)
	}
}
