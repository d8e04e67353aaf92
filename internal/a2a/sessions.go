package a2a

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// Sessions asks for the list of all sessions that the authorization may see,
// live and ended, and yields them in PAM's order while they arrive (contract,
// sections 1 and 4). Each iteration is a new request.
//
// The sequence ends in one of two ways: after the last session, if the answer
// was complete and its envelopes, which may follow the sessions, say that the
// request succeeded; or with a pair of the zero Session and an *Error. So a list
// that breaks off is an error and never a shorter list, and a consumer must not
// act on what it saw before the sequence has ended without an error.
//
// Passing failures are repeated inside as long as no session was yielded. After
// that the error is session.ErrTransient, and the consumer may begin anew. One
// iteration takes at most ListTimeout for each attempt, the consumer's own time
// included. Memory is bounded by the longest session, not by the list. Ending
// the loop early closes the connection.
//
// A session without an identifier is yielded, with an empty ID or RecordID: it
// may be live, and must not go unreported. Two different identifiers or ends in
// one session, and an element that is no session, are an error.
func (c *Client) Sessions(ctx context.Context) iter.Seq2[session.Session, error] {
	return func(yield func(session.Session, error) bool) {
		failure := c.listRoutes.try(func(path string) *Error {
			ca := &call{op: OpList, method: http.MethodGet, url: locate(c.base, path)}
			ca.receive = func(body io.Reader) *Error {
				return c.receiveList(ctx, ca, body, func(s session.Session) bool { return yield(s, nil) })
			}
			return c.send(ctx, ca, nil)
		})
		if failure != nil {
			yield(session.Session{}, failure)
		}
	}
}

// receiveList reads the body of a list as it arrives.
func (c *Client) receiveList(
	ctx context.Context, ca *call, body io.Reader, yield func(session.Session) bool,
) *Error {
	began := time.Now()
	rows, err := readList(body, c.location, yield)
	c.logger.LogAttrs(ctx, slog.LevelDebug, "A2A list read",
		slog.String("op", ca.op),
		slog.Int("sessions", rows),
		slog.Bool("complete", err == nil),
		slog.Int64("duration_ms", time.Since(began).Milliseconds()),
	)
	if err == nil || errors.Is(err, errStopReading) {
		return nil
	}
	failure := c.unreadable(ctx, ca, err)
	failure.final = rows > 0
	return failure
}

// unreadable is the error of an answer of the 200 series that readList could not
// use.
func (c *Client) unreadable(ctx context.Context, ca *call, err error) *Error {
	var failed *failureError
	switch {
	case errors.As(err, &failed):
		a := *ca.answer
		a.env = failed.env
		ca.answer = &a
		return c.failed(ca, classify(ca.op, ca.answer))
	case ctx.Err() != nil:
		return c.interrupted(ctx, ca)
	}
	e := c.failed(ca, session.ErrTransient)
	e.cause = c.redact.cause(err)
	e.Message = "the answer cannot be used: " + e.cause.Error()
	return e
}

// Session asks for one session by its record id (contract, section 4).
//
// Its errors are *Error, and these say something about the session:
// session.ErrNotFound, PAM has no such session or shows none to this
// authorization, also by an answer without any; session.ErrIdentifier, recordID
// is not a record id, either by its form, and nothing was sent, or in the eyes
// of PAM. An answer about another session is an error, session.ErrRejected.
// Passing failures are repeated.
func (c *Client) Session(ctx context.Context, recordID string) (session.Session, error) {
	if err := session.ValidateRecordID(recordID); err != nil {
		return session.Session{}, unsent(OpGet, err)
	}
	var found session.Session
	failure := c.listRoutes.try(func(path string) *Error {
		ca := &call{op: OpGet, method: http.MethodGet, url: locate(c.base, path, url.PathEscape(recordID))}
		ca.receive = func(body io.Reader) *Error {
			var failure *Error
			found, failure = c.receiveSession(ctx, ca, body, recordID)
			return failure
		}
		return c.send(ctx, ca, nil)
	})
	if failure != nil {
		return session.Session{}, failure
	}
	return found, nil
}

// receiveSession picks the session that was asked for.
func (c *Client) receiveSession(
	ctx context.Context, ca *call, body io.Reader, recordID string,
) (session.Session, *Error) {
	var found *session.Session
	var other string
	rows, err := readList(io.LimitReader(body, maxBodyBytes), c.location, func(s session.Session) bool {
		if s.RecordID == recordID {
			found = &s
		} else {
			other = s.RecordID
		}
		return true
	})
	switch {
	case err != nil:
		return session.Session{}, c.unreadable(ctx, ca, err)
	case rows == 0:
		e := c.failed(ca, session.ErrNotFound)
		e.Message = "the answer holds no session"
		return session.Session{}, e
	case found == nil:
		e := c.failed(ca, session.ErrRejected)
		e.Message = c.redact.text(fmt.Sprintf("the answer is about session %q, not %q", other, recordID))
		return session.Session{}, e
	}
	return *found, nil
}

// Drop asks PAM to end the session with the given hash (contract, sections 1 and
// 5). Nil means that PAM accepted: whether the session has ended by then is not
// documented, so the caller confirms it.
//
// The request reaches PAM at most once, unless PAM said that it did not carry it
// out (429, or a refused token, which is renewed once). Its errors are *Error:
// session.ErrRefused and session.ErrUnknownOutcome call for a look at the
// session; with all others the request was certainly not carried out.
// session.ErrIdentifier means that nothing was sent. If ctx ends the call, the
// error is that of ctx, and also session.ErrUnknownOutcome if the request may
// have been sent.
func (c *Client) Drop(ctx context.Context, sessionID string) error {
	if err := session.ValidateID(sessionID); err != nil {
		return unsent(OpDrop, err)
	}
	failure := c.dropRoutes.try(func(path string) *Error {
		return c.send(ctx, &call{
			op: OpDrop, method: http.MethodDelete, url: locate(c.base, path, url.PathEscape(sessionID)),
		}, nil)
	})
	if failure != nil {
		return failure
	}
	return nil
}

// unsent is the error of an identifier that was not sent.
func unsent(op string, err error) *Error {
	reason := strings.TrimPrefix(err.Error(), session.ErrIdentifier.Error()+": ")
	return &Error{Op: op, Message: shorten(reason), class: session.ErrIdentifier}
}
