package lifecycle

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
	"github.com/nametag-dev/nametag/backend/wix"
)

// TestWorker_historiesOnRealDatabases sends random histories, shuffled and repeated, through
// three workers on one real database, and compares every end with the model's.
func TestWorker_historiesOnRealDatabases(t *testing.T) {
	const instances, events, workers = 40, 8, 3
	for name, database := range map[string]string{
		"SQLite":   "sqlite:" + filepath.Join(t.TempDir(), "app.db"),
		"Postgres": pgtest.URL(t),
	} {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 0))
			noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
			types := []wix.EventType{wix.AppInstalled, wix.AppRemoved, wix.PaidPlanPurchased, wix.PaidPlanAutoRenewalCancelled, "AppMerged"}
			var history []wix.Event
			for n := range instances * events {
				history = append(history, wix.Event{
					InstanceID:      fmt.Sprint(n % instances),
					Type:            types[random.IntN(len(types))],
					Time:            noon.Add(time.Duration(random.IntN(20)) * time.Millisecond),
					VendorProductID: []string{"", "gold", "silver"}[random.IntN(3)],
					Hash:            [32]byte{byte(n), byte(n >> 8), 1},
				})
			}
			deliveries := slices.Concat(history, history)
			random.Shuffle(len(deliveries), func(i, j int) { deliveries[i], deliveries[j] = deliveries[j], deliveries[i] })

			var stores []*sqlstore.Store
			for range workers {
				store, err := sqlstore.Open(t.Context(), database, sqlstore.Options{})
				if err != nil {
					t.Fatal(err)
				}
				defer store.Close()
				stores = append(stores, store)
				// Wix is down, so that no refresh hides what the events did.
				w := NewWorker(Options{Jobs: store, Store: store, Elevator: &fakeWix{err: errDown},
					Logger: slog.New(slog.DiscardHandler), Poll: 10 * time.Millisecond})
				defer w.Close()
			}
			var wg sync.WaitGroup
			for n, store := range stores {
				wg.Go(func() {
					for i := n; i < len(deliveries); i += workers {
						if _, err := store.Accept(t.Context(), FromWebhook(deliveries[i], time.Now())); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			for id := range instances {
				id := fmt.Sprint(id)
				waitUntilDone(t, stores[0], id)
				got := "nothing"
				if row, err := stores[0].Find(t.Context(), id); err == nil {
					got = endOf(row)
				}
				if want := model(history, id); got != want {
					t.Errorf("instance %s ended as %s, want %s", id, got, want)
				}
			}
		})
	}
}

// waitUntilDone waits until no event of an instance is pending.
func waitUntilDone(t *testing.T, queue instance.Jobs, id string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		jobs, err := queue.JobsOf(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(jobs, func(j instance.Job) bool { return j.Event != nil && j.State != instance.JobDone }) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("events of %s are pending after 30 s: %+v", id, jobs)
		}
		time.Sleep(5 * time.Millisecond) // between two looks at the condition
	}
}
