package wixsim

// Wix's REST API: what its three endpoints have in common.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// maxBody is the largest request body that the REST and the control API take, in bytes.
const maxBody = 1 << 20

// The short names of the endpoints, for faults, and their paths.
const (
	endpointTokenInfo = "token-info"
	endpointToken     = "token"
	endpointInstance  = "instance"
	endpointAny       = "*"

	pathTokenInfo = "/oauth2/token-info"
	pathToken     = "/oauth2/token"
	pathInstance  = "/apps/v1/instance"
)

// REST returns Wix's REST API alone. A fault that cuts the connection makes the handler
// panic with http.ErrAbortHandler, which net/http's server and Transport expect.
func (s *Sim) REST() http.Handler { return http.HandlerFunc(s.serveREST) }

// exchange is one call in progress: the answer's writer, which records the status and the
// start of the body, and what the log is to say of the call.
type exchange struct {
	http.ResponseWriter
	status       int
	answer       []byte
	instanceID   string
	notSimulated bool
	fault        bool
}

// WriteHeader is called once for every answer, before its body.
func (x *exchange) WriteHeader(status int) {
	x.status = status
	x.ResponseWriter.WriteHeader(status)
}

func (x *exchange) Write(b []byte) (int, error) {
	x.answer = append(x.answer, upTo(b, maxText-len(x.answer))...)
	return x.ResponseWriter.Write(b)
}

func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

func (s *Sim) serveREST(w http.ResponseWriter, r *http.Request) {
	start := s.Now()
	// The id has the shape of Wix's: the time in seconds, a dot, digits.
	requestID := fmt.Sprintf("%d.%020d", start.Unix(), rand.Uint64())
	w.Header().Set("X-Wix-Request-Id", requestID)
	w.Header().Set("Cache-Control", "no-store")
	x := &exchange{ResponseWriter: w}
	var body []byte
	defer func() {
		call := s.calls.add(Call{Method: clip(r.Method, 32), Path: clip(r.URL.Path, 256), Query: clip(r.URL.RawQuery, 1024),
			Status: x.status, At: start.UTC(), Duration: s.Now().Sub(start), InstanceID: x.instanceID,
			NotSimulated: x.notSimulated, Fault: x.fault,
		}, callText{clipHeader(r.Header), clipHeader(w.Header()), bytes.Clone(upTo(body, maxText)), x.answer})
		s.events.publish("call", func() any { return s.itemOf(call) })
		s.cfg.Logger.Debug("wix call", "method", call.Method, "path", call.Path, "status", call.Status,
			"duration", call.Duration, "instanceId", call.InstanceID, "requestId", requestID)
	}()

	// The body is read before the latency of a fault: net/http notices that a client has
	// gone only once its request is read.
	var err error
	if r.Body != nil { // a request made without a server may have none
		body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	}
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		systemError(x, http.StatusRequestEntityTooLarge, "Request body is too large")
		return
	} else if err != nil {
		panic(http.ErrAbortHandler)
	}

	name, method, serve := endpointAny, "", s.notFound
	switch r.URL.Path {
	case pathTokenInfo:
		name, method, serve = endpointTokenInfo, http.MethodPost, s.serveTokenInfo
	case pathToken:
		name, method, serve = endpointToken, http.MethodPost, s.serveToken
	case pathInstance:
		name, method, serve = endpointInstance, http.MethodGet, s.serveInstance
	}
	if fault, ok := s.takeFault(name); ok {
		x.fault = true
		if fault.apply(x, r) {
			return
		}
	}
	if s.relay.takes(name, r.URL.Path) {
		x.notSimulated = name == endpointAny
		s.passOn(x, r, body)
		return
	}
	if method != "" && r.Method != method {
		x.Header().Set("Allow", method)
		systemError(x, http.StatusMethodNotAllowed, "Method not allowed")
		return
	}
	serve(x, r, body)
}

// fields is a JSON object whose names are case-sensitive, as with Wix; encoding/json
// accepts Instance_ID for instance_id.
type fields map[string]any

// readFields reads a body as a JSON object, or says what is wrong with it. The Content-Type
// does not matter for JSON: the curl sample on the "Token Info" page sends it as curl's
// default, a form. What is no JSON and is sent as a form is one, if forms are taken.
func readFields(r *http.Request, body []byte, forms bool) (f fields, problem string) {
	const must = "must be a JSON object"
	if !utf8.Valid(body) {
		return nil, must + " in UTF-8"
	}
	if json.Unmarshal(body, &f) == nil && f != nil {
		return f, ""
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/x-www-form-urlencoded" || json.Valid(body) {
		return nil, must
	}
	if !forms {
		return nil, must + ", not a form: start the offline Wix with --form-requests if it should take both"
	}
	return readForm(string(body))
}

// readForm reads a form. A name that is there twice is an error (RFC 6749 §3.2).
func readForm(body string) (f fields, problem string) {
	values, err := url.ParseQuery(body)
	if err != nil {
		return nil, "must be a form whose names and values are percent-encoded"
	}
	f = fields{}
	for name, all := range values {
		if len(all) > 1 {
			return nil, "must have each field once"
		}
		if !utf8.ValidString(name) || !utf8.ValidString(all[0]) {
			return nil, "must be a form in UTF-8"
		}
		f[name] = all[0]
	}
	return f, ""
}

// has reports whether there is a field of this name, however it is spelled.
func (f fields) has(name string) bool {
	plain := strings.NewReplacer("_", "", "-", "")
	for other := range f {
		if strings.EqualFold(plain.Replace(other), plain.Replace(name)) {
			return true
		}
	}
	return false
}

// text returns a field that must be non-empty text, or what is wrong with it.
func (f fields) text(name string) (value, problem string) {
	switch v := f[name].(type) {
	case nil:
		return "", "must not be empty"
	case string:
		if v == "" {
			return "", "must not be empty"
		}
		return v, ""
	}
	return "", "must be text"
}

// The shapes of Wix's errors are those of its page "Errors": a message, and
// details with an applicationError, with a validationError, or, for errors of the
// system, empty.

func systemError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]any{"message": message, "details": struct{}{}})
}

func applicationError(w http.ResponseWriter, status int, code, description string) {
	writeJSON(w, status, map[string]any{"message": description, "details": map[string]any{
		"applicationError": map[string]any{"code": code, "description": description, "data": struct{}{}},
	}})
}

func validationError(w http.ResponseWriter, field, description string) {
	violation := map[string]any{"field": field, "description": description, "violatedRule": "OTHER", "data": struct{}{}}
	if description == "must not be empty" {
		violation["violatedRule"] = "REQUIRED_FIELD"
	}
	writeJSON(w, http.StatusBadRequest, map[string]any{"message": field + " " + description, "details": map[string]any{
		"validationError": map[string]any{"fieldViolations": []any{violation}},
	}})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err) // every v is plain data
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(buf.Bytes()) // an error means that the client has gone
}

// isoTime is a time as Wix writes it: ISO 8601, UTC, milliseconds.
func isoTime(t time.Time) string { return t.UTC().Format(isoMillis) }
