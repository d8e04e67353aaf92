package a2a

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// inOrder returns a handler that takes the given ones one after the other, and
// the last of them for ever.
func inOrder(handlers ...http.HandlerFunc) http.HandlerFunc {
	var next atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		n := int(next.Add(1)) - 1
		handlers[min(n, len(handlers)-1)](w, r)
	}
}

func cut(http.ResponseWriter, *http.Request) { panic(errCut) }

// hang keeps the request until its context ends.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func tooMany(retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", retryAfter)
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

// TestRepeats counts requests: reads are repeated after everything that passes,
// a drop only after what was certainly not carried out.
func TestRepeats(t *testing.T) {
	t.Parallel()
	const once, always = 1, 4 // MaxRetries is 3
	for _, tc := range []struct {
		name        string
		fault       http.HandlerFunc
		reads, drop int
	}{
		{"too many requests", tooMany("1"), always, always},
		{"cut line", cut, always, once},
		{"hanging server", hang, always, once},
		{"bad gateway", answering(502, htmlPage), always, once},
		{"unavailable", answering(503, ""), always, once},
		{"gateway timeout", answering(504, ""), always, once},
		{"request timeout", answering(408, ""), always, once},
		{"page in place of JSON", answering(200, htmlPage), always, once},
		{"cut body", answering(200, unreadable), always, once},
		{"unexpected error", answering(500, `{"response":{"status":500,"error":true,"message":"Unexpected error"}}`), always, once},
		{"lockdown", answering(503, `{"error":true,"error_code":100}`), once, once},
		{"permission", answering(403, `{"error":true}`), once, once},
		{"referer", answering(500, `{"error":true,"error_code":1105}`), once, once},
		{"inactive", answering(401, `{"code":401,"error":true,"message":"Inactive authorization"}`), once, once},
		{"bad request", answering(400, `{"code":400,"error":true}`), once, once},
		{"failed drop", answering(500, `{"error":true,"error_code":1,"message":"droping"}`), always, once},
	} {
		for _, o := range operations {
			t.Run(tc.name+"/"+o.name, func(t *testing.T) {
				t.Parallel()
				want := tc.reads
				if o.op == OpDrop {
					want = tc.drop
				}
				synctest.Test(t, func(t *testing.T) {
					p := &pam{handler: tc.fault}
					c := inMemory(t, p, func(cfg *Config) { cfg.MaxRetries = 3 })
					err := o.run(t.Context(), c)
					if got := p.count(o.request); got != want {
						t.Errorf("%d requests, want %d (%v)", got, want, err)
					}
					if got := asError(t, err).Attempts; got != want {
						t.Errorf("Attempts = %d, want %d", got, want)
					}
				})
			})
		}
	}
}

// TestRepeatSucceeds: what passes is not reported.
func TestRepeatSucceeds(t *testing.T) {
	t.Parallel()
	for _, o := range operations {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &pam{handler: inOrder(tooMany(""), tooMany("0"), answering(200, readBody(t, o.success)))}
				c := inMemory(t, p, func(cfg *Config) { cfg.MaxRetries = 2 })
				if err := o.run(t.Context(), c); err != nil {
					t.Error(err)
				}
				p.wantRequests(t, "POST "+tokenPath, o.request, o.request, o.request)
			})
		})
	}
}

// TestNoConnection: a drop that had no connection was not sent, so it may be
// repeated.
func TestNoConnection(t *testing.T) {
	t.Parallel()
	for _, o := range operations {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &pam{handler: answering(200, readBody(t, o.success))}
				dials := 0
				connection := &memory{handler: p, dial: func() error {
					if dials++; dials == 1 || dials > 3 {
						return nil // the token, and the third attempt
					}
					return errors.New("no route to host")
				}}
				c := onConnection(t, connection, func(cfg *Config) { cfg.MaxRetries = 2 })
				if err := o.run(t.Context(), c); err != nil {
					t.Error(err)
				}
				p.wantRequests(t, "POST "+tokenPath, o.request)
				c = onConnection(t, connection, nil)
				connection.dial = func() error { return errors.New("no route to host") }
				wantClass(t, o.run(t.Context(), c), session.ErrTransient)
			})
		})
	}
}

// TestBackoff measures the waits on a clock that only they move.
func TestBackoff(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name       string
		retryAfter func(now time.Time) string
		// The bounds of each wait.
		shortest, longest []time.Duration
	}{
		{
			"exponential", func(time.Time) string { return "" },
			[]time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second},
			[]time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second},
		},
		{
			"seconds", func(time.Time) string { return "7" },
			[]time.Duration{7 * time.Second, 7 * time.Second, 7 * time.Second},
			[]time.Duration{8 * time.Second, 8 * time.Second, 8 * time.Second},
		},
		{
			"date", func(now time.Time) string { return now.UTC().Add(42 * time.Second).Format(http.TimeFormat) },
			[]time.Duration{41 * time.Second, 41 * time.Second, 41 * time.Second},
			[]time.Duration{43 * time.Second, 43 * time.Second, 43 * time.Second},
		},
		{
			"past date", func(now time.Time) string { return now.UTC().Add(-time.Hour).Format(http.TimeFormat) },
			[]time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second},
			[]time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var at []time.Time
				p := &pam{handler: func(w http.ResponseWriter, r *http.Request) {
					at = append(at, time.Now())
					tooMany(tc.retryAfter(time.Now()))(w, r)
				}}
				c := inMemory(t, p, func(cfg *Config) { cfg.MaxRetries = 3 })
				wantClass(t, c.Drop(t.Context(), testID), session.ErrTransient)
				if len(at) != 4 {
					t.Fatalf("%d requests, want 4", len(at))
				}
				for i := range 3 {
					if wait := at[i+1].Sub(at[i]); wait < tc.shortest[i] || wait > tc.longest[i] {
						t.Errorf("wait %d is %s, want %s to %s", i, wait, tc.shortest[i], tc.longest[i])
					}
				}
			})
		})
	}
}

func TestBackoffIsBounded(t *testing.T) {
	t.Parallel()
	for attempt := range 70 {
		if wait := backoff(attempt, 0); wait < firstBackoff/2 || wait > maxBackoff {
			t.Errorf("attempt %d waits %s", attempt, wait)
		}
	}
}

// TestRetryAfterTooLong: a wait that would be too long is not begun, and the caller
// learns how long it would have been.
func TestRetryAfterTooLong(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name       string
		retryAfter string
		deadline   time.Duration
		want       time.Duration
	}{
		{"beyond the bound", "3600", 0, time.Hour},
		{"beyond the deadline", "60", 30 * time.Second, time.Minute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tc.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tc.deadline)
					defer cancel()
				}
				p := &pam{handler: tooMany(tc.retryAfter)}
				c := inMemory(t, p, func(cfg *Config) { cfg.MaxRetries = 3 })
				began := time.Now()
				err := c.Drop(ctx, testID)
				wantClass(t, err, session.ErrTransient)
				if e := asError(t, err); e.RetryAfter != tc.want || e.Attempts != 1 {
					t.Errorf("RetryAfter %s after %d attempts, want %s after 1", e.RetryAfter, e.Attempts, tc.want)
				}
				if waited := time.Since(began); waited != 0 {
					t.Errorf("waited %s", waited)
				}
			})
		})
	}
}

// TestContextEndsTheWait: a drop that was turned away and not repeated was not
// carried out, so nothing but the context is the error.
func TestContextEndsTheWait(t *testing.T) {
	t.Parallel()
	for _, o := range operations {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				p := &pam{handler: tooMany("60")}
				c := inMemory(t, p, func(cfg *Config) { cfg.MaxRetries = 3 })
				time.AfterFunc(10*time.Second, cancel)
				began := time.Now()
				err := o.run(ctx, c)
				wantClass(t, err, nil)
				if !errors.Is(err, context.Canceled) {
					t.Errorf("error %v is not that of the context", err)
				}
				if waited := time.Since(began); waited != 10*time.Second {
					t.Errorf("ended after %s, want 10s", waited)
				}
				if e := asError(t, err); e.Status != http.StatusTooManyRequests {
					t.Errorf("status %d is not that of the last answer", e.Status)
				}
			})
		})
	}
}

// TestContextEndsTheCall: only a drop on its way has more to say than that the
// context ended.
func TestContextEndsTheCall(t *testing.T) {
	t.Parallel()
	for _, o := range operations {
		for name, want := range map[string]error{"canceled": context.Canceled, "deadline": context.DeadlineExceeded} {
			t.Run(o.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
					defer cancel()
					if name == "canceled" {
						time.AfterFunc(time.Second, cancel)
					}
					err := o.run(ctx, inMemory(t, &pam{handler: hang}, func(cfg *Config) { cfg.MaxRetries = 3 }))
					var class error
					if o.op == OpDrop {
						class = session.ErrUnknownOutcome
					}
					wantClass(t, err, class)
					if !errors.Is(err, want) {
						t.Errorf("error %v is not %v", err, want)
					}
				})
			})
		}
	}
}

// TestContextEndedBefore: nothing is sent.
func TestContextEndedBefore(t *testing.T) {
	t.Parallel()
	for _, o := range operations {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			p := &pam{handler: answering(200, readBody(t, o.success))}
			err := o.run(ctx, inMemory(t, p, nil))
			wantClass(t, err, nil)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v is not that of the context", err)
			}
			p.wantRequests(t)
		})
	}
}

// TestAttemptTimeout: the time limit of one attempt is not the caller's context.
func TestAttemptTimeout(t *testing.T) {
	t.Parallel()
	for _, o := range operations {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := inMemory(t, &pam{handler: hang}, func(cfg *Config) {
					cfg.RequestTimeout, cfg.ListTimeout = 3*time.Second, 20*time.Second
				})
				began := time.Now()
				err := o.run(t.Context(), c)
				want, limit := session.ErrTransient, 3*time.Second
				switch o.op {
				case OpDrop:
					want = session.ErrUnknownOutcome
				case OpList:
					limit = 20 * time.Second
				}
				wantClass(t, err, want)
				if errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v looks like the end of the caller's context", err)
				}
				if !strings.Contains(err.Error(), "no complete response within "+limit.String()) {
					t.Errorf("error %q does not name the limit", err)
				}
				if took := time.Since(began); took != limit {
					t.Errorf("took %s, want %s", took, limit)
				}
			})
		})
	}
}

func TestParseRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                               0,
		"0":                              0,
		"120":                            2 * time.Minute,
		" 5 ":                            5 * time.Second,
		"-5":                             0,
		"1.5":                            0,
		"soon":                           0,
		"99999999999999999999":           365 * 24 * time.Hour,
		"Sun, 01 Mar 2026 12:00:30 GMT":  30 * time.Second,
		"Sun, 01 Mar 2026 11:00:00 GMT":  0,
		"Sunday, 01-Mar-26 12:01:00 GMT": time.Minute,
		"Sun Mar  1 12:00:01 2026":       time.Second,
	} {
		if got := parseRetryAfter(value, now); got != want {
			t.Errorf("parseRetryAfter(%q) = %s, want %s", value, got, want)
		}
	}
}

// TestLimits: requests in flight and their rate, token requests and retries
// included.
func TestLimits(t *testing.T) {
	t.Parallel()
	t.Run("in flight", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var inFlight, most atomic.Int32
			slow := func(w http.ResponseWriter, _ *http.Request) {
				now := inFlight.Add(1)
				defer inFlight.Add(-1)
				for {
					old := most.Load()
					if now <= old || most.CompareAndSwap(old, now) {
						break
					}
				}
				<-time.After(time.Second)
				w.WriteHeader(http.StatusNoContent)
			}
			c := inMemory(t, &pam{handler: slow}, func(cfg *Config) { cfg.MaxConcurrentRequests = 3 })
			began := time.Now()
			concurrently(t, 12, func() error { return c.Drop(t.Context(), testID) })
			if most.Load() != 3 {
				t.Errorf("%d requests in flight, want 3", most.Load())
			}
			if took := time.Since(began); took != 4*time.Second {
				t.Errorf("took %s, want 4s", took)
			}
		})
	})
	t.Run("one slot serves token and call", func(t *testing.T) {
		t.Parallel()
		c := inMemory(t, &pam{handler: answering(204, "")}, func(cfg *Config) { cfg.MaxConcurrentRequests = 1 })
		concurrently(t, 20, func() error { return c.Drop(t.Context(), testID) })
	})
	t.Run("rate", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var at []time.Time
			p := &pam{handler: func(w http.ResponseWriter, _ *http.Request) {
				at = append(at, time.Now())
				w.WriteHeader(http.StatusNoContent)
			}}
			c := inMemory(t, p, func(cfg *Config) { cfg.RequestsPerSecond = 2 })
			began := time.Now()
			for range 4 {
				if err := c.Drop(t.Context(), testID); err != nil {
					t.Fatal(err)
				}
			}
			// The token request is the first of five.
			for i, then := range at {
				if want := time.Duration(i+1) * 500 * time.Millisecond; then.Sub(began) != want {
					t.Errorf("request %d after %s, want %s", i, then.Sub(began), want)
				}
			}
		})
	})
	t.Run("context ends the wait for a turn", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := &pam{handler: answering(204, "")}
			c := inMemory(t, p, func(cfg *Config) { cfg.RequestsPerSecond = 0.01 })
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := c.Drop(ctx, testID)
			wantClass(t, err, nil)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			p.wantRequests(t, "POST "+tokenPath)
		})
	})
	t.Run("context ends the wait for a slot", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := &pam{handler: hang}
			c := inMemory(t, p, func(cfg *Config) { cfg.MaxConcurrentRequests = 1 })
			first, stop := context.WithCancel(t.Context())
			defer stop()
			done := make(chan error, 1)
			go func() { done <- c.Drop(first, testID) }()
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			wantClass(t, c.Drop(ctx, testID), nil)
			stop()
			wantClass(t, <-done, session.ErrUnknownOutcome)
			p.wantRequests(t, "POST "+tokenPath, "DELETE "+dropPath)
		})
	})
}

// TestTurnedAwayThenWaiting: the first attempt had a connection and was turned
// away; the second waits for its turn. Nothing is on its way.
func TestTurnedAwayThenWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pam{handler: tooMany("1")}
		c := inMemory(t, p, func(cfg *Config) { cfg.MaxRetries, cfg.RequestsPerSecond = 3, 0.1 })
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		err := c.Drop(ctx, testID)
		wantClass(t, err, nil)
		p.wantRequests(t, "POST "+tokenPath, "DELETE "+dropPath)
	})
}

// concurrently runs do n times at once and fails on any error.
func concurrently(t *testing.T, n int, do func() error) {
	t.Helper()
	results := make(chan error, n)
	for range n {
		go func() { results <- do() }()
	}
	var faults []string
	for range n {
		if err := <-results; err != nil {
			faults = append(faults, err.Error())
		}
	}
	if len(faults) > 0 {
		slices.Sort(faults)
		t.Errorf("%d of %d failed: %s", len(faults), n, strings.Join(slices.Compact(faults), "; "))
	}
}
