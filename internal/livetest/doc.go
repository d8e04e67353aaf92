// Package livetest reads a real senhasegura through the provider, and reports its
// routes, codes, and formats without a value of its own: `make testacc-live`. The
// simulator decides what the API's documents leave open, and this compares it with
// a server. The same checks run against the simulator in every test run.
//
// It holds tests alone.
package livetest
