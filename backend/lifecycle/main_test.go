package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
	"github.com/nametag-dev/nametag/backend/wix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeWix answers every read with one app instance, an error or a panic.
type fakeWix struct {
	mu     sync.Mutex
	app    wix.AppInstance
	err    error
	panics bool
	delay  time.Duration
	asked  []time.Time
	// now and most are how many are asked at once.
	now, most int
}

func (f *fakeWix) Refresh(ctx context.Context, _ string) (*wix.AppInstance, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, time.Now())
	f.now++
	f.most = max(f.most, f.now)
	defer func() { f.now-- }()
	app, err, panics := f.app, f.err, f.panics
	f.mu.Unlock()
	select {
	case <-time.After(f.delay):
	case <-ctx.Done():
		err = ctx.Err()
	}
	f.mu.Lock()
	if panics {
		panic("boom")
	}
	return &app, err
}

func (f *fakeWix) answer(app wix.AppInstance, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.app, f.err, f.panics = app, err, false
}

// atOnce is how many were asked at once at most.
func (f *fakeWix) atOnce() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.most
}

func (f *fakeWix) times() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

func plan(name string) wix.AppInstance {
	return wix.AppInstance{
		Instance: wix.Instance{InstanceID: "i", IsFree: wix.Some(false), Billing: wix.Some(wix.Billing{PackageName: wix.Some(name)})},
		Site:     wix.Site{SiteDisplayName: wix.Some("Laden"), Locale: wix.Some("de"), PaymentCurrency: wix.Some("EUR")},
	}
}

// journal records what a worker logs and which callbacks it calls, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

// Write takes the lines of a log.
func (j *journal) Write(line []byte) (int, error) {
	j.add("%s", line)
	return len(line), nil
}

// count is how many lines hold a text.
func (j *journal) count(text string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for _, line := range j.lines {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

var errDown = errors.New("the disk is full")

// openMemory opens a database in memory.
func openMemory(t interface{ Fatal(...any) }, data kit.Data) *sqlstore.Store {
	s, err := sqlstore.Open(context.Background(), "sqlite::memory:", sqlstore.Options{App: data})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// failing is a store that can be made to fail as a whole.
type failing struct {
	*sqlstore.Store
	mu   sync.Mutex
	down bool
}

func (f *failing) set(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

func (f *failing) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return errDown
	}
	return nil
}

func (f *failing) Claim(ctx context.Context, now time.Time, lease time.Duration, n int) ([]instance.Job, error) {
	if err := f.err(); err != nil {
		return nil, err
	}
	return f.Store.Claim(ctx, now, lease, n)
}

func (f *failing) Find(ctx context.Context, id string) (instance.Instance, error) {
	if err := f.err(); err != nil {
		return instance.Instance{}, err
	}
	return f.Store.Find(ctx, id)
}

func (f *failing) ApplyEvent(ctx context.Context, e instance.Event, now time.Time) (instance.Instance, instance.Change, error) {
	if err := f.err(); err != nil {
		return instance.Instance{}, instance.Change{}, err
	}
	return f.Store.ApplyEvent(ctx, e, now)
}

func (f *failing) ClaimRefreshes(ctx context.Context, now time.Time, lease time.Duration, n int) ([]instance.Job, error) {
	if err := f.err(); err != nil {
		return nil, err
	}
	return f.Store.ClaimRefreshes(ctx, now, lease, n)
}

func (f *failing) Retry(ctx context.Context, j instance.Job, now time.Time, rest time.Duration, cause string) error {
	if err := f.err(); err != nil {
		return err
	}
	return f.Store.Retry(ctx, j, now, rest, cause)
}

func (f *failing) PurgeRemoved(ctx context.Context, before time.Time) ([]string, error) {
	if err := f.err(); err != nil {
		return nil, err
	}
	return f.Store.PurgeRemoved(ctx, before)
}

// world is a worker on a job queue, in a bubble where time passes only by sleeping.
type world struct {
	*testing.T
	store  *failing
	wix    *fakeWix
	log    *journal
	worker *Worker
	// poll is the worker's; 0 is the default.
	poll time.Duration
}

func (w *world) options() Options {
	return Options{
		Jobs: w.store, Store: w.store, Elevator: w.wix,
		Changed: func(id string, c instance.Change) {
			w.log.add("changed %s removed=%v revived=%v plan=%v", id, c.Removed, c.Revived, c.Plan)
		},
		Observe: func(kind, outcome string) { w.log.add("observed %s %s", kind, outcome) },
		Logger:  slog.New(slog.NewTextHandler(w.log, nil)),
		Poll:    w.poll,
	}
}

// pollSlowly makes a new worker look at the queue once in a minute. In days of a bubble's
// time, the default would be 50,000 looks at an idle queue.
func (w *world) pollSlowly() {
	w.worker.Close()
	w.poll = time.Minute
	w.worker = NewWorker(w.options())
	synctest.Wait()
}

// bubble runs a test on a worker and an instance "i", which was seen just now.
func bubble(t *testing.T, wix *fakeWix, test func(*world)) {
	t.Helper()
	bubbleWith(t, wix, kit.Data{}, test)
}

func bubbleWith(t *testing.T, wix *fakeWix, data kit.Data, test func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, store: &failing{Store: openMemory(t, data)}, wix: wix, log: &journal{}}
		defer w.store.Close()
		w.visit("i")
		w.worker = NewWorker(w.options())
		defer func() { w.worker.Close() }()
		synctest.Wait()
		test(w)
	})
}

func (w *world) visit(id string) {
	w.Helper()
	if _, err := w.store.Seen(context.Background(), instance.Visit{InstanceID: id, At: time.Now()}); err != nil {
		w.Fatal(err)
	}
}

// accept stores an event of "i" that happens now, without waking the worker.
func (w *world) accept(id string, kind instance.EventKind) instance.Event {
	w.Helper()
	e := instance.Event{ID: id, InstanceID: "i", Kind: kind, Type: string(kind), At: time.Now(), ReceivedAt: time.Now()}
	if kind == instance.EventPlan {
		e.Plan = "gold"
	}
	if fresh, err := w.store.Accept(context.Background(), e); err != nil || !fresh {
		w.Fatal(fresh, err)
	}
	return e
}

func (w *world) row() instance.Instance {
	w.Helper()
	row, err := w.store.Store.Find(context.Background(), "i")
	if err != nil {
		w.Fatal(err)
	}
	return row
}

// job is the job with that id, of instance "i".
func (w *world) job(id string) instance.Job {
	w.Helper()
	jobs, err := w.store.JobsOf(context.Background(), "i")
	if err != nil {
		w.Fatal(err)
	}
	n := slices.IndexFunc(jobs, func(j instance.Job) bool { return j.ID == id })
	if n < 0 {
		w.Fatalf("no job %s in %+v", id, jobs)
	}
	return jobs[n]
}

const refreshJob = "refresh:i"

func (w *world) requestRefresh(id string) {
	w.Helper()
	if err := w.store.RequestRefresh(context.Background(), id, time.Now()); err != nil {
		w.Fatal(err)
	}
	w.worker.Wake()
	synctest.Wait()
}

func (w *world) deadLetters() int {
	w.Helper()
	n, err := w.store.DeadLetters(context.Background())
	if err != nil {
		w.Fatal(err)
	}
	return n
}
