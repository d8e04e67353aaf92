package session

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// device is a device text taken apart. Either address is valid, or name is the
// host as it was written, without dots and white space at its end.
type device struct {
	address netip.Addr
	name    string
	// port is 0 where the text has none.
	port uint16
}

// parseDevice takes host[:port] apart: a name, an address, "[IPv6]:port", or
// nine groups, which can only be a full IPv6 address and a port. A bare text
// that is an IPv6 address is that address. A name may contain anything but
// colons and brackets, because senhasegura does not promise more than a text.
func parseDevice(text string) (device, bool) {
	if inner, bracketed := strings.CutPrefix(text, "["); bracketed {
		return parseBracketed(inner)
	}
	if address, ok := parseAddress(text); ok {
		return device{address: address}, true
	}
	host, portText, hasPort := cutLast(text, ':')
	if !hasPort {
		return parseName(text, 0)
	}
	port, ok := parsePort(portText)
	if !ok {
		return device{}, false
	}
	return parseName(host, port)
}

func parseBracketed(inner string) (device, bool) {
	host, rest, closed := strings.Cut(inner, "]")
	address, ok := parseAddress(host)
	if !closed || !ok {
		return device{}, false
	}
	if rest == "" {
		return device{address: address}, true
	}
	portText, hasPort := strings.CutPrefix(rest, ":")
	port, ok := parsePort(portText)
	if !hasPort || !ok {
		return device{}, false
	}
	return device{address: address, port: port}, true
}

func parseName(name string, port uint16) (device, bool) {
	name = strings.TrimRightFunc(name, func(r rune) bool { return r == '.' || unicode.IsSpace(r) })
	if address, ok := parseAddress(name); ok {
		return device{address: address, port: port}, true
	}
	if name == "" || strings.ContainsAny(name, ":[]") {
		return device{}, false
	}
	return device{name: name, port: port}, true
}

func parsePort(text string) (uint16, bool) {
	if text == "" || text[0] < '0' || text[0] > '9' {
		return 0, false
	}
	port, err := strconv.ParseUint(text, 10, 16)
	return uint16(port), err == nil && port > 0
}

// parseAddress reads an IP address. IPv4-mapped IPv6 becomes IPv4, and a zone is
// left out, because it names an interface of the senhasegura server.
func parseAddress(text string) (netip.Addr, bool) {
	// netip allocates an error for everything else, and a list has a million rows.
	if !looksLikeAddress(text) {
		return netip.Addr{}, false
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, false
	}
	return address.Unmap().WithZone(""), true
}

// looksLikeAddress is true of every IP address and of few other texts: an IPv6
// address has two colons, and an IPv4 address three dots among digits.
func looksLikeAddress(text string) bool {
	if text == "" {
		return false
	}
	if last := text[len(text)-1]; '0' <= last && last <= '9' && !strings.Contains(text, ":") {
		return strings.Count(text, ".") == 3 && strings.Trim(text, ".0123456789") == ""
	}
	return strings.Count(text, ":") >= 2
}

func cutLast(text string, separator byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(text, separator); i >= 0 {
		return text[:i], text[i+1:], true
	}
	return text, "", false
}

// deviceReason says why text cannot name a device, or is empty. Besides what
// cannot be taken apart it refuses texts that would be accepted and never match.
func deviceReason(text string) string {
	const forms = `write a host, "host:port", an IP address, or "[IPv6]:port"`
	switch {
	case strings.ContainsAny(text, "*?"):
		return "wildcards are not supported: write each device"
	case strings.ContainsAny(text, "/@,;"):
		return "the value must be one device: " + forms
	case strings.Contains(text, "%"):
		return "write the address without its zone: the zones of the senhasegura server are not those of this machine"
	}
	if _, ok := parseDevice(text); !ok {
		return forms + ", with a port from 1 to 65535"
	}
	return ""
}

// ports are those of one host: every one, or the listed.
type ports struct {
	every  bool
	listed []uint16
}

func (p ports) with(port uint16) ports {
	if port == 0 {
		p.every = true
		return p
	}
	p.listed = append(p.listed, port)
	return p
}

// judge is Undecided where the session has no port and certain ports are meant.
func (p ports) judge(port uint16) Verdict {
	switch {
	case p.every:
		return Yes
	case len(p.listed) == 0:
		return No
	case port == 0:
		return Undecided
	case slices.Contains(p.listed, port):
		return Yes
	}
	return No
}

// deviceSet holds the devices of a Match by host.
type deviceSet struct {
	addresses map[netip.Addr]ports
	names     map[string]ports
	// stems are the names by their stem, mostly the first label.
	stems map[string]*hostForms
}

// hostForms are the values with one stem, by their notation.
type hostForms struct {
	unqualified, qualified []hostValue
}

type hostValue struct {
	text string
	port uint16
}

// mayBeOn is false where both have a port and these differ.
func (v hostValue) mayBeOn(port uint16) bool {
	return v.port == port || v.port == 0 || port == 0
}

// others gives the values that are not written in this notation.
func (f *hostForms) others(written notation) []hostValue {
	if written == unqualified {
		return f.qualified
	}
	return f.unqualified
}

func newDeviceSet(texts []string) *deviceSet {
	devices := &deviceSet{addresses: map[netip.Addr]ports{}, names: map[string]ports{}, stems: map[string]*hostForms{}}
	for _, text := range texts {
		parsed, ok := parseDevice(text)
		switch {
		case !ok:
		case parsed.address.IsValid():
			devices.addresses[parsed.address] = devices.addresses[parsed.address].with(parsed.port)
		default:
			devices.addName(appendFold(nil, parsed.name), hostValue{text: text, port: parsed.port})
		}
	}
	return devices
}

func (d *deviceSet) addName(name []byte, value hostValue) {
	d.names[string(name)] = d.names[string(name)].with(value.port)
	stem, written := hostForm(name)
	forms := d.stems[string(stem)]
	if forms == nil {
		forms = &hostForms{}
		d.stems[string(stem)] = forms
	}
	if written == unqualified {
		forms.unqualified = append(forms.unqualified, value)
	} else {
		forms.qualified = append(forms.qualified, value)
	}
}

// judge compares the device that senhasegura shows with the set.
func (d *deviceSet) judge(text string) Verdict {
	text = strings.TrimSpace(text)
	if text == "" {
		return Undecided
	}
	parsed, ok := parseDevice(text)
	verdict := No
	if ok {
		verdict = d.judgeParsed(parsed)
	}
	switch {
	case verdict != No:
		return verdict
	case !ok || !plain(text):
		return d.judgeMentions(text)
	}
	if other, ambiguous := readWithPort(text, parsed); ambiguous && d.judgeParsed(other) != No {
		return Undecided
	}
	return No
}

func (d *deviceSet) judgeParsed(parsed device) Verdict {
	if parsed.address.IsValid() {
		return d.addresses[parsed.address].judge(parsed.port)
	}
	var buffer [foldBuffer]byte
	name := appendFold(buffer[:0], parsed.name)
	stem, written := hostForm(name)
	forms := d.stems[string(stem)]
	if forms == nil {
		return No // as nearly every row of a list
	}
	if verdict := d.names[string(name)].judge(parsed.port); verdict != No {
		return verdict
	}
	for _, value := range forms.others(written) {
		if value.mayBeOn(parsed.port) {
			return Undecided
		}
	}
	return No
}

// otherForms gives the values of which shown is another form.
func (d *deviceSet) otherForms(shown string) []string {
	device, ok := parseDevice(shown)
	if !ok || device.address.IsValid() {
		return nil
	}
	stem, written := hostForm(appendFold(nil, device.name))
	forms := d.stems[string(stem)]
	if forms == nil {
		return nil
	}
	var others []string
	for _, value := range forms.others(written) {
		if value.mayBeOn(device.port) {
			others = append(others, value.text)
		}
	}
	return others
}

// readWithPort gives the second reading of an IPv6 address without brackets:
// "2001:db8::1:22" is an address, and may be meant as an address and a port.
func readWithPort(text string, parsed device) (device, bool) {
	if !parsed.address.IsValid() || parsed.port != 0 || text[0] == '[' {
		return device{}, false
	}
	host, portText, _ := cutLast(text, ':')
	port, isPort := parsePort(portText)
	address, isAddress := parseAddress(host)
	return device{address: address, port: port}, isPort && isAddress
}

// judgeMentions is Undecided where a text that is more, or other, than
// host[:port] contains a device of the set as a word, such as
// "web01 (10.0.0.9)" or "10.0.0.9:ssh".
func (d *deviceSet) judgeMentions(text string) Verdict {
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !partOfHost(r) }) {
		host, _, _ := strings.Cut(word, ":")
		for _, candidate := range [...]string{word, host} {
			if parsed, ok := parseDevice(candidate); ok && d.judgeParsed(parsed) != No {
				return Undecided
			}
		}
	}
	return No
}

// plain reports whether text has only what host[:port] is made of.
func plain(text string) bool {
	for _, r := range text {
		if !partOfHost(r) && r != '[' && r != ']' {
			return false
		}
	}
	return true
}

func partOfHost(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', '-' <= r && r <= ':' && r != '/', 'A' <= r && r <= 'Z', r == '_', r == '%':
		return true
	case r < utf8.RuneSelf:
		return false
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}
