package session

import (
	"bytes"
	"cmp"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/agext/levenshtein"
)

const (
	// maxSimilar bounds the answer of Similar.
	maxSimilar = 3
	// minLetters is how many letters a name needs for one edit to be a typing
	// error: shorter names resemble one another by chance.
	minLetters = 4
)

// IsAddress reports whether a device, as senhasegura shows it or as a match
// names it, is an IP address, with a port or without, and not a name.
func IsAddress(device string) bool {
	parsed, ok := parseDevice(strings.TrimSpace(device))
	return ok && parsed.address.IsValid()
}

// Similar returns which of the known values a user may have meant by value, a
// value of the set field that no session carries: the other form of the same
// name, the same host with another port, or a name that differs by one typing
// error. It returns at most three, the likeliest first, and the same for any
// order of known. A device comes without its port where value has none, because
// a port would make a match narrower than the user wrote it.
//
// A typing error is one edit of a name of four letters or more, neither in a
// digit nor of a single-letter part: "db-1" and "db-2" are two machines, and so
// are "db-a" and "db-b". Of an account with a domain, the edited half is the
// name that needs four letters.
//
// Session ids and origins are not names: nothing is similar to them. Similar is
// a pure function, whose time grows with the number of known values.
func Similar(field, value string, known iter.Seq[string]) []string {
	meant, ok := readName(field, value, nil)
	if !ok {
		return nil
	}
	found := map[string]likeness{}
	var buffer []byte
	for text := range known {
		candidate, ok := readName(field, text, buffer[:0])
		if !ok {
			continue
		}
		buffer = candidate.folded
		if how := meant.compare(&candidate); how != unlike {
			suggested := candidate.text
			if meant.port == 0 && candidate.host != "" {
				suggested = candidate.host
			}
			found[suggested] = how
		}
	}
	similar := slices.SortedFunc(maps.Keys(found), func(a, b string) int {
		return cmp.Or(cmp.Compare(found[b], found[a]), strings.Compare(a, b))
	})
	return similar[:min(len(similar), maxSimilar)]
}

// likeness is how a known value resembles another, the greater the closer.
type likeness int

const (
	unlike likeness = iota
	mistyped
	otherFormAndPort
	otherPort
	otherForm
)

// name is a value that has other forms, or may be mistyped, taken apart.
type name struct {
	text string
	// address, host and port are those of a device; host is the name as it is
	// written. An address has no folded name.
	address netip.Addr
	host    string
	port    uint16

	folded  []byte
	stem    []byte
	written notation
}

// readName takes a value of field apart and folds its name into buffer.
func readName(field, text string, buffer []byte) (name, bool) {
	n := name{text: strings.TrimSpace(text)}
	switch field {
	case FieldDevices:
		parsed, ok := parseDevice(n.text)
		if !ok {
			return name{}, false
		}
		n.address, n.host, n.port = parsed.address, parsed.name, parsed.port
		n.folded = appendFold(buffer, parsed.name)
		n.stem, n.written = hostForm(n.folded)
	case FieldUsers, FieldCredentials:
		n.folded = appendFold(buffer, n.text)
		n.stem, n.written = accountForm(n.folded)
	case FieldProtocols, FieldProxies:
		n.folded = appendFold(buffer, n.text)
		n.stem, n.written = n.folded, unqualified
	}
	return n, n.address.IsValid() || len(n.folded) > 0
}

func (n *name) compare(known *name) likeness {
	onAnotherPort := n.port != 0 && n.port != known.port
	switch {
	case n.address != known.address:
		return unlike
	case bytes.Equal(n.folded, known.folded):
		if onAnotherPort {
			return otherPort
		}
		return unlike // it is the value itself
	case n.written != known.written && bytes.Equal(n.stem, known.stem):
		if onAnotherPort {
			return otherFormAndPort
		}
		return otherForm
	case onAnotherPort && known.port != 0:
		return unlike
	case isTypingError(n.folded, known.folded):
		return mistyped
	}
	return unlike
}

// isTypingError reports whether typed is one edit away from known in a way that
// Similar counts as a typing error.
func isTypingError(typed, known []byte) bool {
	// Names of other lengths are told apart without the cost of a distance.
	if longer := len(typed) - len(known); max(longer, -longer) > utf8.UTFMax {
		return false
	}
	a, b := []rune(string(typed)), []rune(string(known))
	distance, start, tail := levenshtein.Calculate(a, b, 1, 1, 1, 1)
	if distance != 1 {
		return false
	}
	endA, endB := len(a)-tail, len(b)-tail
	// At most one rune of each.
	edited := string(a[start:endA]) + string(b[start:endB])
	switch {
	case strings.ContainsFunc(edited, unicode.IsDigit):
		return false
	case strings.ContainsFunc(edited, unicode.IsLetter) &&
		(isSingleLetter(around(a, start, endA, unicode.IsLetter)) || isSingleLetter(around(b, start, endB, unicode.IsLetter))):
		return false
	}
	meant := b
	if !strings.ContainsAny(edited, `\@`) {
		meant = around(b, start, endB, func(r rune) bool { return r != '\\' && r != '@' })
	}
	letters := 0
	for _, r := range meant {
		if unicode.IsLetter(r) {
			letters++
		}
	}
	return letters >= minLetters
}

// around widens text[start:end] by the runes before and after it that belong.
func around(text []rune, start, end int, belongs func(rune) bool) []rune {
	for start > 0 && belongs(text[start-1]) {
		start--
	}
	for end < len(text) && belongs(text[end]) {
		end++
	}
	return text[start:end]
}

func isSingleLetter(part []rune) bool { return len(part) == 1 && unicode.IsLetter(part[0]) }
