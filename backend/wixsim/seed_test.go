package wixsim

import (
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

const seedText = `{
  "idSeed": "docs",
  "sites": [
    {"siteDisplayName": "Lantern Bakery", "plan": "gold", "billingCycle": "YEARLY", "languages": ["de", "en"],
     "currency": "EUR", "ownerEmail": "ada@example.com", "members": ["bo@example.com", "cy"]},
    {"siteDisplayName": "Florist"}
  ]
}`

func readSeed(t *testing.T, text string) *Seed {
	t.Helper()
	seed, err := ReadSeed(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return &seed
}

func TestSeed(t *testing.T) {
	start := func(c *Config) { c.WebhookURL, c.Seed = receiverURL, readSeed(t, seedText) }
	s := newSim(t, start)
	sites := s.Installations()
	if len(sites) != 2 || sites[0].Plan != "gold" || sites[0].BillingCycle != "YEARLY" || sites[0].OwnerEmail != "ada@example.com" || sites[1].SiteDisplayName != "Florist" || len(s.Webhooks()) != 0 {
		t.Errorf("%+v", sites)
	}
	if diff := gocmp.Diff(sites, newSim(t, start).Installations()); diff != "" {
		t.Error("another start has others", diff)
	}
	third := install(t, s, InstallRequest{Silent: true})
	if again := newSim(t, start); install(t, again, InstallRequest{Silent: true}).InstanceID != third.InstanceID {
		t.Error("a site that is added has another id")
	}
	state := s.State()
	after := newSim(t, start, func(c *Config) { c.State = &state })
	if diff := gocmp.Diff(s.Installations(), after.Installations()); diff != "" {
		t.Error("it takes the place of the state's sites", diff)
	}
	if fourth := install(t, after, InstallRequest{Silent: true}); len(after.Installations()) != 4 || fourth.InstanceID == third.InstanceID {
		t.Error("an id is there twice")
	}
	empty := State{Version: StateVersion}
	if n := len(newSim(t, start, func(c *Config) { c.State = &empty }).Installations()); n != 2 {
		t.Errorf("%d sites in a state that had none", n)
	}
	if other := newSim(t, func(c *Config) { c.IDSeed = "other" }).Installations()[0]; other.InstanceID == sites[0].InstanceID {
		t.Error("another seed has the same ids")
	}
	id, secret := SeededCredentials("docs")
	if again, _ := SeededCredentials("docs"); !isGUID(id) || id != again || id == secret {
		t.Error(id, again, secret)
	}
}

func TestSeed_refuses(t *testing.T) {
	site := func(text string) string { return "{\n\"sites\": [\n{},\n" + text + "\n]}" }
	for text, want := range map[string]string{
		"":                            "line 1: this is no JSON",
		"{\n\"sites\": [\n{},]}":      "line 3: this is no JSON",
		"[]":                          "line 1: a seed must be one JSON object",
		"{}":                          "sites must be at least one",
		`{"sites":{}}`:                "sites must be a list",
		`{"site":[]}`:                 "site is no field that is known here",
		`{"idSeed":1,"sites":[]}`:     "idSeed must be text",
		site(`5`):                     "line 4: sites[1] must be an object",
		site(`{"plan":5}`):            "line 4: sites[1].plan must be text",
		site(`{"name":"x"}`):          "line 4: sites[1].name is no field that is known here",
		site(`{"currency":"euro"}`):   "line 4: sites[1].currency must be an ISO 4217 code",
		site(`{"members":["a","a"]}`): "line 4: sites[1].members must be at most 100 different ones",
		site(`{"members":[""]}`):      "line 4: sites[1].members must be text",
		site(`{"instanceId":"x"}`):    "line 4: sites[1].instanceId must be a GUID",
		site(`{"instanceId":"` + noSuchID + `"},
{"instanceId":"` + noSuchID + `"}`): "line 5: sites[2].instanceId is there twice",
	} {
		if _, err := ReadSeed(strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s\ngot %v\nwant %s", text, err, want)
		}
	}
}

func TestMint_ofAMember(t *testing.T) {
	s := newSim(t, func(c *Config) { c.Seed = readSeed(t, seedText) })
	h := s.Handler()
	subject := func(body string) string {
		t.Helper()
		token, _ := object(t, ask(h, "POST", "/_sim/tokens", body))["token"].(string)
		id, _ := object(t, ask(h, "POST", "/oauth2/token-info", quote("token", token)))["subjectId"].(string)
		return id
	}
	bo := subject(`{"subject":"MEMBER","member":"bo@example.com"}`)
	if !isGUID(bo) || subject(`{"subject":"MEMBER","member":"bo@example.com"}`) != bo || subject(`{"subject":"MEMBER","member":"cy"}`) == bo || subject(`{"subject":"MEMBER"}`) == bo {
		t.Error("a member is not the same person each time")
	}
	for _, body := range []string{`{"subject":"MEMBER","member":"nobody"}`, `{"subject":"VISITOR","member":"cy"}`} {
		if w := ask(h, "POST", "/_sim/tokens", body); w.Code != 422 || object(t, w)["field"] != "member" {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}
