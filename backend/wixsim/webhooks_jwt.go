package wixsim

// The JWT of a webhook: the key that signs it, and its three layers of JSON as
// @wix/sdk 1.21.16 reads them (event-handlers-modules.js).

import (
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
	// webhookTTL is longer than the longest delay and all retries take together, so
	// that a JWT which is sent again unchanged still verifies. Wix's own lifetime is
	// not documented.
	webhookTTL = 72 * time.Hour
)

// The ways to spoil a webhook, for Webhook.Forge: receivers must refuse each.
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

// webhookKey is a key pair and the names by which it is known.
type webhookKey struct {
	private *rsa.PrivateKey
	public  string // SPKI PEM
	id      string
}

// webhookKeyOf returns what gives the key: the one in the PEM text, or for "" one
// that is made when it is first asked for.
func webhookKeyOf(text string) (func() webhookKey, error) {
	if text == "" {
		return sync.OnceValue(newWebhookKey), nil
	}
	private, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(text))
	if err != nil || private.N.BitLen() < webhookKeyBits { // the cause might quote the key
		return nil, errors.New("the offline Wix needs a private key in PEM: RSA, at least 2048 bits, not encrypted")
	}
	key := describeKey(private)
	return func() webhookKey { return key }, nil
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

// PublicKey returns the key that the webhooks verify with, as SPKI PEM: what Wix
// shows under "Get Public Key" in the app's dashboard. The first call may take a
// moment, in which the key is made.
func (s *Sim) PublicKey() string { return s.key().public }

type webhookClaims struct {
	Data string `json:"data"`
	jwt.RegisteredClaims
}

// envelope is the middle layer. Data and Identity are JSON in strings.
type envelope struct {
	Data        string      `json:"data"`
	InstanceID  string      `json:"instanceId"`
	EventType   string      `json:"eventType"`
	Identity    string      `json:"identity"`
	AccountInfo accountInfo `json:"accountInfo"`
}

type identity struct {
	Type      string `json:"identityType"`
	WixUserID string `json:"wixUserId"`
}

type accountInfo struct {
	AccountID string `json:"accountId"`
	SiteID    string `json:"siteId"`
}

// signWebhook makes the body of the request. data is the middle layer.
func (s *Sim) signWebhook(data string, w Webhook, now time.Time) string {
	key := s.key()
	expires := now
	if w.At.After(now) {
		expires = w.At
	}
	ttl := w.TTL
	if ttl == 0 {
		ttl = webhookTTL
	}
	claims := webhookClaims{Data: data, RegisteredClaims: jwt.RegisteredClaims{
		IssuedAt: jwt.NewNumericDate(w.At), ExpiresAt: jwt.NewNumericDate(expires.Add(ttl)),
	}}
	id := w.KeyID
	if id == "" {
		id = key.id
	}
	sign := func(method jwt.SigningMethod, with any) string {
		t := jwt.NewWithClaims(method, claims)
		t.Header = map[string]any{"kid": id, "alg": method.Alg()}
		signed, err := t.SignedString(with)
		if err != nil {
			panic(err) // the claims are plain data and the keys fit
		}
		return signed
	}
	switch w.Forge {
	case ForgeWrongKey:
		return sign(jwt.SigningMethodRS256, s.stranger().private)
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

// prepare checks a webhook and makes its deliveries: one, and its duplicates. in is
// the installation that it tells of, was what that was before.
func (s *Sim) prepare(w Webhook, in, was Installation) ([]*delivery, error) {
	to := w.URL
	if to == "" {
		to = s.WebhookURL()
	}
	now := s.cfg.Now().UTC()
	if w.At.IsZero() {
		w.At = now
	}
	w.At = w.At.UTC().Truncate(time.Millisecond)
	switch {
	case w.EventType == "" || !isText(w.EventType, 150):
		return nil, errors.New("eventType must be text of 1 to 150 characters")
	case in.InstanceID == "" || !isText(in.InstanceID, 100):
		return nil, errors.New("instanceId must be text of 1 to 100 characters")
	case w.Duplicates < 0 || w.Duplicates > 1000:
		return nil, errors.New("duplicates must be 0 to 1000")
	case w.Delay < 0 || w.Delay > maxDelay:
		return nil, errors.New("delay must be 0 to 24h")
	case w.TTL.Abs() > maxTTL:
		return nil, errors.New("ttl must be at most ten years")
	case w.Forge != "" && !slices.Contains(forgeries(), w.Forge):
		return nil, errors.New("forge must be one of " + strings.Join(forgeries(), ", "))
	case !isText(w.KeyID, 100):
		return nil, errors.New("kid must be text of at most 100 characters")
	case to == "":
		return nil, ErrNoWebhookURL
	case !isHTTP(to):
		return nil, errors.New("url must be an absolute one, http or https")
	}
	event, err := eventData(w.Data, s.defaults(w, in, was))
	if err != nil {
		return nil, err
	}
	data := mustJSON(envelope{
		Data: event, InstanceID: in.InstanceID, EventType: w.EventType,
		Identity:    mustJSON(identity{"WIX_USER", in.OwnerID}),
		AccountInfo: accountInfo{in.AccountID, in.SiteID},
	})
	parcel := sealed{url: to, body: s.signWebhook(data, w, now), delay: w.Delay}
	if w.Resign {
		parcel.again = func() string {
			again := w
			again.At = s.cfg.Now()
			return s.signWebhook(data, again, again.At)
		}
	}
	copies := make([]*delivery, 1+w.Duplicates)
	for i := range copies {
		copies[i] = &delivery{
			Delivery: Delivery{EventType: w.EventType, InstanceID: in.InstanceID, At: w.At},
			sealed:   parcel,
		}
	}
	return copies, nil
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // every v is made of plain data
	}
	return string(b)
}
