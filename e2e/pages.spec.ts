// The simulated pages, judged by unmodified packages of Wix in scripts of other apps.
import { serveScript } from "./documented/scripts";
import { expect, Stack, test, watch } from "./stack";

const tag = "documented-element";

/** Runs an offline Wix for an app whose only part is a script of the folder documented. */
async function withApp(
  name: string,
  format: "es" | "iife",
  use: (stack: Stack, instanceId: string) => Promise<void>,
): Promise<void> {
  const script = await serveScript(name, { format });
  const stack = new Stack();
  try {
    await stack.start({
      sim: ({ app, appId }) => [
        `--tag=${tag}`,
        `--widget-url=${script.url}?${new URLSearchParams({ backend: app, app: appId })}`,
      ],
    });
    await use(stack, await stack.install());
  } finally {
    await stack.stop();
    script.close();
  }
}

test("@wix/site-window tells a site from the editor and its preview", async ({ page }) => {
  await withApp("./window.ts", "es", async (stack, instance) => {
    const seen = watch(page);
    await page.goto(`${stack.wix}/site?instance=${instance}`);
    await expect(page.locator(tag)).toHaveText("Site 200");

    await page.goto(`${stack.wix}/editor?instance=${instance}`);
    const onStage = page.frameLocator("iframe.page").locator(tag);
    await expect(onStage).toHaveText("Editor");
    await page.getByRole("switch", { name: "Preview" }).check();
    await page.getByRole("switch", { name: "Sandbox" }).uncheck(); // loads the stage again
    await expect(onStage).toHaveText("Preview");
    expect(seen.errors).toEqual([]);
  });
});

test("an element that is mounted later gets the token, also on another page of the site", async ({
  page,
}) => {
  await withApp("./window.ts", "es", async (stack, instance) => {
    const published = await fetch(`${stack.wix}/_sim/published/${instance}`, {
      method: "PUT",
      body: JSON.stringify({ elements: [] }),
    });
    expect(published.status).toBe(204);
    const seen = watch(page);
    await page.goto(`${stack.wix}/site?instance=${instance}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await page.evaluate((name) => {
      document.querySelector("[data-slot]")?.append(document.createElement(name));
    }, tag);
    await expect(page.locator(tag)).toHaveText("Site 200");

    // A page that was loaded with an element makes new ones at each navigation.
    await page.goto(`${stack.wix}/site?instance=${instance}&copies=1`);
    const element = page.locator(tag);
    await expect(element).toHaveText("Site 200");
    const mark = () => element.evaluate((it) => it.setAttribute("data-old", ""));
    await mark();
    await page.getByRole("link", { name: "Visit" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(/gate/);
    await expect(page.locator(`${tag}:not([data-old])`)).toHaveText("Site 200");
    await mark();
    await page.goBack();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(/Herbs/);
    await expect(page.locator(`${tag}:not([data-old])`)).toHaveText("Site 200");
    expect(await page.evaluate(() => performance.getEntriesByType("navigation").length)).toBe(1);
    expect(seen.errors).toEqual([]);
  });
});

test("a classic script gets the token of wixEmbedsAPI while it runs", async ({ page }) => {
  await withApp("./embedded.ts", "iife", async (stack, instance) => {
    const seen = watch(page);
    await page.goto(`${stack.wix}/site?instance=${instance}&script=classic`);
    await expect(page.locator("output")).toHaveText("200");
    expect(seen.errors).toEqual([]);
    // Wix knows the app by the current script. There is none in a module, or later.
    // biome-ignore lint/suspicious/noExplicitAny: a global of Wix's pages
    const later = () => (globalThis as any).wixEmbedsAPI.getAccessTokenFunction();
    expect(await page.evaluate(later)).toBeUndefined();
  });
});

for (const [version, name] of [
  ["newest", "@wix/editor"],
  ["oldest", "wix-editor-oldest"],
] as const) {
  test(`the ${version} @wix/editor gets the signed app instance that the panel's URL has`, async ({
    page,
  }) => {
    const script = await serveScript("./panel.ts", { alias: { "@wix/editor": name } });
    const stack = new Stack();
    try {
      await stack.start({ sim: () => [`--panel-url=${script.page}`, "--owner-subject=APP"] });
      const instanceId = await stack.install();
      await page.goto(`${stack.wix}/editor?instance=${instanceId}`);
      const body = page.frameLocator("#panel-frame").locator("body");
      await expect(body).toContainText("{");
      const found = JSON.parse((await body.textContent()) ?? "");
      expect(found.answered).toBe(found.inUrl);
      for (const token of [found.inUrl, found.token]) {
        const info = await fetch(`${stack.wix}/oauth2/token-info`, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ token }),
        });
        expect(await info.json()).toMatchObject({ active: true, subjectType: "APP", instanceId });
      }
    } finally {
      await stack.stop();
      script.close();
    }
  });
}

test("@wix/dashboard asks as the owner, and its page has the signed app instance", async ({
  page,
}) => {
  const script = await serveScript("./dashboard.ts");
  const stack = new Stack();
  try {
    await stack.start({
      sim: ({ app }) => [`--dashboard-url=${script.page}?${new URLSearchParams({ backend: app })}`],
    });
    const instanceId = await stack.install({ siteDisplayName: "The Court" });
    // The package speaks to this origin alone, for which the app is in the local network.
    await page.context().grantPermissions(["local-network-access"]);
    await page.route("https://manage.wix.com/**", async (route) => {
      const { pathname, search } = new URL(route.request().url());
      const headers = { ...route.request().headers(), origin: stack.wix };
      const response = await route.fetch({ url: stack.wix + pathname + search, headers });
      await route.fulfill({ response });
    });
    await page.goto(`https://manage.wix.com/dashboard?instance=${instanceId}`);
    const body = page.frameLocator("#app-frame").locator("body");
    await expect(body).toContainText("The Court");
    expect(JSON.parse((await body.textContent()) ?? "")).toMatchObject({
      status: 200,
      instance: expect.stringMatching(/^[\w-]+\.[\w-]+$/),
    });
  } finally {
    await stack.stop();
    script.close();
  }
});

test("a locked page has Wix's fetch, and no cookies", async ({ page, stack }) => {
  await page.goto(`${stack.wix}/site?instance=${await stack.install()}`);
  const found = await page.evaluate(async () => {
    const { fetch } = window;
    window.fetch = () => Promise.reject(new Error("replaced"));
    // biome-ignore lint/suspicious/noDocumentCookie: what is tested
    document.cookie = "a=b";
    const request = new XMLHttpRequest();
    let xhr = "";
    try {
      request.open("POST", "_sim/tokens");
    } catch (error) {
      xhr = (error as Error).name;
    }
    return {
      same: window.fetch === fetch,
      own: (await window.fetch(location.href)).status,
      tokens: await window.fetch("_sim/tokens", { method: "POST" }).then(String, String),
      xhr,
      cookie: document.cookie,
    };
  });
  expect(found).toEqual({
    same: true,
    own: 200,
    tokens: expect.stringContaining("does not let"),
    xhr: "TypeError",
    cookie: "",
  });
});

test("the dashboard shows the app's own page for the owner", async ({ page, stack }) => {
  const instanceId = await stack.install({ siteDisplayName: "Corner Café" });
  await page.goto(stack.wix);
  await page.getByRole("link", { name: "Dashboard of Corner Café" }).click();
  const app = page.frameLocator("#app-frame");
  await expect(app.getByText(instanceId)).toBeVisible();
  await expect(page.getByRole("link", { name: "Open app" })).toHaveAttribute("href", /instance=/);
});
