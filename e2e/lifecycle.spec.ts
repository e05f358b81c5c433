// The lifecycle of an installation, controlled on the simulated pages: the server gets
// webhooks, and the widget shows their effects.

import { buy, expectWebhook, menu, openEditor, openMenu, press } from "./appmenu";
import { expect, expectAccessible, type Stack, tag, test, watch, watchStates } from "./stack";

const ready = "ready";

/** Waits until the server has stored the plan. */
const expectPlan = (stack: Stack, instance: string, plan: string) =>
  expect
    .poll(() => stack.run("instances", "show", instance), { timeout: 60_000 })
    .toMatch(new RegExp(`^plan +${plan}$`, "m"));

test("a plan that was bought is stored, also after its renewal was canceled", async ({
  page,
  stack,
}) => {
  const seen = watch(page);
  const instance = await stack.install();
  await openEditor(page, stack, instance);
  await expect(menu(page)).toContainText("Free plan.");
  await buy(page, "gold");
  await expectWebhook(page, /^PaidPlanPurchased delivered in \d+ m?s\.$/);
  await expect(menu(page)).toContainText("Plan gold, monthly.");
  await expectPlan(stack, instance, "gold");

  // A plan without renewal is valid until its billing cycle ends.
  await press(page, "Cancel the renewal");
  await expectWebhook(page, /^PaidPlanAutoRenewalCancelled delivered/);
  await expect(menu(page)).toContainText("Plan gold, monthly, ends with the billing cycle.");
  await expectPlan(stack, instance, "gold");
  await press(page, "Turn the renewal on");
  await expectWebhook(page, /^PlanReactivated delivered/);
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("a plan that was changed is stored; its end sends no webhook", async ({ page, stack }) => {
  const seen = watch(page);
  const states = await watchStates(page);
  const instance = await stack.install({ plan: "gold" });
  await openEditor(page, stack, instance);
  await buy(page, "basic");
  await expectWebhook(page, /^PaidPlanChanged delivered/);
  await expectPlan(stack, instance, "basic");
  await expectAccessible(page);

  await press(page, "Go back to free");
  await expectWebhook(page, "Wix sends no webhook for this.");
  await expect(menu(page)).toContainText("Free plan.");
  await expect.poll(() => states.at(-1)).toBe(ready);
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("after a removal an open page is refused, and a new installation works", async ({
  page,
  stack,
}) => {
  const instance = await stack.install({ siteDisplayName: "Gone and back" });
  const seen = watch(page);
  const onStage = await watchStates(page);
  const stage = page.frameLocator("iframe.page");
  const visitor = await page.context().newPage();
  const states = await watchStates(visitor);
  await visitor.goto(`${stack.wix}/site?instance=${instance}&token=kept`);
  await expect.poll(() => states.at(-1)).toBe(ready);

  await openEditor(page, stack, instance);
  await press(page, "Remove the app");
  await expectWebhook(page, /^AppRemoved delivered/);
  await expect(menu(page)).toContainText("Not installed.");
  await expect(stage.getByText("has been removed")).toBeVisible();
  await expect(stage.locator(tag)).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Publish" })).toBeDisabled();

  await expect(async () => {
    states.length = 0;
    await visitor.reload();
    await expect.poll(() => states.at(-1), { timeout: 3_000 }).toBe("failed token_inactive");
  }).toPass({ timeout: 60_000 });

  // A new visitor finds no widget.
  const other = await page.context().newPage();
  await other.goto(`${stack.wix}/site?instance=${instance}`);
  await expect(other.getByText("has been removed")).toBeVisible();
  await expect(other.locator(tag)).toHaveCount(0);
  await expectAccessible(other);

  onStage.length = 0;
  await press(page, "Install again");
  await expectWebhook(page, /^AppInstalled delivered/);
  await expect.poll(() => onStage.at(-1)).toBe(ready);
  await expect(page.frameLocator("#panel-frame").getByRole("heading", { level: 1 })).toBeVisible();
  const found = await watchStates(other);
  await other.reload();
  await expect.poll(() => found.at(-1)).toBe(ready);
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("after a removal without a webhook an open page still works", async ({ page, stack }) => {
  const instance = await stack.install();
  const visitor = await page.context().newPage();
  const states = await watchStates(visitor);
  await visitor.goto(`${stack.wix}/site?instance=${instance}&token=kept`);
  await expect.poll(() => states.at(-1)).toBe(ready);
  await openEditor(page, stack, instance);
  await menu(page).getByText("Send no webhook").click();
  await press(page, "Remove the app");
  await expectWebhook(page, "No webhook was sent.");
  // The server has verified this token, and accepts it until it expires.
  states.length = 0;
  await visitor.reload();
  await expect.poll(() => states.at(-1)).toBe(ready);
});

test("the first page installs, removes and installs again, with the keyboard only", async ({
  page,
  stack,
}) => {
  const seen = watch(page);
  await page.goto(`${stack.wix}/`);
  await page.getByLabel("Name of a new site").fill("<b>Keys & Co</b>");
  await page.keyboard.press("Enter");
  await expect(page.locator("#result")).toHaveText(
    /^Installed on <b>Keys & Co<\/b>\. AppInstalled delivered/,
  );
  await page.getByRole("button", { name: "Remove the app from <b>Keys & Co</b>" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.locator("#result")).toHaveText(/^Removed\. AppRemoved delivered/);
  const again = page.getByRole("button", { name: "Install again on <b>Keys & Co</b>" });
  await expect(again).toBeFocused();
  await expectAccessible(page);
  await page.keyboard.press("Enter");
  await expect(page.locator("#result")).toHaveText(/^Installed on <b>Keys & Co<\/b>\./);
  await expect(again).toHaveCount(0);
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("at phone width the whole menu is on the screen, and Escape returns the focus", async ({
  page,
  stack,
}) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`${stack.wix}/editor?instance=${await stack.install({ plan: "gold" })}`);
  const button = page.getByRole("button", { name: "App", exact: true });
  await button.focus();
  await page.keyboard.press("Enter");
  const box = await menu(page).boundingBox();
  expect(box?.x).toBeGreaterThanOrEqual(0);
  expect((box?.x ?? 0) + (box?.width ?? 999)).toBeLessThanOrEqual(360);
  expect((box?.y ?? 0) + (box?.height ?? 999)).toBeLessThanOrEqual(740);
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await expect(menu(page)).toBeHidden();
  await expect(button).toBeFocused();
});

test("a plan is bought on the page that upgrade links lead to", async ({ page, stack }) => {
  const seen = watch(page);
  const instance = await stack.install({ siteDisplayName: "Lantern Bakery" });
  const address = (app: string, id: string) =>
    `${stack.wix}/apps/upgrade/${app}?appInstanceId=${id}`;
  for (const viewport of [
    { width: 1280, height: 800 },
    { width: 360, height: 640 },
  ]) {
    await page.setViewportSize(viewport);
    await page.goto(address(stack.appId.toUpperCase(), instance));
    await expect(page.getByRole("heading")).toContainText("Lantern Bakery");
    await expectAccessible(page);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(viewport.width);
  }
  await expect(page.getByRole("button", { name: "Cancel the renewal" })).toBeHidden();
  await page.getByLabel("Plan id").fill("gold");
  await page.getByLabel("Billed").selectOption("Yearly");
  await page.getByRole("button", { name: "Buy the plan" }).press("Enter");
  await expect(page.getByRole("status")).toHaveText(/^PaidPlanPurchased delivered in \d+ m?s\.$/);
  await expect(page.locator("#app-state")).toHaveText("Plan gold, yearly.");
  await expectAccessible(page);
  await page.reload();
  await expect(page.locator("#app-state")).toHaveText("Plan gold, yearly.");
  await page.getByRole("button", { name: "Cancel the renewal" }).click();
  await expect(page.getByRole("status")).toHaveText(/^PaidPlanAutoRenewalCancelled delivered/);
  await page.getByRole("link", { name: "Editor of the site" }).click();
  await openMenu(page);
  await expect(menu(page)).toContainText("Plan gold, yearly, ends with the billing cycle.");

  const unknown = "00000000-0000-4000-8000-000000000000";
  for (const wrong of [address(unknown, instance), address(stack.appId, unknown)]) {
    expect((await page.goto(wrong))?.status()).toBe(404);
    await expect(page.getByRole("heading")).toHaveText("There are no plans here");
    await expectAccessible(page);
  }
  expect(seen).toEqual({ errors: [], violations: [] });
});
