package wix

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// SubjectType is the kind of identity behind a token.
type SubjectType string

// Wix's subject types.
const (
	SubjectUnknown SubjectType = "UNKNOWN"
	SubjectUser    SubjectType = "USER"
	SubjectVisitor SubjectType = "VISITOR"
	SubjectMember  SubjectType = "MEMBER"
	SubjectApp     SubjectType = "APP"
)

// TokenInfo is what Wix knows of an access token ("Token Info" in Wix's API
// reference; @wix/sdk 1.21.16, get-token-info.d.ts). A field that Wix left out is the
// zero value. Nothing in it is verified yet: an inactive token is an answer too. The ids
// of app, site and instance are in lower case.
type TokenInfo struct {
	// Active is false also when Wix leaves it out, as its JSON does with a false.
	Active      bool
	SubjectType SubjectType
	SubjectID   string
	// Expires and Issued have a resolution of one second.
	Expires, Issued time.Time
	// ClientID is the id of the app that the token was issued for.
	ClientID        string
	AccountID       string
	SiteID          string
	InstanceID      string
	VendorProductID string
}

// UnmarshalJSON accepts active as a bool or as "true" and "false", and exp and iat
// as numbers or as strings: the documentation shows strings, the SDK's types bool and
// number. Names are compared by case, unlike those of a struct: no other field may pass for
// active or subjectType.
func (t *TokenInfo) UnmarshalJSON(b []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return err
	}
	var active bool
	switch strings.ToLower(string(fields["active"])) {
	case `true`, `"true"`:
		active = true
	case `false`, `"false"`, `null`, ``:
	default:
		return errors.New("active is neither true nor false")
	}
	text := func(name string) string {
		value, _ := text(fields[name])
		return value
	}
	at := func(name string) time.Time {
		var s seconds
		_ = s.UnmarshalJSON(fields[name]) // it never fails
		return s.time()
	}
	*t = TokenInfo{
		Active:          active,
		SubjectType:     SubjectType(text("subjectType")),
		SubjectID:       text("subjectId"),
		Expires:         at("exp"),
		Issued:          at("iat"),
		ClientID:        strings.ToLower(text("clientId")),
		AccountID:       text("accountId"),
		SiteID:          strings.ToLower(text("siteId")),
		InstanceID:      strings.ToLower(text("instanceId")),
		VendorProductID: text("vendorProductId"),
	}
	return nil
}

// seconds is a number, or a string with a number. Anything else is read as absent.
type seconds struct {
	value   float64
	present bool
}

func (s *seconds) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	*s = seconds{v, err == nil}
	return nil
}

// time reads the seconds as a Unix time. It is the zero time when they are absent, or
// as far from 1970 as the year 9999 or farther.
func (s seconds) time() time.Time {
	const year9999 = 253_402_300_799
	if !s.present || !(s.value >= -year9999 && s.value <= year9999) {
		return time.Time{}
	}
	return time.Unix(int64(s.value), 0).UTC()
}
