package a2a

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The operations that Error.Op names.
const (
	OpToken = "token"
	OpList  = "list"
	OpGet   = "get"
	OpDrop  = "drop"
)

// Error is a failed call, always used as a pointer: what was asked, what came
// back, and what that means.
//
// errors.Is finds exactly one sentinel of package session, and next to it the
// cause where there is one: a context error if the caller's context ended the
// call, or the error of the connection. A call that the caller's context ended
// has no sentinel, except a drop that may have been sent: that is also
// session.ErrUnknownOutcome. An attempt that took longer than RequestTimeout or
// ListTimeout is not a context error.
//
// Text from PAM and from the network has been cleaned of secrets and control
// characters, and bounded in length.
type Error struct {
	// Op is the operation: OpToken, OpList, OpGet or OpDrop. A call that needs a
	// token and gets none fails with an Error of OpToken.
	Op string
	// Method and Path are those of the last request, Path escaped and with the
	// base path. Both are empty if nothing was built.
	Method string
	Path   string
	// Status is the HTTP status of the last answer, 0 without one.
	Status int
	// Code is exception.code of the answer, else its error_code, 0 without
	// either (contract, section 3).
	Code int
	// Message is the text of the answer, or a description of what was wrong with
	// it, for people to read; it may be in English or Portuguese.
	Message string
	// RetryAfter is how long the last answer asked to wait, 0 if it did not.
	RetryAfter time.Duration
	// Gateway is true where a gateway in front of PAM answered that it has no
	// route: the authorization is missing or rejected there, or the path prefix
	// is wrong.
	Gateway bool
	// Attempts counts the requests made on the last route, redirects and the
	// repeat with a new token included.
	Attempts int
	// Tried holds the answer of every route, in order, where all of them were
	// wrong.
	Tried []RouteAnswer

	class error
	cause error
	// final is true where neither a retry nor another route can follow: the
	// caller has been given a part of the answer, or it is the failure of the
	// token request, which had retries and routes of its own.
	final bool
}

// RouteAnswer is the answer that ruled out one route.
type RouteAnswer struct {
	Path    string
	Status  int
	Code    int
	Message string
	Gateway bool
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Method != "" {
		fmt.Fprintf(&b, ": %s %s", e.Method, e.Path)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, ": HTTP %d", e.Status)
	}
	if e.Code != 0 {
		fmt.Fprintf(&b, ", code %d", e.Code)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.class != nil {
		fmt.Fprintf(&b, " (%v)", e.class)
	}
	if len(e.Tried) > 1 {
		b.WriteString("; tried")
		for _, answer := range e.Tried {
			fmt.Fprintf(&b, " %s (HTTP %d)", answer.Path, answer.Status)
		}
	}
	return b.String()
}

// Is reports whether target is the sentinel of package session that this error
// means.
func (e *Error) Is(target error) bool { return e.class != nil && target == e.class }

// Unwrap returns the cause, nil without one.
func (e *Error) Unwrap() error { return e.cause }

// redactedError shows a cleaned text of an error and still lets errors.Is and
// errors.As find what the error wraps. It has no Unwrap, so that printing the
// chain cannot reach the text that was not cleaned.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }

// Is hides context errors: a timeout of the network matches
// context.DeadlineExceeded too, and only the end of the caller's own context may.
func (e *redactedError) Is(target error) bool {
	return target != context.Canceled && target != context.DeadlineExceeded && errors.Is(e.err, target)
}

func (e *redactedError) As(target any) bool { return errors.As(e.err, target) }
