package app

import (
	"strings"

	"github.com/google/uuid"

	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/web"
)

// The widget's first size on a page, in CSS pixels (what Wix's own scaffolds use).
const (
	widgetWidth  = 450
	widgetHeight = 250
)

// names are what the pages call the product.
func names() web.Product {
	return web.Product{Name: product.Name, ID: product.ID, Description: product.Description, EnvPrefix: product.EnvPrefix}
}

// componentID is the id of a part of the app in a project of Wix's CLI: the same at each start.
func componentID(appID, part string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("wix-app:"+appID+"/"+product.Tag+"/"+part)).String()
}

// installData is what the install guide lists for the Wix app dashboard.
func installData(publicURL, basePath, appID string, f files) web.InstallData {
	d := web.InstallData{
		Product: names(), BasePath: basePath, PublicURL: publicURL, AppID: appID,
		Tag: product.Tag, WidgetURL: publicURL + "/widget.js", ClassURL: publicURL + "/widget-class.js",
		PanelURL: publicURL + "/panel/", APIURL: publicURL + "/api/",
		ComponentID: componentID(appID, "widget"), PresetID: componentID(appID, "preset"),
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
