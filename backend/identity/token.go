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

// refusedByClaims reads the claims of an access token of the form
// OauthNG.JWS.<header>.<payload>.<signature> without verifying them, and returns the code
// to refuse it with, if any. A token of any other form is left to Wix.
func refusedByClaims(token, appID string, now time.Time) (code apierr.Code, refused bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 5 || parts[0] != "OauthNG" || parts[1] != "JWS" {
		return apierr.Code{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[3], "="))
	if err != nil {
		return apierr.Code{}, false
	}
	var claims struct {
		Exp  json.RawMessage `json:"exp"`
		Data string          `json:"data"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return apierr.Code{}, false
	}
	exp, err := strconv.ParseFloat(string(bytes.Trim(claims.Exp, `"`)), 64)
	if err == nil && !math.IsNaN(exp) && exp <= float64(now.Unix()) {
		return apierr.TokenExpired, true
	}
	var data struct {
		Instance struct {
			AppDefID string `json:"appDefId"`
		} `json:"instance"`
	}
	if json.Unmarshal([]byte(claims.Data), &data) != nil {
		return apierr.Code{}, false
	}
	if id := data.Instance.AppDefID; id != "" && !strings.EqualFold(id, appID) {
		return apierr.TokenForeign, true
	}
	return apierr.Code{}, false
}
