// widget.js as brotli, whole and unchanged, beside net/http writing the same bytes.
import { inTurn, load, pick } from "../lib/load.mjs";
import { bare, serve, sim } from "../lib/programs.mjs";
import { row } from "../lib/table.mjs";

export async function measure(add) {
  const wix = await sim();
  const ours = await serve(wix);
  const netHttp = await bare("-net-http", "-file=widget/dist/widget.js.br");
  const br = { "Accept-Encoding": "br" };
  const etag = (await fetch(`${ours.url}/widget.js`, { headers: br })).headers.get("ETag");
  for (const [name, headers] of [
    ["widget.js, 200", br],
    ["widget.js, 304", { ...br, "If-None-Match": etag }],
  ]) {
    const results = await inTurn({
      ours: () => load(`${ours.url}/widget.js`, { headers }),
      netHttp: () => load(`${netHttp.url}/widget.js`, { headers }),
    });
    add(row(name, "requests/s", pick(results, "rate")));
  }
  await Promise.all([ours, netHttp, wix].map((program) => program.stop()));
}
