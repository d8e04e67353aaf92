// Command peers terminates sessions with this provider and with other ways that
// Terraform has to send a request, and compares time, requests, secrets in the
// state, and what each reports with what is true. Every apply is that of a real
// Terraform against the simulator.
//
//	go run ./peers -root .. PATH...
//
// Each PATH is the program of another provider, recognized by its file name. It
// also compares this provider with a resource of the plugin framework that does
// nothing. The tables are in Markdown.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"time"
)

// settings are the flags and arguments.
type settings struct {
	root      string
	terraform string
	peers     []string
	sessions  int
	rounds    int
	limit     time.Duration
	noopOnly  bool
}

func main() {
	var s settings
	flag.StringVar(&s.root, "root", "..", "the source tree")
	flag.StringVar(&s.terraform, "terraform", "terraform", "Terraform program to run")
	flag.IntVar(&s.sessions, "sessions", 200, "terminations in one apply")
	flag.IntVar(&s.rounds, "rounds", 5, "how often each apply is measured, in turn with the others")
	flag.DurationVar(&s.limit, "limit", 2*time.Minute, "how long an apply may take before it is interrupted")
	flag.BoolVar(&s.noopOnly, "noop", false, "compare only with the resource that does nothing")
	flag.Parse()
	s.peers = flag.Args()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, s, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run measures, and writes the tables to out and what it does to progress.
func run(ctx context.Context, s settings, out, progress io.Writer) error {
	_, err := exec.LookPath("curl")
	ways, err := waysOf(s.peers, err == nil)
	if err != nil {
		return err
	}
	b, err := newBench(ctx, s, ways)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(b.work) }() // a leftover in the temporary directory spoils no figure

	if !s.noopOnly {
		if err := b.compareWays(ctx, ways, out, progress); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, noopHeading)
	for _, sessions := range []int{s.sessions, 500} {
		for _, noop := range noops {
			fmt.Fprintf(progress, "%d no-op resources, settings: %s\n", sessions, noop.name)
			pairs, err := b.besideNoop(ctx, noop, s.rounds, sessions)
			if err != nil {
				return err
			}
			writeNoop(out, noop, sessions, pairs)
		}
	}
	return nil
}

// compareWays measures the ways while the API works, and then what they report.
func (b *bench) compareWays(ctx context.Context, ways []way, out, progress io.Writer) error {
	working := map[string][]result{}
	for round := range b.rounds {
		for _, w := range ways {
			fmt.Fprintf(progress, "round %d of %d: %s\n", round+1, b.rounds, w.name)
			r, err := b.apply(ctx, w, works, b.sessions)
			if err != nil {
				return err
			}
			if r.reported != b.sessions || r.live > 0 {
				return fmt.Errorf("%s reports %d of %d sessions as terminated, and %d are live: %s", w.name, r.reported, b.sessions, r.live, r.problem)
			}
			working[w.name] = append(working[w.name], r)
		}
	}
	writeTimes(out, ways, working)
	writeRequests(out, ways, working)

	reports := map[string][]result{}
	for _, c := range circumstances {
		for _, w := range ways {
			fmt.Fprintf(progress, "%s: %s\n", c.name, w.name)
			r, err := b.apply(ctx, w, c, b.sessions)
			if err != nil {
				return err
			}
			reports[w.name] = append(reports[w.name], r)
		}
	}
	writeReports(out, ways, reports)

	return nil
}
