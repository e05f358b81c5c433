// Load by wrk, and rounds of it in turn.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const wrk = process.env.WRK ?? "wrk";

/** One round of a second: requests per second, and the 99th percentile in milliseconds. */
export async function load(url, { headers = {}, tokens, connections = 32 } = {}) {
  const args = ["-t1", `-c${connections}`, "-d1s", "--latency"];
  for (const [name, value] of Object.entries(headers)) {
    args.push("-H", `${name}: ${value}`);
  }
  if (tokens) {
    args.push("-s", "bench/rotate.lua");
  }
  args.push(url);
  if (tokens) {
    args.push("--", tokens);
  }
  const { stdout } = await promisify(execFile)(wrk, args);
  if (/Non-2xx|Socket errors/.test(stdout)) {
    throw new Error(stdout.replaceAll(/\s+/g, " "));
  }
  const percentile = (p) => {
    const [, value, unit] = new RegExp(`${p}%\\s+([\\d.]+)(us|ms|s)`).exec(stdout);
    return Number(value) * { us: 0.001, ms: 1, s: 1000 }[unit];
  };
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]);
  return { rate, p50: percentile(50), p99: percentile(99) };
}

/** Measures the contestants in turn, A B A B …: for each, the list of its rounds. */
export async function inTurn(contestants, rounds = 5) {
  const results = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
  for (let i = 0; i < rounds; i++) {
    for (const [name, measure] of Object.entries(contestants)) {
      results[name].push(await measure());
    }
  }
  return results;
}

/** The same figure of every round. */
export const pick = (results, field) =>
  Object.fromEntries(
    Object.entries(results).map(([name, list]) => [name, list.map((r) => r[field])]),
  );
