package provider

import (
	"context"
	"fmt"
	"hash/crc32"
	"math"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// The descriptions of the arguments that resource and action share.
const (
	gracePeriodDescription = "How long to wait for sessions to end on their own before terminating them, as a duration such as `5m`. Defaults to `0s`."
	quietPeriodDescription = "How long no matching session may be live before the drain succeeds, whether or not one was live at first, as a duration such as `1m`. A new matching session is terminated and restarts the period. Defaults to `0s`."
	maxSessionsDescription = "Maximum number of matching sessions that may be live at the same time. If more are live, at first or later, the operation fails and terminates no further session. " +
		"Users who reconnect count while their new session is live, so a run can terminate more sessions than this in total. No limit by default."
	pollDescription = "Interval between status checks and before each retry, as a duration. It grows to `30s` while a session stays live. Defaults to `2s`."
)

// drainArguments are the arguments that resource and action share. A null duration
// means its default.
type drainArguments struct {
	Match        types.Object `tfsdk:"match"`
	Exclude      types.Object `tfsdk:"exclude"`
	GracePeriod  types.String `tfsdk:"grace_period"`
	QuietPeriod  types.String `tfsdk:"quiet_period"`
	MaxSessions  types.Int64  `tfsdk:"max_sessions"`
	OnUnseen     types.String `tfsdk:"on_unseen"`
	PollInterval types.String `tfsdk:"poll_interval"`
}

// request converts the arguments, which must be known. It validates again what the
// schema validated, because values may have been unknown then.
func (a drainArguments) request(ctx context.Context) (termination.DrainRequest, diag.Diagnostics) {
	selector, diags := selectorFrom(ctx, a.Match, a.Exclude, false)
	duration := func(name string, value types.String, least, otherwise time.Duration) time.Duration {
		if value.IsNull() {
			return otherwise
		}
		d, faults := durationOf(path.Root(name), value, least)
		diags.Append(faults...)
		return d
	}
	request := termination.DrainRequest{
		Selector:     selector,
		OnUnseen:     a.onUnseen(),
		Grace:        duration("grace_period", a.GracePeriod, 0, defaultPeriod),
		Quiet:        duration("quiet_period", a.QuietPeriod, 0, defaultPeriod),
		PollInterval: duration("poll_interval", a.PollInterval, time.Nanosecond, defaultPollInterval),
	}
	if !a.MaxSessions.IsNull() {
		limit := int(a.MaxSessions.ValueInt64())
		request.Limit = &limit
	}
	if selector == nil && !diags.HasError() {
		diags.Append(unknownArguments())
	}
	return request, diags
}

// fullyKnown reports whether every value of the arguments is known.
func (a drainArguments) fullyKnown(ctx context.Context) bool {
	for _, object := range []types.Object{a.Match, a.Exclude} {
		value, err := object.ToTerraformValue(ctx)
		if err != nil || !value.IsFullyKnown() {
			return false
		}
	}
	return !a.GracePeriod.IsUnknown() && !a.QuietPeriod.IsUnknown() && !a.PollInterval.IsUnknown() && !a.MaxSessions.IsUnknown() && !a.OnUnseen.IsUnknown()
}

// maxWords is how many bytes of a match a summary shows at most.
const maxWords = 80

// words describes match and exclude, which must be fully known, in one short line. If
// it is cut, a checksum distinguishes it from others with the same beginning.
func (a drainArguments) words() string {
	text := matchWords(a.Match)
	if except := matchWords(a.Exclude); except != "" {
		text += ", except " + except
	}
	if len(text) > maxWords {
		text = fmt.Sprintf("%s… (%08x)", strings.ToValidUTF8(text[:maxWords], ""), crc32.ChecksumIEEE([]byte(text)))
	}
	return text
}

// matchWords describes a match, which must be fully known.
func matchWords(match types.Object) string {
	var arguments []string
	for _, argument := range matchSets {
		set, ok := match.Attributes()[argument.field].(types.Set)
		if !ok || set.IsNull() {
			continue
		}
		var values []string
		for _, element := range set.Elements() {
			if text, ok := element.(types.String); ok {
				values = append(values, text.ValueString())
			}
		}
		arguments = append(arguments, argument.field+" "+strings.Join(values, ", "))
	}
	if age, ok := match.Attributes()[session.FieldOlderThan].(types.String); ok && !age.IsNull() {
		arguments = append(arguments, session.FieldOlderThan+" "+age.ValueString())
	}
	return strings.Join(arguments, " and ")
}

// allowed is the default timeout of a drain: its periods come in addition.
func (a drainArguments) allowed() time.Duration {
	return sumOf(defaultDrainTimeout, knownDuration(a.GracePeriod), knownDuration(a.QuietPeriod))
}

// sumOf adds durations that are not negative. It gives the longest duration if the sum
// is too large.
func sumOf(durations ...time.Duration) time.Duration {
	var sum time.Duration
	for _, d := range durations {
		if sum += d; sum < 0 {
			return math.MaxInt64
		}
	}
	return sum
}

// validatePeriods refuses a grace and a quiet period that use up the configured timeout
// for the moment: such a drain could only fail, and with a long grace period before it
// terminates any session. It ignores what is unknown or invalid.
func (a drainArguments) validatePeriods(timeouts map[string]attr.Value, moment string) diag.Diagnostics {
	name := timeoutOf[moment]
	text, ok := timeouts[name].(types.String)
	if !ok || text.IsNull() {
		return nil
	}
	allowed, err := time.ParseDuration(text.ValueString())
	grace, quiet := knownDuration(a.GracePeriod), knownDuration(a.QuietPeriod)
	if both := sumOf(grace, quiet); err != nil || both < allowed || both == 0 {
		return nil
	}
	at := path.Root("grace_period")
	if quiet > grace {
		at = path.Root("quiet_period")
	}
	return diag.Diagnostics{noTimeLeft(at, grace, quiet, name, allowed)}
}

// knownDuration is 0 for what is null, unknown or invalid.
func knownDuration(value types.String) time.Duration {
	d, err := time.ParseDuration(value.ValueString())
	if err != nil {
		return 0
	}
	return d
}

// durationOf converts a duration that is known and not null. It validates it again: it
// may have been unknown to its validator, and an invalid one must not become zero.
func durationOf(at path.Path, value types.String, least time.Duration) (time.Duration, diag.Diagnostics) {
	if err := validateDuration(value.ValueString(), least); err != nil {
		return 0, diag.Diagnostics{invalidArgument(at, err, "")}
	}
	return knownDuration(value), nil
}
