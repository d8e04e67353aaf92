package a2a

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// routedPAM has its endpoints at the given paths only, and answers all others
// as senhasegura does.
func routedPAM(t *testing.T, wrong string, paths map[string]string) *pam {
	t.Helper()
	body := readBody(t, wrong)
	route := func(w http.ResponseWriter, r *http.Request) {
		for path, answer := range paths {
			if r.URL.EscapedPath() == path {
				answering(200, answer)(w, r)
				return
			}
		}
		answering(404, body)(w, r)
	}
	return &pam{handler: route, answerToken: route}
}

// TestRoutes: every release finds its paths, in the contract's order, and does
// so once.
func TestRoutes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name               string
		token, list, drop  string
		searching, knowing []string
		// behindGateway is what else searching takes where a gateway answers for the
		// missing route, as it also does for a token that is no longer accepted.
		behindGateway []string
	}{
		{
			"newest", "/iso/oauth2/token", "/api/session/remotesessions", "/api/pam/session/drop",
			[]string{"POST /iso/oauth2/token", "GET /api/session/remotesessions", "DELETE /api/pam/session/drop/h"},
			[]string{"GET /api/session/remotesessions", "GET /api/session/remotesessions/6", "DELETE /api/pam/session/drop/h"},
			nil,
		},
		{
			"3.33", "/api/oauth2/token", "/api/pam/session/remotesessions", "/api/pam/session/drop",
			[]string{
				"POST /iso/oauth2/token", "POST /api/oauth2/token",
				"GET /api/session/remotesessions", "GET /api/pam/session/remotesessions",
				"DELETE /api/pam/session/drop/h",
			},
			[]string{"GET /api/pam/session/remotesessions", "GET /api/pam/session/remotesessions/6", "DELETE /api/pam/session/drop/h"},
			nil,
		},
		{
			"oldest", "/iso/oauth2/token", "/iso/session/remotesessions", "/iso/session/drop",
			[]string{
				"POST /iso/oauth2/token",
				"GET /api/session/remotesessions", "GET /api/pam/session/remotesessions", "GET /iso/session/remotesessions",
				"DELETE /api/pam/session/drop/h", "DELETE /iso/session/drop/h",
			},
			[]string{"GET /iso/session/remotesessions", "GET /iso/session/remotesessions/6", "DELETE /iso/session/drop/h"},
			[]string{"POST /iso/oauth2/token", "DELETE /api/pam/session/drop/h"},
		},
	} {
		for _, wrong := range []string{"wrong-route-http404.json", "gateway-no-route-http404.json"} {
			for _, base := range []string{"", "/", "/pam", "/a%2Fb/c/"} {
				t.Run(tc.name+"/"+wrong+"/"+base, func(t *testing.T) {
					t.Parallel()
					prefix := strings.TrimRight(base, "/")
					searching := slices.Clone(tc.searching)
					if wrong == "gateway-no-route-http404.json" {
						searching = slices.Insert(searching, len(searching)-1, tc.behindGateway...)
					}
					p := routedPAM(t, wrong, map[string]string{
						prefix + tc.token:       readBody(t, "token-http200.json"),
						prefix + tc.list:        readBody(t, "list-newest.json"),
						prefix + tc.list + "/6": readBody(t, "get-3.33.json"),
						prefix + tc.drop + "/h": readBody(t, "drop-newest-http200.json"),
					})
					c := overNetwork(t, p, func(cfg *Config) { cfg.URL += base })
					if got := c.Routes(); got != (Routes{}) {
						t.Errorf("before any request: %+v", got)
					}
					if _, err := collect(t.Context(), c); err != nil {
						t.Error(err)
					}
					if got, want := c.Routes(), (Routes{Token: tc.token[1:], List: tc.list[1:]}); got != want {
						t.Errorf("found %+v, want %+v", got, want)
					}
					if err := c.Drop(t.Context(), "h"); err != nil {
						t.Error(err)
					}
					p.wantRequests(t, prefixed(prefix, searching)...)
					if _, err := collect(t.Context(), c); err != nil {
						t.Error(err)
					}
					if _, err := c.Session(t.Context(), "6"); err != nil {
						t.Error(err)
					}
					if err := c.Drop(t.Context(), "h"); err != nil {
						t.Error(err)
					}
					p.wantRequests(t, prefixed(prefix, slices.Concat(searching, tc.knowing))...)
				})
			}
		}
	}
}

func prefixed(prefix string, requests []string) []string {
	out := make([]string, 0, len(requests))
	for _, request := range requests {
		out = append(out, strings.Replace(request, " ", " "+prefix, 1))
	}
	return out
}

// TestPinnedRoutes: only they are tried.
func TestPinnedRoutes(t *testing.T) {
	t.Parallel()
	p := routedPAM(t, "wrong-route-http404.json", map[string]string{
		"/t/oauth2/token": readBody(t, "token-http200.json"),
		"/l%20x":          readBody(t, "list-newest.json"),
		"/l%20x/6":        readBody(t, "get-3.33.json"),
	})
	c := overNetwork(t, p, func(cfg *Config) {
		cfg.Paths = Paths{Token: "/t/oauth2/token/", List: "l%20x", Drop: "d"}
	})
	if _, err := collect(t.Context(), c); err != nil {
		t.Error(err)
	}
	if _, err := c.Session(t.Context(), "6"); err != nil {
		t.Error(err)
	}
	err := c.Drop(t.Context(), "h")
	wantClass(t, err, session.ErrWrongRoute)
	if e := asError(t, err); len(e.Tried) != 1 || e.Tried[0].Path != "/d/h" {
		t.Errorf("tried %+v", e.Tried)
	}
	if got, want := c.Routes(), (Routes{Token: "t/oauth2/token", List: "l%20x"}); got != want {
		t.Errorf("found %+v, want %+v", got, want)
	}
	p.wantRequests(t, "POST /t/oauth2/token", "GET /l%20x", "GET /l%20x/6", "DELETE /d/h")
}

// TestNoRoute: the error has the response of each route.
func TestNoRoute(t *testing.T) {
	t.Parallel()
	for _, o := range operations {
		for wrong, gateway := range map[string]bool{"wrong-route-http404.json": false, "gateway-no-route-http404.json": true} {
			t.Run(o.name+"/"+wrong, func(t *testing.T) {
				t.Parallel()
				p := &pam{handler: answering(404, readBody(t, wrong))}
				err := o.run(t.Context(), inMemory(t, p, func(cfg *Config) { cfg.MaxRetries = 3 }))
				wantClass(t, err, session.ErrWrongRoute)
				e := asError(t, err)
				if e.Gateway != gateway {
					t.Errorf("Gateway = %v, want %v", e.Gateway, gateway)
				}
				var tried []string
				for _, answer := range e.Tried {
					tried = append(tried, answer.Path)
					if answer.Status != 404 || answer.Message == "" || answer.Gateway != gateway {
						t.Errorf("evidence %+v", answer)
					}
					if !strings.Contains(err.Error(), answer.Path) {
						t.Errorf("error %q lacks %s", err, answer.Path)
					}
				}
				var sent []string
				for _, request := range p.requests()[1:] {
					_, path, _ := strings.Cut(request, " ")
					sent = append(sent, path)
				}
				if !slices.Equal(tried, sent) {
					t.Errorf("tried %v, sent %v", tried, sent)
				}
			})
		}
	}
}

// TestNoTokenRoute: the routes of the call are not tried without a token.
func TestNoTokenRoute(t *testing.T) {
	t.Parallel()
	p := &pam{answerToken: answering(404, readBody(t, "wrong-route-http404.json")), handler: answering(204, "")}
	err := inMemory(t, p, nil).Drop(t.Context(), testID)
	wantClass(t, err, session.ErrWrongRoute)
	if e := asError(t, err); e.Op != OpToken || len(e.Tried) != 2 {
		t.Errorf("op %q, tried %v", e.Op, e.Tried)
	}
	p.wantRequests(t, "POST /iso/oauth2/token", "POST /api/oauth2/token")
}

// TestPageOfAWebServerMovesOn: a web server in front of the API may know one
// prefix and not the other, and answers with a page of its own.
func TestPageOfAWebServerMovesOn(t *testing.T) {
	t.Parallel()
	p := &pam{handler: func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/iso/") {
			answering(200, readBody(t, "drop-newest-http200.json"))(w, r)
			return
		}
		http.Error(w, "<html><head><title>404 Not Found</title></head></html>", http.StatusNotFound)
	}}
	c := inMemory(t, p, nil)
	for range 2 {
		if err := c.Drop(t.Context(), testID); err != nil {
			t.Error(err)
		}
	}
	p.wantRequests(t, "POST "+tokenPath, "DELETE "+dropPath, "DELETE /iso/session/drop/"+testID, "DELETE /iso/session/drop/"+testID)
}

// TestOtherFailuresDoNotMoveOn: only a wrong route does.
func TestOtherFailuresDoNotMoveOn(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 403, 409, 429, 500, 502, 503} {
		for _, o := range operations {
			p := &pam{handler: answering(status, `{"code":1,"error":true}`)}
			if err := o.run(t.Context(), inMemory(t, p, nil)); err == nil {
				t.Errorf("%d: no error", status)
			}
			for _, request := range p.requests() {
				if request != o.request && request != "POST "+tokenPath {
					t.Errorf("%d: %s moved on to %s", status, o.name, request)
				}
			}
		}
	}
}

// TestRoutesUnderConcurrency: many callers find the same route.
func TestRoutesUnderConcurrency(t *testing.T) {
	t.Parallel()
	p := routedPAM(t, "wrong-route-http404.json", map[string]string{
		"/iso/oauth2/token":   readBody(t, "token-http200.json"),
		"/iso/session/drop/h": "",
	})
	c := inMemory(t, p, nil)
	concurrently(t, 50, func() error { return c.Drop(t.Context(), "h") })
	before := len(p.requests())
	concurrently(t, 50, func() error { return c.Drop(t.Context(), "h") })
	for _, request := range p.requests()[before:] {
		if request != "DELETE /iso/session/drop/h" {
			t.Errorf("%s after the route was known", request)
		}
	}
}

// TestUnclearAnswerIsNotRemembered: a 404 of an unknown kind does not show that
// the route exists.
func TestUnclearAnswerIsNotRemembered(t *testing.T) {
	t.Parallel()
	p := &pam{handler: func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/iso/") {
			answering(404, readBody(t, "flat-http404.json"))(w, r)
			return
		}
		answering(404, readBody(t, "wrong-route-http404.json"))(w, r)
	}}
	c := inMemory(t, p, nil)
	for range 2 {
		wantClass(t, c.Drop(t.Context(), "h"), session.ErrRefused)
	}
	p.wantRequests(t, "POST "+tokenPath,
		"DELETE /api/pam/session/drop/h", "DELETE /iso/session/drop/h",
		"DELETE /api/pam/session/drop/h", "DELETE /iso/session/drop/h")
}

// TestRememberedRouteMoves: an upgrade while we run is found too.
func TestRememberedRouteMoves(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	at := "/iso/session/drop/h"
	p := &pam{handler: func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == at {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answering(404, `{"code":404,"error":true,"error_code":4}`)(w, r)
	}}
	c := inMemory(t, p, nil)
	if err := c.Drop(t.Context(), "h"); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	at = "/api/pam/session/drop/h"
	mu.Unlock()
	for range 2 {
		if err := c.Drop(t.Context(), "h"); err != nil {
			t.Fatal(err)
		}
	}
	p.wantRequests(t, "POST "+tokenPath, "DELETE /api/pam/session/drop/h", "DELETE /iso/session/drop/h",
		"DELETE /iso/session/drop/h", "DELETE /api/pam/session/drop/h", "DELETE /api/pam/session/drop/h")
}

// TestIdentifiersInPaths: whatever an identifier holds, it stays one segment.
func TestIdentifiersInPaths(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		testID:                                 testID,
		"0190a5e8-8d3f-7c4b-9d3e-2f1a0b9c8d7e": "0190a5e8-8d3f-7c4b-9d3e-2f1a0b9c8d7e",
		"a/b":                                  "a%2Fb",
		"a b?c#d":                              "a%20b%3Fc%23d",
		"a%2Fb":                                "a%252Fb",
		"a;b,c=d&e+f":                          "a%3Bb%2Cc=d&e+f",
		"é":                                    "%C3%A9",
	} {
		p := &pam{handler: answering(204, "")}
		if err := overNetwork(t, p, nil).Drop(t.Context(), id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
		p.wantRequests(t, "POST "+tokenPath, "DELETE /api/pam/session/drop/"+want)
	}
}

// TestUnusableIdentifiers are not sent.
func TestUnusableIdentifiers(t *testing.T) {
	t.Parallel()
	p := &pam{handler: answering(204, "")}
	c := inMemory(t, p, nil)
	for _, id := range []string{"", ".", "..", "a/../b", "%2e%2e", " a", "a\n", "\xff"} {
		wantClass(t, c.Drop(t.Context(), id), session.ErrIdentifier)
	}
	for _, id := range []string{"", testID, "-1", "1.0", "٣", "6/..", strings.Repeat("9", 21)} {
		_, err := c.Session(t.Context(), id)
		wantClass(t, err, session.ErrIdentifier)
	}
	p.wantRequests(t)
}
