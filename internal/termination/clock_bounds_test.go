package termination

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// TestClockBounds has what is exactly at a bound, or just beyond it.
func TestClockBounds(t *testing.T) {
	t.Parallel()
	const soon = 3 * time.Second
	utc, newYork := time.UTC, zone(t, "America/New_York")
	for name, test := range map[string]struct {
		zone *time.Location
		told []func(*clock)
		want ClockFinding
	}{
		"this machine is 15 minutes behind": {
			zone: utc, told: []func(*clock){dateOf(15*time.Minute, 0)},
			want: ClockFinding{Runner: 15 * time.Minute},
		},
		"the quicker of two headers that are behind counts": {
			zone: utc, told: []func(*clock){dateOf(-3*time.Hour, 0), dateOf(-3*time.Hour, 40*time.Minute)},
			want: ClockFinding{Runner: -3*time.Hour + time.Second},
		},
		"a step beyond the farthest zone in the east": {zone: utc, told: []func(*clock){listWith(14*time.Hour + zoneStep)}},
		"a step beyond the farthest zone in the west": {
			zone: utc, told: []func(*clock){endAt(time.FixedZone("", -int((12*time.Hour+zoneStep).Seconds())), noon, 0, soon)},
		},
		// The clocks of New York go back at 06:00 UTC of the day after.
		"the day before a change": {zone: newYork, told: []func(*clock){endAt(utc, time.Date(2026, 10, 31, 12, 0, 0, 0, time.UTC), soon, soon)}},
		"the day after a change":  {zone: newYork, told: []func(*clock){endAt(utc, time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC), soon, soon)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock(test.zone)
			for _, tell := range test.told {
				tell(c)
			}
			got, found := c.finding()
			if got != test.want || found != (test.want != ClockFinding{}) {
				t.Errorf("found %+v, %t, want %+v", got, found, test.want)
			}
		})
	}
}

// A time is too far in the future by the zone of the provider, and not by UTC.
func TestLatestInAnotherZone(t *testing.T) {
	t.Parallel()
	saoPaulo := zone(t, "America/Sao_Paulo")
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		_, offset := now.In(saoPaulo).Zone()
		farthest := eastmost - time.Duration(offset)*time.Second // a server in the east, read as if it were in São Paulo
		l := newClock(saoPaulo).latest()
		l.restart()
		l.take(session.Session{StartedAt: now.Add(farthest).In(saoPaulo)})
		l.take(session.Session{StartedAt: now.Add(farthest + zoneStep).In(saoPaulo)})
		if want := now.Add(farthest); !l.time.Equal(want) {
			t.Errorf("latest = %v, want %v", l.time, want)
		}
	})
}
