package wix_test

// Webhooks: which keys and which bodies are accepted, and what is read from them.

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/nametag-dev/nametag/backend/wix"
)

const (
	ourApp   = "aaaaaaaa-2222-4333-8444-555555555555"
	otherApp = "99999999-2222-4333-8444-555555555555"
	originID = "9a1b2c3d-0000-4000-8000-00000000ffff"
	siteID   = "9a1b2c3d-0000-4000-8000-000000005173"
)

// webhookNow is the time of the clock; in whole seconds, so that exp can be equal to it.
var webhookNow = time.Unix(1_800_000_000, 0).UTC()

func clock() time.Time { return webhookNow }

var (
	wixKey   = sync.OnceValue(newKey)
	otherKey = sync.OnceValue(newKey)
)

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

func encodePEM(blockType string, der []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der}))
}

func publicPEM(public any) string {
	der, err := x509.MarshalPKIXPublicKey(public)
	return encodePEM("PUBLIC KEY", der, err)
}

func newWebhooks(t testing.TB, keys ...string) *wix.Webhooks {
	t.Helper()
	w, err := wix.NewWebhooks(keys, ourApp, clock)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// signAs makes a JWT of any header and payload with any method.
func signAs(method jwt.SigningMethod, key any, header, payload string) string {
	signed := b64(header) + "." + b64(payload)
	signature, err := method.Sign(signed, key)
	if err != nil {
		panic(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

const wixHeader = `{"kid":"abcd1234","alg":"RS256"}`

// signed is a JWT as Wix makes it.
func signed(payload string) string {
	return signAs(jwt.SigningMethodRS256, wixKey(), wixHeader, payload)
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// The three layers, from the outside in. more is further fields, with their comma.
func claims(envelope, more string) string { return `{"data":` + quote(envelope) + more + `}` }

func envelope(eventType, data, more string) string {
	return `{"data":` + quote(data) + `,"instanceId":"` + instanceID + `","eventType":"` + eventType + `"` + more + `}`
}

func installed(more string) string { return claims(envelope("AppInstalled", `{}`, ""), more) }

func TestNewWebhooks_acceptedKeys(t *testing.T) {
	ours, other := publicPEM(&wixKey().PublicKey), publicPEM(&otherKey().PublicKey)
	lines := strings.Split(strings.TrimSpace(ours), "\n")
	encoded := base64.StdEncoding.EncodeToString([]byte(ours))
	for _, tt := range []struct {
		name string
		keys []string
	}{
		{"PEM", []string{ours}},
		{"PEM with spaces around it", []string{"\n \t" + ours + "\n\n"}},
		{"indented PEM", []string{"    " + strings.Join(lines, "\n    ")}},
		{"PEM with CRLF", []string{strings.Join(lines, "\r\n")}},
		{"PEM with CR alone", []string{strings.Join(lines, "\r")}},
		{`PEM in one line with a literal \n`, []string{strings.Join(lines, `\n`) + `\n`}},
		{`PEM in one line with a literal \r\n, in quotes`, []string{`"` + strings.Join(lines, `\r\n`) + `"`}},
		{"PEM whose lines were joined with spaces", []string{strings.Join(lines, " ")}},
		{"PEM with no line breaks at all", []string{strings.Join(lines, "")}},
		{"base64 of the PEM", []string{encoded}},
		{"base64 of the PEM without padding", []string{strings.TrimRight(encoded, "=")}},
		{"base64 of the PEM in lines", []string{encoded[:76] + "\n" + encoded[76:] + "\n"}},
		{"base64 of a PEM with CRLF", []string{base64.StdEncoding.EncodeToString([]byte(strings.Join(lines, "\r\n")))}},
		{"the first of two", []string{ours, other}},
		{"the second of two", []string{other, encoded}},
		{"the same one twice", []string{ours, ours}},
		{"two in one text", []string{other + ours}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := newWebhooks(t, tt.keys...).Verify([]byte(signed(installed("")))); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNewWebhooks_refusedKeys(t *testing.T) {
	ours := publicPEM(&wixKey().PublicKey)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := encodePEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&wixKey().PublicKey), nil)
	private1 := encodePEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(wixKey()), nil)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(wixKey())
	private8 := encodePEM("PRIVATE KEY", pkcs8, err)
	bare := strings.Join(strings.Split(strings.TrimSpace(ours), "\n")[1:6], "")

	for _, tt := range []struct {
		name  string
		keys  []string
		appID string
		want  []string // a part of each line of the error
	}{
		{"no key", nil, ourApp, []string{"the public key for webhooks is missing"}},
		{"three keys", []string{ours, ours, ours}, ourApp, []string{"there are 3 public keys"}},
		{"no app id", []string{ours}, "", []string{"the app id is missing"}},
		{"an empty key", []string{" \n"}, ourApp, []string{"public key 1 is empty"}},
		{"a pair of quotes", []string{`""`}, ourApp, []string{"public key 1 is empty"}},
		{"some text", []string{"hunter2-hunter2-hunter2"}, ourApp, []string{"is neither PEM"}},
		{"base64 of some text", []string{base64.StdEncoding.EncodeToString([]byte("hunter2"))}, ourApp, []string{"nor base64 of the whole PEM"}},
		{"the base64 inside the PEM alone", []string{bare}, ourApp, []string{"nor base64 of the whole PEM"}},
		{"base64 of base64 of the PEM", []string{base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(ours))))}, ourApp, []string{"is neither PEM"}},
		{"PKCS#1", []string{pkcs1}, ourApp, []string{"openssl rsa -RSAPublicKey_in -pubout"}},
		{"base64 of PKCS#1", []string{base64.StdEncoding.EncodeToString([]byte(pkcs1))}, ourApp, []string{"PKCS#1"}},
		{"a PKCS#1 private key", []string{private1}, ourApp, []string{"is a private key"}},
		{"a PKCS#8 private key", []string{private8}, ourApp, []string{"is a private key"}},
		{"base64 of a private key", []string{base64.StdEncoding.EncodeToString([]byte(private8))}, ourApp, []string{"is a private key"}},
		{"a private key after the public one", []string{ours + private8}, ourApp, []string{"is a private key"}},
		{"text after the key", []string{ours + "and so on"}, ourApp, []string{"public key 2 is neither PEM"}},
		{"a certificate", []string{strings.ReplaceAll(ours, "PUBLIC KEY", "CERTIFICATE")}, ourApp, []string{"not one whole PEM block"}},
		{"PEM without its last line", []string{strings.Split(ours, "-----END")[0]}, ourApp, []string{"not one whole PEM block"}},
		{"PEM that ends as something else", []string{strings.Replace(ours, "END PUBLIC", "END SECRET", 1)}, ourApp, []string{"not one whole PEM block"}},
		{"PEM with a part cut out", []string{ours[:60] + ours[120:]}, ourApp, []string{"is damaged"}},
		{"PEM with = in the middle", []string{ours[:60] + "=" + ours[60:]}, ourApp, []string{"is damaged"}},
		{"PEM with nothing in it", []string{"-----BEGIN PUBLIC KEY-----\n\n-----END PUBLIC KEY-----"}, ourApp, []string{"is damaged"}},
		{"an elliptic curve", []string{publicPEM(&curve.PublicKey)}, ourApp, []string{"is not an RSA key"}},
		{"Ed25519", []string{publicPEM(edwards)}, ourApp, []string{"is not an RSA key"}},
		{"RSA with 1024 bits", []string{publicPEM(&small.PublicKey)}, ourApp, []string{"has 1024 bits"}},
		{"a bad second key", []string{ours, "x"}, ourApp, []string{"public key 2 is neither"}},
		{"every fault in one error", []string{"", pkcs1}, "", []string{"app id", "public key 1 is empty", "public key 2 is in PKCS#1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, err := wix.NewWebhooks(tt.keys, tt.appID, clock)
			if err == nil || w != nil {
				t.Fatalf("got %v, %v", w, err)
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(tt.want) {
				t.Fatalf("got %q, want %d lines", lines, len(tt.want))
			}
			for i, part := range tt.want {
				if !strings.Contains(lines[i], part) {
					t.Errorf("line %d is %q, want %q in it", i+1, lines[i], part)
				}
			}
			for _, key := range tt.keys {
				for _, word := range strings.Fields(strings.ReplaceAll(key, "-----", " ")) {
					if len(word) > 12 && strings.Contains(err.Error(), word) {
						t.Errorf("the error repeats the key: %v", err)
					}
				}
			}
		})
	}
}

func TestWebhooks_Verify_accepted(t *testing.T) {
	issued := time.Unix(1_799_999_990, 0).UTC()
	acted := time.Date(2026, 12, 1, 9, 8, 7, 654_000_000, time.UTC)
	ends := time.Date(2027, 12, 1, 0, 0, 0, 0, time.UTC)
	iat := `,"iat":1799999990`
	base := wix.Event{InstanceID: instanceID, Type: wix.AppInstalled, Data: json.RawMessage(`{}`)}
	event := func(change func(*wix.Event)) wix.Event {
		e := base
		change(&e)
		return e
	}
	// timed is an event with one odd or even operationTimeStamp.
	timed := func(stamp string) string {
		return claims(envelope("PlanTransferred", `{"operationTimeStamp":`+stamp+`}`, ""), iat)
	}
	timedWant := func(stamp string, at time.Time) wix.Event {
		return event(func(e *wix.Event) {
			e.Type, e.Time, e.IssuedAt, e.Data = wix.PlanTransferred, at, issued, json.RawMessage(`{"operationTimeStamp":`+stamp+`}`)
		})
	}
	// plan is one of the six plan events, as its SDK type lists the fields.
	plan := func(eventType wix.EventType, data string, expires time.Time) (string, wix.Event) {
		return claims(envelope(string(eventType), data, ""), iat), event(func(e *wix.Event) {
			e.Type, e.Time, e.IssuedAt, e.Data = eventType, acted, issued, json.RawMessage(data)
			e.VendorProductID, e.Cycle, e.ExpiresOn = "gold", wix.Yearly, expires
		})
	}
	const common = `"operationTimeStamp":"2026-12-01T09:08:07.654Z","vendorProductId":"gold","cycle":"YEARLY"`
	type row struct {
		name, payload string
		want          wix.Event
	}
	rows := []row{
		{"the least that an event can be", installed(""), base},
		{"every field of the envelope", claims(envelope("AppInstalled", `{"appId":"`+ourApp+`","originInstanceId":"`+originID+`"}`,
			`,"identity":"{\"identityType\":\"WIX_USER\",\"wixUserId\":\"u\"}","accountInfo":{"accountId":"a","siteId":"`+siteID+`"}`), iat+`,"exp":1800000001,"nbf":1800000000`),
			event(func(e *wix.Event) {
				e.Time, e.IssuedAt, e.IdentityType, e.SiteID, e.AppID, e.OriginInstanceID = issued, issued, "WIX_USER", siteID, ourApp, originID
				e.Data = json.RawMessage(`{"appId":"` + ourApp + `","originInstanceId":"` + originID + `"}`)
			})},
		{"AppRemoved", claims(envelope("AppRemoved", `{"appId":"`+ourApp+`"}`, ""), iat), event(func(e *wix.Event) {
			e.Type, e.Time, e.IssuedAt, e.AppID, e.Data = wix.AppRemoved, issued, issued, ourApp, json.RawMessage(`{"appId":"`+ourApp+`"}`)
		})},
		{"InvoiceStatusUpdated", claims(envelope("InvoiceStatusUpdated", `{"status":"PAID"}`, ""), iat), event(func(e *wix.Event) {
			e.Type, e.Time, e.IssuedAt, e.Data = wix.InvoiceStatusUpdated, issued, issued, json.RawMessage(`{"status":"PAID"}`)
		})},
		{"an event that Wix adds is returned unchanged", claims(envelope("com.wix.Näxt v2", `{"a":[1]}`, ""), ""), event(func(e *wix.Event) {
			e.Type, e.Data = "com.wix.Näxt v2", json.RawMessage(`{"a":[1]}`)
		})},
		{"a type of 100 characters", claims(envelope(strings.Repeat("é", 100), `{}`, ""), ""), event(func(e *wix.Event) {
			e.Type = wix.EventType(strings.Repeat("é", 100))
		})},
		{"an appId in capitals is the same", claims(envelope("AppRemoved", `{"appId":"`+strings.ToUpper(ourApp)+`"}`, ""), ""), event(func(e *wix.Event) {
			e.Type, e.AppID, e.Data = wix.AppRemoved, ourApp, json.RawMessage(`{"appId":"`+strings.ToUpper(ourApp)+`"}`)
		})},
		{"ids in capitals", claims(strings.Replace(envelope("AppInstalled", `{"originInstanceId":"`+strings.ToUpper(originID)+`"}`,
			`,"accountInfo":{"siteId":"`+strings.ToUpper(siteID)+`"}`), instanceID, strings.ToUpper(instanceID), 1), ""), event(func(e *wix.Event) {
			e.SiteID, e.OriginInstanceID, e.Data = siteID, originID, json.RawMessage(`{"originInstanceId":"`+strings.ToUpper(originID)+`"}`)
		})},
		{"nulls and empty texts are absent", claims(envelope("AppInstalled", `{"appId":null,"originInstanceId":null,"expiresOn":null}`, `,"identity":"","accountInfo":null`), ""),
			event(func(e *wix.Event) {
				e.Data = json.RawMessage(`{"appId":null,"originInstanceId":null,"expiresOn":null}`)
			})},
		{"odd types below the event are absent", claims(envelope("AppInstalled", `{"originInstanceId":7,"vendorProductId":{},"cycle":[],"expiresOn":true}`, `,"identity":"{\"identityType\":1}","accountInfo":{"siteId":"s"}`), ""),
			event(func(e *wix.Event) {
				e.Data = json.RawMessage(`{"originInstanceId":7,"vendorProductId":{},"cycle":[],"expiresOn":true}`)
			})},
		{"a plan id that no database takes is absent", claims(envelope("AppInstalled", `{"vendorProductId":"a\u0000b"}`, ""), ""),
			event(func(e *wix.Event) { e.Data = json.RawMessage(`{"vendorProductId":"a\u0000b"}`) })},
		{"a plan id that is too long is absent", claims(envelope("AppInstalled", `{"vendorProductId":"`+strings.Repeat("x", 101)+`"}`, ""), ""),
			event(func(e *wix.Event) {
				e.Data = json.RawMessage(`{"vendorProductId":"` + strings.Repeat("x", 101) + `"}`)
			})},
		{"names are told apart by case", claims(envelope("AppInstalled", `{"APPID":"`+otherApp+`"}`, `,"EventType":"x"`), `,"Exp":1`),
			event(func(e *wix.Event) { e.Data = json.RawMessage(`{"APPID":"` + otherApp + `"}`) })},
		{"huge numbers in the event are passed on", claims(envelope("AppInstalled", `{"n":1e999}`, ""), ""),
			event(func(e *wix.Event) { e.Data = json.RawMessage(`{"n":1e999}`) })},

		{"no exp and no iat", installed(""), base},
		{"iss and aud are ignored", installed(`,"iss":"example.com","aud":["x"]`), base},
		{"exp in a second", installed(`,"exp":1800000001`), base},
		{"exp in half a second", installed(`,"exp":1800000000.5`), base},
		{"exp beyond all time", installed(`,"exp":1e300`), base},
		{"nbf now", installed(`,"nbf":1800000000`), base},
		{"nbf before all time", installed(`,"nbf":-1e300`), base},
		{"iat a day ahead", installed(`,"iat":1800086400`), event(func(e *wix.Event) {
			e.IssuedAt = time.Unix(1_800_086_400, 0).UTC()
			e.Time = e.IssuedAt
		})},
		{"iat three days ago", installed(`,"iat":1799740800`), event(func(e *wix.Event) {
			e.IssuedAt = time.Unix(1_799_740_800, 0).UTC()
			e.Time = e.IssuedAt
		})},
		{"operationTimeStamp a day ahead", timed(`1800086400000`), timedWant(`1800086400000`, time.Unix(1_800_086_400, 0).UTC())},
		{"an event that is sent late has happened long ago", timed(`"2020-01-01T00:00:00Z"`),
			timedWant(`"2020-01-01T00:00:00Z"`, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))},

		{"no inner data", claims(`{"instanceId":"`+instanceID+`","eventType":"AppInstalled"}`, ""), base},
		{"inner data null", claims(`{"data":null,"instanceId":"`+instanceID+`","eventType":"AppInstalled"}`, ""), base},
		{"inner data empty", claims(envelope("AppInstalled", "", ""), ""), base},
		{"identity an object", claims(envelope("AppInstalled", `{}`, `,"identity":{"identityType":"APP"}`), ""), base},
		{"identity not JSON", claims(envelope("AppInstalled", `{}`, `,"identity":"APP"`), ""), base},
		{"identity a list", claims(envelope("AppInstalled", `{}`, `,"identity":"[]"`), ""), base},
		{"identity a number", claims(envelope("AppInstalled", `{}`, `,"identity":7`), ""), base},
		{"accountInfo a string", claims(envelope("AppInstalled", `{}`, `,"accountInfo":"{}"`), ""), base},
		{"accountInfo a list", claims(envelope("AppInstalled", `{}`, `,"accountInfo":[]`), ""), base},

		{"operationTimeStamp in another zone", timed(`"2026-12-01T11:08:07.654+02:00"`), timedWant(`"2026-12-01T11:08:07.654+02:00"`, acted)},
		{"operationTimeStamp in milliseconds", timed(`1796116087654`), timedWant(`1796116087654`, acted)},
	}
	for name, stamp := range map[string]string{
		"is null": `null`, "is empty": `""`, "is no date": `"soon"`, "is a date alone": `"2026-12-01"`, "holds milliseconds in a string": `"1796116087654"`,
		"is 0": `0`, "is negative": `-5`, "is huge": `1e300`, "is beyond any number": `1e999`, "is an object": `{}`, "is in the year 1": `"0001-01-01T00:00:00Z"`,
		"leaves the year 9999": `"9999-12-31T23:59:59-14:00"`, "is true": `true`,
	} {
		rows = append(rows, row{"iat stands in when operationTimeStamp " + name, timed(stamp), timedWant(stamp, issued)})
	}
	for eventType, more := range map[wix.EventType]string{
		wix.PaidPlanPurchased:            `,"expiresOn":"2027-12-01T00:00:00.000Z","couponName":"c","invoiceId":"1"`,
		wix.PaidPlanChanged:              `,"previousVendorProductId":"tin","previousCycle":"MONTHLY","invoiceId":"1"`,
		wix.PaidPlanAutoRenewalCancelled: `,"cancelReason":"USER_CANCEL","userReason":"dear","cancelledDuringFreeTrial":"NOT_DURING_FREE_TRIAL"`,
		wix.PlanConvertedToPaid:          `,"expiresOn":"2027-12-01T00:00:00.000Z"`,
		wix.PlanReactivated:              `,"expiresOn":"2027-12-01T00:00:00.000Z","reason":"AUTO_RENEW_TURNED_ON"`,
		wix.PlanTransferred:              `,"invoiceId":"1"`,
	} {
		var expires time.Time
		if strings.Contains(more, "expiresOn") {
			expires = ends
		}
		payload, want := plan(eventType, `{`+common+more+`}`, expires)
		rows = append(rows, row{string(eventType), payload, want})
	}
	w := newWebhooks(t, publicPEM(&wixKey().PublicKey))
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			body := signed(tt.payload)
			tt.want.Hash = sha256.Sum256([]byte(body))
			got, err := w.Verify([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWebhooks_Verify_spacesAround(t *testing.T) {
	w := newWebhooks(t, publicPEM(&wixKey().PublicKey))
	body := signed(installed(""))
	for name, sent := range map[string]string{"bare": body, "a trailing newline": body + "\n", "CRLF": body + "\r\n", "spaces on both sides": " \t" + body + "  "} {
		if got, err := w.Verify([]byte(sent)); err != nil || got.Hash != sha256.Sum256([]byte(body)) {
			t.Errorf("%s: hash %x, %v", name, got.Hash, err)
		}
	}
}

func TestWebhooks_Verify_anyKeyID(t *testing.T) {
	w := newWebhooks(t, publicPEM(&wixKey().PublicKey))
	for _, header := range []string{`{"alg":"RS256"}`, `{"alg":"RS256","kid":"of another key","typ":"JWT"}`, `{"alg":"RS256","kid":7}`} {
		if _, err := w.Verify([]byte(signAs(jwt.SigningMethodRS256, wixKey(), header, installed("")))); err != nil {
			t.Errorf("%s: %v", header, err)
		}
	}
}

func TestWebhooks_Verify_refused(t *testing.T) {
	ours := publicPEM(&wixKey().PublicKey)
	good := signed(installed(""))
	parts := strings.Split(good, ".")
	head := func(header string) string {
		return signAs(jwt.SigningMethodRS256, wixKey(), header, installed(""))
	}
	inner := func(data string) string { return signed(claims(envelope("AppInstalled", data, ""), "")) }
	around := func(more string) string { return signed(claims(envelope("AppInstalled", `{}`, more), "")) }
	raw := func(secondLayer string) string { return signed(claims(secondLayer, "")) }
	// respelt is the same signature: the lowest bits of the last character are not used.
	respelt := func() string {
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		last := len(good) - 1
		return good[:last] + string(alphabet[strings.IndexByte(alphabet, good[last])|1])
	}()

	for _, tt := range []struct {
		name, body string
		want       wix.WebhookErrorKind
	}{
		{"no body", "", wix.WebhookMalformed},
		{"spaces", " \r\n\t", wix.WebhookMalformed},
		{"some text", "hello", wix.WebhookMalformed},
		{"a JSON object", `{"data":"x"}`, wix.WebhookMalformed},
		{"a JWT in JSON quotes", `"` + good + `"`, wix.WebhookMalformed},
		{"Bearer before it", "Bearer " + good, wix.WebhookMalformed},
		{"two JWTs in two lines", good + "\n" + good, wix.WebhookMalformed},
		{"two JWTs in one line", good + good, wix.WebhookMalformed},
		{"two JWTs with a dot", good + "." + good, wix.WebhookMalformed},
		{"one part", parts[0], wix.WebhookMalformed},
		{"two parts", parts[0] + "." + parts[1], wix.WebhookMalformed},
		{"four parts", good + ".", wix.WebhookMalformed},
		{"100,000 dots", strings.Repeat(".", 100_000), wix.WebhookMalformed},
		{"an access token", "OauthNG.JWS." + good, wix.WebhookMalformed},
		{"a NUL behind it", good + "\x00", wix.WebhookMalformed},
		{"bytes that are not text", good + "\xff\xfe", wix.WebhookMalformed},
		{"a newline inside the signature", good[:len(good)-9] + "\n" + good[len(good)-9:], wix.WebhookMalformed},
		{"padding", good + "==", wix.WebhookMalformed},
		{"the same signature in another spelling", respelt, wix.WebhookMalformed},
		{"standard base64", "ab+/." + parts[1] + "." + parts[2], wix.WebhookMalformed},
		{"no header", "." + parts[1] + "." + parts[2], wix.WebhookMalformed},
		{"a header that is not JSON", head(`alg=RS256`), wix.WebhookMalformed},
		{"a header that is a list", head(`["RS256"]`), wix.WebhookMalformed},
		{"a header that is null", head(`null`), wix.WebhookMalformed},
		{"a header deeper than any parser should go", head(strings.Repeat(`{"a":`, 50_000)), wix.WebhookMalformed},

		{"no alg", head(`{"kid":"abcd1234"}`), wix.WebhookBadSignature},
		{"alg in another case", head(`{"alg":"rs256"}`), wix.WebhookBadSignature},
		{"Alg for alg", head(`{"Alg":"RS256"}`), wix.WebhookBadSignature},
		{"alg a list", head(`{"alg":["RS256"]}`), wix.WebhookBadSignature},
		{"an extension that must be understood", head(`{"alg":"RS256","b64":true,"crit":["b64"]}`), wix.WebhookBadSignature},
		{"alg none, no signature", b64(`{"alg":"none"}`) + "." + parts[1] + ".", wix.WebhookBadSignature},
		{"alg none, a signature", b64(`{"alg":"none"}`) + "." + parts[1] + "." + parts[2], wix.WebhookBadSignature},
		{"RS256 and no signature", parts[0] + "." + parts[1] + ".", wix.WebhookBadSignature},
		{"HS256 signed with the PEM", signAs(jwt.SigningMethodHS256, []byte(ours), `{"alg":"HS256"}`, installed("")), wix.WebhookBadSignature},
		{"HS256 signed with the PEM, named RS256", signAs(jwt.SigningMethodHS256, []byte(ours), wixHeader, installed("")), wix.WebhookBadSignature},
		{"RS512 by the right key", signAs(jwt.SigningMethodRS512, wixKey(), `{"alg":"RS512"}`, installed("")), wix.WebhookBadSignature},
		{"RS512 named RS256", signAs(jwt.SigningMethodRS512, wixKey(), wixHeader, installed("")), wix.WebhookBadSignature},
		{"PS256 by the right key", signAs(jwt.SigningMethodPS256, wixKey(), `{"alg":"PS256"}`, installed("")), wix.WebhookBadSignature},
		{"PS256 named RS256", signAs(jwt.SigningMethodPS256, wixKey(), wixHeader, installed("")), wix.WebhookBadSignature},
		{"another key under the right kid", signAs(jwt.SigningMethodRS256, otherKey(), wixHeader, installed("")), wix.WebhookBadSignature},
		{"another payload", parts[0] + "." + b64(installed(`,"iat":1`)) + "." + parts[2], wix.WebhookBadSignature},
		{"another header", b64(`{"alg":"RS256","kid":"other"}`) + "." + parts[1] + "." + parts[2], wix.WebhookBadSignature},
		{"half a signature", parts[0] + "." + parts[1] + "." + parts[2][:172], wix.WebhookBadSignature},
		{"a signature of zeroes", parts[0] + "." + parts[1] + "." + strings.Repeat("A", 342), wix.WebhookBadSignature},
		{"the payload is not read before the signature is verified", parts[0] + "." + b64("not JSON") + "." + parts[2], wix.WebhookBadSignature},

		{"exp now", signed(installed(`,"exp":1800000000`)), wix.WebhookExpired},
		{"exp an hour ago", signed(installed(`,"exp":1799996400`)), wix.WebhookExpired},
		{"exp 0", signed(installed(`,"exp":0`)), wix.WebhookExpired},
		{"exp before all time", signed(installed(`,"exp":-1e300`)), wix.WebhookExpired},
		{"nbf in a second", signed(installed(`,"nbf":1800000001`)), wix.WebhookExpired},
		{"nbf beyond all time", signed(installed(`,"nbf":1e300`)), wix.WebhookExpired},
		{"iat more than three days ago", signed(installed(`,"iat":1799740799`)), wix.WebhookExpired},
		{"iat more than three days ago, exp in the future", signed(installed(`,"iat":1799740799,"exp":1900000000`)), wix.WebhookExpired},
		{"iat 0", signed(installed(`,"iat":0`)), wix.WebhookExpired},
		{"iat in 1969", signed(installed(`,"iat":-1`)), wix.WebhookExpired},
		{"iat before all time", signed(installed(`,"iat":-1e300`)), wix.WebhookExpired},
		{"iat more than a day ahead", signed(installed(`,"iat":1800086401`)), wix.WebhookExpired},
		{"iat beyond the year 9999", signed(installed(`,"iat":1e300`)), wix.WebhookExpired},
		{"operationTimeStamp more than a day ahead", signed(claims(envelope("AppRemoved", `{"operationTimeStamp":1800086400001}`, ""), `,"iat":1800000000`)), wix.WebhookExpired},
		{"operationTimeStamp at the end of time", signed(claims(envelope("AppRemoved", `{"operationTimeStamp":"9999-12-31T00:00:00Z"}`, ""), `,"iat":1800000000`)), wix.WebhookExpired},
		{"no iat, and operationTimeStamp more than three days ago", signed(claims(envelope("AppRemoved", `{"operationTimeStamp":1799740799000}`, ""), "")), wix.WebhookExpired},
		{"an event of an account", raw(`{"data":"{}","eventType":"AccountCreated"}`), wix.WebhookNoInstance},
		{"an instance id of null", raw(`{"data":"{}","instanceId":null,"eventType":"AccountCreated"}`), wix.WebhookNoInstance},
		{"an empty instance id", raw(`{"data":"","instanceId":"","eventType":"AccountCreated"}`), wix.WebhookNoInstance},
		{"exp a string", signed(installed(`,"exp":"1800000001"`)), wix.WebhookMalformed},
		{"exp null", signed(installed(`,"exp":null`)), wix.WebhookMalformed},
		{"exp beyond any number", signed(installed(`,"exp":1e999`)), wix.WebhookMalformed},
		{"nbf a string", signed(installed(`,"nbf":"1"`)), wix.WebhookMalformed},
		{"iat a string", signed(installed(`,"iat":"1799999990"`)), wix.WebhookMalformed},
		{"iat an object", signed(installed(`,"iat":{}`)), wix.WebhookMalformed},

		{"a payload that is not JSON", signed("hello"), wix.WebhookMalformed},
		{"an empty payload", signed(""), wix.WebhookMalformed},
		{"a payload that is a list", signed("[]"), wix.WebhookMalformed},
		{"a payload that is null", signed("null"), wix.WebhookMalformed},
		{"two payloads", signed(installed("") + installed("")), wix.WebhookMalformed},
		{"a payload deeper than any parser should go", signed(strings.Repeat("[", 100_000)), wix.WebhookMalformed},
		{"a payload that is not UTF-8", signed(strings.Replace(installed(`,"x":"?"`), "?", "\xff", 1)), wix.WebhookMalformed},
		{"no data", signed(`{"iat":1800000000}`), wix.WebhookMalformed},
		{"data null", signed(`{"data":null}`), wix.WebhookMalformed},
		{"Data for data", signed(strings.Replace(installed(""), "data", "Data", 1)), wix.WebhookMalformed},
		{"data an object instead of a string", signed(`{"data":` + envelope("AppInstalled", `{}`, "") + `}`), wix.WebhookMalformed},
		{"data empty", raw(""), wix.WebhookMalformed},
		{"data not JSON", raw("AppInstalled"), wix.WebhookMalformed},
		{"data a list", raw(`[]`), wix.WebhookMalformed},
		{"data deeper than any parser should go", raw(strings.Repeat(`{"data":`, 20_000)), wix.WebhookMalformed},

		{"inner data not JSON", inner("appId"), wix.WebhookMalformed},
		{"inner data a list", inner(`[]`), wix.WebhookMalformed},
		{"inner data null", inner(`null`), wix.WebhookMalformed},
		{"inner data a number", inner(`1e5`), wix.WebhookMalformed},
		{"inner data an object instead of a string", around(`,"data":{}`), wix.WebhookMalformed},
		{"inner data deeper than any parser should go", inner(strings.Repeat(`{"a":`, 20_000)), wix.WebhookMalformed},
		{"an instance id that is not a GUID", around(`,"instanceId":"../../etc"`), wix.WebhookMalformed},
		{"an instance id without dashes", around(`,"instanceId":"` + strings.ReplaceAll(instanceID, "-", "") + `"`), wix.WebhookMalformed},
		{"an instance id in braces", around(`,"instanceId":"{` + instanceID + `}"`), wix.WebhookMalformed},
		{"an instance id that is a number", around(`,"instanceId":1`), wix.WebhookMalformed},
		{"no event type", raw(`{"data":"{}","instanceId":"` + instanceID + `"}`), wix.WebhookMalformed},
		{"an empty event type", around(`,"eventType":""`), wix.WebhookMalformed},
		{"an event type that is a number", around(`,"eventType":5`), wix.WebhookMalformed},
		{"an event type of 101 characters", around(`,"eventType":"` + strings.Repeat("x", 101) + `"`), wix.WebhookMalformed},
		{"an event type with a NUL", around(`,"eventType":"a\u0000"`), wix.WebhookMalformed},
		{"an event type with a newline", around(`,"eventType":"a\nlevel=ERROR"`), wix.WebhookMalformed},

		{"an event of another app", inner(`{"appId":"` + otherApp + `"}`), wix.WebhookForeign},
		{"an event of no app that could be", inner(`{"appId":7}`), wix.WebhookForeign},
		{"an unknown event of another app", signed(claims(envelope("New", `{"appId":"`+otherApp+`"}`, ""), "")), wix.WebhookForeign},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := newWebhooks(t, ours).Verify([]byte(tt.body))
			var refusal *wix.WebhookError
			if !errors.As(err, &refusal) || refusal.Kind != tt.want {
				t.Fatalf("got %v, want %s", err, tt.want)
			}
			if diff := cmp.Diff(wix.Event{}, got); diff != "" {
				t.Errorf("something was returned all the same: %s", diff)
			}
			if repeats(err.Error(), tt.body) {
				t.Errorf("the error repeats the body: %v", err)
			}
		})
	}
}

// repeats reports whether the text contains sixteen consecutive bytes of the body or of one
// of its decoded parts. (The longest field name in an error has fourteen.)
func repeats(text, body string) bool {
	for _, part := range strings.Split(body, ".") {
		decoded, _ := base64.RawURLEncoding.DecodeString(part)
		for i := range len(text) - 15 {
			if strings.Contains(part, text[i:i+16]) || bytes.Contains(decoded, []byte(text[i:i+16])) {
				return true
			}
		}
	}
	return false
}

func TestNewWebhooks_systemClock(t *testing.T) {
	w, err := wix.NewWebhooks([]string{publicPEM(&wixKey().PublicKey)}, ourApp, nil)
	if err != nil {
		t.Fatal(err)
	}
	var refusal *wix.WebhookError
	if _, err := w.Verify([]byte(signed(installed(`,"exp":1000000000`)))); !errors.As(err, &refusal) || refusal.Kind != wix.WebhookExpired {
		t.Errorf("a JWT that expired in 2001: %v", err)
	}
	if _, err := w.Verify([]byte(signed(installed(`,"exp":32503680000`)))); err != nil {
		t.Errorf("a JWT that expires in the year 3000: %v", err)
	}
}

// published is the other half of the key, since thrown away, with which "openssl
// dgst -sha256 -sign" signed testdata/webhook.jwt and the JWTs of the fuzz corpus.
func published(t testing.TB) string {
	t.Helper()
	return read(t, "testdata/webhook-public.pem")
}

func read(t testing.TB, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestWebhooks_Verify_signedByOpenSSL(t *testing.T) {
	got, err := newWebhooks(t, published(t)).Verify([]byte(read(t, "testdata/webhook.jwt")))
	if err != nil {
		t.Fatal(err)
	}
	if got.Type != wix.AppInstalled || got.InstanceID != instanceID || got.AppID != ourApp {
		t.Errorf("got %+v", got)
	}
}

// FuzzWebhook uses its input as a body, or as the payload to sign. What Verify accepts must
// be accepted by the JWT library too, and be complete.
func FuzzWebhook(f *testing.F) {
	fixed, err := jwt.ParseRSAPublicKeyFromPEM([]byte(published(f)))
	if err != nil {
		f.Fatal(err)
	}
	w := newWebhooks(f, published(f), publicPEM(&wixKey().PublicKey))
	f.Fuzz(func(t *testing.T, body []byte, sign bool) {
		if sign {
			body = []byte(signed(string(body)))
		}
		e, err := w.Verify(body)
		if err != nil {
			var refusal *wix.WebhookError
			if !errors.As(err, &refusal) || len(err.Error()) > 200 {
				t.Fatalf("got %v", err)
			}
			return
		}
		body = bytes.TrimSpace(body)
		keys := jwt.VerificationKeySet{Keys: []jwt.VerificationKey{fixed, &wixKey().PublicKey}}
		if _, err := jwt.Parse(string(body), func(*jwt.Token) (any, error) { return keys, nil },
			jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation()); err != nil {
			t.Fatalf("accepted, but %v", err)
		}
		var data map[string]json.RawMessage
		switch {
		case json.Unmarshal(e.Data, &data) != nil || data == nil:
			t.Fatalf("data %q", e.Data)
		case uuid.Validate(e.InstanceID) != nil || e.InstanceID != strings.ToLower(e.InstanceID):
			t.Fatalf("instance id %q", e.InstanceID)
		case e.Type == "" || strings.ContainsRune(string(e.Type), 0):
			t.Fatalf("type %q", e.Type)
		case e.AppID != "" && e.AppID != ourApp:
			t.Fatalf("app id %q", e.AppID)
		case e.Hash != sha256.Sum256(body):
			t.Fatal("the hash is of something else")
		}
		if _, err := json.Marshal(e); err != nil {
			t.Fatalf("cannot be written: %v", err)
		}
	})
}
