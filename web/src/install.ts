// The install guide: its copy buttons, and what the server finds out about itself while the
// page is open. The page is fetched again and its parts that change are replaced, so that
// there is one way to show them.

import { copyButtons } from "./copy";

copyButtons();

const every = 5_000;
const status = document.getElementById("state-changes");

async function refresh(): Promise<void> {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) {
    return;
  }
  const now = new DOMParser().parseFromString(await answer.text(), "text/html");
  const before = states(document);
  for (const part of document.querySelectorAll<HTMLElement>("[data-live]")) {
    const fresh = now.getElementById(part.id);
    if (fresh && fresh.innerHTML !== part.innerHTML) {
      part.replaceChildren(...fresh.childNodes);
    }
  }
  const changed = [...states(document)].filter(([check, state]) => before.get(check) !== state);
  if (status && changed.length > 0) {
    status.textContent = changed.map(([check, state]) => `${check}: ${state}`).join(". ");
  }
}

/** The word of each check's state. */
function states(root: Document): Map<string, string> {
  const marks = root.querySelectorAll<HTMLElement>("#findings [data-check]");
  return new Map(Array.from(marks, (m) => [m.dataset.check ?? "", m.textContent?.trim() ?? ""]));
}

if (document.getElementById("findings")) {
  setInterval(() => {
    if (document.visibilityState === "visible") {
      // The server may be restarting: the next time is soon.
      refresh().catch(() => undefined);
    }
  }, every);
}
