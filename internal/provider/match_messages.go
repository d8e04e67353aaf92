package provider

import (
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// invalidArgument says what is wrong with an argument. err completes a sentence
// that begins with its name; hint is a sentence, or "".
func invalidArgument(at path.Path, err error, hint string) diag.Diagnostic {
	return invalid(at, at, quoted(at)+" "+err.Error()+".", hint)
}

// invalid is the message about the value of an argument, called name, that is refused. The fault is at
// the given path, which may be an element of the argument. Reasons are sentences.
func invalid(name, at path.Path, reason, advice string) diag.Diagnostic {
	return message{summary: "Invalid " + quoted(name), state: reason, advice: advice}.asError(at)
}

// emptyMatch is the message about a match that sets nothing.
func emptyMatch(at path.Path) diag.Diagnostic {
	return message{
		summary: "Empty " + quoted(at),
		state:   "Set at least one argument, such as `devices` or `users`. An empty " + quoted(at) + " would match every session.",
	}.asError(at)
}

// nullElement is the message about an element of a set that is null.
func nullElement(set, at path.Path) diag.Diagnostic {
	return invalid(set, at, "The set has a null value. Remove it, for example with `compact([…])`.", "")
}

// matchFault is the message about a fault of the set called name, at the given path.
func matchFault(name, at path.Path, err error) diag.Diagnostic {
	var fault *session.MatchError
	reason := err.Error()
	if errors.As(err, &fault) {
		reason = capitalize(fault.Reason)
		if fault.Value != "" {
			reason = fmt.Sprintf("%q: %s", fault.Value, fault.Reason)
		}
	}
	return invalid(name, at, reason+".", "")
}

// invalidSelector is the message about a `match` and an `exclude` that can't be used together.
func invalidSelector(err error) diag.Diagnostic {
	return message{summary: "Invalid `match` or `exclude`", state: capitalize(err.Error()) + "."}.asError()
}

// noTimeZone is the message about an `older_than` that can't be evaluated.
func noTimeZone() message {
	return message{
		summary: "`older_than` needs the provider's `time_zone`",
		state:   "senhasegura shows times without a time zone, so the age of a session is not known. " + noneTerminated,
		advice:  "Set `time_zone` in the provider configuration, or the environment variable `SENHASEGURA_TIME_ZONE`, to the time zone of the senhasegura server, such as `America/Sao_Paulo`.",
	}
}
