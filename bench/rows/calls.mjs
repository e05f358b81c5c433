// What Wix is asked, counted at the offline Wix.
import { control, file, peer, serve, settle, sim, token, visit } from "../lib/programs.mjs";
import { row } from "../lib/table.mjs";

// The offline Wix remembers the last 10,000 calls: each portion must cause fewer.
const portion = 2500;

export async function measure(add) {
  const wix = await sim();
  const servers = { ours: await serve(wix), peer: await peer(wix) };
  await settle(servers.ours, await token(wix));

  const count = async (path, tokens, requests) => {
    const counted = {};
    for (const [who, { url }] of Object.entries(servers)) {
      counted[who] = 0;
      for (let left = requests; left > 0; left -= portion) {
        await control(wix, "DELETE", "calls");
        await visit({ tokens, n: Math.min(left, portion), ask: `${url}/api/${path}` });
        counted[who] += (await control(wix, "GET", "calls")).length;
      }
    }
    return counted;
  };
  const mint = async (n, name) => {
    await visit({ wix: wix.url, n, tokens: file(name) });
    return file(name);
  };
  const one = await count("get-instance", await mint(1, "visitor"), 10_000);
  add(row("calls to Wix, 10,000 get-instance of one visitor", "calls", { ...one, limit: 1 }));
  const many = await count("get-instance", await mint(1000, "visitors"), 1000);
  add(row("calls to Wix, get-instance of 1,000 visitors", "calls", { ...many, limit: 1000 }));
  const data = await count("get-instance-data", await mint(1000, "others"), 1000);
  add(row("calls to Wix, get-instance-data of 1,000 visitors", "calls", { ...data, limit: 1000 }));
  await Promise.all([...Object.values(servers), wix].map((program) => program.stop()));
}
