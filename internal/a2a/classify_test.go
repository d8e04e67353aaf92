package a2a

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

const (
	htmlPage    = "<html><body><h1>Bad Gateway</h1></body></html>"
	flagged     = `{"response":{"status":200,"error":true,"error_code":1,"message":"failed"}}`
	unreadable  = `{"code":200,"response":{"status":200,"err`
	permissions = `{"code":500,"response":{"status":500,"message":"You are not authorized to access this resource","error":true,"error_code":1}}`
)

// TestClassify is section 5 of the contract, for the answers that have no body
// of their own in the contract. Nil is success.
func TestClassify(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		status int
		body   string
		drop   error
		get    error
		list   error
	}{
		{"success without a body", 200, "", nil, session.ErrTransient, session.ErrTransient},
		{"no content", 204, "", nil, session.ErrTransient, session.ErrTransient},
		{"blank body", 200, " \n", nil, session.ErrTransient, session.ErrTransient},
		{"object without an envelope", 200, "{}", session.ErrUnknownOutcome, session.ErrTransient, session.ErrTransient},
		{"message without an envelope", 200, `{"message":"ok"}`, session.ErrUnknownOutcome, session.ErrTransient, session.ErrTransient},
		{"array", 200, "[]", session.ErrUnknownOutcome, session.ErrTransient, session.ErrTransient},
		{"HTML in place of JSON", 200, htmlPage, session.ErrUnknownOutcome, session.ErrTransient, session.ErrTransient},
		{"cut in the middle", 200, unreadable, session.ErrUnknownOutcome, session.ErrTransient, session.ErrTransient},
		{"two objects", 200, `{"code":200}{"code":200}`, session.ErrUnknownOutcome, session.ErrTransient, session.ErrTransient},
		{"error flag under 200", 200, flagged, session.ErrRefused, session.ErrRejected, session.ErrRejected},
		{"Portuguese flag under 200", 200, `{"response":{"status":200,"erro":true}}`, session.ErrRefused, session.ErrRejected, session.ErrRejected},
		{"flag as a number", 200, `{"response":{"status":200,"error":1}}`, session.ErrRefused, session.ErrRejected, session.ErrRejected},
		{"flag as a text", 200, `{"response":{"status":"200","error":"true"}}`, session.ErrRefused, session.ErrRejected, session.ErrRejected},
		{"flags that disagree", 200, `{"response":{"status":200,"error":false,"erro":true}}`, session.ErrRefused, session.ErrRejected, session.ErrRejected},
		{"flat flag", 200, `{"code":200,"error":true}`, session.ErrRefused, session.ErrRejected, session.ErrRejected},
		{"flag that is an object", 200, `{"error":{"x":1}}`, session.ErrRefused, session.ErrRejected, session.ErrRejected},
		{"clean flags of other types", 200, `{"response":{"status":"200","error":"false","erro":0},"remote_session":[],"remote_sessions":[]}`, nil, session.ErrNotFound, nil},
		{"clean empty flag", 200, `{"code":"200","error":"","remote_sessions":[]}`, nil, session.ErrNotFound, nil},
		{"code without response", 200, `{"code":200,"remote_sessions":[]}`, nil, session.ErrNotFound, nil},
		{"code as a float", 200, `{"code":200.0,"remote_sessions":[]}`, nil, session.ErrNotFound, nil},
		{"BOM", 200, "\ufeff" + `{"code":200,"remote_sessions":[]}`, nil, session.ErrNotFound, nil},
		{"status that is no number", 200, `{"response":{"status":"OK"},"remote_sessions":[]}`, session.ErrRefused, session.ErrRejected, session.ErrRejected},
		{"envelope status 400", 200, `{"response":{"status":400,"error":false}}`, session.ErrRefused, session.ErrRejected, session.ErrRejected},
		{"envelope code 404", 200, `{"code":404,"error":false}`, session.ErrRefused, session.ErrNotFound, session.ErrRejected},
		{"envelope status 500", 200, `{"response":{"status":500,"error":true,"error_code":1,"message":"An error occurred while droping session"}}`, session.ErrRefused, session.ErrTransient, session.ErrTransient},
		{"envelope unexpected error", 200, `{"response":{"status":500,"error":true,"message":"Unexpected error."}}`, session.ErrUnknownOutcome, session.ErrTransient, session.ErrTransient},
		{"envelope not found under 200", 200, `{"response":{"status":400,"error":true},"exception":{"code":"1002"}}`, session.ErrRefused, session.ErrNotFound, session.ErrRejected},
		{"envelope wrong route under 200", 200, `{"response":{"status":404,"error":true,"error_code":4}}`, session.ErrWrongRoute, session.ErrWrongRoute, session.ErrWrongRoute},
		{"referer code under 200", 200, `{"response":{"status":200,"error":true,"error_code":1105}}`, session.ErrReferer, session.ErrReferer, session.ErrReferer},
		{"lockdown code under 200", 200, `{"response":{"status":200,"error":true,"error_code":100}}`, session.ErrLockdown, session.ErrLockdown, session.ErrLockdown},
		{"permission text under 200", 200, `{"response":{"status":200,"error":true,"error_code":1,"message":"You are not authorized to access this resource"}}`, session.ErrPermission, session.ErrPermission, session.ErrPermission},

		{"token refused by a page", 401, htmlPage, session.ErrUnauthenticated, session.ErrUnauthenticated, session.ErrUnauthenticated},
		{"token refused without a body", 401, "", session.ErrUnauthenticated, session.ErrUnauthenticated, session.ErrUnauthenticated},
		{"invalid signature as 403", 403, `{"message":"Invalid signature"}`, session.ErrUnauthenticated, session.ErrUnauthenticated, session.ErrUnauthenticated},
		{"inactive in Portuguese", 401, `{"code":401,"response":{"status":401,"mensagem":"Autorização inativa","erro":true}}`, session.ErrInactive, session.ErrInactive, session.ErrInactive},
		{"forbidden", 403, `{"code":403,"error":true}`, session.ErrPermission, session.ErrPermission, session.ErrPermission},
		{"forbidden by a page", 403, htmlPage, session.ErrPermission, session.ErrPermission, session.ErrPermission},
		{"permission text", 500, permissions, session.ErrPermission, session.ErrPermission, session.ErrPermission},
		{"permission text in Portuguese", 500, `{"response":{"status":500,"mensagem":"Você não está autorizado a acessar este recurso","erro":true}}`, session.ErrPermission, session.ErrPermission, session.ErrPermission},

		{"not found as a page", 404, htmlPage, session.ErrWrongRoute, session.ErrWrongRoute, session.ErrWrongRoute},
		{"not found without a body", 404, "", session.ErrWrongRoute, session.ErrWrongRoute, session.ErrWrongRoute},
		{"not found with another code", 404, `{"code":404,"response":{"status":404,"error":true,"error_code":1}}`, session.ErrRefused, session.ErrNotFound, session.ErrRejected},
		{"wrong route in words", 404, `{"code":404,"response":{"status":404,"error":true,"message":"Resource sub not found"}}`, session.ErrWrongRoute, session.ErrWrongRoute, session.ErrWrongRoute},
		{"words of a wrong route beside another code", 404, `{"code":404,"message":"Resource sub not found","error":true,"error_code":1001}`, session.ErrRefused, session.ErrNotFound, session.ErrRejected},
		{"invalid signature as 500", 500, `{"message":"Invalid signature"}`, session.ErrUnauthenticated, session.ErrUnauthenticated, session.ErrUnauthenticated},
		{"words of a signature under success", 200, `{"code":200,"message":"Invalid signature","remote_sessions":[]}`, nil, session.ErrNotFound, nil},
		{"error code 4 without 404", 400, `{"response":{"status":400,"error":true,"error_code":4}}`, session.ErrRefused, session.ErrRejected, session.ErrRejected},
		{"text 1002 without its code", 400, `{"response":{"status":400,"error":true,"error_code":1,"message":"1002: Session not found"}}`, session.ErrRefused, session.ErrRejected, session.ErrRejected},
		{"flat 1002", 400, `{"code":400,"message":"x","error":true,"error_code":1002}`, session.ErrRefused, session.ErrNotFound, session.ErrRejected},
		{"code 1002 under 500", 500, `{"response":{"status":500,"error":true},"exception":{"code":1002}}`, session.ErrRefused, session.ErrTransient, session.ErrTransient},

		{"bad request as a page", 400, htmlPage, session.ErrUnknownOutcome, session.ErrTransient, session.ErrTransient},
		{"conflict", 409, `{"code":409,"error":true}`, session.ErrRefused, session.ErrRejected, session.ErrRejected},
		{"proxy wants a password", 407, htmlPage, session.ErrRejected, session.ErrRejected, session.ErrRejected},
		{"request timeout", 408, "", session.ErrUnknownOutcome, session.ErrTransient, session.ErrTransient},
		{"request timeout with an envelope", 408, `{"code":408,"error":true}`, session.ErrUnknownOutcome, session.ErrTransient, session.ErrTransient},
		{"too many requests", 429, "", session.ErrTransient, session.ErrTransient, session.ErrTransient},
		{"internal error without an envelope", 500, htmlPage, session.ErrUnknownOutcome, session.ErrTransient, session.ErrTransient},
		{"internal error of a gateway", 500, `{"message":"An unexpected error occurred"}`, session.ErrUnknownOutcome, session.ErrTransient, session.ErrTransient},
		{"not implemented", 501, `{"code":501,"error":true}`, session.ErrUnknownOutcome, session.ErrTransient, session.ErrTransient},
		{"bad gateway", 502, htmlPage, session.ErrUnknownOutcome, session.ErrTransient, session.ErrTransient},
		{"unavailable", 503, "", session.ErrUnknownOutcome, session.ErrTransient, session.ErrTransient},
		{"unavailable with another code", 503, `{"response":{"status":503,"error":true,"error_code":1}}`, session.ErrUnknownOutcome, session.ErrTransient, session.ErrTransient},
		{"lockdown text without its code", 503, `{"message":"senhasegura is under Lockdown"}`, session.ErrUnknownOutcome, session.ErrTransient, session.ErrTransient},
		{"gateway timeout", 504, htmlPage, session.ErrUnknownOutcome, session.ErrTransient, session.ErrTransient},
		{"moved", 301, "", session.ErrRejected, session.ErrRejected, session.ErrRejected},
	} {
		want := map[string]error{OpDrop: tc.drop, OpGet: tc.get, OpList: tc.list}
		for _, o := range operations {
			t.Run(tc.name+"/"+o.name, func(t *testing.T) {
				t.Parallel()
				p := &pam{handler: answering(tc.status, tc.body)}
				err := o.run(t.Context(), inMemory(t, p, nil))
				if want[o.op] == nil {
					if err != nil {
						t.Errorf("unexpected error: %v", err)
					}
					return
				}
				wantClass(t, err, want[o.op])
				if got := asError(t, err).Status; got != tc.status {
					t.Errorf("status %d, want %d", got, tc.status)
				}
			})
		}
	}
}

func TestClassifyToken(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		status int
		body   string
		want   error
	}{
		{"lower-case type and life as a text", 200, `{"token_type":"bearer","expires_in":"3600","access_token":"abcdefgh"}`, nil},
		{"without a life", 200, `{"token_type":"Bearer","access_token":"abcdefgh"}`, nil},
		{"BOM", 200, "\ufeff" + `{"access_token":"abcdefgh"}`, nil},
		{"no token", 200, `{"token_type":"Bearer"}`, session.ErrTransient},
		{"empty token", 200, `{"access_token":""}`, session.ErrTransient},
		{"token of another type", 200, `{"access_token":17}`, session.ErrTransient},
		{"life that is no number", 200, `{"access_token":"abcdefgh","expires_in":{}}`, nil},
		{"life as a float", 200, `{"access_token":"abcdefgh","expires_in":3600.5}`, nil},
		{"life with an exponent", 200, `{"access_token":"abcdefgh","expires_in":3.6e3}`, nil},
		{"life beyond every number", 200, `{"access_token":"abcdefgh","expires_in":1e999}`, nil},
		{"life beyond 64 bits", 200, `{"access_token":"abcdefgh","expires_in":99999999999999999999}`, nil},
		{"negative life", 200, `{"access_token":"abcdefgh","expires_in":-1}`, nil},
		{"clean flags", 200, `{"code":200,"error":false,"access_token":"abcdefgh"}`, nil},
		{"failure flag beside a token", 200, `{"code":200,"error":true,"access_token":"abcdefgh"}`, session.ErrRejected},
		{"page", 200, htmlPage, session.ErrTransient},
		{"nothing", 204, "", session.ErrTransient},
		{"client error under 200", 200, `{"error":"invalid_client"}`, session.ErrUnauthenticated},
		{"client error under 400", 400, `{"error":"invalid_client"}`, session.ErrUnauthenticated},
		{"client may not", 400, `{"error":"unauthorized_client"}`, session.ErrUnauthenticated},
		{"tenant is missing", 400, `{"error":"invalid_request","error_description":"tenant"}`, session.ErrUnauthenticated},
		{"forbidden", 403, `{"message":"forbidden"}`, session.ErrUnauthenticated},
		{"page of a gateway that wants a certificate", 400, htmlPage, session.ErrUnauthenticated},
		{"conflict", 409, `{"code":409,"error":true}`, session.ErrUnauthenticated},
		{"refusal in words under 500", 500, `{"message":"Client authentication failed"}`, session.ErrUnauthenticated},
		{"refusal in words under 200", 200, `{"error":true,"message":"Client authentication failed"}`, session.ErrUnauthenticated},
		{"inactive", 401, `{"code":401,"error":true,"message":"Inactive authorization"}`, session.ErrInactive},
		{"lockdown", 503, `{"error":true,"error_code":100}`, session.ErrLockdown},
		{"referer", 500, `{"error":true,"error_code":1105}`, session.ErrReferer},
		{"request timeout", 408, "", session.ErrTransient},
		{"wrong route in words", 404, `{"message":"Resource sub not found"}`, session.ErrWrongRoute},
		{"page of a web server", 404, htmlPage, session.ErrWrongRoute},
		{"moved", 302, "", session.ErrRejected},
		{"bad gateway", 502, htmlPage, session.ErrTransient},
		{"too many", 429, "", session.ErrTransient},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := &pam{answerToken: answering(tc.status, tc.body), handler: answering(204, "")}
			err := inMemory(t, p, nil).Drop(t.Context(), testID)
			if tc.want == nil {
				if err != nil {
					t.Errorf("unexpected error: %v", err)
				}
				return
			}
			wantClass(t, err, tc.want)
			if e := asError(t, err); e.Op != OpToken {
				t.Errorf("op %q, want %q", e.Op, OpToken)
			}
			if n := p.count(http.MethodDelete); n != 0 {
				t.Errorf("%d drops were sent without a token", n)
			}
		})
	}
}

// TestWrongContentType: the type that a server claims decides nothing about
// sessions.
func TestWrongContentType(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{"text/html", "text/plain; charset=latin1", "application/x-www-form-urlencoded", ";;"} {
		t.Run(contentType, func(t *testing.T) {
			t.Parallel()
			p := &pam{handler: claiming(contentType, readBody(t, "list-newest.json"))}
			all, err := collect(t.Context(), inMemory(t, p, nil))
			if err != nil || len(all) != 2 {
				t.Errorf("%d sessions, %v", len(all), err)
			}
		})
	}
}

// TestContentTypeOfToken: the OAuth library reads JSON unless the server claims a
// form, as RFC 6749 has it. Then the error names the cause, and is not repeated.
func TestContentTypeOfToken(t *testing.T) {
	t.Parallel()
	for contentType, usable := range map[string]bool{
		"application/json": true, "text/html": true, ";;": true, "text/plain": false, "application/x-www-form-urlencoded": false,
	} {
		p := &pam{answerToken: claiming(contentType, readBody(t, "token-http200.json")), handler: answering(204, "")}
		err := inMemory(t, p, func(cfg *Config) { cfg.MaxRetries = 3 }).Drop(t.Context(), testID)
		if usable {
			if err != nil {
				t.Errorf("%s: %v", contentType, err)
			}
			continue
		}
		wantClass(t, err, session.ErrRejected)
		if !strings.Contains(err.Error(), "another type than application/json") || strings.Contains(err.Error(), "example.example") {
			t.Errorf("error %q", err)
		}
		p.wantRequests(t, "POST "+tokenPath)
	}
}

func claiming(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

func TestMessageNamesTheTypeOfAPage(t *testing.T) {
	t.Parallel()
	p := &pam{handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte(htmlPage))
	}}
	err := inMemory(t, p, nil).Drop(t.Context(), testID)
	if !strings.Contains(err.Error(), "not a JSON object, but text/html") {
		t.Errorf("error %q", err)
	}
}

// TestEachDropIsJudgedByItsOwnAnswer, whatever came before it on the connection.
func TestEachDropIsJudgedByItsOwnAnswer(t *testing.T) {
	t.Parallel()
	success, failure := readBody(t, "drop-newest-http200.json"), readBody(t, "drop-failed-http500.json")
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(success)+1))
		_, _ = io.WriteString(w, success)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	answers := []struct {
		name   string
		handle http.HandlerFunc
		want   error
	}{
		{"success", answering(200, success), nil},
		{"success after a BOM", answering(200, "\xef\xbb\xbf"+success), nil},
		{"empty", answering(204, ""), nil},
		{"success without its last byte", answering(200, strings.TrimRight(success, "\n}")), session.ErrUnknownOutcome},
		{"success that breaks off", cut, session.ErrUnknownOutcome},
		{"success under 502", answering(502, success), session.ErrUnknownOutcome},
		{"success under 404", answering(404, success), session.ErrRefused},
		{"failure", answering(500, failure), session.ErrRefused},
		{"failure under 200", answering(200, failure), session.ErrRefused},
		{"failure under 502", answering(502, failure), session.ErrUnknownOutcome},
		{"page", answering(200, "<html></html>"), session.ErrUnknownOutcome},
	}
	for _, first := range answers {
		for _, second := range answers {
			t.Run(first.name+", then "+second.name, func(t *testing.T) {
				t.Parallel()
				var drops atomic.Int32
				c := overNetwork(t, &pam{handler: func(w http.ResponseWriter, r *http.Request) {
					if drops.Add(1) == 1 {
						first.handle(w, r)
						return
					}
					second.handle(w, r)
				}}, nil)
				for _, want := range []error{first.want, second.want, second.want} {
					err := c.Drop(t.Context(), testID)
					if want != nil {
						wantClass(t, err, want)
					} else if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
}

// TestFailedKeepsTheCause: what broke a response off stays recognizable.
func TestFailedKeepsTheCause(t *testing.T) {
	t.Parallel()
	c := inMemory(t, &pam{}, nil)
	got := c.failed(request{call: &call{op: OpList}, url: c.base}, &answer{status: http.StatusOK, header: http.Header{}, err: io.ErrUnexpectedEOF}, session.ErrTransient)
	if !errors.Is(got, session.ErrTransient) || !errors.Is(got, io.ErrUnexpectedEOF) {
		t.Errorf("%v is not both a transient failure and an unexpected end", got)
	}
}

func TestIsPageOfGateway(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status int
		body   string
		want   bool
	}{
		{400, htmlPage, true},
		{499, htmlPage, true},
		{399, htmlPage, false},
		{500, htmlPage, false},
		{404, htmlPage, false},
		{429, htmlPage, false},
		{400, "", false},
		{400, " \n", false},
		{400, flagged, false},
	} {
		a := &answer{status: tc.status, body: []byte(tc.body), env: parseEnvelope([]byte(tc.body))}
		if got := a.isPageOfGateway(); got != tc.want {
			t.Errorf("HTTP %d %q: %t", tc.status, tc.body, got)
		}
	}
}
