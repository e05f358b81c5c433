// Readers of the kinds of settings. Each takes an attribute's text or a JSON value, whatever
// it is, returns what can be used, and never throws. Those that nothing imports are not in
// the built script.

export interface Font {
  /** A CSS font shorthand, or "" for the widget's own. */
  font: string;
  textDecoration: string;
}

/** A text without the spaces around it. An empty one is the fallback. */
export function text(value: unknown, fallback = ""): string {
  return (typeof value === "string" && value.trim()) || fallback;
}

/** A value that the browser accepts for the CSS property, else "". */
const css = (property: string, value: unknown) => {
  const given = text(value);
  return CSS.supports(property, given) ? given : "";
};

/** Any CSS color, `var(--wst-…, #fallback)` included. */
export const color = (value: unknown, fallback = "") => css("color", value) || fallback;

/** The `{font, textDecoration}` of Wix's font picker, which an attribute holds as JSON. */
export function font(value: unknown): Font {
  let picked = value as Partial<Font> | null | undefined;
  try {
    picked = JSON.parse(value as string);
  } catch {
    // An object already, or a text that is not JSON, which has neither field.
  }
  return {
    // A size of four digits, or with an exponent, would cover the page.
    font: /(?<!\.)\b\d+(e|\d\d)\d/.test(picked?.font as string) ? "" : css("font", picked?.font),
    textDecoration: css("text-decoration", picked?.textDecoration),
  };
}

/** One of the choices. */
export function choice<const Choice extends string>(
  value: unknown,
  of: readonly [Choice, ...Choice[]],
  fallback: NoInfer<Choice> = of[0],
): Choice {
  return of.find((one) => one === text(value)) ?? fallback;
}

/** On for "true" and for an attribute without a value, off for "false". */
export function toggle(value: unknown, fallback: boolean): boolean {
  const given = typeof value === "object" ? "none" : String(value).trim().toLowerCase();
  return fallback ? given !== "false" : given === "true" || !given;
}

/** A number within the limits. */
export function number(
  value: unknown,
  fallback: number,
  min = Number.NEGATIVE_INFINITY,
  max = Number.POSITIVE_INFINITY,
): number {
  const given = typeof value === "number" ? value : Number(text(value, "none"));
  return Number.isFinite(given) && given >= min && given <= max ? given : fallback;
}

/** The address of a page, of a mailbox (`mailto:`) or of a telephone (`tel:`). */
export function link(value: unknown, fallback = ""): string {
  try {
    const { protocol, href } = new URL(text(value));
    return /^(https?|mailto|tel):$/.test(protocol) ? href : fallback;
  } catch {
    return fallback;
  }
}
