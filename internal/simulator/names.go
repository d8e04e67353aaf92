package simulator

import (
	"hash/fnv"
	"io"
	"net"
	"net/netip"
	"strings"
)

// UserForm is how answers write the users of sessions. A name that is in the
// form already keeps its own domain; others get that of Config.
type UserForm string

// The forms of a user name.
const (
	UserAsAdded   UserForm = "as-added"   // the default
	UserPlain     UserForm = "plain"      // alice
	UserDownLevel UserForm = "down-level" // CORP\alice
	UserPrincipal UserForm = "upn"        // alice@corp.example.com
)

// DeviceForm is how answers write the hosts of devices. The port stays, and so
// does a host that is an address.
type DeviceForm string

// The forms of a host.
const (
	DeviceAsAdded   DeviceForm = "as-added"  // the default
	DeviceShort     DeviceForm = "short"     // db-01
	DeviceQualified DeviceForm = "qualified" // db-01.corp.example.com
	// DeviceAddress is an address in 10.0.0.0/8, the same in every run.
	DeviceAddress DeviceForm = "address"
)

// DefaultDomain is the domain of names that have none.
const DefaultDomain = "corp.example.com"

// names writes the names of sessions in the forms of a Config.
type names struct {
	users   UserForm
	devices DeviceForm
	domain  string
}

func (n names) user(name string) string {
	if n.users == UserAsAdded || name == "" {
		return name
	}
	_, account, downLevel := strings.Cut(name, `\`)
	principal := false
	if !downLevel {
		account, _, principal = strings.Cut(name, "@")
	}
	switch {
	case n.users == UserPlain:
		return account
	case n.users == UserDownLevel && !downLevel:
		domain, _, _ := strings.Cut(n.domain, ".")
		return strings.ToUpper(domain) + `\` + account
	case n.users == UserPrincipal && !principal:
		return account + "@" + n.domain
	}
	return name
}

func (n names) device(name string) string {
	if n.devices == DeviceAsAdded {
		return name
	}
	host, port, err := net.SplitHostPort(name)
	if err != nil {
		host, port = strings.Trim(name, "[]"), "" // no port
	}
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		return name
	}
	switch {
	case n.devices == DeviceShort:
		host, _, _ = strings.Cut(host, ".")
	case n.devices == DeviceQualified && !strings.Contains(host, "."):
		host += "." + n.domain
	case n.devices == DeviceAddress:
		hash := fnv.New32a()
		_, _ = io.WriteString(hash, strings.ToLower(host)) // a hash never fails to write
		host = addressOf(10, int(hash.Sum32()))
	default:
		return name
	}
	if port == "" {
		return host
	}
	return net.JoinHostPort(host, port)
}
