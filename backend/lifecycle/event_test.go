package lifecycle

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
)

func TestFromWebhook(t *testing.T) {
	happened := time.Date(2026, 11, 22, 10, 0, 0, 123_456_789, time.UTC)
	exact := time.Date(2026, 11, 22, 10, 0, 0, 123_000_000, time.UTC)
	received := happened.Add(time.Hour)
	for _, tt := range []struct {
		of           wix.EventType
		kind         instance.EventKind
		plan, origin string
	}{
		{wix.AppInstalled, instance.EventInstalled, "", "origin"},
		{wix.AppRemoved, instance.EventRemoved, "", ""},
		{wix.PaidPlanPurchased, instance.EventPlan, "gold", ""},
		{wix.PaidPlanChanged, instance.EventPlan, "gold", ""},
		{wix.PlanConvertedToPaid, instance.EventPlan, "gold", ""},
		{wix.PlanReactivated, instance.EventPlan, "gold", ""},
		{wix.PlanTransferred, instance.EventPlan, "gold", ""},
		{wix.PaidPlanAutoRenewalCancelled, instance.EventBilling, "", ""},
		{wix.InvoiceStatusUpdated, instance.EventBilling, "", ""},
		{"AppMerged", instance.EventOther, "", ""},
		{"appinstalled", instance.EventOther, "", ""},
		{"", instance.EventOther, "", ""},
	} {
		t.Run(string(tt.of), func(t *testing.T) {
			got := FromWebhook(wix.Event{
				InstanceID: "i", Type: tt.of, Time: happened, Data: json.RawMessage(`{"a":1}`), Hash: sha256.Sum256([]byte("jwt")),
				OriginInstanceID: "origin", VendorProductID: "gold",
			}, received)
			want := instance.Event{
				ID: got.ID, InstanceID: "i", Kind: tt.kind, Type: string(tt.of), At: exact, Plan: tt.plan, OriginID: tt.origin,
				Payload: json.RawMessage(`{"a":1}`), ReceivedAt: exact.Add(time.Hour),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFromWebhook_idIsTheHash(t *testing.T) {
	hash := [sha256.Size]byte{0: 0x01, 31: 0xff}
	if id := FromWebhook(wix.Event{Hash: hash}, time.Now()).ID; id != "01"+strings.Repeat("00", 30)+"ff" {
		t.Error(id)
	}
}

func TestFromWebhook_withoutATime(t *testing.T) {
	received := time.Date(2026, 11, 22, 11, 0, 0, 0, time.FixedZone("CET", 3600))
	got := FromWebhook(wix.Event{Type: wix.AppRemoved}, received)
	if !got.At.Equal(received) || got.At.Location() != time.UTC {
		t.Error(got.At)
	}
}
