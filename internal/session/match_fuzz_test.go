package session

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// FuzzMatch: a verdict does not depend on the order of values, a criterion more
// never brings a session nearer to a drop, and exclude never adds one.
func FuzzMatch(f *testing.F) {
	f.Add("alice", "10.0.0.9:22", "10.0.0.0/8", int64(time.Hour), "Alice", "10.0.0.9:22", "10.1.2.3", int64(2*time.Hour))
	f.Add("K", "[2001:db8::1]:22", "::1", int64(1), "\u212A", "2001:db8::1:22", "", int64(0))
	f.Add("x", "File Server", "::ffff:10.0.0.9", int64(0), "", "file server (10.0.0.9)", "fe80::1%eth0", int64(-5))
	f.Fuzz(func(t *testing.T, user, device, origin string, older int64, shownUser, shownDevice, shownOrigin string, age int64) {
		match := Match{
			Users:     []string{user},
			Devices:   []string{device, "unrelated.invalid"},
			OriginIPs: []string{origin},
			OlderThan: time.Duration(older),
		}
		full, err := match.Compile()
		if (err == nil) != (match.Validate() == nil) {
			t.Fatalf("Compile: %v, Validate: %v", err, match.Validate())
		}
		if err != nil {
			return
		}
		subject := Session{User: shownUser, Device: shownDevice, OriginIP: shownOrigin, StartedAt: moment.Add(-time.Duration(age))}
		verdict := full.Match(subject, moment)

		swapped := match
		swapped.Devices = []string{"unrelated.invalid", device}
		if got := mustCompile(t, swapped).Match(subject, moment); got != verdict {
			t.Errorf("verdict %v, with the devices swapped %v", verdict, got)
		}
		wider := match
		wider.Devices = nil
		if got := mustCompile(t, wider).Match(subject, moment); got < verdict {
			t.Errorf("verdict %v, and without devices %v", verdict, got)
		}
		selector, err := NewSelector(wider, Match{Devices: match.Devices})
		if err != nil {
			t.Fatal(err)
		}
		selected := selector.Select(subject, moment)
		if verdict == Yes && selected != No {
			t.Errorf("match holds with its devices, but excluding them selects %v", selected)
		}
		if selected > mustCompile(t, wider).Match(subject, moment) {
			t.Errorf("exclude raised the verdict to %v", selected)
		}
		judgement := selector.Judge(subject, moment)
		open := judgement.Match == Undecided || judgement.Exclude == Undecided
		if unknown := selector.UnknownCriteria(subject, moment); (len(unknown) > 0) != open {
			t.Errorf("judgement %v, unknown criteria %q", judgement, unknown)
		}
	})
}

// FuzzMatchDevice: a device that is accepted in a match finds the session whose
// device senhasegura writes in the same way, in any case, and the host finds every
// port.
func FuzzMatchDevice(f *testing.F) {
	for _, seed := range []string{
		"10.66.33.17:22", "web01", "WEB01.example.com.:3389", "[2001:db8::1]:22", "2001:db8::1:22",
		"2001:db8:1:2:3:4:5:6:22", "::ffff:10.0.0.9", "File Server:445", "a:b:c", "[", "]:1", ":", "fe80::1%eth0",
	} {
		f.Add(seed, uint16(22))
	}
	f.Fuzz(func(t *testing.T, text string, port uint16) {
		match := Match{Devices: []string{text}}
		if match.Validate() != nil {
			// senhasegura may show what no match may say.
			mustCompile(t, Match{Devices: []string{"web01"}}).Match(Session{Device: text}, moment)
			return
		}
		matcher := mustCompile(t, match)
		for _, shown := range []string{text, strings.ToUpper(text), " " + text} {
			if !strings.EqualFold(strings.TrimSpace(shown), text) {
				continue
			}
			if got := matcher.Match(Session{Device: shown}, moment); got != Yes {
				t.Errorf("device %q against the session's %q: %v", text, shown, got)
			}
		}
		parsed, ok := parseDevice(text)
		if !ok {
			t.Fatalf("%q is valid, and cannot be taken apart", text)
		}
		if parsed.port != 0 || port == 0 {
			return
		}
		shown := deviceText(parsed, port)
		if got := matcher.Match(Session{Device: shown}, moment); got != Yes {
			t.Errorf("host %q against the session's %q: %v", text, shown, got)
		}
	})
}

func FuzzMatchOrigin(f *testing.F) {
	for _, seed := range []string{"10.0.0.9", "10.0.0.0/8", "::ffff:10.0.0.0/100", "::/0", "fe80::1%a", "::ffff:1.2.3.4", "/", "1.2.3.4/-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		match := Match{OriginIPs: []string{text}}
		if match.Validate() != nil {
			return
		}
		prefix, err := parseOriginPattern(text)
		if err != nil {
			t.Fatalf("%q is valid, and cannot be read: %v", text, err)
		}
		if got := mustCompile(t, match).Match(Session{OriginIP: prefix.Addr().String()}, moment); got != Yes {
			t.Errorf("%q against its own address %v: %v", text, prefix.Addr(), got)
		}
	})
}

// deviceText writes a device as senhasegura does.
func deviceText(d device, port uint16) string {
	host := d.name
	if d.address.IsValid() {
		host = d.address.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}
