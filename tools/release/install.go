package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/dirhash"
)

// stopWithin bounds how long a process may take to end after it was asked to.
const stopWithin = 10 * time.Second

const (
	terraformRegistry = "registry.terraform.io"
	openTofuRegistry  = "registry.opentofu.org"
	lockFile          = ".terraform.lock.hcl"
)

// mirror is a directory of zips that Terraform and OpenTofu install from.
type mirror struct {
	assets
	path string
	// hashes are those that a lock file has, by platform.
	hashes map[string]string
}

// newMirror lays the zips out as users do who download them: in the packed layout,
// which keeps the names of the release.
func newMirror(published assets, path string) (mirror, error) {
	m := mirror{assets: published, path: path, hashes: map[string]string{}}
	for _, platform := range published.platforms {
		archive := filepath.Join(published.directory, published.zip(platform))
		for _, registry := range []string{terraformRegistry, openTofuRegistry} {
			directory := filepath.Join(path, registry, "senhasegura", "senhasegura")
			if err := os.MkdirAll(directory, 0o700); err != nil {
				return mirror{}, err
			}
			if err := os.Link(archive, filepath.Join(directory, published.zip(platform))); err != nil {
				return mirror{}, err
			}
		}
		hash, err := dirhash.HashZip(archive, dirhash.Hash1)
		if err != nil {
			return mirror{}, err
		}
		m.hashes[platform] = hash
	}
	return m, nil
}

// engine is Terraform or OpenTofu with an empty home, and a configuration.
type engine struct {
	program       string
	name          string
	registry      string
	root          string
	home          string
	configuration string
	environment   []string
}

func newEngine(ctx context.Context, program, root, work string) (*engine, error) {
	program, err := filepath.Abs(program)
	if err != nil {
		return nil, err
	}
	e := &engine{
		program:       program,
		registry:      terraformRegistry,
		root:          root,
		home:          filepath.Join(work, "home"),
		configuration: filepath.Join(work, "configuration"),
	}
	if err := os.MkdirAll(e.home, 0o700); err != nil {
		return nil, err
	}
	if err := os.CopyFS(e.configuration, os.DirFS(filepath.Join(root, "examples", "demo"))); err != nil {
		return nil, err
	}
	if e.environment, err = isolated(ctx, e.home); err != nil {
		return nil, err
	}
	printed, err := e.run(ctx, "version")
	if err != nil {
		return nil, err
	}
	e.name, _, _ = strings.Cut(printed, "\n")
	if strings.HasPrefix(e.name, "OpenTofu") {
		e.registry = openTofuRegistry
	}
	return e, nil
}

func (e *engine) run(ctx context.Context, arguments ...string) (string, error) {
	return output(ctx, e.configuration, e.environment, e.program, arguments...)
}

// checkInstallation stops at the first check that fails: each needs the one before.
func checkInstallation(ctx context.Context, r *report, e *engine, m mirror) {
	_ = r.check(e.name+", init", func() (string, error) { return e.initialize(ctx, m) }) &&
		r.check(e.name+", init with the lock file", func() (string, error) { return e.initializeAgain(ctx, m) }) &&
		r.check(e.name+", providers lock", func() (string, error) { return e.lockAll(ctx, m) }) &&
		r.check(e.name+", apply", func() (string, error) { return e.demo(ctx, m) })
}

// initialize runs init as a user with a CLI configuration in an empty home.
func (e *engine) initialize(ctx context.Context, m mirror) (string, error) {
	example, err := os.ReadFile(filepath.Join(e.root, "examples", "mirror", "terraformrc.hcl"))
	if err != nil {
		return "", err
	}
	cliConfiguration := bytes.ReplaceAll(example, []byte(`"/opt/providers"`), []byte(strconv.Quote(m.path)))
	if err := os.WriteFile(filepath.Join(e.home, ".terraformrc"), cliConfiguration, 0o600); err != nil {
		return "", err
	}
	if _, err := e.run(ctx, "init", "-input=false", "-no-color"); err != nil {
		return "", err
	}
	if err := e.checkInstalled(m); err != nil {
		return "", err
	}
	lock, err := os.ReadFile(filepath.Join(e.configuration, lockFile))
	if err != nil {
		return "", err
	}
	return "installs the program of the zip and locks its hash", compareLock(lock, e.registry, m.version, []string{m.hashes[thisPlatform]})
}

// initializeAgain is what a colleague or a pipeline does with a committed lock file.
func (e *engine) initializeAgain(ctx context.Context, m mirror) (string, error) {
	if err := os.RemoveAll(filepath.Join(e.configuration, ".terraform")); err != nil {
		return "", err
	}
	if _, err := e.run(ctx, "init", "-input=false", "-no-color", "-lockfile=readonly"); err != nil {
		return "", err
	}
	return "-lockfile=readonly accepts it", e.checkInstalled(m)
}

// lockAll locks the hash of every platform, as a team with several of them does.
func (e *engine) lockAll(ctx context.Context, m mirror) (string, error) {
	wanted := make([]string, 0, len(m.platforms))
	hashes := make([]string, 0, len(m.platforms))
	for _, platform := range m.platforms {
		wanted = append(wanted, "-platform="+platform)
		hashes = append(hashes, m.hashes[platform])
	}
	if _, err := e.run(ctx, append([]string{"providers", "lock", "-fs-mirror=" + m.path}, wanted...)...); err != nil {
		return "", err
	}
	lock, err := os.ReadFile(filepath.Join(e.configuration, lockFile))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("locks %d platforms", len(m.platforms)), compareLock(lock, e.registry, m.version, hashes)
}

// checkInstalled compares the installed program with the one in the zip.
func (e *engine) checkInstalled(m mirror) error {
	path := filepath.Join(e.configuration, ".terraform", "providers", e.registry, "senhasegura", "senhasegura", m.version, thisPlatform, m.program(thisPlatform))
	installed, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	wanted, err := m.readProgram(thisPlatform)
	if err != nil {
		return err
	}
	if !bytes.Equal(installed, wanted) {
		return errors.New("the installed program is not the one in the zip")
	}
	return nil
}

var (
	lockedProvider = regexp.MustCompile(`(?m)^provider "(.+)" \{\n\s+version\s+= "(.+)"$`)
	lockedHash     = regexp.MustCompile(`"((?:h1|zh):[^"]+)"`)
)

// compareLock returns an error unless the lock file has the provider with this
// version and these hashes alone. From a mirror, hashes are of the kind h1.
func compareLock(lock []byte, registry, version string, hashes []string) error {
	providers := lockedProvider.FindAllStringSubmatch(string(lock), -1)
	address := registry + "/senhasegura/senhasegura"
	if len(providers) != 1 || providers[0][1] != address || providers[0][2] != version {
		return fmt.Errorf("%s doesn't lock version %s of %s alone:\n%s", lockFile, version, address, lock)
	}
	var locked []string
	for _, match := range lockedHash.FindAllStringSubmatch(string(lock), -1) {
		locked = append(locked, match[1])
	}
	slices.Sort(locked)
	if wanted := slices.Sorted(slices.Values(hashes)); !slices.Equal(locked, wanted) {
		return fmt.Errorf("%s has the hashes %q, and the zips have %q", lockFile, locked, wanted)
	}
	return nil
}

// demo applies the configuration, with its lock file, through the program that was
// released. The demo checks that a connection is closed.
func (e *engine) demo(ctx context.Context, m mirror) (string, error) {
	if err := os.RemoveAll(filepath.Join(e.configuration, ".terraform")); err != nil {
		return "", err
	}
	return "the installed program of version " + m.version + " terminates a session, and its connection is closed",
		execute(ctx, filepath.Join(e.root, "tools"), e.environment, "go", "run", "./demo",
			"-root", e.root, "-terraform", e.program, "-quiet",
			"-mirror", m.path, "-version", m.version, "-configuration", e.configuration)
}
