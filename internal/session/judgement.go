package session

import (
	"strings"
	"time"
)

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

// maxForms bounds what is told of one criterion: one value is enough to see how
// senhasegura writes a name.
const maxForms = 3

// UnknownCriterion is a criterion that leaves it open whether a session is meant
// or excluded.
type UnknownCriterion struct {
	// Criterion is its name, such as "match.devices" or "exclude.users".
	Criterion string
	// Value is the value of the criterion that Shown is another form of. It is
	// empty where the reason is another: senhasegura left out what the criterion
	// asks for, or wrote it in a way that cannot be read.
	Value string
	// Shown is what senhasegura shows of the session, without white space at
	// either end. To match such sessions, write Shown instead of Value. It is
	// empty where senhasegura shows nothing, and for older_than.
	Shown string
}

// UnknownCriteria returns why the match or the exclude of a session is
// Undecided: first the criteria of match, then those of exclude, each once for
// every value that it has in another form, for at most three. It is nil where
// Judge says Undecided of neither.
func (s *Selector) UnknownCriteria(session Session, now time.Time) []UnknownCriterion {
	judgement := s.Judge(session, now)
	var unknown []UnknownCriterion
	if judgement.Match == Undecided {
		unknown = s.match.appendUnknown(unknown, "match.", session, now)
	}
	if judgement.Exclude == Undecided {
		for _, alternative := range s.exclude {
			if alternative.Match(session, now) == Undecided {
				unknown = alternative.appendUnknown(unknown, "exclude.", session, now)
			}
		}
	}
	return unknown
}

func (m *Matcher) appendUnknown(unknown []UnknownCriterion, object string, s Session, now time.Time) []UnknownCriterion {
	for i := range m.criteria {
		c := &m.criteria[i]
		if c.judge(&s, now) != Undecided {
			continue
		}
		reason := UnknownCriterion{Criterion: object + c.field}
		if c.values == nil {
			unknown = append(unknown, reason)
			continue
		}
		reason.Shown = strings.TrimSpace(c.shown(s))
		var values []string
		if named, ok := c.values.(interface{ otherForms(shown string) []string }); ok {
			values = named.otherForms(reason.Shown)
		}
		if len(values) == 0 {
			unknown = append(unknown, reason)
		}
		for _, reason.Value = range values[:min(len(values), maxForms)] {
			unknown = append(unknown, reason)
		}
	}
	return unknown
}
