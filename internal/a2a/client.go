package a2a

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Client speaks to one senhasegura with one authorization. It is safe for concurrent
// use; its limits, its token and the routes that answered are shared by all
// calls.
type Client struct {
	base           *url.URL
	clientID       string
	clientSecret   string
	oauth1         *OAuth1
	tenant         string
	header         http.Header
	requestTimeout time.Duration
	listTimeout    time.Duration
	maxRetries     int
	location       *time.Location
	dated          func(date, sent, received time.Time)

	slots  chan struct{}
	rate   *rate.Limiter
	redact *redactor
	logger *slog.Logger
	tokens *tokenSource

	tokenRoutes *routes
	// listRoutes serve "get one" too, which is the list path and the record id.
	listRoutes *routes
	dropRoutes *routes
	// proven is true once a signature was accepted; before that, one request is
	// sent at a time.
	proven atomic.Bool
	alone  chan struct{}
	// refusal is the failure of credentials that were not accepted, nil before.
	refusal atomic.Pointer[Error]

	connection http.RoundTripper
	http       *http.Client
}

// New returns a Client for cfg and makes no network call. Its error joins one
// *ConfigError for every fault of cfg. The proxies of the environment are those
// of the moment.
func New(cfg Config) (*Client, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg.setDefaults()
	connection, err := connect(&cfg)
	if err != nil {
		return nil, err
	}
	return newClient(&cfg, connection)
}

func (cfg *Config) setDefaults() {
	if cfg.RequestTimeout == 0 {
		cfg.RequestTimeout = DefaultRequestTimeout
	}
	if cfg.ListTimeout == 0 {
		cfg.ListTimeout = DefaultListTimeout
	}
	if cfg.MaxConcurrentRequests == 0 {
		cfg.MaxConcurrentRequests = DefaultMaxConcurrentRequests
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	if cfg.Dated == nil {
		cfg.Dated = func(_, _, _ time.Time) {}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
}

// newClient builds a Client upon connection. cfg is valid and complete.
func newClient(cfg *Config, connection http.RoundTripper) (*Client, error) {
	base, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, &ConfigError{Field: "URL", Err: ValidateURL(cfg.URL)}
	}
	// A port may be empty in a URL, and must not be in the Host header.
	base.Host = strings.TrimSuffix(base.Host, ":")
	limit := rate.Inf
	if cfg.RequestsPerSecond > 0 {
		limit = rate.Limit(cfg.RequestsPerSecond)
	}
	c := &Client{
		base:           base,
		clientID:       cfg.ClientID,
		clientSecret:   cfg.ClientSecret,
		tenant:         cfg.Tenant,
		header:         newHeader(cfg),
		requestTimeout: cfg.RequestTimeout,
		listTimeout:    cfg.ListTimeout,
		maxRetries:     cfg.MaxRetries,
		location:       cfg.Location,
		dated:          cfg.Dated,
		slots:          make(chan struct{}, cfg.MaxConcurrentRequests),
		alone:          make(chan struct{}, 1),
		rate:           rate.NewLimiter(limit, 1),
		redact:         newRedactor(cfg),
		logger:         cfg.Logger,
		tokenRoutes:    newRoutes(cfg.Paths.Token, tokenCandidates),
		listRoutes:     newRoutes(cfg.Paths.List, listCandidates),
		dropRoutes:     newRoutes(cfg.Paths.Drop, dropCandidates),
		connection:     connection,
	}
	if cfg.OAuth1 != nil {
		credentials := *cfg.OAuth1
		c.oauth1 = &credentials
	}
	c.tokens = &tokenSource{fetch: c.fetchToken, header: c.header}
	c.http = &http.Client{Transport: connection, CheckRedirect: c.followRedirect}
	return c, nil
}

// CloseIdleConnections closes the connections that no call uses. The Client
// stays usable.
func (c *Client) CloseIdleConnections() {
	if idle, ok := c.connection.(interface{ CloseIdleConnections() }); ok {
		idle.CloseIdleConnections()
	}
}
