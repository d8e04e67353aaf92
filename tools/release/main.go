// Command release tries a release as users get it, before there is one. It builds
// everything with goreleaser and a signing key made for the run, publishes it to a
// stand-in for GitHub on loopback, checks what was published as the Terraform
// Registry does, builds again and compares, and installs it from the zips with
// each of the programs of Terraform and OpenTofu that it is given:
//
//	go run ./release -root .. -goreleaser PATH -syft PATH TERRAFORM...
//
// Nothing leaves the machine, and nothing of the run is kept.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// version is the one that the run gives the release: a plain one, because
// Terraform chooses no pre-release, and one that the demo's configuration accepts.
const version = "0.0.1"

// thisPlatform is the only one whose program can be run here.
const thisPlatform = runtime.GOOS + "_" + runtime.GOARCH

func main() {
	root := flag.String("root", "..", "the provider's source tree")
	goreleaser := flag.String("goreleaser", "goreleaser", "goreleaser program to run")
	syft := flag.String("syft", "syft", "syft program to run; its file name must be syft")
	timeout := flag.Duration("timeout", time.Hour, "bound for the whole run")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	r := &report{out: os.Stdout}
	err := try(ctx, r, *root, *goreleaser, *syft, flag.Args())
	cancel()
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "\nThe release check could not be finished: %v\n", err)
		os.Exit(1)
	}
	if !r.verdict() {
		os.Exit(1)
	}
}

// try checks in the order of cost. An error means that a check could not be made;
// what a check finds is in the report.
func try(ctx context.Context, r *report, root, goreleaser, syft string, engines []string) (err error) {
	if len(engines) == 0 {
		return errors.New("no program of Terraform or OpenTofu is given")
	}
	root, err = filepath.Abs(root)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	b, err := newBuilder(ctx, root, work, goreleaser, syft)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.key.destroy(ctx)) }()

	fmt.Fprintf(r.out, "Building the release of %d platforms twice takes minutes.\n\n", len(platforms))
	if !r.check("configuration", func() (string, error) { return b.checkConfiguration(ctx) }) {
		return nil
	}
	published := assets{directory: filepath.Join(work, "published"), version: version, platforms: platforms, keyring: b.key.public}
	if !r.check("publication", func() (string, error) { return b.publish(ctx, published.directory) }) {
		return nil
	}
	if !checkAssets(ctx, r, published, work) {
		return nil
	}
	r.check("same bytes", func() (string, error) { return b.buildAgain(ctx, published) })

	mirror, err := newMirror(published, filepath.Join(work, "mirror"))
	if err != nil {
		return err
	}
	for i, path := range engines {
		e, err := newEngine(ctx, path, root, filepath.Join(work, fmt.Sprintf("engine-%d", i)))
		if err != nil {
			return err
		}
		checkInstallation(ctx, r, e, mirror)
	}
	return nil
}

// checkAssets makes every check of the files that were published, so that one run
// shows all that is wrong. Without the right names, nothing else can be found.
func checkAssets(ctx context.Context, r *report, a assets, work string) bool {
	passed := r.check("file names", a.checkNames)
	if !passed {
		return false
	}
	for _, check := range []struct {
		name string
		run  func() (string, error)
	}{
		{"checksums", a.checkSums},
		{"signature", a.checkSignature},
		{"manifest", a.checkManifest},
		{"zips", a.checkZips},
		{"programs", a.checkPrograms},
		{"SBOMs", a.checkSBOMs},
		{"protocol", func() (string, error) { return a.checkProtocol(ctx, work) }},
	} {
		passed = r.check(check.name, check.run) && passed
	}
	return passed
}

// report prints one line for each check.
type report struct {
	out    io.Writer
	made   int
	failed int
}

// check runs one check. It returns whether the check passed.
func (r *report) check(name string, run func() (string, error)) bool {
	started := time.Now()
	found, err := run()
	took := time.Since(started).Round(time.Second)
	r.made++
	if err != nil {
		r.failed++
		fmt.Fprintf(r.out, "FAIL  %s: %s (%s)\n", name, strings.ReplaceAll(err.Error(), "\n", "\n      "), took)
		return false
	}
	fmt.Fprintf(r.out, "ok    %s: %s (%s)\n", name, found, took)
	return true
}

// verdict prints the last line. It returns whether every check passed.
func (r *report) verdict() bool {
	if r.failed > 0 {
		fmt.Fprintf(r.out, "\nDon't release this: %d of %d checks failed. Checks that need what failed were not made.\n", r.failed, r.made)
		return false
	}
	fmt.Fprintf(r.out, "\nThis can be released: all %d checks passed.\n", r.made)
	return true
}
