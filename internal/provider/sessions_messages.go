package provider

import (
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// listFailed is the message about a list that could not be read.
func listFailed(err error) message {
	var zone *termination.ZoneError
	if errors.As(err, &zone) {
		return noTimeZone()
	}
	return unread("Can't list sessions: ", "Which sessions are live is not known.", err)
}

// undecidedSessions is the message about the sessions that may match; object completes the summary.
func undecidedSessions(sessions []session.Session, unknown func(session.Session) []session.UnknownCriterion, object string) diag.Diagnostic {
	var all []session.UnknownCriterion
	entries := make([]string, 0, len(sessions))
	for _, s := range sessions {
		why := unknown(s)
		all = append(all, why...)
		entries = append(entries, describe(s)+": "+undecidedText(why))
	}
	return message{
		summary: "Can't tell whether " + matching(countSessions(len(sessions)), len(sessions)) + object,
		state:   "Listed in `unknown_sessions`, not in `sessions`.",
		lists:   []list{{title: "May match", entries: entries}},
		advice:  sentences(formsAdvice(all), "To decide about a session that senhasegura doesn't describe, use `session_ids`, or remove the arguments that can't be evaluated."),
	}.asWarning()
}

// sessionsWithoutID is the message about sessions without the identifier that a termination request
// takes.
func sessionsWithoutID(sessions []session.Session, object string) diag.Diagnostic {
	entries := make([]string, 0, len(sessions))
	for _, s := range sessions {
		entries = append(entries, describe(s))
	}
	return message{
		summary: countSessions(len(sessions)) + " without a session ID, which can't be terminated" + object,
		state:   "Listed in `sessions`, not in `session_ids`.",
		lists:   []list{{title: "Without a session ID", entries: entries}},
		advice:  "Terminate these sessions in senhasegura.",
	}.asWarning()
}

// unknownArguments is the message about values that Terraform must never hand over unknown.
func unknownArguments() diag.Diagnostic {
	return message{
		summary: "`match` or `exclude` is not known",
		state:   noneTerminated,
		advice:  "This is a bug in Terraform or in the provider: report it to its developers.",
	}.asError()
}
