package a2a

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// The benchmarks of the list. The command for the numbers of a release is
//
//	go test -run '^$' -bench . -benchtime 3x ./internal/a2a
//
// and with -short the lists have 100,000 sessions at most.
//
// BenchmarkListProcess reads the list as a user's process does, over HTTP, in a
// process of its own, so that the peak of its memory is the client's.
// BenchmarkDecoders compares ways to decode the same bytes in memory.

// readerEnvironment tells the test binary to be the reading process: its value
// is the mode, the URL and the number of sessions.
const readerEnvironment = "A2A_BENCHMARK_READER"

func TestMain(m *testing.M) {
	if order := os.Getenv(readerEnvironment); order != "" {
		if err := beReader(context.Background(), strings.Fields(order)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const (
	benchUser  = "wanted.user"
	benchHead  = `{"code":200,"response":{"status":200,"message":"","error":false,"error_code":0,"detail":"","mensagem":"","erro":false,"cod_erro":0},"tenant":"Segura","remote_sessions":[`
	benchTail  = `]}`
	benchBatch = 1000
	// benchMatches of the sessions belong to benchUser and are live.
	benchMatches = 10
)

// writeList writes a list of n sessions, n being a multiple of benchBatch. It
// renders one batch and then changes the identifiers in place, so that making
// the list costs next to nothing while it is read.
func writeList(w io.Writer, n int) error {
	if _, err := io.WriteString(w, benchHead); err != nil {
		return err
	}
	batch, numbers := benchRows()
	for first := 0; first < n; first += benchBatch {
		for i, at := range numbers {
			copy(batch[at:], fmt.Sprintf("%07d", first+i/2))
		}
		out := batch
		if first == 0 {
			out = batch[1:] // without the comma
		}
		if _, err := w.Write(out); err != nil {
			return err
		}
		if (first/benchBatch)%(n/benchBatch/benchMatches) == 0 {
			if _, err := fmt.Fprintf(w, `,{"id":"9%07d","user":%q,"session_id":"m%039d","end":null}`, first, benchUser, first); err != nil {
				return err
			}
		}
	}
	_, err := io.WriteString(w, benchTail)
	return err
}

// benchRows returns one batch, a comma before each row, and where in it the
// numbers are that make the identifiers: two for each row.
func benchRows() (batch []byte, numbers []int) {
	for i := range benchBatch {
		batch = append(batch, `,{"id":"`...)
		numbers = append(numbers, len(batch))
		batch = fmt.Appendf(batch, `0000000","user":"user%04d","origin_ip":"172.16.%d.%d","credential":"svc_%d","device":"10.20.%d.%d:22",`+
			`"protocol":"ssh","proxy":"Web Proxy","session_id":"`, i, i%200, i%250, i%40, i%100, i%250)
		numbers = append(numbers, len(batch))
		batch = append(batch, `0000000caba5f2fad2065f1d132a22d0e2dfacccb`+
			`","start":"2024-05-06 16:11:17","end":"2024-05-06 16:13:30","time":"00:02:13","prevent_purge":"No","request":null,"ITSM":null}`...)
	}
	return batch, numbers
}

// benchRow is a session for encoding/json.
type benchRow struct {
	ID         string  `json:"id"`
	User       string  `json:"user"`
	OriginIP   string  `json:"origin_ip"`
	Credential string  `json:"credential"`
	Device     string  `json:"device"`
	Protocol   string  `json:"protocol"`
	Proxy      string  `json:"proxy"`
	SessionID  string  `json:"session_id"`
	Start      string  `json:"start"`
	End        *string `json:"end"`
}

type benchList struct {
	Sessions []benchRow `json:"remote_sessions"`
}

// beReader is the reading process. It prints nanoseconds, KiB of peak memory and
// the number of matches.
func beReader(ctx context.Context, order []string) error {
	mode, address := order[0], order[1]
	read := map[string]func(context.Context, string) (int, error){
		"sessions": readSessions, "discard": readDiscard, "unmarshal": readUnmarshal,
	}[mode]
	began := time.Now()
	matches, err := read(ctx, address)
	if err != nil {
		return err
	}
	_, err = fmt.Println(time.Since(began).Nanoseconds(), peakMemory(), matches)
	return err
}

// peakMemory is the peak of the resident memory in KiB, 0 where it is unknown.
func peakMemory() int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, err := strconv.Atoi(fields[0])
	if err != nil {
		return 0
	}
	return kib
}

func readSessions(ctx context.Context, address string) (int, error) {
	c, err := New(testConfig(address))
	if err != nil {
		return 0, err
	}
	var matches []session.Session
	for s, err := range c.Sessions(ctx) {
		if err != nil {
			return 0, err
		}
		if s.Live() && s.User == benchUser {
			matches = append(matches, s)
		}
	}
	return len(matches), nil
}

func getList(ctx context.Context, address string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+listPath, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}

func readDiscard(ctx context.Context, address string) (int, error) {
	body, err := getList(ctx, address)
	if err != nil {
		return 0, err
	}
	defer func() { _ = body.Close() }()
	_, err = io.Copy(io.Discard, body)
	return 0, err
}

func readUnmarshal(ctx context.Context, address string) (int, error) {
	body, err := getList(ctx, address)
	if err != nil {
		return 0, err
	}
	defer func() { _ = body.Close() }()
	all, err := io.ReadAll(body)
	if err != nil {
		return 0, err
	}
	var list benchList
	if err := json.Unmarshal(all, &list); err != nil {
		return 0, err
	}
	matches := 0
	for _, s := range list.Sessions {
		if s.End == nil && s.User == benchUser {
			matches++
		}
	}
	return matches, nil
}

type reading struct {
	took    time.Duration
	peakKiB int
	matches int
}

// startReader runs one reading process to its end.
func startReader(b *testing.B, mode, address string) reading {
	b.Helper()
	command := exec.CommandContext(b.Context(), os.Args[0])
	command.Env = append(os.Environ(), readerEnvironment+"="+mode+" "+address)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		b.Fatal(err)
	}
	var r reading
	var nanoseconds int64
	if _, err := fmt.Sscan(string(out), &nanoseconds, &r.peakKiB, &r.matches); err != nil {
		b.Fatal(err)
	}
	r.took = time.Duration(nanoseconds)
	return r
}

// BenchmarkListProcess reports what the reading of a list costs: seconds, peak
// memory, and the time as a multiple of reading the same bytes into io.Discard
// and of json.Unmarshal of the same body into a slice, taken in turns.
func BenchmarkListProcess(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			if testing.Short() && n > 100_000 {
				b.Skip("a long list")
			}
			p := &pam{handler: func(w http.ResponseWriter, _ *http.Request) {
				if err := writeList(w, n); err != nil {
					b.Error(err)
				}
			}}
			server := httptest.NewServer(p)
			b.Cleanup(server.Close)
			var sessions, discard, unmarshal time.Duration
			peak := 0
			for b.Loop() {
				r := startReader(b, "sessions", server.URL)
				if r.matches != benchMatches {
					b.Fatalf("%d matches, want %d", r.matches, benchMatches)
				}
				sessions += r.took
				peak = max(peak, r.peakKiB)
				discard += startReader(b, "discard", server.URL).took
				u := startReader(b, "unmarshal", server.URL)
				if u.matches != benchMatches {
					b.Fatalf("%d matches by json.Unmarshal, want %d", u.matches, benchMatches)
				}
				unmarshal += u.took
			}
			b.ReportMetric(sessions.Seconds()/float64(b.N), "s/list")
			b.ReportMetric(float64(peak)/1024, "peak-MiB")
			b.ReportMetric(sessions.Seconds()/discard.Seconds(), "x-discard")
			b.ReportMetric(sessions.Seconds()/unmarshal.Seconds(), "x-unmarshal")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkDecoders: the list's reader; jsontext alone, session by session and
// without decoding them, which is the share of the decoder; and the two ways of
// encoding/json.
func BenchmarkDecoders(b *testing.B) {
	const n = 100_000
	var buffer bytes.Buffer
	if err := writeList(&buffer, n); err != nil {
		b.Fatal(err)
	}
	body := buffer.Bytes()
	for _, decoder := range []struct {
		name string
		run  func([]byte) (int, error)
	}{
		{"readList", countReadList},
		{"jsontext/values", countJSONText},
		{"encoding/rows", countJSONRows},
		{"encoding/Unmarshal", countUnmarshal},
	} {
		b.Run(decoder.name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				rows, err := decoder.run(body)
				if err != nil || rows != n+benchMatches {
					b.Fatalf("%d rows, %v", rows, err)
				}
			}
		})
	}
}

func countReadList(body []byte) (int, error) {
	return readList(bytes.NewReader(body), time.UTC, func(session.Session) bool { return true })
}

// countJSONText validates only.
func countJSONText(body []byte) (int, error) {
	d := jsontext.NewDecoder(bytes.NewReader(body), jsonOptions...)
	for d.StackDepth() < 2 || d.PeekKind() != '{' {
		if _, err := d.ReadToken(); err != nil {
			return 0, err
		}
		if pointer := d.StackPointer(); d.PeekKind() == '{' && pointer == "/response" {
			if err := d.SkipValue(); err != nil {
				return 0, err
			}
		}
	}
	rows := 0
	for d.PeekKind() == '{' {
		if _, err := d.ReadValue(); err != nil {
			return rows, err
		}
		rows++
	}
	return rows, nil
}

func countJSONRows(body []byte) (int, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	rows := 0
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return rows, err
		}
		if delimiter, ok := token.(json.Delim); ok {
			depth += map[json.Delim]int{'{': 1, '[': 1, '}': -1, ']': -1}[delimiter]
			if delimiter == '[' {
				break
			}
		}
	}
	for d.More() {
		var r benchRow
		if err := d.Decode(&r); err != nil {
			return rows, err
		}
		rows++
	}
	return rows, nil
}

func countUnmarshal(body []byte) (int, error) {
	var list benchList
	err := json.Unmarshal(body, &list)
	return len(list.Sessions), err
}
