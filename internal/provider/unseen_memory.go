package provider

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// unseenToldKey is where private state keeps, from the plan of a destroy to the
// destroy, the unseen values that the plan told. Terraform shows one warning for
// all drains of a plan, but each of those of a destroy.
const unseenToldKey = "unseen_told"

// toldValue is one unseen value, where it stands and what it is.
type toldValue struct {
	Argument string `json:"argument"`
	Value    string `json:"value"`
}

// rememberTold replaces what private state tells of unseen values.
func rememberTold(ctx context.Context, private privateState, unseen []termination.Unseen) diag.Diagnostics {
	told := make([]toldValue, 0, len(unseen))
	for _, u := range unseen {
		told = append(told, toldValue{u.Argument, u.Value})
	}
	value, err := json.Marshal(told)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unseen values not saved", err.Error())}
	}
	return private.SetKey(ctx, unseenToldKey, value)
}

// toldBefore gives the unseen values that private state tells of. Where it cannot be
// read there are none: a warning too many does no harm.
func toldBefore(ctx context.Context, private privateState) []toldValue {
	value, diags := private.GetKey(ctx, unseenToldKey)
	var told []toldValue
	if diags.HasError() || json.Unmarshal(value, &told) != nil {
		return nil
	}
	return told
}

// withoutTold leaves out the values that were told before.
func withoutTold(unseen []termination.Unseen, told []toldValue) []termination.Unseen {
	return slices.DeleteFunc(slices.Clone(unseen), func(u termination.Unseen) bool {
		return slices.Contains(told, toldValue{u.Argument, u.Value})
	})
}
