// The script that Wix loads: defines the app's custom element, once per page.

import { tag } from "../../app.json";
import { widgetElement } from "./frame/element";
import { createPage } from "./frame/page";

// A page may load the script twice, or in two versions; the second define would throw.
if (!customElements.get(tag)) {
  customElements.define(tag, widgetElement(createPage(import.meta.url)));
}
