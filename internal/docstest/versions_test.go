package docstest

import (
	"regexp"
	"testing"
)

// TestCompatibilityGuideHasRuns: the guide promises something for versions of Terraform
// and for OpenTofu, and its table of runs, which `make testacc-matrix` writes, has a
// version of each.
func TestCompatibilityGuideHasRuns(t *testing.T) {
	t.Parallel()
	guide := readFile(t, "docs/guides/compatibility.md")
	ran := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| (Terraform|OpenTofu) v(\d+\.\d+)\.\S+ \| \d+ \| .+ \|$`).FindAllStringSubmatch(section(t, guide, "Tested versions"), -1) {
		ran[row[1]], ran[row[1]+" "+row[2]] = true, true
	}
	promised := []string{"OpenTofu"}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+\.\d+) \|`).FindAllStringSubmatch(section(t, guide, "Terraform"), -1) {
		promised = append(promised, "Terraform "+row[1])
	}
	if len(promised) < 4 {
		t.Fatalf("only %q found in the guide", promised)
	}
	for _, version := range promised {
		if !ran[version] {
			t.Errorf("the guide has no run of %s: run make testacc-matrix with GUIDE", version)
		}
	}
}
