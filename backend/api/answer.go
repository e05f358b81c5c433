package api

// How the bodies of get-instance are written, and when a browser may use one again.

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"time"
	"weak"

	"github.com/cespare/xxhash/v2"
	"github.com/labstack/echo/v4"

	"github.com/nametag-dev/nametag/backend/etag"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/wix"
)

// Shared header values: net/http only reads them.
var (
	noStore           = []string{"no-store"}
	reusable          = []string{"private, max-age=30"}
	revalidated       = []string{"private, no-cache"}
	varyAuthorization = []string{echo.HeaderAuthorization}
	jsonType          = []string{echo.MIMEApplicationJSON}
)

// etagHeader is ETag as net/http spells it.
var etagHeader = http.CanonicalHeaderKey("ETag")

// reuseFor is what max-age says in reusable.
const reuseFor = 30 * time.Second

// answer writes a body that the caller's own browser may store. The browser may use it
// again for reuseFor without a request if mayReuse is set and the token lives that long;
// otherwise, and after that, it has to ask whether the entity tag still holds. The body
// goes without nosniff: no element of a page can load what needs an Authorization header.
func (c call) answer(body *instance.Encoding, mayReuse bool) error {
	w := c.Response()
	h := w.Header()
	h[echo.HeaderCacheControl] = revalidated
	if mayReuse && c.Expires.Sub(c.at) >= reuseFor {
		h[echo.HeaderCacheControl] = reusable
	}
	h[etagHeader] = body.ETag
	if known := c.Request().Header["If-None-Match"]; known != nil && etag.MatchesWeak(known, body.ETag[0]) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h[echo.HeaderContentType] = jsonType
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(body.JSON)
	return err
}

// encodingOf encodes the body of a reply, or finds the encoding that is cached with the
// instance's record.
func encodingOf(k kit.Call, reply kit.Reply) (*instance.Encoding, error) {
	var cached *instance.Encodings
	if reply.OfInstance != nil {
		cached = k.Instance.Encodings
	}
	return encode(cached, k.Caller.Owns(), func() any { return reply.BodyFor(k) })
}

// encode encodes a body for owners or for all others, unless cached has it already. cached
// may be nil.
func encode(cached *instance.Encodings, owner bool, body func() any) (*instance.Encoding, error) {
	if cached == nil {
		cached = new(instance.Encodings)
	}
	slot := cached.Of(owner)
	if e := slot.Load(); e != nil {
		return e, nil
	}
	b, err := json.Marshal(body())
	if err != nil {
		return nil, fmt.Errorf("encode the answer: %w", err)
	}
	e := &instance.Encoding{JSON: b, ETag: []string{tagOf(b)}}
	slot.Store(e)
	return e, nil
}

// relays finds the encodings of each app instance that identity has cached. They end with
// it: what is cached here has no life of its own.
type relays struct {
	all sync.Map // weak.Pointer[wix.AppInstance] → *instance.Encodings
}

func (r *relays) of(app *wix.AppInstance) *instance.Encodings {
	key := weak.Make(app)
	e, found := r.all.Load(key)
	if !found {
		if e, found = r.all.LoadOrStore(key, new(instance.Encodings)); !found {
			runtime.AddCleanup(app, func(key weak.Pointer[wix.AppInstance]) { r.all.Delete(key) }, key)
		}
	}
	return e.(*instance.Encodings)
}

// tagOf is a strong entity tag of a body, the same in every replica. It is made of the
// body alone, so that two callers share a tag only where they get the same. The hash need
// not withstand an attacker: a client that can choose a body gains nothing by two with one tag.
func tagOf(body []byte) string {
	tag := make([]byte, 0, 18)
	tag = append(tag, '"')
	tag = strconv.AppendUint(tag, xxhash.Sum64(body), 16)
	return string(append(tag, '"'))
}

// serializer is Echo's, with nosniff.
type serializer struct{ echo.DefaultJSONSerializer }

func (s serializer) Serialize(c echo.Context, body any, indent string) error {
	c.Response().Header()[echo.HeaderXContentTypeOptions] = noSniff
	return s.DefaultJSONSerializer.Serialize(c, body, indent)
}
