// The settings of a single widget, and how they are read from and written to its attributes.
import { fromWire, toWire } from "./transport";

export type Align = "start" | "center" | "end";

/** The result of the editor's font picker. The attribute holds it as JSON. */
export interface Font {
  /** A CSS font shorthand, or var(--…, shorthand) for a font of the site's theme. */
  font: string;
  textDecoration?: string;
}

export interface WidgetProps {
  displayName: string;
  /** A CSS color, or var(--…, color) for a color of the site's theme. */
  textColor: string;
  backgroundColor: string;
  /** null for the page's font. */
  font: Font | null;
  align: Align;
  showStatus: boolean;
}

export type PropName = keyof WidgetProps;

export const ATTRIBUTES: Record<PropName, string> = {
  displayName: "display-name",
  textColor: "text-color",
  backgroundColor: "background-color",
  font: "font",
  align: "align",
  showStatus: "show-status",
};

export const PROP_NAMES = Object.keys(ATTRIBUTES) as PropName[];

/** What the widget shows when an attribute is absent. */
export const DEFAULTS: WidgetProps = {
  displayName: "",
  textColor: "#1b2440",
  backgroundColor: "#ffffff",
  font: null,
  align: "start",
  showStatus: true,
};

/** Parses one attribute. A value that is absent or invalid becomes the default. */
export function parseProp<N extends PropName>(name: N, raw: unknown): WidgetProps[N] {
  const text = typeof raw === "string" ? fromWire(raw) : null;
  return (text === null ? DEFAULTS[name] : parsers[name](text)) as WidgetProps[N];
}

/** The attribute's text for a value. */
export function formatProp<N extends PropName>(name: N, value: WidgetProps[N]): string {
  if (name === "font") {
    return value === null ? "" : JSON.stringify(value);
  }
  return toWire(String(value));
}

const parsers: { [N in PropName]: (text: string) => WidgetProps[N] } = {
  displayName: (text) => text,
  textColor: (text) => text.trim() || DEFAULTS.textColor,
  backgroundColor: (text) => text.trim() || DEFAULTS.backgroundColor,
  font: parseFont,
  align: (text) => (text === "center" || text === "end" ? text : "start"),
  showStatus: (text) => text !== "false",
};

function parseFont(text: string): Font | null {
  try {
    const { font, textDecoration } = JSON.parse(text);
    if (typeof font !== "string" || font.trim() === "") {
      return null;
    }
    return typeof textDecoration === "string" ? { font, textDecoration } : { font };
  } catch {
    return null; // not JSON, or JSON's null
  }
}

/** The first family and the size of a font, as a label: "Georgia, 24px". */
export function describeFont({ font }: Font): string {
  const shorthand = /^var\(\s*--[\w-]+\s*,(.*)\)$/.exec(font.trim())?.[1] ?? font;
  const size = /(\d+(?:\.\d+)?(?:px|em|rem|pt|%))(?:\/\S+)?\s+/.exec(shorthand);
  const families = size ? shorthand.slice(size.index + size[0].length) : shorthand;
  const family = (families.split(",")[0] ?? "").replace(/["']/g, "").trim();
  return size ? `${family}, ${size[1]}` : family;
}
