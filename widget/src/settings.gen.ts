// Code generated from backend/business/settings.go by make generate. DO NOT EDIT.

import { choice, color, type Font, font, text, toggle } from "./frame/kinds";

/** What belongs to one widget. */
export interface WidgetSettings {
  displayName: string;
  font: Font;
  align: "start" | "center" | "end" | "left" | "right";
  textColor: string;
  backgroundColor: string;
  showStatus: boolean;
}

/** The element's attributes that hold them. */
export const widgetAttributes = [
  "display-name",
  "font",
  "align",
  "text-color",
  "background-color",
  "show-status",
];

/** Reads the attributes. A value that is absent or not valid becomes the default. */
export const readWidget = (attribute: (name: string) => unknown): WidgetSettings => ({
  displayName: text(attribute("display-name"), "friend"),
  font: font(attribute("font")),
  align: choice(attribute("align"), ["start", "center", "end", "left", "right"]),
  textColor: color(attribute("text-color")),
  backgroundColor: color(attribute("background-color")),
  showStatus: toggle(attribute("show-status"), true),
});

/** What belongs to the whole site, without its secrets. */
export interface SiteSettings {
  greeting: string;
}

/** Reads the settings of an answer; any other value gives the defaults. */
export const readSite = (values?: Record<string, unknown>): SiteSettings => ({
  greeting: text(values?.greeting, "Hello"),
});
