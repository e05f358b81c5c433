// The page of a simulated Wix site: does for its widgets what Wix's own code does.

import { boot, byId } from "./dom";
import { lockPage } from "./locked";
import { type TokenFunction, wixPage } from "./wix";

interface SiteBoot {
  tag: string;
  siteId: string;
  language: string;
  tokensUrl: string;
  /** The body of the token request, or null for a page without a token. */
  token: unknown;
  /** Whether the tab uses its first token for all visits. */
  keepToken: boolean;
  /** Whether the page is locked as Wix documents it. */
  locked: boolean;
}

const config = boot<SiteBoot>();
const ownFetch = window.fetch;

// All widgets of a page get the same token.
let token: Promise<string> | undefined;
const visitorToken: TokenFunction = () => {
  token ??= config.keepToken ? firstToken() : requestToken();
  return token;
};

const navigated = wixPage({
  tag: config.tag,
  siteId: config.siteId,
  language: config.language,
  viewMode: () => "Site",
  token: config.token === null ? null : visitorToken,
});
if (config.locked) {
  const tokens = new URL(config.tokensUrl, document.baseURI).href;
  lockPage((url) => url.href.startsWith(tokens));
}
connectLinks();

async function firstToken(): Promise<string> {
  const key = JSON.stringify(config.token);
  const token = sessionStorage.getItem(key) ?? (await requestToken());
  sessionStorage.setItem(key, token);
  return token;
}

async function requestToken(): Promise<string> {
  const answer = await ownFetch(config.tokensUrl, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(config.token),
  });
  if (!answer.ok) {
    throw new Error(`request a token from the offline Wix: status ${answer.status}`);
  }
  return ((await answer.json()) as { token: string }).token;
}

/** A site on Wix goes from page to page without a load: its elements are removed, and those of the other page are made. */
function connectLinks(): void {
  const main = byId("main");
  // The widget's script runs after this one: what is copied here is not upgraded yet.
  const home = document.createDocumentFragment();
  home.append(...[...main.childNodes].map((node) => node.cloneNode(true)));
  const visit = byId<HTMLTemplateElement>("visit").content;
  const widgets = home.querySelector("[data-slot]")?.cloneNode(true).childNodes ?? [];
  visit.querySelector("[data-slot]")?.append(...widgets);
  let shown = "home";
  const show = (page: string) => {
    shown = page;
    main.replaceChildren(document.importNode(page === "visit" ? visit : home, true));
    scrollTo(0, 0);
    navigated(page);
  };
  const follow = () => {
    const page = new URLSearchParams(location.search).get("page") ?? "home";
    if (page !== shown) {
      show(page);
    }
  };
  follow();
  addEventListener("popstate", follow);
  document.addEventListener("click", (event) => {
    const link = (event.target as Element).closest<HTMLAnchorElement>("a[data-page]");
    const page = link?.dataset.page;
    if (!link || !page || event.ctrlKey || event.metaKey || event.shiftKey) {
      return;
    }
    if (page !== shown) {
      const address = new URL(location.href);
      address.hash = "";
      address.searchParams.delete("page");
      if (page !== "home") {
        address.searchParams.set("page", page);
      }
      history.pushState(null, "", address);
      show(page);
    }
    if (!link.hash) {
      event.preventDefault();
    }
  });
}
