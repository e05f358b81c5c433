// Package lifecycle keeps our record of an installation true to what Wix says of it:
// it applies the events that Wix tells, reads app instances from Wix again, and
// deletes what is no longer ours to keep.
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
	// batch is how many jobs are claimed at once.
	batch = 16
	// lease is how long a claimed job is ours. What a crash leaves behind, some other
	// worker takes up after it. It is longer than a try may take.
	lease = 30 * time.Second
	// readTimeout bounds one reading from Wix, with the writing of what was read.
	readTimeout = 15 * time.Second
	// storeTimeout bounds any other call to the store.
	storeTimeout = 10 * time.Second
	// readers is how many app instances are read from Wix at once.
	readers = 4
	// roomSize is how many claimed readings may wait for a reader.
	roomSize = 256
	// roomWait is how long a full room may hold up a batch, and so the events behind it.
	roomWait = 100 * time.Millisecond
	// defaultPoll is how long a worker with nothing to do rests.
	defaultPoll = 5 * time.Second
)

// Elevator reads an app instance from Wix with the app's own identity.
type Elevator interface {
	// Fresh asks Wix now, whatever it said before.
	Fresh(ctx context.Context, instanceID string) (*wix.AppInstance, error)
}

// Options are what a Worker needs. Inbox, Store and Elevator are required.
type Options struct {
	Inbox    instance.Inbox
	Store    instance.Store
	Elevator Elevator
	// Changed hears of each event that was applied, before anything is read from Wix
	// because of it: purge what is cached of the instance. The Change may be empty
	// although something changed, when an earlier try failed after its commit. Nil
	// for nobody.
	Changed func(instanceID string, c instance.Change)
	// Observe counts the tries, for metrics: kind is an instance.EventKind or
	// KindReading, outcome one of the Outcome constants. Nil for nobody.
	Observe func(kind, outcome string)
	Logger  *slog.Logger     // none
	Now     func() time.Time // time.Now
	// Poll is how often the inbox is looked at unasked: for what other processes have
	// left, and for what comes due. 5 s.
	Poll time.Duration
}

// Worker does the jobs of the inbox: events one at a time, readings a few at once.
// Many workers may share one inbox. It is safe for concurrent use.
type Worker struct {
	inbox    instance.Inbox
	store    instance.Store
	elevator Elevator
	changed  func(string, instance.Change)
	observe  func(kind, outcome string)
	log      *slog.Logger
	now      func() time.Time
	poll     time.Duration

	ending context.Context
	end    context.CancelFunc
	tasks  sync.WaitGroup
	wake   chan struct{}
	room   chan instance.Job
	wishes wishes
}

// NewWorker starts a Worker. Close ends it.
func NewWorker(o Options) *Worker {
	w := &Worker{
		inbox: o.Inbox, store: o.Store, elevator: o.Elevator, changed: o.Changed, observe: o.Observe,
		log: orDiscard(o.Logger), now: o.Now, poll: o.Poll,
		wake: make(chan struct{}, 1), room: make(chan instance.Job, roomSize),
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
	w.wishes.queue = make(chan string, queueSize)
	w.ending, w.end = context.WithCancel(context.Background())
	w.tasks.Go(w.run)
	w.tasks.Go(w.grantWishes)
	for range readers {
		w.tasks.Go(w.readFromRoom)
	}
	return w
}

// Wake makes the worker look into the inbox at once. It never waits.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default: // it is about to look
	}
}

// Close lets the jobs under way finish, for as long as a call to Wix and to the store
// may take, and begins no other. What was claimed and not begun is left to its lease.
func (w *Worker) Close() {
	w.end()
	w.tasks.Wait()
}

func (w *Worker) run() {
	for w.ending.Err() == nil {
		jobs, err := w.claim()
		switch {
		case err != nil:
			w.log.Error("the inbox cannot be read", "cause", err)
			w.rest()
		case len(jobs) == 0:
			select {
			case <-w.ending.Done():
			case <-w.wake:
			case <-time.After(w.poll):
			}
		default:
			w.deal(jobs)
		}
	}
}

// rest waits, woken by nothing but the end: the store is in trouble.
func (w *Worker) rest() {
	select {
	case <-w.ending.Done():
	case <-time.After(w.poll):
	}
}

func (w *Worker) claim() ([]instance.Job, error) {
	// Not cut short by Close: a claim that is lost midway would hold up its jobs.
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	return w.inbox.Claim(ctx, w.now(), lease, batch)
}

// deal does the events of a batch, and then hands its readings to the readers.
func (w *Worker) deal(jobs []instance.Job) {
	for _, j := range jobs {
		if w.ending.Err() != nil {
			return
		}
		if j.Event != nil && !w.try(j) {
			w.rest()
		}
	}
	patience, cancel := context.WithTimeout(w.ending, roomWait)
	defer cancel()
	for _, j := range jobs {
		if j.Event == nil {
			w.queue(patience, j)
		}
	}
}

// queue hands a reading to the readers. When there is still no room for it, because
// Wix is slow, it is left to its lease: a removal must not wait for the readings before it.
func (w *Worker) queue(patience context.Context, j instance.Job) {
	select {
	case w.room <- j:
		return
	default:
	}
	select {
	case w.room <- j:
	case <-patience.Done():
	}
}

func (w *Worker) readFromRoom() {
	for {
		select {
		case <-w.ending.Done():
			return
		case j := <-w.room:
			switch {
			case w.ending.Err() != nil:
				return
			case w.now().Add(readTimeout).After(j.Due):
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
