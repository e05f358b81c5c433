// The list of sites, a page at a time, and what is done to one of them.

import { appMenu } from "../appmenu";
import { reason } from "../control";
import { byId, h } from "../dom";
import type { Lifecycle, Outcome } from "../lifecycle";
import type { Names } from "./names";

const wait = 300; // ms in which more sites may change

export class Sites {
  readonly #list = byId("site-list");
  readonly #find = byId<HTMLFormElement>("find");
  readonly #menu = byId<HTMLDialogElement>("app");
  readonly #turnMenu: ReturnType<typeof appMenu>;
  #query = new URLSearchParams(location.search);
  #busy = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly wix: Lifecycle,
    private readonly names: Names,
    private readonly say: (sentence: string) => void,
  ) {
    this.#turnMenu = appMenu({
      instanceId: "",
      app: { installed: false, plan: "", billingCycle: "", renewalCancelled: false },
      wix,
      changed: () => void this.load(),
    });
    this.#menu.querySelector("[data-close]")?.addEventListener("click", () => this.#menu.close());
    this.#list.addEventListener("click", (event) => this.#clicked(event));
    this.#find.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#go(new URLSearchParams({ q: byId<HTMLInputElement>("site-find").value.trim() }));
    });
    const form = byId<HTMLFormElement>("install");
    const name = byId<HTMLInputElement>("site-name");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (await this.#act(() => wix.install({ siteDisplayName: name.value.trim() }))) {
        form.reset();
      }
    });
    this.#learn();
  }

  /** Loads the list again, once for all that changes within a moment. */
  changed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(), wait);
  }

  /** Replaces the list with that of a fresh copy of the page, so that there is one way to show it. */
  async load(): Promise<void> {
    const query = this.#query.toString();
    const answer = await fetch(query ? `?${query}` : location.pathname);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("site-list");
    if (!answer.ok || !fresh) {
      throw new Error("the list of sites cannot be loaded");
    }
    if (fresh.isEqualNode(this.#list)) {
      return;
    }
    const focused = this.#list.contains(document.activeElement) ? document.activeElement : null;
    const instance = focused?.closest<HTMLElement>("[data-instance]")?.dataset.instance;
    const index = [...(focused?.parentElement?.children ?? [])].indexOf(focused as Element);
    this.#list.replaceChildren(...fresh.childNodes);
    this.#learn();
    // The list has new buttons: the focus goes to one of the same site.
    const actions =
      instance &&
      this.#list.querySelectorAll<HTMLElement>(`[data-instance="${instance}"] .site-actions > *`);
    if (actions) {
      (actions[index] ?? actions[actions.length - 1])?.focus();
    }
  }

  async #go(query: URLSearchParams): Promise<void> {
    if (!query.get("q")) {
      query.delete("q");
    }
    this.#query = query;
    // The address is one that can be loaded again; the fragment names the tab.
    history.replaceState(
      null,
      "",
      `${query.size > 0 ? `?${query}` : location.pathname}${location.hash}`,
    );
    try {
      await this.load();
    } catch (error) {
      this.say(`Not done: ${reason(error)}.`);
    }
  }

  #clicked(event: MouseEvent): void {
    const pressed = (event.target as Element).closest<HTMLElement>("a, button");
    const page = pressed?.closest(".pager") && pressed.getAttribute("href");
    if (page) {
      event.preventDefault();
      void this.#go(new URLSearchParams(page)).then(() => this.#list.scrollIntoView());
      return;
    }
    const site = pressed?.closest<HTMLElement>("[data-instance]");
    const instanceId = site?.dataset.instance;
    if (!site || !instanceId) {
      return;
    }
    switch (pressed?.dataset.do) {
      case "plan":
        this.#plan(site, instanceId);
        break;
      case "copy":
        void this.#act(() => this.wix.install({ originInstanceId: instanceId }));
        break;
      case "remove":
        void this.#act(() => this.wix.remove(instanceId));
        break;
      case "install":
        void this.#act(() => this.wix.install({ instanceId }));
        break;
    }
  }

  #plan({ dataset }: HTMLElement, instanceId: string): void {
    byId("plan-title").textContent = `Plan of ${dataset.name}`;
    this.#turnMenu({
      instanceId,
      app: {
        installed: true,
        plan: dataset.plan ?? "",
        billingCycle: dataset.cycle ?? "",
        renewalCancelled: dataset.cancelled !== undefined,
      },
    });
    this.#menu.showModal();
  }

  async #act(request: () => Promise<Outcome>): Promise<boolean> {
    if (this.#busy) {
      return false;
    }
    this.#busy = true;
    this.say("…");
    try {
      const { installation, webhook } = await request();
      const what = installation ? `Installed on ${installation.siteDisplayName}.` : "Removed.";
      await this.load();
      this.say(`${what} ${webhook}`);
      return true;
    } catch (error) {
      this.say(`Not done: ${reason(error)}.`);
      return false;
    } finally {
      this.#busy = false;
    }
  }

  /** Takes the names from the list, and offers the ids where one is asked for. */
  #learn(): void {
    const sites = [...this.#list.querySelectorAll<HTMLElement>("[data-instance]")];
    for (const { dataset } of sites) {
      this.names.learn(dataset.instance ?? "", dataset.name ?? "");
    }
    byId("site-ids").replaceChildren(
      ...sites.map(({ dataset }) => h("option", { value: dataset.instance }, dataset.name)),
    );
  }
}
