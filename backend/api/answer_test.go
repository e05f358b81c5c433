package api

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/store/memstore"
)

func TestABrowserMayKeepGetInstanceForAMoment(t *testing.T) {
	store := memstore.New()
	s, _ := newServer(t, setup{store: store})
	ctx := context.Background()
	first := ask(s, "GET", "/api/get-instance", "", "Authorization: "+visitor)
	if got := first.Header().Get("Cache-Control"); got != "private, no-cache" {
		t.Errorf("while Wix has not told of the site: %q", got)
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
	if _, err := store.SaveSettings(ctx, site1, instance.Settings{Greeting: "Welcome"}, 0); err != nil {
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

func TestNoAnswerIsUsedAgainBeyondItsToken(t *testing.T) {
	for _, tt := range []struct {
		left time.Duration
		want string
	}{
		{30 * time.Second, "private, max-age=30"},
		{29 * time.Second, "private, no-cache"},
	} {
		at := time.Now()
		store := memstore.New()
		s, _ := newServer(t, setup{store: store, identifier: callers{at: at, expires: at.Add(tt.left)}})
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

func TestWhatABrowserMayNotKeep(t *testing.T) {
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
