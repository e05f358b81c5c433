// Code generated from backend/business/settings.go by make generate. DO NOT EDIT.

import { choice } from "./kinds/choice";
import { color } from "./kinds/color";
import { type Font, font } from "./kinds/font";
import { link } from "./kinds/link";
import { number } from "./kinds/number";
import { secret } from "./kinds/secret";
import { text } from "./kinds/text";
import { toggle } from "./kinds/toggle";

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

export const widgetFields = [
  text("heading", {
    attribute: "heading",
    fallback: 'Say "hi"',
    max: 80,
    help: {
      en: "Stands above the reviews, in the language of the page, and may have eighty characters.",
      de: "Steht über den Bewertungen.",
    },
    label: { en: "Heading", de: "Überschrift", "pt-BR": "Título" },
    group: { en: "Text", de: "Schrift" },
  }),
  text("intro", {
    attribute: "intro",
    fallback: "",
    placeholder: {
      en: "None",
      ja: "何もない場合はこのまま空にしておいてください、説明文は表示されません、よろしくお願いします",
    },
    label: { en: "Intro" },
    group: { en: "Text", de: "Schrift" },
  }),
  color("ink", {
    attribute: "ink",
    fallback: "var(--wst-color-text, #1b2440)",
    on: "paper",
    label: { en: "Ink" },
    group: { en: "Colors" },
  }),
  color("paper", {
    attribute: "paper",
    fallback: "#ffffff",
    label: { en: "Paper" },
    group: { en: "Colors" },
  }),
  font("face", { attribute: "face", placeholder: { en: "System font" }, label: { en: "Face" } }),
  choice("corner", {
    attribute: "corner",
    fallback: "top-right",
    of: [
      { value: "top-left", label: { en: "Top left", de: "Oben links" } },
      { value: "top-right", label: { en: "Top right", de: "Oben rechts" } },
      { value: "bottom-left", label: { en: "Bottom left", de: "Unten links" } },
      { value: "bottom-right", label: { en: "Bottom right", de: "Unten rechts" } },
    ],
    also: ["left", "right", "top", "bottom"],
    label: { en: "Corner" },
  }),
  toggle("shadow", { attribute: "shadow", fallback: false, label: { en: "Shadow" } }),
  number("stars", {
    attribute: "stars",
    fallback: 5,
    min: 1,
    max: 10,
    step: 1,
    whole: true,
    label: { en: "Stars" },
  }),
  number("opacity", {
    attribute: "opacity",
    fallback: 0.5,
    max: 1,
    step: 0.25,
    label: { en: "Opacity" },
  }),
  number("offset", { attribute: "offset", fallback: 0, unit: "px", label: { en: "Offset" } }),
  text("aNameThatIsLongerThanAnyLineNeeds", {
    attribute: "a-name-that-is-longer-than-any-line-needs",
    fallback:
      "A default that alone would go far beyond the hundred columns of a line, so that it stands below",
    label: { en: "A name that is longer than any line needs" },
  }),
  link("homepage", {
    attribute: "homepage",
    fallback: "https://example.com/",
    label: { en: "Homepage" },
  }),
] as const;

export const siteFields = [
  text("title", { fallback: "Reviews", min: 1, max: 40, label: { en: "Title" } }),
  text("subtitle", { fallback: "What guests say", label: { en: "Subtitle" } }),
  color("accent", { fallback: "rebeccapurple", label: { en: "Accent" } }),
  font("text", { label: { en: "Text" } }),
  choice("order", {
    fallback: "newest",
    of: [
      { value: "newest", label: { en: "Newest first" } },
      { value: "best", label: { en: "Best | only" } },
    ],
    label: { en: "Order" },
  }),
  toggle("moderated", { fallback: true, label: { en: "Moderated" } }),
  number("most", {
    fallback: 20,
    min: 10,
    max: 100,
    step: 10,
    whole: true,
    unit: "reviews",
    label: { en: "Most" },
  }),
  link("imprint", { fallback: "", label: { en: "Imprint" } }),
  link("help", { fallback: "mailto:help@example.com", min: 1, label: { en: "Help" } }),
  secret("apiKey", {
    max: 100,
    help: { en: "From your account with the review service." },
    label: { en: "Api key" },
  }),
] as const;
