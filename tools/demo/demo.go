package main

import (
	"cmp"
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

// developmentVersion is what a provider says that no release has given a version.
const developmentVersion = "dev"

// options are what to show the demo with. Without a mirror, the provider is built;
// without a configuration, it is examples/demo.
type options struct {
	root, terraform, mirror, version, configuration string
}

// run is the demonstration, told on out.
func run(ctx context.Context, out io.Writer, o options) (err error) {
	work, err := os.MkdirTemp("", "senhasegura-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	tell := teller{out: out}

	tell.step("Building the provider and the simulator")
	built, err := build(ctx, out, o.root, o.mirror, work)
	if err != nil {
		return err
	}

	tell.step("Connecting a user to a server through a simulated senhasegura")
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
	tell.say("user %s → senhasegura %s → server %s", user.local(), pam.ready.TCPAddr, target.addr())
	tell.say("the server echoes what the user types: %d lines", user.lines())

	tell.step("Asking senhasegura who is connected")
	live, err := pam.onlyLiveSession(ctx)
	if err != nil {
		return err
	}
	tell.say("1 live session: %s", live)
	tell.say("session ID %s", live.SessionID)

	tell.step("Terminating the session with Terraform")
	tf, err := newTerraform(out, o.terraform, built.mirror, work, cmp.Or(o.configuration, filepath.Join(o.root, "examples", "demo")), pam.ready.URL, live.SessionID)
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
	if err := tf.run(ctx, "apply", "-auto-approve"); err != nil {
		return err
	}

	tell.step("Checking the connection")
	if err := user.mustBeCut(ctx, cutWithin); err != nil {
		return err
	}
	tell.say("the user was disconnected after %d lines", user.lines())
	if err := target.mustBeCut(ctx, cutWithin); err != nil {
		return err
	}
	tell.say("the server was disconnected, too")

	tell.step("Asking senhasegura again")
	ended, err := pam.session(ctx, live.SessionID)
	if err != nil {
		return err
	}
	if ended.End == "" {
		return fmt.Errorf("senhasegura still shows session %s as live", live.SessionID)
	}
	tell.say("the session ended at %s", ended.End)
	if err := pam.mustBeAskedBy(ctx, "terraform-provider-senhasegura/"+o.version); err != nil {
		return err
	}

	tell.step("Planning again: no changes")
	if err := tf.run(ctx, "plan", "-detailed-exitcode"); err != nil {
		return fmt.Errorf("the second plan is not empty: %w", err)
	}

	tell.done("Terraform terminated the session, and the user's connection is closed.")
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
