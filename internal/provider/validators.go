package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/a2a"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

var (
	notEmpty = textRule{wants: "a non-empty string", check: func(text string) error {
		if text == "" {
			return errors.New("must not be empty")
		}
		return nil
	}}
	credential = textRule{wants: "a credential", check: a2a.ValidateCredential}

	sessionID = textRule{wants: "a session ID", check: func(text string) error {
		if err := session.ValidateID(text); err != nil {
			return errors.New("must be a session ID, the 40-character hash" + strings.TrimPrefix(err.Error(), session.ErrIdentifier.Error()))
		}
		return nil
	}}
	recordID = textRule{wants: "a record ID (digits only)", check: func(text string) error {
		if session.ValidateRecordID(text) != nil {
			return fmt.Errorf("must be a record ID, 1 to 20 digits without a leading zero, but is %q", text)
		}
		return nil
	}}

	positiveDuration = textRule{wants: "a duration greater than zero, such as `5m`", check: func(text string) error {
		return validateDuration(text, time.Nanosecond)
	}}
	duration = textRule{wants: "a duration such as `5m`", check: func(text string) error {
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
		return fmt.Errorf("must be a duration with a unit, such as \"30s\" or \"1h15m\", but is %q", text)
	case d < least && least > 0:
		return fmt.Errorf("must be greater than zero, such as \"30s\" or \"1h15m\", but is %q", text)
	case d < least:
		return fmt.Errorf("must not be negative, but is %q", text)
	}
	return nil
}

// textRule is a string validator around a function that says what is wrong.
type textRule struct {
	wants string
	// check's error completes a sentence that begins with the argument: "must not
	// be empty".
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
		resp.Diagnostics.Append(invalidArgument(req.Path, err, variableHint(r.variable, false)))
	}
}

// headersRule checks names and values of the provider's extra headers.
type headersRule struct{}

func (headersRule) Description(context.Context) string {
	return "keys must be names of HTTP headers other than those that the provider sets"
}

func (r headersRule) MarkdownDescription(ctx context.Context) string { return r.Description(ctx) }

func (headersRule) ValidateMap(_ context.Context, req validator.MapRequest, resp *validator.MapResponse) {
	for name, element := range req.ConfigValue.Elements() {
		at := req.Path.AtMapKey(name)
		value, ok := element.(types.String)
		switch {
		case !ok || value.IsUnknown():
		case value.IsNull():
			resp.Diagnostics.Append(invalid(at, at, "The header has no value. Set a value, or remove the header.", ""))
		default:
			if err := a2a.ValidateHeaders(map[string]string{name: value.ValueString()}); err != nil {
				resp.Diagnostics.Append(invalid(at, at, quoted(req.Path)+" "+err.Error()+".", ""))
			}
		}
	}
}
