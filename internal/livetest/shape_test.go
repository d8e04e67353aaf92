package livetest

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestShapeOf(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		``:                      "(empty)",
		`<html>`:                "(not JSON, or not to its end)",
		`{"a":`:                 "(not JSON, or not to its end)",
		`"secret"`:              "(all): text",
		`[]`:                    "[]: none",
		`{"code":200,"n":5}`:    "code: 200; n: number",
		`{"end":null,"e":""}`:   "e: empty text; end: null",
		`[{"id":"6"},{"id":7}]`: "[].id: number; [].id: text: digits",
		`{"x":{"status":true}}`: "x.status: true",
		`{"10.0.0.1:22":"a b"}`: "(a key of another form): text",
		`{"t":"2024-05-06 16:11:17","z":"0000-00-00 00:00:00"}`:                                       "t: text: 2006-01-02 15:04:05; z: text: zero timestamp",
		`{"h":"c819cbc5f2fad2065f1d132a22d0e2dfacccb228","u":"01890a5d-ac96-774b-bcce-b302099a8057"}`: "h: text: 40 hex digits; u: text: UUID",
	} {
		shape := shapeOf(strings.NewReader(body))
		if got := strings.Join(slices.Sorted(maps.Keys(shape)), "; "); got != want {
			t.Errorf("%s\n got %s\nwant %s", body, got, want)
		}
	}
}
