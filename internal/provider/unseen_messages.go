package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

const onUnseenDescription = "What to do about values of `match` and `exclude` that no session has, live or ended, because they are misspelled, outside the authorization's scope, or never used: " +
	"`continue` warns; `halt` fails before any session is terminated; `ignore` does nothing. " +
	"A list without a single session, live or ended, always fails, unless this is `ignore`. Unseen `session_ids` only warn. Defaults to `continue`."

// seesNothing is the summary about an empty list. It names no object, so that Terraform
// merges these warnings.
const seesNothing = "This authorization sees no session at all"

const seesNothingAdvice = "In A2A › Applications › Authorizations, give the authorization access to the Credentials and Devices of the sessions. In a new installation, connect to a device through senhasegura first."

// onUnseen is what a user wrote, or the default.
func (a drainArguments) onUnseen() termination.OnUnseen {
	return termination.OnUnseen(a.OnUnseen.ValueString())
}

// unseenOfRun gives the unseen values that a run, or a preview, warns of. If they made
// it fail, the error names them.
func unseenOfRun(drained termination.Report, err error, on termination.OnUnseen) []termination.Unseen {
	var failure *termination.DrainError
	told := errors.As(err, &failure) && failure.Kind == termination.NotCovered
	if told || drained.Coverage == nil || on == termination.UnseenIgnore {
		return nil
	}
	return drained.Coverage.Unseen
}

// unseenValues warns of unseen values. In a plan, those without a similar one have one
// summary, so that Terraform merges the warnings of all drains of machines that were
// never used.
func unseenValues(unseen []termination.Unseen, name string, planned bool) diag.Diagnostics {
	var likely, others []termination.Unseen
	for _, u := range unseen {
		if len(u.Similar) > 0 {
			likely = append(likely, u)
		} else {
			others = append(others, u)
		}
	}
	var diags diag.Diagnostics
	if len(likely) > 0 {
		diags.Append(message{
			summary: counted(len(likely), "value") + " may be misspelled: " + name,
			lists:   []list{{title: "No session, live or ended, has", entries: unseenEntries(likely)}},
			advice:  "Write each value as senhasegura shows it.",
		}.asWarning())
	}
	if len(others) > 0 {
		m := message{
			summary: "Values of `match` that no session has",
			state:   purged(others),
			lists:   []list{{title: "No session, live or ended, has (" + name + ")", entries: unseenEntries(others)}},
			advice:  "Check these values, and that the authorization can see their sessions. If they have not been used yet, set `on_unseen = \"ignore\"` to hide this warning.",
		}
		if !planned {
			m.summary += ": " + name
			m.lists[0].title = "No session, live or ended, has"
		}
		diags.Append(m.asWarning())
	}
	return diags
}

// unseenEntries lists values, each with the values that may be meant.
func unseenEntries(unseen []termination.Unseen) []string {
	entries := make([]string, 0, len(unseen))
	for _, u := range unseen {
		entry := fmt.Sprintf("`%s` %q", u.Argument, u.Value)
		switch {
		case len(u.Similar) > 0 && strings.HasSuffix(u.Argument, "."+session.FieldSessionIDs):
			entry += "; this is the record ID of session " + quotedValues(u.Similar)
		case len(u.Similar) > 0:
			entry += "; similar: " + quotedValues(u.Similar)
		}
		if u.Listed != "" {
			entry += "; senhasegura lists all devices by " + string(u.Listed)
		}
		entries = append(entries, entry)
	}
	return entries
}

func quotedValues(texts []string) string {
	quoted := make([]string, 0, len(texts))
	for _, text := range texts {
		quoted = append(quoted, fmt.Sprintf("%q", text))
	}
	return strings.Join(quoted, ", ")
}

// purged: an unlisted session ID is no sign of a mistake.
func purged(unseen []termination.Unseen) string {
	if !slices.ContainsFunc(unseen, func(u termination.Unseen) bool { return u.OnlyWarns }) {
		return ""
	}
	return "senhasegura may have purged a session whose ID is not listed."
}

// emptyList warns of a list without a single session.
func emptyList() diag.Diagnostic {
	return message{
		summary: seesNothing,
		state:   "senhasegura lists no session, live or ended. An empty result doesn't mean that no user is connected.",
		advice:  seesNothingAdvice,
	}.asWarning()
}

// notCovered is the message about a drain that unseen values, or an empty list, kept
// from running.
func (d drainRun) notCovered(coverage *termination.Coverage, consequence string) message {
	m := message{
		summary: seesNothing + ": " + d.name,
		state:   sentences("senhasegura lists no session, live or ended.", noneTerminated, consequence),
		lists:   d.lists(),
		advice:  seesNothingAdvice + " If senhasegura has recorded no session yet, set `on_unseen = \"ignore\"`.",
	}
	if !coverage.SeesNothing() {
		m.summary = counted(len(coverage.Unseen), "value") + " of `match` or `exclude` that no session has: " + d.name
		m.state = sentences(noneTerminated, consequence)
		m.lists = append([]list{{title: "No session, live or ended, has", entries: unseenEntries(coverage.Unseen)}}, m.lists...)
		m.advice = "Write each value as senhasegura shows it. To continue anyway, set `on_unseen` to `continue`."
	}
	m.advice = sentences(m.advice, d.beforeChange(consequence))
	return m
}

// guarded reports whether a guard stopped a drain.
func guarded(err error) bool {
	var failure *termination.DrainError
	return errors.As(err, &failure) && failure.Guarded()
}

// unseenFault is the first argument with a value because of which a drain failed.
func unseenFault(coverage *termination.Coverage) []path.Path {
	for _, u := range coverage.Unseen {
		if object, argument, ok := strings.Cut(u.Argument, "."); ok && !u.OnlyWarns {
			return []path.Path{path.Root(object).AtName(argument)}
		}
	}
	return nil
}

// valuesNotChecked is the message about a list that could not be read for a plan that creates a
// drain or changes its match.
func valuesNotChecked(err error) diag.Diagnostic {
	m := unread("Can't check `match` and `exclude`: ", "Whether sessions have their values is not known.", err)
	m.advice += " To plan without a call, set `preview = false`."
	return m.asWarning()
}
