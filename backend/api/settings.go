package api

// The site's settings.

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/etag"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
)

// maxSettingsBody is far above any valid settings, in bytes.
const maxSettingsBody = 16 << 10

type settingsAnswer struct {
	Settings json.RawMessage `json:"settings"`
	Version  int64           `json:"version"`
}

func (h handlers) getSettings(c call) error {
	row, err := h.visit(c)
	if err != nil {
		return err
	}
	return answerSettings(c, row)
}

// putSettings replaces the settings. The cheap refusals come first (the caller's role was
// the first of all): kind of body, version; only then is the body read.
func (h handlers) putSettings(c call) error {
	if !isJSON(c.Request()) {
		return &apierr.Error{Code: apierr.UnsupportedMediaType}
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
		return bodyError(err)
	}
	values, err := h.App.Settings.Parse(body)
	if err != nil {
		return err
	}
	saved, err := h.Store.SaveSettings(c.ctx(), row.ID, values, row.Version)
	if err != nil {
		return storeError(err)
	}
	return answerSettings(c, saved)
}

func answerSettings(c call, row instance.Instance) error {
	h := c.Response().Header()
	h.Set("ETag", versionTag(row.Version))
	identity.SetCORS(h)
	return c.JSON(http.StatusOK, settingsAnswer{row.Settings, row.Version})
}

func versionTag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

func checkVersion(ifMatch []string, version int64) error {
	switch {
	case len(ifMatch) == 0:
		return &apierr.Error{Code: apierr.VersionRequired}
	case !etag.MatchesStrong(ifMatch, versionTag(version)):
		return &apierr.Error{Code: apierr.VersionConflict}
	}
	return nil
}
