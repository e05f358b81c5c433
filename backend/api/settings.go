package api

import (
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/nametag-dev/nametag/backend/instance"
)

// maxSettingsBody is far above any valid settings, in bytes.
const maxSettingsBody = 16 << 10

type settingsAnswer struct {
	Settings instance.Settings `json:"settings"`
	Version  int64             `json:"version"`
}

func (h handlers) getSettings(c call) error {
	row, err := h.visit(c)
	if err != nil {
		return err
	}
	return answerSettings(c, row)
}

// putSettings replaces the settings. The cheap refusals come first: who, what kind
// of body, which version; only then is the body read.
func (h handlers) putSettings(c call) error {
	if c.Role != instance.Owner {
		return &instance.Error{Code: instance.CodeOwnerRequired}
	}
	if !isJSON(c.Request()) {
		return &instance.Error{Code: instance.CodeUnsupportedMediaType}
	}
	row, err := h.visit(c)
	if err != nil {
		return err
	}
	if err := checkVersion(c.Request().Header.Values("If-Match"), row.Version); err != nil {
		return err
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, maxSettingsBody))
	if err != nil {
		return err
	}
	settings, err := instance.ParseSettings(body)
	if err != nil {
		return err
	}
	saved, err := h.Store.SaveSettings(c.ctx(), row.ID, settings, row.Version)
	if err != nil {
		return err
	}
	return answerSettings(c, saved)
}

func answerSettings(c call, row instance.Instance) error {
	h := c.Response().Header()
	h.Set("ETag", etag(row.Version))
	h.Set(echo.HeaderAccessControlExposeHeaders, corsExpose)
	return c.JSON(http.StatusOK, settingsAnswer{row.Settings, row.Version})
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// checkVersion applies If-Match by RFC 9110 §13.1.1: a list of strong entity tags,
// or "*" for whatever is there.
func checkVersion(ifMatch []string, version int64) error {
	if len(ifMatch) == 0 {
		return &instance.Error{Code: instance.CodeVersionRequired}
	}
	for tag := range strings.SplitSeq(strings.Join(ifMatch, ","), ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == etag(version) {
			return nil
		}
	}
	return &instance.Error{Code: instance.CodeVersionConflict}
}

func isJSON(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	return err == nil && kind == echo.MIMEApplicationJSON && r.Header.Get(echo.HeaderContentEncoding) == ""
}
