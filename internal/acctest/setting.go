package acctest

import (
	"os"
	"strconv"
	"testing"
)

// Setting gives the number in an environment variable, otherwise if it is not set. It
// fails the test if the variable holds something else.
func Setting(tb testing.TB, variable string, otherwise uint64) uint64 {
	tb.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		tb.Fatalf("%s: %v", variable, err)
	}
	return n
}
