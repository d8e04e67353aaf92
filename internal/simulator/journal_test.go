package simulator_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

func TestJournal(t *testing.T) {
	t.Parallel()
	k := login(t, simulator.Config{})
	v := k.sim.Add(simulator.Session{})
	r := k.request(t, http.MethodDelete, dropPath+v.SessionID, nil)
	r.Header.Set("User-Agent", "tester/1")
	r.Header.Set("Referer", "https://from.example")
	wantStatus(t, k.send(r), http.StatusOK)
	wantStatus(t, k.getFirst(t), http.StatusOK)
	wantStatus(t, k.list(t), http.StatusOK)

	journal := k.sim.Journal()
	if len(journal) != 3 {
		t.Fatalf("%d requests, want 3", len(journal))
	}
	drop := journal[0]
	if drop.Op != simulator.OpDrop || drop.Method != http.MethodDelete || drop.Path != dropPath+v.SessionID ||
		drop.Object != v.SessionID || !drop.Acted || drop.Status != http.StatusOK || drop.Fault != "" {
		t.Errorf("drop: %+v", drop)
	}
	if drop.UserAgent != "tester/1" || !drop.Referer || !slices.Contains(drop.Headers, "Authorization") {
		t.Errorf("headers of the drop: %+v", drop)
	}
	if drop.Time.IsZero() || drop.Done.Before(drop.Time) {
		t.Errorf("times of the drop: %s to %s", drop.Time, drop.Done)
	}
	if journal[1].Op != simulator.OpGet || journal[1].Object != "1" || journal[2].Op != simulator.OpList {
		t.Errorf("order: %s, %s", journal[1].Op, journal[2].Op)
	}
	if journal[1].Seq != drop.Seq+1 || journal[2].Seq != drop.Seq+2 {
		t.Errorf("numbers %d, %d, %d", drop.Seq, journal[1].Seq, journal[2].Seq)
	}
	if n := k.sim.Count(simulator.OpDrop); n != 1 {
		t.Errorf("%d drops", n)
	}
	k.sim.ResetJournal()
	wantStatus(t, k.list(t), http.StatusOK)
	if after := k.sim.Journal(); len(after) != 1 || after[0].Seq != drop.Seq+3 {
		t.Errorf("after the reset: %+v", after)
	}
}

func TestJournalHoldsNoSecret(t *testing.T) {
	t.Parallel()
	const canary = "canary-5d1e"
	k := serve(t, simulator.Config{
		ClientID: "client", ClientSecret: canary + "-secret", BasicAuth: true,
		OAuth1: &simulator.OAuth1{ConsumerKey: "ck", ConsumerSecret: canary, TokenKey: "tk", TokenSecret: canary},
	})
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"client"}, "client_secret": {canary + "-secret"}}
	k.token = k.post(t, tokenPath, form).text(t, "access_token")
	wantStatus(t, k.list(t), http.StatusOK)
	wantStatus(t, k.post(t, tokenPath+"?client_secret="+canary, url.Values{"client_secret": {canary}}), http.StatusBadRequest)
	for _, authorization := range []string{"Bearer " + canary, "OAuth oauth_signature=\"" + canary + "\"", "Basic " + canary, canary} {
		r := k.request(t, http.MethodGet, listPath+"?token="+canary, nil)
		r.Header.Set("Authorization", authorization)
		r.Header.Set("Referer", "https://"+canary)
		r.Header.Set("X-Other", canary)
		wantStatus(t, k.send(r), http.StatusUnauthorized)
	}
	text, err := json.Marshal(k.sim.Journal())
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range append(k.sim.IssuedTokens(), canary) {
		if strings.Contains(string(text), secret) {
			t.Errorf("%q is in the journal: %s", secret, text)
		}
	}
	if !strings.Contains(string(text), "X-Other") {
		t.Error("the names of headers are missing")
	}
}

// TestHooks adds a session in the middle of a drop, before and after it works.
func TestHooks(t *testing.T) {
	t.Parallel()
	k := login(t, simulator.Config{})
	v := k.sim.Add(simulator.Session{})
	var seen []string
	note := func(moment string) func(simulator.Request) {
		return func(r simulator.Request) {
			if r.Op != simulator.OpDrop {
				return
			}
			state, _ := k.sim.Session(r.Object)
			seen = append(seen, moment+" "+string(state.State))
			k.sim.Add(simulator.Session{User: moment})
		}
	}
	k.sim.OnRequest(note("arrived"))
	k.sim.OnActed(note("acted"))
	k.sim.OnAnswer(note("answered"))
	wantStatus(t, k.drop(t, v.SessionID), http.StatusOK)
	if want := []string{"arrived live", "acted ended", "answered ended"}; !slices.Equal(seen, want) {
		t.Errorf("got %v, want %v", seen, want)
	}
	if n := len(k.list(t).rows(t, "remote_sessions")); n != 4 {
		t.Errorf("%d rows, want 4", n)
	}
}

// TestConcurrency is for the race detector; it also checks that every drop of a
// live session is accepted exactly once.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	const sessions, callers = 120, 4
	k := login(t, simulator.Config{})
	all := k.sim.AddMany(sessions, simulator.Sample)
	var accepted [callers]int
	var working sync.WaitGroup
	for n := range callers {
		working.Go(func() {
			for i, v := range all {
				r := k.request(t, http.MethodDelete, dropPath+v.SessionID, nil)
				if k.send(r).status == http.StatusOK {
					accepted[n]++
				}
				switch i % 40 {
				case 0:
					k.send(k.request(t, http.MethodGet, listPath, nil))
				case 1:
					k.sim.Add(simulator.Sample(i))
				case 2:
					k.sim.Journal()
				case 3:
					k.sim.Sessions()
				}
			}
		})
	}
	working.Wait()
	total := 0
	for _, n := range accepted {
		total += n
	}
	if total != sessions {
		t.Errorf("%d drops were accepted, want %d", total, sessions)
	}
	if n := k.sim.Count(simulator.OpDrop); n != sessions*callers {
		t.Errorf("the journal has %d drops, want %d", n, sessions*callers)
	}
}
