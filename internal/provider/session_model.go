package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// sessionAttributes describes every attribute of a session in the words that all
// schemas share. They are all computed.
var sessionAttributes = map[string]string{ //nolint:gosec // words about credentials, not credentials
	"session_id": "The session's unique hash, which a drop takes.",
	"record_id":  "The session's row number in PAM, in digits.",
	"user":       "The user of PAM who is, or was, connected.",
	"credential": "The credential that the session uses on the device.",
	"device":     "The device, as PAM writes it: host or address, usually with the port.",
	"protocol":   "The protocol, for example `ssh` or `rdp`.",
	"proxy":      "The proxy of PAM through which the session runs, for example `Web Proxy`.",
	"origin_ip":  "The address from which the user is connected.",
	"started_at": "When the session started, in RFC 3339. Null where PAM sent no readable time.",
	"ended_at":   "When the session ended, by PAM's clock, in RFC 3339. Null while it was not seen ended.",
	"live":       "Whether the session is not known to have ended.",
}

// evidenceNames are the attributes by which a person recognizes a session.
var evidenceNames = []string{"user", "credential", "device", "protocol", "proxy", "origin_ip", "started_at", "ended_at"}

// evidenceModel is what is kept of a session as evidence of its termination.
type evidenceModel struct {
	User       types.String `tfsdk:"user"`
	Credential types.String `tfsdk:"credential"`
	Device     types.String `tfsdk:"device"`
	Protocol   types.String `tfsdk:"protocol"`
	Proxy      types.String `tfsdk:"proxy"`
	OriginIP   types.String `tfsdk:"origin_ip"`
	StartedAt  types.String `tfsdk:"started_at"`
	EndedAt    types.String `tfsdk:"ended_at"`
}

// evidenceTypes are the attribute types of evidenceModel.
func evidenceTypes() map[string]attr.Type {
	names := make(map[string]attr.Type, len(evidenceNames))
	for _, name := range evidenceNames {
		names[name] = types.StringType
	}
	return names
}

// sessionFacts are what is shown of a session wherever sessions are listed.
type sessionFacts struct {
	SessionID types.String `tfsdk:"session_id"`
	RecordID  types.String `tfsdk:"record_id"`
	evidenceModel
}

func newSessionFacts(s session.Session) sessionFacts {
	return sessionFacts{SessionID: textOrNull(s.ID), RecordID: textOrNull(s.RecordID), evidenceModel: newEvidenceModel(s)}
}

// session gives what the facts tell of a session, for a run that looks for it again.
func (f sessionFacts) session() session.Session {
	started, err := time.Parse(time.RFC3339, f.StartedAt.ValueString())
	if err != nil {
		started = time.Time{}
	}
	return session.Session{
		ID: f.SessionID.ValueString(), RecordID: f.RecordID.ValueString(),
		User: f.User.ValueString(), Credential: f.Credential.ValueString(), Device: f.Device.ValueString(),
		Protocol: f.Protocol.ValueString(), Proxy: f.Proxy.ValueString(), OriginIP: f.OriginIP.ValueString(),
		StartedAt: started,
	}
}

// sessionModel is one session with all its attributes.
type sessionModel struct {
	sessionFacts
	Live types.Bool `tfsdk:"live"`
}

func newSessionModel(s session.Session) sessionModel {
	return sessionModel{sessionFacts: newSessionFacts(s), Live: types.BoolValue(s.Live())}
}

func newSessionModels(sessions []session.Session) []sessionModel {
	models := make([]sessionModel, 0, len(sessions))
	for _, s := range sessions {
		models = append(models, newSessionModel(s))
	}
	return models
}

// sessionAttributeType is the type of one attribute in sessionAttributes.
func sessionAttributeType(name string) attr.Type {
	if name == "live" {
		return types.BoolType
	}
	return types.StringType
}

// sessionType is the type of sessionModel.
func sessionType() types.ObjectType {
	members := make(map[string]attr.Type, len(sessionAttributes))
	for name := range sessionAttributes {
		members[name] = sessionAttributeType(name)
	}
	return types.ObjectType{AttrTypes: members}
}

// sessionDataAttributes are the computed attributes of a session in a data source.
func sessionDataAttributes() map[string]schema.Attribute {
	attributes := make(map[string]schema.Attribute, len(sessionAttributes))
	for name, words := range sessionAttributes {
		if sessionAttributeType(name) == types.BoolType {
			attributes[name] = schema.BoolAttribute{MarkdownDescription: words, Computed: true}
			continue
		}
		attributes[name] = schema.StringAttribute{MarkdownDescription: words, Computed: true}
	}
	return attributes
}

func newEvidenceModel(s session.Session) evidenceModel {
	return evidenceModel{
		User:       textOrNull(s.User),
		Credential: textOrNull(s.Credential),
		Device:     textOrNull(s.Device),
		Protocol:   textOrNull(s.Protocol),
		Proxy:      textOrNull(s.Proxy),
		OriginIP:   textOrNull(s.OriginIP),
		StartedAt:  timeOrNull(s.StartedAt),
		EndedAt:    timeOrNull(s.EndedAt),
	}
}

// textOrNull: PAM leaves out what it does not know, so an empty text is no value.
func textOrNull(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}

// timeOrNull gives t in RFC 3339, and null for a time that is not known.
func timeOrNull(t time.Time) types.String {
	if t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(t.Format(time.RFC3339))
}
