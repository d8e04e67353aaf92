package provider

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/action/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

var (
	_ action.Action              = (*sessionTerminateAction)(nil)
	_ action.ActionWithConfigure = (*sessionTerminateAction)(nil)

	_ action.ActionWithValidateConfig = (*sessionTerminateAction)(nil)
)

// sessionTerminateAction drains once, now, and keeps no state.
type sessionTerminateAction struct {
	configured
}

func newSessionTerminateAction() action.Action { return &sessionTerminateAction{} }

type sessionTerminateModel struct {
	drainArguments
	DryRun   types.Bool     `tfsdk:"dry_run"`
	Timeouts timeouts.Value `tfsdk:"timeouts"`
}

func (a *sessionTerminateAction) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_session_terminate"
}

func (a *sessionTerminateAction) Schema(ctx context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Ends every matching session now, without a state.",
		Attributes: map[string]schema.Attribute{
			// Required
			"match": actionMatch(matchDescription, true),

			// Optional
			"exclude":      actionMatch(excludeDescription, false),
			"grace_period": actionDuration(gracePeriodDescription, duration),
			"quiet_period": actionDuration(quietPeriodDescription, duration),
			"max_sessions": schema.Int64Attribute{
				MarkdownDescription: maxSessionsDescription,
				Optional:            true,
				Validators:          []validator.Int64{int64validator.AtLeast(0)},
			},
			"on_unseen": schema.StringAttribute{
				MarkdownDescription: onUnseenDescription,
				Optional:            true,
				Validators:          []validator.String{onUnseenRule()},
			},
			"dry_run": schema.BoolAttribute{
				MarkdownDescription: "Show whom the action would drop now, and drop nobody. Default `false`.",
				Optional:            true,
			},
			"poll_interval": actionDuration(pollDescription, positiveDuration),
			"timeouts":      invokeTimeouts(ctx, "How long to wait for the action, including `grace_period` and `quiet_period`. Defaults to `1h` plus both periods."),
		},
	}
}

func actionDuration(description string, rule textRule) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: description,
		Optional:            true,
		CustomType:          timetypes.GoDurationType{},
		Validators:          []validator.String{rule},
	}
}

func (a *sessionTerminateAction) Configure(_ context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse) {
	a.take(req.ProviderData, &resp.Diagnostics)
}

// ValidateConfig refuses periods that leave no time for the drain itself.
func (a *sessionTerminateAction) ValidateConfig(ctx context.Context, req action.ValidateConfigRequest, resp *action.ValidateConfigResponse) {
	var model sessionTerminateModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() || model.Timeouts.IsUnknown() {
		return
	}
	resp.Diagnostics.Append(model.refuseHopeless(model.Timeouts.Attributes(), onInvoke)...)
}

// Invoke drains and tells what happens while it does.
func (a *sessionTerminateAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	defer a.data.warnOfClock(&resp.Diagnostics)
	var model sessionTerminateModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	request, diags := model.request(ctx)
	resp.Diagnostics.Append(diags...)
	timeout, diags := model.Timeouts.Invoke(ctx, model.allowed())
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !a.data.ready(&resp.Diagnostics) || !a.data.zoned(model.Match, model.Exclude, &resp.Diagnostics) {
		return
	}

	// The engine tells its progress from this goroutine: Terraform's channel is
	// not buffered and is gone when Invoke returns.
	teller := progressTeller{send: func(text string) { resp.SendProgress(action.InvokeProgressEvent{Message: text}) }}
	request.LeaveExcluded = true
	request.DryRun = model.DryRun.ValueBool()
	request.Progress = teller.tell
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	report, err := a.data.terminator.Drain(ctx, request)
	if err != nil {
		failed, fault := drainFailed(report, err, onInvoke, consequenceOf[onInvoke]), drainFault(err)
		if request.DryRun && guarded(err) {
			resp.Diagnostics.Append(failed.asWarning(fault...)) // a guard would stop the action, and nothing has failed
		} else {
			resp.Diagnostics.Append(a.data.once(err, failed.asError(fault...)))
		}
	}
	unseen := unseenOfRun(report, err, model.onUnseen())
	resp.Diagnostics.Append(unseenValues(unseen, "action on "+matchWords(model.Match), false)...)
	switch {
	case err != nil && len(report.Sessions) == 0:
		// Nothing is known, and no count could say so.
	case request.DryRun:
		teller.rehearse(report, err)
	default:
		teller.send(tally(report))
	}
}

// onInvoke is the moment at which an action drains, beside onCreate and onDestroy.
const onInvoke = "invoke"

// maxNamed bounds the sessions that a dry run names: none of them is dropped.
const maxNamed = 20

// manySessions is from how many sessions on progress is thinned.
const manySessions = 50

// progressTeller words the events of a drain.
type progressTeller struct {
	send    func(string)
	matched int
	ended   int
}

func (p *progressTeller) tell(e termination.Event) {
	switch e.Stage {
	case termination.Listed:
		p.matched = e.Count
		p.send("Matched " + countSessions(e.Count) + ".")
	case termination.InGrace:
		p.send(fmt.Sprintf("Waiting up to %s for %s to end by themselves.", roundedWait(e.Wait), countSessions(e.Count)))
	case termination.Dropping:
		p.send("Dropping " + countSessions(e.Count) + ".")
	case termination.Newcomer:
		p.matched += e.Count
		p.send("Matched " + countSessions(e.Count) + " more that came meanwhile.")
	case termination.InQuiet:
		p.send(fmt.Sprintf("Watching for newcomers for %s.", roundedWait(e.Wait)))
	case termination.Settled:
		p.settled(*e.Session)
	}
}

// settled tells of one session. Where there are many, ends are told ten times on
// the way, and whatever is not an end is always told.
func (p *progressTeller) settled(d termination.Drained) {
	if d.Outcome.Ended() {
		p.ended++
		if p.matched > manySessions {
			if p.ended%(p.matched/10) == 0 {
				p.send(fmt.Sprintf("%d of %s ended.", p.ended, countSessions(p.matched)))
			}
			return
		}
	}
	p.send(outcomeLine(d))
}

// roundedWait leaves out what no person wants to read.
func roundedWait(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(time.Second)
}

// rehearse tells whom a drain would drop, and everybody whom it would not drop
// although it may have to.
func (p *progressTeller) rehearse(report termination.Report, err error) {
	matching := report.Matched()
	for i, d := range matching {
		if i == maxNamed {
			p.send(fmt.Sprintf("And %d more.", len(matching)-maxNamed))
			break
		}
		p.send(outcomeLine(d))
	}
	for _, d := range slices.Concat(report.Survivors(), report.Excluded()) {
		p.send(outcomeLine(d))
	}
	if err == nil {
		left := ""
		if n := len(report.Excluded()); n > 0 {
			left = ", and " + countExcluded(n) + " left open"
		}
		p.send(fmt.Sprintf("Dry run: %s would be dropped now%s. Nobody was dropped.", countSessions(len(matching)), left))
	}
}
