// "What just happened": the timeline of one page load, and the figures above it.

import { name } from "../../app.json";
import { byId } from "./dom";
import type { Call } from "./session";
import { count, type Fact, figures, milliseconds } from "./timeline";
import { timelineIn } from "./timelineview";

// The server refreshes its record of the site after it has answered, so the log is read twice.
const firstRead = 120; // ms
const secondRead = 900; // ms after the first

export class Report {
  #facts: Fact[] = [];
  #draw = timelineIn(byId("steps"));
  #copies: () => number;
  #calls: () => Promise<Call[]>;
  #callsBefore = 0; // those of the page loads before
  #callsRead: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** copies is the number of widgets on the page. calls reads the offline Wix's log, which has had so many so far. */
  constructor(copies: () => number, calls: () => Promise<Call[]>, callsSoFar: number) {
    this.#copies = copies;
    this.#calls = calls;
    this.#callsRead = callsSoFar;
  }

  /** Starts the report of a new page load. */
  open(newVisitor: boolean): void {
    this.#callsBefore = this.#callsRead;
    this.#facts = [];
    this.add({ kind: "opened", at: performance.now(), copies: this.#copies(), newVisitor });
  }

  /** Expects an empty log: that of a new session. */
  restartLog(): void {
    this.#callsBefore = this.#callsRead = 0;
  }

  add(...facts: Fact[]): void {
    this.#facts.push(...facts);
    this.show();
  }

  has(kind: Fact["kind"]): boolean {
    return this.#facts.some((fact) => fact.kind === kind);
  }

  readCallsSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      await this.#readCalls();
      setTimeout(() => this.#readCalls(), secondRead);
    }, firstRead);
  }

  show(): void {
    this.#draw(this.#facts);
    const { identifiedIn, requests, asked } = figures(this.#facts);
    const copies = count(this.#copies(), "copy", "copies");
    write("figure-time", identifiedIn === null ? "–" : milliseconds(identifiedIn));
    write("figure-requests", requests === null ? "–" : String(requests));
    write(
      "figure-requests-label",
      `${requests === 1 ? "request" : "requests"} to ${name}, for ${copies}`,
    );
    write("figure-calls", requests === null ? "–" : String(asked));
    write(
      "figure-calls-label",
      asked === 1 ? "call to Wix to identify" : "calls to Wix to identify",
    );
  }

  async #readCalls(): Promise<void> {
    let calls: Call[];
    try {
      calls = await this.#calls();
    } catch {
      return; // The timeline is complete without the log; the calls come from Server-Timing then.
    }
    this.#callsRead = calls.length;
    this.#facts = this.#facts.filter((fact) => fact.kind !== "call");
    this.add(...calls.slice(this.#callsBefore).map(callFact));
  }
}

function callFact({ at, durationMs, method, path, status }: Call): Fact {
  return { kind: "call", wall: Date.parse(at), duration: durationMs, method, path, status };
}

function write(id: string, text: string): void {
  byId(id).textContent = text;
}
