package session

import "strings"

// accountSet holds the users or the credentials of a Match.
type accountSet struct {
	whole foldedSet
	// stems are the values by their account name.
	stems map[string]accountForms
}

// accountForms are the values with one account name, and their notations.
type accountForms struct {
	notations notation
	values    []string
}

func newAccountSet(values []string) *accountSet {
	accounts := &accountSet{whole: newFoldedSet(values), stems: map[string]accountForms{}}
	for _, value := range values {
		stem, written := accountForm(appendFold(nil, value))
		forms := accounts.stems[string(stem)]
		forms.notations |= written
		forms.values = append(forms.values, value)
		accounts.stems[string(stem)] = forms
	}
	return accounts
}

// judge is Undecided about an empty value and about an account name of the set
// in another notation.
func (a *accountSet) judge(shown string) Verdict {
	shown = strings.TrimSpace(shown)
	if shown == "" {
		return Undecided
	}
	var buffer [foldBuffer]byte
	name := appendFold(buffer[:0], shown)
	stem, written := accountForm(name)
	forms, found := a.stems[string(stem)]
	if !found {
		return No // as nearly every row of a list
	}
	if _, found := a.whole[string(name)]; found {
		return Yes
	}
	if forms.notations&^written != 0 {
		return Undecided
	}
	return No
}

// otherForms gives the values of which shown is another form.
func (a *accountSet) otherForms(shown string) []string {
	stem, written := accountForm(appendFold(nil, shown))
	var others []string
	for _, value := range a.stems[string(stem)].values {
		if _, notation := accountForm(appendFold(nil, value)); notation != written {
			others = append(others, value)
		}
	}
	return others
}
