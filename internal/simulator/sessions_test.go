package simulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// direct calls the handler without a socket. It returns the status, 0 for a cut
// line.
func direct(sim *simulator.Simulator, r *http.Request) (status int, body string) {
	defer func() {
		if cut := recover(); cut != nil && cut != http.ErrAbortHandler { //nolint:errorlint // a recovered value, compared as net/http does
			panic(cut)
		}
	}()
	w := httptest.NewRecorder()
	sim.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func directDrop(t *testing.T, sim *simulator.Simulator, sessionID string) int {
	t.Helper()
	form := httptest.NewRequestWithContext(t.Context(), http.MethodPost, tokenPath, strings.NewReader(credentials().Encode()))
	form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if status, body := direct(sim, form); status != http.StatusOK {
		t.Fatalf("token: %d %s", status, body)
	}
	tokens := sim.IssuedTokens()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodDelete, dropPath+url.PathEscape(sessionID), http.NoBody)
	r.Header.Set("Authorization", "Bearer "+tokens[len(tokens)-1])
	status, _ := direct(sim, r)
	return status
}

func TestDropEndsAtOnce(t *testing.T) {
	t.Parallel()
	k := login(t, simulator.Config{})
	v := k.sim.Add(simulator.Sample(0))
	wantState(t, k.sim, v.SessionID, simulator.StateLive)
	wantStatus(t, k.drop(t, v.SessionID), http.StatusOK)
	wantState(t, k.sim, v.SessionID, simulator.StateEnded)
	row := k.getFirst(t).rows(t, "remote_session")[0]
	if end, ok := row["end"].(string); !ok || end == "" {
		t.Errorf("get one shows the end %v", row["end"])
	}
	wantStatus(t, k.drop(t, v.SessionID), http.StatusInternalServerError)
	wantStatus(t, k.drop(t, "unknown"), http.StatusInternalServerError)
	if after, _ := k.sim.Session(v.SessionID); after.Drops != 1 {
		t.Errorf("%d drops were acted on, want 1: the second found it ended", after.Drops)
	}
}

func TestDropEndsAfterDelay(t *testing.T) {
	t.Parallel()
	now := newClock()
	sim := simulator.New(simulator.Config{EndDelay: 3 * time.Second, Now: now.read})
	slow := sim.Add(simulator.Sample(0))
	slower := sim.Add(simulator.Session{Behavior: simulator.Behavior{EndDelay: 5 * time.Second}})
	quick := sim.Add(simulator.Session{Behavior: simulator.Behavior{EndDelay: -1}})
	dropped := now.read()
	for _, v := range []simulator.Session{slow, slower, quick, slow} {
		if status := directDrop(t, sim, v.SessionID); status != http.StatusOK {
			t.Fatalf("drop of %d: %d", v.RecordID, status)
		}
	}
	wantState(t, sim, quick.SessionID, simulator.StateEnded)
	wantState(t, sim, slow.SessionID, simulator.StateEnding)
	now.advance(3*time.Second - 1)
	wantState(t, sim, slow.SessionID, simulator.StateEnding)
	now.advance(1)
	wantState(t, sim, slow.SessionID, simulator.StateEnded)
	wantState(t, sim, slower.SessionID, simulator.StateEnding)
	now.advance(time.Hour)
	wantState(t, sim, slower.SessionID, simulator.StateEnded)
	// The end is when it happened, not of the next read.
	if after, _ := sim.Session(slower.SessionID); !after.End.Equal(dropped.Add(5 * time.Second)) {
		t.Errorf("ended %s after the drop, want 5s", after.End.Sub(dropped))
	}
}

func TestBehavior(t *testing.T) {
	t.Parallel()
	const ok, failed = http.StatusOK, http.StatusInternalServerError
	tests := []struct {
		name     string
		behavior simulator.Behavior
		statuses []int // of successive drops
		state    simulator.State
	}{
		{"zombie", simulator.Behavior{Zombie: true}, []int{ok, ok, ok}, simulator.StateLive},
		{"refuses", simulator.Behavior{Refuse: true}, []int{failed, failed, failed}, simulator.StateLive},
		{"refuses the first two", simulator.Behavior{RefuseFirst: 2}, []int{failed, failed, ok, failed}, simulator.StateEnded},
		{"ignores the first two", simulator.Behavior{IgnoreFirst: 2}, []int{ok, ok, ok, failed}, simulator.StateEnded},
		{"ignored twice is live", simulator.Behavior{IgnoreFirst: 2}, []int{ok, ok}, simulator.StateLive},
		{"ending accepts again", simulator.Behavior{EndDelay: time.Hour}, []int{ok, ok}, simulator.StateEnding},
		{"ending refuses", simulator.Behavior{EndDelay: time.Hour, RefuseWhileEnding: true}, []int{ok, failed}, simulator.StateEnding},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := login(t, simulator.Config{})
			v := k.sim.Add(simulator.Session{Behavior: tt.behavior})
			for _, want := range tt.statuses {
				wantStatus(t, k.drop(t, v.SessionID), want)
			}
			wantState(t, k.sim, v.SessionID, tt.state)
		})
	}
}

func TestSetBehavior(t *testing.T) {
	t.Parallel()
	k := login(t, simulator.Config{})
	v := k.sim.Add(simulator.Session{Behavior: simulator.Behavior{Refuse: true}})
	wantStatus(t, k.drop(t, v.SessionID), http.StatusInternalServerError)
	if !k.sim.SetBehavior(v.SessionID, simulator.Behavior{}) {
		t.Fatal("the session is not known")
	}
	wantStatus(t, k.drop(t, v.SessionID), http.StatusOK)
	wantState(t, k.sim, v.SessionID, simulator.StateEnded)
	if k.sim.SetBehavior("unknown", simulator.Behavior{}) {
		t.Error("an unknown session was found")
	}
}

func TestHiddenAndDuplicate(t *testing.T) {
	t.Parallel()
	k := login(t, simulator.Config{})
	hidden := k.sim.Add(simulator.Session{Behavior: simulator.Behavior{Hidden: true}})
	double := k.sim.Add(simulator.Session{Behavior: simulator.Behavior{Duplicate: true}})
	rows := k.list(t).rows(t, "remote_sessions")
	if len(rows) != 2 {
		t.Fatalf("%d rows, want 2", len(rows))
	}
	for _, row := range rows {
		if row["session_id"] != double.SessionID {
			t.Errorf("the list shows %v", row["session_id"])
		}
	}
	wantStatus(t, k.getFirst(t), http.StatusBadRequest)
	wantStatus(t, k.drop(t, hidden.SessionID), http.StatusOK)
	wantState(t, k.sim, hidden.SessionID, simulator.StateEnded)
}

// shown is what rows say of sessions: number, id, and whether they are live.
func shown(rows []map[string]any) []string {
	var texts []string
	for _, row := range rows {
		texts = append(texts, fmt.Sprintf("%v %v %t", row["id"], row["session_id"], row["end"] == nil))
	}
	return texts
}

// TestSharedSessionID: an ended and two live records of one session id. A drop
// is for the live ones.
func TestSharedSessionID(t *testing.T) {
	t.Parallel()
	k := login(t, simulator.Config{})
	shared := simulator.Behavior{SharedID: true}
	ended := k.sim.Add(simulator.Session{SessionID: "one", Start: time.Unix(0, 0), End: time.Unix(60, 0)})
	k.sim.Add(simulator.Session{SessionID: "one", Behavior: shared})
	k.sim.Add(simulator.Session{SessionID: "other"})
	k.sim.Add(simulator.Session{SessionID: "one", Behavior: simulator.Behavior{SharedID: true, RefuseFirst: 1}})

	want := []string{"1 one false", "2 one true", "3 other true", "4 one true"}
	if got := shown(k.list(t).rows(t, "remote_sessions")); !slices.Equal(got, want) {
		t.Errorf("the list shows %q, want %q", got, want)
	}
	if got := shown(k.getFirst(t).rows(t, "remote_session")); !slices.Equal(got, want[:1]) {
		t.Errorf("get one shows %q, want %q", got, want[:1])
	}
	wantState(t, k.sim, "one", simulator.StateLive)

	// The second record ends, the fourth refuses.
	wantStatus(t, k.drop(t, "one"), http.StatusInternalServerError)
	want = []string{"1 one false", "2 one false", "3 other true", "4 one true"}
	if got := shown(k.list(t).rows(t, "remote_sessions")); !slices.Equal(got, want) {
		t.Errorf("after a drop the list shows %q, want %q", got, want)
	}
	wantState(t, k.sim, "one", simulator.StateLive)
	wantStatus(t, k.drop(t, "one"), http.StatusOK)
	wantState(t, k.sim, "one", simulator.StateEnded)
	wantStatus(t, k.drop(t, "one"), http.StatusInternalServerError)
	if got := k.sim.Sessions(); !got[0].End.Equal(ended.End) || got[0].Drops != 0 || got[1].Drops != 1 || got[3].Drops != 2 {
		t.Errorf("sessions %+v", got)
	}
	wantState(t, k.sim, "other", simulator.StateLive)

	k.sim.Purge("one")
	if got := shown(k.list(t).rows(t, "remote_sessions")); !slices.Equal(got, []string{"3 other true"}) {
		t.Errorf("after the purge the list shows %q", got)
	}
	wantStatus(t, k.getFirst(t), http.StatusBadRequest)
}

// TestSharedIDControls: what a test does to a session id, it does to every
// record.
func TestSharedIDControls(t *testing.T) {
	t.Parallel()
	k := login(t, simulator.Config{})
	for range 2 {
		k.sim.Add(simulator.Session{SessionID: "one", Behavior: simulator.Behavior{SharedID: true}})
	}
	k.sim.SetBehavior("one", simulator.Behavior{Zombie: true})
	wantStatus(t, k.drop(t, "one"), http.StatusOK)
	for _, v := range k.sim.Sessions() {
		if v.State != simulator.StateLive {
			t.Errorf("%d is %s, want a zombie", v.RecordID, v.State)
		}
	}
	k.sim.End("one")
	for _, v := range k.sim.Sessions() {
		if v.State != simulator.StateEnded {
			t.Errorf("%d is %s", v.RecordID, v.State)
		}
	}
}

// TestSharedRecordID: get one returns every row of a number, but for hidden
// ones.
func TestSharedRecordID(t *testing.T) {
	t.Parallel()
	k := login(t, simulator.Config{})
	shared := simulator.Behavior{SharedID: true}
	v := k.sim.Add(simulator.Session{RecordID: 1, Start: time.Unix(0, 0), End: time.Unix(60, 0)})
	k.sim.Add(simulator.Session{RecordID: 1, SessionID: v.SessionID, Behavior: shared})
	k.sim.Add(simulator.Session{RecordID: 1, SessionID: "another", Behavior: shared})
	k.sim.Add(simulator.Session{RecordID: 1, SessionID: "unseen", Behavior: simulator.Behavior{SharedID: true, Hidden: true}})

	want := []string{"1 " + v.SessionID + " false", "1 " + v.SessionID + " true", "1 another true"}
	for name, rows := range map[string][]map[string]any{
		"get one": k.getFirst(t).rows(t, "remote_session"),
		"list":    k.list(t).rows(t, "remote_sessions"),
	} {
		if got := shown(rows); !slices.Equal(got, want) {
			t.Errorf("%s shows %q, want %q", name, got, want)
		}
	}
	k.sim.Purge(v.SessionID)
	if got := shown(k.getFirst(t).rows(t, "remote_session")); !slices.Equal(got, want[2:]) {
		t.Errorf("after the purge get one shows %q, want %q", got, want[2:])
	}
	if next := k.sim.Add(simulator.Session{}); next.RecordID != 2 {
		t.Errorf("the next number is %d, want 2", next.RecordID)
	}
}

func TestReconnect(t *testing.T) {
	t.Parallel()
	now := newClock()
	sim := simulator.New(simulator.Config{Now: now.read})
	v := simulator.Sample(0)
	v.Behavior = simulator.Behavior{Reconnects: 2, ReconnectAfter: time.Minute}
	first := sim.Add(v)
	begin := now.read()
	sim.End(first.SessionID)
	if n := len(sim.Sessions()); n != 1 {
		t.Fatalf("%d sessions right after the end, want 1", n)
	}
	now.advance(time.Minute)
	sessions := sim.Sessions()
	if len(sessions) != 2 {
		t.Fatalf("%d sessions after a minute, want 2", len(sessions))
	}
	second := sessions[1]
	if second.SessionID == first.SessionID || second.RecordID == first.RecordID {
		t.Error("the new session has an old identifier")
	}
	if second.User != first.User || second.Credential != first.Credential || second.Device != first.Device {
		t.Errorf("the new session is %+v", second)
	}
	if !second.Start.Equal(begin.Add(time.Minute)) || second.State != simulator.StateLive {
		t.Errorf("the new session is %s since %s", second.State, second.Start)
	}
	sim.End(second.SessionID)
	now.advance(time.Minute)
	sim.End(sim.Sessions()[2].SessionID)
	now.advance(time.Hour)
	if n := len(sim.Sessions()); n != 3 {
		t.Errorf("%d sessions in the end, want 3: two reconnects", n)
	}
}

func TestEndByItself(t *testing.T) {
	t.Parallel()
	now := newClock()
	sim := simulator.New(simulator.Config{Now: now.read})
	end := now.read().Add(time.Minute)
	v := sim.Add(simulator.Session{End: end})
	if !v.End.IsZero() || v.State != simulator.StateLive {
		t.Fatalf("added as %s with end %s", v.State, v.End)
	}
	now.advance(time.Minute)
	after, _ := sim.Session(v.SessionID)
	if after.State != simulator.StateEnded || !after.End.Equal(end) {
		t.Errorf("is %s with end %s", after.State, after.End)
	}
	gone := sim.Add(simulator.Session{End: now.read().Add(time.Minute)})
	sim.Purge(gone.SessionID)
	now.advance(time.Hour)
	if _, ok := sim.Session(gone.SessionID); ok {
		t.Error("a purged session came back")
	}
}

func TestPurge(t *testing.T) {
	t.Parallel()
	k := login(t, simulator.Config{})
	all := k.sim.AddMany(10, simulator.Sample)
	for _, v := range all[:9] {
		k.sim.Purge(v.SessionID)
	}
	k.sim.Purge("unknown")
	rows := k.list(t).rows(t, "remote_sessions")
	if len(rows) != 1 || rows[0]["session_id"] != all[9].SessionID {
		t.Errorf("the list shows %v", rows)
	}
	wantStatus(t, k.getFirst(t), http.StatusBadRequest)
	wantStatus(t, k.drop(t, all[0].SessionID), http.StatusInternalServerError)
	if n := len(k.sim.Sessions()); n != 1 {
		t.Errorf("%d sessions are left, want 1", n)
	}
}

// TestReset: a simulator begins again, and what was due before does not happen.
func TestReset(t *testing.T) {
	t.Parallel()
	now := newClock()
	k := login(t, simulator.Config{Now: now.read})
	v := simulator.Sample(0)
	v.Behavior = simulator.Behavior{Reconnects: 1, ReconnectAfter: time.Second}
	first := k.sim.Add(v)
	k.sim.Add(simulator.Session{End: now.read().Add(time.Second)})
	k.sim.Rows(simulator.History(1, time.Unix(0, 0)))
	wantStatus(t, k.drop(t, first.SessionID), http.StatusOK)
	k.sim.SetPermission(simulator.None)
	k.sim.Inject(simulator.Fault{Kind: simulator.HTML502})
	k.sim.Random(1, 1, simulator.Fault{Kind: simulator.HTML502})

	k.sim.Reset()
	if n := len(k.sim.Journal()); n != 0 {
		t.Errorf("%d requests in the journal", n)
	}
	again := k.sim.Add(simulator.Sample(0))
	if again.RecordID != first.RecordID || again.SessionID != first.SessionID {
		t.Errorf("added as %d %q, want %d %q", again.RecordID, again.SessionID, first.RecordID, first.SessionID)
	}
	now.advance(time.Minute)
	if rows := k.list(t).rows(t, "remote_sessions"); len(rows) != 1 || rows[0]["end"] != nil {
		t.Errorf("the list shows %v", rows)
	}
	wantStatus(t, k.drop(t, again.SessionID), http.StatusOK)
}

func TestPlainNotFound(t *testing.T) {
	t.Parallel()
	k := login(t, simulator.Config{PlainNotFound: true})
	got := k.getFirst(t)
	wantStatus(t, got, http.StatusNotFound)
	if _, enveloped := got.object(t)["response"]; enveloped {
		t.Errorf("an envelope: %s", got.body)
	}
}

func TestAddCompletes(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Config{})
	first := sim.Add(simulator.Session{RecordID: 41})
	second := sim.Add(simulator.Session{SessionID: "chosen"})
	if first.RecordID != 41 || second.RecordID != 42 || second.SessionID != "chosen" {
		t.Errorf("got %d, then %d %q", first.RecordID, second.RecordID, second.SessionID)
	}
	if len(first.SessionID) != 40 || strings.Trim(first.SessionID, "0123456789abcdef") != "" {
		t.Errorf("%q is not 40 hex digits", first.SessionID)
	}
	if first.Start.IsZero() {
		t.Error("no start")
	}
	for name, v := range map[string]simulator.Session{
		"record id":       {RecordID: 41},
		"session id":      {SessionID: "chosen"},
		"negative number": {RecordID: -1},
	} {
		if _, err := sim.TryAdd(v); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if n := len(sim.Sessions()); n != 2 {
		t.Errorf("%d sessions, want 2", n)
	}
}

func TestPermission(t *testing.T) {
	t.Parallel()
	tests := []struct {
		permission simulator.Permission
		look, drop int
	}{
		{simulator.ReadWrite, 200, 200},
		{simulator.ReadOnly, 200, 500},
		{simulator.DropOnly, 500, 200},
		{simulator.None, 500, 500},
	}
	for _, tt := range tests {
		t.Run(string(tt.permission), func(t *testing.T) {
			t.Parallel()
			k := login(t, simulator.Config{})
			k.sim.SetPermission(tt.permission)
			v := k.sim.Add(simulator.Session{})
			wantStatus(t, k.list(t), tt.look)
			wantStatus(t, k.getFirst(t), tt.look)
			wantStatus(t, k.drop(t, v.SessionID), tt.drop)
			after, _ := k.sim.Session(v.SessionID)
			if ended := after.State == simulator.StateEnded; ended != (tt.drop == 200) {
				t.Errorf("the session is %s", after.State)
			}
			if acted := last(t, k.sim).Acted; acted != (tt.drop == 200) {
				t.Errorf("the journal says acted = %t", acted)
			}
		})
	}
}

func TestReferer(t *testing.T) {
	t.Parallel()
	k := login(t, simulator.Config{Referers: []string{"https://allowed.example"}})
	for referer, want := range map[string]int{"https://allowed.example": 200, "https://other.example": 500, "": 500} {
		r := k.request(t, http.MethodGet, listPath, nil)
		r.Header.Set("Referer", referer)
		wantStatus(t, k.send(r), want)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		config simulator.Config
		ok     bool
	}{
		{"zero value", simulator.Config{}, true},
		{"release", simulator.Config{Release: "1.0"}, false},
		{"base path", simulator.Config{BasePath: "/pam"}, true},
		{"base path without slash", simulator.Config{BasePath: "pam"}, false},
		{"base path with slash at the end", simulator.Config{BasePath: "/pam/"}, false},
		{"forwarded prefix", simulator.Config{Forwarded: []string{"api", "iso/oauth2"}}, true},
		{"forwarded prefix with slash", simulator.Config{Forwarded: []string{"api/"}}, false},
		{"forwarded prefix empty", simulator.Config{Forwarded: []string{""}}, false},
		{"wrong client is a failure", simulator.Config{InvalidClientStatus: 200}, false},
		{"client id alone", simulator.Config{ClientID: "x"}, false},
		{"permission", simulator.Config{Permission: "all"}, false},
		{"live end", simulator.Config{LiveEnd: "never"}, false},
		{"live end in the far future", simulator.Config{LiveEnd: "2099-12-31 00:00:00"}, true},
		{"live end in the past", simulator.Config{LiveEnd: "2020-01-01 00:00:00"}, false},
		{"live end that comes soon", simulator.Config{LiveEnd: "2024-05-08 16:11:17", Now: newClock().read}, false},
		{"live end two days ahead", simulator.Config{LiveEnd: "2024-05-08 16:11:18", Now: newClock().read}, true},
		{"user form", simulator.Config{UserForm: "short"}, false},
		{"device form", simulator.Config{DeviceForm: "upn"}, false},
		{"negative delay", simulator.Config{EndDelay: -1}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := tt.config.Validate(); (err == nil) != tt.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}
