package identity

// What can be told of a token without asking anyone: whether it can be one, and
// whether it is plainly past or another app's. Nothing is accepted here.

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

	"github.com/nametag-dev/nametag/backend/instance"
)

// maxToken is the longest token, in bytes. Wix's have a few hundred to a few thousand.
const maxToken = 8192

// bearer takes the token out of the values of an Authorization header: the bare
// token, as Wix's SDKs send it, or one after "Bearer ".
func bearer(authorization []string) (string, *instance.Error) {
	if len(authorization) > 1 {
		return "", &instance.Error{Code: instance.CodeTokenMalformed, Err: errors.New("more than one Authorization header")}
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
		return "", &instance.Error{Code: instance.CodeTokenMissing}
	case len(token) > maxToken:
		return "", &instance.Error{Code: instance.CodeTokenMalformed, Err: errors.New("longer than 8192 bytes")}
	}
	return token, nil
}

// wellFormed says that the text can be a token at all.
func wellFormed(token string) bool {
	return utf8.ValidString(token) && !strings.ContainsFunc(token, func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r)
	})
}

// glance reads what an access token of the form OauthNG.JWS.<header>.<payload>.<signature>
// says of itself, which nobody has verified, and returns the code to refuse it
// with, or "" when Wix is to be asked. A token of any other form is Wix's to judge.
func glance(token, appID string, now time.Time) instance.Code {
	parts := strings.Split(token, ".")
	if len(parts) != 5 || parts[0] != "OauthNG" || parts[1] != "JWS" {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[3], "="))
	if err != nil {
		return ""
	}
	var claims struct {
		Exp  json.RawMessage `json:"exp"`
		Data string          `json:"data"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return ""
	}
	exp, err := strconv.ParseFloat(string(bytes.Trim(claims.Exp, `"`)), 64)
	if err == nil && !math.IsNaN(exp) && exp <= float64(now.Unix()) {
		return instance.CodeTokenExpired
	}
	var data struct {
		Instance struct {
			AppDefID string `json:"appDefId"`
		} `json:"instance"`
	}
	if json.Unmarshal([]byte(claims.Data), &data) != nil {
		return ""
	}
	if id := data.Instance.AppDefID; id != "" && !strings.EqualFold(id, appID) {
		return instance.CodeTokenForeign
	}
	return ""
}

// plausibleID says that the text has the form of a GUID.
func plausibleID(id string) bool {
	if len(id) != 36 {
		return false
	}
	for n := range len(id) {
		switch c := id[n]; {
		case n == 8 || n == 13 || n == 18 || n == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
		default:
			return false
		}
	}
	return true
}
