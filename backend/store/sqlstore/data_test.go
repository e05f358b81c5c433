package sqlstore

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
	"github.com/nametag-dev/nametag/backend/store/storetest"
)

func TestStore_Export(t *testing.T) {
	for name, url := range map[string]string{"SQLite": newURL(t), "memory": "sqlite::memory:", "Postgres": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			s := openWith(t, url, Options{App: storetest.AppData()})
			ctx := t.Context()
			for _, id := range []string{"a", "b"} {
				must(t)(s.Seen(ctx, visit(id, "site", noon())))
				err := s.Write(ctx, id, func(tx kit.Tx) error {
					_, err := tx.Exec(ctx, `INSERT INTO notes (instance_id, n, text, data) VALUES (?, 1, ?, ?)`, id, "שלום of "+id, []byte{0, 255})
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if _, _, err := s.ApplyEvent(ctx, instance.Event{ID: "1", InstanceID: "a", Kind: instance.EventPlan, Plan: "gold", At: noon(), ReceivedAt: noon()}, noon()); err != nil {
				t.Fatal(err)
			}
			export, err := s.Export(ctx, "a")
			if err != nil {
				t.Fatal(err)
			}
			row := must(t)(s.Find(ctx, "a"))
			work, err := s.JobsOf(ctx, "a")
			if err != nil {
				t.Fatal(err)
			}
			if export.Instance == nil || !reflect.DeepEqual(*export.Instance, row) || len(work) != 2 || !reflect.DeepEqual(export.Work, work) {
				t.Errorf("exported %+v, %+v", export.Instance, export.Work)
			}
			if diff := cmp.Diff([]string{"notes"}, names(export.Tables)); diff != "" {
				t.Errorf("the tables (-want +got):\n%s", diff)
			}
			if want := `[{"data":"AP8=","instance_id":"a","n":1,"text":"שלום of a"}]`; string(export.Tables["notes"]) != want {
				t.Errorf("exported %s, want %s", export.Tables["notes"], want)
			}
			text, err := json.Marshal(export)
			if err != nil || !strings.HasPrefix(string(text), `{"instance":{"id":"a",`) || !strings.Contains(string(text), `"work":[{`) || !strings.Contains(string(text), `"tables":{"notes":[`) {
				t.Errorf("as JSON: %s, %v", text, err)
			}
		})
	}
}

func TestStore_Export_withoutAnInstance(t *testing.T) {
	s := openWith(t, newURL(t), Options{App: storetest.AppData()})
	if export, err := s.Export(t.Context(), "a"); !errors.Is(err, instance.ErrNotFound) {
		t.Errorf("Export = %+v, %v", export, err)
	}
	if _, err := s.Accept(t.Context(), delivery(1)); err != nil {
		t.Fatal(err)
	}
	export, err := s.Export(t.Context(), delivery(1).InstanceID)
	if err != nil || export.Instance != nil || len(export.Work) != 1 || string(export.Tables["notes"]) != `[]` {
		t.Errorf("Export = %+v, %v", export, err)
	}
}

func TestStore_Export_brokenHook(t *testing.T) {
	for name, tt := range map[string]struct {
		export func() (any, error)
		want   string
	}{
		"an error":                 {func() (any, error) { return nil, errors.New("the app says no") }, "the app says no"},
		"a panic":                  {func() (any, error) { panic("boom") }, "panic: boom"},
		"a value that is not JSON": {func() (any, error) { return func() {}, nil }, "unsupported type"},
	} {
		t.Run(name, func(t *testing.T) {
			data := storetest.AppData()
			data.Tables[0].Export = func(context.Context, kit.Tx, string) (any, error) { return tt.export() }
			s := openWith(t, "sqlite::memory:", Options{App: data})
			must(t)(s.Seen(t.Context(), visit("a", "", noon())))
			if export, err := s.Export(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), "Export of the table notes") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Export = %+v, %v", export, err)
			}
			must(t)(s.Seen(t.Context(), visit("b", "", noon())))
		})
	}
}

// What an export reads is one state of the database, whatever is written at the same time.
func TestStore_Export_isOneSnapshot(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, url string) {
		data := storetest.AppData()
		var change func()
		exportNotes := data.Tables[0].Export
		data.Tables[0].Export = func(ctx context.Context, tx kit.Tx, id string) (any, error) {
			change()
			return exportNotes(ctx, tx, id)
		}
		s := openWith(t, url, Options{App: data})
		must(t)(s.Seen(t.Context(), visit("a", "", noon())))
		change = func() {
			err := s.Write(t.Context(), "a", func(tx kit.Tx) error {
				_, err := tx.Exec(t.Context(), `INSERT INTO notes (instance_id, n, text) VALUES ('a', 1, 'late')`)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		if export, err := s.Export(t.Context(), "a"); err != nil || string(export.Tables["notes"]) != `[]` {
			t.Errorf("Export = %s, %v", export.Tables["notes"], err)
		}
	})
}

func TestOpen_memoryIsOfItsStore(t *testing.T) {
	a, b := open(t, "sqlite::memory:"), open(t, "sqlite::memory:")
	must(t)(a.Seen(t.Context(), visit("a", "", noon())))
	if row, err := b.Find(t.Context(), "a"); !errors.Is(err, instance.ErrNotFound) {
		t.Errorf("the other store has %+v, %v", row, err)
	}
}

// The data outlives every connection of the pool, however it ends.
func TestOpen_memoryOutlivesConnections(t *testing.T) {
	s := openWith(t, "sqlite::memory:", Options{App: storetest.AppData()})
	must(t)(s.Seen(t.Context(), visit("a", "site", noon())))
	for name, end := range map[string]func(){
		"recycled": func() {
			s.write.SetMaxIdleConns(0)
			s.write.SetMaxIdleConns(1)
		},
		"expired": func() {
			s.write.SetConnMaxLifetime(time.Nanosecond)
			s.Find(t.Context(), "a")
			s.write.SetConnMaxLifetime(0)
		},
		"cancelled in a transaction": func() {
			ctx, cancel := context.WithCancel(t.Context())
			err := s.Write(ctx, "a", func(tx kit.Tx) error {
				_, err := tx.Exec(ctx, `INSERT INTO notes (instance_id, n, text) VALUES ('a', 1, 'lost')`)
				cancel()
				return err
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Write: %v", err)
			}
		},
		"dropped by the driver": func() {
			conn, err := s.write.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			conn.Raw(func(any) error { return driver.ErrBadConn })
			conn.Close()
		},
	} {
		before := s.write.Stats().OpenConnections
		end()
		if row, err := s.Find(t.Context(), "a"); err != nil || row.SiteID != "site" {
			t.Errorf("%s (of %d connections): %+v, %v", name, before, row, err)
		}
		var n int
		if err := s.QueryRow(t.Context(), `SELECT count(*) FROM notes`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s: %d notes, %v", name, n, err)
		}
	}
}

func TestOpen_memoryUnderCancellation(t *testing.T) {
	s := open(t, "sqlite::memory:")
	must(t)(s.Seen(t.Context(), visit("a", "site", noon())))
	var all sync.WaitGroup
	for i := range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		all.Go(func() {
			for n := range 10 {
				if n == i%10 {
					cancel()
				}
				if _, err := s.Seen(ctx, visit(fmt.Sprint(i, " ", n), "", noon())); err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("Seen: %v", err)
				}
			}
		})
	}
	all.Wait()
	if row := must(t)(s.Find(t.Context(), "a")); row.SiteID != "site" {
		t.Errorf("the row is %+v", row)
	}
	must(t)(s.Seen(t.Context(), visit("b", "", noon())))
}

func TestOpen_memoryPragmas(t *testing.T) {
	s := open(t, "sqlite::memory:")
	for pragma, want := range map[string]string{"busy_timeout": "5000", "journal_mode": "memory", "foreign_keys": "1"} {
		var got string
		if err := s.write.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", pragma, got, err, want)
		}
	}
	if n := s.write.Stats().MaxOpenConnections; n != 1 || s.read != s.write {
		t.Errorf("%d connections", n)
	}
}
