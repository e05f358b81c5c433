// Package lifecycle keeps our record of an installation in line with Wix: it applies the
// events that Wix reports, reads app instances from Wix again, and deletes what must no
// longer be stored.
package lifecycle

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
)

const (
	// appliers is how many events are applied at once, each of another instance. It is fewer
	// than the connections that a store may write with: webhooks are stored at the same time.
	appliers = 4
	// batchSize is how many events are claimed at once.
	batchSize = 16
	// readers is how many app instances are read from Wix at once.
	readers = 4
	// lease is how long a claimed job belongs to this worker. After it, another worker
	// takes over what a crash has left. It is longer than a try may take.
	lease = 30 * time.Second
	// refreshTimeout bounds one refresh: the call to Wix and the storing.
	refreshTimeout = 15 * time.Second
	// storeTimeout bounds any other call to the store.
	storeTimeout = 10 * time.Second
	// defaultPoll is how long a worker with nothing to do rests.
	defaultPoll = 5 * time.Second
)

// Elevator reads an app instance from Wix with the app's own identity.
type Elevator interface {
	// Refresh asks Wix now, whatever is cached.
	Refresh(ctx context.Context, instanceID string) (*wix.AppInstance, error)
}

// Options are what a Worker needs. Jobs, Store and Elevator are required.
type Options struct {
	Jobs     instance.Jobs
	Store    instance.Store
	Elevator Elevator
	// Find reads an instance as it is stored, where Store caches: a refresh that another
	// process has requested may be claimed before its change notification comes. Store.Find.
	Find func(ctx context.Context, id string) (instance.Instance, error)
	// Changed, if any, is called after each applied event, before anything is read from
	// Wix because of it: drop what is cached of the instance. The Change may be empty
	// although something changed, when an earlier try failed after its commit.
	Changed func(instanceID string, c instance.Change)
	// Observe, if any, counts the tries, for metrics: kind is an instance.EventKind or
	// KindRefresh, outcome one of the Outcome constants.
	Observe func(kind, outcome string)
	Logger  *slog.Logger     // none
	Now     func() time.Time // time.Now
	// Poll is how often the job queue is looked at without Wake: for what other processes
	// have left, and for what comes due. 5 s.
	Poll time.Duration
}

// Worker does the jobs of the queue: a few events at once, each of another instance, and
// beside them a few refreshes. Many workers may share one queue. It is safe for concurrent use.
type Worker struct {
	jobs     instance.Jobs
	store    instance.Store
	elevator Elevator
	find     func(context.Context, string) (instance.Instance, error)
	changed  func(string, instance.Change)
	observe  func(kind, outcome string)
	log      *slog.Logger
	now      func() time.Time
	poll     time.Duration

	ending    context.Context
	end       context.CancelFunc
	tasks     sync.WaitGroup
	events    lane
	reads     lane
	refreshes refreshQueue
}

// lane is the way of one kind of job from the queue to those who do it, so that no kind
// waits for the other.
type lane struct {
	claim func(ctx context.Context, now time.Time, lease time.Duration, n int) ([]instance.Job, error)
	// workers is how many jobs are done at once, batch how many are claimed at once.
	workers, batch int
	// longest is how long a try may take.
	longest time.Duration
	wake    chan struct{}
}

// NewWorker starts a Worker. Close ends it.
func NewWorker(o Options) *Worker {
	w := &Worker{
		jobs: o.Jobs, store: o.Store, elevator: o.Elevator, find: o.Find, changed: o.Changed, observe: o.Observe,
		log: orDiscard(o.Logger), now: o.Now, poll: o.Poll,
		events:    lane{o.Jobs.Claim, appliers, batchSize, storeTimeout, make(chan struct{}, 1)},
		reads:     lane{o.Jobs.ClaimRefreshes, readers, 1, refreshTimeout, make(chan struct{}, 1)},
		refreshes: refreshQueue{queue: make(chan string, queueSize)},
	}
	if w.find == nil {
		w.find = o.Store.Find
	}
	if w.changed == nil {
		w.changed = func(string, instance.Change) {}
	}
	if w.observe == nil {
		w.observe = func(string, string) {}
	}
	if w.now == nil {
		w.now = time.Now
	}
	if w.poll <= 0 {
		w.poll = defaultPoll
	}
	w.ending, w.end = context.WithCancel(context.Background())
	w.tasks.Go(func() { w.run(w.events) })
	w.tasks.Go(func() { w.run(w.reads) })
	w.tasks.Go(w.drainRefreshQueue)
	return w
}

// Wake makes the worker look at the job queue at once. It never waits.
func (w *Worker) Wake() {
	w.events.look()
	w.reads.look()
}

func (l lane) look() {
	select {
	case l.wake <- struct{}{}:
	default: // it is about to look
	}
}

// Close lets the running jobs finish, for as long as a call to Wix and to the store may
// take, and begins no other. Claimed jobs that were not begun are left to their lease.
func (w *Worker) Close() {
	w.end()
	w.tasks.Wait()
}

// claimed are the jobs of one instance, and when they were claimed by the clock of this
// process.
type claimed struct {
	jobs []instance.Job
	at   time.Time
}

// byInstance groups jobs by their instances, in their order.
func byInstance(jobs []instance.Job) (groups [][]instance.Job) {
	index := map[string]int{}
	for _, j := range jobs {
		n, found := index[j.InstanceID]
		if !found {
			n = len(groups)
			index[j.InstanceID] = n
			groups = append(groups, nil)
		}
		groups[n] = append(groups[n], j)
	}
	return groups
}

// run claims the jobs of a lane and hands those of each instance to the next worker that is
// free.
func (w *Worker) run(l lane) {
	queue := make(chan claimed)
	defer close(queue)
	for range l.workers {
		w.tasks.Go(func() { w.work(l, queue) })
	}
	for w.ending.Err() == nil {
		at := w.now()
		jobs, err := w.claim(l, at)
		if err != nil {
			w.log.Error("the job queue could not be read", "cause", err)
			w.rest()
		}
		for _, group := range byInstance(jobs) {
			select {
			case <-w.ending.Done():
				return
			case queue <- claimed{group, at}:
			}
		}
		if err == nil && len(jobs) < l.batch {
			select {
			case <-w.ending.Done():
			case <-l.wake:
			case <-time.After(w.poll):
			}
		}
	}
}

func (w *Worker) work(l lane, queue <-chan claimed) {
	for c := range queue {
		for _, j := range c.jobs {
			if w.ending.Err() != nil {
				return
			}
			if w.now().Sub(c.at) > lease-l.longest {
				break // they waited for too long: their lease might end midway
			}
			if !w.try(j) {
				w.rest()
			}
		}
		// There may be more of its instance now.
		l.look()
	}
}

// rest waits, and Wake does not end it: the store is in trouble.
func (w *Worker) rest() {
	select {
	case <-w.ending.Done():
	case <-time.After(w.poll):
	}
}

func (w *Worker) claim(l lane, now time.Time) ([]instance.Job, error) {
	// Close does not cut this short: a claim that is lost midway would hold up its jobs.
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	return l.claim(ctx, now, lease, l.batch)
}

func orDiscard(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}
