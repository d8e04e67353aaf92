package a2a

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// Sessions asks for the list of all sessions that the authorization may see,
// live and ended, and yields them in senhasegura's order while they arrive (contract,
// sections 1 and 4). Each iteration is a new request.
//
// The sequence ends in one of two ways: after the last session, if the answer
// was complete and its envelopes, which may follow the sessions, say that the
// request succeeded; or with a pair of the zero Session and an *Error. So a list
// that breaks off is an error and never a shorter list, and a consumer must not
// act on what it saw before the sequence has ended without an error.
//
// Transient failures are repeated inside as long as no session was yielded. After
// that the error is session.ErrTransient, and the consumer may begin again. One
// iteration takes at most ListTimeout for each attempt, the consumer's own time
// included. Memory is bounded by the longest session, not by the list. Ending
// the loop early closes the connection.
//
// A session without an identifier is yielded, with an empty ID or RecordID: it
// may be live, and must not go unreported. Two different identifiers or ends in
// one session, and an element that is no session, are an error.
func (c *Client) Sessions(ctx context.Context) iter.Seq2[session.Session, error] {
	return func(yield func(session.Session, error) bool) {
		failure := c.send(ctx, &call{
			op: OpList, method: http.MethodGet, routes: c.listRoutes,
			receive: func(req request, found *answer) *Error {
				return c.receiveList(ctx, req, found, func(s session.Session) bool { return yield(s, nil) })
			},
		})
		if failure != nil {
			yield(session.Session{}, failure)
		}
	}
}

// receiveList reads the body of a list as it arrives.
func (c *Client) receiveList(
	ctx context.Context, req request, found *answer, yield func(session.Session) bool,
) *Error {
	defer func() { _ = found.stream.Close() }() // read to its end, or given up
	began := time.Now()
	rows, err := readList(found.stream, c.location, yield)
	c.logger.LogAttrs(ctx, slog.LevelDebug, "A2A list read",
		slog.String("op", req.op),
		slog.Int("sessions", rows),
		slog.Bool("complete", err == nil),
		slog.Int64("duration_ms", time.Since(began).Milliseconds()),
	)
	if err == nil || errors.Is(err, errStopReading) {
		return nil
	}
	failure := c.unreadable(ctx, req, found, err)
	failure.final = rows > 0
	return failure
}

// unreadable is the error of an answer of the 200 series that readList could not
// use.
func (c *Client) unreadable(ctx context.Context, req request, found *answer, err error) *Error {
	var failed *failureError
	switch {
	case errors.As(err, &failed):
		found.env = failed.env
		return c.failed(req, found, classify(req.op, found))
	case ctx.Err() != nil:
		return c.interrupted(ctx, req, false)
	}
	e := c.failed(req, found, session.ErrTransient)
	e.wrapped = c.redact.cause(err)
	e.Message = "the response cannot be used: " + e.wrapped.Error()
	return e
}

// Session asks for one session by its record id (contract, section 4).
//
// Its errors are *Error, and these say something about the session:
// session.ErrNotFound, senhasegura has no such session or shows none to this
// authorization, also by an answer without any; session.ErrIdentifier, recordID
// is not a record id, either by its form, and nothing was sent, or in the eyes
// of senhasegura. An answer about another session is an error, session.ErrRejected.
// Transient failures are repeated.
func (c *Client) Session(ctx context.Context, recordID string) (session.Session, error) {
	if err := session.ValidateRecordID(recordID); err != nil {
		return session.Session{}, unsent(OpGet, err)
	}
	var seen session.Session
	failure := c.send(ctx, &call{
		op: OpGet, method: http.MethodGet, routes: c.listRoutes, object: url.PathEscape(recordID),
		receive: func(req request, found *answer) (failure *Error) {
			seen, failure = c.receiveSession(ctx, req, found, recordID)
			return failure
		},
	})
	if failure != nil {
		return session.Session{}, failure
	}
	return seen, nil
}

// receiveSession picks the session that was asked for. Of several records with
// its id a live one counts.
func (c *Client) receiveSession(
	ctx context.Context, req request, found *answer, recordID string,
) (session.Session, *Error) {
	var asked *session.Session
	var other string
	rows, err := readList(bytes.NewReader(found.body), c.location, func(s session.Session) bool {
		switch {
		case s.RecordID != recordID:
			other = s.RecordID
		case asked == nil || !asked.Live():
			asked = &s
		}
		return true
	})
	switch {
	case err != nil:
		return session.Session{}, c.unreadable(ctx, req, found, err)
	case rows == 0:
		e := c.failed(req, found, session.ErrNotFound)
		e.Message = "the response holds no session"
		return session.Session{}, e
	case asked == nil:
		e := c.failed(req, found, session.ErrRejected)
		e.Message = c.redact.text(fmt.Sprintf("the response is about session %q, not %q", other, recordID))
		return session.Session{}, e
	}
	return *asked, nil
}

// Drop asks senhasegura to end the session with the given hash (contract, sections
// 1 and 5). Nil means that senhasegura accepted: whether the session has ended by
// then is not documented, so the caller confirms it.
//
// The request reaches senhasegura at most once, unless it was turned away unread
// (429, or a refused token, which is renewed once). Its errors are *Error:
// after session.ErrRefused and session.ErrUnknownOutcome, check the session;
// with all others the request was certainly not carried out. session.ErrIdentifier
// means that nothing was sent. If ctx ends the call, the error is that of ctx, and
// also session.ErrUnknownOutcome if the request may have been sent.
func (c *Client) Drop(ctx context.Context, sessionID string) error {
	if err := session.ValidateID(sessionID); err != nil {
		return unsent(OpDrop, err)
	}
	failure := c.send(ctx, &call{
		op: OpDrop, method: http.MethodDelete, routes: c.dropRoutes, object: url.PathEscape(sessionID),
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
