package faulttest

import "cmp"

// cell is what is expected of one use of the provider under one fault.
type cell struct {
	// says is the account: outcome or kind of failure, its class, and in a drain
	// what became of each session.
	says string
	// ended names the sessions that have ended in truth: A and B, "" for none.
	ended string
	// asks are all requests, in order, as world.requests writes them. "×3" stands
	// behind one that is made three times, "+" behind one, or a group in
	// parentheses, that is repeated as long as there is time.
	asks string
}

// String writes a cell as one line.
func (c cell) String() string {
	return "says " + c.says + " | ended " + cmp.Or(c.ended, "none") + " | asks " + cmp.Or(c.asks, "nothing")
}

// verdict is what a fault means to one operation: the class of the answer, and a
// cell for each use of the operation, in the order of uses.
type verdict struct {
	class string
	cells []cell
}

// A token is asked for by a terminate and by a drain, each with the fault once
// and always.
var (
	// tokenFine: the fault is none.
	tokenFine = verdict{"fine", []cell{
		{"terminated", "A", "token drop:A list"},
		{"terminated", "A", "token drop:A list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
	}}
	// tokenRepeated: a transient failure, repeated within the retries.
	tokenRepeated = verdict{"transient failure", []cell{
		{"terminated", "A", "token×2 drop:A list"},
		{"not_attempted: transient failure", "", "token×3"},
		{"A terminated; B terminated", "A B", "token×2 list drop:A drop:B get:A get:B list"},
		{"not_attempted: transient failure", "", "token+"},
	}}
	// tokenUnreached: the same, where no request reaches senhasegura.
	tokenUnreached = verdict{"transient failure", []cell{
		{"terminated", "A", "token drop:A list"},
		{"not_attempted: transient failure", "", ""},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
		{"not_attempted: transient failure", "", ""},
	}}
	// tokenPutOff: senhasegura asks for a longer wait than a retry of the client
	// may take. The first list of a drain keeps to its own pace.
	tokenPutOff = verdict{"transient failure", []cell{
		{"not_attempted: transient failure", "", "token"},
		{"not_attempted: transient failure", "", "token"},
		{"A terminated; B terminated", "A B", "token×2 list drop:A drop:B get:A get:B list"},
		{"not_attempted: transient failure", "", "token+"},
	}}
	// tokenOtherRoute: the next candidate is asked.
	tokenOtherRoute = verdict{"wrong route", []cell{
		{"terminated", "A", "token×2 drop:A list"},
		{"not_attempted: wrong route", "", "token×2"},
		{"A terminated; B terminated", "A B", "token×2 list drop:A drop:B get:A get:B list"},
		{"not_attempted: wrong route", "", "token×2"},
	}}
)

// tokenStops: asked once and never again.
func tokenStops(class string) verdict {
	stops := cell{"not_attempted: " + class, "", "token"}
	return verdict{class, []cell{stops, stops, stops, stops}}
}

// The list is asked for by a terminate after its drop (once, always), and by a
// drain before its drops (once, always) and after them (once, always).
var (
	listFine = verdict{"fine", []cell{
		{"terminated", "A", "token drop:A list"},
		{"terminated", "A", "token drop:A list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
	}}
	// listRepeated: a transient failure. Before any drop it is final when no list has
	// worked for the time of one list; after a drop, checks go on as long as there is
	// time.
	listRepeated = verdict{"transient failure", []cell{
		{"terminated", "A", "token drop:A list×2"},
		{"unknown: out of time", "A", "token drop:A list+"},
		{"A terminated; B terminated", "A B", "token list×2 drop:A drop:B get:A get:B list"},
		{"not_attempted: transient failure", "", "token list+"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list×2"},
		{"unknown: out of time; A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list+"},
	}}
	// listReplayed: the same, and net/http repeats a read of its own accord where
	// a connection that it had kept is cut.
	listReplayed  = verdict{"transient failure, replayed", listRepeated.cells}
	listUnreached = verdict{"transient failure", []cell{
		{"terminated", "A", "token drop:A list"},
		{"unknown: out of time", "A", "token drop:A"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
		{"not_attempted: transient failure", "", "token"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
		{"unknown: out of time; A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B"},
	}}
	// listPutOff: senhasegura asks for a longer wait than a retry of the client may
	// take. A check keeps to its own pace.
	listPutOff = listRepeated
	// listRenewed: the token is refused, and replaced once.
	listRenewed = verdict{"not authenticated", []cell{
		{"terminated", "A", "token drop:A list token list"},
		{"unknown: not authenticated", "A", "token drop:A list token list"},
		{"A terminated; B terminated", "A B", "token list token list drop:A drop:B get:A get:B list"},
		{"not_attempted: not authenticated", "", "token list token list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list token list"},
		{"unknown: not authenticated; A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list token list"},
	}}
	// listOtherRoute: every candidate is asked, and none is there. That is no end,
	// and an accepted drop is called accepted.
	listOtherRoute = verdict{"wrong route", []cell{
		{"accepted, not confirmed: wrong route", "A", "token drop:A list list?×2"},
		{"accepted, not confirmed: wrong route", "A", "token drop:A list list?×2"},
		{"not_attempted: wrong route", "", "token list list?×2"},
		{"not_attempted: wrong route", "", "token list list?×2"},
		{"unknown: wrong route; A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list list?×2"},
		{"unknown: wrong route; A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list list?×2"},
	}}
	// listDenied: a gateway has one answer for a wrong route and for a token that it
	// does not accept. A token that is older than the call, or was accepted before,
	// is replaced once; a new one is not in doubt, and the next candidate is asked.
	listDenied = verdict{"wrong route, or token", []cell{
		{"terminated", "A", "token drop:A list token list"},
		{"accepted, not confirmed: wrong route", "A", "token drop:A list token list list?×2"},
		{"not_attempted: wrong route", "", "token list list?×2"},
		{"not_attempted: wrong route", "", "token list list?×2"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list token list"},
		{"unknown: wrong route; A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list token list list?×2"},
	}}
	// listForbidden: an authorization that may only drop is legitimate, so a
	// single drop is accepted. A drain needs the list of sessions.
	listForbidden = verdict{"permission", []cell{
		{"accepted, not confirmed: permission", "A", "token drop:A list"},
		{"accepted, not confirmed: permission", "A", "token drop:A list"},
		{"not_attempted: permission", "", "token list"},
		{"not_attempted: permission", "", "token list"},
		{"unknown: permission; A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
		{"unknown: permission; A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
	}}
)

// listStops: not repeated. Who came since the first list is not known.
func listStops(class string) verdict {
	terminate := cell{"unknown: " + class, "A", "token drop:A list"}
	first := cell{"not_attempted: " + class, "", "token list"}
	after := cell{"unknown: " + class + "; A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"}
	return verdict{class, []cell{terminate, terminate, first, first, after, after}}
}

// Get one is asked for by a terminate that knows the record id, and by a drain
// whose sessions take a while to end, each with the fault once and always. Whatever
// it does not tell a drain, the list does.
var (
	getFine = verdict{"fine", []cell{
		{"terminated", "A", "token drop:A get:A"},
		{"terminated", "A", "token drop:A get:A"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B drop:A get:A list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B drop:A get:A list"},
	}}
	// getRepeated: a transient failure. A terminate asks again once, with the repeats
	// of the client; then the list takes the place of that.
	getRepeated = verdict{"transient failure", []cell{
		{"terminated", "A", "token drop:A get:A×2"},
		{"terminated", "A", "token drop:A get:A×6 list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A×2 get:B drop:A drop:B get:A get:B get:A get:B list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A×3 get:B×3 list drop:A drop:B get:A×3 get:B×3 list"},
	}}
	// getReplayed: the same, where net/http repeats it of its own accord.
	getReplayed = verdict{"transient failure, replayed", []cell{
		{"terminated", "A", "token drop:A get:A×2"},
		{"terminated", "A", "token drop:A get:A×7 list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A×2 get:B drop:A drop:B get:A get:B get:A get:B list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A×4 get:B×3 list drop:A drop:B get:A×4 get:B×3 list"},
	}}
	// getDelayed: by the time the repeat is made, the sessions have ended.
	getDelayed = verdict{"transient failure", []cell{
		{"terminated", "A", "token drop:A get:A×2"},
		{"terminated", "A", "token drop:A get:A×6 list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A×2 get:B list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A×3 get:B×3 list"},
	}}
	// getPutOff: senhasegura asks for a longer wait than a retry of the client may
	// take. A check keeps to its own pace.
	getPutOff = verdict{"transient failure", []cell{
		{"terminated", "A", "token drop:A get:A×2"},
		{"terminated", "A", "token drop:A get:A×2 list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list drop:A drop:B get:A get:B get:A get:B list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list drop:A drop:B get:A get:B list×2"},
	}}
	getUnreached = verdict{"transient failure", []cell{
		{"terminated", "A", "token drop:A get:A"},
		{"unknown: out of time", "A", "token drop:A"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B drop:A drop:B get:A get:B get:A get:B list"},
		{"unknown: out of time; A unknown; B unknown", "A B", "token list drop:A drop:B"},
	}}
	getRenewed = verdict{"not authenticated", []cell{
		{"terminated", "A", "token drop:A get:A token get:A"},
		{"unknown: not authenticated", "A", "token drop:A get:A token get:A"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A token get:A get:B drop:A drop:B get:A get:B get:A get:B list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A token get:A get:B token get:B list drop:A drop:B list×2"},
	}}
	// getMissing: no such row. That is no end: the list decides.
	getMissing = verdict{"not found", []cell{
		{"terminated", "A", "token drop:A get:A list"},
		{"terminated", "A", "token drop:A get:A list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list drop:A drop:B list×2"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list drop:A drop:B list×2"},
	}}
	// getOtherRoute: no such endpoint. The list decides, and a drain asks for
	// single sessions no more.
	getOtherRoute = verdict{"wrong route", []cell{
		{"terminated", "A", "token drop:A get:A get?×2 list"},
		{"terminated", "A", "token drop:A get:A get?×2 list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get?×2 get:B list drop:A drop:B list×2"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get?×2 get:B get?×2 list drop:A drop:B list×2"},
	}}
	getDenied = verdict{"wrong route, or token", []cell{
		{"terminated", "A", "token drop:A get:A token get:A"},
		{"terminated", "A", "token drop:A get:A token get:A get?×2 list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A token get:A get:B drop:A drop:B get:A get:B get:A get:B list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A token get:A get?×2 get:B get?×2 list drop:A drop:B list×2"},
	}}
	getForbidden = verdict{"permission", getMissing.cells}
)

func getStops(class string) verdict {
	terminate := cell{"unknown: " + class, "A", "token drop:A get:A"}
	drain := cell{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list drop:A drop:B list×2"}
	return verdict{class, []cell{terminate, terminate, drain, drain}}
}

// A drop is sent by a terminate and by a drain, each with the fault once, which
// strikes A, and always.
var (
	// dropDone: senhasegura acted, and whatever it answered, the check shows the end.
	dropDone = verdict{"done", []cell{
		{"terminated", "A", "token drop:A list"},
		{"terminated", "A", "token drop:A list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
	}}
	// dropLost: the answer says nothing and nothing was done. Look first, and drop
	// again within the retries only what is live.
	dropLost = verdict{"lost answer", []cell{
		{"terminated", "A", "token drop:A list drop:A get:A"},
		{"still_live: lost answer", "", "token drop:A list drop:A get:A drop:A get:A"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B drop:A get:A list"},
		{"still_live; A still_live; B still_live", "", "token list drop:A drop:B get:A get:B drop:A drop:B get:A get:B drop:A drop:B get:A get:B list"},
	}}
	// dropRefused: senhasegura says no and not why. The same way, another word at
	// its end.
	dropRefused = verdict{"refusal", []cell{
		{"terminated", "A", "token drop:A list drop:A get:A"},
		{"refused: refusal", "", "token drop:A list drop:A get:A drop:A get:A"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B drop:A get:A list"},
		{"still_live; A refused; B refused", "", "token list drop:A drop:B get:A get:B drop:A drop:B get:A get:B drop:A drop:B get:A get:B list"},
	}}
	// dropRefusedEnded: senhasegura says no, and the session has ended: not by a
	// request of this run.
	dropRefusedEnded = verdict{"refusal of an ended session", []cell{
		{"already_ended", "A", "token drop:A list"},
		{"already_ended", "A", "token drop:A list"},
		{"A already_ended; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
		{"A already_ended; B already_ended", "A B", "token list drop:A drop:B get:A get:B list"},
	}}
	// dropTurnedAway: senhasegura says that it did nothing, so the client may
	// repeat. The drain checks before it asks for another, and gives up after two
	// rounds without an accepted request.
	dropTurnedAway = verdict{"transient failure", []cell{
		{"terminated", "A", "token drop:A×2 list"},
		{"not_attempted: transient failure", "", "token drop:A×3"},
		{"A terminated; B terminated", "A B", "token list drop:A×2 drop:B get:A get:B list"},
		{"still_live: transient failure; A not_attempted; B not_attempted", "", "token list drop:A×3 get:A get:B drop:B×3 list"},
	}}
	dropPutOff = verdict{"transient failure", []cell{
		{"not_attempted: transient failure", "", "token drop:A"},
		{"not_attempted: transient failure", "", "token drop:A"},
		{"A terminated; B terminated", "A B", "token list drop:A get:A get:B drop:B drop:A get:A get:B list"},
		{"still_live: transient failure; A not_attempted; B not_attempted", "", "token list drop:A get:A get:B drop:B list"},
	}}
	dropUnreached = verdict{"transient failure", []cell{
		{"terminated", "A", "token drop:A list"},
		{"not_attempted: transient failure", "", "token"},
		{"A terminated; B terminated", "A B", "token list drop:A drop:B get:A get:B list"},
		{"still_live: out of time; A not_attempted; B not_attempted", "", "token list"},
	}}
	dropRenewed = verdict{"not authenticated", []cell{
		{"terminated", "A", "token drop:A token drop:A list"},
		{"not_attempted: not authenticated", "", "token drop:A token drop:A"},
		{"A terminated; B terminated", "A B", "token list drop:A token drop:A drop:B get:A get:B list"},
		{"still_live: not authenticated; A not_attempted; B not_attempted", "", "token list drop:A token drop:A list"},
	}}
	dropDenied = verdict{"wrong route, or token", []cell{
		{"not_attempted: wrong route", "", "token drop:A drop?"},
		{"not_attempted: wrong route", "", "token drop:A drop?"},
		{"A terminated; B terminated", "A B", "token list drop:A token drop:A drop:B get:A get:B list"},
		{"still_live: wrong route; A not_attempted; B not_attempted", "", "token list drop:A token drop:A drop? list"},
	}}
	dropOtherRoute = verdict{"wrong route", []cell{
		{"not_attempted: wrong route", "", "token drop:A drop?"},
		{"not_attempted: wrong route", "", "token drop:A drop?"},
		{"still_live: wrong route; A not_attempted; B not_attempted", "", "token list drop:A drop? list"},
		{"still_live: wrong route; A not_attempted; B not_attempted", "", "token list drop:A drop? list"},
	}}
	// dropRejected: a reason that may lie in this session, so the drain goes on
	// with the others.
	dropRejected = verdict{"rejected", []cell{
		{"not_attempted: rejected", "", "token drop:A"},
		{"not_attempted: rejected", "", "token drop:A"},
		{"still_live; A not_attempted; B terminated", "B", "token list drop:A drop:B get:B list"},
		{"still_live; A not_attempted; B not_attempted", "", "token list drop:A drop:B list"},
	}}
)

// dropStops: no drop would fare better, so none follows.
func dropStops(class string) verdict {
	terminate := cell{"not_attempted: " + class, "", "token drop:A"}
	drain := cell{"still_live: " + class + "; A not_attempted; B not_attempted", "", "token list drop:A list"}
	return verdict{class, []cell{terminate, terminate, drain, drain}}
}
