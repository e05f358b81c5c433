package wixsim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// exchanged is what both sides of an exchange saw.
type exchanged struct {
	method, host, target, body string // of the request
	status                     int
	kind, custom, answer       string
	length                     int64
	err                        error
}

// send makes one request and returns what both sides saw. seen is set by the handler.
func send(t *testing.T, client *http.Client, method, target, body string, seen *exchanged) exchanged {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "wix.test"
	res, err := client.Do(r)
	if err != nil {
		seen.err = errors.Unwrap(err)
		return *seen
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	seen.status, seen.kind, seen.custom = res.StatusCode, res.Header.Get("Content-Type"), res.Header.Get("X-Custom")
	seen.answer, seen.length, seen.err = string(answer), res.ContentLength, err
	return *seen
}

// A Transport behaves like the network: each handler is called both ways.
func TestTransport_equalsTheNetwork(t *testing.T) {
	tests := []struct {
		name, method string
		handler      http.HandlerFunc
	}{
		{"an answer with a type", "POST", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Custom", "yes")
			w.WriteHeader(http.StatusCreated)
			io.WriteString(w, `{"a":1}`)
		}},
		{"a body alone", "POST", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<!doctype html><p>x") }},
		{"nothing at all", "POST", func(http.ResponseWriter, *http.Request) {}},
		{"a header that is set too late", "POST", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			w.Header().Set("X-Custom", "late")
		}},
		{"HEAD", "HEAD", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			w.Header().Set("Content-Type", "text/plain")
		}},
		{"a connection cut within the body", "POST", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "half")
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var seen *exchanged
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				seen.method, seen.host, seen.target, seen.body = r.Method, r.Host, r.RequestURI+" "+r.URL.String(), string(body)
				tt.handler(w, r)
			})
			server := httptest.NewServer(h)
			defer server.Close()
			const target = "/a%2Fb/c?x=1&y=%20"
			seen = new(exchanged)
			want := send(t, server.Client(), tt.method, server.URL+target, "hello", seen)
			seen = new(exchanged)
			got := send(t, &http.Client{Transport: Transport{h}}, tt.method, "http://offline.invalid"+target, "hello", seen)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(exchanged{}), cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) })); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTransport_cutConnection(t *testing.T) {
	client := &http.Client{Transport: Transport{http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })}}
	if _, err := client.Get("http://offline.invalid/"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the error is %v", err)
	}
}

func TestTransport_endsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		client := &http.Client{Transport: Transport{http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release })}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, "GET", "http://offline.invalid/", nil)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for range 2 { // while the handler hangs, and when the context has ended before
			if _, err := client.Do(r); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
		}
		close(release)
	})
}

func TestTransport_passesPanicsOn(t *testing.T) {
	defer func() {
		if v, _ := recover().(string); !strings.HasPrefix(v, "out of ideas\n") || !strings.Contains(v, "transport_test.go") {
			t.Errorf("recovered %q", v)
		}
	}()
	client := &http.Client{Transport: Transport{http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("out of ideas") })}}
	client.Get("http://offline.invalid/")
	t.Error("it did not panic")
}
