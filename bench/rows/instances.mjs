// Whether a million installed instances make a visit slower than a thousand do.
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { inTurn, load } from "../lib/load.mjs";
import { control, file, serve, sim, visit } from "../lib/programs.mjs";
import { row } from "../lib/table.mjs";

const [few, many] = [1000, Number(process.env.NAMETAG_BENCH_INSTANCES ?? 1_000_000)];
const visited = 500; // sites
const seed = (...flags) => promisify(execFile)("bin/bench-seed", flags);

export async function measure(add) {
  const wix = await sim();
  const ids = [];
  for (let i = 0; i < visited; i++)
    ids.push((await control(wix, "POST", "installs", {})).instanceId);
  const instances = file("instances");
  writeFileSync(instances, ids.join("\n"));
  const tokens = file("tokens-of-instances");
  await visit({ wix: wix.url, n: visited * 10, tokens, instances });
  await compare(add, wix, tokens, "SQLite", {
    few: `sqlite:${file("few.db")}`,
    many: `sqlite:${file("many.db")}`,
  });

  const postgres = process.env.NAMETAG_TEST_POSTGRES;
  if (!postgres) {
    console.error("Postgres: left out, NAMETAG_TEST_POSTGRES names no server");
    return wix.stop();
  }
  const names = { few: `bench_${randomUUID()}`, many: `bench_${randomUUID()}` };
  try {
    const urls = {};
    for (const [size, name] of Object.entries(names)) {
      await seed(`-database=${postgres}`, `-create=${name}`);
      urls[size] = postgres.replace(
        /^([^?]*\/)[^/?]*(\?|$)/,
        (_, server, rest) => server + name + rest,
      );
    }
    await compare(add, wix, tokens, "Postgres", urls);
  } finally {
    for (const name of Object.values(names)) await seed(`-database=${postgres}`, `-drop=${name}`);
  }
  await wix.stop();
}

/** Fills both databases, and visits them in turn, each time by a new process. */
async function compare(add, wix, tokens, name, urls) {
  for (const [size, n] of Object.entries({ few, many })) {
    const first = await serve(wix, urls[size]);
    await visit({ tokens, n: visited, ask: `${first.url}/api/get-instance` });
    await first.stop();
    await seed(`-database=${urls[size]}`, `-n=${n}`);
  }
  const round = async (url) => {
    const ours = await serve(wix, url);
    const ask = `${ours.url}/api/get-instance`;
    const cold = await visit({ tokens, n: visited * 10, ask });
    const warm = await load(ask, { tokens });
    await ours.stop();
    return { cold, warm };
  };
  const results = await inTurn({ many: () => round(urls.many), few: () => round(urls.few) });
  for (const [state, label] of [
    ["cold", "first visits"],
    ["warm", "known visitors"],
  ]) {
    for (const percentile of ["p50", "p99"]) {
      const [ours, limit] = [results.many, results.few].map((list) =>
        list.map((r) => r[state][percentile]),
      );
      const title = `${many.toLocaleString("en")} instances in ${name}, ${label}, ${percentile} (limit: 1,000)`;
      add(row(title, "ms", { ours, limit }));
    }
  }
}
