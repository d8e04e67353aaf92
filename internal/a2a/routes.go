package a2a

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// The candidates of every route, in the order of the contract (section 1).
var (
	tokenCandidates = []string{"iso/oauth2/token", "api/oauth2/token"}
	listCandidates  = []string{"api/session/remotesessions", "api/pam/session/remotesessions", "iso/session/remotesessions"}
	dropCandidates  = []string{"api/pam/session/drop", "iso/session/drop"}
)

// routes are the paths at which one endpoint may be. Safe for concurrent use.
type routes struct {
	candidates []string
	// answered is the index of the candidate that answered, plus one.
	answered atomic.Int32
	// missing has the bit of each candidate that a gateway did not know although
	// the token was new.
	missing atomic.Uint32
}

// newRoutes uses pinned alone, unless it is empty.
func newRoutes(pinned string, candidates []string) *routes {
	if pinned != "" {
		candidates = []string{strings.Trim(pinned, "/")}
	}
	return &routes{candidates: candidates}
}

// order returns the candidates to try: first the one that answered before. The
// others follow, because a server that is upgraded while we run may move.
func (r *routes) order() []string {
	first := int(r.answered.Load()) - 1
	if first <= 0 {
		return r.candidates
	}
	order := []string{r.candidates[first]}
	order = append(order, r.candidates[:first]...)
	return append(order, r.candidates[first+1:]...)
}

func (r *routes) index(candidate string) int { return slices.Index(r.candidates, candidate) }

func (r *routes) remember(candidate string) {
	r.answered.Store(int32(r.index(candidate)) + 1) //nolint:gosec // at most three candidates
	r.missing.And(^(1 << r.index(candidate)))
}

// miss notes that a gateway does not know candidate. Its answer is the same for a
// token that is not accepted, so without the note every later call would ask for a
// new token on a route that is not there.
func (r *routes) miss(candidate string) { r.missing.Or(1 << r.index(candidate)) }

func (r *routes) isMissing(candidate string) bool {
	return r.missing.Load()&(1<<r.index(candidate)) != 0
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
