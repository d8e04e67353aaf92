package session

import "bytes"

// notation is the way in which a name is written. Two names that differ and are
// written in one notation are two names. Written in two notations they may be
// one, if their stems are equal: the first label of a host name, the account
// name without its domain.
type notation uint8

// The notations of host names and of account names. They are bits of a set.
const (
	unqualified    notation = 1 << iota // db-01, alice
	qualifiedHost                       // db-01.example.com
	domainAccount                       // CORP\alice
	accountAt                           // alice@corp.example.com
	domainUserName                      // AzureAD\alice@corp.example.com
)

// hostForm takes a folded host name apart. Digits and dots alone are part of an
// address, and their own stem.
func hostForm(name []byte) (stem []byte, written notation) {
	dot := bytes.IndexByte(name, '.')
	switch {
	case dot < 0:
		return name, unqualified
	case len(bytes.Trim(name, ".0123456789")) == 0:
		return name, qualifiedHost
	}
	return name[:dot], qualifiedHost
}

// accountForm takes a folded account name apart. A text that would leave no
// account name is one as a whole.
func accountForm(name []byte) (stem []byte, written notation) {
	stem, written = name, unqualified
	if domain := bytes.LastIndexByte(stem, '\\'); domain >= 0 {
		stem, written = stem[domain+1:], domainAccount
	}
	if at := bytes.IndexByte(stem, '@'); at >= 0 {
		stem = stem[:at]
		if written == domainAccount {
			written = domainUserName
		} else {
			written = accountAt
		}
	}
	if len(stem) == 0 {
		return name, unqualified
	}
	return stem, written
}
