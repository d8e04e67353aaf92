package faulttest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

const actionType = "senhasegura_session_terminate"

// question is one that reads the wrong thing, nothing, or too little, with what each
// use of the provider answers.
type question struct {
	name string
	// sessions are live at first, except those with an end. The first is the one that
	// a termination names.
	sessions []simulator.Session
	fault    simulator.Fault
	// ask has match, exclude and what a drain and an action do about them.
	ask map[string]any

	drain, action, data, termination answer
}

// answer is what a use says, what is live afterwards, and what it asks, as in a cell.
// It is empty where the question has nothing to do with the use.
type answer struct{ says, live, asks string }

func (q question) answers() map[string]answer {
	return map[string]answer{"drain": q.drain, "action": q.action, "data source": q.data, "termination": q.termination}
}

func of(name string, values ...string) map[string]any { return map[string]any{name: values} }

func live(id, user, device string) simulator.Session {
	return simulator.Session{SessionID: id, User: user, Credential: "root", Device: device, Protocol: "ssh"}
}

var questions = []question{
	{
		name:     "a device is shown in full",
		sessions: []simulator.Session{live("one", "alice", "db-01.example.com:22")},
		ask:      map[string]any{"match": of("devices", "db-01")},
		drain:    answer{"warning «db-01»; error one «db-01»; something", "one", "token list"},
		action:   answer{"error one «db-01»; warning «db-01»; progress", "one", "token list"},
		data:     answer{"warning one «db-01»; sessions, unknown one, unseen «db-01»", "one", "token list"},
	},
	{
		name:     "a device is shown short",
		sessions: []simulator.Session{live("one", "alice", "db-01:22")},
		ask:      map[string]any{"match": of("devices", "db-01.example.com")},
		drain:    answer{"warning «db-01.example.com»; error one «db-01.example.com»; something", "one", "token list"},
		action:   answer{"error one «db-01.example.com»; warning «db-01.example.com»; progress", "one", "token list"},
		data:     answer{"warning one «db-01.example.com»; sessions, unknown one, unseen «db-01.example.com»", "one", "token list"},
	},
	{
		// A termination names its session by the ID, which has no other form.
		name:        "a user is shown with a domain, ignore",
		sessions:    []simulator.Session{live("one", `CORP\alice`, "db-01:22")},
		ask:         map[string]any{"match": of("users", "alice"), "on_unseen": "ignore"},
		drain:       answer{"error one «alice»; something", "one", "token list"},
		action:      answer{"error one «alice»; progress", "one", "token list"},
		data:        answer{"warning one «alice»; sessions, unknown one, unseen «alice»", "one", "token list"},
		termination: answer{"terminated", "", "token drop:one list"},
	},
	{
		// It may match exclude and so is not terminated, and may match only match and so
		// blocks.
		name:     "an excluded user is shown with a domain, continue",
		sessions: []simulator.Session{live("one", `CORP\alice`, "db-01:22"), live("two", "bob", "db-01:22")},
		ask:      map[string]any{"match": of("devices", "db-01"), "exclude": of("users", "alice"), "on_excluded": "continue"},
		drain:    answer{"warning «alice»; error one two «alice»; something", "one", "token list drop:two get:one get:two list"},
		action:   answer{"error one two «alice»; warning «alice»; progress two", "one", "token list drop:two get:one get:two list"},
		data:     answer{"warning one «alice»; sessions two, unknown one, unseen «alice»", "one two", "token list"},
	},
	{
		name:     "no session has the device",
		sessions: []simulator.Session{live("one", "alice", "web-07:22")},
		ask:      map[string]any{"match": of("devices", "10.0.0.9")},
		drain:    answer{"warning «10.0.0.9»; nothing", "one", "token list"},
		action:   answer{"warning «10.0.0.9»; progress", "one", "token list"},
		data:     answer{"sessions, unknown, unseen «10.0.0.9»", "one", "token list"},
	},
	{
		name:     "no session has the device, halt",
		sessions: []simulator.Session{live("one", "alice", "web-07:22")},
		ask:      map[string]any{"match": of("devices", "10.0.0.9"), "on_unseen": "halt"},
		drain:    answer{"error «10.0.0.9»; something", "one", "token list"},
		action:   answer{"error «10.0.0.9»; progress", "one", "token list"},
		data:     answer{"sessions, unknown, unseen «10.0.0.9»", "one", "token list"},
	},
	{
		// The session on the device that is written well is named, and not terminated.
		name:     "one of two devices is mistyped, halt",
		sessions: []simulator.Session{live("one", "alice", "web-production:22"), live("two", "alice", "mail-07:22")},
		ask:      map[string]any{"match": of("devices", "mail-07", "web-prodution"), "on_unseen": "halt"},
		drain:    answer{"error two «web-prodution»; something", "one two", "token list"},
		action:   answer{"error two «web-prodution»; progress", "one two", "token list"},
		data:     answer{"sessions two, unknown, unseen «web-prodution»", "one two", "token list"},
	},
	{
		// Only a complete list concludes that a value is unseen.
		name:        "no session has the device, and the list breaks off",
		sessions:    []simulator.Session{live("one", "alice", "web-07:22"), live("two", "alice", "web-08:22")},
		fault:       simulator.Fault{Op: simulator.OpList, Kind: simulator.CutRows, Rows: 1, Times: 1},
		ask:         map[string]any{"match": of("devices", "10.0.0.9"), "on_unseen": "halt"},
		drain:       answer{"error; something", "one two", "token list"},
		action:      answer{"error; progress", "one two", "token list"},
		data:        answer{"error; nothing", "one two", "token list"},
		termination: answer{"terminated", "two", "token drop:one list×2"},
	},
	{
		name:        "the list is empty",
		ask:         map[string]any{"match": of("devices", "db-01")},
		drain:       answer{"error; something", "", "token list"},
		action:      answer{"error; progress", "", "token list"},
		data:        answer{"warning; sessions, unknown, unseen", "", "token list"},
		termination: answer{"error; nothing", "", "token drop:stranger list"},
	},
	{
		name:   "the list is empty, ignore",
		ask:    map[string]any{"match": of("devices", "db-01"), "on_unseen": "ignore"},
		drain:  answer{"nothing", "", "token list"},
		action: answer{"progress", "", "token list"},
	},
	{
		name:        "an excluded session is live",
		sessions:    []simulator.Session{live("one", "alice", "db-01:22"), live("two", "breakglass", "db-01:22")},
		ask:         map[string]any{"match": of("devices", "db-01"), "exclude": of("users", "breakglass")},
		drain:       answer{"error one two; something", "one two", "token list"},
		action:      answer{"progress one two", "two", "token list drop:one get:one list"},
		data:        answer{"sessions one, unknown, unseen", "one two", "token list"},
		termination: answer{"terminated", "two", "token drop:one list"},
	},
	{
		name:     "an excluded session is live, continue",
		sessions: []simulator.Session{live("one", "alice", "db-01:22"), live("two", "breakglass", "db-01:22")},
		ask:      map[string]any{"match": of("devices", "db-01"), "exclude": of("users", "breakglass"), "on_excluded": "continue"},
		drain:    answer{"warning one two; nothing", "two", "token list drop:one get:one list"},
	},
}

// put runs one use. It says, for each message, its severity and which sessions and
// values it names; of a data source also what it found; of a drain and a termination
// also what is in the state.
func (q question) put(use string, driver *acctest.Driver) string {
	config := maps.Clone(q.ask)
	switch use {
	case "drain":
		config["preview"], config["poll_interval"] = false, "10ms"
		r := driver.Resource(drainType)
		destroyed := r.Destroy(r.Apply(nil, config).State)
		return q.says(destroyed.Diagnostics, presence(destroyed.State != nil))
	case "action":
		delete(config, "on_excluded")
		config["poll_interval"] = "10ms"
		invoked := driver.InvokeAction(actionType, config)
		return q.says(invoked.Diagnostics, "progress"+q.named(strings.Join(invoked.Progress, "\n")))
	case "data source":
		delete(config, "on_unseen")
		delete(config, "on_excluded")
		values, said := driver.ReadDataSource(sessionsData, config)
		found := nothing
		if values != nil {
			found = "sessions" + q.named(each(values["sessions"], "session_id")) +
				", unknown" + q.named(each(values["unknown_sessions"], "session_id")) + ", unseen" + q.named(each(values["unseen"], "value"))
		}
		return q.says(said, found)
	default:
		created := driver.Resource(terminationType).Apply(nil, map[string]any{"session_id": q.target(), "poll_interval": "10ms"})
		return q.says(created.Diagnostics, outcomeOf(created.State))
	}
}

func (q question) target() string {
	if len(q.sessions) == 0 {
		return "purged-9"
	}
	return q.sessions[0].SessionID
}

func (q question) says(said acctest.Diagnostics, rest string) string {
	var words []string
	for _, d := range said {
		severity := "error"
		if d.Warning {
			severity = "warning"
		}
		words = append(words, severity+q.named(d.Summary+" "+d.Detail))
	}
	return strings.Join(append(words, rest), "; ")
}

// each gives an attribute of each object of a list.
func each(list any, attribute string) string {
	objects, _ := list.([]any)
	var values []string
	for _, object := range objects {
		attributes, _ := object.(map[string]any)
		values = append(values, fmt.Sprintf("%q", attributes[attribute]))
	}
	return strings.Join(values, " ")
}

// named gives the sessions and the values of match and exclude in a text.
func (q question) named(text string) string {
	var found []string
	for _, s := range q.sessions {
		if strings.Contains(text, s.SessionID) {
			found = append(found, s.SessionID)
		}
	}
	for _, object := range []string{"match", "exclude"} {
		arguments, _ := q.ask[object].(map[string]any)
		for _, argument := range arguments {
			values, _ := argument.([]string)
			for _, value := range values {
				if strings.Contains(text, strconv.Quote(value)) {
					found = append(found, "«"+value+"»")
				}
			}
		}
	}
	if len(found) == 0 {
		return ""
	}
	slices.Sort(found)
	return " " + strings.Join(found, " ")
}

func (q question) requests(server *acctest.Server) string {
	w := world{sim: server.Sim, names: map[string]string{}, added: map[string]simulator.Session{}}
	for _, s := range server.Sim.Sessions() {
		w.name(s, s.SessionID)
	}
	return w.requests()
}

func TestQuestions(t *testing.T) {
	t.Parallel()
	for _, q := range questions {
		for use, want := range q.answers() {
			if want == (answer{}) {
				continue
			}
			t.Run(q.name+"/"+use, func(t *testing.T) {
				t.Parallel()
				server := acctest.Start(t, simulator.Config{})
				for _, s := range q.sessions {
					server.Sim.Add(s)
				}
				if q.fault.Kind != "" {
					server.Sim.Inject(q.fault)
				}
				driver := acctest.NewDriver(t, server, map[string]any{"max_retries": 0, "max_concurrent_requests": 1})
				got := answer{says: q.put(use, driver), asks: q.requests(server)}
				var live []string
				for _, s := range server.Sim.Sessions() {
					if s.State != simulator.StateEnded {
						live = append(live, s.SessionID)
					}
				}
				got.live = strings.Join(live, " ")
				if got.says != want.says || got.live != want.live || !(cell{asks: want.asks}).asked(got.asks) {
					t.Errorf("got  %q\nwant %q", got, want)
				}
				publish("questions, cells", 1)
			})
		}
	}
}
