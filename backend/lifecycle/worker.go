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
	// batchSize is how many jobs are claimed at once.
	batchSize = 16
	// lease is how long a claimed job belongs to this worker. After it, another worker
	// takes over what a crash has left. It is longer than a try may take.
	lease = 30 * time.Second
	// refreshTimeout bounds one refresh: the call to Wix and the storing.
	refreshTimeout = 15 * time.Second
	// storeTimeout bounds any other call to the store.
	storeTimeout = 10 * time.Second
	// readers is how many app instances are read from Wix at once.
	readers = 4
	// readQueueSize is how many claimed refreshes may wait for a reader.
	readQueueSize = 256
	// queueTimeout is how long a full read queue may hold up a batch, and so the events
	// behind it.
	queueTimeout = 100 * time.Millisecond
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

// Worker does the jobs of the queue: events one at a time, refreshes a few at once.
// Many workers may share one queue. It is safe for concurrent use.
type Worker struct {
	jobs     instance.Jobs
	store    instance.Store
	elevator Elevator
	changed  func(string, instance.Change)
	observe  func(kind, outcome string)
	log      *slog.Logger
	now      func() time.Time
	poll     time.Duration

	ending    context.Context
	end       context.CancelFunc
	tasks     sync.WaitGroup
	wake      chan struct{}
	readQueue chan instance.Job
	refreshes refreshQueue
}

// NewWorker starts a Worker. Close ends it.
func NewWorker(o Options) *Worker {
	w := &Worker{
		jobs: o.Jobs, store: o.Store, elevator: o.Elevator, changed: o.Changed, observe: o.Observe,
		log: orDiscard(o.Logger), now: o.Now, poll: o.Poll,
		wake: make(chan struct{}, 1), readQueue: make(chan instance.Job, readQueueSize),
		refreshes: refreshQueue{queue: make(chan string, queueSize)},
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
	w.tasks.Go(w.run)
	w.tasks.Go(w.drainRefreshQueue)
	for range readers {
		w.tasks.Go(w.readFromQueue)
	}
	return w
}

// Wake makes the worker look at the job queue at once. It never waits.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default: // it is about to look
	}
}

// Close lets the running jobs finish, for as long as a call to Wix and to the store may
// take, and begins no other. Claimed jobs that were not begun are left to their lease.
func (w *Worker) Close() {
	w.end()
	w.tasks.Wait()
}

func (w *Worker) run() {
	for w.ending.Err() == nil {
		jobs, err := w.claim()
		switch {
		case err != nil:
			w.log.Error("the job queue could not be read", "cause", err)
			w.rest()
		case len(jobs) == 0:
			select {
			case <-w.ending.Done():
			case <-w.wake:
			case <-time.After(w.poll):
			}
		default:
			w.dispatch(jobs)
		}
	}
}

// rest waits, and Wake does not end it: the store is in trouble.
func (w *Worker) rest() {
	select {
	case <-w.ending.Done():
	case <-time.After(w.poll):
	}
}

func (w *Worker) claim() ([]instance.Job, error) {
	// Close does not cut this short: a claim that is lost midway would hold up its jobs.
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	return w.jobs.Claim(ctx, w.now(), lease, batchSize)
}

// dispatch applies the events of a batch, and then queues its refreshes for the readers.
func (w *Worker) dispatch(jobs []instance.Job) {
	for _, j := range jobs {
		if w.ending.Err() != nil {
			return
		}
		if j.Event != nil && !w.try(j) {
			w.rest()
		}
	}
	timeout, cancel := context.WithTimeout(w.ending, queueTimeout)
	defer cancel()
	for _, j := range jobs {
		if j.Event == nil {
			w.enqueueRead(timeout, j)
		}
	}
}

// enqueueRead queues a refresh for the readers. When the queue stays full, because Wix is
// slow, the refresh is left to its lease: a removal must not wait for the refreshes before
// it.
func (w *Worker) enqueueRead(timeout context.Context, j instance.Job) {
	select {
	case w.readQueue <- j:
		return
	default:
	}
	select {
	case w.readQueue <- j:
	case <-timeout.Done():
	}
}

func (w *Worker) readFromQueue() {
	for {
		select {
		case <-w.ending.Done():
			return
		case j := <-w.readQueue:
			switch {
			case w.ending.Err() != nil:
				return
			case w.now().Add(refreshTimeout).After(j.Due):
				// It waited for too long: its lease might end midway.
			case !w.try(j):
				w.rest()
			}
		}
	}
}

func orDiscard(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}
