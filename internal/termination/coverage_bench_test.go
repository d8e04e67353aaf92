package termination

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/a2a"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

const (
	benchSessions = 1_000_000
	// benchBatch is how many different rows there are, each with a text of its own.
	benchBatch = 50_000
	benchHead  = `{"code":200,"response":{"status":200,"message":"","error":false,"error_code":0},"tenant":"Segura","remote_sessions":[`
	benchTail  = `]}`
)

// benchRows gives rows of 200 users, 300 credentials, 2,000 devices, 10 proxies and
// 1,000 origins, each with an id of its own.
func benchRows() []session.Session {
	rng := rand.New(rand.NewPCG(1, 2))
	rows := make([]session.Session, benchBatch)
	draw := func(format string, n int) string { return fmt.Sprintf(format, rng.IntN(n)) }
	for i := range rows {
		texts := []string{
			fmt.Sprintf("%040x", i), fmt.Sprint(i), draw("user%03d.name", 200), draw("svc-account-%03d", 300),
			draw("web-%04d.example.com:22", 2000), []string{"ssh", "rdp", "postgresql", "https"}[rng.IntN(4)],
			draw("Web Proxy %d", 10), "10.20." + draw("%d", 10) + "." + draw("%d", 100),
		}
		row := strings.Join(texts, "") // one text, as that of a row of the client
		next := func(text string) string {
			text, row = row[:len(text)], row[len(text):]
			return text
		}
		rows[i] = session.Session{
			ID: next(texts[0]), RecordID: next(texts[1]), User: next(texts[2]), Credential: next(texts[3]),
			Device: next(texts[4]), Protocol: next(texts[5]), Proxy: next(texts[6]), OriginIP: next(texts[7]),
			StartedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), EndedAt: time.Date(2026, 1, 2, 3, 5, 5, 0, time.UTC),
		}
	}
	return rows
}

// million gives a list of benchSessions, in memory.
func million(rows []session.Session) iter.Seq[session.Session] {
	return func(yield func(session.Session) bool) {
		for range benchSessions / len(rows) {
			for i := range rows {
				if !yield(rows[i]) {
					return
				}
			}
		}
	}
}

// benchServer gives the client of a server with the same list.
func benchServer(b *testing.B, rows []session.Session) *a2a.Client {
	b.Helper()
	var body bytes.Buffer
	for i := range rows {
		s := &rows[i]
		fmt.Fprintf(&body, `,{"id":%q,"user":%q,"origin_ip":%q,"credential":%q,"device":%q,"protocol":%q,"proxy":%q,"session_id":%q,`+
			`"start":"2026-01-02 03:04:05","end":"2026-01-02 03:05:05","time":"00:01:00","prevent_purge":"No","request":null,"ITSM":null}`,
			s.RecordID, s.User, s.OriginIP, s.Credential, s.Device, s.Protocol, s.Proxy, s.ID)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodPost {
			_, _ = io.WriteString(w, `{"token_type":"Bearer","expires_in":3600,"access_token":"token"}`)
			return
		}
		_, _ = io.WriteString(w, benchHead)
		for i := range benchSessions / len(rows) {
			batch := body.Bytes()
			if i == 0 {
				batch = batch[1:] // without the comma
			}
			_, _ = w.Write(batch)
		}
		_, _ = io.WriteString(w, benchTail)
	}))
	b.Cleanup(server.Close)
	client, err := a2a.New(a2a.Config{URL: server.URL, ClientID: "id", ClientSecret: "secret"})
	if err != nil {
		b.Fatal(err)
	}
	return client
}

// BenchmarkCoverage compares a list of a million whose matches are picked out with
// the same one that a census takes as well, in turns: in memory, and read from a
// server as a user's process reads it. The command is
//
//	go test -run '^$' -bench Coverage -benchtime 5x ./internal/termination
func BenchmarkCoverage(b *testing.B) {
	rows := benchRows()
	inMemory := million(rows)
	client := benchServer(b, rows)
	fromServer := func(yield func(session.Session) bool) {
		for s, err := range client.Sessions(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
			if !yield(s) {
				return
			}
		}
	}
	names := []string{session.FieldUsers, session.FieldCredentials, session.FieldDevices}
	for _, bench := range []struct {
		name     string
		match    session.Match
		forLater []string
	}{
		{"devices seen", session.Match{Devices: []string{"web-0007.example.com", "web-0008.example.com"}}, nil},
		{"device unseen", session.Match{Devices: []string{"web-7777.example.com", "web-0008.example.com"}}, nil},
		{"user unseen", session.Match{Users: []string{"alice"}}, nil},
		{"names for later", session.Match{Devices: []string{"web-7777.example.com"}}, names},
		{
			"all for later",
			session.Match{Devices: []string{"web-7777.example.com"}},
			append(names, session.FieldProtocols, session.FieldProxies, session.FieldOriginIPs),
		},
	} {
		selector, err := session.NewSelector(bench.match, session.Match{})
		if err != nil {
			b.Fatal(err)
		}
		for _, list := range []struct {
			name string
			rows iter.Seq[session.Session]
		}{{"in memory", inMemory}, {"from a server", fromServer}} {
			b.Run(bench.name+"/"+list.name, func(b *testing.B) {
				// The fastest pass of each is the one that other processes disturbed least.
				alone, both := time.Hour, time.Hour
				for b.Loop() {
					alone = min(alone, pass(b, list.rows, selector, func(session.Session) {}, func() {}))
					c := newCensus(bench.forLater...)
					c.ask(bench.match)
					c.restart()
					take, finish := func(s session.Session) { c.take(&s) }, func() {}
					if len(bench.forLater) > 0 { // as for a snapshot
						a := newConcurrentCensus(c)
						take, finish = a.take, func() { a.finish() }
					}
					both = min(both, pass(b, list.rows, selector, take, finish))
					if c.live+c.ended != benchSessions {
						b.Fatal("the census missed a row")
					}
				}
				b.ReportMetric(float64(alone.Nanoseconds())/benchSessions, "ns/row-alone")
				b.ReportMetric(float64(both.Nanoseconds())/benchSessions, "ns/row-with-coverage")
				b.ReportMetric(100*float64(both-alone)/float64(alone), "%-more")
			})
		}
	}
}

// pass takes a list as a drain does: it asks the selector about every row.
func pass(b *testing.B, rows iter.Seq[session.Session], selector *session.Selector, take func(session.Session), finish func()) time.Duration {
	b.Helper()
	began := time.Now()
	n := 0
	for s := range rows {
		if selector.Select(s, began) != session.No {
			n++
		}
		take(s)
	}
	finish()
	return time.Since(began)
}
