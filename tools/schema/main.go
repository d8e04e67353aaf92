// Command schema writes the provider's schemas in the form of `terraform
// providers schema -json`, for tfplugindocs. It asks the provider in process,
// so that the pages do not depend on the Terraform version at hand.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/provider"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/schemajson"
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
	document, err := schemajson.Marshal(ctx, server, address)
	if err != nil {
		return err
	}
	if out == "" {
		_, err = os.Stdout.Write(document)
		return err
	}
	return os.WriteFile(out, document, 0o600)
}
