package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// sessionAttributes has the description of every attribute of a session, which all
// schemas share. They are all computed.
var sessionAttributes = map[string]string{ //nolint:gosec // words about credentials, not credentials
	"session_id": "Session ID: the 40-character hash that identifies the session in a termination request.",
	"record_id":  "Record ID: the number of the session in senhasegura.",
	"user":       "senhasegura user.",
	"credential": "Credential used on the device.",
	"device":     "Device as senhasegura shows it: host name or IP address, usually with the port.",
	"protocol":   "Protocol, such as `ssh` or `rdp`.",
	"proxy":      "senhasegura proxy of the session, such as `Web Proxy`.",
	"origin_ip":  "IP address from which the user is connected.",
	"started_at": "Start time of the session, in RFC 3339 format. Null if senhasegura reports no readable time.",
	"ended_at":   "End time of the session as senhasegura reports it, in RFC 3339 format. Null if the session is live.",
	"live":       "Whether the session is live (senhasegura reports no end time).",
}

// detailNames are the attributes by which a user recognizes a session.
var detailNames = []string{"user", "credential", "device", "protocol", "proxy", "origin_ip", "started_at", "ended_at"}

// detailsModel is what the state of a termination keeps of its session.
type detailsModel struct {
	User       types.String `tfsdk:"user"`
	Credential types.String `tfsdk:"credential"`
	Device     types.String `tfsdk:"device"`
	Protocol   types.String `tfsdk:"protocol"`
	Proxy      types.String `tfsdk:"proxy"`
	OriginIP   types.String `tfsdk:"origin_ip"`
	StartedAt  types.String `tfsdk:"started_at"`
	EndedAt    types.String `tfsdk:"ended_at"`
}

// detailTypes are the attribute types of evidenceModel.
func detailTypes() map[string]attr.Type {
	names := make(map[string]attr.Type, len(detailNames))
	for _, name := range detailNames {
		names[name] = types.StringType
	}
	return names
}

// sessionFacts are the attributes of a session in every list of sessions.
type sessionFacts struct {
	SessionID types.String `tfsdk:"session_id"`
	RecordID  types.String `tfsdk:"record_id"`
	detailsModel
}

func newSessionFacts(s session.Session) sessionFacts {
	return sessionFacts{SessionID: textOrNull(s.ID), RecordID: textOrNull(s.RecordID), detailsModel: newDetailsModel(s)}
}

// session gives the session that the facts describe, for a run that reads it again.
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

func newDetailsModel(s session.Session) detailsModel {
	return detailsModel{
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

// textOrNull: senhasegura omits what it does not know, so an empty text is null.
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
