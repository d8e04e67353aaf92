package acctest

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Diagnostic is one message of the provider to the user.
type Diagnostic struct {
	// RPC names the call that brought it, in a Spy.
	RPC     string
	Warning bool
	Summary string
	Detail  string
	// Path is the attribute that it is on, such as `match.users` or
	// `headers["Referer"]`; empty without one.
	Path string
}

// String gives all of it but the RPC, with a label as Terraform prints it.
func (d Diagnostic) String() string {
	label := "Error"
	if d.Warning {
		label = "Warning"
	}
	if d.Path != "" {
		label += " on " + d.Path
	}
	return label + ": " + d.Summary + "\n\n" + d.Detail
}

// Diagnostics are the messages of one operation, in order.
type Diagnostics []Diagnostic

// Errors gives the errors alone.
func (ds Diagnostics) Errors() Diagnostics { return ds.of(false) }

// Warnings gives the warnings alone.
func (ds Diagnostics) Warnings() Diagnostics { return ds.of(true) }

func (ds Diagnostics) of(warning bool) Diagnostics {
	var some Diagnostics
	for _, d := range ds {
		if d.Warning == warning {
			some = append(some, d)
		}
	}
	return some
}

// String gives all messages, one after the other.
func (ds Diagnostics) String() string {
	texts := make([]string, 0, len(ds))
	for _, d := range ds {
		texts = append(texts, d.String())
	}
	return strings.Join(texts, "\n---\n")
}

func diagnosticsOf(rpc string, raw []*tfprotov6.Diagnostic) Diagnostics {
	all := make(Diagnostics, 0, len(raw))
	for _, d := range raw {
		all = append(all, Diagnostic{
			RPC:     rpc,
			Warning: d.Severity == tfprotov6.DiagnosticSeverityWarning,
			Summary: d.Summary,
			Detail:  d.Detail,
			Path:    pathText(d.Attribute),
		})
	}
	return all
}

// pathText writes a path as the configuration would.
func pathText(path *tftypes.AttributePath) string {
	var b strings.Builder
	for _, step := range path.Steps() {
		switch step := step.(type) {
		case tftypes.AttributeName:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(string(step))
		case tftypes.ElementKeyString:
			fmt.Fprintf(&b, "[%q]", string(step))
		case tftypes.ElementKeyInt:
			fmt.Fprintf(&b, "[%d]", int64(step))
		case tftypes.ElementKeyValue:
			fmt.Fprintf(&b, "[%v]", decode(tftypes.Value(step)))
		}
	}
	return b.String()
}
