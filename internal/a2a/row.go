package a2a

import (
	"bytes"
	"errors"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// errContradiction: a row has a key twice, with different values, and nothing
// tells which one is true.
var errContradiction = errors.New("a session has two different values for its identifier or its end")

// row collects the fields of one session. Its buffer is used again for the next
// row, so a list costs one allocation for each row.
type row struct {
	text  []byte
	spans [fieldCount]span
}

type span struct {
	from, to int
	seen     bool
}

func (r *row) reset() {
	r.text = r.text[:0]
	r.spans = [fieldCount]span{}
}

// known reports whether the object read so far has a field of a session.
func (r *row) known() bool {
	for _, s := range r.spans {
		if s.seen {
			return true
		}
	}
	return false
}

// set takes in the value of f. Both languages may be present, so a second value
// fills an empty field; one that contradicts is an error where a wrong choice
// could end or hide a session.
func (r *row) set(f meaning, value jsontext.Value) error {
	from := len(r.text)
	r.text = appendField(r.text, value)
	next := span{from: from, to: len(r.text), seen: true}
	before := r.spans[f]
	if before.seen && (f == fieldID || f == fieldRecordID || f == fieldEnd) &&
		!bytes.Equal(r.text[before.from:before.to], r.text[from:]) {
		return errContradiction
	}
	if before.seen && before.to > before.from {
		r.text = r.text[:from]
		return nil
	}
	r.spans[f] = next
	return nil
}

// appendField is scalar into a buffer, but keeps an object or array as it is
// written: it has no meaning here, and as an end it must not look like "no end".
func appendField(dst []byte, value jsontext.Value) []byte {
	switch value.Kind() {
	case '"':
		return appendUnquoted(dst, value)
	case 'n':
		return dst
	default:
		return append(dst, value...)
	}
}

// session turns the row into its value as of now. Times are read in loc.
func (r *row) session(loc *time.Location, now time.Time) session.Session {
	text := string(r.text)
	get := func(f meaning) string { return text[r.spans[f].from:r.spans[f].to] }
	s := session.Session{
		ID:         get(fieldID),
		RecordID:   get(fieldRecordID),
		User:       get(fieldUser),
		Credential: get(fieldCredential),
		Device:     get(fieldDevice),
		Protocol:   get(fieldProtocol),
		Proxy:      get(fieldProxy),
		OriginIP:   get(fieldOrigin),
	}
	s.StartedAt, _ = parseTime(get(fieldStart), loc)
	end, ok := parseTime(get(fieldEnd), loc)
	switch {
	case !ok:
		s.UnreadableEnd = get(fieldEnd)
	case end.After(now.Add(maxAhead)):
		// a filler for "none"
	case !end.IsZero() && !s.StartedAt.IsZero() && end.Before(s.StartedAt.Add(-endTolerance)):
		s.UnreadableEnd = get(fieldEnd)
	default:
		s.EndedAt = end
	}
	return s
}
