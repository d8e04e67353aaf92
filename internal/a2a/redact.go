package a2a

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

const (
	redacted = "(redacted)"
	// maxTextBytes bounds a text from outside in an error: enough for any
	// documented message, and not a page of HTML.
	maxTextBytes = 500
	// minSecretBytes is the length from which a configured value is looked for.
	// Shorter ones protect nothing, and removing them would garble every text.
	minSecretBytes = 4
)

// authorizationValue finds what follows the name of an authentication scheme,
// in case a server or proxy quotes a header that holds no secret known here,
// such as a token of an earlier run.
var authorizationValue = regexp.MustCompile(`(?i)\b(bearer|basic|oauth) +[A-Za-z0-9+/=._~"%,-]{8,}`)

// redactor removes secrets from texts that came from outside. The texts of this
// package hold none to begin with. Safe for concurrent use.
type redactor struct {
	mu sync.RWMutex
	// known holds the longest first, so that a secret that begins another does
	// not leave the rest of it.
	known    []string
	replacer *strings.Replacer
}

// add makes secrets known, in the forms in which they can come back.
func (r *redactor) add(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, secret := range secrets {
		if len(secret) < minSecretBytes {
			continue
		}
		r.known = append(r.known,
			secret,
			url.QueryEscape(secret),
			url.PathEscape(secret),
			base64.StdEncoding.EncodeToString([]byte(secret)),
		)
	}
	slices.SortFunc(r.known, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	r.known = slices.Compact(r.known)
	pairs := make([]string, 0, 2*len(r.known))
	for _, secret := range r.known {
		pairs = append(pairs, secret, redacted)
	}
	r.replacer = strings.NewReplacer(pairs...)
}

// newRedactor knows every secret of cfg, which is valid.
func newRedactor(cfg *Config) *redactor {
	r := &redactor{}
	r.add(cfg.ClientSecret)
	if o := cfg.OAuth1; o != nil {
		r.add(o.ConsumerKey, o.ConsumerSecret, o.TokenKey, o.TokenSecret)
	}
	for _, value := range cfg.Headers {
		r.add(value)
	}
	if proxy, err := url.Parse(cfg.ProxyURL); err == nil {
		r.addUserinfo(proxy.User)
	}
	return r
}

func (r *redactor) addUserinfo(user *url.Userinfo) {
	if user == nil {
		return
	}
	password, _ := user.Password()
	// A proxy's credentials travel as base64 of both.
	r.add(password, user.Username()+":"+password, user.String())
}

// text cleans a text from outside for people: no secret, no control character,
// one line, bounded.
func (r *redactor) text(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	r.mu.RLock()
	if r.replacer != nil {
		s = r.replacer.Replace(s)
	}
	r.mu.RUnlock()
	s = authorizationValue.ReplaceAllString(s, "$1 "+redacted)
	s = strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) {
			return ' '
		}
		if unicode.IsControl(c) || !unicode.IsGraphic(c) {
			return -1
		}
		return c
	}, s)
	return shorten(strings.TrimSpace(s))
}

// shorten cuts s between two characters.
func shorten(s string) string {
	if len(s) <= maxTextBytes {
		return s
	}
	cut := maxTextBytes
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// cause cleans the text of err and keeps what errors.Is and errors.As find in
// it. The URL that net/http puts around every error is dropped: Error has the
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
