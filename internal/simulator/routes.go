package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Op is an operation of the API.
type Op string

// The operations. OpOther is every request that reaches none of the others: an
// unknown path, a wrong method, a path with dot segments.
const (
	OpToken Op = "token"
	OpList  Op = "list"
	OpGet   Op = "get"
	OpDrop  Op = "drop"
	OpOther Op = "other"
)

// Routes lists the paths at which operations answer, without the base path and
// without a slash at either end. Get one is below each list path.
type Routes struct {
	Token []string
	List  []string
	Drop  []string
}

const (
	isoToken   = "iso/oauth2/token" //nolint:gosec // a path, not a credential
	apiToken   = "api/oauth2/token" //nolint:gosec // a path, not a credential
	apiList    = "api/session/remotesessions"
	apiPAMList = "api/pam/session/remotesessions"
	isoDrop    = "iso/session/drop"
	apiPAMDrop = "api/pam/session/drop"
)

// routesOf follows the contract, section 1. The vendor's clients use the older
// token route with 4.x too, so the newest release has both; 4.0 has only the
// route of its documents, so that one release demands the second candidate.
func routesOf(release Release) Routes {
	switch release {
	case ReleaseDropOnly:
		return Routes{Token: []string{isoToken}, Drop: []string{isoDrop}}
	case Release332:
		return Routes{Token: []string{isoToken}, List: []string{apiList}, Drop: []string{isoDrop}}
	case Release333:
		return Routes{Token: []string{isoToken, apiToken}, List: []string{apiPAMList}, Drop: []string{apiPAMDrop}}
	case Release40:
		return Routes{Token: []string{apiToken}, List: []string{apiPAMList}, Drop: []string{apiPAMDrop}}
	default:
		return Routes{Token: []string{isoToken, apiToken}, List: []string{apiList}, Drop: []string{apiPAMDrop}}
	}
}

type routeTable struct {
	prefix    string
	forwarded []string
	token     map[string]bool
	list      map[string]bool
	drop      map[string]bool
}

func newRouteTable(c Config) routeTable {
	routes := routesOf(c.Release)
	if c.Routes.Token != nil {
		routes.Token = c.Routes.Token
	}
	if c.Routes.List != nil {
		routes.List = c.Routes.List
	}
	if c.Routes.Drop != nil {
		routes.Drop = c.Routes.Drop
	}
	return routeTable{
		prefix:    c.BasePath + "/",
		forwarded: c.Forwarded,
		token:     setOf(routes.Token),
		list:      setOf(routes.List),
		drop:      setOf(routes.Drop),
	}
}

func setOf(paths []string) map[string]bool {
	set := make(map[string]bool, len(paths))
	for _, path := range paths {
		set[path] = true
	}
	return set
}

// target is what a request is aimed at.
type target struct {
	op     Op
	object string // decoded identifier of OpGet and OpDrop
	by     server // who answers OpOther
}

// server is one of those that a request passes, the last first.
type server int

const (
	byAPI       server = iota
	byGateway          // for what is not below api or iso
	byWebServer        // for what it does not forward
)

// forwards reports whether the web server in front passes the path on.
func (t routeTable) forwards(path string) bool {
	return len(t.forwarded) == 0 || slices.ContainsFunc(t.forwarded, func(prefix string) bool {
		return path == prefix || strings.HasPrefix(path, prefix+"/")
	})
}

// match works on the escaped path, so that an escaped slash or dot segment is
// never mistaken for structure, and nothing is cleaned or redirected.
func (t routeTable) match(method, escapedPath string) target {
	path, below := strings.CutPrefix(escapedPath, t.prefix)
	switch {
	case !t.forwards(path):
		return target{op: OpOther, by: byWebServer}
	case !below || (!strings.HasPrefix(path, "api/") && !strings.HasPrefix(path, "iso/")):
		return target{op: OpOther, by: byGateway}
	case method == http.MethodPost && t.token[path]:
		return target{op: OpToken}
	case method == http.MethodGet && t.list[path]:
		return target{op: OpList}
	}
	cut := strings.LastIndexByte(path, '/')
	parent, segment := path[:cut], path[cut+1:]
	object, ok := decodeSegment(segment)
	switch {
	case !ok:
		return target{op: OpOther}
	case method == http.MethodGet && t.list[parent]:
		return target{op: OpGet, object: object}
	case method == http.MethodDelete && t.drop[parent]:
		return target{op: OpDrop, object: object}
	}
	return target{op: OpOther}
}

// decodeSegment refuses what a server behind a proxy could resolve to another
// path.
func decodeSegment(segment string) (string, bool) {
	object, err := url.PathUnescape(segment)
	if err != nil || object == "" {
		return "", false
	}
	for part := range strings.FieldsFuncSeq(object, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == "." || part == ".." {
			return "", false
		}
	}
	return object, true
}
