package lifecycle

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/wix"
)

// A delivery is one of Wix's, to any of the processes.
type delivery struct {
	event wix.Event
	// after is how long after the delivery before.
	after time.Duration
	// crash is a process that claims what is due just then, and dies: before it applies
	// the first job, or after it has applied so many.
	crash   bool
	applied int
}

// TestWorker_anyDeliveryOrderEndsTheSame sends a history through the
// whole way, Accept, Claim, ApplyEvent, with two workers and others that die.
func TestWorker_anyDeliveryOrderEndsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		noon := time.Date(1999, 12, 31, 12, 0, 0, 0, time.UTC) // before the bubble's own time
		var history []wix.Event
		for n := range rapid.IntRange(1, 12).Draw(t, "events") {
			e := wix.Event{
				InstanceID: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "instance"),
				Type: rapid.SampledFrom([]wix.EventType{
					wix.AppInstalled, wix.AppRemoved, wix.PaidPlanPurchased, wix.PaidPlanPurchased, wix.PaidPlanAutoRenewalCancelled, "AppMerged",
				}).Draw(t, "type"),
				// Microseconds, because an order that stores do not keep must not count.
				Time: noon.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "microseconds")) * time.Microsecond),
				Hash: [32]byte{byte(n), 1},
			}
			e.VendorProductID = rapid.SampledFrom([]string{"", "gold", "silver"}).Draw(t, "plan")
			history = append(history, e)
		}
		repeats := rapid.SliceOfN(rapid.SampledFrom(history), 0, 12).Draw(t, "repeats")
		var deliveries []delivery
		for _, e := range rapid.Permutation(slices.Concat(history, repeats)).Draw(t, "order") {
			deliveries = append(deliveries, delivery{
				event:   e,
				after:   rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, 3 * time.Second, time.Minute}).Draw(t, "after"),
				crash:   rapid.Bool().Draw(t, "crash"),
				applied: rapid.IntRange(0, 2).Draw(t, "applied"),
			})
		}
		rapid.SyncTest(t, func(t *rapid.T) { run(t, history, deliveries) })
	})
}

func run(t *rapid.T, history []wix.Event, deliveries []delivery) {
	ctx := context.Background()
	store := openMemory(t, kit.Data{})
	defer store.Close()
	// Wix is down, so that no refresh hides what the events did.
	down := &fakeWix{err: errDown}
	var workers []*Worker
	for range 2 {
		workers = append(workers, NewWorker(Options{Jobs: store, Store: store, Elevator: down,
			Logger: slog.New(slog.DiscardHandler), Poll: lease / 2}))
	}
	for n, d := range deliveries {
		time.Sleep(d.after)
		if _, err := store.Accept(ctx, FromWebhook(d.event, time.Now())); err != nil {
			t.Fatal(err)
		}
		if d.crash {
			jobs, err := store.Claim(ctx, time.Now(), lease, batchSize)
			if err != nil {
				t.Fatal(err)
			}
			for _, j := range jobs[:min(len(jobs), d.applied)] {
				if j.Event != nil {
					if _, _, err := store.ApplyEvent(ctx, *j.Event, time.Now()); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		workers[n%2].Wake()
		if n%3 == 0 {
			synctest.Wait()
		}
	}
	time.Sleep(2 * lease)
	synctest.Wait()
	for _, w := range workers {
		w.Close()
	}
	for _, id := range []string{"a", "b"} {
		jobs, err := store.JobsOf(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs {
			if j.Event != nil && (j.State != instance.JobDone || j.Attempts != 0) {
				t.Fatalf("left undone: %+v", j)
			}
		}
		got := "nothing"
		if row, err := store.Find(ctx, id); err == nil {
			got = endOf(row)
		}
		if want := model(history, id); got != want {
			t.Fatalf("instance %s ended as %s, want %s", id, got, want)
		}
	}
}

// model is the end of an instance's history: its events in order of time to the
// millisecond, at the same moment a removal last and plans by name, each simply
// overwriting what was before it.
func model(history []wix.Event, id string) string {
	ordered := slices.Clone(history)
	slices.SortFunc(ordered, func(a, b wix.Event) int {
		return cmp.Or(
			a.Time.Truncate(time.Millisecond).Compare(b.Time.Truncate(time.Millisecond)),
			cmp.Compare(a.Type, b.Type), // AppInstalled, AppRemoved
			cmp.Compare(a.VendorProductID, b.VendorProductID),
		)
	})
	var row instance.Instance
	end := "nothing"
	for _, e := range ordered {
		if e.InstanceID != id {
			continue
		}
		at := e.Time.Truncate(time.Millisecond)
		switch e.Type {
		case wix.AppInstalled:
			row.StatusAt, row.RemovedAt = at, time.Time{}
		case wix.AppRemoved:
			row.StatusAt, row.RemovedAt, row.LastRemovedAt = at, at, at
		case wix.PaidPlanPurchased:
			row.PlanAt, row.Profile.Plan = at, instance.NewPlan(e.VendorProductID)
		}
		end = endOf(row)
	}
	return end
}

func endOf(row instance.Instance) string {
	return fmt.Sprint(row.RemovedAt.UnixMilli(), row.LastRemovedAt.UnixMilli(), row.StatusAt.UnixMilli(), row.Profile.Plan, row.PlanAt.UnixMilli())
}
