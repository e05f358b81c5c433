// The connection on which the offline Wix reports what happens.

export type LiveState = "connecting" | "live" | "reconnecting" | "resting";

interface Listener {
  event(name: string, data: unknown): void;
  /** Whatever was read before may be out of date. */
  reload(): void;
  state(state: LiveState): void;
}

const events = ["call", "delivery", "install", "clock", "faults", "behavior", "state"];
const pause = 1000; // ms before the next try

export class Live {
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly url: string,
    private readonly to: Listener,
  ) {}

  /** Connects, and connects again until it rests. */
  start(state: LiveState = "connecting"): void {
    this.#end();
    this.to.state(state);
    const source = new EventSource(this.url);
    this.#source = source;
    let unread = state === "connecting";
    source.onopen = () => {
      unread = false;
      this.to.state("live");
      this.to.reload();
    };
    source.onerror = () => {
      // Without events there is still what can be read.
      if (unread) {
        this.to.reload();
      }
      this.#end();
      this.to.state("reconnecting");
      this.#timer = setTimeout(() => this.start("reconnecting"), pause);
    };
    for (const name of events) {
      source.addEventListener(name, (event) => {
        this.to.event(name, JSON.parse((event as MessageEvent<string>).data));
      });
    }
    source.addEventListener("lost", () => this.to.reload());
  }

  /** Gives the connection up: a browser has six for one server, over all of its tabs. */
  rest(): void {
    this.#end();
    this.to.state("resting");
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
  }
}
