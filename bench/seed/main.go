// Command seed fills a database that the command migrate has made with installed instances:
// those of a file, and others that nobody visits. With -create or -drop it makes or drops
// a Postgres database instead.
package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	_ "modernc.org/sqlite"             // the driver sqlite
)

const insert = `INSERT INTO instances (id, site_id, first_seen, last_seen, settings, settings_version, profile, profile_at, plan_at, origin_id) `

const profile = `'{"plan":{"name":"","isFree":true},"locale":"en","currency":"USD","siteDisplayName":"My Wix Site","languages":["en"]}'`

func main() {
	url := flag.String("database", "", "sqlite:PATH or postgres://…")
	count := flag.Int("n", 0, "how many instances there are to be")
	visited := flag.String("instances", "", "a file of instance and site ids, a pair a line, which are some of them")
	create := flag.String("create", "", "make a Postgres database of this name")
	drop := flag.String("drop", "", "drop the Postgres database of this name")
	flag.Parse()
	if err := run(*url, *count, *visited, *create, *drop); err != nil {
		log.Fatal(err)
	}
}

func run(url string, count int, visited, create, drop string) error {
	ctx := context.Background()
	driver, source := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, source = "sqlite", path
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return err
	}
	defer db.Close()
	switch {
	case create != "":
		_, err = db.ExecContext(ctx, `CREATE DATABASE "`+create+`" TEMPLATE template0`)
		return err
	case drop != "":
		_, err = db.ExecContext(ctx, `DROP DATABASE IF EXISTS "`+drop+`" WITH (FORCE)`)
		return err
	}
	pairs, err := os.ReadFile(visited)
	if err != nil {
		return err
	}
	now := time.Now().UnixMilli()
	facts := fmt.Sprintf(`%d, %d, '{}', 0, %s, %d, %d, ''`, now, now, profile, now, now)
	statements := []string{}
	for pair := range strings.Lines(string(pairs)) {
		id, site, _ := strings.Cut(strings.TrimSpace(pair), " ")
		statements = append(statements, insert+fmt.Sprintf(`VALUES ('%s', '%s', %s)`, id, site, facts))
	}
	count -= len(statements)
	if driver == "sqlite" {
		statements = append(statements, fmt.Sprintf(`WITH RECURSIVE
	counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < %d),
	ids(h) AS (SELECT lower(hex(randomblob(16))) FROM counted)
`, count)+insert+`SELECT substr(h,1,8)||'-'||substr(h,9,4)||'-'||substr(h,13,4)||'-'||substr(h,17,4)||'-'||substr(h,21), '', `+facts+
			` FROM (SELECT h FROM ids ORDER BY h)`)
	} else {
		statements = append(statements, insert+fmt.Sprintf(`SELECT gen_random_uuid()::text, '', %s FROM generate_series(1, %d)`, facts, count))
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `ANALYZE`)
	return err
}
