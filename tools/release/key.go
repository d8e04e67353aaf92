package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
)

// signingKey is a key for one run, in a home of its own.
type signingKey struct {
	home   string
	public openpgp.EntityList
}

// makeKey makes an RSA key: the Terraform Registry takes no elliptic curves.
func makeKey(ctx context.Context, gpg, home string) (*signingKey, error) {
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, err
	}
	key := &signingKey{home: home}
	err := execute(ctx, home, key.environment(os.Environ()), gpg, "--batch", "--passphrase", "",
		"--quick-generate-key", "Release check <release@example.invalid>", "rsa3072", "sign", "1d")
	if err == nil {
		export := exec.CommandContext(ctx, gpg, "--batch", "--export")
		export.Env = key.environment(os.Environ())
		var exported []byte
		if exported, err = export.Output(); err == nil {
			key.public, err = openpgp.ReadKeyRing(bytes.NewReader(exported))
		}
	}
	if err == nil && len(key.public) != 1 {
		err = fmt.Errorf("gpg has %d keys in a new home", len(key.public))
	}
	if err != nil {
		return nil, errors.Join(err, key.destroy(ctx))
	}
	return key, nil
}

// environment is what gpg, and goreleaser, need to use the key.
func (k *signingKey) environment(environment []string) []string {
	environment = slices.DeleteFunc(slices.Clone(environment), func(entry string) bool {
		return strings.HasPrefix(entry, "GNUPGHOME=") || strings.HasPrefix(entry, "GPG_FINGERPRINT=")
	})
	environment = append(environment, "GNUPGHOME="+k.home)
	if len(k.public) == 1 {
		environment = append(environment, "GPG_FINGERPRINT="+strings.ToUpper(hex.EncodeToString(k.public[0].PrimaryKey.Fingerprint)))
	}
	return environment
}

// destroy ends the agent that gpg started for this home, also in a run that was
// interrupted, and removes the home.
func (k *signingKey) destroy(ctx context.Context) error {
	return errors.Join(
		execute(context.WithoutCancel(ctx), k.home, k.environment(os.Environ()), "gpgconf", "--kill", "all"),
		os.RemoveAll(k.home),
	)
}
