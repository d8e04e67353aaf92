package session

import (
	"errors"
	"net/netip"
	"strings"
)

// originSet compares addresses by value.
type originSet struct {
	addresses map[netip.Addr]struct{}
	prefixes  []netip.Prefix
}

func newOriginSet(values []string) *originSet {
	origins := &originSet{addresses: map[netip.Addr]struct{}{}}
	for _, value := range values {
		prefix, err := parseOriginPattern(value)
		switch {
		case err != nil:
		case prefix.IsSingleIP():
			origins.addresses[prefix.Addr()] = struct{}{}
		default:
			origins.prefixes = append(origins.prefixes, prefix)
		}
	}
	return origins
}

// judge is Undecided about an origin that is missing or not an address: it may
// be any machine.
func (o *originSet) judge(origin string) Verdict {
	address, ok := parseAddress(strings.TrimSpace(origin))
	if !ok {
		return Undecided
	}
	if _, found := o.addresses[address]; found {
		return Yes
	}
	for _, prefix := range o.prefixes {
		if prefix.Contains(address) {
			return Yes
		}
	}
	return No
}

// parseOriginPattern reads an address as the prefix of all its bits.
func parseOriginPattern(value string) (netip.Prefix, error) {
	if strings.Contains(value, "%") {
		return netip.Prefix{}, errors.New("write the address without its zone: the zones of the senhasegura server are not those of this machine")
	}
	if !strings.Contains(value, "/") {
		address, ok := parseAddress(value)
		if !ok {
			return netip.Prefix{}, errors.New(`write an IP address or a prefix, such as "10.0.0.9", "10.0.0.0/24" or "2001:db8::/32"`)
		}
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(value)
	if err != nil {
		return netip.Prefix{}, errors.New(`write the prefix as address and length, such as "10.0.0.0/24" or "2001:db8::/32"`)
	}
	if !prefix.Addr().Is4In6() {
		return prefix.Masked(), nil
	}
	const mappedBits = 96
	if prefix.Bits() < mappedBits {
		return netip.Prefix{}, errors.New("write the prefix in IPv4 notation: this one reaches beyond the IPv4-mapped addresses")
	}
	return netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mappedBits).Masked(), nil
}
