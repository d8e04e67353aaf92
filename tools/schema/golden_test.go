package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/provider"
)

var update = flag.Bool("update", false, "write the golden record of the schema instead of comparing with it")

// TestGolden makes every change of the schema visible in review: names, types,
// required, optional, computed, sensitive, and every description. The version
// of the provider is no part of it.
func TestGolden(t *testing.T) {
	t.Parallel()

	golden := filepath.Join("..", "..", "internal", "provider", "testdata", "schema.golden.json")
	server, err := providerserver.NewProtocol6WithError(provider.New("golden")())()
	if err != nil {
		t.Fatal(err)
	}
	got, err := marshal(t.Context(), server, "registry.terraform.io/senhasegura/senhasegura")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v; `make golden` writes it", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the schema is not the recorded one (-recorded +now); if the change is meant, run `make golden` and review the diff:\n%s", diff)
	}
}
