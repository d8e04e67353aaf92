package a2a

import (
	"strings"
	"time"
)

// endTolerance is how far an end may lie before its start: local times go back
// by an hour or two when summer time ends, and a time zone may change.
const endTolerance = 24 * time.Hour

// maxAhead is how far an end may lie in the future, as the zone of the server's
// clock may not be known. One further ahead, such as 2038-01-19 03:14:07, is a
// filler for "none" (contract, section 4).
const maxAhead = 48 * time.Hour

// senhasegura is younger than the one year and will not see the other: timestamps
// outside are fillers for "none", such as 0000-00-00, 0001-01-01, 1970-01-01
// and 9999-12-31.
const (
	firstYear = 1971
	lastYear  = 9998
)

// timeLayouts are tried in order; the first is the documented one. Fractional
// seconds are accepted by all of them.
var timeLayouts = []string{
	time.DateTime,
	"2006-01-02T15:04:05",
	time.RFC3339,
	"2006-01-02 15:04:05Z07:00",
}

// parseTime reads a timestamp of senhasegura, in loc unless it names a zone. A
// missing time and a filler give the zero time and true; a text that is no time
// gives the zero time and false.
func parseTime(text string, loc *time.Location) (time.Time, bool) {
	if t, ok := parseDateTime(text, loc); ok {
		return t, true
	}
	text = strings.TrimSpace(text)
	if text == "" || text == "null" || strings.HasPrefix(text, "0000-00-00") {
		return time.Time{}, true
	}
	for _, layout := range timeLayouts {
		t, err := time.ParseInLocation(layout, text, loc)
		if err != nil {
			continue
		}
		if t.Year() < firstYear || t.Year() > lastYear {
			return time.Time{}, true
		}
		return t, true
	}
	return time.Time{}, false
}

// parseDateTime reads the documented layout alone, with which a list of a million
// is read a sixth faster than with package time: it has two of them in every row.
// It leaves everything unusual, and every filler, to parseTime.
func parseDateTime(text string, loc *time.Location) (time.Time, bool) {
	const shape = "0000-00-00 00:00:00"
	if len(text) != len(shape) {
		return time.Time{}, false
	}
	var parts [6]int // from the year to the second
	part := 0
	for i := range len(shape) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			parts[part] = parts[part]*10 + int(c-'0')
		case c == shape[i]:
			part++
		default:
			return time.Time{}, false
		}
	}
	year, month, day, hour, minute, second := parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]
	// Every month has 28 days; the few days after it are for parseTime.
	if part != len(parts)-1 || year < firstYear || year > lastYear || month < 1 || month > 12 || day < 1 || day > 28 ||
		hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, 0, loc), true
}
