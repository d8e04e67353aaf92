//go:build unix

package neighbortest

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

const loopback = "127.0.0.1"

// neighbor is a program between the provider and senhasegura.
type neighbor struct {
	*program
	// address is where its clients find it.
	address string
	// health is where it tells the generation of its configuration, "" where it can't.
	health     string
	generation int
	// reloads is the signal to read the configuration again.
	reloads syscall.Signal
	// configure writes the configuration of a generation.
	configure func(generation int)
}

// launch starts a neighbor on free ports of host. prepare says what is to be run there.
func launch(t *testing.T, host string, prepare func(*neighbor)) *neighbor {
	t.Helper()
	var err error
	for range startTries {
		n := &neighbor{
			program: &program{t: t, last: syscall.SIGTERM},
			address: net.JoinHostPort(host, freePort(t, host)),
			health:  net.JoinHostPort(loopback, freePort(t, loopback)),
			reloads: syscall.SIGHUP,
		}
		prepare(n)
		t.Cleanup(func() {
			n.stop()
			if t.Failed() {
				t.Logf("%s said:\n%s", filepath.Base(n.path), n.output.String())
			}
		})
		n.configure(n.generation)
		if err = n.run(); err == nil {
			return n
		}
		n.stop()
	}
	t.Fatal(err)
	return nil
}

// run starts the program and waits until it serves.
func (n *neighbor) run() error {
	if err := n.start(); err != nil {
		return err
	}
	if n.health != "" {
		if err := n.await(answers(n.health, strconv.Itoa(n.generation))); err != nil {
			return err
		}
	}
	return n.await(listens(n.address))
}

// reload has the program read its configuration again, and returns when the new one
// is in force.
func (n *neighbor) reload() {
	n.t.Helper()
	n.generation++
	n.configure(n.generation)
	n.signal(n.reloads)
	ready := listens(n.address)
	if n.health != "" {
		ready = answers(n.health, strconv.Itoa(n.generation))
	}
	// A program that has just started may lose a signal: it is sent again.
	again := time.Now().Add(time.Second)
	inForce := func(ctx context.Context) error {
		err := ready(ctx)
		if err != nil && time.Now().After(again) {
			again = time.Now().Add(time.Second)
			n.signal(n.reloads)
		}
		return err
	}
	if err := n.await(inForce); err != nil {
		n.t.Errorf("%s does not reload: %v", filepath.Base(n.path), err)
	}
}

// restart ends the program, with the connections through it, and starts it again.
func (n *neighbor) restart() {
	n.t.Helper()
	n.stop()
	if err := n.run(); err != nil {
		n.t.Errorf("%s does not start again: %v", filepath.Base(n.path), err)
	}
}

// certificates are those of a front.
type certificates struct {
	// own is what it shows.
	own keyPair
	// clients is the authority of the certificates that it demands, "" for none.
	clients string
}

// nginx is a configuration of nginx. The zero value forwards everything over plain
// HTTP.
type nginx struct {
	host string
	// upstream is where senhasegura is.
	upstream string
	tls      *certificates
	// base is the path under which senhasegura is, "/" where it is empty.
	base string
	// http, server and location are further lines of these blocks.
	http, server, location string
}

func (c nginx) start(t *testing.T) *neighbor {
	t.Helper()
	path, dir := find(t, "nginx"), t.TempDir()
	if c.host == "" {
		c.host = loopback
	}
	if c.base == "" {
		c.base = "/"
	}
	var tls, secure string
	if c.tls != nil {
		tls = " ssl"
		secure = fmt.Sprintf("ssl_certificate %s;\n", write(t, dir, "front.pem", c.tls.own.certificate)) +
			fmt.Sprintf("ssl_certificate_key %s;\n", write(t, dir, "front.key", c.tls.own.key))
		if c.tls.clients != "" {
			secure += fmt.Sprintf("ssl_client_certificate %s;\nssl_verify_client on;\n", write(t, dir, "clients.pem", c.tls.clients))
		}
	}
	return launch(t, c.host, func(n *neighbor) {
		file := filepath.Join(dir, "nginx.conf")
		n.path, n.args = path, []string{"-p", dir, "-e", "stderr", "-c", file}
		user := ""
		if os.Getuid() == 0 {
			user = "user root;" // others can't read the directory of a test
		}
		n.configure = func(generation int) {
			write(t, dir, "nginx.conf", fmt.Sprintf(`
daemon off;
%s
worker_processes 2;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  upstream senhasegura { server %s; keepalive 8; }
%s
  server { listen %s; location / { return 200 "%d"; } }
  server {
    listen %s%s;
%s
%s
    location %s {
      proxy_pass http://senhasegura/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
%s
    }
  }
}
`, user, c.upstream, indented(c.http), n.health, generation, n.address, tls, indented(secure), indented(c.server), c.base, indented(c.location)))
		}
	})
}

// haproxy is a configuration of HAProxy. The zero value forwards everything over plain
// HTTP.
type haproxy struct {
	host     string
	upstream string
	tls      *certificates
	// trusts is the authority of senhasegura's certificate, "" where that is called
	// without TLS.
	trusts string
	// defaults, frontend and backend are further lines of these sections.
	defaults, frontend, backend string
}

func (c haproxy) start(t *testing.T) *neighbor {
	t.Helper()
	path, dir := find(t, "haproxy"), t.TempDir()
	if c.host == "" {
		c.host = loopback
	}
	var tls, upstreamTLS string
	if c.tls != nil {
		tls = " ssl crt " + write(t, dir, "front.pem", c.tls.own.certificate+c.tls.own.key)
		if c.tls.clients != "" {
			tls += " verify required ca-file " + write(t, dir, "clients.pem", c.tls.clients)
		}
	}
	if c.trusts != "" {
		upstreamTLS = " ssl verify required ca-file " + write(t, dir, "upstream.pem", c.trusts)
	}
	return launch(t, c.host, func(n *neighbor) {
		// In the foreground, with a master that reloads.
		n.path, n.args, n.reloads = path, []string{"-W", "-db", "-f", filepath.Join(dir, "haproxy.cfg")}, syscall.SIGUSR2
		n.configure = func(generation int) {
			write(t, dir, "haproxy.cfg", fmt.Sprintf(`
global
  nbthread 2
  hard-stop-after 2s
defaults
  mode http
  timeout connect 500ms
  timeout client 10s
  timeout server 10s
%s
frontend health
  bind %s
  http-request return status 200 content-type text/plain string %d
frontend front
  bind %s%s
%s
  default_backend senhasegura
backend senhasegura
%s
  server senhasegura %s%s
`, indented(c.defaults), n.health, generation, n.address, tls, indented(c.frontend), indented(c.backend), c.upstream, upstreamTLS))
		}
	})
}

// squid is a configuration of Squid, which opens tunnels to loopback addresses.
type squid struct {
	host string
	// caches is where senhasegura is if Squid is in front of it and keeps what it
	// answers, "" if Squid opens tunnels.
	caches string
	// user, with the password, is the only one who may use it; "" for everyone.
	user, password string
	// refuses everyone.
	refuses bool
}

func (c squid) start(t *testing.T) *neighbor {
	t.Helper()
	path, dir := find(t, "squid"), t.TempDir()
	if c.host == "" {
		c.host = loopback
	}
	var as *syscall.Credential
	if os.Getuid() == 0 {
		// Squid does not run as root.
		const nobody = 65534
		as = &syscall.Credential{Uid: nobody, Gid: nobody}
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil {
			t.Fatal(err)
		}
	}
	access := "http_access allow here\nhttp_access deny all"
	switch {
	case c.refuses:
		access = "http_access deny all"
	case c.user != "":
		check := write(t, dir, "check", fmt.Sprintf("while read -r given; do\n  case \"$given\" in\n    '%s %s') echo OK ;;\n    *) echo ERR ;;\n  esac\ndone\n", c.user, c.password))
		access = fmt.Sprintf("auth_param basic program /bin/sh %s\nauth_param basic children 2\nacl known proxy_auth REQUIRED\nhttp_access deny !known\n", check) + access
	}
	mode, storage := "", "cache deny all"
	if c.caches != "" {
		host, port, err := net.SplitHostPort(c.caches)
		if err != nil {
			t.Fatal(err)
		}
		mode = " accel defaultsite=senhasegura.test no-vhost"
		// Unlike what a client with credentials, and one that asks not to, gets.
		storage = fmt.Sprintf("cache_peer %s parent %s 0 no-query originserver login=PASSTHRU\nrefresh_pattern . 1 100%% 1 override-expire ignore-reload ignore-private\n", host, port)
		access = "http_access allow all"
	}
	return launch(t, c.host, func(n *neighbor) {
		// It takes its time to end in order.
		n.path, n.args, n.as, n.health, n.last = path, []string{"-N", "-f", filepath.Join(dir, "squid.conf")}, as, "", syscall.SIGKILL
		n.configure = func(int) {
			write(t, dir, "squid.conf", fmt.Sprintf(`
http_port %s%s
pid_filename %s/squid.pid
cache_log %s/cache.log
access_log none
%s
cache_mem 8 MB
memory_cache_shared off
netdb_filename none
pinger_enable off
dns_nameservers 127.0.0.1
visible_hostname squid.test
max_filedescriptors 1024
shutdown_lifetime 0 seconds
forward_max_tries 1
connect_timeout 2 seconds
acl here dst 127.0.0.0/8 ::1
%s
`, n.address, mode, dir, dir, storage, access))
		}
	})
}
