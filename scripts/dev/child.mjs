// A program that runs below make dev. It ends with make dev, however that ends.

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Returns a port of this machine that is free now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The programs that run. */
const running = new Set();
process.on("exit", () => {
  for (const child of running) {
    child.kill("SIGKILL");
  }
});

const most = 200; // lines of output that are remembered

export class Child {
  /** @param {{ env?: object, cwd?: string, onLine?: (line: string) => void }} options */
  constructor(command, args, { env, cwd, onLine = () => {} } = {}) {
    this.lines = [];
    // In a group of its own, because Ctrl-C at a terminal goes to a whole group, and the
    // order in which programs end is ours to choose.
    this.process = spawn(command, args, {
      env,
      cwd,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(this.process);
    const take = (line) => {
      this.lines.push(line);
      this.lines.splice(0, this.lines.length - most);
      onLine(line);
    };
    for (const stream of [this.process.stdout, this.process.stderr]) {
      eachLine(stream, take);
    }
    /** Resolves with what the program ended with: "status 1" or "SIGKILL". */
    this.ended = new Promise((resolve) => {
      this.process.once("error", (error) => {
        this.lines.push(error.message);
        resolve(error.code);
      });
      this.process.once("close", (code, signal) => resolve(signal ?? `status ${code}`));
    });
    const guard = this.process.pid && killWithUs(this.process.pid);
    this.over = false;
    void this.ended.then(() => {
      this.over = true;
      running.delete(this.process);
      guard?.kill("SIGKILL");
    });
  }

  get output() {
    return this.lines.join("\n");
  }

  /** Waits until the program answers with a success. Rejects with its output when it does not. */
  async ready(url, patience = 20_000) {
    const late = AbortSignal.timeout(patience);
    while (!this.over) {
      try {
        const answer = await fetch(url, { signal: late });
        await answer.body?.cancel();
        if (answer.ok) {
          return;
        }
      } catch {
        // does not listen yet
      }
      if (late.aborted) {
        await this.stop();
        throw new Error(`not ready after ${patience / 1000} s\n${this.output}`);
      }
      await sleep(5);
    }
    throw new Error(`ended with ${await this.ended}\n${this.output}`);
  }

  /** Asks the program to end, and makes it end when it does not. */
  async stop(patience = 10_000) {
    this.process.kill("SIGINT");
    const late = globalThis.setTimeout(() => this.process.kill("SIGKILL"), patience);
    await this.ended;
    clearTimeout(late);
  }
}

/** A shell whose input ends with this process, even when that is killed, and which then kills pid. */
function killWithUs(pid) {
  const guard = spawn("sh", ["-c", "read -r _; kill -9 $0", String(pid)], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  guard.on("error", () => {});
  guard.unref();
  return guard;
}

function eachLine(stream, take) {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop();
    lines.forEach(take);
  });
  stream.on("end", () => {
    if (rest) {
      take(rest);
    }
  });
}
