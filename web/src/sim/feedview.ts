// A live list with the details of one of its items beside it.

import { type Control, Refusal, reason } from "../control";
import { byId, h } from "../dom";
import { Feed, type Item } from "./feed";
import { sameId } from "./format";
import type { Names } from "./names";

const most = 500;

type Child = Node | string | null;

interface FeedOptions<T extends Item> {
  /** The path of the control API, and the start of the ids of the list's elements. */
  id: "calls" | "webhooks";
  wix: Control;
  names: Names;
  /** The later of two states of one item. */
  newer?: (a: T, b: T) => T;
  /** What the search looks for text in. */
  words(item: T): string;
  row(item: T): { kind: string; cells: Child[] };
  /** Shows the details of an item, in an element that is empty or has those of the same item. */
  detail(read: never, into: HTMLElement): void;
  /** The sentence for a list without items. */
  none: string;
  /** Reports what was done. */
  say(sentence: string): void;
}

/** Whether all words of a search are somewhere in the text. */
export function found(text: string, search: string): boolean {
  const lower = text.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => lower.includes(word));
}

/** How many items are shown, and of how many. */
export function countOf(shown: number, all: number, kind: string): string {
  if (shown < all) {
    return `${shown} of ${all} ${kind}`;
  }
  return all === most
    ? `The latest ${all} ${kind}`
    : `${all} ${all === 1 ? kind.slice(0, -1) : kind}`;
}

export class FeedView<T extends Item> {
  readonly #feed: Feed<T>;
  readonly #part = (name: string) => byId(`${this.o.id}-${name}`);
  readonly #list: HTMLElement;
  readonly #search: HTMLInputElement;
  readonly #detail: HTMLElement;
  readonly #rows = new Map<number, { item: T; li: HTMLLIElement; button: HTMLButtonElement }>();
  #instance = "";
  #open: number | null = null;
  /** What the list shows while it is paused. */
  #frozen: readonly T[] | null = null;
  #frame = 0;
  #fault = "";

  constructor(private readonly o: FeedOptions<T>) {
    this.#feed = new Feed<T>(most, o.newer);
    this.#list = this.#part("rows");
    this.#search = this.#part("find") as HTMLInputElement;
    this.#detail = this.#part("detail");
    this.#search.addEventListener("input", () => this.#draw());
    this.#part("pause").addEventListener("click", () => this.#pause());
    this.#part("clear").addEventListener("click", () => void this.#clear());
    this.#list.addEventListener("click", (event) => {
      const id = (event.target as Element).closest<HTMLElement>("button[data-id]")?.dataset.id;
      if (id) {
        void this.#show(Number(id));
      }
    });
    this.#list.addEventListener("keydown", (event) => this.#move(event));
    for (const part of [this.#list, this.#detail]) {
      part.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && this.#open !== null) {
          this.#close();
        }
      });
    }
  }

  /** Shows the items of one site, or of all for "". */
  of(instanceId: string): void {
    if (sameId(instanceId, this.#instance)) {
      return;
    }
    this.#instance = instanceId;
    this.#frozen = null;
    this.#close();
    this.#feed.clear();
    void this.load();
  }

  async load(): Promise<void> {
    const query = new URLSearchParams({ limit: String(most) });
    if (this.#instance) {
      query.set("instanceId", this.#instance);
    }
    try {
      await this.#feed.load(() => this.o.wix.ask<T[]>("GET", `${this.o.id}?${query}`));
      this.#fault = "";
    } catch (error) {
      this.#fault = `The list cannot be loaded: ${reason(error)}.`;
    }
    this.#later();
  }

  /** Takes an item that is new or has changed. */
  add(item: T): void {
    if (this.#instance && !sameId(item.instanceId ?? "", this.#instance)) {
      return;
    }
    this.#feed.add(item);
    if (this.#list.closest("[hidden]")) {
      byId(`tab-${this.o.id}`).classList.add("new");
    }
    if (item.id === this.#open) {
      void this.#read(item.id);
    }
    this.#later();
  }

  /** Writes everything again: the names of sites, or the day, have changed. */
  rewrite(): void {
    this.#rows.clear();
    this.#list.replaceChildren();
    this.#draw();
  }

  /** Draws once for all that arrives within a frame. */
  #later(): void {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#head();
    const items = this.#frozen ?? this.#feed.items;
    const search = this.#search.value.trim();
    const shown = search ? items.filter((item) => found(this.o.words(item), search)) : items;
    // A row stays in place, so that it does not lose the focus.
    let at = this.#list.firstElementChild;
    const ids = new Set<number>();
    for (const item of shown) {
      const { li } = this.#row(item);
      ids.add(item.id);
      if (li === at) {
        at = at.nextElementSibling;
      } else {
        this.#list.insertBefore(li, at);
      }
    }
    for (const [id, { li }] of this.#rows) {
      if (!ids.has(id)) {
        li.remove();
        this.#rows.delete(id);
      }
    }
    this.#oneTabStop();
    const none = this.#part("none");
    none.hidden = shown.length > 0 && !this.#fault;
    none.textContent =
      this.#fault || (search && items.length > 0 ? "Nothing of that kind." : this.o.none);
    this.#part("note").textContent = countOf(shown.length, items.length, this.o.id);
  }

  #head(): void {
    const only = this.#part("only");
    only.hidden = !this.#instance;
    const name = this.#instance && this.o.names.of(this.#instance);
    if (only.dataset.name !== name) {
      only.dataset.name = name;
      only.replaceChildren(
        h("span", {}, `Only ${name}`),
        h("a", { href: `#${this.o.id}`, class: "button small" }, "All sites"),
      );
    }
    this.#part("pause").textContent = this.#frozen ? `Resume${this.#missed()}` : "Pause";
  }

  /** How many items have come since the pause. */
  #missed(): string {
    const last = this.#frozen?.[0]?.id ?? 0;
    const count = this.#feed.items.filter(({ id }) => id > last).length;
    return count > 0 ? ` (${count} new)` : "";
  }

  #row(item: T) {
    let row = this.#rows.get(item.id);
    if (!row) {
      const button = h("button", {
        type: "button",
        "data-id": item.id,
        tabindex: -1,
        "aria-expanded": item.id === this.#open,
      });
      row = { item, li: h("li", {}, button), button };
      this.#rows.set(item.id, row);
      this.#fill(row);
    } else if (row.item !== item) {
      row.item = item;
      this.#fill(row);
    }
    return row;
  }

  #fill({ item, button }: { item: T; button: HTMLButtonElement }): void {
    const { kind, cells } = this.o.row(item);
    button.className = `feed-row ${this.o.id} ${kind}`;
    // Spaces between the cells, for those who hear the row as one name.
    button.replaceChildren(...cells.flatMap((cell) => (cell === null ? [] : [cell, " "])));
  }

  /** The list is one stop for the Tab key; arrows lead through it. */
  #oneTabStop(): void {
    const rows = [...this.#rows.values()];
    if (!rows.some(({ button }) => button.tabIndex === 0)) {
      const first = this.#list.querySelector<HTMLButtonElement>("button");
      const open = this.#open === null ? undefined : this.#rows.get(this.#open)?.button;
      (open ?? first)?.setAttribute("tabindex", "0");
    }
  }

  #move(event: KeyboardEvent): void {
    const buttons = [...this.#list.querySelectorAll<HTMLButtonElement>("button")];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    const target = at < 0 || to === undefined ? undefined : buttons[to];
    if (target) {
      event.preventDefault();
      this.#stop(target);
      target.focus();
    }
  }

  #stop(button: HTMLButtonElement): void {
    for (const row of this.#rows.values()) {
      row.button.tabIndex = row.button === button ? 0 : -1;
    }
  }

  async #show(id: number): Promise<void> {
    if (id === this.#open) {
      this.#close();
      return;
    }
    this.#mark(id);
    this.#detail.replaceChildren();
    await this.#read(id);
    // On a small screen the details lie over the list.
    if (this.#open === id && matchMedia("(max-width: 999px)").matches) {
      this.#detail.querySelector<HTMLElement>("h2")?.focus();
    }
  }

  async #read(id: number): Promise<void> {
    let fault = "";
    try {
      const read = await this.o.wix.ask<never>("GET", `${this.o.id}/${id}`);
      if (id !== this.#open) {
        return;
      }
      this.o.detail(read, this.#detail);
    } catch (error) {
      fault =
        error instanceof Refusal && error.status === 404
          ? "Its details are no longer stored."
          : `The details cannot be loaded: ${reason(error)}.`;
    }
    if (id !== this.#open) {
      return;
    }
    if (fault) {
      this.#detail.replaceChildren(h("h2", { tabindex: -1 }, "Details"), h("p", {}, fault));
    }
    if (!this.#detail.querySelector("[data-close]")) {
      const close = h(
        "button",
        { type: "button", class: "button small", "data-close": true, onclick: () => this.#close() },
        "Close",
      );
      this.#detail.prepend(close);
    }
    this.#detail.hidden = false;
  }

  #close(): void {
    const from = this.#open === null ? undefined : this.#rows.get(this.#open)?.button;
    const inside = this.#detail.contains(document.activeElement);
    this.#mark(null);
    this.#detail.hidden = true;
    this.#detail.replaceChildren();
    if (inside) {
      from?.focus();
    }
  }

  #mark(id: number | null): void {
    this.#open = id;
    for (const [other, { button }] of this.#rows) {
      button.setAttribute("aria-expanded", String(other === id));
      if (other === id) {
        this.#stop(button);
      }
    }
  }

  #pause(): void {
    this.#frozen = this.#frozen ? null : [...this.#feed.items];
    this.#draw();
  }

  async #clear(): Promise<void> {
    try {
      await this.o.wix.ask("DELETE", this.o.id);
      this.#close();
      this.#feed.clear();
      this.#frozen = null;
      this.#draw();
    } catch (error) {
      this.o.say(`Not cleared: ${reason(error)}.`);
    }
  }
}
