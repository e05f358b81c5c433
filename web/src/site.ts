// The page of a simulated Wix site: does for its widgets what Wix's own code does.

interface SiteBoot {
  tag: string;
  language: string;
  tokensUrl: string;
  /** The body of the token request, or null for a page without a token. */
  token: unknown;
  /** Whether the tab uses its first token for all visits. */
  keepToken: boolean;
}

type WidgetElement = HTMLElement & {
  accessTokenListener?: (token: () => Promise<string>) => void;
};

const boot = JSON.parse(document.getElementById("boot")?.textContent ?? "") as SiteBoot;

// @wix/site reads this once, when a widget starts, and adds x-wix-linguist to its requests.
Object.assign(window, { commonConfig: { language: boot.language, locale: "en-us" } });

if (boot.token !== null) {
  // All widgets of a page get the same token.
  let token: Promise<string> | undefined;
  const visitorToken = () => {
    token ??= boot.keepToken ? firstToken() : requestToken();
    return token;
  };
  await customElements.whenDefined(boot.tag);
  for (const widget of document.querySelectorAll<WidgetElement>(boot.tag)) {
    widget.accessTokenListener?.(visitorToken);
  }
}

async function firstToken(): Promise<string> {
  const key = JSON.stringify(boot.token);
  const token = sessionStorage.getItem(key) ?? (await requestToken());
  sessionStorage.setItem(key, token);
  return token;
}

async function requestToken(): Promise<string> {
  const answer = await fetch(boot.tokensUrl, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(boot.token),
  });
  if (!answer.ok) {
    throw new Error(`request a token from the offline Wix: status ${answer.status}`);
  }
  return ((await answer.json()) as { token: string }).token;
}

export {};
