package app

import (
	"strings"

	"github.com/nametag-dev/nametag/web"
)

// widgetTag is the custom element's tag name. It must equal the one that
// widget/src defines: Wix's dashboard is told it, and every site's page holds it.
const widgetTag = "nametag-widget"

// The widget's first size on a page, in CSS pixels (what Wix's own scaffolds use).
const (
	widgetWidth  = 450
	widgetHeight = 250
)

// installData is what the install guide tells a developer to type into the Wix app
// dashboard.
func installData(publicURL, basePath, appID string, f files) web.InstallData {
	d := web.InstallData{
		BasePath: basePath, PublicURL: publicURL, AppID: appID,
		Tag: widgetTag, WidgetURL: publicURL + "/widget.js", PanelURL: publicURL + "/panel/",
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
