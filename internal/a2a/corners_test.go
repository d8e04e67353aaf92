package a2a

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// TestMethodNotAllowedIsAWrongRoute: nginx and Apache answer a DELETE to a path
// that they do not forward with 405, not 404. It was not carried out.
func TestMethodNotAllowedIsAWrongRoute(t *testing.T) {
	t.Parallel()
	p := &pam{handler: func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/iso/") {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusMethodNotAllowed)
		_, _ = io.WriteString(w, "<html><head><title>405 Not Allowed</title></head></html>")
	}}
	if err := inMemory(t, p, nil).Drop(t.Context(), testID); err != nil {
		t.Error(err)
	}
	p.wantRequests(t, "POST "+tokenPath, "DELETE "+dropPath, "DELETE /iso/session/drop/"+testID)
}

// TestWrongRouteInWordsBesideTheUsualCode: response.error_code is almost always 1
// (contract, section 3), which is no code of a wrong route and no other either.
func TestWrongRouteInWordsBesideTheUsualCode(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"code":404,"response":{"status":404,"error":true,"error_code":1,"message":"Resource sub not found"}}`,
		`{"code":404,"error":true,"error_code":1,"message":"Resource sub not found"}`,
	} {
		for _, o := range operations {
			p := &pam{handler: answering(404, body)}
			err := o.run(t.Context(), inMemory(t, p, nil))
			t.Log(o.name)
			wantClass(t, err, session.ErrWrongRoute)
		}
	}
}

// TestContextEndsAnywhere and no place keeps a slot, a connection or a goroutine.
func TestContextEndsAnywhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := atomic.Bool{}
		p := &pam{}
		p.handler = func(w http.ResponseWriter, r *http.Request) {
			if hang.Load() {
				<-r.Context().Done()
				return
			}
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(http.StatusTooManyRequests)
		}
		p.answerToken = func(w http.ResponseWriter, r *http.Request) {
			<-time.After(3 * time.Second)
			answering(200, `{"access_token":"abcdefgh","expires_in":20}`)(w, r)
		}
		c := inMemory(t, p, func(cfg *Config) { cfg.MaxConcurrentRequests, cfg.MaxRetries, cfg.RequestsPerSecond = 2, 3, 1 })
		for _, hangs := range []bool{true, false} {
			hang.Store(hangs)
			var wait sync.WaitGroup
			for n := range 40 {
				wait.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n)*700*time.Millisecond)
					defer cancel()
					err := operations[n%3].run(ctx, c)
					if err == nil {
						t.Error("no error")
						return
					}
					// A wait that the context does not last for is not begun.
					if ctx.Err() == nil && asError(t, err).Status != http.StatusTooManyRequests {
						t.Errorf("ended before its context: %v", err)
					}
				})
			}
			wait.Wait()
			<-time.After(time.Hour)
			if len(c.slots) != 0 {
				t.Errorf("%d slots are taken", len(c.slots))
			}
		}
	})
}

// TestKnownTextsInError: a release may write the text as `error`, as OAuth does.
func TestKnownTextsInError(t *testing.T) {
	t.Parallel()
	p := &pam{handler: answering(204, ""), answerToken: answering(500, `{"error":"Client authentication failed"}`)}
	c := inMemory(t, p, nil)
	for range 2 {
		wantClass(t, c.Drop(t.Context(), testID), session.ErrUnauthenticated)
	}
	p.wantRequests(t, "POST "+tokenPath)

	p = &pam{handler: answering(500, `{"error":"Invalid signature"}`)}
	err := inMemory(t, p, nil).Drop(t.Context(), testID)
	wantClass(t, err, session.ErrUnauthenticated)
	wantBlame(t, err, ErrSignature)

	p = &pam{handler: answering(404, `{"error":"no Route matched with those values"}`)}
	wantClass(t, inMemory(t, p, nil).Drop(t.Context(), testID), session.ErrWrongRoute)
}
