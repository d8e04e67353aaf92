package session

import "errors"

// Values returns the values of the set field, one of the Field constants; nil
// where m does not set it. The slice is m's own.
func (m Match) Values(field string) []string {
	for _, s := range m.sets() {
		if s.field == field {
			return s.values
		}
	}
	return nil
}

// Carries returns a function that reports whether a session certainly has one of
// values, by what senhasegura shows of it as the set field: whether a Match of
// these values alone says Yes. A name in another form is not carried. Where there
// are no values the function is always false. The error joins the faults of the
// values, each a *MatchError. The function is safe for concurrent use.
func Carries(field string, values ...string) (func(shown string) bool, error) {
	faults := make([]error, 0, len(values))
	for _, value := range values {
		faults = append(faults, ValidateMatchValue(field, value))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	set := newValueSet(field, values)
	return func(shown string) bool { return set.judge(shown) == Yes }, nil
}
