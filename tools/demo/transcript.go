package main

import (
	"fmt"
	"regexp"
	"strings"
)

// What differs from one run to the next.
var (
	loopback  = regexp.MustCompile(`127\.0\.0\.1:\d+`)
	timestamp = regexp.MustCompile(`\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d`)
	lineCount = regexp.MustCompile(`\d+ lines`)
	elapsed   = regexp.MustCompile(`after \d+s`)
	blanks    = regexp.MustCompile(`(?m)[ \t]+$`)
	// A slow machine sees more of these, a fast one none.
	waiting = regexp.MustCompile(`(?m)^.*: Still creating\.{3} .*\n`)
)

// stable gives the output of a run with fixed ports, times and counts, so that
// two runs of the same demo give the same text.
func stable(output string) string {
	output = waiting.ReplaceAllString(output, "")
	ports := map[string]string{}
	output = loopback.ReplaceAllStringFunc(output, func(address string) string {
		if ports[address] == "" {
			ports[address] = fmt.Sprintf("127.0.0.1:%d", 50001+len(ports))
		}
		return ports[address]
	})
	output = timestamp.ReplaceAllString(output, "2026-05-06${1}16:11:17")
	output = lineCount.ReplaceAllString(output, "10 lines")
	output = elapsed.ReplaceAllString(output, "after 2s")
	output = blanks.ReplaceAllString(output, "")
	return strings.TrimSpace(output) + "\n"
}
