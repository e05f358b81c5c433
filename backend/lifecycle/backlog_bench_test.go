package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
)

// backlogged opens a database with 100,000 events that nobody has applied yet, of so many
// instances.
func backlogged(b *testing.B, database string, instances int) *sqlstore.Store {
	b.Helper()
	store, err := sqlstore.Open(b.Context(), database, sqlstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	now := time.Now().UnixMilli()
	for begin := 0; begin < 100_000; begin += 10_000 {
		err = store.WriteShared(b.Context(), func(tx kit.Tx) error {
			_, err := tx.Exec(b.Context(), fmt.Sprintf(`
INSERT INTO jobs (id, instance_id, event, event_at, received_at, state, due, attempts, last_error, stamp)
SELECT 'event ' || n, 'instance ' || (n %% %d), '{"kind":"other","type":"X"}', %d, %d + n, 'pending', 0, 0, '', %d
FROM (WITH RECURSIVE c(n) AS (SELECT %d UNION ALL SELECT n + 1 FROM c WHERE n < %d) SELECT n FROM c) AS numbers`,
				instances, now, now, now, begin, begin+9999))
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return store
}

// BenchmarkWorker_removalBehindABacklog measures how long a removal takes that comes behind
// 100,000 other events, and how many events a worker applies in a second.
func BenchmarkWorker_removalBehindABacklog(b *testing.B) {
	for _, kind := range []string{"SQLite", "Postgres"} {
		for _, instances := range []int{1, 20, 100_000} {
			b.Run(fmt.Sprint(kind, " of ", instances), func(b *testing.B) {
				database := "sqlite:" + filepath.Join(b.TempDir(), "app.db")
				if kind == "Postgres" {
					database = pgtest.URL(b)
				}
				store := backlogged(b, database, instances)
				for b.Loop() {
					removalIn(b, store)
				}
			})
		}
	}
}

func removalIn(b *testing.B, store *sqlstore.Store) {
	var (
		mu      sync.Mutex
		applied int
		removed = make(chan struct{})
		begun   = time.Now()
	)
	w := NewWorker(Options{Jobs: store, Store: store, Elevator: &fakeWix{err: errors.New("down")}, Logger: slog.New(slog.DiscardHandler),
		Observe: func(kind, _ string) {
			mu.Lock()
			defer mu.Unlock()
			applied++
			if kind == string(instance.EventRemoved) {
				close(removed)
			}
		}})
	defer w.Close()
	time.Sleep(3 * time.Second) // in the midst of it
	at := time.Now()
	e := instance.Event{ID: fmt.Sprint("removal ", at), InstanceID: "zz", Kind: instance.EventRemoved, At: at, ReceivedAt: at}
	if _, err := store.Accept(context.Background(), e); err != nil {
		b.Fatal(err)
	}
	w.Wake()
	<-removed
	b.ReportMetric(float64(time.Since(at).Milliseconds()), "ms-to-removal")
	time.Sleep(time.Second)
	mu.Lock()
	defer mu.Unlock()
	b.ReportMetric(float64(applied)/time.Since(begun).Seconds(), "events/s")
}
