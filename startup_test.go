package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
)

// BenchmarkStartup measures what Terraform pays for each provider process: from
// its start to an answered request for the schema. A second provider binary,
// named by STARTUP_BESIDE, is started in turn with ours, so that both meet the
// same noise; their ratio is the figure to quote.
//
//	STARTUP_BESIDE=…/terraform-provider-scaffolding go test -run '^$' -bench Startup .
func BenchmarkStartup(b *testing.B) {
	ours := filepath.Join(b.TempDir(), "terraform-provider-senhasegura")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", ours, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		b.Fatalf("building the provider: %v\n%s", err, output)
	}
	beside := os.Getenv("STARTUP_BESIDE")

	var oursTook, besideTook []time.Duration
	for b.Loop() {
		oursTook = append(oursTook, startOnce(b, ours))
		if beside != "" {
			besideTook = append(besideTook, startOnce(b, beside))
		}
	}

	b.ReportMetric(0, "ns/op") // the loop may hold two starts; the medians below say what one takes
	b.ReportMetric(float64(median(oursTook).Microseconds())/1000, "ms-start")
	b.ReportMetric(size(b, ours), "MB")
	if beside != "" {
		b.ReportMetric(float64(median(besideTook).Microseconds())/1000, "ms-start-beside")
		b.ReportMetric(size(b, beside), "MB-beside")
		b.ReportMetric(float64(median(oursTook))/float64(median(besideTook)), "x-start")
	}
}

func median(durations []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[len(sorted)/2]
}

// size is in millions of bytes.
func size(b *testing.B, path string) float64 {
	b.Helper()
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return float64(info.Size()) / 1e6
}

// startOnce starts a provider the way Terraform does, asks for its schema, and
// returns how long the answer took from the start of the process.
func startOnce(b *testing.B, program string) time.Duration {
	b.Helper()
	began := time.Now()
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion:  5,
			MagicCookieKey:   "TF_PLUGIN_MAGIC_COOKIE",
			MagicCookieValue: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
		},
		VersionedPlugins: map[int]plugin.PluginSet{6: {"provider": schemaPlugin{}}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		Cmd:              exec.CommandContext(b.Context(), program),
		Logger:           hclog.NewNullLogger(),
	})
	defer client.Kill()
	protocol, err := client.Client()
	if err != nil {
		b.Fatalf("starting %s: %v", program, err)
	}
	dispensed, err := protocol.Dispense("provider")
	if err != nil {
		b.Fatal(err)
	}
	ask, ok := dispensed.(func(context.Context) ([]byte, error))
	if !ok {
		b.Fatalf("got %T", dispensed)
	}
	schema, err := ask(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if len(schema) == 0 {
		b.Fatal("the schema is empty")
	}
	return time.Since(began)
}

// schemaPlugin asks for the schema without decoding it: the time that a decoder
// takes is not the provider's.
type schemaPlugin struct{ plugin.NetRPCUnsupportedPlugin }

func (schemaPlugin) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("this is the client's side")
}

//nolint:unparam // the interface wants the error
func (schemaPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, connection *grpc.ClientConn) (any, error) {
	return func(ctx context.Context) ([]byte, error) {
		var request, answer []byte
		err := connection.Invoke(ctx, "/tfplugin6.Provider/GetProviderSchema", &request, &answer, grpc.ForceCodec(bytesCodec{}))
		return answer, err
	}, nil
}

// bytesCodec passes messages on as they are; an empty request is a valid message.
type bytesCodec struct{}

var _ encoding.Codec = bytesCodec{}

func (bytesCodec) Name() string { return "proto" }

func (bytesCodec) Marshal(v any) ([]byte, error) {
	if message, ok := v.(*[]byte); ok {
		return *message, nil
	}
	return nil, fmt.Errorf("cannot send %T", v)
}

func (bytesCodec) Unmarshal(data []byte, v any) error {
	message, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("cannot receive into %T", v)
	}
	*message = slices.Clone(data)
	return nil
}
