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
		if d.zoneStated {
			zone = d.location.String()
		}
		diags.Append(wrongClock(found, zone))
	}
}

// agesKnown reports whether the ages that a match and an exclude ask for can be
// computed: the timestamps of senhasegura carry no zone, and a zone that the
// configuration does not state would be a guess. If not, it adds the reason to diags,
// on the arguments. It is true while the configuration of the provider is not known.
func (d *providerData) agesKnown(match, exclude types.Object, diags *diag.Diagnostics) bool {
	if !d.available() || d.zoneStated {
		return true
	}
	zoned := true
	for name, object := range map[string]types.Object{"match": match, "exclude": exclude} {
		age, ok := object.Attributes()[session.FieldOlderThan].(types.String)
		if !ok || age.IsNull() || age.IsUnknown() {
			continue
		}
		zoned = false
		diags.Append(noTimeZone(path.Root(name).AtName(session.FieldOlderThan)))
	}
	return zoned
}
