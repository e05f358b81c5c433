package lifecycle

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
	"github.com/nametag-dev/nametag/backend/wix"
)

// hooked runs a test in a bubble with an app that reacts to events. Its hook, which a test
// may replace, records them in the journal first.
func hooked(t *testing.T, wix *fakeWix, test func(w *world, setHook func(func() error))) {
	var hook atomic.Pointer[func() error]
	var log *journal
	data := kit.Data{OnEvent: func(_ context.Context, _ kit.Tx, e kit.Event) error {
		log.add("hook %s %s %s", e.Kind, e.InstanceID, e.Plan)
		return (*hook.Load())()
	}}
	bubbleWith(t, wix, data, func(w *world) {
		log = w.log
		setHook := func(f func() error) { hook.Store(&f) }
		setHook(func() error { return nil })
		test(w, setHook)
	})
}

func TestWorker_hookThatFailsIsCalledAgain(t *testing.T) {
	for name, fail := range map[string]func() error{
		"an error": func() error { return errors.New("boom") },
		"a panic":  func() error { panic("boom") },
	} {
		t.Run(name, func(t *testing.T) {
			hooked(t, &fakeWix{}, func(w *world, setHook func(func() error)) {
				setHook(fail)
				w.accept("e", instance.EventRemoved)
				w.worker.Wake()
				synctest.Wait()
				j := w.job("e")
				if j.State != instance.JobPending || j.Attempts != 1 || !strings.Contains(j.LastError, "boom") || !w.row().RemovedAt.IsZero() {
					t.Errorf("%+v, %+v", j, w.row())
				}
				if stack := w.log.count("stack="); (stack == 1) != (name == "a panic") {
					t.Errorf("the log has %d stacks: %v", stack, w.log.lines)
				}
				w.visit("i") // a visitor notices nothing
				time.Sleep(backoff[0] + backoff[1]*2)
				synctest.Wait()
				if n := w.log.count("hook removed i"); n != 3 {
					t.Errorf("the hook was called %d times", n)
				}
				setHook(func() error { return nil })
				time.Sleep(2 * backoff[2])
				synctest.Wait()
				if j := w.job("e"); j.State != instance.JobDone || w.row().RemovedAt.IsZero() || w.log.count("hook removed i") != 4 {
					t.Errorf("%+v, %+v", j, w.row())
				}
			})
		})
	}
}

func TestWorker_hookThatAlwaysFailsEndsDead(t *testing.T) {
	hooked(t, &fakeWix{}, func(w *world, setHook func(func() error)) {
		w.pollSlowly()
		setHook(func() error { return errors.New("boom") })
		w.accept("e", instance.EventRemoved)
		time.Sleep(3 * 24 * time.Hour)
		synctest.Wait()
		if j := w.job("e"); j.State != instance.JobDead || w.deadLetters() != 1 || w.log.count("observed removed dead") != 1 {
			t.Errorf("%+v", j)
		}
		if n := w.log.count("hook removed i"); n != len(backoff)+1 {
			t.Errorf("the hook was called %d times", n)
		}
	})
}

// A hook that ignores its context holds up the events behind it for no longer than a call
// to the store may take, and everything else not at all.
func TestWorker_hookThatBlocksIsGivenUp(t *testing.T) {
	hooked(t, &fakeWix{}, func(w *world, setHook func(func() error)) {
		release := make(chan struct{})
		defer close(release)
		setHook(func() error {
			if w.log.count("hook") == 1 {
				<-release
			}
			return nil
		})
		w.accept("e", instance.EventRemoved)
		w.worker.Wake()
		synctest.Wait()
		other := instance.Event{ID: "other", InstanceID: "j", Kind: instance.EventInstalled, At: time.Now(), ReceivedAt: time.Now()}
		accepted := make(chan error)
		go func() { _, err := w.store.Accept(w.Context(), other); accepted <- err }()
		time.Sleep(sqlstore.HookTimeout)
		if err := <-accepted; err != nil {
			t.Fatal(err)
		}
		w.worker.Wake()
		time.Sleep(storeTimeout)
		synctest.Wait()
		if j := w.job("e"); j.State != instance.JobPending || j.Attempts != 1 || !strings.Contains(j.LastError, "deadline") {
			t.Errorf("the blocked one: %+v", j)
		}
		if n := w.log.count("hook installed j"); n != 1 {
			t.Errorf("the one behind it was applied %d times: %v", n, w.log.lines)
		}
		time.Sleep(2 * backoff[0])
		synctest.Wait()
		if j := w.job("e"); j.State != instance.JobDone || w.row().RemovedAt.IsZero() {
			t.Errorf("it did not come again: %+v", j)
		}
	})
}

// A revival by a token and a plan that a refresh shows reach the hook from the queue, even
// if it fails at first.
func TestWorker_appliesEventsOfTheStore(t *testing.T) {
	hooked(t, &fakeWix{app: plan("gold")}, func(w *world, setHook func(func() error)) {
		setHook(func() error {
			if w.log.count("hook revived") == 1 && w.log.count("hook plan_changed") == 0 {
				return errors.New("boom")
			}
			return nil
		})
		w.accept("e", instance.EventRemoved)
		w.worker.Wake()
		time.Sleep(time.Second)
		v := instance.Visit{InstanceID: "i", IssuedAt: time.Now(), At: time.Now()}
		if row, err := w.store.Seen(w.Context(), v); err != nil || !row.RemovedAt.IsZero() {
			t.Fatalf("a broken hook costs the visitor: %+v, %v", row, err)
		}
		w.requestRefresh("i")
		time.Sleep(2*backoff[0] + defaultPoll)
		synctest.Wait()
		for text, want := range map[string]int{
			"hook removed i": 1, "hook revived i": 2, "hook plan_changed i gold": 1,
			"observed revived retried": 1, "observed revived done": 1, "observed plan_refreshed done": 1,
		} {
			if n := w.log.count(text); n != want {
				t.Errorf("%q comes %d times, want %d: %v", text, n, want, w.log.lines)
			}
		}
	})
}

func TestFromWebhook_lowerCaseIDs(t *testing.T) {
	got := FromWebhook(wix.Event{Type: wix.AppInstalled, InstanceID: "ABCDEF", OriginInstanceID: "FEDCBA"}, time.Now())
	if got.InstanceID != "abcdef" || got.OriginID != "fedcba" {
		t.Errorf("%+v", got)
	}
}
