package simulator

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

type tokenStore struct {
	mu     sync.Mutex
	valid  map[string]time.Time // by token, the expiry
	issued []string
}

// RevokeTokens makes every token issued so far invalid.
func (s *Simulator) RevokeTokens() {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	s.tokens.valid = nil
}

// IssuedTokens returns every token ever issued, oldest first, so that a test can
// search logs, state and errors for them.
func (s *Simulator) IssuedTokens() []string {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	return append([]string(nil), s.tokens.issued...)
}

func (t *tokenStore) issue(now time.Time, lifetime time.Duration) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for token, expiry := range t.valid {
		if !now.Before(expiry) {
			delete(t.valid, token)
		}
	}
	if t.valid == nil {
		t.valid = map[string]time.Time{}
	}
	token := newToken()
	t.valid[token] = now.Add(lifetime)
	t.issued = append(t.issued, token)
	return token
}

func (t *tokenStore) accepts(token string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	expiry, ok := t.valid[token]
	return ok && now.Before(expiry)
}

// newToken has the form of a JWT, as real tokens have, and no content.
func newToken() string {
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"JWT"}`))
	return header + "." + rand.Text() + "." + rand.Text()
}

// issueToken serves the token endpoint: a form-encoded POST with the credentials
// in the body (contract, section 2).
func (s *Simulator) issueToken(r *http.Request, body []byte) answer {
	form, ok := formOf(r, body)
	if !ok {
		return jsonAnswer(http.StatusBadRequest, oauthFailure{
			Error:   "invalid_request",
			Message: "The request is missing a required parameter, includes an invalid parameter value, includes a parameter more than once, or is otherwise malformed.",
			Hint:    "Check the content type",
		})
	}
	if form.Get("grant_type") != "client_credentials" {
		return jsonAnswer(http.StatusBadRequest, oauthFailure{
			Error:   "unsupported_grant_type",
			Message: "The authorization grant type is not supported by the authorization server.",
			Hint:    "Check that all required parameters have been provided",
		})
	}
	if !s.clientMatches(r, form) {
		return s.invalidClient()
	}
	tokenType := "Bearer"
	if s.config.LowerCaseTokenType {
		tokenType = "bearer"
	}
	return jsonAnswer(http.StatusOK, struct {
		TokenType   string `json:"token_type"`
		ExpiresIn   int64  `json:"expires_in"`
		AccessToken string `json:"access_token"`
	}{tokenType, int64(s.config.TokenLifetime / time.Second), s.tokens.issue(s.config.Now(), s.config.TokenLifetime)})
}

// formOf reads the body alone: credentials in the query do not count.
func formOf(r *http.Request, body []byte) (url.Values, bool) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/x-www-form-urlencoded" {
		return nil, false
	}
	form, err := url.ParseQuery(string(body))
	return form, err == nil
}

func (s *Simulator) clientMatches(r *http.Request, form url.Values) bool {
	if s.config.Tenant != "" && form.Get("tenant") != s.config.Tenant {
		return false
	}
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if basicID, basicSecret, ok := r.BasicAuth(); ok && s.config.BasicAuth {
		// RFC 6749, section 2.3.1: both are form-encoded before they are joined.
		decodedID, errID := url.QueryUnescape(basicID)
		decodedSecret, errSecret := url.QueryUnescape(basicSecret)
		if errID != nil || errSecret != nil {
			return false
		}
		id, secret = decodedID, decodedSecret
	}
	return id == s.config.ClientID && secret == s.config.ClientSecret
}

func (s *Simulator) invalidClient() answer {
	const message = "Client authentication failed"
	status := cmp.Or(s.config.InvalidClientStatus, http.StatusUnauthorized)
	if s.config.InvalidClientEnvelope {
		return jsonAnswer(status, failure(status, message, 1))
	}
	failed := oauthFailure{Error: "invalid_client", Message: message}
	if s.config.InvalidClientDescription {
		failed.Description = message
	}
	return jsonAnswer(status, failed)
}

// authenticate admits a bearer token or, where configured, an OAuth 1.0a
// signature, and returns the answer to a request that has neither.
func (s *Simulator) authenticate(r *http.Request, body []byte) (denied answer, ok bool) {
	scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case strings.EqualFold(scheme, "OAuth") && s.config.OAuth1 != nil:
		if s.verifySignature(r, credentials, body) {
			return answer{}, true
		}
		return invalidSignature(), false
	case strings.EqualFold(scheme, "Bearer") && s.tokens.accepts(strings.TrimSpace(credentials), s.config.Now()):
		return answer{}, true
	}
	if s.config.GatewayDenies {
		return gatewayNoRoute(), false
	}
	return bearerDenied(), false
}
