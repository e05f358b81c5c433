package simulation

// One replica: the parts of the server as package app puts them together, without sockets.

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing/fstest"
	"time"

	"github.com/nametag-dev/nametag/backend/api"
	"github.com/nametag-dev/nametag/backend/assets"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/lifecycle"
	"github.com/nametag-dev/nametag/backend/settings"
	"github.com/nametag-dev/nametag/backend/store/cachestore"
	"github.com/nametag-dev/nametag/backend/wix"
)

type siteSettings struct {
	Title string `json:"title" setting:"text" default:"new" min:"1" max:"80"`
}

// answer is what get-instance answers: what is stored, as textOf shows it.
type answer struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

var (
	schema = sync.OnceValue(func() settings.Schema {
		s, err := settings.For[siteSettings]()
		if err != nil {
			panic(err)
		}
		return s
	})
	business = sync.OnceValue(func() kit.App {
		return kit.App{Settings: schema(), Answer: func(context.Context, kit.Call) (any, error) {
			return kit.Reply{OfInstance: func(c kit.Call) any { return answer{c.Instance.ID, textOf(*c.Instance)} }}, nil
		}}
	})
	noFiles = sync.OnceValue(func() *assets.Assets {
		a, err := assets.New(fstest.MapFS{})
		if err != nil {
			panic(err)
		}
		return a
	})
)

// replica is one process: from its start to its end or its death.
type replica struct {
	w       *world
	n, life int
	dead    atomic.Bool
	// ahead is how far its clock is ahead of the others.
	ahead atomic.Int64

	verifier *identity.Verifier
	store    *cachestore.Store
	worker   *lifecycle.Worker
	server   *api.Server

	mu sync.Mutex
	// listens says that notifications arrive, and changed since when it is so or not.
	listens bool
	changed time.Time
	// dies is "before" or "after" while the next write will be the last.
	dies string
	// fault is what its calls of the store meet, until faultEnds.
	fault     string
	faultEnds time.Time
}

func (r *replica) String() string { return fmt.Sprintf("%d.%d", r.n, r.life) }

func (r *replica) now() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) }

// startReplica starts a replica in the place of the one that was there.
func (w *world) startReplica(n int) *replica {
	r := &replica{w: w, n: n, listens: true, changed: time.Now()}
	if former := w.replica(n); former != nil {
		r.life = former.life + 1
	}
	var err error
	r.verifier, err = identity.New(r.identity())
	if err != nil {
		panic(err)
	}
	// Its clock is the bubble's, which never jumps: ages are measured by the monotonic clock.
	db := &link{w.db, r}
	r.store = cachestore.New(db, cachestore.Options{MaxAge: time.Minute})
	r.worker = lifecycle.NewWorker(lifecycle.Options{
		Jobs: r.store, Store: r.store, Find: db.Find, Elevator: r.verifier, Now: r.now, Poll: poll,
		Changed: func(id string, c instance.Change) { r.drop(id, c.Removed) },
	})
	keys, err := wix.NewWebhooks([]string{publicKey()}, appID, r.now)
	if err != nil {
		panic(err)
	}
	r.server = api.New(api.Options{
		Production: &api.Composition{
			Identity: r.verifier, Refresher: r.worker, Store: r.store, App: business(),
			Webhooks: lifecycle.NewReceiver(keys, r.store, r.worker.Wake, r.now),
		},
		Widget: noFiles(), Panel: noFiles(), Web: noFiles(),
	})
	w.mu.Lock()
	w.replicas[n] = r
	w.mu.Unlock()
	w.log("replica %s starts", r)
	return r
}

func (r *replica) identity() identity.Options {
	return identity.Options{AppID: appID, AppSecret: appSecret, WixURL: wixURL, Transport: transport{r.w.wix, r}, Now: r.now, Size: 1000}
}

// drop drops what is cached of an instance, as package app does it.
func (r *replica) drop(id string, removed bool) {
	r.store.Invalidate(id)
	r.verifier.Expire(id)
	if removed {
		r.verifier.Purge(id)
	}
}

// kill ends the replica at once: nothing that it calls is done any more, and nobody hears
// what it says.
func (r *replica) kill() {
	if !r.dead.Swap(true) {
		r.w.tasks.Go(r.close)
	}
}

// close ends the replica in good order.
func (r *replica) close() {
	r.worker.Close()
	r.verifier.Close()
	r.dead.Store(true)
}

// diesBefore and diesAfter report whether a write is the last thing that it does.
func (r *replica) diesBefore() bool { return r.diesAt("before") }
func (r *replica) diesAfter() bool  { return r.diesAt("after") }

func (r *replica) diesAt(moment string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dies == moment
}

func (r *replica) storeFault() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Now().Before(r.faultEnds) {
		return r.fault
	}
	return ""
}

// notify sends a change notification, which takes a moment and may be lost.
func (r *replica) notify(id string, removed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dead.Load() || !r.listens || r.w.mutant == notifiesNobody {
		return
	}
	delay := time.Microsecond + r.w.spread(notifiedWithin, "notify", r.n, r.life, id)
	time.AfterFunc(delay, func() {
		if !r.dead.Load() {
			r.drop(id, removed)
		}
	})
}

// lose cuts the connection on which notifications come. That is noticed after a while.
func (r *replica) lose(noticed time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.listens {
		return
	}
	r.listens, r.changed = false, time.Now()
	r.w.log("replica %s hears nothing, and notices in %v", r, noticed)
	lost := r.changed
	time.AfterFunc(noticed, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !r.listens && r.changed.Equal(lost) && r.w.mutant != trustsSilence {
			r.store.Disconnected(lost)
		}
	})
}

// regain connects it again.
func (r *replica) regain() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listens || r.dead.Load() {
		return
	}
	r.listens, r.changed = true, time.Now()
	r.w.log("replica %s hears again", r)
	if r.w.mutant != regainsBlindly {
		r.store.InvalidateAll()
	}
	r.store.Connected()
}

// bound is how old what it knows may be, for a request that begins now.
func (r *replica) bound() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listens {
		return notifiedWithin
	}
	return trustedFor + notifiedWithin
}

const (
	// poll is longer than the default, because looks at an idle queue take the most time.
	poll = 30 * time.Second
	// notifiedWithin is how long a notification takes at most.
	notifiedWithin = 50 * time.Millisecond
	// trustedFor is how long a row is used without notifications.
	trustedFor = 5 * time.Second
)

// ask sends a request and returns the answer; the status is 0 if there is none.
func (r *replica) ask(timeout time.Duration, method, path, body string, header ...string) (status int, text string) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	q := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	q.RemoteAddr = fmt.Sprintf("203.0.%d.%d:1", r.w.spread(200, "network"), r.w.spread(200, "address"))
	for i := 0; i < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	if r.dead.Load() {
		return 0, ""
	}
	r.server.ServeHTTP(recorder, q)
	if r.dead.Load() || ctx.Err() != nil {
		return 0, ""
	}
	return recorder.Code, recorder.Body.String()
}

var _ http.RoundTripper = transport{}
