package a2a

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

const (
	// maxUnfinishedBytes bounds what is read and is not part of a finished
	// session: all that surrounds the sessions, which are any number, and the
	// session that is being read.
	maxUnfinishedBytes = 1 << 20
	// maxNesting bounds envelopes in envelopes; two levels are documented.
	maxNesting = 4
)

var (
	errTooLong     = fmt.Errorf("a session, or what surrounds the sessions, is longer than %d bytes", maxUnfinishedBytes)
	errNoSessions  = errors.New("the response has no list of sessions")
	errNotSession  = errors.New("an element of the list is not a session")
	errMixed       = errors.New("an element of the list is a session and an envelope at once")
	errTooNested   = errors.New("the list is nested too deeply")
	errStopReading = errors.New("the consumer wants no more")
)

// failureError is an envelope that says the request failed, found where a list
// was due.
type failureError struct{ env *envelope }

func (*failureError) Error() string { return "the response says that the request failed" }

// listReader reads the sessions out of an answer while it arrives, in any shape
// of the contract (section 4), in one pass and with memory that depends neither on the number of sessions nor on what
// surrounds them.
//
// It uses jsontext, by measurement (list_bench_test.go; 100,000 sessions in
// memory): jsontext and the use of every field take a quarter to a third of the
// time of json.Unmarshal, while the decoder of encoding/json, row by row, takes
// about as long as json.Unmarshal itself. Reading a session in one step with
// jsontext and scanning it by hand was 6 % faster, and a scan without jsontext
// another fifth: neither is worth a second parser of JSON.
type listReader struct {
	decoder *jsontext.Decoder
	source  *boundedReader
	zone    *time.Location
	now     time.Time
	yield   func(session.Session) bool
	row     row
	rows    int
	// begin is where the element begins that is read, with the white space before
	// it.
	begin int64
}

// readList calls yield for every session in body, and returns nil only if the
// answer was complete and its envelopes say that the request succeeded. Failures
// of the connection come back as they are; failureError is an answer of senhasegura;
// errStopReading means that yield returned false.
func readList(body io.Reader, zone *time.Location, yield func(session.Session) bool) (rows int, err error) {
	source := &boundedReader{r: skipBOM(body)}
	l := &listReader{
		decoder: jsontext.NewDecoder(source, jsonOptions...),
		source:  source,
		zone:    zone,
		now:     time.Now(),
		yield:   yield,
	}
	err = l.answer()
	if source.err != nil && !errors.Is(err, errStopReading) {
		err = source.err
	}
	return l.rows, err
}

func skipBOM(body io.Reader) io.Reader {
	buffered := bufio.NewReaderSize(body, 64<<10)
	if start, _ := buffered.Peek(len(utf8BOM)); bytes.Equal(start, utf8BOM) {
		_, _ = buffered.Discard(len(utf8BOM))
	}
	return buffered
}

func (l *listReader) answer() error {
	if l.decoder.PeekKind() != '{' {
		return errNotObject
	}
	if err := l.object(0); err != nil {
		return err
	}
	return readEnd(l.decoder)
}

// object reads the answer itself, an envelope within it, or a session.
func (l *listReader) object(depth int) error {
	if depth > maxNesting {
		return errTooNested
	}
	if _, err := l.decoder.ReadToken(); err != nil {
		return err
	}
	l.row.reset()
	around := surroundings{}
	for l.decoder.PeekKind() != '}' {
		if err := l.member(depth, &around); err != nil {
			return err
		}
	}
	if _, err := l.decoder.ReadToken(); err != nil {
		return err
	}
	if depth > 0 && l.row.known() {
		return l.finishSession(&around)
	}
	return around.finish(depth)
}

func (l *listReader) member(depth int, around *surroundings) error {
	name, err := l.decoder.ReadValue()
	if err != nil {
		return err
	}
	in := inEnvelope
	if depth > 0 {
		in |= inRow
	}
	switch m := meaningOf(name, in); {
	case m == meansNothing:
		return l.decoder.SkipValue()
	case m < fieldCount:
		value, err := l.decoder.ReadValue()
		if err != nil {
			return err
		}
		return l.row.set(m, value)
	case m == memberSessions:
		around.lists++
		return l.list(depth, around)
	default:
		around.response = around.response || m == memberResponse
		return around.env.member(l.decoder, m)
	}
}

// list reads the value of `remote_sessions`: an array, or one object.
func (l *listReader) list(depth int, around *surroundings) error {
	if l.row.known() {
		return errMixed
	}
	if err := around.failure(); err != nil {
		return err
	}
	defer l.row.reset()
	l.begin = l.decoder.InputOffset()
	switch l.decoder.PeekKind() {
	case '{':
		return l.object(depth + 1)
	case '[':
	default:
		if err := l.decoder.SkipValue(); err != nil {
			return err
		}
		return errNoSessions
	}
	if _, err := l.decoder.ReadToken(); err != nil {
		return err
	}
	for {
		l.begin = l.decoder.InputOffset()
		switch l.decoder.PeekKind() {
		case '{':
			if err := l.object(depth + 1); err != nil {
				return err
			}
		case ']':
			_, err := l.decoder.ReadToken()
			return err
		default:
			if err := l.decoder.SkipValue(); err != nil {
				return err
			}
			return errNotSession
		}
	}
}

func (l *listReader) finishSession(around *surroundings) error {
	if around.lists > 0 || around.response {
		return errMixed
	}
	l.rows++
	l.source.sessions += l.decoder.InputOffset() - l.begin
	if !l.yield(l.row.session(l.zone, l.now)) {
		return errStopReading
	}
	return nil
}

// surroundings is what an object has besides sessions.
type surroundings struct {
	env      envelope
	lists    int
	response bool
}

func (s *surroundings) failure() error {
	if s.env.clean() {
		return nil
	}
	env := s.env
	return &failureError{env: &env}
}

// finish judges an object that is not a session.
func (s *surroundings) finish(depth int) error {
	if err := s.failure(); err != nil {
		return err
	}
	if s.lists == 0 {
		if depth > 0 && !s.env.given() {
			return errNotSession
		}
		return errNoSessions
	}
	return nil
}

// boundedReader fails once more than maxUnfinishedBytes were read that belong to
// no finished session, so that nothing endless fills the memory or keeps the
// caller. It keeps the error of the connection, which the decoder wraps.
type boundedReader struct {
	r io.Reader
	// total counts what was read, sessions what of it is in finished sessions.
	total, sessions int64
	err             error
}

func (b *boundedReader) Read(p []byte) (int, error) {
	// The decoder reads on when it needs more, so it has nothing left that it did
	// not check.
	if b.total-b.sessions > maxUnfinishedBytes {
		b.err = errTooLong
		return 0, b.err
	}
	n, err := b.r.Read(p)
	b.total += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}
