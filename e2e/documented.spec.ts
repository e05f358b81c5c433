// The official packages in the browser: an element written as Wix documents it runs on
// the simulated site and gets its answers from the server. There are three origins: the
// element's script, the site, the server.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { expect, Stack, test, watch } from "./stack";

let server: Server;
let script = "";

test.beforeAll(async () => {
  const result = await build({
    configFile: false,
    logLevel: "silent",
    define: { "process.env.NODE_ENV": '"production"' },
    build: {
      write: false,
      rolldownOptions: {
        input: fileURLToPath(new URL("./documented/element.ts", import.meta.url)),
        output: { format: "es", codeSplitting: false },
      },
    },
  });
  if (!("output" in result)) {
    throw new Error("vite gave no single output");
  }
  const [{ code }] = result.output;
  server = createServer((_, response) => {
    response.writeHead(200, {
      "Content-Type": "text/javascript",
      "Access-Control-Allow-Origin": "*",
    });
    response.end(code);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  script = `http://127.0.0.1:${(server.address() as AddressInfo).port}/element.js`;
});

test.afterAll(() => new Promise((resolve) => server.close(resolve)));

test("an element on the unmodified @wix/sdk and @wix/site gets its answers", async ({ page }) => {
  const stack = await new Stack().start({
    sim: ({ app, appId }) => [
      "--tag=documented-element",
      `--widget-url=${script}?${new URLSearchParams({ backend: app, app: appId })}`,
    ],
  });
  try {
    const instanceId = await stack.install({ siteDisplayName: "Judge's Court", plan: "silver" });
    const seen = watch(page);
    const requests: Record<string, string>[] = [];
    page.on("request", async (request) => {
      if (request.url().includes("/api/")) {
        requests.push(await request.allHeaders());
      }
    });
    await page.goto(`${stack.wix}/site?instance=${instanceId}&copies=1&language=en`);
    const element = page.locator("documented-element");
    await expect(element).toContainText("siteDisplayName");
    const [known, data] = JSON.parse((await element.textContent()) ?? "");
    expect(known.status).toBe(200);
    expect(data.body).toMatchObject({
      instance: { isFree: false, billing: { packageName: "silver" } },
      site: { siteDisplayName: "Judge's Court" },
    });
    expect(JSON.stringify(data)).not.toContain(instanceId);
    // Only the real @wix/site adds this header, which the server's CORS rules must allow.
    expect(requests.length).toBeGreaterThanOrEqual(2);
    for (const headers of requests) {
      expect(headers["x-wix-linguist"]).toMatch(/^en\|/);
      expect(headers.authorization).toMatch(/^OauthNG\.JWS\./);
    }
    expect(seen.errors).toEqual([]);
  } finally {
    await stack.stop();
  }
});
