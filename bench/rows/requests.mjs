// get-instance and get-instance-data under load, with Wix near and 50 ms away.
import { inTurn, load, pick } from "../lib/load.mjs";
import { bare, control, file, peer, serve, settle, sim, token, visit } from "../lib/programs.mjs";
import { row } from "../lib/table.mjs";

const visitors = 10_000;

export async function measure(add) {
  const wix = await sim();
  const servers = {
    ours: await serve(wix),
    peer: await peer(wix),
    limit: await bare(),
    netHttp: await bare("-net-http"),
  };
  const known = await token(wix);
  await settle(servers.ours, known);
  const tokens = file("tokens");
  // The first pass makes them known to those who remember.
  const ask = `${servers.ours.url}/api/get-instance`;
  await visit({ wix: wix.url, n: visitors, tokens, ask });

  const one = { headers: { Authorization: known } };
  for (const [away, latency] of [
    ["", ""],
    [", Wix 50 ms away", "50ms"],
  ]) {
    if (latency) await control(wix, "PUT", "faults", { endpoint: "*", latency });
    for (const [name, path, options] of [
      ["get-instance, one known token", "get-instance", one],
      ["get-instance, 10,000 visitors", "get-instance", { tokens }],
      ["get-instance-data", "get-instance-data", one],
    ]) {
      const contestants = Object.entries(servers).map(([who, { url }]) => [
        who,
        () => load(`${url}/api/${path}`, options),
      ]);
      const results = await inTurn(Object.fromEntries(contestants));
      add(row(`${name}${away}`, "requests/s", pick(results, "rate")));
      add(row(`${name}${away}, p99`, "ms", pick(results, "p99")));
    }
  }
  await Promise.all([...Object.values(servers), wix].map((program) => program.stop()));
}
