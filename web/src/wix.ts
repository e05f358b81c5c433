// What Wix's own code does on a page of a site, for the widgets of an app: the globals that
// Wix's packages look for, and the access token.
//
// @wix/site 1.68.0 calls `clientSdk.invoke` for the functions of @wix/site-window and its
// like, reads `commonConfig`, and gets the token from an element's `accessTokenListener` or,
// in a classic script, from `wixEmbedsAPI`. The other members of wixEmbedsAPI are those of
// Wix's published viewer (feature-wix-embeds-api).

export type TokenFunction = () => Promise<string>;

interface WixPageOptions {
  tag: string;
  siteId: string;
  language: string;
  viewMode(): "Site" | "Editor" | "Preview";
  /** Gets the visitor's token; null for a page whose widgets get none. */
  token: TokenFunction | null;
}

type WidgetElement = HTMLElement & { accessTokenListener?: unknown };

interface Call {
  namespace: string;
  method: string;
  args?: unknown[];
}

/** Sets the page up; it must be called before the app's script runs. Returns the function that reports a navigation. */
export function wixPage(o: WixPageOptions): (pageId: string) => void {
  const listeners = new Map<string, Set<(data: unknown) => void>>();
  const listenersOf = (event: string) => listeners.get(event) ?? new Set();
  let page = "home";
  const define = (name: string, value: unknown) =>
    Object.defineProperty(window, name, { value, configurable: true });

  // @wix/site reads this once, when a widget starts, and adds x-wix-linguist to its requests.
  define("commonConfig", { language: o.language, locale: "en-us" });
  const calls = clientCalls(o);
  define("clientSdk", {
    invoke: async ({ namespace, method, args = [] }: Call) => {
      const call = calls[`${namespace}.${method}`];
      if (!call) {
        throw new Error(`the offline Wix does not simulate ${namespace}.${method}`);
      }
      return call(...args);
    },
  });
  define("wixEmbedsAPI", {
    // Wix knows the app by the script that calls. A module is never the current script.
    getAccessTokenFunction: () => {
      if (document.currentScript?.tagName === "SCRIPT") {
        return o.token ?? undefined;
      }
      console.error("getAccessTokenFunction works at the top level of a classic script only");
      return undefined;
    },
    getMetaSiteId: () => o.siteId,
    getHtmlSiteId: () => o.siteId,
    getExternalBaseUrl: () => `${address().origin}/`,
    isWixSite: () => true,
    getLanguage: () => o.language,
    getCurrentPageInfo: () => ({ id: page, type: "site" }),
    registerToEvent: (event: string, listener: (data: unknown) => void) =>
      listeners.set(event, listenersOf(event).add(listener)),
    unregisterFromEvent: (event: string, listener: (data: unknown) => void) =>
      listenersOf(event).delete(listener),
  });
  dispatchEvent(new Event("wixEmbedsAPIReady", { bubbles: true }));
  if (o.token) {
    injectInto(o.tag, o.token);
  }
  return (pageId) => {
    page = pageId;
    for (const listener of listenersOf("pageNavigation")) {
      listener({ id: page, type: "site" });
    }
  };
}

/** The page's address. A stage has none of its own. */
const address = () => new URL(location.protocol === "about:" ? document.baseURI : location.href);

/** Passes the token function to each element of the tag, those of later included, once it is defined. */
function injectInto(tag: string, token: TokenFunction): void {
  const done = new WeakSet<Element>();
  const inject = () => {
    for (const element of document.querySelectorAll<WidgetElement>(tag)) {
      if (!done.has(element) && typeof element.accessTokenListener === "function") {
        done.add(element);
        element.accessTokenListener(token);
      }
    }
  };
  void customElements.whenDefined(tag).then(() => {
    inject();
    new MutationObserver(inject).observe(document, { childList: true, subtree: true });
  });
}

/** The answers of clientSdk, by namespace and method. */
// biome-ignore lint/suspicious/noExplicitAny: the arguments are a widget's
function clientCalls(o: WixPageOptions): Record<string, (...args: any[]) => unknown> {
  return {
    "window.viewMode": o.viewMode,
    "window.formFactor": () => (innerWidth < 750 ? "Mobile" : "Desktop"),
    "window.browserLocale": () => navigator.language,
    "window.referrer": () => document.referrer,
    "window.rendering.env": () => "browser",
    "window.scrollTo": (x: number, y: number) => scrollTo(x, y),
    "window.scrollBy": (x: number, y: number) => scrollBy(x, y),
    "window.getBoundingRect": () => ({
      window: { width: innerWidth, height: innerHeight },
      document: {
        width: document.documentElement.scrollWidth,
        height: document.documentElement.scrollHeight,
      },
      scroll: { x: scrollX, y: scrollY },
    }),
    "window.copyToClipboard": (text: string) => navigator.clipboard.writeText(text),
    "window.multilingual.isEnabled": () => false,
    "window.multilingual.currentLanguage": () => o.language,
    "window.multilingual.siteLanguages": () => [],
    "location.url": () => address().href,
    "location.baseUrl": () => address().origin,
    "location.path": () => address().pathname.split("/").filter(Boolean),
    "location.protocol": () => address().protocol.replace(":", ""),
    "location.query": () => Object.fromEntries(address().searchParams),
    "site.language": () => o.language,
  };
}
