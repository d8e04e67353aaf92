package provider

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/a2a"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// slowAPI needs the whole of the default timeout for each list, which shows what was
// true when it began, and ends sessions a while after the requests.
type slowAPI struct {
	mu       sync.Mutex
	sessions []session.Session
}

const endsAfter = 5 * time.Second

func (p *slowAPI) Drop(_ context.Context, id string) error {
	time.AfterFunc(endsAfter, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for i := range p.sessions {
			if p.sessions[i].ID == id && p.sessions[i].Live() {
				p.sessions[i].EndedAt = time.Now()
			}
		}
	})
	return nil
}

func (p *slowAPI) Session(_ context.Context, record string) (session.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.sessions {
		if s.RecordID == record {
			return s, nil
		}
	}
	return session.Session{}, session.ErrNotFound
}

func (p *slowAPI) Sessions(ctx context.Context) iter.Seq2[session.Session, error] {
	return func(yield func(session.Session, error) bool) {
		p.mu.Lock()
		shown := slices.Clone(p.sessions)
		p.mu.Unlock()
		select {
		case <-time.After(a2a.DefaultListTimeout):
		case <-ctx.Done():
			yield(session.Session{}, ctx.Err())
			return
		}
		for _, s := range shown {
			if !yield(s, nil) {
				return
			}
		}
	}
}

// The defaults fit one another: a drain succeeds although each list takes as long as
// it may, few sessions or many, and although it finds a list under way.
func TestDefaultTimeoutFitsSlowLists(t *testing.T) {
	t.Parallel()
	for _, sessions := range []int{0, 3, 30} {
		for _, periods := range []string{"0s", "3h"} {
			for _, busy := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d sessions, periods of %s, busy %t", sessions, periods, busy), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						p := &slowAPI{sessions: []session.Session{{ID: "elsewhere", User: "somebody.else"}}}
						for n := range sessions {
							p.sessions = append(p.sessions, session.Session{ID: fmt.Sprint("hash-", n), RecordID: fmt.Sprint(n), User: "alice", StartedAt: time.Now()})
						}
						selector, err := session.NewSelector(session.Match{Users: []string{"alice"}}, session.Match{})
						if err != nil {
							t.Fatal(err)
						}
						nobody, err := session.NewSelector(session.Match{Users: []string{"nobody"}}, session.Match{})
						if err != nil {
							t.Fatal(err)
						}
						period := types.StringValue(periods)
						arguments := drainArguments{GracePeriod: period, QuietPeriod: period}
						ctx, cancel := context.WithTimeout(t.Context(), arguments.allowed())
						defer cancel()
						terminator := termination.New(p, termination.Options{Retries: 4, ListTimeout: a2a.DefaultListTimeout})
						if busy {
							other, stop := context.WithCancel(t.Context())
							defer stop()
							go func() {
								_, _ = terminator.Drain(other, termination.DrainRequest{Selector: nobody, PollInterval: defaultPollInterval, DryRun: true}) // it is a list under way that counts
							}()
							time.Sleep(time.Second)
						}
						report, err := terminator.Drain(ctx, termination.DrainRequest{
							Selector: selector, PollInterval: defaultPollInterval, Grace: knownDuration(period), Quiet: knownDuration(period),
						})
						if err != nil || len(report.Terminated()) != sessions {
							t.Errorf("%d of %d sessions terminated, %v", len(report.Terminated()), sessions, err)
						}
					})
				})
			}
		}
	}
}

// What is configured counts instead, and what is not known yet is no period.
func TestDefaultTimeoutOfADrain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		grace, quiet types.String
		want         time.Duration
	}{
		{types.StringNull(), types.StringNull(), time.Hour},
		{types.StringValue("30m"), types.StringNull(), 90 * time.Minute},
		{types.StringValue("30m"), types.StringValue("1m"), 91 * time.Minute},
		{types.StringUnknown(), types.StringValue("1m"), 61 * time.Minute},
	} {
		if got := (drainArguments{GracePeriod: test.grace, QuietPeriod: test.quiet}).allowed(); got != test.want {
			t.Errorf("grace %s, quiet %s: %s, want %s", test.grace, test.quiet, got, test.want)
		}
	}
}
