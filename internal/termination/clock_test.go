package termination

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata" // the examples are checked on a host without zone files, too

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// noon is a moment at which no zone of the tests changes its offset.
var noon = time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC)

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return location
}

// shown is how the provider reads, in the zone of configured, what a server in
// another zone writes at moment.
func shown(moment time.Time, server, configured *time.Location) time.Time {
	local := moment.In(server)
	return time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), 0, configured)
}

func (c *clock) finding() (ClockFinding, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.find()
}

// observation is one call that gives a clock something to compare.
type observation func(c *clock)

// endAt is the end at moment, of a session that was live some time before and read
// as ended some time after.
func endAt(server *time.Location, moment time.Time, before, after time.Duration) observation {
	return func(c *clock) {
		c.end(shown(moment, server, c.zone), moment.Add(-before), moment.Add(after))
	}
}

// dateOf is the header of a server whose clock is ahead, in an answer that took a
// while.
func dateOf(ahead, took time.Duration) observation {
	return func(c *clock) { c.date(noon.Add(ahead+took/2).Truncate(time.Second), noon, noon.Add(took)) }
}

// listWith is a list that shows a time ahead of this machine's clock.
func listWith(ahead time.Duration) observation {
	return func(c *clock) { c.list(&latest{zone: c.zone, time: noon.Add(ahead).In(c.zone)}, noon) }
}

func TestClock(t *testing.T) {
	t.Parallel()
	const soon = 3 * time.Second
	utc, saoPaulo, newYork := time.UTC, zone(t, "America/Sao_Paulo"), zone(t, "America/New_York")
	ahead := func(d time.Duration) *time.Location { return time.FixedZone("", int(d.Seconds())) }
	end := func(server *time.Location) observation { return endAt(server, noon, soon, soon) }
	for name, test := range map[string]struct {
		zone         *time.Location
		observations []observation
		want         ClockFinding
	}{
		"no observation":       {zone: utc},
		"the zone is right":    {zone: saoPaulo, observations: []observation{end(saoPaulo)}},
		"no zone is UTC":       {observations: []observation{end(utc)}},
		"behind by its end":    {zone: utc, observations: []observation{end(saoPaulo)}, want: ClockFinding{Deviation: -3 * time.Hour, Offset: -3 * time.Hour, Example: "America/Sao_Paulo"}},
		"ahead by its end":     {zone: saoPaulo, observations: []observation{end(utc)}, want: ClockFinding{Deviation: 3 * time.Hour, Example: "UTC"}},
		"without a zone":       {observations: []observation{end(saoPaulo)}, want: ClockFinding{Deviation: -3 * time.Hour, Offset: -3 * time.Hour, Example: "America/Sao_Paulo"}},
		"daylight saving time": {zone: newYork, observations: []observation{end(ahead(-5 * time.Hour))}, want: ClockFinding{Deviation: -time.Hour, Offset: -5 * time.Hour, Example: "America/Bogota"}},
		"a quarter of an hour": {
			zone: zone(t, "Asia/Kolkata"), observations: []observation{end(zone(t, "Asia/Kathmandu"))},
			want: ClockFinding{Deviation: 15 * time.Minute, Offset: 5*time.Hour + 45*time.Minute, Example: "Asia/Kathmandu"},
		},
		"the farthest zones": {
			zone: zone(t, "Etc/GMT+12"), observations: []observation{end(zone(t, "Pacific/Kiritimati"))},
			want: ClockFinding{Deviation: 26 * time.Hour, Offset: 14 * time.Hour, Example: "Pacific/Kiritimati"},
		},
		"an offset that no zone has": {
			zone: utc, observations: []observation{end(ahead(-3*time.Hour - 15*time.Minute))},
			want: ClockFinding{Deviation: -3*time.Hour - 15*time.Minute, Offset: -3*time.Hour - 15*time.Minute},
		},
		"clocks eight minutes apart":              {zone: utc, observations: []observation{end(ahead(8 * time.Minute))}},
		"clocks minutes apart, other zone":        {zone: utc, observations: []observation{end(ahead(-3*time.Hour + 4*time.Minute))}, want: ClockFinding{Deviation: -3 * time.Hour, Offset: -3 * time.Hour, Example: "America/Sao_Paulo"}},
		"ended days ago":                          {zone: utc, observations: []observation{endAt(utc, noon.Add(-72*time.Hour), -71*time.Hour, 72*time.Hour)}},
		"read late, the zone may be right":        {zone: utc, observations: []observation{endAt(ahead(15*time.Minute), noon, 20*time.Minute, 20*time.Minute)}},
		"read late, behind":                       {zone: utc, observations: []observation{endAt(saoPaulo, noon, time.Minute, 20*time.Minute)}, want: ClockFinding{Deviation: -2*time.Hour - 45*time.Minute, AtLeast: true, Offset: -2*time.Hour - 45*time.Minute}},
		"read late, ahead":                        {zone: saoPaulo, observations: []observation{endAt(utc, noon, time.Minute, 20*time.Minute)}, want: ClockFinding{Deviation: 2*time.Hour + 30*time.Minute, AtLeast: true, Offset: -30 * time.Minute}},
		"read late, and one read soon":            {zone: utc, observations: []observation{endAt(saoPaulo, noon, time.Minute, 20*time.Minute), end(saoPaulo)}, want: ClockFinding{Deviation: -3 * time.Hour, Offset: -3 * time.Hour, Example: "America/Sao_Paulo"}},
		"read late, and one is right":             {zone: utc, observations: []observation{endAt(saoPaulo, noon, time.Minute, 20*time.Minute), end(utc)}},
		"marked late, and one is right":           {zone: utc, observations: []observation{end(ahead(-time.Hour)), end(utc)}},
		"marked late, and a newer time in a list": {zone: utc, observations: []observation{end(ahead(-2 * time.Hour)), listWith(-10 * time.Minute)}},
		"read late, and a newer time in a list": {
			zone: utc, observations: []observation{endAt(ahead(-2*time.Hour), noon, time.Minute, 20*time.Minute), listWith(-10 * time.Minute)},
		},
		"marked late, and one that no list contradicts": {
			zone: saoPaulo, observations: []observation{end(ahead(-5 * time.Hour)), end(utc), end(ahead(-5 * time.Hour)), listWith(2*time.Hour + 55*time.Minute)},
			want: ClockFinding{Deviation: 3 * time.Hour, Example: "UTC"},
		},
		"a list that agrees with an end": {
			zone: utc, observations: []observation{end(saoPaulo), listWith(-3*time.Hour + clockSlack)},
			want: ClockFinding{Deviation: -3 * time.Hour, Offset: -3 * time.Hour, Example: "America/Sao_Paulo"},
		},
		"this machine is ahead, and a list that agrees with an end": {
			zone: utc, observations: []observation{end(ahead(-4 * time.Hour)), dateOf(-time.Hour, 0), listWith(-4*time.Hour - time.Minute)},
			want: ClockFinding{Runner: -time.Hour + time.Second, Deviation: -3 * time.Hour, Offset: -3 * time.Hour, Example: "America/Sao_Paulo"},
		},
		"one of three is right":             {zone: utc, observations: []observation{end(saoPaulo), end(utc), end(saoPaulo)}, want: ClockFinding{Deviation: -3 * time.Hour, Offset: -3 * time.Hour, Example: "America/Sao_Paulo"}},
		"two that differ":                   {zone: utc, observations: []observation{end(saoPaulo), end(newYork), end(saoPaulo)}, want: ClockFinding{Deviation: -3 * time.Hour, Offset: -3 * time.Hour, Example: "America/Sao_Paulo"}},
		"the night of a change":             {zone: newYork, observations: []observation{endAt(utc, time.Date(2026, 11, 1, 6, 30, 0, 0, time.UTC), soon, soon)}},
		"a right server in that night":      {zone: newYork, observations: []observation{endAt(newYork, time.Date(2026, 11, 1, 6, 30, 0, 0, time.UTC), soon, soon)}},
		"a time that names its zone":        {zone: saoPaulo, observations: []observation{func(c *clock) { c.end(noon, noon.Add(-soon), noon.Add(soon)) }}},
		"no end":                            {zone: utc, observations: []observation{func(c *clock) { c.end(time.Time{}, noon.Add(-soon), noon.Add(soon)) }}},
		"read before it was live":           {zone: utc, observations: []observation{endAt(saoPaulo, noon, -soon, -soon-1)}},
		"a time in the future":              {zone: utc, observations: []observation{listWith(3*time.Hour - time.Minute)}, want: ClockFinding{Deviation: 2*time.Hour + 45*time.Minute, AtLeast: true, Offset: 2*time.Hour + 45*time.Minute}},
		"15 minutes in the future":          {zone: saoPaulo, observations: []observation{listWith(15 * time.Minute)}, want: ClockFinding{Deviation: 15 * time.Minute, AtLeast: true, Offset: -2*time.Hour - 45*time.Minute}},
		"almost 15 minutes in the future":   {zone: utc, observations: []observation{listWith(15*time.Minute - 1)}},
		"the farthest in the future counts": {zone: utc, observations: []observation{listWith(time.Hour), listWith(2 * time.Hour), listWith(time.Minute)}, want: ClockFinding{Deviation: 2 * time.Hour, AtLeast: true, Offset: 2 * time.Hour}},
		"future in the night of a change": {zone: newYork, observations: []observation{func(c *clock) {
			at := time.Date(2026, 11, 1, 1, 30, 0, 0, newYork)
			c.list(&latest{time: at}, at.Add(-3*time.Hour))
		}}},
		"an end before the future":         {zone: saoPaulo, observations: []observation{listWith(2 * time.Hour), end(utc)}, want: ClockFinding{Deviation: 3 * time.Hour, Example: "UTC"}},
		"an end that is right, the future": {zone: saoPaulo, observations: []observation{end(saoPaulo), listWith(time.Hour)}, want: ClockFinding{Deviation: time.Hour, AtLeast: true, Offset: -2 * time.Hour}},
		"a list without times":             {zone: utc, observations: []observation{func(c *clock) { c.list(c.latest(), noon) }}},

		"this machine is right":         {zone: utc, observations: []observation{dateOf(0, time.Second)}},
		"this machine is behind":        {zone: utc, observations: []observation{dateOf(3*time.Hour, 0)}, want: ClockFinding{Runner: 3 * time.Hour}},
		"this machine is ahead":         {zone: utc, observations: []observation{dateOf(-20*time.Minute, 0)}, want: ClockFinding{Runner: -20*time.Minute + time.Second}},
		"this machine is little behind": {zone: utc, observations: []observation{dateOf(15*time.Minute-time.Second, 0)}},
		"a header that came late":       {zone: utc, observations: []observation{dateOf(0, 40*time.Minute)}},
		"no header":                     {zone: utc, observations: []observation{func(c *clock) { c.date(time.Time{}, noon, noon) }}},
		"the quicker header counts":     {zone: utc, observations: []observation{dateOf(3*time.Hour, 2*time.Second), dateOf(3*time.Hour+30*time.Minute, time.Hour)}, want: ClockFinding{Runner: 3*time.Hour - time.Second}},
		"it alone explains the end":     {zone: utc, observations: []observation{dateOf(3*time.Hour, 0), end(ahead(3 * time.Hour))}, want: ClockFinding{Runner: 3 * time.Hour}},
		"it alone explains the future":  {zone: utc, observations: []observation{listWith(3 * time.Hour), dateOf(3*time.Hour, 0)}, want: ClockFinding{Runner: 3 * time.Hour}},
		"read late, and one that the zone explains": {
			zone: utc, observations: []observation{endAt(utc, noon, 20*time.Minute, 20*time.Minute), end(saoPaulo)},
			want: ClockFinding{Deviation: -3 * time.Hour, Offset: -3 * time.Hour, Example: "America/Sao_Paulo"},
		},
		"two that were read late": {
			zone: utc, observations: []observation{endAt(saoPaulo, noon, time.Minute, 20*time.Minute), endAt(saoPaulo, noon, 25*time.Minute, 20*time.Minute)},
			want: ClockFinding{Deviation: -2*time.Hour - 45*time.Minute, AtLeast: true, Offset: -2*time.Hour - 45*time.Minute},
		},
		"no user has connected for hours": {zone: utc, observations: []observation{listWith(-3 * time.Hour)}},
		"a future that no zone explains":  {zone: utc, observations: []observation{listWith(15 * time.Hour)}},
		"a header that came late, and the future": {
			zone: utc, observations: []observation{dateOf(time.Hour, 20*time.Minute), listWith(3 * time.Hour)},
			want: ClockFinding{Runner: 50 * time.Minute, Deviation: 105 * time.Minute, AtLeast: true, Offset: 105 * time.Minute},
		},
		"a header that came late, and an end": {
			zone: utc, observations: []observation{dateOf(time.Hour, 20*time.Minute), end(ahead(3 * time.Hour))},
			want: ClockFinding{Runner: 50 * time.Minute, Deviation: 105 * time.Minute, AtLeast: true, Offset: 105 * time.Minute},
		},
		"it alone hides the future": {
			zone: utc, observations: []observation{listWith(-time.Minute), dateOf(-2*time.Hour-2*time.Minute, 0)},
			want: ClockFinding{Runner: -2*time.Hour - 2*time.Minute + time.Second, Deviation: 2 * time.Hour, AtLeast: true, Offset: 2 * time.Hour},
		},
		"both are wrong":                 {zone: utc, observations: []observation{end(ahead(-2 * time.Hour)), dateOf(time.Hour, 0)}, want: ClockFinding{Runner: time.Hour, Deviation: -3 * time.Hour, Offset: -3 * time.Hour, Example: "America/Sao_Paulo"}},
		"eight minutes and three hours":  {zone: utc, observations: []observation{end(ahead(-3*time.Hour + 8*time.Minute)), dateOf(8*time.Minute, 0)}, want: ClockFinding{Deviation: -3 * time.Hour, Offset: -3 * time.Hour, Example: "America/Sao_Paulo"}},
		"a late header takes away none":  {zone: utc, observations: []observation{end(saoPaulo), dateOf(0, time.Hour)}, want: ClockFinding{Deviation: -3 * time.Hour, Offset: -3 * time.Hour, Example: "America/Sao_Paulo"}},
		"eleven minutes, by the header":  {zone: utc, observations: []observation{end(ahead(11 * time.Minute)), dateOf(11*time.Minute, 0)}},
		"eleven minutes, by an end only": {zone: utc, observations: []observation{end(ahead(11 * time.Minute))}, want: ClockFinding{Deviation: 15 * time.Minute, Offset: 15 * time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, order := range [][]observation{test.observations, reversed(test.observations)} {
				c := newClock(test.zone)
				for _, tell := range order {
					tell(c)
				}
				got, found := c.finding()
				if got != test.want || found != (test.want != ClockFinding{}) {
					t.Errorf("finding = %+v, %v, want %+v", got, found, test.want)
				}
			}
		})
	}
}

// A clock that is set while the provider runs makes the Date headers contradict each
// other. The last one tells how this machine's clock is now, and timestamps tell nothing:
// each may be of either clock.
func TestClockThatIsSet(t *testing.T) {
	t.Parallel()
	end := func(ahead time.Duration) observation {
		return endAt(time.FixedZone("", int(ahead.Seconds())), noon, time.Second, time.Second)
	}
	for name, test := range map[string]struct {
		observations []observation
		want         ClockFinding
	}{
		"back":                           {observations: []observation{dateOf(0, 0), end(0), end(3 * time.Hour), end(3 * time.Hour), dateOf(3*time.Hour, time.Second)}, want: ClockFinding{Runner: 3*time.Hour - time.Second}},
		"forward":                        {observations: []observation{dateOf(0, 0), end(0), dateOf(-3*time.Hour, time.Second), end(-3 * time.Hour), end(-3 * time.Hour)}, want: ClockFinding{Runner: -3*time.Hour + time.Second}},
		"back, and read in the old time": {observations: []observation{dateOf(0, 0), dateOf(3*time.Hour, time.Second), end(0), end(0)}, want: ClockFinding{Runner: 3*time.Hour - time.Second}},
		"right":                          {observations: []observation{dateOf(3*time.Hour, 0), listWith(3 * time.Hour), dateOf(0, time.Second), listWith(0)}},
		"during a request": {observations: []observation{func(c *clock) {
			c.date(noon, noon, noon.Add(-3*time.Hour))
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock(time.UTC)
			for _, tell := range test.observations {
				tell(c)
			}
			if got, found := c.finding(); got != test.want || found != (test.want != ClockFinding{}) {
				t.Errorf("finding = %+v, %v, want %+v", got, found, test.want)
			}
		})
	}
}

func reversed(all []observation) []observation {
	all = slices.Clone(all)
	slices.Reverse(all)
	return all
}

// The zone of a server is found whatever the zone of the provider is, and a right one
// is never contradicted, with the delays of polling and clocks that are not quite the
// same.
func TestClockFindsEveryZone(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	within := func(d time.Duration) time.Duration { return time.Duration(rng.Int64N(int64(d))) }
	configured := []*time.Location{
		time.UTC, zone(t, "America/Sao_Paulo"), zone(t, "Europe/Berlin"), zone(t, "Asia/Kathmandu"), zone(t, "America/New_York"),
	}
	for minutes := range zoneExamples {
		server := time.FixedZone("", minutes*60)
		for _, zone := range configured {
			c := newClock(zone)
			moment := noon.Add(within(time.Hour))
			skew := within(6*time.Minute) - 3*time.Minute
			c.end(shown(moment.Add(skew), server, zone), moment.Add(-within(time.Minute)), moment.Add(within(time.Minute)))
			got, found := c.finding()
			_, offset := noon.In(zone).Zone()
			switch {
			case minutes*60 == offset:
				if found {
					t.Errorf("server and provider at %d minutes, %v apart: %+v", minutes, skew, got)
				}
			case !found || got.AtLeast || got.Offset != time.Duration(minutes)*time.Minute || got.Example != zoneExamples[minutes] ||
				got.Deviation != got.Offset-time.Duration(offset)*time.Second:
				t.Errorf("server at %d minutes, provider in %v, %v apart: %+v", minutes, zone, skew, got)
			}
		}
	}
}

// A time of a right server is never taken for one of the future, nor contradicts its
// zone, at any moment of a year.
func TestClockOfARightServer(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo"} {
		zone := zone(t, name)
		for hour := range 365 * 24 {
			moment := noon.Add(time.Duration(hour) * time.Hour).Add(17 * time.Minute)
			c := newClock(zone)
			c.end(shown(moment, zone, zone), moment.Add(-time.Second), moment.Add(time.Second))
			c.list(&latest{time: shown(moment, zone, zone)}, moment)
			if got, found := c.finding(); found {
				t.Fatalf("%s at %v: %+v", name, moment, got)
			}
		}
	}
}

func TestClockAnnouncesOnce(t *testing.T) {
	t.Parallel()
	c := newClock(time.UTC)
	if got, found := c.announce(); found {
		t.Errorf("announced without evidence: %+v", got)
	}
	listWith(3 * time.Hour)(c)
	want := ClockFinding{Deviation: 3 * time.Hour, AtLeast: true, Offset: 3 * time.Hour}
	if got, found := c.announce(); !found || got != want {
		t.Errorf("announce() = %+v, %v, want %+v", got, found, want)
	}
	listWith(4 * time.Hour)(c)
	if got, found := c.announce(); found {
		t.Errorf("announced again: %+v", got)
	}
	if got, found := c.finding(); !found || got.Deviation != 4*time.Hour {
		t.Errorf("finding() = %+v, %v, after it was announced", got, found)
	}
}

func TestClockIsBoundedAndShared(t *testing.T) {
	t.Parallel()
	c := newClock(time.UTC)
	var tellers sync.WaitGroup
	for range 4 {
		tellers.Go(func() {
			for range maxEnds {
				endAt(time.FixedZone("", 3600), noon, time.Second, time.Second)(c)
				dateOf(0, time.Second)(c)
				listWith(0)(c)
				c.announce()
			}
		})
	}
	tellers.Wait()
	if len(c.ends) != maxEnds {
		t.Errorf("%d ends are kept, want %d", len(c.ends), maxEnds)
	}
	if got, _ := c.finding(); got.Deviation != time.Hour {
		t.Errorf("finding() = %+v", got)
	}
}

func TestLatest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().UTC()
		at := now.Add
		l := newClock(nil).latest()
		l.restart()
		for _, s := range []session.Session{
			{StartedAt: at(-time.Hour)},
			{StartedAt: at(time.Hour), EndedAt: at(2 * time.Hour)},
			{StartedAt: at(time.Minute)},
			{StartedAt: at(-time.Hour), EndedAt: at(15 * time.Hour)}, // a filler
			{StartedAt: at(3 * time.Hour).In(time.FixedZone("", 3600))},
			{},
		} {
			l.take(s)
		}
		if want := at(2 * time.Hour); !l.time.Equal(want) {
			t.Errorf("latest = %v, want %v", l.time, want)
		}
		l.restart()
		if !l.time.IsZero() {
			t.Errorf("latest of a list that is read again = %v", l.time)
		}
		l.take(session.Session{StartedAt: at(14 * time.Hour)})
		if want := at(14 * time.Hour); !l.time.Equal(want) {
			t.Errorf("latest = %v, want %v: a clock may be so far ahead of UTC", l.time, want)
		}
	})
}

// Every list of a drain shows its ended sessions again.
func TestDrainNotesAnEndForTheClockOnce(t *testing.T) {
	t.Parallel()
	selector, err := session.NewSelector(session.Match{Users: []string{"jane"}}, session.Match{})
	if err != nil {
		t.Fatal(err)
	}
	on := New(nil, Options{})
	d := on.newDrain(DrainRequest{Selector: selector})
	live := session.Session{ID: "hash-1", RecordID: "1", User: "jane"}
	ended := live
	ended.EndedAt = noon
	m := &member{dropLog: dropLog{accepted: true}, session: &live}
	for _, step := range []struct {
		shows *session.Session
		want  int
	}{{&live, 0}, {&ended, 1}, {&ended, 1}, {&live, 1}, {&ended, 2}} {
		d.see(m, check{record: step.shows, askedAt: noon, readAt: noon})
		if got := len(on.clock.ends); got != step.want {
			t.Errorf("%d ends, want %d", got, step.want)
		}
	}
}

func TestOffsetName(t *testing.T) {
	t.Parallel()
	for want, offset := range map[string]time.Duration{
		"UTC+00:00": 0, "UTC-03:00": -3 * time.Hour, "UTC-03:30": -3*time.Hour - 30*time.Minute, "UTC+05:45": 5*time.Hour + 45*time.Minute,
		"UTC-00:15": -15 * time.Minute, "UTC+14:00": 14 * time.Hour,
	} {
		if got := (ClockFinding{Offset: offset}).OffsetName(); got != want {
			t.Errorf("OffsetName() of %v = %q, want %q", offset, got, want)
		}
	}
}

// An example has its offset all year, but for the few offsets that only zones with
// daylight saving time have.
func TestZoneExamples(t *testing.T) {
	t.Parallel()
	seasonal := []string{"America/St_Johns", "Australia/Lord_Howe", "Pacific/Chatham"}
	for minutes, name := range zoneExamples {
		zone := zone(t, name)
		var offsets []int
		for month := range 12 {
			_, offset := noon.AddDate(0, month, 0).In(zone).Zone()
			offsets = append(offsets, offset/60)
		}
		always := !slices.ContainsFunc(offsets, func(offset int) bool { return offset != minutes })
		if !slices.Contains(offsets, minutes) || always == slices.Contains(seasonal, name) {
			t.Errorf("%s is the example for %d minutes, and has %v", name, minutes, offsets)
		}
	}
}
