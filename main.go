// Command terraform-provider-senhasegura is the Terraform provider for the
// privileged sessions of senhasegura (Segura). Terraform and OpenTofu start it;
// it is of no use on its own.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	runtimedebug "runtime/debug"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/provider"
)

// address is the provider's name in the registry, and the key a debugger needs
// in TF_REATTACH_PROVIDERS.
const address = "registry.terraform.io/senhasegura/senhasegura"

// gcPercent lets the heap, of a few megabytes, grow further before it is
// collected: collections took a third of the process's time in an apply of 500
// resources. Memory follows the matches of a list, so it stays small anyway.
const gcPercent = 400

// version is set by the release build with -ldflags "-X main.version=…".
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "wait for a debugger and print the TF_REATTACH_PROVIDERS value to connect with")
	flag.Parse()
	// net/http writes what a server sends unasked to the standard logger, and with
	// GODEBUG=http2debug every header: secrets, where Terraform shows standard error.
	// Nothing for users goes there: the provider and the plugin framework log with
	// hclog, and go-plugin uses it for faults of its net/rpc and its brokers alone.
	log.SetOutput(io.Discard)
	if err := logOnlyWhatIsRead(); err != nil {
		fail(err)
	}
	runtimedebug.SetGCPercent(gcPercent)

	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address:         address,
		Debug:           *debug,
		ProtocolVersion: 6,
	})
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// logOnlyWhatIsRead turns the plugin libraries' logs off where no variable asks
// for any. They default to TRACE, and Terraform reads all of it only to throw it
// away, which took a third of an apply of 500 resources.
func logOnlyWhatIsRead() error {
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		switch {
		case value == "", name == "TF_LOG_PATH", name == "TF_LOG_CORE":
		case name == "TF_LOG", strings.HasPrefix(name, "TF_LOG_"), name == "TF_ACC_LOG", strings.HasPrefix(name, "TF_ACC_LOG_"):
			return nil
		}
	}
	for _, name := range []string{"TF_LOG_SDK", "TF_LOG_PROVIDER"} {
		if err := os.Setenv(name, "off"); err != nil {
			return err
		}
	}
	return nil
}
