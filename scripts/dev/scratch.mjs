// A copy of the repository in which make dev runs, for its test and its measurement.

import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "../..");
/** What a copy does without, or has a link to. */
const left = new Set([".git", ".dev", "bin", "coverage", "node_modules", "test-results"]);

export class Scratch {
  folder = "";
  /** The addresses of the app and of the offline Wix. */
  app = "";
  wix = "";
  output = "";
  pid = 0;
  ended = Promise.resolve();
  #originals = new Map();
  #child;

  static async create() {
    const scratch = new Scratch();
    // Real, because Vite and templ name files by their real paths.
    scratch.folder = realpathSync(await mkdtemp(join(tmpdir(), "dev-")));
    cpSync(root, scratch.folder, {
      recursive: true,
      filter: (source) => !left.has(relative(root, source)),
    });
    symlinkSync(realpathSync(join(root, "node_modules")), join(scratch.folder, "node_modules"));
    mkdirSync(join(scratch.folder, ".dev"));
    // Ports that are free.
    writeFileSync(join(scratch.folder, ".dev/state.json"), '{"app": 0, "wix": 0}');
    return scratch;
  }

  /** Starts make dev, and resolves when it has said what to open. */
  async start() {
    this.output = "";
    this.#child = spawn(process.execPath, ["scripts/dev/main.mjs"], { cwd: this.folder });
    this.pid = this.#child.pid;
    this.ended = new Promise((resolve) => this.#child.once("close", resolve));
    await new Promise((resolve, reject) => {
      const take = (chunk) => {
        this.output += chunk;
        if (/Ctrl-C/.test(this.output)) {
          resolve();
        }
      };
      this.#child.stdout.on("data", take);
      this.#child.stderr.on("data", take);
      void this.ended.then(() => reject(new Error(`make dev ended:\n${this.output}`)));
    });
    this.wix = /Open (http:\S+)\/editor/.exec(this.output)[1];
    this.app = /The app is at (http:[^,\s]+)/.exec(this.output)[1];
  }

  /** Ends it as Ctrl-C does, or as signal says. */
  async stop(signal = "SIGINT") {
    this.#child?.kill(signal);
    await this.ended;
  }

  async remove() {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  read(path) {
    return readFileSync(join(this.folder, path), "utf8");
  }

  /**
   * Saves a file with what change makes of its original.
   * @param {string} path
   * @param {(text: string) => string} change
   */
  edit(path, change) {
    const original = this.#originals.get(path) ?? this.read(path);
    this.#originals.set(path, original);
    const changed = change(original);
    if (changed === original) {
      throw new Error(`${path} is not as expected: nothing to change`);
    }
    writeFileSync(join(this.folder, path), changed);
  }

  /** Saves the original. */
  restore(path) {
    writeFileSync(join(this.folder, path), this.#originals.get(path));
  }

  /** Gives the site a plan and the app's first text a value, and makes an owner's token. */
  async remember() {
    const editor = await (await fetch(`${this.wix}/editor`)).text();
    const [, instanceId] = /"instanceId":"([^"]+)"/.exec(editor);
    const send = (url, method, body, headers) =>
      fetch(url, {
        method,
        headers: { "Content-Type": "application/json", ...headers },
        body: JSON.stringify(body),
      });
    await send(`${this.wix}/_sim/installs/${instanceId}/plan`, "PUT", { plan: "gold" });
    const minted = await send(`${this.wix}/_sim/tokens`, "POST", { subject: "USER", instanceId });
    const { token } = await minted.json();
    const read = await fetch(`${this.app}/api/settings`, { headers: { Authorization: token } });
    const { settings, version } = await read.json();
    const name = Object.keys(settings).find((key) => typeof settings[key] === "string");
    const headers = { Authorization: token, "If-Match": `"${version}"` };
    const written = await send(
      `${this.app}/api/settings`,
      "PATCH",
      { [name]: "Remembered" },
      headers,
    );
    if (!written.ok) {
      throw new Error(await written.text());
    }
    return { instanceId, token, name };
  }

  /** Returns what is left of what remember made. */
  async recall({ instanceId, token, name }) {
    const editor = await (await fetch(`${this.wix}/editor`)).text();
    const read = await fetch(`${this.app}/api/settings`, { headers: { Authorization: token } });
    const { settings } = read.ok ? await read.json() : {};
    return {
      site: editor.includes(instanceId),
      plan: editor.includes('"plan":"gold"'),
      token: read.ok,
      settings: settings?.[name] === "Remembered",
    };
  }
}
