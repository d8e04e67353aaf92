package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The credentials that a Config without its own accepts. They open nothing but
// a simulator.
const (
	DefaultClientID     = "simulator-client"
	DefaultClientSecret = "simulator-secret"
)

// Release selects routes and shapes (contract, sections 1, 3 and 4).
type Release string

// The releases that differ in routes or shapes.
const (
	// Release332 has Portuguese keys, iso routes for token and drop, and the
	// plural key in get one.
	Release332 Release = "3.32"
	// Release333 nests the list in a second envelope.
	Release333 Release = "3.33"
	// Release40 has the shapes of 3.33 and only the newer token route.
	Release40 Release = "4.0"
	// ReleaseNewest is the default.
	ReleaseNewest Release = "newest"
	// ReleaseDropOnly stands for the releases before 3.32: drop, no list, no get.
	ReleaseDropOnly Release = "drop-only"
)

// Releases returns every Release, oldest first.
func Releases() []Release {
	return []Release{ReleaseDropOnly, Release332, Release333, Release40, ReleaseNewest}
}

// Permission is what the authorization may do (contract, section 1).
type Permission string

// The permissions. A missing one is answered with HTTP 500 "You are not
// authorized to access this resource".
const (
	ReadWrite Permission = "read-write" // the default
	ReadOnly  Permission = "read-only"  // list and get, no drop
	DropOnly  Permission = "drop-only"  // drop, no list and no get
	None      Permission = "none"
)

// LiveEnd is the `end` of a live session. No document says which, so all of these
// must be understood (contract, section 4). Besides the constants it can be any
// "2006-01-02 15:04:05" or "2006-01-02" in the far future, which is sent as it is.
// `time` follows it.
type LiveEnd string

// The ends of a live session.
const (
	LiveEndNull    LiveEnd = "null" // the default
	LiveEndEmpty   LiveEnd = "empty"
	LiveEndMissing LiveEnd = "missing"
	LiveEndZero    LiveEnd = "zero"  // 0000-00-00 00:00:00
	LiveEndMixed   LiveEnd = "mixed" // the four above in turn, by record ID
	// LiveEnd2038 is the last second of 32 bits.
	LiveEnd2038 LiveEnd = "2038-01-19 03:14:07"
	LiveEnd9999 LiveEnd = "9999-12-31 23:59:59"
)

// fillerDistance is how far ahead a date must be to mean "no end".
const fillerDistance = 48 * time.Hour

// validate reports a value that is neither a constant nor a date far after now.
func (l LiveEnd) validate(now time.Time) error {
	if slices.Contains([]LiveEnd{"", LiveEndNull, LiveEndEmpty, LiveEndMissing, LiveEndZero, LiveEndMixed}, l) {
		return nil
	}
	for _, layout := range []string{timestampFormat, time.DateOnly} {
		if end, err := time.Parse(layout, string(l)); err == nil {
			if end.Sub(now) > fillerDistance {
				return nil
			}
			return fmt.Errorf("live end %q must be more than 48 hours in the future", string(l))
		}
	}
	return fmt.Errorf("unknown live end %q", string(l))
}

// Config describes one simulated installation and the one authorization that it
// knows. The zero value is a usable newest release.
type Config struct {
	Release Release
	// BasePath, such as "/pam", is a prefix of every route.
	BasePath string
	// Routes replaces the routes of the release where a list is not nil.
	Routes Routes
	// Forwarded, when not empty, lists the prefixes below BasePath, such as
	// "api", that a web server in front passes on. Every other path gets its own
	// page, 404 in HTML.
	Forwarded []string
	// WrongRouteWithoutCode leaves `error_code` out of the API's answer to an
	// unknown path, so that only its text tells.
	WrongRouteWithoutCode bool

	// ClientID and ClientSecret default to the constants of this package, both
	// or neither.
	ClientID     string
	ClientSecret string
	// Tenant, when set, is the value that the token request must name.
	Tenant string
	// BasicAuth lets the token endpoint also take the client's credentials as
	// HTTP Basic, as release 3.25 documents.
	BasicAuth bool
	// InvalidClientDescription chooses the second documented answer to a wrong
	// client, the one with `error_description`.
	InvalidClientDescription bool
	// InvalidClientStatus is the status of the answer to a wrong client, 401 when
	// 0. InvalidClientEnvelope puts the text of it into the API's envelope, without
	// OAuth's `error`, so that only the text tells.
	InvalidClientStatus   int
	InvalidClientEnvelope bool
	// LowerCaseTokenType sends `bearer` in place of `Bearer`.
	LowerCaseTokenType bool
	// TokenLifetime defaults to one hour.
	TokenLifetime time.Duration
	// GatewayDenies answers a missing or refused token as the gateway does, 404
	// "no Route matched", in place of 401.
	GatewayDenies bool
	// OAuth1, when set, also admits requests signed with OAuth 1.0a.
	OAuth1 *OAuth1

	// Permission defaults to ReadWrite.
	Permission Permission
	// Referers, when not empty, lists the Referer values that are allowed.
	Referers []string

	// Location is the zone of the timestamps, which are written without one. Nil
	// means UTC.
	Location *time.Location
	// ClockSkew is how far the server's clock is ahead of Now, negative where it
	// is behind. Timestamps and the Date header show it; what Session and Sessions
	// return stays true.
	ClockSkew time.Duration
	// Date is the clock of the Date header, as where a gateway with a clock of its
	// own writes it. Nil means the server's clock.
	Date func() time.Time
	// UserForm and DeviceForm are how names are written: as they were added where
	// empty. Domain, DefaultDomain when empty, is for names without one.
	UserForm   UserForm
	DeviceForm DeviceForm
	Domain     string
	// EndDelay is how long after an accepted drop a session ends.
	EndDelay time.Duration
	// LiveEnd defaults to LiveEndNull.
	LiveEnd LiveEnd
	// NumericIDs sends `id` as a number; documents show digits in a string.
	NumericIDs bool
	// PlainNotFound answers get one of an unknown row with a flat 404 in place
	// of the documented 400 with code 1002.
	PlainNotFound bool

	// Now is the clock, time.Now by default.
	Now func() time.Time
}

// Validate reports every value of c that New would refuse, joined.
func (c Config) Validate() error {
	var errs []error
	if c.Release != "" && !slices.Contains(Releases(), c.Release) {
		errs = append(errs, fmt.Errorf("unknown release %q", c.Release))
	}
	if c.BasePath != "" && (!strings.HasPrefix(c.BasePath, "/") || strings.HasSuffix(c.BasePath, "/")) {
		errs = append(errs, fmt.Errorf("base path %q must start with a slash and not end with one", c.BasePath))
	}
	for _, prefix := range c.Forwarded {
		if prefix == "" || strings.Trim(prefix, "/") != prefix {
			errs = append(errs, fmt.Errorf("forwarded prefix %q must be a path without a slash at either end", prefix))
		}
	}
	if (c.ClientID == "") != (c.ClientSecret == "") {
		errs = append(errs, errors.New("set the client ID and the client secret together"))
	}
	if c.InvalidClientStatus != 0 && (c.InvalidClientStatus < 400 || c.InvalidClientStatus > 599) {
		errs = append(errs, fmt.Errorf("the status %d for a wrong client is no failure", c.InvalidClientStatus))
	}
	switch c.Permission {
	case "", ReadWrite, ReadOnly, DropOnly, None:
	default:
		errs = append(errs, fmt.Errorf("unknown permission %q", c.Permission))
	}
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	errs = append(errs, c.LiveEnd.validate(now()))
	switch c.UserForm {
	case "", UserAsAdded, UserPlain, UserDownLevel, UserPrincipal:
	default:
		errs = append(errs, fmt.Errorf("unknown form of user names %q", c.UserForm))
	}
	switch c.DeviceForm {
	case "", DeviceAsAdded, DeviceShort, DeviceQualified, DeviceAddress:
	default:
		errs = append(errs, fmt.Errorf("unknown form of device names %q", c.DeviceForm))
	}
	if c.TokenLifetime < 0 || c.EndDelay < 0 {
		errs = append(errs, errors.New("token lifetime and end delay must not be negative"))
	}
	return errors.Join(errs...)
}

func (c Config) withDefaults() Config {
	c.Release = cmp.Or(c.Release, ReleaseNewest)
	if c.ClientID == "" {
		c.ClientID, c.ClientSecret = DefaultClientID, DefaultClientSecret
	}
	c.TokenLifetime = cmp.Or(c.TokenLifetime, time.Hour)
	c.Permission = cmp.Or(c.Permission, ReadWrite)
	c.Location = cmp.Or(c.Location, time.UTC)
	c.LiveEnd = cmp.Or(c.LiveEnd, LiveEndNull)
	c.UserForm = cmp.Or(c.UserForm, UserAsAdded)
	c.DeviceForm = cmp.Or(c.DeviceForm, DeviceAsAdded)
	c.Domain = cmp.Or(c.Domain, DefaultDomain)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Simulator is an http.Handler that behaves like the A2A session API. Make one
// with New. A fault that cuts a line panics with http.ErrAbortHandler, which
// net/http servers turn into a closed connection.
type Simulator struct {
	config Config
	routes routeTable
	shape  shape

	journal  journal
	faults   faultPlan
	hooks    hooks
	tokens   tokenStore
	nonces   nonceStore
	closing  chan struct{}
	closeAll sync.Once

	mu         sync.Mutex // guards what follows
	permission Permission
	rows       []*row // in order of insertion, purged ones included
	purged     int
	byHash     map[string][]*row // several with Behavior.SharedID
	byRecord   map[int64][]*row
	events     eventQueue
	lastRecord int64
	history    iter.Seq[Session]
}

// New returns a simulator without sessions. It panics when Config.Validate
// reports an error, since that is a fault of the calling test.
func New(c Config) *Simulator {
	if err := c.Validate(); err != nil {
		panic("simulator: " + err.Error())
	}
	c = c.withDefaults()
	return &Simulator{
		config:     c,
		routes:     newRouteTable(c),
		shape:      newShape(c),
		closing:    make(chan struct{}),
		permission: c.Permission,
		byHash:     map[string][]*row{},
		byRecord:   map[int64][]*row{},
	}
}

// Close releases requests that an unbounded Slow fault holds. The simulator goes
// on answering. Call it before closing a server whose clients may still wait.
func (s *Simulator) Close() { s.closeAll.Do(func() { close(s.closing) }) }

// SetPermission changes what the authorization may do from now on.
func (s *Simulator) SetPermission(p Permission) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.permission = p
}

// maxRequestBody bounds what is read of a request; token requests need less
// than a kilobyte.
const maxRequestBody = 1 << 20

// exchange is one request on its way through the simulator.
type exchange struct {
	s      *Simulator
	w      http.ResponseWriter
	r      *http.Request
	target target
	form   []byte
	record *Request // belongs to the journal
}

// ServeHTTP answers one request.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := s.routes.match(r.Method, r.URL.EscapedPath())
	x := &exchange{s: s, w: w, r: r, target: target}
	x.record = s.journal.begin(s.config.Now(), target, r)
	defer func() { s.hooks.answered.run(s.journal.finish(x.record, s.config.Now())) }()

	// Read to the end first: net/http notices a client that gives up only then.
	form, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBody))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	x.form = form
	s.hooks.arrived.run(s.journal.copyOf(x.record))
	if f, struck := s.faults.pick(target.op, target.object); struck {
		x.suffer(f)
		return
	}
	x.send(x.act())
}

// act carries the request out and returns the true answer to it.
func (x *exchange) act() answer {
	a := x.perform()
	x.s.hooks.acted.run(x.s.journal.copyOf(x.record))
	return a
}

func (x *exchange) perform() answer {
	s := x.s
	if x.target.op == OpToken {
		x.markActed()
		return s.issueToken(x.r, x.form)
	}
	if x.target.op == OpOther {
		switch x.target.by {
		case byWebServer:
			return webServerNotFound()
		case byGateway:
			return gatewayNoRoute()
		default:
			return s.shape.wrongRoute()
		}
	}
	if denied, ok := s.authenticate(x.r, x.form); !ok {
		return denied
	}
	if len(s.config.Referers) > 0 && !slices.Contains(s.config.Referers, x.r.Header.Get("Referer")) {
		return s.shape.refererDenied()
	}
	if !s.permits(x.target.op) {
		return unauthorized()
	}
	x.markActed()
	switch x.target.op {
	case OpList:
		return s.list()
	case OpGet:
		return s.get(x.target.object)
	default:
		return s.drop(x.target.object)
	}
}

func (x *exchange) markActed() {
	x.s.journal.update(x.record, func(r *Request) { r.Acted = true })
}

func (s *Simulator) permits(op Op) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.permission {
	case ReadWrite:
		return true
	case ReadOnly:
		return op != OpDrop
	case DropOnly:
		return op == OpDrop
	default:
		return false
	}
}

// send writes a whole answer. The status reaches the journal first, so that a
// client that has read the answer finds it there.
func (x *exchange) send(a answer) {
	x.writeHeader(a, len(a.body))
	if err := a.writeTo(x.w); err != nil {
		// The client has gone.
		panic(http.ErrAbortHandler)
	}
}

// writeHeader announces length bytes, or a chunked body where the answer is a
// stream. A chunked body ends only after the handler has returned, which is
// what makes the journal complete before a client is done reading.
func (x *exchange) writeHeader(a answer, length int) {
	x.s.journal.update(x.record, func(r *Request) { r.Status = a.status })
	header := x.w.Header()
	header.Set("Date", x.s.date())
	for name, values := range a.header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	if a.contentType != "" {
		header.Set("Content-Type", a.contentType)
	}
	if a.stream == nil && a.status != http.StatusNoContent {
		header.Set("Content-Length", strconv.Itoa(length))
	}
	x.w.WriteHeader(a.status)
}

// date is the value of the Date header, which is in UTC whatever the zone of the
// timestamps is.
func (s *Simulator) date() string {
	now := s.config.Now().Add(s.config.ClockSkew)
	if s.config.Date != nil {
		now = s.config.Date()
	}
	return now.UTC().Format(http.TimeFormat)
}
