// The name tag on a simulated Wix site, in every state that a visitor can see.
import { expect, expectAccessible, tag, test, watch } from "../stack";
import { visit } from "../visit";

test("three copies make one request and all show the answer", async ({ page, stack }) => {
  const instance = await stack.install({ siteDisplayName: "Three Sisters" });
  const seen = watch(page);
  const requests = await visit(page, stack, { instance, copies: 3, "attr.display-name": "Ada" });
  for (let i = 0; i < 3; i++) {
    await expect(page.locator(tag).nth(i)).toContainText(/Hello\s*Ada/);
    await expect(page.locator(tag).nth(i)).toContainText("Connected");
  }
  expect(requests).toHaveLength(1);
  expect(seen).toEqual({ errors: [], violations: [] });
  await expectAccessible(page);
});

test("the site's name shows once the server has read it from Wix", async ({ page, stack }) => {
  const instance = await stack.install({ siteDisplayName: "Known By Name" });
  const token = await stack.token({ instanceId: instance });
  await expect
    .poll(async () => (await stack.ask("get-instance", token)).text())
    .toContain("Known By Name");
  await visit(page, stack, { instance });
  await expect(page.locator(tag)).toContainText("Connected to Known By Name");
});

test("a visitor in another language and direction is answered", async ({ page, stack }) => {
  const instance = await stack.install();
  await visit(page, stack, { instance, language: "he", dir: "rtl", "attr.display-name": "עדה" });
  await expect(page.locator(tag)).toContainText("עדה");
  await expect(page.locator(tag)).toContainText("Connected");
});

for (const kind of ["expired", "inactive", "foreign"]) {
  test(`with a token that is ${kind} the widget says so and offers a retry`, async ({
    page,
    stack,
  }) => {
    const instance = await stack.install();
    const seen = watch(page);
    await visit(page, stack, {
      instance,
      token: kind,
      "attr.display-name": "Ada",
    });
    await expect(page.locator(tag)).toContainText("Can’t connect");
    await expect(page.locator(tag).getByRole("button", { name: "Retry" })).toBeVisible();
    await expect(page.locator(tag)).toContainText(/Hello\s*Ada/);
    expect(seen.errors).toEqual([]);
    await expectAccessible(page);
  });
}

test("with Wix down a retry waits as long as the server asks, and recovers", async ({
  page,
  stack,
}) => {
  const instance = await stack.install();
  await stack.fault({ status: 503, retryAfter: 1 });
  await visit(page, stack, { instance, "attr.display-name": "Ada" });
  await expect(page.locator(tag).getByRole("button", { name: "Retry" })).toBeVisible();
  await stack.mend();
  const retry = page.locator(tag).getByRole("button", { name: "Retry" });
  await expect(retry).toBeEnabled();
  await retry.click();
  await expect(page.locator(tag)).toContainText("Connected");
});

test("without a token the widget shows itself from its attributes, with no error", async ({
  page,
  stack,
}) => {
  const seen = watch(page);
  const requests = await visit(page, stack, {
    instance: await stack.install(),
    token: "none",
    "attr.display-name": "Ada",
    "attr.text-color": "rgb(120, 20, 60)",
  });
  await expect(page.locator(tag)).toContainText(/Hello\s*Ada/);
  await expect(page.locator(tag)).not.toContainText("Can’t connect");
  expect(requests).toHaveLength(0);
  expect(seen.errors).toEqual([]);
});

test("the widget works under a strict Content-Security-Policy with Trusted Types", async ({
  page,
  stack,
}) => {
  const seen = watch(page);
  await visit(page, stack, {
    instance: await stack.install(),
    csp: "strict",
    copies: 2,
    "attr.display-name": "Ada",
    "attr.background-color": "#123456",
  });
  await expect(page.locator(tag).first()).toContainText("Connected");
  const card = page.locator(`${tag} >> [part~=card]`).first();
  await expect(card).toHaveCSS("background-color", "rgb(18, 52, 86)");
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("the answer moves nothing on the page", async ({ page, stack }) => {
  await stack.fault({ endpoint: "token-info", latency: "300ms" });
  await page.addInitScript(() => {
    const global = globalThis as unknown as { shift: number };
    global.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        global.shift += (entry as PerformanceEntry & { value: number }).value; // a LayoutShift, which TypeScript lacks
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  await visit(page, stack, { instance: await stack.install(), "attr.display-name": "Ada" });
  await expect(page.locator(tag)).toContainText("Connected");
  // biome-ignore lint/suspicious/noExplicitAny: a note for the test
  expect(await page.evaluate(() => (globalThis as any).shift)).toBe(0);
});

test("a visitor's next page within 30 seconds sends no request, another visitor's does, and there is one preflight", async ({
  page,
  context,
  stack,
}) => {
  const instance = await stack.install({ siteDisplayName: "Known By Name" });
  const known = await stack.token({ instanceId: instance });
  await expect
    .poll(async () => (await stack.ask("get-instance", known)).text())
    .toContain("Known By Name");
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  const methods = new Map<string, string>();
  let answered: string[] = [];
  cdp.on("Network.requestWillBeSent", ({ requestId, request }) =>
    methods.set(requestId, request.method),
  );
  cdp.on("Network.responseReceived", ({ requestId, response }) => {
    if (!response.url.startsWith(`${stack.app}/api/`)) {
      return;
    }
    answered.push(`${methods.get(requestId)}${response.fromDiskCache ? " cached" : ""}`);
  });
  const open = async (token: "kept" | "") => {
    answered = [];
    await visit(page, stack, { instance, ...(token && { token }) });
    await expect(page.locator(tag)).toContainText("Connected to Known By Name");
    return answered.sort();
  };
  expect(await open("kept")).toEqual(["GET", "OPTIONS"]);
  expect(await open("kept")).toEqual(["GET cached"]);
  expect(await open("")).toEqual(["GET"]);
});

test("odd attributes break nothing", async ({ page, stack }) => {
  const seen = watch(page);
  await visit(page, stack, {
    instance: await stack.install(),
    "attr.display-name": "<img src=x onerror=alert(1)>",
    "attr.font": "{broken",
    "attr.align": "diagonal",
    "attr.text-color": "url(javascript:alert(1))",
    "attr.settings-version": "not a number",
  });
  await expect(page.locator(tag)).toContainText("<img src=x onerror=alert(1)>");
  await expect(page.locator(tag)).toContainText("Connected");
  expect(seen).toEqual({ errors: [], violations: [] });
});
