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
)

// message is one error or warning. Its parts are shown in this order; empty ones are
// left out.
type message struct {
	// summary says what is true, of how many sessions, and of which object: on destroy
	// Terraform prints no address. Terraform merges warnings with the same summary.
	summary string
	// state adds what Terraform did not do, and what is in the state.
	state string
	// lists are the sessions that the message is about, by outcome.
	lists []list
	// advice is what the user can do.
	advice string
	// responses are the API responses.
	responses []string
}

// list is a titled list of sessions or other things.
type list struct {
	title   string
	entries []string
	// most is how many entries are shown, 0 for all.
	most int
}

func (m message) detail() string {
	var lists []string
	for _, l := range m.lists {
		if len(l.entries) > 0 {
			lists = append(lists, l.String())
		}
	}
	return joined("\n\n", []string{m.state, strings.Join(lists, "\n"), m.advice, responseText(m.responses)})
}

// asError makes an error of m, on the attribute at fault if there is one.
func (m message) asError(at ...path.Path) diag.Diagnostic {
	if len(at) > 0 {
		return diag.NewAttributeErrorDiagnostic(at[0], m.summary, m.detail())
	}
	return diag.NewErrorDiagnostic(m.summary, m.detail())
}

// asWarning makes a warning of m, on the attribute it concerns if there is one.
func (m message) asWarning(at ...path.Path) diag.Diagnostic {
	if len(at) > 0 {
		return diag.NewAttributeWarningDiagnostic(at[0], m.summary, m.detail())
	}
	return diag.NewWarningDiagnostic(m.summary, m.detail())
}

func (l list) String() string {
	var b strings.Builder
	b.WriteString(l.title + ":")
	for i, entry := range l.entries {
		if l.most > 0 && i == l.most {
			fmt.Fprintf(&b, "\n  - and %d more", len(l.entries)-l.most)
			break
		}
		b.WriteString("\n" + wrapped(entry))
	}
	return b.String()
}

// lineLength is the length of the lines of a list, if their words allow it. Terraform
// does not wrap lines that begin with a space.
const lineLength = 80

// together keeps words on one line that are only useful together.
var together = strings.NewReplacer(" session ", " session\x00", " since ", " since\x00")

// wrapped makes an entry of a list.
func wrapped(entry string) string {
	var b strings.Builder
	b.WriteString("  -")
	length := b.Len()
	for i, word := range strings.Fields(together.Replace(entry)) {
		if i > 1 && length+1+len(word) > lineLength {
			b.WriteString("\n   ")
			length = 3
		}
		b.WriteString(" " + word)
		length += 1 + len(word)
	}
	return strings.ReplaceAll(b.String(), "\x00", " ")
}

// responseText shows each response once.
func responseText(responses []string) string {
	var different []string
	for _, response := range responses {
		if !slices.Contains(different, response) {
			different = append(different, response)
		}
	}
	switch len(different) {
	case 0:
		return ""
	case 1:
		return "API response: " + different[0]
	}
	return list{title: "API responses", entries: different}.String()
}

// quoted is how messages name an argument.
func quoted(at path.Path) string { return "`" + at.String() + "`" }

func sentences(parts ...string) string { return joined(" ", parts) }

// joined leaves out empty parts.
func joined(separator string, parts []string) string {
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), separator)
}

// describe describes a session by what a user recognizes, with the identifiers that
// senhasegura shows.
func describe(s session.Session) string {
	var circumstances []string
	if s.Protocol != "" {
		circumstances = append(circumstances, s.Protocol)
	}
	if s.OriginIP != "" {
		circumstances = append(circumstances, "from "+s.OriginIP)
	}
	var parts []string
	add := func(before, value, after string) {
		if value != "" {
			parts = append(parts, before+value+after)
		}
	}
	add("", s.User, "")
	add("on ", s.Device, "")
	add("as ", s.Credential, "")
	add("(", strings.Join(circumstances, ", "), ")")
	if !s.StartedAt.IsZero() {
		add("since ", s.StartedAt.Format(time.RFC3339), "")
	}
	return joined(", ", []string{strings.Join(parts, " "), identify(s)})
}

// identify gives the identifiers of a session that senhasegura shows.
func identify(s session.Session) string {
	switch {
	case s.ID != "":
		return "session " + s.ID
	case s.RecordID != "":
		return "record " + s.RecordID + ", no session ID"
	}
	return "no session ID"
}

func countSessions(n int) string { return counted(n, "session") }

// counted is a number of things, as in "1 session" and "2 sessions".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// capitalize begins a sentence. The name of the product keeps its lower case.
func capitalize(text string) string {
	if text == "" || strings.HasPrefix(text, "senhasegura") {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
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

// responses gives the API responses, or other failures on the way, for each of errs.
func responses(errs ...error) []string {
	var lines []string
	for _, err := range errs {
		if err == nil {
			continue
		}
		var answer *a2a.Error
		interrupted := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
		switch {
		case errors.As(err, &answer) && (answer.Status != 0 || !interrupted):
			lines = append(lines, answers(answer)...)
		case errors.Is(err, session.ErrNotFound):
			lines = append(lines, "the session isn't in the list of sessions")
		case interrupted: // nothing responded
		default:
			lines = append(lines, err.Error())
		}
	}
	return lines
}

// answers gives the responses of one failed call, with one line for each route that was
// tried.
func answers(e *a2a.Error) []string {
	tried := e.Tried
	if len(tried) == 0 {
		tried = []a2a.RouteAnswer{{Path: e.Path, Status: e.Status, Code: e.Code, Message: e.Message}}
	}
	lines := make([]string, 0, len(tried))
	for _, t := range tried {
		lines = append(lines, answerLine(e.Method, e.Host, t))
	}
	last := &lines[len(lines)-1]
	if e.Attempts > 0 {
		*last += ", " + counted(e.Attempts, "attempt")
	}
	if e.RetryAfter > 0 {
		*last += ", asked to wait " + shortDuration(e.RetryAfter)
	}
	return lines
}

func answerLine(method, host string, tried a2a.RouteAnswer) string {
	var b strings.Builder
	if method != "" {
		b.WriteString(method + " " + host + tried.Path + ": ")
	}
	if tried.Status != 0 {
		fmt.Fprintf(&b, "HTTP %d", tried.Status)
	} else {
		b.WriteString("no response")
	}
	if tried.Code != 0 {
		fmt.Fprintf(&b, ", code %d", tried.Code)
	}
	if tried.Message != "" {
		b.WriteString(", " + tried.Message)
	}
	return b.String()
}

// shortDuration is d without the units that are zero at its end.
func shortDuration(d time.Duration) string {
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
