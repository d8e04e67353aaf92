package a2a

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

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

// call is one operation of the API.
type call struct {
	op     string
	method string
	routes *routes
	// object is the escaped identifier behind the route, "" for none.
	object string
	// receive takes in an answer of the 200 series that reports no failure. It is
	// nil for a drop, which brings nothing.
	receive func(request, *answer) *Error
}

// request is one attempt of a call.
type request struct {
	*call
	url *url.URL
	// number counts the attempts of the call from 1.
	number int
}

// send carries out a call: route, token, turn, attempt, judgement, and what
// follows from it. Three things lead to another attempt:
//
//   - A token that is not accepted is replaced, once in a call. That is safe for a
//     drop too, as a request with a refused token is not carried out.
//   - A wrong route moves on to the next one.
//   - session.ErrTransient is repeated, up to MaxRetries times. The judgement gives
//     this class only to what is safe to repeat: for a drop that is where no
//     connection came about, or where the server answered 429.
func (c *Client) send(ctx context.Context, ca *call) *Error {
	var (
		order   = ca.routes.order()
		tried   []RouteAnswer
		issued  = c.tokens.issued()
		renewed bool
		retries int
		failure *Error
	)
	for number := 1; ; {
		route := order[len(tried)]
		req := request{call: ca, url: locate(c.base, route, ca.object), number: number}
		token, err := c.authorize(ctx, ca.op)
		if err != nil {
			return c.unauthorized(ctx, req, failure, err)
		}
		release, err := c.takeTurn(ctx)
		if err != nil {
			return c.interruptedAfter(ctx, req, failure)
		}
		if token = c.stillGood(token); token == nil {
			release()
			continue
		}
		number++
		began := time.Now()
		found := c.exchange(ctx, req, token)
		received := time.Now()
		c.record(ctx, req, found, received.Sub(began))
		if found.stream != nil {
			release() // the list may take minutes, and must not keep drops waiting
		}
		failure = c.judge(ctx, req, found)
		c.noteRefusal(ca.op, failure)
		release()
		if failure == nil {
			c.tellDate(found, began, received)
		}

		switch {
		case failure == nil || failure.provesRoute():
			ca.routes.remember(route)
			token.accept()
			return failure
		case failure.final:
			return failure
		case !renewed && token.doubted(failure, issued, ca.routes.isMissing(route)):
			renewed = true
			c.tokens.discard(token)
		case failure.Is(session.ErrWrongRoute):
			if failure.Gateway {
				ca.routes.miss(route)
			}
			tried = append(tried, failure.routeAnswer())
			if len(tried) == len(order) {
				return failure.ofAllRoutes(tried)
			}
		case retries < c.maxRetries && failure.repeatable(ctx):
			if wait(ctx, backoff(retries, failure.RetryAfter)) != nil {
				return c.interruptedAfter(ctx, req, failure)
			}
			retries++
		default:
			return failure
		}
	}
}

// tellDate hands on the Date header of an answer. A failure is left out, as it may be
// that of a proxy, and so is what comes from a cache, which dates from another time.
func (c *Client) tellDate(found *answer, sent, received time.Time) {
	date, err := http.ParseTime(found.header.Get("Date"))
	if err == nil && found.header.Get("Age") == "" {
		c.dated(date, sent, received)
	}
}

// takeTurn waits for a free slot and for the rate. release frees the slot, once.
// Its error is that of ctx.
func (c *Client) takeTurn(ctx context.Context) (release func(), err error) {
	// Until a signature was accepted, one request at a time shows it, so that a
	// wrong one is sent once.
	alone := c.oauth1 != nil && !c.proven.Load()
	if alone {
		select {
		case c.alone <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	free := func() {
		if alone {
			<-c.alone
		}
	}
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		free()
		return nil, ctx.Err()
	}
	release = sync.OnceFunc(func() {
		<-c.slots
		free()
	})
	if err := c.waitForRate(ctx); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// waitForRate is Limiter.Wait, which fails with an error of its own where the
// deadline is too near; here the caller's time is used up and is the error.
func (c *Client) waitForRate(ctx context.Context) error {
	if c.rate.Limit() == rate.Inf {
		return ctx.Err()
	}
	turn := c.rate.Reserve()
	if err := wait(ctx, turn.Delay()); err != nil {
		turn.Cancel()
		return err
	}
	return nil
}

// wait returns nil after d, or the error of ctx as soon as it ends. The engine has the
// same: neither package imports the other.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// repeatable reports whether the call may be sent again, and whether there is
// time for it.
func (e *Error) repeatable(ctx context.Context) bool {
	if !e.Is(session.ErrTransient) || e.RetryAfter > maxRetryAfter {
		return false
	}
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > e.RetryAfter
}

// backoff returns how long to wait after the given attempt, counted from 0: half
// of it is fixed, half is chance. A server that names a time gets at least that.
func backoff(attempt int, retryAfter time.Duration) time.Duration {
	most := maxBackoff
	if attempt < 10 {
		most = min(firstBackoff<<attempt, maxBackoff)
	}
	half := most / 2
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
