package wixsim

// POST /oauth2/token-info and POST /oauth2/token.

import (
	"crypto/subtle"
	"net/http"
	"strconv"
	"time"
)

// tokenInfo is token-info's answer ("Token Info" page; TokenInfoResponse of
// @wix/auto_sdk_identity_oauth).
type tokenInfo struct {
	Active          any    `json:"active"`
	SubjectType     string `json:"subjectType,omitempty"`
	SubjectID       string `json:"subjectId,omitempty"`
	Exp             any    `json:"exp,omitempty"`
	Iat             any    `json:"iat,omitempty"`
	ClientID        string `json:"clientId,omitempty"`
	AccountID       string `json:"accountId,omitempty"`
	SiteID          string `json:"siteId,omitempty"`
	InstanceID      string `json:"instanceId,omitempty"`
	VendorProductID string `json:"vendorProductId,omitempty"`
}

// serveTokenInfo answers about any app's token: the caller does not identify itself. A
// token that is not active is no error: the page describes active as "whether the token is
// active" and names no error for it. RFC 7662 (token introspection) does the same, and
// requires that the answer says nothing else then.
//
// Besides access tokens it takes the instance parameter, as "Identify the App Instance in
// Backend Environments" says.
func (s *Sim) serveTokenInfo(x *exchange, r *http.Request, body []byte) {
	behavior := s.Behavior()
	f, problem := readFields(r, body, behavior.FormRequests)
	if problem != "" {
		systemError(x, http.StatusBadRequest, "Request body "+problem)
		return
	}
	token, problem := f.text("token")
	if problem != "" {
		validationError(x, "token", problem)
		return
	}
	v, active := s.verifyAny(token)
	info := tokenInfo{Active: active}
	if active {
		x.instanceID = v.InstanceID
		info.SubjectType, info.SubjectID = v.subject()
		info.Exp, info.Iat = v.expires.Unix(), v.issued.Unix()
		info.ClientID, info.SiteID, info.InstanceID = v.AppDefID, v.MetaSiteID, v.InstanceID
		if in, ok := s.Installation(v.InstanceID); ok && s.isApp(v.AppDefID) {
			info.AccountID, info.VendorProductID = in.AccountID, in.Plan
		}
	}
	if behavior.StringFields {
		info.Active = strconv.FormatBool(active)
		if active {
			info.Exp, info.Iat = strconv.FormatInt(v.expires.Unix(), 10), strconv.FormatInt(v.issued.Unix(), 10)
		}
	}
	writeJSON(x, http.StatusOK, info)
}

// oauthError is an error of the token endpoint. Its shape is not that of the rest
// of Wix: "details about the error follow the conventions of the Internet
// Engineering Task Force" ("Create Access Token" page), which is RFC 6749 §5.2.
func oauthError(w http.ResponseWriter, status int, code, description string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}

// serveToken issues tokens to the app itself: of its own identity on one instance
// (client_credentials), or a copy of a token that is not bound to the browser's session
// (strip_bound_session, which only the source of @wix/sdk 1.21.16 documents).
func (s *Sim) serveToken(x *exchange, r *http.Request, body []byte) {
	behavior := s.Behavior()
	f, problem := readFields(r, body, behavior.FormRequests)
	if problem != "" {
		oauthError(x, http.StatusBadRequest, "invalid_request", "request body "+problem)
		return
	}
	// need returns a field, or answers the request with an error.
	need := func(name string) (string, bool) {
		value, problem := f.text(name)
		if problem != "" {
			oauthError(x, http.StatusBadRequest, "invalid_request", name+" "+problem)
		}
		return value, problem == ""
	}
	grant, ok := need("grant_type")
	if !ok {
		return
	}
	switch grant {
	case "client_credentials":
		s.clientCredentials(x, f, behavior.Strict, need)
	case "strip_bound_session":
		s.stripBoundSession(x, need)
	default:
		oauthError(x, http.StatusBadRequest, "unsupported_grant_type", "the offline Wix knows client_credentials and strip_bound_session")
	}
}

// clientCredentials answers for one instance. A request without one gets a token of the app
// alone, as the page "Make Admin API Calls with Client Credentials" describes it for headless
// projects; one that spells the name of the field in a way that no page of Wix has, has a
// fault that should show.
func (s *Sim) clientCredentials(x *exchange, f fields, strict bool, need func(string) (string, bool)) {
	clientID, ok := need("client_id")
	if !ok {
		return
	}
	secret, ok := need("client_secret")
	if !ok {
		return
	}
	request := TokenRequest{Subject: App, NoInstance: !f.has("instance_id")}
	if !request.NoInstance {
		name := "instance_id"
		_, given := f[name]
		if _, other := f["instanceId"]; other && !given {
			if strict {
				oauthError(x, http.StatusBadRequest, "invalid_request", "send instance_id, not instanceId")
				return
			}
			name = "instanceId"
		}
		if request.InstanceID, ok = need(name); !ok {
			return
		}
	}
	if !s.isApp(clientID) || !sameSecret(secret, s.cfg.AppSecret) {
		oauthError(x, http.StatusUnauthorized, "invalid_client", "client_id or client_secret is wrong")
		return
	}
	if !request.NoInstance {
		in, installed := s.Installation(request.InstanceID)
		if !installed {
			notInstalled(x)
			return
		}
		x.instanceID, request.InstanceID = in.InstanceID, in.InstanceID
	}
	token, expires, err := s.Mint(request)
	if err != nil { // it has just been removed
		notInstalled(x)
		return
	}
	s.writeToken(x, token, expires)
}

// notInstalled answers for an instance that is unknown or removed. The status and the words
// are those of a public report on a live Wix, which does not show the body; RFC 6749 has no
// error for it, so that the code is made up.
func notInstalled(x *exchange) {
	oauthError(x, http.StatusNotFound, "not_found", "app not found in any meta-site")
}

func (s *Sim) stripBoundSession(x *exchange, need func(string) (string, bool)) {
	secret, ok := need("client_secret")
	if !ok {
		return
	}
	bound, ok := need("access_token")
	if !ok {
		return
	}
	if !sameSecret(secret, s.cfg.AppSecret) {
		oauthError(x, http.StatusUnauthorized, "invalid_client", "client_secret is wrong")
		return
	}
	v, active := s.verify(bound)
	if !active || !s.isApp(v.AppDefID) {
		oauthError(x, http.StatusBadRequest, "invalid_grant", "access_token is not an active token of this app")
		return
	}
	x.instanceID = v.InstanceID
	// The new token lives no longer than the one that it replaces.
	token, expires, err := s.sign(v.tokenInstance, v.expires.Sub(s.Now()), s.tokenKeys().Live)
	if err != nil {
		systemError(x, http.StatusInternalServerError, "Internal error")
		return
	}
	s.writeToken(x, token, expires)
}

func (s *Sim) writeToken(x *exchange, token string, expires time.Time) {
	writeJSON(x, http.StatusOK, map[string]any{
		"access_token": token,
		"token_type":   "Bearer",
		"expires_in":   int64(expires.Sub(s.Now().Truncate(time.Second)) / time.Second),
	})
}

// sameSecret compares in constant time.
func sameSecret(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
