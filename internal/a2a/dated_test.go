package a2a

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// dating is what a Config.Dated was told.
type dating struct{ date, sent, received time.Time }

func TestDateHeaders(t *testing.T) {
	t.Parallel()
	const took = 3 * time.Second
	day := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	for _, test := range []struct {
		name   string
		header map[string]string
		status int
		told   bool
	}{
		{"a date", map[string]string{"Date": day.Format(http.TimeFormat)}, http.StatusOK, true},
		{"no date", nil, http.StatusOK, false},
		{"no date that can be read", map[string]string{"Date": "2026-05-06 07:08:09"}, http.StatusOK, false},
		{"from a cache", map[string]string{"Date": day.Format(http.TimeFormat), "Age": "0"}, http.StatusOK, false},
		{"a failure, which may be that of a proxy", map[string]string{"Date": day.Format(http.TimeFormat)}, http.StatusBadGateway, false},
	} {
		for _, op := range operations {
			t.Run(test.name+"/"+op.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					p := &pam{handler: func(w http.ResponseWriter, r *http.Request) {
						time.Sleep(took)
						for name, value := range test.header {
							w.Header().Set(name, value)
						}
						answering(test.status, readBody(t, op.success))(w, r)
					}}
					var told []dating
					client := inMemory(t, p, func(c *Config) {
						c.Dated = func(date, sent, received time.Time) { told = append(told, dating{date, sent, received}) }
					})
					began := time.Now()
					if err := op.run(t.Context(), client); (err == nil) != (test.status == http.StatusOK) {
						t.Fatal(err)
					}
					var want []dating
					if test.told {
						want = []dating{{day, began, began.Add(took)}}
					}
					if !slices.Equal(told, want) {
						t.Errorf("told %v, want %v", told, want)
					}
				})
			})
		}
	}
}

// The token request is the first to tell, and often the quickest.
func TestDateHeaderOfATokenRequest(t *testing.T) {
	t.Parallel()
	p := &pam{handler: answering(http.StatusOK, readBody(t, "drop-newest-http200.json"))}
	var dates int
	client := overNetwork(t, p, func(c *Config) { c.Dated = func(_, _, _ time.Time) { dates++ } })
	if err := client.Drop(t.Context(), testID); err != nil {
		t.Fatal(err)
	}
	if dates != 2 {
		t.Errorf("%d dates, want 2: of the token and of the request", dates)
	}
}
