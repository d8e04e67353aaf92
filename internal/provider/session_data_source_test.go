package provider

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	frameworkprovider "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// scriptedAPI answers from fixed sessions and counts what it is asked.
type scriptedAPI struct {
	rows    []session.Session
	listErr error
	record  func(recordID string) (session.Session, error)

	mu    sync.Mutex
	calls []string
}

func (p *scriptedAPI) note(call string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, call)
}

func (p *scriptedAPI) journal() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.calls)
}

func (p *scriptedAPI) Sessions(context.Context) iter.Seq2[session.Session, error] {
	p.note("list")
	return func(yield func(session.Session, error) bool) {
		for _, row := range p.rows {
			if !yield(row, nil) {
				return
			}
		}
		if p.listErr != nil {
			yield(session.Session{}, p.listErr)
		}
	}
}

func (p *scriptedAPI) Session(_ context.Context, recordID string) (session.Session, error) {
	p.note("get " + recordID)
	return p.record(recordID)
}

func (p *scriptedAPI) Drop(_ context.Context, sessionID string) error {
	p.note("drop " + sessionID)
	return session.ErrRefused
}

// dataSourceProvider is the provider with a scripted API behind its data sources.
type dataSourceProvider struct {
	senhasegura
	data *providerData
}

func (p *dataSourceProvider) Configure(_ context.Context, _ frameworkprovider.ConfigureRequest, resp *frameworkprovider.ConfigureResponse) {
	resp.DataSourceData = p.data
}

func (p *dataSourceProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{newSessionDataSource, newSessionsDataSource}
}

// dataSourceServer speaks the protocol with the data sources over pam, which is
// nil where the provider's arguments are not known yet.
type dataSourceServer struct {
	tfprotov6.ProviderServer
	schemas map[string]*tfprotov6.Schema
}

func serveDataSources(t *testing.T, api *scriptedAPI) *dataSourceServer {
	t.Helper()
	data := &providerData{unknown: []string{"`url`"}}
	if api != nil {
		data = &providerData{terminator: termination.New(api, termination.Options{Zone: time.UTC}), zone: time.UTC}
	}
	server, err := providerserver.NewProtocol6WithError(&dataSourceProvider{data: data})()
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	none := encode(t, schemas.Provider.ValueType(), nil)
	configured, err := server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: none})
	if err != nil || len(configured.Diagnostics) > 0 {
		t.Fatalf("configure: %v, %v", err, configured.Diagnostics)
	}
	return &dataSourceServer{ProviderServer: server, schemas: schemas.DataSourceSchemas}
}

// validate gives the diagnostics of a configuration, one line each.
func (s *dataSourceServer) validate(t *testing.T, name string, config map[string]any) []string {
	t.Helper()
	resp, err := s.ValidateDataResourceConfig(t.Context(), &tfprotov6.ValidateDataResourceConfigRequest{
		TypeName: name,
		Config:   encode(t, s.schemas[name].ValueType(), config),
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines(resp.Diagnostics)
}

// read gives the state as Go values, and the diagnostics, one line each.
func (s *dataSourceServer) read(t *testing.T, name string, config map[string]any) (state map[string]any, diagnostics []string) {
	t.Helper()
	kind := s.schemas[name].ValueType()
	resp, err := s.ReadDataSource(t.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: name, Config: encode(t, kind, config)})
	if err != nil {
		t.Fatal(err)
	}
	if resp.State != nil {
		value, err := resp.State.Unmarshal(kind)
		if err != nil {
			t.Fatal(err)
		}
		state, _ = decode(t, value).(map[string]any)
	}
	return state, lines(resp.Diagnostics)
}

// lines writes diagnostics as "ERROR path: summary | detail".
func lines(diagnostics []*tfprotov6.Diagnostic) []string {
	texts := make([]string, 0, len(diagnostics))
	for _, d := range diagnostics {
		at := ""
		if d.Attribute != nil {
			at = " " + d.Attribute.String()
		}
		texts = append(texts, fmt.Sprintf("%s%s: %s | %s", d.Severity, at, d.Summary, d.Detail))
	}
	return texts
}

type unknownValue struct{}

func encode(t *testing.T, kind tftypes.Type, value any) *tfprotov6.DynamicValue {
	t.Helper()
	if value == nil {
		value = map[string]any{}
	}
	dynamic, err := tfprotov6.NewDynamicValue(kind, convert(t, kind, value))
	if err != nil {
		t.Fatal(err)
	}
	return &dynamic
}

// convert makes a value of the given type; attributes left out are null.
func convert(t *testing.T, kind tftypes.Type, value any) tftypes.Value {
	t.Helper()
	switch value := value.(type) {
	case nil:
		return tftypes.NewValue(kind, nil)
	case unknownValue:
		return tftypes.NewValue(kind, tftypes.UnknownValue)
	case map[string]any:
		object, ok := kind.(tftypes.Object)
		if !ok {
			t.Fatalf("an object given for %s", kind)
		}
		attributes := map[string]tftypes.Value{}
		for name, member := range object.AttributeTypes {
			attributes[name] = convert(t, member, value[name])
		}
		for name := range value {
			if _, ok := object.AttributeTypes[name]; !ok {
				t.Fatalf("there is no attribute %q", name)
			}
		}
		return tftypes.NewValue(kind, attributes)
	case []any:
		elements := make([]tftypes.Value, 0, len(value))
		for _, element := range value {
			elements = append(elements, convert(t, tftypes.String, element))
		}
		return tftypes.NewValue(kind, elements)
	default:
		return tftypes.NewValue(kind, value)
	}
}

func decode(t *testing.T, value tftypes.Value) any {
	t.Helper()
	if value.IsNull() {
		return nil
	}
	as := func(target any) {
		if err := value.As(target); err != nil {
			t.Fatalf("decode %s: %v", value.Type(), err)
		}
	}
	switch kind := value.Type(); {
	case kind.Is(tftypes.Object{}):
		members, out := map[string]tftypes.Value{}, map[string]any{}
		as(&members)
		for name, member := range members {
			out[name] = decode(t, member)
		}
		return out
	case kind.Is(tftypes.List{}), kind.Is(tftypes.Set{}):
		elements, out := []tftypes.Value{}, []any{}
		as(&elements)
		for _, element := range elements {
			out = append(out, decode(t, element))
		}
		return out
	case kind.Is(tftypes.Bool):
		var truth bool
		as(&truth)
		return truth
	default:
		var text string
		as(&text)
		return text
	}
}

// wantLines compares diagnostics with texts that each of them must contain, in the same
// order. White space counts as one blank, because lists are wrapped.
func wantLines(t *testing.T, got []string, want ...[]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d diagnostics, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i, texts := range want {
		for _, text := range texts {
			if said := strings.Join(strings.Fields(got[i]), " "); !strings.Contains(said, strings.TrimSpace(text)) {
				t.Errorf("diagnostic %d lacks %q:\n%s", i, text, got[i])
			}
		}
	}
}

var sessionStart = time.Date(2025, time.March, 3, 9, 0, 0, 0, time.FixedZone("", -3*3600))

func liveSession(id, record string) session.Session {
	return session.Session{
		ID: id, RecordID: record, User: "alice", Credential: "root", Device: "10.0.0.9:22", Protocol: "ssh",
		Proxy: "Web Proxy", OriginIP: "172.16.0.7", StartedAt: sessionStart,
	}
}

func endedSession(id, record string) session.Session {
	s := liveSession(id, record)
	s.EndedAt = sessionStart.Add(time.Hour)
	return s
}

func TestSessionDataSourceShowsASession(t *testing.T) {
	t.Parallel()
	everything := map[string]any{
		"session_id": "hash-b", "record_id": "7", "user": "alice", "credential": "root", "device": "10.0.0.9:22", "protocol": "ssh",
		"proxy": "Web Proxy", "origin_ip": "172.16.0.7", "started_at": "2025-03-03T09:00:00-03:00", "ended_at": "2025-03-03T10:00:00-03:00",
		"live": false, "timeouts": nil,
	}
	bare := map[string]any{
		"session_id": "hash-c", "record_id": nil, "user": nil, "credential": nil, "device": nil, "protocol": nil,
		"proxy": nil, "origin_ip": nil, "started_at": nil, "ended_at": nil, "live": true, "timeouts": nil,
	}
	padded := map[string]any{}
	maps.Copy(padded, everything)
	padded["record_id"] = "007"
	tests := map[string]struct {
		config  map[string]any
		want    map[string]any
		journal []string
	}{
		"by session id":                   {map[string]any{"session_id": "hash-b"}, everything, []string{"list"}},
		"by record id":                    {map[string]any{"record_id": "7"}, everything, []string{"get 7"}},
		"by record id with leading zeros": {map[string]any{"record_id": "007"}, padded, []string{"get 007"}},
		"with nothing but its ID":         {map[string]any{"session_id": "hash-c"}, bare, []string{"list"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := &scriptedAPI{
				rows:   []session.Session{liveSession("hash-a", "6"), endedSession("hash-b", "7"), {ID: "hash-c"}},
				record: func(string) (session.Session, error) { return endedSession("hash-b", "7"), nil },
			}
			state, diags := serveDataSources(t, api).read(t, "senhasegura_session", test.config)
			wantLines(t, diags)
			for name, want := range test.want {
				if state[name] != want {
					t.Errorf("%s = %v, want %v", name, state[name], want)
				}
			}
			if len(state) != len(test.want) {
				t.Errorf("state = %v, want only the attributes of %v", state, test.want)
			}
			if got := api.journal(); !slices.Equal(got, test.journal) {
				t.Errorf("requests = %q, want %q", got, test.journal)
			}
		})
	}
}

func TestSessionDataSourceReadFailures(t *testing.T) {
	t.Parallel()
	fails := func(err error) func(string) (session.Session, error) {
		return func(string) (session.Session, error) { return session.Session{}, err }
	}
	const notFound = "Can't read session: the session wasn't found, or is outside the authorization's scope"
	byRecord := map[string]any{"record_id": "7"}
	byID := map[string]any{"session_id": "hash-x"}
	byDigits := map[string]any{"session_id": "6"}
	tests := map[string]struct {
		api    *scriptedAPI
		config map[string]any
		want   []string
	}{
		"unknown record": {
			&scriptedAPI{record: fails(session.ErrNotFound)}, byRecord,
			[]string{`ERROR AttributeName("record_id")`, `"7"`, notFound, "doesn't mean that it ended", "Check the identifier."},
		},
		"unknown session id": {
			&scriptedAPI{rows: []session.Session{liveSession("hash-a", "6")}}, byID,
			[]string{`ERROR AttributeName("session_id")`, `"hash-x"`, notFound, "Credential and Device"},
		},
		"unknown session id of digits": {
			&scriptedAPI{rows: []session.Session{liveSession("hash-a", "6")}}, byDigits,
			[]string{`ERROR AttributeName("session_id")`, notFound, `"6" looks like a record ID`, "the number belongs in `record_id`"},
		},
		"no permission for the list": {
			&scriptedAPI{listErr: session.ErrPermission}, byID,
			[]string{"ERROR: ", "A2A › Applications › Authorizations", "PAM Core", "Read-only", "Credentials and Devices", `"hash-x"`},
		},
		"no permission for the record": {
			&scriptedAPI{record: fails(session.ErrPermission)}, byRecord,
			[]string{"ERROR: ", "A2A › Applications › Authorizations", "PAM Core"},
		},
		"wrong route is not an unknown session": {
			&scriptedAPI{record: fails(session.ErrWrongRoute)}, byRecord,
			[]string{"ERROR: Can't read session: no senhasegura API was found", `"7"`},
		},
		"identifier refused": {
			&scriptedAPI{record: fails(session.ErrIdentifier)}, byRecord,
			[]string{`ERROR AttributeName("record_id"): Can't read session: the identifier is of the wrong kind`, `"7"`},
		},
		"list that breaks off after the row": {
			&scriptedAPI{rows: []session.Session{liveSession("hash-x", "6")}, listErr: session.ErrTransient}, byID,
			[]string{"ERROR: Can't read session: senhasegura or a gateway in front of it keeps failing", `"hash-x"`},
		},
		"arguments of the provider unknown": {
			nil, byID,
			[]string{"ERROR: ", "not known yet", "`url`"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state, diags := serveDataSources(t, test.api).read(t, "senhasegura_session", test.config)
			wantLines(t, diags, test.want)
			if state["live"] != nil {
				t.Errorf("a failed read says live = %v", state["live"])
			}
		})
	}
}

func TestSessionDataSourceValidation(t *testing.T) {
	t.Parallel()
	server := serveDataSources(t, nil)
	tests := map[string]struct {
		config map[string]any
		want   [][]string
	}{
		"session id":     {map[string]any{"session_id": "hash-a"}, nil},
		"record id":      {map[string]any{"record_id": "7"}, nil},
		"unknown id":     {map[string]any{"session_id": unknownValue{}}, nil},
		"neither":        {nil, [][]string{{"ERROR", "session_id"}}},
		"both":           {map[string]any{"session_id": "hash-a", "record_id": "7"}, [][]string{{"ERROR", `AttributeName("session_id")`}}},
		"dot segment":    {map[string]any{"session_id": "../7"}, [][]string{{`ERROR AttributeName("session_id")`, "path segment"}}},
		"no time":        {map[string]any{"record_id": "7", "timeouts": map[string]any{"read": "0s"}}, [][]string{{`ERROR AttributeName("timeouts").AttributeName("read")`, "must be greater than zero"}}},
		"hash as record": {map[string]any{"record_id": "c819"}, [][]string{{`ERROR AttributeName("record_id")`, "digits"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantLines(t, server.validate(t, "senhasegura_session", test.config), test.want...)
		})
	}
}
