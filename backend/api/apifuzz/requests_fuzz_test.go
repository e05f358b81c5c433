package apifuzz

import (
	"bytes"
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/nametag-dev/nametag/backend/api"
	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/assets"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/settings"
	"github.com/nametag-dev/nametag/backend/wix"
)

const id = "aaaaaaaa-0000-4000-8000-000000000001"

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

type site struct {
	Title  string          `json:"title" setting:"text" default:"Hi" min:"1" max:"20"`
	Number float64         `json:"number" setting:"number" default:"5" min:"1" max:"10" step:"0.5"`
	Secret settings.Secret `json:"secret" setting:"secret"`
}

// store holds one instance.
type store struct {
	instance.Store
	schema settings.Schema
	row    instance.Instance
	saved  json.RawMessage
}

// Seen implements instance.Store.
func (s *store) Seen(context.Context, instance.Visit) (instance.Instance, error) { return s.row, nil }

// SaveSettings implements instance.Store.
func (s *store) SaveSettings(_ context.Context, _ string, values json.RawMessage, version int64) (instance.Instance, error) {
	if version != s.row.Version {
		return instance.Instance{}, instance.ErrVersionConflict
	}
	s.saved = values
	s.row.Version++
	s.load(values)
	return s.row, nil
}

func (s *store) load(stored json.RawMessage) {
	values, secrets := s.schema.Complete(stored)
	s.row.Settings, s.row.Secrets = values, instance.NewSecrets(secrets)
}

// everyone is an Identity that knows one token, of the owner.
type everyone struct{}

const token = "the-owner's-token"

// Verify implements api.Identity.
func (e everyone) Verify(ctx context.Context, source string, authorization []string) (identity.Identification, error) {
	return e.VerifyToken(ctx, source, strings.Join(authorization, " "))
}

// VerifyToken implements api.Identity.
func (everyone) VerifyToken(_ context.Context, _, given string) (identity.Identification, error) {
	if given != token {
		return identity.Identification{}, &apierr.Error{Code: apierr.TokenInactive}
	}
	return identity.Identification{At: now, Caller: identity.Caller{InstanceID: id, Role: identity.Owner, IssuedAt: now, Expires: now.Add(time.Hour)}}, nil
}

// SignedInstance implements api.Identity.
func (everyone) SignedInstance(string) (wix.SignedInstance, error) {
	return wix.SignedInstance{}, &apierr.Error{Code: apierr.TokenMissing}
}

// AppInstance implements api.Identity.
func (everyone) AppInstance(context.Context, string) (*wix.AppInstance, error) {
	return nil, &apierr.Error{Code: apierr.WixUnavailable}
}

type nobody struct{}

func (nobody) RequestRefresh(string)                                {}
func (nobody) Save(context.Context, string, *wix.AppInstance) error { return nil }

type body struct {
	Stars int               `json:"stars"`
	Tags  []string          `json:"tags"`
	More  map[string]string `json:"more"`
}

// newServer is a server with one instance, whose settings are of version 3.
func newServer(tb testing.TB) (*api.Server, *store) {
	tb.Helper()
	schema, err := settings.For[site]()
	if err != nil {
		tb.Fatal(err)
	}
	files, err := assets.New(fstest.MapFS{})
	if err != nil {
		tb.Fatal(err)
	}
	s := &store{schema: schema, row: instance.Instance{ID: id, Version: 3, FirstSeen: now, LastSeen: now}}
	s.load(json.RawMessage(`{"title":"Before","number":2,"secret":"sk-of-before"}`))
	app := kit.App{
		Settings: schema,
		Answer:   func(context.Context, kit.Call) (any, error) { return "fine", nil },
		Routes: []kit.Route{{Method: "POST", Path: "stars", Role: identity.Visitor,
			Handle: kit.Body(func(_ context.Context, _ kit.Call, b body) (any, error) { return b, nil })}},
	}
	return api.New(api.Options{Widget: files, Panel: files, Web: files,
		Production: &api.Composition{Identity: everyone{}, Refresher: nobody{}, Store: s, App: app}}), s
}

// ask sends a request. Every answer is JSON, and none says that the server has failed.
func ask(t *testing.T, s *api.Server, method, path string, content []byte, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, bytes.NewReader(content))
	r.Header = header
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code >= 500 || w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
		t.Errorf("%s %s of %q with %q: %d %s", method, path, content, header, w.Code, w.Body)
	}
	return w
}

// isJSON reports whether a content type is that of JSON.
func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == "application/json"
}

// FuzzSettings saves settings.
func FuzzSettings(f *testing.F) {
	for _, seed := range []string{`{"title":"Ho","number":3,"secret":"sk-12345678"}`, `{"title":"Ho"}`, `{}`, `[]`, ``, `{"title":1}`, `{"x":1}`, `{"secret":""}`, "{\"title\":\"\xff\"}"} {
		f.Add(true, []byte(seed), "application/json", `"3"`)
		f.Add(false, []byte(seed), "application/json; charset=utf-8", `"2", "3"`)
	}
	f.Add(true, []byte(`{}`), "text/plain", `*`)
	f.Add(true, []byte(`{}`), "application/json", `W/"3"`)
	f.Add(true, []byte(`{}`), "", ``)
	f.Fuzz(func(t *testing.T, patch bool, content []byte, contentType, ifMatch string) {
		s, stored := newServer(t)
		before := stored.row
		method := http.MethodPut
		if patch {
			method = http.MethodPatch
		}
		w := ask(t, s, method, "/api/settings", content, http.Header{"Authorization": {token}, "Content-Type": {contentType}, "If-Match": {ifMatch}})
		if w.Code != http.StatusOK {
			if stored.saved != nil || !slices.Contains([]int{400, 412, 413, 415, 422, 428}, w.Code) {
				t.Errorf("%d, and %s is stored", w.Code, stored.saved)
			}
			return
		}
		if !isJSON(contentType) || !strings.Contains(ifMatch, `"3"`) && strings.TrimSpace(ifMatch) != "*" {
			t.Errorf("saved with the type %q over the version %q", contentType, ifMatch)
		}
		if stored.row.Version != before.Version+1 || w.Header().Get("ETag") != `"4"` {
			t.Errorf("saved as version %d, %q", stored.row.Version, w.Header().Get("ETag"))
		}
		if _, err := stored.schema.Replace(stored.saved, nil); err != nil {
			t.Errorf("%s is stored, and could not be saved: %v", stored.saved, err)
		}
		if bytes.Contains(w.Body.Bytes(), []byte("sk-of-before")) {
			t.Errorf("the answer shows the secret: %s", w.Body)
		}
	})
}

// FuzzTokenBody calls get-instance with a token in the body.
func FuzzTokenBody(f *testing.F) {
	for _, seed := range []string{token, "", "other", " " + token, "\x00", strings.Repeat("x", 20_000)} {
		f.Add([]byte(seed))
	}
	s, _ := newServer(f)
	f.Fuzz(func(t *testing.T, content []byte) {
		w := ask(t, s, http.MethodPost, "/api/get-instance", content, http.Header{})
		if admitted := w.Code == http.StatusOK; admitted != (string(content) == token) {
			t.Errorf("%q: %d %s", content, w.Code, w.Body)
		}
		if len(content) > 16 && bytes.Contains(w.Body.Bytes(), content) {
			t.Errorf("the answer repeats the token: %s", w.Body)
		}
	})
}

// FuzzRoute calls a route of the app.
func FuzzRoute(f *testing.F) {
	for _, seed := range []string{`{"stars":5,"tags":["a"],"more":{"a":"b"}}`, ``, `null`, `{"stars":1e400}`, `{"tags":{}}`, `{"x":1}`, `[]`, `{"stars":1} x`, `{"more":{"\ud800":""}}`} {
		f.Add([]byte(seed), "application/json")
	}
	f.Add([]byte(`{}`), "text/plain")
	s, _ := newServer(f)
	f.Fuzz(func(t *testing.T, content []byte, contentType string) {
		w := ask(t, s, http.MethodPost, "/api/stars", content, http.Header{"Authorization": {token}, "Content-Type": {contentType}})
		switch {
		case w.Code == http.StatusOK:
			var given, got body
			if err := json.Unmarshal(content, &given); err != nil || !isJSON(contentType) {
				t.Errorf("%q of the type %q is taken: %v", content, contentType, err)
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Stars != given.Stars || len(got.Tags) != len(given.Tags) || len(got.More) != len(given.More) {
				t.Errorf("%s is read as %s", content, w.Body)
			}
		case !slices.Contains([]int{400, 413, 415, 422}, w.Code):
			t.Errorf("%q: %d %s", content, w.Code, w.Body)
		}
	})
}
