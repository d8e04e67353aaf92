package a2a

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// The codes that decide something (contract, section 5). They are codes of the
// session endpoints and of the layers in front of every endpoint.
const (
	codeWrongRoute      = 4
	codeLockdown        = 100
	codeUnexpected      = 500
	codeNotFound        = 1002
	codeWrongIdentifier = 1003
	codeReferer         = 1105
)

// The texts below stand in for codes that no document gives. They never decide
// that something ended, succeeded or was not found (contract, section 3).
// Matching ignores case and looks for the text anywhere in the message.
var (
	permissionTexts = []string{
		"you are not authorized to access this resource",
		"not authorized to access",
		"você não está autorizado a acessar este recurso",
		"não está autorizado a acessar",
		"você não tem permissão",
		"acesso não autorizado",
		"sem permissão",
	}
	inactiveTexts = []string{
		"inactive authorization",
		"autorização inativa",
	}
	signatureTexts = []string{
		"invalid signature",
		"assinatura inválida",
	}
	clientTexts = []string{
		"client authentication failed",
	}
	wrongRouteTexts = []string{
		"resource sub not found",
	}
	noRouteTexts = []string{
		"no route matched",
	}
	unexpectedTexts = []string{
		"unexpected error",
		"erro inesperado",
	}
)

// jsonOptions make the decoder tolerant where nothing depends on it: a name in
// another encoding must not hide a whole list, and a repeated key is judged by
// the code that uses it.
var jsonOptions = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

var (
	errNotObject = errors.New("the answer is not a JSON object")
	utf8BOM      = []byte("\xef\xbb\xbf")
)

// envelope is what surrounds every answer of the API, in any of its shapes
// (contract, section 3): nested in `response`, flat, of OAuth, of a gateway. It
// is not changed once it was read, as answers may share it.
type envelope struct {
	// statuses are the given values of `code` and `response.status`; one that
	// cannot be read is 0.
	code, status         int
	hasCode, hasStatus   bool
	failed, hasFlag      bool
	errorCode, exception int
	// oauthError is `error` where it is a text, as OAuth writes it.
	oauthError string
	texts      []string
	// accessToken is true where there is one: its value stays in the body.
	accessToken bool
}

// parseEnvelope reads the envelope of a whole body; nil where there is none.
func parseEnvelope(body []byte) *envelope {
	env := &envelope{}
	if err := eachMember(bytes.TrimPrefix(body, utf8BOM), env.member); err != nil {
		return nil
	}
	return env
}

// decoders are kept for the next answer: making one costs more than reading a
// short answer does.
var decoders sync.Pool

// eachMember calls visit for every member of the JSON object raw, and fails if
// raw is anything but one complete object. Values are valid until visit returns.
func eachMember(raw []byte, visit func(name string, value jsontext.Value)) error {
	d, ok := decoders.Get().(*jsontext.Decoder)
	if !ok {
		d = new(jsontext.Decoder)
	}
	defer decoders.Put(d)
	// The decoder reads a bytes.Buffer in place.
	d.Reset(bytes.NewBuffer(raw), jsonOptions...)
	if d.PeekKind() != '{' {
		return errNotObject
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		key := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return err
		}
		visit(key, value)
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("the answer goes on after the JSON object")
	}
	return nil
}

// member takes in one member of the outermost object.
func (e *envelope) member(name string, value jsontext.Value) {
	switch name {
	case "code":
		e.code, e.hasCode = number(value)
	case keyResponse:
		// A response that is no object says nothing; success needs more.
		_ = eachMember(value, e.responseMember)
	case "exception":
		_ = eachMember(value, func(name string, value jsontext.Value) {
			switch name {
			case "code":
				e.exception, _ = number(value)
			case "message":
				e.addText(value)
			}
		})
	case "access_token":
		e.accessToken = value.Kind() == '"' && len(value) > len(`""`)
	default:
		e.flagOrText(name, value)
	}
}

func (e *envelope) responseMember(name string, value jsontext.Value) {
	if name == "status" {
		e.status, e.hasStatus = number(value)
		return
	}
	e.flagOrText(name, value)
}

// flagOrText takes in the members that stand in `response` in one release and
// beside `code` in another.
func (e *envelope) flagOrText(name string, value jsontext.Value) {
	switch name {
	case "error", "erro":
		e.flag(value)
	case "error_code", "cod_erro":
		if n, _ := number(value); n != 0 {
			e.errorCode = n
		}
	case "message", "mensagem", "error_description", "hint":
		e.addText(value)
	}
}

// flag reads `error`, which any release may write as a boolean, a number or a
// text, and OAuth as the name of the error. Several flags are one failure if any
// of them is.
func (e *envelope) flag(value jsontext.Value) {
	if value.Kind() == 'n' {
		return
	}
	e.hasFlag = true
	switch text := scalar(value); strings.ToLower(text) {
	case "false", "0", "":
		if text == "" && value.Kind() != '"' {
			e.failed = true
		}
	case "true", "1":
		e.failed = true
	default:
		e.failed = true
		if value.Kind() == '"' {
			e.oauthError = text
		}
	}
}

func (e *envelope) addText(value jsontext.Value) {
	text := strings.TrimSpace(scalar(value))
	if text == "" || slices.Contains(e.texts, text) {
		return
	}
	e.texts = append(e.texts, text)
}

// given reports whether there is anything of an envelope. A gateway's object
// has a message at most.
func (e *envelope) given() bool { return e.hasCode || e.hasStatus || e.hasFlag }

// clean reports whether the envelope, inside an HTTP answer of the 200 series,
// says that the request succeeded.
func (e *envelope) clean() bool {
	return !e.failed && (!e.hasStatus || isSuccess(e.status)) && (!e.hasCode || isSuccess(e.code))
}

// effective is the status that an answer means: the HTTP status, unless that is
// of the 200 series and the envelope knows better.
func (e *envelope) effective(httpStatus int) int {
	switch {
	case !isSuccess(httpStatus):
		return httpStatus
	case e.hasStatus && !isSuccess(e.status):
		return e.status
	case e.hasCode && !isSuccess(e.code):
		return e.code
	}
	return httpStatus
}

// unexpected reports whether PAM met a fault of its own, so that nobody knows
// how far the request got.
func (e *envelope) unexpected() bool {
	return e.exception == codeUnexpected || e.says(unexpectedTexts)
}

// number is the code that decides: exception.code, else error_code, which is
// almost always 1.
func (e *envelope) number() int {
	if e.exception != 0 {
		return e.exception
	}
	return e.errorCode
}

// has reports whether any of the two numbers is code.
func (e *envelope) has(code int) bool { return e.exception == code || e.errorCode == code }

// says reports whether any text of the answer contains one of known.
func (e *envelope) says(known []string) bool {
	for _, text := range e.texts {
		lower := strings.ToLower(text)
		for _, k := range known {
			if strings.Contains(lower, k) {
				return true
			}
		}
	}
	return false
}

// text is what to show of the answer.
func (e *envelope) text() string {
	texts := e.texts
	if e.oauthError != "" {
		texts = append([]string{e.oauthError}, texts...)
	}
	// The Portuguese copy of a text and the details after the second say little.
	return strings.Join(texts[:min(len(texts), 2)], ": ")
}

func isSuccess(status int) bool { return status >= 200 && status <= 299 }

// scalar is the text of a string, or the literal of a number or boolean; "" for
// null, an object or an array.
func scalar(value jsontext.Value) string {
	switch value.Kind() {
	case '"':
		return string(appendUnquoted(nil, value))
	case 'n', '{', '[':
		return ""
	default:
		return string(value)
	}
}

// appendUnquoted appends the text of a string that a decoder has read, with
// invalid UTF-8 replaced. The decoder has found the string well formed, so all
// that AppendUnquote can report is that it replaced something.
func appendUnquoted(dst []byte, value jsontext.Value) []byte {
	dst, _ = jsontext.AppendUnquote(dst, value)
	return dst
}

// number reads an integer that may be written as a number or a text. The second
// result tells whether there is a value at all: null counts as missing, and a
// value that is no integer as 0.
func number(value jsontext.Value) (int, bool) {
	if value.Kind() == 'n' {
		return 0, false
	}
	text := strings.TrimSpace(scalar(value))
	if n, err := strconv.Atoi(text); err == nil {
		return n, true
	}
	// Some writers turn every number into a float.
	if f, err := strconv.ParseFloat(text, 64); err == nil && f == math.Trunc(f) && math.Abs(f) < math.MaxInt32 {
		return int(f), true
	}
	return 0, true
}

// field is a member of a session's row that the provider uses.
type field int

const (
	fieldNone field = iota
	fieldRecordID
	fieldID
	fieldUser
	fieldCredential
	fieldDevice
	fieldProtocol
	fieldProxy
	fieldOrigin
	fieldStart
	fieldEnd
	fieldCount
)

// fieldOf maps a key to its field, in the spelling of any release (contract,
// section 4).
func fieldOf(key []byte) field {
	switch string(key) {
	case "id":
		return fieldRecordID
	case "session_id":
		return fieldID
	case "user":
		return fieldUser
	case "credential", "credencial":
		return fieldCredential
	case "device", "dispositivo":
		return fieldDevice
	case "protocol":
		return fieldProtocol
	case "proxy":
		return fieldProxy
	case "origin_ip":
		return fieldOrigin
	case "start":
		return fieldStart
	case "end":
		return fieldEnd
	}
	return fieldNone
}

// errContradiction: a row has a key twice, with different values, and nothing
// tells which one is true.
var errContradiction = errors.New("a session has two different values for its identifier or its end")

// row collects the fields of one session. Its buffer is used again for the next
// row, so a list costs one allocation for each row.
type row struct {
	text  []byte
	spans [fieldCount]span
}

type span struct {
	from, to int
	seen     bool
}

func (r *row) reset() {
	r.text = r.text[:0]
	r.spans = [fieldCount]span{}
}

// known reports whether the object read so far has a field of a session.
func (r *row) known() bool {
	for _, s := range r.spans {
		if s.seen {
			return true
		}
	}
	return false
}

// set takes in the value of f. Both languages may be present, so a second value
// fills an empty field; one that contradicts is an error where a wrong choice
// could end or hide a session.
func (r *row) set(f field, value jsontext.Value) error {
	from := len(r.text)
	r.text = appendScalar(r.text, value)
	next := span{from: from, to: len(r.text), seen: true}
	before := r.spans[f]
	if before.seen && (f == fieldID || f == fieldRecordID || f == fieldEnd) &&
		!bytes.Equal(r.text[before.from:before.to], r.text[from:]) {
		return errContradiction
	}
	if before.seen && before.to > before.from {
		r.text = r.text[:from]
		return nil
	}
	r.spans[f] = next
	return nil
}

// appendScalar is scalar into a buffer; null is "", as both mean "nothing".
func appendScalar(dst []byte, value jsontext.Value) []byte {
	switch value.Kind() {
	case '"':
		if isPlain(value) {
			return append(dst, value[1:len(value)-1]...)
		}
		return appendUnquoted(dst, value)
	case 'n':
		return dst
	default:
		// A number or boolean as it is written. An object or array has no meaning
		// here, but as an end it must not look like "no end", so it is kept too.
		return append(dst, value...)
	}
}

// isPlain reports whether b is ASCII without a backslash, so that a string in it
// is its own text.
func isPlain(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 || c == '\\' {
			return false
		}
	}
	return true
}

// keyOf is the text of a name that a decoder has read.
func keyOf(name jsontext.Value) []byte {
	if isPlain(name) {
		return name[1 : len(name)-1]
	}
	return appendUnquoted(nil, name)
}

// session turns the row into its value. Times are read in loc.
func (r *row) session(loc *time.Location) session.Session {
	text := string(r.text)
	get := func(f field) string { return text[r.spans[f].from:r.spans[f].to] }
	s := session.Session{
		ID:         get(fieldID),
		RecordID:   get(fieldRecordID),
		User:       get(fieldUser),
		Credential: get(fieldCredential),
		Device:     get(fieldDevice),
		Protocol:   get(fieldProtocol),
		Proxy:      get(fieldProxy),
		OriginIP:   get(fieldOrigin),
	}
	s.StartedAt, _ = parseTime(get(fieldStart), loc)
	end, ok := parseTime(get(fieldEnd), loc)
	switch {
	case !ok:
		s.UnreadableEnd = get(fieldEnd)
	case !end.IsZero() && !s.StartedAt.IsZero() && end.Before(s.StartedAt.Add(-endTolerance)):
		s.UnreadableEnd = get(fieldEnd)
	default:
		s.EndedAt = end
	}
	return s
}

// endTolerance is how far an end may lie before its start: local times go back
// by an hour or two when summer time ends, and a time zone may change.
const endTolerance = 24 * time.Hour

// PAM is younger than the one year and will not see the other: timestamps
// outside are fillers for "none", such as 0000-00-00, 0001-01-01, 1970-01-01
// and 9999-12-31.
const (
	firstYear = 1971
	lastYear  = 9998
)

// timeLayouts are tried in order; the first is the documented one. Fractional
// seconds are accepted by all of them.
var timeLayouts = []string{
	time.DateTime,
	"2006-01-02T15:04:05",
	time.RFC3339,
	"2006-01-02 15:04:05Z07:00",
}

// parseTime reads a timestamp of PAM, in loc unless it names a zone. A missing
// time and a filler give the zero time and true; a text that is no time gives
// the zero time and false.
func parseTime(text string, loc *time.Location) (time.Time, bool) {
	if t, ok := parseDateTime(text, loc); ok {
		return t, true
	}
	text = strings.TrimSpace(text)
	if text == "" || text == "null" || strings.HasPrefix(text, "0000-00-00") {
		return time.Time{}, true
	}
	for _, layout := range timeLayouts {
		t, err := time.ParseInLocation(layout, text, loc)
		if err != nil {
			continue
		}
		if t.Year() < firstYear || t.Year() > lastYear {
			return time.Time{}, true
		}
		return t, true
	}
	return time.Time{}, false
}

// parseDateTime reads the documented layout alone, several times faster than
// package time: a list has two of them in every row. It leaves everything
// unusual, and every filler, to parseTime.
func parseDateTime(text string, loc *time.Location) (time.Time, bool) {
	if len(text) != len(time.DateTime) ||
		text[4] != '-' || text[7] != '-' || text[10] != ' ' || text[13] != ':' || text[16] != ':' {
		return time.Time{}, false
	}
	var digits [len(time.DateTime)]int
	for i := range digits {
		digits[i] = int(text[i]) - '0'
	}
	bad := false
	two := func(i int) int {
		bad = bad || uint(digits[i]) > 9 || uint(digits[i+1]) > 9
		return digits[i]*10 + digits[i+1]
	}
	year, month, day := two(0)*100+two(2), two(5), two(8)
	hour, minute, second := two(11), two(14), two(17)
	// Every month has 28 days; the few days after it are for parseTime.
	if bad || year < firstYear || year > lastYear || month < 1 || month > 12 || day < 1 || day > 28 ||
		hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, 0, loc), true
}
