package a2a

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// pattern is the characters of a secret, or of its base64, to search for.
type pattern struct {
	characters []rune
	base64     bool
}

// patternsOf gives none for a secret that is too short to be searched for. Of a
// very long one the beginning is enough: the rest is in no text that is searched.
func patternsOf(secret string) []pattern {
	plain := clean(secret)
	if len(plain) < minSecretBytes {
		return nil
	}
	patterns := []pattern{{characters: []rune(plain[:startOfRune(plain, maxSearchedBytes+utf8.UTFMax)])}}
	secret = secret[:min(len(secret), maxSearchedBytes)]
	// Where a secret is a part of what was encoded, a group of three bytes may
	// begin at any of its first three. The characters that other bytes have a part
	// in are left out.
	for before := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), secret...))
		own := encoded[(8*before+5)/6 : 8*(before+len(secret))/6]
		patterns = append(patterns, pattern{characters: []rune(own), base64: true})
	}
	return patterns
}

// takes reports whether c may be the character of index n.
func (p pattern) takes(n int, c rune) bool {
	if p.base64 && c == '-' {
		c = '+'
	}
	if p.base64 && c == '_' {
		c = '/'
	}
	return p.characters[n] == c
}

const base64Characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_="

// search finds secrets in one text. It follows all ways to read the text at
// once, so that its time grows with the lengths of text and secret alone.
type search struct {
	text string
	// characters are those that may begin at each byte of text, by how often
	// escapes are undone.
	characters [][maxDepth + 1]character
	// cut is true where the text was longer: its end may be a part of a secret.
	cut bool
	// secret is the result: whether a byte is part of one.
	secret []bool

	visited []int
	round   int
}

const (
	// maxDepth is how often a secret may have been escaped.
	maxDepth = 2
	// maxEscapeBytes is how long a character may be that was cut.
	maxEscapeBytes = 40
)

// character is one as visible gives it, and where it ends.
type character struct {
	c   rune
	end int
}

// spot is a place in the text to which a pattern that begins at start has come.
type spot struct{ place, start int }

// newSearch begins a search in text, which is clean.
func newSearch(text string, cut bool) *search {
	s := &search{
		text: text, cut: cut,
		characters: make([][maxDepth + 1]character, len(text)), secret: make([]bool, len(text)), visited: make([]int, len(text)+1),
	}
	for i := range text {
		for depth := range s.characters[i] {
			c, end := spelling{text, depth}.at(i)
			s.characters[i][depth] = character{visible(c), end}
		}
	}
	return s
}

// find marks every occurrence of p.
func (s *search) find(p pattern) {
	if len(p.characters) > len(s.text) && !s.cut {
		return
	}
	var spots, next []spot
	s.round++
	for i := range s.text {
		for _, ch := range s.characters[i] {
			if p.takes(0, ch.c) {
				spots = s.reach(spots, spot{ch.end, i}, ch.c)
			}
		}
	}
	for n := 1; n < len(p.characters) && len(spots) > 0; n++ {
		next = next[:0]
		s.round++
		for _, at := range spots {
			if s.cut && n >= minSecretBytes && len(s.text)-at.place < maxEscapeBytes {
				s.mark(at.start, len(s.text))
			}
			if at.place == len(s.text) {
				continue
			}
			for _, ch := range s.characters[at.place] {
				if p.takes(n, ch.c) {
					next = s.reach(next, spot{ch.end, at.start}, ch.c)
				}
			}
		}
		spots, next = next, spots
	}
	for _, at := range spots {
		end := at.place
		for p.base64 && end < len(s.text) && strings.IndexByte(base64Characters, s.text[end]) >= 0 {
			end++
		}
		s.mark(at.start, end)
	}
}

// reach adds a spot behind the character c, and those behind what says nothing
// there: what clean leaves out or makes one of several, and what others put in
// the place of a character.
func (s *search) reach(spots []spot, at spot, c rune) []spot {
	k := len(spots)
	spots = s.visit(spots, at)
	for ; k < len(spots); k++ {
		if spots[k].place == len(s.text) {
			continue
		}
		for _, ch := range s.characters[spots[k].place] {
			if ch.c < 0 || ch.c == utf8.RuneError || ch.c == ' ' && c == ' ' {
				spots = s.visit(spots, spot{ch.end, at.start})
			}
		}
	}
	return spots
}

func (s *search) visit(spots []spot, at spot) []spot {
	if s.visited[at.place] == s.round {
		return spots
	}
	s.visited[at.place] = s.round
	return append(spots, at)
}

func (s *search) mark(start, end int) {
	for i := start; i < end; i++ {
		s.secret[i] = true
	}
}
