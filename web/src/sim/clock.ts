// This Wix's clock: it runs with the browser's, ahead of it, and can be advanced.

import { type Control, reason } from "../control";
import { byId } from "../dom";
import { ahead } from "./format";
import { onSubmit, textOf } from "./parts";

interface Time {
  now: string;
  aheadMs: number;
}

export class Clock {
  /** Wix's time minus the browser's, in milliseconds. */
  #difference = 0;
  #day = "";

  /** dayChanged is called when the date of Wix's time is another one. */
  constructor(
    private readonly wix: Control,
    private readonly say: (sentence: string) => void,
    private readonly dayChanged: () => void,
  ) {
    const form = byId<HTMLFormElement>("clock");
    onSubmit(form, async () => {
      await this.#advance(textOf(form, "advance"));
      form.reset();
    });
    byId("advance").addEventListener("click", async (event) => {
      const { by } = (event.target as HTMLElement).dataset;
      if (by) {
        try {
          await this.#advance(by);
        } catch (error) {
          this.say(`Not done: ${reason(error)}.`);
        }
      }
    });
    setInterval(() => this.#tick(), 1000);
    this.#tick();
  }

  now(): Date {
    return new Date(Date.now() + this.#difference);
  }

  async load(): Promise<void> {
    this.show(await this.wix.ask<Time>("GET", "clock"));
  }

  show({ now, aheadMs }: Time): void {
    this.#difference = Date.parse(now) - Date.now();
    const by = ahead(aheadMs);
    byId("ahead").textContent = by && `${by} ahead`;
    this.#tick();
  }

  async #advance(by: string): Promise<void> {
    this.say("The clock is advanced, and what falls due is done.");
    try {
      this.show(await this.wix.ask<Time>("PUT", "clock", { advance: by }));
    } catch (error) {
      this.say("");
      throw error;
    }
    this.say(`The clock is ${byId("ahead").textContent}.`);
  }

  #tick(): void {
    const now = this.now();
    const two = (n: number) => String(n).padStart(2, "0");
    const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
    const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(":");
    byId("now").textContent = `${day} ${time}`;
    if (day !== this.#day) {
      this.#day = day;
      this.dayChanged();
    }
  }
}
