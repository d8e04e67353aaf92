package simulator_test

import (
	"bytes"
	"net/http"
	"reflect"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	const (
		iso, api         = "/iso/oauth2/token", "/api/oauth2/token"
		list, pamList    = "/api/session/remotesessions", "/api/pam/session/remotesessions"
		isoDrop, pamDrop = "/iso/session/drop/x", "/api/pam/session/drop/x"
	)
	tests := []struct {
		name   string
		config simulator.Config
		prefix string
		served []string
	}{
		{"drop only", simulator.Config{Release: simulator.ReleaseDropOnly}, "", []string{iso, isoDrop}},
		{"3.32", simulator.Config{Release: simulator.Release332}, "", []string{iso, list, isoDrop}},
		{"3.33", simulator.Config{Release: simulator.Release333}, "", []string{iso, api, pamList, pamDrop}},
		{"4.0", simulator.Config{Release: simulator.Release40}, "", []string{api, pamList, pamDrop}},
		{"newest", simulator.Config{}, "", []string{iso, api, list, pamDrop}},
		{"base path", simulator.Config{BasePath: "/pam"}, "/pam", []string{iso, api, list, pamDrop}},
		{
			"own routes",
			simulator.Config{Routes: simulator.Routes{Token: []string{"api/oauth2/token"}, List: []string{}, Drop: []string{"iso/session/drop", "api/pam/session/drop"}}},
			"",
			[]string{api, isoDrop, pamDrop},
		},
	}
	asked := []struct {
		method, path string
		op           simulator.Op
	}{
		{http.MethodPost, iso, simulator.OpToken},
		{http.MethodPost, api, simulator.OpToken},
		{http.MethodGet, list, simulator.OpList},
		{http.MethodGet, pamList, simulator.OpList},
		{http.MethodDelete, isoDrop, simulator.OpDrop},
		{http.MethodDelete, pamDrop, simulator.OpDrop},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := serve(t, tt.config)
			served := map[string]bool{}
			for _, path := range tt.served {
				served[path] = true
			}
			for _, ask := range asked {
				got := k.do(t, ask.method, tt.prefix+ask.path)
				want := ask.op
				if !served[ask.path] {
					want = simulator.OpOther
					wantStatus(t, got, http.StatusNotFound)
				}
				if op := last(t, k.sim).Op; op != want {
					t.Errorf("%s %s is %s, want %s", ask.method, ask.path, op, want)
				}
			}
		})
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	const (
		sub     = "Resource sub not found"
		gateway = "no Route matched with those values"
	)
	tests := []struct {
		name, method, path string
		op                 simulator.Op
		object             string
		message            string // of a request that reaches no operation
	}{
		{"drop", "DELETE", "/pam/api/pam/session/drop/abc", simulator.OpDrop, "abc", ""},
		{"escaped slash", "DELETE", "/pam/api/pam/session/drop/a%2Fb", simulator.OpDrop, "a/b", ""},
		{"escaped blank and percent", "DELETE", "/pam/api/pam/session/drop/a%20b%25", simulator.OpDrop, "a b%", ""},
		{"escaped newline", "DELETE", "/pam/api/pam/session/drop/a%0Ab", simulator.OpDrop, "a\nb", ""},
		{"query", "DELETE", "/pam/api/pam/session/drop/abc?x=y", simulator.OpDrop, "abc", ""},
		{"get", "GET", "/pam/api/session/remotesessions/12", simulator.OpGet, "12", ""},
		{"slash", "DELETE", "/pam/api/pam/session/drop/a/b", simulator.OpOther, "", sub},
		{"dots", "DELETE", "/pam/api/pam/session/drop/..", simulator.OpOther, "", sub},
		{"escaped dots", "DELETE", "/pam/api/pam/session/drop/%2e%2e", simulator.OpOther, "", sub},
		{"escaped climb", "DELETE", "/pam/api/pam/session/drop/..%2F..%2Fx", simulator.OpOther, "", sub},
		{"climb", "DELETE", "/pam/api/pam/session/drop/../drop/abc", simulator.OpOther, "", sub},
		{"empty id", "DELETE", "/pam/api/pam/session/drop/", simulator.OpOther, "", sub},
		{"no id", "DELETE", "/pam/api/pam/session/drop", simulator.OpOther, "", sub},
		{"double slash", "GET", "/pam/api//session/remotesessions", simulator.OpOther, "", sub},
		{"method", "POST", "/pam/api/session/remotesessions", simulator.OpOther, "", sub},
		{"no base path", "GET", "/api/session/remotesessions", simulator.OpOther, "", gateway},
		{"not the API", "GET", "/pam/other/session", simulator.OpOther, "", gateway},
		{"root", "GET", "/", simulator.OpOther, "", gateway},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := serve(t, simulator.Config{BasePath: "/pam"})
			got := k.do(t, tt.method, tt.path)
			entry := last(t, k.sim)
			if entry.Op != tt.op || entry.Object != tt.object {
				t.Errorf("journal: %s %q, want %s %q", entry.Op, entry.Object, tt.op, tt.object)
			}
			if n := len(k.sim.Journal()); n != 1 {
				t.Errorf("%d requests, want 1: nothing redirects", n)
			}
			if tt.message == "" {
				return
			}
			wantStatus(t, got, http.StatusNotFound)
			message := got.object(t)["message"]
			if response, ok := got.object(t)["response"].(map[string]any); ok {
				message = response["message"]
			}
			if message != tt.message {
				t.Errorf("message %v, want %q", message, tt.message)
			}
		})
	}
}

// TestForwarded: a web server in front that knows one prefix answers the others
// with a page of its own, whatever is behind it.
func TestForwarded(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		forwarded []string
		base      string
		method    string
		path      string
		op        simulator.Op
		page      bool
	}{
		{"forwarded", []string{"api"}, "", "DELETE", "/api/pam/session/drop/x", simulator.OpDrop, false},
		{"not forwarded", []string{"api"}, "", "DELETE", "/iso/session/drop/x", simulator.OpOther, true},
		{"the other way round", []string{"iso"}, "", "DELETE", "/api/pam/session/drop/x", simulator.OpOther, true},
		{"two prefixes", []string{"iso", "api/pam"}, "", "DELETE", "/api/pam/session/drop/x", simulator.OpDrop, false},
		{"a part of the API", []string{"iso", "api/pam"}, "", "GET", "/api/session/remotesessions", simulator.OpOther, true},
		{"only the beginning of a word", []string{"ap"}, "", "DELETE", "/api/pam/session/drop/x", simulator.OpOther, true},
		{"base path", []string{"api"}, "/pam", "DELETE", "/pam/api/pam/session/drop/x", simulator.OpDrop, false},
		{"no base path", []string{"api"}, "/pam", "GET", "/api/session/remotesessions", simulator.OpOther, true},
		{"unknown path of the API", []string{"api"}, "", "GET", "/api/other", simulator.OpOther, false},
		{"root", []string{"api"}, "", "GET", "/", simulator.OpOther, true},
		{"no web server", nil, "", "DELETE", "/iso/session/drop/x", simulator.OpDrop, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := serve(t, simulator.Config{
				BasePath: tt.base, Forwarded: tt.forwarded,
				Routes: simulator.Routes{Drop: []string{"api/pam/session/drop", "iso/session/drop"}},
			})
			got := k.do(t, tt.method, tt.path)
			if op := last(t, k.sim).Op; op != tt.op {
				t.Errorf("it is %s, want %s", op, tt.op)
			}
			html := got.header.Get("Content-Type") == "text/html; charset=utf-8"
			if html != tt.page {
				t.Errorf("%d %s", got.status, got.body)
			}
			if tt.page {
				wantStatus(t, got, http.StatusNotFound)
			}
		})
	}
}

// TestWrongRouteWithoutCode: the answer has the text and no code, which is all
// that differs.
func TestWrongRouteWithoutCode(t *testing.T) {
	t.Parallel()
	answerOf := func(c simulator.Config) (whole, response map[string]any) {
		k := serve(t, c)
		got := k.do(t, http.MethodGet, "/api/other")
		wantStatus(t, got, http.StatusNotFound)
		k.sim.Inject(simulator.Fault{Kind: simulator.WrongRoute404})
		if struck := k.list(t); !bytes.Equal(struck.body, got.body) {
			t.Errorf("the fault answers %s, the route %s", struck.body, got.body)
		}
		whole = got.object(t)
		response, ok := whole["response"].(map[string]any)
		if !ok {
			t.Fatalf("no envelope: %s", got.body)
		}
		return whole, response
	}
	want, wantResponse := answerOf(simulator.Config{})
	got, gotResponse := answerOf(simulator.Config{WrongRouteWithoutCode: true})
	for _, code := range []string{"error_code", "cod_erro"} {
		if numberText(wantResponse[code]) != "4" {
			t.Errorf("%s is %v with the code, want 4", code, wantResponse[code])
		}
		delete(wantResponse, code)
	}
	if !reflect.DeepEqual(got, want) || gotResponse["message"] != "Resource sub not found" {
		t.Errorf("got %v, want %v", got, want)
	}
}
