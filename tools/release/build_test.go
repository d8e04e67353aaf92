package main

import (
	"io"
	"slices"
	"strings"
	"testing"
)

// TestIsolated: nothing of the person at the keyboard reaches what the run starts,
// a token least of all.
func TestIsolated(t *testing.T) {
	kept := "RELEASE_TEST=kept"
	for _, entry := range []string{"GITHUB_TOKEN=x", "GITLAB_TOKEN=x", "GIT_DIR=x", "GPG_FINGERPRINT=x", "GNUPGHOME=x", "TF_CLI_CONFIG_FILE=x", "SENHASEGURA_URL=x", "https_proxy=x", "XDG_CONFIG_HOME=x", kept} {
		name, value, _ := strings.Cut(entry, "=")
		t.Setenv(name, value)
	}
	environment, err := isolated(t.Context(), "/empty")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range environment {
		if strings.HasSuffix(entry, "=x") || strings.HasPrefix(entry, "HOME=") && entry != "HOME=/empty" {
			t.Errorf("the environment has %s", entry)
		}
	}
	for _, want := range []string{"HOME=/empty", "GOPROXY=off", "HTTPS_PROXY=" + nowhere, kept} {
		if !slices.Contains(environment, want) {
			t.Errorf("the environment has no %s", want)
		}
	}
}

func TestNoGPG(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := try(t.Context(), &report{out: io.Discard}, ".", "goreleaser", "syft", []string{"terraform"}); err == nil || !strings.Contains(err.Error(), "gpg is missing, which signs the checksums: install GnuPG") {
		t.Errorf("got %v", err)
	}
}
