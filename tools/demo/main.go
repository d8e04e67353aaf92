// Command demo shows, and checks, what the provider is for: a user is connected
// to a server through a simulated senhasegura, `terraform apply` terminates the
// session, and the connection is closed.
//
// It builds the provider and the simulator, starts everything on loopback, and
// ends only what it started. It exits 0 only if bytes went through the
// connection before the apply, both ends saw it closed after, senhasegura shows
// the session as ended and was asked by the provider that is meant, and a second
// plan is empty.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.root, "root", "..", "the provider's source tree")
	flag.StringVar(&o.terraform, "terraform", "terraform", "Terraform or OpenTofu program to run")
	flag.StringVar(&o.mirror, "mirror", "", "filesystem mirror to install the provider from; it is built if there is none")
	flag.StringVar(&o.version, "version", developmentVersion, "version that the provider must give itself")
	flag.StringVar(&o.configuration, "configuration", "", "configuration to apply; examples/demo if there is none")
	quiet := flag.Bool("quiet", false, "print one line, or everything if a step fails")
	transcript := flag.String("transcript", "", "also write the output to this `file`, with what differs from run to run replaced")
	timeout := flag.Duration("timeout", 10*time.Minute, "bound for the whole run, builds included")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	err := show(ctx, o, *transcript, *quiet)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "\nThe demo FAILED: %v\n", err)
		os.Exit(1)
	}
}

// show runs the demo; a quiet one keeps its output back unless it fails.
func show(ctx context.Context, o options, transcript string, quiet bool) error {
	var kept bytes.Buffer
	out := io.MultiWriter(os.Stdout, &kept)
	if quiet {
		out = &kept
	}
	started := time.Now()
	if err := run(ctx, out, o); err != nil {
		if quiet {
			_, _ = io.Copy(os.Stderr, &kept) // nothing can be done about a closed stderr
		}
		return err
	}
	if transcript != "" {
		if err := os.WriteFile(transcript, []byte(stable(kept.String())), 0o644); err != nil { //nolint:gosec // a page that any user may read
			return err
		}
	}
	if quiet {
		fmt.Printf("demo: the connection is closed, the session has ended, the second plan is empty (%s)\n", time.Since(started).Round(time.Second))
	}
	return nil
}
