// The shipped app on the demo page.
import type { Page } from "@playwright/test";
import { goTo } from "../panel";
import { expect, expectAccessible, tag, test, watch } from "../stack";

const stageWidget = (page: Page) => page.frameLocator("iframe.page").locator(tag).first();

for (const [device, width, height] of [
  ["desktop", 1280, 900],
  ["phone", 360, 740],
] as const) {
  test(`on a ${device} the demo follows the panel`, async ({ page, stack }) => {
    const seen = watch(page);
    await page.setViewportSize({ width, height });
    await page.goto(stack.app);
    const widget = stageWidget(page);
    await widget.scrollIntoViewIfNeeded();
    await expect(widget).toContainText("Connected");
    const panel = page.frameLocator("#panel-frame");
    await panel.getByLabel("Display name").fill("Grace Hopper");
    await expect(widget).toContainText("Grace Hopper");
    await expect(page.getByText("The widget shows what belongs to this site.")).toBeVisible();
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

test("an answer from the browser's cache is reported as one, and is no request", async ({
  page,
  stack,
}) => {
  await page.goto(stack.app);
  const done = page.getByText("The widget shows what belongs to this site.");
  await expect(done).toBeVisible();
  // The browser caches an answer that names the site. The server reads the name after the first visit.
  await expect(async () => {
    await page.getByRole("button", { name: "Reload as the same visitor" }).click();
    await expect(done).toBeVisible();
    await expect(page.getByText("The browser has a cached answer for this token")).toBeVisible({
      timeout: 1000,
    });
  }).toPass({ timeout: 60_000 });
  await expect(page.locator("#figure-requests")).toHaveText("0");
  await expect(page.locator("#figure-calls")).toHaveText("0");
  await page.screenshot({ path: "test-results/demo-cached.png", fullPage: true });
});

test("the greeting typed in the demo's panel shows on its stage", async ({ page, stack }) => {
  await page.goto(stack.app);
  const panel = page.frameLocator("#panel-frame");
  await expect(panel.getByLabel("Display name")).toBeVisible();
  await goTo(panel, "All widgets");
  await panel.getByLabel("Greeting").fill("Good morning");
  await expect(stageWidget(page)).toContainText("Good morning");
});
