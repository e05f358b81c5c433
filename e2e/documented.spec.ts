// The official packages in the browser: an element written as Wix documents it runs on
// the simulated site and gets its answers from the server. There are three origins: the
// element's script, the site, the server.
import { serveScript } from "./documented/scripts";
import { expect, Stack, test, watch } from "./stack";

test("an element on the unmodified @wix/sdk and @wix/site gets its answers", async ({ page }) => {
  const script = await serveScript("./element.ts");
  const stack = await new Stack().start({
    sim: ({ app, appId }) => [
      "--tag=documented-element",
      `--widget-url=${script.url}?${new URLSearchParams({ backend: app, app: appId })}`,
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
    script.close();
  }
});

test("the documented React widget gets its answer", async ({ page }) => {
  const script = await serveScript("./react.tsx");
  const stack = await new Stack().start({
    sim: ({ app, appId }) => [
      "--tag=documented-react",
      `--widget-url=${script.url}?${new URLSearchParams({ backend: app, app: appId })}`,
    ],
  });
  try {
    const instanceId = await stack.install({ siteDisplayName: "Judge's Court" });
    const seen = watch(page);
    await page.goto(
      `${stack.wix}/site?instance=${instanceId}&copies=2&attr.display-name=Ada&script=module`,
    );
    const element = page.locator("documented-react");
    await expect(element).toContainText([/Hello Ada\. .*Judge's Court/, /Judge's Court/]);
    expect(seen.errors).toEqual([]);
  } finally {
    await stack.stop();
    script.close();
  }
});
