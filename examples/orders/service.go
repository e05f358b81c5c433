package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/identity"
)

// service keeps the orders of each site. The map stands for the service's database; what
// matters is its key, the app instance that identity vouches for.
type service struct {
	verifier *identity.Verifier

	mu     sync.Mutex
	orders map[string][]order
}

type order struct {
	Item string `json:"item"`
	Mugs int    `json:"mugs"`
}

// newService returns the service's handler.
func newService(v *identity.Verifier) http.Handler {
	s := &service{verifier: v, orders: map[string][]order{}}
	mux := http.NewServeMux()
	mux.Handle("POST /orders", v.Require(identity.Visitor)(handler(s.place)))
	mux.Handle("GET /orders", v.Require(identity.Owner)(handler(s.list)))
	mux.Handle("GET /site", v.Require(identity.Owner)(handler(s.site)))
	return identity.CORS(mux)
}

// handler is a function of the caller that returns what to answer. Its errors reach the
// client in the same form as those of identity.
type handler func(r *http.Request, c identity.Caller) (any, error)

func (f handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	caller, _ := identity.CallerFrom(r.Context())
	body, err := f(r, caller)
	if err != nil {
		apierr.Write(w, apierr.As(err), "")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // a failed write means that the client has gone
}

// mugLimit is an error of this service's own.
var mugLimit = apierr.Code{Name: "mug_limit", Status: http.StatusUnprocessableEntity, Message: "Order 1 to 100 mugs."}

func (s *service) place(r *http.Request, c identity.Caller) (any, error) {
	var o order
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<10)).Decode(&o); err != nil {
		return nil, &apierr.Error{Code: apierr.BodyMalformed, Err: err}
	}
	if o.Mugs < 1 || o.Mugs > 100 {
		return nil, &apierr.Error{Code: mugLimit}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders[c.InstanceID] = append(s.orders[c.InstanceID], o)
	return o, nil
}

func (s *service) list(_ *http.Request, c identity.Caller) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]order{}, s.orders[c.InstanceID]...), nil
}

// site asks Wix, as the app, for the name of the caller's site.
func (s *service) site(r *http.Request, c identity.Caller) (any, error) {
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "https://www.wixapis.com/apps/v1/instance", http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := s.verifier.Client(c.InstanceID).Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, &apierr.Error{Code: apierr.WixBadResponse, Err: errors.New(response.Status)}
	}
	var app struct {
		Site struct {
			SiteDisplayName string `json:"siteDisplayName"`
		} `json:"site"`
	}
	if err := json.NewDecoder(response.Body).Decode(&app); err != nil {
		return nil, fmt.Errorf("read the app instance: %w", err)
	}
	return map[string]string{"site": app.Site.SiteDisplayName}, nil
}
