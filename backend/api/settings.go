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
	// Secrets says of each secret whether one is set, to the owner alone.
	Secrets map[string]bool `json:"secrets,omitempty"`
	Version int64           `json:"version"`
}

func (h handlers) getSettings(c call) error {
	row, err := h.visit(c)
	if err != nil {
		return err
	}
	return h.answerSettings(c, row)
}

// putSettings replaces the settings, except for the secrets that the body leaves out.
func (h handlers) putSettings(c call) error {
	return h.saveSettings(c, func(body []byte, row instance.Instance) (json.RawMessage, error) {
		return h.App.Settings.Replace(body, row.Secrets.Reveal())
	})
}

// patchSettings changes the settings that the body names.
func (h handlers) patchSettings(c call) error {
	return h.saveSettings(c, func(body []byte, row instance.Instance) (json.RawMessage, error) {
		return h.App.Settings.Merge(body, row.Settings, row.Secrets.Reveal())
	})
}

// saveSettings saves what change makes of the body and of the row. The cheap refusals come
// first (the caller's role was the first of all): kind of body, version; only then is the
// body read.
func (h handlers) saveSettings(c call, change func(body []byte, row instance.Instance) (json.RawMessage, error)) error {
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
	values, err := change(body, row)
	if err != nil {
		return err
	}
	saved, err := h.Store.SaveSettings(c.ctx(), row.ID, values, row.Version)
	if err != nil {
		return storeError(c.ctx(), err)
	}
	return h.answerSettings(c, saved)
}

func (h handlers) answerSettings(c call, row instance.Instance) error {
	header := c.Response().Header()
	header.Set("ETag", versionTag(row.Version))
	identity.SetCORS(header)
	answer := settingsAnswer{Settings: row.Settings, Version: row.Version}
	if c.Owns() {
		answer.Secrets = h.App.Settings.SecretsSet(row.Secrets.Reveal())
	}
	return c.JSON(http.StatusOK, answer)
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
