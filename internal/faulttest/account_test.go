package faulttest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// account is what one use of the provider said, in a form that can be held
// against the truth.
type account struct {
	// says is the outcome in words, for the tables.
	says string
	// ended and named are the session ids that were reported as ended, and as
	// not, or not known to be, ended.
	ended, named []string
	// excluded are the session ids that a drain reported as excluded. It is nil for a
	// termination.
	excluded []string
	// requested are those of named for which it says that a request was accepted, or may
	// have been received.
	requested []string
	// failed: the use ended with an error.
	failed bool
	// blind: the error says that who is connected is not known.
	blind bool
}

// sentinelNames are how the tables call the classes of answers.
var sentinelNames = map[error]string{
	session.ErrNotFound:        "not found",
	session.ErrRefused:         "refusal",
	session.ErrUnknownOutcome:  "lost answer",
	session.ErrTransient:       "transient failure",
	session.ErrWrongRoute:      "wrong route",
	session.ErrUnauthenticated: "not authenticated",
	session.ErrInactive:        "inactive",
	session.ErrPermission:      "permission",
	session.ErrReferer:         "referer",
	session.ErrLockdown:        "lockdown",
	session.ErrIdentifier:      "identifier",
	session.ErrRejected:        "rejected",
	context.DeadlineExceeded:   "out of time",
	context.Canceled:           "interrupted",
}

// classes names every class of err; an error of the API client has exactly one.
// Where waiting ended with the context, what the last attempt before that met is
// left to chance.
func classes(err error) string {
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, end) {
			return sentinelNames[end]
		}
	}
	var names []string
	for sentinel, name := range sentinelNames {
		if errors.Is(err, sentinel) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// terminate ends one session and gives the account of it.
func (w *world) terminate(ctx context.Context, request termination.Request) account {
	w.t.Helper()
	result, err := w.terminator.Terminate(ctx, request)
	a := account{failed: err != nil}
	if err == nil {
		a.says = string(result.Outcome)
		if result.NotConfirmed != nil {
			a.says += ", not confirmed: " + classes(result.NotConfirmed)
		}
		if result.Outcome.Ended() {
			a.ended = []string{request.SessionID}
			return a
		}
		a.named = []string{request.SessionID}
		if result.Accepted {
			a.requested = a.named
		}
		return a
	}
	var failure *termination.Error
	if !errors.As(err, &failure) {
		w.t.Fatalf("%v is %T, not a *termination.Error", err, err)
	}
	a.says = fmt.Sprintf("%s: %s", failure.Kind, classes(err))
	a.named = []string{failure.SessionID}
	if result.Accepted || failure.Kind == termination.Unknown || failure.Kind == termination.StillLive {
		a.requested = a.named
	}
	return a
}

// drain ends the sessions that are meant and gives the account of it.
func (w *world) drain(ctx context.Context, request termination.DrainRequest) account {
	w.t.Helper()
	report, err := w.terminator.Drain(ctx, request)
	a := account{failed: err != nil, excluded: []string{}}
	var lines []string
	for _, d := range report.Sessions {
		if d.Outcome == termination.Excluded {
			a.excluded = append(a.excluded, d.Session.ID)
			continue
		}
		lines = append(lines, w.nameOf(d.Session.ID)+" "+string(d.Outcome))
		if d.Outcome.Ended() {
			a.ended = append(a.ended, d.Session.ID)
		} else {
			a.named = append(a.named, d.Session.ID)
		}
	}
	for _, d := range report.Requested() {
		a.requested = append(a.requested, d.Session.ID)
	}
	if err != nil {
		var failure *termination.DrainError
		if !errors.As(err, &failure) {
			w.t.Fatalf("%v is %T, not a *termination.DrainError", err, err)
		}
		// NotAttempted: no session was read. Unknown, and none named: new ones may exist.
		a.blind = failure.Kind == termination.NotAttempted || failure.Kind == termination.Unknown && len(a.named) == 0
		lines = append([]string{strings.TrimSuffix(fmt.Sprintf("%s: %s", failure.Kind, classes(err)), ": ")}, lines...)
	}
	a.says = strings.Join(lines, "; ")
	return a
}

// The ways to break the promise.
const (
	falseEnd       = "live sessions reported as ended"
	unreported     = "matching live sessions omitted"
	notNamed       = "terminated without a match, or excluded"
	tooOften       = "too many termination requests"
	afterTheirEnds = "termination requests after the end was read"
	untold         = "accepted and not reported"
)

// promises are all of them.
var promises = []string{falseEnd, unreported, notNamed, tooOften, afterTheirEnds, untold}

// breach is one broken promise.
type breach struct{ promise, text string }

// checkPromise fails the test where the promise is broken, and counts.
func (w *world) checkPromise(t *testing.T, a account, targets func(simulator.Session) bool) {
	t.Helper()
	for _, b := range w.breaches(a, targets) {
		w.broken[b.promise]++
		t.Errorf("%s: %s", b.promise, b.text)
	}
}

// breaches compares an account with the truth of this moment. targets are the
// sessions that may be terminated.
func (w *world) breaches(a account, targets func(simulator.Session) bool) []breach {
	var found []breach
	for _, id := range a.ended {
		if s, ok := w.truth(id); !ok || s.State != simulator.StateEnded {
			found = append(found, breach{falseEnd, fmt.Sprintf("%s is %q", w.nameOf(id), s.State)})
		}
	}
	lastList, named := w.lastList(), map[string]bool{}
	for _, id := range a.named {
		named[id] = true
	}
	for _, s := range w.sim.Sessions() {
		// A use that fails can know nothing of sessions that started after its last list.
		unknowable := a.failed && s.Start.After(lastList)
		switch live := s.State != simulator.StateEnded; {
		case !targets(s):
			if s.Drops > w.dropsBefore[s.SessionID] {
				found = append(found, breach{notNamed, w.nameOf(s.SessionID)})
			}
			excluded := s.User == "alice" && s.Credential == "breakglass"
			if a.excluded != nil && excluded && live && !s.Behavior.Hidden && !a.blind && !unknowable && !slices.Contains(a.excluded, s.SessionID) {
				found = append(found, breach{unreported, w.nameOf(s.SessionID)})
			}
		case live && !s.Behavior.Hidden && !a.blind && !unknowable && !named[s.SessionID]:
			found = append(found, breach{unreported, w.nameOf(s.SessionID)})
		}
	}
	return append(append(found, w.wrongDrops(targets)...), w.untoldDrops(a)...)
}

// untoldDrops: an accepted drop has ended its session, or is told of.
func (w *world) untoldDrops(a account) []breach {
	told := map[string]bool{}
	for _, id := range slices.Concat(a.ended, a.requested) {
		told[id] = true
	}
	var found []breach
	for _, r := range w.sim.Journal() {
		accepted := r.Op == simulator.OpDrop && r.Acted && r.Fault == "" && r.Status/100 == 2 && !r.Done.IsZero()
		if accepted && !told[r.Object] {
			found = append(found, breach{untold, fmt.Sprintf("request %d: %s", r.Seq, w.nameOf(r.Object))})
		}
	}
	return found
}

// wrongDrops: a termination request is sent only for matching sessions, not too
// often, and never after an end was read.
func (w *world) wrongDrops(targets func(simulator.Session) bool) []breach {
	var (
		found []breach
		reads []simulator.Request
		sent  = map[string]int{}
	)
	for _, r := range w.sim.Journal() {
		if isCompleteRead(r) {
			reads = append(reads, r)
		}
		if r.Op != simulator.OpDrop {
			continue
		}
		if !turnedAway(r) {
			sent[r.Object]++
		}
		s, ok := w.truth(r.Object)
		if !ok || !targets(s) {
			found = append(found, breach{notNamed, fmt.Sprintf("request %d: %s", r.Seq, w.nameOf(r.Object))})
			continue
		}
		if read, ok := showedEnd(reads, s, r.Time); ok && !w.manyAsk {
			found = append(found, breach{afterTheirEnds, fmt.Sprintf("requests %d and %d: %s", read.Seq, r.Seq, w.nameOf(r.Object))})
		}
	}
	for id, n := range sent {
		if n > 1+w.settings.retries {
			found = append(found, breach{tooOften, fmt.Sprintf("%s: %d times, more than 1 + %d", w.nameOf(id), n, w.settings.retries)})
		}
	}
	return found
}

// turnedAway reports whether a drop was refused at the door, so that the client
// may repeat it: for its token, also in the words of a gateway, or for the rate.
func turnedAway(r simulator.Request) bool {
	return r.Status == http.StatusTooManyRequests || r.Status == http.StatusUnauthorized ||
		r.Fault == simulator.GatewayNoRoute404 || r.Fault == simulator.InvalidSignature401
}

// lastList is when the last list was asked for that was shown to its end.
func (w *world) lastList() time.Time {
	var last time.Time
	for _, r := range w.sim.Journal() {
		if r.Op == simulator.OpList && isCompleteRead(r) {
			last = r.Time
		}
	}
	return last
}

// isCompleteRead reports whether a request showed sessions, to the last of them.
func isCompleteRead(r simulator.Request) bool {
	return (r.Op == simulator.OpList || r.Op == simulator.OpGet) &&
		r.Acted && r.Fault == "" && r.Status == http.StatusOK && !r.Done.IsZero()
}

// showedEnd gives the request before the moment that showed that s had ended.
func showedEnd(reads []simulator.Request, s simulator.Session, moment time.Time) (simulator.Request, bool) {
	if s.State != simulator.StateEnded || s.Behavior.Hidden {
		return simulator.Request{}, false
	}
	for _, r := range reads {
		shows := r.Op == simulator.OpList || r.Object == strconv.FormatInt(s.RecordID, 10)
		if shows && r.Done.Before(moment) && s.End.Before(r.Time) {
			return r, true
		}
	}
	return simulator.Request{}, false
}
