package sqlstore

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

func TestCheckURL(t *testing.T) {
	for _, tt := range []struct{ name, url, want string }{
		{"a file", "sqlite:app.db", ""},
		{"memory", "sqlite::memory:", ""},
		{"Postgres", "postgres://u:p@h/db?sslmode=disable&search_path=app", ""},
		{"another database", "mysql://u:PASSW0RD@h/db", "must be sqlite:PATH"},
		{"a port that is none", "postgres://u:PASSW0RD@h:x/db", "invalid port"},
		{"parameters of other programs", "postgres://u:PASSW0RD@h/db?pgbouncer=true&schema=app", "the parameter pgbouncer, which is another program's: remove it\nthe database URL has the parameter schema, which is another program's: write search_path instead"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := CheckURL(tt.url)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "PASSW0RD") {
				t.Errorf("the error has the password: %v", err)
			}
		})
	}
}

// A server without TLS, which is asked with it first, then refuses the password. The refusal
// is what a person has to see.
func TestOpen_firstCauseIsTheTrueOne(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go refuse(conn)
		}
	}()
	_, err = Open(t.Context(), "postgres://u:PASSW0RD@"+listener.Addr().String()+"/db", Options{})
	if err == nil || !strings.Contains(err.Error(), "password authentication failed") || strings.Contains(err.Error(), "TLS") || strings.Contains(err.Error(), "PASSW0RD") {
		t.Errorf("got %v", err)
	}
}

// refuse answers TLS with no, and anything else with a refused password.
func refuse(conn net.Conn) {
	defer conn.Close()
	for {
		head := make([]byte, 8)
		if _, err := io.ReadFull(conn, head); err != nil {
			return
		}
		length := binary.BigEndian.Uint32(head)
		if binary.BigEndian.Uint32(head[4:]) == 80877103 { // SSLRequest
			if _, err := conn.Write([]byte("N")); err != nil {
				return
			}
			continue
		}
		_, _ = io.CopyN(io.Discard, conn, int64(length)-8)
		answer, err := (&pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: "password authentication failed"}).Encode(nil)
		if err == nil {
			_, _ = conn.Write(answer)
		}
		return
	}
}
