package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/a2a"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

var (
	notEmpty = textRule{wants: "a text that is not empty", check: func(text string) error {
		if text == "" {
			return errors.New("it is empty")
		}
		return nil
	}}
	sessionID = textRule{wants: "the unique hash of a session", check: session.ValidateID}
	recordID  = textRule{wants: "a row number in digits", check: session.ValidateRecordID}

	positiveDuration = textRule{wants: "a Go duration above zero", check: func(text string) error {
		return validateDuration(text, time.Nanosecond)
	}}
	duration = textRule{wants: "a Go duration", check: func(text string) error {
		return validateDuration(text, 0)
	}}
)

func onUnseenRule() validator.String {
	return stringvalidator.OneOf(string(termination.UnseenContinue), string(termination.UnseenHalt), string(termination.UnseenIgnore))
}

func validateDuration(text string, least time.Duration) error {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return fmt.Errorf("%q is not a duration; write numbers with units, such as \"30s\" or \"1h15m\"", text)
	case d < least && least > 0:
		return fmt.Errorf("%q is not above zero; write a duration such as \"30s\" or \"1h15m\"", text)
	case d < least:
		return fmt.Errorf("%q is negative; write a duration such as \"30s\", or \"0s\" for none", text)
	}
	return nil
}

// textRule is a string validator around a function that says what is wrong.
type textRule struct {
	wants string
	check func(string) error
	// variable is the environment variable that can set the value too, "" for none.
	variable string
}

// or names the environment variable that can set the value too.
func (r textRule) or(variable string) textRule {
	r.variable = variable
	return r
}

func (r textRule) Description(context.Context) string { return "value must be " + r.wants }

func (r textRule) MarkdownDescription(ctx context.Context) string { return r.Description(ctx) }

func (r textRule) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := r.check(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid `"+req.Path.String()+"`",
			sentences(fmt.Sprintf("%s.\n\nThe value must be %s.", capitalize(err.Error()), r.wants), r.elsewhere()))
	}
}

func (r textRule) elsewhere() string {
	if r.variable == "" {
		return ""
	}
	return "It can also come from the environment variable " + r.variable + "."
}

// headersRule checks names and values of the provider's extra headers.
type headersRule struct{}

func (headersRule) Description(context.Context) string {
	return "keys must be names of HTTP headers other than those the provider sets"
}

func (r headersRule) MarkdownDescription(ctx context.Context) string { return r.Description(ctx) }

func (headersRule) ValidateMap(_ context.Context, req validator.MapRequest, resp *validator.MapResponse) {
	for name, element := range req.ConfigValue.Elements() {
		at := req.Path.AtMapKey(name)
		value, ok := element.(types.String)
		switch {
		case !ok || value.IsUnknown():
		case value.IsNull():
			resp.Diagnostics.AddAttributeError(at, "Invalid `"+at.String()+"`", "The header has no value. Give it one, or leave it out.")
		default:
			if err := a2a.ValidateHeaders(map[string]string{name: value.ValueString()}); err != nil {
				resp.Diagnostics.AddAttributeError(at, "Invalid `"+at.String()+"`", capitalize(err.Error())+".")
			}
		}
	}
}
