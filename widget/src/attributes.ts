// Parses the attributes that are not used as they are. Every text has a result that
// can be shown.

export interface Font {
  /** A CSS font shorthand, or "" for the widget's own. */
  font: string;
  textDecoration: string;
}

/** The name to greet. */
export function displayName(value: string | null): string {
  return value?.trim() || "friend";
}

/** The status line is shown unless the attribute is "false". */
export function showsStatus(value: string | null): boolean {
  return value?.trim().toLowerCase() !== "false";
}

/** The attribute holds, as JSON, the `{font, textDecoration}` of Wix's font picker. */
export function font(value: string | null): Font {
  let picked: Partial<Font> | null = null;
  try {
    picked = JSON.parse(value as string);
  } catch {
    // Not JSON: treated as no font.
  }
  return { font: text(picked?.font), textDecoration: text(picked?.textDecoration) };
}

/** Returns a string trimmed, and "" for any other value. */
export function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}
