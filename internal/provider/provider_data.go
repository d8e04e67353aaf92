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
	// routes gives the routes that have responded so far, nil if terminator is.
	routes func() a2a.Routes
	// zone is `time_zone`, nil if neither the configuration nor the environment sets it.
	zone *time.Location
	// unknown has the names of the unknown arguments.
	unknown []string
	// nonce identifies this configured provider. Terraform configures one to plan and
	// another one to apply.
	nonce string
	// names are the IDs of the drains by their names in messages, see distinctName.
	names sync.Map
	// rejected is true once an error has said that senhasegura rejected the
	// credentials.
	rejected atomic.Bool
}

// available reports whether senhasegura can be called.
func (d *providerData) available() bool { return d != nil && d.terminator != nil }

// distinctName is the name in messages of the drain with this ID. Terraform merges
// warnings with equal summaries, so the name of a second drain of the same sessions
// includes its ID.
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

// once gives the whole message about rejected credentials to the first operation that
// gets it, and one without cause and advice to the others: with many resources, copies
// would hide the cause.
func (d *providerData) once(err error, whole message) message {
	if errors.Is(err, session.ErrUnauthenticated) && d.rejected.Swap(true) {
		return whole.rejectedBefore()
	}
	return whole
}

// configured is embedded in everything that needs the provider's data.
type configured struct {
	data *providerData
}

// setData stores the provider's data. While Terraform validates, it is nil and not
// needed.
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
