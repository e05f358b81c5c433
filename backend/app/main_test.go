package app

import (
	"net/http"
	"testing"

	"go.uber.org/goleak"
)

// run is the tests and then the end of the client's own idle connections.
type run struct{ *testing.M }

func (r run) Run() int {
	defer http.DefaultClient.CloseIdleConnections()
	return r.M.Run()
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(run{m}) }
