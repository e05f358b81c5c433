package identity

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

// FuzzBearer reads the values of an Authorization header.
func FuzzBearer(f *testing.F) {
	for _, seed := range []string{"", "token", "Bearer token", "bearer\t token ", "Bearer", "bearertoken", "Basic abc", "a b", "\x00", "Bearer Bearer x"} {
		f.Add(seed, "", uint8(1))
	}
	f.Add("a", "b", uint8(2))
	f.Fuzz(func(t *testing.T, first, second string, n uint8) {
		values := []string{first, second}[:n%3]
		token, err := bearer(values)
		switch {
		case err != nil:
			if token != "" || err.Code != apierr.TokenMissing && err.Code != apierr.TokenMalformed {
				t.Errorf("%q is %q, %v", values, token, err)
			}
			if len(strings.Trim(first, " \t")) > 16 && strings.Contains(err.Error(), first) {
				t.Errorf("the error repeats the header: %v", err)
			}
		case len(values) != 1 || token == "" || len(token) > maxToken || !strings.HasSuffix(strings.TrimRight(first, " \t"), token):
			t.Errorf("%q is %q", values, token)
		case strings.Trim(token, " \t") != token:
			t.Errorf("%q is %q, with spaces", values, token)
		}
		if bare, err := bearer([]string{token}); token != "" && !strings.HasPrefix(strings.ToLower(token), "bearer") && (err != nil || bare != token) {
			t.Errorf("the token %q alone is %q, %v", token, bare, err)
		}
	})
}

// FuzzFacts makes facts out of an answer of token-info. None may be more than it says.
func FuzzFacts(f *testing.F) {
	for _, seed := range []string{
		`{"active":true,"subjectType":"USER","exp":4000000000,"clientId":"` + app + `","instanceId":"` + idA + `"}`,
		`{"active":true,"subjectType":"user","exp":"4000000000","iat":1}`, `{"active":false,"exp":4000000000}`, `{"active":true}`,
		`{"active":true,"exp":4000000000,"instanceId":"x"}`, `{"active":true,"exp":4000000000,"siteId":"x","subjectType":"APP"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var info wix.TokenInfo
		if json.Unmarshal(body, &info) != nil {
			return
		}
		got, err := factsFrom(info)
		if err != nil {
			if got != (facts{}) {
				t.Errorf("%s is refused, and is %+v", body, got)
			}
			return
		}
		instance, ok := wix.ParseGUID(got.instanceID)
		switch {
		case !info.Active || info.Expires.IsZero():
			t.Errorf("%s is accepted", body)
		case got.instanceID != "" && (!ok || instance != got.instanceID):
			t.Errorf("%s is for the instance %q", body, got.instanceID)
		case got.instanceID == "" && info.InstanceID != "":
			t.Errorf("%s is for no instance", body)
		case got.subject != info.SubjectType:
			t.Errorf("%s is of the subject %s", body, got.subject)
		case !time.Unix(got.expires, 0).Equal(info.Expires):
			t.Errorf("%s expires at %d", body, got.expires)
		}
	})
}
