package main

import "testing"

func TestDroppedBy(t *testing.T) {
	t.Parallel()

	const product = "terraform-provider-senhasegura/0.0.1"
	drop := func(agent string) journalEntry { return journalEntry{Op: "drop", UserAgent: agent} }
	tests := map[string]struct {
		journal []journalEntry
		want    bool
	}{
		"by the provider":        {[]journalEntry{{Op: "list", UserAgent: "Go-http-client/1.1"}, drop(product + " Terraform/1.11.4")}, true},
		"by another version":     {[]journalEntry{drop("terraform-provider-senhasegura/0.0.12 Terraform/1.11.4")}, false},
		"by two versions":        {[]journalEntry{drop(product + " Terraform/1.11.4"), drop("terraform-provider-senhasegura/dev Terraform/1.11.4")}, false},
		"by no provider":         {[]journalEntry{drop("Go-http-client/1.1")}, false},
		"only asked, no drop":    {[]journalEntry{{Op: "list", UserAgent: product + " Terraform/1.11.4"}}, false},
		"no request of anything": {nil, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := droppedBy(test.journal, product)
			if got := err == nil; got != test.want {
				t.Errorf("accepted: %t, want %t (%v)", got, test.want, err)
			}
		})
	}
}
