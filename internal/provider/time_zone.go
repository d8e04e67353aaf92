package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// warnOfClock appends the one warning of a run about clocks, if something contradicts
// `time_zone` or the clock of this machine and no earlier call has warned. Operations
// that call senhasegura defer it.
func (d *providerData) warnOfClock(diags *diag.Diagnostics) {
	if !d.available() {
		return
	}
	if found, ok := d.terminator.ClockWarning(); ok {
		zone := ""
		if d.zone != nil {
			zone = d.zone.String()
		}
		diags.Append(wrongClock(found, zone))
	}
}

// agesKnown lets a plan say early that the ages of a match and an exclude can't be
// computed, which an operation refuses with a *termination.ZoneError: it adds the reason
// to diags, on the arguments. It is true while the configuration of the provider is not
// known.
func (d *providerData) agesKnown(match, exclude types.Object, diags *diag.Diagnostics) bool {
	if !d.available() || d.zone != nil {
		return true
	}
	zoned := true
	for name, object := range map[string]types.Object{"match": match, "exclude": exclude} {
		age, ok := object.Attributes()[session.FieldOlderThan].(types.String)
		if !ok || age.IsNull() || age.IsUnknown() {
			continue
		}
		zoned = false
		diags.Append(noTimeZone().asError(path.Root(name).AtName(session.FieldOlderThan)))
	}
	return zoned
}
