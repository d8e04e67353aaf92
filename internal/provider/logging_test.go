package provider

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-log/tflogtest"
)

// TestLogHandler: what the API client logs arrives in Terraform's log under the
// same level, with its fields.
func TestLogHandler(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		level slog.Level
		want  string
	}{
		"debug":       {slog.LevelDebug, "debug"},
		"info":        {slog.LevelInfo, "info"},
		"warning":     {slog.LevelWarn, "warn"},
		"error":       {slog.LevelError, "error"},
		"above error": {slog.LevelError + 4, "error"},
		"below debug": {slog.LevelDebug - 4, "debug"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			ctx := tflogtest.RootLogger(t.Context(), &out)
			logger := slog.New(&logHandler{}).With("op", "drop").With("attempt", 2)

			logger.Log(ctx, test.level, "A2A request", "status", 200)

			entries, err := tflogtest.MultilineJSONDecode(&out)
			if err != nil {
				t.Fatal(err)
			}
			if len(entries) != 1 {
				t.Fatalf("%d entries, want 1: %v", len(entries), entries)
			}
			want := map[string]any{
				"@level": test.want, "@message": "A2A request", "@module": "provider.a2a",
				"op": "drop", "attempt": 2.0, "status": 200.0,
			}
			if diff := cmp.Diff(want, entries[0]); diff != "" {
				t.Errorf("entry (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLogHandlerKeepsFieldsApart: a logger with fields does not change the one
// it was made from, as many operations share that.
func TestLogHandlerKeepsFieldsApart(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	ctx := tflogtest.RootLogger(t.Context(), &out)
	logger := slog.New(&logHandler{}).With("op", "drop")
	logger.With("attempt", 2).DebugContext(ctx, "first")
	logger.DebugContext(ctx, "second")

	entries, err := tflogtest.MultilineJSONDecode(&out)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 || entries[0]["attempt"] != 2.0 || entries[1]["attempt"] != nil || entries[1]["op"] != "drop" {
		t.Errorf("entries: %v", entries)
	}
}
