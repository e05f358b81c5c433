package wixsim

// Recording: calls are passed on to the real Wix, and each exchange is written to a file.

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// WixURL is the base URL of Wix's REST API.
const WixURL = "https://www.wixapis.com"

// Recording makes a Sim pass calls on to the real Wix, with the caller's headers, and write
// each with its answer to a file of its own: 00001.json, 00002.json and so on up to 10,000,
// readable by their owner alone. Tokens, secrets, e-mail addresses, and ids that are GUIDs or
// 32 hexadecimal digits are replaced by others, the same one for the same value.
type Recording struct {
	// Dir is the folder of the files. It is made if there is none.
	Dir string
	// Upstream is the base URL; "" means WixURL. One with http must be of this machine.
	Upstream string
	// All passes every call of the REST API on. By default, those are answered here that
	// are simulated.
	All bool
	// Transport carries the calls; nil means a new http.Transport.
	Transport http.RoundTripper
}

const (
	maxRecordings = 10_000
	maxPassedOn   = 16 << 20 // bytes of an answer that is passed on
	answerWithin  = 30 * time.Second
)

// relay passes calls on and records them.
type relay struct {
	Recording
	base     *url.URL
	password string // of the control API
	via      string // names this relay in the header Via
	scrub    scrubber

	mu   sync.Mutex
	last int // the number of the last file
}

// newRelay makes the folder, and goes on after the files that it has. It returns nil for
// no recording.
func newRelay(c Config) (*relay, error) {
	if c.Recording == nil {
		return nil, nil
	}
	rec := &relay{Recording: *c.Recording, password: c.Password, via: "offline-wix-" + rand.Text(), scrub: scrubber{[]byte(c.AppSecret)}}
	rec.Upstream = cmp.Or(rec.Upstream, WixURL)
	base, err := url.Parse(rec.Upstream)
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" ||
		base.Scheme != "https" && (base.Scheme != "http" || !isLoopback(base.Host)) {
		return nil, errors.New("the upstream of a recording must be a URL with https, or with http and of this machine, without credentials and query")
	}
	rec.base = base
	if err := os.MkdirAll(rec.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for recordings: %w", err)
	}
	entries, err := os.ReadDir(rec.Dir)
	if err != nil {
		return nil, fmt.Errorf("read the folder for recordings: %w", err)
	}
	for _, entry := range entries {
		var n int
		if _, err := fmt.Sscanf(entry.Name(), "%05d.json", &n); err == nil {
			rec.last = max(rec.last, n)
		}
	}
	if rec.Transport == nil {
		rec.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute}
	}
	return rec, nil
}

// close closes the connections that are idle.
func (rec *relay) close() {
	if rec == nil {
		return
	}
	if t, ok := rec.Transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// takes reports whether a call is passed on.
func (rec *relay) takes(endpoint, path string) bool {
	if rec == nil {
		return false
	}
	_, ok := apiOf(path)
	return ok && (rec.All || endpoint == endpointAny)
}

// passOn answers a call with the upstream's answer, and records both.
func (s *Sim) passOn(x *exchange, r *http.Request, body []byte) {
	answer, content, err := s.relay.ask(r, body)
	if err != nil {
		s.cfg.Logger.Warn("call not passed on", "path", clip(r.URL.Path, 256), "cause", err)
		systemError(x, http.StatusBadGateway, "The upstream of the offline Wix gave no answer: "+clip(err.Error(), 200))
		return
	}
	name, err := s.relay.write(r, body, answer, content)
	if err != nil {
		s.cfg.Logger.Warn("exchange not recorded", "path", clip(r.URL.Path, 256), "cause", err)
	} else {
		s.cfg.Logger.Info("exchange recorded", "path", clip(r.URL.Path, 256), "status", answer.StatusCode, "file", name)
	}
	for name, values := range endToEnd(answer.Header) {
		x.Header()[name] = values
	}
	x.WriteHeader(answer.StatusCode)
	if len(content) > 0 {
		x.Write(content) // an error means that the client has gone
	}
}

// ask sends a call to the upstream and reads the answer. Redirects are not followed.
func (rec *relay) ask(r *http.Request, body []byte) (answer *http.Response, content []byte, err error) {
	if strings.Contains(strings.Join(r.Header.Values("Via"), ","), rec.via) {
		return nil, nil, errors.New("the upstream is this offline Wix itself")
	}
	ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
	defer cancel()
	to := *rec.base
	to.Path = strings.TrimSuffix(rec.base.Path, "/") + r.URL.Path
	to.RawPath = strings.TrimSuffix(rec.base.EscapedPath(), "/") + r.URL.EscapedPath()
	to.RawQuery = r.URL.RawQuery
	out, err := http.NewRequestWithContext(ctx, r.Method, to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, nil, errors.New("the call cannot be passed on")
	}
	out.Header = endToEnd(r.Header)
	if _, token := credentials(out.Header.Get("Authorization")); rec.password != "" && (token == rec.password || basicPassword(token) == rec.password) {
		out.Header.Del("Authorization") // a browser that has it sends it with each call
	}
	out.Header.Del("Accept-Encoding") // so that http.Transport unpacks the answer
	out.Header.Add("Via", "1.1 "+rec.via)
	if out.Header.Get("User-Agent") == "" {
		out.Header.Set("User-Agent", "") // which is none
	}
	answer, err = rec.Transport.RoundTrip(out)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	content, err = io.ReadAll(io.LimitReader(answer.Body, maxPassedOn+1))
	switch {
	case err != nil:
		return nil, nil, err
	case len(content) > maxPassedOn:
		return nil, nil, fmt.Errorf("it is larger than %d bytes", maxPassedOn)
	case answer.StatusCode < 200:
		return nil, nil, fmt.Errorf("its status is %d", answer.StatusCode)
	}
	return answer, content, nil
}

// endToEnd returns a copy of a header without what is about one connection, and without the
// length, which is counted anew.
func endToEnd(h http.Header) http.Header {
	out := h.Clone()
	if out == nil {
		out = http.Header{}
	}
	for _, list := range h.Values("Connection") {
		for name := range strings.SplitSeq(list, ",") {
			out.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length"} {
		out.Del(name)
	}
	return out
}

// recordedExchange is the content of a file.
type recordedExchange struct {
	Request  recordedMessage `json:"request"`
	Response recordedMessage `json:"response"`
}

// recordedMessage is a request or an answer. It has one form of the body: what the JSON
// holds, the fields of a form, text, or the length of anything else.
type recordedMessage struct {
	Method  string              `json:"method,omitempty"`
	Path    string              `json:"path,omitempty"`
	Query   map[string][]string `json:"query,omitempty"`
	Status  int                 `json:"status,omitempty"`
	Headers map[string]string   `json:"headers,omitempty"`
	Body    any                 `json:"body,omitempty"`
	Form    map[string][]string `json:"form,omitempty"`
	Text    string              `json:"text,omitempty"`
	Bytes   int                 `json:"bytes,omitempty"`
}

// write writes an exchange to the next file and returns its name.
func (rec *relay) write(r *http.Request, body []byte, answer *http.Response, content []byte) (string, error) {
	text, err := rec.scrub.exchange(r, body, answer, content)
	if err != nil {
		return "", err
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.last >= maxRecordings {
		return "", fmt.Errorf("there are %d recordings already: name another folder", maxRecordings)
	}
	name := filepath.Join(rec.Dir, fmt.Sprintf("%05d.json", rec.last+1))
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		rec.last++ // of another process
	}
	if err != nil {
		return "", err
	}
	rec.last++
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(name))
	}
	return name, nil
}

// exchange returns the content of a file.
func (c scrubber) exchange(r *http.Request, body []byte, answer *http.Response, content []byte) ([]byte, error) {
	known := c.secretsOf(r.Header)
	oauth := strings.HasPrefix(r.URL.Path, "/oauth")
	read := func() recordedExchange {
		pass := c.pass(known, oauth)
		request := pass.message(r.Header, body, "Accept", "Accept-Language", "Authorization", "Wix-Account-Id", "Wix-Site-Id")
		request.Method, request.Path = clip(r.Method, 32), pass.text(r.URL.Path)
		query, _ := url.ParseQuery(r.URL.RawQuery) // what cannot be read is left out
		request.Query = pass.values(query)
		response := pass.message(answer.Header, content, "Allow", "Cache-Control", "ETag", "Link", "Location", "Retry-After")
		response.Status = answer.StatusCode
		return recordedExchange{request, response}
	}
	read() // finds the secrets, which may be elsewhere in the exchange, too
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(read())
	return buf.Bytes(), err
}
