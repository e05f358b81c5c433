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
	at, err := server()
	if err != nil {
		t.Fatalf("no Postgres to test with: %v", err)
	}
	database, drop, err := create(at.url)
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
func create(server string) (database string, drop func() error, err error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "", nil, errors.New(Variable + " must be a URL like postgres://USER:PASSWORD@HOST/DATABASE")
	}
	name := "nametag_test_" + strings.ToLower(rand.Text())
	if err := execute(server, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		return "", nil, fmt.Errorf("create a database for a test: %w", err)
	}
	u.Path = "/" + name
	return u.String(), func() error {
		if err := execute(server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			return fmt.Errorf("drop the database of a test: %w", err)
		}
		return nil
	}, nil
}

func execute(server, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), databaseTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
