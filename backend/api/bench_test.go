package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/store/cachestore"
	"github.com/nametag-dev/nametag/backend/store/memstore"
	"github.com/nametag-dev/nametag/backend/wix"
)

const benchApp = "22222222-2222-4222-8222-222222222222"

// tokenInfo is a Wix that knows every token.
type tokenInfo struct{}

func (tokenInfo) TokenInfo(context.Context, string) (wix.TokenInfo, error) {
	return wix.TokenInfo{
		Active: true, ClientID: benchApp, InstanceID: site1, SiteID: site1, SubjectType: wix.SubjectVisitor,
		Issued: time.Now(), Expires: time.Now().Add(4 * time.Hour),
	}, nil
}

// blank is a ResponseWriter that costs nothing, so that what is counted is ours.
type blank struct{ header http.Header }

func (b blank) Header() http.Header         { return b.header }
func (b blank) Write(p []byte) (int, error) { return len(p), nil }
func (b blank) WriteHeader(int)             {}

// BenchmarkGetInstanceKnown is the request that Nametag answers most: get-instance with
// a token that is known, on a row that is cached. "identity and view" is our own share;
// "handler" adds routing, headers, JSON and whatever else is done before net/http writes.
func BenchmarkGetInstanceKnown(b *testing.B) {
	identifier := identity.New(identity.Options{Wix: tokenInfo{}, AppID: benchApp})
	b.Cleanup(identifier.Close)
	store := cachestore.New(memstore.New(), cachestore.Options{})
	b.Cleanup(func() { _ = store.Close() })
	s, _ := newServer(b, setup{options: func(o *Options) {
		o.Production.Identifier, o.Production.Store = identifier, store
	}})
	r := httptest.NewRequest(http.MethodGet, "/api/get-instance", http.NoBody)
	authorization := []string{"a-token-of-a-visitor"}
	r.Header["Authorization"] = authorization
	ctx := r.Context()
	if got := ask(s, http.MethodGet, "/api/get-instance", "", "Authorization: "+authorization[0]); got.Code != http.StatusOK {
		b.Fatal(got.Code, got.Body)
	}
	if _, err := store.SaveProfile(ctx, site1, instance.Profile{
		Locale: "en", Currency: "USD", SiteDisplayName: "My Wix Site", Languages: []string{"en"}, Plan: instance.Plan{Free: true},
	}, time.Now()); err != nil {
		b.Fatal(err)
	}

	b.Run("identity and view", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			who, err := identifier.Identify(ctx, "192.0.2.1", authorization)
			if err != nil {
				b.Fatal(err)
			}
			row, err := store.Seen(ctx, instance.Visit{
				InstanceID: who.Caller.InstanceID, SiteID: who.Caller.SiteID, IssuedAt: who.Caller.IssuedAt, At: time.Now(),
			})
			if err != nil {
				b.Fatal(err)
			}
			view = row.ViewFor(who.Caller.Role)
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
