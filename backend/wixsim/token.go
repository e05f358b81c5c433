package wixsim

// Access tokens: made and read back. Their layout is that of Wix's own tokens as
// public code has recorded it (OauthNG.JWS. and an HS256 JWS whose payload's data
// is a JSON string). Apps must treat them as opaque; the layout is kept for the
// apps that do not.

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// The subjects of a token: token-info's subjectType.
const (
	Visitor = "VISITOR" // someone who looks at the site
	Member  = "MEMBER"  // a visitor who has logged in
	User    = "USER"    // the site's owner, in the editor or dashboard
	App     = "APP"     // the app itself: an elevated token
)

const (
	tokenPrefix = "OauthNG.JWS."
	maxTTL      = 10 * 365 * 24 * time.Hour
	isoMillis   = "2006-01-02T15:04:05.000Z"
)

// TokenRequest says which token to make.
type TokenRequest struct {
	// Subject is Visitor, Member, User or App.
	Subject string
	// InstanceID defaults to the oldest installation. For the app under test it
	// must be installed.
	InstanceID string
	// NoInstance makes a token that names no instance.
	NoInstance bool
	// AppID defaults to the app under test. A token of another app is a genuine
	// one, issued to someone else.
	AppID string
	// TTL is the token's lifetime, rounded up to whole seconds. 0 means the
	// default; a negative one makes a token that has expired.
	TTL time.Duration
	// Active set to false makes a token that Wix has withdrawn before its time.
	Active *bool
}

// keyring holds the keys that tokens are signed with. What the retired key signed
// does not verify any more: that is what a withdrawn token is, and it costs no memory.
type keyring struct{ live, retired signingKey }

type signingKey struct {
	id     string
	secret []byte
}

func newKeyring() keyring {
	key := func() signingKey {
		secret := make([]byte, 32)
		rand.Read(secret)
		return signingKey{id: rand.Text()[:8], secret: secret}
	}
	return keyring{live: key(), retired: key()}
}

type tokenClaims struct {
	Data string `json:"data"`
	jwt.RegisteredClaims
}

type tokenData struct {
	Instance tokenInstance `json:"instance"`
}

type tokenInstance struct {
	InstanceID     string `json:"instanceId,omitempty"`
	AppDefID       string `json:"appDefId"`
	SignDate       string `json:"signDate"`
	UID            string `json:"uid,omitempty"`
	Permissions    string `json:"permissions"`
	DemoMode       bool   `json:"demoMode"`
	SiteOwnerID    string `json:"siteOwnerId,omitempty"`
	AID            string `json:"aid,omitempty"`
	SiteMemberID   string `json:"siteMemberId,omitempty"`
	MetaSiteID     string `json:"metaSiteId,omitempty"`
	ExpirationDate string `json:"expirationDate"`
	PS             string `json:"ps,omitempty"`
}

// Mint makes an access token and says when it expires. The error is
// ErrNotInstalled or says what is wrong with the request.
func (s *Sim) Mint(req TokenRequest) (token string, expires time.Time, err error) {
	t := tokenInstance{InstanceID: req.InstanceID, AppDefID: cmp.Or(req.AppID, s.cfg.AppID)}
	if !isText(t.AppDefID, 100) {
		return "", time.Time{}, errors.New("appId must be text of at most 100 characters")
	}
	if t.InstanceID != "" && req.NoInstance {
		return "", time.Time{}, errors.New("a token either names an instance or does not")
	}
	if t.InstanceID == "" && !req.NoInstance {
		first, ok := s.first()
		if !ok {
			return "", time.Time{}, ErrNotInstalled
		}
		t.InstanceID = first.InstanceID
	}
	if t.InstanceID != "" {
		if !isGUID(t.InstanceID) {
			return "", time.Time{}, errors.New("instanceId must be a GUID")
		}
		if _, ok := s.Installation(t.InstanceID); !ok && t.AppDefID == s.cfg.AppID {
			return "", time.Time{}, ErrNotInstalled
		}
		t.MetaSiteID = derivedID("site", t.InstanceID)
		t.SiteOwnerID = derivedID("owner", t.InstanceID)
	}
	switch req.Subject {
	case Visitor:
		t.AID = uuid.NewString()
	case Member:
		t.SiteMemberID = uuid.NewString()
		t.UID = t.SiteMemberID
	case User:
		t.UID, t.Permissions = cmp.Or(t.SiteOwnerID, uuid.NewString()), "OWNER"
	case App:
		t.PS = t.AppDefID + ":" + appVersion
	default:
		return "", time.Time{}, errors.New("subject must be VISITOR, MEMBER, USER or APP")
	}
	if req.TTL.Abs() > maxTTL {
		return "", time.Time{}, errors.New("ttl must be at most ten years")
	}
	ttl := cmp.Or(req.TTL, s.cfg.TokenTTL)
	key := s.keys.live
	if req.Active != nil && !*req.Active {
		key = s.keys.retired
	}
	return s.sign(t, ttl, key)
}

// sign makes the token. An expired one was issued a usual lifetime before its end.
func (s *Sim) sign(t tokenInstance, ttl time.Duration, key signingKey) (string, time.Time, error) {
	if ttl > 0 {
		ttl += time.Second - 1
	}
	issued := s.cfg.Now().UTC().Truncate(time.Second)
	expires := issued.Add(ttl.Truncate(time.Second))
	if !expires.After(issued) {
		issued = expires.Add(-s.cfg.TokenTTL)
	}
	t.SignDate, t.ExpirationDate = issued.Format(isoMillis), expires.Format(isoMillis)
	data, err := json.Marshal(tokenData{t})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("encode a token: %w", err)
	}
	jws := jwt.NewWithClaims(jwt.SigningMethodHS256, tokenClaims{
		Data: string(data),
		RegisteredClaims: jwt.RegisteredClaims{
			IssuedAt:  jwt.NewNumericDate(issued),
			ExpiresAt: jwt.NewNumericDate(expires),
		},
	})
	jws.Header = map[string]any{"kid": key.id, "alg": jws.Method.Alg()}
	signed, err := jws.SignedString(key.secret)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign a token: %w", err)
	}
	return tokenPrefix + signed, expires, nil
}

// verifiedToken is what an active token says.
type verifiedToken struct {
	tokenInstance
	issued, expires time.Time
}

// verify reads a token, and says whether it is active: signed with the live key by
// HS256, not expired, and its instance, if of the app under test, still installed.
func (s *Sim) verify(token string) (verifiedToken, bool) {
	signed, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok || strings.ContainsAny(signed, "\r\n") { // base64 would skip a line break
		return verifiedToken{}, false
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(), jwt.WithTimeFunc(s.cfg.Now))
	var claims tokenClaims
	_, err := parser.ParseWithClaims(signed, &claims, func(t *jwt.Token) (any, error) {
		if t.Header["kid"] != s.keys.live.id {
			return nil, errors.New("not a key of the day")
		}
		return s.keys.live.secret, nil
	})
	if err != nil {
		return verifiedToken{}, false
	}
	var data tokenData
	if err := json.Unmarshal([]byte(claims.Data), &data); err != nil {
		return verifiedToken{}, false
	}
	v := verifiedToken{data.Instance, claims.IssuedAt.Time, claims.ExpiresAt.Time}
	if v.AppDefID == s.cfg.AppID && v.InstanceID != "" {
		if _, ok := s.Installation(v.InstanceID); !ok {
			return verifiedToken{}, false
		}
	}
	return v, true
}

// subject returns token-info's subjectType and subjectId.
func (v verifiedToken) subject() (kind, id string) {
	switch {
	case v.AID != "":
		return Visitor, v.AID
	case v.SiteMemberID != "":
		return Member, v.SiteMemberID
	case v.UID != "":
		return User, v.UID
	}
	return App, v.AppDefID
}
