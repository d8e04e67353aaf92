package a2a

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/contract"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// bodyCase is one documented body as the answer to one operation.
type bodyCase struct {
	file   string
	op     string
	status int
	class  error
	code   int
	// message is a part of the message.
	message string
	gateway bool
	rows    []session.Session
}

// documentedBodies has a row for every body of the contract, for each operation
// that it can answer.
func documentedBodies(t *testing.T) []bodyCase {
	t.Helper()
	old := session.Session{
		ID: "3f1c9a0e5b7d2468ace013579bdf02468ace1357", RecordID: "540", User: "Operador", Credential: "svc_win",
		Device: "10.20.0.7:3389", Protocol: "rdp", Proxy: "RDP Proxy", OriginIP: "172.16.8.50",
		StartedAt: utc(t, "2023-11-17 15:29:21"), EndedAt: utc(t, "2023-11-17 15:29:41"),
	}
	second := old
	second.ID, second.RecordID = "9b74c9897bac770ffc029102a200c5de1f0e8a31", "541"
	second.EndedAt = utc(t, "2023-11-17 15:33:02")
	ended := session.Session{
		ID: "3f1c9a0e5b7d2468ace013579bdf02468ace1357", RecordID: "3", User: "jane.roe", Credential: "root",
		Device: "10.20.0.9:22", Protocol: "ssh", Proxy: "Web Proxy", OriginIP: "172.16.8.51",
		StartedAt: utc(t, "2024-05-06 16:11:17"), EndedAt: utc(t, "2024-05-06 16:13:30"),
	}
	six := ended
	six.ID, six.RecordID = "9b74c9897bac770ffc029102a200c5de1f0e8a31", "6"
	six.EndedAt = utc(t, "2024-05-06 16:11:30")
	live := six
	live.EndedAt = session.Session{}.EndedAt

	return []bodyCase{
		{file: "list-3.32.json", op: OpList, status: 200, rows: []session.Session{old, second}},
		{file: "list-3.33-nested.json", op: OpList, status: 200, rows: []session.Session{ended, six}},
		{file: "list-newest.json", op: OpList, status: 200, rows: []session.Session{ended, live}},
		{file: "list-empty.json", op: OpList, status: 200},
		{file: "list-empty.json", op: OpGet, status: 200, class: session.ErrNotFound, message: "holds no session"},
		{file: "get-3.33.json", op: OpGet, status: 200, rows: []session.Session{six}},
		{file: "get-3.32-plural.json", op: OpGet, status: 200, class: session.ErrRejected, message: `about session "540", not "6"`},
		{file: "get-1002-not-found-http400.json", op: OpGet, status: 400, class: session.ErrNotFound, code: 1002, message: "1002: Session not found"},
		{file: "get-1002-not-found-http400.json", op: OpList, status: 400, class: session.ErrRejected, code: 1002},
		{file: "get-1002-not-found-http400.json", op: OpDrop, status: 400, class: session.ErrRefused, code: 1002},
		{file: "get-1003-wrong-identifier-http400.json", op: OpGet, status: 400, class: session.ErrIdentifier, code: 1003},
		{file: "get-1003-wrong-identifier-http400.json", op: OpDrop, status: 400, class: session.ErrRefused, code: 1003},
		{file: "drop-3.32-http200.json", op: OpDrop, status: 200},
		{file: "drop-3.33-http200.json", op: OpDrop, status: 200},
		{file: "drop-newest-http200.json", op: OpDrop, status: 200},
		{file: "drop-newest-http200.json", op: OpList, status: 200, class: session.ErrTransient, message: "no list of sessions"},
		{file: "drop-newest-http200.json", op: OpGet, status: 200, class: session.ErrTransient, message: "no list of sessions"},
		{file: "drop-failed-http500.json", op: OpDrop, status: 500, class: session.ErrRefused, code: 1, message: "droping"},
		{file: "drop-failed-http500.json", op: OpGet, status: 500, class: session.ErrTransient, code: 1},
		{file: "error-flag-false-http400.json", op: OpDrop, status: 400, class: session.ErrRefused, message: "Invalid request"},
		{file: "error-flag-false-http400.json", op: OpGet, status: 400, class: session.ErrRejected},
		{file: "error-flag-false-http400.json", op: OpList, status: 400, class: session.ErrRejected},
		{file: "flat-http404.json", op: OpGet, status: 404, class: session.ErrNotFound, code: 1001, message: "Agent not found"},
		{file: "flat-http404.json", op: OpDrop, status: 404, class: session.ErrRefused, code: 1001},
		{file: "flat-http404.json", op: OpList, status: 404, class: session.ErrRejected, code: 1001},
		{file: "wrong-route-http404.json", op: OpGet, status: 404, class: session.ErrWrongRoute, code: 4, message: "Resource sub not found"},
		{file: "wrong-route-http404.json", op: OpList, status: 404, class: session.ErrWrongRoute, code: 4},
		{file: "wrong-route-http404.json", op: OpDrop, status: 404, class: session.ErrWrongRoute, code: 4},
		{file: "wrong-route-http404.json", op: OpToken, status: 404, class: session.ErrWrongRoute, code: 4},
		{file: "gateway-no-route-http404.json", op: OpGet, status: 404, class: session.ErrWrongRoute, gateway: true, message: "no Route matched"},
		{file: "gateway-no-route-http404.json", op: OpList, status: 404, class: session.ErrWrongRoute, gateway: true},
		{file: "gateway-no-route-http404.json", op: OpDrop, status: 404, class: session.ErrWrongRoute, gateway: true},
		{file: "gateway-no-route-http404.json", op: OpToken, status: 404, class: session.ErrWrongRoute, gateway: true},
		{file: "gateway-invalid-signature-http401.json", op: OpList, status: 401, class: session.ErrUnauthenticated, message: "Invalid signature"},
		{file: "gateway-invalid-signature-http401.json", op: OpDrop, status: 403, class: session.ErrUnauthenticated},
		{file: "bearer-denied-http401.json", op: OpList, status: 401, class: session.ErrUnauthenticated, message: "access_denied"},
		{file: "bearer-denied-http401.json", op: OpDrop, status: 401, class: session.ErrUnauthenticated},
		{file: "inactive-authorization-http401.json", op: OpList, status: 401, class: session.ErrInactive, code: 1, message: "Inactive authorization"},
		{file: "inactive-authorization-http401.json", op: OpDrop, status: 401, class: session.ErrInactive, code: 1},
		{file: "inactive-authorization-http401.json", op: OpToken, status: 401, class: session.ErrInactive, code: 1},
		{file: "referer-http500.json", op: OpList, status: 500, class: session.ErrReferer, code: 1105},
		{file: "referer-http500.json", op: OpDrop, status: 500, class: session.ErrReferer, code: 1105},
		{file: "referer-http500.json", op: OpToken, status: 500, class: session.ErrReferer, code: 1105},
		{file: "lockdown-http503.json", op: OpGet, status: 503, class: session.ErrLockdown, code: 100, message: "under Lockdown until 09/08/2027 22:54:00"},
		{file: "lockdown-http503.json", op: OpDrop, status: 503, class: session.ErrLockdown, code: 100, message: "09/08/2027"},
		{file: "lockdown-http503.json", op: OpToken, status: 503, class: session.ErrLockdown, code: 100},
		{file: "unexpected-http500.json", op: OpList, status: 500, class: session.ErrTransient, code: 500, message: "Unexpected error"},
		{file: "unexpected-http500.json", op: OpDrop, status: 500, class: session.ErrUnknownOutcome, code: 500},
		{file: "unexpected-http500.json", op: OpToken, status: 500, class: session.ErrTransient, code: 500},
		{file: "token-http200.json", op: OpToken, status: 200},
		{file: "token-invalid-client-message-http401.json", op: OpToken, status: 401, class: session.ErrUnauthenticated, message: "Client authentication failed"},
		{file: "token-invalid-client-description-http401.json", op: OpToken, status: 401, class: session.ErrUnauthenticated, message: "invalid_client"},
	}
}

func TestDocumentedBodies(t *testing.T) {
	t.Parallel()
	for _, tc := range documentedBodies(t) {
		t.Run(tc.op+" "+tc.file, func(t *testing.T) {
			t.Parallel()
			tc.check(t)
		})
	}
}

func (tc *bodyCase) check(t *testing.T) {
	t.Helper()
	p := &pam{handler: answering(tc.status, readBody(t, tc.file))}
	if tc.op == OpToken {
		p.answerToken, p.handler = p.handler, answering(200, readBody(t, "list-empty.json"))
	}
	c := inMemory(t, p, nil)
	var rows []session.Session
	var err error
	switch tc.op {
	case OpList, OpToken:
		rows, err = collect(t.Context(), c)
	case OpGet:
		var row session.Session
		if row, err = c.Session(t.Context(), testRecord); err == nil {
			rows = []session.Session{row}
		}
	case OpDrop:
		err = c.Drop(t.Context(), testID)
	}
	if diff := cmp.Diff(tc.rows, rows); diff != "" {
		t.Errorf("sessions (-want +got):\n%s", diff)
	}
	if tc.class == nil {
		if err != nil {
			t.Errorf("unexpected error: %v", err)
		}
		return
	}
	wantClass(t, err, tc.class)
	e := asError(t, err)
	if e.Op != tc.op || e.Status != tc.status || e.Code != tc.code || e.Gateway != tc.gateway {
		t.Errorf("op %q, status %d, code %d, gateway %v; want %q, %d, %d, %v",
			e.Op, e.Status, e.Code, e.Gateway, tc.op, tc.status, tc.code, tc.gateway)
	}
	if !strings.Contains(e.Message, tc.message) {
		t.Errorf("message %q lacks %q", e.Message, tc.message)
	}
}

// TestEveryBodyIsTested fails when a body has no row above.
func TestEveryBodyIsTested(t *testing.T) {
	t.Parallel()
	tested := map[string]bool{}
	for _, tc := range documentedBodies(t) {
		tested[tc.file] = true
	}
	for name := range contract.Bodies() {
		if !tested[name] {
			t.Errorf("no row for %s", name)
		}
	}
}

// TestPluralSession: release 3.32 answers "get one" with the key of the list.
func TestPluralSession(t *testing.T) {
	t.Parallel()
	c := inMemory(t, &pam{handler: answering(http.StatusOK, readBody(t, "get-3.32-plural.json"))}, nil)
	got, err := c.Session(t.Context(), "540")
	if err != nil {
		t.Fatal(err)
	}
	if got.Credential != "svc_win" || got.Device != "10.20.0.7:3389" || got.Live() {
		t.Errorf("got %+v", got)
	}
}
