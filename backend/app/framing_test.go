package app

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestServer_endsAfterChunks sends two requests at once. The second one is no request for a
// proxy that reads the first one's length in another way.
func TestServer_endsAfterChunks(t *testing.T) {
	w := start(t)
	const next = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, tt := range []struct {
		name, head, body string
		answers          int
	}{
		{"a length", "Content-Length: 4\r\n", "abcd", 2},
		{"chunks", "Transfer-Encoding: chunked\r\n", "4\r\nabcd\r\n0\r\n\r\n", 1},
		{"both", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "4\r\nabcd\r\n0\r\n\r\n", 1},
		{"both, the other way round", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(time.Minute))
			if _, err := io.WriteString(c, "POST /api/get-instance HTTP/1.1\r\nHost: x\r\n"+tt.head+"\r\n"+tt.body+next); err != nil {
				t.Fatal(err)
			}
			_ = c.(*net.TCPConn).CloseWrite()
			answers := 0
			for r := bufio.NewReader(c); ; answers++ {
				res, err := http.ReadResponse(r, nil)
				if err != nil {
					break
				}
				_, _ = io.Copy(io.Discard, res.Body)
			}
			if answers != tt.answers {
				t.Errorf("got %d answers, not %d", answers, tt.answers)
			}
		})
	}
}
