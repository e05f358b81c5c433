// Does what saved files call for, one round after the other, and says what it has done.

import { buildWidget } from "./browser.mjs";
import { callsForWork, workFor } from "./changes.mjs";
import { names, positions } from "./report.mjs";

export class Work {
  /** The files of the built widget, by name. */
  widget = new Map();
  #saved = new Set();
  /** Files that have been saved, but whose round has failed. */
  #unfinished = [];
  #settling;
  #working = false;
  #started = false;
  #o;

  /**
   * @param {object} options
   * @param {string} options.root the repository
   * @param {import("./backend.mjs").Backend} options.backend
   * @param {import("./report.mjs").Report} options.report
   * @param {(message: object) => void} options.send sends a message of Vite's to the pages
   */
  constructor(options) {
    this.#o = options;
  }

  /** Generates and builds everything. */
  async start() {
    this.#saved.add("app.json");
    await this.#rounds();
    this.#started = true;
  }

  /** A file has been saved or removed. */
  saved(path) {
    if (!callsForWork(path)) {
      return;
    }
    this.#saved.add(path);
    // Editors save in several steps, and several files at once.
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#rounds(), 20);
  }

  async #rounds() {
    if (this.#working) {
      return;
    }
    this.#working = true;
    while (this.#saved.size > 0) {
      const paths = [...new Set([...this.#saved, ...this.#unfinished])];
      this.#saved.clear();
      this.#unfinished = (await this.#round(paths)) ? [] : paths;
    }
    this.#working = false;
  }

  /** Returns whether all that the files call for is done. */
  async #round(paths) {
    const work = workFor(paths);
    const run = (step) =>
      step.then(
        () => true,
        (error) => {
          if (!(error instanceof Shown)) {
            this.#o.report.fault("make dev", "failed", error.stack);
          }
          return false;
        },
      );
    if (work.generate) {
      const generate = () => this.#o.backend.generate();
      // What is built below has generated code in it.
      if (!(await run(this.#step("generate", "make generate fails", generate)))) {
        return false;
      }
    }
    const done = await Promise.all([
      run(this.#program(work, paths)),
      run(work.widget ? this.#widget(paths) : Promise.resolve()),
    ]);
    return !done.includes(false);
  }

  async #program({ templates, go, wix }, paths) {
    const { backend, report, send } = this.#o;
    const start = performance.now();
    const done = (what) =>
      this.#started && report.line(names(paths), what, performance.now() - start);
    let structure = false;
    if (templates.length > 0) {
      structure = await this.#step("templates", "The templates cannot be generated", () =>
        backend.generateTemplates(templates),
      );
      if (!structure && !go) {
        send({ type: "full-reload" });
        done("texts replaced");
      }
    }
    if (!go && !structure) {
      return;
    }
    // The pages are made from what the offline Wix is made from.
    const pages = wix || structure;
    if (!(await this.#step("go", "The program cannot be built", () => backend.build()))) {
      done("nothing new in the program");
      return;
    }
    await this.#step("start", "The new program does not start", () => backend.takeOver(pages));
    report.fixed("the app");
    report.fixed("the offline Wix");
    send(pages ? { type: "full-reload" } : { type: "custom", event: "dev:server" });
    done(pages ? "the app and the offline Wix restarted" : "the app restarted");
  }

  async #widget(paths) {
    const start = performance.now();
    const built = await this.#step("widget", "The widget cannot be built", () =>
      buildWidget(this.#o.root),
    );
    if (built.get("widget.js") !== this.widget.get("widget.js")) {
      this.widget = built;
      this.#o.send({ type: "custom", event: "dev:widget" });
      if (this.#started) {
        this.#o.report.line(names(paths), "widget built", performance.now() - start);
      }
    }
  }

  /** Runs a part of the work, and shows its fault, or that there is none any more. */
  async #step(part, title, run) {
    const { report, root } = this.#o;
    try {
      const result = await run();
      report.fixed(part);
      return result;
    } catch (error) {
      report.fault(part, title, positions(error.message, root));
      throw new Shown();
    }
  }
}

/** An error that has been shown. */
class Shown extends Error {}
