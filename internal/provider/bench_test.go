package provider_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/a2a"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

const (
	// drainedSessions is how many live sessions a drain is measured with.
	drainedSessions = 10_000
	// inFlight is how many requests both sides have on their way, the provider's
	// default.
	inFlight = 10
	// gcPercent is main's, for both sides.
	gcPercent = 400
	// clientEnvironment makes the test program one side of BenchmarkDrain10000: its
	// value is the side's name and the address of the API.
	clientEnvironment = "SENHASEGURA_BENCH_CLIENT"
)

// BenchmarkDrain10000 measures the engine, through the API client, against a bare
// loop that sends the same requests over net/http. Both talk to the same simulator,
// which ends sessions at once, over loopback, and each runs in a process of its
// own, as the provider does: in one process with the simulator they would share
// its heap and its scheduler, of which the engine needs more than the loop. Each
// run of the engine has one of the loop right after it, and x-bare is the median
// of the ratios of such pairs: what else the machine does lasts longer than a
// pair. The shorter the pairs, the more of them one iteration has.
//
// On loopback an answer takes some 30 microseconds, so that the ratio is one of
// processor time; the second case has an API that takes its time, as every real
// one does.
func BenchmarkDrain10000(b *testing.B) {
	for _, test := range []struct {
		name  string
		delay time.Duration
		pairs int
	}{
		{"loopback", 0, 9},
		{"answers after 5ms", 5 * time.Millisecond, 1},
	} {
		b.Run(test.name, func(b *testing.B) { benchmarkDrain(b, test.delay, test.pairs) })
	}
}

func benchmarkDrain(b *testing.B, delay time.Duration, pairs int) {
	b.Helper()
	var engine, bare []time.Duration
	var ratios []float64
	var drops, lists, gets int
	for b.Loop() {
		for range pairs {
			sim, address, ids := serveSessions(b, delay)
			engine = append(engine, startClient(b, "engine", address, ids))
			drops, lists, gets = sim.Count(simulator.OpDrop), sim.Count(simulator.OpList), sim.Count(simulator.OpGet)
			if drops != drainedSessions || lists > 3 || gets != 0 {
				b.Fatalf("%d drops, %d lists, %d gets; want %d, at most 3, and none", drops, lists, gets, drainedSessions)
			}
			expectNoneLive(b, sim)

			sim, address, ids = serveSessions(b, delay)
			bare = append(bare, startClient(b, "bare", address, ids))
			expectNoneLive(b, sim)
			ratios = append(ratios, engine[len(engine)-1].Seconds()/bare[len(bare)-1].Seconds())
		}
	}
	b.ReportMetric(float64(drops), "drops/drain")
	b.ReportMetric(float64(lists), "lists/drain")
	b.ReportMetric(float64(gets), "gets/drain")
	b.ReportMetric(median(engine).Seconds(), "s/drain")
	b.ReportMetric(median(bare).Seconds(), "s/bare")
	b.ReportMetric(median(ratios), "x-bare")
}

// startClient runs one side to its end, in a process of its own, and gives how
// long it took without the start of the process.
func startClient(b *testing.B, side, address string, ids []string) time.Duration {
	b.Helper()
	client := exec.CommandContext(b.Context(), os.Args[0])
	client.Env = append(os.Environ(), clientEnvironment+"="+side+" "+address)
	client.Stdin = strings.NewReader(strings.Join(ids, "\n"))
	client.Stderr = os.Stderr
	out, err := client.Output()
	if err != nil {
		b.Fatalf("%s: %v", side, err)
	}
	took, err := time.ParseDuration(strings.TrimSpace(string(out)))
	if err != nil {
		b.Fatal(err)
	}
	return took
}

// beClient is one side, and prints how long it took.
func beClient(order string) error {
	debug.SetGCPercent(gcPercent)
	side, address, _ := strings.Cut(order, " ")
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	ids := strings.Split(string(input), "\n")
	ctx := context.Background()
	began := time.Now()
	if side == "engine" {
		err = drainAll(ctx, address)
	} else {
		err = dropAll(ctx, address, ids)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Println(time.Since(began))
	return err
}

// serveSessions serves live sessions, and gives their session ids. Requests are answered
// after the delay.
func serveSessions(b *testing.B, delay time.Duration) (sim *simulator.Simulator, address string, ids []string) {
	b.Helper()
	server := acctest.Start(b, simulator.Config{})
	if delay > 0 {
		server.Sim.Inject(simulator.Fault{Kind: simulator.Slow, Op: simulator.OpDrop, Delay: delay})
	}
	return server.Sim, server.URL, populate(server.Sim, drainedSessions)
}

func populate(sim *simulator.Simulator, n int) []string {
	ids := make([]string, 0, n)
	for _, s := range sim.AddMany(n, simulator.Sample) {
		ids = append(ids, s.SessionID)
	}
	return ids
}

func expectNoneLive(b *testing.B, sim *simulator.Simulator) {
	b.Helper()
	for _, s := range sim.Sessions() {
		if s.State != simulator.StateEnded {
			b.Fatalf("session %s is %s", s.SessionID, s.State)
		}
	}
}

func median[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// drainAll terminates all sessions as the provider does, with its defaults.
func drainAll(ctx context.Context, address string) error {
	client, err := a2a.New(a2a.Config{
		URL: address, ClientID: simulator.DefaultClientID, ClientSecret: simulator.DefaultClientSecret,
		MaxRetries: 4, MaxConcurrentRequests: inFlight,
	})
	if err != nil {
		return err
	}
	selector, err := session.NewSelector(session.Match{Protocols: []string{"ssh", "rdp"}}, session.Match{})
	if err != nil {
		return err
	}
	terminator := termination.New(client, termination.Options{Retries: 4, Concurrency: inFlight})
	report, err := terminator.Drain(ctx, termination.DrainRequest{Selector: selector, PollInterval: 2 * time.Second})
	if err == nil && len(report.Terminated()) != drainedSessions {
		err = fmt.Errorf("%d sessions are reported as terminated", len(report.Terminated()))
	}
	return err
}

// dropAll is the least that a program can do to send the same requests.
func dropAll(ctx context.Context, address string, ids []string) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: inFlight}}
	defer client.CloseIdleConnections()
	token, err := bareToken(ctx, client, address)
	if err != nil {
		return err
	}
	drops, ctx := errgroup.WithContext(ctx)
	drops.SetLimit(inFlight)
	for _, id := range ids {
		drops.Go(func() error {
			req, err := http.NewRequestWithContext(ctx, http.MethodDelete, address+"/api/pam/session/drop/"+id, http.NoBody)
			if err != nil {
				return err
			}
			req.Header.Set("Authorization", "Bearer "+token)
			_, err = bareAnswer(client, req)
			return err
		})
	}
	return drops.Wait()
}

func bareToken(ctx context.Context, client *http.Client, address string) (string, error) {
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {simulator.DefaultClientID}, "client_secret": {simulator.DefaultClientSecret},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/iso/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	body, err := bareAnswer(client, req)
	if err != nil {
		return "", err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", err
	}
	if answer.AccessToken == "" {
		return "", errors.New("no token")
	}
	return answer.AccessToken, nil
}

func bareAnswer(client *http.Client, req *http.Request) ([]byte, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it has been read to its end, or failed
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP %d", resp.StatusCode)
	}
	return body, err
}

// terminated is how many terminations one apply is measured with.
const terminated = 500

const (
	dataType = "terraform_data"

	// late is counted in addition to the operations: see expectThrift.
	late = simulator.Op("late-get")
)

// BenchmarkApply500 measures one apply of 500 terminations and, right after it,
// two of 500 terraform_data, with a real Terraform that starts the built provider
// as a user's does. x-data is the ratio to the first of them, whose input is an
// id. The input of the second is longer, so that its state is as long as that of
// the terminations: Terraform writes the whole state after each resource, so
// x-same-state leaves out what any resource of that many attributes costs. All
// times include the plan that Terraform makes before it applies.
func BenchmarkApply500(b *testing.B) {
	if _, err := exec.LookPath("terraform"); err != nil && os.Getenv("TF_ACC_TERRAFORM_PATH") == "" {
		b.Skip("there is no Terraform: put it on PATH, or name it in TF_ACC_TERRAFORM_PATH")
	}
	b.Setenv("TF_ACC", "1")
	var ours, plain, padded []time.Duration
	var oursBytes, plainBytes, paddedBytes int
	var asked map[simulator.Op]int
	for b.Loop() {
		server := acctest.Start(b, simulator.Config{})
		ids := populate(server.Sim, terminated)
		var took time.Duration
		took, oursBytes = applied(b, server, ids, terminationType, "session_id")
		ours = append(ours, took)
		asked = expectThrift(b, server.Sim)
		expectNoneLive(b, server.Sim)
		took, plainBytes = applied(b, server, ids, dataType, "input")
		plain = append(plain, took)
		// terraform_data keeps its input twice.
		padding := strings.Repeat("x", max(oursBytes-plainBytes, 0)/2)
		for i := range ids {
			ids[i] += padding
		}
		took, paddedBytes = applied(b, server, ids, dataType, "input")
		padded = append(padded, took)
	}
	for op, n := range asked {
		b.ReportMetric(float64(n), string(op)+"s/apply")
	}
	b.ReportMetric(median(ours).Seconds(), "s/apply")
	b.ReportMetric(median(plain).Seconds(), "s/data")
	b.ReportMetric(median(padded).Seconds(), "s/same-state")
	b.ReportMetric(float64(oursBytes), "B/termination")
	b.ReportMetric(float64(plainBytes), "B/data")
	b.ReportMetric(float64(paddedBytes), "B/same-state")
	b.ReportMetric(median(ours).Seconds()/median(plain).Seconds(), "x-data")
	b.ReportMetric(median(ours).Seconds()/median(padded).Seconds(), "x-same-state")
}

// applied is how long Terraform takes to apply one resource for each of ids, and
// how many bytes of state each of them has then. `for_each` over a list that is
// read from a file would be slow in Terraform itself.
func applied(b *testing.B, server *acctest.Server, ids []string, resource, argument string) (took time.Duration, size int) {
	b.Helper()
	tf := acctest.NewTerraform(b, server, fmt.Sprintf(`
locals {
  ids = jsondecode(file("ids.json"))
}

resource %q "each" {
  count = length(local.ids)
  %s    = local.ids[count.index]
}
`, resource, argument))
	tf.Write("ids.json", jsonOf(b, ids))
	began := time.Now()
	tf.MustRun("apply", "-auto-approve")
	took = time.Since(began)
	return took, len(tf.Read("terraform.tfstate")) / len(ids)
}

func jsonOf(b *testing.B, ids []string) string {
	b.Helper()
	list, err := json.Marshal(ids)
	if err != nil {
		b.Fatal(err)
	}
	return string(list)
}

// expectThrift checks that there was one token, and one request for each session. It
// gives the number of requests by operation, and as late those about a session
// whose end a list had shown before; senhasegura's side of it does not tell whether the
// provider had read that list by then. How many lists the first terminations need
// depends on how their requests interleave.
func expectThrift(b *testing.B, sim *simulator.Simulator) map[simulator.Op]int {
	b.Helper()
	asked := map[simulator.Op]int{late: 0}
	dropped := map[string]time.Time{} // by record id
	records := map[string]string{}
	for _, s := range sim.Sessions() {
		records[s.SessionID] = strconv.FormatInt(s.RecordID, 10)
	}
	var lists []simulator.Request
	for _, r := range sim.Journal() {
		asked[r.Op]++
		switch r.Op {
		case simulator.OpDrop:
			dropped[records[r.Object]] = r.Done
		case simulator.OpList:
			lists = append(lists, r)
		case simulator.OpGet:
			if slices.ContainsFunc(lists, func(list simulator.Request) bool {
				return list.Time.After(dropped[r.Object]) && list.Done.Before(r.Time)
			}) {
				asked[late]++
			}
		default:
		}
	}
	if asked[simulator.OpToken] != 1 || asked[simulator.OpDrop] != terminated {
		b.Errorf("requests: %v; want 1 token and %d drops", asked, terminated)
	}
	return asked
}
