package provider_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

const visibilityType = "senhasegura_visibility"

func TestVisibilityDataSource(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		t.Fatal(err)
	}
	server := acctest.Start(t, simulator.Config{Location: zone})
	for _, s := range []simulator.Session{
		alice(simulator.Behavior{}),
		{User: "bob", Credential: "root", Device: "db-01.example.com:22", Protocol: "ssh", Proxy: "Web Proxy", Start: started.Add(time.Hour)},
		{User: "bob", Credential: "admin", Device: "db-01.example.com:3389", Protocol: "rdp", Proxy: "RDP Proxy", Start: started.Add(-time.Hour), End: started},
	} {
		server.Sim.Add(s)
	}
	before := time.Now().Truncate(time.Second)
	got, said := acctest.NewDriver(t, server, map[string]any{"time_zone": "America/Sao_Paulo"}).ReadDataSource(visibilityType, nil)
	expectMessages(t, "message", said)
	server.ExpectRequests(t, "token", "list")

	readAt, _ := got["read_at"].(string)
	if at, err := time.Parse(time.RFC3339, readAt); err != nil || at.Before(before) || at.After(time.Now()) || readAt != at.In(zone).Format(time.RFC3339) {
		t.Errorf("read_at = %q, want now in %s", readAt, zone)
	}
	delete(got, "read_at")
	delete(got, "list_seconds")
	want := map[string]any{
		"timeouts": nil, "live_sessions": int64(2), "ended_sessions": int64(1), "users": int64(2), "credentials": int64(2),
		"devices":   []any{"10.66.33.17:22", "db-01.example.com:22", "db-01.example.com:3389"},
		"protocols": []any{"rdp", "ssh"}, "proxies": []any{"RDP Proxy", "Web Proxy"}, "truncated": false,
		"devices_by_address": int64(1), "devices_by_name": int64(2),
		"oldest_start": started.Add(-time.Hour).In(zone).Format(time.RFC3339),
		"newest_start": started.Add(time.Hour).In(zone).Format(time.RFC3339),
		"list_route":   "api/session/remotesessions", "token_route": "iso/oauth2/token",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestVisibilityDataSourceShowsHowLongTheListTook(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t, simulator.Config{})
	server.Sim.Add(endedAlice())
	const delay = 50 * time.Millisecond
	server.Sim.Inject(simulator.Fault{Kind: simulator.Slow, Op: simulator.OpList, Delay: delay})
	before := time.Now()
	got, said := acctest.NewDriver(t, server, nil).ReadDataSource(visibilityType, nil)
	expectMessages(t, "message", said)
	seconds, err := strconv.ParseFloat(fmt.Sprint(got["list_seconds"]), 64)
	if took := time.Since(before).Seconds(); err != nil || seconds < delay.Seconds() || seconds > took {
		t.Errorf("list_seconds = %v, want %v to %v", got["list_seconds"], delay.Seconds(), took)
	}
}

// The routes are those that answered, not those that were tried first, and relative
// to the provider's url.
func TestVisibilityDataSourceShowsTheRoutes(t *testing.T) {
	t.Parallel()
	keys := &simulator.OAuth1{ConsumerKey: "ck", ConsumerSecret: "cs", TokenKey: "tk", TokenSecret: "ts"}
	for name, test := range map[string]struct {
		server      simulator.Config
		paths       map[string]any
		list, token any
	}{
		"3.32":            {simulator.Config{Release: simulator.Release332}, nil, "api/session/remotesessions", "iso/oauth2/token"},
		"3.33":            {simulator.Config{Release: simulator.Release333}, nil, "api/pam/session/remotesessions", "iso/oauth2/token"},
		"4.0":             {simulator.Config{Release: simulator.Release40}, nil, "api/pam/session/remotesessions", "api/oauth2/token"},
		"newest":          {simulator.Config{Release: simulator.ReleaseNewest}, nil, "api/session/remotesessions", "iso/oauth2/token"},
		"below a path":    {simulator.Config{Release: simulator.Release40, BasePath: "/pam"}, nil, "api/pam/session/remotesessions", "api/oauth2/token"},
		"fixed":           {simulator.Config{}, map[string]any{"token": "/api/oauth2/token"}, "api/session/remotesessions", "api/oauth2/token"},
		"without a token": {simulator.Config{OAuth1: keys}, nil, "api/session/remotesessions", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t, test.server)
			server.Sim.Add(endedAlice())
			config := map[string]any{}
			if test.paths != nil {
				config["paths"] = test.paths
			}
			got, said := acctest.NewDriver(t, server, config).ReadDataSource(visibilityType, nil)
			expectMessages(t, "message", said)
			if got["list_route"] != test.list || got["token_route"] != test.token {
				t.Errorf("routes %v and %v, want %v and %v", got["list_route"], got["token_route"], test.list, test.token)
			}
			if got["live_sessions"] != int64(0) || got["ended_sessions"] != int64(1) {
				t.Errorf("%v live, %v ended, want one ended session", got["live_sessions"], got["ended_sessions"])
			}
		})
	}
}

func TestVisibilityDataSourceOfAnEmptyList(t *testing.T) {
	t.Parallel()
	got, said := acctest.NewDriver(t, acctest.Start(t, simulator.Config{}), nil).ReadDataSource(visibilityType, nil)
	expectMessages(t, "warning", said.Warnings(), message{noSessionAtAll, "", []string{"doesn't mean that no user is connected", "Credentials and Devices"}})
	expectMessages(t, "error", said.Errors())
	for attribute, want := range map[string]any{
		"live_sessions": int64(0), "ended_sessions": int64(0), "users": int64(0), "devices": []any{}, "protocols": []any{}, "proxies": []any{},
		"oldest_start": nil, "newest_start": nil, "truncated": false, "list_route": "api/session/remotesessions",
	} {
		if diff := cmp.Diff(want, got[attribute]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", attribute, diff)
		}
	}
}

func TestVisibilityDataSourceFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		permission simulator.Permission
		faults     []simulator.Fault
		want       string
	}{
		"no permission":          {permission: simulator.DropOnly, want: "Can't list sessions: the authorization is missing a permission"},
		"a list that breaks off": {faults: []simulator.Fault{{Kind: simulator.CutRows, Op: simulator.OpList, Rows: 1}}, want: "Can't list sessions: senhasegura or a gateway in front of it keeps failing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t, simulator.Config{Permission: test.permission})
			server.Sim.Add(endedAlice())
			for _, fault := range test.faults {
				server.Sim.Inject(fault)
			}
			config := map[string]any{"max_retries": 0}
			got, said := acctest.NewDriver(t, server, config).ReadDataSource(visibilityType, nil)
			expectMessages(t, "message", said, message{test.want, "", nil})
			if got != nil {
				t.Errorf("got %v, want nothing", got)
			}
		})
	}
}

func TestVisibilityDataSourceTruncates(t *testing.T) {
	t.Parallel()
	for devices, truncated := range map[int]bool{1000: false, 1001: true} {
		t.Run(fmt.Sprint(devices), func(t *testing.T) {
			t.Parallel()
			server := acctest.Start(t, simulator.Config{})
			server.Sim.AddMany(devices, func(i int) simulator.Session {
				s := endedAlice()
				s.RecordID, s.SessionID = 0, ""
				s.Device = fmt.Sprintf("db-%04d.example.com:22", devices-1-i)
				return s
			})
			got, said := acctest.NewDriver(t, server, nil).ReadDataSource(visibilityType, nil)
			expectMessages(t, "message", said)
			named, _ := got["devices"].([]any)
			if len(named) != 1000 || named[0] != "db-0000.example.com:22" || named[999] != "db-0999.example.com:22" {
				t.Errorf("%d devices are named, from %v", len(named), slices.Concat(named[:min(1, len(named))], named[max(0, len(named)-1):]))
			}
			if got["truncated"] != truncated || got["devices_by_name"] != int64(devices) || got["ended_sessions"] != int64(devices) {
				t.Errorf("truncated %v, %v by name, %v sessions", got["truncated"], got["devices_by_name"], got["ended_sessions"])
			}
		})
	}
}
