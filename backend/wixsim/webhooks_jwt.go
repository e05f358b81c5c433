package wixsim

// The JWT of a webhook: the key that signs it, and its three layers of JSON as
// @wix/sdk 1.21.16 reads them (event-handlers-modules.js).

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	webhookKeyBits = 2048
	// webhookTTL is longer than the longest delay and all retries together, so that a JWT
	// that is sent again unchanged still verifies. Wix's lifetime is not documented.
	webhookTTL = 72 * time.Hour
)

// The kinds of forged webhooks, for Webhook.Forge. Receivers must refuse each.
const (
	ForgeTampered = "tampered"  // changed after it was signed
	ForgeWrongKey = "wrong-key" // signed with a key that is not the app's
	ForgeUnsigned = "unsigned"  // alg none
	ForgeHS256    = "hs256"     // HMAC with the public key's PEM as the secret
	ForgeRS512    = "rs512"     // the right key and another algorithm
	ForgeQuoted   = "quoted"    // a good JWT, in JSON's quotes
)

func forgeries() []string {
	return []string{ForgeTampered, ForgeWrongKey, ForgeUnsigned, ForgeHS256, ForgeRS512, ForgeQuoted}
}

// webhookKey is a key pair and its id.
type webhookKey struct {
	private *rsa.PrivateKey
	public  string // SPKI PEM
	id      string
}

// webhookKey returns the function that returns the key: the configured one, or one that is
// made when it is first needed.
func (c Config) webhookKey() (func() webhookKey, error) {
	if c.PrivateKey == "" {
		if c.Key != nil {
			return sync.OnceValue(func() webhookKey { return describeKey(c.Key()) }), nil
		}
		return sync.OnceValue(newWebhookKey), nil
	}
	private, err := parseKey(c.PrivateKey)
	if err != nil {
		return nil, err
	}
	key := describeKey(private)
	return func() webhookKey { return key }, nil
}

// parseKey reads a key from PEM. Its error quotes nothing of it.
func parseKey(text string) (*rsa.PrivateKey, error) {
	private, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(text))
	if err != nil || private.N.BitLen() < webhookKeyBits {
		return nil, errors.New("the offline Wix needs a private key in PEM: RSA, at least 2048 bits, not encrypted")
	}
	return private, nil
}

// pem is the private key as PKCS #8.
func (k webhookKey) pem() string {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		panic(err) // every RSA key can be written
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func newWebhookKey() webhookKey {
	private, err := rsa.GenerateKey(rand.Reader, webhookKeyBits)
	if err != nil {
		panic(err) // only a size that is too small fails
	}
	return describeKey(private)
}

func describeKey(private *rsa.PrivateKey) webhookKey {
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		panic(err) // every RSA key can be written
	}
	sum := sha256.Sum256(der)
	return webhookKey{
		private: private,
		public:  string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		id:      hex.EncodeToString(sum[:4]),
	}
}

// PublicKey returns the key that webhooks verify with, as SPKI PEM: what Wix shows under
// "Get Public Key" in the app's dashboard. The first call may make the key, which takes
// about 0.1 s.
func (s *Sim) PublicKey() string { return s.appKey().public }

type webhookClaims struct {
	Data string `json:"data"`
	jwt.RegisteredClaims
}

// envelope is the middle layer. Data and Identity are strings of JSON.
type envelope struct {
	Data        string      `json:"data"`
	InstanceID  string      `json:"instanceId"`
	EventType   string      `json:"eventType"`
	Identity    string      `json:"identity"`
	AccountInfo accountInfo `json:"accountInfo"`
}

type wixUser struct {
	Type      string `json:"identityType"`
	WixUserID string `json:"wixUserId"`
}

type accountInfo struct {
	AccountID string `json:"accountId"`
	SiteID    string `json:"siteId"`
}

// signWebhook returns the body of the request. data is the middle layer.
func (s *Sim) signWebhook(data string, w Webhook, now time.Time) string {
	key := s.appKey()
	claims := webhookClaims{Data: data, RegisteredClaims: jwt.RegisteredClaims{
		IssuedAt: jwt.NewNumericDate(w.At), ExpiresAt: jwt.NewNumericDate(w.expires(now)),
	}}
	sign := func(method jwt.SigningMethod, with any) string {
		t := jwt.NewWithClaims(method, claims)
		t.Header = map[string]any{"kid": cmp.Or(w.KeyID, key.id), "alg": method.Alg()}
		signed, err := t.SignedString(with)
		if err != nil {
			panic(err) // the claims are plain data and the keys fit
		}
		return signed
	}
	switch w.Forge {
	case ForgeWrongKey:
		return sign(jwt.SigningMethodRS256, s.otherKey().private)
	case ForgeUnsigned:
		return sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType)
	case ForgeHS256:
		return sign(jwt.SigningMethodHS256, []byte(key.public))
	case ForgeRS512:
		return sign(jwt.SigningMethodRS512, key.private)
	}
	signed := sign(jwt.SigningMethodRS256, key.private)
	switch w.Forge {
	case ForgeQuoted:
		return `"` + signed + `"`
	case ForgeTampered:
		claims.IssuedAt = jwt.NewNumericDate(w.At.Add(time.Second))
		changed := sign(jwt.SigningMethodRS256, key.private)
		return changed[:strings.LastIndexByte(changed, '.')] + signed[strings.LastIndexByte(signed, '.'):]
	}
	return signed
}

// Unsigned is a webhook whose retries are signed again, each with its own time.
type Unsigned struct {
	Data  string        `json:"data"` // the middle layer
	KeyID string        `json:"kid,omitempty"`
	TTL   time.Duration `json:"ttlNanoseconds,omitempty"`
	Forge string        `json:"forge,omitempty"`
}

func (s *Sim) signAgain(u Unsigned) string {
	now := s.Now()
	return s.signWebhook(u.Data, Webhook{At: now, KeyID: u.KeyID, TTL: u.TTL, Forge: u.Forge}, now)
}

// expires returns the JWT's exp.
func (w Webhook) expires(now time.Time) time.Time {
	start := now
	if w.At.After(now) {
		start = w.At
	}
	return start.Add(cmp.Or(w.TTL, webhookTTL))
}

// prepare checks a webhook and makes its deliveries: one, and its duplicates. in is
// the installation that it is about, before what that was before a change.
func (s *Sim) prepare(w Webhook, in, before Installation) ([]*delivery, error) {
	now := s.Now().UTC()
	if w.At.IsZero() {
		w.At = now
	}
	w.At = w.At.UTC().Truncate(time.Millisecond)
	w.URL = cmp.Or(w.URL, s.WebhookURL())
	if err := w.check(in.InstanceID); err != nil {
		return nil, err
	}
	event, err := eventData(w.Data, s.eventFields(w, in, before))
	if err != nil {
		return nil, err
	}
	data := mustJSON(envelope{
		Data: event, InstanceID: in.InstanceID, EventType: w.EventType,
		Identity:    mustJSON(wixUser{"WIX_USER", in.OwnerID}),
		AccountInfo: accountInfo{in.AccountID, in.SiteID},
	})
	message := signedWebhook{body: s.signWebhook(data, w, now), delay: w.Delay}
	if w.Resign || s.Behavior().ResignRetries {
		message.again = &Unsigned{Data: data, KeyID: w.KeyID, TTL: w.TTL, Forge: w.Forge}
	}
	copies := make([]*delivery, 1+w.Duplicates)
	for i := range copies {
		copies[i] = &delivery{
			Delivery:      Delivery{EventType: w.EventType, InstanceID: in.InstanceID, URL: w.URL, At: w.At},
			signedWebhook: message,
		}
	}
	return copies, nil
}

func (w Webhook) check(instanceID string) error {
	err := check(
		rule{w.EventType != "" && isText(w.EventType, 150), "eventType must be text of 1 to 150 characters"},
		rule{instanceID != "" && isText(instanceID, 100), "instanceId must be text of 1 to 100 characters"},
		rule{within(w.Duplicates, 0, 1000), "duplicates must be 0 to 1000"},
		rule{within(w.Delay, 0, maxDelay), "delay must be 0 to 24h"},
		rule{w.TTL.Abs() <= maxTTL, "ttl must be at most ten years"},
		rule{w.Forge == "" || slices.Contains(forgeries(), w.Forge), "forge must be one of " + strings.Join(forgeries(), ", ")},
		rule{isText(w.KeyID, 100), "kid must be text of at most 100 characters"},
		rule{w.URL == "" || isHTTP(w.URL), "url must be an absolute one, http or https"},
	)
	if err == nil && w.URL == "" {
		err = ErrNoWebhookURL
	}
	return err
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // every v is plain data
	}
	return string(b)
}
