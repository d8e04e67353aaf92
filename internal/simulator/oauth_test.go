package simulator_test

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

func TestToken(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	with := func(change func(url.Values)) string {
		values := credentials()
		change(values)
		return values.Encode()
	}
	right := credentials().Encode()
	tests := []struct {
		name        string
		config      simulator.Config
		contentType string
		query, body string
		basic       bool
		status      int
	}{
		{"right", simulator.Config{}, form, "", right, false, 200},
		{"charset", simulator.Config{}, form + "; charset=utf-8", "", right, false, 200},
		{"wrong secret", simulator.Config{}, form, "", with(func(v url.Values) { v.Set("client_secret", "x") }), false, 401},
		{"wrong id", simulator.Config{}, form, "", with(func(v url.Values) { v.Set("client_id", "x") }), false, 401},
		{"wrong grant", simulator.Config{}, form, "", with(func(v url.Values) { v.Set("grant_type", "password") }), false, 400},
		{"not a form", simulator.Config{}, "application/json", "", `{"client_id":"x"}`, false, 400},
		{"in the query", simulator.Config{}, form, "?" + right, "grant_type=client_credentials", false, 401},
		{"basic not accepted", simulator.Config{}, form, "", "grant_type=client_credentials", true, 401},
		{"basic accepted", simulator.Config{BasicAuth: true}, form, "", "grant_type=client_credentials", true, 200},
		{"tenant missing", simulator.Config{Tenant: "acme"}, form, "", right, false, 401},
		{"tenant", simulator.Config{Tenant: "acme"}, form, "", with(func(v url.Values) { v.Set("tenant", "acme") }), false, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := serve(t, tt.config)
			r := k.request(t, http.MethodPost, tokenPath+tt.query, strings.NewReader(tt.body))
			r.Header.Set("Content-Type", tt.contentType)
			if tt.basic {
				r.SetBasicAuth(simulator.DefaultClientID, simulator.DefaultClientSecret)
			}
			wantStatus(t, k.send(r), tt.status)
			if issued := len(k.sim.IssuedTokens()); (issued == 1) != (tt.status == 200) {
				t.Errorf("%d tokens were issued", issued)
			}
		})
	}
}

// TestInvalidClient: the answers to a wrong client by status and form. The text is
// in all of them.
func TestInvalidClient(t *testing.T) {
	t.Parallel()
	const text = "Client authentication failed"
	for _, status := range []int{0, http.StatusBadRequest, http.StatusForbidden, http.StatusInternalServerError} {
		for _, envelope := range []bool{false, true} {
			t.Run(strconv.Itoa(status)+" "+strconv.FormatBool(envelope), func(t *testing.T) {
				t.Parallel()
				k := serve(t, simulator.Config{InvalidClientStatus: status, InvalidClientEnvelope: envelope})
				form := credentials()
				form.Set("client_secret", "wrong")
				got := k.post(t, tokenPath, form)
				wantStatus(t, got, cmp.Or(status, http.StatusUnauthorized))
				where := got.object(t)
				if envelope {
					response, ok := where["response"].(map[string]any)
					if !ok || response["error"] != true || numberText(response["status"]) != strconv.Itoa(got.status) {
						t.Fatalf("no envelope of a failure: %s", got.body)
					}
					where = response
				}
				if where["message"] != text {
					t.Errorf("%q is not the message of %s", text, got.body)
				}
				if says := strings.Contains(string(got.body), "invalid_client"); says == envelope {
					t.Errorf("body %s", got.body)
				}
				if n := len(k.sim.IssuedTokens()); n != 0 {
					t.Errorf("%d tokens were issued", n)
				}
				wantStatus(t, k.post(t, tokenPath, credentials()), http.StatusOK)
			})
		}
	}
}

func TestTokenType(t *testing.T) {
	t.Parallel()
	k := serve(t, simulator.Config{LowerCaseTokenType: true, TokenLifetime: 90 * time.Second})
	got := k.post(t, tokenPath, credentials())
	if kind := got.text(t, "token_type"); kind != "bearer" {
		t.Errorf("token_type %q", kind)
	}
	if lifetime := numberText(got.object(t)["expires_in"]); lifetime != "90" {
		t.Errorf("expires_in %s", lifetime)
	}
}

func TestTokenEnds(t *testing.T) {
	t.Parallel()
	k := login(t, simulator.Config{})
	wantStatus(t, k.list(t), http.StatusOK)
	k.sim.RevokeTokens()
	wantStatus(t, k.list(t), http.StatusUnauthorized)
	renewed := k.post(t, tokenPath, credentials())
	k.token = renewed.text(t, "access_token")
	wantStatus(t, k.list(t), http.StatusOK)
	k.token += "x"
	wantStatus(t, k.list(t), http.StatusUnauthorized)
}

// TestGatewayDenies: a gateway answers a token that is missing or was revoked as
// if there were no such route.
func TestGatewayDenies(t *testing.T) {
	t.Parallel()
	k := login(t, simulator.Config{GatewayDenies: true})
	v := k.sim.Add(simulator.Session{})
	wantNoRoute := func(got reply) {
		t.Helper()
		wantStatus(t, got, http.StatusNotFound)
		if text := got.text(t, "message"); text != "no Route matched with those values" {
			t.Errorf("message %q", text)
		}
	}
	k.sim.RevokeTokens()
	wantNoRoute(k.list(t))
	wantNoRoute(k.drop(t, v.SessionID))
	wantState(t, k.sim, v.SessionID, simulator.StateLive)
	k.token = k.post(t, tokenPath, credentials()).text(t, "access_token")
	wantStatus(t, k.drop(t, v.SessionID), http.StatusOK)
	k.token = ""
	wantNoRoute(k.list(t))
}

func TestTokenExpires(t *testing.T) {
	t.Parallel()
	now := newClock()
	sim := simulator.New(simulator.Config{TokenLifetime: time.Minute, Now: now.read})
	directDrop(t, sim, "any") // fetches a token
	status := func() int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, listPath, http.NoBody)
		r.Header.Set("Authorization", "bearer "+sim.IssuedTokens()[0])
		got, _ := direct(sim, r)
		return got
	}
	now.advance(time.Minute - 1)
	if got := status(); got != http.StatusOK {
		t.Errorf("just before its end: %d", got)
	}
	now.advance(1)
	if got := status(); got != http.StatusUnauthorized {
		t.Errorf("at its end: %d", got)
	}
}
