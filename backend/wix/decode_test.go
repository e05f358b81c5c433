package wix

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTokenInfo_namesAreExact(t *testing.T) {
	const rest = `, "subjectType": "VISITOR", "clientId": "a", "instanceId": "b", "exp": 1}`
	for _, tt := range []struct {
		name, body string
		want       TokenInfo // of these, Active, SubjectType, ClientID and InstanceID
		fault      bool
	}{
		{name: "as Wix writes them", body: `{"active": true` + rest, want: TokenInfo{Active: true, SubjectType: "VISITOR", ClientID: "a", InstanceID: "b"}},
		{name: "active in capitals after the real one", body: `{"active": false, "ACTIVE": true` + rest, want: TokenInfo{SubjectType: "VISITOR", ClientID: "a", InstanceID: "b"}},
		{name: "and before it", body: `{"ACTIVE": true, "active": false` + rest, want: TokenInfo{SubjectType: "VISITOR", ClientID: "a", InstanceID: "b"}},
		{name: "active in capitals alone", body: `{"Active": true` + rest, want: TokenInfo{SubjectType: "VISITOR", ClientID: "a", InstanceID: "b"}},
		{name: "a subject type in small letters", body: `{"active": true, "subjecttype": "USER"` + rest, want: TokenInfo{Active: true, SubjectType: "VISITOR", ClientID: "a", InstanceID: "b"}},
		{name: "a subject type with a long s, last", body: `{"active": true, "subjectType": "VISITOR", "ſubjectType": "USER"}`, want: TokenInfo{Active: true, SubjectType: "VISITOR"}},
		{name: "a client id with the Kelvin sign's siblings", body: `{"active": true, "clientID": "c", "CLIENTID": "d"` + rest, want: TokenInfo{Active: true, SubjectType: "VISITOR", ClientID: "a", InstanceID: "b"}},
		{name: "an instance id in another case", body: `{"active": true, "instanceID": "c"` + rest, want: TokenInfo{Active: true, SubjectType: "VISITOR", ClientID: "a", InstanceID: "b"}},
		{name: "an escaped name is the name", body: `{"\u0061ctive": true` + rest, want: TokenInfo{Active: true, SubjectType: "VISITOR", ClientID: "a", InstanceID: "b"}},
		{name: "a field twice", body: `{"active": false, "active": true` + rest, fault: true},
		{name: "twice the same", body: `{"active": true, "active": true` + rest, fault: true},
		{name: "twice, once escaped", body: `{"active": false, "\u0061ctive": true` + rest, fault: true},
		{name: "an id twice", body: `{"active": true, "instanceId": "c"` + rest, fault: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for how, read := range map[string]func([]byte, any) error{"decode": decode, "json.Unmarshal": json.Unmarshal} {
				var got TokenInfo
				err := read([]byte(tt.body), &got)
				if (err != nil) != tt.fault {
					t.Fatalf("%s: %v", how, err)
				}
				got = TokenInfo{Active: got.Active, SubjectType: got.SubjectType, ClientID: got.ClientID, InstanceID: got.InstanceID}
				if got != tt.want {
					t.Errorf("%s: got %+v", how, got)
				}
			}
		})
	}
}

func TestDecode_atAnyDepth(t *testing.T) {
	for _, tt := range []struct {
		name, body, plan, language string
		free                       Optional[bool]
		fault                      bool
	}{
		{name: "as Wix writes it", body: `{"instance": {"instanceId": "a", "isFree": false, "billing": {"packageName": "gold"}}}`, plan: "gold", free: Some(false)},
		{name: "another case, deep", body: `{"instance": {"isFree": true, "ISFREE": false, "billing": {"packagename": "gold"}}}`, free: Some(true)},
		{name: "another case, above", body: `{"INSTANCE": {"isFree": false}}`},
		{name: "in a list", body: `{"site": {"multilingual": {"supportedLanguages": [{"languageCode": "de", "LanguageCode": "xx"}]}}}`, language: "de"},
		{name: "twice, deep", body: `{"instance": {"billing": {"packageName": "a", "packageName": "b"}}}`, fault: true},
		{name: "twice, in a list", body: `{"site": {"multilingual": {"supportedLanguages": [{"languageCode": "de", "languageCode": "en"}]}}}`, fault: true},
		{name: "twice below a field that is dropped", body: `{"instance": {"isFree": true}, "more": {"a": 1, "a": 2}}`, free: Some(true)},
		{name: "deeper than any answer", body: strings.Repeat(`{"site":`, 40) + `1` + strings.Repeat(`}`, 40), fault: true},
		{name: "much deeper", body: strings.Repeat(`{"site":`, 50_000) + `1` + strings.Repeat(`}`, 50_000), fault: true},
		{name: "cut short", body: `{"instance": {"isFree": true}`, fault: true},
		{name: "with more behind it", body: `{"instance": {"isFree": true}} {}`, fault: true},
		{name: "with a bracket behind it", body: `{"instance": {"isFree": true}} ]`, fault: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var app AppInstance
			if err := decode([]byte(tt.body), &app); (err != nil) != tt.fault {
				t.Fatal(err)
			}
			language := ""
			if all := app.Site.Multilingual.Value.SupportedLanguages.Value; len(all) > 0 {
				language = all[0].LanguageCode.Value
			}
			if app.Instance.IsFree != tt.free || app.Instance.Billing.Value.PackageName.Value != tt.plan || language != tt.language {
				t.Errorf("got %+v", app)
			}
		})
	}
}

// TestDecode_names are as different as a list of all of them needs: none is another one's
// in another case.
func TestDecode_names(t *testing.T) {
	for _, v := range []any{tokenInfo{}, AppInstance{}, SignedInstance{}} {
		names := map[string]bool{}
		addNames(names, reflect.TypeOf(v))
		if len(names) < 8 {
			t.Errorf("%T has %d names", v, len(names))
		}
		for a := range names {
			for b := range names {
				if a != b && strings.EqualFold(a, b) {
					t.Errorf("%T: %s and %s", v, a, b)
				}
			}
		}
	}
}

func TestShorten(t *testing.T) {
	long := strings.Repeat("é", 450_000) // 900 KB
	app := AppInstance{Instance: Instance{InstanceID: "a"}, Site: Site{SiteDisplayName: Some("x" + long), Locale: Some(long), Description: Some("short")}}
	languages := make([]SupportedLanguage, 10_000)
	for i := range languages {
		languages[i].LanguageCode = Some(long[:4000])
	}
	app.Site.Multilingual = Some(Multilingual{SupportedLanguages: Some(languages)})
	app.Instance.Permissions = Some(make([]string, 10_000))
	shorten(reflect.ValueOf(&app).Elem())

	name := app.Site.SiteDisplayName
	if !name.Present || len(name.Value) > maxText || len(name.Value) < maxText-utf8.UTFMax || !utf8.ValidString(name.Value) || !strings.HasPrefix("x"+long, name.Value) {
		t.Errorf("a name of 900 KB has %d bytes: %q…", len(name.Value), name.Value[:min(9, len(name.Value))])
	}
	if n := len(app.Site.Multilingual.Value.SupportedLanguages.Value); n != maxList {
		t.Errorf("10,000 languages are %d", n)
	}
	if app.Site.Description.Value != "short" || len(app.Instance.Permissions.Value) != maxList || len(app.Site.Locale.Value) != maxText {
		t.Errorf("got %d permissions and a locale of %d bytes", len(app.Instance.Permissions.Value), len(app.Site.Locale.Value))
	}
}

func TestAppInstance_isShortened(t *testing.T) {
	wix := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"instance": {"instanceId": "a"}, "site": {"siteDisplayName": %q}}`, strings.Repeat("n", 900_000))
	}))
	defer wix.Close()
	client := New(Options{BaseURL: wix.URL, AppID: "a", AppSecret: "s"})
	defer client.Close()
	app, err := client.AppInstance(t.Context(), "token")
	if n := len(app.Site.SiteDisplayName.Value); err != nil || n != maxText {
		t.Errorf("a name of 900 KB has %d bytes, %v", n, err)
	}
}
