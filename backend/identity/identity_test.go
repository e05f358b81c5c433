package identity

// The options, and the Verifier as a whole.

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/nametag-dev/nametag/backend/apierr"
)

func TestNew_optionErrors(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options Options
		want    []string // a part of each line of the error
	}{
		{"nothing", Options{}, []string{"AppID is missing", "AppSecret is missing"}},
		{"an app id that is not a GUID", Options{AppID: "hello", AppSecret: "s"}, []string{`AppID is not a GUID: "hello"`}},
		{"an app id with a space around it", Options{AppID: app + " ", AppSecret: "s"}, []string{"AppID is not a GUID"}},
		{"a relative URL", Options{AppID: app, AppSecret: "s", WixURL: "/wix"}, []string{"WixURL is not an absolute"}},
		{"a URL of another scheme", Options{AppID: app, AppSecret: "s", WixURL: "ftp://wix"}, []string{"WixURL is not an absolute"}},
		{"a URL that cannot be parsed", Options{AppID: app, AppSecret: "s", WixURL: "http://\x7f"}, []string{"WixURL is not an absolute"}},
		{"a negative size", Options{AppID: app, AppSecret: "s", Size: -1}, []string{"Size is negative: -1"}},
		{"everything at once", Options{AppID: "x", WixURL: "x", Size: -1}, []string{"AppID is not", "AppSecret is missing", "WixURL is not", "Size is negative"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := New(tt.options)
			if err == nil || v != nil {
				t.Fatalf("got %v, %v", v, err)
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(tt.want) {
				t.Fatalf("got %q, want %d lines", lines, len(tt.want))
			}
			for i, part := range tt.want {
				if !strings.Contains(lines[i], part) {
					t.Errorf("line %d is %q, want %q in it", i+1, lines[i], part)
				}
			}
		})
	}
}

func TestNew_appIDInCapitals(t *testing.T) {
	_, w := startVerifier(t, Options{})
	v, err := New(Options{AppID: strings.ToUpper(app), AppSecret: "app-secret", Transport: w})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if _, err := v.Verify(t.Context(), "192.0.2.1", []string{"visitor"}); err != nil {
		t.Error(err)
	}
}

func TestOptions_secretIsNotPrinted(t *testing.T) {
	o := Options{AppID: app, AppSecret: "very-secret"}
	v, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if text := fmt.Sprintf("%v %+v %#v %+v", o, o, o, v); strings.Contains(text, "very-secret") {
		t.Error("the secret was printed")
	}
}

func TestVerifier_VerifyToken(t *testing.T) {
	v, _ := startVerifier(t, Options{})
	for _, tt := range []struct {
		token string
		want  apierr.Code
	}{
		{"visitor", accepted},
		{" Bearer visitor ", accepted},
		{"", apierr.TokenMissing},
		{"a b", apierr.TokenMalformed},
		{"unknown", apierr.TokenInactive},
	} {
		found, err := v.VerifyToken(t.Context(), "192.0.2.1", tt.token)
		if code(err) != tt.want || err == nil && found.Caller.InstanceID != idA {
			t.Errorf("%q: got %+v, %v", tt.token, found, err)
		}
	}
}

func TestVerifier_Purge(t *testing.T) {
	v, w := startVerifier(t, Options{})
	w.api = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"instance":{"instanceId":%q}}`, idA)
	})
	for round := range 2 {
		found, err := v.Verify(t.Context(), "192.0.2.1", []string{"visitor"})
		if err != nil || found.Cached {
			t.Errorf("round %d: got %+v, %v", round, found, err)
		}
		if _, err := v.AppInstance(t.Context(), idA); err != nil {
			t.Error(err)
		}
		if tokens, reads := w.counts(); tokens != round+1 || reads != round+1 {
			t.Errorf("round %d: %d app tokens, %d reads", round, tokens, reads)
		}
		v.Purge(strings.ToUpper(idA))
	}
}

func TestVerifier_Expire(t *testing.T) {
	v, w := startVerifier(t, Options{})
	w.api = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"instance":{"instanceId":%q}}`, idA)
	})
	read := func(f func() error, want int) {
		t.Helper()
		if err := f(); err != nil {
			t.Error(err)
		}
		if _, reads := w.counts(); reads != want {
			t.Errorf("%d reads, want %d", reads, want)
		}
	}
	get := func() error { _, err := v.AppInstance(t.Context(), idA); return err }
	refresh := func() error { _, err := v.Refresh(t.Context(), idA); return err }
	read(get, 1)
	read(get, 1)
	v.Expire(idA)
	read(get, 2)
	read(refresh, 3)
	read(get, 3)
}

func TestVerifier_Close_twice(t *testing.T) {
	v, _ := startVerifier(t, Options{})
	v.Close()
	v.Close()
	if _, err := v.Client(idA).Get("https://www.wixapis.com/x"); code(err) != apierr.WixUnavailable {
		t.Errorf("got %v", err)
	}
	if _, err := v.AppInstance(t.Context(), idA); !errors.Is(err, apierr.As(err)) || code(err) != apierr.WixUnavailable {
		t.Errorf("got %v", err)
	}
}
