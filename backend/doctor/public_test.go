package doctor_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/nametag-dev/nametag/backend/doctor"
)

func state(findings []doctor.Finding, check string) doctor.Finding {
	return findings[slices.IndexFunc(findings, func(f doctor.Finding) bool { return f.Check == check })]
}

func TestPublic_compression(t *testing.T) {
	zipped := func(text string) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte(text))
		_ = w.Close()
		return b.Bytes()
	}
	for _, tt := range []struct {
		name     string
		br, gzip []byte // nil for an answer that is not compressed
		want     doctor.State
		says     string
	}{
		{"both", []byte("of build"), zipped("script"), doctor.OK, "br and gzip"},
		{"gzip alone", nil, zipped("script"), doctor.Warning, "not come compressed by br"},
		{"neither", nil, nil, doctor.Warning, "br and gzip"},
		{"gzip of another script", []byte("of build"), zipped("old"), doctor.Fault, "other bytes"},
		{"gzip that is none", []byte("of build"), []byte("script"), doctor.Fault, "other bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h := w.Header()
				h.Set("Content-Type", "text/javascript")
				h.Set("Access-Control-Allow-Origin", "*")
				h.Set("Cross-Origin-Resource-Policy", "cross-origin")
				body := []byte("script")
				if packed := map[string][]byte{"br": tt.br, "gzip": tt.gzip}[r.Header.Get("Accept-Encoding")]; packed != nil {
					h.Set("Content-Encoding", r.Header.Get("Accept-Encoding"))
					body = packed
				}
				_, _ = w.Write(body)
			}))
			defer server.Close()
			findings := doctor.Public(t.Context(), doctor.PublicOptions{URL: server.URL, Widget: []byte("script"), Encodings: []string{"br", "gzip"}})
			if got := state(findings, doctor.Script); got.State != tt.want || !strings.Contains(got.Saw, tt.says) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestPublic_frameAncestors(t *testing.T) {
	for _, tt := range []struct {
		name, policy string
		configured   []string
		want         doctor.State
		variables    []string
	}{
		{"any host", "default-src 'none'", nil, doctor.OK, nil},
		{"Wix's hosts", "frame-ancestors https://*.wix.com https://*.wixstudio.com", []string{"https://*.wix.com", "https://*.wixstudio.com"}, doctor.OK, nil},
		{"without the editor", "frame-ancestors https://app.example", []string{"https://app.example"}, doctor.Fault, []string{doctor.FrameAncestors}},
		{"a proxy's", "frame-ancestors 'self'", []string{"https://*.wix.com"}, doctor.Fault, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Security-Policy", tt.policy)
				_, _ = w.Write([]byte("script"))
			}))
			defer server.Close()
			findings := doctor.Public(t.Context(), doctor.PublicOptions{URL: server.URL, Widget: []byte("script"), FrameAncestors: tt.configured})
			if got := state(findings, doctor.Panel); got.State != tt.want || !slices.Equal(got.Variables, tt.variables) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// A stranger at the public URL decides nothing, and prints nothing odd.
func TestServer(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       []doctor.State // of tokens and webhooks
		seen       doctor.TokensSeen
	}{
		{"a server of the app", `{"appId":"` + appID + `","findings":[{"check":"tokens","state":"fault","saw":"x","variables":["WIX_APP_ID"]},{"check":"webhooks","state":"ok","saw":"y"}]}`,
			[]doctor.State{doctor.Fault, doctor.OK}, doctor.TokensSeen{Foreign: true}},
		{"a server of the app that takes tokens", `{"appId":"` + appID + `","findings":[{"check":"tokens","state":"ok","saw":"x"},{"check":"webhooks","state":"skipped","saw":"y"}]}`,
			[]doctor.State{doctor.OK, doctor.Skipped}, doctor.TokensSeen{Accepted: true}},
		{"another app id", `{"appId":"` + other + `","findings":[{"check":"tokens","state":"ok"}]}`, []doctor.State{doctor.Warning, doctor.Warning}, doctor.TokensSeen{}},
		{"an unknown state", `{"appId":"` + appID + `","findings":[{"check":"tokens","state":"great"},{"check":"webhooks","state":""}]}`, []doctor.State{doctor.Warning, doctor.Warning}, doctor.TokensSeen{}},
		{"a page", "<h1>Welcome</h1>", []doctor.State{doctor.Skipped, doctor.Skipped}, doctor.TokensSeen{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(tt.body)) }))
			defer server.Close()
			findings := doctor.Server(t.Context(), doctor.PublicOptions{URL: server.URL, AppID: appID})
			if len(findings) != 2 || findings[0].State != tt.want[0] || findings[1].State != tt.want[1] {
				t.Errorf("%+v", findings)
			}
			if seen := doctor.Seen(findings); seen != tt.seen {
				t.Errorf("%+v", seen)
			}
		})
	}
}
