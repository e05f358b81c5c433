package api

// Bodies that clients break, through real sockets: net/http itself reads them.

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/kit"
)

// takesAll takes every delivery.
type takesAll struct{}

func (takesAll) Receive(context.Context, []byte) error { return nil }

// brokenBodies are what a client may send after the header, and whether it hangs up then.
// In one that is slow, the time for the body ends before more comes.
var brokenBodies = []struct {
	name, header, body string
	slow, gone         bool
	code               string
}{
	{name: "cut short", header: "Content-Length: 100", body: `{"greeting":`, code: "body_malformed"},
	{name: "nothing of it", header: "Content-Length: 100", code: "body_malformed"},
	{name: "a chunk cut short", header: "Transfer-Encoding: chunked", body: "64\r\n{", code: "body_malformed"},
	{name: "chunks without an end", header: "Transfer-Encoding: chunked", body: "2\r\n{}\r\n", code: "body_malformed"},
	{name: "a size that is no number", header: "Transfer-Encoding: chunked", body: "zz\r\n{}\r\n0\r\n\r\n", code: "body_malformed"},
	{name: "a size that is negative", header: "Transfer-Encoding: chunked", body: "-2\r\n{}\r\n0\r\n\r\n", code: "body_malformed"},
	{name: "a size too large for a number", header: "Transfer-Encoding: chunked", body: "fffffffffffffffff\r\n{}", code: "body_malformed"},
	{name: "a line feed alone after a size", header: "Transfer-Encoding: chunked", body: "2\n{}\r\n0\r\n\r\n", code: "body_malformed"},
	{name: "a chunk longer than its size", header: "Transfer-Encoding: chunked", body: "1\r\n{}\r\n0\r\n\r\n", code: "body_malformed"},
	{name: "a size line without an end", header: "Transfer-Encoding: chunked", body: strings.Repeat("0", 9000), code: "body_malformed"},
	{name: "a trailer that is no header", header: "Transfer-Encoding: chunked", body: "2\r\n{}\r\n0\r\nno colon\r\n\r\n", code: "body_malformed"},
	{name: "slow", header: "Content-Length: 100", body: "{", slow: true, code: "request_timeout"},
	{name: "slow in chunks", header: "Transfer-Encoding: chunked", body: "64\r\n{", slow: true, code: "request_timeout"},
	{name: "a client that hangs up", header: "Content-Length: 100", body: "{", gone: true, code: "client_gone"},
	{name: "a client that hangs up in chunks", header: "Transfer-Encoding: chunked", body: "64\r\n{", gone: true, code: "client_gone"},
}

func TestServer_brokenBodies(t *testing.T) {
	seen := make(chan Observation, 1)
	s, log := newServer(t, setup{
		webhooks: takesAll{},
		app: func(a *kit.App) {
			for _, method := range []string{"POST", "PUT", "PATCH"} {
				a.Routes = append(a.Routes, kit.Route{Method: method, Path: "own", Role: identity.Visitor, Handle: func(context.Context, kit.Call) (any, error) {
					return nil, nil
				}})
			}
		},
		options: func(o *Options) { o.Observe = func(o Observation) { seen <- o } },
	})
	arrived := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		if r.Header.Get("Slow") != "" {
			if err := http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)); err != nil {
				t.Error(err)
			}
		}
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	for _, route := range []struct{ method, path, token string }{
		{"POST", "/webhooks/wix", ""},
		{"POST", "/api/get-instance", ""},
		{"PUT", "/api/settings", owner},
		{"PATCH", "/api/settings", owner},
		{"POST", "/api/own", visitor},
		{"PUT", "/api/own", visitor},
		{"PATCH", "/api/own", visitor},
	} {
		for _, tt := range brokenBodies {
			t.Run(fmt.Sprint(route.method, " ", route.path, " ", tt.name), func(t *testing.T) {
				logged := len(log.String())
				conn, err := net.Dial("tcp", server.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				slow := ""
				if tt.slow {
					slow = "Slow: yes\r\n"
				}
				if _, err := fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nContent-Type: application/json\r\nIf-Match: \"0\"\r\n%s%s\r\n\r\n%s",
					route.method, route.path, route.token, slow, tt.header, tt.body); err != nil {
					t.Fatal(err)
				}
				<-arrived
				switch {
				case tt.gone:
					_ = conn.(*net.TCPConn).SetLinger(0) // with a reset
					conn.Close()
				case !tt.slow:
					_ = conn.(*net.TCPConn).CloseWrite()
				}
				if !tt.gone {
					res, err := http.ReadResponse(bufio.NewReader(conn), nil)
					if err != nil {
						t.Fatal(err)
					}
					defer res.Body.Close()
					var body apierr.Body
					if err := json.NewDecoder(res.Body).Decode(&body); err != nil || body.Code != tt.code || res.StatusCode < 400 || res.StatusCode > 499 {
						t.Errorf("answered %d %+v, %v", res.StatusCode, body, err)
					}
				}
				if got := <-seen; got.Code != tt.code || got.Status < 400 || got.Status > 499 {
					t.Errorf("counted as %+v", got)
				}
				for line := range strings.Lines(log.String()[logged:]) {
					if !strings.Contains(line, `"level":"INFO","msg":"request refused"`) || strings.Contains(line, "127.0.0.1") {
						t.Errorf("logged: %s", line)
					}
				}
			})
		}
	}
}
