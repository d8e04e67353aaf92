package session

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func TestMatchValues(t *testing.T) {
	t.Parallel()
	match := Match{
		SessionIDs: []string{"i"}, Users: []string{"u"}, Credentials: []string{"c"}, Devices: []string{"d", "e"},
		Protocols: []string{"p"}, Proxies: []string{"x"}, OriginIPs: []string{"10.0.0.9"}, OlderThan: time.Hour,
	}
	for field, want := range map[string][]string{
		FieldSessionIDs: {"i"}, FieldUsers: {"u"}, FieldCredentials: {"c"}, FieldDevices: {"d", "e"},
		FieldProtocols: {"p"}, FieldProxies: {"x"}, FieldOriginIPs: {"10.0.0.9"}, FieldOlderThan: nil,
	} {
		if got := match.Values(field); !slices.Equal(got, want) {
			t.Errorf("Values(%q) = %q, want %q", field, got, want)
		}
		if got := (Match{}).Values(field); got != nil {
			t.Errorf("Values(%q) of the zero Match = %q, want nil", field, got)
		}
	}
}

func TestCarries(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		field  string
		values []string
		shown  string
		want   bool
	}{
		{FieldSessionIDs, []string{"aa"}, "aa", true},
		{FieldSessionIDs, []string{"aa"}, "AA", false},
		{FieldUsers, []string{"alice"}, " ALICE ", true},
		{FieldUsers, []string{"alice", "bob"}, "bob", true},
		{FieldUsers, []string{"alice"}, `CORP\alice`, false},
		{FieldUsers, []string{"alice"}, "", false},
		{FieldUsers, nil, "alice", false},
		{FieldCredentials, []string{`CORP\root`}, `corp\ROOT`, true},
		{FieldCredentials, []string{`CORP\root`}, "root", false},
		{FieldDevices, []string{"db-01"}, "DB-01.:22", true},
		{FieldDevices, []string{"db-01"}, "db-01.example.com:22", false},
		{FieldDevices, []string{"db-01:22"}, "db-01", false},
		{FieldDevices, []string{"2001:db8::1"}, "[2001:DB8:0::1]:22", true},
		{FieldProtocols, []string{"ssh"}, "SSH", true},
		{FieldProxies, []string{"web proxy"}, "Web Proxy", true},
		{FieldOriginIPs, []string{"10.0.0.0/8"}, "10.1.2.3", true},
		{FieldOriginIPs, []string{"10.0.0.9"}, "::ffff:10.0.0.9", true},
		{FieldOriginIPs, []string{"10.0.0.0/8"}, "laptop", false},
	} {
		carries, err := Carries(test.field, test.values...)
		if err != nil {
			t.Fatalf("Carries(%q, %q): %v", test.field, test.values, err)
		}
		if got := carries(test.shown); got != test.want {
			t.Errorf("a session that shows %q as %s carries one of %q: %v, want %v", test.shown, test.field, test.values, got, test.want)
		}
	}
}

func TestCarriesRefusesWhatValidateRefuses(t *testing.T) {
	t.Parallel()
	for field, value := range map[string]string{FieldUsers: "", FieldDevices: "web*", FieldOriginIPs: "laptop", FieldSessionIDs: ".."} {
		_, err := Carries(field, value)
		var fault *MatchError
		if !errors.As(err, &fault) || fault.Field != field || fault.Value != value {
			t.Errorf("Carries(%q, %q): %v, want a *MatchError", field, value, err)
		}
	}
}
