package wixsim

import "net/http"

// registerPages adds the simulated site and editor pages.
func (s *Sim) registerPages(mux *http.ServeMux) {}
