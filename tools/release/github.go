package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// github stands in for the part of GitHub that goreleaser publishes to. It keeps
// the files of one release in a directory, under the names that users see.
type github struct {
	server    *httptest.Server
	directory string

	mu sync.Mutex
	// release is as goreleaser sent it last.
	release githubRelease
}

type githubRelease struct {
	ID         int    `json:"id"`
	Tag        string `json:"tag_name"`
	Body       string `json:"body"`
	Draft      bool   `json:"draft"`
	Prerelease bool   `json:"prerelease"`
}

// The routes of GitHub Enterprise: goreleaser uses them for every server that is
// not github.com.
const (
	githubAPI     = "/api/v3/repos/senhasegura/" + project + "/releases"
	githubUploads = "/api/uploads/repos/senhasegura/" + project + "/releases"
)

func startGitHub(directory string) (*github, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, err
	}
	g := &github{directory: directory}
	routes := http.NewServeMux()
	// Everything else, such as a search for the release, is answered by 404.
	routes.HandleFunc("POST "+githubAPI, g.change)
	routes.HandleFunc("PATCH "+githubAPI+"/1", g.change)
	routes.HandleFunc("POST "+githubUploads+"/1/assets", g.upload)
	g.server = httptest.NewServer(routes)
	return g, nil
}

func (g *github) change(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	// A change leaves the fields alone that it doesn't name.
	if err := json.NewDecoder(r.Body).Decode(&g.release); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	g.release.ID = 1
	if r.Method == http.MethodPost {
		w.WriteHeader(http.StatusCreated)
	}
	_ = json.NewEncoder(w).Encode(g.release) // goreleaser notices a broken answer
}

func (g *github) upload(w http.ResponseWriter, r *http.Request) {
	name := filepath.Base(r.URL.Query().Get("name"))
	// As on GitHub, a name can be taken once.
	file, err := os.OpenFile(filepath.Join(g.directory, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	_, err = io.Copy(file, r.Body)
	if err := errors.Join(err, file.Close()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, "{}") // goreleaser notices a broken answer
}

// checkRelease: the registry reads published releases only, and Terraform chooses
// no pre-release.
func (g *github) checkRelease(tag, notes string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.release.ID == 0:
		return errors.New("goreleaser made no release of senhasegura/" + project)
	case g.release.Draft:
		return errors.New("the release is a draft, which the registry doesn't see")
	case g.release.Prerelease:
		return errors.New("the release is a pre-release")
	case g.release.Tag != tag:
		return fmt.Errorf("the release has the tag %q, not %q", g.release.Tag, tag)
	case strings.TrimSpace(g.release.Body) != strings.TrimSpace(notes):
		return fmt.Errorf("the release has the notes %q, not %q", g.release.Body, notes)
	}
	return nil
}
