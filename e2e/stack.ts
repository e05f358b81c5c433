// The production program and the offline Wix, as two processes on two origins, a pair
// for each worker.
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as base, expect, type Page } from "@playwright/test";
import app from "../app.json" with { type: "json" };
import { freePort, own, Program } from "./process";

export { expect };
export const { id, name, tag } = app;

type Subject = "VISITOR" | "MEMBER" | "USER" | "APP";
type TokenRequest = {
  subject?: Subject;
  instanceId?: string;
  appId?: string;
  ttl?: string | number;
  active?: boolean;
  noInstance?: boolean;
};
type WixCall = { method: string; path: string; status: number; instanceId?: string };

type StackOptions = {
  /** More flags of the command sim. The stack has its addresses and credentials by then. */
  sim?: (stack: Stack) => string[];
  /** The path part of the public URL. */
  base?: string;
  /** Variables of the command serve, which are added to the usual ones or replace them. */
  env?: Record<string, string>;
};

export class Stack {
  readonly appId = randomUUID();
  readonly secret = randomUUID();
  app = "";
  wix = "";
  private base = "";
  private programs: Program[] = [];
  private folder = "";
  private serveEnv: Record<string, string> = {};
  private simArgs: string[] = [];
  private sim!: Program;
  server!: Program;

  async start(options: StackOptions = {}): Promise<this> {
    this.base = options.base ?? "";
    this.folder = await mkdtemp(join(tmpdir(), `${id}-e2e-`));
    this.app = `http://127.0.0.1:${await freePort()}`;
    this.wix = `http://127.0.0.1:${await freePort()}`;
    this.simArgs = [
      "sim",
      `--addr=${new URL(this.wix).host}`,
      `--app-id=${this.appId}`,
      `--app-secret=${this.secret}`,
      `--app-url=${this.app}${this.base}`,
      `--data=${join(this.folder, "wix.json")}`,
      ...(options.sim?.(this) ?? []),
    ];
    await this.startWix();
    const publicKey = await (await fetch(`${this.wix}/_sim/public-key`)).text();
    this.serveEnv = {
      WIX_API_URL: this.wix,
      WIX_APP_ID: this.appId,
      WIX_APP_SECRET: this.secret,
      WIX_PUBLIC_KEY: Buffer.from(publicKey).toString("base64"),
      ...own({
        ADDR: new URL(this.app).host,
        ADMIN_ADDR: "127.0.0.1:0",
        PUBLIC_URL: this.app + this.base,
        DATABASE_URL: `sqlite:${join(this.folder, "app.db")}`,
      }),
      ...options.env,
    };
    await this.serve();
    return this;
  }

  private async startWix(): Promise<void> {
    this.sim = new Program(this.simArgs);
    this.programs.push(this.sim);
    await this.sim.ready(`${this.wix}/_sim/health`);
  }

  /** Ends the offline Wix and starts it again. */
  async restartWix(): Promise<void> {
    await this.sim.stop();
    await this.startWix();
  }

  /** Starts the server. It can be started again after it has ended. */
  async serve(): Promise<void> {
    this.server = new Program(["serve"], this.serveEnv);
    this.programs.push(this.server);
    await this.server.ready(`${this.app}${this.base}/readyz`);
  }

  /** Runs a command beside the server, and returns what it prints. */
  async run(...command: string[]): Promise<string> {
    const program = new Program(command, this.serveEnv);
    await program.ended;
    return program.output;
  }

  async stop(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }

  private async control(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(`${this.wix}/_sim/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${await response.text()}`);
    }
    return response;
  }

  async install(site: Record<string, unknown> = {}): Promise<string> {
    return (await (await this.control("POST", "installs", site)).json()).instanceId;
  }

  async token(request: TokenRequest = {}): Promise<string> {
    const body = { subject: "VISITOR", ...request };
    return (await (await this.control("POST", "tokens", body)).json()).token;
  }

  async fault(fault: Record<string, unknown>): Promise<void> {
    await this.control("PUT", "faults", fault);
  }

  async mend(): Promise<void> {
    await this.control("DELETE", "faults");
  }

  async calls(instanceId?: string): Promise<WixCall[]> {
    const calls: WixCall[] = await (await this.control("GET", "calls")).json();
    return calls.filter((call) => !instanceId || call.instanceId === instanceId);
  }

  /** Sends a request to the API from outside a browser. */
  ask(path: string, token: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.app}/api/${path}`, {
      ...init,
      headers: { Authorization: token, ...init.headers },
    });
  }
}

/** Collects a page's console errors, exceptions and policy violations. Chromium's own
 *  line about a failed request is not collected, since some tests make requests fail. */
export function watch(page: Page): { errors: string[]; violations: string[] } {
  const seen = { errors: [] as string[], violations: [] as string[] };
  page.on("console", (message) => {
    if (message.type() !== "error") {
      return;
    }
    const text = message.text();
    if (/Content.Security.Policy|TrustedHTML|TrustedScript/.test(text)) {
      seen.violations.push(text);
    } else if (!text.startsWith("Failed to load resource")) {
      seen.errors.push(text);
    }
  });
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  return seen;
}

/** Collects the states that the widgets of a page and of its frames report, the newest last. */
export async function watchStates(page: Page): Promise<string[]> {
  const states: string[] = [];
  await page.exposeFunction("reportState", (state: string) => states.push(state));
  await page.addInitScript((type) => {
    addEventListener(type, (event) => {
      const { state, code } = (event as CustomEvent<{ state: string; code?: string }>).detail;
      // biome-ignore lint/suspicious/noExplicitAny: exposed by the line above
      (globalThis as any).reportState(code ? `${state} ${code}` : state);
    });
  }, `${id}-state`);
  return states;
}

const axeSource = readFile(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

/** Fails with the violations that axe finds on the page and in its frames. */
export async function expectAccessible(page: Page, disabled: string[] = []): Promise<void> {
  const source = await axeSource;
  for (const frame of page.frames()) {
    // The page's CSP would block a script element, but not evaluate().
    await frame.evaluate(source);
    const found = await frame.evaluate(async (rules) => {
      // biome-ignore lint/suspicious/noExplicitAny: the line above defines axe
      const result = await (globalThis as any).axe.run(document, {
        iframes: false,
        rules: Object.fromEntries(rules.map((rule: string) => [rule, { enabled: false }])),
      });
      return result.violations.map(
        (v: { id: string; nodes: { html: string; failureSummary: string }[] }) =>
          `${v.id}: ${v.nodes.map((n) => `${n.html} ${n.failureSummary}`).join(" | ")}`,
      );
    }, disabled);
    expect(found, `axe on ${frame.url()}`).toEqual([]);
  }
}

export const test = base.extend<{ clean: undefined }, { stack: Stack }>({
  stack: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright requires the pattern
    async ({}, use) => {
      const stack = await new Stack().start();
      await use(stack);
      await stack.stop();
    },
    { scope: "worker" },
  ],
  // Removes the faults that a test has set.
  clean: [
    async ({ stack }, use) => {
      await use(undefined);
      await stack.mend();
    },
    { auto: true },
  ],
});
