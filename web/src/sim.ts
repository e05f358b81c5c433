// The first page of the offline Wix: the buttons that install, copy and remove.

import { copyButtons } from "./copy";
import { boot, byId } from "./dom";
import { Lifecycle, type Outcome } from "./lifecycle";

const wix = new Lifecycle("_sim/", boot<{ retryMs: number[] }>().retryMs);
const result = byId("result");
const sites = byId("sites");
const form = byId<HTMLFormElement>("install");
const siteName = byId<HTMLInputElement>("site-name");
let busy = false;

const actions: Record<string, (instanceId: string) => Promise<Outcome>> = {
  copy: (originInstanceId) => wix.install({ originInstanceId }),
  remove: (instanceId) => wix.remove(instanceId),
  install: (instanceId) => wix.install({ instanceId }),
};

async function act(request: () => Promise<Outcome>, pressedOn?: string): Promise<boolean> {
  if (busy) {
    return false;
  }
  busy = true;
  result.textContent = "…";
  try {
    const { installation, webhook } = await request();
    const what = installation ? `Installed on ${installation.siteDisplayName}.` : "Removed.";
    await refresh();
    // The list has new buttons: the focus goes to that of the same site.
    if (pressedOn) {
      sites.querySelector<HTMLElement>(`[data-instance="${pressedOn}"]`)?.focus();
    }
    result.textContent = `${what} ${webhook}`;
    return true;
  } catch (error) {
    result.textContent = `Not done: ${error instanceof Error ? error.message : String(error)}.`;
    return false;
  } finally {
    busy = false;
  }
}

/** Replaces the list of sites with that of a fresh copy of the page. */
async function refresh(): Promise<void> {
  const answer = await fetch(location.href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = page.getElementById("sites");
  if (!answer.ok || !now) {
    throw new Error("the change is done, but the list could not be loaded");
  }
  sites.replaceChildren(...now.childNodes);
}

sites.addEventListener("click", (event) => {
  const button = (event.target as Element).closest<HTMLButtonElement>("button[data-do]");
  const { do: what = "", instance = "" } = button?.dataset ?? {};
  const action = actions[what];
  if (action) {
    void act(() => action(instance), instance);
  }
});
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await act(() => wix.install({ siteDisplayName: siteName.value.trim() }))) {
    form.reset();
  }
});
copyButtons();
