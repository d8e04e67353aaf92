package termination

import "testing"

func TestOnlyDigits(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"0": true, "9": true, "1234567890": true, "1a": false, "/1": false, "1:": false, "-1": false} {
		if got := onlyDigits(text); got != want {
			t.Errorf("onlyDigits(%q) = %t", text, got)
		}
	}
}
