package provider

import (
	"context"
	"encoding/json"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// unsettledKey is the key of private state for the sessions that a failed destroy could
// not settle.
const unsettledKey = "unsettled_sessions"

// privateState is the private state of a request or a response.
type privateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// storedSession is a live session in private state, with the details by which a user
// recognizes it. The names are those of the attributes of a session.
type storedSession struct {
	SessionID  string    `json:"session_id"`
	RecordID   string    `json:"record_id,omitempty"`
	User       string    `json:"user,omitempty"`
	Credential string    `json:"credential,omitempty"`
	Device     string    `json:"device,omitempty"`
	Protocol   string    `json:"protocol,omitempty"`
	Proxy      string    `json:"proxy,omitempty"`
	OriginIP   string    `json:"origin_ip,omitempty"`
	StartedAt  time.Time `json:"started_at,omitzero"`
}

func newStoredSession(s session.Session) storedSession {
	return storedSession{s.ID, s.RecordID, s.User, s.Credential, s.Device, s.Protocol, s.Proxy, s.OriginIP, s.StartedAt}
}

func (s storedSession) session() session.Session {
	return session.Session{
		ID: s.SessionID, RecordID: s.RecordID, User: s.User, Credential: s.Credential, Device: s.Device,
		Protocol: s.Protocol, Proxy: s.Proxy, OriginIP: s.OriginIP, StartedAt: s.StartedAt,
	}
}

// keepUnsettled replaces the unsettled sessions in private state.
func keepUnsettled(ctx context.Context, private privateState, sessions []session.Session) diag.Diagnostics {
	unsettled := make([]storedSession, 0, len(sessions))
	for _, s := range sessions {
		unsettled = append(unsettled, newStoredSession(s))
	}
	value, err := json.Marshal(unsettled)
	if err != nil {
		return diag.Diagnostics{unsettledNotKept(err)}
	}
	return private.SetKey(ctx, unsettledKey, value)
}

// unsettledFrom gives the unsettled sessions in private state. known is false if
// private state has no list of them, not even an empty one.
func unsettledFrom(ctx context.Context, private privateState) (sessions []session.Session, known bool, diags diag.Diagnostics) {
	value, diags := private.GetKey(ctx, unsettledKey)
	if len(value) == 0 || diags.HasError() {
		return nil, false, diags
	}
	var unsettled []storedSession
	if err := json.Unmarshal(value, &unsettled); err != nil {
		return nil, false, append(diags, unreadableUnsettled(err))
	}
	for _, s := range unsettled {
		sessions = append(sessions, s.session())
	}
	return sessions, true, diags
}
