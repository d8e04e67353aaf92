package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// seed is a session in JSON: the newest release's keys, and behavior. All keys
// are optional.
type seed struct {
	ID           json.Number `json:"id,omitempty"` // a string or a number
	User         string      `json:"user"`
	OriginIP     string      `json:"origin_ip"`
	Credential   string      `json:"credential"`
	Device       string      `json:"device"`
	Protocol     string      `json:"protocol"`
	Proxy        string      `json:"proxy"`
	SessionID    string      `json:"session_id"`
	Start        string      `json:"start"`
	End          string      `json:"end"`
	PreventPurge string      `json:"prevent_purge"`
	Request      string      `json:"request"`
	ITSM         string      `json:"ITSM"`

	Behavior seedBehavior `json:"behavior"`
}

type seedBehavior struct {
	EndDelay          seedDuration `json:"end_delay"`
	Zombie            bool         `json:"zombie"`
	IgnoreFirst       int          `json:"ignore_first"`
	Refuse            bool         `json:"refuse"`
	RefuseFirst       int          `json:"refuse_first"`
	RefuseWhileEnding bool         `json:"refuse_while_ending"`
	Reconnects        int          `json:"reconnects"`
	ReconnectAfter    seedDuration `json:"reconnect_after"`
	Hidden            bool         `json:"hidden"`
	Duplicate         bool         `json:"duplicate"`
	SharedID          bool         `json:"shared_id"`
}

// seedDuration is a duration as time.ParseDuration reads it.
type seedDuration time.Duration

// UnmarshalText reads "1m30s".
func (d *seedDuration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = seedDuration(parsed)
	return err
}

// AddJSON reads an array of sessions and adds them. An object has the keys of a
// session in the newest release, all optional, and `behavior` with the fields of
// Behavior in snake case, durations as text such as "3s". `start` and `end` are
// "2006-01-02 15:04:05" by the server's clock (Config.Location and ClockSkew),
// RFC 3339, or a signed duration from now such as "-9h". An unknown key is an
// error. Sessions before a faulty one stay added.
func (s *Simulator) AddJSON(r io.Reader) ([]Session, error) {
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	var seeds []seed
	if err := decoder.Decode(&seeds); err != nil {
		return nil, fmt.Errorf("can't read the JSON array of sessions: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the JSON array of sessions must have nothing after it")
	}
	added := make([]Session, 0, len(seeds))
	for i, one := range seeds {
		v, err := one.session(s.config)
		if err == nil {
			v, err = s.TryAdd(v)
		}
		if err != nil {
			return added, fmt.Errorf("session %d of the array: %w", i+1, err)
		}
		added = append(added, v)
	}
	return added, nil
}

func (one seed) session(c Config) (Session, error) {
	v := Session{
		SessionID: one.SessionID, User: one.User, OriginIP: one.OriginIP,
		Credential: one.Credential, Device: one.Device, Protocol: one.Protocol, Proxy: one.Proxy,
		Request: one.Request, ITSM: one.ITSM,
		Behavior: Behavior{
			EndDelay: time.Duration(one.Behavior.EndDelay), Zombie: one.Behavior.Zombie, IgnoreFirst: one.Behavior.IgnoreFirst,
			Refuse: one.Behavior.Refuse, RefuseFirst: one.Behavior.RefuseFirst, RefuseWhileEnding: one.Behavior.RefuseWhileEnding,
			Reconnects: one.Behavior.Reconnects, ReconnectAfter: time.Duration(one.Behavior.ReconnectAfter),
			Hidden: one.Behavior.Hidden, Duplicate: one.Behavior.Duplicate, SharedID: one.Behavior.SharedID,
		},
	}
	var errID, errStart, errEnd, errPurge error
	if one.ID != "" {
		v.RecordID, errID = one.ID.Int64()
	}
	v.Start, errStart = moment("start", one.Start, c)
	v.End, errEnd = moment("end", one.End, c)
	switch one.PreventPurge {
	case "Yes", "Sim":
		v.PreventPurge = true
	case "", "No", "Não":
	default:
		errPurge = fmt.Errorf("prevent_purge must be Yes or No, but is %q", one.PreventPurge)
	}
	return v, errors.Join(errID, errStart, errEnd, errPurge)
}

// moment reads the value of key: a signed duration from now, or a time.
func moment(key, text string, c Config) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if strings.HasPrefix(text, "-") || strings.HasPrefix(text, "+") {
		if distance, err := time.ParseDuration(text); err == nil {
			return c.Now().Add(distance), nil
		}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if shown, err := time.ParseInLocation(timestampFormat, text, c.Location); err == nil {
		return shown.Add(-c.ClockSkew), nil
	}
	return time.Time{}, fmt.Errorf("%s must be a duration from now such as \"-2h\" or \"+40s\", or a time such as \"2026-05-06T16:11:17Z\", but is %q", key, text)
}

// truth is a session in JSON as it really is.
type truth struct {
	ID         int64  `json:"id"`
	SessionID  string `json:"session_id"`
	User       string `json:"user"`
	OriginIP   string `json:"origin_ip"`
	Credential string `json:"credential"`
	Device     string `json:"device"`
	Protocol   string `json:"protocol"`
	Proxy      string `json:"proxy"`
	State      State  `json:"state"`
	Drops      int    `json:"drops"`
	Start      string `json:"start"`
	End        string `json:"end,omitempty"`
}

// WriteJSON writes what is true of sessions as an array, with `state`, `drops`
// and times in RFC 3339.
func WriteJSON(w io.Writer, sessions []Session) error {
	rows := make([]truth, 0, len(sessions))
	for _, v := range sessions {
		one := truth{
			ID: v.RecordID, SessionID: v.SessionID, User: v.User, OriginIP: v.OriginIP, Credential: v.Credential,
			Device: v.Device, Protocol: v.Protocol, Proxy: v.Proxy, State: v.State, Drops: v.Drops,
			Start: v.Start.Format(time.RFC3339Nano),
		}
		if !v.End.IsZero() {
			one.End = v.End.Format(time.RFC3339Nano)
		}
		rows = append(rows, one)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(rows)
}
