package simulator

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// The requests and credentials are the examples of RFC 5849, sections 1.2 and
// 3.4.1.1.

func TestBaseStringOfRFC5849(t *testing.T) {
	t.Parallel()
	body := "c2&a3=2+q"
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost,
		"http://EXAMPLE.com:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	signed, ok := parseOAuthHeader(`realm="Example",
		oauth_consumer_key="9djdj82h48djs9d2", oauth_token="kkk9d7dh3k39sjv7",
		oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131201",
		oauth_nonce="7d8f3e4a", oauth_signature="bYT5CMsGcbgUdFHObYMEfcx6bsw%3D"`)
	if !ok {
		t.Fatal("the header was not understood")
	}
	parameters, ok := requestParameters(r, signed, []byte(body))
	if !ok {
		t.Fatal("the parameters were not understood")
	}
	const want = "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D" +
		"%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a" +
		"%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
	if got := baseString(r.Method, baseURI(r), parameters); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSignatureOfRFC5849(t *testing.T) {
	t.Parallel()
	printer := OAuth1{ConsumerKey: "dpf43f3p2l4k3l03", ConsumerSecret: "kd94hf93k423kf44"}
	withToken := printer
	withToken.TokenKey, withToken.TokenSecret = "nnch734d00sl2jdk", "pfkkdhi9sl3r4s00"
	const (
		photos  = "http://photos.example.net/photos?file=vacation.jpg&size=original"
		initial = `realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_signature_method="HMAC-SHA1", ` +
			`oauth_timestamp="137131200", oauth_nonce="wIjqoS", oauth_callback="http%3A%2F%2Fprinter.example.com%2Fready", ` +
			`oauth_signature="74KNZJeDHnMBp0EMJ9ZHt%2FXKycU%3D"`
		access = `realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_token="nnch734d00sl2jdk", oauth_signature_method="HMAC-SHA1", ` +
			`oauth_timestamp="137131202", oauth_nonce="chapoH", oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D"`
	)
	changed := func(from, to string) string {
		header := strings.Replace(access, from, to, 1)
		if header == access {
			t.Fatalf("%q is not in the header", from)
		}
		return header
	}
	otherSecret := withToken
	otherSecret.TokenSecret = "other"
	tests := []struct {
		name        string
		known       OAuth1
		method, url string
		header      string
		want        bool
	}{
		{"temporary credentials", printer, http.MethodPost, "https://photos.example.net/initiate", initial, true},
		{"resource", withToken, http.MethodGet, photos, access, true},
		{"version given", withToken, http.MethodGet, photos, access + `, oauth_version="1.0"`, false}, // it was not signed
		{"other secret", otherSecret, http.MethodGet, photos, access, false},
		{"other method", withToken, http.MethodDelete, photos, access, false},
		{"other path", withToken, http.MethodGet, "http://photos.example.net/other?file=vacation.jpg&size=original", access, false},
		{"other query", withToken, http.MethodGet, "http://photos.example.net/photos?file=other.jpg&size=original", access, false},
		{"other consumer", withToken, http.MethodGet, photos, changed("dpf43f3p2l4k3l03", "x"), false},
		{"other token", withToken, http.MethodGet, photos, changed("nnch734d00sl2jdk", "x"), false},
		{"other nonce", withToken, http.MethodGet, photos, changed("chapoH", "x"), false},
		{"other signature method", withToken, http.MethodGet, photos, changed("HMAC-SHA1", "PLAINTEXT"), false},
		{"other signature", withToken, http.MethodGet, photos, changed("MdpQ", "ndpQ"), false},
		{"no quotes", withToken, http.MethodGet, photos, changed(`"chapoH"`, "chapoH"), false},
		{"empty", withToken, http.MethodGet, photos, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			known := tt.known
			s := New(Config{OAuth1: &known})
			r := httptest.NewRequestWithContext(t.Context(), tt.method, tt.url, http.NoBody)
			if strings.HasPrefix(tt.url, "https") {
				r.TLS = &tls.ConnectionState{}
			}
			if got := s.verifySignature(r, tt.header, nil); got != tt.want {
				t.Errorf("verified: %t, want %t", got, tt.want)
			}
		})
	}
}

// TestSignedRequest goes through the whole handler, with and without the replay
// of a nonce.
func TestSignedRequest(t *testing.T) {
	t.Parallel()
	for name, reject := range map[string]bool{"replay accepted": false, "replay rejected": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			known := OAuth1{ConsumerKey: "ck", ConsumerSecret: "cs&", TokenKey: "tk", TokenSecret: "ts", RejectReplay: reject}
			s := New(Config{OAuth1: &known})
			status := func(nonce string) int {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "http://pam.example/api/pam/session/drop/a%2Fb", http.NoBody)
				fields := [...]parameter{
					{"oauth_consumer_key", "ck"},
					{"oauth_token", "tk"},
					{"oauth_signature_method", "HMAC-SHA1"},
					{"oauth_timestamp", "1"},
					{"oauth_nonce", nonce},
					{"oauth_version", "1.0"},
				}
				header := "OAuth "
				for _, f := range fields {
					header += f.name + `="` + f.value + `", `
				}
				signed := signature(baseString(r.Method, baseURI(r), fields[:]), "cs&", "ts")
				r.Header.Set("Authorization", header+`oauth_signature="`+url.QueryEscape(signed)+`"`)
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				return w.Code
			}
			// The session is unknown, so a request that is let in is answered 500.
			want := http.StatusInternalServerError
			if got := status("one"); got != want {
				t.Errorf("first: %d, want %d", got, want)
			}
			if reject {
				want = http.StatusUnauthorized
			}
			if got := status("one"); got != want {
				t.Errorf("repeated nonce: %d, want %d", got, want)
			}
		})
	}
}
