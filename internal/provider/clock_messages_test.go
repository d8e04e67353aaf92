package provider

import (
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// What the golden messages leave out.
func TestWrongClock(t *testing.T) {
	t.Parallel()
	const quarters = -2*time.Hour - 45*time.Minute
	got := wrongClock(termination.ClockFinding{Deviation: quarters, AtLeast: true, Offset: quarters}, "UTC")
	want := message{
		summary: "`time_zone` may be wrong: senhasegura's clock runs at UTC-02:45 or less",
		state:   "`time_zone` is `UTC`. In that zone, the end time of a session that this run terminated is at least 2 hours 45 minutes too early. Session times are shown at least 2 hours 45 minutes too early, and `older_than` is evaluated with the same error.",
		advice:  zoneAdvice(termination.ClockFinding{AtLeast: true}, ""),
	}.asWarning()
	if !got.Equal(want) {
		t.Errorf("%s\n%s\nwant\n%s\n%s", got.Summary(), got.Detail(), want.Summary(), want.Detail())
	}
}

func TestInWords(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{
		"15 minutes":         15*time.Minute - time.Second,
		"1 hour":             -time.Hour,
		"1 hour 1 minute":    time.Hour + time.Minute,
		"3 hours":            3*time.Hour - time.Second,
		"5 hours 45 minutes": -5*time.Hour - 45*time.Minute,
		"47 hours":           47 * time.Hour,
		"2 days":             48 * time.Hour,
		"120 days":           -120*24*time.Hour - 5*time.Hour,
	} {
		if got := inWords(d); got != want {
			t.Errorf("inWords(%v) = %q, want %q", d, got, want)
		}
	}
}
