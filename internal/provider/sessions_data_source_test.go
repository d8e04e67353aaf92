package provider

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// shown gives one attribute of every session in the state.
func shown(t *testing.T, state map[string]any, attribute string) []any {
	t.Helper()
	return shownIn(t, state, "sessions", attribute)
}

// shownIn gives one attribute of every session in a list of the state.
func shownIn(t *testing.T, state map[string]any, list, attribute string) []any {
	t.Helper()
	sessions, ok := state[list].([]any)
	if !ok {
		t.Fatalf("%s = %v", list, state[list])
	}
	values := make([]any, 0, len(sessions))
	for _, s := range sessions {
		members, ok := s.(map[string]any)
		if !ok {
			t.Fatalf("session = %v", s)
		}
		values = append(values, members[attribute])
	}
	return values
}

func TestSessionsDataSourceChooses(t *testing.T) {
	t.Parallel()
	bob := liveSession("bob", "2")
	bob.User, bob.Device = "Bob", "db.example.com:5432"
	old := liveSession("old", "3")
	old.StartedAt = sessionStart.Add(-24 * time.Hour)
	rows := []session.Session{liveSession("alice", "1"), bob, old, endedSession("ended", "4")}
	tests := map[string]struct {
		config map[string]any
		want   []any
	}{
		"live by default":              {nil, []any{"old", "alice", "bob"}},
		"a match that sets nothing":    {map[string]any{"match": map[string]any{}}, []any{"old", "alice", "bob"}},
		"live":                         {map[string]any{"state": "live"}, []any{"old", "alice", "bob"}},
		"ended":                        {map[string]any{"state": "ended"}, []any{"ended"}},
		"all":                          {map[string]any{"state": "all"}, []any{"old", "alice", "bob", "ended"}},
		"user":                         {map[string]any{"match": map[string]any{"users": []any{"BOB"}}}, []any{"bob"}},
		"device":                       {map[string]any{"match": map[string]any{"devices": []any{"DB.example.com"}}}, []any{"bob"}},
		"device and another user":      {map[string]any{"match": map[string]any{"devices": []any{"db.example.com"}, "users": []any{"alice"}}}, []any(nil)},
		"session ids":                  {map[string]any{"match": map[string]any{"session_ids": []any{"old", "ended"}}}, []any{"old"}},
		"origin":                       {map[string]any{"match": map[string]any{"origin_ips": []any{"172.16.0.0/12"}}, "state": "ended"}, []any{"ended"}},
		"credentials and protocols":    {map[string]any{"match": map[string]any{"credentials": []any{"root"}, "protocols": []any{"rdp"}}}, []any(nil)},
		"proxies":                      {map[string]any{"match": map[string]any{"proxies": []any{"web proxy"}}}, []any{"old", "alice", "bob"}},
		"older than a century":         {map[string]any{"match": map[string]any{"older_than": "876000h"}}, []any(nil)},
		"older than an hour":           {map[string]any{"match": map[string]any{"older_than": "1h"}}, []any{"old", "alice", "bob"}},
		"exclude":                      {map[string]any{"exclude": map[string]any{"users": []any{"alice"}}}, []any{"bob"}},
		"exclude that sets nothing":    {map[string]any{"exclude": map[string]any{}}, []any{"old", "alice", "bob"}},
		"exclude wins over match":      {map[string]any{"match": map[string]any{"users": []any{"bob"}}, "exclude": map[string]any{"devices": []any{"db.example.com:5432"}}}, []any(nil)},
		"exclude of every ended":       {map[string]any{"state": "all", "exclude": map[string]any{"session_ids": []any{"ended"}}}, []any{"old", "alice", "bob"}},
		"live rows outside of a match": {map[string]any{"state": "ended", "match": map[string]any{"users": []any{"nobody"}}}, []any(nil)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := &scriptedAPI{rows: rows}
			state, diags := serveDataSources(t, api).read(t, "senhasegura_sessions", test.config)
			wantLines(t, diags)
			if got := shown(t, state, "session_id"); !slices.Equal(got, test.want) {
				t.Errorf("sessions = %v, want %v", got, test.want)
			}
			if got, ok := state["session_ids"].([]any); !ok || !slices.Equal(got, test.want) {
				t.Errorf("session_ids = %v, want %v", state["session_ids"], test.want)
			}
			if got := api.journal(); !slices.Equal(got, []string{"list"}) {
				t.Errorf("requests = %q, want one list", got)
			}
		})
	}
}

func TestSessionsDataSourceOrder(t *testing.T) {
	t.Parallel()
	at := func(id, record string, start time.Time) session.Session {
		s := liveSession(id, record)
		s.StartedAt = start
		return s
	}
	rows := []session.Session{
		at("no start, 2", "2", time.Time{}), at("late", "1", sessionStart.Add(time.Second)),
		at("ten", "10", sessionStart), at("no record", "", sessionStart), at("nine", "9", sessionStart), at("huge", "18446744073709551616", sessionStart),
		at("no start, 1", "1", time.Time{}), at("early in UTC", "99", sessionStart.Add(-time.Second).UTC()),
		at("eight", "0008", sessionStart),
	}
	want := []any{"early in UTC", "eight", "nine", "ten", "huge", "no record", "late", "no start, 1", "no start, 2"}
	for turn := range rows {
		rows := append(slices.Clone(rows[turn:]), rows[:turn]...)
		state, diags := serveDataSources(t, &scriptedAPI{rows: rows}).read(t, "senhasegura_sessions", nil)
		wantLines(t, diags)
		if got := shown(t, state, "session_id"); !slices.Equal(got, want) {
			t.Fatalf("order from rotation %d = %v, want %v", turn, got, want)
		}
	}
}

// One session is shown once, however many records it has, and a live one counts.
func TestSessionsDataSourceRepeatedRows(t *testing.T) {
	t.Parallel()
	moved := liveSession("a", "1")
	moved.Device = "10.0.0.10:22"
	foreign := liveSession("b", "2")
	foreign.User = "someone else"
	rows := []session.Session{
		liveSession("a", "1"), liveSession("a", "1"), endedSession("a", "1"), moved,
		endedSession("b", "2"), foreign, endedSession("c", "3"), endedSession("c", "3"),
	}
	for state, want := range map[string][]any{
		"live":  {"a"},
		"ended": {"c"},
		"all":   {"a", "c"},
	} {
		config := map[string]any{"state": state, "match": map[string]any{"users": []any{"alice"}}}
		got, diags := serveDataSources(t, &scriptedAPI{rows: rows}).read(t, "senhasegura_sessions", config)
		wantLines(t, diags)
		if ids := shown(t, got, "session_id"); !slices.Equal(ids, want) {
			t.Errorf("state %q: sessions = %v, want %v", state, ids, want)
		}
		if ids, ok := got["session_ids"].([]any); !ok || !slices.Equal(ids, want) {
			t.Errorf("state %q: session_ids = %v, want %v", state, got["session_ids"], want)
		}
	}
}

func TestSessionsDataSourceUnreadableEnd(t *testing.T) {
	t.Parallel()
	odd := liveSession("odd", "1")
	odd.UnreadableEnd = "soon"
	state, diags := serveDataSources(t, &scriptedAPI{rows: []session.Session{odd}}).read(t, "senhasegura_sessions", nil)
	wantLines(t, diags)
	if got := shown(t, state, "live"); !slices.Equal(got, []any{true}) {
		t.Errorf("live = %v, want one live session", got)
	}
	if got := shown(t, state, "ended_at"); !slices.Equal(got, []any{nil}) {
		t.Errorf("ended_at = %v, want null", got)
	}
}

func TestSessionsDataSourceWarnsOfUndecided(t *testing.T) {
	t.Parallel()
	portless := liveSession("portless", "1")
	portless.Device = "10.0.0.9"
	userless := liveSession("userless", "2")
	userless.User = ""
	config := map[string]any{
		"match":   map[string]any{"devices": []any{"10.0.0.9:22"}},
		"exclude": map[string]any{"users": []any{"operator"}},
	}
	rows := []session.Session{portless, userless, liveSession("certain", "3")}
	state, diags := serveDataSources(t, &scriptedAPI{rows: rows}).read(t, "senhasegura_sessions", config)
	wantLines(t, diags, []string{
		"WARNING: Can't tell whether 2 sessions match: sessions of devices 10.0.0.9:22, except users operator",
		"in `unknown_sessions`",
		"May match: - alice on 10.0.0.9 as root (ssh, from 172.16.0.7) since 2025-03-03T09:00:00-03:00, session portless: senhasegura shows too little to evaluate `match.devices`",
		"- on 10.0.0.9:22 as root (ssh, from 172.16.0.7) since 2025-03-03T09:00:00-03:00, session userless: senhasegura shows too little to evaluate `exclude.users`",
	})
	if got := shown(t, state, "session_id"); !slices.Equal(got, []any{"certain"}) {
		t.Errorf("sessions = %v, want only the certain one", got)
	}
	if got := shownIn(t, state, "unknown_sessions", "session_id"); !slices.Equal(got, []any{"portless", "userless"}) {
		t.Errorf("unknown_sessions = %v, want the others", got)
	}
}

// A name in another form is not left out, and not taken for the same.
func TestSessionsDataSourceNamesInOtherForms(t *testing.T) {
	t.Parallel()
	row := func(device, user string) session.Session {
		s := liveSession("hash", "1")
		s.Device, s.User = device, user
		return s
	}
	for name, test := range map[string]struct {
		match map[string]any
		row   session.Session
		// says is the form of senhasegura; "" where the session does not match.
		says string
	}{
		"short name, long shown":       {map[string]any{"devices": []any{"db-01"}}, row("db-01.example.com:22", "alice"), `"db-01.example.com:22" in ` + "`match.devices`"},
		"long name, short shown":       {map[string]any{"devices": []any{"db-01.example.com"}}, row("db-01:22", "alice"), `"db-01:22" in ` + "`match.devices`"},
		"user without domain":          {map[string]any{"users": []any{"alice"}}, row("db-01:22", `CORP\alice`), `"CORP\\alice" in ` + "`match.users`"},
		"user with domain":             {map[string]any{"users": []any{`CORP\alice`}}, row("db-01:22", "alice"), `"alice" in ` + "`match.users`"},
		"address, name shown":          {map[string]any{"devices": []any{"10.0.0.9"}}, row("db-01:22", "alice"), ""},
		"name, address shown":          {map[string]any{"devices": []any{"db-01"}}, row("10.0.0.9:22", "alice"), ""},
		"another long name":            {map[string]any{"devices": []any{"db-01.example.com"}}, row("db-01.other.com:22", "alice"), ""},
		"another port of a short name": {map[string]any{"devices": []any{"db-01:22"}}, row("db-01.example.com:3389", "alice"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state, diags := serveDataSources(t, &scriptedAPI{rows: []session.Session{test.row}}).read(t, "senhasegura_sessions", map[string]any{"match": test.match})
			if got := shown(t, state, "session_id"); len(got) != 0 {
				t.Errorf("sessions = %v, want none", got)
			}
			want := []any{}
			if test.says == "" {
				wantLines(t, diags)
			} else {
				want = []any{"hash"}
				wantLines(t, diags, []string{"WARNING: Can't tell whether 1 session matches: sessions of ", "Write names as senhasegura shows them: " + test.says})
			}
			if got := shownIn(t, state, "unknown_sessions", "session_id"); !slices.Equal(got, want) {
				t.Errorf("unknown_sessions = %v, want %v", got, want)
			}
		})
	}
}

// However many there are, each that may match is reported.
func TestSessionsDataSourceNamesEachOfMany(t *testing.T) {
	t.Parallel()
	const many = 100
	want := []string{"100 sessions", ": sessions of users alice"}
	rows := make([]session.Session, 0, many)
	for i := range many {
		row := liveSession(fmt.Sprintf("hash-%02d", i), "")
		row.User = ""
		rows = append(rows, row)
		want = append(want, "session "+row.ID+": senhasegura shows too little")
	}
	config := map[string]any{"match": map[string]any{"users": []any{"alice"}}}
	_, diags := serveDataSources(t, &scriptedAPI{rows: rows}).read(t, "senhasegura_sessions", config)
	wantLines(t, diags, want)
}

func TestSessionsDataSourceWarnsOfNameless(t *testing.T) {
	t.Parallel()
	rows := []session.Session{liveSession("", "5"), liveSession("named", "6")}
	state, diags := serveDataSources(t, &scriptedAPI{rows: rows}).read(t, "senhasegura_sessions", nil)
	wantLines(t, diags, []string{"WARNING: 1 session without a session ID", "Without a session ID: - alice on 10.0.0.9:22 as root (ssh, from 172.16.0.7) since 2025-03-03T09:00:00-03:00, record 5", "not in `session_ids`"})
	if got := shown(t, state, "record_id"); !slices.Equal(got, []any{"5", "6"}) {
		t.Errorf("record ids = %v", got)
	}
	if got, ok := state["session_ids"].([]any); !ok || !slices.Equal(got, []any{"named"}) {
		t.Errorf("session_ids = %v, want the named one", state["session_ids"])
	}
}

func TestSessionsDataSourceReadFailures(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		api  *scriptedAPI
		want []string
	}{
		"permission missing": {
			&scriptedAPI{listErr: session.ErrPermission},
			[]string{"ERROR: ", "A2A › Applications › Authorizations", "PAM Core", "Read-only", "Credentials and Devices", "Which sessions are live is not known."},
		},
		"a list that breaks off is not a shorter list": {
			&scriptedAPI{rows: []session.Session{liveSession("a", "1")}, listErr: session.ErrTransient},
			[]string{"ERROR: ", "Which sessions are live is not known."},
		},
		"no list in this release": {
			&scriptedAPI{listErr: session.ErrWrongRoute},
			[]string{"ERROR: ", "Releases earlier than 3.32"},
		},
		"arguments of the provider unknown": {nil, []string{"ERROR: ", "`url`"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state, diags := serveDataSources(t, test.api).read(t, "senhasegura_sessions", nil)
			wantLines(t, diags, test.want)
			if state["sessions"] != nil {
				t.Errorf("a failed read shows sessions: %v", state["sessions"])
			}
		})
	}
}

func TestSessionsDataSourceValidation(t *testing.T) {
	t.Parallel()
	server := serveDataSources(t, nil)
	match := func(name string, value any) map[string]any {
		return map[string]any{"match": map[string]any{name: value}}
	}
	tests := map[string]struct {
		config map[string]any
		want   [][]string
	}{
		"nothing":                  {nil, nil},
		"unknown match":            {map[string]any{"match": unknownValue{}}, nil},
		"unknown set":              {match("users", unknownValue{}), nil},
		"unknown element":          {match("users", []any{"alice", unknownValue{}}), nil},
		"unknown age":              {match("older_than", unknownValue{}), nil},
		"fault beside an unknown":  {match("users", []any{"", unknownValue{}}), [][]string{{`ERROR AttributeName("match").AttributeName("users").ElementKeyValue`, "Invalid `match.users`", "empty"}}},
		"empty set":                {match("users", []any{}), [][]string{{`ERROR AttributeName("match").AttributeName("users"): Invalid`, "The set must have at least one value"}}},
		"empty set in exclude":     {map[string]any{"exclude": map[string]any{"users": []any{}}}, [][]string{{`ERROR AttributeName("exclude").AttributeName("users"): Invalid`, "The set must have at least one value"}}},
		"null value":               {match("proxies", []any{nil}), [][]string{{`ERROR AttributeName("match").AttributeName("proxies").ElementKeyValue`, "null value"}}},
		"device with a named port": {match("devices", []any{"web01:ssh", "web01"}), [][]string{{`ERROR AttributeName("match").AttributeName("devices").ElementKeyValue`, `"web01:ssh"`, "port from 1 to 65535"}}},
		"two faulty elements":      {match("origin_ips", []any{"laptop", "10.0.0.0/33"}), [][]string{{`"laptop"`}, {`"10.0.0.0/33"`}}},
		"negative age":             {match("older_than", "-1h"), [][]string{{`ERROR AttributeName("match").AttributeName("older_than")`, "must be greater than zero"}}},
		"no time":                  {map[string]any{"timeouts": map[string]any{"read": "-1s"}}, [][]string{{`ERROR AttributeName("timeouts").AttributeName("read")`, "must be greater than zero"}}},
		"state":                    {map[string]any{"state": "dead"}, [][]string{{`ERROR AttributeName("state")`, "live", "ended", "all"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantLines(t, server.validate(t, "senhasegura_sessions", test.config), test.want...)
		})
	}
}

// A value that becomes known after validation is checked again when it is read.
func TestSessionsDataSourceReadChecksMatch(t *testing.T) {
	t.Parallel()
	api := &scriptedAPI{rows: []session.Session{liveSession("a", "1")}}
	config := map[string]any{"match": map[string]any{"users": []any{}, "older_than": "0s"}, "exclude": map[string]any{"devices": []any{"a:b"}}}
	_, diags := serveDataSources(t, api).read(t, "senhasegura_sessions", config)
	wantLines(t, diags,
		[]string{`ERROR AttributeName("match").AttributeName("users")`},
		[]string{`ERROR AttributeName("match").AttributeName("older_than")`, "must be greater than zero"},
		[]string{`ERROR AttributeName("exclude").AttributeName("devices").ElementKeyValue`},
	)
	if got := api.journal(); len(got) > 0 {
		t.Errorf("requests = %q, want none", got)
	}
}

func TestSessionDataSourcesDescribeEverything(t *testing.T) {
	t.Parallel()
	for name, schema := range serveDataSources(t, nil).schemas {
		for _, attribute := range schema.Block.Attributes {
			if attribute.Description == "" {
				t.Errorf("%s.%s has no description", name, attribute.Name)
			}
			if attribute.NestedType == nil {
				continue
			}
			for _, member := range attribute.NestedType.Attributes {
				if member.Description == "" {
					t.Errorf("%s.%s.%s has no description", name, attribute.Name, member.Name)
				}
			}
		}
	}
}

func TestSessionsDataSourceUnseen(t *testing.T) {
	t.Parallel()
	named := endedSession("ended", "4")
	named.Device = "db-production.example.com:22"
	item := func(argument, value string, similar ...any) any {
		return map[string]any{"argument": argument, "value": value, "similar": append([]any{}, similar...)}
	}
	tests := map[string]struct {
		rows   []session.Session
		config map[string]any
		want   []any
		warns  bool
	}{
		"nothing asked": {rows: []session.Session{named}},
		"a history, where only live sessions are shown": {
			rows:   []session.Session{named},
			config: map[string]any{"match": map[string]any{"devices": []any{"db-production.example.com"}}},
		},
		"misspelled": {
			rows:   []session.Session{named},
			config: map[string]any{"match": map[string]any{"devices": []any{"db-prodution.example.com"}}},
			want:   []any{item("match.devices", "db-prodution.example.com", "db-production.example.com")},
		},
		"misspelled in exclude": {
			rows:   []session.Session{named},
			config: map[string]any{"exclude": map[string]any{"devices": []any{"db-prodution.example.com"}}},
			want:   []any{item("exclude.devices", "db-prodution.example.com", "db-production.example.com")},
		},
		"unknown": {
			rows:   []session.Session{named},
			config: map[string]any{"match": map[string]any{"protocols": []any{"vnc"}}},
			want:   []any{item("match.protocols", "vnc")},
		},
		"unknown beside one that is known": {
			rows:   []session.Session{named},
			config: map[string]any{"match": map[string]any{"devices": []any{"db-production.example.com", "web-07"}}},
		},
		"an empty list": {
			config: map[string]any{"match": map[string]any{"devices": []any{"web-07"}}},
			warns:  true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := &scriptedAPI{rows: test.rows}
			state, diags := serveDataSources(t, api).read(t, "senhasegura_sessions", test.config)
			var warnings [][]string
			if test.warns {
				warnings = append(warnings, []string{"This authorization sees no session at all"})
			}
			wantLines(t, diags, warnings...)
			if got, ok := state["unseen"].([]any); !ok || !reflect.DeepEqual(got, append([]any{}, test.want...)) {
				t.Errorf("unseen = %#v, want %#v", state["unseen"], test.want)
			}
			if got := api.journal(); !slices.Equal(got, []string{"list"}) {
				t.Errorf("requests = %q, want one list", got)
			}
		})
	}
}
