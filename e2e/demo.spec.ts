// The demo page, served by the real program.
import type { Page } from "@playwright/test";
import { expect, expectAccessible, name, tag, test, watch } from "./stack";

const stageWidget = (page: Page) => page.frameLocator("iframe.page").locator(tag).first();
const ready = (page: Page) => page.getByText("The widget shows what belongs to this site.");
const panelTitle = (page: Page) =>
  page.frameLocator("#panel-frame").getByRole("heading", { level: 1 });

for (const [device, width, height] of [
  ["desktop", 1280, 900],
  ["phone", 360, 740],
] as const) {
  test(`on a ${device} the demo identifies the widget`, async ({ page, stack }) => {
    const seen = watch(page);
    await page.setViewportSize({ width, height });
    await page.goto(stack.app);
    await stageWidget(page).scrollIntoViewIfNeeded();
    await expect(ready(page)).toBeVisible();
    await expect(panelTitle(page)).toBeVisible();
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow).toBeLessThanOrEqual(0);
    await expectAccessible(page);
    expect(seen).toEqual({ errors: [], violations: [] });
  });
}

test("a known visitor costs no call to Wix, a new one costs one", async ({ page, stack }) => {
  await page.goto(stack.app);
  await expect(ready(page)).toBeVisible();
  await expect(page.getByText(`${name} asks Wix whom the token belongs to.`).first()).toBeVisible();
  await page.getByRole("button", { name: "Reload as the same visitor" }).click();
  await expect(ready(page)).toBeVisible();
  await expect(page.getByText("calls to Wix to identify")).toBeVisible();
  await page.getByRole("button", { name: "Load as a new visitor" }).click();
  await expect(page.getByText("call to Wix to identify", { exact: true })).toBeVisible();
});

test("view as visitor hides the editor and shows the page", async ({ page, stack }) => {
  await page.goto(stack.app);
  await expect(ready(page)).toBeVisible();
  await page.getByRole("button", { name: "View as visitor" }).click();
  await expect(page.locator("#panel-frame")).toBeHidden();
  await expect(stageWidget(page)).toBeVisible();
  await expectAccessible(page);
});

test("a reload of the page goes on with its session", async ({ page, stack }) => {
  const created: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/demo/sessions")) {
      created.push(request.url());
    }
  });
  await page.goto(stack.app);
  await expect(ready(page)).toBeVisible();
  await page.reload();
  await expect(ready(page)).toBeVisible();
  await expect(panelTitle(page)).toBeVisible();
  // The visitor is a new one, and the calls of the first load are not counted again.
  await expect(page.getByText("call to Wix to identify", { exact: true })).toBeVisible();
  expect(created).toHaveLength(1);
});

test("the demo says when it is free again", async ({ page, stack }) => {
  await page.route("**/demo/sessions", (route) =>
    route.fulfill({ status: 429, headers: { "Retry-After": "1500" }, body: "{}" }),
  );
  await page.goto(stack.app);
  await expect(page.getByRole("alert")).toHaveText(
    "The demo has no free session for you at the moment. The next one is free in 25 minutes.",
  );
  await expectAccessible(page);
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
        await expect(ready(page)).toBeVisible();
        await expect(panelTitle(page)).toBeVisible();
      }
      await expectAccessible(page);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow).toBeLessThanOrEqual(0);
    });
  }
}
