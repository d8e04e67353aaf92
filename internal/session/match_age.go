package session

import "time"

// clockTolerance is how far a start may lie in the future and count as now: two
// clocks are never quite the same.
const clockTolerance = 15 * time.Minute

// judgeAge counts the exact age as reached. It is Undecided about a start that
// senhasegura did not send or that cannot be read, which is the zero time, and
// about one too far in the future: then the clock or its zone is another than
// this machine takes it for, and no age is certain. So it is about a start in an hour
// that its zone repeats, unless both moments say the same.
func judgeAge(startedAt time.Time, age time.Duration, now time.Time) Verdict {
	first, last := moments(startedAt)
	if latest := now.Add(clockTolerance); last.After(latest) {
		last = first
		if first.After(latest) {
			return Undecided
		}
	}
	switch {
	case startedAt.IsZero():
		return Undecided
	case first.Add(age).After(now):
		return No
	case last.Add(age).After(now):
		return Undecided
	}
	return Yes
}

// moments gives the two moments that the local time of t means where its zone sets its
// clocks back, and else t twice.
func moments(t time.Time) (first, last time.Time) {
	const most = 3 * time.Hour // that clocks are set back by
	_, offset := t.Zone()
	for _, near := range [...]time.Time{t.Add(-most), t.Add(most)} {
		_, other := near.Zone()
		back := t.Add(time.Duration(offset-other) * time.Second)
		if _, there := back.Zone(); there != other || other == offset {
			continue
		}
		if back.Before(t) {
			return back, t
		}
		return t, back
	}
	return t, t
}
