package simulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	contentJSON = "application/json"
	contentHTML = "text/html; charset=utf-8"
	// timestampFormat has no zone (contract, section 4).
	timestampFormat = "2006-01-02 15:04:05"
)

// answer is what goes back to a caller: a body, or a stream for a list, which
// may be too long to hold.
type answer struct {
	status      int
	contentType string
	header      http.Header
	body        []byte
	stream      *listStream
}

func (a answer) writeTo(w io.Writer) error {
	if a.stream != nil {
		return a.stream.writeTo(w, -1)
	}
	_, err := w.Write(a.body)
	return err
}

func jsonAnswer(status int, v any) answer {
	body, err := json.Marshal(v)
	if err != nil {
		// Only types of this file get here, and they all can be encoded.
		panic("simulator: " + err.Error())
	}
	return answer{status: status, contentType: contentJSON, body: body}
}

// envelope has its keys in the order of the documents.
type envelope struct {
	Code      int        `json:"code,omitempty"`
	Response  result     `json:"response"`
	Tenant    string     `json:"tenant,omitempty"`
	Exception *exception `json:"exception,omitempty"`
}

type result struct {
	Status    int    `json:"status"`
	Message   string `json:"message"`
	Error     bool   `json:"error"`
	ErrorCode int    `json:"error_code"`
	Detail    string `json:"detail"`
	Mensagem  string `json:"mensagem"`
	Erro      bool   `json:"erro"`
	CodErro   int    `json:"cod_erro"`
}

type exception struct {
	Code    int     `json:"code"`
	Message string  `json:"message"`
	Detail  *string `json:"detail"`
}

func resultOf(status int, message string, failed bool, code int) result {
	return result{
		Status: status, Message: message, Error: failed, ErrorCode: code,
		Mensagem: message, Erro: failed, CodErro: code,
	}
}

func failure(status int, message string, code int) envelope {
	return envelope{Code: status, Response: resultOf(status, message, true, code)}
}

func inactiveAuthorization() answer {
	return jsonAnswer(http.StatusUnauthorized, failure(http.StatusUnauthorized, "Inactive authorization", 1))
}

// unauthorized has no documented code; its numbers are those of any failure
// (contract, section 5).
func unauthorized() answer {
	return jsonAnswer(http.StatusInternalServerError,
		failure(http.StatusInternalServerError, "You are not authorized to access this resource", 1))
}

func forbidden() answer {
	return jsonAnswer(http.StatusForbidden,
		failure(http.StatusForbidden, "You are not authorized to access this resource", 1))
}

func dropFailed() answer {
	return jsonAnswer(http.StatusInternalServerError, envelope{
		Response: resultOf(http.StatusInternalServerError, "An error occurred while droping session", true, 1),
	})
}

func flagFalse() answer {
	return jsonAnswer(http.StatusBadRequest, envelope{
		Response: resultOf(http.StatusBadRequest, "Invalid request", false, 0),
	})
}

// exceptional is a failure of get one, whose useful number is in `exception`.
func exceptional(code int, text string) answer {
	message := fmt.Sprintf("%d: %s", code, text)
	e := failure(http.StatusBadRequest, message, 1)
	e.Exception = &exception{Code: code, Message: message}
	return jsonAnswer(http.StatusBadRequest, e)
}

func sessionNotFound() answer      { return exceptional(1002, "Session not found") }
func unexpectedIdentifier() answer { return exceptional(1003, "Unexpected identifier type") }

func unexpectedError() answer {
	e := failure(http.StatusInternalServerError, "Unexpected error", 1)
	e.Exception = &exception{
		Code:    http.StatusInternalServerError,
		Message: "Check the index log system error for more details",
	}
	return jsonAnswer(http.StatusInternalServerError, e)
}

// errorTrue is a failure that only its flags show: HTTP status, `code` and
// `response.status` all say success.
func errorTrue() answer {
	return jsonAnswer(http.StatusOK, envelope{
		Code:     http.StatusOK,
		Response: resultOf(http.StatusOK, "The operation could not be completed", true, 1),
	})
}

func flatNotFound(message string, code int) answer {
	return jsonAnswer(http.StatusNotFound, struct {
		Code      int    `json:"code"`
		Message   string `json:"message"`
		Error     bool   `json:"error"`
		ErrorCode int    `json:"error_code"`
	}{http.StatusNotFound, message, true, code})
}

func lockdown() answer {
	type lockdownResult struct {
		Status    int    `json:"status"`
		Mensagem  string `json:"mensagem"`
		Erro      bool   `json:"erro"`
		CodErro   int    `json:"cod_erro"`
		Message   string `json:"message"`
		Error     bool   `json:"error"`
		ErrorCode int    `json:"error_code"`
	}
	const message = "senhasegura is under Lockdown until 09/08/2027 22:54:00"
	return jsonAnswer(http.StatusServiceUnavailable, struct {
		Response lockdownResult `json:"response"`
	}{lockdownResult{http.StatusServiceUnavailable, message, true, 100, message, true, 100}})
}

// plainMessage is the gateway's form of an error.
func plainMessage(status int, message string) answer {
	return jsonAnswer(status, struct {
		Message string `json:"message"`
	}{message})
}

func gatewayNoRoute() answer {
	return plainMessage(http.StatusNotFound, "no Route matched with those values")
}

func invalidSignature() answer {
	return plainMessage(http.StatusUnauthorized, "Invalid signature")
}

type oauthFailure struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
	Message     string `json:"message"`
	Hint        string `json:"hint,omitempty"`
}

func bearerDenied() answer {
	return jsonAnswer(http.StatusUnauthorized, oauthFailure{
		Error:   "access_denied",
		Message: "The resource owner or authorization server denied the request.",
		Hint:    "Access token could not be verified",
	})
}

func webServerNotFound() answer {
	return htmlPage(http.StatusNotFound, "404 Not Found")
}

func htmlPage(status int, title string) answer {
	page := "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
		"</h1></center>\r\n<hr><center>proxy</center>\r\n</body>\r\n</html>\r\n"
	return answer{status: status, contentType: contentHTML, body: []byte(page)}
}

// shape is what differs between releases and configurations.
type shape struct {
	tenant        string // of list and get one
	outerTenant   string // of the outermost list envelope and of everything else
	nestedList    bool
	pluralGet     bool
	credentialKey string
	deviceKey     string
	yes, no       string
	dropMessage   string
	dropMensagem  string
	dropCode      bool
	plainNotFound bool
	codelessRoute bool
	numericIDs    bool
	liveEnd       LiveEnd
	location      *time.Location
	clockSkew     time.Duration
	names         names
}

func newShape(c Config) shape {
	const interrompida = "Sessão interrompida com sucesso"
	sh := shape{
		tenant: "Segura", outerTenant: "Segura",
		credentialKey: "credential", deviceKey: "device",
		yes: "Yes", no: "No",
		dropMessage: "Session dropped successfully", dropMensagem: "Sessão encerrada com sucesso", dropCode: true,
		plainNotFound: c.PlainNotFound, codelessRoute: c.WrongRouteWithoutCode, numericIDs: c.NumericIDs, liveEnd: c.LiveEnd, location: c.Location, clockSkew: c.ClockSkew,
		names: names{users: c.UserForm, devices: c.DeviceForm, domain: c.Domain},
	}
	switch c.Release {
	case Release332, ReleaseDropOnly:
		sh.tenant, sh.outerTenant = "", ""
		sh.pluralGet = true
		sh.credentialKey, sh.deviceKey = "credencial", "dispositivo"
		sh.yes, sh.no = "Sim", "Não"
		sh.dropMessage, sh.dropMensagem, sh.dropCode = interrompida, interrompida, false
	case Release333, Release40:
		sh.tenant, sh.outerTenant = "senhasegura", ""
		sh.nestedList = true
		sh.dropMessage, sh.dropMensagem = interrompida, interrompida
	case ReleaseNewest:
	}
	return sh
}

func (sh shape) wrongRoute() answer {
	const status, message = http.StatusNotFound, "Resource sub not found"
	if !sh.codelessRoute {
		return jsonAnswer(status, failure(status, message, 4))
	}
	type codelessResult struct {
		Status   int    `json:"status"`
		Message  string `json:"message"`
		Error    bool   `json:"error"`
		Detail   string `json:"detail"`
		Mensagem string `json:"mensagem"`
		Erro     bool   `json:"erro"`
	}
	return jsonAnswer(status, struct {
		Code     int            `json:"code"`
		Response codelessResult `json:"response"`
	}{status, codelessResult{Status: status, Message: message, Error: true, Mensagem: message, Erro: true}})
}

func (sh shape) refererDenied() answer {
	e := failure(http.StatusInternalServerError, "The http referer is not allowed", 1105)
	e.Tenant = sh.outerTenant
	return jsonAnswer(http.StatusInternalServerError, e)
}

func (sh shape) dropped() answer {
	e := envelope{Response: resultOf(http.StatusOK, sh.dropMessage, false, 0), Tenant: sh.outerTenant}
	e.Response.Mensagem = sh.dropMensagem
	if sh.dropCode {
		e.Code = http.StatusOK
	}
	return jsonAnswer(http.StatusOK, e)
}

func (sh shape) unknownRecord() answer {
	if sh.plainNotFound {
		return flatNotFound("Session not found", 1002)
	}
	return sessionNotFound()
}

func (sh shape) found(rows []byte) answer {
	key := "remote_session"
	if sh.pluralGet {
		key = "remote_sessions"
	}
	body := append(openEnvelope(sh.tenant, key), rows...)
	return answer{status: http.StatusOK, contentType: contentJSON, body: append(body, "]}"...)}
}

// listFrame returns what stands before and after the rows of a list.
func (sh shape) listFrame() (head, tail []byte) {
	const key = "remote_sessions"
	if !sh.nestedList {
		return openEnvelope(sh.tenant, key), []byte("]}")
	}
	head = append(openEnvelope(sh.outerTenant, key), openEnvelope(sh.tenant, key)...)
	return head, []byte("]}]}")
}

// openEnvelope returns a successful envelope up to and including the opening
// bracket of its payload.
func openEnvelope(tenant, payloadKey string) []byte {
	a := jsonAnswer(http.StatusOK, envelope{
		Code:     http.StatusOK,
		Response: resultOf(http.StatusOK, "", false, 0),
		Tenant:   tenant,
	})
	body := a.body[:len(a.body)-1]
	return append(body, `,"`+payloadKey+`":[`...)
}

// appendRow encodes one session by hand: a list of a million rows is made while
// it is sent, and the encoder must not be what a benchmark of a client measures.
func (sh shape) appendRow(b []byte, r listed) []byte {
	v := r.session
	b = append(b, `{"id":`...)
	b = sh.appendID(b, v.RecordID)
	b = appendField(b, "user", sh.names.user(v.User))
	b = appendField(b, "origin_ip", v.OriginIP)
	b = appendField(b, sh.credentialKey, v.Credential)
	b = appendField(b, sh.deviceKey, sh.names.device(v.Device))
	b = appendField(b, "protocol", v.Protocol)
	b = appendField(b, "proxy", v.Proxy)
	b = appendField(b, "session_id", v.SessionID)
	b = sh.appendTimes(b, r)
	purge := sh.no
	if v.PreventPurge {
		purge = sh.yes
	}
	b = appendField(b, "prevent_purge", purge)
	b = appendNullable(b, "request", v.Request)
	b = appendNullable(b, "ITSM", v.ITSM)
	return append(b, '}')
}

func (sh shape) appendID(b []byte, id int64) []byte {
	if sh.numericIDs {
		return strconv.AppendInt(b, id, 10)
	}
	b = append(b, '"')
	b = strconv.AppendInt(b, id, 10)
	return append(b, '"')
}

func (sh shape) appendTimes(b []byte, r listed) []byte {
	start := r.session.Start
	b = append(b, `,"start":`...)
	if start.IsZero() {
		b = append(b, "null"...)
	} else {
		b = sh.appendTimestamp(b, start)
	}
	if r.end.IsZero() {
		return append(b, sh.liveTimes(r.session.RecordID)...)
	}
	b = append(b, `,"end":`...)
	b = sh.appendTimestamp(b, r.end)
	b = append(b, `,"time":"`...)
	b = appendClock(b, r.end.Sub(start))
	return append(b, '"')
}

// liveTimes is `end` and `time` of a session that has not ended.
func (sh shape) liveTimes(recordID int64) string {
	end := sh.liveEnd
	if end == LiveEndMixed {
		ends := [...]LiveEnd{LiveEndNull, LiveEndEmpty, LiveEndMissing, LiveEndZero}
		end = ends[uint64(recordID)%uint64(len(ends))] //nolint:gosec // only spreads the values; a wrapped number spreads too
	}
	switch end {
	case LiveEndEmpty:
		return `,"end":"","time":""`
	case LiveEndMissing:
		return ""
	case LiveEndZero:
		return `,"end":"0000-00-00 00:00:00","time":"00:00:00"`
	case LiveEndNull:
		return `,"end":null,"time":null`
	default:
		return `,"end":"` + string(end) + `","time":"00:00:00"` // digits and signs: Config.Validate refuses others
	}
}

func (sh shape) appendTimestamp(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.Add(sh.clockSkew).In(sh.location).AppendFormat(b, timestampFormat)
	return append(b, '"')
}

// appendClock writes hours, minutes and seconds; hours do not wrap.
func appendClock(b []byte, d time.Duration) []byte {
	seconds := max(int64(d/time.Second), 0)
	b = appendTwoDigits(b, seconds/3600)
	b = append(b, ':')
	b = appendTwoDigits(b, seconds/60%60)
	b = append(b, ':')
	return appendTwoDigits(b, seconds%60)
}

func appendTwoDigits(b []byte, n int64) []byte {
	if n < 10 {
		b = append(b, '0')
	}
	return strconv.AppendInt(b, n, 10)
}

func appendField(b []byte, key, value string) []byte {
	b = append(b, ',', '"')
	b = append(b, key...)
	b = append(b, '"', ':')
	return appendString(b, value)
}

func appendNullable(b []byte, key, value string) []byte {
	if value != "" {
		return appendField(b, key, value)
	}
	b = append(b, ',', '"')
	b = append(b, key...)
	return append(b, `":null`...)
}

func appendString(b []byte, value string) []byte {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			encoded, err := json.Marshal(value)
			if err != nil {
				panic("simulator: " + err.Error()) // a string can always be encoded
			}
			return append(b, encoded...)
		}
	}
	b = append(b, '"')
	b = append(b, value...)
	return append(b, '"')
}
