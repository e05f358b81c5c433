package wixsim

// Webhooks on their way: the first attempt, Wix's retries, duplicates and
// shuffling. Nothing runs and no key is made before the first webhook. Between two
// attempts a delivery is a timer, not a goroutine.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// webhookTimeout is how long Wix waits for the 200 ("Webhooks", REST articles).
	webhookTimeout = 1250 * time.Millisecond
	// maxDeliveries bounds what is kept, and so what can be pending.
	maxDeliveries = 10_000
	// maxSending bounds the requests that are under way at one time.
	maxSending = 16
	maxDelay   = 24 * time.Hour
)

// retryDelays returns the time from a failed attempt to the next one ("Webhook
// Resend Policy").
func retryDelays() []time.Duration {
	const m, h = time.Minute, time.Hour
	return []time.Duration{m, 10 * m, h, 2 * h, 2 * h, 2 * h, 4 * h, 4 * h, 4 * h, 8 * h, 8 * h, 12 * h}
}

// The states of a delivery.
const (
	DeliveryPending   = "pending"   // not tried yet, or to be tried again
	DeliveryDelivered = "delivered" // answered 200
	DeliveryFailed    = "failed"    // given up after the last retry
)

var (
	// ErrNoWebhookURL says that there is nowhere to send a webhook to.
	ErrNoWebhookURL = errors.New("no webhook URL is set, so that there is nowhere to send this to")
	// ErrBusy says that too many webhooks are pending.
	ErrBusy = fmt.Errorf("at most %d webhooks can be pending", maxDeliveries)
	// ErrClosed says that the Sim has been closed.
	ErrClosed = errors.New("the offline Wix is closed")
)

// Delivery is one webhook on its way to one URL.
type Delivery struct {
	ID                    int64
	EventType, InstanceID string
	At                    time.Time // the event's time
	Attempts              []Attempt
	State                 string // DeliveryPending, DeliveryDelivered or DeliveryFailed
}

// Attempt is one request of a delivery.
type Attempt struct {
	At       time.Time
	Status   int    // 0 when there was no answer
	Error    string // why there was none, or ""
	Duration time.Duration
}

// outbox holds the deliveries. Its workers come and go with what is ready.
type outbox struct {
	client *http.Client
	factor float64 // what the retry delays are divided by
	now    func() time.Time
	logger *slog.Logger
	stop   context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	url     string
	lastID  int64
	all     []*delivery // the oldest first
	pending int
	ready   []*delivery // to be sent as soon as a worker is free
	sending int
	closed  bool
	workers sync.WaitGroup
}

type delivery struct {
	Delivery
	sealed
	timer *time.Timer
}

// sealed is a webhook that is ready to be sent.
type sealed struct {
	url   string
	body  string
	delay time.Duration
	// again signs anew for a retry, or is nil for the same body each time.
	again func() string
}

func newOutbox(cfg Config) *outbox {
	o := &outbox{
		client: &http.Client{
			Transport: cfg.Transport,
			// Wix counts 200 alone as success, so that a redirect is a failure.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		factor: cfg.RetryFactor, now: cfg.Now, logger: cfg.Logger, url: cfg.WebhookURL,
	}
	if o.client.Transport == nil {
		// No proxy: the receiver is on this machine, or where the URL says.
		o.client.Transport = &http.Transport{MaxIdleConnsPerHost: maxSending, IdleConnTimeout: 10 * time.Second}
	}
	o.stop, o.cancel = context.WithCancel(context.Background())
	return o
}

// Send sends webhooks: all of them, or none when there is an error, which is
// ErrNoWebhookURL, ErrBusy, ErrClosed or says what is wrong with a webhook. It does
// not wait for the answers. The ids are those of the deliveries in the order of the
// webhooks, each one's duplicates following it. Up to 16 are under way at once, so
// that the order of arrival is not assured, as with Wix.
func (s *Sim) Send(webhooks ...Webhook) (ids []int64, err error) { return s.send(webhooks, false) }

// SendShuffled is Send in random order, the duplicates among the rest.
func (s *Sim) SendShuffled(webhooks ...Webhook) (ids []int64, err error) {
	return s.send(webhooks, true)
}

func (s *Sim) send(webhooks []Webhook, shuffled bool) ([]int64, error) {
	var batch []*delivery
	for _, w := range webhooks {
		in, was := s.around(w)
		copies, err := s.prepare(w, in, was)
		if err == nil && len(batch)+len(copies) > maxDeliveries {
			err = ErrBusy
		}
		if err != nil {
			return nil, err
		}
		batch = append(batch, copies...)
	}
	return s.outbox.add(batch, shuffled)
}

// tell sends what has happened to an installation, if anyone is to be told.
func (s *Sim) tell(w Webhook, in, was Installation) {
	if s.WebhookURL() == "" {
		return
	}
	copies, err := s.prepare(w, in, was)
	if err == nil {
		_, err = s.outbox.add(copies, false)
	}
	if err != nil {
		s.cfg.Logger.Warn("webhook not sent", "event_type", w.EventType, "instance_id", in.InstanceID, "cause", err)
	}
}

func (o *outbox) add(batch []*delivery, shuffled bool) ([]int64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed:
		return nil, ErrClosed
	case o.pending+len(batch) > maxDeliveries:
		return nil, ErrBusy
	}
	if excess := len(o.all) + len(batch) - maxDeliveries; excess > 0 {
		o.all = slices.DeleteFunc(o.all, func(d *delivery) bool {
			gone := excess > 0 && d.State != DeliveryPending
			if gone {
				excess--
			}
			return gone
		})
	}
	ids := []int64{}
	for _, d := range batch {
		o.lastID++
		d.ID, d.State = o.lastID, DeliveryPending
		ids = append(ids, d.ID)
	}
	o.all = append(o.all, batch...)
	o.pending += len(batch)
	if shuffled {
		rand.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	}
	for _, d := range batch {
		if d.delay > 0 {
			o.later(d, d.delay)
		} else {
			o.makeReady(d)
		}
	}
	return ids, nil
}

// later and makeReady are called with the lock held.
func (o *outbox) later(d *delivery, delay time.Duration) {
	d.timer = time.AfterFunc(delay, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		if !o.closed && d.State == DeliveryPending {
			o.makeReady(d)
		}
	})
}

func (o *outbox) makeReady(d *delivery) {
	o.ready = append(o.ready, d)
	if o.sending < maxSending {
		o.sending++
		o.workers.Go(o.work)
	}
}

// work sends what is ready until nothing is.
func (o *outbox) work() {
	for {
		o.mu.Lock()
		if o.closed || len(o.ready) == 0 {
			o.sending--
			o.mu.Unlock()
			return
		}
		d := o.ready[0]
		o.ready = o.ready[1:]
		if d.again != nil && len(d.Attempts) > 0 {
			d.body = d.again()
		}
		to, body := d.url, d.body
		o.mu.Unlock()
		o.settle(d, o.attempt(to, body))
	}
}

// attempt makes one request. Its error text is of our own making or the operating
// system's: a receiver that echoes the body must not bring the JWT into the log.
func (o *outbox) attempt(to, body string) Attempt {
	start := o.now()
	a := Attempt{At: start.UTC()}
	ctx, cancel := context.WithTimeout(o.stop, webhookTimeout)
	defer cancel()
	answer, err := o.post(ctx, to, body)
	a.Duration = o.now().Sub(start)
	failure := new(net.OpError)
	switch {
	case err == nil:
		a.Status = answer.StatusCode
		io.CopyN(io.Discard, answer.Body, 4096) // so that the connection can be used again
		answer.Body.Close()
	case errors.Is(err, context.DeadlineExceeded):
		a.Error = "no answer within " + webhookTimeout.String()
	case errors.As(err, &failure):
		a.Error = clip(failure.Error(), 200)
	default:
		a.Error = "the connection was cut, or the answer is not HTTP"
	}
	return a
}

func (o *outbox) post(ctx context.Context, to, body string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	// No page names the type. The handlers in Wix's guides read the body with
	// express.text(), which by default takes this type and no other.
	r.Header.Set("Content-Type", "text/plain")
	return o.client.Do(r)
}

// settle notes an attempt, and what follows from it.
func (o *outbox) settle(d *delivery, a Attempt) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || d.State != DeliveryPending {
		return
	}
	d.Attempts = append(d.Attempts, a)
	log := o.logger.With("delivery", d.ID, "event_type", d.EventType, "instance_id", d.InstanceID,
		"attempt", len(d.Attempts), "status", a.Status)
	delays := retryDelays()
	switch tried := len(d.Attempts); {
	case a.Status == http.StatusOK:
		o.finish(d, DeliveryDelivered)
		log.Debug("webhook delivered", "duration", a.Duration)
	case tried > len(delays):
		o.finish(d, DeliveryFailed)
		log.Warn("webhook given up", "cause", a.Error)
	default:
		delay := time.Duration(float64(delays[tried-1]) / o.factor)
		o.later(d, delay)
		log.Info("webhook to be sent again", "cause", a.Error, "in", delay)
	}
}

func (o *outbox) finish(d *delivery, state string) {
	d.State = state
	d.sealed = sealed{}
	o.pending--
}

// Webhooks returns the latest deliveries, at most 10,000, the oldest first.
func (s *Sim) Webhooks() []Delivery {
	s.outbox.mu.Lock()
	defer s.outbox.mu.Unlock()
	all := make([]Delivery, len(s.outbox.all))
	for i, d := range s.outbox.all {
		all[i] = d.Delivery
		all[i].Attempts = slices.Clone(d.Attempts)
	}
	return all
}

// ClearWebhooks forgets all deliveries. What is pending is not sent any more.
func (s *Sim) ClearWebhooks() {
	o := s.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop()
	o.all = nil
}

// drop stops everything that is pending. The lock is held.
func (o *outbox) drop() {
	for _, d := range o.all {
		if d.timer != nil {
			d.timer.Stop()
		}
		if d.State == DeliveryPending {
			o.finish(d, DeliveryFailed)
		}
	}
	o.ready = nil
}

// Close gives up the webhooks that are pending, waits for the requests that are
// under way to end, and lets no more be sent. A Sim that sends none need not be closed.
func (s *Sim) Close() {
	o := s.outbox
	o.mu.Lock()
	o.closed = true
	o.drop()
	o.cancel()
	o.mu.Unlock()
	o.workers.Wait()
	o.client.CloseIdleConnections()
}

// WebhookURL returns where webhooks are sent, or "" when they are not.
func (s *Sim) WebhookURL() string {
	s.outbox.mu.Lock()
	defer s.outbox.mu.Unlock()
	return s.outbox.url
}

// SetWebhookURL sends the webhooks from now on to url, which must be http or https;
// "" is for nowhere.
func (s *Sim) SetWebhookURL(to string) error {
	if to != "" && !isHTTP(to) {
		return errors.New("the webhook URL must be an absolute one, http or https")
	}
	s.outbox.mu.Lock()
	defer s.outbox.mu.Unlock()
	s.outbox.url = to
	return nil
}

func isHTTP(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

// isLocalURL says whether a URL stays on this machine.
func isLocalURL(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && isHTTP(raw) && isLoopback(u.Host)
}
