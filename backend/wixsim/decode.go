package wixsim

// Reading tokens, signed instances and the JWTs of webhooks, for people.

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// readableJWT is a JWT whose signature has not been looked at.
type readableJWT struct {
	header, claims map[string]any
	data           string // the claim as it is; in claims it is an object where it holds one
}

// readJWT reads a JWT, also one in JSON's quotes.
func readJWT(text string) (readableJWT, bool) {
	parts := strings.Split(strings.Trim(text, `"`), ".")
	if len(parts) != 3 {
		return readableJWT{}, false
	}
	header, ok := readPart(parts[0])
	claims, good := readPart(parts[1])
	if !ok || !good {
		return readableJWT{}, false
	}
	data, _ := claims["data"].(string)
	parseDown(claims)
	return readableJWT{header, claims, data}, true
}

func readPart(part string) (map[string]any, bool) {
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "="))
	if err != nil {
		return nil, false
	}
	return readObject(text)
}

func readObject(text []byte) (map[string]any, bool) {
	var values map[string]any
	err := json.Unmarshal(text, &values)
	return values, err == nil && values != nil
}

// parseDown replaces the texts that hold a JSON object by the object: the layers of a token and
// of a webhook.
func parseDown(values map[string]any) {
	for name, value := range values {
		switch v := value.(type) {
		case string:
			if inner, ok := readObject([]byte(v)); ok {
				parseDown(inner)
				values[name] = inner
			}
		case map[string]any:
			parseDown(v)
		}
	}
}

// decoded is what POST /_sim/tokens/decode answers.
type decoded struct {
	Kind        string         `json:"kind"` // token, instance or webhook
	Active      bool           `json:"active"`
	Reason      string         `json:"reason,omitempty"` // why it is not active
	SubjectType string         `json:"subjectType,omitempty"`
	Expires     string         `json:"expires,omitempty"`
	Header      map[string]any `json:"header,omitempty"`
	Claims      map[string]any `json:"claims"`
}

// decode reads a token, a signed instance or the JWT of a webhook. A token and an instance are
// active when token-info says so, a webhook when its receiver must accept it.
func (s *Sim) decode(text string) (d decoded, ok bool) {
	if signed, isToken := strings.CutPrefix(text, tokenPrefix); isToken {
		j, ok := readJWT(signed)
		d = decoded{Kind: "token", Header: j.header, Claims: j.claims, Expires: timeOf(j.claims["exp"])}
		return s.judge(d, text, s.signedToken(signed)), ok
	}
	if j, ok := readJWT(text); ok {
		d = decoded{Kind: "webhook", Header: j.header, Claims: j.claims, Expires: timeOf(j.claims["exp"])}
		parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithExpirationRequired(), jwt.WithTimeFunc(s.Now))
		_, err := parser.Parse(text, func(*jwt.Token) (any, error) { return &s.appKey().private.PublicKey, nil })
		if d.Active = err == nil; !d.Active {
			d.Reason = err.Error()
		}
		return d, true
	}
	signature, payload, _ := strings.Cut(text, ".")
	d = decoded{Kind: "instance"}
	if d.Claims, ok = readPart(payload); !ok {
		return d, false
	}
	d.Expires, _ = d.Claims["expirationDate"].(string)
	return s.judge(d, text, sameSecret(signature, s.signature(payload))), true
}

// signedToken says whether the live key has signed a token, which may have expired.
func (s *Sim) signedToken(signed string) bool {
	_, err := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithoutClaimsValidation()).
		Parse(signed, func(*jwt.Token) (any, error) { return s.tokenKeys().Live.Secret, nil })
	return err == nil
}

// judge adds what token-info says of a token or an instance.
func (s *Sim) judge(d decoded, text string, signed bool) decoded {
	v, active := s.verifyAny(text)
	d.Active = active
	switch end, err := time.Parse(time.RFC3339, d.Expires); {
	case active:
		d.SubjectType, _ = v.subject()
	case !signed:
		d.Reason = "this Wix has not signed it, or has revoked it"
	case err == nil && !s.Now().Before(end):
		d.Reason = "it has expired"
	default:
		d.Reason = ErrNotInstalled.Error()
	}
	return d
}

// timeOf returns the time of a JWT's claim as Wix writes times, or "".
func timeOf(seconds any) string {
	n, ok := seconds.(float64)
	if !ok {
		return ""
	}
	return isoTime(time.Unix(int64(n), 0))
}

func (s *Sim) postDecode(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Token string `json:"token"`
	}
	if !ReadJSON(w, r, &in) {
		return
	}
	d, ok := s.decode(strings.TrimSpace(in.Token))
	if !ok {
		writeFault(w, "token must be a token, a signed instance or the JWT of a webhook")
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, d)
}
