package termination_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

func TestRefresh(t *testing.T) {
	t.Parallel()
	accepted := termination.Record{SessionID: "hash-1", RecordID: "1", Outcome: termination.Accepted}
	with := func(change func(*termination.Record)) termination.Record {
		r := accepted
		change(&r)
		return r
	}
	anEnd := ended(1).EndedAt
	for _, test := range []struct {
		name    string
		record  termination.Record
		row     session.Session
		err     error
		asks    bool
		finding termination.Finding
		outcome termination.Outcome
		fails   bool
	}{
		{"ended", accepted, ended(1), nil, true, termination.FoundEnded, termination.Terminated, false},
		{"live", accepted, live(1), nil, true, termination.FoundLive, termination.Accepted, false},
		{"an end that cannot be read", accepted, session.Session{ID: "hash-1", RecordID: "1", UnreadableEnd: "?"}, nil, true, termination.FoundLive, termination.Accepted, false},
		{"another session", accepted, session.Session{ID: "hash-2", RecordID: "1"}, nil, true, termination.FoundOther, termination.Accepted, false},
		{"without a session id", accepted, session.Session{RecordID: "1", EndedAt: anEnd}, nil, true, termination.FoundNothing, termination.Accepted, false},
		{"purged", accepted, live(1), session.ErrNotFound, true, termination.FoundNothing, termination.Accepted, false},
		{"not permitted", accepted, live(1), session.ErrPermission, true, termination.FoundNothing, termination.Accepted, false},
		{"a transient failure", accepted, live(1), session.ErrTransient, true, termination.NotRead, termination.Accepted, false},
		{"wrong route", accepted, live(1), session.ErrWrongRoute, true, termination.FoundNothing, termination.Accepted, true},
		{"rejected credentials", accepted, live(1), session.ErrUnauthenticated, true, termination.FoundNothing, termination.Accepted, true},
		{"rejected request", accepted, live(1), session.ErrRejected, true, termination.FoundNothing, termination.Accepted, true},

		{"the end is known", with(func(r *termination.Record) { r.Outcome, r.EndedAt = termination.Terminated, anEnd }), live(1), nil, false, termination.FoundNothing, termination.Terminated, false},
		{"the end is known, of another's making", with(func(r *termination.Record) { r.Outcome, r.EndedAt = termination.AlreadyEnded, anEnd }), live(1), nil, false, termination.FoundNothing, termination.AlreadyEnded, false},
		{"ended, and its end is not known", with(func(r *termination.Record) { r.Outcome = termination.Terminated }), ended(1), nil, true, termination.FoundEnded, termination.Terminated, false},
		{"accepted, and an end is known", with(func(r *termination.Record) { r.EndedAt = anEnd }), ended(1), nil, true, termination.FoundEnded, termination.Terminated, false},
		{"not found before", with(func(r *termination.Record) { r.Outcome = termination.NotFound }), ended(1), nil, true, termination.FoundEnded, termination.NotFound, false},
		{"no record id", with(func(r *termination.Record) { r.RecordID = "" }), ended(1), nil, false, termination.FoundNothing, termination.Accepted, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := &fakeAPI{sessions: []session.Session{test.row}, gets: []func(string) error{failWith(test.err)}}
			got, err := termination.New(p, termination.Options{}).Refresh(t.Context(), test.record)
			if (err != nil) != test.fails || test.fails && !errors.Is(err, test.err) {
				t.Errorf("error %v", err)
			}
			if got.Finding != test.finding || got.Outcome != test.outcome {
				t.Errorf("found %d and %q, want %d and %q", got.Finding, got.Outcome, test.finding, test.outcome)
			}
			read := test.finding == termination.FoundEnded || test.finding == termination.FoundLive
			if (got.Session != nil) != read || got.ConfirmedAt.IsZero() == (test.finding == termination.FoundEnded) || (got.Err != nil) != (test.finding == termination.NotRead) {
				t.Errorf("got %+v", got)
			}
			if asked := len(p.journal()) > 0; asked != test.asks {
				t.Errorf("calls %q, want any: %t", p.journal(), test.asks)
			}
		})
	}
}

// While the server is down, one refresh waits for it, and not each in turn; a time
// limit counts as down, and an interrupt does not.
func TestRefreshesShareAFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeAPI{sessions: []session.Session{ended(1)}, gets: []func(string) error{failWith(session.ErrTransient), failWith(nil)}}
		terminator := termination.New(p, termination.Options{})
		refresh := func(ctx context.Context, n int) termination.Refreshed {
			got, err := terminator.Refresh(ctx, termination.Record{SessionID: fmt.Sprint("hash-", n), RecordID: fmt.Sprint(n), Outcome: termination.Accepted})
			if err != nil {
				t.Errorf("error %v", err)
			}
			return got
		}
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		if got := refresh(canceled, 1); got.Finding != termination.NotRead || !errors.Is(got.Err, context.Canceled) {
			t.Errorf("an interrupted refresh came to %+v", got)
		}
		for n := range 20 {
			if got := refresh(t.Context(), n); got.Finding != termination.NotRead || !errors.Is(got.Err, session.ErrTransient) {
				t.Errorf("refresh %d came to %+v", n, got)
			}
		}
		if got, want := p.journal(), []string{"get 1", "get 0"}; !slices.Equal(got, want) {
			t.Errorf("calls %q, want %q", got, want)
		}

		terminator = termination.New(p, termination.Options{})
		late, cancelLate := context.WithDeadline(t.Context(), time.Now())
		defer cancelLate()
		for range 2 {
			if got := refresh(late, 1); got.Finding != termination.NotRead || !errors.Is(got.Err, context.DeadlineExceeded) {
				t.Errorf("a refresh out of time came to %+v", got)
			}
		}
		if got := len(p.journal()); got != 3 {
			t.Errorf("%d calls, want one more", got)
		}
	})
}

// A record of an import states an end, so only an end that was read makes one.
func TestImport(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, test := range map[string]struct {
			rows []session.Session
			kind termination.Kind // empty: no *termination.Error
			err  error
		}{
			"ended":                             {rows: []session.Session{ended(1)}},
			"live":                              {rows: []session.Session{live(1)}, kind: termination.StillLive},
			"ended, and live in another record": {rows: []session.Session{ended(1), record(1, "7")}, kind: termination.StillLive},
			"an end that cannot be read":        {rows: []session.Session{{ID: "hash-1", RecordID: "1", UnreadableEnd: "?"}}, kind: termination.StillLive},
			"not in the list":                   {rows: []session.Session{ended(2)}, err: session.ErrNotFound},
		} {
			got, err := termination.New(&fakeAPI{sessions: test.rows}, termination.Options{}).Import(t.Context(), "hash-1")
			var failure *termination.Error
			switch {
			case test.kind != "":
				if !errors.As(err, &failure) || failure.Kind != test.kind || failure.Last == nil || !failure.Last.Live() || got.Session != nil {
					t.Errorf("%s: %+v, %v", name, got, err)
				}
			case test.err != nil:
				if !errors.Is(err, test.err) || errors.As(err, &failure) || got.Session != nil {
					t.Errorf("%s: %+v, %v", name, got, err)
				}
			case err != nil || got.Outcome != termination.AlreadyEnded || got.Session == nil || got.Session.Live() || got.Accepted || !got.ConfirmedAt.Equal(time.Now()):
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
	})
}
