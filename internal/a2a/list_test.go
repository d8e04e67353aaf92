package a2a

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// readAll is readList into a slice.
func readAll(body io.Reader) ([]session.Session, error) {
	var all []session.Session
	rows, err := readList(body, time.UTC, func(s session.Session) bool {
		all = append(all, s)
		return true
	})
	if rows != len(all) {
		return all, fmt.Errorf("%d rows counted, %d yielded", rows, len(all))
	}
	return all, err
}

const (
	rowA = `{"id":"1","session_id":"aa","user":"ann","start":"2024-05-06 16:11:17","end":null}`
	rowB = `{"id":2,"session_id":"bb","user":"bob","start":"2024-05-06 16:11:17","end":"2024-05-06 16:11:30"}`
)

func TestListShapes(t *testing.T) {
	t.Parallel()
	start, end := utc(t, "2024-05-06 16:11:17"), utc(t, "2024-05-06 16:11:30")
	a := session.Session{ID: "aa", RecordID: "1", User: "ann", StartedAt: start}
	b := session.Session{ID: "bb", RecordID: "2", User: "bob", StartedAt: start, EndedAt: end}
	for _, tc := range []struct {
		name string
		body string
		want []session.Session
	}{
		{"flat", `{"code":200,"remote_sessions":[` + rowA + `,` + rowB + `]}`, []session.Session{a, b}},
		{"envelope after the sessions", `{"remote_sessions":[` + rowA + `],"tenant":"x","response":{"status":200,"error":false},"code":200}`, []session.Session{a}},
		{"nested", `{"code":200,"remote_sessions":[{"code":200,"remote_sessions":[` + rowA + `,` + rowB + `]}]}`, []session.Session{a, b}},
		{"nested, sessions first", `{"remote_sessions":[{"remote_sessions":[` + rowA + `],"response":{"status":200}}],"code":200}`, []session.Session{a}},
		{"nested twice", `{"remote_sessions":[{"remote_sessions":[` + rowA + `]},{"remote_sessions":[` + rowB + `]}]}`, []session.Session{a, b}},
		{"nested as an object", `{"remote_sessions":{"code":200,"remote_sessions":[` + rowB + `]}}`, []session.Session{b}},
		{"one object", `{"remote_session":` + rowA + `}`, []session.Session{a}},
		{"session beside an envelope", `{"remote_sessions":[` + rowA + `,{"code":200,"remote_sessions":[` + rowB + `]}]}`, []session.Session{a, b}},
		{"nested and empty", `{"remote_sessions":[{"code":200,"remote_sessions":[]}]}`, nil},
		{"both keys", `{"remote_session":[` + rowA + `],"remote_sessions":[` + rowB + `]}`, []session.Session{a, b}},
		{"the key twice", `{"remote_sessions":[` + rowA + `],"remote_sessions":[` + rowB + `]}`, []session.Session{a, b}},
		{"BOM and white space", "\ufeff \r\n\t{ \"remote_sessions\" : [ " + rowA + " ,\n" + rowB + " ] } \n", []session.Session{a, b}},
		{"escaped keys", `{"remote\u005fsessions":[{"\u0069d":"1","session\u005fid":"a\u0061","user":"ann","start":"2024-05-06 16:11:17"}]}`, []session.Session{a}},
		{"empty", `{"remote_sessions":[]}`, nil},
		{"unknown members", `{"page":{"n":[1,{"id":"9"}]},"remote_sessions":[` + rowA + `],"more":[{"id":"7"}]}`, []session.Session{a}},
		{"null flags", `{"code":null,"response":{"status":null,"error":null},"remote_sessions":[` + rowA + `]}`, []session.Session{a}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for name, body := range map[string]io.Reader{
				"whole":        strings.NewReader(tc.body),
				"byte by byte": iotest.OneByteReader(strings.NewReader(tc.body)),
				"data and EOF": iotest.DataErrReader(strings.NewReader(tc.body)),
			} {
				got, err := readAll(body)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

// TestBadLists: what is not understood is an error, never a shorter list.
func TestBadLists(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		body string
		want error
	}{
		{"no list", `{"code":200}`, errNoSessions},
		{"null", `{"remote_sessions":null}`, errNoSessions},
		{"text", `{"remote_sessions":"none"}`, errNoSessions},
		{"array without an envelope", `[` + rowA + `]`, errNotObject},
		{"null session", `{"remote_sessions":[` + rowA + `,null]}`, errNotSession},
		{"number in place of a session", `{"remote_sessions":[7]}`, errNotSession},
		{"array in place of a session", `{"remote_sessions":[[` + rowA + `]]}`, errNotSession},
		{"empty session", `{"remote_sessions":[{}]}`, errNotSession},
		{"session of unknown keys", `{"remote_sessions":[{"uuid":"x"}]}`, errNotSession},
		{"numbered sessions", `{"remote_sessions":{"0":` + rowA + `,"1":` + rowB + `}}`, errNotSession},
		{"nested without a list", `{"remote_sessions":[{"code":200}]}`, errNoSessions},
		{"nested null", `{"remote_sessions":[{"code":200,"remote_sessions":null}]}`, errNoSessions},
		{"session and envelope", `{"remote_sessions":[{"id":"1","remote_sessions":[` + rowA + `]}]}`, errMixed},
		{"envelope and session", `{"remote_sessions":[{"remote_sessions":[` + rowA + `],"id":"1"}]}`, errMixed},
		{"session with a response", `{"remote_sessions":[{"user":"x","response":{}}]}`, errMixed},
		{"too deep", strings.Repeat(`{"remote_sessions":[`, 9) + strings.Repeat(`]}`, 9), errTooNested},
		{"two answers", `{"remote_sessions":[]}{"remote_sessions":[]}`, errTrailing},
		{"garbage behind", `{"remote_sessions":[]}<html>`, errTrailing},
		{"two identifiers", `{"remote_sessions":[{"session_id":"a","session_id":"b"}]}`, errContradiction},
		{"two record ids", `{"remote_sessions":[{"id":1,"id":2}]}`, errContradiction},
		{"two ends", `{"remote_sessions":[{"id":1,"end":null,"end":"2024-05-06 16:11:30"}]}`, errContradiction},
		{"endless session", `{"remote_sessions":[{"id":"` + strings.Repeat("1", 2*maxUnfinishedBytes) + `"}]}`, errTooLong},
		{"endless white space", `{"remote_sessions":[` + strings.Repeat(" ", 2*maxUnfinishedBytes) + `]}`, errTooLong},
		{"endless unknown member", `{"x":[` + strings.Repeat("0,", maxUnfinishedBytes) + `0],"remote_sessions":[]}`, errTooLong},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if _, err := readAll(strings.NewReader(tc.body)); !errors.Is(err, tc.want) {
				t.Errorf("error %v, want %v", err, tc.want)
			}
		})
	}
}

// endless repeats unit after start, numbered where unit has a verb, and notes how
// much of it was read. It ends after 16 MiB, so that a reader without a bound
// fails here and does not hang.
type endless struct {
	start, unit string
	pending     []byte
	n           int
	served      int64
}

var errNotStopped = errors.New("nothing stopped reading")

func (e *endless) Read(p []byte) (int, error) {
	if e.served > 16<<20 {
		return 0, errNotStopped
	}
	if e.n == 0 {
		e.pending = []byte(e.start)
	}
	for len(e.pending) < len(p) {
		e.n++
		if strings.Contains(e.unit, "%d") {
			e.pending = fmt.Appendf(e.pending, e.unit, e.n)
		} else {
			e.pending = append(e.pending, e.unit...)
		}
	}
	n := copy(p, e.pending)
	e.pending = append(e.pending[:0], e.pending[n:]...)
	e.served += int64(n)
	return n, nil
}

// TestEndlessAnswers: whatever comes without an end, reading it ends with an
// error after a few megabytes, so that neither memory nor time follows it.
func TestEndlessAnswers(t *testing.T) {
	t.Parallel()
	text := `"message":"%d ` + strings.Repeat("x", 1000) + `",`
	for name, body := range map[string]*endless{
		"white space before":     {start: "", unit: " \n"},
		"white space":            {start: `{"remote_sessions":[`, unit: "\n\t "},
		"white space in a row":   {start: `{"remote_sessions":[{"id":"1"`, unit: "  "},
		"white space after":      {start: `{"remote_sessions":[` + rowA + `]}`, unit: " "},
		"texts":                  {start: `{`, unit: text},
		"texts in response":      {start: `{"response":{`, unit: text},
		"texts in responses":     {start: `{`, unit: `"response":{` + text + `"status":200},`},
		"texts in exceptions":    {start: `{`, unit: `"exception":{` + text + `"code":0},`},
		"texts after rows":       {start: `{"remote_sessions":[` + rowA + `],`, unit: text},
		"texts in a row":         {start: `{"remote_sessions":[{"id":"1",`, unit: text},
		"texts in an envelope":   {start: `{"remote_sessions":[{`, unit: text},
		"flags":                  {start: `{`, unit: `"error":false,"code":200,`},
		"OAuth errors":           {start: `{`, unit: `"error":"%d",`},
		"unknown members":        {start: `{`, unit: `"x%d":{"a":[1,2]},`},
		"unknown members after":  {start: `{"remote_sessions":[` + rowA + `],`, unit: `"x%d":0,`},
		"unknown in a row":       {start: `{"remote_sessions":[{"id":"1",`, unit: `"x%d":0,`},
		"one unknown member":     {start: `{"x":[`, unit: `0,`},
		"one text":               {start: `{"message":"`, unit: `x`},
		"one name":               {start: `{"`, unit: `x`},
		"one field":              {start: `{"remote_sessions":[{"id":"`, unit: `1`},
		"fields":                 {start: `{"remote_sessions":[{`, unit: `"user":"","user":null,"start":"a","credential":"",`},
		"envelopes":              {start: `{"remote_sessions":[`, unit: `{"code":200,` + text + `"remote_sessions":[]},`},
		"empty envelopes":        {start: `{"remote_sessions":[`, unit: `{"remote_sessions":[]},`},
		"lists":                  {start: `{`, unit: `"remote_sessions":[],`},
		"lists in an envelope":   {start: `{"remote_sessions":[{"code":200,`, unit: `"remote_sessions":[],`},
		"rows of one text each":  {start: `{"remote_sessions":[`, unit: `{"id":"%d"},{"message":"%[1]d","remote_sessions":[]},`},
		"sessions as objects":    {start: `{`, unit: `"remote_session":{"id":"%d"},"message":"%[1]d",`},
		"nesting":                {start: `{"remote_sessions":`, unit: `{"remote_sessions":`},
		"nesting unknown":        {start: `{"x":`, unit: `[`},
		"nesting in a response":  {start: `{"response":`, unit: `{"response":`},
		"a text around envelope": {start: `{"remote_sessions":[{"remote_sessions":[],`, unit: text},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, err := readList(body, time.UTC, func(session.Session) bool { return true })
			if err == nil || errors.Is(err, errNotStopped) {
				t.Errorf("%d sessions, %v after %d bytes", rows, err, body.served)
			}
			if body.served > 8<<20 {
				t.Errorf("%v after %d bytes", err, body.served)
			}
		})
	}
}

// TestTextsOfAnEnvelope: however many there are, a few are kept, and those first.
func TestTextsOfAnEnvelope(t *testing.T) {
	t.Parallel()
	var body strings.Builder
	body.WriteString(`{"message":"first","response":{`)
	for i := range 10_000 {
		fmt.Fprintf(&body, `"message":"%d","mensagem":"%d",`, i, -i)
	}
	body.WriteString(`"status":500},"exception":{"message":"last"}}`)
	env := parseEnvelope([]byte(body.String()))
	switch {
	case env == nil:
		t.Fatal("no envelope")
	case len(env.texts) != maxTexts:
		t.Errorf("%d texts, want %d", len(env.texts), maxTexts)
	case env.texts[0] != "first":
		t.Errorf("the first text is %q", env.texts[0])
	}
}

// TestLongList: the bound is for one session, not for their number, in all
// shapes.
func TestLongList(t *testing.T) {
	t.Parallel()
	const n = 25_000
	rows := strings.Repeat(rowB+",", n-1) + rowB
	indented := strings.ReplaceAll(rows, "},{", "},\n"+strings.Repeat(" ", 80)+"{")
	for name, body := range map[string]string{
		"flat":     `{"code":200,"remote_sessions":[` + rows + `]}`,
		"nested":   `{"code":200,"remote_sessions":[{"code":200,"remote_sessions":[` + rows + `],"tenant":"x"}],"code":200}`,
		"indented": `{"code":200,"remote_sessions":[` + indented + `]}`,
	} {
		if len(body) < 2*maxUnfinishedBytes {
			t.Fatalf("%s: %d bytes are no long list", name, len(body))
		}
		all, err := readAll(strings.NewReader(body))
		if err != nil || len(all) != n {
			t.Errorf("%s: %d sessions, %v", name, len(all), err)
		}
	}
}

// TestFailedEnvelopes: a failure may stand anywhere around the sessions.
func TestFailedEnvelopes(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"before":        `{"code":500,"error":true,"remote_sessions":[` + rowA + `]}`,
		"after":         `{"remote_sessions":[` + rowA + `],"response":{"status":500,"error":true}}`,
		"flag after":    `{"code":200,"response":{"status":200,"error":false},"remote_sessions":[],"erro":true}`,
		"nested before": `{"code":200,"remote_sessions":[{"response":{"error":true},"remote_sessions":[]}]}`,
		"nested after":  `{"code":200,"remote_sessions":[{"remote_sessions":[` + rowA + `],"code":500}]}`,
		"nested alone":  `{"code":200,"remote_sessions":[{"code":403,"message":"no","error":true}]}`,
		"without list":  `{"code":500,"response":{"status":500,"error":true}}`,
	} {
		all, err := readAll(strings.NewReader(body))
		var failed *failureError
		if !errors.As(err, &failed) {
			t.Errorf("%s: error %v", name, err)
		}
		if name == "before" && len(all) > 0 {
			t.Errorf("sessions of an answer that had failed: %v", all)
		}
	}
}

// TestEveryFailureEverywhere: each key and value that makes an answer a failure,
// in each place around no, one or two sessions, gives an error. A list that reads
// over it would be taken for a complete one.
func TestEveryFailureEverywhere(t *testing.T) {
	t.Parallel()
	statuses := []string{"500", `"500"`, "404.0", "301", "199", "0", "-200", `"error"`, `""`, "true", "{}", "[]"}
	// Every meaning has an entry, so that a new one cannot be left out.
	failing := map[meaning][]string{
		memberCode:   statuses,
		memberStatus: statuses,
		memberFlag: {
			"true", `"true"`, `"True"`, "1", `"1"`, "2", "-1", `"invalid_client"`, `"no"`, "{}", `{"code":1}`, "[]", "[false]",
		},
		// These say more about a failure, and make none.
		memberErrorCode: nil, memberException: nil, memberExceptionCode: nil, memberText: nil, memberToken: nil,
		// These hold what the others are in.
		memberSessions: nil, memberResponse: nil,
		fieldRecordID: nil, fieldID: nil, fieldUser: nil, fieldCredential: nil, fieldDevice: nil,
		fieldProtocol: nil, fieldProxy: nil, fieldOrigin: nil, fieldStart: nil, fieldEnd: nil,
	}
	objects := 0
	for _, k := range keys {
		values, known := failing[k.means]
		if !known {
			t.Errorf("%q: its meaning has no entry here", k.name)
		}
		for _, value := range values {
			member := fmt.Sprintf("%q:%s", k.name, value)
			var members []string
			if k.in&inEnvelope != 0 {
				members = append(members, member)
			}
			if k.in&inResponse != 0 {
				members = append(
					members,
					`"response":{`+member+`}`,
					`"response":{"message":"","mensagem":null,`+member+`,"error_code":0}`,
				)
			}
			if len(members) == 0 {
				t.Errorf("%q fails an answer in a place that this test does not know", k.name)
			}
			for _, member := range members {
				objects++
				wantFailureEverywhere(t, member)
			}
		}
	}
	if objects == 0 {
		t.Error("no key fails an answer")
	}
}

func wantFailureEverywhere(t *testing.T, member string) {
	t.Helper()
	const clean = `"code":200,"response":{"status":200,"error":false,"erro":false},"tenant":"x"`
	for _, rows := range []string{"", rowA, rowA + "," + rowB} {
		list := `"remote_sessions":[` + rows + `]`
		for name, body := range map[string]string{
			"alone, before":        `{` + member + `,` + list + `}`,
			"alone, after":         `{` + list + `,` + member + `}`,
			"before":               `{"tenant":"x",` + member + `,"more":{},` + list + `,"tenant":"x"}`,
			"after":                `{"tenant":"x",` + list + `,` + member + `,"more":{}}`,
			"after singular":       `{"remote_session":[` + rows + `],` + member + `}`,
			"between two lists":    `{` + list + `,` + member + `,"remote_session":[]}`,
			"before a clean copy":  `{` + member + `,` + clean + `,` + list + `}`,
			"after a clean copy":   `{` + clean + `,` + member + `,` + list + `}`,
			"clean copy last":      `{` + member + `,` + list + `,` + clean + `}`,
			"no list":              `{` + member + `}`,
			"nested, before":       `{` + clean + `,"remote_sessions":[{` + member + `,` + list + `}]}`,
			"nested, after":        `{` + clean + `,"remote_sessions":[{` + list + `,` + member + `}]}`,
			"nested, no list":      `{` + clean + `,"remote_sessions":[{` + member + `}]}`,
			"nested, as an object": `{` + clean + `,"remote_sessions":{` + list + `,` + member + `}}`,
			"around, before":       `{` + member + `,"remote_sessions":[{` + clean + `,` + list + `}]}`,
			"around, after":        `{"remote_sessions":[{` + clean + `,` + list + `}],` + member + `}`,
			"after a clean one":    `{"remote_sessions":[{` + clean + `,` + list + `},{` + list + `,` + member + `}]}`,
			"before a clean one":   `{"remote_sessions":[{` + list + `,` + member + `},{` + clean + `,` + list + `}]}`,
			"nested twice":         `{"remote_sessions":[{"remote_sessions":[{` + list + `,` + member + `}],` + clean + `}],` + clean + `}`,
		} {
			_, err := readAll(strings.NewReader(body))
			var failed *failureError
			if !errors.As(err, &failed) || failed.env.clean() {
				t.Errorf("%s: error %v of %s", name, err, body)
			}
			if env := parseEnvelope([]byte(`{` + member + `}`)); env == nil || env.clean() {
				t.Errorf("%s is no failure outside of lists", member)
			}
		}
	}
}

// TestListBrokenOffAnywhere cuts every documented list at every byte.
func TestListBrokenOffAnywhere(t *testing.T) {
	t.Parallel()
	lost := errors.New("connection lost")
	for _, name := range []string{"list-3.32.json", "list-3.33-nested.json", "list-newest.json", "list-empty.json"} {
		body := strings.TrimSpace(readBody(t, name))
		for length := range len(body) {
			if _, err := readAll(strings.NewReader(body[:length])); err == nil {
				t.Errorf("%s cut after %d bytes is not an error", name, length)
			}
			cut := io.MultiReader(strings.NewReader(body[:length]), iotest.ErrReader(lost))
			if _, err := readAll(cut); !errors.Is(err, lost) {
				t.Errorf("%s lost after %d bytes: error %v", name, length, err)
			}
		}
	}
}

// TestSessionValues: one row, every way to write its fields.
func TestSessionValues(t *testing.T) {
	t.Parallel()
	end := utc(t, "2024-05-06 16:11:30")
	for _, tc := range []struct {
		name string
		row  string
		want session.Session
	}{
		{"numbers", `{"id":6,"session_id":77}`, session.Session{RecordID: "6", ID: "77"}},
		{"null fields", `{"id":"6","session_id":null,"user":null,"device":null,"start":null,"end":null}`, session.Session{RecordID: "6"}},
		{"no hash", `{"id":"6","user":"ann"}`, session.Session{RecordID: "6", User: "ann"}},
		{"no identifier", `{"user":"ann"}`, session.Session{User: "ann"}},
		{"Portuguese keys", `{"id":"6","credencial":"root","dispositivo":"h:22"}`, session.Session{RecordID: "6", Credential: "root", Device: "h:22"}},
		{"both languages", `{"id":"6","credential":"","credencial":"root","device":"h:22","dispositivo":"x"}`, session.Session{RecordID: "6", Credential: "root", Device: "h:22"}},
		{"same value twice", `{"id":"6","id":6,"end":null,"end":""}`, session.Session{RecordID: "6"}},
		{"IPv6", `{"id":"6","device":"[2001:db8::1]:22"}`, session.Session{RecordID: "6", Device: "[2001:db8::1]:22"}},
		{"escapes", `{"id":"6","user":"a\"b\\c\/\u00e9\ud83d\ude00"}`, session.Session{RecordID: "6", User: `a"b\c/é😀`}},
		{"other encoding", "{\"id\":\"6\",\"user\":\"Jo\xe3o\",\"session_id\":\"aa\"}", session.Session{RecordID: "6", ID: "aa", User: "Jo\uFFFDo"}},
		{"unpaired surrogate", `{"id":"6","user":"a\ud800b"}`, session.Session{RecordID: "6", User: "a\uFFFDb"}},
		{"ITSM and others", `{"id":"6","ITSM":{"a":["}"]},"request":"]\"","time":null,"prevent_purge":true,"user":"ann"}`, session.Session{RecordID: "6", User: "ann"}},
		{"identifier last", `{"user":"ann","end":null,"id":"6"}`, session.Session{RecordID: "6", User: "ann"}},
		{"white space", "{ \"id\" : \"6\" ,\n\t\"x\" : [ 1 , { } ] ,\r\n \"user\" : \"ann\" }", session.Session{RecordID: "6", User: "ann"}},
		{"key of another case", `{"id":"6","USER":"ann"}`, session.Session{RecordID: "6"}},

		{"ended", `{"id":"6","end":"2024-05-06 16:11:30"}`, session.Session{RecordID: "6", EndedAt: end}},
		{"empty end", `{"id":"6","end":""}`, session.Session{RecordID: "6"}},
		{"blank end", `{"id":"6","end":"  "}`, session.Session{RecordID: "6"}},
		{"zero end", `{"id":"6","end":"0000-00-00 00:00:00"}`, session.Session{RecordID: "6"}},
		{"zero date", `{"id":"6","end":"0000-00-00"}`, session.Session{RecordID: "6"}},
		{"year one", `{"id":"6","end":"0001-01-01 00:00:00"}`, session.Session{RecordID: "6"}},
		{"epoch", `{"id":"6","end":"1970-01-01 00:00:00"}`, session.Session{RecordID: "6"}},
		{"end of time", `{"id":"6","end":"9999-12-31 23:59:59"}`, session.Session{RecordID: "6"}},
		{"unreadable end", `{"id":"6","end":"yesterday"}`, session.Session{RecordID: "6", UnreadableEnd: "yesterday"}},
		{"impossible end", `{"id":"6","end":"2024-02-30 10:00:00"}`, session.Session{RecordID: "6", UnreadableEnd: "2024-02-30 10:00:00"}},
		{"boolean end", `{"id":"6","end":false}`, session.Session{RecordID: "6", UnreadableEnd: "false"}},
		{"numeric end", `{"id":"6","end":1715011890}`, session.Session{RecordID: "6", UnreadableEnd: "1715011890"}},
		{"object as an end", `{"id":"6","end":{"date":"2024"}}`, session.Session{RecordID: "6", UnreadableEnd: `{"date":"2024"}`}},
		{
			"end long before its start", `{"id":"6","start":"2024-05-08 16:11:17","end":"2024-05-06 16:11:30"}`,
			session.Session{RecordID: "6", StartedAt: utc(t, "2024-05-08 16:11:17"), UnreadableEnd: "2024-05-06 16:11:30"},
		},
		{
			"end in the hour that comes twice", `{"id":"6","start":"2024-05-06 16:59:00","end":"2024-05-06 16:11:30"}`,
			session.Session{RecordID: "6", StartedAt: utc(t, "2024-05-06 16:59:00"), EndedAt: end},
		},
		{"unreadable start", `{"id":"6","start":"soon","end":"2024-05-06 16:11:30"}`, session.Session{RecordID: "6", EndedAt: end}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := readAll(strings.NewReader(`{"remote_sessions":[` + tc.row + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]session.Session{tc.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestEndsInTheFuture: the clock of a server without a configured zone may be hours
// ahead, but an end that is days ahead stands for none.
func TestEndsInTheFuture(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, zone := range []*time.Location{time.UTC, time.FixedZone("", -3*60*60), time.FixedZone("", 14*60*60)} {
			for ahead, live := range map[time.Duration]bool{
				-time.Hour: false, 0: false, time.Second: false, 26 * time.Hour: false, 48 * time.Hour: false,
				48*time.Hour + time.Second: true, 72 * time.Hour: true, 20 * 365 * 24 * time.Hour: true,
			} {
				end := time.Now().Add(ahead).In(zone)
				for _, layout := range timeLayouts {
					text := end.Format(layout)
					checkEnd(t, text, zone, live, end)
				}
			}
			for _, filler := range []string{
				"2038-01-19 03:14:07", "2037-12-31 23:59:59", "2100-01-01 00:00:00", "9998-12-31 23:59:59", "9999-12-31 23:59:59",
				"9999-12-31T23:59:59Z", "2038-01-19T03:14:07-03:00", " 2038-01-19 03:14:07.5 ",
			} {
				checkEnd(t, filler, zone, true, time.Time{})
			}
			time.Sleep(time.Hour) // the next zone sees another now
		}
	})
}

// checkEnd reads a session with an end.
func checkEnd(t *testing.T, text string, zone *time.Location, live bool, end time.Time) {
	t.Helper()
	var got session.Session
	_, err := readList(strings.NewReader(`{"remote_sessions":[{"id":"1","start":"1999-12-31 12:00:00","end":"`+text+`"}]}`), zone,
		func(s session.Session) bool { got = s; return true })
	switch {
	case err != nil:
		t.Errorf("%q: %v", text, err)
	case got.Live() != live || got.UnreadableEnd != "":
		t.Errorf("at %v an end of %q in %v gives %+v", time.Now().UTC(), text, zone, got)
	case !live && !got.EndedAt.Equal(end):
		t.Errorf("%q in %v is %v, want %v", text, zone, got.EndedAt, end)
	}
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", -3*60*60)
	for text, want := range map[string]time.Time{
		"2024-05-06 16:11:17":         time.Date(2024, 5, 6, 16, 11, 17, 0, zone),
		"2024-05-31 16:11:17":         time.Date(2024, 5, 31, 16, 11, 17, 0, zone),
		"2024-02-29 00:00:00":         time.Date(2024, 2, 29, 0, 0, 0, 0, zone),
		" 2024-05-06 16:11:17 ":       time.Date(2024, 5, 6, 16, 11, 17, 0, zone),
		"2024-05-06 16:11:17.25":      time.Date(2024, 5, 6, 16, 11, 17, 250000000, zone),
		"2024-05-06T16:11:17":         time.Date(2024, 5, 6, 16, 11, 17, 0, zone),
		"2024-05-06T16:11:17Z":        time.Date(2024, 5, 6, 16, 11, 17, 0, time.UTC),
		"2024-05-06T16:11:17.5+02:00": time.Date(2024, 5, 6, 14, 11, 17, 500000000, time.UTC),
		"2024-05-06 16:11:17+02:00":   time.Date(2024, 5, 6, 14, 11, 17, 0, time.UTC),
		"2024-12-31 23:59:59":         time.Date(2024, 12, 31, 23, 59, 59, 0, zone),
	} {
		got, ok := parseTime(text, zone)
		if !ok || !got.Equal(want) {
			t.Errorf("parseTime(%q) = %v, %v; want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"2024-13-01 00:00:00", "2024-00-10 00:00:00", "2023-02-29 00:00:00", "2024-05-06 24:00:00", "2024-05-06 16:60:00",
		"2024-05-06 16:11:60", "2024-05-06", "06/05/2024 16:11:17", "2024-05-06 16:11:1x", "20240506161117", "now",
	} {
		if got, ok := parseTime(text, zone); ok || !got.IsZero() {
			t.Errorf("parseTime(%q) = %v, %v; want unreadable", text, got, ok)
		}
	}
	for _, text := range []string{"", " ", "null", "0000-00-00", "0000-00-00 00:00:00", "0001-01-01T00:00:00Z", "1969-12-31 21:00:00"} {
		if got, ok := parseTime(text, zone); !ok || !got.IsZero() {
			t.Errorf("parseTime(%q) = %v, %v; want none", text, got, ok)
		}
	}
}

// TestLocation: senhasegura's timestamps are in the configured zone.
func TestLocation(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", -3*60*60)
	p := &pam{handler: answering(200, readBody(t, "get-3.33.json"))}
	got, err := inMemory(t, p, func(cfg *Config) { cfg.Location = zone }).Session(t.Context(), "6")
	if err != nil {
		t.Fatal(err)
	}
	if want := utc(t, "2024-05-06 19:11:30"); !got.EndedAt.Equal(want) {
		t.Errorf("ended at %v, want %v", got.EndedAt, want)
	}
}

// TestGetPicksTheAskedSession and never another's facts.
func TestGetPicksTheAskedSession(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, body string
		want       error
	}{
		{"among others", `{"remote_session":[` + rowA + `,{"id":6,"session_id":"ss"}]}`, nil},
		{"object", `{"code":200,"remote_session":{"id":"6","session_id":"ss"}}`, nil},
		{"another", `{"remote_session":[` + rowA + `]}`, session.ErrRejected},
		{"without an identifier", `{"remote_session":[{"session_id":"ss"}]}`, session.ErrRejected},
		{"none", `{"remote_session":[]}`, session.ErrNotFound},
		{"null", `{"remote_session":null}`, session.ErrTransient},
		{"failure inside", `{"code":200,"remote_session":[{"code":400,"error":true,"exception":{"code":1002}}]}`, session.ErrNotFound},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := inMemory(t, &pam{handler: answering(200, tc.body)}, nil).Session(t.Context(), "6")
			if tc.want != nil {
				wantClass(t, err, tc.want)
				return
			}
			if err != nil || got.ID != "ss" {
				t.Errorf("session %+v, %v", got, err)
			}
		})
	}
}

// TestGetOfSeveralRows: of several rows of one record a live one counts.
func TestGetOfSeveralRows(t *testing.T) {
	t.Parallel()
	const live, ended = `{"id":"6","session_id":"ss","end":null}`, `{"id":"6","session_id":"ss","start":"2024-05-06 16:11:17","end":"2024-05-06 16:11:30"}`
	for rows, want := range map[string]bool{
		live + "," + ended: true, ended + "," + live: true, ended + "," + live + "," + ended: true, ended + "," + ended: false,
	} {
		p := &pam{handler: answering(200, `{"code":200,"remote_session":[`+rows+`]}`)}
		got, err := inMemory(t, p, nil).Session(t.Context(), "6")
		if err != nil || got.Live() != want {
			t.Errorf("%s: live is %v, want %v (%v)", rows, got.Live(), want, err)
		}
	}
}

// TestListIsRepeatedBeforeItsFirstSession and not after: the consumer has seen
// a part of it.
func TestListIsRepeatedBeforeItsFirstSession(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		first    string
		requests int
		want     error
	}{
		{"cut before", `{"code":200,"remote_sessions":[`, 2, nil},
		{"cut in the first", `{"code":200,"remote_sessions":[{"id":"1",`, 2, nil},
		{"cut after the first", `{"code":200,"remote_sessions":[` + rowA + `,`, 1, session.ErrTransient},
		{"failed after the first", `{"remote_sessions":[` + rowA + `],"response":{"status":500,"error":true,"message":"Unexpected error"}}`, 1, session.ErrTransient},
		{"refused after the first", `{"remote_sessions":[` + rowA + `],"response":{"status":403,"error":true}}`, 1, session.ErrPermission},
		{"wrong route after the first", `{"remote_sessions":[` + rowA + `],"response":{"status":404,"error":true,"error_code":4}}`, 1, session.ErrWrongRoute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := &pam{handler: inOrder(answering(200, tc.first), answering(200, readBody(t, "list-newest.json")))}
			all, err := collect(t.Context(), inMemory(t, p, func(cfg *Config) { cfg.MaxRetries = 1 }))
			if n := p.count("GET "); n != tc.requests {
				t.Errorf("%d requests, want %d", n, tc.requests)
			}
			if tc.want != nil {
				wantClass(t, err, tc.want)
				return
			}
			if err != nil || len(all) != 2 {
				t.Errorf("%d sessions, %v", len(all), err)
			}
		})
	}
}

// TestStopReading: a consumer that has enough ends the request.
func TestStopReading(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	p := &pam{handler: func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		_, _ = io.WriteString(w, `{"remote_sessions":[`+rowA)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, ","+rowB); err != nil {
				return
			}
		}
	}}
	c := overNetwork(t, p, func(cfg *Config) { cfg.MaxConcurrentRequests, cfg.MaxRetries = 1, 3 })
	seen := 0
	for s, err := range c.Sessions(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if seen++; s.RecordID == "2" {
			break
		}
	}
	if seen != 2 {
		t.Errorf("%d sessions seen, want 2", seen)
	}
	<-ended
	if n := p.count("GET "); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestDropDuringList: a list that is still arriving holds no slot.
func TestDropDuringList(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	p := &pam{handler: func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			close(release)
			return
		}
		_, _ = io.WriteString(w, `{"remote_sessions":[`+rowA)
		_ = http.NewResponseController(w).Flush()
		<-release
		_, _ = io.WriteString(w, `]}`)
	}}
	c := overNetwork(t, p, func(cfg *Config) { cfg.MaxConcurrentRequests = 1 })
	for s, err := range c.Sessions(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Drop(t.Context(), s.ID); err != nil {
			t.Error(err)
		}
	}
}
