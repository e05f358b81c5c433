// Starts the program, waits until it is ready, and collects its output and its exit.
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import app from "../app.json" with { type: "json" };

const binary = fileURLToPath(new URL(`../bin/${app.id}`, import.meta.url));
const prefix = `${app.id.toUpperCase().replaceAll("-", "_")}_`;

/** Gives the program's own variables their full names. */
export const own = (values: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));

/** Returns a port that is free now; another process may still take it. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") {
    throw new Error("no port");
  }
  return address.port;
}

export class Program {
  output = "";
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  private readonly child: ChildProcess;

  constructor(args: string[], env: Record<string, string> = {}) {
    this.child = spawn(binary, args, {
      env: { PATH: process.env.PATH, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const take = (chunk: Buffer) => {
      this.output += chunk.toString();
    };
    this.child.stdout?.on("data", take);
    this.child.stderr?.on("data", take);
    this.ended = new Promise((resolve) => {
      this.child.on("close", (code, signal) => resolve({ code, signal }));
    });
  }

  /** Waits until the program answers at a URL. Fails with its output when it ends before that. */
  async ready(url: string): Promise<void> {
    let over = false;
    this.ended.then(() => {
      over = true;
    });
    const deadline = Date.now() + 60_000;
    for (;;) {
      if (over) {
        throw new Error(`the program ended before it was ready:\n${this.output}`);
      }
      try {
        if ((await fetch(url)).ok) {
          return;
        }
      } catch {
        // not listening yet
      }
      if (Date.now() > deadline) {
        throw new Error(`not ready after a minute:\n${this.output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async stop(): Promise<void> {
    this.kill("SIGINT");
    await this.ended;
  }
}
