package termination

import (
	"context"
	"slices"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

const (
	// maxCounted is up to how many distinct values are counted.
	maxCounted = 100_000
	// maxNamed is how many of them are named.
	maxNamed = 1000
)

// Visibility is what one complete read of the list shows to this authorization. It is
// a value. Distinct values are told apart as senhasegura writes them: in another
// case, or on another port, they are others.
type Visibility struct {
	// Live and Ended are how many sessions the list holds. Both are 0 where the
	// authorization sees no session at all.
	Live, Ended int
	// Users and Credentials are how many distinct ones there are, at most 100,000.
	Users, Credentials int
	// Devices, Protocols and Proxies are the distinct ones, sorted: the first 1,000.
	Devices, Protocols, Proxies []string
	// DevicesByAddress and DevicesByName count all distinct devices, at most 100,000
	// together.
	DevicesByAddress, DevicesByName int
	// OldestStart and NewestStart are zero where no start can be read.
	OldestStart, NewestStart time.Time
	// Truncated: the list shows more than is named or counted here. That is so as well
	// where a value is longer than 256 bytes, which is left out.
	Truncated bool
	// ReadAt is when the read began, by the clock of this machine, and Took how long
	// it took.
	ReadAt time.Time
	Took   time.Duration
}

// Visibility gives what a list shows that begins after the call. Memory follows the
// distinct values, not the list. The error matches one of session's sentinels or the
// context's error; an incomplete list is an error.
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
// Its memory follows the distinct values, and is bounded by maxCounted of each kind.
// A survey is not safe for concurrent use.
type survey struct {
	live, ended                                     int
	users, credentials, devices, protocols, proxies distinct
	oldest, newest                                  time.Time
	// began is when the list began that the rest is about.
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

// visibility gives what a list has shown that was read to its end.
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
