package app

import (
	"strings"

	"github.com/nametag-dev/nametag/web"
)

// The widget's first size on a page, in CSS pixels (what Wix's own scaffolds use).
const (
	widgetWidth  = 450
	widgetHeight = 250
)

// installData is what the install guide lists for the Wix app dashboard.
func installData(publicURL, basePath, appID, tag string, f files) web.InstallData {
	d := web.InstallData{
		BasePath: basePath, PublicURL: publicURL, AppID: appID,
		Tag: tag, WidgetURL: publicURL + "/widget.js", PanelURL: publicURL + "/panel/",
		WebhookURL:   publicURL + "/webhooks/wix",
		DefaultWidth: widgetWidth, DefaultHeight: widgetHeight,
	}
	for _, name := range f.widget.Names() {
		if strings.HasPrefix(name, "thumbnail-") {
			d.ThumbnailURL = publicURL + "/widget/" + name
		}
	}
	return d
}
