package acctest

import (
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// Invocation is what an action came to.
type Invocation struct {
	// Progress holds the messages in the order in which they were sent.
	Progress    []string
	Diagnostics Diagnostics
}

// PlanAction validates and plans an action.
func (d *Driver) PlanAction(typeName string, config map[string]any) Diagnostics {
	d.t.Helper()
	server, dynamic := d.action(typeName, config)
	validated, err := server.ValidateActionConfig(d.context(), &tfprotov6.ValidateActionConfigRequest{ActionType: typeName, Config: dynamic})
	if err != nil {
		d.t.Fatal(err)
	}
	all := diagnosticsOf("ValidateActionConfig", validated.Diagnostics)
	if len(all.Errors()) > 0 {
		return all
	}
	planned, err := server.PlanAction(d.context(), &tfprotov6.PlanActionRequest{ActionType: typeName, Config: dynamic})
	if err != nil {
		d.t.Fatal(err)
	}
	return append(all, diagnosticsOf("PlanAction", planned.Diagnostics)...)
}

// InvokeAction runs an action to its end, without a plan before it. onProgress,
// where given, is called with each message while the action waits.
func (d *Driver) InvokeAction(typeName string, config map[string]any, onProgress ...func(string)) Invocation {
	d.t.Helper()
	server, dynamic := d.action(typeName, config)
	stream, err := server.InvokeAction(d.context(), &tfprotov6.InvokeActionRequest{ActionType: typeName, Config: dynamic})
	if err != nil {
		d.t.Fatal(err)
	}
	var invocation Invocation
	completed := 0
	for event := range stream.Events {
		switch event := event.Type.(type) {
		case tfprotov6.ProgressInvokeActionEventType:
			invocation.Progress = append(invocation.Progress, event.Message)
			for _, call := range onProgress {
				call(event.Message)
			}
		case tfprotov6.CompletedInvokeActionEventType:
			completed++
			invocation.Diagnostics = append(invocation.Diagnostics, diagnosticsOf("InvokeAction", event.Diagnostics)...)
		}
	}
	if completed != 1 {
		d.t.Errorf("%s completed %d times, want once", typeName, completed)
	}
	return invocation
}

func (d *Driver) action(typeName string, config map[string]any) (tfprotov6.ActionServer, *tfprotov6.DynamicValue) {
	d.t.Helper()
	schema, ok := d.schemas.ActionSchemas[typeName]
	if !ok {
		d.t.Fatalf("the provider has no action %q", typeName)
	}
	server, ok := d.server.(tfprotov6.ActionServer)
	if !ok {
		d.t.Fatal("the provider serves no actions")
	}
	return server, d.dynamic(schema.Schema.ValueType(), config)
}
