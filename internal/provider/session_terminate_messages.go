package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

const (
	// maxNamed bounds the matching sessions that a dry run names.
	maxNamed = 20
	// manySessions is from how many sessions on progress is thinned.
	manySessions = 50
)

// progressReporter words the events of a drain, for the progress of an action and for the
// log. It is used by one goroutine.
type progressReporter struct {
	send    func(string)
	matched int
	ended   int
}

// logProgress gives what tells progress in Terraform's log, for operations that have no
// other output while they run. name tells them from others.
func logProgress(ctx context.Context, name string) func(string) {
	return func(text string) { tflog.Info(ctx, text, map[string]any{"operation": name}) }
}

func (p *progressReporter) report(e termination.Event) {
	switch e.Stage {
	case termination.Listed:
		p.matched = e.Count
		p.send(countSessions(e.Count) + " matched.")
	case termination.InGrace:
		p.send(fmt.Sprintf("Waiting up to %s for %s to end on their own.", roundedWait(e.Wait), countSessions(e.Count)))
	case termination.Terminating:
		p.send("Terminating " + countSessions(e.Count) + ".")
	case termination.Repeating:
		p.send(fmt.Sprintf("Repeating the request for %s: %s.", countSessions(e.Count), whyAgain(e.Reason)))
	case termination.NewSessions:
		p.matched += e.Count
		p.send(counted(e.Count, "new matching session") + ".")
	case termination.InQuiet:
		p.send(fmt.Sprintf("Waiting %s for new sessions.", roundedWait(e.Wait)))
	case termination.Settled:
		p.reportSettled(*e.Session)
	}
}

// reportSettled tells the result for one session. Where there are many, ends are told ten
// times on the way, and whatever is not an end is always told.
func (p *progressReporter) reportSettled(d termination.SessionResult) {
	if d.Outcome.Ended() {
		p.ended++
		if p.matched > manySessions {
			if p.ended%(p.matched/10) == 0 {
				p.send(fmt.Sprintf("%d of %s ended.", p.ended, countSessions(p.matched)))
			}
			return
		}
	}
	p.send(outcomeLine(d))
}

// reportDryRun tells which sessions match, and which can't be terminated although they may
// have to be.
func (p *progressReporter) reportDryRun(report termination.Report, err error) {
	matching := report.Matched()
	for i, d := range matching {
		if i == maxNamed {
			p.send(fmt.Sprintf("And %d more.", len(matching)-maxNamed))
			break
		}
		p.send(outcomeLine(d))
	}
	for _, d := range slices.Concat(report.NotEnded(), report.Excluded()) {
		p.send(outcomeLine(d))
	}
	if err == nil {
		left := ""
		if n := len(report.Excluded()); n > 0 {
			left = ", " + counted(n, "excluded session") + " left open"
		}
		p.send(fmt.Sprintf("Dry run: %s would be terminated%s. %s", countSessions(len(matching)), left, noneTerminated))
	}
}

// whyAgain says why a request is repeated.
func whyAgain(reason error) string {
	if reason == nil {
		return "still live"
	}
	return explain(reason).problem
}

// outcomeLine says in one line what became of a session. What the API answered is in the
// message about the failure.
func outcomeLine(d termination.SessionResult) string {
	if d.Outcome == termination.Refused {
		return string(d.Outcome) + ": " + describe(*d.Session)
	}
	return string(d.Outcome) + ": " + entry(d)
}

// tally counts the outcomes of a drain.
func tally(report termination.Report) string {
	if len(report.Sessions) == 0 {
		return "No matching sessions."
	}
	counts := map[termination.Outcome]int{}
	var order []termination.Outcome
	for _, d := range report.Sessions {
		if counts[d.Outcome] == 0 {
			order = append(order, d.Outcome)
		}
		counts[d.Outcome]++
	}
	parts := make([]string, 0, len(order))
	for _, outcome := range order {
		parts = append(parts, fmt.Sprintf("%d %s", counts[outcome], outcome))
	}
	return countSessions(len(report.Sessions)) + ": " + strings.Join(parts, ", ") + "."
}

// roundedWait leaves out what no person wants to read.
func roundedWait(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return shortDuration(d)
}
