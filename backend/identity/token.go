package identity

// What a token says without Wix: whether it can be one, and whether its own claims show
// that it has expired or belongs to another app. Nothing is accepted here.

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

// maxToken is the longest token, in bytes. Wix's have a few hundred to a few thousand.
const maxToken = 8192

// bearer returns the token in the values of an Authorization header: the bare token, as
// Wix's SDKs send it, or the one after "Bearer ".
func bearer(authorization []string) (string, *apierr.Error) {
	if len(authorization) > 1 {
		return "", &apierr.Error{Code: apierr.TokenMalformed, Err: errors.New("more than one Authorization header")}
	}
	var token string
	if len(authorization) == 1 {
		token = strings.Trim(authorization[0], " \t")
	}
	const scheme = "bearer"
	if len(token) >= len(scheme) && strings.EqualFold(token[:len(scheme)], scheme) {
		if rest := token[len(scheme):]; rest == "" || rest[0] == ' ' || rest[0] == '\t' {
			token = strings.TrimLeft(rest, " \t")
		}
	}
	switch {
	case token == "":
		return "", &apierr.Error{Code: apierr.TokenMissing}
	case len(token) > maxToken:
		return "", &apierr.Error{Code: apierr.TokenMalformed, Err: errors.New("longer than 8192 bytes")}
	}
	return token, nil
}

// wellFormed reports whether the text can be a token at all.
func wellFormed(token string) bool {
	return utf8.ValidString(token) && !strings.ContainsFunc(token, func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r)
	})
}

// tokenClaims are what a token says of itself. They are not verified: a token can be refused
// for them, or wait its turn by them, but never be accepted.
type tokenClaims struct {
	appID      string
	instanceID string  // a GUID in lower case, or ""
	expires    float64 // Unix seconds, or NaN
}

// claimsOf reads the claims of an access token of the form
// OauthNG.JWS.<header>.<payload>.<signature>. Those of a token of any other form are empty.
func claimsOf(token string) tokenClaims {
	none := tokenClaims{expires: math.NaN()}
	parts := strings.Split(token, ".")
	if len(parts) != 5 || parts[0] != "OauthNG" || parts[1] != "JWS" {
		return none
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[3], "="))
	if err != nil {
		return none
	}
	var outer struct {
		Exp  json.RawMessage `json:"exp"`
		Data string          `json:"data"`
	}
	if json.Unmarshal(payload, &outer) != nil {
		return none
	}
	c := none
	if exp, err := strconv.ParseFloat(string(bytes.Trim(outer.Exp, `"`)), 64); err == nil {
		c.expires = exp
	}
	var data struct {
		Instance struct {
			AppDefID   string `json:"appDefId"`
			InstanceID string `json:"instanceId"`
		} `json:"instance"`
	}
	if json.Unmarshal([]byte(outer.Data), &data) == nil {
		c.appID = data.Instance.AppDefID
		c.instanceID, _ = wix.ParseGUID(data.Instance.InstanceID)
	}
	return c
}

// refusal returns the code with which a token is refused for its claims, if any.
func (c tokenClaims) refusal(appID string, now time.Time) (code apierr.Code, refused bool) {
	switch {
	case c.expires <= float64(now.Unix()):
		return apierr.TokenExpired, true
	case c.appID != "" && !strings.EqualFold(c.appID, appID):
		return apierr.TokenForeign, true
	}
	return apierr.Code{}, false
}
