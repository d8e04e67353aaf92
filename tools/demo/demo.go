package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// cutWithin bounds the wait for the connection to break once Terraform has
// reported the session as ended: it should have broken before.
const cutWithin = 5 * time.Second

// The credentials of the simulated authorization. They open nothing else.
const (
	clientID     = "demo-client"
	clientSecret = "demo-secret-0000"
)

// run is the story that a person watches, told on out.
func run(ctx context.Context, out io.Writer, root, terraform string) (err error) {
	work, err := os.MkdirTemp("", "senhasegura-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	tell := teller{out: out}

	tell.step("Building the provider and the simulator")
	built, err := build(ctx, out, root, work)
	if err != nil {
		return err
	}

	tell.step("Starting a server, a simulated PAM in front of it, and a user's connection")
	target, err := startTarget(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.close()) }()
	pam, err := startSimulator(ctx, built.simulator, work, target.addr())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pam.stop()) }()
	user, err := connect(ctx, pam.ready.TCPAddr)
	if err != nil {
		return err
	}
	defer user.close()
	if err := user.echoes(ctx, 3); err != nil {
		return err
	}
	tell.say("%s → PAM %s → server %s: %d lines came back, the connection works", user.local(), pam.ready.TCPAddr, target.addr(), user.lines())

	tell.step("Asking PAM who is connected")
	live, err := pam.onlyLiveSession(ctx)
	if err != nil {
		return err
	}
	tell.say("one live session: %s", live)

	tell.step("terraform apply: end that session")
	tf, err := newTerraform(out, terraform, built.mirror, work, filepath.Join(root, "examples", "demo"), pam.ready.URL)
	if err != nil {
		return err
	}
	if err := tf.initialize(ctx); err != nil {
		return err
	}
	// The line must be seen alive this late, or its end would prove nothing.
	if err := user.echoes(ctx, 1); err != nil {
		return err
	}
	variable := "-var=session_id=" + live.SessionID
	if err := tf.run(ctx, "apply", "-auto-approve", "-input=false", "-no-color", variable); err != nil {
		return err
	}

	tell.step("Looking at the connection")
	if err := user.mustBeCut(ctx, cutWithin); err != nil {
		return err
	}
	tell.say("the user's end: %v, after %d lines", user.cutBy(), user.lines())
	if err := target.mustBeCut(ctx, cutWithin); err != nil {
		return err
	}
	tell.say("the server's end: closed too")

	tell.step("Asking PAM again")
	ended, err := pam.session(ctx, live.SessionID)
	if err != nil {
		return err
	}
	if ended.End == "" {
		return fmt.Errorf("PAM still shows session %s as live", live.SessionID)
	}
	tell.say("session %s ended at %s", ended.SessionID, ended.End)

	tell.step("terraform plan: nothing left to do")
	if err := tf.run(ctx, "plan", "-detailed-exitcode", "-input=false", "-no-color", variable); err != nil {
		return fmt.Errorf("the second plan is not empty: %w", err)
	}

	tell.done("The connection was open, Terraform ended its session, and it is cut.")
	return nil
}

// teller numbers the steps and keeps what the demo says apart from what
// Terraform prints.
type teller struct {
	out   io.Writer
	steps int
}

func (t *teller) step(title string) {
	t.steps++
	fmt.Fprintf(t.out, "\n%d. %s\n", t.steps, title)
}

func (t *teller) say(format string, args ...any) {
	fmt.Fprintf(t.out, "   "+format+"\n", args...)
}

func (t *teller) done(text string) { fmt.Fprintf(t.out, "\n✓ %s\n", text) }
