package faulttest

import (
	"fmt"
	"net/http"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/simulator"
)

// row is one fault, and what it means to each operation.
type row struct {
	name  string
	fault simulator.Fault

	token, list, get, drop verdict
}

// refused is the one fault that no request reaches, and so none of the
// simulator's.
const refused simulator.Kind = "connection refused"

func (r row) verdictOf(op simulator.Op) verdict {
	return map[simulator.Op]verdict{
		simulator.OpToken: r.token, simulator.OpList: r.list, simulator.OpGet: r.get, simulator.OpDrop: r.drop,
	}[op]
}

func kind(k simulator.Kind) simulator.Fault { return simulator.Fault{Kind: k} }

// acted is a fault whose request is carried out anyway.
func acted(k simulator.Kind) simulator.Fault {
	return simulator.Fault{Kind: k, Acting: simulator.ActFirst}
}

func retryAfter(k simulator.Kind, value string) simulator.Fault {
	return simulator.Fault{Kind: k, Header: http.Header{"Retry-After": {value}}}
}

// says is an answer with a message and no code.
func says(status int, message string) simulator.Fault {
	return simulator.Fault{Kind: simulator.Status, Status: status, Body: fmt.Sprintf(`{"message":%q}`, message)}
}

// page is the answer of a web server in front of the API.
func page(status int, title string) simulator.Fault {
	body := fmt.Sprintf("<html><head><title>%s</title></head><body></body></html>", title)
	return simulator.Fault{Kind: simulator.Status, Status: status, Body: body, ContentType: "text/html"}
}

func redirect(status int) simulator.Fault {
	return simulator.Fault{Kind: simulator.Redirect, Status: status, Location: "https://elsewhere.example.com/login"}
}

// matrix is every fault against every operation.
var matrix = []row{
	{"connection refused", kind(refused), tokenUnreached, listUnreached, getUnreached, dropUnreached},
	{"cut before the request is read", kind(simulator.CutBefore), tokenRepeated, listReplayed, getReplayed, dropLost},
	{"cut after it was acted on", kind(simulator.CutAfter), tokenRepeated, listReplayed, getReplayed, dropDone},
	{"cut in the middle of the response", kind(simulator.CutMiddle), tokenRepeated, listRepeated, getRepeated, dropDone},
	{"cut before the first row", kind(simulator.CutRows), tokenRepeated, listRepeated, getRepeated, dropDone},
	{"cut after a row", simulator.Fault{Kind: simulator.CutRows, Rows: 1}, tokenRepeated, listRepeated, getRepeated, dropDone},
	{"reset before the request is read", kind(simulator.ResetBefore), tokenRepeated, listReplayed, getReplayed, dropLost},
	{"reset after it was acted on", kind(simulator.ResetAfter), tokenRepeated, listReplayed, getReplayed, dropDone},
	{"acted on, no answer in time", kind(simulator.Slow), tokenRepeated, listRepeated, getDelayed, dropDone},
	{"not acted on, no answer in time", kind(simulator.SlowBefore), tokenRepeated, listRepeated, getDelayed, dropLost},
	{"slow, and in time", simulator.Fault{Kind: simulator.Slow, Delay: attemptLimit / 2}, tokenFine, listFine, getFine, dropDone},
	{"408", kind(simulator.Timeout408), tokenRepeated, listRepeated, getRepeated, dropLost},
	{"408, acted on", acted(simulator.Timeout408), tokenRepeated, listRepeated, getRepeated, dropDone},
	{"429", kind(simulator.TooMany429), tokenRepeated, listRepeated, getRepeated, dropTurnedAway},
	{"429, Retry-After in seconds", retryAfter(simulator.TooMany429, "7"), tokenRepeated, listRepeated, getDelayed, dropTurnedAway},
	// A bubble begins at midnight UTC on 2000-01-01.
	{"429, Retry-After as a date", retryAfter(simulator.TooMany429, "Sat, 01 Jan 2000 00:00:20 GMT"), tokenRepeated, listRepeated, getDelayed, dropTurnedAway},
	{"429, Retry-After of an hour", retryAfter(simulator.TooMany429, "3600"), tokenPutOff, listPutOff, getPutOff, dropPutOff},
	{"500 unexpected error", kind(simulator.Unexpected500), tokenRepeated, listRepeated, getRepeated, dropLost},
	{"500 unexpected error, acted on", acted(simulator.Unexpected500), tokenRepeated, listRepeated, getRepeated, dropDone},
	{"500 drop failed", kind(simulator.DropFailed500), tokenRepeated, listRepeated, getRepeated, dropRefused},
	{"500 drop failed, acted on", acted(simulator.DropFailed500), tokenRepeated, listRepeated, getRepeated, dropRefusedEnded},
	{"500 not authorized", kind(simulator.Unauthorized500), tokenStops("permission"), listForbidden, getForbidden, dropStops("permission")},
	{"500 referer", kind(simulator.Referer500), tokenStops("referer"), listStops("referer"), getStops("referer"), dropStops("referer")},
	{"500 without a body", simulator.Fault{Kind: simulator.Status, Status: 500}, tokenRepeated, listRepeated, getRepeated, dropLost},
	{"500 without a body, acted on", simulator.Fault{Kind: simulator.StatusAfter, Status: 500}, tokenRepeated, listRepeated, getRepeated, dropDone},
	{"502 with HTML", kind(simulator.HTML502), tokenRepeated, listRepeated, getRepeated, dropLost},
	{"502 with HTML, acted on", acted(simulator.HTML502), tokenRepeated, listRepeated, getRepeated, dropDone},
	{"503 with HTML", kind(simulator.Unavailable503), tokenRepeated, listRepeated, getRepeated, dropLost},
	{"503 with HTML, acted on", acted(simulator.Unavailable503), tokenRepeated, listRepeated, getRepeated, dropDone},
	{"503, Retry-After in seconds", retryAfter(simulator.Unavailable503, "7"), tokenRepeated, listRepeated, getDelayed, dropLost},
	{"503 lockdown", kind(simulator.Lockdown503), tokenStops("lockdown"), listStops("lockdown"), getStops("lockdown"), dropStops("lockdown")},
	{"504 with HTML", kind(simulator.GatewayTimeout504), tokenRepeated, listRepeated, getRepeated, dropLost},
	{"504 with HTML, acted on", acted(simulator.GatewayTimeout504), tokenRepeated, listRepeated, getRepeated, dropDone},
	{"200 with error true", kind(simulator.ErrorTrue200), tokenStops("rejected"), listStops("rejected"), getStops("rejected"), dropRefused},
	{"200 with a page", kind(simulator.HTML200), tokenRepeated, listRepeated, getRepeated, dropLost},
	{"200 with a page, acted on", acted(simulator.HTML200), tokenRepeated, listRepeated, getRepeated, dropDone},
	{"200 without a body", kind(simulator.Empty200), tokenRepeated, listRepeated, getRepeated, dropDone},
	{"200 with half a body", kind(simulator.Truncated200), tokenRepeated, listRepeated, getRepeated, dropDone},
	{"204", kind(simulator.NoContent204), tokenRepeated, listRepeated, getRepeated, dropDone},
	{"302 to another host", redirect(http.StatusFound), tokenStops("rejected"), listStops("rejected"), getStops("rejected"), dropRejected},
	{"307 to another host", redirect(http.StatusTemporaryRedirect), tokenStops("rejected"), listStops("rejected"), getStops("rejected"), dropRejected},
	{"400 with error false", kind(simulator.FlagFalse400), tokenStops("not authenticated"), listStops("rejected"), getStops("rejected"), dropRefused},
	{"400 with a page", page(400, "400 No required SSL certificate was sent"), tokenStops("not authenticated"), listRepeated, getRepeated, dropLost},
	{"500 client authentication failed", says(500, "Client authentication failed"), tokenStops("not authenticated"), listRepeated, getRepeated, dropLost},
	{"500 invalid signature", says(500, "Invalid signature"), tokenStops("not authenticated"), listRenewed, getRenewed, dropRenewed},
	{"401 token refused", kind(simulator.TokenDenied401), tokenStops("not authenticated"), listRenewed, getRenewed, dropRenewed},
	{"401 invalid signature", kind(simulator.InvalidSignature401), tokenStops("not authenticated"), listRenewed, getRenewed, dropRenewed},
	{"401 invalid client", kind(simulator.InvalidClient401), tokenStops("not authenticated"), listRenewed, getRenewed, dropRenewed},
	{"401 inactive authorization", kind(simulator.InactiveAuthorization401), tokenStops("inactive"), listStops("inactive"), getStops("inactive"), dropStops("inactive")},
	{"403", kind(simulator.Forbidden403), tokenStops("not authenticated"), listForbidden, getForbidden, dropStops("permission")},
	{"404 wrong route", kind(simulator.WrongRoute404), tokenOtherRoute, listOtherRoute, getOtherRoute, dropOtherRoute},
	{"404 wrong route, in words", says(404, "Resource sub not found"), tokenOtherRoute, listOtherRoute, getOtherRoute, dropOtherRoute},
	{"404 with the page of a web server", page(404, "404 Not Found"), tokenOtherRoute, listOtherRoute, getOtherRoute, dropOtherRoute},
	{"404 of the gateway", kind(simulator.GatewayNoRoute404), tokenOtherRoute, listDenied, getDenied, dropDenied},
	{"404 flat", kind(simulator.FlatNotFound404), tokenStops("not authenticated"), listStops("rejected"), getMissing, dropRefused},
}
