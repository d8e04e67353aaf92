package simulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// TestFaultsOnDrop shows for every kind what a client sees of a drop and whether
// the session has ended behind it.
func TestFaultsOnDrop(t *testing.T) {
	t.Parallel()
	const html = "text/html; charset=utf-8"
	tests := []struct {
		fault       simulator.Fault
		status      int    // 0: no answer
		err         error  // where the line is cut
		body        string // a part of it
		contentType string
		ended       bool
	}{
		{fault: simulator.Fault{Kind: simulator.CutBefore}, err: io.EOF},
		{fault: simulator.Fault{Kind: simulator.CutAfter}, err: io.EOF, ended: true},
		{fault: simulator.Fault{Kind: simulator.CutMiddle}, status: 200, err: io.ErrUnexpectedEOF, body: `{"code":200`, ended: true},
		{fault: simulator.Fault{Kind: simulator.CutRows, Rows: 1}, status: 200, err: io.ErrUnexpectedEOF, body: `{"code":200`, ended: true},
		{fault: simulator.Fault{Kind: simulator.ResetBefore}, err: syscall.ECONNRESET},
		{fault: simulator.Fault{Kind: simulator.ResetAfter}, err: syscall.ECONNRESET, ended: true},
		{fault: simulator.Fault{Kind: simulator.Slow, Delay: 1}, status: 200, body: "Session dropped", ended: true},
		{fault: simulator.Fault{Kind: simulator.SlowBefore, Delay: 1}, status: 200, body: "Session dropped", ended: true},
		{
			fault:  simulator.Fault{Kind: simulator.Status, Status: 418, Body: "short", ContentType: "text/plain"},
			status: 418, body: "short", contentType: "text/plain",
		},
		{fault: simulator.Fault{Kind: simulator.StatusAfter, Status: 504, Body: "{}"}, status: 504, body: "{}", ended: true},
		{fault: simulator.Fault{Kind: simulator.NoContent204}, status: 204, ended: true},
		{fault: simulator.Fault{Kind: simulator.Empty200}, status: 200, ended: true},
		{fault: simulator.Fault{Kind: simulator.Empty200, Acting: simulator.ActNever}, status: 200},
		{fault: simulator.Fault{Kind: simulator.Truncated200}, status: 200, body: `{"code":200`, ended: true},
		{fault: simulator.Fault{Kind: simulator.ErrorTrue200}, status: 200, body: `"status":200,"message":"The operation could not be completed","error":true`},
		{fault: simulator.Fault{Kind: simulator.FlagFalse400}, status: 400, body: `"error":false`},
		{fault: simulator.Fault{Kind: simulator.FlatNotFound404}, status: 404, body: `{"code":404,"message"`},
		{fault: simulator.Fault{Kind: simulator.HTML200}, status: 200, body: "<html>", contentType: html},
		{fault: simulator.Fault{Kind: simulator.HTML502}, status: 502, body: "502 Bad Gateway", contentType: html},
		{fault: simulator.Fault{Kind: simulator.HTML502, Acting: simulator.ActFirst}, status: 502, body: "<html>", contentType: html, ended: true},
		{fault: simulator.Fault{Kind: simulator.Timeout408}, status: 408, body: "<html>", contentType: html},
		{fault: simulator.Fault{Kind: simulator.TooMany429}, status: 429, body: "<html>", contentType: html},
		{fault: simulator.Fault{Kind: simulator.Unavailable503}, status: 503, body: "<html>", contentType: html},
		{fault: simulator.Fault{Kind: simulator.GatewayTimeout504}, status: 504, body: "<html>", contentType: html},
		{fault: simulator.Fault{Kind: simulator.Unexpected500}, status: 500, body: "Unexpected error"},
		{fault: simulator.Fault{Kind: simulator.DropFailed500}, status: 500, body: "droping"},
		{fault: simulator.Fault{Kind: simulator.Unauthorized500}, status: 500, body: "You are not authorized"},
		{fault: simulator.Fault{Kind: simulator.Forbidden403}, status: 403, body: "You are not authorized"},
		{fault: simulator.Fault{Kind: simulator.Lockdown503}, status: 503, body: "under Lockdown until"},
		{fault: simulator.Fault{Kind: simulator.WrongRoute404}, status: 404, body: "Resource sub not found"},
		{fault: simulator.Fault{Kind: simulator.GatewayNoRoute404}, status: 404, body: `{"message":"no Route`},
		{fault: simulator.Fault{Kind: simulator.TokenDenied401}, status: 401, body: "access_denied"},
		{fault: simulator.Fault{Kind: simulator.InvalidSignature401}, status: 401, body: "Invalid signature"},
		{fault: simulator.Fault{Kind: simulator.InvalidClient401}, status: 401, body: "invalid_client"},
		{fault: simulator.Fault{Kind: simulator.InactiveAuthorization401}, status: 401, body: "Inactive authorization"},
		{fault: simulator.Fault{Kind: simulator.Referer500}, status: 500, body: "1105"},
		{fault: simulator.Fault{Kind: simulator.Redirect, Location: "https://elsewhere.example/"}, status: 302},
		{fault: simulator.Fault{Kind: simulator.Redirect, Location: "/", Status: 307}, status: 307},
	}
	for _, tt := range tests {
		name := string(tt.fault.Kind) + " " + strconv.Itoa(int(tt.fault.Acting)) + " " + strconv.Itoa(tt.fault.Status)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := login(t, simulator.Config{})
			v := k.sim.Add(simulator.Sample(0))
			tt.fault.Op, tt.fault.Times = simulator.OpDrop, 1
			answered := make(chan simulator.Request, 1)
			k.sim.OnAnswer(func(r simulator.Request) { answered <- r })
			k.sim.Inject(tt.fault)

			got := k.drop(t, v.SessionID)
			if !errors.Is(got.err, tt.err) {
				t.Errorf("error %v, want %v", got.err, tt.err)
			}
			if got.status != tt.status {
				t.Errorf("status %d, want %d", got.status, tt.status)
			}
			if body := string(got.body); !strings.Contains(body, tt.body) || (tt.body == "" && body != "") {
				t.Errorf("body %q, want %q in it", body, tt.body)
			}
			if ct := got.header.Get("Content-Type"); tt.contentType != "" && ct != tt.contentType {
				t.Errorf("content type %q, want %q", ct, tt.contentType)
			}
			if location := got.header.Get("Location"); location != tt.fault.Location {
				t.Errorf("location %q", location)
			}
			entry := <-answered
			if entry.Fault != tt.fault.Kind || entry.Status != tt.status || entry.Acted != tt.ended || entry.Done.IsZero() {
				t.Errorf("journal: %+v", entry)
			}
			if after, _ := k.sim.Session(v.SessionID); (after.State == simulator.StateEnded) != tt.ended {
				t.Errorf("the session is %s", after.State)
			}
			if !tt.ended {
				wantStatus(t, k.drop(t, v.SessionID), http.StatusOK) // it struck once
			}
		})
	}
}

func TestListFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault simulator.Fault
		err   error
		rows  int // -1: fewer than all, with a part of one
	}{
		{"cut after no row", simulator.Fault{Kind: simulator.CutRows, Rows: 0}, io.ErrUnexpectedEOF, 0},
		{"cut after some rows", simulator.Fault{Kind: simulator.CutRows, Rows: 7}, io.ErrUnexpectedEOF, 7},
		{"cut after every row", simulator.Fault{Kind: simulator.CutRows, Rows: 20}, io.ErrUnexpectedEOF, 20},
		{"cut in the middle", simulator.Fault{Kind: simulator.CutMiddle}, io.ErrUnexpectedEOF, -1},
		{"truncated", simulator.Fault{Kind: simulator.Truncated200}, nil, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := login(t, simulator.Config{})
			k.sim.AddMany(20, simulator.Sample)
			k.sim.Inject(tt.fault)
			got := k.list(t)
			if got.status != http.StatusOK || !errors.Is(got.err, tt.err) {
				t.Errorf("status %d, error %v", got.status, got.err)
			}
			if json.Valid(got.body) {
				t.Errorf("a whole body: %s", got.body)
			}
			whole := strings.Count(string(got.body), `"ITSM":null}`)
			if tt.rows >= 0 && whole != tt.rows || whole > 20 || (tt.rows < 0 && whole >= 20) {
				t.Errorf("%d whole rows, want %d", whole, tt.rows)
			}
		})
	}
}

func TestCutListOfUnknownLength(t *testing.T) {
	t.Parallel()
	for _, kind := range []simulator.Kind{simulator.CutMiddle, simulator.Truncated200} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			k := login(t, simulator.Config{})
			k.sim.Rows(simulator.History(5, time.Unix(0, 0)))
			k.sim.Inject(simulator.Fault{Kind: kind})
			got := k.list(t)
			if json.Valid(got.body) || len(got.body) == 0 {
				t.Errorf("body %q", got.body)
			}
		})
	}
}

func TestFaultMatching(t *testing.T) {
	t.Parallel()
	const other, struck = http.StatusInternalServerError, http.StatusTooManyRequests
	fault := simulator.Fault{Kind: simulator.TooMany429}
	with := func(change func(*simulator.Fault)) []simulator.Fault {
		f := fault
		change(&f)
		return []simulator.Fault{f}
	}
	tests := []struct {
		name   string
		faults []simulator.Fault
		want   []int // of drops of a, b, a, b, unknown sessions all
	}{
		{"none", nil, []int{other, other, other, other}},
		{"forever", []simulator.Fault{fault}, []int{struck, struck, struck, struck}},
		{"operation", with(func(f *simulator.Fault) { f.Op = simulator.OpDrop }), []int{struck, struck, struck, struck}},
		{"other operation", with(func(f *simulator.Fault) { f.Op = simulator.OpGet }), []int{other, other, other, other}},
		{"object", with(func(f *simulator.Fault) { f.Object = "b" }), []int{other, struck, other, struck}},
		{"times", with(func(f *simulator.Fault) { f.Times = 2 }), []int{struck, struck, other, other}},
		{"after", with(func(f *simulator.Fault) { f.After = 1; f.Times = 2 }), []int{other, struck, struck, other}},
		{"after of an object", with(func(f *simulator.Fault) { f.After = 1; f.Object = "a" }), []int{other, other, struck, other}},
		{
			"first added first",
			[]simulator.Fault{{Kind: simulator.Forbidden403, Times: 1}, fault},
			[]int{http.StatusForbidden, struck, struck, struck},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := login(t, simulator.Config{})
			for _, f := range tt.faults {
				k.sim.Inject(f)
			}
			got := make([]int, len(tt.want))
			for i := range got {
				got[i] = k.drop(t, []string{"a", "b"}[i%2]).status
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			k.sim.ClearFaults()
			wantStatus(t, k.drop(t, "a"), other)
		})
	}
}

func TestFaultHeader(t *testing.T) {
	t.Parallel()
	k := login(t, simulator.Config{})
	k.sim.Inject(simulator.Fault{Kind: simulator.TooMany429, Header: http.Header{"retry-after": {"7"}}})
	if got := k.list(t).header.Get("Retry-After"); got != "7" {
		t.Errorf("Retry-After %q", got)
	}
}

// TestSlow shows both sides of a client that gives up: an answer that comes too
// late for an acted request, and a request that is given up before it is acted
// on.
func TestSlow(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault simulator.Fault
		ended bool
	}{
		{"acted on", simulator.Fault{Kind: simulator.Slow}, true},
		{"acted on, with delay", simulator.Fault{Kind: simulator.Slow, Delay: time.Hour}, true},
		{"not yet acted on", simulator.Fault{Kind: simulator.SlowBefore}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := login(t, simulator.Config{})
			v := k.sim.Add(simulator.Session{})
			k.sim.Inject(tt.fault)
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			stopWaiting := func(simulator.Request) { giveUp() }
			if tt.ended {
				k.sim.OnActed(stopWaiting)
			} else {
				k.sim.OnRequest(stopWaiting)
			}
			answered := make(chan simulator.Request, 1)
			k.sim.OnAnswer(func(r simulator.Request) { answered <- r })

			got := k.send(k.request(t, http.MethodDelete, dropPath+v.SessionID, nil).WithContext(ctx))
			if !errors.Is(got.err, context.Canceled) {
				t.Fatalf("error %v", got.err)
			}
			if entry := <-answered; entry.Status != 0 || entry.Acted != tt.ended {
				t.Errorf("journal: %+v", entry)
			}
			if after, _ := k.sim.Session(v.SessionID); (after.State == simulator.StateEnded) != tt.ended {
				t.Errorf("the session is %s", after.State)
			}
		})
	}
}

func TestSlowDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := simulator.New(simulator.Config{})
		sim.Inject(simulator.Fault{Kind: simulator.Slow, Op: simulator.OpDrop, Delay: time.Minute})
		begin := time.Now()
		directDrop(t, sim, "x")
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("took %s", took)
		}
	})
}

func TestCloseReleasesSlow(t *testing.T) {
	t.Parallel()
	k := login(t, simulator.Config{})
	v := k.sim.Add(simulator.Session{})
	k.sim.Inject(simulator.Fault{Kind: simulator.Slow})
	k.sim.OnActed(func(simulator.Request) { k.sim.Close() })
	wantStatus(t, k.drop(t, v.SessionID), http.StatusOK)
}

func TestNonsenseFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]simulator.Fault{
		"no kind":              {},
		"unknown kind":         {Kind: "meteor"},
		"truth without acting": {Kind: simulator.CutMiddle, Acting: simulator.ActNever},
		"no status":            {Kind: simulator.Status},
		"no location":          {Kind: simulator.Redirect},
		"negative count":       {Kind: simulator.CutBefore, Times: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("it was accepted")
				}
			}()
			simulator.New(simulator.Config{}).Inject(fault)
		})
	}
}

// TestRandom shows that the seed alone decides, whatever the order of requests
// to different objects.
func TestRandom(t *testing.T) {
	t.Parallel()
	const sessions = 400
	strike := func(seed uint64, backwards bool) (map[string]simulator.Kind, int) {
		sim := simulator.New(simulator.Config{})
		all := sim.AddMany(sessions, simulator.Sample)
		if backwards {
			slices.Reverse(all)
		}
		sim.Random(seed, 0.2, simulator.Fault{Kind: simulator.HTML502}, simulator.Fault{Kind: simulator.CutAfter}, simulator.Fault{Kind: simulator.Unexpected500})
		for _, v := range all {
			direct(sim, httptest.NewRequestWithContext(t.Context(), http.MethodDelete, dropPath+v.SessionID, http.NoBody))
		}
		struck := map[string]simulator.Kind{}
		for _, r := range sim.Journal() {
			if r.Fault != "" {
				struck[r.Object] = r.Fault
			}
		}
		return struck, len(struck)
	}
	first, n := strike(1, false)
	again, _ := strike(1, true)
	other, _ := strike(2, false)
	// Six standard deviations about a fifth of 400.
	if n < 32 || n > 128 {
		t.Errorf("%d of %d requests were struck", n, sessions)
	}
	same := func(a, b map[string]simulator.Kind) bool {
		for id, kind := range a {
			if b[id] != kind {
				return false
			}
		}
		return len(a) == len(b)
	}
	if !same(first, again) {
		t.Error("the order of requests changed what was struck")
	}
	if same(first, other) {
		t.Error("another seed struck the same")
	}
}

func TestRandomStrikesItsOperation(t *testing.T) {
	t.Parallel()
	k := login(t, simulator.Config{})
	k.sim.Random(1, 1, simulator.Fault{Kind: simulator.TokenDenied401, Op: simulator.OpList})
	wantStatus(t, k.post(t, tokenPath, credentials()), http.StatusOK)
	wantStatus(t, k.list(t), http.StatusUnauthorized)
	k.sim.Random(1, 0)
	wantStatus(t, k.list(t), http.StatusOK)
}

func TestRandomRefusesSenselessFaults(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("a fault of no kind was taken")
		}
	}()
	simulator.New(simulator.Config{}).Random(1, 1, simulator.Fault{})
}
