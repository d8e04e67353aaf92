package provider

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/a2a"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// shownAs lists a session as it was last read, empty if it never was.
func shownAs(s *session.Session) []list {
	switch {
	case s == nil:
		return nil
	case s.UnreadableEnd != "":
		return []list{{title: fmt.Sprintf("Last read with an unrecognized end time, %q, so the provider treats the session as live", s.UnreadableEnd), entries: []string{describe(*s)}}}
	case s.Live():
		return []list{{title: "Last seen live", entries: []string{describe(*s)}}}
	}
	return []list{{title: "Ended at " + s.EndedAt.Format(time.RFC3339), entries: []string{describe(*s)}}}
}

// terminationFailed is the message about a session that was not terminated. recorded:
// the operation was saved in the state, as tainted.
func terminationFailed(failure *termination.Error, recorded bool) (message, []path.Path) {
	inState := "The resource was not created. The next apply tries again."
	if recorded {
		inState = "The resource is tainted. The next apply tries again."
	}
	cause := errors.Join(failure.CheckErr, failure.RequestErr)
	c := explain(cause)
	reason := ""
	if cause != nil && stopped(c.sentinel, "create") == "" {
		reason = capitalize(c.problem) + "."
	}
	ended := stopped(failure.Context, "create")
	m := message{lists: shownAs(failure.Last), responses: responses(failure.RequestErr, failure.CheckErr)}
	at := path.Root("session_id")
	switch failure.Kind {
	case termination.Refused:
		m.summary = "Session still live: senhasegura refused to terminate it"
		m.state = sentences(ended, inState)
		m.advice = explain(session.ErrRefused).advice
	case termination.StillLive:
		m.summary = "Session still live"
		received, advice := "senhasegura accepted the request, but the session didn't end.", explain(session.ErrRefused).advice
		if failure.RequestErr != nil {
			received = "senhasegura may have received the request, and the session didn't end."
			reason = ""
		}
		if errors.Is(failure.RequestErr, session.ErrUnknownOutcome) {
			advice = explain(failure.RequestErr).advice
		}
		m.state = sentences(received, ended, reason, inState)
		m.advice = advice + " `timeouts.create` limits the wait."
	case termination.Unknown:
		m.summary = "Can't tell whether the session ended"
		received := "senhasegura may have received the request, and the provider can't read the session."
		switch {
		case errors.Is(failure.RequestErr, session.ErrRefused):
			received = "senhasegura refused the request, as it also does for a session that has ended, and the provider can't read the session."
		case failure.RequestErr == nil && reason == "":
			received = "senhasegura accepted the request; the end was not confirmed."
		case failure.RequestErr == nil:
			received = "senhasegura accepted the request, and the provider can't read the session."
		}
		m.state = sentences(received, ended, reason, inState)
		m.advice = c.advice
		if cause == nil {
			m.advice = explain(session.ErrRefused).advice
		}
	case termination.NotFound:
		m.summary = "Session not found"
		m.state = sentences("senhasegura refused the request and doesn't list the session. It may have been purged, may be outside the authorization's scope, or may never have existed.", inState)
		m.advice = "Check that `session_id` is the session ID, a 40-character hash, and that the authorization has access to the session's Credential and Device. To treat a missing session as ended, set `ignore_not_found = true`."
		if digits := recordIDAdvice(failure.SessionID); digits != "" {
			m.advice = digits
		}
	case termination.Mismatch:
		m.summary = "record_id doesn't belong to session_id"
		if recorded {
			inState = "The resource is tainted. The next apply recreates the record."
		}
		m.state = inState
		m.advice = "Correct `record_id`, or remove it: the provider looks it up."
		at = path.Root("record_id")
	default: // NotAttempted
		m.summary = "Session not terminated: " + c.problem
		m.state = sentences("The session was not changed.", inState)
		m.advice = c.advice
		return m, nil
	}
	if errors.Is(failure.RequestErr, a2a.ErrServerFault) {
		m.advice = sentences(explain(failure.RequestErr).advice, "Check the session in senhasegura as well.")
	}
	return m, []path.Path{at}
}

// reportTermination gives a function that writes the events of the termination of one
// session.
func reportTermination(send func(string)) func(termination.Event) {
	return func(e termination.Event) {
		named := identify(*e.Session.Session)
		switch e.Stage {
		case termination.Terminating:
			send("Terminating " + named + ".")
		case termination.Repeating:
			send("Repeating the request for " + named + ": " + whyAgain(e.Reason) + ".")
		case termination.Settled:
			send(outcomeLine(*e.Session))
		case termination.Listed, termination.InGrace, termination.NewSessions, termination.InQuiet: // of drains
		}
	}
}

// notConfirmed is the message about an accepted request whose result can't be read.
func notConfirmed(sessionID string, why error) diag.Diagnostic {
	c := explain(why)
	if errors.Is(why, session.ErrNotFound) {
		c.advice = "To confirm the end, give the authorization access to the session's Credential and Device in A2A › Applications › Authorizations."
	}
	return message{
		summary: "Termination requested, but not confirmed: session " + sessionID,
		state: fmt.Sprintf("senhasegura accepted the request, and the provider can't read whether the session ended: %s. `outcome` is `accepted`.",
			c.problem),
		advice:    c.advice + " If you don't need confirmation, set `confirm = false`.",
		responses: responses(why),
	}.asWarning(path.Root("session_id"))
}

// liveAgain is the message about a terminated session that a refresh shows live.
func liveAgain(s session.Session) diag.Diagnostic {
	return message{
		summary: "Session is live; it will be terminated on the next apply: session " + s.ID,
		state:   "Terraform removed the record from the state, so an apply recreates it. A destroy doesn't terminate the session.",
		lists:   shownAs(&s),
		advice:  "Apply the configuration to terminate the session again.",
	}.asWarning(path.Root("session_id"))
}

// recordOfAnother is the message about a record ID that belongs to another session.
func recordOfAnother(sessionID, recordID string) diag.Diagnostic {
	return message{
		summary: "record_id doesn't belong to session_id: session " + sessionID,
		state:   "Record " + recordID + " is of another session, so this session was not read. The state was not changed.",
		advice:  "Correct `record_id`, or remove it: the provider looks it up when it terminates the session.",
	}.asWarning(path.Root("record_id"))
}

// refreshFailed is the message about a refresh that read nothing. A warning does not
// name the session in its summary: if the server is down, Terraform merges all of them.
func refreshFailed(record termination.Record, err error) message {
	return unread("Can't read session: ", "The state of session "+record.SessionID+" was not changed.", err)
}

// notRefreshed is the message about a refresh that was skipped because arguments of the provider are
// not known yet.
func notRefreshed(sessionID string, unknown []string) diag.Diagnostic {
	return message{
		summary: "Session not refreshed, because the provider configuration is not known yet: session " + sessionID,
		state:   sentences(dependsOn(unknown), "The state was not changed."),
		advice:  "No action needed. The next plan refreshes it.",
	}.asWarning()
}

// importFailed is the message about an import whose session could not be read.
func importFailed(sessionID string, err error) (message, []path.Path) {
	const state = "Nothing was imported."
	if errors.Is(err, session.ErrNotFound) {
		return unknownSession(state, sessionID, err)
	}
	return unread("Can't read session: ", state, err), nil
}

// importRefused is the message about a session that can't be imported because it is live.
func importRefused(s session.Session) diag.Diagnostic {
	return message{
		summary: "Can't import a live session",
		state:   "Nothing was imported.",
		lists:   shownAs(&s),
		advice:  "Only ended sessions can be imported. To terminate this session, remove the import block and apply the resource.",
	}.asError(path.Root("session_id"))
}

// invalidImport is the message about an import by something that is no session ID.
func invalidImport(err error) diag.Diagnostic {
	at := path.Root("session_id")
	return invalid(at, at, capitalize(err.Error())+".", "Import by the session ID of an ended session.")
}

// unexpectedFailure is the message about an error of the engine that has no kind.
func unexpectedFailure(err error) diag.Diagnostic {
	return message{summary: "Session not terminated", state: strings.TrimSpace(err.Error())}.asError()
}
