package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	ours := buildProvider(b)
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

// buildProvider returns the path of a new binary.
func buildProvider(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "terraform-provider-senhasegura")
	build := exec.CommandContext(tb.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("building the provider: %v\n%s", err, output)
	}
	return path
}

// startOnce starts a provider the way Terraform does, asks for its schema, and
// returns how long the answer took from the start of the process.
func startOnce(b *testing.B, program string) time.Duration {
	b.Helper()
	began := time.Now()
	ask, stop := startProvider(b, exec.CommandContext(b.Context(), program), io.Discard)
	defer stop()
	if schema := ask("GetProviderSchema", nil); len(schema) == 0 {
		b.Fatal("the schema is empty")
	}
	return time.Since(began)
}

// startProvider starts a provider the way Terraform does. Messages are asked and
// answered as they are on the wire. stderr has all that the process wrote there
// once stop has returned.
func startProvider(tb testing.TB, command *exec.Cmd, stderr io.Writer) (ask func(method string, request []byte) []byte, stop func()) {
	tb.Helper()
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion:  5,
			MagicCookieKey:   "TF_PLUGIN_MAGIC_COOKIE",
			MagicCookieValue: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
		},
		VersionedPlugins: map[int]plugin.PluginSet{6: {"provider": wirePlugin{}}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		Cmd:              command,
		Stderr:           stderr,
		Logger:           hclog.NewNullLogger(),
	})
	tb.Cleanup(client.Kill)
	protocol, err := client.Client()
	if err != nil {
		tb.Fatalf("starting %s: %v", command.Path, err)
	}
	dispensed, err := protocol.Dispense("provider")
	if err != nil {
		tb.Fatal(err)
	}
	connection, ok := dispensed.(*grpc.ClientConn)
	if !ok {
		tb.Fatalf("got %T", dispensed)
	}
	return func(method string, request []byte) []byte {
		tb.Helper()
		var answer []byte
		err := connection.Invoke(tb.Context(), "/tfplugin6.Provider/"+method, &request, &answer, grpc.ForceCodec(bytesCodec{}))
		if err != nil {
			tb.Fatalf("%s: %v", method, err)
		}
		return answer
	}, client.Kill
}

// wirePlugin gives the connection itself: the time that a decoder takes is not
// the provider's.
type wirePlugin struct{ plugin.NetRPCUnsupportedPlugin }

func (wirePlugin) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("this is the client's side")
}

func (wirePlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, connection *grpc.ClientConn) (any, error) {
	return connection, nil
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
