package provider_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// The credentials are rejected while a drain runs, and another operation gets the whole
// error about them. The drain still names its sessions and what its failure leaves
// behind.
func TestDrainNamesItsSessionsAfterAnotherRejection(t *testing.T) {
	t.Parallel()
	pam := inhabited(t, simulator.Config{}, visitors(1, 2)...)
	d := acctest.NewDriver(t, pam, nil)
	state := kept(t, d.Resource(drainType), unseen(nil))
	var once sync.Once
	pam.Sim.OnAnswer(func(r simulator.Request) {
		if r.Op != simulator.OpDrop {
			return
		}
		once.Do(func() {
			for _, op := range []simulator.Op{simulator.OpToken, simulator.OpList, simulator.OpGet, simulator.OpDrop} {
				pam.Sim.Inject(simulator.Fault{Kind: simulator.TokenDenied401, Op: op})
			}
			_, said := d.ReadDataSource("senhasegura_sessions", nil)
			if len(said.Errors()) != 1 {
				t.Errorf("the data source says:\n%s", said)
			}
		})
	})
	errors := d.Resource(drainType).Destroy(state).Diagnostics.Errors()
	if len(errors) != 1 {
		t.Fatalf("%d errors, want 1:\n%s", len(errors), errors)
	}
	for _, part := range []string{lineOf(1), lineOf(2), staysInState, "Fix the first credentials error of this run."} {
		if !strings.Contains(errors[0].Detail+"\n"+byTitle(errors[0].Detail), part) {
			t.Errorf("the error does not say %q:\n%s", part, errors[0])
		}
	}
}
