// Puts the app's names where a style sheet or a picture cannot import them. The widget's
// Vite and Vitest use it.

import type { Plugin } from "vite";
import app from "../app.json" with { type: "json" };

/** A custom property `--app-…` in the widget's style sheets is `--<id>-…` on the page. */
export function names(): Plugin {
  return {
    name: "names",
    enforce: "pre",
    transform: (code, id) =>
      /\/widget\/src\/.*\.css(\?|$)/.test(id) ? code.replaceAll("--app-", `--${app.id}-`) : null,
  };
}

/** The text of a picture, in which `{name}` is the app's name. */
export const named = (svg: string, name = app.name) =>
  svg.replaceAll("{name}", () => name.replace(/[&<"]/g, (c) => `&#${c.charCodeAt(0)};`));
