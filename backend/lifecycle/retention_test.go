package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// sweep runs a test beside a Retention that deletes removed instances after 30 days.
func sweep(t *testing.T, test func(w *world)) {
	bubble(t, &fakeWix{}, func(w *world) {
		w.worker.Close()
		r := NewRetention(RetentionOptions{
			Store: w.store, Jobs: w.store, Keep: 30 * 24 * time.Hour, Logger: slog.New(slog.NewTextHandler(w.log, nil)),
			Purged: func(ids []string) { w.log.add("purged %s", strings.Join(ids, ",")) },
		})
		defer r.Close()
		synctest.Wait()
		test(w)
	})
}

func (w *world) apply(e instance.Event) {
	w.Helper()
	if _, _, err := w.store.ApplyEvent(w.Context(), e, time.Now()); err != nil {
		w.Fatal(err)
	}
}

func TestRetention_purgesWhenTheTimeIsUp(t *testing.T) {
	sweep(t, func(w *world) {
		w.visit("stays")
		w.apply(w.accept("e", instance.EventRemoved))
		time.Sleep(30 * 24 * time.Hour)
		synctest.Wait()
		w.row() // it is there to the last day
		if n := w.log.count("purged"); n != 0 {
			t.Error("purged too soon")
		}
		time.Sleep(sweepEvery)
		synctest.Wait()
		if _, err := w.store.Find(w.Context(), "i"); !errors.Is(err, instance.ErrNotFound) {
			t.Errorf("it is still there: %v", err)
		}
		if _, err := w.store.Find(w.Context(), "stays"); err != nil {
			t.Errorf("an installed one went too: %v", err)
		}
		if w.log.count("purged i") != 1 || w.log.count(`msg="removed instances were purged" count=1`) != 1 {
			t.Errorf("%v", w.log.lines)
		}
	})
}

func TestRetention_deletesAppliedEventsAfterAWeek(t *testing.T) {
	sweep(t, func(w *world) {
		w.accept("pending", instance.EventInstalled)
		w.apply(w.accept("done", instance.EventInstalled))
		time.Sleep(doneRetention)
		synctest.Wait()
		w.job("done")
		time.Sleep(sweepEvery)
		synctest.Wait()
		w.job("pending") // what was never applied is never deleted
		if w.log.count(`msg="old events were deleted" count=1`) != 1 {
			t.Errorf("%v", w.log.lines)
		}
	})
}

func TestRetention_outlivesAStoreInTrouble(t *testing.T) {
	sweep(t, func(w *world) {
		w.apply(w.accept("e", instance.EventRemoved))
		w.apply(w.accept("f", instance.EventPlan))
		w.store.set(true)
		time.Sleep(31 * 24 * time.Hour)
		if w.log.count("level=ERROR") == 0 || w.log.count("old events were deleted") != 1 {
			t.Errorf("one failure is logged, and does not stop the rest: %v", w.log.lines)
		}
		w.store.set(false)
		time.Sleep(sweepEvery)
		synctest.Wait()
		if w.log.count("purged i") != 1 {
			t.Error("not made up for")
		}
	})
}

func TestRetention_sweepsAtTheStart(t *testing.T) {
	bubble(t, &fakeWix{}, func(w *world) {
		w.apply(w.accept("e", instance.EventRemoved))
		time.Sleep(time.Hour)
		begun := time.Now()
		var at time.Time
		r := NewRetention(RetentionOptions{Store: w.store, Jobs: w.store, Keep: time.Minute, Purged: func([]string) { at = time.Now() }})
		synctest.Wait()
		r.Close()
		if !at.Equal(begun) {
			t.Errorf("purged at %v, begun at %v", at, begun)
		}
	})
}

// hanging is a store whose purge never ends.
type hanging struct{ instance.Store }

func (hanging) PurgeRemoved(ctx context.Context, _ time.Time) ([]string, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestRetention_Close_endsASweepSilently(t *testing.T) {
	bubble(t, &fakeWix{}, func(w *world) {
		r := NewRetention(RetentionOptions{Store: hanging{w.store}, Jobs: w.store, Logger: slog.New(slog.NewTextHandler(w.log, nil))})
		synctest.Wait()
		begun := time.Now()
		r.Close()
		if took := time.Since(begun); took != 0 || w.log.count("level=ERROR") != 0 {
			t.Errorf("it took %v: %v", took, w.log.lines)
		}
	})
}
