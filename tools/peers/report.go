package main

import (
	"cmp"
	"debug/buildinfo"
	"fmt"
	"io"
	"slices"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// writeTimes writes the table of times while the API works. A ratio is that of two
// applies of the same round.
func writeTimes(out io.Writer, ways []way, results map[string][]result) {
	fmt.Fprintln(out, "| | program | time | relative to this provider | processor time relative to this provider |")
	fmt.Fprintln(out, "|---|---|---|---|---|")
	for _, w := range ways {
		beside := results[ours.name]
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s |\n", w.name, versionOf(w),
			figures("%.1f", " s", results[w.name], func(_ int, r result) float64 { return r.took.Seconds() }),
			figures("%.2f", " ×", results[w.name], func(i int, r result) float64 { return r.took.Seconds() / beside[i].took.Seconds() }),
			figures("%.2f", " ×", results[w.name], func(i int, r result) float64 { return r.processor.Seconds() / beside[i].processor.Seconds() }))
	}
	fmt.Fprintln(out)
}

// writeRequests writes the table of the requests of the same applies, and of the
// secrets in their states.
func writeRequests(out io.Writer, ways []way, results map[string][]result) {
	fmt.Fprintln(out, "| | token requests | lists | single reads | termination requests | bearer tokens in the state | client secrets in the state |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|")
	for _, w := range ways {
		fmt.Fprintf(out, "| %s |", w.name)
		for _, count := range []func(result) int{
			func(r result) int { return r.requests[simulator.OpToken] },
			func(r result) int { return r.requests[simulator.OpList] },
			func(r result) int { return r.requests[simulator.OpGet] },
			func(r result) int { return r.requests[simulator.OpDrop] },
			func(r result) int { return r.bearers },
			func(r result) int { return r.secrets },
		} {
			fmt.Fprintf(out, " %s |", figures("%.0f", "", results[w.name], func(_ int, r result) float64 { return float64(count(r)) }))
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out)
}

// versionOf is that in the file name, or the one that Go put into the program.
func versionOf(w way) string {
	if w.program == "" {
		return "–"
	}
	_, version := nameAndVersion(w.program)
	if info, err := buildinfo.ReadFile(w.program); err == nil {
		version = cmp.Or(version, info.Main.Version)
	}
	return cmp.Or(version, "unknown")
}

// figures are the median and, where it is more than a point, the range of what of
// gives for each measurement and its index.
func figures[T any](format, unit string, measurements []T, of func(int, T) float64) string {
	values := make([]float64, 0, len(measurements))
	for i, m := range measurements {
		values = append(values, of(i, m))
	}
	slices.Sort(values)
	text := func(value float64) string { return fmt.Sprintf(format, value) }
	least, middle, most := text(values[0]), text(values[len(values)/2]), text(values[len(values)-1])
	if least == most {
		return middle + unit
	}
	return fmt.Sprintf("%s%s (%s to %s)", middle, unit, least, most)
}

// writeReports writes a table of what each reports and what is true.
func writeReports(out io.Writer, ways []way, results map[string][]result) {
	fmt.Fprint(out, "| |")
	for _, c := range circumstances {
		fmt.Fprintf(out, " the API %s |", c.name)
	}
	fmt.Fprint(out, "\n|---|")
	for range circumstances {
		fmt.Fprint(out, "---|")
	}
	fmt.Fprintln(out)
	for _, w := range ways {
		fmt.Fprintf(out, "| %s |", w.name)
		for _, r := range results[w.name] {
			fmt.Fprintf(out, " %s |", r)
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out)
}

// String says how the apply ended, what it reports, and what of that is not true.
func (r result) String() string {
	text := "success"
	switch {
	case r.stopped:
		text = fmt.Sprintf("no end after %.0f s, interrupted", r.took.Seconds())
	case r.code != 0:
		text = fmt.Sprintf("error (%s)", r.problem)
	}
	text += fmt.Sprintf("; reports %d as terminated", r.reported)
	if r.falseReports > 0 {
		text += fmt.Sprintf(", **of which %d are live**", r.falseReports)
	}
	if r.missedEnds > 0 {
		text += fmt.Sprintf("; %d others have ended", r.missedEnds)
	}
	if drops := r.requests[simulator.OpDrop]; drops > 0 {
		text += fmt.Sprintf("; %d termination requests", drops)
	}
	return text + fmt.Sprintf("; %.0f s", r.took.Seconds())
}

// noopHeading is above the rows of writeNoop.
const noopHeading = "| resources | settings of the no-op's process | terminations | no-op resources | ratio of the times | ratio of the processor times | state of a termination | of a no-op |\n|---|---|---|---|---|---|---|---|"

// writeNoop writes the row of pairs with so many resources each.
func writeNoop(out io.Writer, noop way, sessions int, pairs []pair) {
	last := pairs[len(pairs)-1]
	fmt.Fprintf(out, "| %d | %s | %s | %s | %s | %s | %d B | %d B |\n", sessions, noop.name,
		figures("%.1f", " s", pairs, func(_ int, p pair) float64 { return p.ours.took.Seconds() }),
		figures("%.1f", " s", pairs, func(_ int, p pair) float64 { return p.noop.took.Seconds() }),
		figures("%.2f", " ×", pairs, func(_ int, p pair) float64 { return p.ours.took.Seconds() / p.noop.took.Seconds() }),
		figures("%.2f", " ×", pairs, func(_ int, p pair) float64 { return p.ours.processor.Seconds() / p.noop.processor.Seconds() }),
		last.ours.stateBytes/sessions, last.noop.stateBytes/sessions)
}
