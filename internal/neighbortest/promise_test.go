//go:build unix

package neighbortest

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// account is what one use of the provider said, in a form that can be held against the
// truth.
type account struct {
	said acctest.Diagnostics
	// ended, named, and excluded are the session IDs that were reported as ended, as
	// not, or not known to be, ended, and as excluded; the last is nil for a
	// termination.
	ended, named, excluded []string
	// requested are those of named for which it says that senhasegura accepted a
	// request, or may have received one.
	requested []string
	// failed: it ended with an error. blind: which says that the live sessions are not
	// known.
	failed, blind bool
}

// The ways to break the promise.
const (
	falseEnd       = "live sessions reported as ended"
	unreported     = "matching live sessions omitted"
	unnamed        = "sessions missing from the message"
	notMeant       = "terminated without a match, or excluded"
	tooOften       = "too many termination requests"
	afterTheirEnds = "termination requests after the end was read"
	untold         = "accepted and not reported"
)

var promises = []string{falseEnd, unreported, unnamed, notMeant, tooOften, afterTheirEnds, untold}

// breach is one broken promise.
type breach struct{ promise, text string }

// check fails the test where the promise is broken, and counts.
func (s *scene) check(a account, targets func(simulator.Session) bool) {
	s.t.Helper()
	found := s.breaches(a, targets)
	for _, b := range found {
		s.broken[b.promise]++
		s.t.Errorf("%s: %s", b.promise, b.text)
	}
	if len(found) > 0 {
		s.t.Logf("it says:\n%s", a.said)
	}
}

// breaches compares an account with the truth of this moment. targets are the sessions
// that may be terminated.
func (s *scene) breaches(a account, targets func(simulator.Session) bool) []breach {
	var found []breach
	add := func(promise, format string, values ...any) {
		found = append(found, breach{promise, fmt.Sprintf(format, values...)})
	}
	for _, id := range a.ended {
		if v, ok := s.sim.Session(id); !ok || v.State != simulator.StateEnded {
			add(falseEnd, "%s is %q", id, v.State)
		}
	}
	// The user reads the message, and not the state. A termination has one session, that
	// of its argument.
	text := a.said.String()
	for _, id := range slices.Concat(a.named, a.excluded) {
		if a.excluded != nil && !strings.Contains(text, id) {
			add(unnamed, "%s", id)
		}
	}
	named, left := setOf(a.named), setOf(a.excluded)
	for _, v := range s.sim.Sessions() {
		live := v.State != simulator.StateEnded
		// A use that fails can know nothing of sessions that started after it began.
		knowable := live && !a.blind && (!a.failed || v.Start.Before(s.began))
		excluded := v.User == "alice" && v.Credential == "breakglass"
		switch {
		case !targets(v) && v.Drops > s.earlier[v.SessionID]:
			add(notMeant, "%s of %s as %s", v.SessionID, v.User, v.Credential)
		case targets(v) && knowable && !named[v.SessionID],
			a.excluded != nil && excluded && knowable && !left[v.SessionID]:
			add(unreported, "%s of %s as %s", v.SessionID, v.User, v.Credential)
		}
	}
	return append(found, s.wrongDrops(a, targets)...)
}

// wrongDrops are breaches that the requests show.
func (s *scene) wrongDrops(a account, targets func(simulator.Session) bool) []breach {
	var (
		found []breach
		reads []simulator.Request
		sent  = map[string]int{}
		told  = setOf(slices.Concat(a.ended, a.requested))
	)
	for _, r := range s.sim.Journal() {
		if (r.Op == simulator.OpList || r.Op == simulator.OpGet) && whole(r) {
			reads = append(reads, r)
		}
		if r.Op != simulator.OpDrop {
			continue
		}
		if r.Status != http.StatusUnauthorized && r.Status != http.StatusTooManyRequests {
			sent[r.Object]++
		}
		v, ok := s.sim.Session(r.Object)
		switch {
		case !ok || !targets(v):
			found = append(found, breach{notMeant, fmt.Sprintf("request %d: %s", r.Seq, r.Object)})
		case !s.disturbed && showedEnd(reads, v, r.Time):
			found = append(found, breach{afterTheirEnds, fmt.Sprintf("request %d: %s", r.Seq, r.Object)})
		}
		if whole(r) && !told[r.Object] {
			found = append(found, breach{untold, fmt.Sprintf("request %d: %s", r.Seq, r.Object)})
		}
	}
	for id, n := range sent {
		if n > 1+retries {
			found = append(found, breach{tooOften, fmt.Sprintf("%s: %d times, more than 1 + %d", id, n, retries)})
		}
	}
	return found
}

func setOf(ids []string) map[string]bool {
	set := make(map[string]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// says reports whether the messages have these words, however they are wrapped.
func says(said acctest.Diagnostics, words string) bool {
	plain := func(text string) string { return strings.ToLower(strings.Join(strings.Fields(text), " ")) }
	return strings.Contains(plain(said.String()), plain(words))
}

// whole reports whether a request was carried out and answered to the end.
func whole(r simulator.Request) bool {
	return r.Acted && r.Fault == "" && r.Status == http.StatusOK && !r.Done.IsZero()
}

// showedEnd reports whether one of the reads before the moment showed that v had ended.
func showedEnd(reads []simulator.Request, v simulator.Session, moment time.Time) bool {
	return v.State == simulator.StateEnded && slices.ContainsFunc(reads, func(r simulator.Request) bool {
		shows := r.Op == simulator.OpList || r.Object == strconv.FormatInt(v.RecordID, 10)
		return shows && r.Done.Before(moment) && v.End.Before(r.Time)
	})
}

// The promise is checked by a function that can fail: each lie is found out.
func TestCheckFindsLies(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]struct {
		change func(*account, []simulator.Session)
		want   string
	}{
		"the truth": {change: func(*account, []simulator.Session) {}},
		"a false end": {
			change: func(a *account, live []simulator.Session) {
				a.ended, a.named = []string{live[0].SessionID}, a.named[1:]
			},
			want: falseEnd,
		},
		"an omission":          {change: func(a *account, _ []simulator.Session) { a.named = a.named[1:] }, want: unreported},
		"an omitted exclusion": {change: func(a *account, _ []simulator.Session) { a.excluded = []string{} }, want: unreported},
		"a silent message":     {change: func(a *account, _ []simulator.Session) { a.said = nil }, want: unnamed},
		"a success":            {change: func(a *account, _ []simulator.Session) { a.failed, a.named = false, nil }, want: unreported},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, simulator.Config{})
			s.config["url"] = "http://" + s.backend.address
			live := s.people(2, simulator.Behavior{Refuse: true})
			a := s.drain(nil)
			lie.change(&a, live)
			found := s.breaches(a, meant)
			if lie.want == "" && len(found) > 0 || lie.want != "" && !slices.ContainsFunc(found, func(b breach) bool { return b.promise == lie.want }) {
				t.Errorf("found %v, want %q\n%s", found, lie.want, a.said)
			}
		})
	}
	for name, lie := range map[string]struct {
		whose string
		times int
		want  string
	}{
		"another user's":     {whose: "bob", times: 1, want: notMeant},
		"an excluded one":    {whose: "breakglass", times: 1, want: notMeant},
		"an ended one":       {whose: "ended", times: 1, want: afterTheirEnds},
		"one too often":      {whose: "alice", times: 2 + retries, want: tooOften},
		"one that is untold": {whose: "alice", times: 1, want: untold},
	} {
		t.Run("a request for "+name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, simulator.Config{})
			s.config["url"] = "http://" + s.backend.address
			s.people(1, simulator.Behavior{})
			s.list()
			for _, v := range s.sim.Sessions() {
				if v.User == lie.whose || v.Credential == lie.whose && v.User == "alice" || lie.whose == "ended" && v.State == simulator.StateEnded {
					for range lie.times {
						s.forge(v.SessionID)
					}
				}
			}
			found := s.breaches(account{blind: true, failed: true}, meant)
			if !slices.ContainsFunc(found, func(b breach) bool { return b.promise == lie.want }) {
				t.Errorf("found %v, want %q", found, lie.want)
			}
		})
	}
}

// forge sends a termination request that no drain would send.
func (s *scene) forge(id string) {
	s.t.Helper()
	s.call(http.MethodDelete, "/api/pam/session/drop/"+id, s.token(), "")
}

// token gets one from senhasegura itself.
func (s *scene) token() string {
	s.t.Helper()
	token := s.call(http.MethodPost, "/iso/oauth2/token", "", "grant_type=client_credentials&client_id="+simulator.DefaultClientID+"&client_secret="+simulator.DefaultClientSecret)
	_, token, _ = strings.Cut(token, `"access_token":"`)
	token, _, _ = strings.Cut(token, `"`)
	return token
}

func (s *scene) call(method, path, token, form string) string {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.backend.address+path, strings.NewReader(form))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(body)
}
