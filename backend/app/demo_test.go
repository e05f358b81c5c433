package app

import (
	"errors"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/api"
	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

func code(err error) apierr.Code {
	if err == nil {
		return apierr.Code{}
	}
	return apierr.As(err).Code
}

func TestDemoSessions_bounded(t *testing.T) {
	sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: appSecret})
	if err != nil {
		t.Fatal(err)
	}
	store := newStore(t)
	now := time.Now()
	d := &demoSessions{sim: sim, store: store, now: func() time.Time { return now }, byID: map[string]api.DemoSession{}}
	before := len(sim.Installations())

	first, err := d.Create()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Seen(t.Context(), instance.Visit{InstanceID: first.InstanceID, At: now}); err != nil {
		t.Fatal(err)
	}
	for range maxDemoSessions - 1 {
		if _, err := d.Create(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Create(); code(err) != apierr.RateLimited || apierr.As(err).RetryAfter <= 0 {
		t.Errorf("one session too many: %v", err)
	}

	if _, err := d.Token(first.ID, "USER"); err != nil {
		t.Errorf("a token of a session: %v", err)
	}
	if _, err := d.Token("another", "USER"); code(err) != apierr.NotFound {
		t.Errorf("a token of no session: %v", err)
	}

	now = now.Add(demoSessionLife + time.Second)
	if _, err := d.Token(first.ID, "USER"); code(err) != apierr.NotFound {
		t.Errorf("a token of a session that has ended: %v", err)
	}
	if _, err := d.Calls(first.ID); code(err) != apierr.NotFound {
		t.Errorf("the calls of a session that has ended: %v", err)
	}
	if _, err := d.Create(); err != nil {
		t.Errorf("an onlooker after the others' end: %v", err)
	}
	if n := len(sim.Installations()); n != before+1 {
		t.Errorf("%d installations are left of the ended sessions", n-before-1)
	}
	if _, err := store.Find(t.Context(), first.InstanceID); !errors.Is(err, instance.ErrNotFound) {
		t.Errorf("the store still has an ended session's instance: %v", err)
	}
}
