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

// The progress of a termination is reported in order, and its result once.
func TestTerminateProgress(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sessions []session.Session
		drops    []func(string) error
		lists    []func() error
		request  termination.Request
		retries  int
		want     []string
	}{
		"ended at once": {
			sessions: lives(1), request: termination.Request{Confirm: true},
			want: []string{"terminating hash-1", "settled hash-1 terminated"},
		},
		"not confirmed": {
			sessions: lives(1),
			want:     []string{"terminating hash-1", "settled hash-1 accepted"},
		},
		"had ended": {
			sessions: []session.Session{ended(1)}, drops: []func(string) error{refuse}, request: termination.Request{Confirm: true},
			want: []string{"terminating hash-1", "settled hash-1 already_ended"},
		},
		"accepted and live": {
			sessions: lives(1), drops: []func(string) error{acceptOnly}, request: termination.Request{Confirm: true}, retries: 1,
			want: []string{"terminating hash-1", "repeating hash-1", "settled hash-1 still_live"},
		},
		"refused twice": {
			sessions: lives(1), drops: []func(string) error{refuse}, request: termination.Request{Confirm: true}, retries: 1,
			want: []string{"terminating hash-1", "repeating hash-1: refused", "settled hash-1 refused: refused"},
		},
		"answer lost twice, nothing can be read": {
			sessions: lives(1), drops: []func(string) error{lose}, lists: []func() error{listError(session.ErrPermission)},
			request: termination.Request{Confirm: true}, retries: 1,
			want: []string{"terminating hash-1", "repeating hash-1: lost", "settled hash-1 unknown: permission"},
		},
		"no permission": {
			sessions: lives(1), drops: []func(string) error{failWith(session.ErrPermission)}, request: termination.Request{Confirm: true}, retries: 1,
			want: []string{"terminating hash-1", "settled hash-1 not_attempted: permission"},
		},
		"not found, which counts as ended": {
			drops: []func(string) error{refuse}, request: termination.Request{Confirm: true, IgnoreNotFound: true},
			want: []string{"terminating hash-1", "settled hash-1 not_found"},
		},
		"the record of another session": {
			sessions: append(lives(1), live(7)), request: termination.Request{Confirm: true, RecordID: "7"},
			want: []string{"terminating hash-1", "settled hash-1 terminated"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &fakeAPI{sessions: test.sessions, drops: test.drops, lists: test.lists}
				var told []string
				request := test.request
				request.SessionID, request.PollInterval = "hash-1", interval
				request.Progress = func(e termination.Event) { told = append(told, progressText(e)) }
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				_, _ = termination.New(p, termination.Options{Retries: test.retries}).Terminate(ctx, request)
				if !slices.Equal(told, test.want) {
					t.Errorf("told %q, want %q", told, test.want)
				}
			})
		})
	}
}

func progressText(e termination.Event) string {
	text, err := fmt.Sprintf("%s %s", e.Stage, e.Session.Session.ID), e.Reason
	if e.Stage == termination.Settled {
		text, err = text+" "+string(e.Session.Outcome), e.Session.Err
	} else if e.Count != 1 {
		text += fmt.Sprintf(" of %d", e.Count)
	}
	for _, cause := range []struct {
		is   error
		word string
	}{{session.ErrPermission, "permission"}, {session.ErrRefused, "refused"}, {session.ErrUnknownOutcome, "lost"}} {
		if errors.Is(err, cause.is) {
			return text + ": " + cause.word
		}
	}
	return text
}
