package cachestore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
	"github.com/nametag-dev/nametag/backend/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// inMemory opens a SQLite database in memory.
func inMemory(t testing.TB) Storage { return openInner(t, "sqlite::memory:", kit.Data{}) }

func openInner(t testing.TB, databaseURL string, data kit.Data) Storage {
	t.Helper()
	s, err := sqlstore.Open(context.Background(), databaseURL, sqlstore.Options{App: data})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// databases name stores to stand in front of, each of its own. Only those in memory are
// still to be migrated.
func databases(t testing.TB) map[string]func(t testing.TB) string {
	migrate := func(databaseURL string) {
		if err := openInner(t, databaseURL, kit.Data{}).Close(); err != nil {
			t.Fatal(err)
		}
	}
	return map[string]func(t testing.TB) string{
		"memory":   func(testing.TB) string { return "sqlite::memory:" },
		"SQLite":   storetest.Files(t, migrate),
		"Postgres": pgtest.Template(t, migrate),
	}
}

// greeting is settings of an app that has one text.
func greeting(text string) json.RawMessage {
	encoded, err := json.Marshal(map[string]string{"greeting": text})
	if err != nil {
		panic(err)
	}
	return encoded
}

func visit(id, siteID string, at time.Time) instance.Visit {
	return instance.Visit{InstanceID: id, SiteID: siteID, At: at}
}

func TestStore(t *testing.T) {
	urls := databases(t)
	for _, row := range []struct {
		database, name string
		o              Options
	}{
		{"SQLite", "plain", Options{}},
		{"Postgres", "plain", Options{}},
		{"memory", "plain", Options{}},
		{"memory", "with no room", Options{Size: 1}},
		{"memory", "with an age", Options{MaxAge: time.Hour}},
		{"memory", "with an age that is over at once", Options{MaxAge: time.Nanosecond}},
	} {
		open := func(t *testing.T, data kit.Data) storetest.Storage {
			s := New(openInner(t, urls[row.database](t), data), row.o)
			t.Cleanup(func() { s.Close() })
			return s
		}
		t.Run(row.database+" "+row.name, func(t *testing.T) { storetest.Run(t, open) })
		t.Run(row.database+" "+row.name+" concurrency", func(t *testing.T) { storetest.RunConcurrency(t, open) })
	}
}

// spy counts the calls of the inner store, and lets a test step into them.
type spy struct {
	Storage
	finds, seens atomic.Int64
	// afterFind runs when a row has been read and before it is returned.
	afterFind func()
	// beforeSeen runs before a visit is recorded; its error is Seen's.
	beforeSeen func(context.Context) error
	// beforeWrite runs before any other write.
	beforeWrite func()
}

func (s *spy) SaveSettings(ctx context.Context, id string, to json.RawMessage, version int64) (instance.Instance, error) {
	if s.beforeWrite != nil {
		s.beforeWrite()
	}
	return s.Storage.SaveSettings(ctx, id, to, version)
}

func (s *spy) SaveProfile(ctx context.Context, id string, p instance.Profile, at time.Time) (instance.Instance, error) {
	if s.beforeWrite != nil {
		s.beforeWrite()
	}
	return s.Storage.SaveProfile(ctx, id, p, at)
}

func (s *spy) Delete(ctx context.Context, id string) error {
	if s.beforeWrite != nil {
		s.beforeWrite()
	}
	return s.Storage.Delete(ctx, id)
}

func (s *spy) Find(ctx context.Context, id string) (instance.Instance, error) {
	s.finds.Add(1)
	row, err := s.Storage.Find(ctx, id)
	if s.afterFind != nil {
		s.afterFind()
	}
	if ctx.Err() != nil {
		return instance.Instance{}, ctx.Err()
	}
	return row, err
}

func (s *spy) Seen(ctx context.Context, v instance.Visit) (instance.Instance, error) {
	s.seens.Add(1)
	if s.beforeSeen != nil {
		if err := s.beforeSeen(ctx); err != nil {
			return instance.Instance{}, err
		}
	}
	return s.Storage.Seen(ctx, v)
}

// known returns a store that has read the row "a", and the spy behind it with its
// counts at zero.
func known(t testing.TB, o Options) (*Store, *spy) {
	t.Helper()
	behind := &spy{Storage: inMemory(t)}
	s := New(behind, o)
	t.Cleanup(func() { s.Close() })
	must(t)(behind.Storage.Seen(context.Background(), visit("a", "site", noon())))
	must(t)(behind.SaveProfile(context.Background(), "a", instance.Profile{Languages: []string{"en", "he"}}, noon()))
	must(t)(s.Find(context.Background(), "a"))
	behind.finds.Store(0)
	return s, behind
}

func must(t testing.TB) func(instance.Instance, error) instance.Instance {
	return func(row instance.Instance, err error) instance.Instance {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return row
	}
}

func (s *spy) wantCalls(t *testing.T, finds, seens int64) {
	t.Helper()
	if f, n := s.finds.Load(), s.seens.Load(); f != finds || n != seens {
		t.Errorf("the inner store was read %d times and written %d times; want %d and %d", f, n, finds, seens)
	}
}

func TestStore_knownInstanceCostsNoQuery(t *testing.T) {
	s, behind := known(t, Options{})
	for range 100 {
		must(t)(s.Find(t.Context(), "a"))
		must(t)(s.Seen(t.Context(), visit("a", "", noon())))
		must(t)(s.Seen(t.Context(), visit("a", "site", noon().Add(instance.SeenEvery-time.Millisecond))))
		must(t)(s.Seen(t.Context(), visit("a", "site", noon().Add(-time.Hour))))
	}
	behind.wantCalls(t, 0, 0)
}

func TestStore_knownInstanceCostsTwoAllocations(t *testing.T) {
	s, _ := known(t, Options{})
	ctx := context.Background()
	for name, call := range map[string]func(){
		"Find": func() { s.Find(ctx, "a") },
		"Seen": func() { s.Seen(ctx, visit("a", "site", noon())) },
	} {
		if n := testing.AllocsPerRun(1000, call); n > 2 {
			t.Errorf("%s costs %v allocations", name, n)
		}
	}
}

func TestStore_Find_unknownIsNotCached(t *testing.T) {
	s, behind := known(t, Options{})
	for range 3 {
		if _, err := s.Find(t.Context(), "b"); !errors.Is(err, instance.ErrNotFound) {
			t.Errorf("Find: %v", err)
		}
	}
	behind.wantCalls(t, 3, 0)
	must(t)(behind.Storage.Seen(t.Context(), visit("b", "", noon()))) // by another replica
	must(t)(s.Find(t.Context(), "b"))
}

func TestStore_faultsAreNotCached(t *testing.T) {
	_, behind := known(t, Options{})
	broken := &failing{Storage: behind, err: errors.New("disk on fire")}
	s := New(broken, Options{})
	for name, call := range map[string]func() error{
		"Find": func() error { _, err := s.Find(t.Context(), "a"); return err },
		"Seen": func() error { _, err := s.Seen(t.Context(), visit("a", "", noon())); return err },
	} {
		if err := call(); !errors.Is(err, broken.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken.err = nil
	must(t)(s.Find(t.Context(), "a"))
}

type failing struct {
	Storage
	err error
}

func (f *failing) Find(ctx context.Context, id string) (instance.Instance, error) {
	if f.err != nil {
		return instance.Instance{}, f.err
	}
	return f.Storage.Find(ctx, id)
}

func TestStore_manyMissesCauseOneQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, behind := known(t, Options{})
		s.Invalidate("a")
		release := make(chan struct{})
		behind.afterFind = func() { <-release }
		var all sync.WaitGroup
		for i := range 1000 {
			all.Go(func() {
				row, err := s.Find(t.Context(), "a")
				if i%2 == 0 {
					row, err = s.Seen(t.Context(), visit("a", "site", noon()))
				}
				if err != nil || row.SiteID != "site" {
					t.Errorf("got %+v, %v", row, err)
				}
			})
		}
		synctest.Wait()
		close(release)
		all.Wait()
		behind.wantCalls(t, 1, 0)
	})
}

// A database that is silent makes nobody wait for longer than LoadTimeout.
func TestStore_Find_silentDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, behind := known(t, Options{})
		s := New(silent{behind}, Options{})
		began := time.Now()
		if _, err := s.Find(t.Context(), "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Find: %v", err)
		}
		if waited := time.Since(began); waited != LoadTimeout {
			t.Errorf("it waits for %v", waited)
		}
	})
}

type silent struct{ Storage }

func (silent) Find(ctx context.Context, _ string) (instance.Instance, error) {
	<-ctx.Done()
	return instance.Instance{}, ctx.Err()
}

func TestStore_loadOutlivesItsFirstCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, behind := known(t, Options{})
		s.Invalidate("a")
		first, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		behind.afterFind = func() { <-release }
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := s.Find(first, "a"); !errors.Is(err, context.Canceled) {
				t.Errorf("Find: %v", err)
			}
		})
		synctest.Wait()
		all.Go(func() { must(t)(s.Find(t.Context(), "a")) })
		synctest.Wait()
		behind.wantCalls(t, 1, 0)
		cancel()
		close(release)
		all.Wait()
		behind.wantCalls(t, 2, 0)
	})
}

// Each row is a change made while a load that has read the row before it is held up.
func TestStore_changeDuringLoadWins(t *testing.T) {
	hi := greeting("Hi")
	for _, row := range []struct {
		name    string
		change  func(ctx context.Context, s *Store, behind *spy) error
		changed func(instance.Instance, error) bool
	}{
		{"settings saved here", func(ctx context.Context, s *Store, _ *spy) error {
			_, err := s.SaveSettings(ctx, "a", hi, 0)
			return err
		}, func(i instance.Instance, err error) bool {
			return err == nil && i.Version == 1 && string(i.Settings) == string(hi)
		}},
		{"a profile saved here", func(ctx context.Context, s *Store, _ *spy) error {
			_, err := s.SaveProfile(ctx, "a", instance.Profile{Locale: "he"}, noon().Add(time.Hour))
			return err
		}, func(i instance.Instance, err error) bool { return err == nil && i.Profile.Locale == "he" }},
		{"the instance deleted here", func(ctx context.Context, s *Store, _ *spy) error {
			return s.Delete(ctx, "a")
		}, func(_ instance.Instance, err error) bool { return errors.Is(err, instance.ErrNotFound) }},
		{"settings saved by another replica, which is notified", func(ctx context.Context, s *Store, behind *spy) error {
			_, err := behind.Storage.SaveSettings(ctx, "a", hi, 0)
			s.Invalidate("a")
			return err
		}, func(i instance.Instance, err error) bool { return err == nil && i.Version == 1 }},
		{"the instance deleted and made again by another replica", func(ctx context.Context, s *Store, behind *spy) error {
			err := behind.Storage.Delete(ctx, "a")
			s.Invalidate("a")
			if err == nil {
				_, err = behind.Storage.Seen(ctx, visit("a", "new", noon()))
			}
			s.Invalidate("a")
			return err
		}, func(i instance.Instance, err error) bool { return err == nil && i.SiteID == "new" }},
	} {
		t.Run(row.name, func(t *testing.T) {
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
				if err := row.change(t.Context(), s, behind); err != nil {
					t.Fatal(err)
				}
				// The change has been made: a call that begins now does not wait for the old load.
				if got, err := s.Find(t.Context(), "a"); !row.changed(got, err) {
					t.Errorf("while the old load was under way: %+v, %v", got, err)
				}
				close(release)
				early.Wait()
				if got, err := s.Find(t.Context(), "a"); !row.changed(got, err) {
					t.Errorf("after the old load: %+v, %v", got, err)
				}
			})
		})
	}
}

// Each row is a change, during which the row as it was is read and cached again.
func TestStore_loadDuringChangeIsDropped(t *testing.T) {
	later := noon().Add(time.Hour)
	for name, row := range map[string]struct {
		change  func(ctx context.Context, s *Store) error
		changed func(instance.Instance, error) bool
	}{
		"SaveSettings": {func(ctx context.Context, s *Store) error {
			_, err := s.SaveSettings(ctx, "a", greeting("Hi"), 0)
			return err
		}, func(i instance.Instance, err error) bool { return err == nil && i.Version == 1 }},
		"SaveProfile": {func(ctx context.Context, s *Store) error {
			_, err := s.SaveProfile(ctx, "a", instance.Profile{Locale: "he"}, later)
			return err
		}, func(i instance.Instance, err error) bool { return err == nil && i.Profile.Locale == "he" }},
		"Delete": {func(ctx context.Context, s *Store) error {
			return s.Delete(ctx, "a")
		}, func(_ instance.Instance, err error) bool { return errors.Is(err, instance.ErrNotFound) }},
		"Seen of a row that was known": {func(ctx context.Context, s *Store) error {
			_, err := s.Seen(ctx, visit("a", "", later))
			return err
		}, func(i instance.Instance, err error) bool { return err == nil && i.LastSeen.Equal(later) }},
		"Seen of a row that another replica has just made": {func(ctx context.Context, s *Store) error {
			err := s.Delete(ctx, "a")
			if err == nil {
				_, err = s.Seen(ctx, visit("a", "new", later))
			}
			return err
		}, func(i instance.Instance, err error) bool { return err == nil && i.SiteID == "new" }},
	} {
		t.Run(name, func(t *testing.T) {
			s, behind := known(t, Options{})
			read := func() {
				behind.Storage.Seen(t.Context(), visit("a", "", noon()))
				s.Invalidate("a")
				must(t)(s.Find(t.Context(), "a"))
			}
			behind.beforeWrite = read
			behind.beforeSeen = func(context.Context) error { read(); return nil }
			if err := row.change(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Find(t.Context(), "a"); !row.changed(got, err) {
				t.Errorf("after the change: %+v, %v", got, err)
			}
		})
	}
}

func TestStore_Seen_closedMeanwhile(t *testing.T) {
	s, behind := known(t, Options{})
	behind.beforeSeen = func(context.Context) error { return s.Close() }
	if row, err := s.Seen(t.Context(), visit("a", "", noon().Add(time.Hour))); err == nil {
		t.Errorf("Seen returned %+v", row)
	}
}

func TestStore_Find_createdDuringLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, behind := known(t, Options{})
		release := make(chan struct{})
		var loads atomic.Int64
		behind.afterFind = func() {
			if loads.Add(1) == 1 {
				<-release
			}
		}
		var early sync.WaitGroup
		early.Go(func() { s.Find(t.Context(), "b") })
		synctest.Wait() // the load has found nothing
		must(t)(behind.Storage.Seen(t.Context(), visit("b", "", noon())))
		s.Invalidate("b")
		must(t)(s.Find(t.Context(), "b"))
		close(release)
		early.Wait()
		must(t)(s.Find(t.Context(), "b"))
	})
}

func TestStore_Seen_oneOfManyWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, behind := known(t, Options{})
		release := make(chan struct{})
		behind.beforeSeen = func(context.Context) error { <-release; return nil }
		due := noon().Add(instance.SeenEvery)
		var waiting atomic.Int64
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				waiting.Add(1)
				row, err := s.Seen(t.Context(), visit("a", "", due))
				if err != nil || row.SiteID != "site" {
					t.Errorf("Seen: %+v, %v", row, err)
				}
				waiting.Add(-1)
			})
		}
		synctest.Wait()
		if n := waiting.Load(); n != 1 {
			t.Errorf("%d callers wait for the write", n)
		}
		close(release)
		all.Wait()
		if row := must(t)(s.Seen(t.Context(), visit("a", "", due))); !row.LastSeen.Equal(due) {
			t.Errorf("last seen is %v, want %v", row.LastSeen, due)
		}
		behind.wantCalls(t, 1, 1)
	})
}

func TestStore_Seen_uncoveredVisitIsWritten(t *testing.T) {
	for _, row := range []struct {
		name   string
		siteID string
		later  time.Duration
		writes int64
	}{
		{"the same visit", "", 0, 1},
		{"the same site", "site", 0, 1},
		{"a little later", "", instance.SeenEvery - 1, 1},
		{"earlier", "", -instance.SeenEvery, 1},
		{"due again", "", instance.SeenEvery, 2},
		{"another site", "other", 0, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, behind := known(t, Options{})
				release := make(chan struct{})
				behind.beforeSeen = func(context.Context) error { <-release; return nil }
				due := noon().Add(time.Hour)
				var all sync.WaitGroup
				all.Go(func() { must(t)(s.Seen(t.Context(), visit("a", "", due))) })
				synctest.Wait()
				all.Go(func() { must(t)(s.Seen(t.Context(), visit("a", row.siteID, due.Add(row.later)))) })
				synctest.Wait()
				close(release)
				all.Wait()
				behind.wantCalls(t, 0, row.writes)
				if got := must(t)(s.Find(t.Context(), "a")); row.siteID != "" && got.SiteID != row.siteID {
					t.Errorf("the site id is %q", got.SiteID)
				}
			})
		})
	}
}

func TestStore_Seen_fullDiskStillReads(t *testing.T) {
	var log strings.Builder
	s, behind := known(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	full := errors.New("database or disk is full")
	behind.beforeSeen = func(context.Context) error { return full }
	due := noon().Add(time.Hour)
	for _, site := range []string{"", "site"} {
		if row := must(t)(s.Seen(t.Context(), visit("a", site, due))); row.ID != "a" || !row.LastSeen.Equal(noon()) {
			t.Errorf("Seen returned %+v", row)
		}
	}
	must(t)(s.Seen(t.Context(), visit("a", "", due.Add(retryAfter-time.Millisecond))))
	behind.wantCalls(t, 0, 1)
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "level=WARN") || !strings.Contains(got, full.Error()) {
		t.Errorf("the log says %q", got)
	}
	must(t)(s.Seen(t.Context(), visit("a", "", due.Add(retryAfter))))
	behind.wantCalls(t, 0, 2)
	// A new site id is tried at once.
	must(t)(s.Seen(t.Context(), visit("a", "other", due.Add(retryAfter))))
	behind.wantCalls(t, 0, 3)

	behind.beforeSeen = nil
	due = due.Add(2 * retryAfter)
	if row := must(t)(s.Seen(t.Context(), visit("a", "", due))); !row.LastSeen.Equal(due) {
		t.Errorf("once there was room again, last seen is %v", row.LastSeen)
	}
	// The one who is new has no row to be served.
	behind.beforeSeen = func(context.Context) error { return full }
	if _, err := s.Seen(t.Context(), visit("b", "", due)); !errors.Is(err, full) {
		t.Errorf("Seen of a new instance: %v", err)
	}
}

func TestStore_Seen_hangingWriteIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, behind := known(t, Options{})
		behind.beforeSeen = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		began := time.Now()
		must(t)(s.Seen(t.Context(), visit("a", "", noon().Add(time.Hour))))
		if took := time.Since(began); took != TouchTimeout {
			t.Errorf("the caller waited %v", took)
		}
	})
}

func TestStore_Seen_cancelledWriterLeavesItToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, behind := known(t, Options{})
		behind.beforeSeen = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		going, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		due := noon().Add(time.Hour)
		if _, err := s.Seen(going, visit("a", "", due)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Seen: %v", err)
		}
		behind.beforeSeen = nil
		if row := must(t)(s.Seen(t.Context(), visit("a", "", due))); !row.LastSeen.Equal(due) {
			t.Errorf("last seen is %v", row.LastSeen)
		}
	})
}

func TestStore_MaxAge(t *testing.T) {
	var now atomic.Int64
	s, behind := known(t, Options{MaxAge: time.Minute, Now: func() time.Time { return noon().Add(time.Duration(now.Load())) }})
	must(t)(behind.Storage.SaveSettings(t.Context(), "a", greeting("Hi"), 0)) // by another replica
	for _, row := range []struct {
		at      time.Duration
		version int64
	}{{0, 0}, {time.Minute - 1, 0}, {time.Minute, 1}, {time.Hour, 1}} {
		now.Store(int64(row.at))
		if got := must(t)(s.Find(t.Context(), "a")); got.Version != row.version {
			t.Errorf("after %v the version is %d, want %d", row.at, got.Version, row.version)
		}
	}
}

func TestStore_Invalidate_withoutMaxAge(t *testing.T) {
	var days atomic.Int64
	s, behind := known(t, Options{Now: func() time.Time { return noon().AddDate(0, 0, int(days.Add(1))) }})
	must(t)(behind.Storage.SaveSettings(t.Context(), "a", greeting("Hi"), 0))
	if row := must(t)(s.Find(t.Context(), "a")); row.Version != 0 {
		t.Errorf("the row was not cached: %+v", row)
	}
	s.Invalidate("another")
	behind.wantCalls(t, 0, 0)
	s.Invalidate("a")
	if row := must(t)(s.Find(t.Context(), "a")); row.Version != 1 {
		t.Errorf("after Invalidate the version is %d", row.Version)
	}
}

// A write that the inner store refuses shows that the cached row is outdated.
func TestStore_Write_refusalDropsTheRow(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(s Storage) error
		want   error
	}{
		"deleted by another replica": {func(s Storage) error { return s.Delete(context.Background(), "a") }, instance.ErrNotFound},
		"removed by another replica": {func(s Storage) error {
			e := instance.Event{ID: "1", InstanceID: "a", Kind: instance.EventRemoved, At: noon().Add(time.Hour), ReceivedAt: noon()}
			_, _, err := s.ApplyEvent(context.Background(), e, noon())
			return err
		}, instance.ErrRemoved},
	} {
		t.Run(name, func(t *testing.T) {
			s, behind := known(t, Options{})
			write := func() error { return s.Write(t.Context(), "a", func(kit.Tx) error { return nil }) }
			if err := write(); err != nil {
				t.Fatal(err)
			}
			must(t)(s.Find(t.Context(), "a"))
			behind.wantCalls(t, 0, 0)
			if err := tt.change(behind.Storage); err != nil {
				t.Fatal(err)
			}
			if err := write(); !errors.Is(err, tt.want) {
				t.Errorf("Write: %v; want %v", err, tt.want)
			}
			if row, err := s.Find(t.Context(), "a"); err == nil && row.RemovedAt.IsZero() {
				t.Errorf("the cached row is served: %+v", row)
			}
			behind.wantCalls(t, 1, 0)
		})
	}
}

func TestStore_SaveSettings_conflictDropsTheRow(t *testing.T) {
	s, behind := known(t, Options{})
	must(t)(behind.Storage.SaveSettings(t.Context(), "a", greeting("Hi"), 0)) // by another replica
	if _, err := s.SaveSettings(t.Context(), "a", greeting("Hey"), 0); err == nil {
		t.Error("the save of a stale version went through")
	}
	if row := must(t)(s.Find(t.Context(), "a")); row.Version != 1 {
		t.Errorf("after a conflict the version is %d", row.Version)
	}
}

func TestStore_Size(t *testing.T) {
	const size = 100
	s, behind := known(t, Options{Size: size})
	for i := range 20 * size {
		id := fmt.Sprint(i)
		must(t)(behind.Storage.Seen(t.Context(), visit(id, "", noon())))
		must(t)(s.Find(t.Context(), id))
	}
	s.cache.CleanUp()
	if n := s.cache.EstimatedSize(); n > size {
		t.Errorf("%d rows are cached, want at most %d", n, size)
	}
}
