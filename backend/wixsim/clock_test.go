package wixsim

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func advance(t *testing.T, s *Sim, d time.Duration) {
	t.Helper()
	if err := s.Advance(d); err != nil {
		t.Fatal(err)
	}
}

// attemptTimes returns when the attempts of a delivery began, from the tests' time on.
func attemptTimes(d Delivery) []time.Duration {
	var at []time.Duration
	for _, a := range d.Attempts {
		at = append(at, a.At.Sub(testTime))
	}
	return at
}

// still is a clock that moves by Advance alone.
func still(c *Config) { c.Now = func() time.Time { return testTime } }

func TestAdvance_tokensExpire(t *testing.T) {
	s := newSim(t)
	token := mint(t, s, TokenRequest{Subject: Visitor})
	for _, tt := range []struct {
		by     time.Duration
		active bool
	}{{0, true}, {4*time.Hour - time.Second, true}, {time.Second, false}} {
		advance(t, s, tt.by)
		if got := object(t, ask(s.REST(), "POST", pathTokenInfo, quote("token", token)))["active"]; got != tt.active {
			t.Errorf("at %v: active is %v", s.Now(), got)
		}
	}
	if want := testTime.Add(4 * time.Hour); !s.Now().Equal(want) {
		t.Errorf("it is %v, want %v", s.Now(), want)
	}
}

func TestAdvance_makesDueRetriesAtTheirTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no real time passes
		s, v := newSender(t, still)
		v.answer = always(500)
		post(t, s, Webhook{EventType: AppInstalled})
		advance(t, s, 11*time.Minute-1) // the second retry is due a nanosecond later
		if diff := cmp.Diff([]time.Duration{0, time.Minute}, attemptTimes(s.Webhooks()[0])); diff != "" {
			t.Error(diff)
		}
		advance(t, s, 1)
		if n := len(s.Webhooks()[0].Attempts); n != 3 {
			t.Errorf("%d attempts after 11 minutes", n)
		}
		advance(t, s, 72*time.Hour)
		want, sum := []time.Duration{0}, time.Duration(0)
		for _, d := range retryDelays() {
			sum += d
			want = append(want, sum)
		}
		got := s.Webhooks()[0]
		if diff := cmp.Diff(want, attemptTimes(got)); diff != "" || got.State != DeliveryFailed {
			t.Error(got.State, diff)
		}
		if want := testTime.Add(72*time.Hour + 11*time.Minute); !s.Now().Equal(want) {
			t.Errorf("it is %v, want %v", s.Now(), want)
		}
	})
}

func TestAdvance_followsTheOrderOfDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newSender(t, still)
		var mu sync.Mutex
		var order []time.Duration
		v.answer = func(int, *http.Request) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, s.Now().Sub(testTime))
			return 200, nil
		}
		delays := []time.Duration{5 * time.Hour, time.Hour, 3 * time.Hour, 2 * time.Hour, 4 * time.Hour}
		for _, d := range delays {
			post(t, s, Webhook{EventType: AppInstalled, Delay: d})
		}
		advance(t, s, 4*time.Hour)
		slices.Sort(delays)
		if diff := cmp.Diff(delays[:4], order); diff != "" {
			t.Error(diff)
		}
		if last := s.Webhooks()[0]; last.State != DeliveryPending || len(last.Attempts) != 0 {
			t.Errorf("the delivery after 5 hours: %+v", last)
		}
	})
}

func TestAdvance_addsToTheTimeThatPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newSender(t)
		v.answer = always(500)
		post(t, s, Webhook{EventType: AppInstalled})
		attempts := func(want int) {
			t.Helper()
			synctest.Wait()
			if n := len(s.Webhooks()[0].Attempts); n != want {
				t.Errorf("%d attempts at %v, want %d", n, s.Now(), want)
			}
		}
		time.Sleep(40 * time.Second)
		advance(t, s, 19*time.Second)
		attempts(1)
		advance(t, s, time.Second)
		attempts(2) // a minute after the first
		advance(t, s, 9*time.Minute)
		time.Sleep(59 * time.Second)
		attempts(2)
		time.Sleep(time.Second)
		attempts(3) // ten minutes after the second
	})
}

func TestAdvance_waitsForTheAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newSender(t)
		v.answer = slow(time.Second, 500)
		post(t, s, Webhook{EventType: AppInstalled})
		advance(t, s, 2*time.Minute)
		if n := len(s.Webhooks()[0].Attempts); n != 2 {
			t.Errorf("%d attempts", n)
		}
	})
}

func TestAdvance_endsWithClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newSender(t)
		v.answer = hang
		post(t, s, Webhook{EventType: AppInstalled})
		done := make(chan struct{})
		go func() {
			advance(t, s, time.Hour)
			close(done)
		}()
		synctest.Wait()
		s.Close()
		<-done
	})
}

func TestAdvance_refuses(t *testing.T) {
	s := newSim(t)
	for _, d := range []time.Duration{-1, maxTTL + 1} {
		if err := s.Advance(d); err == nil || !s.Now().Equal(testTime) {
			t.Errorf("by %v: %v", d, err)
		}
	}
}

func TestWaitIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newSender(t)
		s.WaitIdle() // nothing has been sent
		v.answer = slow(time.Second, 500)
		post(t, s, Webhook{EventType: AppInstalled, Duplicates: 2 * maxSending}, Webhook{EventType: AppRemoved, Delay: time.Hour})
		start := time.Now()
		s.WaitIdle()
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("it waited %v", took)
		}
		for _, d := range s.Webhooks()[:1+2*maxSending] {
			if len(d.Attempts) != 1 {
				t.Errorf("delivery %d has %d attempts", d.ID, len(d.Attempts))
			}
		}
	})
}
