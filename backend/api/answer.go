package api

// How bodies are written, and which a browser may keep.

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/labstack/echo/v4"
)

// Shared header values: net/http only reads them.
var (
	noStore           = []string{"no-store"}
	forAMoment        = []string{"private, max-age=30"}
	revalidated       = []string{"private, no-cache"}
	varyAuthorization = []string{echo.HeaderAuthorization}
	jsonType          = []string{echo.MIMEApplicationJSON}
)

// etagHeader is ETag as net/http spells it.
var etagHeader = http.CanonicalHeaderKey("ETag")

// keptFor is what max-age says in forAMoment.
const keptFor = 30 * time.Second

// encoded is a body as it is sent. The tag is made of the body itself: whatever the
// body comes to depend on, two callers share a tag only where they are told the same.
type encoded struct {
	json []byte
	tag  []string
}

func encode(body any) (encoded, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return encoded{}, err
	}
	return encoded{b, []string{tagOf(b)}}, nil
}

// answer writes a body, which the caller's own browser may keep. It may use it again for
// keptFor without asking, if the answer is settled and the token lives that long; else,
// and after that, as long as the entity tag holds. It goes without nosniff: no element of
// a page can load what needs an Authorization header, so that nobody could sniff it.
func (c call) answer(body encoded, settled bool) error {
	w := c.Response()
	h := w.Header()
	h[echo.HeaderCacheControl] = revalidated
	if settled && c.Expires.Sub(c.at) >= keptFor {
		h[echo.HeaderCacheControl] = forAMoment
	}
	h[etagHeader] = body.tag
	if known := c.Request().Header["If-None-Match"]; known != nil && isKnown(known, body.tag[0]) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h[echo.HeaderContentType] = jsonType
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(body.json)
	return err
}

// tagOf is a strong entity tag of a body, the same in every replica. Nobody who can choose
// a body gains by two with one tag, so that the hash need not withstand them.
func tagOf(body []byte) string {
	tag := make([]byte, 0, 18)
	tag = append(tag, '"')
	tag = strconv.AppendUint(tag, xxhash.Sum64(body), 16)
	return string(append(tag, '"'))
}

// isKnown applies If-None-Match by RFC 9110 §13.1.2: a list of entity tags, compared
// weakly, or "*".
func isKnown(ifNoneMatch []string, tag string) bool {
	for known := range strings.SplitSeq(strings.Join(ifNoneMatch, ","), ",") {
		if known = strings.TrimPrefix(strings.TrimSpace(known), "W/"); known == "*" || known == tag {
			return true
		}
	}
	return false
}

// serializer is Echo's, and says that its JSON is not to be sniffed.
type serializer struct{ echo.DefaultJSONSerializer }

func (s serializer) Serialize(c echo.Context, body any, indent string) error {
	c.Response().Header()[echo.HeaderXContentTypeOptions] = noSniff
	return s.DefaultJSONSerializer.Serialize(c, body, indent)
}
