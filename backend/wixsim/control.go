package wixsim

// The control API, /_sim/…: tokens, installations, faults, webhooks and the log, for
// tests and for the simulated pages.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// methods holds the handlers of one path by method.
type methods map[string]http.HandlerFunc

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if serve, ok := m[r.Method]; ok {
		serve(w, r)
		return
	}
	w.Header().Set("Allow", strings.Join(slices.Sorted(maps.Keys(m)), ", "))
	WriteError(w, http.StatusMethodNotAllowed, "this method is not allowed here")
}

func (s *Sim) control() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/_sim/tokens", methods{"POST": s.postTokens})
	mux.Handle("/_sim/tokens/decode", methods{"POST": s.postDecode})
	mux.Handle("/_sim/installs", methods{"GET": s.getInstalls, "POST": s.postInstalls})
	mux.Handle("/_sim/installs/{id}", methods{"DELETE": s.deleteInstall})
	mux.Handle("/_sim/installs/{id}/plan", methods{"PUT": s.putPlan})
	mux.Handle("/_sim/webhooks", methods{"GET": s.getWebhooks, "POST": s.postWebhooks, "DELETE": s.deleteWebhooks})
	mux.Handle("/_sim/webhooks/{id}", methods{"GET": s.getWebhook})
	mux.Handle("/_sim/webhooks/{id}/replay", methods{"POST": s.postReplay})
	mux.Handle("/_sim/webhook-url", methods{"GET": s.getWebhookURL, "PUT": s.putWebhookURL})
	mux.Handle("/_sim/public-key", methods{"GET": s.getPublicKey})
	mux.Handle("/_sim/clock", methods{"GET": s.getClock, "PUT": s.putClock})
	mux.Handle("/_sim/faults", methods{"GET": s.getFaults, "PUT": s.putFaults, "DELETE": s.deleteFaults})
	mux.Handle("/_sim/calls", methods{"GET": s.getCalls, "DELETE": s.deleteCalls})
	mux.Handle("/_sim/calls/{id}", methods{"GET": s.getCall})
	mux.Handle("/_sim/events", methods{"GET": s.getEvents})
	mux.Handle("/_sim/behavior", methods{"GET": s.getBehavior, "PUT": s.putBehavior})
	mux.Handle("/_sim/published/{id}", methods{"PUT": s.putPublished})
	mux.Handle("/_sim/state", methods{"GET": s.getState, "PUT": s.putState})
	mux.Handle("/_sim/health", methods{"GET": getHealth})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		WriteError(w, http.StatusNotFound, "there is nothing here")
	})
	return mux
}

// WriteError answers with the control API's error shape: {"error": sentence}.
func WriteError(w http.ResponseWriter, status int, sentence string) {
	writeJSON(w, status, map[string]string{"error": sentence})
}

// writeFault answers 422 with a sentence that begins with the name of the field at fault.
func writeFault(w http.ResponseWriter, sentence string) {
	writeJSON(w, http.StatusUnprocessableEntity, map[string]string{"error": sentence, "field": fieldOf(sentence)})
}

// fieldOf returns the name with which the sentence about a field begins.
func fieldOf(sentence string) string {
	name, _, _ := strings.Cut(sentence, " ")
	return strings.Trim(name, `:,"`)
}

// ReadJSON reads a request's body into v as the control API does: one JSON object of at
// most 1 MiB without unknown fields; no body is an empty object. It answers the request
// with an error, and returns false, if the body is something else. v points to a struct.
func ReadJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		WriteError(w, http.StatusRequestEntityTooLarge, "the request body is too large")
		return false
	} else if err != nil {
		panic(http.ErrAbortHandler)
	}
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		body = []byte("{}")
	}
	if !utf8.Valid(body) || body[0] != '{' || !json.Valid(body) {
		WriteError(w, http.StatusBadRequest, "the request body must be one JSON object")
		return false
	}
	if decodeStrictly(body, v) != nil {
		writeFault(w, fieldFault(body, v))
		return false
	}
	return true
}

func decodeStrictly(object []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.DisallowUnknownFields()
	return decoder.Decode(v)
}

// fieldFault returns the sentence about the first field of an object that cannot be read into
// v: encoding/json does not name the field for each error, and so each is read alone.
func fieldFault(object []byte, v any) string {
	var values map[string]json.RawMessage
	_ = json.Unmarshal(object, &values) // it is one object
	for _, name := range slices.Sorted(maps.Keys(values)) {
		alone := []byte(mustJSON(map[string]json.RawMessage{name: values[name]}))
		if err := decodeStrictly(alone, reflect.New(reflect.TypeOf(v).Elem()).Interface()); err != nil {
			return clip(name, 64) + " " + whatIsWrong(name, err)
		}
	}
	return "the body cannot be read"
}

// whatIsWrong returns the sentence, from its verb, about a field that cannot be read.
func whatIsWrong(name string, err error) string {
	if inner, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		if inner == strconv.Quote(name) {
			return "is no field that is known here"
		}
		return "holds the unknown field " + clip(inner, 64)
	}
	mistyped := new(json.UnmarshalTypeError)
	if !errors.As(err, &mistyped) {
		return clip(err.Error(), 200) // of UnmarshalJSON below
	}
	is := map[reflect.Kind]string{
		reflect.String: "text", reflect.Bool: "true or false", reflect.Int: "a whole number", reflect.Int64: "a whole number",
		reflect.Slice: "a list", reflect.Struct: "an object", reflect.Map: "an object",
	}[mistyped.Type.Kind()]
	if strings.EqualFold(mistyped.Field, name) {
		return "must be " + is
	}
	return "holds " + mistyped.Field[strings.LastIndexByte(mistyped.Field, '.')+1:] + ", which must be " + is
}

// refuse answers with an error of Install, SetPlan, Mint, Send, SetFault or Advance. One that
// is about a field begins with its name.
func refuse(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, ErrNotInstalled), errors.Is(err, ErrNoDelivery):
		WriteError(w, http.StatusNotFound, err.Error())
	case errors.Is(err, ErrInstalled), errors.Is(err, ErrFull), errors.Is(err, ErrNoWebhookURL), errors.Is(err, errNotStored):
		WriteError(w, http.StatusConflict, err.Error())
	case errors.Is(err, ErrBusy), errors.Is(err, ErrClosed):
		WriteError(w, http.StatusServiceUnavailable, err.Error())
	default:
		writeFault(w, err.Error())
	}
}

// span is a duration in JSON: text such as "200ms", or a number of seconds.
type span time.Duration

func (d *span) UnmarshalJSON(b []byte) error {
	var seconds float64
	if json.Unmarshal(b, &seconds) == nil {
		if seconds < -maxTTL.Seconds() || seconds > maxTTL.Seconds() {
			return errors.New("must be at most ten years")
		}
		*d = span(seconds * float64(time.Second))
		return nil
	}
	var text string
	err := json.Unmarshal(b, &text)
	parsed, e := time.ParseDuration(text)
	if err != nil || e != nil {
		return errors.New(`must be a duration: text such as "200ms", or a number of seconds`)
	}
	*d = span(parsed)
	return nil
}

func (d span) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// moment is a time in JSON.
type moment struct{ time.Time }

func (m *moment) UnmarshalJSON(b []byte) error {
	if m.Time.UnmarshalJSON(b) != nil {
		return errors.New("must be a time such as 2026-11-22T10:00:00Z")
	}
	return nil
}

func (s *Sim) postTokens(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Subject    string `json:"subject"`
		InstanceID string `json:"instanceId"`
		NoInstance bool   `json:"noInstance"`
		Member     string `json:"member"`
		AppID      string `json:"appId"`
		TTL        span   `json:"ttl"`
		Active     *bool  `json:"active"`
		Count      *int   `json:"count"`
		// SignedInstance asks for the parameter instance in place of a token.
		SignedInstance bool `json:"signedInstance"`
	}
	if !ReadJSON(w, r, &in) {
		return
	}
	if in.SignedInstance {
		if in.Member != "" || in.NoInstance || in.AppID != "" || in.TTL != 0 || in.Active != nil || in.Count != nil {
			writeFault(w, "signedInstance goes with subject and instanceId alone")
			return
		}
		signed, err := s.SignedInstance(in.InstanceID, in.Subject)
		if err != nil {
			refuse(w, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		writeJSON(w, http.StatusOK, map[string]string{"token": signed, "expires": isoTime(s.Now().Add(s.cfg.TokenTTL))})
		return
	}
	if in.Count != nil && (*in.Count < 1 || *in.Count > maxTokens) {
		writeFault(w, fmt.Sprintf("count must be a number from 1 to %d", maxTokens))
		return
	}
	request := TokenRequest{Subject: in.Subject, InstanceID: in.InstanceID,
		NoInstance: in.NoInstance, Member: in.Member, AppID: in.AppID, TTL: time.Duration(in.TTL), Active: in.Active}
	token, expires, err := s.Mint(request)
	if err != nil {
		refuse(w, err)
		return
	}
	answer := map[string]any{"token": token, "expires": isoTime(expires)}
	if in.Count != nil {
		tokens := []string{token}
		for len(tokens) < *in.Count {
			if token, _, err = s.Mint(request); err != nil { // it has just been removed
				refuse(w, err)
				return
			}
			tokens = append(tokens, token)
		}
		answer = map[string]any{"tokens": tokens, "expires": isoTime(expires)}
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, answer)
}

// maxTokens is the largest number of tokens per request: a few megabytes.
const maxTokens = 10_000

func (s *Sim) getInstalls(w http.ResponseWriter, r *http.Request) {
	q, ok := readQuery(w, r, "after", "limit", "name")
	if !ok {
		return
	}
	list, err := s.InstallationsAfter(q.after, q.name, q.limit)
	if err != nil {
		refuse(w, err)
		return
	}
	writeJSON(w, http.StatusOK, list)
}

func (s *Sim) postInstalls(w http.ResponseWriter, r *http.Request) {
	var in InstallRequest
	if !ReadJSON(w, r, &in) {
		return
	}
	installation, err := s.Install(in)
	if err != nil {
		refuse(w, err)
		return
	}
	writeJSON(w, http.StatusCreated, installation)
}

func (s *Sim) deleteInstall(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Silent bool `json:"silent"`
	}
	if !ReadJSON(w, r, &in) {
		return
	}
	remove := s.Uninstall
	if in.Silent {
		remove = s.UninstallSilently
	}
	if !remove(r.PathValue("id")) {
		refuse(w, ErrNotInstalled)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func getHealth(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}
