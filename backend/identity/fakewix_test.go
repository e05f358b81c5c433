package identity

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// fakeWix is a Wix without a network, for tests of the whole Verifier. Its tokens are
// "visitor", "owner", "app" and "none", the last without an instance.
type fakeWix struct {
	mu       sync.Mutex
	appToken string       // the one that the API accepts
	tokens   int          // app tokens given
	api      http.Handler // any other request that has the app token
	requests []string     // to the API, in order
}

func (f *fakeWix) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if r.Body != nil {
		defer r.Body.Close()
	}
	switch r.URL.Path {
	case "/oauth2/token-info":
		f.tokenInfo(w, r)
	case "/oauth2/token":
		f.mu.Lock()
		f.tokens++
		fmt.Fprintf(w, `{"access_token":%q,"expires_in":14400}`, f.appToken)
		f.mu.Unlock()
	default:
		f.serveAPI(w, r)
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

func (f *fakeWix) tokenInfo(w http.ResponseWriter, r *http.Request) {
	var body struct{ Token string }
	_ = json.NewDecoder(r.Body).Decode(&body)
	types := map[string]string{"visitor": "VISITOR", "owner": "USER", "app": "APP", "none": "VISITOR"}
	subject, ok := types[body.Token]
	if !ok {
		fmt.Fprint(w, `{"active":false}`)
		return
	}
	instance := idA
	if body.Token == "none" {
		instance = ""
	}
	fmt.Fprintf(w, `{"active":true,"subjectType":%q,"clientId":%q,"instanceId":%q,"siteId":%q,"exp":%d}`,
		subject, app, instance, site, time.Now().Add(time.Hour).Unix())
}

func (f *fakeWix) serveAPI(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	accepted, api := f.appToken, f.api
	f.requests = append(f.requests, r.Method+" "+r.URL.String())
	f.mu.Unlock()
	if r.Header.Get("Authorization") != accepted {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	api.ServeHTTP(w, r)
}

func (f *fakeWix) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// counts returns the app tokens given and the requests to the API.
func (f *fakeWix) counts() (tokens, requests int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tokens, len(f.requests)
}

// echoBody is an API that answers with what it was sent.
func echoBody(w http.ResponseWriter, r *http.Request) {
	if r.Body != nil {
		_, _ = io.Copy(w, r.Body)
	}
}

func startVerifier(t testing.TB, o Options) (*Verifier, *fakeWix) {
	t.Helper()
	w := &fakeWix{appToken: "app-token-1", api: http.HandlerFunc(echoBody)}
	o.AppID, o.AppSecret = app, "app-secret"
	if o.Transport == nil {
		o.Transport = w
	}
	v, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v, w
}
