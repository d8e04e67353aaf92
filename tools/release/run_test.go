package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/dirhash"
)

func TestReport(t *testing.T) {
	t.Parallel()

	var out strings.Builder
	r := &report{out: &out}
	if !r.check("first", func() (string, error) { return "as it should be", nil }) || !r.verdict() {
		t.Error("a check that passed counts as failed")
	}
	if r.check("second", func() (string, error) { return "never shown", errors.New("it is wrong\nand more") }) || r.verdict() {
		t.Error("a check that failed counts as passed")
	}
	for _, want := range []string{"ok    first: as it should be (0s)\n", "all 1 checks passed", "FAIL  second: it is wrong\n      and more (0s)\n", "1 of 2 checks failed"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "never shown") {
		t.Error("a check that failed says what it did not find")
	}
}

func TestCompareZips(t *testing.T) {
	t.Parallel()

	first, second := newAssets(t), newAssets(t)
	if _, err := compareZips(first, second.directory); err != nil {
		t.Error(err)
	}
	second.pack(t, otherPlatform, second.program(otherPlatform), []byte(provider), 0o700, "LICENSE")
	_, err := compareZips(first, second.directory)
	for _, want := range []string{"gives another " + first.zip(otherPlatform), "-rwxr-xr-x", "-rwx------"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("another mode: got %v, want %q", err, want)
		}
	}
	second.remove(t, second.zip(thisPlatform))
	if _, err := compareZips(first, second.directory); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing zip: got %v", err)
	}
}

func TestMirror(t *testing.T) {
	t.Parallel()

	a := newAssets(t)
	m, err := newMirror(a, filepath.Join(t.TempDir(), "mirror"))
	if err != nil {
		t.Fatal(err)
	}
	for _, registry := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		for _, platform := range a.platforms {
			path := filepath.Join(m.path, registry, "senhasegura", "senhasegura", a.zip(platform))
			hash, err := dirhash.HashZip(path, dirhash.Hash1)
			if err != nil {
				t.Fatal(err)
			}
			if hash != m.hashes[platform] {
				t.Errorf("%s has the hash %s, not %s", path, m.hashes[platform], hash)
			}
		}
	}
}

func TestCompareLock(t *testing.T) {
	t.Parallel()

	const lock = `# This file is maintained automatically by "terraform init".

provider "registry.terraform.io/senhasegura/senhasegura" {
  version     = "1.2.3"
  constraints = "~> 1.0"
  hashes = [
    "h1:b=",
    "h1:a=",
  ]
}
`
	tests := map[string]struct {
		lock string
		want string
	}{
		"as wanted":        {lock, ""},
		"another version":  {strings.Replace(lock, "1.2.3", "1.2.4", 1), "doesn't lock version 1.2.3"},
		"another registry": {strings.Replace(lock, "terraform.io", "opentofu.org", 1), "doesn't lock"},
		"two providers":    {lock + strings.Replace(lock, "senhasegura/senhasegura", "hashicorp/random", 1), "doesn't lock"},
		"another hash":     {strings.Replace(lock, "h1:a=", "h1:c=", 1), "has the hashes"},
		"a hash less":      {strings.Replace(lock, "    \"h1:a=\",\n", "", 1), "has the hashes"},
		"a hash of a zip":  {strings.Replace(lock, `"h1:a=",`, `"h1:a=", "zh:d",`, 1), "has the hashes"},
		"an empty file":    {"", "doesn't lock"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := compareLock([]byte(test.lock), terraformRegistry, "1.2.3", []string{"h1:a=", "h1:b="})
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestGitHub publishes as goreleaser does: a draft, its files, and the end of the
// draft.
func TestGitHub(t *testing.T) {
	t.Parallel()

	directory := filepath.Join(t.TempDir(), "published")
	g, err := startGitHub(directory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.server.Close)
	send := func(method, path, body string) int {
		request, err := http.NewRequestWithContext(t.Context(), method, g.server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := g.server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		if err := response.Body.Close(); err != nil {
			t.Fatal(err)
		}
		return response.StatusCode
	}
	expect := func(want string) {
		t.Helper()
		err := g.checkRelease("v1.2.3", "Notes")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}

	expect("made no release")
	if status := send(http.MethodPost, "/api/v3/repos/somebody/else/releases", `{}`); status != http.StatusNotFound {
		t.Errorf("a release of another repository: %d", status)
	}
	if status := send(http.MethodPost, githubAPI, `{"tag_name":"v1.2.3","body":"Notes","draft":true,"prerelease":false}`); status != http.StatusCreated {
		t.Errorf("a release: %d", status)
	}
	expect("is a draft")
	for _, want := range []int{http.StatusCreated, http.StatusUnprocessableEntity} {
		if status := send(http.MethodPost, githubUploads+"/1/assets?name=a.zip", "content"); status != want {
			t.Errorf("an upload: %d, want %d", status, want)
		}
	}
	if content, err := os.ReadFile(filepath.Join(directory, "a.zip")); err != nil || string(content) != "content" {
		t.Errorf("the uploaded file has %q (%v)", content, err)
	}
	send(http.MethodPatch, githubAPI+"/1", `{"draft":false}`)
	expect("")
	send(http.MethodPatch, githubAPI+"/1", `{"prerelease":true}`)
	expect("pre-release")
	send(http.MethodPatch, githubAPI+"/1", `{"prerelease":false,"tag_name":"1.2.3"}`)
	expect(`the tag "1.2.3"`)
	send(http.MethodPatch, githubAPI+"/1", `{"tag_name":"v1.2.3","body":""}`)
	expect("the notes")
}

func TestNoEngine(t *testing.T) {
	t.Parallel()
	if err := try(t.Context(), &report{out: io.Discard}, ".", "goreleaser", "syft", nil); err == nil || !strings.Contains(err.Error(), "no program") {
		t.Errorf("got %v", err)
	}
}
