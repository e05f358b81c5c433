package simulation

// The one database of all replicas, and each replica's way to it, where calls take time,
// fail, or are the last thing that the replica does.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
)

var (
	errDead = errors.New("the replica is dead")
	errDown = errors.New("the database is away")
	errBad  = errors.New("the event cannot be applied")
)

// database records what becomes of each instance, so that an answer can be compared with
// what was stored at each moment.
type database struct {
	*sqlstore.Store
	w *world

	mu sync.Mutex
	// states are those of each instance, the oldest first.
	states map[string][]state
	// removals are those that were applied.
	removals map[string][]removal
}

// state is an instance as it was stored from a moment on.
type state struct {
	from time.Time
	row  instance.Instance
	text string
}

// removal is one that was applied: by Wix's clock, and when.
type removal struct{ at, applied time.Time }

func newDatabase(w *world, s *sqlstore.Store) *database {
	d := &database{Store: s, w: w, states: map[string][]state{}, removals: map[string][]removal{}}
	d.clear()
	return d
}

// clear deletes what the run before has left, and what is remembered of what was deleted.
func (d *database) clear() {
	for n := range sites + copies {
		if err := d.Store.Delete(context.Background(), siteID(n)); err != nil {
			panic(err)
		}
	}
	if _, err := d.DeleteDone(context.Background(), time.Now().AddDate(1, 0, 0)); err != nil {
		panic(err)
	}
}

// stored is what is stored of an instance.
func (d *database) stored(id string) (instance.Instance, bool) {
	row, err := d.Store.Find(context.Background(), id)
	if err != nil && !errors.Is(err, instance.ErrNotFound) {
		panic(err)
	}
	return row, err == nil
}

// jobs are the jobs of an instance.
func (d *database) jobs(id string) []instance.Job {
	jobs, err := d.JobsOf(context.Background(), id)
	if err != nil {
		panic(err)
	}
	return jobs
}

// written looks at an instance after a write, and notifies every replica that listens.
func (d *database) written(id string) {
	row, found := d.stored(id)
	if !found {
		return
	}
	d.mu.Lock()
	all := d.states[id]
	if len(all) > 0 && reflect.DeepEqual(all[len(all)-1].row, row) {
		d.mu.Unlock()
		return
	}
	text := textOf(row)
	if len(all) == 0 || all[len(all)-1].text != text {
		d.w.log("stored: %s", text)
	}
	d.states[id] = append(all, state{time.Now(), row, text})
	if all := d.removals[id]; !row.RemovedAt.IsZero() && !slices.ContainsFunc(all, func(r removal) bool { return r.at.Equal(row.RemovedAt) }) {
		d.removals[id] = append(all, removal{row.RemovedAt, time.Now()})
	}
	d.mu.Unlock()
	for _, r := range d.w.all() {
		r.notify(id, !row.RemovedAt.IsZero())
	}
}

// textOf is what an answer shows of an instance.
func textOf(row instance.Instance) string {
	var s siteSettings
	_ = json.Unmarshal(row.Settings, &s) // it is complete
	return fmt.Sprintf("%s v%d %q plan=%s%s removed=%d status=%d", last(row.ID), row.Version, s.Title,
		row.Profile.Plan.Kind, row.Profile.Plan.Name, row.RemovedAt.UnixMilli()/1000, row.StatusAt.UnixMilli()/1000)
}

// link is one replica's way to the database.
type link struct {
	*database
	r *replica
}

// Close implements instance.Store. The database outlives its replicas.
func (l *link) Close() error { return nil }

// effect is what a call of the store may change.
type effect int

const (
	reads  effect = iota
	queues        // jobs alone
	writes        // an instance
)

// call makes one call of the store. It takes a time before and after; the replica may die
// before or after a write; the call may fail, or its answer be lost.
func (l *link) call(ctx context.Context, op, id string, may effect, f func() error) error {
	if err := l.travel(ctx, op, id); err != nil {
		return err
	}
	if may != reads && l.r.diesBefore() {
		l.w.log("replica %s dies before %s of %s", l.r, op, last(id))
		l.r.kill()
	}
	switch fault := l.r.storeFault(); {
	case l.r.dead.Load():
		return errDead
	case fault == "down":
		return errDown
	case fault == "unheard" && may != reads:
		_ = f() // nobody hears of it
		if may == writes {
			l.written(id)
		}
		return errDown
	}
	err := f()
	if may == writes {
		l.written(id)
	}
	if may != reads && l.r.diesAfter() {
		l.w.log("replica %s dies after %s of %s", l.r, op, last(id))
		l.r.kill()
		return errDead
	}
	if late := l.travel(ctx, op, id); late != nil {
		return late
	}
	return err
}

func (l *link) travel(ctx context.Context, op, id string) error {
	timer := time.NewTimer(time.Microsecond + l.w.spread(8*time.Millisecond, "store", l.r.n, l.r.life, op, id))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	if l.r.dead.Load() {
		return errDead
	}
	return nil
}

func last(id string) string {
	if len(id) < 36 {
		return id
	}
	return id[len(id)-1:]
}

// called makes a call that returns a value.
func called[V any](l *link, ctx context.Context, op, id string, may effect, f func() (V, error)) (v V, err error) {
	err = l.call(ctx, op, id, may, func() (err error) {
		v, err = f()
		return err
	})
	if err != nil {
		var none V
		return none, err
	}
	return v, nil
}

// Find implements instance.Store.
func (l *link) Find(ctx context.Context, id string) (instance.Instance, error) {
	return called(l, ctx, "Find", id, reads, func() (instance.Instance, error) {
		row, err := l.Store.Find(ctx, id)
		return l.w.mutant.reads(l.w, row), err
	})
}

// Seen implements instance.Store.
func (l *link) Seen(ctx context.Context, v instance.Visit) (instance.Instance, error) {
	return called(l, ctx, "Seen", v.InstanceID, writes, func() (instance.Instance, error) {
		row, err := l.Store.Seen(ctx, v)
		return l.w.mutant.reads(l.w, row), err
	})
}

// SaveSettings implements instance.Store.
func (l *link) SaveSettings(ctx context.Context, id string, values json.RawMessage, version int64) (instance.Instance, error) {
	return called(l, ctx, "SaveSettings", id, writes, func() (instance.Instance, error) {
		return l.Store.SaveSettings(ctx, id, values, l.w.mutant.version(l, id, version))
	})
}

// SaveProfile implements instance.Store.
func (l *link) SaveProfile(ctx context.Context, id string, p instance.Profile, at time.Time) (instance.Instance, error) {
	return called(l, ctx, "SaveProfile", id, writes, func() (instance.Instance, error) {
		if now := l.r.now(); l.w.mutant == trustsClocks && at.After(now) {
			at = now
		}
		return l.Store.SaveProfile(ctx, id, p, at)
	})
}

// Accept implements instance.Jobs.
func (l *link) Accept(ctx context.Context, e instance.Event) (bool, error) {
	return called(l, ctx, "Accept", e.InstanceID, queues, func() (bool, error) {
		if l.w.mutant == acknowledgesEarly {
			// A moment later, if the replica still lives then.
			time.AfterFunc(2*time.Second, func() {
				if !l.r.dead.Load() {
					_, _ = l.Store.Accept(context.Background(), e)
				}
			})
			return true, nil
		}
		return l.Store.Accept(ctx, l.w.mutant.accepts(l.w, e))
	})
}

// Claim implements instance.Jobs.
func (l *link) Claim(ctx context.Context, now time.Time, lease time.Duration, n int) ([]instance.Job, error) {
	return called(l, ctx, "Claim", "", reads, func() ([]instance.Job, error) { return l.Store.Claim(ctx, now, l.w.mutant.lease(lease), n) })
}

// ClaimRefreshes implements instance.Jobs.
func (l *link) ClaimRefreshes(ctx context.Context, now time.Time, lease time.Duration, n int) ([]instance.Job, error) {
	return called(l, ctx, "ClaimRefreshes", "", reads, func() ([]instance.Job, error) {
		return l.Store.ClaimRefreshes(ctx, now, l.w.mutant.lease(lease), n)
	})
}

// ApplyEvent implements instance.Jobs.
func (l *link) ApplyEvent(ctx context.Context, e instance.Event, now time.Time) (row instance.Instance, c instance.Change, err error) {
	err = l.call(ctx, "ApplyEvent "+string(e.Kind), e.InstanceID, writes, func() (err error) {
		if slices.ContainsFunc(l.w.wix.bad(), func(bad *event) bool { return bad.instance == e.InstanceID && isOf(e, bad) }) {
			return errBad
		}
		row, c, err = l.Store.ApplyEvent(ctx, l.w.mutant.applies(e), now)
		return err
	})
	return row, c, err
}

// RequestRefresh implements instance.Jobs.
func (l *link) RequestRefresh(ctx context.Context, id string, now time.Time) error {
	return l.call(ctx, "RequestRefresh", id, queues, func() error { return l.Store.RequestRefresh(ctx, id, now) })
}

// Finish implements instance.Jobs.
func (l *link) Finish(ctx context.Context, j instance.Job) error {
	return l.call(ctx, "Finish", j.InstanceID, queues, func() error { return l.Store.Finish(ctx, j) })
}

// steady is how long a job rests: the pause after a failure is random by a fifth, and this is
// the next in a list whose steps are wider than that.
func steady(rest time.Duration) time.Duration {
	for _, pause := range []time.Duration{10 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour, 3 * time.Hour, 10 * time.Hour, 20 * time.Hour} {
		if rest <= pause {
			return pause
		}
	}
	return 30 * time.Hour
}

// Retry implements instance.Jobs.
func (l *link) Retry(ctx context.Context, j instance.Job, now time.Time, rest time.Duration, cause string) error {
	return l.call(ctx, "Retry", j.InstanceID, queues, func() error {
		l.w.log("%s at %s is retried: %s", j.ID, l.r, cause)
		if l.w.mutant == buriesAtOnce {
			return l.Store.Bury(ctx, j, cause)
		}
		return l.Store.Retry(ctx, j, now, steady(rest), cause)
	})
}

// Defer implements instance.Jobs.
func (l *link) Defer(ctx context.Context, j instance.Job, now time.Time, rest time.Duration, cause string) error {
	return l.call(ctx, "Defer", j.InstanceID, queues, func() error {
		l.w.log("%s at %s waits: %s", j.ID, l.r, cause)
		return l.Store.Defer(ctx, j, now, steady(rest), cause)
	})
}

// Bury implements instance.Jobs.
func (l *link) Bury(ctx context.Context, j instance.Job, cause string) error {
	return l.call(ctx, "Bury", j.InstanceID, queues, func() error { return l.Store.Bury(ctx, j, cause) })
}

// JobsOf implements instance.Jobs.
func (l *link) JobsOf(ctx context.Context, id string) ([]instance.Job, error) {
	return called(l, ctx, "JobsOf", id, reads, func() ([]instance.Job, error) { return l.Store.JobsOf(ctx, id) })
}
