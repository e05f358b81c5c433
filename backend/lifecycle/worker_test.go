package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/instance"
)

func TestWorker_Wake(t *testing.T) {
	bubble(t, &fakeWix{}, func(w *world) {
		w.accept("e", instance.EventRemoved)
		synctest.Wait()
		if !w.row().RemovedAt.IsZero() {
			t.Error("applied before Wake")
		}
		w.worker.Wake()
		synctest.Wait() // no time passes
		if w.row().RemovedAt.IsZero() || w.job("e").State != instance.JobDone {
			t.Errorf("%+v, %+v", w.row(), w.job("e"))
		}
	})
}

func TestWorker_polls(t *testing.T) {
	bubble(t, &fakeWix{}, func(w *world) {
		w.accept("e", instance.EventRemoved)
		time.Sleep(defaultPoll)
		synctest.Wait()
		if w.row().RemovedAt.IsZero() {
			t.Error("not applied")
		}
	})
}

func TestWorker_planEventIsAppliedThenRefreshed(t *testing.T) {
	bubble(t, &fakeWix{app: plan("gold-plus")}, func(w *world) {
		w.accept("e", instance.EventPlan)
		time.Sleep(time.Millisecond)
		w.worker.Wake()
		synctest.Wait()
		if row := w.row(); row.Profile.Plan.Name != "gold-plus" || row.Profile.SiteDisplayName != "Laden" {
			t.Errorf("Wix's word did not decide: %+v", row.Profile)
		}
		if s := w.job(refreshJob).State; s != instance.JobDone {
			t.Errorf("the refresh is %s", s)
		}
		var called []string
		for _, line := range w.log.lines {
			if line[0] == 'c' || line[0] == 'o' {
				called = append(called, line)
			}
		}
		want := []string{"changed i removed=false revived=false plan=true", "observed plan done", "observed refresh done"}
		if diff := cmp.Diff(want, called); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWorker_refreshIsAsOfTheRequest(t *testing.T) {
	bubble(t, &fakeWix{app: plan("gold"), delay: 10 * time.Second}, func(w *world) {
		w.requestRefresh("i")
		asked := time.Now()
		time.Sleep(5 * time.Second)
		e := w.accept("e", instance.EventPlan)
		e.ID, e.Plan = "later", "platinum" // bought while Wix was answering
		if _, _, err := w.store.ApplyEvent(w.Context(), e, time.Now()); err != nil {
			t.Fatal(err)
		}
		w.wix.answer(plan("platinum"), nil)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		row := w.row()
		if row.Profile.Plan.Name != "platinum" || !row.ProfileAt.Equal(asked) {
			t.Errorf("the older word won: %+v at %v", row.Profile.Plan, row.ProfileAt)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(w.wix.times()); n < 2 || !w.row().ProfileAt.After(asked) {
			t.Errorf("the event's own refresh was lost: %d reads", n)
		}
	})
}

func TestWorker_refreshWithoutPurposeIsSkipped(t *testing.T) {
	for _, tt := range []struct{ name, id string }{
		{"of a removed instance", "i"},
		{"of an instance that was deleted", "unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, &fakeWix{app: plan("gold")}, func(w *world) {
				w.accept("e", instance.EventRemoved)
				w.worker.Wake()
				synctest.Wait()
				w.requestRefresh(tt.id)
				if n := len(w.wix.times()); n != 0 || w.log.count("observed refresh skipped") != 1 {
					t.Errorf("%d reads; %v", n, w.log.lines)
				}
				time.Sleep(time.Hour)
				if n := w.log.count("observed refresh"); n != 1 {
					t.Errorf("it came %d times", n)
				}
			})
		})
	}
}

// outdated is a store whose cache has not heard yet that the app is installed again.
type outdated struct{ instance.Store }

func (o outdated) Find(ctx context.Context, id string) (instance.Instance, error) {
	row, err := o.Store.Find(ctx, id)
	row.RemovedAt = row.LastSeen
	return row, err
}

func TestWorker_refreshReadsWhatIsStored(t *testing.T) {
	bubble(t, &fakeWix{app: plan("gold")}, func(w *world) {
		w.worker.Close()
		o := w.options()
		o.Store, o.Find = outdated{w.store}, w.store.Find
		w.worker = NewWorker(o)
		w.requestRefresh("i")
		if got := w.row().Profile.Plan.Name; got != "gold" {
			t.Errorf("the plan is %q: %v", got, w.log.lines)
		}
	})
}

func TestWorker_failureBacksOffAndEndsDead(t *testing.T) {
	bubble(t, &fakeWix{err: errors.New("Wix is down")}, func(w *world) {
		w.pollSlowly()
		w.requestRefresh("i")
		time.Sleep(3 * 24 * time.Hour)
		synctest.Wait()
		asked := w.wix.times()
		if len(asked) != len(backoff)+1 {
			t.Fatalf("tried %d times", len(asked))
		}
		for n, rest := range backoff {
			if gap := asked[n+1].Sub(asked[n]); gap < rest || gap > rest+rest/5+w.poll {
				t.Errorf("after failure %d it rested %v, not %v and a little", n+1, gap, rest)
			}
		}
		j := w.job(refreshJob)
		if j.State != instance.JobDead || j.Attempts != len(backoff)+1 || j.LastError != "Wix is down" || w.deadLetters() != 1 {
			t.Errorf("%+v, %d dead letters", j, w.deadLetters())
		}
		for text, want := range map[string]int{"level=ERROR": 1, "dead letter": 1, "observed refresh dead": 1, "observed refresh retried": len(backoff)} {
			if n := w.log.count(text); n != want {
				t.Errorf("%q comes %d times, not %d", text, n, want)
			}
		}

		w.wix.answer(plan("gold"), nil)
		w.requestRefresh("i")
		if j := w.job(refreshJob); j.State != instance.JobDone || j.Attempts != 0 || w.deadLetters() != 0 || w.row().Profile.Plan.Name != "gold" {
			t.Errorf("not revived: %+v", j)
		}
	})
}

func TestWorker_refreshOfAnUnknownInstance(t *testing.T) {
	unknown := &apierr.Error{Code: apierr.InstanceUnknown}
	bubble(t, &fakeWix{err: unknown}, func(w *world) {
		w.pollSlowly()
		w.requestRefresh("i")
		time.Sleep(3 * 24 * time.Hour)
		synctest.Wait()
		if n := len(w.wix.times()); n != unknownTries {
			t.Errorf("Wix was asked %d times", n)
		}
		if j := w.job(refreshJob); j.State != instance.JobDone || w.deadLetters() != 0 || w.log.count("observed refresh skipped") != 1 {
			t.Errorf("%+v, %d dead letters, %v", j, w.deadLetters(), w.log.lines)
		}

		w.wix.answer(plan("gold"), nil)
		w.requestRefresh("i")
		if got := w.row().Profile.Plan.Name; got != "gold" {
			t.Errorf("after it was installed the plan is %q", got)
		}
	})
	// One that was installed a moment ago is known soon.
	bubble(t, &fakeWix{err: unknown}, func(w *world) {
		w.requestRefresh("i")
		time.Sleep(2 * time.Minute)
		w.wix.answer(plan("gold"), nil)
		time.Sleep(10 * time.Minute)
		if got := w.row().Profile.Plan.Name; got != "gold" {
			t.Errorf("the plan is %q", got)
		}
	})
}

func TestWorker_obeysRetryAfter(t *testing.T) {
	for _, tt := range []struct {
		name              string
		retryAfter, least time.Duration
	}{
		{"longer than we would", time.Hour, time.Hour},
		{"but not shorter", time.Second, time.Minute},
		{"nothing", 0, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := &apierr.Error{Code: apierr.RateLimited, RetryAfter: tt.retryAfter}
			bubble(t, &fakeWix{err: fmt.Errorf("read: %w", err)}, func(w *world) {
				w.requestRefresh("i")
				for len(w.wix.times()) < 2 {
					time.Sleep(time.Second)
				}
				asked := w.wix.times()
				if gap := asked[1].Sub(asked[0]); gap < tt.least || gap > tt.least+tt.least/5+defaultPoll {
					t.Errorf("rested %v, want %v", gap, tt.least)
				}
			})
		})
	}
}

func TestWorker_panicFailsItsJob(t *testing.T) {
	bubble(t, &fakeWix{panics: true}, func(w *world) {
		w.requestRefresh("i")
		if j := w.job(refreshJob); j.State != instance.JobPending || j.Attempts != 1 || j.LastError != "panic" {
			t.Errorf("%+v", j)
		}
		w.wix.answer(plan("gold"), nil)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if j := w.job(refreshJob); j.State != instance.JobDone {
			t.Errorf("the worker is gone: %+v", j)
		}
	})
}

func TestWorker_panicOfChangedLeavesTheEventApplied(t *testing.T) {
	bubble(t, &fakeWix{app: plan("gold")}, func(w *world) {
		w.worker.changed = func(string, instance.Change) { panic("boom") }
		w.accept("e", instance.EventPlan)
		w.worker.Wake()
		synctest.Wait()
		if j := w.job("e"); j.State != instance.JobDone || j.Attempts != 0 || w.log.count("boom") != 1 || w.log.count("observed plan done") != 1 {
			t.Errorf("%+v", j)
		}
		if s := w.job(refreshJob).State; s != instance.JobDone {
			t.Errorf("the worker is gone: the refresh is %s", s)
		}
	})
}

func TestWorker_refreshesHoldUpNoEvent(t *testing.T) {
	// All readings together take far longer than a lease.
	bubble(t, &fakeWix{app: plan("gold"), delay: 2 * time.Second}, func(w *world) {
		const many = 200
		for n := range many {
			id := fmt.Sprint("slow", n)
			w.visit(id)
			if err := w.store.RequestRefresh(w.Context(), id, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		w.worker.Wake()
		synctest.Wait()
		w.accept("e", instance.EventRemoved)
		w.worker.Wake()
		synctest.Wait() // no time passes
		if w.row().RemovedAt.IsZero() {
			t.Error("the removal waits for the readings before it")
		}
		time.Sleep(many / readers * 2 * time.Second)
		synctest.Wait()
		if n := w.log.count("observed refresh done"); n != many || len(w.wix.times()) != many {
			t.Errorf("%d of %d refreshes took %d reads", n, many, len(w.wix.times()))
		}
		if n := w.wix.atOnce(); n != readers {
			t.Errorf("%d readings at once", n)
		}
	})
}

func TestWorker_waitsForAStoreInTrouble(t *testing.T) {
	bubble(t, &fakeWix{app: plan("gold"), delay: time.Second}, func(w *world) {
		w.requestRefresh("i") // under way when the store fails
		w.accept("e", instance.EventRemoved)
		w.store.set(true)
		w.worker.Wake()
		time.Sleep(time.Hour)
		if n := w.log.count("the job queue could not be read"); n < 1 || n > 2*int(time.Hour/defaultPoll)+2 {
			t.Errorf("logged %d times in an hour", n)
		}
		w.store.set(false)
		time.Sleep(lease + defaultPoll)
		synctest.Wait()
		if w.row().RemovedAt.IsZero() || w.job("e").State != instance.JobDone || w.job(refreshJob).State != instance.JobDone {
			t.Errorf("%+v, %+v", w.job("e"), w.job(refreshJob))
		}
	})
}

func TestWorker_refusedEventEndsDead(t *testing.T) {
	bubble(t, &fakeWix{}, func(w *world) {
		w.worker.Close()
		w.poll = time.Minute
		refusing := w.options()
		refusing.Jobs = refusingJobs{w.store}
		w.worker = NewWorker(refusing)
		w.accept("e", instance.EventRemoved)
		time.Sleep(3 * 24 * time.Hour)
		if j := w.job("e"); j.State != instance.JobDead || j.LastError != "no" || w.deadLetters() != 1 || w.log.count("dead letter") != 1 {
			t.Errorf("%+v", j)
		}
	})
}

type refusingJobs struct{ instance.Jobs }

func (refusingJobs) ApplyEvent(context.Context, instance.Event, time.Time) (instance.Instance, instance.Change, error) {
	return instance.Instance{}, instance.Change{}, errors.New("no")
}

func TestWorker_takesOverAfterTheLease(t *testing.T) {
	bubble(t, &fakeWix{}, func(w *world) {
		w.accept("e", instance.EventRemoved)
		// A process claims it, and is killed.
		if jobs, err := w.store.Claim(w.Context(), time.Now(), lease, batchSize); err != nil || len(jobs) != 1 {
			t.Fatal(jobs, err)
		}
		w.worker.Wake()
		time.Sleep(lease - time.Second)
		if !w.row().RemovedAt.IsZero() {
			t.Error("the lease was not respected")
		}
		time.Sleep(time.Second + defaultPoll)
		synctest.Wait()
		if w.row().RemovedAt.IsZero() {
			t.Error("the event was lost")
		}
	})
}

func TestWorker_Close_finishesRunningRefreshes(t *testing.T) {
	bubble(t, &fakeWix{app: plan("gold"), delay: 10 * time.Second}, func(w *world) {
		w.requestRefresh("i")
		for n := range 2 * readers {
			w.visit(fmt.Sprint(n))
			w.requestRefresh(fmt.Sprint(n))
		}
		begun := time.Now()
		w.worker.Close()
		w.accept("e", instance.EventRemoved)
		w.worker.Wake()
		w.worker.RequestRefresh("0")
		if took := time.Since(begun); took != 10*time.Second {
			t.Errorf("Close took %v", took)
		}
		if s := w.job(refreshJob).State; s != instance.JobDone || w.row().Profile.Plan.Name != "gold" {
			t.Errorf("the refresh was given up half-way: %s", s)
		}
		time.Sleep(time.Hour)
		if n := len(w.wix.times()); n != readers || w.job("e").State != instance.JobPending {
			t.Errorf("%d reads, the event is %s", n, w.job("e").State)
		}
		// All that was not begun is done by the next process.
		next := NewWorker(w.options())
		defer next.Close()
		time.Sleep(time.Minute)
		if w.job("e").State != instance.JobDone || len(w.wix.times()) != 2*readers+1 {
			t.Errorf("%d reads, the event is %s", len(w.wix.times()), w.job("e").State)
		}
	})
}

func TestWorker_Close_finishesOneEventOfABatch(t *testing.T) {
	bubble(t, &fakeWix{}, func(w *world) {
		w.worker.changed = func(string, instance.Change) { time.Sleep(time.Second) }
		for n := range batchSize {
			w.accept(fmt.Sprint(n), instance.EventRemoved)
		}
		w.worker.Wake()
		synctest.Wait()
		w.worker.Close()
		if n := w.log.count("observed removed done"); n != 1 {
			t.Errorf("%d events were applied", n)
		}
	})
}

// A clock that is set back by an hour while the worker runs delays nothing by more than a
// lease or a rest.
func TestWorker_clockSetBack(t *testing.T) {
	bubble(t, &fakeWix{err: errDown}, func(w *world) {
		var ahead atomic.Int64
		ahead.Store(int64(time.Hour))
		w.worker.Close()
		o := w.options()
		o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		refusing := &refusingOnce{Jobs: w.store}
		o.Jobs = refusing
		w.worker = NewWorker(o)
		e := w.accept("e", instance.EventRemoved)
		w.worker.RequestRefresh("i")
		w.worker.Wake()
		synctest.Wait()
		for _, id := range []string{"e", refreshJob} {
			if j := w.job(id); j.Attempts != 1 || j.Due.Before(e.At.Add(time.Hour)) {
				t.Fatalf("%+v", j)
			}
		}
		// A process that dies just then has claimed another one.
		other := instance.Event{ID: "other", InstanceID: "j", Kind: instance.EventInstalled, At: time.Now(), ReceivedAt: o.Now()}
		if _, err := w.store.Accept(w.Context(), other); err != nil {
			t.Fatal(err)
		}
		if jobs, err := w.store.Claim(w.Context(), o.Now(), lease, 1); err != nil || len(jobs) != 1 {
			t.Fatal(jobs, err)
		}
		ahead.Store(0)
		w.wix.answer(plan("gold"), nil)
		time.Sleep(lease + 2*defaultPoll)
		synctest.Wait()
		if _, err := w.store.Find(w.Context(), "j"); err != nil {
			t.Errorf("what a crash had left was not taken over: %v", err)
		}
		time.Sleep(2 * backoff[0])
		synctest.Wait()
		if w.row().RemovedAt.IsZero() || w.job("e").State != instance.JobDone || w.job(refreshJob).State != instance.JobDone {
			t.Errorf("what had failed did not come again: %+v, %+v", w.job("e"), w.job(refreshJob))
		}
	})
}

// refusingOnce refuses the first event.
type refusingOnce struct {
	instance.Jobs
	refused atomic.Bool
}

func (r *refusingOnce) ApplyEvent(ctx context.Context, e instance.Event, now time.Time) (instance.Instance, instance.Change, error) {
	if r.refused.CompareAndSwap(false, true) {
		return instance.Instance{}, instance.Change{}, errors.New("no")
	}
	return r.Jobs.ApplyEvent(ctx, e, now)
}

// stalling is a store in which the events of one instance wait for something, as for a row
// that someone has locked, and then fail.
type stalling struct {
	instance.Jobs
	id    string
	tried atomic.Int64
}

func (s *stalling) ApplyEvent(ctx context.Context, e instance.Event, now time.Time) (instance.Instance, instance.Change, error) {
	if e.InstanceID != s.id {
		return s.Jobs.ApplyEvent(ctx, e, now)
	}
	s.tried.Add(1)
	select {
	case <-ctx.Done():
	case <-time.After(5 * time.Second):
	}
	return instance.Instance{}, instance.Change{}, errors.New("lock timeout")
}

func TestWorker_stuckInstanceHoldsUpNoOther(t *testing.T) {
	bubble(t, &fakeWix{}, func(w *world) {
		w.worker.Close()
		o := w.options()
		stuck := &stalling{Jobs: w.store, id: "stuck"}
		o.Jobs = stuck
		w.worker = NewWorker(o)
		accept := func(id, instanceID string, kind instance.EventKind) {
			t.Helper()
			e := instance.Event{ID: id, InstanceID: instanceID, Kind: kind, At: time.Now(), ReceivedAt: time.Now()}
			if _, err := w.store.Accept(w.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		for n := range 50 {
			accept(fmt.Sprint("stuck ", n), "stuck", instance.EventBilling)
		}
		for n := range 50 {
			accept(fmt.Sprint("free ", n), fmt.Sprint("free ", n%10), instance.EventOther)
		}
		w.worker.Wake()
		synctest.Wait()
		w.accept("e", instance.EventRemoved)
		w.worker.Wake()
		synctest.Wait() // no time passes
		if w.row().RemovedAt.IsZero() || w.log.count("observed other done") != 50 {
			t.Errorf("%d others were applied, the removal: %+v", w.log.count("observed other done"), w.job("e"))
		}
		if n := stuck.tried.Load(); n != 1 {
			t.Errorf("%d events of the stuck instance are tried at once", n)
		}
		time.Sleep(time.Minute)
		if n := stuck.tried.Load(); n < 10 || n > 14 {
			t.Errorf("%d events of the stuck instance were tried in a minute, want one after the other", n)
		}
	})
}
