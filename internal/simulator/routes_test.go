package simulator_test

import (
	"net/http"
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
