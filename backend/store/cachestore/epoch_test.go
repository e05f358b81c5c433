package cachestore

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// fakeClock is a clock that a test sets.
type fakeClock struct{ since atomic.Int64 }

func (h *fakeClock) now() time.Time { return noon().Add(time.Duration(h.since.Load())) }

func (h *fakeClock) set(since time.Duration) { h.since.Store(int64(since)) }

// elsewhere saves the next version, as another replica would.
func (s *spy) elsewhere(t *testing.T, version int64) {
	t.Helper()
	must(t)(s.Storage.SaveSettings(context.Background(), "a", greeting("Hi"), version))
}

func wantVersion(t *testing.T, s *Store, want int64) {
	t.Helper()
	if row := must(t)(s.Find(t.Context(), "a")); row.Version != want {
		t.Errorf("the version is %d, want %d", row.Version, want)
	}
}

// The row is read at noon, and again when another replica has changed it a second later.
func TestStore_Disconnected_ageOfRows(t *testing.T) {
	const hour = time.Hour
	for _, row := range []struct {
		name string
		// since are the moments of Disconnected; forever stands for Connected.
		since []time.Duration
		age   time.Duration
		want  int64
	}{
		{"connected from the beginning", nil, hour, 0},
		{"disconnected at once, a fresh row", []time.Duration{0}, 0, 0},
		{"disconnected at once, a row that is just young enough", []time.Duration{0}, DisconnectedAge - 1, 0},
		{"disconnected at once, a row that is too old", []time.Duration{0}, DisconnectedAge, 1},
		{"disconnected twice", []time.Duration{0, 0}, DisconnectedAge, 1},
		{"disconnected an hour after the read, just young enough", []time.Duration{hour}, hour + DisconnectedAge - 1, 0},
		{"disconnected an hour after the read, too old", []time.Duration{hour}, hour + DisconnectedAge, 1},
		{"disconnected since before the read, just young enough", []time.Duration{-hour}, DisconnectedAge - 1, 0},
		{"disconnected since before the read, too old", []time.Duration{-hour}, DisconnectedAge, 1},
		{"connected again", []time.Duration{0, forever}, 0, 1},
		{"connected again, for the second time", []time.Duration{0, forever, forever}, hour, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			var clock fakeClock
			s, behind := known(t, Options{Now: clock.now})
			behind.elsewhere(t, 0)
			for _, since := range row.since {
				if since == forever {
					reconnect(s)
				} else {
					s.Disconnected(noon().Add(since))
				}
			}
			clock.set(row.age)
			wantVersion(t, s, row.want)
			if seen := must(t)(s.Seen(t.Context(), visit("a", "site", noon()))); seen.Version != row.want {
				t.Errorf("Seen returned version %d, want %d", seen.Version, row.want)
			}
			behind.wantCalls(t, row.want, 0)
		})
	}
}

const forever = time.Duration(1<<63 - 1)

func TestStore_Disconnected_rowReadWhileDisconnected(t *testing.T) {
	var clock fakeClock
	s, behind := known(t, Options{Now: clock.now})
	s.Disconnected(noon())
	clock.set(time.Hour)
	wantVersion(t, s, 0)
	behind.wantCalls(t, 1, 0)
	behind.elsewhere(t, 0)
	clock.set(time.Hour + DisconnectedAge - 1)
	wantVersion(t, s, 0)
	clock.set(time.Hour + DisconnectedAge)
	wantVersion(t, s, 1)
	reconnect(s)
	wantVersion(t, s, 1)
	behind.wantCalls(t, 3, 0)
}

func TestStore_Disconnected_oneReadForManyCallers(t *testing.T) {
	var clock fakeClock
	s, behind := known(t, Options{Now: clock.now})
	s.Disconnected(noon())
	for round := range int64(5) {
		clock.set(time.Duration(round+1) * DisconnectedAge)
		behind.elsewhere(t, round)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { wantVersion(t, s, round+1) })
		}
		all.Wait()
		wantVersion(t, s, round+1)
	}
	behind.wantCalls(t, 5, 0)
}

func TestStore_Disconnected_slowReadIsServed(t *testing.T) {
	var clock fakeClock
	s, behind := known(t, Options{Now: clock.now})
	s.Disconnected(noon())
	clock.set(time.Hour)
	behind.afterFind = func() { clock.since.Add(int64(2 * DisconnectedAge)) }
	wantVersion(t, s, 0)
	behind.wantCalls(t, 1, 0)
}

func TestStore_Disconnected_faultInsteadOfOldRow(t *testing.T) {
	var clock fakeClock
	_, behind := known(t, Options{})
	broken := &failing{Storage: behind}
	s := New(broken, Options{Now: clock.now})
	must(t)(s.Find(t.Context(), "a"))
	broken.err = errors.New("the server is gone")
	clock.set(time.Hour)
	s.Disconnected(clock.now())
	must(t)(s.Find(t.Context(), "a"))
	clock.set(time.Hour + DisconnectedAge)
	for range 2 {
		if row, err := s.Find(t.Context(), "a"); !errors.Is(err, broken.err) {
			t.Errorf("Find = %+v, %v", row, err)
		}
	}
	broken.err = nil
	must(t)(s.Find(t.Context(), "a"))
}

// A row that MaxAge wants read again, while the database fails: it is served on where it is
// known to be true, and nowhere else.
func TestStore_MaxAge_databaseAway(t *testing.T) {
	for _, row := range []struct {
		name   string
		before func(s *Store)
		after  func(s *Store, now time.Time)
		serves bool
	}{
		{"where nothing is notified", func(*Store) {}, func(*Store, time.Time) {}, false},
		{"connected", connect, func(*Store, time.Time) {}, true},
		{"disconnected just now", connect, func(s *Store, now time.Time) { s.Disconnected(now) }, true},
		{"disconnected for too long", connect, func(s *Store, now time.Time) { s.Disconnected(now.Add(-DisconnectedAge)) }, false},
		{"connected again", connect, func(s *Store, now time.Time) { s.Disconnected(now); reconnect(s) }, false},
		{"changed elsewhere", connect, func(s *Store, _ time.Time) { s.Invalidate("a") }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			var clock fakeClock
			_, behind := known(t, Options{})
			broken := &failing{Storage: behind}
			s := New(broken, Options{Now: clock.now, MaxAge: time.Minute})
			row.before(s)
			must(t)(s.Find(t.Context(), "a"))
			broken.err = errors.New("the server is gone")
			clock.set(time.Hour)
			row.after(s, clock.now())
			for range 3 {
				if got, err := s.Find(t.Context(), "a"); row.serves != (err == nil) || err != nil && !errors.Is(err, broken.err) {
					t.Errorf("Find = %+v, %v; want it served: %v", got, err, row.serves)
				}
			}
			broken.err = nil
			behind.elsewhere(t, 0)
			clock.set(time.Hour + retryAfter)
			wantVersion(t, s, 1)
		})
	}
}

func connect(s *Store) {
	s.Disconnected(time.Time{})
	reconnect(s)
}

func reconnect(s *Store) {
	s.InvalidateAll()
	s.Connected()
}

// An instance that was deleted is no fault that an old row could stand in for.
func TestStore_MaxAge_deletedElsewhere(t *testing.T) {
	var clock fakeClock
	s, behind := known(t, Options{Now: clock.now, MaxAge: time.Minute})
	connect(s)
	must(t)(s.Find(t.Context(), "a"))
	if err := behind.Storage.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	clock.set(time.Minute)
	if row, err := s.Find(t.Context(), "a"); !errors.Is(err, instance.ErrNotFound) {
		t.Errorf("Find = %+v, %v", row, err)
	}
}

// While the database fails, a row that is served on is not asked for with each request.
func TestStore_MaxAge_asksSeldomWhileDatabaseAway(t *testing.T) {
	var clock fakeClock
	_, behind := known(t, Options{})
	broken := &failing{Storage: behind}
	counted := &spy{Storage: broken}
	s := New(counted, Options{Now: clock.now, MaxAge: time.Minute})
	connect(s)
	must(t)(s.Find(t.Context(), "a"))
	broken.err = errors.New("the server is gone")
	for round := range 3 {
		clock.set(time.Hour + time.Duration(round)*retryAfter)
		for range 10 {
			must(t)(s.Find(t.Context(), "a"))
		}
	}
	counted.wantCalls(t, 4, 0)
}

func TestStore_InvalidateAll(t *testing.T) {
	for _, connected := range []bool{true, false} {
		s, behind := known(t, Options{Now: new(fakeClock).now})
		if !connected {
			s.Disconnected(noon())
		}
		for _, id := range []string{"b", "c"} {
			must(t)(behind.Storage.Seen(t.Context(), visit(id, "", noon())))
			must(t)(s.Find(t.Context(), id))
		}
		behind.finds.Store(0)
		behind.elsewhere(t, 0)
		s.InvalidateAll()
		wantVersion(t, s, 1)
		must(t)(s.Find(t.Context(), "b"))
		must(t)(s.Find(t.Context(), "c"))
		behind.wantCalls(t, 3, 0)
		must(t)(s.Find(t.Context(), "b"))
		behind.wantCalls(t, 3, 0)
	}
}

// A load that has read the row before everything is dropped, and ends after.
func TestStore_InvalidateAll_duringLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, behind := known(t, Options{})
		s.Invalidate("a")
		release := make(chan struct{})
		var loads atomic.Int64
		behind.afterFind = func() {
			if loads.Add(1) == 1 {
				<-release
			}
		}
		var early sync.WaitGroup
		for range 3 {
			early.Go(func() { s.Find(t.Context(), "a") })
		}
		synctest.Wait() // the load has read the old row
		behind.elsewhere(t, 0)
		s.InvalidateAll()
		var late sync.WaitGroup
		late.Go(func() { wantVersion(t, s, 1) })
		synctest.Wait()
		close(release)
		early.Wait()
		late.Wait()
		wantVersion(t, s, 1)
	})
}

func TestStore_InvalidateAll_amongManyReaders(t *testing.T) {
	var clock fakeClock
	s, behind := known(t, Options{Now: clock.now})
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for least := int64(0); ; {
				select {
				case <-stop:
					return
				default:
				}
				row, err := s.Find(t.Context(), "a")
				if err != nil || row.Version < least {
					t.Errorf("read version %d after %d: %v", row.Version, least, err)
					return
				}
				least = row.Version
			}
		})
	}
	for version := range int64(200) {
		if version%3 == 0 {
			s.Connected()
		} else {
			s.Disconnected(clock.now())
		}
		behind.elsewhere(t, version)
		s.InvalidateAll()
		wantVersion(t, s, version+1)
		clock.since.Add(int64(time.Second))
	}
	close(stop)
	readers.Wait()
}

// removed returns a store that has read the row "a", removed an hour past noon.
func removed(t *testing.T) (*Store, *spy) {
	t.Helper()
	s, behind := known(t, Options{})
	event := instance.Event{
		ID: "removal", InstanceID: "a", Kind: instance.EventRemoved, At: noon().Add(time.Hour), ReceivedAt: noon().Add(time.Hour),
	}
	if _, change, err := s.ApplyEvent(t.Context(), event, event.At); err != nil || !change.Removed {
		t.Fatalf("ApplyEvent: %+v, %v", change, err)
	}
	must(t)(s.Find(t.Context(), "a"))
	behind.finds.Store(0)
	return s, behind
}

func TestStore_Seen_removedAdmitsOnlyNewerToken(t *testing.T) {
	for _, row := range []struct {
		name   string
		issued time.Time
		admits bool
	}{
		{"a token from before the removal", noon().Add(time.Hour - time.Millisecond), false},
		{"a token from the moment of the removal", noon().Add(time.Hour), false},
		{"a token of an unknown time", time.Time{}, false},
		{"a token from after the removal", noon().Add(time.Hour + time.Millisecond), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, behind := removed(t)
			v := instance.Visit{InstanceID: "a", SiteID: "another site", IssuedAt: row.issued, At: noon().Add(24 * time.Hour)}
			got := must(t)(s.Seen(t.Context(), v))
			if got.Admits(v.IssuedAt) != row.admits || got.RemovedAt.IsZero() != row.admits {
				t.Errorf("the instance is %+v", got)
			}
			cached := must(t)(s.Find(t.Context(), "a"))
			if cached.RemovedAt.IsZero() != row.admits || (cached.SiteID == "another site") != row.admits {
				t.Errorf("afterwards the instance is %+v", cached)
			}
			if row.admits {
				behind.wantCalls(t, 1, 1)
			} else {
				behind.wantCalls(t, 0, 0)
			}
		})
	}
}

// changes reports whether the instance itself takes a visit for a change.
func changes(row instance.Instance, v instance.Visit) bool {
	changed, _ := row.Visit(v)
	return changed
}

func TestEntry_agreesWithVisit(t *testing.T) {
	times := []time.Time{{}, noon().Add(-time.Millisecond), noon(), noon().Add(instance.SeenEvery - 1), noon().Add(instance.SeenEvery), noon().Add(time.Hour)}
	agrees := func(removedAt, last, issued, at time.Time, site string) {
		row := instance.NewInstance("a", noon())
		row.SiteID, row.RemovedAt, row.LastRemovedAt, row.StatusAt = "site", removedAt, last, last
		e, v := &entry{row: row}, instance.Visit{InstanceID: "a", SiteID: site, IssuedAt: issued, At: at}
		if change, want := e.revives(v) || !e.isUpToDate(v), changes(row, v); change != want {
			t.Errorf("removed at %v, before that at %v, %+v: change %v, want %v", removedAt, last, v, change, want)
		}
	}
	for _, removedAt := range times {
		for _, issued := range times {
			for _, at := range times[1:] {
				for _, site := range []string{"", "site", "other"} {
					agrees(removedAt, removedAt, issued, at, site)
					agrees(time.Time{}, removedAt, issued, at, site)
				}
			}
		}
	}
}

func TestStore_Seen_revivalMustBeWritten(t *testing.T) {
	s, behind := removed(t)
	full := errors.New("disk full")
	behind.beforeSeen = func(context.Context) error { return full }
	v := instance.Visit{InstanceID: "a", IssuedAt: noon().Add(2 * time.Hour), At: noon().Add(2 * time.Hour)}
	for range 2 {
		if row, err := s.Seen(t.Context(), v); !errors.Is(err, full) {
			t.Errorf("Seen = %+v, %v", row, err)
		}
	}
	behind.beforeSeen = nil
	if row := must(t)(s.Seen(t.Context(), v)); !row.RemovedAt.IsZero() {
		t.Errorf("Seen returned %+v", row)
	}
}

func TestStore_Seen_manyRevive(t *testing.T) {
	s, _ := removed(t)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			v := instance.Visit{InstanceID: "a", IssuedAt: noon().Add(2 * time.Hour), At: noon().Add(2 * time.Hour)}
			if row := must(t)(s.Seen(t.Context(), v)); !row.RemovedAt.IsZero() {
				t.Errorf("Seen returned %+v", row)
			}
		})
	}
	all.Wait()
}

func TestStore_ApplyEvent_dropsTheRow(t *testing.T) {
	s, _ := known(t, Options{})
	at := noon().Add(time.Hour)
	plan := instance.Event{ID: "plan", InstanceID: "a", Kind: instance.EventPlan, Plan: "gold", At: at, ReceivedAt: at}
	if _, _, err := s.ApplyEvent(t.Context(), plan, at); err != nil {
		t.Fatal(err)
	}
	if row := must(t)(s.Find(t.Context(), "a")); row.Profile.Plan.Name != "gold" {
		t.Errorf("after the plan's event the row is %+v", row)
	}
	removal := instance.Event{ID: "removal", InstanceID: "a", Kind: instance.EventRemoved, At: at, ReceivedAt: at}
	if _, _, err := s.ApplyEvent(t.Context(), removal, at); err != nil {
		t.Fatal(err)
	}
	if row := must(t)(s.Find(t.Context(), "a")); !row.RemovedAt.Equal(at) {
		t.Errorf("after the removal the row is %+v", row)
	}
	if purged, err := s.PurgeRemoved(t.Context(), at.Add(1)); err != nil || len(purged) != 0 {
		t.Errorf("PurgeRemoved = %v, %v", purged, err)
	}
	if purged, err := s.PurgeRemoved(t.Context(), at.Add(time.Second)); err != nil || len(purged) != 1 {
		t.Errorf("PurgeRemoved = %v, %v", purged, err)
	}
	if row, err := s.Find(t.Context(), "a"); !errors.Is(err, instance.ErrNotFound) {
		t.Errorf("after the purge: %+v, %v", row, err)
	}
}

// halfway purges, and then returns an error.
type halfway struct{ Storage }

func (h halfway) PurgeRemoved(ctx context.Context, before time.Time) ([]string, error) {
	h.Storage.PurgeRemoved(ctx, before)
	return nil, errors.New("the connection was lost")
}

func TestStore_PurgeRemoved_unknownOutcome(t *testing.T) {
	_, behind := removed(t)
	s := New(halfway{behind}, Options{})
	must(t)(s.Find(t.Context(), "a"))
	if _, err := s.PurgeRemoved(t.Context(), noon().Add(2*time.Hour)); err == nil {
		t.Error("PurgeRemoved hides the error")
	}
	if row, err := s.Find(t.Context(), "a"); !errors.Is(err, instance.ErrNotFound) {
		t.Errorf("after the purge: %+v, %v", row, err)
	}
}
