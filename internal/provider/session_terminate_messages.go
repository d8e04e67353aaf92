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
	// maxNamed is how many matching sessions a dry run names.
	maxNamed = 20
	// manySessions is the number of sessions from which progress is summarized.
	manySessions = 50
)

// progressReporter writes the events of a drain, as the progress of an action or to the
// log. It is not safe for concurrent use.
type progressReporter struct {
	send    func(string)
	matched int
	ended   int
}

// logProgress gives a function that writes progress to Terraform's log, for operations
// that have no other output while they run. name identifies the operation.
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

// reportSettled reports the result for one session. If there are many sessions, it
// reports ends in ten steps; every other outcome is always reported.
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

// reportDryRun reports which sessions match, and which can't be terminated although
// they may match.
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

// outcomeLine gives the result for a session in one line. API responses are in the
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

// roundedWait leaves out digits of no use to a reader.
func roundedWait(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return shortDuration(d)
}
