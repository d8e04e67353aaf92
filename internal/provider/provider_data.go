package provider

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/a2a"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// providerData is what Configure hands to every resource, data source and action.
// It is shared by concurrent operations and does not change.
type providerData struct {
	// terminator is nil while arguments of the provider are unknown.
	terminator *termination.Terminator
	// routes gives those that have answered so far; location is the zone of
	// senhasegura's clock. Both are nil together with terminator.
	routes   func() a2a.Routes
	location *time.Location
	// unknown names those arguments.
	unknown []string
	// zoneStated: the configuration sets the time zone of senhasegura's clock.
	zoneStated bool
	// nonce tells what this configured provider has made from what another one has:
	// Terraform configures one to plan and another one to apply.
	nonce string
	// names are the drains by what messages call them, see distinctName.
	names sync.Map
	// rejected is true once an error has said that senhasegura rejected the
	// credentials.
	rejected atomic.Bool
}

// available reports whether senhasegura can be called.
func (d *providerData) available() bool { return d != nil && d.terminator != nil }

// distinctName is what messages call the drain with this id. Terraform merges warnings
// whose summaries are equal, so a second drain of the same sessions gets its id in it.
func (d *providerData) distinctName(name, id string) string {
	if d == nil || id == "" {
		return name
	}
	if first, known := d.names.LoadOrStore(name, id); known && first != id {
		name += " (" + id + ")"
	}
	return name
}

// madeBy is the nonce, "" while the provider is not configured.
func (d *providerData) madeBy() string {
	if d == nil {
		return ""
	}
	return d.nonce
}

func (d *providerData) unknownArguments() []string {
	if d == nil {
		return nil
	}
	return d.unknown
}

// ready reports whether senhasegura can be called. If not, diags says why.
func (d *providerData) ready(diags *diag.Diagnostics) bool {
	if d.available() {
		return true
	}
	diags.Append(notConfigured(d.unknownArguments()))
	return false
}

// once gives the whole error about rejected credentials to the first operation
// that gets it, and a short one to the others: with many resources, its copies
// would hide the cause.
func (d *providerData) once(err error, whole diag.Diagnostic) diag.Diagnostic {
	if errors.Is(err, session.ErrUnauthenticated) && d.rejected.Swap(true) {
		return rejectedBefore(whole.Summary())
	}
	return whole
}

// configured is embedded in everything that needs the provider's data.
type configured struct {
	data *providerData
}

// setData stores the provider's data. It is nil, and not needed, while Terraform
// validates.
func (c *configured) setData(data any, diags *diag.Diagnostics) {
	if data == nil {
		return
	}
	typed, ok := data.(*providerData)
	if !ok {
		diags.Append(wrongData(data))
		return
	}
	c.data = typed
}
