package session

import (
	"fmt"
	"testing"
)

func TestMatchHostInAnotherForm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		device, shown string
		want          Verdict
	}{
		{"db-01", "db-01.example.com", Undecided},
		{"db-01.example.com", "db-01", Undecided},
		{"db-01", "db-01.example.com:22", Undecided},
		{"db-01.example.com", "db-01:22", Undecided},
		{"db-01:22", "db-01.example.com:22", Undecided},
		{"db-01.example.com:22", "db-01:22", Undecided},
		{"db-01:22", "db-01.example.com", Undecided},
		{"DB-01", "db-01.Example.COM:22", Undecided},
		{"DB-01.EXAMPLE.COM", "db-01:22", Undecided},
		{"db-01.", "db-01.example.com.:22", Undecided},
		{"db-01.example.com.", "db-01.:22", Undecided},
		{"café", "CAFÉ.example.com:22", Undecided},
		{"4711", "4711.example.com:22", Undecided},
		{"4711.example.com", "4711:22", Undecided},

		// Another port is another service, however the host is written.
		{"db-01.example.com:3389", "db-01:22", No},
		{"db-01:3389", "db-01.example.com:22", No},

		// Two names of one notation that differ.
		{"db-01.example.com", "db-01.other.com:22", No},
		{"db-01.example.com", "db-01.example.com.br:22", No},
		{"db-01", "db-02:22", No},
		{"db-01", "db-02.example.com:22", No},
		{"db-01.example.com", "db-02:22", No},
		{"db-01.example.com", "example:22", No},
		{"db-0", "db-01.example.com:22", No},

		// An address has no other form, and neither has a part of one.
		{"10.0.0.9", "db-01:22", No},
		{"db-01", "10.0.0.9:22", No},
		{"10", "10.0.0.9:22", No},
		{"10.0.0.9", "10:22", No},
		{"10", "10.0.0.999:22", No},
		{"10.0.0", "10:22", No},
		{"2001", "[2001:db8::1]:22", No},

		// The exact name is certain.
		{"db-01", "db-01:22", Yes},
		{"db-01.example.com", "db-01.example.com:22", Yes},
		{"10", "10:22", Yes},

		// The name among other words.
		{"db-01", "db-01.example.com (10.0.0.9):22", Undecided},
		{"db-01.example.com", "db-01 (10.0.0.9):22", Undecided},
		{"db-01", "ssh://db-01.example.com:22", Undecided},
		{"db-01", "db-01.example.com:ssh", Undecided},
		{"db-01", "db-02.example.com (10.0.0.9):22", No},
	} {
		t.Run(test.device+" against "+test.shown, func(t *testing.T) {
			t.Parallel()
			matcher := mustCompile(t, Match{Devices: []string{"unrelated.invalid:1", test.device}})
			if got := matcher.Match(Session{Device: test.shown}, moment); got != test.want {
				t.Errorf("verdict = %v, want %v", got, test.want)
			}
		})
	}
}

func TestMatchAccountInAnotherForm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		account, shown string
		want           Verdict
	}{
		{"alice", `CORP\alice`, Undecided},
		{`CORP\alice`, "alice", Undecided},
		{"alice", "alice@corp.example.com", Undecided},
		{"alice@corp.example.com", "alice", Undecided},
		{`CORP\alice`, "alice@corp.example.com", Undecided},
		{"alice@corp.example.com", `CORP\alice`, Undecided},
		{"ALICE", `corp\Alice`, Undecided},
		{"Alice@CORP.example.com", " alice ", Undecided},
		{`.\alice`, "alice", Undecided},
		{`\alice`, "alice", Undecided},
		{"alice", `AzureAD\alice@corp.example.com`, Undecided},
		{`CORP\alice`, `AzureAD\alice@corp.example.com`, Undecided},
		{"alice@corp.example.com", `AzureAD\alice@corp.example.com`, Undecided},
		{"\u212Aim", `CORP\kim`, Undecided},
		{"alice", `FOREST\CORP\alice`, Undecided},
		{"alice", "alice@partner.com@corp.example.com", Undecided},

		// Two names of one notation that differ.
		{"alice", "bob", No},
		{`CORP\alice`, `OTHER\alice`, No},
		{`CORP\alice`, `CORP\bob`, No},
		{"alice@x", "alice@y", No},
		{"alice@x", "bob@x", No},
		{`A\alice@x`, `B\alice@x`, No},

		// Different notations of different names.
		{"alice", `CORP\bob`, No},
		{"alice", "bob@corp.example.com", No},
		{`CORP\alice`, "bob@corp.example.com", No},
		{"alice", `alice\bob`, No},
		{"alice", "bob@alice", No},
		{"corp", `CORP\alice`, No},

		// What has no account name is a plain name.
		{"@corp.example.com", "corp.example.com", No},
		{"@x", "@y", No},
		{`CORP\`, "CORP", No},
		{`CORP\`, "@x", No},
		{`CORP\@x`, "@x", No},

		// The exact name is certain.
		{`CORP\alice`, `corp\ALICE`, Yes},
		{"alice@corp.example.com", "Alice@corp.example.com", Yes},
		{"@x", "@X", Yes},
		{`CORP\`, `corp\`, Yes},
	} {
		t.Run(test.account+" against "+test.shown, func(t *testing.T) {
			t.Parallel()
			users := mustCompile(t, Match{Users: []string{"unrelated", test.account}})
			if got := users.Match(Session{User: test.shown}, moment); got != test.want {
				t.Errorf("user: %v, want %v", got, test.want)
			}
			credentials := mustCompile(t, Match{Credentials: []string{"unrelated", test.account}})
			if got := credentials.Match(Session{Credential: test.shown}, moment); got != test.want {
				t.Errorf("credential: %v, want %v", got, test.want)
			}
		})
	}
}

// Yes if any value is, else unknown if any is, else no.
func TestMatchSetOfForms(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		match   Match
		subject Session
		want    Verdict
	}{
		{Match{Devices: []string{"db-01", "db-01.example.com"}}, Session{Device: "db-01.example.com:22"}, Yes},
		{Match{Devices: []string{"db-01.example.com", "db-01"}}, Session{Device: "db-01:22"}, Yes},
		{Match{Devices: []string{"db-01.example.com", "db-01"}}, Session{Device: "db-01.other.com:22"}, Undecided},
		{Match{Devices: []string{"db-01.example.com", "db-01.other.com"}}, Session{Device: "db-01.third.com:22"}, No},
		{Match{Devices: []string{"db-01.example.com", "db-01.other.com"}}, Session{Device: "db-01"}, Undecided},
		{Match{Devices: []string{"db-01.example.com:22", "db-01.other.com:3389"}}, Session{Device: "db-01:3389"}, Undecided},
		{Match{Devices: []string{"db-01.example.com:22", "db-01.other.com:3389"}}, Session{Device: "db-01:5432"}, No},
		{Match{Devices: []string{"db-01:22", "db-01.example.com"}}, Session{Device: "db-01:3389"}, Undecided},
		{Match{Devices: []string{"db-01:22", "db-01.example.com:22"}}, Session{Device: "db-01:22"}, Yes},

		{Match{Users: []string{"alice", `CORP\alice`}}, Session{User: `CORP\alice`}, Yes},
		{Match{Users: []string{`CORP\alice`, `OTHER\alice`}}, Session{User: `THIRD\alice`}, No},
		{Match{Users: []string{`CORP\alice`, "alice@corp.example.com"}}, Session{User: `THIRD\alice`}, Undecided},
		{Match{Users: []string{`CORP\alice`, `OTHER\alice`}}, Session{User: "alice"}, Undecided},
	} {
		t.Run(fmt.Sprint(test.match.Devices, test.match.Users, test.subject.Device, test.subject.User), func(t *testing.T) {
			t.Parallel()
			if got := mustCompile(t, test.match).Match(test.subject, moment); got != test.want {
				t.Errorf("verdict = %v, want %v", got, test.want)
			}
		})
	}
}

// Protocols, proxies, identifiers and origins have no other form.
func TestMatchOtherFieldsHaveOneForm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		match   Match
		subject Session
	}{
		{Match{Protocols: []string{"ssh"}}, Session{Protocol: "ssh.v2"}},
		{Match{Proxies: []string{"web"}}, Session{Proxy: `web\proxy`}},
		{Match{Proxies: []string{"proxy"}}, Session{Proxy: `web\proxy`}},
		{Match{SessionIDs: []string{"abc"}}, Session{ID: "abc@x"}},
		{Match{SessionIDs: []string{"abc"}}, Session{ID: "ABC"}},
		{Match{OriginIPs: []string{"10.0.0.9"}}, Session{OriginIP: "10.0.0.90"}},
	} {
		if got := mustCompile(t, test.match).Match(test.subject, moment); got != No {
			t.Errorf("%+v against %+v: %v, want no", test.match, test.subject, got)
		}
	}
}

// A session that exclude may name in another form is not terminated.
func TestJudgeNamesInAnotherForm(t *testing.T) {
	t.Parallel()
	selector := mustSelect(t, Match{Devices: []string{"db-01.example.com"}}, Match{Users: []string{"breakglass"}})
	for _, test := range []struct {
		device, user string
		want         Judgement
	}{
		{"db-01.example.com:22", "alice", Judgement{Yes, No}},
		{"db-01.example.com:22", "breakglass", Judgement{Yes, Yes}},
		{"db-01.example.com:22", `CORP\breakglass`, Judgement{Yes, Undecided}},
		{"db-01:22", "breakglass", Judgement{Undecided, Yes}},
		{"db-01:22", `CORP\breakglass`, Judgement{Undecided, Undecided}},
		{"db-01.other.com:22", "breakglass", Judgement{No, No}},
	} {
		if got := selector.Judge(Session{Device: test.device, User: test.user}, moment); got != test.want {
			t.Errorf("%s on %s: Judge = %v, want %v", test.user, test.device, got, test.want)
		}
	}
}
