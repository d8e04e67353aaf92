package a2a

import (
	"net/http"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

func TestAnswersOfCaches(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, value string
		cached      bool
	}{
		{"Age", "1", true},
		{"Age", "86400", true},
		{"Age", "0", false},
		{"Age", "soon", false},
		{"Cache-Status", "edge; hit; ttl=30", true},
		{"Cache-Status", "edge; fwd=uri-miss, inner;hit", true},
		{"Cache-Status", "hit.example.com; fwd=miss", false},
		{"X-Cache", "HIT from proxy.example.com", true},
		{"X-Cache", "MISS, HIT", true},
		{"X-Cache", "MISS from hit.example.com", false},
		{"X-Cache", "TCP_HIT", true},
		{"X-Cache-Status", "STALE", true},
		{"X-Cache-Status", "Hit", true},
		{"X-Cache-Status", "BYPASS", false},
		{"X-Proxy-Cache", "UPDATING", true},
		{"Cf-Cache-Status", "DYNAMIC", false},
	} {
		for _, op := range operations {
			t.Run(test.name+": "+test.value+"/"+op.name, func(t *testing.T) {
				t.Parallel()
				p := &pam{handler: func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set(test.name, test.value)
					answering(http.StatusOK, readBody(t, op.success))(w, r)
				}}
				err := op.run(t.Context(), inMemory(t, p, nil))
				if !test.cached || op.name == OpDrop {
					if err != nil {
						t.Error(err)
					}
					return
				}
				wantClass(t, err, session.ErrTransient)
				wantBlame(t, err, ErrCache)
				if said := test.name + ": " + test.value; !strings.Contains(err.Error(), said) {
					t.Errorf("%v does not say %q", err, said)
				}
			})
		}
	}
}

// What a cache says of a session that it does not know, or of a route, is no answer to
// the question either.
func TestFailuresOfCaches(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusBadRequest, http.StatusNotFound} {
		p := &pam{handler: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Age", "7")
			answering(status, `{"code":400,"response":{"status":400,"error":true},"exception":{"code":1002}}`)(w, r)
		}}
		_, err := inMemory(t, p, nil).Session(t.Context(), testRecord)
		wantClass(t, err, session.ErrTransient)
		wantBlame(t, err, ErrCache)
	}
}

func TestCachesAreAskedToPassOn(t *testing.T) {
	t.Parallel()
	p := &pam{handler: func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Cache-Control") + ", " + r.Header.Get("Pragma"); got != "no-cache, no-cache" {
			t.Errorf("%s asks with %q", r.Method, got)
		}
		answering(http.StatusNoContent, "")(w, r)
	}}
	for _, op := range operations {
		_ = op.run(t.Context(), inMemory(t, p, nil)) // the answer is not at issue
	}
}
