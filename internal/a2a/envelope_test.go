package a2a

import (
	"encoding/json"
	"strings"
	"testing"
)

// A name is read whatever its length is, also one that no key has.
func TestNamesOfEveryLength(t *testing.T) {
	t.Parallel()
	for length := range 100 {
		name, err := json.Marshal(strings.Repeat("x", length))
		if err != nil {
			t.Fatal(err)
		}
		if m := meaningOf(name, inRow); m != meansNothing {
			t.Errorf("%s means %v", name, m)
		}
	}
}
