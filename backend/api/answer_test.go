package api

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/store/cachestore"
	"github.com/nametag-dev/nametag/backend/wix"
)

func TestGetInstance_reuseByBrowser(t *testing.T) {
	store := newStore(t)
	s, _ := newServer(t, setup{store: store})
	ctx := context.Background()
	first := ask(s, "GET", "/api/get-instance", "", "Authorization: "+visitor)
	if got := first.Header().Get("Cache-Control"); got != "private, no-cache" {
		t.Errorf("while Wix has not reported the site: %q", got)
	}
	if _, err := store.SaveProfile(ctx, site1, instance.Profile{SiteDisplayName: "Lantern"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	get := func(token string, headers ...string) (int, string, string) {
		w := ask(s, "GET", "/api/get-instance", "", append(headers, "Authorization: "+token)...)
		for name, want := range map[string]string{"Cache-Control": "private, max-age=30", "Vary": "Authorization", "Access-Control-Allow-Origin": "*"} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%d with %s: %q, want %q", w.Code, name, got, want)
			}
		}
		return w.Code, w.Header().Get("ETag"), w.Body.String()
	}
	_, before, _ := get(visitor)
	if _, err := store.SaveSettings(ctx, site1, json.RawMessage(`{"greeting":"Welcome"}`), 0); err != nil {
		t.Fatal(err)
	}
	_, tag, body := get(visitor)
	_, ownerTag, _ := get(owner)
	if !strings.HasPrefix(tag, `"`) || !strings.Contains(body, "Welcome") {
		t.Fatalf("ETag %s of %s", tag, body)
	}

	for _, tt := range []struct {
		name, token string
		headers     []string
		status      int
	}{
		{"its tag", visitor, []string{"If-None-Match: " + tag}, 304},
		{"its tag, weakened by a proxy", visitor, []string{"If-None-Match: W/" + tag}, 304},
		{"its tag among others", visitor, []string{`If-None-Match: "x", ` + tag}, 304},
		{"its tag in a second header", visitor, []string{`If-None-Match: "x"`, "If-None-Match: " + tag}, 304},
		{"whatever is there", visitor, []string{"If-None-Match: *"}, 304},
		{"the owner's own tag", owner, []string{"If-None-Match: " + ownerTag}, 304},

		{"no tag", visitor, nil, 200},
		{"the tag of before the change", visitor, []string{"If-None-Match: " + before}, 200},
		{"a visitor's tag does not hold for the owner", owner, []string{"If-None-Match: " + tag}, 200},
		{"the owner's tag does not hold for a visitor", visitor, []string{"If-None-Match: " + ownerTag}, 200},
		{"a tag without quotes", visitor, []string{"If-None-Match: " + strings.Trim(tag, `"`)}, 200},
		{"an empty list", visitor, []string{"If-None-Match: ,"}, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, got, body := get(tt.token, tt.headers...)
			if status != tt.status || (body == "") != (status == 304) {
				t.Errorf("got %d %q, want %d", status, body, tt.status)
			}
			if want := map[string]string{visitor: tag, owner: ownerTag}[tt.token]; got != want {
				t.Errorf("ETag %s, want %s", got, want)
			}
		})
	}
}

func TestGetInstance_reuseEndsWithToken(t *testing.T) {
	for _, tt := range []struct {
		left time.Duration
		want string
	}{
		{30 * time.Second, "private, max-age=30"},
		{29 * time.Second, "private, no-cache"},
	} {
		at := time.Now()
		store := newStore(t)
		s, _ := newServer(t, setup{store: store, identity: callers{at: at, expires: at.Add(tt.left)}})
		ask(s, "GET", "/api/get-instance", "", "Authorization: "+visitor)
		if _, err := store.SaveProfile(context.Background(), site1, instance.Profile{}, at); err != nil {
			t.Fatal(err)
		}
		w := ask(s, "GET", "/api/get-instance", "", "Authorization: "+visitor)
		if got := w.Header().Get("Cache-Control"); got != tt.want {
			t.Errorf("%s before its end: %q, want %q", tt.left, got, tt.want)
		}
	}
}

func TestServer_noStore(t *testing.T) {
	s, _ := newServer(t, setup{})
	for _, tt := range []struct {
		name, path, token string
		status            int
	}{
		{"a refusal", "/api/get-instance", "", 401},
		{"a refusal of a tag that matches all", "/api/get-instance", "other", 401},
		{"a token without an instance", "/api/get-instance", nobody, 200},
		{"settings", "/api/settings", owner, 200},
		{"the elevated answer", "/api/get-instance-data", owner, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := ask(s, "GET", tt.path, "", "Authorization: "+tt.token, "If-None-Match: *")
			if got := w.Header().Get("Cache-Control"); w.Code != tt.status || got != "no-store" {
				t.Errorf("got %d, Cache-Control %q", w.Code, got)
			}
			if w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Error("may be sniffed")
			}
		})
	}
}

// The cached encoding of an answer follows the record and the caller's role, and is used
// only where the app says that the answer depends on nothing else.
func TestGetInstance_cachedEncoding(t *testing.T) {
	for _, ofInstance := range []bool{true, false} {
		t.Run(fmt.Sprint("OfInstance ", ofInstance), func(t *testing.T) {
			store := cachestore.New(newStore(t), cachestore.Options{})
			calls := 0
			s, _ := newServer(t, setup{store: store, app: func(a *kit.App) {
				a.Answer = func(_ context.Context, c kit.Call) (any, error) {
					calls++
					body := fmt.Sprintf("%s %s %d", c.Caller.Role, c.Instance.Settings, calls)
					if ofInstance {
						return kit.Reply{OfInstance: func(kit.Call) any { return body }}, nil
					}
					return body, nil
				}
			}})
			get := func(token string) string {
				w := ask(s, "GET", "/api/get-instance", "", "Authorization: "+token)
				if tag := `"` + strconv.FormatUint(xxhash.Sum64(w.Body.Bytes()), 16) + `"`; w.Header().Get("ETag") != tag {
					t.Errorf("the tag %s of %s", w.Header().Get("ETag"), w.Body)
				}
				return w.Body.String()
			}
			get(visitor) // the first visit makes the record, which is cached from the next on
			first, again, ofOwner := get(visitor), get(visitor), get(owner)
			if (first == again) != ofInstance {
				t.Errorf("got %s, then %s", first, again)
			}
			if !strings.Contains(ofOwner, "owner") {
				t.Errorf("the owner gets %s", ofOwner)
			}
			row, err := store.SaveSettings(t.Context(), site1, json.RawMessage(`{"greeting":"Welcome"}`), 0)
			if err != nil {
				t.Fatal(err)
			}
			if got := get(visitor); !strings.Contains(got, "Welcome") {
				t.Errorf("after version %d: %s", row.Version, got)
			}
		})
	}
}

func TestRelays_endWithTheirAppInstance(t *testing.T) {
	r := new(relays)
	app, other := new(wix.AppInstance), new(wix.AppInstance)
	if first := r.of(app); r.of(app) != first || r.of(other) == first {
		t.Error("an app instance has not the encodings of its own")
	}
	count := func() (n int) {
		r.all.Range(func(any, any) bool { n++; return true })
		return n
	}
	if n := count(); n != 2 {
		t.Fatalf("%d encodings", n)
	}
	runtime.KeepAlive(app)
	runtime.KeepAlive(other)
	deadline := time.After(time.Minute)
	for count() > 0 {
		runtime.GC()
		select {
		case <-deadline:
			t.Fatalf("%d encodings are left", count())
		case <-time.After(time.Millisecond):
		}
	}
}

func TestGetInstanceData_byRole(t *testing.T) {
	app := new(wix.AppInstance)
	app.Instance.InstanceID = site1
	app.Site.Locale = wix.Some("de")
	s, _ := newServer(t, setup{identity: callers{app: app}})
	for range 2 { // encoded, and from the cache
		for token, want := range map[string]string{
			visitor: `{"site":{"locale":"de"}}`,
			owner:   `{"instance":{"instanceId":"` + site1 + `"},"site":{"locale":"de"}}`,
		} {
			w := ask(s, "GET", "/api/get-instance-data", "", "Authorization: "+token)
			if w.Code != 200 || w.Body.String() != want {
				t.Errorf("%s: got %d %s, want %s", token, w.Code, w.Body, want)
			}
		}
	}
}
