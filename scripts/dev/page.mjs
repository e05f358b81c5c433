// Connects the server's pages to Vite: the client that replaces and reloads, and the policy
// that lets it.

/** Marks the scripts and styles that Vite adds, so that a policy can allow them alone. */
export const nonce = "vite";

/** Adds the client to a page of the server. client is the URL of client.js. */
export function connect(html, client) {
  const head = `<meta property="csp-nonce" nonce="${nonce}"><script type="module" src="${client}"></script>`;
  return html.replace(/<head>/i, `$&${head}`);
}

/**
 * Adds to a Content-Security-Policy what Vite's client needs: its socket, and elements with
 * the nonce. All else stays as strict as in production.
 */
export function allowVite(policy, host) {
  const directives = new Map(
    policy
      .split(";")
      .map((directive) => directive.trim().split(/\s+/))
      .filter(([name]) => name)
      .map(([name, ...sources]) => [name, sources]),
  );
  const add = (name, ...sources) => {
    const now = directives.get(name) ?? directives.get("default-src");
    if (now) {
      const all = new Set([...now, ...sources]);
      all.delete("'none'");
      directives.set(name, [...all]);
    }
  };
  add("script-src", "'self'", `'nonce-${nonce}'`);
  add("connect-src", "'self'", `ws://${host}`);
  // A nonce would turn 'unsafe-inline' off.
  if (!directives.get("style-src")?.includes("'unsafe-inline'")) {
    add("style-src", "'self'", `'nonce-${nonce}'`);
  }
  return [...directives].map(([name, sources]) => [name, ...sources].join(" ")).join("; ");
}

/** The page that is shown while there is no server to ask. */
export function waitingPage(title, text) {
  const safe = (s) => s.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${safe(title)}</title></head><body><h1>${safe(title)}</h1><pre>${safe(text)}</pre></body></html>`;
}
