package main

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// provider answers as a provider of protocol 6 does that is started by Terraform.
const provider = "#!/bin/sh\necho '1|6|unix|/none|grpc|'\n"

const otherPlatform = "windows_386"

var newKey = sync.OnceValues(func() (*openpgp.Entity, error) {
	return openpgp.NewEntity("Test", "", "test@example.invalid", &packet.Config{RSABits: 2048, DefaultHash: crypto.SHA256})
})

// newAssets is a release of two platforms, without fault.
func newAssets(t *testing.T) assets {
	t.Helper()
	key, err := newKey()
	if err != nil {
		t.Fatal(err)
	}
	a := assets{
		directory: t.TempDir(),
		version:   "1.2.3",
		platforms: []string{thisPlatform, otherPlatform},
		keyring:   openpgp.EntityList{key},
	}
	for _, platform := range a.platforms {
		a.pack(t, platform, a.program(platform), []byte(provider), 0o755, "LICENSE")
		a.write(t, a.sbom(platform), `{"spdxVersion":"SPDX-2.3","packages":[]}`)
	}
	a.write(t, a.manifest(), `{"version":1,"metadata":{"protocol_versions":["6.0"]}}`)
	a.sum(t)
	a.sign(t)
	return a
}

func (a assets) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(a.directory, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (a assets) change(t *testing.T, name, from, to string) {
	t.Helper()
	content, err := a.read(name)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(content), from, to, 1)
	if changed == string(content) {
		t.Fatalf("%s has no %q", name, from)
	}
	a.write(t, name, changed)
}

func (a assets) remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(a.directory, name)); err != nil {
		t.Fatal(err)
	}
}

// pack writes the zip of a platform: a program, and further files.
func (a assets) pack(t *testing.T, platform, program string, content []byte, mode fs.FileMode, others ...string) {
	t.Helper()
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for _, name := range append(others, program) {
		header := &zip.FileHeader{Name: name}
		header.SetMode(0o644)
		if name == program {
			header.SetMode(mode)
		}
		file, err := w.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	a.write(t, a.zip(platform), packed.String())
}

func (a assets) sum(t *testing.T) {
	t.Helper()
	var text strings.Builder
	for _, name := range []string{a.manifest(), a.zip(thisPlatform), a.zip(otherPlatform)} {
		content, err := a.read(name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "%x  %s\n", sha256.Sum256(content), name)
	}
	a.write(t, a.sums(), text.String())
}

func (a assets) sign(t *testing.T) {
	t.Helper()
	sums, err := a.read(a.sums())
	if err != nil {
		t.Fatal(err)
	}
	var signature bytes.Buffer
	if err := openpgp.DetachSign(&signature, a.keyring[0], bytes.NewReader(sums), nil); err != nil {
		t.Fatal(err)
	}
	a.write(t, a.signature(), signature.String())
}

// TestChecks doctors a release in one way at a time: the check must fail, and name
// the file and the fault.
func TestChecks(t *testing.T) {
	t.Parallel()

	names, sums, signature, manifest, zips := assets.checkNames, assets.checkSums, assets.checkSignature, assets.checkManifest, assets.checkZips
	none := func(*testing.T, assets) {}

	tests := map[string]struct {
		check  func(assets) (string, error)
		doctor func(*testing.T, assets)
		want   string // "" means that the check passes
	}{
		"names": {names, none, ""},
		"a zip is missing": {names, func(t *testing.T, a assets) {
			t.Helper()
			a.remove(t, a.zip(otherPlatform))
		}, "terraform-provider-senhasegura_1.2.3_windows_386.zip is missing"},
		"an SBOM is missing": {names, func(t *testing.T, a assets) {
			t.Helper()
			a.remove(t, a.sbom(otherPlatform))
		}, "windows_386.zip.sbom.json is missing"},
		"the signature is missing": {names, func(t *testing.T, a assets) {
			t.Helper()
			a.remove(t, a.signature())
		}, "SHA256SUMS.sig is missing"},
		"the manifest is missing": {names, func(t *testing.T, a assets) {
			t.Helper()
			a.remove(t, a.manifest())
		}, "_manifest.json is missing"},
		"a file too many": {names, func(t *testing.T, a assets) {
			t.Helper()
			a.write(t, "metadata.json", "{}")
		}, "metadata.json is not a file of this release"},
		"a zip of another form of name": {names, func(t *testing.T, a assets) {
			t.Helper()
			a.write(t, "terraform-provider-senhasegura_v1.2.3_windows_386.zip", "")
		}, "terraform-provider-senhasegura_v1.2.3_windows_386.zip is not a file of this release"},

		"sums": {sums, none, ""},
		"a byte of a zip differs": {sums, func(t *testing.T, a assets) {
			t.Helper()
			a.change(t, a.zip(thisPlatform), "echo", "ECHO")
		}, a1.zip(thisPlatform) + " has the checksum"},
		"a zip is not listed": {sums, func(t *testing.T, a assets) {
			t.Helper()
			a.change(t, a.sums(), a.zip(otherPlatform), a.sbom(otherPlatform))
		}, "doesn't list " + a1.zip(otherPlatform)},
		"the manifest is not listed": {sums, func(t *testing.T, a assets) {
			t.Helper()
			a.change(t, a.sums(), a.manifest(), a.sbom(otherPlatform))
		}, "doesn't list " + a1.manifest()},
		"a line for a file that is not there": {sums, func(t *testing.T, a assets) {
			t.Helper()
			a.change(t, a.sums(), a.manifest(), "none.zip")
		}, "lists a file that was not published"},
		"a file is listed twice": {sums, func(t *testing.T, a assets) {
			t.Helper()
			a.change(t, a.sums(), a.zip(otherPlatform), a.zip(thisPlatform))
		}, "lists " + a1.zip(thisPlatform) + " twice"},
		"a line of another form": {sums, func(t *testing.T, a assets) {
			t.Helper()
			a.change(t, a.sums(), "  ", " *")
		}, "which is no checksum and name"},

		"signature": {signature, none, ""},
		"the sums changed after the signature": {signature, func(t *testing.T, a assets) {
			t.Helper()
			a.change(t, a.sums(), "zip", "Zip")
		}, "doesn't verify"},
		"an armored signature": {signature, func(t *testing.T, a assets) {
			t.Helper()
			a.write(t, a.signature(), "-----BEGIN PGP SIGNATURE-----\n")
		}, "ASCII-armored"},
		"the signature of another key": {signature, func(t *testing.T, a assets) {
			t.Helper()
			other, err := openpgp.NewEntity("Other", "", "other@example.invalid", &packet.Config{RSABits: 2048})
			if err != nil {
				t.Fatal(err)
			}
			a.keyring = openpgp.EntityList{other}
			a.sign(t)
		}, "doesn't verify"},
		"an empty signature": {signature, func(t *testing.T, a assets) {
			t.Helper()
			a.write(t, a.signature(), "")
		}, "doesn't verify"},

		"manifest": {manifest, none, ""},
		"another version of the manifest": {manifest, func(t *testing.T, a assets) {
			t.Helper()
			a.change(t, a.manifest(), `"version":1`, `"version":2`)
		}, "has version 2"},
		"another protocol": {manifest, func(t *testing.T, a assets) {
			t.Helper()
			a.change(t, a.manifest(), "6.0", "5.0")
		}, `"5.0"`},
		"two protocols": {manifest, func(t *testing.T, a assets) {
			t.Helper()
			a.change(t, a.manifest(), `"6.0"`, `"5.0","6.0"`)
		}, `"5.0" "6.0"`},
		"a field of another name": {manifest, func(t *testing.T, a assets) {
			t.Helper()
			a.change(t, a.manifest(), "protocol_versions", "protocols")
		}, "unknown field"},

		"zips": {zips, none, ""},
		"no license": {zips, func(t *testing.T, a assets) {
			t.Helper()
			a.pack(t, thisPlatform, a.program(thisPlatform), []byte(provider), 0o755)
		}, "it has"},
		"a program too many": {zips, func(t *testing.T, a assets) {
			t.Helper()
			a.pack(t, thisPlatform, a.program(thisPlatform), []byte(provider), 0o755, "LICENSE", "terraform-provider-senhasegura")
		}, "it has"},
		"no .exe for Windows": {zips, func(t *testing.T, a assets) {
			t.Helper()
			a.pack(t, otherPlatform, a.program("linux_386"), []byte(provider), 0o755, "LICENSE")
		}, a1.zip(otherPlatform) + ": it has"},
		"the program of another version": {zips, func(t *testing.T, a assets) {
			t.Helper()
			a.pack(t, thisPlatform, "terraform-provider-senhasegura_v1.2.4", []byte(provider), 0o755, "LICENSE")
		}, "it has"},
		"a program that can't be run": {zips, func(t *testing.T, a assets) {
			t.Helper()
			a.pack(t, thisPlatform, a.program(thisPlatform), []byte(provider), 0o644, "LICENSE")
		}, "not that of a program"},
		"no zip": {zips, func(t *testing.T, a assets) {
			t.Helper()
			a.write(t, a.zip(thisPlatform), "no zip")
		}, "not a valid zip file"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAssets(t)
			test.doctor(t, a)
			_, err := test.check(a)
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// a1 gives the names of the files that newAssets makes.
var a1 = assets{version: "1.2.3"}

// TestProtocol runs programs that it has just written. It is not parallel: the
// kernel refuses to run a file while a child of another test still has it open.
func TestProtocol(t *testing.T) {
	for program, want := range map[string]string{
		provider: "",
		strings.Replace(provider, "|6|", "|5|", 1):                           "speaks the protocol versions [5]",
		"#!/bin/sh\necho \"1|$PLUGIN_PROTOCOL_VERSIONS|unix|/none|grpc|\"\n": "speaks the protocol versions [4 5 6 7]",
		"#!/bin/sh\necho This is a plugin.\n":                                `first line is "This is a plugin.\n"`,
		"#!/bin/sh\n":                                                        "ended without saying",
	} {
		a := newAssets(t)
		a.pack(t, thisPlatform, a.program(thisPlatform), []byte(program), 0o755)
		_, err := a.checkProtocol(t.Context(), t.TempDir())
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", program, err, want)
		}
	}
}

func TestVersionIsPlain(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.2.3-SNAPSHOT-1a2b3c", "v1.2.3", "1.2", "01.2.3", "1.2.3+build"} {
		a := newAssets(t)
		a.version = version
		if _, err := a.checkNames(); err == nil || !strings.Contains(err.Error(), "not a plain version") {
			t.Errorf("%s: got %v", version, err)
		}
	}
}

// TestPrograms packs a program that Go has built for this platform.
func TestPrograms(t *testing.T) {
	t.Parallel()

	build := func(module string) []byte {
		directory := t.TempDir()
		for name, content := range map[string]string{"go.mod": "module " + module + "\n\ngo 1.26\n", "main.go": "package main\n\nfunc main() {}\n"} {
			if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		command := exec.CommandContext(t.Context(), "go", "build", "-o", "program", ".")
		command.Dir = directory
		if printed, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, printed)
		}
		program, err := os.ReadFile(filepath.Join(directory, "program"))
		if err != nil {
			t.Fatal(err)
		}
		return program
	}
	ours, other := build(module), build("example.com/other")

	tests := map[string]struct {
		platform string
		program  []byte
		want     string
	}{
		"ours":                           {thisPlatform, ours, ""},
		"in the zip of another":          {otherPlatform, ours, "has a program for " + thisPlatform},
		"another program":                {thisPlatform, other, "has a program of example.com/other"},
		"a program that Go didn't build": {thisPlatform, []byte(provider), "unrecognized file format"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAssets(t)
			a.platforms = []string{test.platform}
			a.pack(t, test.platform, a.program(test.platform), test.program, 0o755)
			_, err := a.checkPrograms()
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				if _, err := a.checkSBOMs(); err != nil {
					t.Errorf("a program without dependencies has an empty SBOM: %v", err)
				}
				a.remove(t, a.sbom(test.platform))
				if _, err := a.checkSBOMs(); err == nil {
					t.Error("a missing SBOM is accepted")
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestCompareSBOM(t *testing.T) {
	t.Parallel()

	modules := []*debug.Module{{Path: "example.com/a", Version: "v1.0.0"}, {Path: "example.com/b", Version: "v2.0.0"}}
	const good = `{"spdxVersion":"SPDX-2.3","packages":[{"name":"example.com/b","versionInfo":"v2.0.0"},{"name":"example.com/a","versionInfo":"v1.0.0"}]}`
	for text, want := range map[string]string{
		good:                                     "",
		strings.Replace(good, "SPDX-2.3", "", 1): "not in SPDX format",
		strings.Replace(good, "example.com/b", "other", 1): "doesn't list example.com/b v2.0.0",
		strings.Replace(good, "v1.0.0", "v1.0.1", 1):       "doesn't list example.com/a v1.0.0",
		`{"spdxVersion":"SPDX-2.3"}`:                       "doesn't list example.com/a v1.0.0",
		"no JSON":                                          "invalid character",
	} {
		err := compareSBOM([]byte(text), modules)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
