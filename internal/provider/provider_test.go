package provider_test

import (
	"os"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
)

func TestMain(m *testing.M) { os.Exit(acctest.Main(m)) }
