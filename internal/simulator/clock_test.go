package simulator_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// TestServerClock: what a wrong zone and a wrong clock do to timestamps and to
// the Date header, and that the truth stays.
func TestServerClock(t *testing.T) {
	t.Parallel()
	west := time.FixedZone("", -3*60*60)
	const right = "Mon, 06 May 2024 16:11:17 GMT"
	tests := []struct {
		name   string
		config simulator.Config
		start  string // of a session that starts now
		date   string
	}{
		{"right", simulator.Config{}, "2024-05-06 16:11:17", right},
		{"other zone", simulator.Config{Location: west}, "2024-05-06 13:11:17", right},
		{"ahead", simulator.Config{ClockSkew: 90 * time.Minute}, "2024-05-06 17:41:17", "Mon, 06 May 2024 17:41:17 GMT"},
		{"behind, in another zone", simulator.Config{Location: west, ClockSkew: -24 * time.Hour}, "2024-05-05 13:11:17", "Sun, 05 May 2024 16:11:17 GMT"},
		{"ahead, with a true date", simulator.Config{ClockSkew: time.Hour, Date: newClock().read}, "2024-05-06 17:11:17", right},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now := newClock()
			tt.config.Now = now.read
			k := login(t, tt.config)
			v := k.sim.Add(simulator.Session{})
			got := k.list(t)
			if start := got.rows(t, "remote_sessions")[0]["start"]; start != tt.start {
				t.Errorf("start %v, want %s", start, tt.start)
			}
			k.sim.Inject(simulator.Fault{Kind: simulator.HTML502, Times: 1})
			for answer, header := range map[string]http.Header{"list": got.header, "fault": k.list(t).header} {
				if date := header.Get("Date"); date != tt.date {
					t.Errorf("Date of the %s %q, want %q", answer, date, tt.date)
				}
			}
			if !v.Start.Equal(now.read()) {
				t.Errorf("the truth is %s, want %s", v.Start, now.read())
			}

			// What the server shows, read back, is the same moment.
			again, err := k.sim.AddJSON(strings.NewReader(`[{"start":"` + tt.start + `","end":"` + tt.start + `"}]`))
			if err != nil {
				t.Fatal(err)
			}
			if !again[0].Start.Equal(v.Start) || !again[0].End.Equal(v.Start) {
				t.Errorf("read back: %s to %s, want %s", again[0].Start, again[0].End, v.Start)
			}
		})
	}
}
