// The programs that are measured: started, found by what they print, ended at the end.
import { execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import app from "../../app.json" with { type: "json" };

const running = new Set();
export const folder = mkdtempSync(join(tmpdir(), `${app.id}-bench-`));
export const file = (name) => join(folder, name);
export const { tag } = app;
/** The program that is measured. */
export const program = process.env.BENCH_PROGRAM ?? `bin/${app.id}`;
/** The full name of one of its environment variables. */
export const variable = (name) => `${app.id.toUpperCase().replaceAll("-", "_")}_${name}`;
export const [appId, appSecret] = [randomUUID(), randomUUID()];

/** Starts a program; resolves with what `find` makes of its output. */
export async function start(command, args, env, find) {
  const child = spawn(command, args, { env: { PATH: process.env.PATH, ...env } });
  running.add(child);
  const found = await new Promise((resolve, reject) => {
    let output = "";
    const take = (chunk) => {
      if (output.length < 10_000) {
        output += chunk;
      }
      const it = find(output);
      if (it) {
        resolve(it);
      }
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", reject);
    child.on("close", () => reject(new Error(`${command} ended: ${output}`)));
  });
  return { url: found, pid: child.pid, stop: () => stop(child) };
}

async function stop(child) {
  running.delete(child);
  if (child.exitCode === null && child.signalCode === null) {
    const closed = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGINT");
    const late = setTimeout(() => child.kill("SIGKILL"), 5000);
    await closed;
    clearTimeout(late);
  }
}

export async function stopAll() {
  await Promise.all([...running].map(stop));
  rmSync(folder, { recursive: true, force: true });
}

export function sim(...flags) {
  const credentials = [`--app-id=${appId}`, `--app-secret=${appSecret}`];
  return start(
    program,
    ["sim", "--addr=127.0.0.1:0", "--data=none", ...credentials, ...flags],
    {},
    (output) => /offline Wix is at (\S+)\//.exec(output)?.[1],
  );
}

/** Starts the server on a new SQLite file, or on the database of that URL. */
export function serve(wix, database = `sqlite:${file(`${randomUUID()}.db`)}`, more = {}) {
  const env = {
    WIX_API_URL: wix.url,
    WIX_APP_ID: appId,
    WIX_APP_SECRET: appSecret,
    [variable("ADDR")]: "127.0.0.1:0",
    [variable("ADMIN_ADDR")]: "127.0.0.1:0",
    [variable("DATABASE_URL")]: database,
    ...more,
  };
  const listening = (output) => /"msg":"listening","url":"([^"]+)"/.exec(output)?.[1];
  return start(program, ["serve"], env, listening);
}

const address = (output) => /(http:\S+)\s/.exec(output)?.[1];
export const bare = (...flags) => start("bin/bench-bare", flags, {}, address);
export const peer = (wix) =>
  start(
    process.execPath,
    ["bench/peer/server.mjs"],
    { NODE_ENV: "production", WIX_URL: wix.url, APP_ID: appId, APP_SECRET: appSecret },
    address,
  );

/** A Postgres server: its URL. */
export const postgres = () =>
  start(
    "bin/bench-postgres",
    [],
    { ...process.env },
    (output) => /^(postgres\S+)\s/m.exec(output)?.[1],
  );

/** Visitors, by the Go program beside: {answers, p50, p99} where they ask. */
export async function visit(flags) {
  const args = Object.entries(flags).map(([name, value]) => `-${name}=${value}`);
  const { stdout } = await promisify(execFile)("bin/bench-visit", args);
  return stdout && JSON.parse(stdout);
}

/** Wix's webhooks, by the Go program beside: {accepted, applied, p50, p99}. */
export async function deliver(flags) {
  const args = Object.entries(flags).map(([name, value]) => `-${name}=${value}`);
  const { stdout } = await promisify(execFile)("bin/bench-webhook", args);
  return flags.to ? JSON.parse(stdout) : stdout;
}

/** The offline Wix's control API. */
export async function control(wix, method, path, body) {
  const answer = await fetch(`${wix.url}/_sim/${path}`, { method, body: JSON.stringify(body) });
  if (!answer.ok) {
    throw new Error(`${method} ${path}: ${await answer.text()}`);
  }
  return answer.status === 204 ? undefined : answer.json();
}

export const token = async (wix) =>
  (await control(wix, "POST", "tokens", { subject: "VISITOR" })).token;

/** Asks until our own store knows the site's name, which is read from Wix after a first visit. */
export async function settle(ours, known) {
  for (let tries = 0; tries < 200; tries++) {
    const answer = await fetch(`${ours.url}/api/get-instance`, {
      headers: { Authorization: known },
    });
    if ((await answer.text()).includes("siteDisplayName")) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error("the site's name never came");
}
