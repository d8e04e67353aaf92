package simulator_test

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/contract"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// documented returns the sessions that the bodies of a release show; empty is
// the newest.
func documented(release simulator.Release) []simulator.Session {
	at := func(text string) time.Time {
		t, err := time.Parse(time.DateTime, text)
		if err != nil {
			panic(err)
		}
		return t
	}
	const first, second = "3f1c9a0e5b7d2468ace013579bdf02468ace1357", "9b74c9897bac770ffc029102a200c5de1f0e8a31"
	if release == simulator.Release332 {
		operador := simulator.Session{
			RecordID: 540, SessionID: first, User: "Operador", OriginIP: "172.16.8.50", Credential: "svc_win",
			Device: "10.20.0.7:3389", Protocol: "rdp", Proxy: "RDP Proxy", ITSM: "CHG-1024",
			Start: at("2023-11-17 15:29:21"), End: at("2023-11-17 15:29:41"),
		}
		again := operador
		again.RecordID, again.SessionID, again.End = 541, second, at("2023-11-17 15:33:02")
		return []simulator.Session{operador, again}
	}
	jane := simulator.Session{
		RecordID: 3, SessionID: first, User: "jane.roe", OriginIP: "172.16.8.51", Credential: "root",
		Device: "10.20.0.9:22", Protocol: "ssh", Proxy: "Web Proxy",
		Start: at("2024-05-06 16:11:17"), End: at("2024-05-06 16:13:30"),
	}
	again := jane
	again.RecordID, again.SessionID, again.End = 6, second, at("2024-05-06 16:11:30")
	if release == "" {
		again.End = time.Time{}
	}
	return []simulator.Session{jane, again}
}

// TestDocumentedBodies compares what is sent with the body of the same name in
// the contract: keys, types and nesting, and where the document is consistent the
// values too.
func TestDocumentedBodies(t *testing.T) {
	t.Parallel()
	const (
		ended   = "3f1c9a0e5b7d2468ace013579bdf02468ace1357"
		pamList = "/api/pam/session/remotesessions"
		isoDrop = "/iso/session/drop/"
	)
	fault := func(kind simulator.Kind) func(*testing.T, *caller) reply {
		return func(t *testing.T, k *caller) reply {
			t.Helper()
			k.sim.Inject(simulator.Fault{Kind: kind})
			return k.list(t)
		}
	}
	path := func(method, path string) func(*testing.T, *caller) reply {
		return func(t *testing.T, k *caller) reply {
			t.Helper()
			return k.do(t, method, path)
		}
	}
	freshDrop := func(prefix string) func(*testing.T, *caller) reply {
		return func(t *testing.T, k *caller) reply {
			t.Helper()
			return k.do(t, http.MethodDelete, prefix+k.sim.Add(simulator.Sample(0)).SessionID)
		}
	}
	wrongSecret := func(t *testing.T, k *caller) reply {
		t.Helper()
		form := credentials()
		form.Set("client_secret", "wrong")
		return k.post(t, tokenPath, form)
	}
	anonymous := func(t *testing.T, k *caller) reply {
		t.Helper()
		k.token = ""
		return k.list(t)
	}
	tests := []struct {
		file      string
		status    int
		config    simulator.Config
		empty     bool // no sessions
		shapeOnly bool // the values of the document cannot be reproduced
		ask       func(*testing.T, *caller) reply
	}{
		{file: "token-http200", status: 200, shapeOnly: true, ask: func(t *testing.T, k *caller) reply {
			t.Helper()
			return k.post(t, tokenPath, credentials())
		}},
		{file: "token-invalid-client-message-http401", status: 401, ask: wrongSecret},
		{file: "token-invalid-client-description-http401", status: 401, config: simulator.Config{InvalidClientDescription: true}, ask: wrongSecret},
		{file: "bearer-denied-http401", status: 401, ask: anonymous},
		{file: "gateway-no-route-http404", status: 404, config: simulator.Config{GatewayDenies: true}, ask: anonymous},
		{file: "gateway-invalid-signature-http401", status: 401, ask: fault(simulator.InvalidSignature401)},
		{file: "inactive-authorization-http401", status: 401, ask: fault(simulator.InactiveAuthorization401)},
		{file: "referer-http500", status: 500, config: simulator.Config{Referers: []string{"https://allowed.example"}}, ask: path("GET", listPath)},
		{file: "lockdown-http503", status: 503, ask: fault(simulator.Lockdown503)},
		{file: "unexpected-http500", status: 500, ask: fault(simulator.Unexpected500)},
		{file: "error-flag-false-http400", status: 400, ask: fault(simulator.FlagFalse400)},
		{file: "flat-http404", status: 404, ask: fault(simulator.FlatNotFound404)},
		{file: "wrong-route-http404", status: 404, ask: path("GET", pamList)},
		// The second row of the document says 30 seconds where start and end say more.
		{file: "list-3.32", status: 200, config: simulator.Config{Release: simulator.Release332}, shapeOnly: true, ask: path("GET", listPath)},
		{file: "list-3.33-nested", status: 200, config: simulator.Config{Release: simulator.Release333}, ask: path("GET", pamList)},
		{file: "list-newest", status: 200, ask: path("GET", listPath)},
		{file: "list-empty", status: 200, empty: true, ask: path("GET", listPath)},
		{file: "get-3.32-plural", status: 200, config: simulator.Config{Release: simulator.Release332}, ask: path("GET", listPath+"/540")},
		{file: "get-3.33", status: 200, config: simulator.Config{Release: simulator.Release333}, ask: path("GET", pamList+"/6")},
		{file: "get-1002-not-found-http400", status: 400, ask: path("GET", listPath+"/77")},
		{file: "get-1003-wrong-identifier-http400", status: 400, ask: path("GET", listPath+"/"+ended)},
		{file: "drop-3.32-http200", status: 200, config: simulator.Config{Release: simulator.Release332}, ask: freshDrop(isoDrop)},
		{file: "drop-3.33-http200", status: 200, config: simulator.Config{Release: simulator.Release333}, ask: freshDrop(dropPath)},
		{file: "drop-newest-http200", status: 200, ask: freshDrop(dropPath)},
		{file: "drop-failed-http500", status: 500, ask: path("DELETE", dropPath+ended)},
	}
	covered := map[string]bool{}
	for _, tt := range tests {
		covered[tt.file+".json"] = true
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			k := login(t, tt.config)
			if !tt.empty {
				for _, v := range documented(tt.config.Release) {
					k.sim.Add(v)
				}
			}
			got := tt.ask(t, k)
			wantStatus(t, got, tt.status)
			if ct := got.header.Get("Content-Type"); ct != "application/json" {
				t.Errorf("content type %q", ct)
			}
			body, ok := contract.Bodies()[tt.file+".json"]
			if !ok {
				t.Fatal("no documented body has this name")
			}
			compare(t, got.value(t), decode(t, []byte(body)), tt.shapeOnly)
		})
	}
	for name := range contract.Bodies() {
		if !covered[name] {
			t.Errorf("%s has no row in this test", name)
		}
	}
}

func compare(t *testing.T, got, want any, shapeOnly bool) {
	t.Helper()
	if shapeOnly {
		got, want = shapeOf(got), shapeOf(want)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// shapeOf replaces every scalar by the name of its type.
func shapeOf(v any) any {
	switch v := v.(type) {
	case map[string]any:
		shape := map[string]any{}
		for key, value := range v {
			shape[key] = shapeOf(value)
		}
		return shape
	case []any:
		shape := make([]any, 0, len(v))
		for _, value := range v {
			shape = append(shape, shapeOf(value))
		}
		return shape
	default:
		return reflect.TypeOf(v)
	}
}

func TestLiveEnd(t *testing.T) {
	t.Parallel()
	const absent = "(absent)"
	tests := []struct {
		end  simulator.LiveEnd
		want []any // of the first rows
	}{
		{simulator.LiveEndNull, []any{nil, nil, nil, nil}},
		{simulator.LiveEndEmpty, []any{"", "", "", ""}},
		{simulator.LiveEndMissing, []any{absent, absent, absent, absent}},
		{simulator.LiveEndZero, []any{"0000-00-00 00:00:00", "0000-00-00 00:00:00", "0000-00-00 00:00:00", "0000-00-00 00:00:00"}},
		{simulator.LiveEnd2038, []any{"2038-01-19 03:14:07", "2038-01-19 03:14:07"}},
		{simulator.LiveEnd9999, []any{"9999-12-31 23:59:59", "9999-12-31 23:59:59"}},
		{"9999-12-31", []any{"9999-12-31"}},
		{simulator.LiveEndMixed, []any{"", absent, "0000-00-00 00:00:00", nil}},
	}
	for _, tt := range tests {
		t.Run(string(tt.end), func(t *testing.T) {
			t.Parallel()
			k := login(t, simulator.Config{LiveEnd: tt.end})
			k.sim.AddMany(len(tt.want), simulator.Sample)
			var got []any
			for _, row := range k.list(t).rows(t, "remote_sessions") {
				end, ok := row["end"]
				if !ok {
					end = absent
				}
				got = append(got, end)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			// A session that ends shows when, whatever it showed before.
			first := k.sim.Sessions()[0]
			k.sim.End(first.SessionID)
			after, _ := k.sim.Session(first.SessionID)
			if end := k.getFirst(t).rows(t, "remote_session")[0]["end"]; end != after.End.UTC().Format(time.DateTime) {
				t.Errorf("the end is %v, want %s", end, after.End)
			}
		})
	}
}

func TestRowValues(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("-03", -3*60*60)
	k := login(t, simulator.Config{Location: zone, NumericIDs: true})
	start := time.Date(2024, 5, 6, 1, 0, 0, 0, time.UTC)
	k.sim.Add(simulator.Session{
		RecordID: 9, User: "a\"b\\c\u00e9\n", PreventPurge: true, Request: "R-1",
		Start: start, End: start.Add(123*time.Hour + 4*time.Minute + 5*time.Second),
	})
	row := k.list(t).rows(t, "remote_sessions")[0]
	for key, want := range map[string]string{
		"user": "a\"b\\c\u00e9\n", "prevent_purge": "Yes", "request": "R-1",
		"start": "2024-05-05 22:00:00", "end": "2024-05-11 01:04:05", "time": "123:04:05",
	} {
		if row[key] != want {
			t.Errorf("%s is %q, want %q", key, row[key], want)
		}
	}
	if id := shapeOf(row["id"]); id != shapeOf(decode(t, []byte("9"))) {
		t.Errorf("id is a %v", id)
	}
}
