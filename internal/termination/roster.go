package termination

import "github.com/senhasegura/terraform-provider-senhasegura/internal/session"

// merge gives the record that counts, of two that one read shows of the same
// session id: a live one, else the first. known is nil where row is the first.
//
// Between reads the later one counts, live or ended: a session that was read as
// ended and that a later list shows live is open again.
func merge(known, row *session.Session) *session.Session {
	if known == nil || !known.Live() && row.Live() {
		return row
	}
	return known
}
