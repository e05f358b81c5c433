package api

import (
	"encoding/json"
	"testing"

	"github.com/nametag-dev/nametag/backend/wix"
)

func TestVisitorView(t *testing.T) {
	for _, tt := range []struct{ name, app, want string }{
		{"what a visitor may see, and nothing beside it",
			`{"instance":{"instanceId":"i","isFree":false,"billing":{"packageName":"gold","invoiceId":"7"},"permissions":["x"]},
			  "site":{"siteDisplayName":"Laden","locale":"de","paymentCurrency":"EUR","siteId":"s","ownerEmail":"a@b.example","url":"https://b.example",
			  "multilingual":{"isMultiLingual":true,"supportedLanguages":[{"languageCode":"de","isPrimary":true,"resolutionMethod":"SUBDOMAIN"}]}}}`,
			`{"instance":{"isFree":false,"billing":{"packageName":"gold"}},"site":{"siteDisplayName":"Laden","locale":"de","paymentCurrency":"EUR",` +
				`"multilingual":{"isMultiLingual":true,"supportedLanguages":[{"languageCode":"de","isPrimary":true}]}}}`},
		{"what Wix leaves out stays out", `{"instance":{"instanceId":"i"}}`, `{}`},
		{"no language is a list", `{"site":{"multilingual":{"supportedLanguages":[]}}}`, `{"site":{"multilingual":{"supportedLanguages":[]}}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var app wix.AppInstance
			if err := json.Unmarshal([]byte(tt.app), &app); err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(visitorView(&app))
			if err != nil || string(got) != tt.want {
				t.Errorf("%v\ngot  %s\nwant %s", err, got, tt.want)
			}
		})
	}
}
