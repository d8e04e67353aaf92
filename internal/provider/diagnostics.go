package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/a2a"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// report is one message to the user. Every error and warning about a session has
// these parts, in this order, whether it comes from a resource, a data source or
// an action.
type report struct {
	summary string
	// attempted: what was done or tried, on which object.
	attempted string
	// truth: what is true now, also of the state.
	truth string
	// advice: what the user can do.
	advice string
	// evidence: what PAM answered.
	evidence []string
}

func (r report) detail() string {
	var b strings.Builder
	part := func(label, text string) {
		if text == "" {
			return
		}
		if b.Len() > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(label + text)
	}
	part("", r.attempted)
	part("What is true now: ", r.truth)
	part("What to do: ", r.advice)
	part("Evidence: ", strings.Join(r.evidence, "\n"))
	return b.String()
}

// asError makes an error of r, on the attribute at fault if there is one.
func (r report) asError(at ...path.Path) diag.Diagnostic {
	if len(at) > 0 {
		return diag.NewAttributeErrorDiagnostic(at[0], r.summary, r.detail())
	}
	return diag.NewErrorDiagnostic(r.summary, r.detail())
}

// about tells a warning from others of its kind by what it is about. Terraform
// merges warnings whose summaries are equal and shows the first alone, so without
// it people would go unreported.
func (r report) about(what string) report {
	if what != "" {
		r.summary += " (" + what + ")"
	}
	return r
}

// asWarning makes a warning of r, on the attribute it concerns if there is one.
func (r report) asWarning(at ...path.Path) diag.Diagnostic {
	if len(at) > 0 {
		return diag.NewAttributeWarningDiagnostic(at[0], r.summary, r.detail())
	}
	return diag.NewWarningDiagnostic(r.summary, r.detail())
}

// describe names a session the way a person would recognize it.
func describe(s session.Session) string {
	var b strings.Builder
	add := func(before, value string) {
		if value == "" {
			return
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(before + value)
	}
	add("", s.User)
	add("on ", s.Device)
	add("as ", s.Credential)
	add("over ", s.Protocol)
	add("through ", s.Proxy)
	add("from ", s.OriginIP)
	if !s.StartedAt.IsZero() {
		add("since ", s.StartedAt.Format(time.RFC3339))
	}
	if b.Len() == 0 {
		return "no details known"
	}
	return b.String()
}

// sighting says what the last look showed.
func sighting(s *session.Session) string {
	switch {
	case s == nil:
		return ""
	case s.UnreadableEnd != "":
		return fmt.Sprintf("PAM shows the session (%s) with an end that cannot be read, %q, which proves nothing.", describe(*s), s.UnreadableEnd)
	case s.Live():
		return fmt.Sprintf("The session was live at the last look: %s.", describe(*s))
	default:
		return fmt.Sprintf("The session ended at %s: %s.", s.EndedAt.Format(time.RFC3339), describe(*s))
	}
}

func sentences(parts ...string) string { return joined(" ", parts) }

func paragraphs(parts ...string) string { return joined("\n", parts) }

// joined leaves out the parts that have nothing to say.
func joined(separator string, parts []string) string {
	var kept []string
	for _, part := range parts {
		if part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, separator)
}

func countDrops(n int) string {
	if n == 1 {
		return "One drop was attempted."
	}
	return fmt.Sprintf("%d drops were attempted.", n)
}

// stopped says why waiting ended early, if it did.
func stopped(err error, timeout string) string {
	switch {
	case errors.Is(err, context.Canceled):
		return "The run was interrupted."
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("The time allowed by `timeouts.%s` ran out.", timeout)
	default:
		return ""
	}
}

// terminationFailed words the failure to end one session. recorded says whether
// the operation was saved in the state, as tainted.
func terminationFailed(failure *termination.Error, recorded bool) diag.Diagnostic {
	inState := "Nothing is recorded in the state, so the next apply tries again."
	if recorded {
		inState = "The resource is saved as tainted, so the next apply drops the session again."
	}
	why := ""
	if cause := errors.Join(failure.Look, failure.Drop); cause != nil {
		// What ended the wait is said where the attempt is described.
		if c := explain(cause); stopped(c.sentinel, "create") == "" {
			why = capitalize(c.problem) + "."
		}
	}
	tried := countDrops(failure.Drops)
	if failure.Kind == termination.NotAttempted {
		tried = "" // whether it was sent is for the evidence to say
	}
	r := report{
		attempted: sentences(fmt.Sprintf("The provider was to end session %q.", failure.SessionID), tried, stopped(failure.Context, "create")),
		evidence:  evidence(failure.Drop, failure.Look),
	}
	at := path.Root("session_id")
	switch failure.Kind {
	case termination.Refused:
		r.summary = "Session not ended: PAM refused the drop"
		r.truth = sentences(sighting(failure.Last), inState)
		r.advice = explain(session.ErrRefused).advice
	case termination.StillLive, termination.Unknown:
		if failure.Kind == termination.StillLive || failure.Drop == nil {
			r.summary = "Session end unconfirmed"
			r.truth = sentences("PAM was told to drop the session, and no end was seen.", sighting(failure.Last), why, inState)
			r.advice = "Run again. If the session stays live, look at it in PAM: one whose node crashed stays live until a server job marks its end, minutes later. `timeouts.create` bounds the wait."
			break
		}
		r.summary = "Session end unverified"
		doubt := "a drop may have reached PAM, and the session cannot be looked at."
		if errors.Is(failure.Drop, session.ErrRefused) {
			doubt = "PAM refused the drop, as it also does for a session that has ended, and the session cannot be looked at."
		}
		r.truth = sentences("Whether the session has ended is not known: "+doubt, why, inState)
		r.advice = explain(errors.Join(failure.Look, failure.Drop)).advice
	case termination.NotFound:
		r.summary = "No such session"
		r.truth = sentences("PAM refused the drop and shows no session with this id to this authorization. It may never have existed, have been purged, or be hidden.", inState)
		r.advice = "Check that `session_id` is the unique hash and not the row number. An authorization sees only sessions of its Credentials and Devices. Set `ignore_not_found = true` if an unknown session counts as gone."
		if digits := recordIDAdvice(failure.SessionID); digits != "" {
			r.advice = digits
		}
	case termination.Mismatch:
		r.summary = "The record id belongs to another session"
		if recorded {
			inState = "The termination is saved as tainted, so the next apply makes its record anew."
		}
		r.truth = sentences(sighting(failure.Last), "The given `record_id` is not that of this session.", inState)
		r.advice = "Correct `record_id`, or leave it out: the provider finds it."
		at = path.Root("record_id")
	default: // NotAttempted
		c := explain(errors.Join(failure.Drop, failure.Look))
		r.summary = "Session not dropped: " + c.problem
		r.truth = sentences("No drop was carried out; the session is as it was.", inState)
		r.advice = c.advice
		return r.asError()
	}
	if errors.Is(failure.Drop, a2a.ErrServerFault) {
		r.advice = sentences(explain(failure.Drop).advice, "Check the session in senhasegura as well.")
	}
	return r.asError(at)
}

// notConfirmed words an accepted drop whose end cannot be seen.
func notConfirmed(sessionID string, why error) diag.Diagnostic {
	c := explain(why)
	if errors.Is(why, session.ErrNotFound) {
		c.advice = "Give the authorization access to the session's Credential and Device in A2A › Applications › Authorizations, so that its end can be seen."
	}
	return report{
		summary:   "Drop accepted, end not seen",
		attempted: fmt.Sprintf("The provider dropped session %q and was to confirm its end.", sessionID),
		truth:     "PAM accepted the drop. Whether the session has ended is not known, because it cannot be looked at: " + c.problem + ". The state records `outcome = \"accepted\"`.",
		advice:    c.advice + " Set `confirm = false` if acceptance is enough.",
		evidence:  evidence(why),
	}.about("session " + sessionID).asWarning(path.Root("session_id"))
}

// stillLive words a terminated session that a refresh shows live.
func stillLive(s session.Session) diag.Diagnostic {
	return report{
		summary:   "A terminated session is live",
		attempted: fmt.Sprintf("The provider looked at session %q, which it was to have ended.", s.ID),
		truth:     sentences(sighting(&s), "The resource is removed from the state."),
		advice:    "Apply the next plan: it drops the session again.",
	}.about("session " + s.ID).asWarning(path.Root("session_id"))
}

// strangerRecord words a record id that belongs to another session.
func strangerRecord(sessionID, recordID string) diag.Diagnostic {
	return report{
		summary:   "The record id belongs to another session",
		attempted: fmt.Sprintf("The provider looked at record %s to refresh the termination of session %q.", recordID, sessionID),
		truth:     "That record is of another session, so this one was not looked at. The record of its termination is kept as it was.",
		advice:    "Correct `record_id`, or leave it out when the session is terminated: the provider finds it.",
	}.about("session " + sessionID).asWarning(path.Root("record_id"))
}

// refreshFailed words a refresh that read nothing. A warning of it does not name
// the session in its summary: where the server is down, Terraform shows one for all.
func refreshFailed(record termination.Record, err error) report {
	return unread("Session not read: ",
		fmt.Sprintf("The provider looked at record %s to refresh the termination of session %q.", record.RecordID, record.SessionID),
		"The record of the termination is kept as it was. Whether the session has ended is not known.",
		err)
}

// lookFailed words a look at one session that did not work, where nothing was
// changed.
func lookFailed(attempted, truth string, err error, at ...path.Path) diag.Diagnostic {
	return unread("Session not read: ", attempted, truth, err).asError(at...)
}

// unknownSession words a look for a session id that senhasegura doesn't know.
func unknownSession(attempted, truth, sessionID string, err error) diag.Diagnostic {
	r := unread("Session not read: ", attempted, truth, err)
	if digits := recordIDAdvice(sessionID); digits != "" {
		r.advice = digits
	}
	return r.asError(path.Root("session_id"))
}

// recordIDAdvice is the advice for a session id that is not known and consists of
// digits, "" for any other.
func recordIDAdvice(sessionID string) string {
	if session.ValidateRecordID(sessionID) != nil {
		return ""
	}
	return fmt.Sprintf("%q looks like a record ID. Set `session_id` to the session ID, a 40-character hash; the number belongs in `record_id`.", sessionID)
}

// listFailed words a list that could not be read.
func listFailed(err error) diag.Diagnostic {
	return unread("Sessions not read: ", "The provider read the list of sessions.", "Who is connected is not known.", err).asError()
}

func unread(summary, attempted, truth string, err error) report {
	c := explain(err)
	return report{
		summary:   summary + c.problem,
		attempted: attempted,
		truth:     truth,
		advice:    c.advice,
		evidence:  evidence(err),
	}
}

// rejectedBefore stands in for the whole error where the credentials of the
// provider were rejected and another error of this run has said so.
func rejectedBefore(summary string) diag.Diagnostic {
	return report{
		summary:   summary,
		attempted: "The provider needed PAM, which had rejected its credentials before. They were not sent again.",
		truth:     "Nothing was done here; another error of this run shows what PAM answered.",
		advice:    "Correct the credentials as that error says.",
	}.asError()
}

// importFailed words an import whose session could not be read.
func importFailed(sessionID string, err error) diag.Diagnostic {
	attempted, truth := fmt.Sprintf("The provider looked for session %q to import its termination.", sessionID), "Nothing was imported, and nothing was dropped."
	if errors.Is(err, session.ErrNotFound) {
		return unknownSession(attempted, truth, sessionID, err)
	}
	return lookFailed(attempted, truth, err)
}

// importRefused words a session that cannot be imported because it is live.
func importRefused(s session.Session) diag.Diagnostic {
	return report{
		summary:   "A live session cannot be imported",
		attempted: fmt.Sprintf("The provider was to import the termination of session %q.", s.ID),
		truth:     sentences(sighting(&s), "Nothing was imported, and nothing was dropped."),
		advice:    "A termination is the record of an end. Remove the import and apply the resource instead: that drops the session.",
	}.asError(path.Root("session_id"))
}

// notConfigured words an operation that needs arguments that are not known yet.
func notConfigured(unknown []string) diag.Diagnostic {
	return report{
		summary:   "The provider's arguments are not known yet",
		attempted: "An operation needed PAM.",
		truth:     "PAM was not called, because " + dependsOn(unknown),
		advice:    "Apply what they depend on first (`-target`), or set them from variables or the environment.",
	}.asError()
}

// notRefreshed words a refresh that was skipped because arguments of the
// provider are not known yet.
func notRefreshed(sessionID string, unknown []string) diag.Diagnostic {
	return report{
		summary:   "Termination not refreshed",
		attempted: fmt.Sprintf("The provider was to look at session %q.", sessionID),
		truth:     "PAM was not called, because " + dependsOn(unknown) + " The record of the termination is kept as it was.",
		advice:    "Nothing, if the next plan refreshes it.",
	}.about("session " + sessionID).asWarning()
}

func dependsOn(unknown []string) string {
	if len(unknown) == 0 {
		return "the provider was not configured."
	}
	return "these arguments of the provider depend on values that are not known: " + strings.Join(unknown, ", ") + "."
}

// sessionNotRead words the failure to show one session. The argument is at fault
// only where PAM answered that it has no such session.
func sessionNotRead(at path.Path, id string, err error) diag.Diagnostic {
	attempted := fmt.Sprintf("The provider looked for the session with %#q %q.", at, id)
	switch {
	case errors.Is(err, session.ErrNotFound):
		truth := "PAM shows no such session to this authorization. It may never have existed, have been purged, or be hidden. That is no proof that it has ended."
		if at.Equal(path.Root("session_id")) {
			return unknownSession(attempted, truth, id, err)
		}
		return lookFailed(attempted, truth, err, at)
	case errors.Is(err, session.ErrIdentifier):
		return lookFailed(attempted, "Nothing was read.", err, at)
	}
	return lookFailed(attempted, "Nothing was read. Whether the session is live is not known.", err)
}

// nameSessions makes one line a session, each with what note adds.
func nameSessions(sessions []session.Session, note func(session.Session) string) string {
	lines := make([]string, 0, len(sessions))
	for _, s := range sessions {
		lines = append(lines, fmt.Sprintf("%s (%s)%s", identify(s), describe(s), note(s)))
	}
	return bullets(lines, len(lines))
}

// bullets makes a list of lines, of which it shows at most the given number.
func bullets(lines []string, most int) string {
	var b strings.Builder
	for i, line := range lines {
		if i == most {
			fmt.Fprintf(&b, "\n  - and %d more", len(lines)-most)
			break
		}
		b.WriteString("\n  - " + line)
	}
	return b.String()
}

// identify names a session by the identifiers that PAM shows.
func identify(s session.Session) string {
	switch {
	case s.ID != "":
		return fmt.Sprintf("session %q", s.ID)
	case s.RecordID != "":
		return fmt.Sprintf("record %q", s.RecordID)
	}
	return "a session without identifiers"
}

// undecidedText says why it can't be told whether a session matches.
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
		forms = append(forms, "PAM does not show enough to decide `"+strings.Join(missing, "`, `")+"`")
	}
	return strings.Join(forms, "; ")
}

// formsAdvice says how senhasegura writes the names that the configuration has in
// another form. It is empty where there are none.
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

// maxForms bounds the names that an advice spells out. Each session is listed with
// its own.
const maxForms = 10

// undecidedSessions words the sessions that may match; meant is the match in short.
func undecidedSessions(sessions []session.Session, unknown func(session.Session) []session.UnknownCriterion, meant string) diag.Diagnostic {
	var all []session.UnknownCriterion
	note := func(s session.Session) string {
		why := unknown(s)
		all = append(all, why...)
		return ": " + undecidedText(why)
	}
	names := nameSessions(sessions, note)
	return report{
		summary:   "Sessions that may be meant are left out",
		attempted: "The provider compared the sessions that PAM shows with `match` and `exclude`.",
		truth: fmt.Sprintf("The provider can't tell whether %s match. They are not in `sessions`, but in `unknown_sessions`:%s",
			countSessions(len(sessions)), names),
		advice: sentences(formsAdvice(all), "Check these sessions in senhasegura. To decide by something else, name them in `session_ids`, or leave out the arguments that can't be decided."),
	}.about(meant).asWarning()
}

// namelessSessions words rows without the identifier that a drop takes.
func namelessSessions(sessions []session.Session, meant string) diag.Diagnostic {
	return report{
		summary:   "Sessions without a session id",
		attempted: "The provider read the list of sessions.",
		truth: fmt.Sprintf("PAM shows %s without the unique hash. They are in `sessions`, but not in `session_ids`, and cannot be dropped through the API:%s",
			countSessions(len(sessions)), nameSessions(sessions, func(session.Session) string { return "" })),
		advice: "Look at these sessions in PAM, and end them there.",
	}.about(meant).asWarning()
}

func countSessions(n int) string {
	if n == 1 {
		return "1 session"
	}
	return fmt.Sprintf("%d sessions", n)
}

// outcomeLine says what became of one session in a drain.
func outcomeLine(d termination.Drained) string {
	line := fmt.Sprintf("%s (%s): %s", identify(*d.Session), describe(*d.Session), d.Outcome)
	switch {
	case d.Outcome == termination.Excluded && len(d.Undecided) > 0:
		line += ", and it may not match, because " + undecidedText(d.Undecided)
	case len(d.Undecided) > 0:
		line += ", because " + undecidedText(d.Undecided) + "; it was not dropped"
	case d.Session.ID == "":
		line += ", because PAM does not show its session id"
	case d.Err != nil:
		line += ", " + strings.Join(append([]string{explain(d.Err).problem}, evidence(d.Err)...), "; ")
	}
	return line
}

func outcomeLines(drained []termination.Drained) []string {
	lines := make([]string, 0, len(drained))
	for _, d := range drained {
		lines = append(lines, outcomeLine(d))
	}
	return lines
}

// tally counts the outcomes of a drain.
func tally(drained termination.Report) string {
	if len(drained.Sessions) == 0 {
		return "No live session matched."
	}
	counts := map[termination.Outcome]int{}
	var order []termination.Outcome
	for _, d := range drained.Sessions {
		if counts[d.Outcome] == 0 {
			order = append(order, d.Outcome)
		}
		counts[d.Outcome]++
	}
	parts := make([]string, 0, len(order))
	for _, outcome := range order {
		parts = append(parts, fmt.Sprintf("%d %s", counts[outcome], outcome))
	}
	return capitalize(countSessions(len(drained.Sessions))) + ": " + strings.Join(parts, ", ") + "."
}

// maxDropped bounds the sessions that a message names as dropped. All of them
// have ended, and PAM keeps their records.
const maxDropped = 200

// drainedPeople words whom the drain of that name dropped, and which excluded
// sessions it left open; passes says why it succeeded in spite of them.
func drainedPeople(drained termination.Report, planned bool, passes, name string) diag.Diagnostic {
	dropped, excluded := drained.Dropped(), drained.Excluded()
	var counts, truth, advice []string
	if len(dropped) > 0 {
		counts = append(counts, countSessions(len(dropped))+" dropped")
		truth = append(truth, tally(drained)+" These were dropped, and seen ended:"+bullets(outcomeLines(dropped), maxDropped))
		if planned {
			truth = append(truth, sincePlan(drained))
		}
		advice = append(advice, "Nothing. A drop does not revoke access: who still has it can connect again.")
	}
	if len(excluded) > 0 {
		counts = append(counts, countExcluded(len(excluded)))
		truth = append(truth, named(excluded, "left open, because `exclude` matches", len(excluded)), passes)
		advice = append(advice, "To block the destroy while an excluded session is live, leave `on_excluded` and `on_failure` at `halt`.")
	}
	return report{
		summary:   strings.Join(counts, ", "),
		attempted: "The provider drained the matching sessions.",
		truth:     paragraphs(truth...),
		advice:    sentences(advice...),
	}.about(name).asWarning()
}

func countExcluded(n int) string {
	if n == 1 {
		return "1 excluded session"
	}
	return fmt.Sprintf("%d excluded sessions", n)
}

// excludedText lists the excluded sessions, those that a drain fails for apart. It is
// empty where there are none.
func excludedText(drained termination.Report) string {
	blocking := drained.Blocking()
	others := slices.DeleteFunc(drained.Excluded(), func(d termination.Drained) bool { return d.Blocks })
	return paragraphs(
		named(blocking, "excluded and still live", len(blocking)),
		named(others, "excluded, which alone does not fail the drain", len(others)))
}

// excludedAdvice says how to get past excluded sessions that are live.
func excludedAdvice(moment string) string {
	const wait = "Wait until the excluded sessions have ended, and run again; `grace_period` waits for them. "
	if moment == onDestroy {
		return wait + "To destroy while they are live, set `on_excluded` to `continue`, apply that change on its own (`-target`), and then destroy."
	}
	return wait + "To go on while they are live, set `on_excluded` to `continue`."
}

// drainFailed words a drain that did not reach its end. Every session that was
// not seen ended is named, however many there are.
func drainFailed(drained termination.Report, err error, moment, consequence string) report {
	var failure *termination.DrainError
	if !errors.As(err, &failure) {
		failure = &termination.DrainError{Kind: termination.NotAttempted, Cause: err}
	}
	survivors, dropped := drained.Survivors(), drained.Dropped()
	droppedText := paragraphs(named(dropped, "dropped and seen ended", maxDropped), requestedText(drained))
	if droppedText == "" {
		droppedText = "Nobody was dropped."
	}
	survivorText := named(survivors, "not seen ended", len(survivors))
	blocking := drained.Blocking()
	why := ""
	if failure.Cause != nil {
		why = capitalize(explain(failure.Cause).problem) + "."
	}
	m := report{
		attempted: sentences("The provider was to end every matching session.", stopped(failure.Context, timeoutOf[moment])),
		evidence:  evidence(failure.Cause),
	}
	switch {
	case failure.Kind == termination.NotCovered:
		return notCovered(drained, failure.Coverage, moment, consequence)
	case failure.Kind == termination.TooMany:
		m.summary = fmt.Sprintf("Too many sessions match: %d, and `max_sessions` is %d", failure.Count, failure.Limit)
		m.truth = paragraphs(named(drained.Matched(), "connected", maxDropped), survivorText, excludedText(drained), droppedText, consequence)
		m.advice = "Check `match`. Raise `max_sessions` if all of them are meant, or narrow `match`, or protect some with `exclude`."
		if moment == onDestroy {
			m.advice += " A destroy uses what was applied last, so apply that change on its own (`-target`), and then destroy."
		}
	case failure.Kind == termination.NotAttempted:
		m.summary = "Sessions not drained: " + explain(err).problem
		m.truth = sentences("Who is connected is not known. Nobody was dropped.", consequence)
		m.advice = explain(err).advice
	case failure.Kind == termination.NotApproved:
		unapproved := drained.Unapproved()
		others := slices.DeleteFunc(survivors, func(d termination.Drained) bool { return d.Unapproved })
		m.summary = capitalize(countSessions(len(unapproved))) + " not in the approved plan"
		m.truth = paragraphs(named(unapproved, "matching and live, which the plan did not show", len(unapproved)),
			named(others, "shown by the plan and not terminated", len(others)), excludedText(drained), why, droppedText, unseen(failure), consequence)
	case len(blocking) > 0 && (failure.Kind == termination.Excluded || len(survivors) == 0):
		m.summary = countExcluded(len(blocking)) + " still live"
		m.truth = paragraphs(excludedText(drained), survivorText, why, droppedText, unseen(failure), consequence)
		m.advice = excludedAdvice(moment)
	case len(survivors) == 0:
		m.summary = "Drain unverified"
		m.truth = paragraphs(sentences("Every session that was found has ended, but whether others came since is not known.", why), excludedText(drained), droppedText, consequence)
		m.advice = sentences(explain(err).advice, "A second run drops only what is left.")
	default:
		m.summary = capitalize(countSessions(len(survivors))) + " not ended"
		m.truth = paragraphs(survivorText, excludedText(drained), why, droppedText, unseen(failure), consequence)
		m.advice = sentences(survivorAdvice(survivors, failure, moment), again(survivors))
	}
	return m
}

// requestedText counts the sessions whose end was requested and not confirmed. It
// is empty where there are none.
func requestedText(drained termination.Report) string {
	accepted, lost := 0, 0
	for _, d := range drained.Requested() {
		if d.Accepted {
			accepted++
		} else {
			lost++
		}
	}
	var texts []string
	if accepted > 0 {
		texts = append(texts, fmt.Sprintf("senhasegura accepted requests to terminate %s, without a confirmed end.", countSessions(accepted)))
	}
	if lost > 0 {
		texts = append(texts, fmt.Sprintf("senhasegura may have received requests to terminate %s: no answer came back.", countSessions(lost)))
	}
	return paragraphs(texts...)
}

// vanished: a complete list does not show the session, and neither does its
// record.
func vanished(d termination.Drained) bool {
	return d.Outcome == termination.Unknown && errors.Is(d.Err, session.ErrNotFound)
}

// again says what a second run does, unless it could do nothing.
func again(survivors []termination.Drained) string {
	if !slices.ContainsFunc(survivors, func(d termination.Drained) bool { return !vanished(d) }) {
		return ""
	}
	return "A second run drops only what is left."
}

// vanishedAdvice: a run that only looks away must not pass, so the drain remembers
// the sessions, and the user's word settles them.
func vanishedAdvice(moment string) string {
	const check = "Check the sessions that senhasegura no longer lists in PAM Core › Audit › Sessions › Remote sessions. " +
		"If they are outside the authorization's scope, give it access to their Credentials and Devices."
	switch moment {
	case onDestroy:
		return check + " The drain needs their end, however often it runs. To continue without it, add their session IDs to `exclude.session_ids`, apply that change on its own (`-target`), and then destroy."
	case onCreate:
		return check + " If `drain_on` includes `destroy`, the destroy needs their end too. To continue without it, run `terraform untaint` on the drain, add their session IDs to `exclude.session_ids`, and apply."
	default:
		return check
	}
}

// named lists sessions under their count, at most the given number of them. It is
// empty where there are none.
func named(drained []termination.Drained, are string, most int) string {
	if len(drained) == 0 {
		return ""
	}
	return countSessions(len(drained)) + " " + are + ":" + bullets(outcomeLines(drained), most)
}

// drainFault is the argument whose value made a drain fail, if there is one.
func drainFault(err error) []path.Path {
	var failure *termination.DrainError
	switch {
	case !errors.As(err, &failure):
		return nil
	case failure.Kind == termination.TooMany:
		return []path.Path{path.Root("max_sessions")}
	case failure.Kind == termination.NotCovered:
		return unseenFault(failure.Coverage)
	}
	return nil
}

// unseen: a drain that was stopped did not come to its closing list.
func unseen(failure *termination.DrainError) string {
	if failure.Cause == nil && failure.Context == nil {
		return ""
	}
	return "Whether others came since the last list is not known."
}

// survivorAdvice gives the advice for each different reason to survive once.
func survivorAdvice(survivors []termination.Drained, failure *termination.DrainError, moment string) string {
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
	for _, d := range survivors {
		switch {
		case formsAdvice(d.Undecided) != "":
			forms = append(forms, d.Undecided...)
		case len(d.Undecided) > 0:
			add("Name sessions that cannot be decided in `session_ids`, of `match` or of `exclude`.")
		case d.Session.ID == "":
			add("End sessions without a session id in PAM.")
		case errors.Is(d.Err, a2a.ErrServerFault) && failure.Cause == nil:
			add(explain(d.Err).advice)
		case vanished(d):
			add(vanishedAdvice(moment))
		case d.Outcome == termination.Refused, d.Outcome == termination.StillLive, d.Outcome == termination.Unknown && d.Err == nil:
			add(explain(session.ErrRefused).advice)
		case d.Err != nil && failure.Cause == nil:
			add(explain(d.Err).advice)
		}
	}
	if len(forms) > 0 {
		add(formsAdvice(forms))
		if moment == onDestroy {
			add("A destroy uses what was applied last, and a change of `match` drains by the old `match` first. " +
				"To leave such a session open, add its ID to `exclude.session_ids`, apply that change on its own (`-target`), and then destroy. " +
				"To terminate it, use the action `senhasegura_session_terminate`.")
		}
	}
	return strings.Join(advice, " ")
}

// drainPreviewed words whom a plan would drop. It is silent where nobody is
// there. goesOn says that Terraform goes on in spite of the sessions that the drain
// can't decide about.
// needed says that the drain is held to its preview, which then has to name every
// session.
func drainPreviewed(drained termination.Report, readAt time.Time, err error, moment, name string, goesOn, needed bool) diag.Diagnostics {
	if guarded(err) {
		return diag.Diagnostics{drainFailed(drained, err, moment, "This is a plan.").asError(drainFault(err)...)}
	}
	if err != nil {
		failed := report{
			summary:   "Sessions to drop not previewed",
			attempted: "The provider was to show whom this plan would drop.",
			truth:     "Who is connected is not known: " + explain(err).problem + ". This is a plan: nothing was dropped.",
			advice:    explain(err).advice + " Set `preview = false` for plans that make no call.",
			evidence:  evidence(err),
		}
		if needed {
			failed.truth += " The plan fails, because `only_previewed` is `true`."
			failed.advice = explain(err).advice
			return diag.Diagnostics{failed.about(name).asError()}
		}
		return diag.Diagnostics{failed.asWarning()}
	}
	most := maxDropped
	if needed {
		most = len(drained.Sessions)
	}
	planned, undecided, excluded := drained.Matched(), drained.Survivors(), drained.Excluded()
	if len(planned) == 0 && len(undecided) == 0 && len(excluded) == 0 {
		return nil
	}
	summary := countSessions(len(planned)) + " to drop"
	if len(undecided) > 0 {
		summary += fmt.Sprintf(", %d that cannot be dropped", len(undecided))
	}
	if len(excluded) > 0 {
		summary += ", " + countExcluded(len(excluded))
	}
	leftOpen := "that the drain will not drop, and so will fail on"
	if goesOn {
		leftOpen = "that the drain will not drop. Terraform goes on, because `on_failure` is `continue`"
	}
	blocking := drained.Blocking()
	left := slices.DeleteFunc(excluded, func(d termination.Drained) bool { return d.Blocks })
	blocked := map[string]string{onCreate: "apply", onDestroy: "destroy"}[moment]
	when := map[string]string{onCreate: "created", onDestroy: "destroyed"}[moment]
	return diag.Diagnostics{report{
		summary:   summary,
		attempted: "The provider looked whom this plan would drop when the drain is " + when + ".",
		truth: paragraphs("The plan itself dropped nobody.",
			named(planned, "matching at "+readAt.UTC().Format(time.RFC3339), most),
			named(undecided, leftOpen, len(undecided)),
			named(blocking, "excluded, which will not be terminated. The "+blocked+" fails while one is live, because `on_excluded` is `halt`", len(blocking)),
			named(left, "excluded, which will not be terminated and will not fail the "+blocked, len(left))),
		advice: sentences("Apply the plan to drop whoever matches then. Set `grace_period` to let them finish, or protect some with `exclude`.",
			survivorAdvice(undecided, &termination.DrainError{}, moment)),
	}.about(name).asWarning()}
}

// capitalize begins a sentence. The name of the product stays as it is written.
func capitalize(text string) string {
	if text == "" || strings.HasPrefix(text, "senhasegura") {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
