package termination

import (
	"context"
	"slices"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

const (
	// maxCounted is how many distinct values are counted at most.
	maxCounted = 100_000
	// maxNamed is how many of them are named at most.
	maxNamed = 1000
)

// Visibility is what one complete read of the list shows to this authorization.
// Distinct values are compared as senhasegura writes them: in another case, or with
// another port, they are different.
type Visibility struct {
	// Live and Ended are the numbers of sessions in the list. Both are 0 if the
	// authorization sees no session.
	Live, Ended int
	// Users and Credentials are the numbers of distinct ones, at most 100,000.
	Users, Credentials int
	// Devices, Protocols and Proxies are the distinct ones, sorted: the first 1,000.
	Devices, Protocols, Proxies []string
	// DevicesByAddress and DevicesByName count all distinct devices, at most 100,000
	// together.
	DevicesByAddress, DevicesByName int
	// OldestStart and NewestStart are zero if no start can be read.
	OldestStart, NewestStart time.Time
	// Truncated: the list has more values than are named or counted here, or values
	// longer than 256 bytes, which are left out.
	Truncated bool
	// ReadAt is when the read began, by the clock of this machine, and Took is how long
	// it took.
	ReadAt time.Time
	Took   time.Duration
}

// SeesNothing reports whether the list holds no session: the authorization sees none.
func (v Visibility) SeesNothing() bool { return v.Live+v.Ended == 0 }

// Visibility gives what a list shows that begins after the call. Memory use depends on
// the number of distinct values, not on the length of the list. The error matches one
// of the sentinels of package session or the error of the context; an incomplete list
// is an error. Visibility is safe for concurrent use.
func (t *Terminator) Visibility(ctx context.Context) (Visibility, error) {
	s := newSurvey()
	if err := t.reads.askFirst(ctx, &asker{collector: s, all: true}); err != nil {
		return Visibility{}, err
	}
	took := time.Since(s.began)
	v := s.visibility()
	v.ReadAt, v.Took = s.began, took
	return v, nil
}

// survey is the collector of a Visibility:
//
//	s := newSurvey()
//	// The read calls s.restart, and s.take for every row.
//	v := s.visibility() // only when the read has worked
//
// It keeps at most maxCounted values of each kind. It is not safe for concurrent use.
type survey struct {
	live, ended                                     int
	users, credentials, devices, protocols, proxies distinct
	oldest, newest                                  time.Time
	// began is when the list began.
	began time.Time
}

func newSurvey() *survey {
	s := &survey{}
	for _, d := range s.distinct() {
		d.limit = maxCounted
	}
	return s
}

func (s *survey) distinct() []*distinct {
	return []*distinct{&s.users, &s.credentials, &s.devices, &s.protocols, &s.proxies}
}

func (s *survey) restart() {
	for _, d := range s.distinct() {
		d.forget()
	}
	s.live, s.ended, s.oldest, s.newest = 0, 0, time.Time{}, time.Time{}
	s.began = time.Now()
}

func (s *survey) take(row session.Session) {
	if row.Live() {
		s.live++
	} else {
		s.ended++
	}
	s.users.note(row.User)
	s.credentials.note(row.Credential)
	s.devices.note(row.Device)
	s.protocols.note(row.Protocol)
	s.proxies.note(row.Proxy)
	if start := row.StartedAt; !start.IsZero() {
		if s.oldest.IsZero() || start.Before(s.oldest) {
			s.oldest = start
		}
		if start.After(s.newest) {
			s.newest = start
		}
	}
}

// visibility gives the result of a complete list.
func (s *survey) visibility() Visibility {
	v := Visibility{
		Live: s.live, Ended: s.ended,
		Users: len(s.users.texts), Credentials: len(s.credentials.texts),
		OldestStart: s.oldest, NewestStart: s.newest,
	}
	for device := range s.devices.all() {
		if kindOf(device) == ByAddress {
			v.DevicesByAddress++
		} else {
			v.DevicesByName++
		}
	}
	for _, d := range s.distinct() {
		v.Truncated = v.Truncated || d.partial
	}
	named := func(d *distinct) []string {
		values := slices.Sorted(d.all())
		v.Truncated = v.Truncated || len(values) > maxNamed
		return slices.Clone(values[:min(len(values), maxNamed)])
	}
	v.Devices, v.Protocols, v.Proxies = named(&s.devices), named(&s.protocols), named(&s.proxies)
	return v
}
