package a2a

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// breaking cuts an answer after a part of its body.
func breaking(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "500")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// TestRejectionThatBreaksOffIsARejection: the status of a token request has
// arrived, so the credentials were rejected, and are not sent again.
func TestRejectionThatBreaksOffIsARejection(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 403} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			p := &pam{handler: answering(204, ""), answerToken: breaking(status, `{"error":"invalid_client"`)}
			c := overNetwork(t, p, func(cfg *Config) { cfg.MaxRetries = 1 })
			for range 2 {
				err := c.Drop(t.Context(), testID)
				wantClass(t, err, session.ErrUnauthenticated)
				if e := asError(t, err); e.Status != status {
					t.Errorf("status %d, want %d; %v", e.Status, status, err)
				}
			}
			if n := p.count("POST"); n != 1 {
				t.Errorf("rejected credentials were sent %d times", n)
			}
		})
	}
}

// TestRejectionWithASlowBody: the same where the body does not end in time.
func TestRejectionWithASlowBody(t *testing.T) {
	t.Parallel()
	p := &pam{handler: answering(204, ""), answerToken: func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}}
	c := overNetwork(t, p, func(cfg *Config) { cfg.MaxRetries, cfg.RequestTimeout = 1, 200*time.Millisecond })
	wantClass(t, c.Drop(t.Context(), testID), session.ErrUnauthenticated)
	if n := p.count("POST"); n != 1 {
		t.Errorf("rejected credentials were sent %d times", n)
	}
}

// TestTokenStatusThatBreaksOff keeps what the server has said: a wait that it
// asks for, and that it answered at all.
func TestTokenStatusThatBreaksOff(t *testing.T) {
	t.Parallel()
	inner := breaking(429, `{"message":"slow`)
	p := &pam{handler: answering(204, ""), answerToken: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "3600")
		inner(w, r)
	}}
	err := overNetwork(t, p, func(cfg *Config) { cfg.MaxRetries = 1 }).Drop(t.Context(), testID)
	wantBlame(t, err, ErrTooManyRequests)
	if e := asError(t, err); e.Status != 429 || e.RetryAfter != time.Hour {
		t.Errorf("status %d, wait %s: %v", e.Status, e.RetryAfter, err)
	}
	if n := p.count("POST"); n != 1 {
		t.Errorf("%d token requests although it asked for an hour", n)
	}
}

// TestManyCallsWithRejectedSignature: a rejected credential is sent once, by
// calls that wait for their turn and by ten at a time, the default.
func TestManyCallsWithRejectedSignature(t *testing.T) {
	t.Parallel()
	for name, maxConcurrent := range map[string]int{"one at a time": 1, "the default": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &pam{handler: func(w http.ResponseWriter, r *http.Request) {
					<-time.After(time.Second)
					answering(401, `{"message":"Invalid signature"}`)(w, r)
				}}
				c := inMemory(t, p, func(cfg *Config) {
					cfg.ClientID, cfg.ClientSecret, cfg.MaxConcurrentRequests = "", "", maxConcurrent
					cfg.OAuth1 = &OAuth1{ConsumerKey: "aaaa", ConsumerSecret: "bbbb", TokenKey: "cccc", TokenSecret: "dddd"}
				})
				var wait sync.WaitGroup
				for range 50 {
					wait.Go(func() { wantClass(t, c.Drop(t.Context(), testID), session.ErrUnauthenticated) })
				}
				wait.Wait()
				if n := p.count("DELETE"); n != 1 {
					t.Errorf("rejected OAuth 1.0a credentials were sent %d times", n)
				}
			})
		})
	}
}

// TestManyCallsWithRejectedProxyPassword: the proxy rejects in the middle of a
// run, when the token is known and calls no longer wait for one.
func TestManyCallsWithRejectedProxyPassword(t *testing.T) {
	t.Parallel()
	server := quietly(t, &pam{handler: answering(204, "")}, func(server *httptest.Server) {
		server.Config.SetKeepAlivesEnabled(false)
	})
	through := &proxy{password: "right-one", target: server.Listener.Addr().String()}
	var rejected atomic.Int32
	var revoked atomic.Bool
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if revoked.Load() {
			rejected.Add(1)
			<-time.After(50 * time.Millisecond)
			http.Error(w, "", http.StatusProxyAuthRequired)
			return
		}
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	cfg := testConfig("https://example.com")
	cfg.CACertPEM, cfg.MaxConcurrentRequests = certificatePEM(server.Certificate()), 1
	cfg.ProxyURL = strings.Replace(front.URL, "http://", "http://runner:right-one@", 1)
	c := mustNew(t, cfg)
	if err := c.Drop(t.Context(), testID); err != nil {
		t.Fatal(err)
	}
	revoked.Store(true)
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() { wantBlame(t, c.Drop(t.Context(), testID), ErrProxyCredentials) })
	}
	wait.Wait()
	if n := rejected.Load(); n != 1 {
		t.Errorf("a rejected proxy password was sent %d times, one request at a time", n)
	}
}

// TestTokenThatEndsWhileWaiting: a call that waited long for its turn is sent
// with a token that is still good.
func TestTokenThatEndsWhileWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var issued time.Time
		var refused int
		p := &pam{}
		p.answerToken = func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			issued = time.Now()
			mu.Unlock()
			answering(200, `{"access_token":"abcdefgh","expires_in":60}`)(w, r)
		}
		p.handler = func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if time.Since(issued) >= time.Minute {
				refused++
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		}
		c := inMemory(t, p, func(cfg *Config) { cfg.RequestsPerSecond = 0.5 })
		var wait sync.WaitGroup
		var failed atomic.Int32
		for range 100 {
			wait.Go(func() {
				if c.Drop(t.Context(), testID) != nil {
					failed.Add(1)
				}
			})
		}
		wait.Wait()
		if refused != 0 || failed.Load() != 0 {
			t.Errorf("%d requests were sent with a token that had ended, and %d of 100 calls failed for good", refused, failed.Load())
		}
	})
}
