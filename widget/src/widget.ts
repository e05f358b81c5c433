// The script that Wix loads: defines <nametag-widget>, once per page.

import { nametagElement } from "./element";
import { createPage } from "./page";
import { tag } from "./tag";

// A page may load the script twice, or in two versions; the second define would throw.
if (!customElements.get(tag)) {
  customElements.define(tag, nametagElement(createPage(import.meta.url)));
}
