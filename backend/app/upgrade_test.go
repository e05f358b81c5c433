package app

import (
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

func TestUpgradePage(t *testing.T) {
	for _, tt := range []struct{ name, wixURL, want string }{
		{"Wix's own", "https://www.wixapis.com", "https://www.wix.com/apps/upgrade/app?appInstanceId="},
		{"the offline Wix", "http://localhost:8081", "http://localhost:8081/apps/upgrade/app?appInstanceId="},
		{"a path is not part of the origin", "https://wix.test/api", "https://wix.test/apps/upgrade/app?appInstanceId="},
	} {
		if got := upgradePage(tt.wixURL, "app"); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// The answer is cached with the record: a plan that is bought ends the cached one.
func TestServe_upgradeURL(t *testing.T) {
	sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: appSecret})
	if err != nil {
		t.Fatal(err)
	}
	signer := newSigner(t)
	w := startApp(t, func(tools kit.Tools) (kit.App, error) {
		app, err := newGreeter(tools)
		app.Plans = []string{"gold"}
		return app, err
	}, sim, "WIX_PUBLIC_KEY="+signer.public)
	site, err := sim.Install(wixsim.InstallRequest{SiteDisplayName: "Corner Café"})
	if err != nil {
		t.Fatal(err)
	}
	id := site.InstanceID
	owner := w.mint(wixsim.TokenRequest{Subject: "USER", InstanceID: id})
	visitor := w.mint(wixsim.TokenRequest{InstanceID: id})
	want := "/apps/upgrade/" + appID + "?appInstanceId=" + id + `"`
	for range 2 {
		if got := w.as(owner, "/api/get-instance"); !strings.Contains(got.text, want) {
			t.Errorf("an owner without a plan: %s, want %s", got.text, want)
		}
	}
	if got := w.as(visitor, "/api/get-instance"); got.status != 200 || strings.Contains(got.text, "upgrade") {
		t.Errorf("a visitor: %d %s", got.status, got.text)
	}
	gold := "gold"
	if _, err := w.sim.SetPlan(id, wixsim.PlanRequest{Plan: &gold, Silent: true}); err != nil {
		t.Fatal(err)
	}
	if got := w.webhook(signer.plan(t, id, "gold", time.Now())); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.text)
	}
	w.until("the plan is paid for", func() bool {
		return !strings.Contains(w.as(owner, "/api/get-instance").text, "upgrade")
	})
}

func TestServe_noUpgradeURLWithoutPlans(t *testing.T) {
	w := start(t)
	owner := w.mint(wixsim.TokenRequest{Subject: "USER", InstanceID: w.install()})
	if got := w.as(owner, "/api/get-instance"); got.status != 200 || strings.Contains(got.text, "upgrade") {
		t.Errorf("%d %s", got.status, got.text)
	}
}
