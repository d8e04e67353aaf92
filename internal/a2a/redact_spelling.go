package a2a

import (
	"html"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// spelling reads a text with its escapes undone depth times: those of URLs (%2F
// and +), of JSON, JavaScript and Go (\/, \n, \x2f, \u002f), and of HTML (&amp;,
// &#38;, &#x26;). Twice is HTML in JSON, or a URL in a URL.
type spelling struct {
	text  string
	depth int
}

// at returns the character that begins at text[i:] and where it ends. Its methods
// below return an end of -1 where there is no escape of their kind.
func (sp spelling) at(i int) (c rune, end int) {
	if sp.depth == 0 {
		c, size := utf8.DecodeRuneInString(sp.text[i:])
		return c, i + size
	}
	inner := spelling{sp.text, sp.depth - 1}
	c, end = inner.at(i)
	unescaped, after := c, -1
	switch c {
	case '+':
		return ' ', end
	case '%':
		unescaped, after = inner.bytes(i)
	case '\\':
		unescaped, after = inner.backslash(i)
	case '&':
		unescaped, after = inner.ampersand(end)
	}
	if after < 0 {
		return c, end
	}
	return unescaped, after
}

// bytes is for a character whose bytes are written as %XX or \xXX from i on.
func (sp spelling) bytes(i int) (c rune, end int) {
	var utf []byte
	var ends []int
	for !utf8.FullRune(utf) {
		mark, next := sp.at(i)
		if mark == '\\' {
			mark, next = sp.at(next)
		}
		b, after := sp.number(next, 16, 2, 2)
		if after < 0 || mark != '%' && mark != 'x' {
			break
		}
		utf, ends, i = append(utf, byte(b)), append(ends, after), after //nolint:gosec // two digits make a byte
	}
	if len(utf) == 0 {
		return 0, -1
	}
	c, size := utf8.DecodeRune(utf)
	return c, ends[size-1]
}

// backslash is for an escape whose backslash is at i.
func (sp spelling) backslash(i int) (c rune, end int) {
	_, end = sp.at(i)
	c, end = sp.at(end)
	switch c {
	case 'x':
		return sp.bytes(i)
	case 'u':
		return sp.utf16(end)
	case 'U':
		return sp.number(end, 16, 8, 8)
	case 'n', 'r', 't', 'v', 'f':
		return ' ', end
	case 'a', 'b':
		return '\a', end
	}
	if unicode.IsLetter(c) || unicode.IsDigit(c) {
		return 0, -1
	}
	return c, end
}

// utf16 is for what follows \u: one number, or the two of a surrogate pair.
func (sp spelling) utf16(i int) (c rune, end int) {
	c, end = sp.number(i, 16, 4, 4)
	if end < 0 || !utf16.IsSurrogate(c) {
		return c, end
	}
	if mark, next := sp.at(end); mark == '\\' {
		if mark, next = sp.at(next); mark == 'u' {
			low, after := sp.number(next, 16, 4, 4)
			if pair := utf16.DecodeRune(c, low); after > 0 && pair != utf8.RuneError {
				return pair, after
			}
		}
	}
	return utf8.RuneError, end
}

// ampersand is for what follows an ampersand. Browsers take a number without its
// semicolon too.
func (sp spelling) ampersand(i int) (c rune, end int) {
	if mark, next := sp.at(i); mark == '#' {
		if x, digits := sp.at(next); x == 'x' || x == 'X' {
			c, end = sp.number(digits, 16, 1, 7)
		} else {
			c, end = sp.number(next, 10, 1, 9)
		}
		if end > 0 {
			if mark, next := sp.at(end); mark == ';' {
				end = next
			}
		}
		return c, end
	}
	name := []rune{'&'}
	for len(name) < len("&CounterClockwiseContourIntegral;") {
		c, i = sp.at(i)
		name = append(name, c)
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			break
		}
	}
	entity := html.UnescapeString(string(name))
	c, size := utf8.DecodeRuneInString(entity)
	if size != len(entity) {
		return 0, -1
	}
	return c, i
}

// number reads least to most digits from i on.
func (sp spelling) number(i int, base rune, least, most int) (value rune, end int) {
	n := 0
	for ; n < most; n++ {
		c, next := sp.at(i)
		digit := base
		switch lower := unicode.ToLower(c); {
		case c >= '0' && c <= '9':
			digit = c - '0'
		case lower >= 'a' && lower <= 'f':
			digit = lower - 'a' + 10
		}
		if digit >= base {
			break
		}
		value, i = value*base+digit, next
	}
	if n < least {
		return 0, -1
	}
	return value, i
}
