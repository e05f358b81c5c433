// Reading the attributes that need more than being taken as they are. Whatever
// the text, each gives something that can be shown.

export interface Font {
  /** A CSS font shorthand, or "" for the widget's own. */
  font: string;
  textDecoration: string;
}

/** The name to greet. */
export function displayName(value: string | null): string {
  return value?.trim() || "friend";
}

/** The status line is shown unless it is plainly switched off. */
export function showsStatus(value: string | null): boolean {
  return value?.trim().toLowerCase() !== "false";
}

/** Wix's font picker gives `{font, textDecoration}`, kept as JSON in the attribute. */
export function font(value: string | null): Font {
  let picked: Partial<Font> | null = null;
  try {
    picked = JSON.parse(value as string);
  } catch {
    // Not JSON: as good as no font.
  }
  return { font: text(picked?.font), textDecoration: text(picked?.textDecoration) };
}

/** What is text stays; anything else that an answer or an attribute may hold is "". */
export function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}
