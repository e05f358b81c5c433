package wixsim

// Access tokens. Their layout is that of Wix's tokens as public code has recorded it
// (OauthNG.JWS. and an HS256 JWS whose payload's data is a JSON string). Apps must treat
// tokens as opaque; the layout is there for the apps that do not.

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// The subjects of a token: token-info's subjectType.
const (
	Visitor = "VISITOR" // anyone who visits the site
	Member  = "MEMBER"  // a visitor who has logged in
	User    = "USER"    // the site's owner, in the editor or dashboard
	App     = "APP"     // the app itself: an elevated token
)

const (
	tokenPrefix = "OauthNG.JWS."
	maxTTL      = 10 * 365 * 24 * time.Hour
	isoMillis   = "2006-01-02T15:04:05.000Z"
)

// TokenRequest describes a token.
type TokenRequest struct {
	// Subject is Visitor, Member, User or App.
	Subject string
	// InstanceID defaults to the oldest installation. For the app under test it
	// must be installed.
	InstanceID string
	// NoInstance makes a token that names no instance.
	NoInstance bool
	// Member is one of the site's Members, for a token of a Member that is of the same person
	// each time; "" is a new person each time.
	Member string
	// AppID defaults to the app under test. A token of another app is genuine, and was
	// issued for that app.
	AppID string
	// TTL is the token's lifetime, rounded up to whole seconds. 0 means the
	// default; a negative one makes a token that has expired.
	TTL time.Duration
	// Active set to false makes a token that Wix has revoked before it expired.
	Active *bool
}

// TokenKeys are the keys that sign tokens, so that no token needs to be stored. One of the
// retired key does not verify: it stands for a revoked token.
type TokenKeys struct {
	Live    TokenKey `json:"live"`
	Retired TokenKey `json:"retired"`
}

// TokenKey is a key of HS256.
type TokenKey struct {
	ID     string `json:"id"`
	Secret []byte `json:"secret"`
}

const tokenKeyBytes = 32

func newTokenKeys() TokenKeys {
	key := func() TokenKey {
		secret := make([]byte, tokenKeyBytes)
		rand.Read(secret)
		return TokenKey{ID: rand.Text()[:8], Secret: secret}
	}
	return TokenKeys{Live: key(), Retired: key()}
}

func (k TokenKeys) valid() bool {
	valid := func(k TokenKey) bool { return k.ID != "" && len(k.Secret) == tokenKeyBytes }
	return valid(k.Live) && valid(k.Retired) && k.Live.ID != k.Retired.ID
}

func (s *Sim) tokenKeys() TokenKeys {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.keys
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

// Mint makes an access token and returns when it expires. The error is ErrNotInstalled or
// says what is wrong with the request.
func (s *Sim) Mint(req TokenRequest) (token string, expires time.Time, err error) {
	t, err := s.tokenFor(req)
	if err != nil {
		return "", time.Time{}, err
	}
	keys := s.tokenKeys()
	key := keys.Live
	if req.Active != nil && !*req.Active {
		key = keys.Retired
	}
	return s.sign(t, cmp.Or(req.TTL, s.cfg.TokenTTL), key)
}

// tokenFor checks the request and returns the token's content.
func (s *Sim) tokenFor(req TokenRequest) (tokenInstance, error) {
	t := tokenInstance{AppDefID: cmp.Or(req.AppID, s.cfg.AppID)}
	err := check(
		rule{isText(t.AppDefID, 100), "appId must be text of at most 100 characters"},
		rule{req.InstanceID == "" || !req.NoInstance, "noInstance and instanceId exclude each other"},
		rule{req.InstanceID == "" || isGUID(req.InstanceID), "instanceId must be a GUID"},
		rule{req.TTL.Abs() <= maxTTL, "ttl must be at most ten years"},
	)
	if err != nil {
		return t, err
	}
	if !req.NoInstance {
		if t.InstanceID, err = s.instanceOf(req.InstanceID, t.AppDefID); err != nil {
			return t, err
		}
		t.MetaSiteID = derivedID("site", t.InstanceID)
		t.SiteOwnerID = derivedID("owner", t.InstanceID)
	}
	if in, _ := s.Installation(t.InstanceID); req.Member != "" && (req.Subject != Member || !slices.Contains(in.Members, req.Member)) {
		return t, errors.New("member must be one of the site's members, for a token of the subject MEMBER")
	}
	switch req.Subject {
	case Visitor:
		t.AID = uuid.NewString()
	case Member:
		t.SiteMemberID = uuid.NewString()
		if req.Member != "" {
			t.SiteMemberID = derivedID("member "+req.Member, t.InstanceID)
		}
		t.UID = t.SiteMemberID
	case User:
		t.UID, t.Permissions = cmp.Or(t.SiteOwnerID, uuid.NewString()), "OWNER"
	case App:
		t.PS = t.AppDefID + ":" + appVersion
	default:
		return t, errors.New("subject must be VISITOR, MEMBER, USER or APP")
	}
	return t, nil
}

// instanceOf returns the id of a token's instance: the oldest one for "". Only an instance
// of another app need not be installed.
func (s *Sim) instanceOf(instanceID, appID string) (string, error) {
	in, ok := s.Installation(instanceID)
	if instanceID == "" {
		in, ok = s.First()
	}
	switch {
	case ok:
		return in.InstanceID, nil
	case instanceID != "" && !s.isApp(appID):
		return instanceID, nil
	}
	return "", ErrNotInstalled
}

// isApp says whether an id is that of the app under test.
func (s *Sim) isApp(appID string) bool { return sameID(appID, s.cfg.AppID) }

// sign encodes and signs a token. An expired one was issued a usual lifetime before its end.
func (s *Sim) sign(t tokenInstance, ttl time.Duration, key TokenKey) (string, time.Time, error) {
	if ttl > 0 {
		ttl += time.Second - 1
	}
	issued := s.Now().UTC().Truncate(time.Second)
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
	jws.Header = map[string]any{"kid": key.ID, "alg": jws.Method.Alg()}
	signed, err := jws.SignedString(key.Secret)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign a token: %w", err)
	}
	return tokenPrefix + signed, expires, nil
}

// verifiedToken is the content of an active token.
type verifiedToken struct {
	tokenInstance
	issued, expires time.Time
}

// verify reads a token, and returns false if it is not active. An active one is signed with
// the live key by HS256 and has not expired, and its instance, if of the app under test, is
// installed.
func (s *Sim) verify(token string) (verifiedToken, bool) {
	signed, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok || strings.ContainsAny(signed, "\r\n") { // base64 skips line breaks
		return verifiedToken{}, false
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(), jwt.WithTimeFunc(s.Now))
	key := s.tokenKeys().Live
	var claims tokenClaims
	_, err := parser.ParseWithClaims(signed, &claims, func(t *jwt.Token) (any, error) {
		if t.Header["kid"] != key.ID {
			return nil, errors.New("not the live key")
		}
		return key.Secret, nil
	})
	if err != nil || claims.IssuedAt == nil { // every token has an iat
		return verifiedToken{}, false
	}
	var data tokenData
	if err := json.Unmarshal([]byte(claims.Data), &data); err != nil {
		return verifiedToken{}, false
	}
	v := verifiedToken{data.Instance, claims.IssuedAt.Time, claims.ExpiresAt.Time}
	if s.isApp(v.AppDefID) && v.InstanceID != "" {
		if _, ok := s.Installation(v.InstanceID); !ok {
			return verifiedToken{}, false
		}
	}
	return v, true
}

// subject returns token-info's subjectType and subjectId.
func (v verifiedToken) subject() (kind, id string) {
	switch {
	case v.Permissions == "OWNER" && v.UID != "": // who may have a member's id, too
		return User, v.UID
	case v.AID != "":
		return Visitor, v.AID
	case v.SiteMemberID != "":
		return Member, v.SiteMemberID
	case v.UID != "":
		return User, v.UID
	}
	return App, v.AppDefID
}
