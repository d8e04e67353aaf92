package termination

import (
	"slices"
	"testing"
	"time"
)

// Pauses grow from the first one to the longest, and a first one that is longer
// than that is kept.
func TestPace(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		first time.Duration
		want  []time.Duration
	}{
		{2 * time.Second, []time.Duration{
			2 * time.Second, 3 * time.Second, 4500 * time.Millisecond, 6750 * time.Millisecond, 10125 * time.Millisecond,
			15187500 * time.Microsecond, 22781250 * time.Microsecond, longestPause, longestPause,
		}},
		{25 * time.Second, []time.Duration{25 * time.Second, longestPause, longestPause}},
		{time.Minute, []time.Duration{time.Minute, time.Minute}},
		{1, []time.Duration{1, 2, 3, 5, 8}},
	} {
		p := pace{first: test.first}
		var got []time.Duration
		for range test.want {
			got = append(got, p.next())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("from %v: %v, want %v", test.first, got, test.want)
		}
	}
}
