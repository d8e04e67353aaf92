package session

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxIDLength bounds an identifier far above the 40 characters seen, and far
// below what a proxy accepts as a request line.
const maxIDLength = 512

// ValidateID reports why id cannot be the ID of a session, or nil. The format
// is not guaranteed (contract, section 1), so it only refuses what could never
// be one path segment: the empty string, blanks at either end, control and
// invalid characters, and empty and dot segments in any spelling, which servers
// resolve to another path even when they are escaped. The error matches
// ErrIdentifier.
func ValidateID(id string) error {
	if isPlainID(id) {
		return nil
	}
	reason := ""
	switch {
	case id == "":
		reason = "it must not be empty"
	case len(id) > maxIDLength:
		reason = fmt.Sprintf("it has %d bytes, more than %d", len(id), maxIDLength)
	case !utf8.ValidString(id):
		reason = "it must be valid UTF-8"
	case strings.TrimSpace(id) != id:
		reason = "it must not start or end with white space"
	case strings.ContainsFunc(id, func(r rune) bool { return unicode.IsControl(r) || !unicode.IsGraphic(r) }):
		reason = "it must not contain control characters or invisible characters"
	case hasUnstableSegment(id):
		reason = `it must not contain an empty, ".", or ".." path segment`
	}
	if reason == "" {
		return nil
	}
	return fmt.Errorf("%w: %q: %s", ErrIdentifier, id, reason)
}

// isPlainID is true of identifiers in the usual forms, hexadecimal and UUID,
// which a drain validates by the thousand.
func isPlainID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return id != "" && len(id) <= maxIDLength
}

// hasUnstableSegment decodes percent escapes as often as there are any, because a
// chain of proxies may do the same.
func hasUnstableSegment(id string) bool {
	for {
		for segment := range strings.SplitSeq(strings.ReplaceAll(id, `\`, "/"), "/") {
			if segment == "" || segment == "." || segment == ".." {
				return true
			}
		}
		decoded := unescape(id)
		if decoded == id {
			return false
		}
		id = decoded
	}
}

// unescape decodes the valid percent escapes of s once and leaves the others as
// they are, unlike net/url, which fails on the first invalid one.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if decoded, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				b.Write(decoded)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// ValidateRecordID reports why id cannot be the record ID that "get one" takes, or
// nil. senhasegura would answer a number with leading zeros with another text than
// was asked for. The error matches ErrIdentifier.
func ValidateRecordID(id string) error {
	digits := id != "" && len(id) <= 20 && !strings.ContainsFunc(id, func(r rune) bool { return r < '0' || r > '9' })
	if !digits || len(id) > 1 && id[0] == '0' {
		return fmt.Errorf("%w: %q: a record ID has 1 to 20 digits and no leading zero", ErrIdentifier, id)
	}
	return nil
}
