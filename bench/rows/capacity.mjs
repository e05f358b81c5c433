// What one replica takes: first visits with Wix at a distance, webhooks, and bytes of the database
// for each installation. docs/operations.md, "Capacity", has what follows from them.
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { promisify } from "node:util";
import {
  control,
  deliver,
  file,
  folder,
  postgres,
  program,
  serve,
  sim,
  variable,
  visit,
} from "../lib/programs.mjs";
import { row } from "../lib/table.mjs";

const run = promisify(execFile);
const [sites, events, visits, stored] = [200, 5000, 2000, 100_000];
const rounds = 3;

export async function measure(add) {
  const wix = await sim();
  const installs = Array.from({ length: sites }, () => control(wix, "POST", "installs", {}));
  const installed = await Promise.all(installs);
  const [instances, key, pairs] = ["sites", "webhook-key", "pairs"].map(file);
  writeFileSync(instances, installed.map((i) => i.instanceId).join("\n"));
  writeFileSync(pairs, installed.map((i) => `${i.instanceId} ${i.siteId}`).join("\n"));
  const publicKey = await deliver({ key });

  const server = await postgres();
  const database = `bench_${randomUUID()}`;
  await run("bin/bench-seed", [`-database=${server.url}`, `-create=${database}`]);
  const url = server.url.replace(
    /^([^?]*\/)[^/?]*(\?|$)/,
    (_, machine, rest) => machine + database + rest,
  );
  try {
    for (const [name, at] of Object.entries({ SQLite: undefined, Postgres: url })) {
      const admin = await freePort();
      const ours = await serve(wix, at, {
        WIX_PUBLIC_KEY: publicKey,
        [variable("ADMIN_ADDR")]: `127.0.0.1:${admin}`,
      });
      const [to, metrics] = [`${ours.url}/webhooks/wix`, `http://127.0.0.1:${admin}/metrics`];
      const result = await deliver({ key, to, metrics, instances, n: events });
      await ours.stop();
      const of = `${events.toLocaleString("en")} webhooks of ${sites} sites, ${name}`;
      add(row(`${of}: accepted`, "/s", { ours: result.accepted }));
      add(row(`${of}: until all are applied`, "/s", { ours: result.applied }));
      add(row(`${of}: answer, p99`, "ms", { ours: result.p99 }));
    }
  } finally {
    await run("bin/bench-seed", [`-database=${server.url}`, `-drop=${database}`]);
    await server.stop();
  }

  for (const latency of ["50ms", "200ms"]) {
    await control(wix, "PUT", "faults", { endpoint: "token-info", latency });
    const taken = [];
    for (let round = 0; round < rounds; round++) {
      const ours = await serve(wix);
      const began = performance.now();
      await visit({ wix: wix.url, n: visits, ask: `${ours.url}/api/get-instance` });
      taken.push(visits / ((performance.now() - began) / 1000));
      await ours.stop();
    }
    add(row(`first visits, 32 at once, Wix ${latency} away`, "/s", { ours: taken }));
  }
  await control(wix, "DELETE", "faults");
  await wix.stop();

  const full = file("stored.db");
  await run(program, ["migrate"], { env: { [variable("DATABASE_URL")]: `sqlite:${full}` } });
  await run("bin/bench-seed", [`-database=sqlite:${full}`, `-instances=${pairs}`, `-n=${stored}`]);
  const bytes = readdirSync(folder)
    .filter((name) => name.startsWith("stored.db"))
    .reduce((sum, name) => sum + statSync(file(name)).size, 0);
  add(row("SQLite for each installation", "bytes", { ours: bytes / stored }));
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
