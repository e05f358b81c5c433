package wixsim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

// testRSAKey returns one key for all tests: making one takes about 0.1 s.
var testRSAKey = sync.OnceValue(func() *rsa.PrivateKey { return newWebhookKey().private })

// testKey returns the same key in PEM.
var testKey = sync.OnceValue(func() string {
	der, err := x509.MarshalPKCS8PrivateKey(testRSAKey())
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
})

// opened is a webhook read as its receiver reads it.
type opened struct {
	header         map[string]any
	claims         map[string]any
	issued, expiry float64
	envelope
	fields map[string]any // of the middle layer
	event  map[string]any
}

// open verifies a JWT as strictly as can be and takes its layers apart, or fails the test.
func open(t *testing.T, s *Sim, body string) opened {
	t.Helper()
	o, err := read(s, body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(o.Data), &o.event); err != nil {
		t.Fatal(err)
	}
	return o
}

func read(s *Sim, body string) (o opened, err error) {
	public, err := jwt.ParseRSAPublicKeyFromPEM([]byte(s.PublicKey()))
	if err != nil {
		return o, err
	}
	claims := jwt.MapClaims{}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(), jwt.WithTimeFunc(s.cfg.Now))
	token, err := parser.ParseWithClaims(body, claims, func(*jwt.Token) (any, error) { return public, nil })
	if err != nil {
		return o, err
	}
	o.header, o.claims = token.Header, claims
	o.issued, _ = claims["iat"].(float64)
	o.expiry, _ = claims["exp"].(float64)
	data, _ := claims["data"].(string)
	if err := json.Unmarshal([]byte(data), &o.envelope); err != nil {
		return o, err
	}
	return o, json.Unmarshal([]byte(data), &o.fields)
}

// signedBy returns the body that a Sim sends for a webhook.
func signedBy(t *testing.T, s *Sim, w Webhook) string {
	t.Helper()
	in, was := s.subject(w)
	copies, err := s.prepare(w, in, was)
	if err != nil {
		t.Fatal(err)
	}
	return copies[0].body
}

func newSigner(t *testing.T) *Sim {
	return newSim(t, func(c *Config) { c.WebhookURL, c.PrivateKey = receiverURL, testKey() })
}

func TestWebhook_layersOfTheJWT(t *testing.T) {
	s := newSigner(t)
	in := s.Installations()[0]
	o := open(t, s, signedBy(t, s, Webhook{EventType: AppInstalled}))
	key := s.appKey()
	if diff := cmp.Diff(map[string]any{"alg": "RS256", "kid": key.id}, o.header); diff != "" {
		t.Error("the header", diff)
	}
	now := float64(testTime.Unix())
	delete(o.claims, "data")
	if diff := cmp.Diff(map[string]any{"iat": now, "exp": now + 72*3600}, map[string]any(o.claims)); diff != "" {
		t.Error("the payload", diff)
	}
	want := map[string]any{
		"data":        `{"appId":"` + testAppID + `"}`,
		"instanceId":  in.InstanceID,
		"eventType":   "AppInstalled",
		"identity":    `{"identityType":"WIX_USER","wixUserId":"` + in.OwnerID + `"}`,
		"accountInfo": map[string]any{"accountId": in.AccountID, "siteId": in.SiteID},
	}
	if diff := cmp.Diff(want, o.fields); diff != "" {
		t.Error("the middle layer", diff)
	}
}

func TestWebhook_timesOfTheJWT(t *testing.T) {
	s := newSigner(t)
	tests := map[string]struct {
		webhook     Webhook
		iat, expiry time.Duration // from now
		operation   string
	}{
		"now":                     {Webhook{}, 0, 72 * time.Hour, "2026-05-04T03:02:01.500Z"},
		"a late one":              {Webhook{At: testTime.Add(-10 * 24 * time.Hour)}, -10 * 24 * time.Hour, 72 * time.Hour, "2026-04-24T03:02:01.500Z"},
		"one of the future":       {Webhook{At: testTime.Add(time.Hour)}, time.Hour, 73 * time.Hour, "2026-05-04T04:02:01.500Z"},
		"a lifetime of its own":   {Webhook{TTL: time.Minute}, 0, time.Minute, "2026-05-04T03:02:01.500Z"},
		"another zone":            {Webhook{At: testTime.In(time.FixedZone("", 3600))}, 0, 72 * time.Hour, "2026-05-04T03:02:01.500Z"},
		"a time finer than Wix's": {Webhook{At: testTime.Add(999 * time.Nanosecond)}, 0, 72 * time.Hour, "2026-05-04T03:02:01.500Z"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.webhook.EventType = PlanTransferred
			o := open(t, s, signedBy(t, s, tt.webhook))
			at := func(d time.Duration) float64 { return float64(testTime.Add(d).Unix()) }
			if o.issued != at(tt.iat) || o.expiry != at(tt.expiry) || o.event["operationTimeStamp"] != tt.operation {
				t.Errorf("iat %v, exp %v, %v", o.issued, o.expiry, o.event)
			}
		})
	}
}

func TestWebhook_forgeriesDoNotVerify(t *testing.T) {
	s := newSigner(t)
	tests := map[string]struct {
		webhook Webhook
		want    string
	}{
		"changed after it was signed":      {Webhook{Forge: ForgeTampered}, "signature is invalid"},
		"another key":                      {Webhook{Forge: ForgeWrongKey}, "signature is invalid"},
		"no signature":                     {Webhook{Forge: ForgeUnsigned}, "signing method none is invalid"},
		"the public key taken as a secret": {Webhook{Forge: ForgeHS256}, "signing method HS256 is invalid"},
		"another algorithm":                {Webhook{Forge: ForgeRS512}, "signing method RS512 is invalid"},
		"in quotes":                        {Webhook{Forge: ForgeQuoted}, "token is malformed"},
		"expired":                          {Webhook{TTL: -time.Second}, "token is expired"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.webhook.EventType = AppRemoved
			if _, err := read(s, signedBy(t, s, tt.webhook)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Error(err)
			}
		})
	}
	for _, forge := range forgeries() {
		named := false
		for _, tt := range tests {
			named = named || tt.webhook.Forge == forge
		}
		if !named {
			t.Errorf("%s is not tried", forge)
		}
	}
	if o := open(t, s, signedBy(t, s, Webhook{EventType: AppRemoved, KeyID: "other"})); o.header["kid"] != "other" {
		t.Error("the key id is", o.header["kid"])
	}
}

func TestNew_webhookConfiguration(t *testing.T) {
	block := func(kind string, der []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	private, _ := jwt.ParseRSAPrivateKeyFromPEM([]byte(testKey()))
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private), nil)
	curveDER, err := x509.MarshalPKCS8PrivateKey(curve)
	tests := map[string]struct {
		cfg  Config
		fine bool
	}{
		"a key in PKCS #8":        {Config{PrivateKey: testKey()}, true},
		"a key in PKCS #1":        {Config{PrivateKey: pkcs1}, true},
		"a key from a function":   {Config{Key: testRSAKey}, true},
		"a retry factor":          {Config{RetryFactor: 1000}, true},
		"a webhook URL":           {Config{WebhookURL: "https://a.example"}, true},
		"an invalid key":          {Config{PrivateKey: "SECRET"}, false},
		"a key of 1024 bits":      {Config{PrivateKey: block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(short), nil)}, false},
		"a key of another kind":   {Config{PrivateKey: block("PRIVATE KEY", curveDER, err)}, false},
		"a public key":            {Config{PrivateKey: describeKey(private).public}, false},
		"half a key":              {Config{PrivateKey: testKey()[:len(testKey())/2]}, false},
		"a factor that stretches": {Config{RetryFactor: 0.5}, false},
		"a factor below zero":     {Config{RetryFactor: -1}, false},
		"a factor that is NaN":    {Config{RetryFactor: math.NaN()}, false},
		"a relative URL":          {Config{WebhookURL: "/webhooks/wix"}, false},
		"a URL of a file":         {Config{WebhookURL: "file:///tmp/x"}, false},
		"a URL without a host":    {Config{WebhookURL: "http://:80/"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.cfg.AppID, tt.cfg.AppSecret = testAppID, testSecret
			s, err := New(tt.cfg)
			if (err == nil) != tt.fine {
				t.Fatal(err)
			}
			if key := tt.cfg.PrivateKey; !tt.fine && key != "" && strings.Contains(err.Error(), key) {
				t.Error("the error quotes the key")
			}
			if given := tt.cfg.PrivateKey != "" || tt.cfg.Key != nil; tt.fine && given && s.PublicKey() != describeKey(private).public {
				t.Error("it is another key")
			}
		})
	}
}

func TestPublicKey_isMadeOncePerSim(t *testing.T) {
	s := newSim(t)
	key := s.PublicKey()
	if !strings.HasPrefix(key, "-----BEGIN PUBLIC KEY-----\n") || s.PublicKey() != key || newSim(t).PublicKey() == key {
		t.Error(key)
	}
	public, err := jwt.ParseRSAPublicKeyFromPEM([]byte(key))
	if err != nil || public.N.BitLen() != 2048 {
		t.Error(err)
	}
}
