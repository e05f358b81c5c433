package wixsim

// The delivery of webhooks: the first attempt, Wix's retries, duplicates and shuffling.
// Nothing runs and no key is made before the first webhook. All deliveries that are not due
// yet share one timer, and no goroutine waits for them.

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
	// maxDeliveries bounds the deliveries that are stored, and so those that are pending.
	maxDeliveries = 10_000
	// maxSending bounds the requests that are in flight at one time.
	maxSending = 16
	maxDelay   = 24 * time.Hour
	maxAnswer  = 2 << 10 // bytes of one answer's body
	// maxStored bounds the bodies of deliveries that have ended and all answers, in bytes; the
	// oldest deliveries lose theirs first.
	maxStored = 8 << 20
)

// retryDelays returns Wix's delays from a failed attempt to the next one ("Webhook
// Resend Policy").
func retryDelays() []time.Duration {
	const m, h = time.Minute, time.Hour
	return []time.Duration{m, 10 * m, h, 2 * h, 2 * h, 2 * h, 4 * h, 4 * h, 4 * h, 8 * h, 8 * h, 12 * h}
}

// The states of a delivery.
const (
	DeliveryPending   = "pending"   // not attempted yet, or to be retried
	DeliveryDelivered = "delivered" // answered 200
	DeliveryFailed    = "failed"    // given up after the last retry
)

var (
	// ErrNoWebhookURL says that a webhook has no receiver.
	ErrNoWebhookURL = errors.New("no webhook URL is set, so that there is nowhere to send this to")
	// ErrBusy says that too many webhooks are pending.
	ErrBusy = fmt.Errorf("at most %d webhooks can be pending", maxDeliveries)
	// ErrClosed says that the Sim has been closed.
	ErrClosed = errors.New("the offline Wix is closed")
	// ErrNoDelivery says that there is no delivery of an id, or not any more.
	ErrNoDelivery = errors.New("there is no delivery of this id any more")

	errNotStored = errors.New("this webhook is too old to be sent again: its body is not stored any more")
)

// Delivery is the delivery of one webhook to one URL.
type Delivery struct {
	ID         int64     `json:"id"`
	EventType  string    `json:"eventType"`
	InstanceID string    `json:"instanceId"`
	URL        string    `json:"url"` // of the receiver
	At         time.Time `json:"at"`  // the event's time
	Attempts   []Attempt `json:"attempts"`
	State      string    `json:"state"` // DeliveryPending, DeliveryDelivered or DeliveryFailed
}

// Attempt is one request of a delivery.
type Attempt struct {
	At       time.Time     `json:"at"`
	Status   int           `json:"status,omitempty"` // 0 when there was no answer
	Error    string        `json:"error,omitempty"`  // why there was none, or ""
	Duration time.Duration `json:"durationNanoseconds"`
	// Answer is the start of the answer's body, at most 2 KiB, or "" where it is not stored.
	Answer string `json:"answer,omitempty"`
}

// outbox stores the deliveries and makes their attempts. Its workers are goroutines that
// end when nothing is ready.
type outbox struct {
	client  *http.Client
	factor  float64 // divides the retry delays
	clock   *clock
	logger  *slog.Logger
	sign    func(Unsigned) string
	changed func() // called after each change of what State returns, with mu locked
	events  *hub
	stop    context.Context
	cancel  context.CancelFunc

	advancing sync.Mutex // one advance at a time; locked before mu

	mu      sync.Mutex
	idle    *sync.Cond // signalled when nothing is ready or in flight any more
	url     string
	lastID  int64
	all     []*delivery // the oldest first
	pending int
	waiting []*delivery // not due yet, the earliest first
	timer   *time.Timer // for the first of waiting, or nil
	ready   []*delivery // to be sent as soon as a worker is free
	sending int         // workers
	closed  bool
	stored  int // bytes that maxStored bounds
	// stripped is the highest id of the deliveries that have lost their body and answers.
	stripped int64
	workers  sync.WaitGroup
}

type delivery struct {
	Delivery
	signedWebhook
	due time.Time // when it becomes ready, while it is waiting; zero otherwise
}

// size is what maxStored counts of a delivery that has ended.
func (d *delivery) size() int {
	n := len(d.body)
	for _, a := range d.Attempts {
		n += len(a.Answer)
	}
	return n
}

// copy returns the delivery for others to hold.
func (d *delivery) copy() Delivery {
	out := d.Delivery
	out.Attempts = slices.Clone(d.Attempts)
	return out
}

// signedWebhook is a webhook that is ready to be sent.
type signedWebhook struct {
	body  string
	delay time.Duration
	// again makes the body of a retry, or is nil for the same body each time.
	again *Unsigned
}

func newOutbox(cfg Config, clock *clock, events *hub) *outbox {
	o := &outbox{
		client: &http.Client{
			Transport: cfg.Transport,
			// Wix counts 200 alone as success, so that a redirect is a failure.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		factor: cfg.RetryFactor, clock: clock, logger: cfg.Logger, changed: cfg.Changed, events: events, url: cfg.WebhookURL,
	}
	o.idle = sync.NewCond(&o.mu)
	if o.client.Transport == nil {
		// No proxy: the receiver is usually on this machine.
		o.client.Transport = &http.Transport{MaxIdleConnsPerHost: maxSending, IdleConnTimeout: 10 * time.Second}
	}
	o.stop, o.cancel = context.WithCancel(context.Background())
	return o
}

// Send sends webhooks: all of them, or none when there is an error, which is
// ErrNoWebhookURL, ErrBusy, ErrClosed or says what is wrong with a webhook. It does
// not wait for the answers; WaitIdle does. The ids are those of the deliveries in the order
// of the webhooks, each followed by its duplicates. Up to 16 are in flight at once, so
// that the order of arrival is not guaranteed, as with Wix.
func (s *Sim) Send(webhooks ...Webhook) (ids []int64, err error) { return s.send(webhooks, false) }

// SendShuffled is Send in random order, the duplicates among the rest.
func (s *Sim) SendShuffled(webhooks ...Webhook) (ids []int64, err error) {
	return s.send(webhooks, true)
}

func (s *Sim) send(webhooks []Webhook, shuffled bool) ([]int64, error) {
	var batch []*delivery
	for _, w := range webhooks {
		in, before := s.subject(w)
		copies, err := s.prepare(w, in, before)
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

// notify sends the event of a change of an installation, if there is a receiver.
func (s *Sim) notify(w Webhook, in, before Installation) {
	if s.WebhookURL() == "" {
		return
	}
	copies, err := s.prepare(w, in, before)
	if err == nil {
		_, err = s.outbox.add(copies, false)
	}
	if err != nil {
		s.cfg.Logger.Warn("webhook not sent", "eventType", w.EventType, "instanceId", in.InstanceID, "cause", err)
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
	o.makeRoom(len(batch))
	ids := []int64{}
	for _, d := range batch {
		o.lastID++
		d.ID, d.State = o.lastID, DeliveryPending
		ids = append(ids, d.ID)
	}
	o.all = append(o.all, batch...)
	o.pending += len(batch)
	for _, d := range batch {
		o.publish(d)
	}
	if shuffled {
		rand.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	}
	for _, d := range batch {
		if d.delay > 0 {
			o.schedule(d, d.delay)
		} else {
			o.makeReady(d)
		}
	}
	o.changed()
	return ids, nil
}

// The methods from here to advance are called with mu locked, unless they say otherwise.

// makeRoom drops the oldest deliveries that have ended, until n more fit.
func (o *outbox) makeRoom(n int) {
	excess := len(o.all) + n - maxDeliveries
	if excess <= 0 {
		return
	}
	o.all = slices.DeleteFunc(o.all, func(d *delivery) bool {
		drop := excess > 0 && d.State != DeliveryPending
		if drop {
			excess--
			o.stored -= d.size()
		}
		return drop
	})
}

// schedule makes a delivery ready after the delay.
func (o *outbox) schedule(d *delivery, delay time.Duration) {
	o.await(d, o.clock.now().Add(delay))
}

// await makes a delivery ready at the given time.
func (o *outbox) await(d *delivery, due time.Time) {
	d.due = due
	i, _ := slices.BinarySearchFunc(o.waiting, d.due, func(w *delivery, due time.Time) int {
		if w.due.After(due) {
			return 1
		}
		return -1 // those of the same time stay in order
	})
	o.waiting = slices.Insert(o.waiting, i, d)
	if i == 0 {
		o.setTimer()
	}
}

// setTimer sets the timer for the first of the waiting deliveries. It runs in real time, so
// that retries are made even where Config.Now stands still.
func (o *outbox) setTimer() {
	if o.timer != nil {
		o.timer.Stop()
		o.timer = nil
	}
	if len(o.waiting) == 0 {
		return
	}
	due := o.waiting[0].due
	o.timer = time.AfterFunc(due.Sub(o.clock.now()), func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.release(due)
	})
}

// release makes everything ready that is due at the given time or before.
func (o *outbox) release(at time.Time) {
	for len(o.waiting) > 0 && !o.waiting[0].due.After(at) {
		o.makeReady(o.waiting[0])
		o.waiting = o.waiting[1:]
	}
	o.setTimer()
}

func (o *outbox) makeReady(d *delivery) {
	d.due = time.Time{}
	o.ready = append(o.ready, d)
	if o.sending < maxSending {
		o.sending++
		o.workers.Go(o.work)
	}
}

// waitIdle waits until nothing is ready or in flight.
func (o *outbox) waitIdle() {
	for !o.closed && (len(o.ready) > 0 || o.sending > 0) {
		o.idle.Wait()
	}
}

// advance moves the clock by d, in steps from one due delivery to the next. It is called
// without mu.
func (o *outbox) advance(d time.Duration) {
	o.advancing.Lock()
	defer o.advancing.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	end := o.clock.now().Add(d)
	for {
		o.waitIdle()
		if o.closed || len(o.waiting) == 0 || o.waiting[0].due.After(end) {
			break
		}
		due := o.waiting[0].due
		step := max(0, due.Sub(o.clock.now()))
		o.clock.advance(step)
		d -= step
		o.release(due)
	}
	o.clock.advance(d)
	o.setTimer()
	o.changed()
}

// work sends what is ready until nothing is. It is called without mu.
func (o *outbox) work() {
	for {
		o.mu.Lock()
		if o.closed || len(o.ready) == 0 {
			o.sending--
			o.idle.Broadcast()
			o.mu.Unlock()
			return
		}
		d := o.ready[0]
		o.ready = o.ready[1:]
		if d.again != nil && len(d.Attempts) > 0 {
			d.body = o.sign(*d.again)
		}
		to, body := d.URL, d.body
		o.mu.Unlock()
		o.record(d, o.attempt(to, body))
	}
}

// attempt makes one request. It is called without mu. Its error text is this package's or
// the operating system's: a receiver that echoes the body must not bring the JWT into the
// log.
func (o *outbox) attempt(to, body string) Attempt {
	start := o.clock.now()
	a := Attempt{At: start.UTC()}
	ctx, cancel := context.WithTimeout(o.stop, webhookTimeout)
	defer cancel()
	answer, err := o.post(ctx, to, body)
	a.Duration = o.clock.now().Sub(start)
	failure := new(net.OpError)
	switch {
	case err == nil:
		a.Status = answer.StatusCode
		// Up to its end, so that the connection can be used again.
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 2*maxAnswer))
		a.Answer = strings.ToValidUTF8(string(upTo(text, maxAnswer)), "\uFFFD")
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

// record stores an attempt, and ends the delivery or schedules the retry. It is called
// without mu.
func (o *outbox) record(d *delivery, a Attempt) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || d.State != DeliveryPending {
		return
	}
	if d.ID <= o.stripped {
		a.Answer = ""
	}
	d.Attempts = append(d.Attempts, a)
	o.store(d, len(a.Answer))
	o.changed()
	log := o.logger.With("delivery", d.ID, "eventType", d.EventType, "instanceId", d.InstanceID,
		"attempt", len(d.Attempts), "status", a.Status)
	delays := retryDelays()
	switch attempts := len(d.Attempts); {
	case a.Status == http.StatusOK:
		o.finish(d, DeliveryDelivered)
		log.Debug("webhook delivered", "duration", a.Duration)
	case attempts > len(delays):
		o.finish(d, DeliveryFailed)
		log.Warn("webhook given up", "cause", a.Error)
	default:
		delay := o.divide(delays[attempts-1])
		o.schedule(d, delay)
		log.Info("webhook to be sent again", "cause", a.Error, "in", delay)
		o.publish(d)
	}
}

// publish reports a change of a delivery.
func (o *outbox) publish(d *delivery) {
	o.events.publish("delivery", func() any { return deliveryItemOf(d.copy()) })
}

// store counts n bytes more of a delivery's, and drops the oldest where there are too many.
func (o *outbox) store(d *delivery, n int) {
	if o.stored += n; o.stored <= maxStored {
		return
	}
	for _, old := range o.all {
		if o.stored <= maxStored || old.ID > d.ID {
			return
		}
		if old.ID <= o.stripped {
			continue
		}
		o.stripped = old.ID
		for i := range old.Attempts {
			o.stored -= len(old.Attempts[i].Answer)
			old.Attempts[i].Answer = ""
		}
		if old.State != DeliveryPending {
			o.stored -= len(old.body)
			old.body = ""
		}
	}
}

func (o *outbox) divide(delay time.Duration) time.Duration {
	return time.Duration(float64(delay) / o.factor)
}

func (o *outbox) finish(d *delivery, state string) {
	d.State = state
	d.signedWebhook = signedWebhook{body: d.body}
	if d.ID <= o.stripped {
		d.body = ""
	}
	o.pending--
	o.store(d, len(d.body))
	o.publish(d)
}

// drop gives up everything that is pending.
func (o *outbox) drop() {
	for _, d := range o.all {
		if d.State == DeliveryPending {
			o.finish(d, DeliveryFailed)
		}
	}
	o.ready, o.waiting = nil, nil
	o.setTimer()
	o.idle.Broadcast()
}

// RetryDelays returns the delays from a failed attempt to the next one: Wix's, divided by
// Config.RetryFactor.
func (s *Sim) RetryDelays() []time.Duration {
	delays := retryDelays()
	for i, d := range delays {
		delays[i] = s.outbox.divide(d)
	}
	return delays
}

// WaitIdle waits until no webhook is being sent: each has been answered 200, has been given
// up, or waits for its delay or its next retry.
func (s *Sim) WaitIdle() {
	s.outbox.mu.Lock()
	defer s.outbox.mu.Unlock()
	s.outbox.waitIdle()
}

// Webhooks returns the latest deliveries, at most 10,000, the oldest first.
func (s *Sim) Webhooks() []Delivery {
	s.outbox.mu.Lock()
	defer s.outbox.mu.Unlock()
	all := make([]Delivery, len(s.outbox.all))
	for i, d := range s.outbox.all {
		all[i] = d.copy()
	}
	return all
}

// ClearWebhooks drops all deliveries. Pending ones are not sent any more.
func (s *Sim) ClearWebhooks() {
	o := s.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop()
	o.all, o.stored, o.stripped = nil, 0, 0
	o.changed()
}

// Close ends the streams of events, gives up the pending webhooks, cancels the requests that
// are in flight, waits for them, and sends no more. A Sim that has sent no webhook, passed no
// call on and has no reader of events need not be closed.
func (s *Sim) Close() {
	s.CloseEvents()
	o := s.outbox
	o.mu.Lock()
	o.closed = true
	o.drop()
	o.cancel()
	o.mu.Unlock()
	o.workers.Wait()
	o.client.CloseIdleConnections()
	s.relay.close()
}

// WebhookURL returns the URL that webhooks are sent to, or "" when none are sent.
func (s *Sim) WebhookURL() string {
	s.outbox.mu.Lock()
	defer s.outbox.mu.Unlock()
	return s.outbox.url
}

// SetWebhookURL sets the URL of the webhooks that are sent from now on. It must be http or
// https; "" sends none.
func (s *Sim) SetWebhookURL(to string) error {
	if to != "" && !isHTTP(to) {
		return errors.New("url must be an absolute one, http or https")
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

// IsLocalURL says whether a URL is http or https and of this machine: of a loopback address.
func IsLocalURL(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && isHTTP(raw) && isLoopback(u.Host)
}
