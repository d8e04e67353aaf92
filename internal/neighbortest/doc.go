// Package neighbortest proves the promise of the provider with real programs between
// it and senhasegura: nginx, HAProxy, and Squid, which a test starts on loopback and
// ends by process ID. It holds tests alone; RELIABILITY.md says what each of them
// shows.
//
// A test compares what the provider says, session by session, with what the simulator
// knows to be true, and reads in the message which part is at fault. Where a program
// is missing, the tests that need it are skipped and say what to install.
package neighbortest
