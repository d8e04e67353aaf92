package termination

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

const (
	// zoneStep: the offsets of all time zones are multiples of it.
	zoneStep = 15 * time.Minute
	// westmost and eastmost are the lowest and the highest offset of all time zones.
	westmost = -12 * time.Hour
	eastmost = 14 * time.Hour
	// clockSlack is the largest difference between two clocks that are synchronized.
	clockSlack = 5 * time.Minute
	// maxEnds is how many ends a clock keeps.
	maxEnds = 1000
)

// ClockFinding is what contradicts the time zone in which the provider reads
// timestamps, or the clock of this machine.
type ClockFinding struct {
	// Runner is how far the clock of this machine is behind that of senhasegura, by the
	// Date header of its responses, which is in UTC; negative if it is ahead. It is 0
	// below 15 minutes. The other fields already allow for it.
	Runner time.Duration
	// Deviation is how far timestamps are ahead of a clock in the zone of the provider;
	// negative if they are behind. It is a multiple of 15 minutes, 0 if nothing
	// contradicts the zone.
	Deviation time.Duration
	// AtLeast: Deviation and Offset are the least that the observations require.
	AtLeast bool
	// Offset is the offset from UTC that the timestamps have by Deviation; see
	// OffsetName.
	Offset time.Duration
	// Example is an IANA name with this offset, as the argument `time_zone` takes it.
	// It is empty with AtLeast. It is also empty if no zone has the offset: then the
	// clock of senhasegura is probably wrong.
	Example string
}

// OffsetName gives Offset as in "UTC-03:00".
func (f ClockFinding) OffsetName() string {
	sign, offset := '+', f.Offset
	if offset < 0 {
		sign, offset = '-', -offset
	}
	return fmt.Sprintf("UTC%c%02d:%02d", sign, int(offset.Hours()), int(offset.Minutes())%60)
}

// clock gathers, for a whole process, what shows the clock of senhasegura. It is safe
// for concurrent use. Its arguments are times of the clock of this machine, except the
// timestamps of sessions and the Date header.
//
// It ignores observations that no time zone explains, timestamps that name their zone,
// and times within about a day of a change of the offset of the zone: a local time can
// then be two moments, or none.
type clock struct {
	zone *time.Location

	mu sync.Mutex
	// runner has the limits of how far this machine is behind, by the Date header.
	runner span
	dated  bool
	// set: two headers contradict each other, so one of the clocks was set in between.
	// From then on timestamps tell nothing, as each may be of either clock.
	set bool
	// ends has, for each end, the limits of how far the timestamps are ahead.
	ends []span
	// ahead is how far they are ahead at least, by the latest times of lists.
	ahead  time.Duration
	listed bool
	// offset is that of the zone, at the last observation.
	offset time.Duration
	told   bool
}

// newClock makes a clock for timestamps that were read in zone; nil means UTC.
func newClock(zone *time.Location) *clock {
	if zone == nil {
		zone = time.UTC
	}
	return &clock{zone: zone}
}

// end notes the end of a session that this run has terminated. It was live at liveAt,
// the start of a check that showed it live, and a check that was complete at readAt
// showed the end.
func (c *clock) end(endedAt, liveAt, readAt time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	offset, ok := c.offsetAt(endedAt)
	if !ok || len(c.ends) == maxEnds || liveAt.After(readAt) {
		return
	}
	c.offset = offset
	c.ends = append(c.ends, span{endedAt.Sub(readAt), endedAt.Sub(liveAt)})
}

// list notes the latest time of a list that was complete at readAt.
func (c *clock) list(l *latest, readAt time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	offset, ok := c.offsetAt(l.time)
	if ahead := l.time.Sub(readAt); ok && (!c.listed || ahead > c.ahead) {
		c.ahead, c.listed, c.offset = ahead, true, offset
	}
}

// date notes the Date header of a response, and when its request was sent and its
// header received. It must not come from a cache, which the header Age shows.
func (c *clock) date(header, sent, received time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The header has no fraction of a second. The quicker the response, the more exact
	// it is.
	behind := span{header.Sub(received), header.Add(time.Second).Sub(sent)}
	if header.IsZero() || sent.After(received) || behind.width() < 0 {
		return
	}
	contradicts := c.dated && behind.distance(c.runner) >= zoneStep
	if c.dated && !contradicts && behind.width() > c.runner.width() {
		return
	}
	c.runner, c.dated, c.set = behind, true, c.set || contradicts
}

// offsetAt gives the offset of the zone at t, false if t must be ignored.
func (c *clock) offsetAt(t time.Time) (time.Duration, bool) {
	if t.IsZero() || t.Location().String() != c.zone.String() {
		return 0, false
	}
	_, offset := t.Zone()
	_, before := t.Add(westmost - eastmost).Zone()
	_, after := t.Add(eastmost - westmost).Zone()
	return time.Duration(offset) * time.Second, before == offset && offset == after
}

// announce is find, but true at most once.
func (c *clock) announce() (ClockFinding, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told {
		return ClockFinding{}, false
	}
	f, found := c.find()
	c.told = found
	return f, found
}

// find gives what the observations contradict by 15 minutes or more; false if nothing.
func (c *clock) find() (ClockFinding, bool) {
	var f ClockFinding
	if behind := c.runner.nearest(); behind.Abs() >= zoneStep {
		f.Runner = behind.Truncate(time.Second)
	}
	if d, exact := c.deviation(); d != 0 && !c.set {
		f.Deviation, f.AtLeast, f.Offset = d, !exact, c.offset+d
		if exact {
			f.Example = zoneExamples[int(f.Offset.Minutes())]
		}
	}
	return f, f.Runner != 0 || f.Deviation != 0
}

// deviation prefers ends that show it exactly. An end that senhasegura marked later, as
// for a session whose node crashed, shows another value than the others: the most
// frequent value counts, and of two that are as frequent the one nearer to the
// configured zone. No timestamp is later than the moment at which a list shows it, so a
// later one than an end allows contradicts that end.
func (c *clock) deviation() (d time.Duration, exactly bool) {
	exact, least, ahead := map[time.Duration]int{}, time.Duration(0), c.ahead-c.allowance().high
	for _, end := range c.ends {
		end = end.minus(c.allowance())
		nearest, low, high := end.nearest(), end.low.Round(zoneStep), end.high.Round(zoneStep)
		switch {
		case !c.explained(nearest), c.listed && ahead > end.high+clockSlack:
		case low != high:
			if nearest.Abs() > least.Abs() {
				least = nearest
			}
		case low == 0 || nearest.Abs() >= zoneStep-clockSlack:
			exact[low]++
		}
	}
	if len(exact) > 0 {
		d = slices.MaxFunc(slices.Collect(maps.Keys(exact)), func(a, b time.Duration) int {
			return cmp.Or(cmp.Compare(exact[a], exact[b]), cmp.Compare(b.Abs(), a.Abs()), cmp.Compare(a, b))
		})
	}
	switch {
	case d != 0:
		return d, true
	case exact[0] == 0 && least.Abs() >= zoneStep:
		return least.Truncate(zoneStep), false
	case c.listed && ahead > 0 && c.explained(ahead):
		return ahead.Truncate(zoneStep), false
	}
	return 0, false
}

// explained reports whether a time zone is ahead by d.
func (c *clock) explained(d time.Duration) bool {
	offset := c.offset + d
	return offset > westmost-zoneStep && offset < eastmost+zoneStep
}

// allowance is how far the clock of this machine is known to be behind.
func (c *clock) allowance() span {
	if c.runner.nearest() == 0 {
		return span{}
	}
	return c.runner
}

// span has the limits of a duration.
type span struct{ low, high time.Duration }

func (s span) width() time.Duration { return s.high - s.low }

// distance is what lies between two spans, negative where they overlap.
func (s span) distance(other span) time.Duration { return max(s.low-other.high, other.low-s.high) }

// minus allows for all values of other.
func (s span) minus(other span) span { return span{s.low - other.high, s.high - other.low} }

// nearest is the duration of the span that is nearest to zero.
func (s span) nearest() time.Duration { return max(s.low, min(s.high, 0)) }

// latest is the collector of the latest start or end in a list, for clock.list. It
// leaves out times so far in the future that no time zone explains them, and those that
// name their own zone.
type latest struct {
	zone  *time.Location
	limit time.Time
	// time is zero where there is none.
	time time.Time
}

// latest makes the collector for one read.
func (c *clock) latest() *latest { return &latest{zone: c.zone} }

func (l *latest) restart() {
	now := time.Now().In(l.zone)
	_, offset := now.Zone()
	l.time, l.limit = time.Time{}, now.Add(eastmost-time.Duration(offset)*time.Second+zoneStep)
}

func (l *latest) take(s session.Session) {
	l.see(s.StartedAt)
	l.see(s.EndedAt)
}

func (l *latest) see(t time.Time) {
	if t.After(l.time) && t.Before(l.limit) && t.Location().String() == l.zone.String() {
		l.time = t
	}
}

// zoneExamples has one time zone for each offset in minutes, one without daylight
// saving time if there is one. They need not be installed on this machine.
var zoneExamples = map[int]string{
	-12 * 60:   "Etc/GMT+12",
	-11 * 60:   "Pacific/Pago_Pago",
	-10 * 60:   "Pacific/Honolulu",
	-9*60 - 30: "Pacific/Marquesas",
	-9 * 60:    "Pacific/Gambier",
	-8 * 60:    "Pacific/Pitcairn",
	-7 * 60:    "America/Phoenix",
	-6 * 60:    "America/Costa_Rica",
	-5 * 60:    "America/Bogota",
	-4 * 60:    "America/Manaus",
	-3*60 - 30: "America/St_Johns",
	-3 * 60:    "America/Sao_Paulo",
	-2*60 - 30: "America/St_Johns",
	-2 * 60:    "America/Noronha",
	-1 * 60:    "Atlantic/Cape_Verde",
	0:          "UTC",
	1 * 60:     "Africa/Lagos",
	2 * 60:     "Africa/Maputo",
	3 * 60:     "Africa/Nairobi",
	3*60 + 30:  "Asia/Tehran",
	4 * 60:     "Asia/Dubai",
	4*60 + 30:  "Asia/Kabul",
	5 * 60:     "Asia/Karachi",
	5*60 + 30:  "Asia/Kolkata",
	5*60 + 45:  "Asia/Kathmandu",
	6 * 60:     "Asia/Dhaka",
	6*60 + 30:  "Asia/Yangon",
	7 * 60:     "Asia/Bangkok",
	8 * 60:     "Asia/Singapore",
	8*60 + 45:  "Australia/Eucla",
	9 * 60:     "Asia/Tokyo",
	9*60 + 30:  "Australia/Darwin",
	10 * 60:    "Australia/Brisbane",
	10*60 + 30: "Australia/Lord_Howe",
	11 * 60:    "Pacific/Guadalcanal",
	12 * 60:    "Pacific/Tarawa",
	12*60 + 45: "Pacific/Chatham",
	13 * 60:    "Pacific/Tongatapu",
	13*60 + 45: "Pacific/Chatham",
	14 * 60:    "Pacific/Kiritimati",
}
