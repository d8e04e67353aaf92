package simulator_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

func TestRows(t *testing.T) {
	t.Parallel()
	k := login(t, simulator.Config{})
	live := k.sim.AddMany(3, simulator.Sample)
	k.sim.Rows(simulator.History(1000, time.Unix(1_700_000_000, 0)))
	for range 2 { // it can be read again
		rows := k.list(t).rows(t, "remote_sessions")
		if len(rows) != 1003 {
			t.Fatalf("%d rows, want 1003", len(rows))
		}
		seen := map[any]bool{}
		for i, row := range rows {
			seen[row["id"]], seen[row["session_id"]] = true, true
			if ended := row["end"] != nil; ended != (i >= len(live)) {
				t.Fatalf("row %d: end %v", i, row["end"])
			}
		}
		if len(seen) != 2*len(rows) {
			t.Errorf("%d identifiers, want %d", len(seen), 2*len(rows))
		}
	}
	k.sim.Rows(nil)
	if n := len(k.list(t).rows(t, "remote_sessions")); n != len(live) {
		t.Errorf("%d rows, want %d", n, len(live))
	}
}

func TestSampleDiffers(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Config{})
	devices := map[string]bool{}
	for _, v := range sim.AddMany(10_000, simulator.Sample) {
		devices[v.Device] = true
	}
	if len(devices) != 10_000 {
		t.Errorf("%d devices, want 10000", len(devices))
	}
}

func TestAddJSON(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 5, 6, 12, 0, 0, 0, time.UTC)
	k := login(t, simulator.Config{Now: func() time.Time { return now }, Location: time.FixedZone("", 3600)})
	added, err := k.sim.AddJSON(strings.NewReader(`[
		{"id":"7","session_id":"abc","user":"jane","device":"10.0.0.9:22","start":"-9h","behavior":{"refuse_first":1,"end_delay":"3s"}},
		{"id":8,"start":"2024-05-06 11:00:00","end":"2024-05-06T11:30:00Z","prevent_purge":"Sim","ITSM":"C-1"},
		{},
		{"id":7,"session_id":"abc","behavior":{"shared_id":true}}
	]`))
	if err != nil {
		t.Fatal(err)
	}
	first, second, third := added[0], added[1], added[2]
	if first.RecordID != 7 || first.SessionID != "abc" || first.User != "jane" || !first.Start.Equal(now.Add(-9*time.Hour)) {
		t.Errorf("first: %+v", first)
	}
	if first.Behavior != (simulator.Behavior{RefuseFirst: 1, EndDelay: 3 * time.Second}) {
		t.Errorf("behavior: %+v", first.Behavior)
	}
	if second.State != simulator.StateEnded || !second.Start.Equal(now.Add(-2*time.Hour)) || !second.End.Equal(now.Add(-30*time.Minute)) ||
		!second.PreventPurge || second.ITSM != "C-1" {
		t.Errorf("second: %+v", second)
	}
	if third.RecordID != 9 || !third.Start.Equal(now) {
		t.Errorf("third: %+v", third)
	}
	var out strings.Builder
	if err := simulator.WriteJSON(&out, k.sim.Sessions()); err != nil {
		t.Fatal(err)
	}
	rows, ok := decode(t, []byte(out.String())).([]any)
	if !ok || len(rows) != 4 || !strings.Contains(out.String(), `"state": "ended"`) {
		t.Errorf("written: %s", out.String())
	}
}

func TestAddJSONErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"not JSON":        {`nothing`, "JSON array"},
		"not an array":    {`{}`, "JSON array"},
		"unknown key":     {`[{"usr":"x"}]`, `"usr"`},
		"number":          {`[{"id":"x"}]`, "invalid number"},
		"time":            {`[{}, {"start":"yesterday"}]`, `session 2 of the array: start must be a duration from now such as "-2h"`},
		"duration":        {`[{"end":"-9 hours"}]`, `end must be a duration from now such as "-2h"`},
		"behavior":        {`[{"behavior":{"end_delay":"soon"}}]`, `"soon"`},
		"prevent purge":   {`[{"prevent_purge":"perhaps"}]`, "prevent_purge must be Yes or No"},
		"taken":           {`[{"id":1},{"id":1}]`, "set shared_id"},
		"something after": {`[] []`, "nothing after it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := simulator.New(simulator.Config{})
			if _, err := sim.AddJSON(strings.NewReader(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one that says %q", err, test.want)
			}
		})
	}
}

func BenchmarkDrop(b *testing.B) {
	sim := simulator.New(simulator.Config{})
	sim.OnAnswer(func(simulator.Request) {})
	form := httptest.NewRequestWithContext(b.Context(), http.MethodPost, tokenPath, strings.NewReader(credentials().Encode()))
	form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	direct(sim, form)
	authorization := "Bearer " + sim.IssuedTokens()[0]
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		v := sim.Add(simulator.Session{})
		r := httptest.NewRequestWithContext(b.Context(), http.MethodDelete, dropPath+v.SessionID, http.NoBody)
		r.Header.Set("Authorization", authorization)
		b.StartTimer()
		if status, body := direct(sim, r); status != http.StatusOK {
			b.Fatal(status, body)
		}
	}
}

func BenchmarkList(b *testing.B) {
	k := simulator.New(simulator.Config{})
	k.AddMany(10_000, simulator.Sample)
	form := httptest.NewRequestWithContext(b.Context(), http.MethodPost, tokenPath, strings.NewReader(credentials().Encode()))
	form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	direct(k, form)
	for name, history := range map[string]int{"held": 0, "history": 1_000_000} {
		b.Run(name, func(b *testing.B) {
			k.Rows(simulator.History(history, time.Unix(0, 0)))
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, listPath, http.NoBody)
				r.Header.Set("Authorization", "Bearer "+k.IssuedTokens()[0])
				w := &discard{header: http.Header{}}
				k.ServeHTTP(w, r)
				b.SetBytes(w.written)
			}
		})
	}
}

// discard counts what is written to it.
type discard struct {
	header  http.Header
	written int64
}

func (d *discard) Header() http.Header { return d.header }
func (d *discard) WriteHeader(int)     {}
func (d *discard) Write(p []byte) (int, error) {
	d.written += int64(len(p))
	return len(p), nil
}
