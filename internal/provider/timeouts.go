package provider

import (
	"context"

	actiontimeouts "github.com/hashicorp/terraform-plugin-framework-timeouts/action/timeouts"
	datasourcetimeouts "github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	actionschema "github.com/hashicorp/terraform-plugin-framework/action/schema"
	datasourceschema "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
)

// Framework and library have three packages of schemas and timeouts, which share no type:
// `timeouts` stands once for each.

const timeoutsDescription = "Operation timeouts."

// timeoutsAttribute is the `timeouts` of a resource. The library accepts negative
// durations and zero, which would fail every operation, so validators refuse them.
func timeoutsAttribute(ctx context.Context, options timeouts.Opts) schema.Attribute {
	attribute, ok := timeouts.Attributes(ctx, options).(schema.SingleNestedAttribute)
	if !ok {
		return timeouts.Attributes(ctx, options)
	}
	attribute.MarkdownDescription = timeoutsDescription
	for name, member := range attribute.Attributes {
		if text, ok := member.(schema.StringAttribute); ok {
			text.MarkdownDescription, text.Description = text.Description, ""
			text.Validators = append(text.Validators[:0:0], positiveDuration)
			attribute.Attributes[name] = text
		}
	}
	return attribute
}

// invokeTimeouts is the `timeouts` of an action.
func invokeTimeouts(ctx context.Context, description string) actionschema.Attribute {
	attribute, ok := actiontimeouts.Attributes(ctx).(actionschema.SingleNestedAttribute)
	if !ok {
		return actiontimeouts.Attributes(ctx)
	}
	attribute.MarkdownDescription = timeoutsDescription
	for name, member := range attribute.Attributes {
		if text, ok := member.(actionschema.StringAttribute); ok {
			text.MarkdownDescription, text.Description = description, ""
			text.Validators = append(text.Validators[:0:0], positiveDuration)
			attribute.Attributes[name] = text
		}
	}
	return attribute
}

// readTimeouts is the `timeouts` of a data source.
func readTimeouts(ctx context.Context) datasourceschema.Attribute {
	attribute, ok := datasourcetimeouts.Attributes(ctx).(datasourceschema.SingleNestedAttribute)
	if !ok {
		return datasourcetimeouts.Attributes(ctx)
	}
	attribute.MarkdownDescription = timeoutsDescription
	for name, member := range attribute.Attributes {
		if text, ok := member.(datasourceschema.StringAttribute); ok {
			text.MarkdownDescription, text.Description = "Timeout for reading, including retries, as a duration such as `10m`. Defaults to `30m`.", ""
			text.Validators = append(text.Validators[:0:0], positiveDuration)
			attribute.Attributes[name] = text
		}
	}
	return attribute
}
