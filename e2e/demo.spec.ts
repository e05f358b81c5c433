// The demo page, served by the real program.
import type { Page } from "@playwright/test";
import { expect, expectAccessible, tag, test, watch } from "./stack";

const stageWidget = (page: Page) => page.frameLocator("iframe.page").locator(tag).first();

for (const [device, width, height] of [
  ["desktop", 1280, 900],
  ["phone", 360, 740],
] as const) {
  test(`on a ${device} the demo identifies the widget and follows the panel`, async ({
    page,
    stack,
  }) => {
    const seen = watch(page);
    await page.setViewportSize({ width, height });
    await page.goto(stack.app);
    const widget = stageWidget(page);
    await widget.scrollIntoViewIfNeeded();
    await expect(widget).toContainText("Connected");
    const panel = page.frameLocator("#panel-frame");
    await panel.getByLabel("Display name").fill("Grace Hopper");
    await expect(widget).toContainText("Grace Hopper");
    await expect(page.getByText("The widget shows the greeting of this site.")).toBeVisible();
    await expect(panel.getByLabel("Greeting")).toHaveValue("Hello");
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow).toBeLessThanOrEqual(0);
    await expectAccessible(page);
    expect(seen).toEqual({ errors: [], violations: [] });
    await page.evaluate(() => scrollTo(0, 0));
    // The README's picture is the desktop's: docs/demo.png.
    await page.screenshot({
      path: `test-results/demo-${device}.png`,
      fullPage: true,
      clip: { x: 0, y: 0, width, height: 1500 },
    });
  });
}

test("a known visitor costs no call to Wix, a new one costs one", async ({ page, stack }) => {
  await page.goto(stack.app);
  const done = page.getByText("The widget shows the greeting of this site.");
  await expect(done).toBeVisible();
  await expect(page.getByText("Nametag asks Wix whom the token belongs to.").first()).toBeVisible();
  await page.getByRole("button", { name: "Reload as the same visitor" }).click();
  await expect(done).toBeVisible();
  await expect(page.getByText("calls to Wix to identify")).toBeVisible();
  await page.getByRole("button", { name: "Load as a new visitor" }).click();
  await expect(page.getByText("call to Wix to identify", { exact: true })).toBeVisible();
});

test("an answer from the browser's cache is reported as one, and is no request", async ({
  page,
  stack,
}) => {
  await page.goto(stack.app);
  const done = page.getByText("The widget shows the greeting of this site.");
  await expect(done).toBeVisible();
  // The browser caches an answer that names the site. Nametag reads the name after the first visit.
  await expect(async () => {
    await page.getByRole("button", { name: "Reload as the same visitor" }).click();
    await expect(done).toBeVisible();
    await expect(page.getByText("The browser has a cached answer for this token")).toBeVisible({
      timeout: 1000,
    });
  }).toPass({ timeout: 15_000 });
  await expect(page.locator("#figure-requests")).toHaveText("0");
  await expect(page.locator("#figure-calls")).toHaveText("0");
  await page.screenshot({ path: "test-results/demo-cached.png", fullPage: true });
});

test("view as visitor hides the editor and shows the page", async ({ page, stack }) => {
  await page.goto(stack.app);
  await expect(stageWidget(page)).toContainText("Connected");
  await page.getByRole("button", { name: "View as visitor" }).click();
  await expect(page.locator("#panel-frame")).toBeHidden();
  await expect(stageWidget(page)).toBeVisible();
  await expectAccessible(page);
});

test("the greeting saved in the demo's panel shows on its stage", async ({ page, stack }) => {
  await page.goto(stack.app);
  const panel = page.frameLocator("#panel-frame");
  await panel.getByLabel("Greeting").fill("Good morning");
  await panel.getByRole("button", { name: "Save", exact: true }).click();
  await expect(stageWidget(page)).toContainText("Good morning");
});

test("production refuses a token of the demo", async ({ stack }) => {
  const session = await (await fetch(`${stack.app}/demo/sessions`, { method: "POST" })).json();
  const answer = await fetch(`${stack.app}/demo/sessions/${session.session}/tokens`, {
    method: "POST",
    body: '{"subject":"USER"}',
  });
  const { token } = await answer.json();
  const demo = await fetch(`${stack.app}/demo/api/get-instance`, {
    headers: { Authorization: token },
  });
  expect(demo.status).toBe(200);
  const production = await stack.ask("get-instance", token);
  expect(production.status).toBeGreaterThanOrEqual(401);
  expect(production.status).toBeLessThanOrEqual(403);
});

for (const path of ["/", "/install", "/nothing-here"]) {
  for (const scheme of ["light", "dark"] as const) {
    test(`${path} in ${scheme} is accessible and fits a phone`, async ({ page, stack }) => {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width: 360, height: 740 });
      await page.goto(stack.app + path);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      if (path === "/") {
        await expect(stageWidget(page)).toContainText("Hello");
        await expect(page.frameLocator("#panel-frame").getByLabel("Greeting")).toBeVisible();
      }
      await expectAccessible(page);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow).toBeLessThanOrEqual(0);
    });
  }
}
