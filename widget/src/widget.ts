// The script that Wix loads: defines <nametag-widget>, once per page.

import { nametagElement } from "./element";
import { createPage } from "./page";

const tag = "nametag-widget";

// The script may be on the page twice, or in two versions; the second define would throw.
if (!customElements.get(tag)) {
  customElements.define(tag, nametagElement(createPage(import.meta.url)));
}
