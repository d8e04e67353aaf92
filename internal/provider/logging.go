package provider

import (
	"context"
	"log/slog"
	"maps"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// logSubsystem is the name of the API client in Terraform's log.
const logSubsystem = "a2a"

// logHandler passes the log records of the API client to Terraform's log. It is safe
// for concurrent use and keeps no state; the logger is in the context of each call.
type logHandler struct {
	fields map[string]any
}

// Enabled is always true: Terraform's logger applies TF_LOG itself.
func (h *logHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *logHandler) Handle(ctx context.Context, record slog.Record) error {
	ctx = tflog.NewSubsystem(ctx, logSubsystem)
	fields := make(map[string]any, len(h.fields)+record.NumAttrs())
	maps.Copy(fields, h.fields)
	record.Attrs(func(attribute slog.Attr) bool {
		fields[attribute.Key] = attribute.Value.Any()
		return true
	})
	switch {
	case record.Level >= slog.LevelError:
		tflog.SubsystemError(ctx, logSubsystem, record.Message, fields)
	case record.Level >= slog.LevelWarn:
		tflog.SubsystemWarn(ctx, logSubsystem, record.Message, fields)
	case record.Level >= slog.LevelInfo:
		tflog.SubsystemInfo(ctx, logSubsystem, record.Message, fields)
	default:
		tflog.SubsystemDebug(ctx, logSubsystem, record.Message, fields)
	}
	return nil
}

func (h *logHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	fields := make(map[string]any, len(h.fields)+len(attributes))
	maps.Copy(fields, h.fields)
	for _, attribute := range attributes {
		fields[attribute.Key] = attribute.Value.Any()
	}
	return &logHandler{fields: fields}
}

// WithGroup is a NO-OP: the client logs flat fields.
func (h *logHandler) WithGroup(string) slog.Handler { return h }
