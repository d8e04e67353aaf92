package termination

import (
	"iter"
	"maps"
	"strings"
)

// longestText is the length of the longest text that a distinct set keeps, in bytes:
// far above every name in real lists, and far below what a row may hold.
const longestText = 256

// distinct is a set of texts that a list shows. Its number of texts and their length
// are limited, whatever a list holds.
type distinct struct {
	limit int
	texts map[string]struct{}
	// partial: a text was left out.
	partial bool
}

// has is called for every row.
func (d *distinct) has(text string) bool {
	_, found := d.texts[text]
	return found
}

// add keeps a copy of text: the text of a row may hold the whole page of the response
// in memory.
func (d *distinct) add(text string) {
	if len(d.texts) >= d.limit || len(text) > longestText {
		d.partial = true
		return
	}
	if d.texts == nil {
		d.texts = map[string]struct{}{}
	}
	d.texts[strings.Clone(text)] = struct{}{}
}

// note adds text without the white space at its ends, unless it is empty.
func (d *distinct) note(text string) {
	if text = strings.TrimSpace(text); text != "" && !d.has(text) {
		d.add(text)
	}
}

func (d *distinct) all() iter.Seq[string] { return maps.Keys(d.texts) }

func (d *distinct) forget() { d.texts, d.partial = nil, false }
