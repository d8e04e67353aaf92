package session

import (
	"strings"
	"testing"
)

// namedFields are those whose values have other forms.
var namedFields = map[string]struct {
	match func(values ...string) Match
	shown func(text string) Session
}{
	FieldUsers: {
		func(values ...string) Match { return Match{Users: values} },
		func(text string) Session { return Session{User: text} },
	},
	FieldCredentials: {
		func(values ...string) Match { return Match{Credentials: values} },
		func(text string) Session { return Session{Credential: text} },
	},
	FieldDevices: {
		func(values ...string) Match { return Match{Devices: values} },
		func(text string) Session { return Session{Device: text} },
	},
}

// FuzzMatchNames: two values that mean the same in one order are not two in the
// other, and the verdict of a set is the highest of its values.
func FuzzMatchNames(f *testing.F) {
	f.Add("db-01", "db-01.example.com:22", "db-01:3389")
	f.Add("db-01:22", "db-01.example.com:22", "db-01 (10.0.0.9)")
	f.Add("10", "10.0.0.9", "10.example.com")
	f.Add("alice", `CORP\alice`, "alice@corp.example.com")
	f.Add(`AzureAD\alice@x`, `\`, "@")
	f.Add("[2001:db8::10]:22", "2001:db8::10", "2001:db8::10:22")
	f.Fuzz(func(t *testing.T, one, other, shown string) {
		for field, named := range namedFields {
			if ValidateMatchValue(field, one) != nil || ValidateMatchValue(field, other) != nil {
				continue
			}
			verdict := func(shown string, values ...string) Verdict {
				return mustCompile(t, named.match(values...)).Match(named.shown(shown), moment)
			}
			if forth, back := verdict(other, one), verdict(one, other); max(forth, back) == Yes && min(forth, back) == No {
				t.Errorf("%s: %q against %q is %v, and the other way round %v", field, one, other, forth, back)
			}
			if got, want := verdict(shown, one, other), max(verdict(shown, one), verdict(shown, other)); got != want {
				t.Errorf("%s: the set of %q and %q against %q is %v, its values %v", field, one, other, shown, got, want)
			}
		}
	})
}

// FuzzMatchQualifiedHost: a short host name is never No against its own
// qualified form, and never Yes, in either order.
func FuzzMatchQualifiedHost(f *testing.F) {
	f.Add("db-01", "example.com", uint16(22))
	f.Add("File Server", "corp", uint16(0))
	f.Add("ſrv", "example.com.", uint16(65535))
	f.Add("0x10", "0.0.9", uint16(1))
	f.Add("4711", "example.com", uint16(22))
	f.Fuzz(func(t *testing.T, host, domain string, port uint16) {
		short := Match{Devices: []string{host}}
		if short.Validate() != nil || strings.ContainsAny(host, ".:[]") || strings.Trim(host+domain, ".0123456789") == "" {
			return // it is no unqualified name, or part of an address
		}
		if strings.Trim(domain, ".") == "" || !plain(domain) || strings.ContainsAny(domain, ":[]%") {
			return // it is no domain
		}
		qualified := host + "." + domain
		shown, long := deviceText(device{name: host}, port), deviceText(device{name: qualified}, port)
		if port == 0 {
			shown, long = host, qualified
		}
		if got := mustCompile(t, short).Match(Session{Device: long}, moment); got != Undecided {
			t.Errorf("%q against %q: %v", host, long, got)
		}
		if got := mustCompile(t, Match{Devices: []string{qualified}}).Match(Session{Device: shown}, moment); got != Undecided {
			t.Errorf("%q against %q: %v", qualified, shown, got)
		}
	})
}

// FuzzMatchAccountForms: the notations of one account name are never No against
// one another, and never Yes.
func FuzzMatchAccountForms(f *testing.F) {
	f.Add("alice", "CORP", "corp.example.com")
	f.Add("svc-\u212A", ".", "x")
	f.Fuzz(func(t *testing.T, account, domain, realm string) {
		for _, part := range []string{account, domain, realm} {
			if ValidateMatchValue(FieldUsers, part) != nil || strings.ContainsAny(part, `\@`) {
				return
			}
		}
		forms := []string{account, domain + `\` + account, account + "@" + realm, domain + `\` + account + "@" + realm}
		for i, value := range forms {
			for j, shown := range forms {
				want := Undecided
				if i == j {
					want = Yes
				}
				if got := mustCompile(t, Match{Users: []string{value}}).Match(Session{User: shown}, moment); got != want {
					t.Errorf("%q against %q: %v, want %v", value, shown, got, want)
				}
			}
		}
	})
}
