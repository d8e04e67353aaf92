package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestSimilar(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		field, value string
		known, want  []string
	}{
		"nothing known": {FieldDevices, "db-01", nil, nil},

		// The other form of the same name.
		"short host":                   {FieldDevices, "db-01", []string{"db-01.example.com", "web-01.example.com"}, []string{"db-01.example.com"}},
		"qualified host":               {FieldDevices, "DB-01.example.com", []string{"db-01", "db-02"}, []string{"db-01"}},
		"qualified host, other domain": {FieldDevices, "db-01.example.com", []string{"db-01.other.com"}, nil},
		"account with a domain":        {FieldUsers, "alice", []string{`CORP\alice`, "bob"}, []string{`CORP\alice`}},
		"account at a domain":          {FieldCredentials, `CORP\alice`, []string{"Alice@corp.example.com"}, []string{"Alice@corp.example.com"}},
		"account of another domain":    {FieldUsers, `CORP\alice`, []string{`OTHERS\alice`}, nil},
		"a letter of four bytes":       {FieldUsers, "alice", []string{"alice\U00020000"}, []string{"alice\U00020000"}},
		"account name of digits":       {FieldUsers, "4711", []string{"4711@corp.example.com"}, []string{"4711@corp.example.com"}},
		"host name of digits":          {FieldDevices, "4711", []string{"4711.example.com", "4711.0.0.9"}, []string{"4711.example.com"}},

		// The same host with another port.
		"other port":            {FieldDevices, "db-01:22", []string{"db-01:3389"}, []string{"db-01:3389"}},
		"no port":               {FieldDevices, "db-01:22", []string{"db-01"}, []string{"db-01"}},
		"address, other port":   {FieldDevices, "10.0.0.9:22", []string{"10.0.0.9:3389", "10.0.0.8:22"}, []string{"10.0.0.9:3389"}},
		"IPv6, other port":      {FieldDevices, "[2001:db8::1]:22", []string{"[2001:DB8::1]:23"}, []string{"[2001:DB8::1]:23"}},
		"other form, same port": {FieldDevices, "db-01:22", []string{"db-01.example.com:22"}, []string{"db-01.example.com:22"}},
		"other form and port":   {FieldDevices, "db-01:22", []string{"db-01.example.com:3389"}, []string{"db-01.example.com:3389"}},

		// A value without a port gets none.
		"one host on many ports": {
			FieldDevices, "db-01",
			[]string{"db-01.example.com:22", "db-01.example.com.:3389", "db-01.example.com", "db-01.example.com."},
			[]string{"db-01.example.com"},
		},

		// One typing error.
		"letter replaced":            {FieldUsers, "jane.roo", []string{"jane.roe"}, []string{"jane.roe"}},
		"letter missing":             {FieldDevices, "db-01.exmple.com", []string{"db-01.example.com:22"}, []string{"db-01.example.com"}},
		"letter too many":            {FieldDevices, "web-prood:443", []string{"web-prod:443"}, []string{"web-prod:443"}},
		"without case":               {FieldDevices, "WEB-PROOD", []string{"web-prod"}, []string{"web-prod"}},
		"hyphen missing":             {FieldDevices, "webprod", []string{"web-prod"}, []string{"web-prod"}},
		"hyphen before one letter":   {FieldDevices, "node1a", []string{"node1-a"}, []string{"node1-a"}},
		"dot missing":                {FieldDevices, "db-01example.com", []string{"db-01.example.com"}, []string{"db-01.example.com"}},
		"proxy":                      {FieldProxies, "Web Prxy", []string{"Web Proxy", "RDP Proxy"}, []string{"Web Proxy"}},
		"protocol":                   {FieldProtocols, "telnt", []string{"telnet", "ssh"}, []string{"telnet"}},
		"two errors":                 {FieldUsers, "jame.roo", []string{"jane.roe"}, nil},
		"letters swapped":            {FieldUsers, "jaen.roe", []string{"jane.roe"}, nil},
		"typing error, other port":   {FieldDevices, "web-prood:443", []string{"web-prod:22"}, nil},
		"typing error, port missing": {FieldDevices, "web-prood:443", []string{"web-prod"}, []string{"web-prod"}},
		"four letters":               {FieldUsers, "roo", []string{"root"}, []string{"root"}},
		"three letters":              {FieldUsers, "rob", []string{"bob"}, nil},
		"three letters and digits":   {FieldDevices, "wed-01", []string{"web-01"}, nil},
		"three letters of a domain":  {FieldUsers, "rob@corp.example.com", []string{"bob@corp.example.com"}, nil},
		"three letters in a domain":  {FieldUsers, `CORP\rob`, []string{`CORP\bob`}, nil},
		"domain mistyped":            {FieldUsers, "bob@corp.exmple.com", []string{"bob@corp.example.com"}, []string{"bob@corp.example.com"}},
		"separator missing":          {FieldUsers, "CORPbob", []string{`CORP\bob`}, []string{`CORP\bob`}},

		// Neither in a digit nor of a single-letter part.
		"digit replaced":                {FieldDevices, "db-02.example.com", []string{"db-01.example.com"}, nil},
		"digit missing":                 {FieldDevices, "server1", []string{"server11"}, nil},
		"digit for a letter":            {FieldDevices, "server-O1", []string{"server-01"}, nil},
		"single letters":                {FieldDevices, "db-a", []string{"db-b"}, nil},
		"single letters in long names":  {FieldDevices, "database-a.example.com", []string{"database-b.example.com"}, nil},
		"single letters after a digit":  {FieldDevices, "us-east-1a", []string{"us-east-1b"}, nil},
		"single letter made two":        {FieldDevices, "server-ab", []string{"server-a"}, nil},
		"single letter left":            {FieldDevices, "server-a", []string{"server-ab"}, nil},
		"single letter added":           {FieldDevices, "server-a", []string{"server-"}, nil},
		"single letter before a domain": {FieldUsers, `CORP\a`, []string{`CORP\b`}, nil},
		"addresses are digits":          {FieldDevices, "[2001:db8::a]:22", []string{"[2001:db8::b]:22"}, nil},
		"address and name":              {FieldDevices, "10.0.0..9", []string{"10.0.0.9"}, nil},

		// What is no name.
		"session ids":   {FieldSessionIDs, "abcdefgh", []string{"abcdefgi"}, nil},
		"origins":       {FieldOriginIPs, "10.0.0.9", []string{"10.0.0.8"}, nil},
		"ages":          {FieldOlderThan, "8h", []string{"9h"}, nil},
		"unreadable":    {FieldDevices, "web-prod", []string{"web-prood:ssh", "", " ", ":22"}, nil},
		"itself":        {FieldUsers, "alice", []string{"alice", " ALICE "}, nil},
		"host is seen":  {FieldDevices, "db-01", []string{"db-01:22", "db-01"}, nil},
		"address, seen": {FieldDevices, "10.0.0.9", []string{"10.0.0.9:22"}, nil},

		// At most three, the likeliest first.
		"order": {
			FieldDevices, "server:22",
			[]string{"serve:22", "server.b.com:3389", "server:3389", " server.a.com:22 ", "servers:22"},
			[]string{"server.a.com:22", "server:3389", "server.b.com:3389"},
		},
		"sorted": {
			FieldUsers, "alice",
			[]string{"D\\alice", "alise", "B\\alice", "alice@x", "C\\alice"},
			[]string{"B\\alice", "C\\alice", "D\\alice"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Similar(test.field, test.value, slices.Values(test.known))
			if !slices.Equal(got, test.want) {
				t.Errorf("Similar(%q, %q) of %q = %q, want %q", test.field, test.value, test.known, got, test.want)
			}
		})
	}
}

func TestIsAddress(t *testing.T) {
	t.Parallel()
	for device, want := range map[string]bool{
		"10.0.0.9": true, "10.0.0.9:22": true, " 10.0.0.9:22 ": true, "10.0.0.9.": true,
		"2001:db8::1": true, "[2001:db8::1]": true, "[2001:db8::1%eth0]:22": true, "::ffff:10.0.0.9": true,
		"db-01": false, "db-01.example.com:22": false, "10": false, "10.0.0": false, "10.0.0.300": false,
		"web01 (10.0.0.9):22": false, "10.0.0.9:ssh": false, "": false, ":22": false,
	} {
		if got := IsAddress(device); got != want {
			t.Errorf("IsAddress(%q) = %v", device, got)
		}
	}
}

// FuzzSimilar: the answer does not depend on the order of the known values, is
// short, and never holds what a match of the value already finds.
func FuzzSimilar(f *testing.F) {
	f.Add("db-01:22", "db-01.example.com:22", "db-01:3389", "db-02:22")
	f.Add("alice", `CORP\alice`, "alise", "alice@x")
	f.Add("\xff", "ſ", "\u212A", "[2001:db8::1]")
	f.Fuzz(func(t *testing.T, value, a, b, c string) {
		for _, field := range []string{FieldUsers, FieldDevices, FieldProxies, FieldSessionIDs, FieldOriginIPs} {
			known := []string{a, b, c, a + ":22", b + ".example.com", `X\` + c}
			got := Similar(field, value, slices.Values(known))
			if len(got) > maxSimilar {
				t.Errorf("%s: %q", field, got)
			}
			slices.Reverse(known)
			if again := Similar(field, value, slices.Values(known)); !slices.Equal(got, again) {
				t.Errorf("%s: %q of %q, reversed %q", field, got, known, again)
			}
			named, ok := namedFields[field]
			if !ok || ValidateMatchValue(field, value) != nil {
				continue
			}
			matcher := mustCompile(t, named.match(value))
			for _, similar := range got {
				if matcher.Match(named.shown(similar), moment) == Yes {
					t.Errorf("%s: %q is similar to %q, and matches it", field, similar, value)
				}
				if !slices.ContainsFunc(known, func(k string) bool { return strings.Contains(k, similar) }) {
					t.Errorf("%s: %q is not of %q", field, similar, known)
				}
			}
		}
	})
}

func BenchmarkSimilar(b *testing.B) {
	for _, bench := range []struct{ name, field, value, known string }{
		{"devices", FieldDevices, "wbe-1.example.com", "web-%d.example.com:22"},
		{"devices of one length", FieldDevices, "web-1234.exampel.com", "web-%04d.example.com:22"},
		{"users", FieldUsers, `CORP\alice`, `CORP\user%d`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			known := make([]string, 10_000)
			for i := range known {
				known[i] = fmt.Sprintf(bench.known, i)
			}
			b.ReportAllocs()
			for b.Loop() {
				if got := Similar(bench.field, bench.value, slices.Values(known)); got != nil {
					b.Fatalf("similar: %q", got)
				}
			}
		})
	}
}
