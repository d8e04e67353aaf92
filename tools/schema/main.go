// Command schema writes the provider's schemas in the form of `terraform
// providers schema -json`, for tfplugindocs. It asks the provider in process:
// Terraform prints actions and resource identities only from the release on that
// knows them, so that pages made through it would depend on the Terraform version
// at hand. The same text is the golden record of the schema that a test compares.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/provider"
)

// address is the one key, besides the bare name, that tfplugindocs reads.
const address = "registry.terraform.io/hashicorp/senhasegura"

func main() {
	out := flag.String("out", "", "file to write; standard output when empty")
	flag.Parse()
	if err := write(context.Background(), *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(ctx context.Context, out string) error {
	server, err := providerserver.NewProtocol6WithError(provider.New("dev")())()
	if err != nil {
		return fmt.Errorf("starting the provider: %w", err)
	}
	document, err := marshal(ctx, server, address)
	if err != nil {
		return err
	}
	if out == "" {
		_, err = os.Stdout.Write(document)
		return err
	}
	return os.WriteFile(out, document, 0o600)
}
