// The script that Wix loads: defines the app's custom element, once per page.

import { id, tag } from "../../app.json";
import { css, face } from "./face/face";
import { widgetElement } from "./frame/element";
import { createPage } from "./frame/page";
import { readSite, readWidget, widgetAttributes } from "./settings.gen";

// A page may load the script twice, or in two versions; the second define would throw.
if (!customElements.get(tag)) {
  customElements.define(tag, widgetElement(createPage(import.meta.url)));
}
