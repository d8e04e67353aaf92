package a2a

import (
	"strings"
	"testing"
)

func TestPageTitle(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"<html><head><title>502 Bad Gateway</title></head></html>":                     "502 Bad Gateway",
		"<!DOCTYPE html>\n<HTML><Head><TITLE>\r\n  Access \t denied\n</TITLE >":        "Access denied",
		`<title lang="en" data-x='1'>400 No required SSL certificate was sent</title>`: "400 No required SSL certificate was sent",
		"<title>\nA &amp; B &lt;c&gt; &#233;&nbsp;&quot;x&quot;\n</title>":             `A & B <c> é "x"`,
		"<title>N\xe3o autorizado</title>":                                             "N\xe3o autorizado",
		"<title>first</title><title>second</title>":                                    "first",
		"<titles>no</titles><title>yes</title>":                                        "yes",
		"<title>a < b</title>":                                                         "a < b",
		"<title></title>":                                                              "",
		"<title> \n </title>":                                                          "",
		"<title>never closed":                                                          "",
		"<title":                                                                       "",
		"<html><body><h1>Bad Gateway</h1></body></html>":                               "",
		`{"title":"JSON"}`:                                                             "",
		"":                                                                             "",
		strings.Repeat(" ", maxTitleBytes-len("<title>x</title>")) + "<title>x</title>":    "x",
		strings.Repeat(" ", maxTitleBytes-len("<title>x</title>")+1) + "<title>x</title>":  "",
		"<title>" + strings.Repeat("x ", maxTitleBytes) + "</title>":                       "",
		"<title>" + strings.Repeat("<title", 1000) + "</title><title>" + "no" + "</title>": strings.Repeat("<title", 1000),
	} {
		if got := pageTitle([]byte(body)); got != want {
			t.Errorf("title %.60q of %.60q, want %.60q", got, body, want)
		}
	}
}

// TestPageTitleWithASecret: the title is read before secrets are searched for, so
// none may be spelled in a way that only a browser would have read.
func TestPageTitleWithASecret(t *testing.T) {
	t.Parallel()
	const secret = "s3cr&t\t<key>"
	r := newRedactor(&Config{ClientSecret: secret})
	for name, spell := range spellings {
		got := r.text(pageTitle([]byte("<title>denied: " + spell(secret) + "</title>")))
		// Of base64 the letters before the secret's own may be left.
		if rest, ok := strings.CutPrefix(got, "denied: "); !ok || !strings.HasSuffix(rest, redacted) || len(rest) > len(redacted)+3 {
			t.Errorf("%s: %q", name, got)
		}
	}
}
