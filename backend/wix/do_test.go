package wix_test

// Any other request to Wix's API: where it is sent, and what comes back.

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/wix"
)

func newRequest(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestClient_Do_sendsAndReturns(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization")+" "+r.Header.Get("X-Own")+" "+string(body))
	})
	r := newRequest(t, http.MethodPatch, wix.DefaultBaseURL+"/stores/v1/products/a%2Fb?x=1", strings.NewReader("order"))
	r.Header.Set("X-Own", "own")
	r.Header.Set("Authorization", "of the caller")
	resp, err := c.Do(r, "app-token")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if want := "PATCH /stores/v1/products/a%2Fb?x=1 app-token own order"; resp.StatusCode != http.StatusTeapot || string(body) != want {
		t.Errorf("got %d, %s", resp.StatusCode, body)
	}
	if r.URL.Host != "www.wixapis.com" || r.Header.Get("Authorization") != "of the caller" {
		t.Errorf("the request was changed: %v, %v", r.URL, r.Header)
	}
}

func TestClient_Do_requestWithoutHeader(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Header.Get("Authorization")) })
	r := newRequest(t, http.MethodGet, wix.DefaultBaseURL, http.NoBody)
	r.Header = nil
	resp, err := c.Do(r, "app-token")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != "app-token" || r.Header != nil {
		t.Errorf("got %s, %v", body, r.Header)
	}
}

func TestClient_Do_doesNotFollowRedirects(t *testing.T) {
	attempts := 0
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		attempts++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	resp, err := c.Do(newRequest(t, http.MethodGet, wix.DefaultBaseURL+"/x", http.NoBody), "app-token")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusTemporaryRedirect || attempts != 1 {
		t.Errorf("got %d after %d attempts", resp.StatusCode, attempts)
	}
}

// closing notes that a body was closed.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

func TestClient_Do_foreignURL(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the request was sent") }))
	defer server.Close()
	c := connect(t, server.URL+"/prefix")
	for _, target := range []string{
		"https://evil.example/", "http://www.wixapis.com/", "https://www.wixapis.com:8443/", "https://www.wixapis.com/../x",
		server.URL + "/", server.URL + "/prefixed", server.URL + "/prefix/../x",
	} {
		body := &closing{Reader: strings.NewReader("order")}
		r := newRequest(t, http.MethodPost, target, body)
		resp, err := c.Do(r, token)
		if err == nil {
			resp.Body.Close()
		}
		if !errors.Is(err, wix.ErrForeignURL) || !errors.Is(c.CheckURL(r.URL), wix.ErrForeignURL) || !body.closed {
			t.Errorf("%s: got %v, body closed: %v", target, err, body.closed)
		}
		checkSilent(t, err)
	}
	for _, target := range []string{wix.DefaultBaseURL, wix.DefaultBaseURL + "/x", server.URL + "/prefix", server.URL + "/prefix/x"} {
		if err := c.CheckURL(newRequest(t, http.MethodGet, target, http.NoBody).URL); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestClient_Do_failures(t *testing.T) {
	t.Run("a broken connection is not repeated", func(t *testing.T) {
		url, connections := hangUp(t, "")
		resp, err := connect(t, url).Do(newRequest(t, http.MethodPost, url+"/x", strings.NewReader("BODY")), token)
		if err == nil {
			resp.Body.Close()
		}
		var e *wix.Error
		if !errors.As(err, &e) || e.Kind != wix.Unavailable || e.Op != "request" || connections.Load() != 1 {
			t.Errorf("got %v after %d attempts", err, connections.Load())
		}
		checkSilent(t, err)
	})
	t.Run("an invalid base URL", func(t *testing.T) {
		resp, err := connect(t, "http://bad host\x7f").Do(newRequest(t, http.MethodGet, wix.DefaultBaseURL, http.NoBody), token)
		if err == nil {
			resp.Body.Close()
		}
		var e *wix.Error
		if !errors.As(err, &e) || e.Kind != wix.Unavailable {
			t.Errorf("got %v", err)
		}
	})
	for name, tt := range map[string]struct {
		end  func(context.Context) (context.Context, context.CancelFunc)
		kind wix.Kind
	}{
		"the request's deadline": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Hour)
		}, wix.Timeout},
		"the request's cancellation": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Hour, cancel)
			return ctx, cancel
		}, wix.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := tt.end(t.Context())
				defer cancel()
				start := time.Now()
				r := newRequest(t, http.MethodGet, wix.DefaultBaseURL, http.NoBody).WithContext(ctx)
				resp, err := wix.New(wix.Options{Transport: slow}).Do(r, token)
				if err == nil {
					resp.Body.Close()
				}
				var e *wix.Error
				if !errors.As(err, &e) || e.Kind != tt.kind || time.Since(start) != time.Hour {
					t.Errorf("got %v after %v", err, time.Since(start))
				}
			})
		})
	}
}
