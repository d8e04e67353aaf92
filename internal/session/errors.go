package session

import "errors"

// The sentinel errors say what an answer of senhasegura means for the operation that
// was attempted (contract, section 5). Errors of the API client match exactly
// one of them with errors.Is, besides context errors, so that the use cases
// decide without knowing HTTP.
var (
	// ErrNotFound: senhasegura has no such session within the scope of this
	// authorization.
	ErrNotFound = errors.New("no such session")
	// ErrRefused: senhasegura answered a drop with a failure that does not say why.
	// An unknown session, one that has ended, and a real failure have the same answer.
	ErrRefused = errors.New("the termination request was refused without a reason")
	// ErrUnknownOutcome: a drop was sent, or may have been, and no answer that
	// can be trusted came back. Only a check can tell what it did.
	ErrUnknownOutcome = errors.New("the response to the termination request was lost")
	// ErrTransient: a transient failure outlasted the retries. The operation was
	// certainly not carried out, or only reads.
	ErrTransient = errors.New("a transient failure outlasted the retries")
	// ErrWrongRoute: the URL, the path prefix or the release has no such
	// endpoint. It says nothing about any session.
	ErrWrongRoute = errors.New("no such endpoint")
	// ErrUnauthenticated: senhasegura does not accept the credentials or the token.
	ErrUnauthenticated = errors.New("not authenticated")
	// ErrInactive: the authorization is disabled or has expired.
	ErrInactive = errors.New("the authorization is inactive")
	// ErrPermission: the authorization lacks a permission.
	ErrPermission = errors.New("permission missing")
	// ErrReferer: the authorization demands a Referer header that was not sent.
	ErrReferer = errors.New("the HTTP referer is not allowed")
	// ErrLockdown: senhasegura is under emergency lockdown.
	ErrLockdown = errors.New("senhasegura is under lockdown")
	// ErrIdentifier: an identifier of the wrong kind or form; nothing was sent,
	// or senhasegura rejected it.
	ErrIdentifier = errors.New("unusable identifier")
	// ErrRejected: senhasegura rejected the request for a reason that none of the
	// others covers. Repeating it is pointless.
	ErrRejected = errors.New("the request was rejected")
)
