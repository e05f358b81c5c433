package app

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/nametag-dev/nametag/backend/product"
)

// adminServer answers metrics and profiles on an address of its own, which is on
// the loopback interface unless configured otherwise.
type adminServer struct {
	listener net.Listener
	server   *http.Server
}

func listenAdmin(addr string, m *metrics) (*adminServer, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for metrics and profiles (%sADMIN_ADDR): %w", product.EnvPrefix, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	var handler http.Handler = mux
	if listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		handler = loopbackHost(mux)
	}
	return &adminServer{listener, &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}}, nil
}

// loopbackHost refuses requests whose Host is a name other than localhost: a page
// anywhere could point its own name at 127.0.0.1 and read profiles through a
// developer's browser.
func loopbackHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if host != "localhost" && net.ParseIP(strings.Trim(host, "[]")) == nil {
			http.Error(w, "ask by address or localhost", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *adminServer) serve() error { return a.server.Serve(a.listener) }

func (a *adminServer) close() error {
	err := a.server.Close()
	if e := a.listener.Close(); e != nil && !errors.Is(e, net.ErrClosed) {
		err = errors.Join(err, e)
	}
	return err
}
