package a2a

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// fault is something that can go wrong with any method, over a real connection.
type fault struct {
	name string
	// handler wraps the answer of a healthy server.
	handler func(healthy http.HandlerFunc) http.HandlerFunc
	// context ends the call, given a function that returns once the server has
	// read the request.
	context func(ctx context.Context) (context.Context, context.CancelFunc)
	// The sentinels of a read and of a drop; nil is success, unless cause is set.
	read, drop error
	cause      error
	// requests counts those of the operation with MaxRetries = 0.
	requests int
	// replayed is true where net/http repeats a GET on its own, because its
	// connection had served the token request before and broke without an answer.
	replayed bool
}

func always(handler http.HandlerFunc) func(http.HandlerFunc) http.HandlerFunc {
	return func(http.HandlerFunc) http.HandlerFunc { return handler }
}

func faults() []fault {
	withCancel := func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx, cancel
	}
	withDeadline := func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithDeadline(ctx, time.Unix(0, 0))
	}
	return []fault{
		{name: "healthy", handler: func(healthy http.HandlerFunc) http.HandlerFunc { return healthy }, requests: 1},
		{
			name: "canceled context", handler: always(answering(200, "")), context: withCancel,
			cause: context.Canceled,
		},
		{
			name: "passed deadline", handler: always(answering(200, "")), context: withDeadline,
			cause: context.DeadlineExceeded,
		},
		{
			name: "401 then success", requests: 2,
			handler: func(healthy http.HandlerFunc) http.HandlerFunc {
				return inOrder(answering(401, `{"error":"access_denied"}`), healthy)
			},
		},
		{
			name: "401 twice", handler: always(answering(401, `{"error":"access_denied"}`)), requests: 2,
			read: session.ErrUnauthenticated, drop: session.ErrUnauthenticated,
		},
		{
			name: "HTML 502", handler: always(answering(502, htmlPage)), requests: 1,
			read: session.ErrTransient, drop: session.ErrUnknownOutcome,
		},
		{
			name: "empty body", handler: always(answering(200, "")), requests: 1,
			read: session.ErrTransient,
		},
		{
			name: "truncated JSON", requests: 1,
			handler: func(healthy http.HandlerFunc) http.HandlerFunc {
				return func(w http.ResponseWriter, r *http.Request) {
					healthy(&shortWriter{ResponseWriter: w, left: 150}, r)
				}
			},
			read: session.ErrTransient, drop: session.ErrUnknownOutcome,
		},
		{
			name: "body over the bound", requests: 1,
			handler: always(answering(200, `{"code":200,"padding":"`+strings.Repeat("x", 2*maxUnfinishedBytes)+`"}`)),
			read:    session.ErrTransient, drop: session.ErrUnknownOutcome,
		},
		{
			name: "error body over the bound", requests: 1,
			handler: always(answering(500, `{"error":true,"error_code":1,"x":"`+strings.Repeat("x", 2*maxBodyBytes)+`"}`)),
			read:    session.ErrTransient, drop: session.ErrUnknownOutcome,
		},
		{
			name: "redirect to another host", requests: 1,
			handler: always(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://other.example.com/", http.StatusTemporaryRedirect)
			}),
			read: session.ErrRejected, drop: session.ErrRejected,
		},
		{
			name: "cut after the request was read", requests: 1, replayed: true,
			handler: always(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
			read:    session.ErrTransient, drop: session.ErrUnknownOutcome,
		},
		{
			name: "cut in the body", requests: 1,
			handler: func(healthy http.HandlerFunc) http.HandlerFunc {
				return func(w http.ResponseWriter, r *http.Request) {
					healthy(&shortWriter{ResponseWriter: w, left: 150}, r)
					_ = http.NewResponseController(w).Flush()
					panic(http.ErrAbortHandler)
				}
			},
			read: session.ErrTransient, drop: session.ErrUnknownOutcome,
		},
	}
}

// shortWriter swallows what comes after left bytes.
type shortWriter struct {
	http.ResponseWriter
	left int
}

func (w *shortWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.left)
	w.left -= n
	if _, err := w.ResponseWriter.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}

func TestEveryMethod(t *testing.T) {
	t.Parallel()
	for _, f := range faults() {
		for _, o := range operations {
			t.Run(f.name+"/"+o.name, func(t *testing.T) {
				t.Parallel()
				f.check(t, o)
			})
		}
	}
}

func (f *fault) check(t *testing.T, o operation) {
	t.Helper()
	p := &pam{handler: f.handler(answering(200, readBody(t, o.success)))}
	c := overNetwork(t, p, nil)
	ctx := t.Context()
	if f.context != nil {
		var cancel context.CancelFunc
		ctx, cancel = f.context(ctx)
		defer cancel()
	}
	err := o.run(ctx, c)
	want := f.read
	if o.op == OpDrop {
		want = f.drop
	}
	requests := f.requests
	if f.replayed && o.op != OpDrop {
		requests++
	}
	if n := p.count(o.request); n != requests {
		t.Errorf("%d requests, want %d", n, requests)
	}
	if want == nil && f.cause == nil {
		if err != nil {
			t.Errorf("unexpected error: %v", err)
		}
		return
	}
	wantClass(t, err, want)
	if f.cause != nil && !errors.Is(err, f.cause) {
		t.Errorf("error %v is not %v", err, f.cause)
	}
	e := asError(t, err)
	if e.Op != o.op || e.Method+" "+e.Path != o.request {
		t.Errorf("error of %q %s %s, want %q %s", e.Op, e.Method, e.Path, o.op, o.request)
	}
}

// TestCutBeforeTheRequestWasRead: the server is gone before the first byte, so
// a drop was certainly not carried out.
func TestCutBeforeTheRequestWasRead(t *testing.T) {
	t.Parallel()
	for _, o := range operations {
		p := &pam{handler: answering(200, readBody(t, o.success))}
		dials := 0
		c := onConnection(t, &memory{handler: p, dial: func() error {
			if dials++; dials == 1 {
				return nil
			}
			return errCut
		}}, nil)
		err := o.run(t.Context(), c)
		wantClass(t, err, session.ErrTransient)
		if !errors.Is(err, errCut) {
			t.Errorf("%s: %v does not wrap its cause", o.name, err)
		}
		p.wantRequests(t, "POST "+tokenPath)
	}
}
