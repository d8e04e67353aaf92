package a2a

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
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
// Matching ignores case and finds the text anywhere in the message.
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

// meaning is what the value of a key says, whatever the key is called.
type meaning int

const (
	meansNothing meaning = iota

	// Of a session: they index row.
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

	// Of everything around sessions.
	memberSessions
	memberResponse
	memberException
	memberCode
	memberStatus
	memberFlag
	memberErrorCode
	memberExceptionCode
	memberText
	memberToken
)

// place is where a key stands: a set, as some stand in several places.
type place uint8

const (
	// inEnvelope is the whole answer, or an envelope within a list.
	inEnvelope place = 1 << iota
	inResponse
	inException
	// inRow is a session. An element of a list may be that or an envelope.
	inRow
)

// key is what the value of a member means, by its name and place.
type key struct {
	name  string
	in    place
	means meaning
}

// keys is the one table of all keys that mean something, in the spelling of any
// release (contract, sections 3 and 4). Members with other keys are skipped. What
// is in `response` in one release is next to `code` in another. Those of a session
// come first, as they are needed most.
var keys = []key{
	{"id", inRow, fieldRecordID},
	{"session_id", inRow, fieldID},
	{"user", inRow, fieldUser},
	{"credential", inRow, fieldCredential},
	{"credencial", inRow, fieldCredential},
	{"device", inRow, fieldDevice},
	{"dispositivo", inRow, fieldDevice},
	{"protocol", inRow, fieldProtocol},
	{"proxy", inRow, fieldProxy},
	{"origin_ip", inRow, fieldOrigin},
	{"start", inRow, fieldStart},
	{"end", inRow, fieldEnd},

	{"remote_sessions", inEnvelope, memberSessions},
	{"remote_session", inEnvelope, memberSessions},
	{"response", inEnvelope, memberResponse},
	{"exception", inEnvelope, memberException},
	{"code", inEnvelope, memberCode},
	{"code", inException, memberExceptionCode},
	{"status", inResponse, memberStatus},
	{"error", inEnvelope | inResponse, memberFlag},
	{"erro", inEnvelope | inResponse, memberFlag},
	{"error_code", inEnvelope | inResponse, memberErrorCode},
	{"cod_erro", inEnvelope | inResponse, memberErrorCode},
	{"message", inEnvelope | inResponse | inException, memberText},
	{"mensagem", inEnvelope | inResponse, memberText},
	{"error_description", inEnvelope | inResponse, memberText},
	{"hint", inEnvelope | inResponse, memberText},
	{"access_token", inEnvelope, memberToken},
}

// keysByLength holds the keys by the length of their names. A list of a million
// sessions has 14 million names, and is read a sixth faster than with a map.
var keysByLength = func() [][]key {
	var table [][]key
	for _, k := range keys {
		for len(table) <= len(k.name) {
			table = append(table, nil)
		}
		table[len(k.name)] = append(table[len(k.name)], k)
	}
	return table
}()

// meaningOf gives the meaning of the name of a member, as a decoder has read it,
// in an object of the given places.
func meaningOf(name jsontext.Value, in place) meaning {
	m := lookUp(name[1:len(name)-1], in)
	if m == meansNothing && bytes.IndexByte(name, '\\') >= 0 {
		m = lookUp(appendUnquoted(nil, name), in)
	}
	return m
}

func lookUp(name []byte, in place) meaning {
	if len(name) < len(keysByLength) {
		for _, k := range keysByLength[len(name)] {
			if k.in&in != 0 && k.name == string(name) {
				return k.means
			}
		}
	}
	return meansNothing
}

// jsonOptions make the decoder tolerant where nothing depends on it: a name in
// another encoding must not hide a whole list, and a repeated key is judged by
// the code that uses it.
var jsonOptions = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// maxTexts bounds what an envelope keeps; all documented ones have fewer. The
// texts are not cut: half a secret would not be recognized and removed. Their
// length is bounded with the answer, and with what surrounds a list.
const maxTexts = 8

var (
	errNotObject = errors.New("the response is not a JSON object")
	errTrailing  = errors.New("the response goes on after its end")
	utf8BOM      = []byte("\xef\xbb\xbf")
)

// envelope is what surrounds every answer of the API, in any of its shapes
// (contract, section 3): nested in `response`, flat, of OAuth, of a gateway. It
// is not changed once it was read, as answers may share it.
type envelope struct {
	// code and status are `code` and `response.status`.
	code, status         statusCode
	failed, hasFlag      bool
	errorCode, exception int
	// oauthError is `error` where it is a text, as OAuth writes it.
	oauthError string
	texts      []string
	// accessToken is true where there is one: its value stays in the body.
	accessToken bool
}

// statusCode is a status that an envelope gives; one that cannot be read is 0. A
// failure stays one, whatever the key says when it comes again.
type statusCode struct {
	value int
	given bool
}

func (s *statusCode) set(value jsontext.Value) {
	if n, given := number(value); given && !s.failed() {
		s.value, s.given = n, true
	}
}

func (s *statusCode) failed() bool { return s.given && !isSuccess(s.value) }

// parseEnvelope reads the envelope of a whole body; nil where the body is
// anything but one complete JSON object.
func parseEnvelope(body []byte) *envelope {
	d := jsontext.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, utf8BOM)), jsonOptions...)
	env := &envelope{}
	if d.PeekKind() != '{' || env.read(d, inEnvelope) != nil || readEnd(d) != nil {
		return nil
	}
	return env
}

// readEnd fails if anything follows.
func readEnd(d *jsontext.Decoder) error {
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}

// read takes in the object that comes next. What is no object says nothing:
// success needs more.
func (e *envelope) read(d *jsontext.Decoder, in place) error {
	if d.PeekKind() != '{' {
		return d.SkipValue()
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadValue()
		if err != nil {
			return err
		}
		if err := e.member(d, meaningOf(name, in)); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// member takes in the value that comes next, which means m.
func (e *envelope) member(d *jsontext.Decoder, m meaning) error {
	switch m {
	case memberResponse:
		return e.read(d, inResponse)
	case memberException:
		return e.read(d, inException)
	case meansNothing, memberSessions:
		return d.SkipValue()
	default:
		value, err := d.ReadValue()
		if err == nil {
			e.value(m, value)
		}
		return err
	}
}

func (e *envelope) value(m meaning, value jsontext.Value) {
	switch m {
	case memberCode:
		e.code.set(value)
	case memberStatus:
		e.status.set(value)
	case memberFlag:
		e.flag(value)
	case memberErrorCode:
		if n, _ := number(value); n != 0 {
			e.errorCode = n
		}
	case memberExceptionCode:
		if n, _ := number(value); n != 0 {
			e.exception = n
		}
	case memberText:
		e.addText(value)
	case memberToken:
		e.accessToken = value.Kind() == '"' && len(value) > len(`""`)
	default: // a field of a session
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
	if text == "" || len(e.texts) == maxTexts || slices.Contains(e.texts, text) {
		return
	}
	e.texts = append(e.texts, text)
}

// given reports whether there is anything of an envelope. A gateway's object
// has a message at most.
func (e *envelope) given() bool { return e.code.given || e.status.given || e.hasFlag }

// clean reports whether the envelope, inside an HTTP answer of the 200 series,
// says that the request succeeded.
func (e *envelope) clean() bool {
	return !e.failed && !e.status.failed() && !e.code.failed()
}

// effective is the status that an answer means: the HTTP status, unless that is
// of the 200 series and the envelope knows better.
func (e *envelope) effective(httpStatus int) int {
	switch {
	case !isSuccess(httpStatus):
		return httpStatus
	case e.status.failed():
		return e.status.value
	case e.code.failed():
		return e.code.value
	}
	return httpStatus
}

// unexpected reports whether senhasegura reported a fault of its own, after which it
// is not known how far the request got.
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
	for _, text := range slices.Concat(e.texts, []string{e.oauthError}) {
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

// scalar is the text of a string, with invalid UTF-8 replaced, or the literal of
// a number or boolean; "" for null, an object or an array.
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

// appendUnquoted appends the text of a string that a decoder has read. The
// decoder has found it well formed, so all that AppendUnquote can report is that
// it replaced invalid UTF-8.
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
