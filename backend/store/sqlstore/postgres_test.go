package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
	"github.com/nametag-dev/nametag/backend/store/storetest"
)

// As two replicas would.
func TestStore_twoOnOnePostgres(t *testing.T) {
	newURL := migratedPostgres(t)
	storetest.RunConcurrency(t, func(t *testing.T, data kit.Data) storetest.Storage {
		url := newURL(t)
		return &alternating{Store: openWith(t, url, Options{App: data}), other: openWith(t, url, Options{App: data})}
	})
}

func TestStore_jobsOfTwoReplicas(t *testing.T) {
	newURL := migratedPostgres(t)
	storetest.RunConcurrency(t, func(t *testing.T, data kit.Data) storetest.Storage {
		url := newURL(t)
		return &pair{Store: openWith(t, url, Options{App: data}), other: openWith(t, url, Options{App: data})}
	})
}

// pair is two stores that take turns at the jobs and at the app's data.
type pair struct {
	*Store
	other *Store
	turns atomic.Int64
}

func (p *pair) next() *Store {
	if p.turns.Add(1)%2 == 0 {
		return p.other
	}
	return p.Store
}

func (p *pair) Accept(ctx context.Context, e instance.Event) (bool, error) {
	return p.next().Accept(ctx, e)
}

func (p *pair) Claim(ctx context.Context, now time.Time, lease time.Duration, n int) ([]instance.Job, error) {
	return p.next().Claim(ctx, now, lease, n)
}

func (p *pair) ApplyEvent(ctx context.Context, e instance.Event, now time.Time) (instance.Instance, instance.Change, error) {
	return p.next().ApplyEvent(ctx, e, now)
}

func (p *pair) Write(ctx context.Context, id string, f func(kit.Tx) error) error {
	return p.next().Write(ctx, id, f)
}

func (p *pair) Finish(ctx context.Context, j instance.Job) error { return p.next().Finish(ctx, j) }

func (p *pair) RequestRefresh(ctx context.Context, id string, now time.Time) error {
	return p.next().RequestRefresh(ctx, id, now)
}

func TestMigrate_postgresOnce(t *testing.T) {
	url := pgtest.URL(t)
	want, err := fs.Glob(migrations, "migrations/postgres/*.sql")
	if err != nil || len(want) == 0 {
		t.Fatalf("migrations: %v, %v", want, err)
	}
	pending, err := Status(t.Context(), url, Options{})
	if err != nil || len(pending) != len(want) {
		t.Fatalf("Status = %v, %v; want %d steps", pending, err, len(want))
	}
	for i, step := range pending {
		if !step.AppliedAt.IsZero() || "migrations/postgres/"+step.Name != want[i] || step.Version != int64(i)+1 {
			t.Errorf("before migrating, step %d is %+v", i, step)
		}
	}
	for range 2 {
		done, err := Migrate(t.Context(), url, Options{})
		if err != nil || len(done) != len(want) {
			t.Fatalf("Migrate = %v, %v", done, err)
		}
		for i, step := range done {
			if age := time.Since(step.AppliedAt); age < -time.Minute || age > time.Minute || step.AppliedAt.Location() != time.UTC {
				t.Errorf("after migrating, step %d was applied at %v", i, step.AppliedAt)
			}
		}
	}
	wantVersionsOnce(t, open(t, url), len(want))
}

func TestMigrations_sameInBothDatabases(t *testing.T) {
	names := func(folder string) (names []string) {
		files, err := fs.ReadDir(migrations, "migrations/"+folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			names = append(names, file.Name())
		}
		return names
	}
	if sqlite, postgres := fmt.Sprint(names("sqlite")), fmt.Sprint(names("postgres")); sqlite != postgres {
		t.Errorf("SQLite has %s, Postgres has %s", sqlite, postgres)
	}
}

func TestOpen_processesAtOnceOnANewPostgres(t *testing.T) {
	steps, err := fs.Glob(migrations, "migrations/postgres/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		url := pgtest.URL(t)
		var children []process
		for range 3 {
			child := start(t, "opener", url)
			if line := child.line(t); line != "ready" {
				t.Fatal(line)
			}
			children = append(children, child)
		}
		for _, child := range children {
			child.stdin.Close()
		}
		for i, child := range children {
			if line := child.line(t); line != "opened" {
				t.Errorf("process %d: %s", i, line)
			}
			if err := child.Wait(); err != nil {
				t.Errorf("process %d: %v", i, err)
			}
		}
		wantVersionsOnce(t, open(t, url), len(steps))
	}
}

func TestStore_SaveSettings_postgresSurvivesKill(t *testing.T) {
	url := pgtest.URL(t)
	acknowledged := map[string]int64{}
	for round := range 4 {
		child := start(t, "writer", url)
		for range 20 + 37*round {
			note(t, acknowledged, child.line(t))
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for child.lines.Scan() {
			note(t, acknowledged, child.lines.Text())
		}
		child.Wait()
		s := open(t, url)
		for _, id := range writerIDs {
			row, err := s.Find(t.Context(), id)
			if err != nil && acknowledged[id] > 0 {
				t.Fatalf("round %d: %s: %v", round, id, err)
			}
			if row.Version < acknowledged[id] {
				t.Errorf("round %d: %s is at version %d, but %d was acknowledged", round, id, row.Version, acknowledged[id])
			}
		}
	}
}

func TestOpen_postgresSettings(t *testing.T) {
	url := pgtest.URL(t)
	for _, row := range []struct {
		name, url string
		want      map[string]string
	}{
		{"by default", url, map[string]string{
			"statement_timeout": "8s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "30s", "application_name": product.ID,
		}},
		{"as the URL says", url + "&statement_timeout=3000&application_name=mine", map[string]string{
			"statement_timeout": "3s", "lock_timeout": "5s", "application_name": "mine",
		}},
	} {
		s := open(t, row.url)
		for pool, db := range map[string]*sql.DB{"write": s.write, "read": s.read} {
			for setting, want := range row.want {
				var got string
				if err := db.QueryRow("SHOW " + setting).Scan(&got); err != nil || got != want {
					t.Errorf("%s, %s pool: %s is %q (%v), want %q", row.name, pool, setting, got, err, want)
				}
			}
		}
	}
}

func TestOpen_postgresPoolSizes(t *testing.T) {
	url := pgtest.URL(t)
	s, err := Open(t.Context(), url, Options{Readers: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if w, r := s.write.Stats().MaxOpenConnections, s.read.Stats().MaxOpenConnections; w != postgresWriters || r != 3 {
		t.Errorf("%d writers, %d readers; want %d and 3", w, r, postgresWriters)
	}
	if r := open(t, url).read.Stats().MaxOpenConnections; r != postgresReaders {
		t.Errorf("%d readers by default, want %d", r, postgresReaders)
	}
}

// Where a word sorts by its language, "a" comes before "B"; SQLite and Go disagree.
func TestStore_List_postgresSortsByByte(t *testing.T) {
	s := open(t, pgtest.URL(t))
	var collation string
	err := s.read.QueryRow(`SELECT collation_name FROM information_schema.columns WHERE table_name = 'instances' AND column_name = 'id'`).Scan(&collation)
	if err != nil || collation != "C" {
		t.Errorf("the collation of ids is %q (%v)", collation, err)
	}
}

func TestOpen_refusesPostgres(t *testing.T) {
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	url := pgtest.URL(t)
	plain := newProxy(t, url)
	s := open(t, url)
	if _, err := s.write.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)`); err != nil {
		t.Fatal(err)
	}
	before, parameters, _ := strings.Cut(pgtest.URL(t), "?")
	missing := before[:strings.LastIndex(before, "/")] + "/never_made?" + parameters

	for _, row := range []struct{ name, url, want string }{
		{"one slash", "postgres:/user:hunter2@host/db", "postgres://USER"},
		{"words instead of a URL", "host=localhost password=hunter2", "postgres://USER"},
		{"a slash in the password", "postgres://user:hun/ter2@host/db", "postgres://USER"},
		{"a bad escape", "postgres://user:hunter2%zz@host/db", "postgres://USER"},
		{"a port that is none", "postgres://user:hunter2@host:x/db", "invalid port"},
		{"an unknown sslmode", "postgres://user:hunter2@localhost/db?sslmode=loud", "sslmode is invalid"},
		{"a certificate that is not there", "postgres://user:hunter2@localhost/db?sslmode=verify-full&sslrootcert=/nowhere", "/nowhere"},
		{"a server that is not there", "postgres://user:hunter2@" + closed.Addr().String() + "/db", "connection refused"},
		{"a server that says nothing", "postgres://user:hunter2@" + deaf.Addr().String() + "/db?connect_timeout=1&sslmode=disable", "timeout"},
		{"a socket that is not there", "postgres://user:hunter2@/db?host=/nowhere", "no such file"},
		{"a server without TLS, where it is asked for", "postgres://user:hunter2@" + plain.address + "/db?sslmode=require", "refused TLS"},
		{"a database that is not there", missing, `"never_made" does not exist`},
		{"a newer database", url, "schema version 99"},
	} {
		t.Run(row.name, func(t *testing.T) {
			began := time.Now()
			_, err := Open(t.Context(), row.url, Options{})
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("Open: %v; want one that says %q", err, row.want)
			}
			if err != nil && (strings.Contains(err.Error(), "hun") || strings.Contains(err.Error(), "ter2")) {
				t.Errorf("Open repeats the password: %v", err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("Open took %v", took)
			}
		})
	}
}

func TestParsePostgres_connectTimeout(t *testing.T) {
	config, err := parsePostgres("postgres://user@localhost/db")
	if err != nil || config.ConnectTimeout != connectTimeout {
		t.Errorf("the timeout is %v (%v), want %v", config.ConnectTimeout, err, connectTimeout)
	}
}

// What is under way when the server goes fails, and so may the first use of a
// connection that is dead without having been noticed, but never more than once each.
func TestStore_reconnectsToPostgres(t *testing.T) {
	url := pgtest.URL(t)
	s, other := open(t, url), open(t, url)
	row := must(t)(s.Seen(t.Context(), visit("a", "site", noon())))
	for range 3 {
		endConnections(t, other, product.ID)
		for name, call := range map[string]func() error{
			"Find": func() error { _, err := s.Find(t.Context(), "a"); return err },
			"SaveSettings": func() (err error) {
				next, err := s.SaveSettings(t.Context(), "a", greeting("Hi"), row.Version)
				if err == nil {
					row = next
				}
				return err
			},
		} {
			for failures := 0; ; failures++ {
				err := call()
				if err == nil {
					break
				}
				if failures == max(postgresReaders, postgresWriters) {
					t.Fatalf("%s does not recover: %v", name, err)
				}
			}
		}
	}
	if found := must(t)(s.Find(t.Context(), "a")); found.Version != 3 {
		t.Errorf("three saves left version %d", found.Version)
	}
}

// endConnections ends all connections of an application to the database but the one
// it asks on, as a restart of the server does, and returns when they have ended.
func endConnections(t *testing.T, s *Store, application string) {
	t.Helper()
	conn, err := s.write.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = conn.ExecContext(t.Context(), `
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = $1 AND pid <> pg_backend_pid()`, application)
	if err != nil {
		t.Fatal(err)
	}
}

// Two transactions that each hold what the other waits for: Postgres ends one of them.
func TestStore_tx_retriesADeadlock(t *testing.T) {
	s := open(t, pgtest.URL(t))
	must(t)(s.Seen(t.Context(), visit("a", "", noon())))
	must(t)(s.Seen(t.Context(), visit("b", "", noon())))
	var (
		all, both sync.WaitGroup
		mu        sync.Mutex
		runs      int
	)
	both.Add(2)
	for _, order := range [][2]string{{"a", "b"}, {"b", "a"}} {
		all.Go(func() {
			var once sync.Once
			err := s.tx(t.Context(), func(tx *sql.Tx) error {
				mu.Lock()
				runs++
				mu.Unlock()
				for i, id := range order {
					_, err := tx.ExecContext(t.Context(), `UPDATE instances SET last_seen = last_seen + 1 WHERE id = $1`, id)
					if err != nil {
						return fmt.Errorf("updating: %w", err)
					}
					if i == 0 {
						once.Do(func() { both.Done(); both.Wait() })
					}
				}
				return nil
			})
			if err != nil {
				t.Errorf("a transaction failed: %v", err)
			}
		})
	}
	all.Wait()
	if runs < 3 {
		t.Errorf("the transactions ran %d times: there was no deadlock", runs)
	}
	for _, id := range []string{"a", "b"} {
		if row := must(t)(s.Find(t.Context(), id)); !row.LastSeen.Equal(noon().Add(2 * time.Millisecond)) {
			t.Errorf("%s was counted on to %v", id, row.LastSeen)
		}
	}
}

func TestIsSerializationFailure(t *testing.T) {
	s := open(t, pgtest.URL(t))
	for _, row := range []struct {
		name, state string
		want        bool
	}{
		{"a serialization failure", "40001", true},
		{"a deadlock", "40P01", true},
		{"a lock timeout", "55P03", false},
		{"a duplicate", "23505", false},
		{"a full disk", "53100", false},
		{"a statement that took too long", "57014", false},
	} {
		_, err := s.write.Exec(`DO $$ BEGIN RAISE EXCEPTION 'a test' USING ERRCODE = '` + row.state + `'; END $$`)
		if got := isSerializationFailure(fmt.Errorf("doing: %w", err)); err == nil || got != row.want {
			t.Errorf("%s (%v): %v, want %v", row.name, err, got, row.want)
		}
	}
	for _, err := range []error{nil, context.Canceled, errors.New("deadlock"), sql.ErrTxDone} {
		if isSerializationFailure(err) {
			t.Errorf("%v would be tried again", err)
		}
	}
}

func TestStore_writes_postgresLockEndsWithContext(t *testing.T) {
	s := open(t, pgtest.URL(t))
	must(t)(s.Seen(t.Context(), visit("a", "", noon())))
	tx, err := s.write.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.Exec(`LOCK TABLE instances IN EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	for doing, write := range writes(s) {
		short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := write(short); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), doing) {
			t.Errorf("%s: %v", doing, err)
		}
		cancel()
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if row := must(t)(s.Find(t.Context(), "a")); row.Version != 0 || !row.LastSeen.Equal(noon()) || !row.ProfileAt.IsZero() {
		t.Errorf("a write that failed left %+v", row)
	}
}
