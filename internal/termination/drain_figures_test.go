package termination_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// A destroy of many drains, ten at a time as Terraform does it, of which some have
// sessions: the drains share reads, and hold to the number of them that is promised.
func TestListsOfManyDrains(t *testing.T) {
	t.Parallel()
	const (
		drains, inhabited, parallel = 60, 20, 10
		// 1.5 × (60 + 20) / 10 + 2
		most = 14
	)
	for _, test := range []struct {
		name          string
		listTime, lag time.Duration
		// spread is the time between the beginnings of two drains.
		spread time.Duration
	}{
		{"lists of two minutes", 2 * time.Minute, 0, 0},
		{"lists of three minutes, and ends that lag", 3 * time.Minute, 5 * time.Second, 0},
		{"lists of two minutes, and drains that begin one after the other", 2 * time.Minute, time.Second, 50 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{listTime: test.listTime}
				for n := range inhabited {
					s := visitor(n)
					// Every third drain has a session.
					s.Device = fmt.Sprintf("machine-%d", 3*n)
					p.sessions = append(p.sessions, s)
				}
				p.drops = append(p.drops, func(id string) error {
					time.AfterFunc(test.lag, func() { p.end(id) })
					return nil
				})
				terminator := termination.New(p, termination.Options{Retries: 4, ListTimeout: 10 * time.Minute})
				begin := make(chan int, drains)
				for n := range drains {
					begin <- n
				}
				close(begin)
				var workers sync.WaitGroup
				for w := range parallel {
					workers.Go(func() {
						time.Sleep(time.Duration(w) * test.spread)
						for n := range begin {
							drainMachine(t, terminator, n)
						}
					})
				}
				workers.Wait()
				if got := p.count("list"); got > most {
					t.Errorf("%d lists, at most %d are promised", got, most)
				} else {
					t.Logf("%d lists", got)
				}
				if got := p.count("drop"); got < inhabited {
					t.Errorf("%d requests for %d sessions", got, inhabited)
				}
				for _, s := range p.sessions {
					if s.Live() {
						t.Errorf("%s is live", s.ID)
					}
				}
			})
		})
	}
}

func drainMachine(t *testing.T, terminator *termination.Terminator, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	report, err := terminator.Drain(ctx, termination.DrainRequest{Selector: machine(t, n), PollInterval: interval})
	if err != nil {
		t.Errorf("drain %d: %v, %s", n, err, outcomes(report))
	}
}

func machine(t *testing.T, n int) *session.Selector {
	t.Helper()
	s, err := session.NewSelector(session.Match{Devices: []string{fmt.Sprintf("machine-%d", n)}}, session.Match{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// All previews of a plan cost one list, which says when it was read.
func TestListsOfManyPreviews(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{listTime: 2 * time.Minute, sessions: lives(1, 2)}
		terminator := termination.New(p, termination.Options{Retries: 4})
		began := time.Now()
		var plans sync.WaitGroup
		for range 60 {
			plans.Go(func() {
				report, readAt, err := terminator.Preview(t.Context(), termination.DrainRequest{Selector: selector(t)})
				if err != nil || !readAt.Equal(began) || len(report.Matched()) != 2 {
					t.Errorf("%s, read at %s, %v", outcomes(report), readAt, err)
				}
			})
		}
		plans.Wait()
		if got := p.count("list"); got != 1 {
			t.Errorf("%d lists, want 1", got)
		}
	})
}

// In a long grace period the list is not read again and again: eleven sessions, each
// alone too few for a list, and ten, which are checked one by one.
func TestListsOfALongGrace(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		sessions    int
		listTime    time.Duration
		lists, gets int
	}{
		{sessions: 11, lists: 68},
		{sessions: 11, listTime: time.Minute, lists: 3, gets: 11 * 66},
		{sessions: 100, listTime: time.Minute, lists: 17},
		{sessions: 10, lists: 3, gets: 10 * 66},
	} {
		t.Run(fmt.Sprintf("%d sessions, lists of %s", test.sessions, test.listTime), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{listTime: test.listTime}
				for n := range test.sessions {
					p.sessions = append(p.sessions, visitor(n))
				}
				report, err := plan{server: p, allowed: 2 * time.Hour, request: termination.DrainRequest{Grace: 30 * time.Minute}}.run(t)
				if err != nil || len(report.Terminated()) != test.sessions {
					t.Errorf("%d terminated, %v", len(report.Terminated()), err)
				}
				if got := p.count("list"); got > test.lists {
					t.Errorf("%d lists, want %d at most", got, test.lists)
				}
				if got := p.count("get"); got > test.gets {
					t.Errorf("%d checks of single sessions, want %d at most", got, test.gets)
				}
			})
		})
	}
}

// Between two lists that poll there is a pause as long as the last one took, also
// where the checks of single sessions fail.
func TestPauseBetweenLists(t *testing.T) {
	t.Parallel()
	for name, sessions := range map[string][]session.Session{
		"without record ids":                  withoutRecordIDs(lives(1, 2)...),
		"where single sessions can't be read": lives(1, 2),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const listTime = time.Minute
				p := &fakeAPI{sessions: sessions, listTime: listTime, drops: []func(string) error{acceptOnly}, gets: []func(string) error{failWith(session.ErrTransient)}}
				var began []time.Time
				p.lists = append(p.lists, func() error { began = append(began, time.Now().Add(-listTime)); return nil })
				_, err := plan{server: p, allowed: 30 * time.Minute}.run(t)
				checkDrainFailure(t, err, termination.StillLive, context.DeadlineExceeded)
				if len(began) < 5 {
					t.Fatalf("%d lists", len(began))
				}
				// The one after the requests may close the drain, and so is not delayed.
				for i, next := range began[2:] {
					if pause := next.Sub(began[i+1]) - listTime; pause < listTime {
						t.Errorf("list %d begins %s after the one before", i+2, pause)
					}
				}
			})
		})
	}
}

// A drain of ten thousand asks for each end once, and reads two lists.
func TestRequestsOfALargeDrain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const many = 10_000
		p := &fakeAPI{}
		ends := map[string]*session.Session{}
		for n := range many {
			p.sessions = append(p.sessions, visitor(n))
		}
		for i := range p.sessions {
			ends[p.sessions[i].ID] = &p.sessions[i]
		}
		p.drops = append(p.drops, func(id string) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			ends[id].EndedAt = time.Now()
			return nil
		})
		report, err := termination.New(p, termination.Options{}).Drain(t.Context(), termination.DrainRequest{Selector: selector(t), PollInterval: interval})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(report.Terminated()); got != many {
			t.Errorf("%d terminated, want %d", got, many)
		}
		got := []int{p.count("drop"), p.count("list"), p.count("get")}
		if want := []int{many, 2, 0}; !slices.Equal(got, want) {
			t.Errorf("requests, lists and checks: %v, want %v", got, want)
		}
	})
}
