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
	"net"
	"net/http"
	"net/netip"
	"slices"
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
	mux.Handle("/_sim/installs", methods{"GET": s.getInstalls, "POST": s.postInstalls})
	mux.Handle("/_sim/installs/{id}", methods{"DELETE": s.deleteInstall})
	mux.Handle("/_sim/installs/{id}/plan", methods{"PUT": s.putPlan})
	mux.Handle("/_sim/webhooks", methods{"GET": s.getWebhooks, "POST": s.postWebhooks, "DELETE": s.deleteWebhooks})
	mux.Handle("/_sim/webhook-url", methods{"GET": s.getWebhookURL, "PUT": s.putWebhookURL})
	mux.Handle("/_sim/public-key", methods{"GET": s.getPublicKey})
	mux.Handle("/_sim/faults", methods{"PUT": s.putFaults, "DELETE": s.deleteFaults})
	mux.Handle("/_sim/calls", methods{"GET": s.getCalls, "DELETE": s.deleteCalls})
	mux.Handle("/_sim/behavior", methods{"GET": s.getBehavior, "PUT": s.putBehavior})
	mux.Handle("/_sim/published/{id}", methods{"PUT": s.putPublished})
	mux.Handle("/_sim/state", methods{"GET": s.getState, "PUT": s.putState})
	mux.Handle("/_sim/health", methods{"GET": getHealth})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		WriteError(w, http.StatusNotFound, "there is nothing here")
	})
	return mux
}

// LocalOnly refuses requests of web pages of other origins with 403. The Host must be a
// loopback address, which a name that an attacker resolves to 127.0.0.1 (DNS rebinding) is
// not; and where the browser sends the page's origin, it must be the Host's.
func LocalOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.Host) {
			WriteError(w, http.StatusForbidden, "the control API answers under a loopback address only")
			return
		}
		scheme := "http://"
		if r.TLS != nil {
			scheme = "https://"
		}
		for _, origin := range r.Header.Values("Origin") {
			if !strings.EqualFold(origin, scheme+r.Host) {
				WriteError(w, http.StatusForbidden, "the control API does not answer pages of other origins")
				return
			}
		}
		switch r.Header.Get("Sec-Fetch-Site") {
		case "", "none", "same-origin":
			next.ServeHTTP(w, r)
		default:
			WriteError(w, http.StatusForbidden, "the control API does not answer pages of other origins")
		}
	})
}

// isLoopback says whether a Host header, with or without a port, is of this machine.
func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// WriteError answers with the control API's error shape: {"error": sentence}.
func WriteError(w http.ResponseWriter, status int, sentence string) {
	writeJSON(w, status, map[string]string{"error": sentence})
}

// ReadJSON reads a request's body into v as the control API does: one JSON object of at
// most 1 MiB without unknown fields; no body is an empty object. It answers the request
// with an error, and returns false, if the body is something else.
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
	if !utf8.Valid(body) || body[0] != '{' {
		WriteError(w, http.StatusBadRequest, "the request body must be one JSON object")
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		WriteError(w, http.StatusBadRequest, "the request body cannot be read: "+clip(err.Error(), 200))
		return false
	}
	if _, err := decoder.Token(); err != io.EOF {
		WriteError(w, http.StatusBadRequest, "the request body must be one JSON object")
		return false
	}
	return true
}

// refuse answers with an error of Install, SetPlan, Mint, Send or SetFault.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	switch {
	case errors.Is(err, ErrNotInstalled):
		status = http.StatusNotFound
	case errors.Is(err, ErrInstalled), errors.Is(err, ErrFull), errors.Is(err, ErrNoWebhookURL):
		status = http.StatusConflict
	case errors.Is(err, ErrBusy), errors.Is(err, ErrClosed):
		status = http.StatusServiceUnavailable
	}
	WriteError(w, status, err.Error())
}

// span is a duration in JSON: text such as "200ms", or a number of seconds.
type span time.Duration

func (d *span) UnmarshalJSON(b []byte) error {
	var seconds float64
	if json.Unmarshal(b, &seconds) == nil {
		if seconds < -maxTTL.Seconds() || seconds > maxTTL.Seconds() {
			return errors.New("a duration is out of range")
		}
		*d = span(seconds * float64(time.Second))
		return nil
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return errors.New(`a duration must be text such as "200ms" or a number of seconds`)
	}
	parsed, err := time.ParseDuration(text)
	if err != nil {
		return errors.New(`a duration must be text such as "200ms" or a number of seconds`)
	}
	*d = span(parsed)
	return nil
}

func (s *Sim) postTokens(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Subject    string `json:"subject"`
		InstanceID string `json:"instanceId"`
		NoInstance bool   `json:"noInstance"`
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
		if in.NoInstance || in.AppID != "" || in.TTL != 0 || in.Active != nil || in.Count != nil {
			WriteError(w, http.StatusBadRequest, "signedInstance goes with subject and instanceId alone")
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
		WriteError(w, http.StatusBadRequest, fmt.Sprintf("count must be a number from 1 to %d", maxTokens))
		return
	}
	request := TokenRequest{Subject: in.Subject, InstanceID: in.InstanceID,
		NoInstance: in.NoInstance, AppID: in.AppID, TTL: time.Duration(in.TTL), Active: in.Active}
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

func (s *Sim) getInstalls(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.Installations())
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

func (s *Sim) putFaults(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Endpoint   string `json:"endpoint"`
		Status     int    `json:"status"`
		Latency    span   `json:"latency"`
		Body       string `json:"body"`
		BodyBytes  int    `json:"bodyBytes"`
		RetryAfter span   `json:"retryAfter"`
		HangUp     bool   `json:"hangUp"`
		Outage     bool   `json:"outage"`
		Count      int    `json:"count"`
	}
	if !ReadJSON(w, r, &in) {
		return
	}
	err := s.SetFault(Fault{Endpoint: in.Endpoint, Status: in.Status, Latency: time.Duration(in.Latency),
		Body: in.Body, BodyBytes: in.BodyBytes, RetryAfter: time.Duration(in.RetryAfter),
		HangUp: in.HangUp, Outage: in.Outage, Count: in.Count})
	if err != nil {
		refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) deleteFaults(w http.ResponseWriter, _ *http.Request) {
	s.ClearFaults()
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) getCalls(w http.ResponseWriter, _ *http.Request) {
	type call struct {
		Method     string  `json:"method"`
		Path       string  `json:"path"`
		Status     int     `json:"status"`
		At         string  `json:"at"`
		DurationMS float64 `json:"durationMs"`
		InstanceID string  `json:"instanceId,omitempty"`
	}
	out := []call{}
	for _, c := range s.Calls() {
		out = append(out, call{c.Method, c.Path, c.Status, c.At.Format(time.RFC3339Nano),
			float64(c.Duration) / float64(time.Millisecond), c.InstanceID})
	}
	writeJSON(w, http.StatusOK, out)
}

func (s *Sim) deleteCalls(w http.ResponseWriter, _ *http.Request) {
	s.ClearCalls()
	w.WriteHeader(http.StatusNoContent)
}

func getHealth(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}
