package provider_test

import (
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// A preview says nothing that depends on an argument that is not known yet.
func TestPreviewWithUnknownOnExcluded(t *testing.T) {
	t.Parallel()
	for _, argument := range []string{"on_excluded", "on_failure"} {
		t.Run(argument, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, simulator.Config{}, visitors(1)...)
			r := acctest.NewDriver(t, server, nil).Resource(drainType)
			plan := r.Plan(nil, guard(map[string]any{"drain_on": []string{"create"}, "exclude": map[string]any{"users": []string{"user-1"}}, argument: acctest.Unknown}))
			if said := plan.Diagnostics.String(); strings.Contains(said, "(`on_excluded`)") || strings.Contains(said, "The apply continues") {
				t.Errorf("a guess:\n%s", said)
			}
		})
	}
}

// A delete that ends before it drains forgets nothing.
func TestUnsettledThroughEarlyReturns(t *testing.T) {
	t.Parallel()
	server := vanishing(t)
	r := func(provider map[string]any) *acctest.Resource {
		return acctest.NewDriver(t, server, provider).Resource(drainType)
	}
	state := r(nil).Apply(nil, unseen(nil)).State
	state = r(nil).Destroy(state).State
	failed := r(map[string]any{"url": acctest.Unknown}).Destroy(state)
	if failed.State == nil {
		t.Fatal("gone without a provider")
	}
	if third := r(nil).Destroy(failed.State); third.State == nil {
		t.Errorf("forgotten:\n%s", third.Diagnostics)
	}
}

// The list becomes empty after an unsettled run: the guard stops the drain, and the
// memory stays.
func TestUnsettledThroughAnEmptyList(t *testing.T) {
	t.Parallel()
	server := vanishing(t)
	r := func() *acctest.Resource { return acctest.NewDriver(t, server, nil).Resource(drainType) }
	state := r().Apply(nil, unseen(map[string]any{"on_unseen": "halt", "max_sessions": 5})).State
	for range 3 {
		failed := r().Destroy(state)
		if failed.State == nil {
			t.Fatalf("gone:\n%s", failed.Diagnostics)
		}
		state = failed.State
	}
}

// on_failure = continue passes neither an empty list nor unseen values.
func TestOnFailurePastOnUnseen(t *testing.T) {
	t.Parallel()
	for name, sessions := range map[string][]simulator.Session{"empty": nil, "unseen": {visitorElsewhere(1)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := inhabited(t, simulator.Config{}, sessions...)
			r := acctest.NewDriver(t, server, nil).Resource(drainType)
			for _, moment := range []string{"create", "destroy"} {
				config := unseen(map[string]any{"match": map[string]any{"devices": []string{"web-07"}}, "drain_on": []string{moment}, "on_failure": "continue", "on_unseen": "halt"})
				result := r.Apply(nil, config)
				if moment == "destroy" {
					result = r.Destroy(result.State)
				}
				if len(result.Diagnostics.Errors()) == 0 {
					t.Errorf("%s passed:\n%s", moment, result.Diagnostics)
				}
			}
		})
	}
}

// With on_failure = continue a session that can't be decided does not fail the drain,
// so the plan does not say that it will.
func TestPreviewOfADrainThatContinues(t *testing.T) {
	t.Parallel()
	server := inhabited(t, simulator.Config{}, visitors(1)...)
	r := acctest.NewDriver(t, server, nil).Resource(drainType)
	state := kept(t, r, guard(map[string]any{"match": map[string]any{"users": []string{`CORP\user-1`}}, "on_failure": "continue", "on_unseen": "ignore"}))
	destroyed := r.Destroy(state)
	if destroyed.State != nil {
		t.Error("the drain stays in the state")
	}
	said := destroyed.Diagnostics.String()
	if strings.Contains(said, "so the destroy fails") || !strings.Contains(said, "Can't be terminated; Terraform continues anyway, because `on_failure` is `continue`:") {
		t.Errorf("the plan announced something else than what came:\n%s", said)
	}
}
