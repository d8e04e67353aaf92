package acctest

import (
	"context"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/provider"
)

// Spy sees what the provider tells Terraform, over all the servers that
// terraform-plugin-testing starts for one test. The zero value is ready; it is
// safe for concurrent use.
type Spy struct {
	mu          sync.Mutex
	diagnostics Diagnostics
	progress    []string
}

// Errors gives the errors so far, with the RPC that each came from.
func (s *Spy) Errors() Diagnostics { return s.all().Errors() }

// Warnings gives the warnings so far, with the RPC that each came from. A
// configuration is read several times in one step, so one may come up often.
func (s *Spy) Warnings() Diagnostics { return s.all().Warnings() }

// Progress gives the messages that actions have sent, in order.
func (s *Spy) Progress() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.progress...)
}

// Text gives all that was said, for searches.
func (s *Spy) Text() string {
	return strings.Join(append(s.Progress(), s.all().String()), "\n")
}

// Forget empties the record.
func (s *Spy) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.diagnostics, s.progress = nil, nil
}

func (s *Spy) all() Diagnostics {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(Diagnostics(nil), s.diagnostics...)
}

func (s *Spy) hear(rpc string, raw []*tfprotov6.Diagnostic) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.diagnostics = append(s.diagnostics, diagnosticsOf(rpc, raw)...)
}

func (s *Spy) hearProgress(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.progress = append(s.progress, message)
}

// Factories gives terraform-plugin-testing the provider. spy may be nil.
func Factories(spy *Spy) map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"senhasegura": func() (tfprotov6.ProviderServer, error) {
			server, err := providerserver.NewProtocol6WithError(provider.New(version)())()
			if err != nil || spy == nil {
				return server, err
			}
			return &spiedServer{ProviderServer: server, spy: spy}, nil
		},
	}
}

// spiedServer overrides the RPCs whose diagnostics users see.
type spiedServer struct {
	tfprotov6.ProviderServer
	spy *Spy
}

var _ tfprotov6.ActionServer = (*spiedServer)(nil)

func (s *spiedServer) ValidateProviderConfig(ctx context.Context, req *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	resp, err := s.ProviderServer.ValidateProviderConfig(ctx, req)
	if resp != nil {
		s.spy.hear("ValidateProviderConfig", resp.Diagnostics)
	}
	return resp, err
}

func (s *spiedServer) ConfigureProvider(ctx context.Context, req *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	resp, err := s.ProviderServer.ConfigureProvider(ctx, req)
	if resp != nil {
		s.spy.hear("ConfigureProvider", resp.Diagnostics)
	}
	return resp, err
}

func (s *spiedServer) ValidateResourceConfig(ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	resp, err := s.ProviderServer.ValidateResourceConfig(ctx, req)
	if resp != nil {
		s.spy.hear("ValidateResourceConfig", resp.Diagnostics)
	}
	return resp, err
}

func (s *spiedServer) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	resp, err := s.ProviderServer.PlanResourceChange(ctx, req)
	if resp != nil {
		s.spy.hear("PlanResourceChange", resp.Diagnostics)
	}
	return resp, err
}

func (s *spiedServer) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	resp, err := s.ProviderServer.ApplyResourceChange(ctx, req)
	if resp != nil {
		s.spy.hear("ApplyResourceChange", resp.Diagnostics)
	}
	return resp, err
}

func (s *spiedServer) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	resp, err := s.ProviderServer.ReadResource(ctx, req)
	if resp != nil {
		s.spy.hear("ReadResource", resp.Diagnostics)
	}
	return resp, err
}

func (s *spiedServer) ImportResourceState(ctx context.Context, req *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	resp, err := s.ProviderServer.ImportResourceState(ctx, req)
	if resp != nil {
		s.spy.hear("ImportResourceState", resp.Diagnostics)
	}
	return resp, err
}

func (s *spiedServer) ValidateDataResourceConfig(ctx context.Context, req *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	resp, err := s.ProviderServer.ValidateDataResourceConfig(ctx, req)
	if resp != nil {
		s.spy.hear("ValidateDataResourceConfig", resp.Diagnostics)
	}
	return resp, err
}

func (s *spiedServer) ReadDataSource(ctx context.Context, req *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	resp, err := s.ProviderServer.ReadDataSource(ctx, req)
	if resp != nil {
		s.spy.hear("ReadDataSource", resp.Diagnostics)
	}
	return resp, err
}

// actions is the server below; the framework's always serves actions.
func (s *spiedServer) actions() tfprotov6.ActionServer {
	server, ok := s.ProviderServer.(tfprotov6.ActionServer)
	if !ok {
		panic("acctest: the framework's server does not serve actions")
	}
	return server
}

func (s *spiedServer) ValidateActionConfig(ctx context.Context, req *tfprotov6.ValidateActionConfigRequest) (*tfprotov6.ValidateActionConfigResponse, error) {
	resp, err := s.actions().ValidateActionConfig(ctx, req)
	if resp != nil {
		s.spy.hear("ValidateActionConfig", resp.Diagnostics)
	}
	return resp, err
}

func (s *spiedServer) PlanAction(ctx context.Context, req *tfprotov6.PlanActionRequest) (*tfprotov6.PlanActionResponse, error) {
	resp, err := s.actions().PlanAction(ctx, req)
	if resp != nil {
		s.spy.hear("PlanAction", resp.Diagnostics)
	}
	return resp, err
}

func (s *spiedServer) InvokeAction(ctx context.Context, req *tfprotov6.InvokeActionRequest) (*tfprotov6.InvokeActionServerStream, error) {
	stream, err := s.actions().InvokeAction(ctx, req)
	if err != nil {
		return stream, err
	}
	events := stream.Events
	stream.Events = func(yield func(tfprotov6.InvokeActionEvent) bool) {
		for event := range events {
			switch event := event.Type.(type) {
			case tfprotov6.ProgressInvokeActionEventType:
				s.spy.hearProgress(event.Message)
			case tfprotov6.CompletedInvokeActionEventType:
				s.spy.hear("InvokeAction", event.Diagnostics)
			}
			if !yield(event) {
				return
			}
		}
	}
	return stream, nil
}
