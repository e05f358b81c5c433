package wix

// Fuzz tests of what Wix answers and of what people configure. Those of what Wix signs are
// beside their tests.

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// strictly is a JSON object as RFC 8259 reads it: names are compared by case. ok is false
// where the text is none.
func strictly(body []byte) (fields map[string]any, ok bool) {
	return fields, json.Unmarshal(body, &fields) == nil && fields != nil
}

// FuzzTokenInfo reads an answer of token-info. Nothing may be read out of it that the
// answer does not say under just that name.
func FuzzTokenInfo(f *testing.F) {
	for _, seed := range []string{
		`{"active":true,"subjectType":"USER","exp":1700000000,"iat":"1600000000","clientId":"A","siteId":"B","instanceId":"C"}`,
		`{"active":"True","exp":"1e300","iat":null}`, `{"active":false,"ACTIVE":true}`, `{"subjecttype":"USER","ſubjectType":"USER"}`,
		`{"active":1}`, `{}`, `[]`, ` {"active":true} `, `{"exp":NaN}`, `{"exp":-1,"iat":253402300800}`, `{"active":true,"active":false}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var info TokenInfo
		if err := decode(body, &info); err != nil {
			if len(err.Error()) > 200 {
				t.Fatalf("the error is %v", err)
			}
			return
		}
		said, ok := strictly(body)
		if !ok {
			return // decode takes an object whose fields have wrong types
		}
		active, _ := said["active"].(string)
		if info.Active && said["active"] != true && !strings.EqualFold(active, "true") {
			t.Errorf("%s is active", body)
		}
		for name, got := range map[string]string{
			"subjectType": string(info.SubjectType), "subjectId": info.SubjectID, "accountId": info.AccountID, "vendorProductId": info.VendorProductID,
			"clientId": info.ClientID, "siteId": info.SiteID, "instanceId": info.InstanceID,
		} {
			want, _ := said[name].(string)
			if name == "clientId" || name == "siteId" || name == "instanceId" {
				want = strings.ToLower(want)
			}
			if got != want {
				t.Errorf("%s of %s is %q", name, body, got)
			}
		}
		for name, at := range map[string]time.Time{"exp": info.Expires, "iat": info.Issued} {
			if year := at.Year(); !at.IsZero() && (said[name] == nil || year < -9999 || year > 9999) {
				t.Errorf("%s of %s is %v", name, body, at)
			}
		}
	})
}

// FuzzAppInstance reads an answer of Get App Instance, and what is relayed of it.
func FuzzAppInstance(f *testing.F) {
	for _, seed := range []string{
		`{"instance":{"instanceId":"i","isFree":"false","billing":{"packageName":"gold","freeTrialInfo":{"status":"ENDED"}},"permissions":["A"]},
			"site":{"locale":"en","multilingual":{"supportedLanguages":[{"languageCode":"de","isPrimary":true}]},"ownerInfo":{"email":"a@b.c"}}}`,
		`{"instance":{"isFree":1,"billing":[],"permissions":[1,null]},"site":null}`, `{"instance":[]}`, `{}`, `{"instance":{"instanceId":"\ud800"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var app, again AppInstance
		if decode(body, &app) != nil {
			return
		}
		relayed, err := json.Marshal(app)
		if err != nil {
			t.Fatal(err)
		}
		if err := decode(relayed, &again); err != nil || !reflect.DeepEqual(app, again) {
			t.Errorf("%s is relayed as %s, which is %+v, %v", body, relayed, again, err)
		}
	})
}

// FuzzOptional reads any JSON as fields of several types.
func FuzzOptional(f *testing.F) {
	for _, seed := range []string{`null`, `"true"`, `true`, `"x"`, `1`, `["a"]`, `{"packageName":1}`, `"\"true\""`, `{}`, `""`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if json.Valid(raw) {
			optional[string](t, raw)
			optional[bool](t, raw)
			optional[[]string](t, raw)
			optional[Billing](t, raw)
		}
	})
}

func optional[T any](t *testing.T, raw []byte) {
	var field, again Optional[T]
	if err := json.Unmarshal(raw, &field); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	text, err := json.Marshal(field)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &again); err != nil || !reflect.DeepEqual(field, again) {
		t.Errorf("%s is %+v, and %s, and %+v", raw, field, text, again)
	}
	if strings.TrimSpace(string(raw)) == "null" && field.Present {
		t.Errorf("null is present as %T", field.Value)
	}
}

// FuzzRetryAfter reads a Retry-After header.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"0", "7", "-1", "1.5", "99999999999999999999", "Wed, 21 Oct 2026 07:28:00 GMT", "Wednesday, 21-Oct-26 07:28:00 GMT", "", " 7"} {
		f.Add(seed)
	}
	now := time.Date(2026, 10, 21, 7, 0, 0, 0, time.UTC)
	digits := regexp.MustCompile(`^[0-9]{1,4}$`)
	f.Fuzz(func(t *testing.T, header string) {
		got := RetryAfter(http.Header{"Retry-After": {header}}, now)
		if got < 0 || got > 24*time.Hour {
			t.Errorf("%q is %v", header, got)
		}
		if wanted, err := time.ParseDuration(header + "s"); digits.MatchString(header) && (err != nil || got != wanted) {
			t.Errorf("%q is %v", header, got)
		}
	})
}

// FuzzGUID holds ParseGUID to the one form of Wix.
func FuzzGUID(f *testing.F) {
	for _, seed := range []string{"AAAAAAAA-0000-4000-8000-000000000001", "{aaaaaaaa-0000-4000-8000-00000000000}", "aaaaaaaa000040008000000000000001", "", "urn:uuid:aaaaaaaa-0000-4000-8000-000000000001"} {
		f.Add(seed)
	}
	form := regexp.MustCompile(`^(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := ParseGUID(text)
		if ok != form.MatchString(text) || ok && id != strings.ToLower(text) || !ok && id != "" {
			t.Errorf("%q is %q, %t", text, id, ok)
		}
	})
}

// FuzzPublicKey reads a public key as somebody has pasted it. An error repeats nothing of
// it, since it may be a private key.
func FuzzPublicKey(f *testing.F) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		f.Fatal(err)
	}
	good := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		good, strings.ReplaceAll(good, "\n", `\n`), base64.StdEncoding.EncodeToString([]byte(good)), good + good, `"` + good + `"`, good[:200],
		strings.Replace(good, "PUBLIC", "RSA PUBLIC", 2), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})), "", "-----BEGIN",
	} {
		f.Add(seed)
	}
	words := regexp.MustCompile(`[A-Za-z0-9+/=]{16,}`)
	f.Fuzz(func(t *testing.T, text string) {
		w, err := NewWebhooks([]string{text}, "app", nil)
		if err != nil {
			for _, word := range words.FindAllString(text, -1) {
				if strings.Contains(err.Error(), word) {
					t.Errorf("the error repeats %q: %v", word, err)
				}
			}
			return
		}
		for _, key := range *w.keys.Load() {
			if key.N.BitLen() < 2048 || key.E < 3 {
				t.Errorf("%q is a key of %d bits with exponent %d", text, key.N.BitLen(), key.E)
			}
			der, err := x509.MarshalPKIXPublicKey(key)
			if err != nil {
				t.Fatal(err)
			}
			again, err := NewWebhooks([]string{string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))}, "app", nil)
			if err != nil || !(*again.keys.Load())[0].Equal(key) {
				t.Errorf("the key of %q is not read again: %v", text, err)
			}
		}
	})
}
