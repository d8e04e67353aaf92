package provider_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
)

func TestMain(m *testing.M) {
	if order := os.Getenv(clientEnvironment); order != "" {
		if err := beClient(order); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(acctest.Main(m))
}
