/** The custom element's tag name. Pages of Wix sites hold it: a new name is a new widget. */
export const tag = "nametag-widget";
