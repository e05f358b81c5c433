// The figures: ours, the peer, the limit and the ratios, printed and written to
// bench/results.json. `make bench` builds what it needs. BENCH_ONLY names the groups
// to run, such as requests,sizes.
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { stopAll } from "./lib/programs.mjs";
import { markdown } from "./lib/table.mjs";

const groups = [
  "sizes",
  "start",
  "requests",
  "calls",
  "static",
  "browser",
  "memory",
  "instances",
  "capacity",
];
const only = process.env.BENCH_ONLY?.split(",") ?? groups;
const began = new Date();
const rows = [];
try {
  for (const group of groups.filter((name) => only.includes(name))) {
    console.error(`${group} …`);
    try {
      const { measure } = await import(`./rows/${group}.mjs`);
      await measure((row) => rows.push(row));
    } catch (error) {
      // One group that fails leaves the others their say.
      rows.push({ name: group, failed: String(error.message ?? error).split("\n")[0] });
    }
  }
} finally {
  await stopAll();
}
const [{ model }] = cpus();
const seconds = Math.round((Date.now() - began) / 1000);
writeFileSync(
  new URL("results.json", import.meta.url),
  `${JSON.stringify({ began, seconds, processors: cpus().length, model, rows }, null, 2)}\n`,
);
console.log(markdown(rows));
console.log(
  `\nMedians (min–max) of rounds taken in turn; ratios, ours ÷ theirs, within a round. ${cpus().length} processors, ${seconds} s. Written to bench/results.json.`,
);
if (rows.some((row) => row.failed)) {
  process.exitCode = 1;
}
