// Code generated from backend/business/settings.go by make generate. DO NOT EDIT.

import { choice, color, type Font, font, link, number, text, toggle } from "./frame/kinds";

/** What belongs to one widget. */
export interface WidgetSettings {
  heading: string;
  intro: string;
  ink: string;
  paper: string;
  face: Font;
  corner:
    | "top-left"
    | "top-right"
    | "bottom-left"
    | "bottom-right"
    | "left"
    | "right"
    | "top"
    | "bottom";
  shadow: boolean;
  stars: number;
  opacity: number;
  offset: number;
  aNameThatIsLongerThanAnyLineNeeds: string;
  homepage: string;
}

/** The element's attributes that hold them. */
export const widgetAttributes = [
  "heading",
  "intro",
  "ink",
  "paper",
  "face",
  "corner",
  "shadow",
  "stars",
  "opacity",
  "offset",
  "a-name-that-is-longer-than-any-line-needs",
  "homepage",
];

/** Reads the attributes. A value that is absent or not valid becomes the default. */
export const readWidget = (attribute: (name: string) => unknown): WidgetSettings => ({
  heading: text(attribute("heading"), 'Say "hi"'),
  intro: text(attribute("intro")),
  ink: color(attribute("ink")),
  paper: color(attribute("paper")),
  face: font(attribute("face")),
  corner: choice(
    attribute("corner"),
    ["top-left", "top-right", "bottom-left", "bottom-right", "left", "right", "top", "bottom"],
    "top-right",
  ),
  shadow: toggle(attribute("shadow"), false),
  stars: number(attribute("stars"), 5, 1, 10),
  opacity: number(attribute("opacity"), 0.5, undefined, 1),
  offset: number(attribute("offset"), 0),
  aNameThatIsLongerThanAnyLineNeeds: text(
    attribute("a-name-that-is-longer-than-any-line-needs"),
    "A default that alone would go far beyond the hundred columns of a line, so that it stands below",
  ),
  homepage: link(attribute("homepage"), "https://example.com/"),
});

/** What belongs to the whole site, without its secrets. */
export interface SiteSettings {
  title: string;
  subtitle: string;
  accent: string;
  text: Font;
  order: "newest" | "best";
  moderated: boolean;
  most: number;
  imprint: string;
  help: string;
}

/** Reads the settings of an answer; any other value gives the defaults. */
export const readSite = (values?: Record<string, unknown>): SiteSettings => ({
  title: text(values?.title, "Reviews"),
  subtitle: text(values?.subtitle ?? "What guests say"),
  accent: color(values?.accent, "rebeccapurple"),
  text: font(values?.text),
  order: choice(values?.order, ["newest", "best"]),
  moderated: toggle(values?.moderated, true),
  most: number(values?.most, 20, 10, 100),
  imprint: link(values?.imprint),
  help: link(values?.help, "mailto:help@example.com"),
});
