// Command demo shows, and checks, what the provider is for: a connection runs
// through a simulated PAM, `terraform apply` ends its session, and the
// connection is cut.
//
// It builds the provider and the simulator, starts everything on loopback, and
// ends only what it started. It exits 0 only if bytes went through the
// connection before the apply, both ends saw it cut after, PAM shows the session
// as ended, and a second plan is empty.
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
	root := flag.String("root", "..", "the provider's source tree")
	terraform := flag.String("terraform", "terraform", "Terraform or OpenTofu program to run")
	quiet := flag.Bool("quiet", false, "print one line, or everything if a step fails")
	timeout := flag.Duration("timeout", 10*time.Minute, "bound for the whole run, builds included")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	err := show(ctx, *root, *terraform, *quiet)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "\nThe demo FAILED: %v\n", err)
		os.Exit(1)
	}
}

// show runs the demo; a quiet one keeps its output back unless it fails.
func show(ctx context.Context, root, terraform string, quiet bool) error {
	if !quiet {
		return run(ctx, os.Stdout, root, terraform)
	}
	var kept bytes.Buffer
	started := time.Now()
	if err := run(ctx, &kept, root, terraform); err != nil {
		_, _ = io.Copy(os.Stderr, &kept) // nothing can be done about a closed stderr
		return err
	}
	fmt.Printf("demo: the connection was cut, the session has ended, the second plan is empty (%s)\n", time.Since(started).Round(time.Second))
	return nil
}
