package a2a

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// tokens answers token requests with "token-1", "token-2" and so on, and drops
// with 204 if they bring one of accepted.
type tokens struct {
	pam
	lifetime int
	accepted []string
	forms    []url.Values
	used     []string
}

func newTokens(lifetime int, accepted ...string) *tokens {
	s := &tokens{lifetime: lifetime, accepted: accepted}
	s.answerToken = func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.forms = append(s.forms, r.PostForm)
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":%d,"access_token":"token-%d"}`, s.lifetime, len(s.forms))
	}
	s.handler = func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		s.mu.Lock()
		s.used = append(s.used, token)
		s.mu.Unlock()
		if len(s.accepted) > 0 && !slices.Contains(s.accepted, token) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error":"access_denied"}`))
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
	return s
}

func TestTokenRequest(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		tenant string
		want   url.Values
	}{
		{"plain", "", url.Values{"grant_type": {"client_credentials"}, "client_id": {"client"}, "client_secret": {testSecret}}},
		{"tenant", "acme", url.Values{"grant_type": {"client_credentials"}, "client_id": {"client"}, "client_secret": {testSecret}, "tenant": {"acme"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newTokens(3600)
			c := overNetwork(t, &s.pam, func(cfg *Config) { cfg.Tenant = tc.tenant })
			for range 2 {
				if err := c.Drop(t.Context(), testID); err != nil {
					t.Fatal(err)
				}
			}
			if len(s.forms) != 1 || s.forms[0].Encode() != tc.want.Encode() {
				t.Errorf("token requests %v, want one of %v", s.forms, tc.want)
			}
			if want := []string{"token-1", "token-1"}; !slices.Equal(s.used, want) {
				t.Errorf("tokens used %v, want %v", s.used, want)
			}
		})
	}
}

// TestRenewalAheadOfExpiry moves the clock over the life of a token.
func TestRenewalAheadOfExpiry(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		lifetime int
		keeps    time.Duration
		renews   time.Duration
	}{
		{"an hour", 3600, 58 * time.Minute, 2 * time.Minute},
		{"ten seconds", 10, 8 * time.Second, 2 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTokens(tc.lifetime)
				c := inMemory(t, &s.pam, nil)
				for _, wait := range []time.Duration{0, tc.keeps, tc.renews} {
					<-time.After(wait)
					if err := c.Drop(t.Context(), testID); err != nil {
						t.Fatal(err)
					}
				}
				if want := []string{"token-1", "token-1", "token-2"}; !slices.Equal(s.used, want) {
					t.Errorf("tokens used %v, want %v", s.used, want)
				}
			})
		})
	}
	// A lifetime that is no time at all is unknown: the token is good until it is
	// refused, and not asked for again with each call.
	for _, lifetime := range []int{0, -1, -3600} {
		t.Run(fmt.Sprintf("life of %d", lifetime), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTokens(lifetime)
				c := inMemory(t, &s.pam, nil)
				for range 2 {
					if err := c.Drop(t.Context(), testID); err != nil {
						t.Fatal(err)
					}
					<-time.After(1000 * time.Hour)
				}
				if len(s.forms) != 1 {
					t.Errorf("%d token requests, want 1", len(s.forms))
				}
			})
		})
	}
}

// TestLifetimeInOtherForms: a float is read as seconds, and one beyond all
// measure as long.
func TestLifetimeInOtherForms(t *testing.T) {
	t.Parallel()
	for lifetime, keeps := range map[string]time.Duration{
		"3600.9": 58 * time.Minute, "3.6e3": 58 * time.Minute, `"3600"`: 58 * time.Minute,
		"1e15": 1000 * time.Hour, "1e999": 1000 * time.Hour, "99999999999999999999": 1000 * time.Hour, "2147483648": 1000 * time.Hour,
	} {
		t.Run(lifetime, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &pam{handler: answering(204, ""), answerToken: answering(200, `{"access_token":"abcdefgh","expires_in":`+lifetime+`}`)}
				c := inMemory(t, p, nil)
				want := []string{"POST " + tokenPath}
				for _, wait := range []time.Duration{0, keeps} {
					<-time.After(wait)
					if err := c.Drop(t.Context(), testID); err != nil {
						t.Fatal(err)
					}
					want = append(want, "DELETE "+dropPath)
				}
				p.wantRequests(t, want...)
				if keeps < time.Hour {
					<-time.After(2 * time.Minute)
					if err := c.Drop(t.Context(), testID); err != nil {
						t.Fatal(err)
					}
					p.wantRequests(t, append(want, "POST "+tokenPath, "DELETE "+dropPath)...)
				}
			})
		})
	}
}

// TestRefusedTokenIsRenewedOnce: one new token and one repeat in a call.
func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	t.Parallel()
	for _, o := range operations {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			p := &pam{}
			p.handler = func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer access-token-2" {
					answering(401, readBody(t, "bearer-denied-http401.json"))(w, r)
					return
				}
				answering(200, readBody(t, o.success))(w, r)
			}
			if err := o.run(t.Context(), inMemory(t, p, nil)); err != nil {
				t.Error(err)
			}
			p.wantRequests(t, "POST "+tokenPath, o.request, "POST "+tokenPath, o.request)

			p = &pam{handler: answering(401, "")}
			wantClass(t, o.run(t.Context(), inMemory(t, p, func(cfg *Config) { cfg.MaxRetries = 3 })), session.ErrUnauthenticated)
			p.wantRequests(t, "POST "+tokenPath, o.request, "POST "+tokenPath, o.request)
		})
	}
}

// TestOneNewTokenInACall, over its retries too.
func TestOneNewTokenInACall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pam{handler: inOrder(answering(401, ""), answering(429, ""), answering(401, "{}"), answering(204, ""))}
		c := inMemory(t, p, func(cfg *Config) { cfg.MaxRetries = 3 })
		wantClass(t, c.Drop(t.Context(), testID), session.ErrUnauthenticated)
		drop := "DELETE " + dropPath
		p.wantRequests(t, "POST "+tokenPath, drop, "POST "+tokenPath, drop, drop)
	})
}

// TestInactiveIsNotRenewed: a new token would not help.
func TestInactiveIsNotRenewed(t *testing.T) {
	t.Parallel()
	p := &pam{handler: answering(401, readBody(t, "inactive-authorization-http401.json"))}
	wantClass(t, inMemory(t, p, nil).Drop(t.Context(), testID), session.ErrInactive)
	p.wantRequests(t, "POST "+tokenPath, "DELETE "+dropPath)
}

// TestManyRefusedTokens: callers whose token is refused at the same time share
// one new one.
func TestManyRefusedTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTokens(3600, "token-2")
		inner := s.handler
		s.handler = func(w http.ResponseWriter, r *http.Request) {
			<-time.After(time.Second)
			inner(w, r)
		}
		c := inMemory(t, &s.pam, func(cfg *Config) { cfg.MaxConcurrentRequests = 100 })
		concurrently(t, 100, func() error { return c.Drop(t.Context(), testID) })
		if len(s.forms) != 2 {
			t.Errorf("%d token requests, want 2", len(s.forms))
		}
	})
}

// TestRejectedClientIsAskedOnce: credentials that were refused are sent once in
// the life of the Client, because senhasegura may lock them.
func TestRejectedClientIsAskedOnce(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		token http.HandlerFunc
		want  error
	}{
		{"invalid client", answering(401, `{"error":"invalid_client","message":"Client authentication failed"}`), session.ErrUnauthenticated},
		{"without a reason", answering(401, ""), session.ErrUnauthenticated},
		{"forbidden", answering(403, `{"message":"forbidden"}`), session.ErrUnauthenticated},
		{"bad request", answering(400, `{"error":"invalid_request"}`), session.ErrUnauthenticated},
		{"page of a gateway", answering(400, htmlPage), session.ErrUnauthenticated},
		{"in words under 500", answering(500, `{"code":500,"error":true,"message":"Client authentication failed"}`), session.ErrUnauthenticated},
		{"in words under 503", answering(503, `{"message":"Client authentication failed"}`), session.ErrUnauthenticated},
		{"in words under 200", answering(200, `{"error":true,"message":"Client authentication failed"}`), session.ErrUnauthenticated},
		{"permission under 500", answering(500, permissions), session.ErrPermission},
		{"referer", answering(500, `{"code":500,"error":true,"error_code":1105}`), session.ErrReferer},
		{"inactive", answering(401, `{"code":401,"error":true,"message":"Inactive authorization"}`), session.ErrInactive},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &pam{handler: answering(204, ""), answerToken: func(w http.ResponseWriter, r *http.Request) {
					<-time.After(time.Second)
					tc.token(w, r)
				}}
				c := inMemory(t, p, func(cfg *Config) { cfg.MaxRetries = 3 })
				var wait sync.WaitGroup
				for i := range 100 {
					wait.Go(func() {
						o := operations[i%len(operations)]
						wantClass(t, o.run(t.Context(), c), tc.want)
					})
				}
				wait.Wait()
				<-time.After(1000 * time.Hour)
				wantClass(t, c.Drop(t.Context(), testID), tc.want)
				p.wantRequests(t, "POST "+tokenPath)
			})
		})
	}
}

// noRoute is how a gateway answers for a route that it does not have, and for a
// token that it does not accept.
func noRoute(t *testing.T) http.HandlerFunc {
	t.Helper()
	return answering(404, readBody(t, "gateway-no-route-http404.json"))
}

// TestTokenInDoubt: behind a gateway a token that is no longer accepted looks like
// a wrong route. A token that was accepted before, or is older than the call, is
// replaced once; a new one is not in doubt.
func TestTokenInDoubt(t *testing.T) {
	t.Parallel()
	const second = "DELETE /iso/session/drop/" + testID
	// accepting answers drops that bring one of the tokens, as a gateway would.
	accepting := func(t *testing.T, tokens ...string) http.HandlerFunc {
		t.Helper()
		denied := noRoute(t)
		return func(w http.ResponseWriter, r *http.Request) {
			if slices.Contains(tokens, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			denied(w, r)
		}
	}
	t.Run("new token", func(t *testing.T) {
		t.Parallel()
		p := &pam{handler: noRoute(t)}
		wantClass(t, inMemory(t, p, nil).Drop(t.Context(), testID), session.ErrWrongRoute)
		p.wantRequests(t, "POST "+tokenPath, "DELETE "+dropPath, second)
	})
	t.Run("revoked after it was accepted", func(t *testing.T) {
		t.Parallel()
		p := &pam{handler: accepting(t, testToken)}
		c := inMemory(t, p, nil)
		if err := c.Drop(t.Context(), testID); err != nil {
			t.Fatal(err)
		}
		p.handler = accepting(t, "access-token-2")
		if err := c.Drop(t.Context(), testID); err != nil {
			t.Error(err)
		}
		p.wantRequests(t, "POST "+tokenPath, "DELETE "+dropPath, "DELETE "+dropPath, "POST "+tokenPath, "DELETE "+dropPath)
	})
	t.Run("older than the call and never accepted", func(t *testing.T) {
		t.Parallel()
		p := &pam{handler: answering(503, "")}
		c := inMemory(t, p, nil)
		wantClass(t, c.Drop(t.Context(), testID), session.ErrUnknownOutcome)
		p.handler = accepting(t, "access-token-2")
		if err := c.Drop(t.Context(), testID); err != nil {
			t.Error(err)
		}
		p.wantRequests(t, "POST "+tokenPath, "DELETE "+dropPath, "DELETE "+dropPath, "POST "+tokenPath, "DELETE "+dropPath)
	})
	t.Run("the route is really missing", func(t *testing.T) {
		t.Parallel()
		p := &pam{handler: answering(204, "")}
		c := inMemory(t, p, nil)
		if err := c.Drop(t.Context(), testID); err != nil {
			t.Fatal(err)
		}
		p.handler = noRoute(t)
		before := len(p.requests())
		_, err := c.Session(t.Context(), testRecord)
		wantClass(t, err, session.ErrWrongRoute)
		get := func(prefix string) string { return "GET " + prefix + "/session/remotesessions/" + testRecord }
		want := []string{get("/api"), "POST " + tokenPath, get("/api"), get("/api/pam"), get("/iso")}
		if got := p.requests()[before:]; !slices.Equal(got, want) {
			t.Errorf("requests %q, want %q", got, want)
		}
		// Known to be missing with a new token, it puts no later token in doubt.
		before = len(p.requests())
		_, err = c.Session(t.Context(), testRecord)
		wantClass(t, err, session.ErrWrongRoute)
		if got, want := p.requests()[before:], []string{get("/api"), get("/api/pam"), get("/iso")}; !slices.Equal(got, want) {
			t.Errorf("requests of the second call %q, want %q", got, want)
		}
	})
	t.Run("many calls", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := &pam{handler: accepting(t, testToken)}
			c := inMemory(t, p, nil)
			if err := c.Drop(t.Context(), testID); err != nil {
				t.Fatal(err)
			}
			p.handler = accepting(t, "access-token-2")
			concurrently(t, 20, func() error { return c.Drop(t.Context(), testID) })
			if n := p.count("POST "); n != 2 {
				t.Errorf("%d token requests, want 2", n)
			}
			if n := p.count(second); n != 0 {
				t.Errorf("%d drops moved on to the other route", n)
			}
		})
	})
}

// TestTokenRequestIsRepeated by the same policy as a read, and not multiplied by
// the retries of the call that waits for it.
func TestTokenRequestIsRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pam{handler: answering(204, ""), answerToken: answering(502, htmlPage)}
		c := inMemory(t, p, func(cfg *Config) { cfg.MaxRetries = 2 })
		err := c.Drop(t.Context(), testID)
		wantClass(t, err, session.ErrTransient)
		if e := asError(t, err); e.Op != OpToken || e.Attempts != 3 {
			t.Errorf("op %q after %d attempts, want %q after 3", e.Op, e.Attempts, OpToken)
		}
		p.wantRequests(t, "POST "+tokenPath, "POST "+tokenPath, "POST "+tokenPath)
		p.answerToken = nil
		if err := c.Drop(t.Context(), testID); err != nil {
			t.Errorf("a transient failure was remembered: %v", err)
		}
	})
}

// TestWaiterLeaves: a caller whose context ends stops waiting for the token at
// once, and the others still get it from the same request.
func TestWaiterLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTokens(3600)
		answer := s.answerToken
		s.answerToken = func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(10 * time.Second):
				answer(w, r)
			case <-r.Context().Done():
			}
		}
		c := inMemory(t, &s.pam, nil)
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		left := make(chan error, 1)
		go func() { left <- c.Drop(impatient, testID) }()
		synctest.Wait()
		patient := make(chan error, 1)
		go func() { patient <- c.Drop(t.Context(), testID) }()
		err := <-left
		wantClass(t, err, nil)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("left after %s with %v", time.Since(began), err)
		}
		if err := <-patient; err != nil {
			t.Error(err)
		}
		if len(s.forms) != 1 {
			t.Errorf("%d token requests, want 1", len(s.forms))
		}
	})
}

// TestOAuth1 checks the signatures of requests with the verifier below.
func TestOAuth1(t *testing.T) {
	t.Parallel()
	credentials := &OAuth1{
		ConsumerKey: "consumer&key", ConsumerSecret: "consumer secret", TokenKey: "token=key", TokenSecret: "token/secret",
	}
	var mu sync.Mutex
	nonces := map[string]int{}
	var server string
	p := &pam{}
	p.handler = func(w http.ResponseWriter, r *http.Request) {
		parameters, err := verifyOAuth1(r, server, credentials)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		nonces[parameters["oauth_nonce"]]++
		first := len(nonces) == 1
		mu.Unlock()
		if first {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
	c := overNetwork(t, p, func(cfg *Config) {
		cfg.ClientID, cfg.ClientSecret, cfg.OAuth1, cfg.MaxRetries = "", "", credentials, 1
		server = cfg.URL
		cfg.URL += "/base%2Fpath/"
	})
	if err := c.Drop(t.Context(), "a/b c?d&é"); err != nil {
		t.Fatal(err)
	}
	p.wantRequests(t,
		"DELETE /base%2Fpath/api/pam/session/drop/a%2Fb%20c%3Fd&%C3%A9",
		"DELETE /base%2Fpath/api/pam/session/drop/a%2Fb%20c%3Fd&%C3%A9")
	if len(nonces) != 2 {
		t.Errorf("%d nonces in 2 requests: %v", len(nonces), nonces)
	}
}

// TestOAuth1InvalidSignature: the same secrets are not sent again.
func TestOAuth1InvalidSignature(t *testing.T) {
	t.Parallel()
	p := &pam{handler: answering(401, readBody(t, "gateway-invalid-signature-http401.json"))}
	c := inMemory(t, p, func(cfg *Config) {
		cfg.ClientID, cfg.ClientSecret = "", ""
		cfg.OAuth1 = &OAuth1{ConsumerKey: "a", ConsumerSecret: "b", TokenKey: "c", TokenSecret: "d"}
		cfg.MaxRetries = 3
	})
	for range 3 {
		wantClass(t, c.Drop(t.Context(), testID), session.ErrUnauthenticated)
	}
	p.wantRequests(t, "DELETE "+dropPath)
}

// verifyOAuth1 checks the signature of r as RFC 5849 describes it, and returns
// the parameters of its header. server is scheme and authority.
func verifyOAuth1(r *http.Request, server string, o *OAuth1) (map[string]string, error) {
	header, ok := strings.CutPrefix(r.Header.Get("Authorization"), "OAuth ")
	if !ok {
		return nil, fmt.Errorf("authorization is not OAuth: %q", r.Header.Get("Authorization"))
	}
	parameters := map[string]string{}
	for pair := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		decoded, err := url.PathUnescape(strings.Trim(value, `"`))
		if err != nil {
			return nil, err
		}
		parameters[name] = decoded
	}
	for name, want := range map[string]string{
		"oauth_consumer_key": o.ConsumerKey, "oauth_token": o.TokenKey, "oauth_signature_method": "HMAC-SHA1", "oauth_version": "1.0",
	} {
		if parameters[name] != want {
			return parameters, fmt.Errorf("%s is %q, want %q", name, parameters[name], want)
		}
	}
	sent := int64(0)
	if n, err := strconv.ParseInt(parameters["oauth_timestamp"], 10, 64); err == nil {
		sent = n
	}
	if age := time.Since(time.Unix(sent, 0)); age < -time.Hour || age > time.Hour {
		return parameters, fmt.Errorf("timestamp %q is not now", parameters["oauth_timestamp"])
	}
	signed := map[string]string{}
	for name, value := range parameters {
		if name != "oauth_signature" {
			signed[name] = value
		}
	}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	want := signOAuth1(r.Method, server+path, signed, o.ConsumerSecret, o.TokenSecret)
	if parameters["oauth_signature"] != want {
		return parameters, fmt.Errorf("signature %q, want %q", parameters["oauth_signature"], want)
	}
	return parameters, nil
}

// signOAuth1 is RFC 5849, sections 3.4.1 and 3.4.2.
func signOAuth1(method, uri string, parameters map[string]string, consumerSecret, tokenSecret string) string {
	pairs := make([]string, 0, len(parameters))
	for name, value := range parameters {
		pairs = append(pairs, escapeOAuth1(name)+"="+escapeOAuth1(value))
	}
	slices.Sort(pairs)
	base := method + "&" + escapeOAuth1(uri) + "&" + escapeOAuth1(strings.Join(pairs, "&"))
	mac := hmac.New(sha1.New, []byte(escapeOAuth1(consumerSecret)+"&"+escapeOAuth1(tokenSecret)))
	mac.Write([]byte(base))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// escapeOAuth1 is RFC 5849, section 3.6.
func escapeOAuth1(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// TestVerifierOnPublishedExample holds the verifier against the example of RFC
// 5849, section 1.2, so that it is not merely as wrong as what it verifies.
func TestVerifierOnPublishedExample(t *testing.T) {
	t.Parallel()
	got := signOAuth1("GET", "http://photos.example.net/photos", map[string]string{
		"file": "vacation.jpg", "size": "original",
		"oauth_consumer_key": "dpf43f3p2l4k3l03", "oauth_token": "nnch734d00sl2jdk",
		"oauth_signature_method": "HMAC-SHA1", "oauth_timestamp": "137131202", "oauth_nonce": "chapoH",
	}, "kd94hf93k423kf44", "pfkkdhi9sl3r4s00")
	if want := "MdpQcU8iPSUjWoN/UDMsK2sui9I="; got != want {
		t.Errorf("signature %q, want %q", got, want)
	}
}
