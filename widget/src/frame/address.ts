// Finds the server.

/**
 * The address of the server's API, with a slash at its end: the attribute
 * api-base if it is an absolute http(s) URL, else derived from the script's own URL
 * (`<base>/widget.js` or `<base>/widget/widget-<hash>.js`), else undefined.
 */
export function apiAddress(attribute: string | null, scriptUrl: string): string | undefined {
  const given = parse(attribute?.trim());
  if (given) {
    return given.origin + given.pathname.replace(/\/?$/, "/");
  }
  const script = parse(scriptUrl);
  return (
    script &&
    script.origin + script.pathname.replace(/\/(widget\/widget-[0-9a-f]{16}\.js|[^/]*)$/, "/api/")
  );
}

function parse(url: string | undefined): URL | undefined {
  try {
    const parsed = new URL(url as string);
    return /^https?:$/.test(parsed.protocol) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
