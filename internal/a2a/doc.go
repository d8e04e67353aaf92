// Package a2a is the client of the remote sessions in senhasegura's A2A REST API:
// it lists them, gets one, and drops one. It knows HTTP, OAuth and
// the API's quirks, and nothing of Terraform. "The contract" in its comments is the
// project's page about that API; the sections are those of that page.
//
// # Calls
//
// A [Client] is made by [New] from a [Config], without a network call. It has
// three methods: [Client.Sessions], [Client.Session] and [Client.Drop]. All of
// them are safe for concurrent use. Every wait ends when the caller's context
// does, and durations are those of package time.
//
// # Errors
//
// Every error of a call is an [*Error]. It matches exactly one sentinel of package
// session, which says what the answer means for the operation (contract, section
// 5), and carries the API response. What decides is the HTTP status, the status and
// the flags of the envelope, and the API's codes. A text decides nothing but that
// a refusal is permanent, where no code is documented for it.
//
// After two classes, only a check of the session shows what happened:
// session.ErrRefused, which is the same for an unknown session, an ended one and a
// real failure; and session.ErrUnknownOutcome, where a drop was or
// may have been sent and no answer that can be trusted came back. With every other
// class a drop was certainly not carried out.
//
// If the caller's context ends a call, the error matches that context error and no
// sentinel; a drop that may be on its way matches session.ErrUnknownOutcome as
// well. A drop that senhasegura turned away and that waits to be repeated is not on
// its way. The time limits of single attempts are no context errors.
//
// An error also matches one of the errors of this package where it is certain
// whose fault it is, such as [ErrUntrustedCertificate] or [ErrProxy].
//
// Some answers are not in the contract or stand in two of its rows:
//
//   - "Get one" with an empty array is session.ErrNotFound; with another session
//     than the asked one, session.ErrRejected; with null, session.ErrTransient. Of
//     several rows of the asked record a live one counts.
//   - A redirect that is not followed is session.ErrRejected for every operation.
//   - A JSON answer of the 200 series without any member of an envelope shows no
//     success: session.ErrUnknownOutcome for a drop, session.ErrTransient otherwise.
//   - A list or a session that says that it comes from a cache is
//     session.ErrTransient, whatever else it says: it may be older than the question.
//     Every request asks caches to leave it alone.
//   - A connection that can never work is session.ErrRejected: a certificate that
//     is not trusted, a port without TLS, a proxy that refuses, a name that does
//     not resolve.
//
// # The path of a call
//
// Each method makes a call and gives it to send, one loop from top to bottom:
// route, token, turn, attempt, judgement, and what follows from it. An attempt is
// one request with its own time limit; exchange returns what it found, and judge
// says what that means. Nothing is handed back by any other way.
//
// # Retries
//
// What is session.ErrTransient is repeated, up to Config.MaxRetries times, with
// exponential backoff and jitter, or after the time that Retry-After asks for. A
// wait that is longer than two minutes, or longer than the context lasts, is not
// begun. By operation:
//
//   - Reads and token requests are repeated after every transient failure: 408, 429,
//     the 500 series, a connection that breaks, a time limit, an answer that is not
//     the JSON that is due. net/http also repeats a GET on its own, at once, if a
//     connection that was used before breaks without an answer.
//   - A drop is repeated only if it was certainly not carried out: no connection
//     came about, or the server answered 429. Otherwise a drop reaches senhasegura
//     at most once for each call and route.
//   - A token that is not accepted is replaced and the request repeated, once in a
//     call, for a drop too. A gateway has the same answer for a token that it does
//     not accept and for a route that it does not have; there the token is replaced
//     if it was accepted before or is older than the call.
//   - Credentials that are rejected, by senhasegura or by a proxy, are sent once in
//     the life of a Client. All later calls fail at once, with the error of that
//     one.
//   - A list is repeated until its first session was yielded; see
//     [Client.Sessions].
//
// # Routes
//
// Paths differ between releases (contract, section 1). The candidates are tried
// in the contract's order, and only the answer "wrong route" moves on to the next:
// that of the API, that of a gateway, and the 404 page of a web server, since the
// API writes JSON. The one that answered is remembered and tried first from then
// on, and the list and "get one" share it. Config.Paths pins them. If all are
// wrong, Error.Tried has the answer of each.
//
// # Limits
//
// The number of requests in flight and their rate hold for the whole Client, token
// requests and retries included. A list counts until its headers are there: its
// body may take minutes, and must not keep drops waiting. Answers are bounded to 1
// MiB; of a list that is the bound of each session, and of all that surrounds the
// sessions, which are any number.
//
// # Transport
//
// The system's roots stay trusted in addition to the configured ones, and TLS 1.2 is the
// least. Everything speaks HTTP/1.1. A GET follows redirects within the configured
// scheme and host; nothing else follows any, and the token goes nowhere else. Plain
// http is for a loopback host and takes no proxy.
//
// # Log
//
// Each attempt is one record at debug level: op, method, path, status,
// duration_ms, attempt, api_code, and the cleaned error of a connection. A list
// adds one at its end. No header, query or body reaches the log, and no secret an
// error, also where the server or a proxy sends one back.
package a2a
