package a2a

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

const (
	// The backoff before the first retry and its bound; it doubles in between.
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 30 * time.Second
	// maxRetryAfter is the longest wait that a server can impose. A server that
	// asks for more gets no retry, and the caller learns what it asked for.
	maxRetryAfter = 2 * time.Minute
)

// retrier repeats what judge calls session.ErrTransient, and nothing else: that
// is the whole policy, because classify gives this class only to what is safe to
// repeat. In the way of a drop that is: no connection came about, or PAM said
// 429. The backoff is exponential with jitter.
type retrier struct {
	client     *http.Client
	maxRetries int
	// judge turns the outcome of one attempt into its error, nil for success.
	judge func(*http.Response, error) *Error
}

// do sends req until it is done, and returns the answer, or the error of the
// last attempt. That is also what it returns if ctx ends between two attempts;
// the caller looks at ctx.
func (r *retrier) do(ctx context.Context, req *http.Request) (*http.Response, *Error) {
	repeatable, err := retryablehttp.FromRequest(req.WithContext(ctx))
	if err != nil {
		return nil, r.judge(nil, err)
	}
	var last *Error
	client := &retryablehttp.Client{
		HTTPClient: r.client,
		RetryMax:   r.maxRetries,
		CheckRetry: func(ctx context.Context, resp *http.Response, err error) (bool, error) {
			last = r.judge(resp, err)
			return last.repeatable(ctx), nil
		},
		Backoff: func(_, _ time.Duration, attempt int, _ *http.Response) time.Duration {
			return backoff(attempt, last.RetryAfter)
		},
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	resp, err := client.Do(repeatable)
	if last == nil && err != nil {
		last = r.judge(nil, err)
	}
	return resp, last
}

// repeatable reports whether the call may be sent again, and whether there is
// time for it.
func (e *Error) repeatable(ctx context.Context) bool {
	if e == nil || !e.Is(session.ErrTransient) || e.final {
		return false
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= e.RetryAfter {
		return false
	}
	return e.RetryAfter <= maxRetryAfter
}

// backoff returns how long to wait after the given attempt, counted from 0: half
// of it is fixed, half is chance. A server that names a time gets at least that.
func backoff(attempt int, retryAfter time.Duration) time.Duration {
	wait := maxBackoff
	if attempt < 10 {
		wait = min(firstBackoff<<attempt, maxBackoff)
	}
	half := wait / 2
	jitter := rand.N(half + 1) //nolint:gosec // spreads load, guards nothing
	if retryAfter > 0 {
		return retryAfter + min(jitter, time.Second)
	}
	return half + jitter
}

// parseRetryAfter reads the header of that name: seconds, or a date that is
// compared with now. Anything else, and the past, is 0.
func parseRetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	seconds, err := strconv.ParseUint(value, 10, 63)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		const most = uint64(365 * 24 * time.Hour / time.Second)
		return time.Duration(min(seconds, most)) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(date.Sub(now), 0)
	}
	return 0
}
