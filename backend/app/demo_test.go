package app

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/api"
	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

func code(err error) apierr.Code {
	if err == nil {
		return apierr.Code{}
	}
	return apierr.As(err).Code
}

func newDemoSessions(t *testing.T, now *time.Time) *demoSessions {
	t.Helper()
	sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: appSecret})
	if err != nil {
		t.Fatal(err)
	}
	return &demoSessions{sim: sim, store: newStore(t), now: func() time.Time { return *now }}
}

// client is an address in the nth network.
func client(n, host int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(n >> 8), byte(n), byte(host)})
}

func TestDemoSessions_end(t *testing.T) {
	now := time.Now()
	d := newDemoSessions(t, &now)
	before := len(d.sim.Installations())
	first, err := d.Create(client(0, 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.store.Seen(t.Context(), instance.Visit{InstanceID: first.InstanceID, At: now}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Token(first.ID, "USER"); err != nil {
		t.Errorf("a token of a session: %v", err)
	}
	if _, err := d.Token("another", "USER"); code(err) != apierr.NotFound {
		t.Errorf("a token of no session: %v", err)
	}

	now = first.ExpiresAt
	if _, err := d.Token(first.ID, "USER"); code(err) != apierr.NotFound {
		t.Errorf("a token of a session that has ended: %v", err)
	}
	if _, err := d.Calls(first.ID); code(err) != apierr.NotFound {
		t.Errorf("the calls of a session that has ended: %v", err)
	}
	if _, err := d.Create(client(0, 1)); err != nil {
		t.Fatal(err)
	}
	if n := len(d.sim.Installations()); n != before+1 {
		t.Errorf("%d installations are left of the ended sessions", n-before-1)
	}
	if _, err := d.store.Find(t.Context(), first.InstanceID); !errors.Is(err, instance.ErrNotFound) {
		t.Errorf("the store still has an ended session's instance: %v", err)
	}
}

func TestDemoSessions_boundedPerNetwork(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	d := newDemoSessions(t, &now)
	start := now
	for i := range 1000 {
		now = start.Add(time.Duration(i) * time.Second)
		_, err := d.Create(client(1, i%256))
		if i < maxDemoSessionsOfOne {
			if err != nil {
				t.Fatalf("session %d: %v", i+1, err)
			}
			continue
		}
		if code(err) != apierr.RateLimited {
			t.Fatalf("session %d: %v", i+1, err)
		}
		if wait, want := apierr.As(err).RetryAfter, start.Add(demoSessionLife).Sub(now); wait != want {
			t.Fatalf("session %d has to wait for %s, but the first of its network ends in %s", i+1, wait, want)
		}
	}
	for _, other := range []netip.Addr{client(2, 1), netip.MustParseAddr("2001:db8::1"), {}} {
		if _, err := d.Create(other); err != nil {
			t.Errorf("a client of another network, %s: %v", other, err)
		}
	}
	// As long as they were asked to wait, and not longer.
	now = start.Add(demoSessionLife)
	if _, err := d.Create(client(1, 7)); err != nil {
		t.Errorf("after the first has ended: %v", err)
	}
	if _, err := d.Create(client(1, 7)); apierr.As(err).RetryAfter != time.Second {
		t.Errorf("the second ends a second later: %v", err)
	}
}

func TestDemoSessions_oneNetworkOfIPv6(t *testing.T) {
	now := time.Now()
	d := newDemoSessions(t, &now)
	address := func(site, subnet int) netip.Addr {
		return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0, byte(site), byte(subnet >> 8), byte(subnet), 15: 1})
	}
	for i := range maxDemoSessionsOfOne {
		if _, err := d.Create(address(1, i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Create(address(1, 60_000)); code(err) != apierr.RateLimited {
		t.Errorf("one more subnet of the same /48: %v", err)
	}
	if _, err := d.Create(address(2, 0)); err != nil {
		t.Errorf("the next /48: %v", err)
	}
}

func TestDemoSessions_boundedInTotal(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	d := newDemoSessions(t, &now)
	for i := range maxDemoSessions {
		if _, err := d.Create(client(i/maxDemoSessionsOfOne, i)); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(10 * time.Minute)
	_, err := d.Create(client(60_000, 1))
	if want := demoSessionLife - 10*time.Minute; code(err) != apierr.RateLimited || apierr.As(err).RetryAfter != want {
		t.Errorf("one session too many: %v, to wait for %s instead of %s", err, apierr.As(err).RetryAfter, want)
	}
	now = now.Add(demoSessionLife - 10*time.Minute)
	if _, err := d.Create(client(60_000, 1)); err != nil {
		t.Errorf("after the end of the first: %v", err)
	}
}

// TestDemo_forItsOwnPages asks the whole program, as browsers do for pages of several origins.
func TestDemo_forItsOwnPages(t *testing.T) {
	w := start(t, product.EnvPrefix+"TRUSTED_PROXIES=127.0.0.0/8", product.EnvPrefix+"PUBLIC_URL=https://app.example/base")
	post := func(path, from string, header ...string) *http.Response {
		t.Helper()
		req, err := http.NewRequest(http.MethodPost, w.url+"/base/demo/"+path, strings.NewReader(`{"subject":"VISITOR"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", from)
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { res.Body.Close() })
		return res
	}
	var session api.DemoSession
	if err := json.NewDecoder(post("sessions", "203.0.113.1").Body).Decode(&session); err != nil {
		t.Fatal(err)
	}
	tokens := "sessions/" + session.ID + "/tokens"
	for _, tt := range []struct {
		name   string
		header []string
		ok     bool
	}{
		{"the page itself", []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://app.example"}, true},
		{"the page itself, whose Host a proxy changed", []string{"Origin", "https://app.example"}, true},
		{"the page under another name of the server", []string{"Origin", w.url}, true},
		{"no page", nil, true},
		{"another page, in mode no-cors", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://other.example"}, false},
		{"another page without an origin", []string{"Sec-Fetch-Site", "cross-site", "Origin", "null"}, false},
		{"a page of a sibling host", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://www.app.example"}, false},
		{"another page in an old browser", []string{"Origin", "https://other.example"}, false},
		{"another port", []string{"Origin", "https://app.example:8443"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for path, status := range map[string]int{"sessions": http.StatusCreated, tokens: http.StatusOK} {
				if !tt.ok {
					status = http.StatusNotFound
				}
				if res := post(path, "203.0.113.1", tt.header...); res.StatusCode != status {
					t.Errorf("%s: got %d, not %d", path, res.StatusCode, status)
				}
			}
		})
	}

	statuses := map[int]int{}
	for range 1000 {
		res := post("sessions", "203.0.113.1")
		statuses[res.StatusCode]++
		if wait, _ := strconv.Atoi(res.Header.Get("Retry-After")); res.StatusCode == http.StatusTooManyRequests && (wait < 3000 || wait > 3600) {
			t.Fatalf("Retry-After is %d: the first session ends in an hour", wait)
		}
	}
	if used := 5; statuses[http.StatusCreated] != maxDemoSessionsOfOne-used || len(statuses) != 2 {
		t.Errorf("1000 sessions of one client: %v", statuses)
	}
	if res := post("sessions", "198.51.100.1"); res.StatusCode != http.StatusCreated {
		t.Errorf("another client after them: %d", res.StatusCode)
	}
}
