// The switches for what nobody can know of Wix. Each is set at once.

import type { Control } from "../control";
import { byId } from "../dom";
import { clearFault, showFault } from "./parts";

type Values = Record<string, string | boolean>;

export class Behavior {
  readonly #form = byId<HTMLFormElement>("switches");

  constructor(
    private readonly wix: Control,
    private readonly say: (sentence: string) => void,
  ) {
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("change", (event) => {
      const field = event.target as HTMLInputElement | HTMLSelectElement;
      void this.#set(field);
    });
  }

  async load(): Promise<void> {
    this.show(await this.wix.ask<Values>("GET", "behavior"));
  }

  show(values: Values): void {
    for (const [name, value] of Object.entries(values)) {
      const field = this.#form.elements.namedItem(name);
      if (field instanceof HTMLInputElement) {
        field.checked = value === true;
      } else if (field instanceof HTMLSelectElement) {
        field.value = String(value);
      }
    }
  }

  async #set(field: HTMLInputElement | HTMLSelectElement): Promise<void> {
    clearFault(this.#form);
    const value = field instanceof HTMLInputElement ? field.checked : field.value;
    try {
      this.show(await this.wix.ask<Values>("PUT", "behavior", { [field.name]: value }));
      this.say("Changed. Pages that are open load it with their next visit.");
    } catch (error) {
      showFault(this.#form, error);
      await this.load().catch(() => undefined);
    }
  }
}
