package session

import "time"

// Judgement is what the match and the exclude of a Selector say about one
// session. It is a value.
//
//	Match      Exclude    the session
//	Yes        No         is to be terminated
//	Yes        Yes        is excluded: it is never terminated, and is reported
//	Undecided  Yes        is not meant, and is reported; it blocks nothing
//	Yes        Undecided  is unknown: it is not terminated, is reported, and blocks
//	Undecided  No         is unknown as well
//	Undecided  Undecided  is unknown as well
//	No         No         is not meant
type Judgement struct {
	Match Verdict
	// Exclude is No where Match is No: it is not asked then.
	Exclude Verdict
}

// Verdict is Yes for a session to terminate, Undecided for an unknown one, and
// No for a session that is not meant or that Exclude certainly holds open.
func (j Judgement) Verdict() Verdict {
	switch {
	case j.Match == No || j.Exclude == Yes:
		return No
	case j.Exclude == Undecided:
		return Undecided
	default:
		return j.Match
	}
}

// Judge judges a session at the moment now.
func (s *Selector) Judge(session Session, now time.Time) Judgement {
	match := s.match.Match(session, now)
	if match == No {
		return Judgement{}
	}
	return Judgement{Match: match, Exclude: s.excluded(session, now)}
}
