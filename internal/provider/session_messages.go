package provider

import (
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// sessionNotRead is the message about the failure to read one session. The argument is at fault only
// where senhasegura answered that it has no such session.
func sessionNotRead(at path.Path, id string, err error) (message, []path.Path) {
	state := fmt.Sprintf("%#q is %q.", at, id)
	switch {
	case errors.Is(err, session.ErrNotFound):
		state += " That it isn't found doesn't mean that it ended."
		if at.Equal(path.Root("session_id")) {
			return unknownSession(state, id, err)
		}
		return unread("Can't read session: ", state, err), []path.Path{at}
	case errors.Is(err, session.ErrIdentifier):
		return unread("Can't read session: ", state, err), []path.Path{at}
	}
	return unread("Can't read session: ", state, err), nil
}

// unknownSession is the message about a session ID that senhasegura doesn't know.
func unknownSession(state, sessionID string, err error) (message, []path.Path) {
	m := unread("Can't read session: ", state, err)
	if digits := recordIDAdvice(sessionID); digits != "" {
		m.advice = digits
	}
	return m, []path.Path{path.Root("session_id")}
}

// recordIDAdvice is the advice for a session ID that is not known and consists of
// digits, "" for any other.
func recordIDAdvice(sessionID string) string {
	if session.ValidateRecordID(sessionID) != nil {
		return ""
	}
	return fmt.Sprintf("%q looks like a record ID. Set `session_id` to the session ID, a 40-character hash; the number belongs in `record_id`.", sessionID)
}

// unread is the message about a failed read that changed nothing.
func unread(summary, state string, err error) message {
	c := explain(err)
	return message{summary: summary + c.problem, state: state, advice: c.advice, responses: responses(err)}
}
