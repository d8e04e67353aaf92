package simulator

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Kind is what a fault does to a request.
type Kind string

// Faults of the line. "Acted on" says whether the operation is carried out.
const (
	// CutBefore closes the connection without acting.
	CutBefore Kind = "cut-before"
	// CutAfter acts, then closes the connection without an answer.
	CutAfter Kind = "cut-after"
	// CutMiddle acts, announces the whole answer, sends half of it and closes
	// the connection.
	CutMiddle Kind = "cut-middle"
	// CutRows acts and breaks a list off after Fault.Rows rows. Another answer,
	// or a shorter list, is cut like CutMiddle.
	CutRows Kind = "cut-rows"
	// ResetBefore resets the TCP connection without acting. Over HTTP/2 it is
	// CutBefore.
	ResetBefore Kind = "reset-before"
	// ResetAfter acts, then resets the TCP connection.
	ResetAfter Kind = "reset-after"
	// Slow acts, waits for Fault.Delay and answers. A Delay of 0 waits until the
	// client gives up or Simulator.Close.
	Slow Kind = "slow"
	// SlowBefore waits like Slow and then acts and answers. A client that gives
	// up in the meantime keeps it from acting.
	SlowBefore Kind = "slow-before"
)

// Faults of what answers. Not acted on unless said.
const (
	// Status answers with Status, Body, ContentType and Header of the fault.
	Status Kind = "status"
	// StatusAfter acts, then answers like Status.
	StatusAfter Kind = "status-after"
	// NoContent204 acts, then answers 204.
	NoContent204 Kind = "no-content-204"
	// Empty200 acts, then answers 200 without a body.
	Empty200 Kind = "empty-200"
	// Truncated200 acts, then sends half of the true body as if it were whole.
	Truncated200 Kind = "truncated-200"
	// ErrorTrue200 answers 200 with `error` true and every number of a success.
	ErrorTrue200 Kind = "error-true-200"
	// FlagFalse400 answers 400 with `error` false.
	FlagFalse400 Kind = "flag-false-400"
	// FlatNotFound404 answers 404 in the flat form of an error.
	FlatNotFound404 Kind = "flat-not-found-404"
	// HTML200 answers 200 with a page, as a captive proxy does.
	HTML200 Kind = "html-200"
	// HTML502 answers 502 with a proxy's page.
	HTML502 Kind = "html-502"
	// Timeout408, TooMany429, Unavailable503 and GatewayTimeout504 answer as a
	// gateway does, with the Header of the fault.
	Timeout408        Kind = "timeout-408"
	TooMany429        Kind = "too-many-429"
	Unavailable503    Kind = "unavailable-503"
	GatewayTimeout504 Kind = "gateway-timeout-504"
	// Unexpected500 is the documented server fault.
	Unexpected500 Kind = "unexpected-500"
	// DropFailed500 is the documented failure of a drop.
	DropFailed500 Kind = "drop-failed-500"
	// Unauthorized500 is a missing permission.
	Unauthorized500 Kind = "unauthorized-500"
	// Forbidden403 is a missing permission with the status for it.
	Forbidden403 Kind = "forbidden-403"
	// Lockdown503 is the emergency lockdown.
	Lockdown503 Kind = "lockdown-503"
	// WrongRoute404 is the API's answer to an unknown path.
	WrongRoute404 Kind = "wrong-route-404"
	// GatewayNoRoute404 is the gateway's.
	GatewayNoRoute404 Kind = "gateway-no-route-404"
	// TokenDenied401 refuses the token.
	TokenDenied401 Kind = "token-denied-401"
	// InvalidSignature401 refuses an OAuth 1.0a signature, or a token.
	InvalidSignature401 Kind = "invalid-signature-401"
	// InvalidClient401 refuses the client, for the token endpoint.
	InvalidClient401 Kind = "invalid-client-401"
	// InactiveAuthorization401 is a disabled or expired authorization.
	InactiveAuthorization401 Kind = "inactive-authorization-401"
	// Referer500 is a referer that is not allowed.
	Referer500 Kind = "referer-500"
	// Redirect answers with Fault.Status (302 when 0) and Fault.Location.
	Redirect Kind = "redirect"
)

// Acting overrides whether a kind acts.
type Acting int

// The overrides. Kinds that send the true answer, or part of it, cannot be kept
// from acting.
const (
	ActAsKind Acting = iota
	ActFirst
	ActNever
)

// Fault strikes requests that match it.
type Fault struct {
	Kind Kind
	Op   Op // any when empty
	// Object is the decoded session id of a drop or record ID of a get; any when
	// empty.
	Object string
	// After lets so many matching requests pass first.
	After int
	// Times is how many it strikes; 0 means every one.
	Times int
	// Acting overrides whether the request is acted on.
	Acting Acting

	Delay       time.Duration // Slow, SlowBefore
	Rows        int           // CutRows
	Status      int           // Status, StatusAfter, Redirect
	Body        string        // Status, StatusAfter
	ContentType string        // of Body; application/json when empty
	Location    string        // Redirect
	Header      http.Header   // added to any answer, such as Retry-After
}

type wait int

const (
	waitNever wait = iota
	waitFirst
	waitLast
)

type ending int

const (
	sendWhole  ending = iota
	sendHalf          // and end the answer as if it were whole
	cutHalf           // announce all, send half, close
	cutAtRow          // of a list; otherwise cutHalf
	cutNothing        // close without an answer
	resetNothing
)

// course is how a kind runs. Without answer it sends the true one.
type course struct {
	acts   bool
	wait   wait
	ending ending
	answer func(*Simulator, Fault) answer
}

func (c course) sendsTruth() bool {
	return c.answer == nil && c.ending != cutNothing && c.ending != resetNothing
}

func always(produce func() answer) func(*Simulator, Fault) answer {
	return func(*Simulator, Fault) answer { return produce() }
}

func gatewayPage(status int) func(*Simulator, Fault) answer {
	return func(*Simulator, Fault) answer {
		return htmlPage(status, fmt.Sprintf("%d %s", status, http.StatusText(status)))
	}
}

func scripted(_ *Simulator, f Fault) answer {
	contentType := f.ContentType
	if contentType == "" {
		contentType = contentJSON
	}
	return answer{status: f.Status, contentType: contentType, body: []byte(f.Body)}
}

func redirected(_ *Simulator, f Fault) answer {
	status := f.Status
	if status == 0 {
		status = http.StatusFound
	}
	return answer{status: status, header: http.Header{"Location": {f.Location}}}
}

func courseOf(kind Kind) (course, bool) {
	c, ok := map[Kind]course{
		CutBefore:    {ending: cutNothing},
		CutAfter:     {acts: true, ending: cutNothing},
		CutMiddle:    {acts: true, ending: cutHalf},
		CutRows:      {acts: true, ending: cutAtRow},
		ResetBefore:  {ending: resetNothing},
		ResetAfter:   {acts: true, ending: resetNothing},
		Slow:         {acts: true, wait: waitLast},
		SlowBefore:   {acts: true, wait: waitFirst},
		Truncated200: {acts: true, ending: sendHalf},

		Status:                   {answer: scripted},
		StatusAfter:              {acts: true, answer: scripted},
		NoContent204:             {acts: true, answer: always(func() answer { return answer{status: http.StatusNoContent} })},
		Empty200:                 {acts: true, answer: always(func() answer { return answer{status: http.StatusOK} })},
		ErrorTrue200:             {answer: always(errorTrue)},
		FlagFalse400:             {answer: always(flagFalse)},
		FlatNotFound404:          {answer: always(func() answer { return flatNotFound("Agent not found", 1001) })},
		HTML200:                  {answer: always(func() answer { return htmlPage(http.StatusOK, "Sign in") })},
		HTML502:                  {answer: gatewayPage(http.StatusBadGateway)},
		Timeout408:               {answer: gatewayPage(http.StatusRequestTimeout)},
		TooMany429:               {answer: gatewayPage(http.StatusTooManyRequests)},
		Unavailable503:           {answer: gatewayPage(http.StatusServiceUnavailable)},
		GatewayTimeout504:        {answer: gatewayPage(http.StatusGatewayTimeout)},
		Unexpected500:            {answer: always(unexpectedError)},
		DropFailed500:            {answer: always(dropFailed)},
		Unauthorized500:          {answer: always(unauthorized)},
		Forbidden403:             {answer: always(forbidden)},
		Lockdown503:              {answer: always(lockdown)},
		WrongRoute404:            {answer: func(s *Simulator, _ Fault) answer { return s.shape.wrongRoute() }},
		GatewayNoRoute404:        {answer: always(gatewayNoRoute)},
		TokenDenied401:           {answer: always(bearerDenied)},
		InvalidSignature401:      {answer: always(invalidSignature)},
		InvalidClient401:         {answer: func(s *Simulator, _ Fault) answer { return s.invalidClient() }},
		InactiveAuthorization401: {answer: always(inactiveAuthorization)},
		Referer500:               {answer: func(s *Simulator, _ Fault) answer { return s.shape.refererDenied() }},
		Redirect:                 {answer: redirected},
	}[kind]
	return c, ok
}

func (f Fault) validate() error {
	c, ok := courseOf(f.Kind)
	switch {
	case !ok:
		return fmt.Errorf("unknown kind of fault %q", f.Kind)
	case f.Acting == ActNever && c.sendsTruth():
		return fmt.Errorf("%s sends the true answer and so must act", f.Kind)
	case (f.Kind == Status || f.Kind == StatusAfter) && (f.Status < 200 || f.Status > 999):
		return fmt.Errorf("%s needs a status from 200 to 999, not %d", f.Kind, f.Status)
	case f.Kind == Redirect && f.Location == "":
		return errors.New("a redirect needs a location")
	case f.After < 0 || f.Times < 0 || f.Delay < 0 || f.Rows < 0:
		return errors.New("counts and delays must not be negative")
	}
	return nil
}

// Inject adds a fault. Of several that match a request the first added strikes;
// the others do not count the request. It panics on a fault that makes no sense.
func (s *Simulator) Inject(f Fault) {
	if err := f.validate(); err != nil {
		panic("simulator: " + err.Error())
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.scripted = append(s.faults.scripted, &injected{Fault: f})
}

// Random strikes a share (0 to 1) of the requests that no injected fault
// strikes, with one of faults whose Op fits. Whether and with which one depends on
// seed, operation, object and how many requests there were for them before, so
// that concurrency changes as little as possible; so does the row at which CutRows
// breaks off. Object, After and Times of faults do not count. A share of 0 ends it.
// It panics on a fault that makes no sense.
func (s *Simulator) Random(seed uint64, share float64, faults ...Fault) {
	for _, f := range faults {
		if err := f.validate(); err != nil {
			panic("simulator: " + err.Error())
		}
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.lottery = &lottery{seed: seed, share: share, faults: slices.Clone(faults), drawn: map[aim]uint64{}}
}

// ClearFaults ends injected and random faults.
func (s *Simulator) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.scripted, s.faults.lottery = nil, nil
}

type injected struct {
	Fault
	skipped, struck int
}

func (f *injected) strikes(op Op, object string) bool {
	if (f.Op != "" && f.Op != op) || (f.Object != "" && f.Object != object) {
		return false
	}
	if f.Times > 0 && f.struck == f.Times {
		return false
	}
	if f.skipped < f.After {
		f.skipped++
		return false
	}
	f.struck++
	return true
}

type aim struct {
	op     Op
	object string
}

type lottery struct {
	seed   uint64
	share  float64
	faults []Fault
	drawn  map[aim]uint64
}

func (l *lottery) draw(op Op, object string) (Fault, bool) {
	at := aim{op, object}
	l.drawn[at]++
	hash := fnv.New64a()
	_, _ = io.WriteString(hash, string(op)+" "+object)             // a hash never fails to write
	lot := rand.New(rand.NewPCG(l.seed^hash.Sum64(), l.drawn[at])) //nolint:gosec // must be reproducible
	fitting := slices.DeleteFunc(slices.Clone(l.faults), func(f Fault) bool { return f.Op != "" && f.Op != op })
	if lot.Float64() >= l.share || len(fitting) == 0 {
		return Fault{}, false
	}
	f := fitting[lot.IntN(len(fitting))]
	if f.Kind == CutRows {
		f.Rows = lot.IntN(100)
	}
	return f, true
}

type faultPlan struct {
	mu       sync.Mutex
	scripted []*injected
	lottery  *lottery
}

func (p *faultPlan) pick(op Op, object string) (Fault, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.scripted {
		if f.strikes(op, object) {
			return f.Fault, true
		}
	}
	if p.lottery != nil {
		return p.lottery.draw(op, object)
	}
	return Fault{}, false
}

// suffer answers the request by the course of a fault.
func (x *exchange) suffer(f Fault) {
	x.s.journal.update(x.record, func(r *Request) { r.Fault = f.Kind })
	c, _ := courseOf(f.Kind) // known: Inject and Random refuse others
	if c.wait == waitFirst {
		x.wait(f.Delay)
	}
	var a answer
	if f.Acting == ActFirst || (c.acts && f.Acting == ActAsKind) {
		a = x.act()
	}
	if c.wait == waitLast {
		x.wait(f.Delay)
	}
	if c.answer != nil {
		a = c.answer(x.s, f)
	}
	a.header = merged(a.header, f.Header)
	switch c.ending {
	case cutNothing:
		panic(http.ErrAbortHandler)
	case resetNothing:
		x.reset()
	case cutAtRow:
		x.cutAt(a, f.Rows)
	case cutHalf:
		x.cutAt(a, -1)
	case sendHalf:
		x.sendHalf(a)
	case sendWhole:
		x.send(a)
	}
}

func merged(a, b http.Header) http.Header {
	if len(b) == 0 {
		return a
	}
	all := a.Clone()
	if all == nil {
		all = http.Header{}
	}
	for name, values := range b {
		all[http.CanonicalHeaderKey(name)] = values
	}
	return all
}

// wait returns after delay, or not at all when the client gives up first: then
// no client is left to respond to.
func (x *exchange) wait(delay time.Duration) {
	ctx := x.r.Context()
	if delay > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, delay)
		defer cancel()
	}
	select {
	case <-ctx.Done():
	case <-x.s.closing:
	}
	if x.r.Context().Err() != nil {
		panic(http.ErrAbortHandler)
	}
}

// cutAt sends the beginning of an answer, makes sure that it is on the line, and
// closes the connection.
func (x *exchange) cutAt(a answer, rows int) {
	x.writeHeader(a, len(a.body))
	switch {
	case a.stream == nil:
		_, _ = x.w.Write(a.body[:len(a.body)/2]) // the line is about to be cut anyway
	case rows >= 0:
		_ = a.stream.writeTo(x.w, rows) // as above
	default:
		_ = a.stream.writeTo(&firstBytes{w: x.w, left: a.stream.half()}, -1) // as above
	}
	_ = http.NewResponseController(x.w).Flush() // as above
	panic(http.ErrAbortHandler)
}

func (x *exchange) sendHalf(a answer) {
	if a.stream == nil {
		a.body = a.body[:len(a.body)/2]
		x.send(a)
		return
	}
	whole := new(bytes.Buffer)
	_ = a.stream.writeTo(&firstBytes{w: whole, left: a.stream.half()}, -1) // stops by errEnough
	x.send(answer{status: a.status, contentType: a.contentType, header: a.header, body: whole.Bytes()})
}

// half is in bytes. Where the whole is not known it is a part that is surely
// not all.
func (l *listStream) half() int {
	if size := l.size(); size >= 0 {
		return int(size / 2)
	}
	return len(l.head) + 1
}

var errEnough = errors.New("enough was written")

// firstBytes passes on the first left bytes and then fails.
type firstBytes struct {
	w    io.Writer
	left int
}

func (f *firstBytes) Write(p []byte) (int, error) {
	n, err := f.w.Write(p[:min(len(p), f.left)])
	f.left -= n
	if err == nil && n < len(p) {
		err = errEnough
	}
	return n, err
}

// reset closes the connection so that the client's kernel sees a reset.
func (x *exchange) reset() {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 has no connection to give away
	}
	raw := conn
	if secure, ok := conn.(*tls.Conn); ok {
		raw = secure.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // closing without it is still a cut line
	}
	_ = raw.Close() // nothing of it is needed any more
}
