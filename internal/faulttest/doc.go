// Package faulttest proves the promise of the provider: nothing is reported as
// ended that is not ended, and nothing that is live goes unreported. It holds
// tests alone; RELIABILITY.md says what each of them shows.
//
// Every test compares three things: what the provider says, what the simulator
// knows to be true, and the requests that were made. Most run in a synctest
// bubble over connections in memory, so that time limits, pauses and deadlines
// take no time and are exact.
package faulttest
