package provider

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// wrongClock warns of what contradicts zone, the `time_zone` of the provider, or the
// clock of this machine. zone is "" where it is not set.
func wrongClock(f termination.ClockFinding, zone string) diag.Diagnostic {
	if f.Deviation == 0 {
		return wrongRunner(f.Runner).asWarning()
	}
	m := message{
		summary: "`time_zone` may be wrong: senhasegura's clock runs at " + offsetSeen(f),
		state: fmt.Sprintf("`time_zone` is `%s`. In that zone, %s. Session times are shown %s, and `older_than` is evaluated with the same error.",
			zone, clockEvidence(f), timesOff(f)),
		advice: zoneAdvice(f, zone),
	}
	if zone == "" {
		m.summary = "`time_zone` is not set, and senhasegura's clock runs at " + offsetSeen(f)
		m.state = fmt.Sprintf("Without `time_zone`, times are shown as if senhasegura's clock ran in UTC. In that zone, %s. Session times are shown %s.", clockEvidence(f), timesOff(f))
	}
	if f.Runner != 0 {
		m.state += fmt.Sprintf(" By the `Date` headers of senhasegura's responses, the clock of this machine is %s. The offset takes this into account.", runnerOff(f.Runner))
		m.advice += " Correct the clock of this machine, too."
	}
	return m.asWarning()
}

func wrongRunner(behind time.Duration) message {
	return message{
		summary: "The clock of this machine is " + runnerOff(behind),
		state: fmt.Sprintf("The `Date` headers of senhasegura's responses, which are in UTC, show this. `older_than`, `terminated_at`, and `read_at` use the clock of this machine, so they are wrong by %s.",
			inWords(behind)),
		advice: "Correct the clock of this machine. If it is correct, correct the clock of the senhasegura server.",
	}
}

func runnerOff(behind time.Duration) string {
	if behind < 0 {
		return inWords(behind) + " ahead of senhasegura's"
	}
	return inWords(behind) + " behind senhasegura's"
}

// offsetSeen is the offset, or the least one, by which senhasegura's clock runs.
func offsetSeen(f termination.ClockFinding) string {
	switch {
	case !f.AtLeast:
		return f.OffsetName()
	case f.Deviation < 0:
		return f.OffsetName() + " or less"
	default:
		return f.OffsetName() + " or more"
	}
}

// clockEvidence says what contradicts the zone.
func clockEvidence(f termination.ClockFinding) string {
	if f.AtLeast && f.Deviation > 0 {
		return fmt.Sprintf("a time that senhasegura reports is %s or more in the future", inWords(f.Deviation))
	}
	return "the end time of a session that this run terminated is " + timesOff(f)
}

func timesOff(f termination.ClockFinding) string {
	text := inWords(f.Deviation)
	if f.AtLeast {
		text = "at least " + text
	}
	if f.Deviation < 0 {
		return text + " too early"
	}
	return text + " too late"
}

func zoneAdvice(f termination.ClockFinding, zone string) string {
	const set = "Set `time_zone` in the provider configuration, or the environment variable `SENHASEGURA_TIME_ZONE`, to the time zone of the senhasegura server."
	switch {
	case f.AtLeast:
		return set + " To find the exact offset, connect to a device, and compare `newest_start` with `read_at` of the data source `senhasegura_visibility`."
	case f.Example == "":
		return "Correct the clock of the senhasegura server: no time zone has this offset."
	}
	advice := set + " Several time zones can have this offset, for example `" + f.Example + "`."
	if zone != "" {
		advice += " If `time_zone` is correct, correct the clock of the senhasegura server."
	}
	return advice
}

// inWords gives the length of d to the minute, or to the day where it is long.
func inWords(d time.Duration) string {
	const day = 24 * time.Hour
	d = d.Abs().Round(time.Minute)
	if d >= 2*day {
		return fmt.Sprintf("%d days", d/day)
	}
	var parts []string
	for _, part := range []struct {
		n    time.Duration
		unit string
	}{{d / time.Hour, "hour"}, {d % time.Hour / time.Minute, "minute"}} {
		switch part.n {
		case 0:
		case 1:
			parts = append(parts, "1 "+part.unit)
		default:
			parts = append(parts, fmt.Sprintf("%d %ss", part.n, part.unit))
		}
	}
	return strings.Join(parts, " ")
}
