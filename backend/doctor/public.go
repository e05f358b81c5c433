package doctor

// What the world gets at the public URL.

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nametag-dev/nametag/backend/product"
)

// PublicOptions say what should be at the public URL.
type PublicOptions struct {
	// URL is the public URL, without a slash at its end.
	URL string
	// Widget is widget.js as this build has it, and Encodings in what its server answers
	// it: "br", "gzip".
	Widget    []byte
	Encodings []string
	// AppID distinguishes a server of the same app from a stranger's.
	AppID string
	// Webhooks is set if the server has a public key.
	Webhooks bool
	// FrameAncestors are the hosts that may frame the panel. None means any.
	FrameAncestors []string
	// Unusable are the reasons why Wix cannot use the URL, though it may lead here: sentences.
	Unusable []string
	// Development is set where Wix is the offline Wix.
	Development bool
	// Transport carries the requests. Default: one of its own, which reuses no connection
	// of others.
	Transport http.RoundTripper
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// requestTimeout bounds one request to the public URL.
const requestTimeout = 10 * time.Second

// maxAnswer is how much of an answer is read, in bytes. The widget has some thousand.
const maxAnswer = 4 << 20

// visitor asks as a browser on another origin does.
type visitor struct {
	o      PublicOptions
	client http.Client
}

// newVisitor returns a visitor, and what ends its connections.
func newVisitor(o PublicOptions) (*visitor, func()) {
	end := func() {}
	if o.Transport == nil {
		transport := &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: requestTimeout,
			ForceAttemptHTTP2:     true,
			DisableCompression:    true, // the encodings are compared
		}
		o.Transport, end = transport, transport.CloseIdleConnections
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &visitor{o, http.Client{
		Transport:     o.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, end
}

// origin is that of a page with the widget.
const origin = "https://a-site.example"

// answer is one answer, read.
type answer struct {
	status int
	header http.Header
	body   []byte
	tls    *tls.ConnectionState
}

func (v *visitor) ask(ctx context.Context, method, path, body string, headers ...string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, v.o.URL+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Origin", origin)
	r.Header.Set("User-Agent", product.ID+" doctor")
	for name, value := range pairs(headers) {
		r.Header.Set(name, value)
	}
	res, err := v.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	content, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return answer{res.StatusCode, res.Header, content, res.TLS}, err
}

func pairs(list []string) map[string]string {
	m := map[string]string{}
	for i := 0; i+1 < len(list); i += 2 {
		m[list[i]] = list[i+1]
	}
	return m
}

// Reach tries whether the public URL leads to this app: whether its widget.js is there. It is
// the first check of Public.
func Reach(ctx context.Context, o PublicOptions) Finding {
	v, end := newVisitor(o)
	defer end()
	found, _ := v.reach(ctx)
	return found
}

// Usable is Reach's finding, or a fault if Wix cannot use the address that leads here.
func Usable(reached Finding, o PublicOptions) Finding {
	if reached.State != OK || len(o.Unusable) == 0 {
		return reached
	}
	return fault(PublicAddress, strings.TrimSuffix(strings.Join(o.Unusable, " "), "."),
		"Serve it over https at a public address, by a proxy or, for a first try, a tunnel, and set "+PublicURL+" to that", PublicURL)
}

// Public tries everything that sites and Wix need at the public URL. The first finding is
// Reach's; the others are skipped if nothing of ours is there.
func Public(ctx context.Context, o PublicOptions) []Finding {
	v, end := newVisitor(o)
	defer end()
	reached, script := v.reach(ctx)
	findings := []Finding{Usable(reached, o)}
	if script.header == nil {
		for _, check := range []string{Certificate, Script, API, Panel, WebhookPath} {
			findings = append(findings, Skip(check, "the public address does not lead to this server"))
		}
		return findings
	}
	return append(findings, v.certificate(script), v.script(ctx, script), v.api(ctx), v.panel(ctx), v.webhookPath(ctx))
}

// Server asks the server at the public URL for what it has noticed itself, which no probe can:
// whose tokens come, whether webhooks verify, how pages load widget.js.
func Server(ctx context.Context, o PublicOptions) (findings []Finding) {
	v, end := newVisitor(o)
	defer end()
	state, ours := v.state(ctx)
	for _, check := range []string{Tokens, Webhooks} {
		i := slices.IndexFunc(state.Findings, func(f Finding) bool { return f.Check == check })
		switch {
		case ours && i >= 0:
			findings = append(findings, state.Findings[i])
		case state.AppID != "":
			findings = append(findings, warning(check, "the server at the public URL runs with another "+AppID, "Restart it with this configuration"))
		default:
			findings = append(findings, Skip(check, "no server of this app answers at the public URL"))
		}
	}
	// The server has it only while something is wrong with it.
	if i := slices.IndexFunc(state.Findings, func(f Finding) bool { return f.Check == ScriptType }); ours && i >= 0 {
		findings = append(findings, state.Findings[i])
	}
	return findings
}

// ServerState is the JSON of StatePath.
type ServerState struct {
	AppID    string    `json:"appId"`
	Findings []Finding `json:"findings"`
}

// StatePath is where a server shows its own findings, below the public URL.
const StatePath = "/install/state"

// state asks a server for its findings. ours is set if it is of the same app.
func (v *visitor) state(ctx context.Context) (state ServerState, ours bool) {
	got, err := v.ask(ctx, http.MethodGet, StatePath, "")
	if err != nil || got.status != http.StatusOK || json.Unmarshal(got.body, &state) != nil {
		return ServerState{}, false
	}
	for i := range state.Findings {
		f := &state.Findings[i]
		if !slices.Contains([]State{OK, Warning, Fault, Skipped}, f.State) {
			f.State = Warning
		}
		f.Saw, f.Do = clipped(f.Saw, 500), clipped(f.Do, 500)
	}
	return state, state.AppID == v.o.AppID
}

// reach fetches widget.js. The answer is the zero value unless it is that of our app.
func (v *visitor) reach(ctx context.Context) (Finding, answer) {
	wrong := func(saw, do string) (Finding, answer) { return fault(PublicAddress, saw, do, PublicURL), answer{} }
	u, err := url.Parse(v.o.URL)
	if err != nil || u.Host == "" {
		return wrong(PublicURL+" is no address", "Set "+PublicURL+" to the address at which browsers reach this server")
	}
	got, err := v.ask(ctx, http.MethodGet, "/widget.js", "", "Accept-Encoding", "identity")
	if err != nil {
		return wrong(v.o.URL+" does not answer: "+whyNot(err), cmp.Or(whatThen(err, u),
			"Start the server ("+product.ID+" serve) and what stands before it, or correct "+PublicURL+". Some networks do not let a machine reach its own public address: then try from elsewhere"))
	}
	if location := got.header.Get("Location"); got.status >= 300 && got.status < 400 && location != "" {
		return wrong(v.o.URL+"/widget.js redirects to "+quoted(location),
			"Set "+PublicURL+" to the address that answers without a redirect: webhooks are not sent again elsewhere")
	}
	if !bytes.Equal(got.body, v.o.Widget) || got.status != http.StatusOK {
		if _, ours := v.state(ctx); ours && got.status == http.StatusOK && isScript(got) {
			return warning(PublicAddress, v.o.URL+" leads to another build of this app",
				"Nothing, while an upgrade is in progress; otherwise restart the server, or empty the cache before it"), got
		}
		do := "Set " + PublicURL + " to the address that leads here, and let the proxy pass paths on unchanged"
		if u.Path != "" {
			do += ", " + u.Path + " included"
		}
		return wrong(fmt.Sprintf("another server answers at %s: status %d, %s", v.o.URL, got.status, typeOf(got)), do)
	}
	return ok(PublicAddress, v.o.URL+" leads to this server"), got
}

func typeOf(a answer) string {
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil {
		return "of no type"
	}
	return "of type " + quoted(kind)
}

// whyNot is why a request had no answer, in words that quote nothing of a stranger's.
func whyNot(err error) string {
	var (
		dns     *net.DNSError
		timeout net.Error
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		unknown x509.UnknownAuthorityError
		record  tls.RecordHeaderError
		op      *net.OpError
	)
	switch {
	case errors.As(err, &dns):
		return "its host name has no address"
	case errors.As(err, &host):
		return "its certificate is for another name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired, or is not valid yet"
	case errors.As(err, &invalid):
		return "its certificate is not valid"
	case errors.As(err, &unknown):
		return "its certificate is of an authority that browsers do not know"
	case errors.As(err, &record) || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "it speaks http, not https"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.As(err, &op) && op.Op == "dial":
		return "no connection"
	}
	return "the connection was closed without an answer"
}

// whatThen is what to do for some of those reasons, or "".
func whatThen(err error, u *url.URL) string {
	why := whyNot(err)
	switch {
	case strings.Contains(why, "certificate"):
		return "Renew the certificate of " + u.Hostname() + " with its whole chain, or correct " + PublicURL
	case strings.Contains(why, "host name"):
		return "Correct " + PublicURL + ", or make a DNS record for " + u.Hostname()
	case strings.Contains(why, "speaks http"):
		return "Put a proxy or tunnel with a certificate before the server, or correct " + PublicURL
	}
	return ""
}

// certificateMargin is how long before its end a certificate is said. Automatic renewal
// happens earlier.
const certificateMargin = 14 * 24 * time.Hour

func (v *visitor) certificate(script answer) Finding {
	if script.tls == nil || len(script.tls.PeerCertificates) == 0 {
		return Skip(Certificate, "the public URL is not https")
	}
	left := script.tls.PeerCertificates[0].NotAfter.Sub(v.o.Now())
	if left < certificateMargin {
		return warning(Certificate, "the certificate ends in "+rounded(left), "See why it has not been renewed")
	}
	return ok(Certificate, "the certificate is valid for "+rounded(left))
}

// javascript are the types that browsers run a module of.
var javascript = []string{"text/javascript", "application/javascript", "application/x-javascript", "text/ecmascript", "application/ecmascript"}

func isScript(a answer) bool {
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	return slices.Contains(javascript, kind)
}

func (v *visitor) script(ctx context.Context, plain answer) Finding {
	const byProxy = "Look at what stands before the server: it changes answers. They must reach browsers as they are"
	var wrong []string
	if !isScript(plain) {
		wrong = append(wrong, "it comes "+typeOf(plain)+", which browsers do not run as a module")
	}
	wrong = append(wrong, notShared(plain.header)...)
	if resources := plain.header.Get("Cross-Origin-Resource-Policy"); resources != "cross-origin" {
		wrong = append(wrong, "the header Cross-Origin-Resource-Policy is "+quoted(resources)+" instead of cross-origin")
	}
	if len(wrong) > 0 {
		return fault(Script, strings.Join(wrong, "; "), byProxy)
	}
	var lost []string
	for _, encoding := range v.o.Encodings {
		got, err := v.ask(ctx, http.MethodGet, "/widget.js", "", "Accept-Encoding", encoding)
		switch {
		case err != nil || got.status != http.StatusOK || got.header.Get("Content-Encoding") != encoding:
			lost = append(lost, encoding)
		case encoding == "gzip" && !bytes.Equal(unzipped(got.body), plain.body):
			return fault(Script, "compressed by gzip it has other bytes", byProxy)
		}
	}
	if len(lost) > 0 {
		return warning(Script, "it does not come compressed by "+and(lost), "Let the proxy pass Accept-Encoding on, or compress by itself: each visitor loads the script")
	}
	saw := "it loads on every site whose script type is ES module: CORS"
	if len(v.o.Encodings) > 0 {
		saw += ", " + and(v.o.Encodings)
	}
	return ok(Script, saw)
}

// notShared says what keeps a page of another origin from reading an answer.
func notShared(h http.Header) []string {
	if allowed := h.Values("Access-Control-Allow-Origin"); len(allowed) != 1 || allowed[0] != "*" && allowed[0] != origin {
		return []string{"the header Access-Control-Allow-Origin is " + quoted(strings.Join(allowed, ", ")) + " instead of *"}
	}
	return nil
}

func unzipped(body []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil
	}
	content, err := io.ReadAll(io.LimitReader(r, maxAnswer))
	if err != nil {
		return nil
	}
	return content
}

// code reads the code of one of our errors.
func (a answer) code() string {
	var body struct{ Code string }
	if json.Unmarshal(a.body, &body) != nil {
		return ""
	}
	return body.Code
}

// api tries the preflight that Wix's SDK causes, and whether a token arrives.
func (v *visitor) api(ctx context.Context) Finding {
	const path = "/api/get-instance"
	preflight, err := v.ask(ctx, http.MethodOptions, path, "",
		"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization,x-wix-linguist")
	if err != nil {
		return fault(API, "the preflight has no answer: "+whyNot(err), "Look at what stands before the server: OPTIONS must reach it")
	}
	wrong := notShared(preflight.header)
	if preflight.status/100 != 2 {
		wrong = append(wrong, fmt.Sprintf("the preflight has status %d", preflight.status))
	}
	allowed := strings.ToLower(preflight.header.Get("Access-Control-Allow-Headers"))
	for _, name := range []string{"authorization", "x-wix-linguist"} {
		if !strings.Contains(allowed, name) {
			wrong = append(wrong, "the preflight does not allow the header "+name)
		}
	}
	if len(wrong) > 0 {
		return fault(API, strings.Join(wrong, "; "), "Let the proxy pass OPTIONS on, and neither add nor remove CORS headers")
	}
	// No token has a space: it is refused without asking Wix.
	got, err := v.ask(ctx, http.MethodGet, path, "", "Authorization", "no token")
	switch {
	case err != nil:
		return fault(API, "get-instance has no answer: "+whyNot(err), "Look at what stands before the server")
	case got.code() == "token_missing":
		return fault(API, "the header Authorization does not reach the server", "Let the proxy pass it on (Apache: CGIPassAuth On)")
	case got.status != http.StatusUnauthorized || got.code() != "token_malformed":
		return fault(API, fmt.Sprintf("get-instance answers a broken token with status %d, %s, instead of 401", got.status, typeOf(got)),
			"Let the proxy pass "+path+" on unchanged, answers with errors included")
	case len(notShared(got.header)) > 0:
		return fault(API, "errors come without CORS headers", "Let the proxy pass answers with errors on unchanged")
	}
	return ok(API, "it answers other origins, and Authorization reaches it")
}

func (v *visitor) panel(ctx context.Context) Finding {
	got, err := v.ask(ctx, http.MethodGet, "/panel/", "", "Accept", "text/html")
	if err != nil || got.status != http.StatusOK {
		return fault(Panel, fmt.Sprintf("%s/panel/ has status %d", v.o.URL, got.status), "Let the proxy pass it on, the slash at its end included")
	}
	const byProxy = "Let the proxy add no such header below /panel/: Wix's editor shows the panel in a frame"
	if options := got.header.Get("X-Frame-Options"); options != "" {
		return fault(Panel, "it may not be framed: the header X-Frame-Options is "+quoted(options), byProxy)
	}
	for _, policy := range got.header.Values("Content-Security-Policy") {
		for directive := range strings.SplitSeq(policy, ";") {
			name, hosts, _ := strings.Cut(strings.TrimSpace(directive), " ")
			if name != "frame-ancestors" || slices.Equal(strings.Fields(hosts), v.o.FrameAncestors) {
				continue
			}
			return fault(Panel, "it may be framed by "+quoted(hosts)+" alone", byProxy)
		}
	}
	const editor = "editor.wix.com"
	if hosts := v.o.FrameAncestors; len(hosts) > 0 && !v.o.Development && !slices.ContainsFunc(hosts, func(host string) bool {
		return host == "*" || host == "https:" || strings.HasSuffix(host, "://"+editor) || strings.HasSuffix(host, "*.wix.com") || host == editor
	}) {
		return fault(Panel, "it may be framed by "+and(hosts)+" alone, and not by Wix's editor",
			"Add https://*.wix.com to "+FrameAncestors+", or remove the variable: Wix does not document all hosts of its editors", FrameAncestors)
	}
	return ok(Panel, "it may be framed by Wix's editor")
}

func (v *visitor) webhookPath(ctx context.Context) Finding {
	const path = "/webhooks/wix"
	got, err := v.ask(ctx, http.MethodPost, path, "doctor", "Content-Type", "text/plain")
	switch {
	case err != nil:
		return fault(WebhookPath, "a POST has no answer: "+whyNot(err), "Look at what stands before the server: POST must reach it")
	case got.code() == "webhook_malformed":
		return ok(WebhookPath, v.o.URL+path+" answers")
	case !v.o.Webhooks && got.code() == "not_found":
		return warning(WebhookPath, "webhooks are not taken, because "+PublicKey+" is not set",
			"Create the webhook in the app dashboard, set "+PublicKey+" to the public key that it shows, and restart", PublicKey)
	case got.code() == "not_found":
		return fault(WebhookPath, "the server that answers at the public URL takes no webhooks", "Restart it: it was started without "+PublicKey, PublicKey)
	}
	return fault(WebhookPath, fmt.Sprintf("a POST of no webhook has status %d, %s, instead of 400 from this server", got.status, typeOf(got)),
		"Let the proxy pass POST "+path+" on, without a redirect and without a login")
}

// Seen is what Server says of the tokens.
func Seen(noticed []Finding) (t TokensSeen) {
	for _, f := range noticed {
		if f.Check == Tokens {
			t.Accepted = f.State == OK
			t.Foreign = f.State == Fault && slices.Contains(f.Variables, AppID)
		}
	}
	return t
}
