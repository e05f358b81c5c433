// The simulated dashboard: shows a page of the app in an iframe, and serves it the API of
// Wix's dashboard over Wix's own channel. The parameters of the page's URL are those that Wix
// documents for dashboard extensions, and those that @wix/dashboard 1.3.48 reads.
//
// That package sends its messages to https://manage.wix.com and its subdomains alone. Under
// another origin the page gets the signed instance and no more.

import { handshakeCode, serve } from "@wix/communication-channel";
import { boot, byId } from "./dom";

interface DashboardBoot {
  instanceId: string;
  pageUrl: string;
  instance: string;
  ownerSubject: string;
  tokensUrl: string;
}

const config = boot<DashboardBoot>();
const frame = byId<HTMLIFrameElement>("app-frame");
const language = "en";

function say(text: string): void {
  byId("status").textContent = text;
}

async function ownerToken(): Promise<string> {
  const answer = await fetch(config.tokensUrl, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ subject: config.ownerSubject, instanceId: config.instanceId }),
  });
  if (!answer.ok) {
    throw new Error(`request a token from the offline Wix: status ${answer.status}`);
  }
  return ((await answer.json()) as { token: string }).token;
}

const pageLocation = { pageId: "app-page", pathname: "/" };
const api = {
  getAccessToken: ownerToken,
  observeState(observe: (params: unknown, environment: unknown) => void) {
    const environment = { locale: language, language, pageLocation, embedded: false };
    observe({ location: pageLocation, displayMode: "main" }, environment);
    return { disconnect() {} };
  },
  onBeforeUnload: () => ({ remove() {} }),
  updateHeight() {},
  setPageTitle: (title: string) => say(`The page’s title: ${title}`),
  showToast(toast: { message?: string }) {
    say(toast.message ?? "");
    return { remove: () => say("") };
  },
  getPageUrl: () => location.href,
  navigate: () => say("In Wix, another page of the dashboard opens here."),
  navigateBack: () => say("In Wix, the page before opens here."),
};

addEventListener("message", ({ source, data }) => {
  if (source === frame.contentWindow && data?.code === handshakeCode) {
    serve({ api, port: data.port });
  }
});

const address = new URL(config.pageUrl, document.baseURI);
const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const [name, value] of [
  ["instance", config.instance],
  ["locale", language],
  ["viewMode", "dashboard"],
  ["origin", location.origin],
  ["essentials", JSON.stringify({ language, locale: language, timezone })],
  ["siteInfo", JSON.stringify({ wixEditorAvailable: true, wixEditorActive: true })],
] as const) {
  address.searchParams.set(name, value);
}
frame.src = address.href;

// A page that does not let itself be framed is opened by itself, as Wix's button "Open App" does.
const external = new URL(config.pageUrl, document.baseURI);
external.searchParams.set("instance", config.instance);
byId<HTMLAnchorElement>("open").href = external.href;
