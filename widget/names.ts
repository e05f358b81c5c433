// Puts what app.json says where a style sheet, a picture or the script cannot import it. The
// widget's Vite and Vitest use it.

import type { Plugin } from "vite";
import app from "../app.json" with { type: "json" };

const { apiOrigins = [] } = app as { apiOrigins?: string[] };

/**
 * A custom property `--app-…` in the widget's style sheets is `--<id>-…` on the page, and
 * `apiOrigins` in its code is the list of app.json, which an import could not find absent.
 */
export function names(): Plugin {
  return {
    name: "names",
    enforce: "pre",
    config: () => ({ define: { apiOrigins: JSON.stringify(apiOrigins) } }),
    transform: (code, id) =>
      /\/widget\/src\/.*\.css(\?|$)/.test(id) ? code.replaceAll("--app-", `--${app.id}-`) : null,
  };
}

/** The text of a picture, in which `{name}` is the app's name. */
export const named = (svg: string, name = app.name) =>
  svg.replaceAll("{name}", () => name.replace(/[&<"]/g, (c) => `&#${c.charCodeAt(0)};`));
