package wixtest_test

import (
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/wix"
	"github.com/nametag-dev/nametag/backend/wixsim"
	"github.com/nametag-dev/nametag/backend/wixtest"
)

// The offline Wix signs as Nametag's own reader of Wix's page reads. The two share no code.
func TestSignedInstance_isReadByTheClient(t *testing.T) {
	now := time.Date(2026, 5, 4, 3, 2, 1, 5e8, time.UTC)
	id, secret := wixsim.NewCredentials()
	s, err := wixsim.New(wixsim.Config{AppID: id, AppSecret: secret, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	first, _ := s.First()
	site, err := s.Install(wixsim.InstallRequest{Plan: "gold", OriginInstanceID: first.InstanceID})
	if err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{wixsim.User, wixsim.App, wixsim.Member, wixsim.Visitor} {
		text, err := s.SignedInstance(site.InstanceID, subject)
		if err != nil {
			t.Fatal(err)
		}
		got, err := wix.ParseSignedInstance(text, wix.Secret(secret), now, 0)
		if err != nil {
			t.Fatal(subject, err)
		}
		owner := subject == wixsim.User || subject == wixsim.App
		if got.InstanceID != site.InstanceID || got.AppDefID.Value != id || got.VendorProductID.Value != "gold" ||
			got.OriginInstanceID.Value != first.InstanceID || got.SiteOwnerID.Value != site.OwnerID ||
			!got.SignDate.Equal(now) || !got.ExpirationDate.Equal(now.Add(4*time.Hour)) || got.Owner() != owner ||
			(got.AnonymousID.Value != "") != (subject == wixsim.Visitor) || (got.SiteMemberID.Value != "") != (subject == wixsim.Member) {
			t.Errorf("%s: %+v", subject, got)
		}
		if _, err := wix.ParseSignedInstance(text, wix.Secret(secret), now.Add(4*time.Hour), 0); err == nil {
			t.Errorf("%s: it does not end", subject)
		}
	}
}

// A verifier takes it wherever it takes a token, as token-info does.
func TestSite_SignedInstance_isAToken(t *testing.T) {
	w := wixtest.Run(t)
	site := w.Install()
	get := whoami(t, w)
	text := site.SignedInstance()
	if code, body := get(text); code != 200 || body != "owner "+site.InstanceID {
		t.Errorf("%d %s", code, body)
	}
	if code, _ := get(text + "x"); code != 401 {
		t.Errorf("with another end: %d", code)
	}
	w.Advance(4 * time.Hour)
	if code, _ := get(text); code != 401 {
		t.Errorf("after its end: %d", code)
	}
}

func TestBehaving(t *testing.T) {
	w := wixtest.Run(t,
		wixtest.Behaving(func(b *wixsim.Behavior) { b.OwnerSubject = wixsim.App }),
		wixtest.Behaving(func(b *wixsim.Behavior) { b.Strict = true }))
	want := wixsim.DefaultBehavior()
	want.OwnerSubject, want.Strict = wixsim.App, true
	if got := w.Sim().Behavior(); got != want {
		t.Errorf("%+v", got)
	}
	site := w.Install()
	get := whoami(t, w)
	for name, token := range map[string]string{"the owner's token": site.Owner(), "the instance": site.SignedInstance()} {
		if code, body := get(token); code != 200 || body != "app "+site.InstanceID {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
}

func TestSite_SignedInstance_verifier(t *testing.T) {
	w := wixtest.Run(t)
	v, err := identity.New(w.Options())
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	site := w.Install()
	parameter := site.SignedInstance()
	got, err := v.SignedInstance(parameter)
	if err != nil || got.InstanceID != site.InstanceID || !got.Owner() {
		t.Errorf("got %+v, %v", got, err)
	}
	for parameter, want := range map[string]apierr.Code{
		"": apierr.TokenMissing, "x": apierr.TokenMalformed, "x" + parameter: apierr.TokenInactive, site.Owner(): apierr.TokenMalformed,
	} {
		if _, err := v.SignedInstance(parameter); apierr.As(err).Code != want {
			t.Errorf("%q: %v, want %s", parameter, err, want)
		}
	}
	w.Advance(25 * time.Hour)
	if _, err := v.SignedInstance(parameter); apierr.As(err).Code != apierr.TokenExpired {
		t.Errorf("a day later: %v", err)
	}
}
