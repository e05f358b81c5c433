// From the start of the process, on a new database, until it is ready.
import { inTurn } from "../lib/load.mjs";
import { bare, peer, serve, sim } from "../lib/programs.mjs";
import { row } from "../lib/table.mjs";

export async function measure(add) {
  const wix = await sim();
  const timed = (start) => async () => {
    const began = performance.now();
    const program = await start();
    const took = performance.now() - began;
    await program.stop();
    return took;
  };
  const contestants = { ours: () => serve(wix), peer: () => peer(wix), limit: () => bare() };
  const timedAll = Object.entries(contestants).map(([name, start]) => [name, timed(start)]);
  add(row("start to ready", "ms", await inTurn(Object.fromEntries(timedAll))));
  await wix.stop();
}
