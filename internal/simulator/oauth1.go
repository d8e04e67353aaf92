package simulator

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // HMAC-SHA1 is what OAuth 1.0a and the contract, section 2, demand
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// OAuth1 is the one set of OAuth 1.0a credentials that is accepted.
type OAuth1 struct {
	ConsumerKey    string
	ConsumerSecret string
	TokenKey       string
	TokenSecret    string
	// RejectReplay refuses a nonce that was used before, as RFC 5849, section
	// 3.3, demands. Whether the product does is not documented.
	RejectReplay bool
}

type nonceStore struct {
	mu   sync.Mutex
	seen map[string]bool
}

// first reports whether the nonce is new, and remembers it.
func (n *nonceStore) first(nonce string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.seen[nonce] {
		return false
	}
	if n.seen == nil {
		n.seen = map[string]bool{}
	}
	n.seen[nonce] = true
	return true
}

// parameter is one name and value, decoded.
type parameter struct{ name, value string }

// verifySignature checks the parameters of an Authorization header against the
// request (RFC 5849, section 3.2).
func (s *Simulator) verifySignature(r *http.Request, header string, body []byte) bool {
	signed, ok := parseOAuthHeader(header)
	if !ok {
		return false
	}
	field := func(name string) string {
		for _, p := range signed {
			if p.name == name {
				return p.value
			}
		}
		return ""
	}
	known := s.config.OAuth1
	version := field("oauth_version")
	if field("oauth_consumer_key") != known.ConsumerKey || field("oauth_token") != known.TokenKey ||
		field("oauth_signature_method") != "HMAC-SHA1" || (version != "" && version != "1.0") ||
		field("oauth_timestamp") == "" || field("oauth_nonce") == "" {
		return false
	}
	parameters, ok := requestParameters(r, signed, body)
	if !ok {
		return false
	}
	want := signature(baseString(r.Method, baseURI(r), parameters), known.ConsumerSecret, known.TokenSecret)
	if !hmac.Equal([]byte(want), []byte(field("oauth_signature"))) {
		return false
	}
	return !known.RejectReplay || s.nonces.first(field("oauth_timestamp")+"&"+field("oauth_nonce"))
}

// parseOAuthHeader splits what follows the scheme (RFC 5849, section 3.5.1).
func parseOAuthHeader(header string) ([]parameter, bool) {
	var parameters []parameter
	for part := range strings.SplitSeq(header, ",") {
		name, quoted, found := strings.Cut(strings.TrimSpace(part), "=")
		value, opened := strings.CutPrefix(quoted, `"`)
		value, closed := strings.CutSuffix(value, `"`)
		if !found || !opened || !closed {
			return nil, false
		}
		decodedName, errName := url.PathUnescape(name)
		decodedValue, errValue := url.PathUnescape(value)
		if errName != nil || errValue != nil {
			return nil, false
		}
		parameters = append(parameters, parameter{decodedName, decodedValue})
	}
	return parameters, true
}

// requestParameters collects what is signed (RFC 5849, section 3.4.1.3.1).
func requestParameters(r *http.Request, signed []parameter, body []byte) ([]parameter, bool) {
	var parameters []parameter
	for _, p := range signed {
		if p.name != "realm" && p.name != "oauth_signature" {
			parameters = append(parameters, p)
		}
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, false
	}
	parameters = appendValues(parameters, query)
	if form, isForm := formOf(r, body); isForm {
		parameters = appendValues(parameters, form)
	}
	return parameters, true
}

func appendValues(parameters []parameter, values url.Values) []parameter {
	for name, all := range values {
		for _, value := range all {
			parameters = append(parameters, parameter{name, value})
		}
	}
	return parameters
}

// baseURI follows RFC 5849, section 3.4.1.2.
func baseURI(r *http.Request) string {
	scheme, defaultPort := "http", ":80"
	if r.TLS != nil {
		scheme, defaultPort = "https", ":443"
	}
	host := strings.TrimSuffix(strings.ToLower(r.Host), defaultPort)
	return scheme + "://" + host + r.URL.EscapedPath()
}

// baseString follows RFC 5849, sections 3.4.1.1 and 3.4.1.3.2.
func baseString(method, uri string, parameters []parameter) string {
	encoded := make([]parameter, 0, len(parameters))
	for _, p := range parameters {
		encoded = append(encoded, parameter{percentEncode(p.name), percentEncode(p.value)})
	}
	slices.SortFunc(encoded, func(a, b parameter) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.value, b.value))
	})
	pairs := make([]string, 0, len(encoded))
	for _, p := range encoded {
		pairs = append(pairs, p.name+"="+p.value)
	}
	return strings.ToUpper(method) + "&" + percentEncode(uri) + "&" + percentEncode(strings.Join(pairs, "&"))
}

// signature follows RFC 5849, section 3.4.2.
func signature(base, consumerSecret, tokenSecret string) string {
	mac := hmac.New(sha1.New, []byte(percentEncode(consumerSecret)+"&"+percentEncode(tokenSecret)))
	mac.Write([]byte(base))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// percentEncode follows RFC 5849, section 3.6, which differs from what net/url
// escapes.
func percentEncode(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}
