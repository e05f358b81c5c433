// From the request for the script to the widget that shows the site's name, in Chromium
// with a processor four times slower and a network of 1.6 Mb/s and 150 ms. The page holds
// nothing but the tag, and has the visitor's token at hand when the widget comes, as a
// page of Wix has fetched it by then: what is timed is the widget, and only the script
// differs. Chromium slows no preflight, which costs all three the same.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { chromium } from "@playwright/test";
import { inTurn, pick } from "../lib/load.mjs";
import { file, serve, settle, sim, tag, token } from "../lib/programs.mjs";
import { row } from "../lib/table.mjs";
import { bundle } from "../peer/build.mjs";

const siteName = "My Wix Site";

export async function measure(add) {
  for (const source of ["widget.tsx", "bare-element.js"]) {
    await bundle(source, file(source));
  }
  const wix = await sim();
  const ours = await serve(wix);
  // Ours asks no server but its script's, so it takes the script for the server's own.
  const address = JSON.stringify(`${ours.url}/widget.js`);
  const scripts = {
    ours: script("widget/dist/widget.js", (code) => code.replace("import.meta.url", address)),
    peer: script(join(file("widget.tsx"), "widget.js")),
    limit: script(join(file("bare-element.js"), "bare-element.js")),
  };
  const known = await token(wix);
  await settle(ours, known);
  let current;
  const files = createServer(({ url }, response) => {
    if (url === "/") {
      response.writeHead(200, { "Content-Type": "text/html" }).end(page(ours.url, known));
      return;
    }
    response
      .writeHead(200, { "Content-Type": "text/javascript", "Content-Encoding": "br" })
      .end(current);
  });
  await new Promise((resolve) => files.listen(0, "127.0.0.1", resolve));
  const site = `http://127.0.0.1:${files.address().port}/`;
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
  });
  try {
    const contestants = Object.entries(scripts).map(([who, bytes]) => [
      who,
      () => {
        current = bytes;
        return open(browser, site);
      },
    ]);
    const results = await inTurn(Object.fromEntries(contestants));
    add(row("script request to first paint, slowed Chromium", "ms", pick(results, "painted")));
    add(row("script request to identified, slowed Chromium", "ms", pick(results, "identified")));
    add(row("the widget's requests until its first paint", "requests", pick(results, "requests")));
  } finally {
    await browser.close();
    files.close();
  }
  await Promise.all([ours, wix].map((program) => program.stop()));
}

const page = (server, token) => `<!doctype html>
<meta name="viewport" content="width=device-width">
<${tag} api-base="${server}/api/" display-name="Ada"></${tag}>
<script type="module" src="widget.js"></script>
<script type="module">
  await customElements.whenDefined("${tag}");
  document.querySelector("${tag}").accessTokenListener(async () => "${token}");
</script>`;

const script = (path, change = (code) => code) =>
  brotliCompressSync(change(readFileSync(path, "utf8")));

/** One visit in a browser that knows nothing. */
async function open(browser, site) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  const throughput = 1.6e6 / 8;
  await cdp.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 150,
    downloadThroughput: throughput,
    uploadThroughput: throughput,
  });
  await page.addInitScript(watch, { tag, siteName });
  await page.goto(site);
  await page.waitForFunction(() => globalThis.seen?.identified, null, { timeout: 30_000 });
  const result = await page.evaluate(() => {
    const { painted, identified } = globalThis.seen;
    const entries = performance.getEntriesByType("resource");
    const { startTime } = entries.find((entry) => entry.name.endsWith("/widget.js"));
    return {
      painted: painted - startTime,
      identified: identified - startTime,
      requests: entries.filter((e) => e.responseEnd && e.responseEnd < painted).length,
    };
  });
  await context.close();
  return result;
}

/** In the page: looks at every frame what the widget shows. */
function watch({ tag, siteName }) {
  const seen = {};
  globalThis.seen = seen;
  const look = () => {
    const element = document.querySelector(tag);
    const text = `${element?.textContent}${element?.shadowRoot?.textContent ?? ""}`;
    if (/Hello/.test(text)) {
      seen.painted ??= performance.now();
    }
    if (text.includes(siteName)) {
      seen.identified = performance.now();
    } else {
      requestAnimationFrame(look);
    }
  };
  requestAnimationFrame(look);
}
