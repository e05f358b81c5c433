// Command seed fills a database that `nametag serve` has made with installed instances
// nobody visits; with -create or -drop it makes or drops a Postgres database first.
package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"log"
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
	create := flag.String("create", "", "make a Postgres database of this name")
	drop := flag.String("drop", "", "drop the Postgres database of this name")
	flag.Parse()
	if err := run(*url, *count, *create, *drop); err != nil {
		log.Fatal(err)
	}
}

func run(url string, count int, create, drop string) error {
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
	var there int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM instances`).Scan(&there); err != nil {
		return err
	}
	if count -= there; count <= 0 {
		return nil
	}
	now := time.Now().UnixMilli()
	rows := fmt.Sprintf(`'', %d, %d, '{}', 0, %s, %d, %d, ''`, now, now, profile, now, now)
	statements := []string{insert + fmt.Sprintf(`SELECT gen_random_uuid()::text, %s FROM generate_series(1, %d)`, rows, count), `VACUUM ANALYZE instances`}
	if driver == "sqlite" {
		statements = []string{`PRAGMA synchronous = OFF`,
			fmt.Sprintf(`WITH RECURSIVE
	counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < %d),
	ids(h) AS (SELECT lower(hex(randomblob(16))) FROM counted)
`, count) + insert + `SELECT substr(h,1,8)||'-'||substr(h,9,4)||'-'||substr(h,13,4)||'-'||substr(h,17,4)||'-'||substr(h,21), ` + rows +
				` FROM (SELECT h FROM ids ORDER BY h)`}
	}
	db.SetMaxOpenConns(1)
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
