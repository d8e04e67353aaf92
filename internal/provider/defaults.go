package provider

import (
	"time"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// The defaults of arguments that are not set, except those that the API client defines
// (a2a.Default…) and those of arguments that only one schema reads.
const (
	defaultMaxRetries   = 4
	defaultPollInterval = 2 * time.Second
	// defaultPeriod is that of `grace_period` and `quiet_period`.
	defaultPeriod         = time.Duration(0)
	defaultState          = termination.StateLive
	defaultOnUnseen       = termination.UnseenContinue
	defaultConfirm        = true
	defaultIgnoreNotFound = false
)

// The defaults of `timeouts`.
const (
	// defaultDrainTimeout does not include the grace and the quiet period. It is enough for
	// a list before the drain and one after it that each take a2a.DefaultListTimeout.
	defaultDrainTimeout       = time.Hour
	defaultTerminationTimeout = time.Hour
	defaultRefreshTimeout     = 10 * time.Minute
	// defaultReadTimeout is for operations that read the list and change nothing.
	defaultReadTimeout = 30 * time.Minute
)
