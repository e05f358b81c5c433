// The page of a simulated Wix site: does for its widgets what Wix's own code does.

import { boot } from "./dom";
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
}

const config = boot<SiteBoot>();

// All widgets of a page get the same token.
let token: Promise<string> | undefined;
const visitorToken: TokenFunction = () => {
  token ??= config.keepToken ? firstToken() : requestToken();
  return token;
};

wixPage({
  tag: config.tag,
  siteId: config.siteId,
  language: config.language,
  viewMode: () => "Site",
  token: config.token === null ? null : visitorToken,
});

async function firstToken(): Promise<string> {
  const key = JSON.stringify(config.token);
  const token = sessionStorage.getItem(key) ?? (await requestToken());
  sessionStorage.setItem(key, token);
  return token;
}

async function requestToken(): Promise<string> {
  const answer = await fetch(config.tokensUrl, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(config.token),
  });
  if (!answer.ok) {
    throw new Error(`request a token from the offline Wix: status ${answer.status}`);
  }
  return ((await answer.json()) as { token: string }).token;
}
