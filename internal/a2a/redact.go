package a2a

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/http/httpproxy"
)

const (
	redacted = "(redacted)"
	// maxTextBytes bounds a text from outside in an error: enough for any
	// documented message, and not a page of HTML.
	maxTextBytes = 500
	// maxSearchedBytes bounds what is searched for secrets. What a text has beyond
	// that is not shown, whatever is removed before.
	maxSearchedBytes = 4 * maxTextBytes
	// minSecretBytes is the length from which a configured value is searched for.
	// Shorter ones protect nothing, and removing them would garble every text.
	minSecretBytes = 4
)

// authorizationValue finds what follows the name of an authentication scheme,
// in case a server or proxy quotes a header that holds no secret known here,
// such as a token of an earlier run.
var authorizationValue = regexp.MustCompile(`(?i)\b(bearer|basic|oauth) +[A-Za-z0-9+/=._~"%,-]{8,}`)

// redactor removes secrets from texts that came from outside, however they are
// spelled there. The texts of this package hold none to begin with. Safe for
// concurrent use.
type redactor struct {
	configured []pattern

	mu     sync.Mutex
	tokens [maxTokens][]pattern
	next   int
}

// maxTokens is how many access tokens are searched for, the newest. A token is
// replaced when it has ended or was refused, so one that has been replaced as
// often as this opens nothing; and authorizationValue finds it in a header.
const maxTokens = 8

// add makes an access token known.
func (r *redactor) add(token string) {
	patterns := patternsOf(token)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tokens[r.next%maxTokens] = patterns
	r.next++
}

// newRedactor knows every secret of cfg, which is valid.
func newRedactor(cfg *Config) *redactor {
	secrets := []string{cfg.ClientSecret}
	if o := cfg.OAuth1; o != nil {
		secrets = append(secrets, o.ConsumerKey, o.ConsumerSecret, o.TokenKey, o.TokenSecret)
	}
	for _, value := range cfg.Headers {
		secrets = append(secrets, value)
	}
	for _, proxy := range []string{cfg.ProxyURL, httpproxy.FromEnvironment().HTTPSProxy} {
		secrets = append(secrets, proxySecrets(proxy)...)
	}
	r := &redactor{}
	for _, secret := range secrets {
		r.configured = append(r.configured, patternsOf(secret)...)
	}
	return r
}

// proxySecrets gives the secrets in the URL of a proxy. The
// environment may leave out the scheme.
func proxySecrets(proxy string) []string {
	if !strings.Contains(proxy, "://") {
		proxy = "http://" + proxy
	}
	u, err := url.Parse(proxy)
	if err != nil || u.User == nil {
		return nil
	}
	password, _ := u.User.Password()
	// The credentials travel as base64 of both.
	return []string{password, u.User.Username() + ":" + password, u.User.String()}
}

// clean makes one line of s for people, without control characters.
func clean(s string) string {
	s = strings.Map(func(c rune) rune {
		if visible(c) < 0 {
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

// visible is what clean makes of a character, -1 for nothing.
func visible(c rune) rune {
	switch {
	case unicode.IsSpace(c):
		return ' '
	case unicode.IsControl(c) || !unicode.IsGraphic(c):
		return -1
	}
	return c
}

// text cleans a text from outside for people: no secret, no control character,
// one line, bounded.
func (r *redactor) text(s string) string {
	s = clean(s)
	found := newSearch(s[:startOfRune(s, maxSearchedBytes)], len(s) > maxSearchedBytes)
	for _, patterns := range r.known() {
		for _, p := range patterns {
			found.find(p)
		}
	}
	var b strings.Builder
	for i, secret := range found.secret {
		switch {
		case !secret:
			b.WriteByte(s[i])
		case i == 0 || !found.secret[i-1]:
			b.WriteString(redacted)
		}
	}
	return shorten(strings.TrimSpace(authorizationValue.ReplaceAllString(b.String(), "$1 "+redacted)))
}

// known returns the patterns of all known secrets.
func (r *redactor) known() [][]pattern {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([][]pattern{r.configured}, r.tokens[:]...)
}

// shorten cuts s between two characters.
func shorten(s string) string {
	if len(s) <= maxTextBytes {
		return s
	}
	return s[:startOfRune(s, maxTextBytes)] + "…"
}

// startOfRune returns the last place in s, at most i, at which a character begins
// or s ends.
func startOfRune(s string, i int) int {
	i = min(i, len(s))
	for i > 0 && i < len(s) && !utf8.RuneStart(s[i]) {
		i--
	}
	return i
}

// cause cleans the text of err and keeps what errors.Is and errors.As find in
// it. The URL that net/http puts around every error is removed: Error has the
// path.
func (r *redactor) cause(err error) error {
	if err == nil {
		return nil
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return &redactedError{text: r.text(err.Error()), err: err}
}
