package a2a

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// The candidates of every route, in the order of the contract (section 1).
var (
	tokenCandidates = []string{"iso/oauth2/token", "api/oauth2/token"}
	listCandidates  = []string{"api/session/remotesessions", "api/pam/session/remotesessions", "iso/session/remotesessions"}
	dropCandidates  = []string{"api/pam/session/drop", "iso/session/drop"}
)

// Routes are the paths, relative to the URL of the configuration, at which
// senhasegura last answered; "" where nothing has been asked or nothing answered.
type Routes struct {
	// Token stays "" with OAuth 1.0a, which needs no token.
	Token string
	List  string
}

// Routes gives the routes that have answered so far. It makes no network call and
// may be called at any time.
func (c *Client) Routes() Routes {
	return Routes{Token: c.tokenRoutes.answered(), List: c.listRoutes.answered()}
}

// routes are the paths at which one endpoint may be. Safe for concurrent use.
type routes struct {
	mu sync.Mutex
	// candidates are in the order in which to try them: first the one that answered
	// last. The others follow, because a server that is upgraded while we run may
	// move.
	candidates []string
	// missing are those that a gateway did not know although the token was new. Its
	// answer is the same for a token that it does not accept: without the note every
	// later call would ask for a new token on a route that is not there.
	missing map[string]bool
	// known: the first candidate has answered.
	known bool
}

// newRoutes uses pinned alone, unless it is empty.
func newRoutes(pinned string, candidates []string) *routes {
	if pinned != "" {
		candidates = []string{strings.Trim(pinned, "/")}
	}
	return &routes{candidates: candidates, missing: map[string]bool{}}
}

// order returns the candidates, which must not be changed.
func (r *routes) order() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.candidates
}

func (r *routes) remember(candidate string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known = true
	delete(r.missing, candidate)
	if r.candidates[0] == candidate {
		return
	}
	others := slices.DeleteFunc(slices.Clone(r.candidates), func(c string) bool { return c == candidate })
	r.candidates = append([]string{candidate}, others...)
}

// answered gives the candidate that answered last, "" if none has.
func (r *routes) answered() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.known {
		return ""
	}
	return r.candidates[0]
}

func (r *routes) miss(candidate string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.missing[candidate] = true
}

func (r *routes) isMissing(candidate string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.missing[candidate]
}

// provesRoute reports whether a failed call reached its endpoint. A failure that a
// proxy or gateway can produce proves nothing, and a 404 of an unknown kind
// little.
func (e *Error) provesRoute() bool {
	answered := e.Is(session.ErrNotFound) || e.Is(session.ErrRefused) || e.Is(session.ErrIdentifier)
	return answered && e.Status != http.StatusNotFound
}

func (e *Error) routeAnswer() RouteAnswer {
	return RouteAnswer{Path: e.Path, Status: e.Status, Code: e.Code, Message: e.Message, Gateway: e.Gateway}
}

// ofAllRoutes is the error after the last candidate. It blames the gateway only
// if no route got past it.
func (e *Error) ofAllRoutes(tried []RouteAnswer) *Error {
	e.Tried = tried
	e.Gateway = !slices.ContainsFunc(tried, func(a RouteAnswer) bool { return !a.Gateway })
	return e
}

// locate returns base with the escaped route and object, if there is one, behind
// its own path. What is escaped stays so: net/url sends RawPath if it is an
// encoding of Path.
func locate(base *url.URL, route, object string) *url.URL {
	u := *base
	u.RawPath = strings.TrimRight(base.EscapedPath(), "/") + "/" + route
	if object != "" {
		u.RawPath += "/" + object
	}
	path, err := url.PathUnescape(u.RawPath)
	if err != nil {
		// Base and routes were validated, and identifiers are escaped by us.
		path = u.RawPath
	}
	u.Path = path
	return &u
}
