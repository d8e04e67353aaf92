package provider

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// What the arguments of a drain are, in the words that resource and action share.
const (
	gracePeriodDescription = "How long people may finish: sessions that end by themselves within it are not dropped, the rest is. A Go duration. Default `0s`."
	quietPeriodDescription = "How long no matching session may appear after the last end. Newcomers are dropped too, and the time begins anew. A Go duration. Default `0s`."
	maxSessionsDescription = "Largest number of live matching sessions that may be dropped at once. If there are more, nothing is dropped and the operation fails. Not limited by default."
	pollDescription        = "Time between two looks at the sessions, and before a repeated drop, as a Go duration. Default `2s`."
)

// defaultPoll is defaultPollInterval as a duration.
const defaultPoll = 2 * time.Second

// drainArguments are the arguments that resource and action have in common. Null durations
// mean their defaults.
type drainArguments struct {
	Match        types.Object         `tfsdk:"match"`
	Exclude      types.Object         `tfsdk:"exclude"`
	GracePeriod  timetypes.GoDuration `tfsdk:"grace_period"`
	QuietPeriod  timetypes.GoDuration `tfsdk:"quiet_period"`
	MaxSessions  types.Int64          `tfsdk:"max_sessions"`
	PollInterval timetypes.GoDuration `tfsdk:"poll_interval"`
}

// request converts the arguments, which must be known. It checks again what the
// schema checked, because values may have been unknown then.
func (a drainArguments) request(ctx context.Context) (termination.DrainRequest, diag.Diagnostics) {
	selector, diags := selectorFrom(ctx, a.Match, a.Exclude, false)
	duration := func(value timetypes.GoDuration, otherwise time.Duration) time.Duration {
		if value.IsNull() {
			return otherwise
		}
		d, faults := value.ValueGoDuration()
		diags.Append(faults...)
		return d
	}
	request := termination.DrainRequest{
		Selector: selector,
		Grace:    duration(a.GracePeriod, 0),
		Quiet:    duration(a.QuietPeriod, 0),
		Poll:     duration(a.PollInterval, defaultPoll),
	}
	if !a.MaxSessions.IsNull() {
		limit := int(a.MaxSessions.ValueInt64())
		request.Limit = &limit
	}
	if selector == nil && !diags.HasError() {
		diags.AddError("`match` or `exclude` is not known",
			"Sessions were to be dropped with values that are not known; nothing was dropped. This is a fault of Terraform or of the provider: report it to its developers.")
	}
	return request, diags
}

// wholly reports whether every value of the arguments is known.
func (a drainArguments) wholly(ctx context.Context) bool {
	for _, object := range []types.Object{a.Match, a.Exclude} {
		value, err := object.ToTerraformValue(ctx)
		if err != nil || !value.IsFullyKnown() {
			return false
		}
	}
	return !a.GracePeriod.IsUnknown() && !a.QuietPeriod.IsUnknown() && !a.PollInterval.IsUnknown() && !a.MaxSessions.IsUnknown()
}

// maxMatchWords bounds, in bytes, how much of a match a summary shows.
const maxMatchWords = 80

// matchWords writes a match that is wholly known in one short line.
func matchWords(match types.Object) string {
	var words []string
	for _, argument := range matchSets {
		set, ok := match.Attributes()[argument.field].(types.Set)
		if !ok || set.IsNull() {
			continue
		}
		words = append(words, argument.field)
		for _, element := range set.Elements() {
			if text, ok := element.(types.String); ok {
				words = append(words, text.ValueString())
			}
		}
	}
	if age, ok := match.Attributes()[session.FieldOlderThan].(timetypes.GoDuration); ok && !age.IsNull() {
		words = append(words, session.FieldOlderThan, age.ValueString())
	}
	text := strings.Join(words, " ")
	if len(text) > maxMatchWords {
		text = strings.ToValidUTF8(text[:maxMatchWords], "") + "…"
	}
	return text
}

// refuseHopeless refuses a grace and a quiet period that use up the time allowed:
// such a drain could only fail, and with a long grace nobody would be dropped.
// It judges what is known and valid.
func (a drainArguments) refuseHopeless(allowed time.Duration, timeout string) diag.Diagnostics {
	grace, quiet := knownDuration(a.GracePeriod), knownDuration(a.QuietPeriod)
	if grace+quiet < allowed || grace+quiet == 0 {
		return nil
	}
	at := path.Root("grace_period")
	if quiet > grace {
		at = path.Root("quiet_period")
	}
	return diag.Diagnostics{diag.NewAttributeErrorDiagnostic(at, "Invalid `"+at.String()+"`",
		fmt.Sprintf("`grace_period` (%s) and `quiet_period` (%s) leave no time to drop anybody, because `timeouts.%s` allows %s for all of it.\n\nWrite shorter periods, or allow more in `timeouts.%s`.",
			grace, quiet, timeout, allowed, timeout))}
}

// allowedIn gives the configured time for the moment out of `timeouts`. It is not
// known where the configuration does not say yet, or says nothing valid.
func allowedIn(timeouts map[string]attr.Value, moment string) (timeout time.Duration, known bool) {
	value, ok := timeouts[timeoutOf[moment]].(types.String)
	if !ok || value.IsNull() {
		return defaultTimeout, true
	}
	timeout, err := time.ParseDuration(value.ValueString())
	return timeout, err == nil
}

// knownDuration is 0 for what is null, unknown or invalid.
func knownDuration(value timetypes.GoDuration) time.Duration {
	d, err := time.ParseDuration(value.ValueString())
	if err != nil {
		return 0
	}
	return d
}
