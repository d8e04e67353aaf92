package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/action/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var (
	_ action.Action              = (*sessionTerminateAction)(nil)
	_ action.ActionWithConfigure = (*sessionTerminateAction)(nil)

	_ action.ActionWithValidateConfig = (*sessionTerminateAction)(nil)
)

// sessionTerminateAction drains once, immediately, and keeps no state.
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
		MarkdownDescription: "Terminates all matching sessions immediately. Keeps no state.",
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
				MarkdownDescription: "Whether to list matching sessions without terminating them. Defaults to `false`.",
				Optional:            true,
			},
			"poll_interval": actionDuration(pollDescription, positiveDuration),
			"timeouts":      invokeTimeouts(ctx, "How long to wait for the action, including `grace_period` and `quiet_period`. Defaults to `1h` plus both periods."),
		},
	}
}

func (a *sessionTerminateAction) Configure(_ context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse) {
	a.setData(req.ProviderData, &resp.Diagnostics)
}

// ValidateConfig refuses periods that leave no time for the drain itself.
func (a *sessionTerminateAction) ValidateConfig(ctx context.Context, req action.ValidateConfigRequest, resp *action.ValidateConfigResponse) {
	var model sessionTerminateModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() || model.Timeouts.IsUnknown() {
		return
	}
	resp.Diagnostics.Append(model.validatePeriods(model.Timeouts.Attributes(), onInvoke)...)
}

// Invoke drains and reports progress.
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
	if resp.Diagnostics.HasError() || !a.data.ready(&resp.Diagnostics) {
		return
	}

	// The engine reports progress on this goroutine: Terraform's channel is not
	// buffered and is closed when Invoke returns.
	teller := progressReporter{send: func(text string) { resp.SendProgress(action.InvokeProgressEvent{Message: text}) }}
	request.LeaveExcluded = true
	request.DryRun = model.DryRun.ValueBool()
	request.Progress = teller.report
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	report, err := a.data.terminator.Drain(ctx, request)
	run := drainRun{Report: report, name: "action on " + model.words(), moment: onInvoke}
	if err != nil {
		failed, fault := run.failed(err, ""), argumentAtFault(err)
		if request.DryRun && guarded(err) {
			resp.Diagnostics.Append(failed.asWarning(fault...)) // a guard would stop the action, and nothing has failed
		} else {
			resp.Diagnostics.Append(a.data.once(err, failed).asError(fault...))
		}
	}
	resp.Diagnostics.Append(unseenValues(unseenOfRun(report, err, model.onUnseen()), run.name, false)...)
	switch {
	case err != nil && len(report.Sessions) == 0:
		// Without a list there is nothing to count.
	case request.DryRun:
		teller.reportDryRun(report, err)
	default:
		teller.send(tally(report))
	}
}

func actionDuration(description string, rule textRule) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: description,
		Optional:            true,
		Validators:          []validator.String{rule},
	}
}
