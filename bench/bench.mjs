// Prints the figures: get-instance beside a bare Echo handler, taken in turn in one
// run, and the sizes. Usage: node bench/bench.mjs (make bench builds what it needs).
import { spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const wrk = process.env.WRK ?? "wrk";
const rounds = Number(process.env.ROUNDS ?? 5);
const seconds = Number(process.env.SECONDS_PER_ROUND ?? 5);
const folder = mkdtempSync(join(tmpdir(), "nametag-bench-"));
const children = [];

/** Starts a program and resolves with what `find` makes of its output. */
function start(command, args, env, find) {
  const child = spawn(command, args, { env: { PATH: process.env.PATH, ...env } });
  children.push(child);
  return new Promise((resolve, reject) => {
    let output = "";
    const take = (chunk) => {
      output += chunk;
      const found = find(output);
      if (found) resolve(found);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("close", () => reject(new Error(`${command} ended:\n${output}`)));
  });
}

const listening = (output) => /"msg":"listening","url":"([^"]+)"/.exec(output)?.[1];

function serve(env, name) {
  return start(
    "bin/nametag",
    ["serve"],
    {
      NAMETAG_ADDR: "127.0.0.1:0",
      NAMETAG_ADMIN_ADDR: "127.0.0.1:0",
      NAMETAG_DATABASE_URL: `sqlite:${join(folder, name)}`,
      ...env,
    },
    listening,
  );
}

/** One round of load. Requests per second, and the 99th percentile in milliseconds. */
function load(url, token) {
  const args = ["-t1", "-c32", `-d${seconds}s`, "--latency", "-H", `Authorization: ${token}`, url];
  const { stdout } = spawnSync(wrk, args, { encoding: "utf8" });
  if (/Non-2xx/.test(stdout)) throw new Error(stdout);
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout);
  return {
    rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]),
    p99: Number(p99) * { us: 0.001, ms: 1, s: 1000 }[unit],
  };
}

const sorted = (list) => [...list].sort((a, b) => a - b);
const median = (list) => sorted(list)[Math.floor(list.length / 2)];
const spread = (list, digits) => {
  const s = sorted(list);
  return `${median(s).toFixed(digits)} (${s[0].toFixed(digits)}–${s.at(-1).toFixed(digits)})`;
};

function brotliBytes(dir, pattern) {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

try {
  const [appId, secret] = [randomUUID(), randomUUID()];
  const wix = await start(
    "bin/nametag",
    ["sim", "--addr=127.0.0.1:0", `--app-id=${appId}`, `--app-secret=${secret}`],
    {},
    (output) => /offline Wix is at (\S+)\//.exec(output)?.[1],
  );
  const env = { WIX_API_URL: wix, WIX_APP_ID: appId, WIX_APP_SECRET: secret };

  const ready = [];
  for (let i = 0; i < rounds; i++) {
    const began = performance.now();
    await serve(env, `start-${i}.db`);
    ready.push(performance.now() - began);
    children.at(-1).removeAllListeners("close").kill("SIGKILL");
  }

  const ours = `${await serve(env, "load.db")}/api/get-instance`;
  const limit = `${await start(process.env.BARE ?? "bin/bare", [], {}, (o) => /(http:\S+)/.exec(o)?.[1])}/api/get-instance`;
  const minted = await fetch(`${wix}/_sim/tokens`, {
    method: "POST",
    body: '{"subject":"VISITOR"}',
  });
  const { token } = await minted.json();
  for (const url of [ours, limit]) await fetch(url, { headers: { Authorization: token } });

  const rows = { ours: [], limit: [] };
  for (let i = 0; i < rounds; i++) {
    rows.ours.push(load(ours, token));
    rows.limit.push(load(limit, token));
  }
  const rates = (list) => list.map((r) => r.rate);
  const p99s = (list) => list.map((r) => r.p99);
  const ratio = (f) => rows.ours.map((r, i) => f(r) / f(rows.limit[i]));
  console.table({
    "get-instance, known token, requests/s": {
      nametag: spread(rates(rows.ours), 0),
      "bare Echo": spread(rates(rows.limit), 0),
      ratio: spread(
        ratio((r) => r.rate),
        2,
      ),
    },
    "the same, 99th percentile, ms": {
      nametag: spread(p99s(rows.ours), 2),
      "bare Echo": spread(p99s(rows.limit), 2),
      ratio: spread(
        ratio((r) => r.p99),
        2,
      ),
    },
    "start to ready, ms": { nametag: spread(ready, 0) },
    "widget.js, brotli, bytes": { nametag: brotliBytes("widget/dist", /^widget\.js\.br$/) },
    "panel JS and CSS, brotli, bytes": { nametag: brotliBytes("panel/dist", /\.(js|css)\.br$/) },
    "bin/nametag, bytes": { nametag: statSync("bin/nametag").size },
  });
  console.log(
    `Medians (min–max) of ${rounds} rounds of ${seconds} s in turn; ratios are within a round.`,
  );
} finally {
  for (const child of children) child.removeAllListeners("close").kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
