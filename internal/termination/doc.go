// Package termination is the use case: end privileged sessions and know that
// they have ended. It decides; the API client asks and classifies, the provider
// words what came out.
//
// # Outcomes and the evidence they rest on
//
//   - Terminated: this run sent a drop, and a look that began after it showed an
//     end time.
//   - AlreadyEnded: PAM refused the drop, and a look showed an end time; or a list
//     had shown the end before the drop; or, in a drain, the session ended before it
//     was dropped.
//   - Excluded: in a drain, the session matches, or may match, and `exclude` matches it
//     or one of its records; it is left open. Where it matches for certain and is live,
//     it fails the drain, unless the caller leaves excluded sessions.
//   - Matched: in a preview, a drain would terminate it.
//   - Accepted: PAM accepted the drop and no look has shown an end, because none
//     was asked for or none is possible. It claims no end.
//   - NotFound: PAM refused the drop, a look that worked does not show the
//     session, and the caller counts that as gone.
//
// Everything else is an [Error], whose Kind says what is missing:
//
//   - Refused: the session is live and PAM refuses to drop it.
//   - StillLive: a drop was accepted or sent, and the session was live at the last
//     check.
//   - Unknown: a drop may or may not have ended it, and it can't be read; or, in a
//     drain, PAM shows too little of it to decide.
//   - NotFound: PAM refused the drop and does not show such a session.
//   - NotAttempted: no drop was carried out; the cause says why.
//   - Mismatch: the record id given with the session id belongs to another session.
//   - TooMany: more sessions match than allowed; nothing was dropped.
//
// Of several records with the id of a session a live one counts, so that one of
// them alone can't tell that the session has ended, unless the caller says so.
//
// An end is only ever read from a session's end time. The text of an answer,
// the absence of a row, and the success of a drop are not evidence of an end:
// a drop may be carried out later, and a row may be hidden from a narrow
// authorization (contract, sections 1 and 5).
//
// # What a drain rests on
//
// Only a complete list has the last word: it closes every run, however the ends
// were learned, and a session that it shows live is open again. A session that
// may match and whose record vanishes stays in the report, and the next run needs
// an end of it ([Report.Unsettled]). Few open sessions are checked one by one, with
// a growing pause; the list replaces checks that fail.
//
// # Waiting and concurrency
//
// All waits end with the context, at once, and the returned error says what is
// true at that moment. A deadline is the caller's, as a context deadline. One
// deadline is the process's: where no list can be read for Options.ListTimeout, the
// reads that operations begin with fail at once. A [Terminator] is safe for
// concurrent use and is meant to be shared by a whole process, so that askers share
// reads of the list.
package termination
