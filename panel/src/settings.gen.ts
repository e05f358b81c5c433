// Code generated from backend/business/settings.go by make generate. DO NOT EDIT.

import { choice } from "./kinds/choice";
import { color } from "./kinds/color";
import { type Font, font } from "./kinds/font";
import { text } from "./kinds/text";
import { toggle } from "./kinds/toggle";

/** What belongs to one widget. */
export interface WidgetSettings {
  displayName: string;
  font: Font;
  align: "start" | "center" | "end" | "left" | "right";
  textColor: string;
  backgroundColor: string;
  showStatus: boolean;
}

/** What belongs to the whole site, without its secrets. */
export interface SiteSettings {
  greeting: string;
}

export const widgetFields = [
  text("displayName", {
    attribute: "display-name",
    fallback: "friend",
    max: 80,
    label: { en: "Display name" },
    group: { en: "Text" },
  }),
  font("font", {
    attribute: "font",
    placeholder: { en: "System font" },
    label: { en: "Font" },
    group: { en: "Text" },
  }),
  choice("align", {
    attribute: "align",
    fallback: "start",
    of: [
      { value: "start", label: { en: "Start" } },
      { value: "center", label: { en: "Center" } },
      { value: "end", label: { en: "End" } },
    ],
    also: ["left", "right"],
    label: { en: "Alignment" },
    group: { en: "Text" },
  }),
  color("textColor", {
    attribute: "text-color",
    fallback: "#1b2440",
    on: "backgroundColor",
    label: { en: "Text color" },
    group: { en: "Colors" },
  }),
  color("backgroundColor", {
    attribute: "background-color",
    fallback: "#ffffff",
    label: { en: "Background color" },
    group: { en: "Colors" },
  }),
  toggle("showStatus", {
    attribute: "show-status",
    fallback: true,
    label: { en: "Show status line" },
    group: { en: "Status" },
  }),
] as const;

export const siteFields = [
  text("greeting", {
    fallback: "Hello",
    min: 1,
    max: 80,
    help: { en: "Stands before the name in every widget." },
    label: { en: "Greeting" },
  }),
] as const;
