package a2a

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

// Defaults of the fields of Config that are zero.
const (
	DefaultRequestTimeout        = 30 * time.Second
	DefaultListTimeout           = 10 * time.Minute
	DefaultMaxConcurrentRequests = 10
)

// MaxRetriesLimit is the largest MaxRetries that New accepts: with the longest
// backoff, ten retries already take minutes.
const MaxRetriesLimit = 10

// OAuth1 holds the four secrets of an OAuth 1.0a authorization (contract,
// section 2). All are required.
type OAuth1 struct {
	ConsumerKey    string
	ConsumerSecret string
	TokenKey       string
	TokenSecret    string
}

// Paths pins routes where the automatic choice is wrong. Each is relative to
// Config.URL, percent-escaped, with or without slashes at its ends; "" leaves
// the choice automatic. List also serves "get one", which appends the record id;
// Drop is the part before the session id.
type Paths struct {
	Token string
	List  string
	Drop  string
}

// Config is everything that New needs. The zero value of an optional field means
// its default.
type Config struct {
	// URL is the base URL of senhasegura: https, or http for a loopback host. A path is
	// kept as the prefix of every route. Required.
	URL string
	// ClientID and ClientSecret are the OAuth 2.0 client credentials. Required
	// unless OAuth1 is set.
	ClientID     string
	ClientSecret string
	// OAuth1 selects OAuth 1.0a and excludes ClientID and ClientSecret.
	OAuth1 *OAuth1
	// Tenant is the tenant's subdomain, sent with the token request. OAuth 1.0a
	// has no token request and does not use it.
	Tenant string

	// CACertPEM holds certificates that are trusted in addition to the system's.
	CACertPEM []byte
	// ClientCertPEM and ClientKeyPEM are the client certificate with its chain,
	// and its unencrypted key: both or neither.
	ClientCertPEM []byte
	ClientKeyPEM  []byte
	// Insecure skips the verification of the server's certificate.
	Insecure bool
	// ProxyURL is the proxy for every request; "" means the proxies that the
	// environment names.
	ProxyURL string
	// Headers are sent with every request, the token request included.
	Headers map[string]string

	// RequestTimeout bounds one attempt of a call, from the dial to the last
	// byte of the answer; waiting for a free slot or a token does not count.
	RequestTimeout time.Duration
	// ListTimeout is the same for the list.
	ListTimeout time.Duration
	// MaxRetries is how often a call is retried after transient failures, 0 to
	// MaxRetriesLimit; 0 means never.
	MaxRetries int
	// MaxConcurrentRequests bounds the requests in flight of the whole Client,
	// token requests and retries included.
	MaxConcurrentRequests int
	// RequestsPerSecond bounds the rate at which the whole Client starts
	// requests, token requests and retries included; 0 means no limit.
	RequestsPerSecond float64

	// Location is the time zone of senhasegura's timestamps, which carry none; nil
	// means UTC.
	Location *time.Location
	// Dated is told the Date header of each answer that reports no failure and comes
	// from no cache, and between which moments it was written: when the request was
	// sent, and when the answer was here. It is called concurrently, and must be quick;
	// nil means that the headers are not read.
	Dated func(date, sent, received time.Time)
	// Dial opens a connection to host:port address, of a proxy if there is one;
	// nil means TCP with a time limit. It serves networks that only the caller can
	// reach, such as one in memory.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Paths pins routes.
	Paths Paths
	// UserAgent is the User-Agent header; "" means the default of net/http.
	UserAgent string
	// Logger receives one record per HTTP exchange, at debug level, with the
	// context of the call; nil means no log. No header value, body or query
	// reaches it.
	Logger *slog.Logger
}

// ConfigError is what is wrong with one field of Config. New joins all of them
// with errors.Join. Its text never shows a secret.
type ConfigError struct {
	// Field is the name in Config, such as "URL" or "OAuth1.TokenKey".
	Field string
	// Err completes a sentence that begins with the name: "must not be empty".
	Err error
}

func (e *ConfigError) Error() string { return e.Field + " " + e.Err.Error() }

// Unwrap returns Err.
func (e *ConfigError) Unwrap() error { return e.Err }

// validate returns every fault of cfg, each a *ConfigError, joined.
func (cfg *Config) validate() error {
	var faults []error
	check := func(field string, err error) {
		if err != nil {
			faults = append(faults, &ConfigError{Field: field, Err: err})
		}
	}
	check("URL", ValidateURL(cfg.URL))
	cfg.validateCredentials(check)
	check("CACertPEM", ValidateCACertPEM(cfg.CACertPEM))
	cfg.validateClientCertificate(check)
	check("ProxyURL", ValidateProxyURL(cfg.ProxyURL))
	check("Headers", ValidateHeaders(cfg.Headers))
	check("RequestTimeout", validateTimeout(cfg.RequestTimeout))
	check("ListTimeout", validateTimeout(cfg.ListTimeout))
	check("MaxRetries", validateMaxRetries(cfg.MaxRetries))
	if cfg.MaxConcurrentRequests < 0 {
		check("MaxConcurrentRequests", errors.New("must be at least 1"))
	}
	check("RequestsPerSecond", validateRequestsPerSecond(cfg.RequestsPerSecond))
	check("Paths.Token", ValidatePath(cfg.Paths.Token))
	check("Paths.List", ValidatePath(cfg.Paths.List))
	check("Paths.Drop", ValidatePath(cfg.Paths.Drop))
	if !httpguts.ValidHeaderFieldValue(cfg.UserAgent) {
		check("UserAgent", errors.New("must not contain control characters"))
	}
	return errors.Join(faults...)
}

func (cfg *Config) validateCredentials(check func(string, error)) {
	if cfg.OAuth1 == nil {
		check("ClientID", ValidateCredential(cfg.ClientID))
		check("ClientSecret", ValidateCredential(cfg.ClientSecret))
		return
	}
	if cfg.ClientID != "" || cfg.ClientSecret != "" {
		check("OAuth1", errors.New("conflicts with the client ID and the client secret: set one kind of credentials"))
	}
	check("OAuth1.ConsumerKey", ValidateCredential(cfg.OAuth1.ConsumerKey))
	check("OAuth1.ConsumerSecret", ValidateCredential(cfg.OAuth1.ConsumerSecret))
	check("OAuth1.TokenKey", ValidateCredential(cfg.OAuth1.TokenKey))
	check("OAuth1.TokenSecret", ValidateCredential(cfg.OAuth1.TokenSecret))
}

func (cfg *Config) validateClientCertificate(check func(string, error)) {
	switch hasCert, hasKey := len(cfg.ClientCertPEM) > 0, len(cfg.ClientKeyPEM) > 0; {
	case hasCert && !hasKey:
		check("ClientKeyPEM", errors.New("must be set with the client certificate"))
	case hasKey && !hasCert:
		check("ClientCertPEM", errors.New("must be set with the client key"))
	case hasCert:
		check("ClientCertPEM", validateKeyPair(cfg.ClientCertPEM, cfg.ClientKeyPEM))
	}
}

// ValidateURL reports why raw cannot be the base URL of senhasegura, or nil. It
// quotes raw only where it is a plain host name: otherwise it may hold a password.
func ValidateURL(raw string) error {
	const example = `such as "https://pam.example.com"`
	if raw == "" {
		return errors.New("must not be empty: set it to a URL " + example)
	}
	if plainHost.MatchString(raw) {
		return fmt.Errorf("must start with https://: write %q instead of %q", "https://"+raw, raw)
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		// The error of net/url quotes the whole text.
		return errors.New("must be a URL " + example)
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("must start with https://, " + example)
	case u.Hostname() == "":
		return errors.New("must have a host name, " + example)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return errors.New("must start with https://: plain http sends the credentials unencrypted, and works for a loopback host only")
	case u.User != nil:
		return errors.New("must not contain a user name or a password")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New(`must not contain a query or a fragment: remove everything from the first "?" or "#"`)
	case hasDotSegment(u.Path):
		return errors.New(`must not contain a "." or ".." segment in its path`)
	case !validPort(u.Port()):
		return errors.New("must have a port from 1 to 65535")
	}
	return nil
}

// plainHost is a name with a domain, or an IPv4 address, perhaps with a port or a
// path. A label has at most 63 characters, so a token with dots in it is longer.
var plainHost = regexp.MustCompile(`^[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+(:[0-9]{1,5})?(/[A-Za-z0-9/_-]{0,40})?$`)

func validPort(port string) bool {
	if port == "" {
		return true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

func isLoopback(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func hasDotSegment(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(segment string) bool {
		return segment == "." || segment == ".."
	})
}

// ValidateProxyURL reports why raw cannot be a proxy, or nil; "" is none. It
// never quotes raw, which may hold a password.
func ValidateProxyURL(raw string) error {
	const example = `such as "http://proxy.example.com:3128"`
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return errors.New("must be a URL " + example)
	case !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme):
		return errors.New("must start with http://, https://, socks5://, or socks5h://, " + example)
	case u.Hostname() == "":
		return errors.New("must have a host name, " + example)
	case !validPort(u.Port()):
		return errors.New("must have a port from 1 to 65535")
	}
	return nil
}

// reservedHeaders maps the headers that the caller cannot set to the reason.
var reservedHeaders = map[string]string{
	"Authorization":       "the provider sets it from the credentials",
	"Proxy-Authorization": "set the credentials in the URL of the proxy",
	"Host":                "it follows from the URL",
	"Content-Length":      "it follows from the request",
	"Content-Type":        "it follows from the request",
	"Accept-Encoding":     "the provider negotiates compression",
	"Connection":          "it belongs to the connection",
	"Keep-Alive":          "it belongs to the connection",
	"Te":                  "it belongs to the connection",
	"Trailer":             "it belongs to the connection",
	"Transfer-Encoding":   "it belongs to the connection",
	"Upgrade":             "it belongs to the connection",
	"Expect":              "it belongs to the connection",
	// net/http repeats a request of any method on its own if it has one of these.
	"Idempotency-Key":   "a termination request must not be repeated automatically",
	"X-Idempotency-Key": "a termination request must not be repeated automatically",
}

// ValidateHeaders reports every header that cannot be sent, joined, or nil. It
// shows names and never values.
func ValidateHeaders(headers map[string]string) error {
	var faults []error
	seen := make(map[string]string, len(headers))
	for name, value := range headers {
		canonical := http.CanonicalHeaderKey(name)
		if other, ok := seen[canonical]; ok {
			first, second := min(name, other), max(name, other)
			faults = append(faults, fmt.Errorf("must not contain both %q and %q, which are the same header", first, second))
		}
		seen[canonical] = name
		if err := validateHeader(name, value); err != nil {
			faults = append(faults, err)
		}
	}
	// Map order would make the text differ from run to run.
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(faults...)
}

func validateHeader(name, value string) error {
	if !httpguts.ValidHeaderFieldName(name) {
		return fmt.Errorf("must not contain %q, which is not a header name", name)
	}
	if reason, ok := reservedHeaders[http.CanonicalHeaderKey(name)]; ok {
		return fmt.Errorf("must not contain %q: %s", name, reason)
	}
	if !httpguts.ValidHeaderFieldValue(value) {
		return fmt.Errorf("must not contain control characters, such as a line break, in the value of %q", name)
	}
	return nil
}

// ValidateCACertPEM reports why certs is not a list of certificates in PEM form,
// or nil; nothing at all is valid.
func ValidateCACertPEM(certs []byte) error {
	if len(certs) == 0 {
		return nil
	}
	parsed := 0
	for rest := certs; ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return fmt.Errorf("must contain only certificates, but has a PEM block of type %q", block.Type)
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Errorf("must contain valid certificates, but certificate %d can't be read: %w", parsed+1, err)
		}
		parsed++
	}
	if parsed == 0 {
		return errors.New(`must contain a PEM certificate, which starts with "-----BEGIN CERTIFICATE-----"`)
	}
	return nil
}

// validateKeyPair reports why cert and key are not a certificate and its
// unencrypted key in PEM form, or nil.
func validateKeyPair(cert, key []byte) error {
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		// The errors of crypto/tls name types of blocks, never their content.
		return fmt.Errorf("must be a PEM certificate that belongs to the client key: %w", err)
	}
	return nil
}

// ValidatePath reports why path cannot be the pinned path of a route, or nil; ""
// is none.
func ValidatePath(path string) error {
	const example = `must be a path relative to the URL, such as "api/session/remotesessions", `
	if path == "" {
		return nil
	}
	trimmed := strings.Trim(path, "/")
	unescaped, err := url.PathUnescape(trimmed)
	switch {
	case err != nil:
		return errors.New(example + `with two hexadecimal digits after each "%"`)
	case trimmed == "":
		return errors.New(example + "and not only slashes")
	case strings.Contains(trimmed, "://"):
		return errors.New(example + "without a scheme and a host")
	case strings.ContainsAny(trimmed, "?#"):
		return errors.New(example + "without a query or a fragment")
	case strings.Contains(trimmed, "//"):
		return errors.New(example + "without an empty segment")
	case hasDotSegment(unescaped):
		return errors.New(example + `without a "." or ".." segment`)
	case !isEscapedPath(trimmed):
		return errors.New(example + "with special characters percent-encoded")
	}
	return nil
}

// isEscapedPath reports whether a URL keeps path exactly as it is written.
func isEscapedPath(path string) bool {
	unescaped, err := url.PathUnescape(path)
	if err != nil {
		return false
	}
	u := url.URL{Path: unescaped, RawPath: path}
	return u.EscapedPath() == path
}

// ValidateCredential reports why secret cannot be one of the credentials, or nil.
// It never quotes it.
func ValidateCredential(secret string) error {
	switch {
	case secret == "":
		return errors.New("must not be empty")
	case strings.TrimSpace(secret) != secret:
		return errors.New("must not start or end with white space, such as the line break at the end of a file")
	}
	return nil
}

// validateMaxRetries reports why n cannot be MaxRetries, or nil.
func validateMaxRetries(n int) error {
	if n < 0 || n > MaxRetriesLimit {
		return fmt.Errorf("must be from 0 to %d, but is %d", MaxRetriesLimit, n)
	}
	return nil
}

// validateRequestsPerSecond reports why r cannot be RequestsPerSecond, or nil.
func validateRequestsPerSecond(r float64) error {
	if r < 0 || math.IsNaN(r) || math.IsInf(r, 0) {
		return errors.New("must be greater than 0")
	}
	return nil
}

func validateTimeout(d time.Duration) error {
	if d < 0 {
		return errors.New("must not be negative")
	}
	return nil
}
