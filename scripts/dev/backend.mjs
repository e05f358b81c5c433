// The Go side: generates, builds, and has the new program take over.

import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { clearTexts, writeTexts } from "./templates.mjs";

export class Backend {
  #root;
  #folder;
  #services;
  #built;
  #count = 0;
  /** The path of templ, which go tool takes long to find. */
  #templ;
  /** The time of the build that has taken over. */
  #taken = 0;
  /** The folder with the texts of each program's templates. */
  #texts = new Map();

  /**
   * @param {string} root the repository
   * @param {string} folder for what is built
   * @param {{ wix: import("./service.mjs").Service, app: import("./service.mjs").Service }} services
   */
  constructor(root, folder, services) {
    this.#root = root;
    this.#folder = folder;
    this.#services = services;
    rmSync(join(folder, "run"), { recursive: true, force: true });
    mkdirSync(join(folder, "run"), { recursive: true });
    clearTexts(join(folder, "texts"));
    this.#built = join(folder, "program");
  }

  /** The folder with the texts of a program's templates. */
  textsOf(program) {
    return this.#texts.get(program);
  }

  /** Generates what is older than its sources. */
  async generate() {
    await this.#run("make", ["-s", "regenerate"], this.#root);
  }

  /**
   * Generates the code of templates. Returns whether more than texts has changed. Texts are
   * shown from now on by the programs that run.
   */
  async generateTemplates(templates) {
    const web = join(this.#root, "web");
    this.#templ ??= await this.#run("go", ["tool", "-n", "templ"], web);
    for (const template of templates) {
      await this.#run(this.#templ, ["generate", "-f", template.slice("web/".length)], web);
    }
    const folder = this.#writeTexts();
    const { app, wix } = this.#services;
    return [app, wix].some(({ program }) => this.textsOf(program) !== folder);
  }

  #writeTexts() {
    return writeTexts(join(this.#root, "web"), join(this.#folder, "texts"));
  }

  /**
   * Builds the program, and returns whether it is another one than runs. Our own packages are
   * not optimized, because that takes longer than it gains here.
   */
  async build() {
    const flags = ["-tags=dev", "-buildvcs=false", "-gcflags=./...=-N -l", "-ldflags=-s -w"];
    await this.#run("go", ["build", ...flags, "-o", this.#built, "./backend/cmd/..."], this.#root);
    return statSync(this.#built).mtimeMs !== this.#taken;
  }

  /**
   * Has the program that was built take over.
   * @param {boolean} wix whether the offline Wix is another one, too
   */
  async takeOver(wix) {
    // Every program that runs keeps its file, with which it can be started again.
    const program = join(this.#folder, "run", String(++this.#count));
    const { mtimeMs } = statSync(this.#built);
    copyFileSync(this.#built, program);
    this.#texts.set(program, this.#writeTexts());
    const { app } = this.#services;
    const wixReady = wix ? this.#services.wix.replace(program) : Promise.resolve();
    if (!app.program) {
      await wixReady; // the app's first start asks it for its key
    }
    const both = await Promise.allSettled([wixReady, app.replace(program)]);
    this.#tidy();
    for (const { reason } of both) {
      if (reason) {
        throw reason;
      }
    }
    this.#taken = mtimeMs;
  }

  /** Removes the programs that are not in use. */
  #tidy() {
    const { app, wix } = this.#services;
    for (const name of readdirSync(join(this.#folder, "run"))) {
      const program = join(this.#folder, "run", name);
      if (program !== app.program && program !== wix.program) {
        rmSync(program);
        this.#texts.delete(program);
      }
    }
  }

  #run(command, args, cwd) {
    const env = { ...process.env, CGO_ENABLED: "0" };
    return new Promise((resolve, reject) => {
      execFile(command, args, { cwd, env, maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
        if (error) {
          reject(new Error(`${stdout}${stderr}`.trim() || error.message));
        } else {
          resolve(stdout.trim());
        }
      });
    });
  }
}
