package provider

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// previewKey is the key of private state that carries the preview of a destroy from its
// plan to the destroy.
const previewKey = "preview"

// drainPreview is what the plan of a destroy showed.
type drainPreview struct {
	// MadeBy is the nonce of the configured provider that made it, see providerData.
	MadeBy string `json:"made_by"`
	// Sessions are those that the destroy terminates.
	Sessions []storedSession `json:"sessions"`
	// Unseen are the values that the plan warned of, so that the destroy does not
	// repeat the warning. Terraform merges equal warnings of a plan, but not those of a
	// destroy.
	Unseen []toldValue `json:"unseen,omitempty"`
}

// toldValue is one unseen value that a plan has shown.
type toldValue struct {
	Argument string `json:"argument"`
	Value    string `json:"value"`
}

func newDrainPreview(madeBy string, report termination.Report, unseen []termination.Unseen) *drainPreview {
	preview := &drainPreview{MadeBy: madeBy, Sessions: []storedSession{}}
	for _, d := range report.Matched() {
		preview.Sessions = append(preview.Sessions, newStoredSession(*d.Session))
	}
	for _, u := range unseen {
		preview.Unseen = append(preview.Unseen, toldValue{u.Argument, u.Value})
	}
	return preview
}

// previewFrom gives the preview in private state, nil if there is none or it can't be
// read.
func previewFrom(ctx context.Context, private privateState) *drainPreview {
	value, diags := private.GetKey(ctx, previewKey)
	var preview *drainPreview
	if diags.HasError() || json.Unmarshal(value, &preview) != nil {
		return nil
	}
	return preview
}

// discardPreview removes the preview from private state.
func discardPreview(ctx context.Context, private privateState) diag.Diagnostics {
	return private.SetKey(ctx, previewKey, nil)
}

// keep stores the preview in private state.
func (p *drainPreview) keep(ctx context.Context, private privateState) diag.Diagnostics {
	value, err := json.Marshal(p)
	if err != nil {
		return diag.Diagnostics{previewNotKept(err)}
	}
	return private.SetKey(ctx, previewKey, value)
}

// approved reports whether a user can have approved the preview: a plan made it, and
// not the apply that runs the destroy.
func (p *drainPreview) approved(madeBy string) bool { return p != nil && p.MadeBy != madeBy }

// sessions gives the sessions of the preview, never nil.
func (p *drainPreview) sessions() []session.Session {
	sessions := make([]session.Session, 0, len(p.Sessions))
	for _, s := range p.Sessions {
		sessions = append(sessions, s.session())
	}
	return sessions
}

// untold gives the values that the plan has not shown. p may be nil.
func (p *drainPreview) untold(unseen []termination.Unseen) []termination.Unseen {
	if p == nil {
		return unseen
	}
	return slices.DeleteFunc(slices.Clone(unseen), func(u termination.Unseen) bool {
		return slices.Contains(p.Unseen, toldValue{u.Argument, u.Value})
	})
}
