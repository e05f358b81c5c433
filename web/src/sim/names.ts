// The names of sites by their instance ids. They are read when an id is met that has none.

import type { Control } from "../control";
import { shortId } from "./format";

const perRead = 1000;
const wait = 200; // ms in which more ids may come

interface Site {
  instanceId: string;
  siteDisplayName: string;
}

export class Names {
  readonly #names = new Map<string, string>();
  readonly #unknown = new Set<string>();
  #last = ""; // the newest installation that was read
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** changed is called after names were learned. */
  constructor(
    private readonly wix: Control,
    private readonly changed: () => void,
  ) {}

  /** The name of a site, or the start of its id until that is known. */
  of(instanceId: string): string {
    const name = this.#names.get(instanceId.toLowerCase());
    if (name === undefined && !this.#unknown.has(instanceId)) {
      this.#unknown.add(instanceId);
      this.#timer ??= setTimeout(() => void this.#read(), wait);
    }
    return name ?? shortId(instanceId);
  }

  learn(instanceId: string, name: string): void {
    this.#names.set(instanceId.toLowerCase(), name);
  }

  /** Reads the names again where they are needed: those of a state that was put in place. */
  forget(): void {
    this.#last = "";
    this.#unknown.clear();
  }

  async #read(): Promise<void> {
    const asked = this.#unknown.size;
    try {
      for (let full = true; full; ) {
        const sites = await this.#page();
        for (const { instanceId, siteDisplayName } of sites) {
          this.learn(instanceId, siteDisplayName);
        }
        full = sites.length === perRead;
      }
    } catch {
      // The ids stand for the names.
    }
    this.#timer =
      this.#unknown.size > asked ? setTimeout(() => void this.#read(), wait) : undefined;
    this.changed();
  }

  async #page(): Promise<Site[]> {
    const read = (after: string) => {
      const query = new URLSearchParams({ limit: String(perRead), ...(after && { after }) });
      return this.wix.ask<Site[]>("GET", `installs?${query}`);
    };
    // The site that was the last may be gone by now.
    const sites = await read(this.#last).catch(() => read(""));
    this.#last = sites.at(-1)?.instanceId ?? this.#last;
    return sites;
  }
}
