// A server of which there is a newer one now and then. Requests never meet a closed door:
// they go to the old one until the new one is ready, or wait.

import { setTimeout as sleep } from "node:timers/promises";
import { Child, freePort } from "./child.mjs";

/** A program that ends by itself more often waits for a change. */
const mostCrashes = 5;

export class Service {
  #current = null;
  /** What requests wait for, or null. */
  #gate = null;
  #options;
  #stopped = false;
  /** How often the program has ended by itself since it was replaced. */
  #crashes = 0;

  /**
   * @param {object} options
   * @param {string} options.health the path that answers when it is ready
   * @param {boolean} options.alone whether two at once would be in each other's way
   * @param {(port: number, program: string) => Promise<{ args: string[], env: object }>} options.command
   * @param {(line: string) => void} options.onLine
   * @param {(text: string) => void} options.onCrash it ended by itself, and is started again
   */
  constructor(options) {
    this.#options = options;
  }

  /** The program that runs, or null. */
  get program() {
    return this.#current?.program ?? null;
  }

  /**
   * Replaces the program. When the new one does not become ready, the old one goes on (or is
   * back), and the error has what the new one wrote.
   */
  async replace(program) {
    await this.#gate;
    this.#crashes = 0;
    if (!this.#options.alone || !this.#current) {
      const next = await this.#start(program);
      const old = this.#current;
      this.#current = next;
      if (old) {
        void drain(old).then(() => old.child.stop());
      }
      return;
    }
    const old = this.#current;
    let open;
    this.#gate = new Promise((resolve) => {
      open = resolve;
    });
    try {
      await drain(old, 2000);
      this.#current = null;
      await old.child.stop();
      try {
        this.#current = await this.#start(program);
      } catch (error) {
        this.#current = await this.#start(old.program);
        throw error;
      }
    } finally {
      this.#gate = null;
      open();
    }
  }

  /**
   * Runs a request against the program of the moment, or against none (port 0).
   * @param {(port: number, done: () => void) => void} request calls done when it is over
   */
  async use(request) {
    while (this.#gate) {
      await this.#gate;
    }
    const target = this.#current;
    if (!target) {
      request(0, () => {});
      return;
    }
    target.requests++;
    let over = false;
    request(target.port, () => {
      if (!over) {
        over = true;
        target.requests--;
        if (target.requests === 0) {
          target.idle?.();
        }
      }
    });
  }

  async stop() {
    this.#stopped = true;
    await this.#current?.child.stop();
  }

  async #start(program) {
    const port = await freePort();
    const { args, env } = await this.#options.command(port, program);
    const child = new Child(program, args, { env, onLine: this.#options.onLine });
    const started = { program, port, child, requests: 0, idle: null };
    await child.ready(`http://127.0.0.1:${port}${this.#options.health}`);
    void child.ended.then((how) => this.#crashed(started, how));
    return started;
  }

  /** Starts a program again that has ended by itself, but not one that does so all the time. */
  async #crashed(ended, how) {
    if (this.#current !== ended || this.#stopped) {
      return;
    }
    this.#current = null;
    this.#options.onCrash(`ended with ${how}\n${ended.child.output}`);
    if (++this.#crashes > mostCrashes) {
      return;
    }
    this.#gate = this.#start(ended.program).then(
      (again) => {
        this.#current = again;
      },
      (error) => this.#options.onCrash(error.message),
    );
    await this.#gate;
    this.#gate = null;
  }
}

/** Waits until the last request to a program is over, for as long as patience says. */
async function drain(old, patience = 60_000) {
  if (old.requests > 0) {
    const idle = new Promise((resolve) => {
      old.idle = resolve;
    });
    await Promise.race([idle, sleep(patience, undefined, { ref: false })]);
  }
}
