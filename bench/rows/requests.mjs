// get-instance and get-instance-data under load, with Wix near and 50 ms away.
import { inTurn, load, pick } from "../lib/load.mjs";
import { bare, control, file, peer, serve, settle, sim, token, visit } from "../lib/programs.mjs";
import { row } from "../lib/table.mjs";

const visitors = 10_000;
// Whoever asks Wix for every request waits 50 ms for each, so that its rate is decided by
// how many wait at once: 8 visitors make at most 160 a second.
const [near, away] = [{ connections: 32 }, { connections: 8 }];

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
  await visit({ wix: wix.url, n: visitors, tokens });
  // The first pass makes them known to those who remember.
  await visit({ tokens, n: visitors, ask: `${servers.ours.url}/api/get-instance` });

  const one = { headers: { Authorization: known } };
  const cases = [
    ["get-instance, one known token", "get-instance", one],
    ["get-instance, 10,000 visitors", "get-instance", { tokens }],
    ["get-instance-data", "get-instance-data", one],
  ];
  for (const [name, path, options] of cases) {
    const results = await race(servers, path, { ...options, ...near });
    add(row(name, "requests/s", pick(results, "rate")));
    add(row(`${name}, p99`, "ms", pick(results, "p99")));
  }
  await control(wix, "PUT", "faults", { endpoint: "*", latency: "50ms" });
  const { ours, peer: theirs } = servers;
  for (const [name, path, options] of cases) {
    const results = await race({ ours, peer: theirs }, path, { ...options, ...away }, 3);
    add(row(`${name}, Wix 50 ms away`, "requests/s", pick(results, "rate")));
    add(row(`${name}, Wix 50 ms away, p50`, "ms", pick(results, "p50")));
  }
  await Promise.all([...Object.values(servers), wix].map((program) => program.stop()));
}

function race(servers, path, options, rounds) {
  const contestants = Object.entries(servers).map(([who, { url }]) => [
    who,
    () => load(`${url}/api/${path}`, options),
  ]);
  return inTurn(Object.fromEntries(contestants), rounds);
}
