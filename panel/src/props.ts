// The settings of a single widget: how they are read from and written to its attributes.
import { fromWire, toWire } from "./transport";

export type Align = "start" | "center" | "end";

/** What the editor's font picker gives, and the attribute keeps as JSON. */
export interface Font {
  /** A CSS font shorthand, or var(--…, shorthand) for a font of the site's theme. */
  font: string;
  textDecoration?: string;
}

export interface WidgetProps {
  displayName: string;
  /** A CSS colour, or var(--…, colour) for a colour of the site's theme. */
  textColor: string;
  backgroundColor: string;
  /** null leaves the font to the page. */
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

/** Reads one attribute. Whatever is absent or makes no sense becomes the default. */
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

/** The first family and the size of a font, for people: "Georgia, 24px". */
export function describeFont({ font }: Font): string {
  const shorthand = /^var\(\s*--[\w-]+\s*,(.*)\)$/.exec(font.trim())?.[1] ?? font;
  const size = /(\d+(?:\.\d+)?(?:px|em|rem|pt|%))(?:\/\S+)?\s+/.exec(shorthand);
  const families = size ? shorthand.slice(size.index + size[0].length) : shorthand;
  const family = (families.split(",")[0] ?? "").replace(/["']/g, "").trim();
  return size ? `${family}, ${size[1]}` : family;
}
