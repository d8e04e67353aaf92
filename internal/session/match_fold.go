package session

import (
	"unicode"
	"unicode/utf8"
)

// foldBuffer is the size of the buffers on the stack in which a field is
// folded; longer fields are compared correctly, at the price of an allocation.
const foldBuffer = 128

// appendFold appends s so that two results are equal exactly where
// strings.EqualFold holds for their sources. Lower case would not do: "ſ" and
// "S", or the Kelvin sign and "k", are equal without case and differ in lower
// case. The smallest member of the rune's fold orbit stands for all of them.
func appendFold(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			return appendFoldRunes(dst, s[i:])
		}
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

func appendFoldRunes(dst []byte, s string) []byte {
	for _, r := range s {
		dst = utf8.AppendRune(dst, smallestFold(r))
	}
	return dst
}

func smallestFold(r rune) rune {
	smallest := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		smallest = min(smallest, next)
	}
	return smallest
}
