package termination_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// How often the list is read for many operations at Terraform's parallelism, where
// a read takes two minutes.
const (
	parallelism = 10
	slowList    = 2 * time.Minute
)

func TestReadsOfManyTerminations(t *testing.T) {
	t.Parallel()
	const many = 500
	for _, test := range []struct {
		name    string
		row     func(int) session.Session
		drop    func(*fakeAPI) func(string) error
		outcome termination.Outcome
		least   int
		most    int
	}{
		{"of sessions that have ended", ended, func(*fakeAPI) func(string) error { return refuse }, termination.AlreadyEnded, 1, 4},
		{"of live sessions", live, func(p *fakeAPI) func(string) error {
			return func(id string) error { p.end(id); return nil }
		}, termination.Terminated, 2, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{listTime: slowList}
				for n := range many {
					p.sessions = append(p.sessions, test.row(n))
				}
				p.drops = append(p.drops, test.drop(p))
				terminator := termination.New(p, termination.Options{Retries: 4, ListTimeout: 10 * time.Minute})
				took := inTurn(many, parallelism, func(n int) {
					result, err := terminator.Terminate(t.Context(), termination.Request{SessionID: fmt.Sprint("hash-", n), Confirm: true, PollInterval: interval})
					if err != nil || result.Outcome != test.outcome {
						t.Errorf("%d: %q, %v, want %q", n, result.Outcome, err, test.outcome)
					}
				})
				if got := reads(p); got < test.least || got > test.most {
					t.Errorf("%d reads of the list, want %d to %d", got, test.least, test.most)
				}
				if most := time.Duration(test.most) * (slowList + time.Second); took > most {
					t.Errorf("it took %v, want %v at most", took, most)
				}
				if got, want := len(p.journal())-reads(p), 2*many; got > want {
					t.Errorf("%d requests besides, want a drop and a check of each at most", got)
				}
			})
		})
	}
}

func TestReadsOfManyDataSources(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: lives(1, 2, 3), listTime: slowList}
		terminator := termination.New(p, termination.Options{})
		inTurn(30, parallelism, func(n int) {
			if n%2 == 0 {
				if _, err := terminator.Find(t.Context(), "hash-1"); err != nil {
					t.Error(err)
				}
				return
			}
			if found, err := querySessions(t.Context(), t, terminator); err != nil || len(found) != 3 {
				t.Errorf("%d sessions, %v", len(found), err)
			}
		})
		if got := reads(p); got > 4 {
			t.Errorf("%d reads of the list, want at most 4", got)
		}
	})
}
