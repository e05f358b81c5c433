// Whether a million installed instances make a visit slower than a thousand do. A
// first visit reads the row of its instance from the database, in a server that has just
// been started; a known one finds it in memory.
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { inTurn, load } from "../lib/load.mjs";
import { control, file, postgres, program, serve, sim, variable, visit } from "../lib/programs.mjs";
import { row } from "../lib/table.mjs";

const run = promisify(execFile);
const [few, many] = [1000, 1_000_000];
const seed = (...flags) => run("bin/bench-seed", flags);

export async function measure(add) {
  const wix = await sim();
  const installs = Array.from({ length: few }, () => control(wix, "POST", "installs", {}));
  const pairs = (await Promise.all(installs)).map((i) => `${i.instanceId} ${i.siteId}`);
  const [ids, visited, tokens] = ["ids", "visited", "tokens-of-instances"].map(file);
  writeFileSync(ids, pairs.map((pair) => pair.split(" ")[0]).join("\n"));
  writeFileSync(visited, pairs.join("\n"));
  await visit({ wix: wix.url, n: few, tokens, instances: ids });

  /** Fills both databases, and visits them in turn, each time by a new process. */
  const compare = async (name, urls) => {
    for (const [size, n] of Object.entries({ few, many })) {
      await run(program, ["migrate"], { env: { [variable("DATABASE_URL")]: urls[size] } });
      await seed(`-database=${urls[size]}`, `-instances=${visited}`, `-n=${n}`);
    }
    const round = async (url) => {
      const ours = await serve(wix, url);
      const ask = `${ours.url}/api/get-instance`;
      const first = await visit({ tokens, n: few, ask });
      const known = await load(ask, { tokens });
      await ours.stop();
      return { first, known };
    };
    const turns = { many: () => round(urls.many), few: () => round(urls.few) };
    const results = await inTurn(turns);
    for (const [state, label] of Object.entries({ first: "first visits", known: "known" })) {
      for (const percentile of ["p50", "p99"]) {
        const [ours, limit] = [results.many, results.few].map((rounds) =>
          rounds.map((r) => r[state][percentile]),
        );
        const title = `1,000,000 instances in ${name}, ${label}, ${percentile} (limit: 1,000 instances)`;
        add(row(title, "ms", { ours, limit }));
      }
    }
  };

  await compare("SQLite", {
    few: `sqlite:${file("few.db")}`,
    many: `sqlite:${file("many.db")}`,
  });
  const server = await postgres();
  const names = { few: `bench_${randomUUID()}`, many: `bench_${randomUUID()}` };
  try {
    const urls = {};
    for (const [size, name] of Object.entries(names)) {
      await seed(`-database=${server.url}`, `-create=${name}`);
      urls[size] = server.url.replace(
        /^([^?]*\/)[^/?]*(\?|$)/,
        (_, machine, rest) => machine + name + rest,
      );
    }
    await compare("Postgres", urls);
  } finally {
    for (const name of Object.values(names)) {
      await seed(`-database=${server.url}`, `-drop=${name}`);
    }
    await server.stop();
  }
  await wix.stop();
}
