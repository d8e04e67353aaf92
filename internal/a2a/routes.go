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

func (r *routes) remember(candidate string) {
	r.answered.Store(int32(slices.Index(r.candidates, candidate)) + 1) //nolint:gosec // at most three candidates
}

// try calls ask for one candidate after the other, until an answer is not
// "wrong route".
func (r *routes) try(ask func(candidate string) *Error) *Error {
	var tried []RouteAnswer
	for _, candidate := range r.order() {
		err := ask(candidate)
		if err == nil || !err.Is(session.ErrWrongRoute) || err.final {
			if err.provesRoute() {
				r.remember(candidate)
			}
			return err
		}
		tried = append(tried, RouteAnswer{
			Path: err.Path, Status: err.Status, Code: err.Code, Message: err.Message, Gateway: err.Gateway,
		})
		if len(tried) == len(r.candidates) {
			return err.ofAllRoutes(tried)
		}
	}
	return nil
}

// provesRoute reports whether the call reached its endpoint. A failure that a
// proxy or gateway can produce proves nothing, and a 404 of an unknown kind
// little.
func (e *Error) provesRoute() bool {
	if e == nil {
		return true
	}
	answered := e.Is(session.ErrNotFound) || e.Is(session.ErrRefused) || e.Is(session.ErrIdentifier)
	return answered && e.Status != http.StatusNotFound
}

// ofAllRoutes is the error after the last candidate. It blames the gateway only
// if no route got past it.
func (e *Error) ofAllRoutes(tried []RouteAnswer) *Error {
	e.Tried = tried
	e.Gateway = !slices.ContainsFunc(tried, func(a RouteAnswer) bool { return !a.Gateway })
	return e
}

// locate returns base with the escaped path behind its own path. What is escaped
// stays so: net/url sends RawPath if it is an encoding of Path.
func locate(base *url.URL, escaped ...string) *url.URL {
	u := *base
	u.RawPath = strings.TrimRight(base.EscapedPath(), "/") + "/" + strings.Join(escaped, "/")
	path, err := url.PathUnescape(u.RawPath)
	if err != nil {
		// Base and routes were validated, and identifiers are escaped by us.
		path = u.RawPath
	}
	u.Path = path
	return &u
}
