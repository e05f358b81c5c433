package doctor_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/doctor"
	"github.com/nametag-dev/nametag/backend/wix"
	"github.com/nametag-dev/nametag/backend/wixtest"
)

const (
	appID  = "11111111-1111-4111-8111-111111111111"
	secret = "22222222-2222-4222-8222-222222222222"
	site   = "33333333-3333-4333-8333-333333333333"
	other  = "44444444-4444-4444-8444-444444444444"
)

// said is an answer of a made-up Wix.
type said struct {
	status int
	body   string
}

var (
	token     = said{200, `{"access_token":"t","expires_in":14400}`}
	refused   = said{401, `{"error":"invalid_client"}`}
	needsMore = said{400, `{"error":"invalid_request"}`}
	notFound  = said{404, `{"message":"app not found in any meta-site"}`}
	instance  = said{200, `{"instance":{"instanceId":"` + site + `"}}`}
)

// madeUp is a Wix with any answers: to the right pair without an instance and with one, to a
// wrong secret, to the pair the other way round, to a read of the app instance. What is not
// set is an outage.
type madeUp struct {
	alone, installed, wrong, swapped, read said
	stranger                               bool // without Wix's request ids
}

func (m madeUp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		InstanceID string `json:"instance_id"`
		ID         string `json:"client_id"`
		Secret     string `json:"client_secret"`
	}
	body, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(body, &asked)
	answer := m.wrong
	switch {
	case r.URL.Path == "/apps/v1/instance":
		answer = m.read
	case asked.ID == secret && asked.Secret == appID:
		answer = m.swapped
	case asked.ID == appID && asked.Secret == secret && asked.InstanceID == "":
		answer = m.alone
	case asked.ID == appID && asked.Secret == secret:
		answer = m.installed
	}
	if answer.status == 0 {
		answer.status = 500
	}
	if !m.stranger {
		w.Header().Set("X-Wix-Request-Id", "1777863721.123")
	}
	w.WriteHeader(answer.status)
	fmt.Fprint(w, answer.body)
}

func TestAskWix(t *testing.T) {
	for _, tt := range []struct {
		name       string
		wix        madeUp
		instance   string
		tokens     doctor.TokensSeen
		want       doctor.State // of the credentials
		variables  []string
		permission doctor.State
	}{
		{"all is right", madeUp{alone: token, installed: token, read: instance}, site, doctor.TokensSeen{}, doctor.OK, nil, doctor.OK},
		{"all is right, nothing is installed", madeUp{alone: token}, "", doctor.TokensSeen{}, doctor.OK, nil, doctor.Skipped},
		{"a wrong secret or a wrong id", madeUp{alone: refused, wrong: refused}, site, doctor.TokensSeen{},
			doctor.Fault, []string{"WIX_APP_ID", "WIX_APP_SECRET"}, doctor.Skipped},
		{"a wrong secret by 400, as RFC 6749 allows", madeUp{alone: said{400, `{"error":"invalid_client"}`}}, "", doctor.TokensSeen{},
			doctor.Fault, []string{"WIX_APP_ID", "WIX_APP_SECRET"}, doctor.Skipped},
		{"a wrong secret: tokens are accepted", madeUp{alone: refused, wrong: refused}, "", doctor.TokensSeen{Accepted: true},
			doctor.Fault, []string{"WIX_APP_SECRET"}, doctor.Skipped},
		{"a wrong id: tokens are foreign", madeUp{alone: refused, wrong: refused}, "", doctor.TokensSeen{Foreign: true},
			doctor.Fault, []string{"WIX_APP_ID"}, doctor.Skipped},
		{"swapped", madeUp{alone: refused, swapped: token}, "", doctor.TokensSeen{},
			doctor.Fault, []string{"WIX_APP_ID", "WIX_APP_SECRET"}, doctor.Skipped},
		{"Wix is away", madeUp{}, site, doctor.TokensSeen{}, doctor.Skipped, nil, doctor.Skipped},
		{"another server at the address", madeUp{alone: said{404, "<h1>Not found</h1>"}, stranger: true}, "", doctor.TokensSeen{}, doctor.Skipped, nil, doctor.Skipped},
		{"no token without an instance, and an installation proves the pair", madeUp{alone: needsMore, wrong: needsMore, installed: token, read: instance}, site, doctor.TokensSeen{}, doctor.OK, nil, doctor.OK},
		{"no token without an instance, but another answer to a made-up secret", madeUp{alone: needsMore, wrong: refused}, "", doctor.TokensSeen{}, doctor.OK, nil, doctor.Skipped},
		{"no token without an instance, and the same answer to a made-up secret", madeUp{alone: notFound, wrong: notFound}, "", doctor.TokensSeen{}, doctor.Skipped, nil, doctor.Skipped},
		{"the same, and the installation is unknown", madeUp{alone: notFound, wrong: notFound, installed: notFound}, site, doctor.TokensSeen{}, doctor.Warning, []string{"WIX_APP_SECRET"}, doctor.Skipped},
		{"an unknown installation", madeUp{alone: token, installed: notFound}, site, doctor.TokensSeen{}, doctor.OK, nil, doctor.Skipped},
		{"no permission", madeUp{alone: token, installed: token, read: said{403, `{"message":"no"}`}}, site, doctor.TokensSeen{}, doctor.OK, nil, doctor.Fault},
		{"no permission, and no token either", madeUp{alone: token, installed: said{403, `{"message":"no"}`}}, site, doctor.TokensSeen{}, doctor.OK, nil, doctor.Fault},
		{"no permission, by 401", madeUp{alone: token, installed: token, read: said{401, `{"message":"no"}`}}, site, doctor.TokensSeen{}, doctor.OK, nil, doctor.Fault},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(tt.wix)
			defer server.Close()
			a := doctor.AskWix(t.Context(), doctor.WixOptions{BaseURL: server.URL, AppID: appID, AppSecret: secret, InstanceID: tt.instance})
			got := a.Credentials(tt.tokens)
			if got.State != tt.want || !slices.Equal(got.Variables, tt.variables) {
				t.Errorf("the credentials: %+v", got)
			}
			if got.State == doctor.Fault && got.Do == "" {
				t.Error("nothing says what to do")
			}
			if got := a.Permission(); got.State != tt.permission {
				t.Errorf("the permission: %+v", got)
			}
			if away := a.Reached().State == doctor.Fault; away != (a.Pair == doctor.PairAway) {
				t.Errorf("%+v", a.Reached())
			}
			if all := fmt.Sprint(got, a.Permission(), a.Reached()); strings.Contains(all, secret) {
				t.Errorf("the secret is shown: %s", all)
			}
		})
	}
}

// The offline Wix answers each case as AskWix reads it.
func TestAskWix_offlineWix(t *testing.T) {
	w := wixtest.Run(t)
	o := w.Options()
	ask := func(id string, secret wix.Secret, instanceID string) doctor.WixAnswer {
		return doctor.AskWix(t.Context(), doctor.WixOptions{
			BaseURL: o.WixURL, AppID: id, AppSecret: secret, Transport: o.Transport, InstanceID: instanceID,
		})
	}
	if a := ask(o.AppID, o.AppSecret, ""); a.Pair != doctor.PairAccepted {
		t.Errorf("right, without an installation: %+v", a)
	}
	if a := ask(o.AppID, o.AppSecret, w.Install().InstanceID); a.Pair != doctor.PairAccepted || a.Access != doctor.AccessGranted {
		t.Errorf("right: %+v", a)
	}
	if a := ask(o.AppID, o.AppSecret, other); a.Pair != doctor.PairAccepted || a.Access != doctor.AccessGone {
		t.Errorf("an unknown installation: %+v", a)
	}
	if a := ask(o.AppID, other, ""); a.Pair != doctor.PairRefused {
		t.Errorf("a wrong secret: %+v", a)
	}
	if a := ask(other, o.AppSecret, ""); a.Pair != doctor.PairRefused {
		t.Errorf("a wrong id: %+v", a)
	}
	if a := ask(string(o.AppSecret), wix.Secret(o.AppID), ""); a.Pair != doctor.PairSwapped {
		t.Errorf("swapped: %+v", a)
	}
}

func TestWixAnswer_Clock(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ahead time.Duration
		want  doctor.State
		says  string
	}{
		{"right", 0, doctor.OK, "agrees"},
		{"a little off", 20 * time.Second, doctor.OK, "agrees"},
		{"a minute ahead", time.Minute, doctor.Warning, "60 s ahead"},
		{"an hour behind", -time.Hour, doctor.Fault, "60 minutes behind"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := time.Date(2026, 12, 1, 12, 0, 0, int(time.Second/2), time.UTC)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", now.Add(-tt.ahead).Format(http.TimeFormat))
				madeUp{alone: token}.ServeHTTP(w, r)
			}))
			defer server.Close()
			a := doctor.AskWix(t.Context(), doctor.WixOptions{BaseURL: server.URL, AppID: appID, AppSecret: secret, Now: func() time.Time { return now }})
			if got := a.Clock(); got.State != tt.want || !strings.Contains(got.Saw, tt.says) {
				t.Errorf("%+v", got)
			}
		})
	}
}
