package provider

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/a2a"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

const (
	// maxTerminated is how many sessions a message names that need no action.
	// senhasegura keeps their records.
	maxTerminated = 200
	// maxForms is how many names an advice spells out. Each session is listed with its
	// own.
	maxForms = 10

	noneTerminated = "No sessions were terminated."
	// usesApplied is why a change of an argument must be applied before a destroy.
	usesApplied = "A destroy uses what was applied last: apply that change on its own (`-target`), then destroy."
	// untaintFirst is why an apply is not enough after a change of an argument.
	untaintFirst = "If `drain_on` includes `destroy`, the next apply destroys the tainted drain first, with what was applied last: " +
		"run `terraform untaint` on the drain, apply that change, then replace the drain (`-replace`)."
	// terminateNow is the advice for sessions that the drain must not terminate.
	terminateNow = "To terminate a session now, use `senhasegura_session_termination`, or the action `senhasegura_session_terminate`."
)

// consequenceOf is the effect of a failed drain.
var consequenceOf = map[string]string{
	onCreate:  "The drain is tainted. The next apply drains again.",
	onDestroy: "Terraform did not destroy the resources that this drain protects.",
}

// goesOnAfter is what Terraform does although sessions are still live.
var goesOnAfter = map[string]string{
	onCreate:  "so Terraform continues.",
	onDestroy: "so Terraform destroys the resources that this drain protects anyway.",
}

// continues says that Terraform goes on because an argument is `continue`.
func continues(argument, moment string) string {
	return "`" + argument + "` is `continue`, " + goesOnAfter[moment]
}

// whyExcludedLeft says why the drain succeeds in spite of excluded sessions.
func (m *sessionDrainModel) whyExcludedLeft(moment string) string {
	switch {
	case m.OnExcluded.ValueString() == continueOn:
		return continues("on_excluded", moment)
	case m.OnFailure.ValueString() == continueOn:
		return continues("on_failure", moment)
	}
	return "Only excluded sessions that match for certain block the drain, " + goesOnAfter[moment]
}

// drainRun is a drain that ran, or the preview of one, for its message.
type drainRun struct {
	termination.Report
	// name identifies the drain or the action in messages.
	name string
	// moment is when it runs.
	moment string
	// planned: the plan showed sessions that this run can be compared with.
	planned bool
}

// succeeded is the warning about what a successful drain did. passes is why it
// succeeded in spite of excluded sessions that it left open.
func (d drainRun) succeeded(passes string) diag.Diagnostic {
	terminated, excluded, refused := d.Terminated(), d.Excluded(), d.EndedAfterRefusal()
	var parts []string
	if len(terminated) > 0 {
		parts = append(parts, "terminated "+countSessions(len(terminated)))
	}
	if len(refused) > 0 {
		parts = append(parts, countSessions(len(refused))+" ended after a refused request")
	}
	if len(excluded) > 0 {
		parts = append(parts, counted(len(excluded), "excluded session")+" left open")
	}
	m := message{summary: capitalize(strings.Join(parts, ", ")) + ": " + d.name, lists: d.lists()}
	if len(excluded) > 0 {
		m.state = passes
	}
	if len(refused) > 0 {
		m.state = sentences("senhasegura also refuses to terminate a session that has ended: it ended on its own, or a gateway sent the request twice.", m.state)
	}
	if d.moment == onDestroy && slices.ContainsFunc(excluded, func(s termination.SessionResult) bool { return len(s.Undecided) == 0 }) {
		m.advice = "To block the destroy while an excluded session is live, set `on_excluded` and `on_failure` to `halt`."
	}
	if len(terminated) > 0 {
		m.advice = sentences("Terminating a session doesn't revoke access: users who still have access can reconnect.", m.advice)
	}
	return m.asWarning()
}

// lists groups the sessions by outcome, in the order of the message.
func (d drainRun) lists() []list {
	const (
		unapproved = iota
		matched
		live
		left
		unsure
		undecided
		blocking
		excluded
		terminated
		unplanned
		refused
		ended
		notListed
	)
	lists := []list{
		unapproved: {title: "Not shown by the plan"},
		matched:    {title: "Matching", most: maxTerminated},
		live:       {title: "Still live"},
		left:       {title: "Not terminated"},
		unsure:     {title: "Can't tell whether the session ended"},
		undecided:  {title: "Can't tell whether the session matches; not terminated"},
		blocking:   {title: "Excluded, still live"},
		excluded:   {title: "Excluded, left open"},
		terminated: {title: "Terminated", most: maxTerminated},
		unplanned:  {title: "Terminated, not shown by the plan", most: maxTerminated},
		refused:    {title: "Ended after a refused request", most: maxTerminated},
		ended:      {title: "Shown by the plan, ended before the drain", most: maxTerminated},
		notListed:  {},
	}
	for _, s := range d.Sessions {
		of := live
		switch {
		case s.Unapproved:
			of = unapproved
		case s.Outcome == termination.Matched:
			of = matched
		case s.Blocks:
			of = blocking
		case s.Outcome == termination.Excluded:
			of = excluded
		case s.Outcome == termination.Terminated && d.planned && !s.Previewed:
			of = unplanned
		case s.Outcome == termination.Terminated:
			of = terminated
		case s.EndedAfterRefusal():
			of = refused
		case s.EndedSincePreview():
			of = ended
		case s.Outcome.Ended():
			of = notListed
		case len(s.Undecided) > 0:
			of = undecided
		case s.Outcome == termination.NotAttempted:
			of = left
		case s.Outcome == termination.Unknown:
			of = unsure
		}
		lists[of].entries = append(lists[of].entries, entry(s))
	}
	return lists[:notListed]
}

func entries(sessions []termination.SessionResult) []string {
	lines := make([]string, 0, len(sessions))
	for _, s := range sessions {
		lines = append(lines, entry(s))
	}
	return lines
}

// entry describes one session, and the reason for its outcome.
func entry(d termination.SessionResult) string {
	why := ""
	switch {
	case len(d.Undecided) > 0:
		why = undecidedText(d.Undecided)
	case d.Outcome.Ended(), d.Outcome == termination.Matched, d.Outcome == termination.Excluded, d.Session.ID == "":
	case d.Outcome == termination.Refused:
		why = "refused"
	case d.Accepted && d.Err == nil:
		why = "senhasegura accepted the request"
	case d.Lost && d.Err == nil:
		why = "senhasegura may have received the request"
	case d.Err != nil:
		why = explain(d.Err).problem
	}
	return joined(": ", []string{describe(*d.Session), why})
}

// responses gives the API responses about sessions that are not known to have ended,
// each once.
func (d drainRun) responses(failure *termination.DrainError) []string {
	common := responses(failure.Cause)
	var answers []string
	for _, s := range d.NotEnded() {
		if s.Session.ID == "" {
			continue // there was no request for it
		}
		for i, answer := range common {
			common[i] = withoutIDs(answer, *s.Session)
		}
		for _, answer := range responses(s.Err) {
			answers = append(answers, withoutIDs(answer, *s.Session))
		}
	}
	return append(common, answers...)
}

// withoutIDs replaces the IDs of a session in a response, so that equal responses about
// different sessions are shown once.
func withoutIDs(answer string, s session.Session) string {
	answer = strings.ReplaceAll(answer, "/"+url.PathEscape(s.ID)+": ", "/{session_id}: ")
	if s.RecordID == "" {
		return answer
	}
	return strings.ReplaceAll(answer, "/"+url.PathEscape(s.RecordID)+": ", "/{record_id}: ")
}

// failed is the message about a drain that failed. It names every session that may be
// live, however many there are.
func (d drainRun) failed(err error, consequence string) message {
	var failure *termination.DrainError
	if !errors.As(err, &failure) {
		failure = &termination.DrainError{Kind: termination.NotAttempted, Cause: err}
	}
	notEnded, blocking := d.NotEnded(), d.Blocking()
	reason := ""
	if failure.Cause != nil {
		reason = capitalize(explain(failure.Cause).problem) + "."
	}
	m := message{
		state:     sentences(d.untouched(), consequence, stopped(failure.Context, timeoutOf[d.moment]), reason, d.unwatched(failure)),
		lists:     d.lists(),
		responses: d.responses(failure),
	}
	var zone *termination.ZoneError
	switch {
	case errors.As(failure.Cause, &zone):
		m = noTimeZone()
		m.state = sentences(m.state, consequence)
	case failure.Kind == termination.NotCovered:
		return d.notCovered(failure.Coverage, consequence)
	case failure.Kind == termination.TooMany:
		m.summary = fmt.Sprintf("%s, but max_sessions is %d: %s", matching(countSessions(failure.Count), failure.Count), failure.Limit, d.name)
		m.state = sentences(d.untouched(), consequence)
		m.advice = "Narrow `match`, add sessions to `exclude`, or raise `max_sessions`."
		if d.moment == onDestroy {
			m.advice = "Add sessions to `exclude`, or raise `max_sessions`."
		}
		m.advice = sentences(m.advice, d.beforeChange(consequence))
		m.responses = nil
	case failure.Kind == termination.NotAttempted:
		c := explain(err)
		m.summary = fmt.Sprintf("%s failed: %s", capitalize(d.name), c.problem)
		m.state, m.lists, m.advice = sentences(noneTerminated, consequence), nil, c.advice
	case failure.Kind == termination.NotApproved:
		m.summary = fmt.Sprintf("%s not in the approved plan: %s", countSessions(len(d.Unapproved())), d.name)
	case len(blocking) > 0 && (failure.Kind == termination.Excluded || len(notEnded) == 0):
		m.summary = fmt.Sprintf("%s still live: %s", counted(len(blocking), "excluded session"), d.name)
		m.advice = d.excludedAdvice(consequence)
	case len(notEnded) == 0:
		m.summary = "Can't confirm that no session remains: " + d.name
		m.advice = explain(err).advice
	default:
		m.summary = d.notEndedSummary(notEnded) + ": " + d.name
		m.advice = d.notEndedAdvice(notEnded, failure, consequence)
	}
	return m
}

// beforeChange says what a change of an argument needs before it takes effect.
func (d drainRun) beforeChange(consequence string) string {
	switch {
	case d.moment == onDestroy:
		return usesApplied
	case d.moment == onCreate && consequence != "":
		return untaintFirst
	}
	return ""
}

// untouched says that no session was terminated, if that is certain.
func (d drainRun) untouched() string {
	if len(d.Terminated())+len(d.Requested())+len(d.EndedAfterRefusal()) > 0 {
		return ""
	}
	return noneTerminated
}

// unwatched: a drain that was stopped did not read its closing list.
func (drainRun) unwatched(failure *termination.DrainError) string {
	if failure.Cause == nil && failure.Context == nil {
		return ""
	}
	return "New sessions may have started since the last check."
}

// notEndedSummary counts the sessions that block the drain, of all that matched.
func (d drainRun) notEndedSummary(notEnded []termination.SessionResult) string {
	live, undecided, all := 0, 0, len(notEnded)
	for _, s := range notEnded {
		if s.Live() {
			live++
		}
		if len(s.Undecided) > 0 {
			undecided++
		}
	}
	for _, s := range d.Sessions {
		if s.Outcome.Ended() {
			all++
		}
	}
	count := countSessions(all)
	if len(notEnded) < all {
		count = fmt.Sprintf("%d of %s", len(notEnded), count)
	}
	switch {
	case live == len(notEnded):
		return count + " still live"
	case live > 0:
		return count + " still live or unknown"
	case undecided == len(notEnded):
		return "Can't tell whether " + matching(count, all)
	case undecided > 0:
		return "Can't tell whether " + count + " match or ended"
	}
	return "Can't tell whether " + count + " ended"
}

// notEndedAdvice gives the advice for each different reason once. It never names
// `match.session_ids`: with other arguments it narrows the match to these sessions, and
// the others would not be terminated.
func (d drainRun) notEndedAdvice(notEnded []termination.SessionResult, failure *termination.DrainError, consequence string) string {
	var advice []string
	add := func(text string) {
		if !slices.Contains(advice, text) {
			advice = append(advice, text)
		}
	}
	if failure.Cause != nil {
		add(explain(failure.Cause).advice)
	}
	var forms []session.UnknownCriterion
	for _, s := range notEnded {
		switch {
		case formsAdvice(s.Undecided) != "":
			forms = append(forms, s.Undecided...)
		case len(s.Undecided) > 0:
			add(sentences("To leave sessions open that senhasegura doesn't describe, add their IDs to `exclude.session_ids`.", d.beforeChange(consequence), terminateNow))
		case s.Session.ID == "":
			add("Terminate sessions without a session ID in senhasegura.")
		case errors.Is(s.Err, a2a.ErrServerFault) && failure.Cause == nil:
			add(explain(s.Err).advice)
		case vanished(s):
			add(d.vanishedAdvice())
		case s.Outcome == termination.StillLive && errors.Is(s.Err, session.ErrUnknownOutcome):
			add(explain(s.Err).advice)
		case s.Outcome == termination.Refused, s.Outcome == termination.StillLive, s.Outcome == termination.Unknown && s.Err == nil:
			add(explain(session.ErrRefused).advice)
		case s.Err != nil && failure.Cause == nil:
			add(explain(s.Err).advice)
		}
	}
	if len(forms) > 0 {
		add(formsAdvice(forms))
		if d.moment == onDestroy {
			add("A change of `match` drains the old `match` first. To leave such a session open, add its ID to `exclude.session_ids`, apply that change on its own (`-target`), then destroy. " + terminateNow)
		}
	}
	return strings.Join(advice, " ")
}

// matching says that a number of sessions match.
func matching(count string, n int) string {
	if n == 1 {
		return count + " matches"
	}
	return count + " match"
}

// vanished: neither a complete list nor its record shows the session.
func vanished(d termination.SessionResult) bool {
	return d.Outcome == termination.Unknown && errors.Is(d.Err, session.ErrNotFound)
}

// vanishedAdvice: a drain that can't read a session any more must not succeed, so it
// keeps the session until the user excludes it.
func (d drainRun) vanishedAdvice() string {
	const check = "Check the sessions that senhasegura no longer lists in PAM Core › Audit › Sessions › Remote sessions. " +
		"If they are outside the authorization's scope, give it access to their Credentials and Devices."
	switch d.moment {
	case onDestroy:
		return check + " The drain needs their end, however often it runs. To continue without it, add their session IDs to `exclude.session_ids`, apply that change on its own (`-target`), then destroy."
	case onCreate:
		return check + " If `drain_on` includes `destroy`, the destroy needs their end too. To continue without it, run `terraform untaint` on the drain, add their session IDs to `exclude.session_ids`, and apply."
	default:
		return check
	}
}

// excludedAdvice says how to continue in spite of excluded sessions that are live.
func (d drainRun) excludedAdvice(consequence string) string {
	const wait = "Run again when the excluded sessions have ended; `grace_period` waits for them. "
	if d.moment == onDestroy {
		return wait + "To destroy while they are live, set `on_excluded` to `continue`, apply that change on its own (`-target`), then destroy."
	}
	return sentences(wait+"To continue while they are live, set `on_excluded` to `continue`.", d.beforeChange(consequence))
}

// argumentAtFault is the argument because of which a drain or a query failed, if there is
// one.
func argumentAtFault(err error) []path.Path {
	var failure *termination.DrainError
	var zone *termination.ZoneError
	switch {
	case errors.As(err, &zone):
		return []path.Path{path.Root(zone.Argument).AtName(session.FieldOlderThan)}
	case !errors.As(err, &failure):
		return nil
	case failure.Kind == termination.TooMany:
		return []path.Path{path.Root("max_sessions")}
	case failure.Kind == termination.NotCovered:
		return unseenFault(failure.Coverage)
	}
	return nil
}

// withoutApproval completes the message about a drain with sessions that no approved
// plan shows. approved: a plan was approved. madeInApply: the only preview was made
// during apply.
func (m message) withoutApproval(approved, madeInApply bool) message {
	const held = "`only_previewed` is `true`, so the drain terminates only sessions that the plan showed."
	why := ""
	switch {
	case approved:
		m.advice = "Plan the destroy again, review the sessions that the plan shows, and apply it."
	case madeInApply:
		why = "Terraform planned this destroy during apply, as it does for a deposed object of `create_before_destroy`, so no preview was approved."
		m.advice = "Apply again when the sessions have ended. " + terminateNow
	default:
		why = "No preview reached this destroy: Terraform has none if the drain is tainted, or replaced by `-replace` or `replace_triggered_by`."
		m.advice = "If the drain is tainted, run `terraform untaint` on it. To replace it, change `triggers`. Then plan again, review the sessions that the plan shows, and apply it. " + terminateNow
	}
	m.state = sentences(held, why, m.state)
	return m
}

// previewed is the message about what a drain would terminate; there is none if no
// session matches. It stays true after the drain, because Terraform plans again during
// apply. goesOn says that Terraform continues in spite of sessions that the drain can't
// decide about, and needed that the drain terminates only what this preview shows: it
// then names every session.
func (d drainRun) previewed(readAt time.Time, err error, goesOn, needed bool) diag.Diagnostics {
	if guarded(err) {
		return diag.Diagnostics{d.failed(err, "").asError(argumentAtFault(err)...)}
	}
	if err != nil {
		return diag.Diagnostics{d.notPreviewed(err, needed)}
	}
	matched, undecided, excluded := d.Matched(), d.NotEnded(), d.Excluded()
	if len(matched)+len(undecided)+len(excluded) == 0 {
		return nil
	}
	summary := matching(countSessions(len(matched)), len(matched))
	if len(undecided) > 0 {
		summary += fmt.Sprintf(", %d can't be terminated", len(undecided))
	}
	if len(excluded) > 0 {
		summary += fmt.Sprintf(", %d excluded", len(excluded))
	}
	verb, blocked := "Destroying", "destroy"
	if d.moment == onCreate {
		verb, blocked = "Creating", "apply"
	}
	cannot := "Can't be terminated, so the " + blocked + " fails"
	if goesOn {
		cannot = "Can't be terminated; Terraform continues anyway, because `on_failure` is `continue`"
	}
	most := maxTerminated
	if needed {
		most = 0
	}
	blocking := d.Blocking()
	left := slices.DeleteFunc(excluded, func(s termination.SessionResult) bool { return s.Blocks })
	state := verb + " this drain terminates the sessions that match at that time."
	if needed {
		state = "`only_previewed` is `true`: destroying this drain terminates only sessions that are listed here."
	}
	var advice string
	if len(matched) > 0 {
		advice = sentences("To give users time to finish, set `grace_period`. To keep a session open, add it to `exclude`.", d.beforeChange(""))
	}
	return diag.Diagnostics{message{
		summary: summary + ": " + d.name,
		state:   state,
		lists: []list{
			{title: "Matching at " + readAt.UTC().Format(time.RFC3339), entries: entries(matched), most: most},
			{title: cannot, entries: entries(undecided)},
			{title: "Excluded, not terminated. The " + blocked + " fails while one is live (`on_excluded`)", entries: entries(blocking)},
			{title: "Excluded, not terminated. The " + blocked + " continues", entries: entries(left)},
		},
		advice: sentences(advice, d.notEndedAdvice(undecided, &termination.DrainError{}, "")),
	}.asWarning()}
}

// notPreviewed is the message about a preview that failed. A warning names no drain in
// its summary, so that Terraform merges those of all drains.
func (d drainRun) notPreviewed(err error, needed bool) diag.Diagnostic {
	c := explain(err)
	m := message{
		summary:   "Can't preview sessions: " + c.problem,
		state:     "The plan doesn't show which sessions match: " + d.name + ".",
		advice:    c.advice + " To plan without a call, set `preview = false`.",
		responses: responses(err),
	}
	if !needed {
		return m.asWarning()
	}
	m.state += " The plan fails, because `only_previewed` is `true`."
	m.advice = c.advice
	return m.asError()
}

// validateOnlyPreviewed refuses `only_previewed` with arguments that leave it no
// approved preview. It ignores what is unknown.
func (m *sessionDrainModel) validateOnlyPreviewed() diag.Diagnostics {
	var diags diag.Diagnostics
	if !m.OnlyPreviewed.ValueBool() {
		return diags
	}
	at := path.Root("only_previewed")
	if !m.Preview.IsNull() && !m.Preview.IsUnknown() && !m.Preview.ValueBool() {
		diags.Append(invalid(at, at, "`only_previewed` requires `preview`: without a preview, no session is approved.",
			"Remove `preview = false`, or set `only_previewed = false`."))
	}
	if m.drainsOn(onCreate) {
		diags.Append(invalid(at, at, "`only_previewed` conflicts with `create` in `drain_on`: Terraform plans a creation again during apply, so the approved preview doesn't reach it.",
			"Remove `create` from `drain_on`, or set `only_previewed = false`."))
	}
	return diags
}

// undecidedText says why the provider can't decide whether a session matches.
func undecidedText(unknown []session.UnknownCriterion) string {
	var missing, forms []string
	for _, u := range unknown {
		if u.Value == "" {
			missing = append(missing, u.Criterion)
		} else {
			forms = append(forms, fmt.Sprintf("senhasegura shows %q, and `%s` has %q, which may be another form of the same name", u.Shown, u.Criterion, u.Value))
		}
	}
	if len(missing) > 0 {
		forms = append(forms, "senhasegura shows too little to evaluate `"+strings.Join(missing, "`, `")+"`")
	}
	return strings.Join(forms, "; ")
}

// formsAdvice says how senhasegura writes the names that the configuration has in
// another form. It is empty if there are none.
func formsAdvice(unknown []session.UnknownCriterion) string {
	var forms []string
	for _, u := range unknown {
		form := fmt.Sprintf("%q in `%s`", u.Shown, u.Criterion)
		if u.Value != "" && !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	if len(forms) == 0 {
		return ""
	}
	if len(forms) > maxForms {
		forms = append(forms[:maxForms], "and so on")
	}
	return "Write names as senhasegura shows them: " + strings.Join(forms, ", ") + "."
}

// noTimeLeft is the message about periods that leave no time to terminate sessions.
func noTimeLeft(at path.Path, grace, quiet time.Duration, timeout string, allowed time.Duration) diag.Diagnostic {
	return invalid(at, at, fmt.Sprintf("`grace_period` (%s) plus `quiet_period` (%s) must be shorter than `timeouts.%s` (%s).",
		shortDuration(grace), shortDuration(quiet), timeout, shortDuration(allowed)), "")
}

// notKept is the message about private state that can't be written, which is a bug.
func notKept(summary string, err error) diag.Diagnostic {
	return message{
		summary: summary,
		state:   capitalize(err.Error()) + ".",
		advice:  "This is a bug in the provider: report it to its developers.",
	}.asError()
}

func previewNotKept(err error) diag.Diagnostic { return notKept("Can't save the preview", err) }

func unsettledNotKept(err error) diag.Diagnostic {
	return notKept("Can't save the sessions whose end is not confirmed", err)
}

// unreadableUnsettled is the message about private state that can't be read.
func unreadableUnsettled(err error) diag.Diagnostic {
	return message{
		summary: "Can't read the sessions whose end is not confirmed",
		state: sentences("The private state of the drain names the sessions whose end an earlier destroy didn't confirm, and it can't be read: "+err.Error()+".",
			noneTerminated, consequenceOf[onDestroy]),
		advice: "This is a bug in the provider: report it to its developers.",
	}.asError()
}
