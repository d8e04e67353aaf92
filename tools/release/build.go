package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	tag   = "v" + version
	notes = "Notes of the release check.\n"
)

// nowhere is a proxy that no program listens as: a request to another machine
// fails at once. Programs ask no proxy for loopback.
const nowhere = "http://127.0.0.1:9"

// builder builds the source tree as it is, committed or not, from copies of it.
type builder struct {
	goreleaser  string
	work        string
	tree        string
	key         *signingKey
	environment []string
}

// newBuilder copies the source tree to a repository with a tag, fetches the modules
// that it needs, and makes the signing key.
func newBuilder(ctx context.Context, root, work, goreleaser, syft string) (*builder, error) {
	gpg, err := exec.LookPath("gpg")
	if err != nil {
		return nil, fmt.Errorf("gpg is missing, which signs the checksums: install GnuPG (on Debian and Ubuntu, the package gnupg): %w", err)
	}
	if goreleaser, err = filepath.Abs(goreleaser); err != nil {
		return nil, err
	}
	if syft, err = filepath.Abs(syft); err != nil {
		return nil, err
	}
	home := filepath.Join(work, "builder-home")
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, err
	}
	// The modules may come from the network, before everything else.
	if err := execute(ctx, root, os.Environ(), "go", "mod", "download"); err != nil {
		return nil, err
	}
	environment, err := isolated(ctx, home)
	if err != nil {
		return nil, err
	}
	b := &builder{
		goreleaser: goreleaser,
		work:       work,
		tree:       filepath.Join(work, "tree"),
		// The time zone is the one that .goreleaser.yml asks for.
		environment: append(environment, "TZ=UTC", "PATH="+filepath.Dir(syft)+string(os.PathListSeparator)+os.Getenv("PATH")),
	}
	if err := b.copyTree(ctx, root); err != nil {
		return nil, fmt.Errorf("copying the source tree: %w", err)
	}
	if b.key, err = makeKey(ctx, gpg, filepath.Join(work, "gnupg")); err != nil {
		return nil, fmt.Errorf("making a signing key: %w", err)
	}
	return b, nil
}

// isolated is an environment with an empty home, without settings and tokens of the
// person at the keyboard, and without other machines.
func isolated(ctx context.Context, home string) ([]string, error) {
	environment := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		for _, prefix := range []string{"GIT", "GORELEASER_", "GNUPG", "GPG_", "SYFT_", "TF_", "TOFU_", "SENHASEGURA_", "XDG_"} {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
		return slices.Contains([]string{"HOME", "GOFLAGS", "GOPROXY", "GOENV", "GOMODCACHE", "GOCACHE", "GOPATH", "GOTOOLCHAIN"}, name) ||
			strings.HasSuffix(strings.ToLower(name), "_proxy")
	})
	environment = append(environment, "HOME="+home, "GOENV=off", "GOPROXY=off", "GONOSUMDB=", "GOFLAGS=",
		"HTTP_PROXY="+nowhere, "HTTPS_PROXY="+nowhere, "CHECKPOINT_DISABLE=1", "SYFT_CHECK_FOR_APP_UPDATE=false")
	// Go finds its caches by the home.
	for _, name := range []string{"GOPATH", "GOMODCACHE", "GOCACHE", "GOTOOLCHAIN"} {
		value, err := exec.CommandContext(ctx, "go", "env", name).Output()
		if err != nil {
			return nil, err
		}
		environment = append(environment, name+"="+strings.TrimSpace(string(value)))
	}
	return environment, nil
}

// copyTree makes a repository of what git lists, so that goreleaser finds a commit
// and a tag, as in a release, whatever the state of the source tree.
func (b *builder) copyTree(ctx context.Context, root string) error {
	list := exec.CommandContext(ctx, "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	list.Dir = root
	names, err := list.Output()
	if err != nil {
		return fmt.Errorf("git ls-files: %w", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		if err := copyFile(filepath.Join(root, name), filepath.Join(b.tree, name)); err != nil {
			return err
		}
	}
	for _, arguments := range [][]string{
		{"init", "--quiet"},
		{"add", "--all"},
		{"-c", "user.name=release", "-c", "user.email=release@example.invalid", "commit", "--quiet", "--message=The source tree"},
		{"tag", tag},
		{"remote", "add", "origin", "https://" + module + ".git"},
	} {
		if err := execute(ctx, b.tree, b.environment, "git", arguments...); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted, and not yet committed
	}
	if err != nil {
		return err
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.WriteFile(to, content, info.Mode())
}

func (b *builder) checkConfiguration(ctx context.Context) (string, error) {
	return ".goreleaser.yml is valid", execute(ctx, b.tree, b.environment, b.goreleaser, "check")
}

// publish runs goreleaser as the workflow does, with a stand-in for GitHub, which
// keeps the files in the directory.
func (b *builder) publish(ctx context.Context, directory string) (string, error) {
	g, err := startGitHub(directory)
	if err != nil {
		return "", err
	}
	defer g.server.Close()
	configuration, err := os.ReadFile(filepath.Join(b.tree, ".goreleaser.yml"))
	if err != nil {
		return "", err
	}
	configuration = fmt.Appendf(configuration, "\ngithub_urls:\n  api: %s\n  upload: %s\n", g.server.URL, g.server.URL)
	configurationFile, notesFile := filepath.Join(b.work, "goreleaser.yml"), filepath.Join(b.work, "notes.md")
	if err := errors.Join(os.WriteFile(configurationFile, configuration, 0o600), os.WriteFile(notesFile, []byte(notes), 0o600)); err != nil {
		return "", err
	}
	environment := append(b.key.environment(b.environment), "GITHUB_TOKEN=none")
	if err := execute(ctx, b.tree, environment, b.goreleaser, "release", "--clean", "--config="+configurationFile, "--release-notes="+notesFile); err != nil {
		return "", err
	}
	return "goreleaser published release " + tag + " with its notes", g.checkRelease(tag, notes)
}

// buildAgain builds the same commit at another path. Every zip must have the same
// bytes. The checksums list the SBOMs as well, which have the time of their making.
// To build all platforms without Go's cache takes too long, so that is done for
// the program of this platform.
func (b *builder) buildAgain(ctx context.Context, published assets) (string, error) {
	again := filepath.Join(b.work, "another", "path", "of", "the-tree")
	if err := execute(ctx, b.work, b.environment, "git", "clone", "--quiet", b.tree, again); err != nil {
		return "", err
	}
	if err := execute(ctx, again, b.environment, "git", "remote", "set-url", "origin", "https://"+module+".git"); err != nil {
		return "", err
	}
	program := filepath.Join(b.work, "program")
	uncached := append(slices.Clone(b.environment), "GOCACHE="+filepath.Join(b.work, "empty-cache"))
	if err := execute(ctx, again, uncached, b.goreleaser, "build", "--clean", "--single-target", "--output="+program); err != nil {
		return "", err
	}
	if err := execute(ctx, again, b.environment, b.goreleaser, "release", "--clean", "--skip=publish,sbom,sign"); err != nil {
		return "", err
	}
	inZip, err := published.readProgram(thisPlatform)
	if err != nil {
		return "", err
	}
	builtAgain, err := os.ReadFile(program)
	if err != nil {
		return "", err
	}
	if !bytes.Equal(builtAgain, inZip) {
		return "", fmt.Errorf("the second build of the same source, without Go's cache, gives another program for %s", thisPlatform)
	}
	return compareZips(published, filepath.Join(again, "dist"))
}

// compareZips returns an error that names each zip whose bytes differ from those of
// the zip of the same name in the directory, and what differs.
func compareZips(published assets, directory string) (string, error) {
	var faults []error
	for _, platform := range published.platforms {
		name := published.zip(platform)
		first, err := published.read(name)
		if err != nil {
			return "", err
		}
		second, err := os.ReadFile(filepath.Join(directory, name))
		if err != nil {
			return "", err
		}
		if !bytes.Equal(first, second) {
			faults = append(faults, fmt.Errorf("the second build of the same source gives another %s:\n%s\n%s", name, contents(first), contents(second)))
		}
	}
	return fmt.Sprintf("a second build gives the same %d zips", len(published.platforms)), errors.Join(faults...)
}

// contents lists the files of a zip with what can differ.
func contents(archive []byte) string {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return err.Error()
	}
	files := make([]string, 0, len(r.File))
	for _, f := range r.File {
		files = append(files, fmt.Sprintf("%s, %s, %s, CRC %08x", f.Name, f.Mode(), f.Modified.Format(time.RFC3339), f.CRC32))
	}
	return strings.Join(files, "; ")
}

// execute runs one program. The error has all of what it printed.
func execute(ctx context.Context, directory string, environment []string, program string, arguments ...string) error {
	_, err := output(ctx, directory, environment, program, arguments...)
	return err
}

func output(ctx context.Context, directory string, environment []string, program string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = directory
	command.Env = environment
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = stopWithin
	printed, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), arguments[0], err, printed)
	}
	return string(printed), nil
}
