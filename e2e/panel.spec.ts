// The settings panel, with the real @wix/editor inside, in the simulated editor, which
// is connected to it by Wix's own transport package.
import type { FrameLocator, Page } from "@playwright/test";
import { expect, expectAccessible, type Stack, tag, test, watch } from "./stack";

async function openEditor(page: Page, stack: Stack, instance: string): Promise<FrameLocator> {
  await page.setViewportSize({ width: 1440, height: 1000 });
  await page.goto(`${stack.wix}/editor?instance=${instance}`);
  const panel = page.frameLocator("#panel-frame");
  await expect(panel.getByLabel("Display name")).toBeVisible();
  return panel;
}

const stage = (page: Page) => page.frameLocator("iframe.page");
const stageWidget = (page: Page) => stage(page).locator(tag).first();

test("what is typed and picked shows on the stage at once, and undo reverts it", async ({
  page,
  stack,
}) => {
  const seen = watch(page);
  const panel = await openEditor(page, stack, await stack.install());
  await panel.getByLabel("Display name").fill("Grace");
  await expect(stageWidget(page)).toHaveAttribute("display-name", "Grace");
  await expect(stageWidget(page)).toContainText("Grace");

  await panel.getByRole("button", { name: /Background color/ }).click();
  const picker = page.getByRole("dialog");
  await picker.getByLabel("Color code").fill("#0b6e4f");
  await picker.getByLabel("Color code").press("Enter");
  await expect(stageWidget(page)).toHaveAttribute("background-color", "#0b6e4f");
  await expect(stageWidget(page).locator("[part~=card]")).toHaveCSS(
    "background-color",
    "rgb(11, 110, 79)",
  );
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(stageWidget(page)).not.toHaveAttribute("background-color");
  await expect(stageWidget(page)).toHaveAttribute("display-name", "Grace");
  await page.getByRole("button", { name: "Redo" }).click();
  await expect(stageWidget(page)).toHaveAttribute("background-color", "#0b6e4f");

  // A theme color is stored as the theme's variable, so that it follows the theme.
  await panel.getByRole("button", { name: /Background color/ }).click();
  await picker.getByRole("group", { name: "Site colors" }).getByRole("button").first().click();
  await expect(stageWidget(page)).toHaveAttribute("background-color", /^var\(--wst-.+#/);
  await page.keyboard.press("Escape");
  expect(seen).toEqual({ errors: [], violations: [] });
  await expectAccessible(page);
});

test("an outline is painted before the Design System has loaded", async ({ page, stack }) => {
  const seen = watch(page);
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(/\/panel\/assets\/style-/, async (route) => {
    await released;
    await route.continue();
  });
  await page.goto(`${stack.wix}/editor?instance=${await stack.install()}`, { waitUntil: "commit" });
  const panel = page.frameLocator("#panel-frame");
  const outline = panel.locator(".first");
  await expect(outline).toBeVisible();
  const paints = () => outline.evaluate(() => performance.getEntriesByName("first-paint").length);
  await expect.poll(paints).toBe(1);
  await expect(panel.getByLabel("Display name")).toHaveCount(0);
  release();
  await expect(panel.getByLabel("Display name")).toBeVisible();
  await expect(outline).toHaveCount(0);
  await expect(panel.getByRole("heading", { level: 1 })).toHaveCSS("font-size", "18px");
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("a greeting that an owner saves shows on the stage and on the published site", async ({
  page,
  stack,
}) => {
  const instance = await stack.install();
  const panel = await openEditor(page, stack, instance);
  await expect(stageWidget(page)).toContainText("Hello");
  await panel.getByLabel("Greeting").fill("Willkommen");
  await panel.getByRole("button", { name: "Save", exact: true }).click();
  await expect(stageWidget(page)).toHaveAttribute("settings-version", "1");
  await expect(stageWidget(page)).toContainText("Willkommen");

  const visitor = await page.context().newPage();
  await visitor.goto(`${stack.wix}/site?instance=${instance}`);
  await expect(visitor.locator(tag).first()).toContainText("Willkommen");
});

test("the owner sees how many guests were greeted, the visitor does not", async ({
  page,
  stack,
}) => {
  const instanceId = await stack.install();
  const visitor = await page.context().newPage();
  await visitor.goto(`${stack.wix}/site?instance=${instanceId}`);
  await expect(visitor.locator(tag).first()).toContainText("Connected");

  const owner = await stack.token({ instanceId, subject: "USER" });
  const days = async (): Promise<{ day: string; guests: number }[]> =>
    (await (await stack.ask("guests", owner)).json()).days;
  await expect.poll(async () => (await days()).at(-1)?.guests).toBeGreaterThan(0);
  const today = new Date().toISOString().slice(0, 10);
  const week = (await days()).map(({ day }) => day);
  expect(week).toHaveLength(7);
  expect(week).toEqual([...week].sort());
  expect(week.at(-1)).toBe(today);

  for (const subject of ["VISITOR", "MEMBER"] as const) {
    const answer = await stack.ask("guests", await stack.token({ instanceId, subject }));
    expect([answer.status, (await answer.json()).code]).toEqual([403, "owner_required"]);
  }
  const lost = await stack.ask("guests", await stack.token({ subject: "USER", noInstance: true }));
  expect([lost.status, (await lost.json()).code]).toEqual([403, "instance_required"]);

  const panel = await openEditor(page, stack, instanceId);
  await expect(panel.getByText("in the last 7 days (UTC)")).toBeVisible();
  await expect(panel.getByRole("listitem")).toHaveCount(7);
  await expect(panel.getByRole("listitem").last()).toContainText(/: \d+ guests?/);
  await expectAccessible(page);
});

test("without the guests the rest of the panel works, and a retry loads them", async ({
  page,
  stack,
}) => {
  let down = true;
  await page.route("**/api/guests", (route) =>
    down
      ? route.fulfill({
          status: 503,
          headers: { "Access-Control-Allow-Origin": "*", "Content-Type": "application/json" },
          body: '{"error":"A sentence.","code":"store_unavailable","requestId":"r-1"}',
        })
      : route.continue(),
  );
  const panel = await openEditor(page, stack, await stack.install());
  await expect(panel.getByText("Our server has a problem right now")).toBeVisible();
  await expect(panel.getByLabel("Greeting")).toHaveValue("Hello");
  await expectAccessible(page);
  down = false;
  await panel.getByRole("button", { name: "Try again", exact: true }).click();
  await expect(panel.getByText("Our server has a problem right now")).toHaveCount(0);
  await expect(panel.getByText(/^in the last 7 days|^No guests yet$/)).toBeVisible();
});

test("a visitor's token cannot save", async ({ stack }) => {
  const instanceId = await stack.install();
  for (const subject of ["VISITOR", "MEMBER", "APP"] as const) {
    const answer = await stack.ask("settings", await stack.token({ instanceId, subject }), {
      method: "PUT",
      headers: { "Content-Type": "application/json", "If-Match": '"0"' },
      body: '{"greeting":"mine now"}',
    });
    expect(answer.status).toBe(403);
    expect((await answer.json()).code).toBe("owner_required");
  }
});

test("after a reload of its frame the panel reads the widget's attributes", async ({
  page,
  stack,
}) => {
  const seen = watch(page);
  const panel = await openEditor(page, stack, await stack.install());
  await panel.getByLabel("Display name").fill("Grace");
  await expect(stageWidget(page)).toHaveAttribute("display-name", "Grace");
  await page.locator("#panel-reload").click();
  await expect(panel.getByLabel("Display name")).toHaveValue("Grace");
  await panel.getByLabel("Display name").fill("Hopper");
  await expect(stageWidget(page)).toContainText("Hopper");
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("the second of two owners is asked which greeting to keep", async ({ page, stack }) => {
  const instanceId = await stack.install();
  const panel = await openEditor(page, stack, instanceId);
  const owner = await stack.token({ instanceId, subject: "USER" });
  const other = await stack.ask("settings", owner, {
    method: "PUT",
    headers: { "Content-Type": "application/json", "If-Match": '"0"' },
    body: '{"greeting":"Theirs"}',
  });
  expect(other.status).toBe(200);
  await panel.getByLabel("Greeting").fill("Mine");
  await panel.getByRole("button", { name: "Save", exact: true }).click();
  await expect(panel.getByText("Someone else changed the greeting")).toBeVisible();
  await expectAccessible(page);
  await panel.getByRole("button", { name: "Keep mine" }).click();
  await expect(stageWidget(page)).toContainText("Mine");
  const token = await stack.token({ instanceId });
  expect(await (await stack.ask("settings", token)).json()).toEqual({
    settings: { greeting: "Mine" },
    version: 2,
  });
});

test("with Wix down the widget's own settings still work, and the rest works after a retry", async ({
  page,
  stack,
}) => {
  const instance = await stack.install();
  await stack.fault({ status: 503, retryAfter: 1 });
  const panel = await openEditor(page, stack, instance);
  await expect(panel.getByText("Wix can’t be reached right now").first()).toBeVisible();
  await panel.getByLabel("Display name").fill("Grace");
  await expect(stageWidget(page)).toContainText("Grace");
  await stack.mend();
  const again = panel.getByRole("button", { name: "Try again", exact: true }).first();
  await expect(again).toBeEnabled({ timeout: 15_000 });
  // The button fades from disabled to enabled, and axe reads the colors in between.
  await expect(() => expectAccessible(page)).toPass({ timeout: 10_000 });
  await again.click();
  await expect(panel.getByLabel("Greeting")).toBeVisible({ timeout: 15_000 });
});

test("with nothing selected the panel says so, until the next selection", async ({
  page,
  stack,
}) => {
  await openEditor(page, stack, await stack.install());
  await stage(page).getByRole("button", { name: "Delete" }).click();
  const panel = page.frameLocator("#panel-frame");
  await page.locator("#panel-reload").click();
  await expect(panel.getByText("No widget selected")).toBeVisible();
  await page.getByRole("button", { name: "Add a copy" }).click();
  await expect(panel.getByLabel("Display name")).toBeVisible();
});

test("outside the editor the panel explains itself", async ({ page, stack }) => {
  const seen = watch(page);
  await page.goto(`${stack.app}/panel/`);
  await expect(page.getByText("Open this page in the Wix editor")).toBeVisible({ timeout: 20_000 });
  expect(seen).toEqual({ errors: [], violations: [] });
});

for (const width of [288, 404, 660]) {
  test(`at ${width} pixels nothing is cut off`, async ({ page, stack }) => {
    const panel = await openEditor(page, stack, await stack.install());
    await page.locator("#panel-frame").evaluate((frame, w) => {
      frame.style.width = `${w}px`;
    }, width);
    await expect(panel.getByLabel("Greeting")).toBeVisible();
    const overflow = await panel
      .locator("html")
      .evaluate((html) => html.scrollWidth - html.clientWidth);
    expect(overflow).toBeLessThanOrEqual(0);
  });
}
