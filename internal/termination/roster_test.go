package termination

import (
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// A record without a session id is known by its record ID, whatever else of it
// changes, and one without either by all that does not change when it ends.
func TestRosterFindsRecordsWithoutASessionID(t *testing.T) {
	t.Parallel()
	r := newRoster(nil, false)
	var (
		alice = session.Session{User: "alice", Device: "10.0.0.1:22"}
		bob   = session.Session{User: "bob", Device: "10.0.0.1:22"}
		carol = session.Session{RecordID: "7", User: "carol"}
	)
	for _, s := range []*session.Session{&alice, &carol} {
		r.add(&member{session: s})
	}
	ended, renamed, other := alice, carol, carol
	ended.EndedAt = time.Unix(1, 0)
	renamed.User = `CORP\carol`
	other.RecordID = "8"
	for name, test := range map[string]struct {
		of, want *session.Session
	}{
		"itself":                               {&alice, &alice},
		"itself, ended":                        {&ended, &alice},
		"another user":                         {&bob, nil},
		"by its record ID":                     {&carol, &carol},
		"by its record ID, with other content": {&renamed, &carol},
		"another record ID":                    {&other, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got *session.Session
			if m := r.find(*test.of); m != nil {
				got = m.session
			}
			if got != test.want {
				t.Errorf("found %v, want %v", got, test.want)
			}
		})
	}
}
