package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
)

const (
	project = "terraform-provider-senhasegura"
	module  = "github.com/senhasegura/" + project
)

// platforms are those that users are promised. A platform that goreleaser builds
// more or less of must be changed here as well.
var platforms = []string{
	"darwin_amd64", "darwin_arm64",
	"freebsd_386", "freebsd_amd64", "freebsd_arm", "freebsd_arm64",
	"linux_386", "linux_amd64", "linux_arm", "linux_arm64",
	"windows_386", "windows_amd64", "windows_arm64",
}

// assets are the files of a release on GitHub, as the registry reads them.
type assets struct {
	directory string
	version   string
	platforms []string
	keyring   openpgp.EntityList
}

func (a assets) prefix() string              { return project + "_" + a.version }
func (a assets) zip(platform string) string  { return a.prefix() + "_" + platform + ".zip" }
func (a assets) sbom(platform string) string { return a.zip(platform) + ".sbom.json" }
func (a assets) sums() string                { return a.prefix() + "_SHA256SUMS" }
func (a assets) signature() string           { return a.sums() + ".sig" }
func (a assets) manifest() string            { return a.prefix() + "_manifest.json" }

// program is the name in the zip of a platform.
func (a assets) program(platform string) string {
	name := project + "_v" + a.version
	if strings.HasPrefix(platform, "windows_") {
		name += ".exe"
	}
	return name
}

func (a assets) read(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(a.directory, name))
}

// plain is a version that Terraform chooses without being asked for exactly it.
var plain = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$`)

// checkNames compares the directory with the names that the registry derives from
// version and platform.
func (a assets) checkNames() (string, error) {
	if !plain.MatchString(a.version) {
		return "", fmt.Errorf("%q is not a plain version such as 1.2.3", a.version)
	}
	wanted := []string{a.sums(), a.signature(), a.manifest()}
	for _, platform := range a.platforms {
		wanted = append(wanted, a.zip(platform), a.sbom(platform))
	}
	entries, err := os.ReadDir(a.directory)
	if err != nil {
		return "", err
	}
	var faults []error
	found := make([]string, 0, len(entries))
	for _, entry := range entries {
		found = append(found, entry.Name())
		if !slices.Contains(wanted, entry.Name()) {
			faults = append(faults, fmt.Errorf("%s is not a file of this release", entry.Name()))
		}
	}
	for _, name := range wanted {
		if !slices.Contains(found, name) {
			faults = append(faults, fmt.Errorf("%s is missing", name))
		}
	}
	return fmt.Sprintf("%d files: %d zips with an SBOM each, checksums, signature, manifest", len(found), len(a.platforms)), errors.Join(faults...)
}

// checkSums reads the checksums as sha256sum writes them. Terraform looks for the
// name of the zip, and the registry also for the manifest.
func (a assets) checkSums() (string, error) {
	text, err := a.read(a.sums())
	if err != nil {
		return "", err
	}
	var faults []error
	listed := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok || len(sum) != hex.EncodedLen(sha256.Size) || filepath.Base(name) != name {
			faults = append(faults, fmt.Errorf("%s has the line %q, which is no checksum and name", a.sums(), line))
			continue
		}
		if listed[name] {
			faults = append(faults, fmt.Errorf("%s lists %s twice", a.sums(), name))
		}
		listed[name] = true
		content, err := a.read(name)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s lists a file that was not published: %w", a.sums(), err))
			continue
		}
		if actual := sha256.Sum256(content); hex.EncodeToString(actual[:]) != sum {
			faults = append(faults, fmt.Errorf("%s has the checksum %x, and %s says %s", name, actual, a.sums(), sum))
		}
	}
	wanted := []string{a.manifest()}
	for _, platform := range a.platforms {
		wanted = append(wanted, a.zip(platform))
	}
	for _, name := range wanted {
		if !listed[name] {
			faults = append(faults, fmt.Errorf("%s doesn't list %s", a.sums(), name))
		}
	}
	return fmt.Sprintf("%d, with every zip and the manifest among them", len(listed)), errors.Join(faults...)
}

// checkSignature verifies with the library that Terraform uses.
func (a assets) checkSignature() (string, error) {
	signature, err := a.read(a.signature())
	if err != nil {
		return "", err
	}
	if bytes.HasPrefix(signature, []byte("-----BEGIN")) {
		return "", fmt.Errorf("%s is ASCII-armored: the registry takes binary signatures only", a.signature())
	}
	sums, err := a.read(a.sums())
	if err != nil {
		return "", err
	}
	signer, err := openpgp.CheckDetachedSignature(a.keyring, bytes.NewReader(sums), bytes.NewReader(signature), nil)
	if err != nil {
		return "", fmt.Errorf("%s doesn't verify with the key of this run: %w", a.signature(), err)
	}
	return fmt.Sprintf("binary, detached, by key %X", signer.PrimaryKey.KeyId), nil
}

// manifest is terraform-registry-manifest.json.
type manifest struct {
	Version  int `json:"version"`
	Metadata struct {
		ProtocolVersions []string `json:"protocol_versions"`
	} `json:"metadata"`
}

func (a assets) checkManifest() (string, error) {
	text, err := a.read(a.manifest())
	if err != nil {
		return "", err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var m manifest
	if err := decoder.Decode(&m); err != nil {
		return "", fmt.Errorf("%s: %w", a.manifest(), err)
	}
	if m.Version != 1 {
		return "", fmt.Errorf("%s has version %d: the registry reads version 1", a.manifest(), m.Version)
	}
	if !slices.Equal(m.Metadata.ProtocolVersions, []string{"6.0"}) {
		return "", fmt.Errorf(`%s has the protocol versions %q, not "6.0" alone`, a.manifest(), m.Metadata.ProtocolVersions)
	}
	return "version 1, protocol 6.0", nil
}

// checkZips: Terraform starts the program by its name, and takes everything in the
// zip into the hash of a lock file.
func (a assets) checkZips() (string, error) {
	var faults []error
	for _, platform := range a.platforms {
		if err := a.checkZip(platform); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", a.zip(platform), err))
		}
	}
	return fmt.Sprintf("each of %d has its program and LICENSE", len(a.platforms)), errors.Join(faults...)
}

func (a assets) checkZip(platform string) error {
	archive, err := zip.OpenReader(filepath.Join(a.directory, a.zip(platform)))
	if err != nil {
		return err
	}
	defer func() { _ = archive.Close() }()
	var names []string
	for _, file := range archive.File {
		names = append(names, file.Name)
		if file.Name == a.program(platform) && file.Mode() != 0o755 {
			return fmt.Errorf("%s has the mode %s, not that of a program", file.Name, file.Mode())
		}
	}
	wanted := []string{"LICENSE", a.program(platform)}
	slices.Sort(names)
	if !slices.Equal(names, wanted) {
		return fmt.Errorf("it has %q, not %q", names, wanted)
	}
	return nil
}

// readProgram returns the program in the zip of the platform.
func (a assets) readProgram(platform string) ([]byte, error) {
	archive, err := zip.OpenReader(filepath.Join(a.directory, a.zip(platform)))
	if err != nil {
		return nil, err
	}
	defer func() { _ = archive.Close() }()
	file, err := archive.Open(a.program(platform))
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(file)
}

// origin is what Go wrote into the program about its build.
func (a assets) origin(platform string) (*debug.BuildInfo, error) {
	program, err := a.readProgram(platform)
	if err != nil {
		return nil, err
	}
	return buildinfo.Read(bytes.NewReader(program))
}

// checkPrograms: the name of a zip says which platform its program is for.
func (a assets) checkPrograms() (string, error) {
	var faults []error
	for _, platform := range a.platforms {
		origin, err := a.origin(platform)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", a.zip(platform), err))
			continue
		}
		if origin.Path != module {
			faults = append(faults, fmt.Errorf("%s has a program of %s", a.zip(platform), origin.Path))
		}
		if actual := setting(origin, "GOOS") + "_" + setting(origin, "GOARCH"); actual != platform {
			faults = append(faults, fmt.Errorf("%s has a program for %s", a.zip(platform), actual))
		}
	}
	return fmt.Sprintf("each of %d is for the platform of its zip", len(a.platforms)), errors.Join(faults...)
}

func setting(origin *debug.BuildInfo, key string) string {
	for _, s := range origin.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// checkSBOMs compares each SBOM with the modules in the program.
func (a assets) checkSBOMs() (string, error) {
	var faults []error
	modules := 0
	for _, platform := range a.platforms {
		origin, err := a.origin(platform)
		if err == nil {
			var text []byte
			if text, err = a.read(a.sbom(platform)); err == nil {
				err = compareSBOM(text, origin.Deps)
			}
			modules = len(origin.Deps)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", a.sbom(platform), err))
		}
	}
	return fmt.Sprintf("each of %d has every module of its program, such as %d for %s", len(a.platforms), modules, a.platforms[0]), errors.Join(faults...)
}

// compareSBOM returns an error if the SBOM is not in SPDX format, or lacks one of
// the modules.
func compareSBOM(text []byte, modules []*debug.Module) error {
	var sbom struct {
		Format   string `json:"spdxVersion"`
		Packages []struct {
			Name    string `json:"name"`
			Version string `json:"versionInfo"`
		} `json:"packages"`
	}
	if err := json.Unmarshal(text, &sbom); err != nil {
		return err
	}
	if !strings.HasPrefix(sbom.Format, "SPDX-") {
		return fmt.Errorf("it is not in SPDX format, but in %q", sbom.Format)
	}
	listed := map[string]bool{}
	for _, p := range sbom.Packages {
		listed[p.Name+" "+p.Version] = true
	}
	for _, m := range modules {
		if !listed[m.Path+" "+m.Version] {
			return fmt.Errorf("it doesn't list %s %s, which is in the program", m.Path, m.Version)
		}
	}
	return nil
}
