// Command terraform-provider-senhasegura is the Terraform provider for the
// privileged sessions of senhasegura (Segura). Terraform and OpenTofu start it;
// it is of no use on its own.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/provider"
)

// address is the provider's name in the registry, and the key a debugger needs
// in TF_REATTACH_PROVIDERS.
const address = "registry.terraform.io/senhasegura/senhasegura"

// version is set by the release build with -ldflags "-X main.version=…".
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "wait for a debugger and print the TF_REATTACH_PROVIDERS value to connect with")
	flag.Parse()

	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address:         address,
		Debug:           *debug,
		ProtocolVersion: 6,
	})
	if err != nil {
		log.Fatal(err)
	}
}
