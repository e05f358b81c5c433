// The review badge, end to end, in the project that make new makes of it.
import type { Page } from "@playwright/test";
import { buy, openMenu } from "./appmenu";
import { giveToken } from "./panel";
import { expect, expectAccessible, type Stack, tag, test, watch } from "./stack";

async function visit(page: Page, stack: Stack, instance: string, attributes = "") {
  await page.goto(`${stack.wix}/site?instance=${instance}${attributes}`);
  return page.locator(tag);
}

async function give(page: Page, stack: Stack, instance: string, stars: number) {
  const badge = await visit(page, stack, instance);
  await badge.getByRole("button", { name: `${stars} of 5 stars` }).click();
  return badge;
}

test("visitors rate, the average shows, and the fourth review is refused until a plan is bought", async ({
  page,
  stack,
}) => {
  const seen = watch(page);
  const instance = await stack.install();
  let badge = await visit(page, stack, instance);
  await expect(badge).toContainText("No reviews yet");
  await expect(badge).toContainText("How was your visit?");
  badge = await give(page, stack, instance, 5);
  await expect(badge).toContainText("Thank you!");
  await expect(badge).toContainText("5.0 of 5 · 1 review");
  badge = await give(page, stack, instance, 4);
  await expect(badge).toContainText("4.5 of 5 · 2 reviews");
  badge = await give(page, stack, instance, 3);
  await expect(badge).toContainText("4.0 of 5 · 3 reviews");
  await expectAccessible(page);
  badge = await give(page, stack, instance, 1);
  await expect(badge).toContainText("There is no room for more reviews at the moment.");
  await expect(badge).toContainText("4.0 of 5 · 3 reviews");

  const refused = await stack.ask("reviews", await stack.token({ instanceId: instance }), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: '{"stars":5}',
  });
  expect([refused.status, (await refused.json()).code]).toEqual([402, "review_limit"]);

  const editor = await page.context().newPage();
  await editor.setViewportSize({ width: 1440, height: 1000 });
  await editor.goto(`${stack.wix}/editor?instance=${instance}`);
  await openMenu(editor);
  await buy(editor, "pro");
  await expect(async () => {
    badge = await give(page, stack, instance, 4);
    await expect(badge).toContainText("4.0 of 5 · 4 reviews", { timeout: 2_000 });
  }).toPass({ timeout: 20_000 });
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("what the owner sets in the panel shows on the badge", async ({ page, stack }) => {
  const instance = await stack.install();
  await page.setViewportSize({ width: 1440, height: 1000 });
  await page.goto(`${stack.wix}/editor?instance=${instance}`);
  const panel = page.frameLocator("#panel-frame");
  await expect(panel.getByRole("heading", { level: 1 })).toBeVisible();
  if ((await panel.getByRole("tab").count()) > 1) {
    await panel.getByRole("tab").nth(1).click();
  }
  await giveToken(page);
  await panel.getByRole("textbox", { name: "Title" }).fill("What guests say");
  await expect(page.frameLocator("iframe.page").locator(tag).first()).toContainText(
    "What guests say",
  );
  const visitor = await page.context().newPage();
  await expect(await visit(visitor, stack, instance)).toContainText("What guests say");
});

for (const width of [320, 450]) {
  test(`at ${width} px, on light and dark`, async ({ page, stack }) => {
    await page.setViewportSize({ width, height: 500 });
    const instance = await stack.install();
    await give(page, stack, instance, 4);
    for (const [name, attributes] of [
      ["light", ""],
      [
        "dark",
        "&attr.text-color=%23e5e7eb&attr.background-color=%23111827&attr.star-color=%23fbbf24",
      ],
    ]) {
      const badge = await visit(page, stack, instance, attributes);
      await expect(badge).toContainText("4.0 of 5 · 1 review");
      await expectAccessible(page);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow).toBeLessThanOrEqual(0);
      await badge.screenshot({ path: `test-results/badge-${width}-${name}.png` });
    }
  });
}
