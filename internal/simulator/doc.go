// Package simulator is the A2A session API of senhasegura as an http.Handler:
// the token endpoint, list, get one and drop, in the shapes of several releases
// and as awkward as their documents say. It shares no type with the provider's
// client, because a shared struct would hide a wrong key from every test.
//
// # Truth and answers
//
// The simulator knows what is true of each session (Session, Sessions) apart
// from what it tells a caller. A session is live, then perhaps ending (a drop
// was accepted and has not worked yet), then ended. Behavior makes single
// sessions difficult: refusing, staying live after an accepted drop, reconnecting.
// The zone and the clock of the server, the forms of names and the end of a live
// session (Config) change answers alone. Reset begins again.
//
// # Faults
//
// Inject scripts faults by operation and object, Random strikes a share of all
// requests. Whether a request that suffers a fault is acted on is part of the
// fault, so that a test knows the truth behind a lost answer.
//
// # Journal
//
// Journal lists every request in order of arrival with its operation, object,
// answer and fault. It holds names of headers but, besides the user agent, no
// value of one, no query and no body, and so no secret.
//
// # Time
//
// Nothing runs in the background: due events are carried out at the next
// read, by Config.Now. It therefore works in a testing/synctest bubble, as
// long as New is called inside it. Only proxied connections use real timers.
//
// # Concurrency
//
// All methods are safe for concurrent use. A drop takes constant time. A list is
// one moment: it is captured at once and written without holding a lock. Hooks
// run on the goroutine of the request with no lock held, so they may call every
// method.
package simulator
