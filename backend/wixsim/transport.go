package wixsim

// The network between a client and a handler of the same process.

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"sync"
)

// Transport is an http.RoundTripper that calls Handler instead of the network. It needs no
// socket, so that it works inside testing/synctest. The host of the URL does not matter.
//
// As over a network, the request ends when its context does, even if the handler goes on;
// a handler that panics with http.ErrAbortHandler cuts the connection, before the answer or
// within its body. An answer arrives when the handler has returned. Any other panic of the
// handler reaches the caller.
type Transport struct {
	Handler http.Handler
}

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	if err := ctx.Err(); err != nil {
		closeBody(r)
		return nil, err
	}
	done := make(chan *recorder, 1)
	go func() { done <- serve(t.Handler, r) }()
	select {
	case answer := <-done:
		if err := ctx.Err(); err != nil { // the answer came too late
			return nil, err
		}
		return answer.response(r)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serve calls the handler with the request as a server would have read it.
func serve(h http.Handler, r *http.Request) (answer *recorder) {
	defer closeBody(r)
	answer = &recorder{header: make(http.Header)}
	defer func() {
		if v := recover(); v == http.ErrAbortHandler {
			answer.cut = true
		} else if v != nil {
			answer.panicked = fmt.Sprintf("%v\n\n%s", v, debug.Stack())
		}
	}()
	incoming := r.Clone(r.Context())
	incoming.Host = cmp.Or(r.Host, r.URL.Host)
	incoming.URL = &url.URL{Path: cmp.Or(r.URL.Path, "/"), RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	incoming.RequestURI = incoming.URL.RequestURI()
	incoming.RemoteAddr = "127.0.0.1:1"
	if incoming.Body == nil {
		incoming.Body = http.NoBody
	}
	h.ServeHTTP(answer, incoming)
	return answer
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		r.Body.Close() // RoundTrip must close it, and has no use for an error
	}
}

// recorder is the http.ResponseWriter that a handler writes to.
type recorder struct {
	mu       sync.Mutex // a handler may leave goroutines behind that still write
	header   http.Header
	sent     http.Header // header as it was when the status was written
	status   int
	body     bytes.Buffer
	flushed  bool
	cut      bool
	panicked string
}

func (a *recorder) Header() http.Header { return a.header }

func (a *recorder) WriteHeader(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.writeHeader(status)
}

func (a *recorder) writeHeader(status int) {
	if a.sent == nil && status >= 200 {
		a.status, a.sent = status, a.header.Clone()
	}
}

func (a *recorder) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sent == nil && a.header.Get("Content-Type") == "" {
		a.header.Set("Content-Type", http.DetectContentType(b))
	}
	a.writeHeader(http.StatusOK)
	return a.body.Write(b)
}

// Flush marks the start of the answer as sent, for a connection that is cut after it.
func (a *recorder) Flush() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.writeHeader(http.StatusOK)
	a.flushed = true
}

// response returns what a client reads from the connection.
func (a *recorder) response(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.panicked != "":
		panic(a.panicked)
	case a.cut && !a.flushed:
		return nil, io.ErrUnexpectedEOF
	}
	a.writeHeader(http.StatusOK)
	data := bytes.Clone(a.body.Bytes())
	length := int64(len(data))
	if n, err := strconv.ParseInt(a.sent.Get("Content-Length"), 10, 64); err == nil {
		length = n
	}
	var body io.Reader = bytes.NewReader(data)
	if r.Method == http.MethodHead {
		body = http.NoBody
	} else if a.cut {
		body = io.MultiReader(body, cutReader{})
	}
	return &http.Response{
		StatusCode: a.status, Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.sent, Body: io.NopCloser(body), ContentLength: length, Request: r,
	}, nil
}

// cutReader is the end of a connection that was cut within a body.
type cutReader struct{}

func (cutReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
