package wixsim

// What people may read of a call or a delivery: no token, secret or e-mail address.

import (
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	// tokenText matches tokens, JWS and signed instances, with or without their end.
	tokenText = regexp.MustCompile(`OauthNG\.[^\s"'&,;\\]*|(?:[A-Za-z0-9_-]{20,}=?\.)?eyJ[A-Za-z0-9_-]*=*(?:\.[A-Za-z0-9_=-]*)*`)
	// secretText matches what holds a secret, each with the part before it: a field of JSON, a
	// field of JSON within JSON, and a parameter of a form or a query.
	secretText = []*regexp.Regexp{
		regexp.MustCompile(`(?i)("[a-z_-]*(?:secret|token|password|authorization)"\s*:\s*")((?:[^"\\]|\\.)*)`),
		regexp.MustCompile(`(?i)(\\+"[a-z_-]*(?:secret|token|password|authorization)\\+"\s*:\s*\\+")([^"\\]*)`),
		regexp.MustCompile(`(?i)((?:^|[&?\s])[a-z_-]*(?:secret|token|password|authorization|code|instance)=)([^&\s"]*)`),
	}
	emailText = regexp.MustCompile(`[A-Za-z0-9._+-]+(?:@|%40)[A-Za-z0-9.-]*`)
	// secretHeader matches the names of headers whose values are secrets.
	secretHeader = regexp.MustCompile(`(?i)authorization|cookie|secret|token|password|api-?key`)
)

// maskSecret leaves the first 6 and the last 4 letters of a secret, and of a short one nothing.
func maskSecret(secret string) string {
	switch {
	case secret == "":
		return ""
	case utf8.RuneCountInString(secret) <= 20:
		return "…"
	}
	letters := []rune(secret)
	return string(letters[:6]) + "…" + string(letters[len(letters)-4:])
}

// mask returns text without tokens, secrets and e-mail addresses.
func (s *Sim) mask(text string) string {
	if text == "" {
		return ""
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(s.cfg.AppSecret) >= 8 {
		text = strings.ReplaceAll(text, s.cfg.AppSecret, maskSecret(s.cfg.AppSecret))
	}
	text = tokenText.ReplaceAllStringFunc(text, maskSecret)
	for _, pattern := range secretText {
		text = pattern.ReplaceAllStringFunc(text, func(match string) string {
			parts := pattern.FindStringSubmatch(match)
			if strings.Contains(parts[2], "…") { // it is masked already
				return match
			}
			return parts[1] + maskSecret(parts[2])
		})
	}
	return emailText.ReplaceAllString(text, "…@…")
}

// maskHeader returns a header as names and values.
func (s *Sim) maskHeader(h http.Header) map[string]string {
	out := map[string]string{}
	for name, values := range h {
		value := values[0]
		if secretHeader.MatchString(name) {
			scheme, rest, _ := strings.Cut(value, " ")
			if !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "Basic") {
				scheme, rest = "", value
			}
			out[name] = strings.TrimSpace(scheme + " " + maskSecret(rest))
			continue
		}
		out[name] = s.mask(value)
	}
	return out
}
