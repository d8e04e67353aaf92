package provider

import (
	"context"
	"fmt"
	"hash/crc32"
	"math"
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
	quietPeriodDescription = "How long no matching session may be live for success, whether or not one was live at first, as a duration such as `1m`. A new matching session is terminated and restarts the period. Defaults to `0s`."
	maxSessionsDescription = "Maximum number of matching sessions that may be live at the same time. If more are live, at first or later, the operation fails and terminates no further session. " +
		"Users who reconnect count while their new session is live, so a run can terminate more sessions than this in total. No limit by default."
	pollDescription = "Interval between status checks and before each retry, as a duration. It grows to `30s` while a session stays live. Defaults to `2s`."
)

// drainTimeout is the time allowed to a drain besides its periods: enough for a
// list before and after it that takes the whole of its own default timeout.
const drainTimeout = time.Hour

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
	OnUnseen     types.String         `tfsdk:"on_unseen"`
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
	match, _, _ := matchFrom(ctx, path.Root("match"), a.Match) // selectorFrom has told the faults
	exclude, _, _ := matchFrom(ctx, path.Root("exclude"), a.Exclude)
	request := termination.DrainRequest{
		Selector: selector,
		Match:    match,
		Exclude:  exclude,
		OnUnseen: a.onUnseen(),
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
	return !a.GracePeriod.IsUnknown() && !a.QuietPeriod.IsUnknown() && !a.PollInterval.IsUnknown() && !a.MaxSessions.IsUnknown() && !a.OnUnseen.IsUnknown()
}

// maxMatchWords bounds, in bytes, how much of a match a summary shows.
const maxMatchWords = 80

// matchWords writes a match that is wholly known in one short line. A checksum tells
// long ones apart that begin alike.
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
		text = fmt.Sprintf("%s… (%08x)", strings.ToValidUTF8(text[:maxMatchWords], ""), crc32.ChecksumIEEE([]byte(text)))
	}
	return text
}

// allowed is the default time for a drain: its periods come on top.
func (a drainArguments) allowed() time.Duration {
	return sumOf(drainTimeout, knownDuration(a.GracePeriod), knownDuration(a.QuietPeriod))
}

// sumOf is the sum of durations that are not negative, or the longest there is.
func sumOf(durations ...time.Duration) time.Duration {
	var sum time.Duration
	for _, d := range durations {
		if sum += d; sum < 0 {
			return math.MaxInt64
		}
	}
	return sum
}

// refuseHopeless refuses a grace and a quiet period that use up the configured time
// for the moment: such a drain could only fail, and with a long grace nobody would be
// dropped. It judges what is known and valid.
func (a drainArguments) refuseHopeless(timeouts map[string]attr.Value, moment string) diag.Diagnostics {
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
	return diag.Diagnostics{diag.NewAttributeErrorDiagnostic(at, "Invalid `"+at.String()+"`",
		fmt.Sprintf("`grace_period` (%s) and `quiet_period` (%s) leave no time to drop anybody, because `timeouts.%s` allows %s for all of it.\n\nWrite shorter periods, or allow more in `timeouts.%s`.",
			grace, quiet, name, allowed, name))}
}

// knownDuration is 0 for what is null, unknown or invalid.
func knownDuration(value timetypes.GoDuration) time.Duration {
	d, err := time.ParseDuration(value.ValueString())
	if err != nil {
		return 0
	}
	return d
}
