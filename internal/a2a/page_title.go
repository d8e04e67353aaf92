package a2a

import (
	"html"
	"regexp"
	"strings"
)

// maxTitleBytes is how far into a page its title is searched for.
const maxTitleBytes = 64 << 10

var titleElement = regexp.MustCompile(`(?is)<title(?:\s[^>]*)?>(.*?)</title\s*>`)

// pageTitle returns the title of an HTML page on one line, "" where it has none.
// It is a text from outside: it may hold a secret, and it is not shortened.
func pageTitle(body []byte) string {
	title := titleElement.FindSubmatch(body[:min(len(body), maxTitleBytes)])
	if title == nil {
		return ""
	}
	return strings.Join(strings.Fields(html.UnescapeString(string(title[1]))), " ")
}
