// Command terraform prints the path of a Terraform that the tests and the demo
// can run: the one that TF_ACC_TERRAFORM_PATH names, else the one on PATH, else
// a release fetched from HashiCorp's release site, with its signature checked.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
)

// fetchTimeout bounds the download, about 30 MB.
const fetchTimeout = 5 * time.Minute

func main() {
	release := flag.String("version", "", "release to fetch where there is no Terraform, such as 1.11.4")
	directory := flag.String("dir", "", "where a fetched Terraform is kept")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	path, err := find(ctx, *release, *directory)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:gocritic // the process ends here; the signal handler ends with it
	}
	fmt.Println(path)
}

func find(ctx context.Context, release, directory string) (string, error) {
	if path := os.Getenv("TF_ACC_TERRAFORM_PATH"); path != "" {
		found, err := exec.LookPath(path)
		if err != nil {
			return "", fmt.Errorf("TF_ACC_TERRAFORM_PATH does not name a program: %w", err)
		}
		return found, nil
	}
	if path, err := exec.LookPath(product.Terraform.BinaryName()); err == nil {
		return filepath.Abs(path)
	}
	if release == "" || directory == "" {
		return "", errors.New("there is no terraform on PATH, and -version and -dir do not say what to fetch")
	}
	path, err := fetch(ctx, release, directory)
	if err != nil {
		return "", fmt.Errorf(`no Terraform can be had:
  - TF_ACC_TERRAFORM_PATH is not set
  - there is no terraform on PATH
  - Terraform %s cannot be fetched: %w
Install Terraform 1.11 or later (https://developer.hashicorp.com/terraform/install) and run the command again`, release, err)
	}
	return path, nil
}

// fetch returns the program of an earlier fetch where there is one.
func fetch(ctx context.Context, release, directory string) (string, error) {
	wanted, err := version.NewVersion(release)
	if err != nil {
		return "", err
	}
	directory, err = filepath.Abs(filepath.Join(directory, "terraform-"+wanted.String()))
	if err != nil {
		return "", err
	}
	kept := filepath.Join(directory, product.Terraform.BinaryName())
	if info, err := os.Stat(kept); err == nil && info.Mode().IsRegular() {
		return kept, nil
	}
	if err := os.MkdirAll(directory, 0o755); err != nil { //nolint:gosec // holds programs, which others may run
		return "", err
	}
	fmt.Fprintf(os.Stderr, "fetching Terraform %s\n", wanted)
	return (&releases.ExactVersion{
		Product:    product.Terraform,
		Version:    wanted,
		InstallDir: directory,
		Timeout:    fetchTimeout,
	}).Install(ctx)
}
