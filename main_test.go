package main

import (
	"os"
	"strings"
	"testing"
)

// Logs are turned off only where nothing asks for them: whoever debugs must get
// what was asked for.
func TestLogOnlyWhatIsRead(t *testing.T) {
	for name, test := range map[string]struct {
		asks map[string]string
		off  bool
	}{
		"nothing is asked for":      {nil, true},
		"an empty variable":         {map[string]string{"TF_LOG": ""}, true},
		"only Terraform's own logs": {map[string]string{"TF_LOG_CORE": "TRACE", "TF_LOG_PATH": "log"}, true},
		"all logs":                  {map[string]string{"TF_LOG": "DEBUG"}, false},
		"the logs of providers":     {map[string]string{"TF_LOG_PROVIDER": "DEBUG"}, false},
		"the logs of this one":      {map[string]string{"TF_LOG_PROVIDER_SENHASEGURA": "DEBUG"}, false},
		"the logs of the framework": {map[string]string{"TF_LOG_SDK_FRAMEWORK": "TRACE"}, false},
		"an acceptance test's logs": {map[string]string{"TF_ACC_LOG_PATH": "log"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, setting := range os.Environ() {
				if variable, _, _ := strings.Cut(setting, "="); strings.HasPrefix(variable, "TF_LOG") || strings.HasPrefix(variable, "TF_ACC_LOG") {
					t.Setenv(variable, "")
				}
			}
			t.Setenv("TF_LOG_SDK", "")
			t.Setenv("TF_LOG_PROVIDER", "")
			for variable, value := range test.asks {
				t.Setenv(variable, value)
			}
			if err := logOnlyWhatIsRead(); err != nil {
				t.Fatal(err)
			}
			for _, variable := range []string{"TF_LOG_SDK", "TF_LOG_PROVIDER"} {
				want := test.asks[variable]
				if test.off {
					want = "off"
				}
				if got := os.Getenv(variable); got != want {
					t.Errorf("%s is %q, want %q", variable, got, want)
				}
			}
		})
	}
}
