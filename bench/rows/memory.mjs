// The memory of a process, idle and after a million distinct tokens.
import { readFileSync } from "node:fs";
import { bare, peer, serve, sim, visit } from "../lib/programs.mjs";
import { row } from "../lib/table.mjs";

const tokens = 1_000_000;

function resident({ pid }) {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1];
  return (Number(kilobytes) * 1024) / 1e6;
}

export async function measure(add) {
  const wix = await sim();
  const servers = { ours: await serve(wix), peer: await peer(wix), limit: await bare() };
  const idle = Object.entries(servers).map(([who, program]) => [who, resident(program)]);
  add(row("resident, idle", "MB", Object.fromEntries(idle)));
  await visit({ wix: wix.url, n: tokens, ask: `${servers.ours.url}/api/get-instance` });
  const ours = resident(servers.ours);
  add(row(`resident, after ${tokens.toLocaleString("en")} distinct tokens`, "MB", { ours }));
  await Promise.all([...Object.values(servers), wix].map((program) => program.stop()));
}
