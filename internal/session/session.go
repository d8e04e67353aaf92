// Package session is the vocabulary of the provider: what a privileged session
// is, which sessions are meant, and what can be wrong. It does no I/O and
// depends on no other package of the provider, so that the API client and the
// use cases can both speak of the same thing.
package session

import "time"

// Session is one remote session as senhasegura showed it at one moment. It is a
// value: copies are independent and safe for concurrent use.
type Session struct {
	// ID is the session ID, a hash (`session_id` on the wire), the only identifier
	// that a drop takes. Its format is not guaranteed.
	ID string
	// RecordID is the record ID (`id` on the wire) in decimal digits, the only
	// identifier that "get one" takes. Empty where senhasegura left it out.
	RecordID string

	User       string
	Credential string
	// Device is the target as senhasegura writes it, usually with a port:
	// "10.0.0.9:22", "[2001:db8::1]:22", "db.example.com".
	Device   string
	Protocol string
	Proxy    string
	OriginIP string

	// StartedAt is the zero time where senhasegura sent none or one that cannot be
	// read.
	StartedAt time.Time
	// EndedAt is the zero time unless senhasegura sent a readable end: it is the only
	// proof that the session has ended.
	EndedAt time.Time
	// UnreadableEnd is what senhasegura sent as the end where that is neither empty
	// nor a time. Such a session was not seen to end, so it counts as live.
	UnreadableEnd string
}

// Live reports whether the session is not known to have ended. The API has no
// state field: a session is live until its end is a readable time (contract,
// section 4). A session whose node crashed stays live in this sense until a
// server job marks its end.
func (s Session) Live() bool { return s.EndedAt.IsZero() }
