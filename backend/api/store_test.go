package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
	"github.com/nametag-dev/nametag/backend/wix"
)

// awayStore is a store that has gone: each call fails, or those that write alone.
type awayStore struct {
	instance.Store
	read, write error
}

func (s *awayStore) Seen(ctx context.Context, v instance.Visit) (instance.Instance, error) {
	if s.read != nil {
		return instance.Instance{}, s.read
	}
	return s.Store.Seen(ctx, v)
}

func (s *awayStore) SaveSettings(ctx context.Context, id string, settings json.RawMessage, version int64) (instance.Instance, error) {
	if s.write != nil {
		return instance.Instance{}, s.write
	}
	return s.Store.SaveSettings(ctx, id, settings, version)
}

func (s *awayStore) Ping(context.Context) error { return s.write }

// refusing is a Refresher whose store is away.
type refusing struct {
	refresher
	err error
}

func (r refusing) Save(context.Context, string, *wix.AppInstance) error { return r.err }

func TestServer_storeAway(t *testing.T) {
	secret := errors.New("read the row of owner@example.com: disk I/O error")
	requests := []struct {
		method, path, token, body string
		writes                    bool
	}{
		{"GET", "/api/get-instance", visitor, "", false},
		{"HEAD", "/api/get-instance", visitor, "", false},
		{"POST", "/api/get-instance", "", visitor, false},
		{"GET", "/api/get-instance-data", visitor, "", false},
		{"GET", "/api/get-instance-data", owner, "", false},
		{"GET", "/api/settings", visitor, "", false},
		{"PUT", "/api/settings", owner, `{"greeting":"Hi"}`, true},
		{"PATCH", "/api/settings", owner, `{"greeting":"Hi"}`, true},
		{"GET", "/api/own", visitor, "", true},
		{"POST", "/api/own", visitor, `{}`, true},
	}
	for _, fault := range []struct {
		name  string
		store awayStore
	}{
		{"of any kind", awayStore{read: secret, write: secret}},
		{"too slow", awayStore{read: fmt.Errorf("read: %w", context.DeadlineExceeded), write: context.DeadlineExceeded}},
		{"canceled for another client", awayStore{read: fmt.Errorf("read: %w", context.Canceled), write: context.Canceled}},
		{"for writes alone", awayStore{write: secret}},
	} {
		t.Run(fault.name, func(t *testing.T) {
			store := fault.store
			store.Store = newStore(t)
			s, log := newServer(t, setup{store: &store, app: func(a *kit.App) {
				own := func(context.Context, kit.Call) (any, error) { return nil, fmt.Errorf("write: %w", store.write) }
				a.Routes = []kit.Route{
					{Method: "GET", Path: "own", Role: identity.Visitor, Handle: own},
					{Method: "POST", Path: "own", Role: identity.Visitor, Handle: own},
				}
			}, options: func(o *Options) {
				o.Production.Refresher = refusing{err: store.write}
				o.Production.Unavailable = func(err error) bool { return errors.Is(err, store.write) }
			}})
			for _, r := range requests {
				w := ask(s, r.method, r.path, r.body, "Authorization: "+r.token, "If-Match: \"0\"", "Content-Type: application/json")
				if store.read == nil && !r.writes {
					if w.Code != http.StatusOK {
						t.Errorf("%s %s: got %d %s, want 200", r.method, r.path, w.Code, w.Body)
					}
					continue
				}
				if w.Code != 503 || w.Header().Get("Retry-After") == "" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
					t.Errorf("%s %s: got %d %s %v", r.method, r.path, w.Code, w.Body, w.Header())
				}
				if r.method != "HEAD" && !strings.Contains(w.Body.String(), `"code":"store_unavailable"`) || strings.Contains(w.Body.String(), "disk") {
					t.Errorf("%s %s: %s", r.method, r.path, w.Body)
				}
			}
			if !strings.Contains(log.String(), store.write.Error()) {
				t.Errorf("the cause is not in the log: %s", log)
			}
			if got := ask(s, "GET", "/readyz", "").Code; got != 503 && !errors.Is(store.write, context.Canceled) {
				t.Errorf("readyz answers %d", got)
			}
			if got := ask(s, "GET", "/healthz", "").Code; got != 200 {
				t.Errorf("healthz answers %d: a restart would not help", got)
			}
		})
	}
}

// A client that has gone is no outage.
func TestServer_storeCanceledByItsClient(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := storeError(gone, fmt.Errorf("read: %w", context.Canceled)); !errors.Is(err, context.Canceled) {
		t.Errorf("storeError = %v", err)
	}
}

// An outage is one line of the log, however often a balancer asks, and so is its end.
func TestReadyz_saysOnceThatTheStoreIsAway(t *testing.T) {
	store := awayStore{Store: newStore(t), write: errors.New("no space")}
	s, log := newServer(t, setup{store: &store})
	for _, outage := range []int{1, 2} {
		store.write = errors.New("no space")
		for range 10 {
			if w := ask(s, "GET", "/readyz", ""); w.Code != 503 || !strings.Contains(w.Body.String(), "store unreachable") {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
		}
		store.write = nil
		for range 10 {
			if w := ask(s, "GET", "/readyz", ""); w.Code != 200 {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
		}
		if away, back := strings.Count(log.String(), "not ready"), strings.Count(log.String(), "ready again"); away != outage || back != outage {
			t.Errorf("after %d outages the log has %d and %d lines", outage, away, back)
		}
	}
}

// A database that waits must have given up before its request does.
func TestRunner_databaseCallsEndFirst(t *testing.T) {
	if sqlstore.CallTimeout >= handlerTimeout {
		t.Errorf("a call of the database may take %v, a request %v", sqlstore.CallTimeout, handlerTimeout)
	}
}
