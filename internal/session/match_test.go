package session

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zone is there on a host without zone files, too
	"unicode"
)

var moment = time.Date(2025, time.March, 3, 12, 0, 0, 0, time.UTC)

// whole is a session of which senhasegura shows everything.
func whole() Session {
	return Session{
		ID:         "c819cbc5f2fad2065f1d132a22d0e2dfacccb228",
		RecordID:   "6",
		User:       "Admin",
		Credential: "usrsudonopass",
		Device:     "10.66.33.17:22",
		Protocol:   "ssh",
		Proxy:      "Web Proxy",
		OriginIP:   "172.16.20.125",
		StartedAt:  moment.Add(-8 * time.Hour),
	}
}

func mustCompile(tb testing.TB, match Match) *Matcher {
	tb.Helper()
	matcher, err := match.Compile()
	if err != nil {
		tb.Fatalf("Compile: %v", err)
	}
	return matcher
}

func TestMatchCriteria(t *testing.T) {
	t.Parallel()
	type change = func(*Session)
	tests := map[string]struct {
		match  Match
		change change
		want   Verdict
	}{
		"nothing set means every session": {want: Yes},
		"session id equal":                {match: Match{SessionIDs: []string{"other", whole().ID}}, want: Yes},
		"session id in another case":      {match: Match{SessionIDs: []string{strings.ToUpper(whole().ID)}}, want: No},
		"session id not shown": {
			match:  Match{SessionIDs: []string{whole().ID}},
			change: func(s *Session) { s.ID = "" }, want: Undecided,
		},
		"record id is not a session id": {match: Match{SessionIDs: []string{"6"}}, want: No},

		"user in another case": {match: Match{Users: []string{"aDMIN"}}, want: Yes},
		"other user":           {match: Match{Users: []string{"admin2", "root"}}, want: No},
		"user is not a prefix": {match: Match{Users: []string{"adm"}}, want: No},
		"user not shown":       {match: Match{Users: []string{"admin"}}, change: func(s *Session) { s.User = "" }, want: Undecided},
		"user blank":           {match: Match{Users: []string{"admin"}}, change: func(s *Session) { s.User = "\t " }, want: Undecided},
		"user in white space":  {match: Match{Users: []string{"admin"}}, change: func(s *Session) { s.User = " admin\n" }, want: Yes},
		"user in Greek, final sigma": {
			match:  Match{Users: []string{"ΟΔΥΣΣΕΥΣ"}},
			change: func(s *Session) { s.User = "οδυσσευς" }, want: Yes,
		},
		"user with the Kelvin sign":      {match: Match{Users: []string{"kim"}}, change: func(s *Session) { s.User = "\u212Aim" }, want: Yes},
		"user with the long s":           {match: Match{Users: []string{"JOSE"}}, change: func(s *Session) { s.User = "jo\u017Fe" }, want: Yes},
		"user with dotless i is another": {match: Match{Users: []string{"ISIK"}}, change: func(s *Session) { s.User = "ısık" }, want: No},
		"user longer than the buffer": {
			match:  Match{Users: []string{strings.Repeat("é", foldBuffer)}},
			change: func(s *Session) { s.User = strings.Repeat("É", foldBuffer) }, want: Yes,
		},

		"credential":       {match: Match{Credentials: []string{"USRSUDONOPASS"}}, want: Yes},
		"other credential": {match: Match{Credentials: []string{"root"}}, want: No},
		"protocol":         {match: Match{Protocols: []string{"rdp", "SSH"}}, want: Yes},
		"other protocol":   {match: Match{Protocols: []string{"rdp"}}, want: No},
		"proxy":            {match: Match{Proxies: []string{"web proxy"}}, want: Yes},
		"other proxy":      {match: Match{Proxies: []string{"RDP Proxy"}}, want: No},
		"device":           {match: Match{Devices: []string{"10.66.33.17"}}, want: Yes},
		"other device":     {match: Match{Devices: []string{"10.66.33.1"}}, want: No},
		"origin":           {match: Match{OriginIPs: []string{"172.16.0.0/12"}}, want: Yes},
		"other origin":     {match: Match{OriginIPs: []string{"172.16.20.126"}}, want: No},

		"exactly as old":        {match: Match{OlderThan: 8 * time.Hour}, want: Yes},
		"a nanosecond younger":  {match: Match{OlderThan: 8*time.Hour + 1}, want: No},
		"older":                 {match: Match{OlderThan: time.Hour}, want: Yes},
		"starts now":            {match: Match{OlderThan: 1}, change: func(s *Session) { s.StartedAt = moment }, want: No},
		"starts soon":           {match: Match{OlderThan: 1}, change: func(s *Session) { s.StartedAt = moment.Add(15 * time.Minute) }, want: No},
		"starts later":          {match: Match{OlderThan: 1}, change: func(s *Session) { s.StartedAt = moment.Add(15*time.Minute + 1) }, want: Undecided},
		"starts in an hour":     {match: Match{OlderThan: 8 * time.Hour}, change: func(s *Session) { s.StartedAt = moment.Add(time.Hour) }, want: Undecided},
		"start not known":       {match: Match{OlderThan: time.Hour}, change: func(s *Session) { s.StartedAt = time.Time{} }, want: Undecided},
		"start in another zone": {match: Match{OlderThan: 8 * time.Hour}, change: func(s *Session) { s.StartedAt = s.StartedAt.In(time.FixedZone("", -3*3600)) }, want: Yes},

		"all criteria hold": {match: Match{Users: []string{"admin"}, Devices: []string{"10.66.33.17:22"}, Protocols: []string{"ssh"}, OlderThan: time.Hour}, want: Yes},
		"one criterion fails": {
			match: Match{Users: []string{"admin"}, Devices: []string{"10.66.33.17:23"}, Protocols: []string{"ssh"}},
			want:  No,
		},
		"unknown after yes": {
			match:  Match{Users: []string{"admin"}, OriginIPs: []string{"10.0.0.9"}},
			change: func(s *Session) { s.OriginIP = "" }, want: Undecided,
		},
		"no after unknown": {
			match:  Match{Users: []string{"admin"}, OriginIPs: []string{"10.0.0.9"}},
			change: func(s *Session) { s.User = "" }, want: No,
		},
		"no before unknown": {
			match:  Match{Users: []string{"root"}, OriginIPs: []string{"10.0.0.9"}},
			change: func(s *Session) { s.OriginIP = "" }, want: No,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			subject := whole()
			if test.change != nil {
				test.change(&subject)
			}
			if got := mustCompile(t, test.match).Match(subject, moment); got != test.want {
				t.Errorf("Match(%+v) = %v, want %v", subject, got, test.want)
			}
		})
	}
}

func TestMatchDevice(t *testing.T) {
	t.Parallel()
	tests := []struct {
		device, shown string
		want          Verdict
	}{
		{"10.0.0.9", "10.0.0.9:22", Yes},
		{"10.0.0.9", "10.0.0.9", Yes},
		{"10.0.0.9:22", "10.0.0.9:22", Yes},
		{"10.0.0.9:22", "10.0.0.9:2222", No},
		{"10.0.0.9:22", "10.0.0.9", Undecided},
		{"10.0.0.9:22", "10.0.0.8", No},
		{"10.0.0.9", "10.0.0.90:22", No},
		{"10.0.0.9", "110.0.0.9:22", No},
		{"10.0.0.9", "", Undecided},
		{"10.0.0.9", "  ", Undecided},
		{"10.0.0.9", " 10.0.0.9:22 ", Yes},
		{"10.0.0.9:022", "10.0.0.9:22", Yes},
		{"10.0.0.9:9000", "10.0.0.9:9000", Yes},
		{"10.0.0.9:9000", "10.0.0.9:9001", No},

		{"DB.example.com", "db.EXAMPLE.com:5432", Yes},
		{"db.example.com.", "db.example.com:5432", Yes},
		{"db.example.com", "db.example.com.:5432", Yes},
		{"db.example.com:5432", "db.example.com.", Undecided},
		{"10.0.0.9.", "10.0.0.9:22", Yes},
		{"10.0.0.9", "10.0.0.9.:22", Yes},
		{"web01", "web01 :22", Yes},
		{"café.example.com", "CAFÉ.example.com:22", Yes},
		{"srv_01", "SRV_01:3389", Yes},

		{"2001:db8::1", "[2001:db8::1]:22", Yes},
		{"2001:DB8:0:0::1", "[2001:db8::1]:22", Yes},
		{"[2001:db8::1]", "2001:db8::1", Yes},
		{"[2001:db8::1]:22", "[2001:DB8::0:1]:22", Yes},
		{"[2001:db8::1]:22", "[2001:db8::1]:23", No},
		{"[2001:db8::1]:22", "2001:db8::1", Undecided},
		{"::ffff:10.0.0.9", "10.0.0.9:22", Yes},
		{"10.0.0.9", "[::ffff:a00:9]:22", Yes},
		{"fe80::1", "[fe80::1%eth0]:22", Yes},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6:22", Yes},
		{"[2001:db8:1:2:3:4:5:6]:23", "2001:db8:1:2:3:4:5:6:22", No},

		// Without brackets the last group may be a port.
		{"2001:db8::10", "2001:db8::10:22", Undecided},
		{"[2001:db8::10]:22", "2001:db8::10:22", Undecided},
		{"[2001:db8::10]:23", "2001:db8::10:22", No},
		{"2001:db8::10:22", "2001:db8::10:22", Yes},
		{"2001:db8::11", "2001:db8::10:22", No},
		{"2001:db8::10", "2001:db8::10:ff", No},

		// More, or other, than the contract's host:port.
		{"File Server", "file server:445", Yes},
		{"File Server", "FILE SERVER", Yes},
		{"File Server:445", "file server", Undecided},
		{"web01", "web01 (10.0.0.9):22", Undecided},
		{"10.0.0.9", "web01 (10.0.0.9):22", Undecided},
		{"10.0.0.9:23", "web01 (10.0.0.9):22", Undecided},
		{"10.0.0.90", "web01 (10.0.0.9):22", No},
		{"web", "web01 (10.0.0.9):22", No},
		{"10.0.0.9", "10.0.0.9:ssh", Undecided},
		{"10.0.0.9:22", "10.0.0.9:70000", Undecided},
		{"10.0.0.9", "10.0.0.9:0", Undecided},
		{"10.0.0.8", "10.0.0.9:ssh", No},
		{"10.0.0.9", "ssh://10.0.0.9:22", Undecided},
		{"2001:db8::1", "[2001:db8::1", Undecided},
		{"2001:db8::1", "[2001:db8::1]22", Undecided},
		{"10.0.0.9", ":22", No},
		{"10.0.0.9", ".", No},
	}
	for _, test := range tests {
		t.Run(test.device+" against "+test.shown, func(t *testing.T) {
			t.Parallel()
			subject := whole()
			subject.Device = test.shown
			matcher := mustCompile(t, Match{Devices: []string{"unrelated.invalid:1", test.device}})
			if got := matcher.Match(subject, moment); got != test.want {
				t.Errorf("verdict = %v, want %v", got, test.want)
			}
		})
	}
}

func TestMatchDeviceSeveralPorts(t *testing.T) {
	t.Parallel()
	matcher := mustCompile(t, Match{Devices: []string{"db:22", "DB:5432", "web:22", "web"}})
	for shown, want := range map[string]Verdict{
		"db:22": Yes, "db:5432": Yes, "db:23": No, "db": Undecided, "web:23": Yes, "web": Yes,
	} {
		if got := matcher.Match(Session{Device: shown}, moment); got != want {
			t.Errorf("device %q: %v, want %v", shown, got, want)
		}
	}
}

func TestMatchOrigin(t *testing.T) {
	t.Parallel()
	tests := []struct {
		origin, shown string
		want          Verdict
	}{
		{"10.0.0.9", "10.0.0.9", Yes},
		{"10.0.0.9", " 10.0.0.9 ", Yes},
		{"10.0.0.9", "10.0.0.8", No},
		{"10.0.0.9", "::ffff:10.0.0.9", Yes},
		{"::ffff:10.0.0.9", "10.0.0.9", Yes},
		{"10.0.0.9", "2001:db8::1", No},
		{"2001:DB8:0::1", "2001:db8::1", Yes},
		{"fe80::1", "fe80::1%eth0", Yes},
		{"10.0.0.0/24", "10.0.0.255", Yes},
		{"10.0.0.77/24", "10.0.0.255", Yes},
		{"10.0.0.0/24", "10.0.1.0", No},
		{"10.0.0.9/32", "10.0.0.9", Yes},
		{"0.0.0.0/0", "203.0.113.7", Yes},
		{"0.0.0.0/0", "2001:db8::1", No},
		{"2001:db8::/32", "2001:db8:ffff::1", Yes},
		{"2001:db8::/32", "2001:db9::1", No},
		{"fe80::/10", "fe80::1%eth0", Yes},
		{"::ffff:10.0.0.0/120", "10.0.0.200", Yes},
		{"::ffff:10.0.0.0/120", "10.0.1.200", No},
		{"::ffff:0:0/96", "203.0.113.7", Yes},
		{"10.0.0.9", "", Undecided},
		{"10.0.0.9", "unknown", Undecided},
		{"10.0.0.0/8", "10.0.0.0/8", Undecided},
		{"10.0.0.9", "10.0.0.9, 10.0.0.8", Undecided},
		{"10.0.0.9", "010.0.0.9", Undecided},
	}
	for _, test := range tests {
		t.Run(test.origin+" against "+test.shown, func(t *testing.T) {
			t.Parallel()
			matcher := mustCompile(t, Match{OriginIPs: []string{"192.0.2.1", "198.51.100.0/28", test.origin}})
			if got := matcher.Match(Session{OriginIP: test.shown}, moment); got != test.want {
				t.Errorf("verdict = %v, want %v", got, test.want)
			}
		})
	}
}

func TestMatchIsZero(t *testing.T) {
	t.Parallel()
	if !(Match{}).IsZero() {
		t.Error("the zero Match is not zero")
	}
	for name, match := range map[string]Match{
		"session ids": {SessionIDs: []string{"a"}}, "users": {Users: []string{"a"}},
		"credentials": {Credentials: []string{"a"}}, "devices": {Devices: []string{"a"}},
		"protocols": {Protocols: []string{"a"}}, "proxies": {Proxies: []string{"a"}},
		"origin ips": {OriginIPs: []string{"10.0.0.9"}}, "older than": {OlderThan: 1},
		"an empty set is set": {Users: []string{}},
	} {
		if match.IsZero() {
			t.Errorf("%s: IsZero() = true", name)
		}
	}
}

func TestMatchValidateFaults(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		match  Match
		fault  MatchError
		reason string
	}{
		"empty set":                     {Match{Users: []string{}}, MatchError{Field: "users"}, "the set must have at least one value"},
		"empty set of origins":          {Match{OriginIPs: []string{}}, MatchError{Field: "origin_ips"}, "the set must have at least one value"},
		"empty user":                    {Match{Users: []string{""}}, MatchError{Field: "users"}, "the value must not be empty"},
		"blank credential":              {Match{Credentials: []string{" \t"}}, MatchError{Field: "credentials", Value: " \t"}, "the value must not be empty"},
		"protocol with a space before":  {Match{Protocols: []string{" ssh"}}, MatchError{Field: "protocols", Value: " ssh"}, "white space"},
		"proxy with a newline after":    {Match{Proxies: []string{"Web Proxy\n"}}, MatchError{Field: "proxies", Value: "Web Proxy\n"}, "white space"},
		"user with a newline inside":    {Match{Users: []string{"a\nb"}}, MatchError{Field: "users", Value: "a\nb"}, "control character"},
		"empty session id":              {Match{SessionIDs: []string{""}}, MatchError{Field: "session_ids"}, "the value must not be empty"},
		"session id that leaves a path": {Match{SessionIDs: []string{"../x"}}, MatchError{Field: "session_ids", Value: "../x"}, `path segment`},
		"device without host":           {Match{Devices: []string{":22"}}, MatchError{Field: "devices", Value: ":22"}, "write a host"},
		"device with an empty port":     {Match{Devices: []string{"web01:"}}, MatchError{Field: "devices", Value: "web01:"}, "port from 1"},
		"device with port 0":            {Match{Devices: []string{"web01:0"}}, MatchError{Field: "devices", Value: "web01:0"}, "port from 1"},
		"device with a high port":       {Match{Devices: []string{"web01:65536"}}, MatchError{Field: "devices", Value: "web01:65536"}, "port from 1"},
		"device with a signed port":     {Match{Devices: []string{"web01:+22"}}, MatchError{Field: "devices", Value: "web01:+22"}, "port from 1"},
		"device with a named port":      {Match{Devices: []string{"web01:ssh"}}, MatchError{Field: "devices", Value: "web01:ssh"}, "port from 1"},
		"device with two colons":        {Match{Devices: []string{"a:b:22"}}, MatchError{Field: "devices", Value: "a:b:22"}, "[IPv6]:port"},
		"device with an open bracket":   {Match{Devices: []string{"[::1"}}, MatchError{Field: "devices", Value: "[::1"}, "[IPv6]:port"},
		"device with text after it":     {Match{Devices: []string{"[::1]22"}}, MatchError{Field: "devices", Value: "[::1]22"}, "[IPv6]:port"},
		"device that is a URL":          {Match{Devices: []string{"ssh://web01"}}, MatchError{Field: "devices", Value: "ssh://web01"}, "must be one device"},
		"device that is a prefix":       {Match{Devices: []string{"10.0.0.0/24"}}, MatchError{Field: "devices", Value: "10.0.0.0/24"}, "must be one device"},
		"device with a user":            {Match{Devices: []string{"root@web01"}}, MatchError{Field: "devices", Value: "root@web01"}, "must be one device"},
		"devices in one string":         {Match{Devices: []string{"web01,web02"}}, MatchError{Field: "devices", Value: "web01,web02"}, "must be one device"},
		"device with a wildcard":        {Match{Devices: []string{"web*"}}, MatchError{Field: "devices", Value: "web*"}, "wildcards are not supported"},
		"device with a zone":            {Match{Devices: []string{"fe80::1%eth0"}}, MatchError{Field: "devices", Value: "fe80::1%eth0"}, "without its zone"},
		"origin that is a name":         {Match{OriginIPs: []string{"laptop"}}, MatchError{Field: "origin_ips", Value: "laptop"}, "write an IP address"},
		"origin with a port":            {Match{OriginIPs: []string{"10.0.0.9:1"}}, MatchError{Field: "origin_ips", Value: "10.0.0.9:1"}, "write an IP address"},
		"origin with a leading zero":    {Match{OriginIPs: []string{"010.0.0.9"}}, MatchError{Field: "origin_ips", Value: "010.0.0.9"}, "write an IP address"},
		"origin with a long prefix":     {Match{OriginIPs: []string{"10.0.0.0/33"}}, MatchError{Field: "origin_ips", Value: "10.0.0.0/33"}, "write the prefix"},
		"origin with a zone":            {Match{OriginIPs: []string{"fe80::1%eth0"}}, MatchError{Field: "origin_ips", Value: "fe80::1%eth0"}, "without its zone"},
		"origin beyond mapped IPv4":     {Match{OriginIPs: []string{"::ffff:0:0/90"}}, MatchError{Field: "origin_ips", Value: "::ffff:0:0/90"}, "IPv4 notation"},
		"negative age":                  {Match{OlderThan: -time.Second}, MatchError{Field: "older_than", Value: "-1s"}, "greater than zero"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := test.match.Validate()
			var fault *MatchError
			if !errors.As(err, &fault) {
				t.Fatalf("Validate() = %v, want a *MatchError", err)
			}
			if fault.Field != test.fault.Field || fault.Value != test.fault.Value || !strings.Contains(fault.Reason, test.reason) {
				t.Errorf("fault = %+v, want %+v with a reason that contains %q", *fault, test.fault, test.reason)
			}
			if _, err := test.match.Compile(); err == nil {
				t.Error("Compile accepts what Validate refuses")
			}
			if _, err := NewSelector(Everyone, test.match); err == nil || !strings.HasPrefix(err.Error(), "exclude: ") {
				t.Errorf("NewSelector with a faulty exclude: %v", err)
			}
			if _, err := NewSelector(test.match, Match{}); err == nil || !strings.HasPrefix(err.Error(), "match: ") {
				t.Errorf("NewSelector with a faulty match: %v", err)
			}
		})
	}
}

// In a match a zero age is none, so that only who reads an age can refuse it.
func TestValidateOlderThan(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]bool{-1: false, 0: false, 1: true} {
		if err := validateOlderThan(age); (err == nil) != want {
			t.Errorf("validateOlderThan(%d) = %v", age, err)
		}
	}
}

func TestMatchValidateNamesEveryFault(t *testing.T) {
	t.Parallel()
	err := Match{
		SessionIDs: []string{"ok", ".."},
		Users:      []string{"", "alice", " bob"},
		Devices:    []string{},
		OriginIPs:  []string{"nowhere", "10.0.0.0/8"},
		OlderThan:  -1,
	}.Validate()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("Validate() = %v, want joined errors", err)
	}
	got := make([]string, 0, len(joined.Unwrap()))
	for _, fault := range joined.Unwrap() {
		var matchError *MatchError
		if !errors.As(fault, &matchError) {
			t.Fatalf("%v is not a *MatchError", fault)
		}
		got = append(got, matchError.Field+"="+matchError.Value)
	}
	want := []string{"session_ids=..", "users=", "users= bob", "devices=", "origin_ips=nowhere", "older_than=-1ns"}
	if !slices.Equal(got, want) {
		t.Errorf("faults = %q, want %q", got, want)
	}
}

func TestMatchErrorText(t *testing.T) {
	t.Parallel()
	for want, fault := range map[string]*MatchError{
		`devices: "a:b:22": because`: {Field: "devices", Value: "a:b:22", Reason: "because"},
		`devices: because`:           {Field: "devices", Reason: "because"},
	} {
		if got := fault.Error(); got != want {
			t.Errorf("Error() = %q, want %q", got, want)
		}
	}
}

func TestMatchAcceptsDuplicates(t *testing.T) {
	t.Parallel()
	match := Match{Users: []string{"alice", "ALICE"}, Devices: []string{"web", "WEB."}, OriginIPs: []string{"::ffff:10.0.0.9", "10.0.0.9"}}
	if err := match.Validate(); err != nil {
		t.Errorf("Validate() = %v", err)
	}
}

func TestMatcherKeepsNothingOfTheCaller(t *testing.T) {
	t.Parallel()
	users := []string{"admin"}
	matcher := mustCompile(t, Match{Users: users})
	users[0] = "root"
	if got := matcher.Match(whole(), moment); got != Yes {
		t.Errorf("verdict after the caller's slice changed: %v", got)
	}
}

// Everyone is never meant by omission.
func TestSelectorOfEveryone(t *testing.T) {
	t.Parallel()
	for name, exclude := range map[string]Match{"zero exclude": {}, "an exclude": {Users: []string{"admin"}}} {
		selector, err := NewSelector(Match{}, exclude)
		if selector != nil || err == nil || !strings.HasPrefix(err.Error(), "match: ") || !strings.Contains(err.Error(), "every session") {
			t.Errorf("zero match, %s: %v, %v; want an error", name, selector, err)
		}
	}
	everyone, err := NewSelector(Everyone, Match{})
	if err != nil {
		t.Fatal(err)
	}
	if got := everyone.Select(Session{}, moment); got != Yes {
		t.Errorf("everyone, zero exclude: %v, want yes", got)
	}
	allBut, err := NewSelector(Everyone, Match{Users: []string{"admin"}})
	if err != nil {
		t.Fatal(err)
	}
	for user, want := range map[string]Verdict{"ADMIN": No, "alice": Yes, "": Undecided} {
		if got := allBut.Select(Session{User: user}, moment); got != want {
			t.Errorf("all but admin, user %q: %v, want %v", user, got, want)
		}
	}
}

func TestSelectorUnknownCriteria(t *testing.T) {
	t.Parallel()
	selector, err := NewSelector(
		Match{Users: []string{"alice", "operator"}, Devices: []string{"db:22"}, OlderThan: time.Hour},
		Match{OriginIPs: []string{"10.0.0.9"}, Users: []string{"root", "operator"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		subject Session
		want    []string
	}{
		"nothing known": {Session{}, []string{"match.users", "match.devices", "match.older_than", "exclude.users", "exclude.origin_ips"}},
		"no port":       {Session{User: "alice", Device: "db", StartedAt: moment.Add(-2 * time.Hour), OriginIP: "10.0.0.8"}, []string{"match.devices"}},
		"not protected": {Session{User: "alice", Device: "db:22", StartedAt: moment.Add(-2 * time.Hour)}, nil},
		"not meant":     {Session{User: "bob"}, nil},
		"no origin":     {Session{User: "operator", Device: "db:22", StartedAt: moment.Add(-2 * time.Hour), OriginIP: "?"}, []string{"exclude.origin_ips"}},
	}
	for name, test := range tests {
		if got := unknownOf(selector, test.subject); !slices.Equal(got, test.want) {
			t.Errorf("%s: unknown: %q, want %q", name, got, test.want)
		}
	}
}

func TestVerdictText(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[Verdict]string{No: "no", Undecided: "undecided", Yes: "yes", 9: "Verdict(9)"} {
		if got := verdict.String(); got != want {
			t.Errorf("String() = %q, want %q", got, want)
		}
	}
}

func TestAppendFoldEqualsEqualFold(t *testing.T) {
	t.Parallel()
	same := func(a, b string) bool { return bytes.Equal(appendFold(nil, a), appendFold(nil, b)) }
	for r := range unicode.MaxRune + 1 {
		if r > unicode.MaxLatin1 && unicode.SimpleFold(r) == r {
			continue // has no other case; a million of them are slow under the race detector
		}
		a := string(r)
		for _, b := range []string{string(unicode.ToLower(r)), string(unicode.ToUpper(r)), string(unicode.SimpleFold(r)), string(r ^ 0x20), string(r + 1)} {
			if same(a, b) != strings.EqualFold(a, b) {
				t.Fatalf("%q and %q: fold says %v, EqualFold %v", a, b, same(a, b), strings.EqualFold(a, b))
			}
		}
	}
}

// busyMatch uses every criterion.
func busyMatch() Match {
	return Match{
		SessionIDs:  []string{whole().ID},
		Users:       []string{"admin", "alice", "böb"},
		Credentials: []string{"usrsudonopass", "root"},
		Devices:     []string{"10.66.33.17", "db.example.com:5432", "[2001:db8::1]:22"},
		Protocols:   []string{"ssh", "rdp"},
		Proxies:     []string{"Web Proxy"},
		OriginIPs:   []string{"172.16.20.125", "10.0.0.0/8", "2001:db8::/32"},
		OlderThan:   time.Hour,
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	for name, subject := range map[string]Session{
		"every criterion holds": whole(),
		"host name":             {ID: whole().ID, User: "ADMIN", Credential: "root", Device: "web01.example.com:22"},
		"IPv6":                  {ID: whole().ID, User: "ADMIN", Credential: "root", Device: "[2001:db8::2]:22"},
		"names in another form": {ID: whole().ID, User: `CORP\alice`, Credential: "root@corp.example.com", Device: "db:5432"},
		"first criterion fails": {ID: "other"},
	} {
		matcher := mustCompile(t, busyMatch())
		if got := testing.AllocsPerRun(100, func() { matcher.Match(subject, moment) }); got != 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	const plainUser = "User%d"
	for _, bench := range []struct {
		name, user string
		match      Match
	}{
		{"users", plainUser, Match{Users: []string{"alice", "bob"}}},
		{"users of a domain", `CORP\user%d`, Match{Users: []string{`CORP\alice`, "bob@corp.example.com"}}},
		{"devices by name", plainUser, Match{Devices: []string{"db.example.com", "10.0.0.9:22"}}},
		{"devices by short name", plainUser, Match{Devices: []string{"db", "10.0.0.9:22"}}},
		{"devices and age", plainUser, Match{OlderThan: time.Hour, Devices: []string{"db.example.com"}}},
		{"devices, namesakes of every row", plainUser, namesakes()},
	} {
		b.Run(bench.name, func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			rows := make([]Session, 1024)
			for i := range rows {
				rows[i] = whole()
				rows[i].User = fmt.Sprintf(bench.user, rng.IntN(1000))
				rows[i].Device = fmt.Sprintf("web%d.example.com:22", rng.IntN(1000))
			}
			matcher := mustCompile(b, bench.match)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if matcher.Match(rows[i%len(rows)], moment) != No {
					b.Fatal("a row matches")
				}
			}
		})
	}
}

// namesakes matches hosts of another domain with the first labels of all rows.
func namesakes() Match {
	var match Match
	for i := range 1000 {
		match.Devices = append(match.Devices, fmt.Sprintf("web%d.example.net", i))
	}
	return match
}

// At the end of summer time a zone repeats an hour, and a start in it means two moments.
func TestMatchAgeInARepeatedHour(t *testing.T) {
	t.Parallel()
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	inBerlin := time.Date(2026, time.October, 25, 2, 30, 0, 0, berlin)
	october := func(hour, minute int) time.Time {
		return time.Date(2026, time.October, 25, hour, minute, 0, 0, time.UTC)
	}
	local := func(hour, minute int) time.Time {
		return time.Date(2026, time.November, 1, hour, minute, 0, 0, newYork)
	}
	// 01:30 was 05:30 and 06:30 in UTC.
	utc := func(hour, minute int) time.Time {
		return time.Date(2026, time.November, 1, hour, minute, 0, 0, time.UTC)
	}
	for name, test := range map[string]struct {
		start, now time.Time
		age        time.Duration
		want       Verdict
	}{
		"old enough by the first alone":              {local(1, 30), utc(6, 45), time.Hour, Undecided},
		"old enough by the second too":               {local(1, 30), utc(7, 30), time.Hour, Yes},
		"a second too young by the second":           {local(1, 30), utc(7, 30).Add(-time.Second), time.Hour, Undecided},
		"young by both":                              {local(1, 30), utc(6, 45), 2 * time.Hour, No},
		"the second is yet to come":                  {local(1, 30), utc(6, 0), 30 * time.Minute, Yes},
		"the second is yet to come, and it is young": {local(1, 30), utc(6, 0), time.Hour, No},
		"both are yet to come":                       {local(1, 30), utc(5, 0), time.Hour, Undecided},
		"before the repeated hour":                   {local(0, 59), utc(6, 45), time.Hour, Yes},
		"after the repeated hour":                    {local(2, 0), utc(7, 59), time.Hour, No},
		// West of Greenwich, Go takes a repeated time for its first moment, and east of it for
		// its second. 02:30 in Berlin was 00:30 and 01:30 in UTC.
		"in Berlin, old enough by the first alone": {inBerlin, october(1, 45), time.Hour, Undecided},
		"in Berlin, old enough by the second too":  {inBerlin, october(2, 30), time.Hour, Yes},
		"in Berlin, young by both":                 {inBerlin, october(1, 15), time.Hour, No},
		"a zone that repeats no hour":              {time.Date(2026, time.November, 1, 1, 30, 0, 0, time.FixedZone("", -4*3600)), utc(6, 45), time.Hour, Yes},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := mustCompile(t, Match{OlderThan: test.age}).Match(Session{StartedAt: test.start}, test.now); got != test.want {
				t.Errorf("verdict = %v, want %v", got, test.want)
			}
		})
	}
}
