package wixsim

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

const receiverURL = "http://receiver.test/hook"

// receiver stands for the app's server: it records the requests and answers with answer.
type receiver struct {
	mu     sync.Mutex
	got    []received
	answer func(attempt int, r *http.Request) (int, error) // nil is 200
}

type received struct {
	at                time.Time
	method, url, kind string
	body              string
}

func (v *receiver) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	v.got = append(v.got, received{time.Now(), r.Method, r.URL.String(), r.Header.Get("Content-Type"), string(body)})
	attempt, answer := len(v.got), v.answer
	v.mu.Unlock()
	status := 200
	if answer != nil {
		if status, err = answer(attempt, r); err != nil {
			return nil, err
		}
	}
	header := http.Header{"Location": {"http://receiver.test/elsewhere"}}
	return &http.Response{StatusCode: status, Header: header, Body: http.NoBody, Request: r}, nil
}

func (v *receiver) all() []received {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.got)
}

func always(status int) func(int, *http.Request) (int, error) {
	return func(int, *http.Request) (int, error) { return status, nil }
}

func hang(_ int, r *http.Request) (int, error) {
	<-r.Context().Done()
	return 0, r.Context().Err()
}

// newSender returns a Sim that sends to a receiver, and is closed with the test. In
// a synctest bubble its clock is that of the bubble.
func newSender(t *testing.T, change ...func(*Config)) (*Sim, *receiver) {
	t.Helper()
	v := new(receiver)
	s := newSim(t, append([]func(*Config){func(c *Config) {
		c.WebhookURL, c.Transport, c.PrivateKey, c.Now = receiverURL, v, testKey(), time.Now
	}}, change...)...)
	t.Cleanup(s.Close)
	return s, v
}

func post(t *testing.T, s *Sim, webhooks ...Webhook) []int64 {
	t.Helper()
	ids, err := s.Send(webhooks...)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestOutbox_retrySchedule(t *testing.T) {
	const m, h = time.Minute, time.Hour
	schedule := []time.Duration{m, 10 * m, h, 2 * h, 2 * h, 2 * h, 4 * h, 4 * h, 4 * h, 8 * h, 8 * h, 12 * h}
	for name, factor := range map[string]float64{"in Wix's own times": 0, "in times compressed": 60} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, v := newSender(t, func(c *Config) { c.RetryFactor = factor })
				v.answer = always(500)
				start := time.Now()
				id := post(t, s, Webhook{EventType: AppInstalled})[0]
				time.Sleep(30 * 24 * time.Hour)
				synctest.Wait()
				var at []time.Duration
				for _, r := range v.all() {
					at = append(at, r.at.Sub(start))
				}
				want, sum := []time.Duration{0}, time.Duration(0)
				for _, d := range schedule {
					sum += time.Duration(float64(d) / cmp.Or(factor, 1))
					want = append(want, sum)
				}
				if diff := gocmp.Diff(want, at); diff != "" {
					t.Error(diff)
				}
				got := s.Webhooks()
				if len(got) != 1 || got[0].ID != id || got[0].State != DeliveryFailed || len(got[0].Attempts) != 13 {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

func TestOutbox_onlyA200InTimeIsSuccess(t *testing.T) {
	down := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	tests := map[string]struct {
		answer func(int, *http.Request) (int, error)
		want   Attempt
	}{
		"200":                        {always(200), Attempt{Status: 200}},
		"201 is a failure":           {always(201), Attempt{Status: 201}},
		"204 is a failure":           {always(204), Attempt{Status: 204}},
		"a redirect is not followed": {always(302), Attempt{Status: 302}},
		"a permanent redirect too":   {always(308), Attempt{Status: 308}},
		"401 is a failure":           {always(401), Attempt{Status: 401}},
		"503 is a failure":           {always(503), Attempt{Status: 503}},
		"a closed port":              {func(int, *http.Request) (int, error) { return 0, down }, Attempt{Error: "dial tcp: connection refused"}},
		"the connection is cut":      {func(int, *http.Request) (int, error) { return 0, io.EOF }, Attempt{Error: "the connection was cut, or the answer is not HTTP"}},
		"no answer":                  {hang, Attempt{Error: "no answer within 1.25s", Duration: 1250 * time.Millisecond}},
		"an answer that is in time":  {slow(1249*time.Millisecond, 200), Attempt{Status: 200, Duration: 1249 * time.Millisecond}},
		"an answer that is too late": {slow(1251*time.Millisecond, 200), Attempt{Error: "no answer within 1.25s", Duration: 1250 * time.Millisecond}},
		"a slow failure":             {slow(time.Second, 500), Attempt{Status: 500, Duration: time.Second}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, v := newSender(t)
				v.answer = tt.answer
				start := time.Now().UTC()
				post(t, s, Webhook{EventType: AppInstalled})
				time.Sleep(30 * time.Second)
				synctest.Wait()
				tt.want.At = start
				state := DeliveryPending
				if tt.want.Status == 200 {
					state = DeliveryDelivered
				}
				got := s.Webhooks()[0]
				if diff := gocmp.Diff([]Attempt{tt.want}, got.Attempts); diff != "" || got.State != state {
					t.Error(got.State, diff)
				}
				v.mu.Lock()
				v.answer = nil
				v.mu.Unlock()
				time.Sleep(48 * time.Hour)
				if got := s.Webhooks()[0]; got.State != DeliveryDelivered {
					t.Errorf("not delivered when all is well again: %+v", got)
				}
				if n, want := len(v.all()), map[bool]int{true: 1, false: 2}[state == DeliveryDelivered]; n != want {
					t.Errorf("%d requests in place of %d", n, want)
				}
			})
		})
	}
}

func slow(d time.Duration, status int) func(int, *http.Request) (int, error) {
	return func(_ int, r *http.Request) (int, error) {
		select {
		case <-time.After(d):
			return status, nil
		case <-r.Context().Done():
			return 0, r.Context().Err()
		}
	}
}

func TestOutbox_retriesCarryTheSameJWTUnlessResigned(t *testing.T) {
	for name, tt := range map[string]struct{ resign, always bool }{
		"the same": {}, "signed again": {resign: true}, "each is signed again": {always: true},
	} {
		resign := tt.resign || tt.always
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, v := newSender(t)
				behavior := DefaultBehavior()
				behavior.ResignRetries = tt.always
				if err := s.SetBehavior(behavior); err != nil {
					t.Fatal(err)
				}
				v.answer = func(attempt int, _ *http.Request) (int, error) {
					return map[bool]int{true: 200, false: 500}[attempt == 3], nil
				}
				post(t, s, Webhook{EventType: PaidPlanPurchased, Resign: tt.resign})
				time.Sleep(24 * time.Hour)
				got := v.all()
				if len(got) != 3 {
					t.Fatalf("%d requests", len(got))
				}
				first, last := open(t, s, got[0].body), open(t, s, got[2].body)
				if diff := gocmp.Diff(first.event, last.event); diff != "" {
					t.Error("another event", diff)
				}
				if same := got[0].body == got[2].body; same == resign {
					t.Error("the same JWT:", same)
				}
				if later := last.issued - first.issued; resign && later != 11*60 {
					t.Errorf("signed %v seconds later", later)
				}
			})
		})
	}
}

func TestSend_duplicatesAndDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newSender(t)
		start := time.Now()
		ids := post(t, s, Webhook{EventType: AppRemoved, Duplicates: 2},
			Webhook{EventType: AppInstalled, Delay: time.Hour, URL: "http://other.test/x"})
		if diff := gocmp.Diff([]int64{1, 2, 3, 4}, ids); diff != "" {
			t.Error(diff)
		}
		synctest.Wait()
		now := v.all()
		if len(now) != 3 || now[0].body != now[1].body || now[0].body != now[2].body {
			t.Errorf("%d requests at once", len(now))
		}
		time.Sleep(2 * time.Hour)
		all := v.all()
		if len(all) != 4 || all[3].at.Sub(start) != time.Hour || all[3].url != "http://other.test/x" || all[0].url != receiverURL {
			t.Errorf("%+v", all)
		}
	})
}

func TestSendShuffled_order(t *testing.T) {
	order := func(shuffled bool) (ids, started []int64) {
		s, _ := newSender(t)
		s.outbox.sending = maxSending // no worker takes them: the order stands still
		webhooks := slices.Repeat([]Webhook{{EventType: AppRemoved, Duplicates: 9}}, 5)
		send := s.Send
		if shuffled {
			send = s.SendShuffled
		}
		ids, err := send(webhooks...)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range s.outbox.ready {
			started = append(started, d.ID)
		}
		return ids, started
	}
	if ids, started := order(false); len(ids) != 50 || !slices.Equal(ids, started) {
		t.Error("not in the order in which they were given:", started)
	}
	ids, started := order(true)
	if slices.Equal(ids, started) {
		t.Error("not shuffled")
	}
	slices.Sort(started)
	if !slices.Equal(ids, started) {
		t.Error("lost or doubled:", started)
	}
}

func TestOutbox_boundsRequestsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newSender(t)
		v.answer = slow(time.Second, 200)
		post(t, s, Webhook{EventType: AppRemoved, Duplicates: 99})
		synctest.Wait()
		if n := len(v.all()); n != maxSending {
			t.Errorf("%d requests at once", n)
		}
		time.Sleep(time.Minute)
		if n := len(v.all()); n != 100 {
			t.Errorf("%d requests in the end", n)
		}
	})
}

func TestOutbox_boundsPendingDeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newSender(t)
		post(t, s, Webhook{EventType: AppInstalled, Delay: time.Hour})
		post(t, s, Webhook{EventType: AppRemoved, Duplicates: 999}) // these are done soon
		synctest.Wait()
		if last := s.outbox.all[1000]; last.State != DeliveryDelivered {
			t.Error("it is not delivered")
		}
		late := slices.Repeat([]Webhook{{EventType: AppInstalled, Duplicates: 999, Delay: time.Hour}}, 10)
		if _, err := s.Send(late...); err != ErrBusy {
			t.Error("10,001 pending:", err)
		}
		late[9].Duplicates--
		post(t, s, late...)
		if all := s.Webhooks(); len(all) != maxDeliveries || all[0].ID != 1 || all[1].ID != 1002 {
			t.Errorf("%d are stored: %d, %d, …", len(all), all[0].ID, all[1].ID)
		}
		if _, err := s.Send(Webhook{EventType: AppRemoved}); err != ErrBusy {
			t.Error("one too many:", err)
		}
		s.ClearWebhooks()
		if n := len(s.Webhooks()); n != 0 {
			t.Errorf("%d are left", n)
		}
		post(t, s, Webhook{EventType: AppRemoved})
		time.Sleep(2 * time.Hour)
		if n := len(v.all()); n != 1001 {
			t.Errorf("%d requests: what was cleared is still sent", n)
		}
	})
}

func TestClearWebhooks_dropsRequestsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newSender(t)
		v.answer = func(attempt int, r *http.Request) (int, error) {
			return slow(time.Second, 200+attempt%2*300)(attempt, r)
		}
		post(t, s, Webhook{EventType: AppRemoved, Duplicates: 19})
		synctest.Wait()
		s.ClearWebhooks()
		time.Sleep(48 * time.Hour)
		if n := len(v.all()); n != maxSending || len(s.Webhooks()) != 0 {
			t.Errorf("%d requests, %d deliveries", n, len(s.Webhooks()))
		}
		if s.outbox.pending != 0 || s.outbox.sending != 0 {
			t.Errorf("the count is off: %d pending, %d under way", s.outbox.pending, s.outbox.sending)
		}
	})
}

func TestClose_endsDeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newSender(t)
		v.answer = hang
		post(t, s, Webhook{EventType: AppRemoved, Duplicates: 29}, Webhook{EventType: AppRemoved, Delay: time.Minute})
		synctest.Wait()
		start := time.Now()
		s.Close()
		s.Close()
		if time.Since(start) != 0 {
			t.Error("it waits for the receiver")
		}
		if _, err := s.Send(Webhook{EventType: AppRemoved}); err != ErrClosed {
			t.Error("sent after the end:", err)
		}
		if _, err := s.Install(InstallRequest{}); err != nil {
			t.Error("the rest does not work on:", err)
		}
		time.Sleep(48 * time.Hour)
		if n := len(v.all()); n != maxSending {
			t.Errorf("%d requests", n)
		}
	})
}

func TestNew_startsNoGoroutine(t *testing.T) {
	s := newSim(t, func(c *Config) { c.WebhookURL = "http://127.0.0.1:1/" }) // goleak is the judge
	if s.WebhookURL() == "" || s.PublicKey() == "" {
		t.Error("it is not able to send")
	}
}

func TestOutbox_overTheNetwork(t *testing.T) {
	got := make(chan received, 10)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- received{method: r.Method, url: r.URL.Path, kind: r.Header.Get("Content-Type"), body: string(body)}
		if len(got) < 3 {
			w.WriteHeader(503)
		}
	}))
	defer app.Close()
	s := newSim(t, func(c *Config) {
		c.WebhookURL, c.PrivateKey, c.RetryFactor = app.URL+"/webhooks/wix", testKey(), 1e9
	})
	defer s.Close()
	in := install(t, s, InstallRequest{})
	for range 3 {
		r := <-got
		if r.method != "POST" || r.url != "/webhooks/wix" || r.kind != "text/plain" {
			t.Errorf("%+v", r)
		}
		if o := open(t, s, r.body); o.EventType != AppInstalled || o.InstanceID != in.InstanceID {
			t.Errorf("%+v", o)
		}
	}
}

func TestOutbox_logsNoSecret(t *testing.T) {
	// A receiver that answers with what it got, which is no HTTP, and then hangs up.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bodies := make(chan string, 100)
	var served sync.WaitGroup
	served.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				close(bodies)
				return
			}
			if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				body, _ := io.ReadAll(r.Body)
				c.Write(body)
				bodies <- string(body)
			}
			c.Close()
		}
	})
	var mu sync.Mutex
	var log bytes.Buffer
	s := newSim(t, func(c *Config) {
		c.WebhookURL, c.PrivateKey, c.RetryFactor = "http://"+listener.Addr().String(), testKey(), 1e9
		c.Logger = slog.New(slog.NewJSONHandler(&lockedWriter{mu: &mu, w: &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	install(t, s, InstallRequest{Plan: "premium"})
	var jwt string
	for range 13 {
		jwt = <-bodies
	}
	s.Close()
	listener.Close()
	served.Wait()
	mu.Lock()
	defer mu.Unlock()
	text := log.String() + mustJSON(s.Webhooks())
	if !strings.Contains(text, "webhook to be sent again") || !strings.Contains(text, "the answer is not HTTP") {
		t.Fatal("nothing was logged:", text)
	}
	for _, part := range append(strings.Split(jwt, "."), "PRIVATE KEY", strings.Split(testKey(), "\n")[3], testSecret) {
		if strings.Contains(text, part) {
			t.Errorf("%.20s… is in the log", part)
		}
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

func TestSetWebhookURL(t *testing.T) {
	s := newSim(t)
	if got := s.WebhookURL(); got != "" {
		t.Errorf("by default they are sent to %q", got)
	}
	tests := []struct {
		url  string
		fine bool
	}{
		{"https://hooks.example.com/x", true}, {"http://127.0.0.1:8080/webhooks/wix", true}, {"", true},
		{"/webhooks/wix", false}, {"localhost:8080", false}, {"file:///tmp/x", false},
	}
	for _, tt := range tests {
		before := s.WebhookURL()
		if err := s.SetWebhookURL(tt.url); (err == nil) != tt.fine {
			t.Errorf("%q: %v", tt.url, err)
		}
		if got := s.WebhookURL(); tt.fine && got != tt.url || !tt.fine && got != before {
			t.Errorf("%q: they are sent to %q", tt.url, got)
		}
	}
}

func TestControl_webhookStatuses(t *testing.T) {
	s, _ := newSender(t)
	h := s.Handler()
	id := s.Installations()[0].InstanceID
	big := quote("eventType", "X", "data", strings.Repeat("x", maxBody))
	tests := []struct {
		name, method, path, body string
		status                   int
	}{
		{"an event of Wix", "POST", "webhooks", `{"eventType":"AppInstalled","instanceId":"` + id + `"}`, 202},
		{"any other event", "POST", "webhooks", `{"eventType":"wix.blog.v3.post_created","data":{"a":1}}`, 202},
		{"an unknown instance", "POST", "webhooks", `{"eventType":"AppRemoved","instanceId":"x"}`, 202},
		{"data that is text", "POST", "webhooks", `{"eventType":"AppRemoved","data":"{not JSON"}`, 202},
		{"several, shuffled", "POST", "webhooks", `{"events":[{"eventType":"AppInstalled"},{"eventType":"AppRemoved","duplicates":2}],"shuffle":true}`, 202},
		{"none of several", "POST", "webhooks", `{"events":[]}`, 202},
		{"a receiver of its own", "POST", "webhooks", `{"eventType":"X","url":"http://127.0.0.1:1/","delay":"1h"}`, 202},

		{"no event type", "POST", "webhooks", `{}`, 422},
		{"an event type too long", "POST", "webhooks", quote("eventType", strings.Repeat("x", 151)), 422},
		{"an instance id too long", "POST", "webhooks", quote("eventType", "X", "instanceId", strings.Repeat("x", 101)), 422},
		{"one wrong of several", "POST", "webhooks", `{"events":[{"eventType":"AppInstalled"},{}]}`, 422},
		{"one and several", "POST", "webhooks", `{"eventType":"X","events":[{"eventType":"X"}]}`, 422},
		{"an unknown field", "POST", "webhooks", `{"eventType":"X","type":"Y"}`, 422},
		{"data that is a list", "POST", "webhooks", `{"eventType":"X","data":[1]}`, 422},
		{"data that is a number", "POST", "webhooks", `{"eventType":"X","data":1}`, 422},
		{"an invalid time", "POST", "webhooks", `{"eventType":"X","at":"yesterday"}`, 422},
		{"duplicates below none", "POST", "webhooks", `{"eventType":"X","duplicates":-1}`, 422},
		{"duplicates without end", "POST", "webhooks", `{"eventType":"X","duplicates":1001}`, 422},
		{"a delay into the past", "POST", "webhooks", `{"eventType":"X","delay":"-1s"}`, 422},
		{"a delay beyond a day", "POST", "webhooks", `{"eventType":"X","delay":"25h"}`, 422},
		{"a lifetime without end", "POST", "webhooks", `{"eventType":"X","ttl":"876000h"}`, 422},
		{"an unknown forgery", "POST", "webhooks", `{"eventType":"X","forge":"well"}`, 422},
		{"a key id too long", "POST", "webhooks", quote("eventType", "X", "kid", strings.Repeat("x", 101)), 422},
		{"a receiver elsewhere", "POST", "webhooks", `{"eventType":"X","url":"http://192.0.2.1/"}`, 422},
		{"a receiver elsewhere among several", "POST", "webhooks", `{"events":[{"eventType":"X","url":"https://example.com/"}]}`, 422},
		{"a receiver that is a file", "POST", "webhooks", `{"eventType":"X","url":"file://localhost/etc/passwd"}`, 422},
		{"a body too large", "POST", "webhooks", big, 413},
		{"more than can be pending", "POST", "webhooks", `{"events":[` + strings.Repeat(`{"eventType":"X","duplicates":1000},`, 9) + `{"eventType":"X","duplicates":1000}]}`, 503},
		{"another method", "PUT", "webhooks", `{}`, 405},

		{"the key", "GET", "public-key", "", 200},
		{"the key cannot be set", "PUT", "public-key", "{}", 405},
		{"the receiver", "GET", "webhook-url", "", 200},
		{"a receiver on this machine", "PUT", "webhook-url", `{"url":"http://[::1]:9/x"}`, 204},
		{"an invalid receiver", "PUT", "webhook-url", `{"url":"://"}`, 422},
		{"a receiver on another machine", "PUT", "webhook-url", `{"url":"http://10.0.0.1/"}`, 422},
		{"a name that looks local", "PUT", "webhook-url", `{"url":"http://localhost.example.com/"}`, 422},
		{"a user who looks local", "PUT", "webhook-url", `{"url":"http://localhost@example.com/"}`, 422},
		{"a file on this machine", "PUT", "webhook-url", `{"url":"file://localhost/tmp/x"}`, 422},
		{"a receiver without scheme", "PUT", "webhook-url", `{"url":"127.0.0.1:9"}`, 422},

		{"a plan", "PUT", "installs/" + id + "/plan", `{"plan":"premium"}`, 200},
		{"a plan of an unknown instance", "PUT", "installs/" + noSuchID + "/plan", `{"plan":"premium"}`, 404},
		{"an unknown field of a plan", "PUT", "installs/" + id + "/plan", `{"package":"premium"}`, 422},
		{"a plan cannot be posted", "POST", "installs/" + id + "/plan", `{"plan":"premium"}`, 405},
		{"an unknown field of a removal", "DELETE", "installs/" + id, `{"quiet":true}`, 422},
		{"a silent removal", "DELETE", "installs/" + id, `{"silent":true}`, 204},
		{"no receiver", "PUT", "webhook-url", `{}`, 204},
		{"an event without a receiver", "POST", "webhooks", `{"eventType":"AppRemoved","instanceId":"x"}`, 409},
		{"an event for one receiver", "POST", "webhooks", `{"eventType":"AppRemoved","instanceId":"x","url":"http://localhost:1"}`, 202},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := len(s.Webhooks())
			if w := ask(h, tt.method, "/_sim/"+tt.path, tt.body); w.Code != tt.status {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if tt.status >= 400 && len(s.Webhooks()) != before {
				t.Error("something was sent all the same")
			}
		})
	}

	if w := ask(h, "GET", "/_sim/public-key", ""); w.Body.String() != s.PublicKey() || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Errorf("%v %s", w.Header(), w.Body)
	}
}

func TestControl_listsDeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newSender(t)
		v.answer = func(attempt int, r *http.Request) (int, error) {
			if attempt == 1 {
				return hang(attempt, r)
			}
			return 200, nil
		}
		h := s.Handler()
		if got := ask(h, "GET", "/_sim/webhooks", "").Body.String(); got != "[]\n" {
			t.Error(got)
		}
		w := ask(h, "POST", "/_sim/webhooks", `{"eventType":"AppRemoved","instanceId":"`+noSuchID+`","at":"2026-05-04T05:02:01.25+02:00"}`)
		if got := strings.TrimSpace(w.Body.String()); got != `{"ids":[1]}` {
			t.Error(got)
		}
		time.Sleep(time.Hour)
		var got []map[string]any
		if err := json.Unmarshal(ask(h, "GET", "/_sim/webhooks", "").Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		want := []map[string]any{{
			"id": 1.0, "eventType": "AppRemoved", "instanceId": noSuchID, "url": receiverURL, "at": "2026-05-04T03:02:01.250Z", "state": "delivered",
			"attempts": []any{
				map[string]any{"at": "2000-01-01T00:00:00Z", "error": "no answer within 1.25s", "durationMs": 1250.0},
				map[string]any{"at": "2000-01-01T00:01:01.25Z", "status": 200.0, "durationMs": 0.0},
			},
		}}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if w := ask(h, "DELETE", "/_sim/webhooks", ""); w.Code != 204 || len(s.Webhooks()) != 0 {
			t.Error(w.Code)
		}
	})
}
