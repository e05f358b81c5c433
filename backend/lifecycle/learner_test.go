package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nametag/backend/instance"
	"nametag/backend/store/memstore"
	"nametag/backend/wix"
)

// fakeWix answers every read with one app instance, or with an error.
type fakeWix struct {
	mu    sync.Mutex
	said  wix.AppInstance
	err   error
	delay time.Duration
	calls int
}

func (f *fakeWix) AppInstance(ctx context.Context, _ string) (wix.AppInstance, error) {
	f.mu.Lock()
	f.calls++
	said, err, delay := f.said, f.err, f.delay
	f.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-ctx.Done():
		return wix.AppInstance{}, ctx.Err()
	}
	return said, err
}

func (f *fakeWix) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

func gold() wix.AppInstance {
	return wix.AppInstance{
		Instance: wix.Instance{InstanceID: "i", IsFree: wix.Some(false), Billing: wix.Some(wix.Billing{PackageName: wix.Some("gold")})},
		Site:     wix.Site{SiteDisplayName: wix.Some("Laden"), Locale: wix.Some("de"), PaymentCurrency: wix.Some("EUR")},
	}
}

// bubble runs a test on a learner whose time stands still but for sleeping.
func bubble(t *testing.T, w *fakeWix, test func(*Learner, instance.Store)) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		if _, err := store.Seen(t.Context(), "i", "", time.Now()); err != nil {
			t.Fatal(err)
		}
		l := NewLearner(w, store, slog.New(slog.DiscardHandler), time.Now)
		defer l.Close()
		test(l, store)
	})
}

func TestWhatIsWantedIsLearnt(t *testing.T) {
	w := &fakeWix{said: gold()}
	bubble(t, w, func(l *Learner, store instance.Store) {
		l.Want("i")
		synctest.Wait()
		row, err := store.Find(context.Background(), "i")
		if err != nil || row.Profile.Plan.Name != "gold" || row.ProfileAt.IsZero() {
			t.Errorf("%+v, %v", row, err)
		}
	})
}

func TestManyWishesAreOneRead(t *testing.T) {
	w := &fakeWix{said: gold(), delay: time.Second}
	bubble(t, w, func(l *Learner, _ instance.Store) {
		for range 1000 {
			l.Want("i")
		}
		time.Sleep(10 * time.Second)
		if n := w.count(); n != 1 {
			t.Errorf("%d reads", n)
		}
	})
}

func TestAFailureRestsAMinute(t *testing.T) {
	w := &fakeWix{err: errors.New("Wix is down")}
	bubble(t, w, func(l *Learner, _ instance.Store) {
		for range 59 {
			l.Want("i")
			time.Sleep(time.Second)
		}
		if n := w.count(); n != 1 {
			t.Errorf("%d reads within a minute", n)
		}
		time.Sleep(2 * time.Second)
		l.Want("i")
		synctest.Wait()
		if n := w.count(); n != 2 {
			t.Errorf("%d reads after it", n)
		}
	})
}

func TestAFullQueueBlocksNobody(t *testing.T) {
	w := &fakeWix{said: gold(), delay: time.Minute}
	bubble(t, w, func(l *Learner, _ instance.Store) {
		for i := range 3 * queueSize {
			l.Want(fmt.Sprint(i))
		}
		if n := len(l.waiting); n > 2*queueSize {
			t.Errorf("%d instances are remembered", n)
		}
	})
}

func TestRecord(t *testing.T) {
	ctx := t.Context()
	store := memstore.New()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	l := NewLearner(&fakeWix{}, store, slog.New(slog.DiscardHandler), func() time.Time { return now })
	defer l.Close()
	if err := l.Record(ctx, "deleted", gold()); err != nil {
		t.Errorf("an instance that is gone: %v", err)
	}
	if _, err := store.Find(ctx, "deleted"); !errors.Is(err, instance.ErrNotFound) {
		t.Errorf("it came back: %v", err)
	}
	if _, err := store.Seen(ctx, "i", "", now); err != nil {
		t.Fatal(err)
	}
	readAt := func() time.Time {
		t.Helper()
		row, err := store.Find(ctx, "i")
		if err != nil {
			t.Fatal(err)
		}
		return row.ProfileAt
	}
	record := func(said wix.AppInstance) {
		t.Helper()
		if err := l.Record(ctx, "i", said); err != nil {
			t.Fatal(err)
		}
	}
	record(gold())
	first := now
	now = now.Add(time.Minute)
	record(gold())
	if at := readAt(); !at.Equal(first) {
		t.Error("the same news a minute later was written again")
	}
	changed := gold()
	changed.Site.SiteDisplayName = wix.Some("Laden 2")
	record(changed)
	if at := readAt(); !at.Equal(now) {
		t.Error("a change was not written")
	}
	now = now.Add(2 * instance.SeenEvery)
	record(changed)
	if at := readAt(); !at.Equal(now) {
		t.Error("the time of the last reading was lost")
	}
}

func TestProfile(t *testing.T) {
	absent := wix.AppInstance{Instance: wix.Instance{InstanceID: "i"}}
	freeWithBilling := gold()
	freeWithBilling.Instance.IsFree = wix.Some(true)
	silent := gold()
	silent.Instance.IsFree = wix.Optional[bool]{}
	multilingual := gold()
	multilingual.Site.Multilingual = wix.Some(wix.Multilingual{SupportedLanguages: wix.Some([]wix.SupportedLanguage{
		{LanguageCode: wix.Some("de")}, {}, {LanguageCode: wix.Some("en")},
	})})
	shop := instance.Profile{Plan: instance.Plan{Name: "gold"}, Locale: "de", Currency: "EUR", SiteDisplayName: "Laden"}
	free, languages := shop, shop
	free.Plan = instance.Plan{Free: true}
	languages.Languages = []string{"de", "en"}
	for _, tt := range []struct {
		name string
		said wix.AppInstance
		want instance.Profile
	}{
		{"a paid plan", gold(), shop},
		{"nothing but the id is a free site of which nothing is known", absent, instance.Profile{Plan: instance.Plan{Free: true}}},
		{"isFree outweighs a billing that is still there", freeWithBilling, free},
		{"a plan's name without isFree is a paid plan", silent, shop},
		{"languages without a code are left out", multilingual, languages},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, profileOf(tt.said)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
