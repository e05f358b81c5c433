package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
)

// administer runs statements on the server, on a connection of its own that may write
// whatever the database says.
func administer(t *testing.T, databaseURL string, statements ...string) {
	t.Helper()
	conn, err := pgconn.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, statement := range append([]string{"SET default_transaction_read_only = off"}, statements...) {
		if err := conn.Exec(t.Context(), statement).Close(); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

const endOthers = `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`

// with adds a parameter to a URL.
func with(t *testing.T, databaseURL, name, value string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set(name, value)
	u.RawQuery = query.Encode()
	return u.String()
}

// busy uses many connections of both pools at once.
func busy(t *testing.T, s *Store) {
	t.Helper()
	var held []interface{ Close() error }
	for range postgresWriters {
		w, err := s.write.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.read.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, w, r)
	}
	for _, conn := range held {
		conn.Close()
	}
}

// A server that only reads for a while, in the ways in which that comes about: every write
// and every unknown row is refused as unavailable, and the first write afterwards works.
func TestStore_readOnlyServer(t *testing.T) {
	database := func(t *testing.T, at string) string {
		config, err := parsePostgres(at)
		if err != nil {
			t.Fatal(err)
		}
		return config.Database
	}
	for _, row := range []struct {
		name       string
		parameters func(t *testing.T, at string) string
		begin, end func(t *testing.T, at string)
	}{
		{"sessions end, and new ones only read", nil, func(t *testing.T, at string) {
			administer(t, at, `ALTER DATABASE `+database(t, at)+` SET default_transaction_read_only = on`, endOthers)
		}, func(t *testing.T, at string) {
			administer(t, at, `ALTER DATABASE `+database(t, at)+` RESET default_transaction_read_only`)
		}},
		{"sessions end, and new ones that only read are taken", func(t *testing.T, at string) string {
			return with(t, at, "target_session_attrs", "any")
		}, func(t *testing.T, at string) {
			administer(t, at, `ALTER DATABASE `+database(t, at)+` SET default_transaction_read_only = on`, endOthers)
		}, func(t *testing.T, at string) {
			administer(t, at, `ALTER DATABASE `+database(t, at)+` RESET default_transaction_read_only`)
		}},
		{"all sessions become read-only", nil, func(t *testing.T, at string) {
			administer(t, at, `ALTER SYSTEM SET default_transaction_read_only = on`, `SELECT pg_reload_conf()`)
		}, func(t *testing.T, at string) {
			administer(t, at, `ALTER SYSTEM RESET default_transaction_read_only`, `SELECT pg_reload_conf()`)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			cluster := pgtest.New(t) // for what is set is the whole server's
			at := cluster.URL
			if row.parameters != nil {
				at = row.parameters(t, at)
			}
			s := open(t, at)
			must(t)(s.Seen(t.Context(), visit("a", "", noon())))
			busy(t, s)
			row.begin(t, cluster.URL)
			for deadline := time.Now().Add(time.Minute); ; { // a reload takes a moment
				_, err := s.SaveSettings(t.Context(), "a", greeting("Hi"), -1)
				if err != nil && !errors.Is(err, instance.ErrVersionConflict) {
					if !s.IsUnavailable(err) {
						t.Fatalf("a write to a server that only reads: %v", err)
					}
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("the server still takes writes")
				}
			}
			if _, err := s.Accept(t.Context(), delivery(1)); !s.IsUnavailable(err) {
				t.Errorf("Accept: %v", err)
			}
			if row.parameters == nil {
				// The refusal has all sessions asked again, those of the readers too.
				if _, err := s.Find(t.Context(), "a"); !s.IsUnavailable(err) {
					t.Errorf("a read in a session that only reads: %v", err)
				}
			}
			row.end(t, cluster.URL)
			back := time.Now()
			if row.parameters != nil {
				busy(t, s)
			}
			for deadline := time.Now().Add(time.Minute); ; {
				_, err := s.SaveSettings(t.Context(), "a", greeting("Hi"), 0)
				if err == nil {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("writes do not come back: %v", err)
				}
			}
			t.Logf("the first write %v after the server takes writes", time.Since(back).Round(time.Millisecond))
			if _, err := s.Accept(t.Context(), delivery(1)); err != nil {
				t.Errorf("Accept after the end: %v", err)
			}
		})
	}
}

// No session that answers reads alone is used for them, even where nobody writes.
func TestSessions_readOnlyIsNotedByReaders(t *testing.T) {
	s := open(t, pgtest.URL(t))
	must(t)(s.Seen(t.Context(), visit("a", "", noon())))
	conn, err := s.read.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before, _, err := sessionOf(t.Context(), conn, "SET default_transaction_read_only = on;")
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	s.read.SetMaxIdleConns(1)
	for deadline := time.Now().Add(time.Minute); ; {
		conn, err := s.read.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		now, _, err := sessionOf(t.Context(), conn, "")
		conn.Close()
		if err != nil {
			t.Fatal(err)
		}
		if now != before {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the session is still used")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestStore_postgresEndsAndComesBack(t *testing.T) {
	cluster := pgtest.New(t)
	s := open(t, cluster.URL)
	must(t)(s.Seen(t.Context(), visit("a", "", noon())))
	for version, end := range []func(testing.TB){cluster.Stop, cluster.Kill} {
		busy(t, s)
		end(t)
		for range 20 {
			for doing, call := range map[string]func() error{
				"Find":         func() error { _, err := s.Find(t.Context(), "a"); return err },
				"SaveSettings": func() error { _, err := s.SaveSettings(t.Context(), "a", greeting("Hi"), 99); return err },
				"Accept":       func() error { _, err := s.Accept(t.Context(), delivery(1)); return err },
				"Query": func() error {
					var n int
					return s.QueryRow(t.Context(), `SELECT count(*) FROM instances`).Scan(&n)
				},
				"Ping": func() error { return s.Ping(t.Context()) },
			} {
				if err := call(); err == nil || !s.IsUnavailable(err) {
					t.Errorf("%s without a server: %v", doing, err)
				}
			}
		}
		cluster.Start(t)
		for deadline := time.Now().Add(time.Minute); ; {
			_, err := s.SaveSettings(t.Context(), "a", greeting("Hi"), int64(version))
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("writes do not come back: %v", err)
			}
		}
	}
}

func TestOpen_readOnlyPostgres(t *testing.T) {
	at := pgtest.URL(t)
	config, err := parsePostgres(at)
	if err != nil {
		t.Fatal(err)
	}
	migrate(t, at)
	administer(t, at, `ALTER DATABASE `+config.Database+` SET default_transaction_read_only = on`)
	if _, err := Open(t.Context(), at, Options{}); err == nil || !strings.Contains(err.Error(), "read only") {
		t.Errorf("Open: %v", err)
	}
	// Who asks for any session gets one, and a schema that is current needs no write.
	if _, err := open(t, with(t, at, "target_session_attrs", "any")).List(t.Context(), "", 1); err != nil {
		t.Errorf("List: %v", err)
	}
}

func TestOpen_postgresUnknownParameter(t *testing.T) {
	_, err := Open(t.Context(), with(t, pgtest.URL(t), "loudness", "11"), Options{})
	if err == nil || !strings.Contains(err.Error(), `"loudness"`) || !strings.Contains(err.Error(), "database URL") {
		t.Errorf("Open: %v", err)
	}
}

func TestOpen_pgbouncer(t *testing.T) {
	databaseURL := pgtest.URL(t)
	t.Run("session mode", func(t *testing.T) {
		at := pgtest.Pooler(t, databaseURL, "session")
		s, other := open(t, at), open(t, at)
		var got string
		if err := s.write.QueryRow("SHOW statement_timeout").Scan(&got); err != nil || got != fmt.Sprint(CallTimeout.Seconds(), "s") {
			t.Errorf("statement_timeout is %q, %v", got, err)
		}
		e := newRecorder()
		goListen(t, quick(t, at, e, t.Output()))
		e.expect(t, "lost: <nil>")
		e.expect(t, "regained")
		for version := range int64(5) {
			if version == 0 {
				must(t)(other.Seen(t.Context(), visit("a", "", noon())))
				e.expect(t, "a")
			}
			must(t)(other.SaveSettings(t.Context(), "a", greeting("Hi"), version))
			e.expect(t, "a")
		}
		if err := s.Ping(t.Context()); err != nil {
			t.Errorf("Ping: %v", err)
		}
	})
	t.Run("transaction mode", func(t *testing.T) {
		at := pgtest.Pooler(t, databaseURL, "transaction")
		if _, err := Open(t.Context(), at, Options{}); !errors.Is(err, ErrTransactionPooler) {
			t.Errorf("Open: %v", err)
		}
	})
	t.Run("statement mode", func(t *testing.T) {
		at := pgtest.Pooler(t, databaseURL, "statement")
		if _, err := Open(t.Context(), at, Options{}); !errors.Is(err, ErrTransactionPooler) {
			t.Errorf("Open: %v", err)
		}
	})
}
