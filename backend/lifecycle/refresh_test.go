package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
)

func TestWorker_RequestRefresh(t *testing.T) {
	bubble(t, &fakeWix{app: plan("gold")}, func(w *world) {
		w.worker.RequestRefresh("i")
		synctest.Wait()
		if row := w.row(); row.Profile.Plan.Name != "gold" || row.ProfileAt.IsZero() {
			t.Errorf("%+v", row)
		}
	})
}

func TestWorker_RequestRefresh_manyAreOne(t *testing.T) {
	bubble(t, &fakeWix{app: plan("gold"), delay: time.Second}, func(w *world) {
		for range 59 {
			for range 100 {
				w.worker.RequestRefresh("i")
			}
			time.Sleep(time.Second)
		}
		if n := len(w.wix.times()); n != 1 {
			t.Errorf("%d reads within a minute", n)
		}
		time.Sleep(2 * requestPause)
		w.worker.RequestRefresh("i")
		time.Sleep(2 * time.Second)
		if n := len(w.wix.times()); n != 2 {
			t.Errorf("%d reads when it was wanted again", n)
		}
	})
}

func TestWorker_RequestRefresh_keepsTheRestAfterAFailure(t *testing.T) {
	bubble(t, &fakeWix{err: errors.New("Wix is down")}, func(w *world) {
		for range int(4 * time.Hour / time.Second) {
			w.worker.RequestRefresh("i")
			time.Sleep(time.Second)
		}
		if n := len(w.wix.times()); n != 5 { // at 0, 1, 6, 36 and 156 minutes
			t.Errorf("%d reads in four hours", n)
		}
	})
}

func TestWorker_RequestRefresh_revivesADeadOne(t *testing.T) {
	bubble(t, &fakeWix{err: errors.New("Wix is down")}, func(w *world) {
		w.pollSlowly()
		w.requestRefresh("i")
		time.Sleep(3 * 24 * time.Hour)
		w.wix.answer(plan("gold"), nil)
		if w.deadLetters() != 1 {
			t.Fatal("it is not dead")
		}
		w.worker.RequestRefresh("i")
		synctest.Wait()
		if w.deadLetters() != 0 || w.row().Profile.Plan.Name != "gold" {
			t.Errorf("%+v", w.job(refreshJob))
		}
	})
}

// stuck is a job queue that never answers.
type stuck struct{ instance.Jobs }

func (stuck) JobsOf(ctx context.Context, _ string) ([]instance.Job, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestWorker_RequestRefresh_hangingStore(t *testing.T) {
	bubble(t, &fakeWix{}, func(w *world) {
		o := w.options()
		o.Jobs = stuck{w.store}
		worker := NewWorker(o)
		begun := time.Now()
		for n := range 3 * queueSize {
			worker.RequestRefresh(fmt.Sprint(n))
		}
		worker.Close()
		if took := time.Since(begun); took != 0 {
			t.Errorf("it took %v", took)
		}
	})
}

func TestRefreshQueue_isBounded(t *testing.T) {
	w := refreshQueue{queue: make(chan string, 1)}
	for n := range 5 * maxRecent {
		w.add(fmt.Sprint(n), time.Unix(1, 0))
		<-w.queue
		if n := len(w.recent) + len(w.before); n > 2*maxRecent {
			t.Fatalf("%d instances are remembered", n)
		}
	}
}

func TestRefreshQueue_pausesAWholeMinute(t *testing.T) {
	w := refreshQueue{queue: make(chan string, 9)}
	for _, request := range []struct {
		id     string
		second int64
	}{{"a", 1}, {"b", 60}, {"b", 62}, {"b", 119}, {"b", 182}} {
		w.add(request.id, time.Unix(request.second, 0))
	}
	if n := len(w.queue); n != 3 {
		t.Errorf("%d requests were queued, want those for a, and for b at 60 and at 182 seconds", n)
	}
}

func TestRefreshQueue_fullQueueDropsTheRequest(t *testing.T) {
	w := refreshQueue{queue: make(chan string, 1)}
	w.add("a", time.Unix(1, 0))
	w.add("b", time.Unix(1, 0))
	if got := <-w.queue; got != "a" {
		t.Fatal(got)
	}
	w.add("b", time.Unix(2, 0))
	if len(w.queue) != 1 {
		t.Error("b is ignored, although its request was dropped")
	}
}

func TestWorker_Save(t *testing.T) {
	bubble(t, &fakeWix{app: plan("gold")}, func(w *world) {
		record := func(id string, app wix.AppInstance) {
			t.Helper()
			if err := w.worker.Save(w.Context(), id, &app); err != nil {
				t.Fatal(err)
			}
		}
		record("deleted", plan("gold"))
		if _, err := w.store.Find(w.Context(), "deleted"); !errors.Is(err, instance.ErrNotFound) {
			t.Errorf("a deleted instance came back: %v", err)
		}
		record("i", plan("gold"))
		first := time.Now()
		if row := w.row(); row.Profile.Plan.Name != "gold" || !row.ProfileAt.Equal(first) {
			t.Errorf("the first report was not written: %+v", row)
		}
		time.Sleep(time.Minute)
		record("i", plan("gold"))
		if at := w.row().ProfileAt; !at.Equal(first) {
			t.Error("the same report a minute later was written again")
		}
		changed := plan("gold")
		changed.Site.SiteDisplayName = wix.Some("Laden 2")
		record("i", changed)
		if at := w.row().ProfileAt; !at.Equal(time.Now()) {
			t.Error("a change was not written")
		}
		time.Sleep(2 * instance.SeenEvery)
		record("i", changed)
		if at := w.row().ProfileAt; !at.Equal(time.Now()) {
			t.Error("the time of the last report was lost")
		}
	})
}

func TestWorker_Save_keepsANewerPlan(t *testing.T) {
	bubble(t, &fakeWix{app: plan("gold")}, func(w *world) {
		w.accept("e", instance.EventPlan)
		w.worker.Wake()
		synctest.Wait()
		w.wix.answer(plan("silver"), nil)
		// A minute later a report comes from a cache that is older than the plan.
		time.Sleep(time.Minute)
		was := plan("")
		if err := w.worker.Save(w.Context(), "i", &was); err != nil {
			t.Fatal(err)
		}
		if name := w.row().Profile.Plan.Name; name != "gold" {
			t.Errorf("the plan is %q", name)
		}
		synctest.Wait()
		if name := w.row().Profile.Plan.Name; name != "silver" {
			t.Errorf("Wix was not asked what it is: %q", name)
		}
	})
}

// Another process, whose clock is an hour ahead, has stored what Wix reported.
func TestWorker_refresh_isNewerThanAClockAhead(t *testing.T) {
	ahead := func(w *world) {
		if _, err := w.store.SaveProfile(context.Background(), "i", instance.Profile{Plan: instance.NewPlan("silver")}, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	bubble(t, &fakeWix{app: plan("gold")}, func(w *world) {
		ahead(w)
		w.requestRefresh("i")
		if row := w.row(); row.Profile.Plan.Name != "gold" || row.Profile.SiteDisplayName != "Laden" {
			t.Errorf("after a refresh: %+v", row)
		}
	})
	bubble(t, &fakeWix{}, func(w *world) {
		ahead(w)
		app := plan("silver")
		if err := w.worker.Save(context.Background(), "i", &app); err != nil {
			t.Fatal(err)
		}
		if row := w.row(); row.Profile.SiteDisplayName != "Laden" {
			t.Errorf("after a report: %+v", row)
		}
	})
}

func TestProfileOf(t *testing.T) {
	absent := wix.AppInstance{Instance: wix.Instance{InstanceID: "i"}}
	freeWithBilling := plan("gold")
	freeWithBilling.Instance.IsFree = wix.Some(true)
	silent := plan("gold")
	silent.Instance.IsFree = wix.Optional[bool]{}
	multilingual := plan("gold")
	multilingual.Site.Multilingual = wix.Some(wix.Multilingual{SupportedLanguages: wix.Some([]wix.SupportedLanguage{
		{LanguageCode: wix.Some("de")}, {}, {LanguageCode: wix.Some("en")},
	})})
	shop := instance.Profile{Plan: instance.NewPlan("gold"), Locale: "de", Currency: "EUR", SiteDisplayName: "Laden"}
	free, languages := shop, shop
	free.Plan = instance.NewPlan("")
	languages.Languages = []string{"de", "en"}
	for _, tt := range []struct {
		name string
		app  wix.AppInstance
		want instance.Profile
	}{
		{"a paid plan", plan("gold"), shop},
		{"nothing but the id is a free site of which nothing is known", absent, instance.Profile{Plan: instance.NewPlan("")}},
		{"isFree outweighs a billing that is still there", freeWithBilling, free},
		{"a plan's name without isFree is a paid plan", silent, shop},
		{"languages without a code are left out", multilingual, languages},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, profileOf(&tt.app)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A refusal by our own budget of calls is no attempt: it makes no dead letter, however many
// events come.
func TestWorker_budgetSpentIsNoAttempt(t *testing.T) {
	spent := fmt.Errorf("read: %w", &apierr.Error{Code: apierr.RateLimited, RetryAfter: time.Second, Err: identity.ErrBudgetSpent})
	bubble(t, &fakeWix{app: plan("gold"), err: spent}, func(w *world) {
		for n := range 29 {
			w.accept(fmt.Sprint(n), instance.EventPlan)
			w.worker.Wake()
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		j := w.job(refreshJob)
		if j.State != instance.JobPending || j.Attempts != 0 || !strings.Contains(j.LastError, "budget") || w.deadLetters() != 0 {
			t.Errorf("%+v", j)
		}
		if n := len(w.wix.times()); n < int(time.Hour/(2*deferred)) || n > int(time.Hour/deferred)+29 {
			t.Errorf("tried %d times in an hour", n)
		}
		if n := w.log.count("observed refresh deferred"); n != len(w.wix.times()) {
			t.Errorf("%d of %d tries were counted as deferred", n, len(w.wix.times()))
		}
		w.wix.answer(plan("gold"), nil)
		time.Sleep(2 * deferred)
		synctest.Wait()
		if j := w.job(refreshJob); j.State != instance.JobDone || w.row().Profile.SiteDisplayName != "Laden" {
			t.Errorf("not read at last: %+v", j)
		}
	})
}

// Events that come while Wix is away do not make a storm of tries, nor a dead letter.
func TestWorker_eventsWhileWixIsAway(t *testing.T) {
	for _, tt := range []struct {
		name   string
		every  time.Duration
		delay  time.Duration // until Wix fails
		events int
	}{
		{"in a burst", 20 * time.Millisecond, 0, 150},
		{"while it is being asked", time.Second, 10 * time.Second, 150},
		{"now and then", 10 * time.Minute, 0, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, &fakeWix{err: errDown, delay: tt.delay}, func(w *world) {
				w.pollSlowly()
				begun := time.Now()
				for n := range tt.events {
					w.accept(fmt.Sprint(n), instance.EventPlan)
					w.worker.Wake()
					time.Sleep(tt.every)
				}
				synctest.Wait()
				most := int(time.Since(begun)/instance.RefreshRest) + 2
				if n := len(w.wix.times()); n > most || n < min(2, most-1) {
					t.Errorf("asked %d times in %v", n, time.Since(begun))
				}
				if w.deadLetters() != 0 || w.wix.atOnce() > 1 {
					t.Errorf("%d dead letters, asked %d at once", w.deadLetters(), w.wix.atOnce())
				}
				w.wix.answer(plan("gold"), nil)
				time.Sleep(time.Hour) // the rest after the last event's own failures
				synctest.Wait()
				if j := w.job(refreshJob); j.State != instance.JobDone {
					t.Errorf("not read at last: %+v", j)
				}
			})
		})
	}
}
