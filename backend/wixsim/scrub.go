package wixsim

// Scrubbing: what must not be in a recording is replaced.

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
)

// scrubber replaces values by others that follow from them and from the app's secret, which
// is not known to those who read a recording: so the same value is the same in all of them,
// and no short one, such as an e-mail address, can be guessed.
type scrubber struct{ appSecret []byte }

func (c scrubber) digest(kind, value string) []byte {
	mac := hmac.New(sha256.New, c.appSecret)
	mac.Write([]byte(kind + ":" + value))
	return mac.Sum(nil)
}

const secretPrefix = "secret-"

func (c scrubber) secret(value string) string {
	return secretPrefix + hex.EncodeToString(c.digest("secret", value)[:6])
}

func (c scrubber) person(address string) string {
	address = strings.ToLower(strings.Replace(address, "%40", "@", 1))
	return "person-" + hex.EncodeToString(c.digest("person", address)[:6]) + "@example.com"
}

// id returns a GUID for a GUID, and 32 digits for 32 digits.
func (c scrubber) id(id string) string {
	plain := strings.ToLower(strings.ReplaceAll(id, "-", ""))
	other := uuid.UUID(c.digest("id", plain)[:16])
	other[6], other[8] = other[6]&0x0f|0x40, other[8]&0x3f|0x80 // version 4
	if len(id) == len(plain) {
		return hex.EncodeToString(other[:])
	}
	return other.String()
}

// The forms of what is replaced in any text. namedSecret has a name before the secret, as in
// the query of a URL.
var (
	secretForm = regexp.MustCompile(`(?i)` + strings.Join([]string{
		`-----BEGIN [A-Z ]*KEY-----[^-]*(?:-----END [A-Z ]*KEY-----)?`,
		`\b(?:OauthNG\.JWS|OAUTH2|IST|JWS)\.[A-Z0-9_.-]+`,
		`\b(?:bearer|basic) +[A-Z0-9._~+/=-]{8,}`,
		`[A-Z0-9_-]{43}\.[A-Z0-9_-]{20,}`, // a signed instance
		`eyJ[A-Z0-9_-]{8,}(?:\.[A-Z0-9_-]*)*`,
	}, "|"))
	namedSecret = regexp.MustCompile(`(?i)([A-Z_-]*(?:token|secret|passw|apikey|api[_-]key|signature)[A-Z_-]*["']?\s*[:=]\s*["']?)([^"'&\s,;}<]+)`)
	addressText = regexp.MustCompile(`[\pL\pN._+'-]+(?:@|%40)[\pL\pN-]+(?:\.[\pL\pN-]+)+`)
	idText      = regexp.MustCompile(`[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}`)
)

// minKnown is the least length of a secret that is looked for in other places: a shorter one
// would be found in words.
const minKnown = 8

// secretsOf returns the secrets of an exchange as far as they are known from the header, with
// what replaces them.
func (c scrubber) secretsOf(h http.Header) map[string]string {
	known := map[string]string{}
	for _, value := range h.Values("Authorization") {
		_, token := credentials(value)
		c.learn(known, token)
		c.learn(known, basicPassword(token))
	}
	c.learn(known, string(c.appSecret))
	return known
}

// credentials splits the header Authorization: a scheme with the space after it, if there is
// one, and the credentials.
func credentials(authorization string) (scheme, token string) {
	authorization = strings.TrimSpace(authorization)
	if i := strings.IndexByte(authorization, ' '); i >= 0 {
		return authorization[:i+1], strings.TrimSpace(authorization[i:])
	}
	return "", authorization
}

// basicPassword returns the password of HTTP Basic credentials, or "" for others.
func basicPassword(token string) string {
	pair, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return ""
	}
	_, password, _ := strings.Cut(string(pair), ":")
	return password
}

func (c scrubber) learn(known map[string]string, secret string) {
	if len(secret) < minKnown {
		return
	}
	known[secret] = c.secret(secret)
	known[url.QueryEscape(secret)] = c.secret(secret)
}

// scrubPass replaces the secrets that are known, and learns others from the names of fields.
type scrubPass struct {
	scrubber
	known    map[string]string
	oauth    bool // a field "code" is a secret
	replacer *strings.Replacer
}

func (c scrubber) pass(known map[string]string, oauth bool) scrubPass {
	secrets := slices.SortedFunc(maps.Keys(known), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) // the longest first
	})
	var pairs []string
	for _, secret := range secrets {
		pairs = append(pairs, secret, known[secret])
	}
	return scrubPass{c, known, oauth, strings.NewReplacer(pairs...)}
}

// isSecret judges a field by its name.
func (p scrubPass) isSecret(name string) bool {
	plain := strings.NewReplacer("_", "", "-", "", ".", "").Replace(strings.ToLower(name))
	switch plain {
	case "tokentype":
		return false
	case "code":
		return p.oauth
	}
	return slices.ContainsFunc([]string{"token", "secret", "passw", "apikey", "authorization", "cookie", "credential",
		"signature", "privatekey", "sessionid", "jwt"}, func(part string) bool { return strings.Contains(plain, part) })
}

// text replaces what is recognised by its form.
func (p scrubPass) text(s string) string {
	s = p.replacer.Replace(s)
	s = secretForm.ReplaceAllStringFunc(s, p.secret)
	s = namedSecret.ReplaceAllStringFunc(s, func(s string) string {
		parts := namedSecret.FindStringSubmatch(s)
		if strings.HasPrefix(parts[2], secretPrefix) {
			return s
		}
		return parts[1] + p.hide(parts[2])
	})
	s = addressText.ReplaceAllStringFunc(s, p.person)
	return idText.ReplaceAllStringFunc(s, p.id)
}

// value replaces text within JSON, and in JSON within text, as Wix has it in tokens and
// webhooks. hidden means that all of it is secret.
func (p scrubPass) value(v any, hidden bool) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, field := range v {
			out[p.text(name)] = p.value(field, hidden || p.isSecret(name))
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = p.value(v[i], hidden)
		}
		return out
	case json.Number:
		if hidden {
			return 0
		}
		if text := p.text(v.String()); text != v.String() {
			return text
		}
		return v
	case string:
		if hidden {
			return p.hide(v)
		}
		if inner, ok := decodeJSON([]byte(v)); ok && strings.ContainsAny(strings.TrimSpace(v)[:1], "{[") {
			return mustJSON(p.value(inner, false))
		}
		return p.text(v)
	}
	return v // a bool or null
}

func (p scrubPass) hide(s string) string {
	if s == "" {
		return ""
	}
	p.learn(p.known, s)
	return p.secret(s)
}

func (p scrubPass) values(all map[string][]string) map[string][]string {
	out := map[string][]string{}
	for name, values := range all {
		for _, value := range values {
			text, _ := p.value(value, p.isSecret(name)).(string)
			out[p.text(name)] = append(out[p.text(name)], text)
		}
	}
	return out
}

// message returns the body and some headers of a request or an answer.
func (p scrubPass) message(h http.Header, body []byte, names ...string) recordedMessage {
	m := recordedMessage{Headers: map[string]string{}}
	for _, name := range append(names, "Content-Type") {
		if value := h.Get(name); name == "Authorization" && value != "" {
			scheme, token := credentials(value)
			m.Headers[name] = scheme + p.hide(token)
		} else if value != "" {
			m.Headers[name] = p.text(value)
		}
	}
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	v, isJSON := decodeJSON(body)
	form, err := url.ParseQuery(string(body))
	switch {
	case len(body) == 0:
	case isJSON:
		m.Body = p.value(v, false)
	case kind == "application/x-www-form-urlencoded" && err == nil && utf8.Valid(body):
		m.Form = p.values(form)
	case utf8.Valid(body) && (strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "json") || strings.HasSuffix(kind, "xml")):
		m.Text = p.text(string(body))
	default:
		m.Bytes = len(body)
	}
	return m
}

// decodeJSON reads one JSON value, with its numbers as they are written.
func decodeJSON(text []byte) (v any, ok bool) {
	if !utf8.Valid(text) {
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&v) != nil {
		return nil, false
	}
	_, err := decoder.Token()
	return v, err == io.EOF
}
