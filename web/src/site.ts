// The page of a simulated Wix site: what Wix's own code does for the widgets on it.

interface SiteBoot {
  tag: string;
  language: string;
  tokensUrl: string;
  /** What to ask for, or null to hand out no token. */
  token: unknown;
  /** Whether the tab's first token serves all its visits. */
  keepToken: boolean;
}

type WidgetElement = HTMLElement & {
  accessTokenListener?: (token: () => Promise<string>) => void;
};

const boot = JSON.parse(document.getElementById("boot")?.textContent ?? "") as SiteBoot;

// @wix/site reads this once, when a widget starts, and adds x-wix-linguist to its requests.
Object.assign(window, { commonConfig: { language: boot.language, locale: "en-us" } });

if (boot.token !== null) {
  // All widgets of a page get the same visitor's token.
  let token: Promise<string> | undefined;
  const visitorToken = () => {
    token ??= boot.keepToken ? keptToken() : askForToken();
    return token;
  };
  await customElements.whenDefined(boot.tag);
  for (const widget of document.querySelectorAll<WidgetElement>(boot.tag)) {
    widget.accessTokenListener?.(visitorToken);
  }
}

async function keptToken(): Promise<string> {
  const key = JSON.stringify(boot.token);
  const token = sessionStorage.getItem(key) ?? (await askForToken());
  sessionStorage.setItem(key, token);
  return token;
}

async function askForToken(): Promise<string> {
  const answer = await fetch(boot.tokensUrl, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(boot.token),
  });
  if (!answer.ok) {
    throw new Error(`the offline Wix gave no token: ${answer.status}`);
  }
  return ((await answer.json()) as { token: string }).token;
}

export {};
