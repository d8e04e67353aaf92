// Package termination has the use cases: terminate privileged sessions, confirm that
// they ended, and query them. It decides; the API client sends requests and classifies
// responses, and the provider writes messages about the results.
//
// # Outcomes
//
// The constants of type [Outcome] say what each means. This is what each rests on:
//
//   - Terminated: this run sent a termination request, and a check that began after it
//     showed an end time.
//   - AlreadyEnded: senhasegura refused the request, and a check showed an end time; or a
//     list had shown the end before the request; or, in a drain, the session ended before
//     a request was sent.
//   - Excluded: in a drain, the session matches, or may match, and `exclude` matches it or
//     one of its records. If it matches for certain and is live, the drain fails, unless
//     the caller leaves excluded sessions.
//   - Matched: in a preview, a drain would terminate it.
//   - Accepted: senhasegura accepted the request. No check has shown an end, because none
//     was requested or none is possible.
//   - NotFound: senhasegura refused the request, a successful check does not show the
//     session, and the caller treats that as ended.
//
// Every other result is an [Error], whose Kind says what is missing:
//
//   - Refused: the session is live and senhasegura refuses to terminate it.
//   - StillLive: a request was accepted or sent, and the session was live at the last
//     check.
//   - Unknown: a request may have ended it, and it can't be read; or, in a drain,
//     senhasegura shows too little of it to decide.
//   - NotFound: senhasegura refused the request and does not show the session.
//   - NotAttempted: no request was carried out; the cause says why.
//   - Mismatch: the record ID given with the session ID belongs to another session.
//   - TooMany: more sessions match than allowed; none was terminated.
//
// If senhasegura shows several records with the ID of a session, a live one counts. So
// one of them alone can't show that the session has ended, unless the caller says so.
//
// Only an end time shows that a session ended. The text of a response, a missing row, and
// the success of a request do not: a request may be carried out later, and a row may be
// outside the scope of the authorization (contract, sections 1 and 5).
//
// # Drains
//
// A drain succeeds only after a complete list. The list closes every run, however the ends
// were read, and a session that it shows live is open again. If the record of a session
// that may match vanishes, the session stays in the report, and the next run needs its end
// ([Report.Unsettled]). A few open sessions are checked one by one, with a growing pause;
// if these checks fail, the list replaces them.
//
// # Waiting and concurrency
//
// All waits end with the context, at once, and the returned error says what is true at
// that moment. The caller sets the deadline of a call on the context. One deadline is of
// the process: if no list can be read for Options.ListTimeout, the reads that operations
// begin with fail at once. A [Terminator] is safe for concurrent use. Use one for a whole
// process, so that concurrent operations share reads of the list.
package termination
