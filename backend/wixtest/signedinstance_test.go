package wixtest_test

import (
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/wix"
	"github.com/nametag-dev/nametag/backend/wixsim"
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
