package wixsim

// The signed instance: the parameter "instance" in the URLs of panels, dashboard pages and
// external pages ("Parse the App Instance Query Parameter").

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// signedInstance is the payload, in the order of Wix's page. PAI and LPAI are undocumented,
// and null wherever they have been seen.
type signedInstance struct {
	InstanceID       string  `json:"instanceId"`
	AppDefID         string  `json:"appDefId"`
	SignDate         string  `json:"signDate"`
	UID              string  `json:"uid,omitempty"`
	Permissions      string  `json:"permissions"`
	DemoMode         bool    `json:"demoMode"`
	SiteOwnerID      string  `json:"siteOwnerId"`
	SiteMemberID     string  `json:"siteMemberId,omitempty"`
	ExpirationDate   string  `json:"expirationDate"`
	LoginAccountID   string  `json:"loginAccountId,omitempty"`
	PAI              *string `json:"pai"`
	LPAI             *string `json:"lpai"`
	AID              string  `json:"aid,omitempty"`
	VendorProductID  string  `json:"vendorProductId,omitempty"`
	OriginInstanceID string  `json:"originInstanceId,omitempty"`
}

// SignedInstance returns the value of the parameter "instance", signed now with the app's
// secret, for a subject that opens a page of the app: User, Member, Visitor, or App, which
// has the owner's permissions and no user. "" is the oldest installation. Token-info takes
// it as a token while the app is installed, for as long as an access token. The error is
// ErrNotInstalled or says what is wrong with the subject.
func (s *Sim) SignedInstance(instanceID, subject string) (string, error) {
	in, installed := s.Installation(instanceID)
	if instanceID == "" {
		in, installed = s.First()
	}
	if !installed {
		return "", ErrNotInstalled
	}
	now := s.Now().UTC()
	p := signedInstance{
		InstanceID: in.InstanceID, AppDefID: s.cfg.AppID, SiteOwnerID: in.OwnerID,
		SignDate: now.Format(isoMillis), ExpirationDate: now.Add(s.cfg.TokenTTL).Format(isoMillis),
		VendorProductID: in.Plan, OriginInstanceID: in.OriginInstanceID,
	}
	switch subject {
	case User:
		p.UID, p.LoginAccountID, p.Permissions = in.OwnerID, in.AccountID, "OWNER"
	case App:
		p.Permissions = "OWNER"
	case Member:
		p.SiteMemberID = uuid.NewString()
		p.UID = p.SiteMemberID
	case Visitor:
		p.AID = uuid.NewString()
	default:
		return "", errors.New("subject must be VISITOR, MEMBER, USER or APP")
	}
	text, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("encode a signed instance: %w", err)
	}
	payload := base64.RawURLEncoding.EncodeToString(text)
	return s.signature(payload) + "." + payload, nil
}

// signature signs the encoded payload of a signed instance: the text, not what it encodes.
func (s *Sim) signature(payload string) string {
	mac := hmac.New(sha256.New, []byte(s.cfg.AppSecret))
	mac.Write([]byte(payload))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// verifySignedInstance reads a signed instance as verify reads a token. One without an
// expirationDate, as they once were, lives as long as a token.
func (s *Sim) verifySignedInstance(text string) (verifiedToken, bool) {
	signature, payload, ok := strings.Cut(text, ".")
	if !ok || !sameSecret(signature, s.signature(payload)) {
		return verifiedToken{}, false
	}
	content, err := base64.RawURLEncoding.Strict().DecodeString(payload)
	if err != nil || strings.ContainsAny(payload, "\r\n") || !utf8.Valid(content) {
		return verifiedToken{}, false
	}
	var v verifiedToken
	if err := json.Unmarshal(content, &v.tokenInstance); err != nil {
		return verifiedToken{}, false
	}
	in, installed := s.Installation(v.InstanceID)
	signed, err := time.Parse(time.RFC3339, v.SignDate)
	if err != nil || !installed || !s.isApp(v.AppDefID) {
		return verifiedToken{}, false
	}
	end := cmp.Or(v.ExpirationDate, signed.Add(s.cfg.TokenTTL).Format(time.RFC3339Nano))
	expires, err := time.Parse(time.RFC3339, end)
	if err != nil {
		return verifiedToken{}, false
	}
	v.MetaSiteID = in.SiteID
	v.issued, v.expires = signed.Truncate(time.Second), expires.Truncate(time.Second)
	return v, v.expires.After(s.Now())
}

// verifyAny reads what token-info takes: a token or a signed instance.
func (s *Sim) verifyAny(text string) (verifiedToken, bool) {
	if v, active := s.verify(text); active {
		return v, true
	}
	return s.verifySignedInstance(text)
}
