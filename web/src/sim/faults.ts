// The faults of this Wix: those that are set, and a form that sets one.

import { type Control, reason } from "../control";
import { byId, h } from "../dom";
import { clearFault, onSubmit, showFault, tag } from "./parts";

export interface Fault {
  endpoint: string;
  status?: number;
  /** Durations are text, such as "200ms". */
  latency?: string;
  retryAfter?: string;
  body?: string;
  bodyBytes?: number;
  hangUp?: boolean;
  outage?: boolean;
  /** The calls that it still has, or nothing for all. */
  count?: number;
}

const usual: Record<string, Partial<Fault>> = {
  outage: { outage: true },
  busy: { status: 503 },
  limit: { status: 429, retryAfter: "5s" },
  slow: { latency: "2s" },
};

/** The fault that a form describes. What is left empty is left out. */
export function faultOf(form: FormData): Fault {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const fault: Record<string, unknown> = { endpoint: text("endpoint") };
  for (const name of ["latency", "retryAfter"]) {
    if (text(name)) {
      fault[name] = text(name);
    }
  }
  for (const name of ["status", "count"]) {
    if (text(name)) {
      fault[name] = Number(text(name));
    }
  }
  for (const name of ["hangUp", "outage"]) {
    if (form.has(name)) {
      fault[name] = true;
    }
  }
  return fault as unknown as Fault;
}

/** What a fault does, as a phrase. */
export function effectOf(f: Fault): string {
  const parts = [
    f.outage && "no answer",
    f.status && String(f.status),
    f.retryAfter && `retry after ${f.retryAfter}`,
    f.latency && `${f.latency} late`,
    f.hangUp && "hangs up within the answer",
    f.body && "a body of its own",
    f.bodyBytes && `a body of ${f.bodyBytes} bytes`,
  ];
  return parts.filter(Boolean).join(", ");
}

export class Faults {
  readonly #form = byId<HTMLFormElement>("fault");

  constructor(
    private readonly wix: Control,
    private readonly say: (sentence: string) => void,
  ) {
    onSubmit(this.#form, () => this.#set(faultOf(new FormData(this.#form))));
    byId("usual").addEventListener("click", async (event) => {
      const fault = usual[(event.target as HTMLElement).dataset.fault ?? ""];
      if (fault) {
        clearFault(this.#form);
        const { endpoint, count } = faultOf(new FormData(this.#form));
        try {
          await this.#set({ endpoint, ...(count && { count }), ...fault });
        } catch (error) {
          showFault(this.#form, error);
        }
      }
    });
    byId("mend").addEventListener("click", () => void this.#end());
  }

  async load(): Promise<void> {
    this.show(await this.wix.ask<Fault[]>("GET", "faults"));
  }

  show(faults: readonly Fault[]): void {
    byId("fault-list").replaceChildren(
      ...(faults.length === 0 ? [h("li", { class: "none" }, "None. Wix works.")] : []),
      ...faults.map((f) =>
        h(
          "li",
          {},
          h("code", {}, f.endpoint === "*" ? "all endpoints" : f.endpoint),
          " ",
          tag(effectOf(f), "bad"),
          ` ${f.count ? `${f.count} more ${f.count === 1 ? "call" : "calls"}` : "until it is ended"}`,
        ),
      ),
    );
    byId("tab-faults").classList.toggle("on", faults.length > 0);
  }

  async #set(fault: Fault): Promise<void> {
    await this.wix.ask("PUT", "faults", fault);
    await this.load();
    this.say(`Set: ${effectOf(fault)}.`);
  }

  async #end(): Promise<void> {
    try {
      await this.wix.ask("DELETE", "faults");
      await this.load();
      this.say("All faults have ended.");
    } catch (error) {
      this.say(`Not done: ${reason(error)}.`);
    }
  }
}
