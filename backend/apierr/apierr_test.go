package apierr

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/product"
)

func TestCodes_table(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	seen := map[string]bool{}
	for _, c := range Codes() {
		if !name.MatchString(c.Name) {
			t.Errorf("%q is not lower case with underscores", c.Name)
		}
		if seen[c.Name] {
			t.Errorf("%s is declared twice", c)
		}
		seen[c.Name] = true
		if c.Status < 400 || c.Status > 599 || http.StatusText(c.Status) == "" {
			t.Errorf("%s has status %d", c, c.Status)
		}
		// Internal's sentence is that of Wix's own sample, without a full stop.
		if !strings.HasSuffix(c.Message, ".") && c != Internal {
			t.Errorf("%s: %q is not a sentence", c, c.Message)
		}
		if c.Message == "" || strings.ToUpper(c.Message[:1]) != c.Message[:1] || strings.Contains(c.Message, "\n") {
			t.Errorf("%s: %q is not a sentence", c, c.Message)
		}
	}
}

// The statuses are the HTTP contract.
func TestCodes_statuses(t *testing.T) {
	want := map[int]string{
		400: "body_malformed webhook_malformed",
		401: "token_missing token_malformed token_inactive token_expired webhook_refused",
		403: "token_foreign instance_required owner_required app_required",
		404: "not_found instance_unknown",
		405: "method_not_allowed",
		408: "request_timeout",
		412: "version_conflict",
		413: "body_too_large",
		415: "unsupported_media_type",
		422: "invalid_settings invalid_body",
		428: "version_required",
		429: "rate_limited",
		500: "internal",
		502: "wix_bad_response app_credentials_refused app_permission_missing",
		503: "wix_unavailable store_unavailable",
		504: "wix_timeout",
	}
	got := map[int]string{}
	for _, c := range Codes() {
		got[c.Status] = strings.TrimSpace(got[c.Status] + " " + c.Name)
	}
	for status, names := range want {
		if got[status] != names {
			t.Errorf("%d: got %q, want %q", status, got[status], names)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
}

func TestError_text(t *testing.T) {
	cause := errors.New("dial failed")
	for _, tt := range []struct {
		err  *Error
		want string
	}{
		{&Error{Code: TokenMissing}, "token_missing"},
		{&Error{Code: WixUnavailable, Err: cause}, "wix_unavailable: dial failed"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	if err := error(&Error{Code: WixUnavailable, Err: cause}); !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
}

func TestAs(t *testing.T) {
	inner := &Error{Code: OwnerRequired}
	if got := As(fmt.Errorf("save: %w", inner)); got != inner {
		t.Errorf("got %v", got)
	}
	if got := As(io.ErrUnexpectedEOF); got.Code != Internal || !errors.Is(got, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", got)
	}
}

func TestError_SetHeader(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  Error
		want map[string]string // the lines beside X-Request-Id and Cache-Control
	}{
		{"no token", Error{Code: TokenMissing}, map[string]string{"Www-Authenticate": `Bearer realm="` + product.ID + `", error="invalid_request"`}},
		{"a malformed token", Error{Code: TokenMalformed}, map[string]string{"Www-Authenticate": `Bearer realm="` + product.ID + `", error="invalid_request"`}},
		{"an inactive token", Error{Code: TokenInactive}, map[string]string{"Www-Authenticate": `Bearer realm="` + product.ID + `", error="invalid_token"`}},
		{"an expired token", Error{Code: TokenExpired}, map[string]string{"Www-Authenticate": `Bearer realm="` + product.ID + `", error="invalid_token"`}},
		{"429 with a delay", Error{Code: RateLimited, RetryAfter: 1500 * time.Millisecond}, map[string]string{"Retry-After": "2"}},
		{"429 without one", Error{Code: RateLimited}, map[string]string{"Retry-After": "5"}},
		{"503 with a delay", Error{Code: WixUnavailable, RetryAfter: time.Minute}, map[string]string{"Retry-After": "60"}},
		{"503 of the store", Error{Code: StoreUnavailable}, map[string]string{"Retry-After": "5"}},
		{"503 with a very short delay", Error{Code: WixUnavailable, RetryAfter: 1}, map[string]string{"Retry-After": "1"}},
		{"503 of an app", Error{Code: Code{"closed", 503, "The shop is closed."}}, map[string]string{"Retry-After": "5"}},
		{"504", Error{Code: WixTimeout, RetryAfter: time.Second}, nil},
		{"403", Error{Code: OwnerRequired}, nil},
		{"422", Error{Code: InvalidSettings}, nil},
		{"500", Error{Code: Internal}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			tt.err.SetHeader(h, "req-1")
			want := http.Header{"X-Request-Id": {"req-1"}, "Cache-Control": {"no-store"}}
			for name, value := range tt.want {
				want[name] = []string{value}
			}
			if fmt.Sprint(h) != fmt.Sprint(want) {
				t.Errorf("got %v, want %v", h, want)
			}
		})
	}
}

func TestWrite_everyCode(t *testing.T) {
	for _, c := range Codes() {
		t.Run(c.Name, func(t *testing.T) {
			w := httptest.NewRecorder()
			Write(w, &Error{Code: c, Err: errors.New("SECRET")}, "req-1")
			var body Body
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Fatal(err)
			}
			if w.Code != c.Status || body.Code != c.Name || body.Error != c.Message || body.RequestID != "req-1" || body.Fields != nil {
				t.Errorf("got %d, %+v", w.Code, body)
			}
			h := w.Header()
			if h.Get("Content-Type") != "application/json" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Request-Id") != "req-1" {
				t.Errorf("headers %v", h)
			}
			if text := fmt.Sprint(w.Body, h); strings.Contains(text, "SECRET") {
				t.Errorf("the cause is in the answer: %s", text)
			}
		})
	}
}

func TestWrite_makesRequestID(t *testing.T) {
	ids := map[string]bool{}
	for range 2 {
		w := httptest.NewRecorder()
		Write(w, &Error{Code: NotFound}, "")
		id := w.Header().Get("X-Request-Id")
		if len(id) < 20 || ids[id] || !strings.Contains(w.Body.String(), `"requestId":"`+id+`"`) {
			t.Errorf("id %q in the header: %s", id, w.Body)
		}
		ids[id] = true
	}
}

func TestWrite_fields(t *testing.T) {
	w := httptest.NewRecorder()
	Write(w, &Error{Code: InvalidSettings, Fields: []Field{{"greeting", "is too long"}, {"", "has unknown fields"}}}, "req-1")
	const want = `{"error":"The settings are not valid.","code":"invalid_settings","requestId":"req-1",` +
		`"fields":[{"name":"greeting","reason":"is too long"},{"name":"","reason":"has unknown fields"}]}` + "\n"
	if got := w.Body.String(); got != want {
		t.Errorf("got %s", got)
	}
}
