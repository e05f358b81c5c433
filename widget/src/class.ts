// The element's class without a tag, for a page that defines its own or extends it, such as a
// project of Wix's CLI. Its API is beside the script, as widget.ts's is.

import { widgetElement } from "./frame/element";
import { createPage } from "./frame/page";

export default widgetElement(createPage(import.meta.url));
