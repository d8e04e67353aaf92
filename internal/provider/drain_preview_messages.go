package provider

import (
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// refuseUnapprovable refuses a drain that is held to a preview which can't be
// approved. It judges what is known.
func (m *sessionDrainModel) refuseUnapprovable() diag.Diagnostics {
	var diags diag.Diagnostics
	if !m.OnlyPreviewed.ValueBool() {
		return diags
	}
	refuse := func(why string) {
		diags.AddAttributeError(path.Root("only_previewed"), "Invalid `only_previewed`", why)
	}
	if !m.Preview.IsNull() && !m.Preview.IsUnknown() && !m.Preview.ValueBool() {
		refuse("`only_previewed` requires `preview`: without a preview, no session is approved.\n\nRemove `preview = false`, or set `only_previewed = false`.")
	}
	if m.drainsOn(onCreate) {
		refuse("`only_previewed` conflicts with `create` in `drain_on`: Terraform plans a creation again during apply, so the approved preview doesn't reach it.\n\n" +
			"Remove `create` from `drain_on`, or set `only_previewed = false`.")
	}
	return diags
}

// withoutApproval completes the message of a drain that met sessions which no approved
// plan shows. approved says that a plan showed others, made that the apply made a preview of
// its own.
func (r report) withoutApproval(approved, made bool) report {
	const terminate = "To terminate the sessions now, use the action `senhasegura_session_terminate`."
	switch {
	case approved:
		r.attempted = "`only_previewed` allows the drain to terminate only the sessions that the plan showed."
		r.advice = "Plan the destroy again, review the sessions that it shows, and apply that plan."
	case made:
		r.attempted = "`only_previewed` allows the drain to terminate only the sessions that the plan showed. Terraform planned this destroy during apply, as it does for a deposed object of `create_before_destroy`, so no preview was approved."
		r.advice = "Wait until the sessions have ended, and apply again. " + terminate
	default:
		r.attempted = "`only_previewed` allows the drain to terminate only the sessions that the plan showed. No preview reached this destroy: Terraform has none if the drain is tainted, or replaced by `-replace` or `replace_triggered_by`."
		r.advice = "If the drain is tainted, run `terraform untaint` on it. To replace it, change `triggers`. Then plan again, review the sessions that the plan shows, and apply it. " + terminate
	}
	return r
}

// sincePlan says how what was done differs from what the plan showed. It is empty
// where it doesn't.
func sincePlan(drained termination.Report) string {
	others := slices.DeleteFunc(drained.Dropped(), func(d termination.Drained) bool { return d.Previewed })
	ended := drained.EndedSincePreview()
	return paragraphs(
		named(others, "terminated that the plan did not show", maxDropped),
		named(ended, "shown by the plan, ended before the drain", maxDropped))
}
