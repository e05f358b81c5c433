// The locks that Wix documents for pages of its sites ("Frontend security environment"): an
// app gets Wix's own fetch and XMLHttpRequest, which cannot be replaced and do not reach the
// endpoints of tokens, and sees no cookies.

/**
 * Locks the page.
 * @param forbidden whether a URL is one that an app's code must not reach
 */
export function lockPage(forbidden: (url: URL) => boolean): void {
  const { fetch, XMLHttpRequest } = window;
  const check = (address: string | URL) => {
    const url = new URL(address, document.baseURI);
    if (forbidden(url)) {
      throw new TypeError(`Wix does not let an app's code reach ${url.pathname}`);
    }
  };
  lock(window, "fetch", async (input: RequestInfo | URL, init?: RequestInit) => {
    check(input instanceof Request ? input.url : input);
    return fetch(input, init);
  });
  lock(
    window,
    "XMLHttpRequest",
    class extends XMLHttpRequest {
      override open(
        method: string,
        url: string | URL,
        async = true,
        username?: string | null,
        password?: string | null,
      ) {
        check(url);
        super.open(method, url, async, username, password);
      }
    },
  );
  lock(document, "cookie", "");
}

/** Makes a property that ignores what is assigned to it. */
function lock(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { get: () => value, set() {}, configurable: false });
}
