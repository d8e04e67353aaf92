package termination

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

func view(rows ...session.Session) Visibility {
	s := newSurvey()
	s.restart()
	for _, row := range rows {
		s.take(row)
	}
	return s.visibility()
}

func TestVisibility(t *testing.T) {
	t.Parallel()
	at := func(hour int) time.Time { return time.Date(2026, 1, 2, hour, 0, 0, 0, time.UTC) }
	first := session.Session{
		ID: "aa", User: "alice", Credential: "root", Device: "db-01:22", Protocol: "ssh", Proxy: "Web Proxy", StartedAt: at(5), EndedAt: at(6),
	}
	second := session.Session{User: "bob", Credential: "root", Device: "10.0.0.9:22", Protocol: "rdp", Proxy: "RDP Proxy", StartedAt: at(3)}
	for name, test := range map[string]struct {
		rows []session.Session
		want Visibility
	}{
		"no session": {},
		"one session": {rows: []session.Session{first}, want: Visibility{
			Ended: 1, Users: 1, Credentials: 1, Devices: []string{"db-01:22"}, Protocols: []string{"ssh"}, Proxies: []string{"Web Proxy"},
			DevicesByName: 1, OldestStart: at(5), NewestStart: at(5),
		}},
		"distinct values, sorted": {rows: []session.Session{first, second, first, second}, want: Visibility{
			Live: 2, Ended: 2, Users: 2, Credentials: 1, Devices: []string{"10.0.0.9:22", "db-01:22"}, Protocols: []string{"rdp", "ssh"},
			Proxies: []string{"RDP Proxy", "Web Proxy"}, DevicesByAddress: 1, DevicesByName: 1, OldestStart: at(3), NewestStart: at(5),
		}},
		"as senhasegura writes them": {
			rows: []session.Session{{User: "alice"}, {User: " alice "}, {User: "Alice", Device: "db:22"}, {Device: "db:23"}, {Device: "[2001:db8::1]:22"}},
			want: Visibility{Live: 5, Users: 2, Devices: []string{"[2001:db8::1]:22", "db:22", "db:23"}, DevicesByAddress: 1, DevicesByName: 2},
		},
		"nothing shown": {rows: []session.Session{{}, {Device: " ", UnreadableEnd: "?"}}, want: Visibility{Live: 2}},
		"some starts": {
			rows: []session.Session{{}, {StartedAt: at(9)}, {StartedAt: at(4)}, {}},
			want: Visibility{Live: 4, OldestStart: at(4), NewestStart: at(9)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, view(test.rows...), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestVisibilityOfAListThatIsReadAgain(t *testing.T) {
	t.Parallel()
	s := newSurvey()
	for _, row := range []session.Session{
		{User: "alice", Device: "db", Proxy: strings.Repeat("x", longestText+1), StartedAt: time.Unix(1, 0)},
		{User: "bob", EndedAt: time.Unix(9, 0)},
	} {
		s.restart()
		s.take(row)
	}
	if diff := cmp.Diff(Visibility{Ended: 1, Users: 1}, s.visibility(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestVisibilityNamesTheFirst(t *testing.T) {
	t.Parallel()
	var rows []session.Session
	for i := range maxNamed {
		rows = append(rows, session.Session{Device: fmt.Sprintf("host-%04d", maxNamed-i)})
	}
	v := view(rows...)
	if v.Truncated || len(v.Devices) != maxNamed {
		t.Errorf("%d devices, truncated: %v", len(v.Devices), v.Truncated)
	}
	v = view(append(rows, session.Session{Device: "a-first"}, session.Session{Device: "z-last"})...)
	if !v.Truncated || len(v.Devices) != maxNamed || v.Devices[0] != "a-first" || v.Devices[maxNamed-1] != "host-0999" || !slices.IsSorted(v.Devices) {
		t.Errorf("%d devices from %s to %s, truncated: %v", len(v.Devices), v.Devices[0], v.Devices[len(v.Devices)-1], v.Truncated)
	}
	if v.DevicesByName != maxNamed+2 {
		t.Errorf("%d devices by name, want all", v.DevicesByName)
	}
}

func TestVisibilityLeavesOutLongTexts(t *testing.T) {
	t.Parallel()
	v := view(session.Session{Protocol: strings.Repeat("x", longestText+1)}, session.Session{Protocol: "ssh"})
	if diff := cmp.Diff(Visibility{Live: 2, Protocols: []string{"ssh"}, Truncated: true}, v, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSurveyMemoryIsBounded(t *testing.T) {
	s := newSurvey()
	s.restart()
	before := heap()
	const users = maxCounted + maxCounted/2
	for i := range users {
		text := fmt.Sprint(i)
		s.take(session.Session{User: text, Credential: text, Device: text, Protocol: text, Proxy: text})
	}
	const most = 5 * maxCounted * 100 // short texts, and their places in a map
	if used := heap() - before; used > most {
		t.Errorf("a survey of endless texts takes %d kB, more than %d kB", used>>10, most>>10)
	}
	runtime.KeepAlive(s)
	if v := s.visibility(); v.Live != users || v.Users != maxCounted || v.Credentials != maxCounted || v.DevicesByName != maxCounted || !v.Truncated {
		t.Errorf("live %d, users %d, credentials %d, devices by name %d, truncated %v", v.Live, v.Users, v.Credentials, v.DevicesByName, v.Truncated)
	}
}

func TestSurveyDoesNotAllocateForKnownValues(t *testing.T) {
	s := newSurvey()
	s.restart()
	row := session.Session{User: " alice ", Credential: "root", Device: "db-01:22", Protocol: "ssh", Proxy: "Web Proxy", StartedAt: time.Unix(1, 0)}
	if got := testing.AllocsPerRun(100, func() { s.take(row) }); got != 0 {
		t.Errorf("%v allocations a row", got)
	}
}
