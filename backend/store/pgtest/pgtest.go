// Package pgtest gives tests databases on a real Postgres server: the one that
// the environment names (Variable, a postgres:// URL), or else a throw-away cluster created
// with the initdb and pg_ctl of this machine, which are installed if they are missing and
// this process may install packages. It never skips a test.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nametag-dev/nametag/backend/product"
)

// Variable is the name of the environment variable with the URL of a server on which
// databases may be created.
const Variable = product.EnvPrefix + "TEST_POSTGRES"

// databaseTimeout bounds creating and dropping a database.
const databaseTimeout = 30 * time.Second

// server returns the server of this test process. There is one for all tests, because
// starting a cluster takes about a second.
var server = sync.OnceValues(func() (cluster, error) {
	if named := os.Getenv(Variable); named != "" {
		return cluster{url: named}, nil
	}
	return start(machine())
})

// Server returns the URL of the server, for programs that create databases of their own. A
// throw-away cluster ends with this process.
func Server() (string, error) {
	at, err := server()
	return at.url, err
}

// URL returns the URL of a fresh, empty database, which is dropped at the end of the
// test, even if it is still in use. A process that the test starts may use it as well.
func URL(t testing.TB) string {
	t.Helper()
	return copyOf(t, "template0")
}

// Template returns a function like URL, whose databases are as prepare has left one: it gets
// the URL of an empty database, once, and must leave no connection behind. They last as long
// as the test.
func Template(t testing.TB, prepare func(databaseURL string)) func(t testing.TB) string {
	t.Helper()
	template := URL(t)
	prepare(template)
	u, err := url.Parse(template)
	if err != nil {
		t.Fatal(err)
	}
	return func(t testing.TB) string {
		t.Helper()
		return copyOf(t, strings.TrimPrefix(u.Path, "/"))
	}
}

func copyOf(t testing.TB, template string) string {
	t.Helper()
	at, err := server()
	if err != nil {
		t.Fatalf("no Postgres to test with: %v", err)
	}
	database, drop, err := create(at.url, template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Error(err)
		}
	})
	return database
}

// create creates a database on a server.
func create(server, template string) (database string, drop func() error, err error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "", nil, errors.New(Variable + " must be a URL like postgres://USER:PASSWORD@HOST/DATABASE")
	}
	name := "nametag_test_" + strings.ToLower(rand.Text())
	err = execute(server, func(version float64) string {
		statement := "CREATE DATABASE " + name + " TEMPLATE " + template
		if version >= 15 { // which would by default write it all to its log as well
			statement += " STRATEGY file_copy"
		}
		return statement
	})
	if err != nil {
		return "", nil, fmt.Errorf("create a database for a test: %w", err)
	}
	u.Path = "/" + name
	return u.String(), func() error {
		statement := "DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"
		if err := execute(server, func(float64) string { return statement }); err != nil {
			return fmt.Errorf("drop the database of a test: %w", err)
		}
		return nil
	}, nil
}

// serverVersion is how a server's version begins: 15.10 (Debian 15.10-0+deb12u1).
var serverVersion = regexp.MustCompile(`^\d+(\.\d+)?`)

// execute runs a statement, which may depend on the server's version.
func execute(server string, statement func(version float64) string) error {
	ctx, cancel := context.WithTimeout(context.Background(), databaseTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	version, _ := strconv.ParseFloat(serverVersion.FindString(conn.PgConn().ParameterStatus("server_version")), 64)
	_, err = conn.Exec(ctx, statement(version))
	return errors.Join(err, conn.Close(ctx))
}
