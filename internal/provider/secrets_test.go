package provider_test

import (
	"archive/zip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/acctest"
	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// The secrets of these tests have no character that any encoding changes, so
// that they are found wherever they appear.
const (
	canarySecret  = "canary-client-secret-7f3a"
	canaryHeader  = "canary-header-value-7f3b"
	canaryProxy   = "canary-proxy-password-7f3c"
	canaryOAuth1A = "canary-consumer-secret-7f3d"
	canaryOAuth1B = "canary-token-secret-7f3e"
)

// secretsProvider takes its secrets from ephemeral variables: Terraform itself
// writes literals and other variables into the plan file, which is its business
// and not the provider's.
const secretsProvider = `
variable "headers" {
  type      = map(string)
  sensitive = true
  ephemeral = true
}

variable "proxy_url" {
  type      = string
  sensitive = true
  ephemeral = true
}

variable "client_cert_pem" {
  type      = string
  ephemeral = true
}

variable "client_key_pem" {
  type      = string
  sensitive = true
  ephemeral = true
}

provider "senhasegura" {
  headers         = var.headers
  proxy_url       = var.proxy_url
  client_cert_pem = var.client_cert_pem
  client_key_pem  = var.client_key_pem
  max_retries     = 1
}

resource "senhasegura_session_termination" "test" {
  session_id    = "%s"
  poll_interval = "10ms"
}
`

// tunnelProxy makes tunnels and records the requests for them.
func tunnelProxy(t *testing.T) (address string, authorizations func() []string) {
	t.Helper()
	seen := make(chan string, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Get("Proxy-Authorization")
		upstream, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", r.Host)
		if err != nil {
			http.Error(w, "no upstream", http.StatusBadGateway)
			return
		}
		defer func() { _ = upstream.Close() }()
		client, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = client.Close() }()
		if _, err := io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
			return
		}
		var both sync.WaitGroup
		for _, pair := range [][2]net.Conn{{client, upstream}, {upstream, client}} {
			both.Go(func() {
				_, _ = io.Copy(pair[0], pair[1])
				_ = pair[0].Close()
			})
		}
		both.Wait()
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), func() []string {
		var all []string
		for {
			select {
			case one := <-seen:
				all = append(all, one)
			default:
				return all
			}
		}
	}
}

// clientKeyPair is a self-signed client certificate and its key.
func clientKeyPair(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}

// traces are all the places where Terraform and the provider leave something, by
// name.
type traces map[string]string

func (tr traces) add(name string, run acctest.Run) {
	tr[name+" stdout"], tr[name+" stderr"], tr[name+" log"] = run.Stdout, run.Stderr, run.Log
}

// addPlan takes a plan file apart: it is a compressed archive, in which no search
// would find anything.
func (tr traces) addPlan(t *testing.T, file string) {
	t.Helper()
	archive, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }() // only read
	for _, member := range archive.File {
		content, err := member.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		tr["plan file, "+member.Name] = string(text)
	}
}

// with gives the places where text appears, sorted.
func (tr traces) with(text string) []string {
	var found []string
	for _, place := range slices.Sorted(maps.Keys(tr)) {
		if strings.Contains(tr[place], text) {
			found = append(found, place)
		}
	}
	return found
}

// expectNone fails for each secret that appears anywhere, in the clear or as the
// base64 that it travels in.
func (tr traces) expectNone(t *testing.T, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
			if places := tr.with(form); len(places) > 0 {
				t.Errorf("the secret %q is in %q", form, places)
			}
		}
	}
}

// expectFound is the control of the search: what does appear must be found.
func (tr traces) expectFound(t *testing.T, text string, places ...string) {
	t.Helper()
	found := tr.with(text)
	for _, place := range places {
		if !slices.Contains(found, place) {
			t.Errorf("the search does not find %q in %s; it finds it in %q", text, place, found)
		}
	}
}

// lifecycle runs a termination through all of its operations, with a senhasegura that
// quotes secrets and then rejects the credentials, which word distinguishes from other
// errors. It gives what that left behind.
func lifecycle(t *testing.T, server *acctest.Server, tf *acctest.Terraform, quoted string, rejection simulator.Fault, word string) traces {
	t.Helper()
	left := traces{}
	run := func(name string, code int, args ...string) {
		result := tf.Run(append(args, "-no-color")...)
		if result.Code != code {
			t.Fatalf("%s: exit code %d, want %d\n%s", name, result.Code, code, result.Output())
		}
		left.add(name, result)
	}
	run("plan", 0, "plan", "-out=saved.tfplan")
	left.addPlan(t, filepath.Join(tf.Dir, "saved.tfplan"))
	run("show", 0, "show", "-json", "saved.tfplan")
	run("apply", 0, "apply", "saved.tfplan")
	left["state"] = tf.Read("terraform.tfstate")
	run("refresh", 0, "plan")

	server.Sim.Purge(aliceID)
	server.Sim.Add(alice(simulator.Behavior{Refuse: true}))
	// The end is known, so that only a replacement makes a call.
	run("refused", 1, "apply", "-auto-approve", "-replace="+terminationType+".test")
	server.Sim.Inject(simulator.Fault{
		Kind: simulator.Status, Op: simulator.OpDrop, Status: http.StatusInternalServerError,
		Body: fmt.Sprintf(`{"response":{"status":500,"message":"rejected %s","error":true,"error_code":1}}`, quoted),
	})
	run("quoted", 1, "apply", "-auto-approve")
	server.Sim.ClearFaults()
	server.Sim.Inject(rejection)
	run("rejected", 1, "apply", "-auto-approve")
	left["state after failures"] = tf.Read("terraform.tfstate")

	// The searches work: these texts are where they are expected.
	left.expectFound(t, aliceID, "state", "show stdout", "plan file, tfplan", "plan stdout", "apply log", "refused stderr")
	left.expectFound(t, "A2A request", "apply log", "refused log")
	left.expectFound(t, "rejected", "quoted stderr")
	left.expectFound(t, word, "rejected stderr", "rejected log")
	return left
}

// TestAccSecrets searches everything that real runs leave behind, logs at TRACE
// included, for every secret of the configuration and every token of senhasegura.
func TestAccSecrets(t *testing.T) {
	t.Parallel()

	t.Run("oauth2, headers, proxy, client certificate", func(t *testing.T) {
		t.Parallel()
		acctest.RequireTerraform(t)
		server := acctest.StartTLS(t, simulator.Config{ClientID: "terraform", ClientSecret: canarySecret, Referers: []string{canaryHeader}})
		server.Sim.Add(alice(simulator.Behavior{}))
		certificate, key := clientKeyPair(t)
		proxy, authorizations := tunnelProxy(t)
		tf := acctest.NewTerraform(t, server, fmt.Sprintf(secretsProvider, aliceID))
		tf.Trace = true
		tf.Env = map[string]string{
			"TF_VAR_headers":         fmt.Sprintf("{ Referer = %q }", canaryHeader),
			"TF_VAR_proxy_url":       "http://runner:" + canaryProxy + "@" + proxy,
			"TF_VAR_client_cert_pem": certificate,
			"TF_VAR_client_key_pem":  key,
		}

		left := lifecycle(t, server, tf, canarySecret+" "+canaryHeader+" "+canaryProxy,
			simulator.Fault{Kind: simulator.InvalidClient401, Op: simulator.OpToken}, "invalid_client")

		if seen := authorizations(); len(seen) == 0 || slices.Contains(seen, "") {
			t.Errorf("proxy authorizations %q, want one with every tunnel", seen)
		}
		tokens := server.Sim.IssuedTokens()
		if len(tokens) == 0 {
			t.Error("no token was issued")
		}
		keyLine := strings.Split(key, "\n")[1]
		left.expectNone(t, append(tokens, canarySecret, canaryHeader, canaryProxy, "runner:"+canaryProxy, keyLine)...)
	})

	t.Run("oauth1", func(t *testing.T) {
		t.Parallel()
		acctest.RequireTerraform(t)
		server := acctest.Start(t, simulator.Config{OAuth1: &simulator.OAuth1{
			ConsumerKey: "consumer-key", ConsumerSecret: canaryOAuth1A, TokenKey: "token-key", TokenSecret: canaryOAuth1B,
		}})
		server.Sim.Add(alice(simulator.Behavior{}))
		tf := acctest.NewTerraform(t, server, fmt.Sprintf("resource %q \"test\" {\n  session_id = %q\n  poll_interval = \"10ms\"\n}\n", terminationType, aliceID))
		tf.Trace = true

		left := lifecycle(t, server, tf, canaryOAuth1A+" "+canaryOAuth1B,
			simulator.Fault{Kind: simulator.InvalidSignature401}, "signature")

		left.expectNone(t, canaryOAuth1A, canaryOAuth1B)
	})
}

// TestSecretsInMessages has senhasegura quote every secret and every token in its answers
// to requests and lists, and searches what drains, actions and data sources say of
// them, progress included.
func TestSecretsInMessages(t *testing.T) {
	t.Parallel()
	server := acctest.Start(t, simulator.Config{ClientID: "terraform", ClientSecret: canarySecret, Referers: []string{canaryHeader}})
	server.Sim.Add(alice(simulator.Behavior{}))
	driver := acctest.NewDriver(t, server, map[string]any{
		"headers":     map[string]string{"Referer": canaryHeader},
		"max_retries": 0,
	})
	match := map[string]any{"match": map[string]any{"users": []string{"alice"}}, "poll_interval": "1ms"}
	drain := driver.Resource(drainType)
	guarded := drain.Apply(nil, match).State

	quoted := func(op simulator.Op, status int) {
		secrets := append(server.Sim.IssuedTokens(), canarySecret, canaryHeader)
		server.Sim.ClearFaults()
		server.Sim.Inject(simulator.Fault{
			Kind: simulator.Status, Op: op, Status: status,
			Body: fmt.Sprintf(`{"response":{"status":%d,"message":"rejected %s","error":true,"error_code":1}}`, status, strings.Join(secrets, " ")),
		})
	}
	said := traces{}
	quoted(simulator.OpDrop, http.StatusInternalServerError)
	said["drain refused"] = drain.Destroy(guarded).Diagnostics.String()
	invoked := driver.InvokeAction(terminateType, match)
	said["action refused"] = invoked.Diagnostics.String()
	said["progress"] = strings.Join(invoked.Progress, "\n")
	quoted(simulator.OpList, http.StatusBadRequest)
	said["drain without a list"] = drain.Destroy(guarded).Diagnostics.String()
	said["action without a list"] = driver.InvokeAction(terminateType, match).Diagnostics.String()
	_, listed := driver.ReadDataSource("senhasegura_sessions", nil)
	said["sessions"] = listed.String()
	_, seen := driver.ReadDataSource("senhasegura_visibility", nil)
	said["visibility"] = seen.String()
	_, looked := driver.ReadDataSource("senhasegura_session", map[string]any{"session_id": aliceID})
	said["session"] = looked.String()
	said["import"] = driver.Resource(terminationType).Import(aliceID).Diagnostics.String()

	said.expectFound(t, aliceID, "progress") // which quotes no answer
	delete(said, "progress")
	said.expectFound(t, "rejected", slices.Collect(maps.Keys(said))...)
	said.expectNone(t, append(server.Sim.IssuedTokens(), canarySecret, canaryHeader)...)
}
