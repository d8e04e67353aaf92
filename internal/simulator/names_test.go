package simulator_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// written is what list and get one show of a session, which must be the same.
func written(t *testing.T, c simulator.Config, v simulator.Session) map[string]any {
	t.Helper()
	k := login(t, c)
	k.sim.Add(v)
	row := k.list(t).rows(t, "remote_sessions")[0]
	again := k.getFirst(t).rows(t, "remote_session")[0]
	for _, key := range []string{"user", "device"} {
		if row[key] != again[key] {
			t.Errorf("%s: list %v, get one %v", key, row[key], again[key])
		}
	}
	if truth := k.sim.Sessions()[0]; truth.User != v.User || truth.Device != v.Device {
		t.Errorf("the truth is %q on %q", truth.User, truth.Device)
	}
	return row
}

func TestUserForm(t *testing.T) {
	t.Parallel()
	const down, principal = `CORP\alice`, "alice@corp.example.com"
	tests := []struct {
		name   string
		config simulator.Config
		want   [4]string // of alice, CORP\alice, alice@corp.example.com and none
	}{
		{"default", simulator.Config{}, [4]string{"alice", down, principal, ""}},
		{"as added", simulator.Config{UserForm: simulator.UserAsAdded}, [4]string{"alice", down, principal, ""}},
		{"plain", simulator.Config{UserForm: simulator.UserPlain}, [4]string{"alice", "alice", "alice", ""}},
		{"down-level", simulator.Config{UserForm: simulator.UserDownLevel}, [4]string{down, down, down, ""}},
		{"principal", simulator.Config{UserForm: simulator.UserPrincipal}, [4]string{principal, principal, principal, ""}},
		{
			"another domain",
			simulator.Config{UserForm: simulator.UserDownLevel, Domain: "lab.example.net"},
			[4]string{`LAB\alice`, down, `LAB\alice`, ""},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for i, added := range []string{"alice", down, principal, ""} {
				if got := written(t, tt.config, simulator.Session{User: added})["user"]; got != tt.want[i] {
					t.Errorf("%q is written %q, want %q", added, got, tt.want[i])
				}
			}
		})
	}
}

func TestDeviceForm(t *testing.T) {
	t.Parallel()
	added := []string{"db-01:22", "db-01.example.com:22", "db-01", "10.0.0.9:22", "[2001:db8::1]:22", "2001:db8::1", ""}
	tests := []struct {
		form simulator.DeviceForm
		want []string
	}{
		{"", added},
		{simulator.DeviceAsAdded, added},
		{simulator.DeviceShort, []string{"db-01:22", "db-01:22", "db-01", "10.0.0.9:22", "[2001:db8::1]:22", "2001:db8::1", ""}},
		{
			simulator.DeviceQualified,
			[]string{"db-01.corp.example.com:22", "db-01.example.com:22", "db-01.corp.example.com", "10.0.0.9:22", "[2001:db8::1]:22", "2001:db8::1", ""},
		},
	}
	for _, tt := range tests {
		t.Run(string(tt.form), func(t *testing.T) {
			t.Parallel()
			for i, device := range added {
				if got := written(t, simulator.Config{DeviceForm: tt.form}, simulator.Session{Device: device})["device"]; got != tt.want[i] {
					t.Errorf("%q is written %q, want %q", device, got, tt.want[i])
				}
			}
		})
	}
}

func TestDeviceAddress(t *testing.T) {
	t.Parallel()
	address := func(device string) string {
		got, ok := written(t, simulator.Config{DeviceForm: simulator.DeviceAddress}, simulator.Session{Device: device})["device"].(string)
		if !ok {
			t.Fatalf("%q is written as no text", device)
		}
		return got
	}
	host, ok := strings.CutSuffix(address("db-01.example.com:5432"), ":5432")
	if !ok {
		t.Errorf("%q has lost its port", host)
	}
	if ip, err := netip.ParseAddr(host); err != nil || !netip.MustParsePrefix("10.0.0.0/8").Contains(ip) {
		t.Errorf("%q is no address in 10.0.0.0/8", host)
	}
	if again := address("DB-01.example.com"); again != host {
		t.Errorf("the same host has the addresses %s and %s", host, again)
	}
	if other := address("db-02.example.com"); other == host {
		t.Errorf("two hosts have the address %s", host)
	}
	if kept := address("10.0.0.9:22"); kept != "10.0.0.9:22" {
		t.Errorf("an address is written %s", kept)
	}
}
