package api

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/store/cachestore"
)

const benchApp = "22222222-2222-4222-8222-222222222222"

// tokenInfo is a Wix that knows every token.
type tokenInfo struct{}

func (tokenInfo) RoundTrip(r *http.Request) (*http.Response, error) {
	now := time.Now().Unix()
	body := fmt.Sprintf(`{"active":true,"clientId":%q,"instanceId":%q,"siteId":%q,"subjectType":"VISITOR","iat":%d,"exp":%d}`,
		benchApp, site1, site1, now, now+4*60*60)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// blank is a ResponseWriter that costs nothing, so that what is counted is ours.
type blank struct{ header http.Header }

func (b blank) Header() http.Header         { return b.header }
func (b blank) Write(p []byte) (int, error) { return len(p), nil }
func (b blank) WriteHeader(int)             {}

// BenchmarkGetInstance_known is the request that Nametag answers most: get-instance with
// a cached token, on a cached row. "identity and view" is our own share;
// "handler" adds routing, headers, JSON and whatever else is done before net/http writes.
func BenchmarkGetInstance_known(b *testing.B) {
	verifier, err := identity.New(identity.Options{AppID: benchApp, AppSecret: "secret", Transport: tokenInfo{}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(verifier.Close)
	store := cachestore.New(newStore(b), cachestore.Options{})
	b.Cleanup(func() { _ = store.Close() })
	s, _ := newServer(b, setup{options: func(o *Options) {
		o.Production.Identity, o.Production.Store = verifier, store
	}})
	r := httptest.NewRequest(http.MethodGet, "/api/get-instance", http.NoBody)
	authorization := []string{"a-token-of-a-visitor"}
	r.Header["Authorization"] = authorization
	ctx := r.Context()
	if got := ask(s, http.MethodGet, "/api/get-instance", "", "Authorization: "+authorization[0]); got.Code != http.StatusOK {
		b.Fatal(got.Code, got.Body)
	}
	if _, err := store.SaveProfile(ctx, site1, instance.Profile{
		Locale: "en", Currency: "USD", SiteDisplayName: "My Wix Site", Languages: []string{"en"}, Plan: instance.Plan{Kind: instance.PlanFree},
	}, time.Now()); err != nil {
		b.Fatal(err)
	}

	b.Run("identity and view", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			who, err := verifier.Verify(ctx, "192.0.2.1", authorization)
			if err != nil {
				b.Fatal(err)
			}
			row, err := store.Seen(ctx, instance.Visit{
				InstanceID: who.Caller.InstanceID, SiteID: who.Caller.SiteID, IssuedAt: who.Caller.IssuedAt, At: time.Now(),
			})
			if err != nil {
				b.Fatal(err)
			}
			view = row.VisitorView()
		}
	})
	b.Run("handler", func(b *testing.B) {
		b.ReportAllocs()
		w := blank{http.Header{}}
		for b.Loop() {
			clear(w.header)
			s.ServeHTTP(w, r)
		}
	})
}

// view keeps the compiler from leaving the benchmark's work out.
var view instance.View
