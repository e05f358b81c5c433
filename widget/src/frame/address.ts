// Finds the server, and keeps the token from every other.

import { text } from "./kinds";

/**
 * The address of the server's API, with a slash at its end: beside the script
 * (`<base>/widget.js` or `<base>/widget/widget-<hash>.js`), or where the attribute api-base
 * says, as seen from the script. It is undefined where that is on another origin than the
 * script's and those of the build: the author of a page's markup would otherwise choose who
 * gets its visitors' tokens.
 */
export function apiAddress(
  attribute: string | null,
  scriptUrl: string,
  origins: string[],
): string | undefined {
  try {
    const script = new URL(scriptUrl);
    const beside = /\/widget\/widget-\w{16}\.js$/.test(script.pathname) ? "../api/" : "api/";
    const api = new URL(text(attribute, beside), script);
    // A blob's URL has an origin, too.
    return [script.origin, ...origins].includes(api.origin) && /^https?:/.test(api.protocol)
      ? api.origin + api.pathname.replace(/\/?$/, "/")
      : undefined;
  } catch {
    // Not a URL, or a script without a server, such as one from a blob.
  }
}
